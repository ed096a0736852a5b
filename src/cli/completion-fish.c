/* SPDX-License-Identifier: Apache-2.0 */
/* Fish: one `complete` for each command and each option. */
#include "cli/completion.h"

static void add_begin(struct buf *b)
{
	buf_puts(b,
		 "# fish completion of skep; made by `skep completion fish`\n"
		 "complete -c skep -f\n"
		 "complete -c skep -n __fish_use_subcommand -s h -l help -d 'show help'\n"
		 "complete -c skep -n __fish_use_subcommand -s V -l version -d 'print version'\n");
}

static void add_values(struct buf *b, enum completes completes, const char *argument)
{
	switch (completes) {
	case COMPLETES_NOTHING:
		buf_puts(b, " -x");
		break;
	case COMPLETES_FILE:
		buf_puts(b, " -r -F");
		break;
	case COMPLETES_RECORDING:
		buf_puts(b, " -x -a '(__fish_complete_suffix .skep)'");
		break;
	case COMPLETES_CGROUP:
		buf_puts(b, " -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETES_USER:
		buf_puts(b, " -x -a '(__fish_complete_users)'");
		break;
	case COMPLETES_PID:
		buf_puts(b, " -x -a '(__fish_complete_pids)'");
		break;
	case COMPLETES_EVENTS:
		buf_puts(b, " -x -a '(__fish_append , ");
		completion_words(b, completes, argument);
		buf_puts(b, ")'");
		break;
	case COMPLETES_WORDS:
	case COMPLETES_COMMANDS:
		buf_puts(b, " -x -a '");
		completion_words(b, completes, argument);
		buf_putc(b, '\'');
		break;
	}
}

static void add_condition(struct buf *b, const struct command_row *row)
{
	buf_printf(b, "complete -c skep -n '__fish_seen_subcommand_from %s'", row->name);
}

static void add_command(struct buf *b, const struct command_row *row)
{
	const struct syntax *s = &row->command->syntax;

	if (!row->is_hidden) {
		buf_printf(b, "complete -c skep -n __fish_use_subcommand -a %s -d '", row->name);
		completion_help(b, row->help, "\\");
		buf_puts(b, "'\n");
	}
	if (s->operands == OPERANDS_NONE)
		return;
	if (s->words) {
		add_condition(b, row);
		add_values(b, COMPLETES_WORDS, s->words);
		buf_putc(b, '\n');
	}
	add_condition(b, row);
	if (s->operands == OPERANDS_COMMAND)
		buf_puts(b, " -a '(__fish_complete_command)'");
	else
		add_values(b, s->completes, s->operand);
	buf_putc(b, '\n');
}

static void add_option(struct buf *b, const struct command_row *row, const struct option_desc *o)
{
	add_condition(b, row);
	if (o->letter)
		buf_printf(b, " -s %c", o->letter);
	buf_printf(b, " -l %s", o->name);
	if (o->argument)
		add_values(b, o->completes, o->argument);
	buf_puts(b, " -d '");
	completion_help(b, o->help, "\\");
	buf_puts(b, "'\n");
}

const struct shell shell_fish = {
	.begin = add_begin,
	.command = add_command,
	.option = add_option,
};
