/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/script.h"

#include "base/str.h"

#include <stdio.h>
#include <unistd.h>

void script_operands(struct trace_options *o, char **operands)
{
	const char *first = operands[0];

	if (o->text || o->file || !first) {
		o->params = operands;
		return;
	}
	o->params = operands + 1;
	/* no program's text is a file's name: it has braces */
	if (!strchr(first, '{') && (!strcmp(first, "-") || str_ends(str_of(first), STR(".bt")) ||
				    access(first, F_OK) == 0))
		o->file = first;
	else
		o->text = first;
}

bool script_is_given(const struct trace_options *o, const char *command)
{
	if (o->text || o->file)
		return true;
	fprintf(stderr,
		"skep: error: a program is expected: its text, or a file\n"
		"  skep help %s shows examples\n",
		command);
	return false;
}
