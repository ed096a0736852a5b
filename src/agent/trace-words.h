/* SPDX-License-Identifier: Apache-2.0 */
/* A command line cut into words, and a script's parameters told apart. */
#pragma once

#include "agent/trace.h"
#include "base/str.h"
#include "compile/lang/bpftrace/expand.h"

/* All zero: no words. */
struct trace_words {
	char **p; /* NULL at the end; into `text` */
	size_t n;
	void *text, *named, *directory; /* owned, as `p` is */
};

/*
 * Blanks part words; '…' and "…" hold them together, a backslash takes what is special
 * from the next character.  Nothing is expanded.  -EINVAL: a quote is not closed, or there
 * is no word.
 */
int trace_words_split(struct trace_words *w, const char *line);
/*
 * The parameters of `o` for the compiler: "--name" and "--name=value" are named ones, a
 * "--" itself is none, the others are $1, $2 ….  *ret borrows from `w` and `o`.
 */
void trace_words_params(struct trace_words *w, const struct trace_options *o,
			struct script_params *ret);
void trace_words_done(struct trace_words *w);
