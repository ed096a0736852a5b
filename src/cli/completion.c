/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep completion SHELL`: a script that completes command lines, from the tables.
 * Adding a shell: a file completion-SHELL.c, and its name in shells[] and SHELLS.
 */
#include "cli/completion.h"

#include <stdio.h>

#include "catalog/catalog.h"
#include "cli/values.h"

#define SHELLS "bash|zsh|fish"

void completion_words(struct buf *b, enum completes completes, const char *argument)
{
	const struct command_row *row;
	const struct event_desc *e;
	struct str word;

	switch (completes) {
	case COMPLETES_EVENTS:
		for (unsigned int kind = 1; (e = event_get(kind)); kind++)
			buf_printf(b, "%s ", e->name);
		for (enum event_group g = GROUP_PROCESS; g <= GROUP_META; g++)
			buf_printf(b, "%s ", event_group_name(g));
		buf_puts(b, "all default");
		break;
	case COMPLETES_WORDS:
		for (size_t i = 0; word = word_at(argument, i), word.p; i++)
			buf_printf(b, "%s%.*s", i ? " " : "", (int)word.n, word.p);
		break;
	case COMPLETES_COMMANDS:
		for (size_t i = 0; (row = command_at(i)); i++)
			buf_printf(b, "%s%s", i ? " " : "", row->name);
		break;
	case COMPLETES_NOTHING:
	case COMPLETES_FILE:
	case COMPLETES_CGROUP:
	case COMPLETES_USER:
	case COMPLETES_PID:
	case COMPLETES_RECORDING:
		break;
	}
}

void completion_help(struct buf *b, const char *help, const char *special)
{
	for (; *help; help++) {
		if (strchr(special, *help))
			buf_putc(b, '\\');
		if (*help == '\'')
			buf_puts(b, "'\\'");
		buf_putc(b, *help);
	}
}

static const struct shell *const shells[] = {&shell_bash, &shell_zsh, &shell_fish};

static int run(const void *options, char **operands)
{
	const struct shell *shell = shells[word_find(SHELLS, str_of(operands[0]))];
	const struct command_row *row;
	_cleanup_buf_ struct buf b = {0};

	(void)options;
	shell->begin(&b);
	for (size_t i = 0; (row = command_at(i)); i++) {
		if (shell->command)
			shell->command(&b, row);
		for (const struct option_desc *o = row->command->syntax.options; o && o->name; o++)
			if (o->kind != OPTION_HEADING)
				shell->option(&b, row, o);
		if (shell->command_end)
			shell->command_end(&b, row);
	}
	if (shell->end)
		shell->end(&b);
	fputs(b.p, stdout);
	return 0;
}

static const struct example examples[] = {
	{"source <(skep completion bash)", "for this shell"},
	{"skep completion bash | sudo tee /usr/share/bash-completion/completions/skep >/dev/null",
	 "for all users"},
	{NULL, NULL},
};

const struct command command_completion = {
	.about = "Print a script that completes command lines of skep.",
	.syntax = {.operands = OPERANDS_ONE, .operand = SHELLS, .completes = COMPLETES_WORDS},
	.examples = examples,
	.run = run,
};
