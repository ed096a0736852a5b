/* SPDX-License-Identifier: Apache-2.0 */
/* `skep man`: the manual page skep(1), from the tables that make --help. */
#include "cli/command.h"

#include <stdio.h>

#include "agent/watch.h"
#include "catalog/catalog.h"
#include "cli/help.h"

static const struct {
	int status;
	const char *help;
} statuses[] = {
	{0, "All went well."},
	{EXIT_FAILED, "Something went wrong; the message says what."},
	{EXIT_USAGE, "The command line is wrong."},
	{EXIT_CANNOT_HERE,
	 "This kernel or these privileges do not allow it; skep info tells more."},
	{EXIT_CANNOT_EXEC, "The command after \"--\" is there but cannot be started."},
	{EXIT_NO_COMMAND, "There is no command of that name."},
};

static const struct {
	const char *text, *troff;
} characters[] = {
	{"\\", "\\e"},	{"-", "\\-"}, {"'", "\\(aq"}, {"`", "\\(ga"}, {"^", "\\(ha"},
	{"~", "\\(ti"}, {"…", "..."}, {"•", "\\(bu"}, {"–", "\\(en"}, {"—", "\\(em"},
};

/* Plain text to troff; inside of a line, so a dot needs no care. */
static void add_text(struct buf *b, const char *text)
{
	while (*text) {
		size_t i;

		for (i = 0; i < ELEMENTS(characters); i++)
			if (str_starts(str_of(text), str_of(characters[i].text)))
				break;
		if (i < ELEMENTS(characters)) {
			buf_puts(b, characters[i].troff);
			text += strlen(characters[i].text);
		} else {
			buf_putc(b, *text++);
		}
	}
}

/* A paragraph of its own lines; "\n" in it begins another. */
static void add_paragraph(struct buf *b, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");
		_cleanup_free_ char *one = xstrndup(text, n);

		buf_puts(b, "\\&");
		add_text(b, one);
		buf_putc(b, '\n');
		if (!text[n])
			break;
		buf_puts(b, ".PP\n");
		text += n + 1;
	}
}

static void add_option(struct buf *b, const struct option_desc *o)
{
	if (o->kind == OPTION_HEADING) {
		buf_puts(b, ".PP\n\\fI");
		add_text(b, o->help);
		buf_puts(b, ":\\fR\n");
		return;
	}
	buf_puts(b, ".TP\n");
	if (o->letter)
		buf_printf(b, "\\fB\\-%c\\fR, ", o->letter);
	buf_puts(b, "\\fB\\-\\-");
	add_text(b, o->name);
	buf_puts(b, "\\fR");
	if (o->argument) {
		buf_puts(b, " \\fI");
		add_text(b, o->argument);
		buf_puts(b, "\\fR");
	}
	buf_putc(b, '\n');
	add_paragraph(b, o->help);
}

static void add_command(struct buf *b, const struct command_row *row)
{
	const struct command *c = row->command;
	_cleanup_buf_ struct buf synopsis = {0};

	help_synopsis(&synopsis, row);
	buf_puts(b, ".SS \"");
	add_text(b, synopsis.p);
	buf_puts(b, "\"\n");
	add_paragraph(b, c->about);
	for (const struct option_desc *o = c->syntax.options; o && o->name; o++)
		add_option(b, o);
	if (c->examples)
		buf_puts(b, ".PP\n\\fIExamples:\\fR\n");
	for (const struct example *e = c->examples; e && e->line; e++) {
		buf_puts(b, ".TP\n\\fB");
		add_text(b, e->line);
		buf_puts(b, "\\fR\n");
		add_paragraph(b, e->what);
	}
}

static void add_synopsis(struct buf *b)
{
	const struct command_row *row;

	buf_puts(b, ".SH SYNOPSIS\n.nf\n");
	for (size_t i = 0; (row = command_at(i)); i++) {
		_cleanup_buf_ struct buf line = {0};

		if (row->is_hidden)
			continue;
		help_synopsis(&line, row);
		add_text(b, line.p);
		buf_putc(b, '\n');
	}
	buf_puts(b, ".fi\n");
}

static void add_events(struct buf *b)
{
	const struct event_desc *e;

	buf_puts(b, ".SH EVENTS\n");
	add_paragraph(b, "Those marked with * are not shown unless --events asks for them.");
	for (enum event_group g = GROUP_PROCESS; g <= GROUP_META; g++) {
		buf_printf(b, ".SS \"Group %s\"\n", event_group_name(g));
		for (unsigned int kind = 1; (e = event_get(kind)); kind++) {
			if (e->group != g)
				continue;
			buf_printf(b, ".TP 14\n\\fB%s\\fR%s\n", e->name,
				   e->view == VIEW_SHOWN ? "" : " *");
			add_paragraph(b, e->help);
		}
	}
}

static void add_page(struct buf *b)
{
	const struct command_row *row;

	buf_printf(b, ".\\\" made by `skep man`\n.TH SKEP 1 \"\" \"skep %s\" \"User Commands\"\n",
		   version_text);
	buf_puts(b, ".SH NAME\nskep \\- show what happens on a Linux machine, through eBPF\n");
	add_synopsis(b);
	buf_puts(b, ".SH DESCRIPTION\n");
	add_paragraph(b,
		      "skep asks the kernel what processes, files and connections do, and says of "
		      "each event which process, user and container it belongs to. Questions go "
		      "down into the kernel as eBPF programs; only answers come up.");
	buf_puts(b, ".SH COMMANDS\n");
	for (size_t i = 0; (row = command_at(i)); i++)
		add_command(b, row);
	add_events(b);
	buf_puts(b, ".SH EXIT STATUS\nWith a command after \\-\\-, skep watch ends with the status "
		    "of that command. Else:\n");
	for (size_t i = 0; i < ELEMENTS(statuses); i++) {
		buf_printf(b, ".TP\n\\fB%d\\fR\n", statuses[i].status);
		add_paragraph(b, statuses[i].help);
	}
	buf_puts(b, ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\n");
	add_paragraph(b, "If it is set, nothing is coloured unless --color always is given.");
	buf_puts(b, ".SH SEE ALSO\n.BR strace (1),\n.BR capabilities (7),\n.BR bpf (2)\n");
}

static int run(const void *options, char **operands)
{
	_cleanup_buf_ struct buf b = {0};

	(void)options;
	(void)operands;
	add_page(&b);
	fputs(b.p, stdout);
	return 0;
}

static const struct example examples[] = {
	{"skep man | man -l -", "read it"},
	{"skep man > /usr/share/man/man1/skep.1", "install it"},
	{NULL, NULL},
};

const struct command command_man = {
	.about = "Print the manual page skep(1) in troff.",
	.syntax = {.operands = OPERANDS_NONE},
	.examples = examples,
	.run = run,
};
