/* SPDX-License-Identifier: Apache-2.0 */
/* Zsh: one call of _arguments for each command. */
#include "cli/completion.h"

static void add_begin(struct buf *b)
{
	const struct command_row *row;

	buf_puts(b, "#compdef skep\n# made by `skep completion zsh`\n_skep()\n{\n"
		    "\tlocal -a subcommands=(\n");
	for (size_t i = 0; (row = command_at(i)); i++) {
		if (row->is_hidden)
			continue;
		buf_printf(b, "\t\t'%s:", row->name);
		completion_help(b, row->help, ":\\");
		buf_puts(b, "'\n");
	}
	buf_puts(b,
		 "\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command subcommands\n\t\treturn\n"
		 "\tfi\n\tshift words\n\t((CURRENT--))\n\tcase $words[1] in\n");
}

static void add_action(struct buf *b, enum completes completes, const char *argument)
{
	switch (completes) {
	case COMPLETES_NOTHING:
		buf_puts(b, " ");
		break;
	case COMPLETES_FILE:
		buf_puts(b, "_files");
		break;
	case COMPLETES_CGROUP:
		buf_puts(b, "_directories");
		break;
	case COMPLETES_RECORDING:
		buf_puts(b, "_files -g \"*.skep\"");
		break;
	case COMPLETES_USER:
		buf_puts(b, "_users");
		break;
	case COMPLETES_PID:
		buf_puts(b, "_pids");
		break;
	case COMPLETES_EVENTS:
		buf_puts(b, "_values -s , event ");
		completion_words(b, completes, argument);
		break;
	case COMPLETES_WORDS:
	case COMPLETES_COMMANDS:
		buf_putc(b, '(');
		completion_words(b, completes, argument);
		buf_putc(b, ')');
		break;
	}
}

static void add_command(struct buf *b, const struct command_row *row)
{
	buf_printf(b, "\t%s)\n\t\t_arguments -s -S \\\n", row->name);
}

static void add_spec(struct buf *b, const struct option_desc *o, bool is_short)
{
	if (o->letter)
		buf_printf(b, "\t\t\t'(-%c --%s)", o->letter, o->name);
	else
		buf_puts(b, "\t\t\t'");
	if (is_short)
		buf_printf(b, "-%c%s[", o->letter, o->argument ? "+" : "");
	else
		buf_printf(b, "--%s%s[", o->name, o->argument ? "=" : "");
	completion_help(b, o->help, "[]:\\");
	buf_putc(b, ']');
	if (o->argument) {
		buf_puts(b, o->kind == OPTION_CHOICE ? ":WORD:" : ":");
		if (o->kind != OPTION_CHOICE)
			buf_printf(b, "%s:", o->argument);
		add_action(b, o->completes, o->argument);
	}
	buf_puts(b, "' \\\n");
}

static void add_option(struct buf *b, const struct command_row *row, const struct option_desc *o)
{
	(void)row;
	if (o->letter)
		add_spec(b, o, true);
	add_spec(b, o, false);
}

static void add_command_end(struct buf *b, const struct command_row *row)
{
	const struct syntax *s = &row->command->syntax;

	buf_puts(b, "\t\t\t'(-h --help)'{-h,--help}'[show help]'");
	if (s->operands == OPERANDS_COMMAND) {
		buf_puts(b, " \\\n\t\t\t'(-)1:command: _command_names -e' \\\n"
			    "\t\t\t'*::arguments:_normal'");
	} else if (s->words) {
		buf_puts(b, " \\\n\t\t\t'1:WORD:");
		add_action(b, COMPLETES_WORDS, s->words);
		buf_printf(b, "' \\\n\t\t\t'%s:%s:", s->operands == OPERANDS_WORDS ? "*" : "2",
			   s->operand);
		add_action(b, s->completes, s->operand);
		buf_putc(b, '\'');
	} else if (s->operands != OPERANDS_NONE) {
		buf_printf(b, " \\\n\t\t\t'1:%s:",
			   s->completes == COMPLETES_WORDS ? "WORD" : s->operand);
		add_action(b, s->completes, s->operand);
		buf_putc(b, '\'');
	}
	buf_puts(b, "\n\t\t;;\n");
}

static void add_end(struct buf *b)
{
	buf_puts(b, "\tesac\n}\nif [[ $funcstack[1] == _skep ]]; then\n\t_skep \"$@\"\nelse\n"
		    "\tcompdef _skep skep\nfi\n");
}

const struct shell shell_zsh = {
	.begin = add_begin,
	.command = add_command,
	.option = add_option,
	.command_end = add_command_end,
	.end = add_end,
};
