/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --append-output: what is said behind each alert, with fields of the event.
 *
 * It is parsed as the output of a rule, by a rule file that is made for it: so it takes what
 * outputs take, and its mistakes are told as theirs.
 */
#include "agent/rules-run-internal.h"

#include "base/log.h"
#include "compile/lang/falco/falco.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put_quoted(struct buf *to, const char *text)
{
	buf_putc(to, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_putc(to, '\'');
		buf_putc(to, *text == '\n' ? ' ' : *text);
	}
	buf_putc(to, '\'');
}

int rules_append_load(const struct rules_options *o, enum colour colour, struct rules_append **ret)
{
	static const struct falco_options options = {.least = RULE_DEBUG};
	struct falco_file file = {.name = "--append-output"};
	struct falco_result result = {0};
	struct rules_append *a;
	struct buf text = {0};

	if (!o->append)
		return 0;
	a = xalloc(sizeof(*a));
	ruleset_init(&a->rs);
	buf_puts(&text, "- rule: append\n  desc: what is said behind each alert\n"
			"  condition: evt.type = execve\n  priority: DEBUG\n  output: ");
	put_quoted(&text, o->append);
	buf_putc(&text, '\n');
	file.text = buf_str(&text);
	if (!falco_load(&a->rs, &file, 1, &options, &result) || !a->rs.rules.n) {
		buf_reset(&text);
		diags_print(&a->rs.diags, colour == COLOUR_ALWAYS, &text);
		fwrite(text.p ? text.p : "", 1, text.n, stderr);
		buf_done(&text);
		rules_append_free(a);
		return EXIT_USAGE;
	}
	buf_done(&text);
	a->outputs[0] = &a->rs.rules.p[0]->output;
	*ret = a;
	return 0;
}

void rules_append_free(struct rules_append *a)
{
	if (!a)
		return;
	ruleset_done(&a->rs);
	free(a);
}
