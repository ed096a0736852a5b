/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <stdio.h>

enum { WIDTH = 80, COLUMN = 28 };

static void pad(struct buf *b, size_t begin, size_t column)
{
	if (b->n - begin >= column) {
		buf_putc(b, '\n');
		begin = b->n;
	}
	while (b->n - begin < column)
		buf_putc(b, ' ');
}

void help_wrap(struct buf *b, const char *text, size_t indent)
{
	size_t column = indent;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (column > indent && column + 1 + n > WIDTH) {
			buf_printf(b, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_putc(b, ' ');
			column++;
		}
		buf_add(b, text, n);
		column += n;
		text += n;
		if (*text == '\n') {
			buf_printf(b, "\n\n%*s", (int)indent, "");
			column = indent;
		}
		text += !!*text;
	}
	buf_putc(b, '\n');
}

void help_synopsis(struct buf *b, const struct command_row *row)
{
	const struct syntax *s = &row->command->syntax;

	buf_printf(b, "skep %s", row->name);
	if (s->options && s->options->name)
		buf_puts(b, " [OPTION...]");
	switch (s->operands) {
	case OPERANDS_NONE:
		break;
	case OPERANDS_ONE:
		buf_printf(b, " %s", s->operand);
		break;
	case OPERANDS_PERHAPS:
		buf_printf(b, " [%s]", s->operand);
		break;
	case OPERANDS_WORD:
		buf_printf(b, " [%s [%s]]", s->words, s->operand);
		break;
	case OPERANDS_WORDS:
		buf_printf(b, " %s [%s...]", s->words, s->operand);
		break;
	case OPERANDS_COMMAND:
		buf_printf(b, " [-- %s]", s->operand);
		break;
	case OPERANDS_ANY:
		buf_printf(b, " %s", s->operand);
		break;
	}
}

static void add_option(struct buf *b, const struct option_desc *o)
{
	size_t begin = b->n;

	buf_puts(b, "  ");
	if (o->letter)
		buf_printf(b, "-%c, ", o->letter);
	else
		buf_puts(b, "    ");
	buf_printf(b, "--%s", o->name);
	if (o->argument)
		buf_printf(b, " %s", o->argument);
	pad(b, begin, COLUMN);
	help_wrap(b, o->help, COLUMN);
}

static void add_options(struct buf *b, const struct option_desc *o)
{
	static const struct option_desc help = {.name = "help", .letter = 'h', .help = "show this"};

	if (!o || o->kind != OPTION_HEADING || !o->name)
		buf_puts(b, "\nOptions:\n");
	for (; o && o->name; o++) {
		if (o->kind == OPTION_HEADING)
			buf_printf(b, "\n%s:\n", o->help);
		else
			add_option(b, o);
	}
	add_option(b, &help);
}

static void add_examples(struct buf *b, const struct example *e)
{
	if (e && e->line)
		buf_puts(b, "\nExamples:\n");
	for (; e && e->line; e++) {
		buf_printf(b, "  %s\n      ", e->line);
		help_wrap(b, e->what, 6);
	}
}

int help_command(const struct command_row *row)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "Usage: ");
	help_synopsis(&b, row);
	buf_puts(&b, "\n\n");
	help_wrap(&b, row->command->about, 0);
	add_options(&b, row->command->syntax.options);
	add_examples(&b, row->command->examples);
	fputs(b.p, stdout);
	return 0;
}

int help_program(void)
{
	const struct command_row *row;

	puts("skep: questions go down into the kernel, answers come up.\n\n"
	     "Usage: skep COMMAND [OPTION...]\n\nCommands:");
	for (size_t i = 0; (row = command_at(i)); i++)
		if (!row->is_hidden)
			printf("  %-8s  %s\n", row->name, row->help);
	puts("\nOptions:\n"
	     "  -h, --help     show this\n"
	     "  -V, --version  print version and commit\n\n"
	     "Start with:\n"
	     "  skep info          what is possible here\n"
	     "  skep watch -- ls   all that one command does\n"
	     "  skep help watch    the options of watch");
	return 0;
}

static int run(const void *options, char **operands)
{
	char *line[] = {(char *)"skep", (char *)"help", operands[0], NULL};
	const struct command_row *row;

	(void)options;
	if (!operands[0])
		return help_program();
	row = command_find(operands[0]);
	return row ? help_command(row) : command_unknown(3, line, 2);
}

const struct command command_help = {
	.about = "Show what a command does, its options and examples of its use.",
	.syntax = {.operands = OPERANDS_PERHAPS,
		   .operand = "COMMAND",
		   .completes = COMPLETES_COMMANDS},
	.run = run,
};
