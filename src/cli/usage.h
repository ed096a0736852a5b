/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a command line, shown on the line itself.
 *
 *   skep: error: there is no option --evnts
 *     skep watch --evnts file
 *                ^^^^^^^
 *   skep:   did you mean --events?
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>

struct usage_error {
	int argument;	 /* index in argv; argc: something is missing at the end */
	size_t begin, n; /* the bytes of that argument that are wrong */
	char what[192];	 /* what is wrong, what was expected */
	char hint[192];	 /* what would work; "" when there is nothing to say */
};

/* Fill in; longer texts are cut.  Without a hint so far.  Returns -EINVAL. */
int usage_error_set(struct usage_error *e, int argument, size_t begin, size_t n, const char *format,
		    ...) _printf_(5, 6);
void usage_error_hint(struct usage_error *e, const char *format, ...) _printf_(2, 3);

/*
 * Add the two lines: the command line as a shell would take it, and carets under the
 * bytes at fault.  A long line is cut on both sides to what is near them.
 */
void usage_render(struct buf *out, int argc, char **argv, const struct usage_error *e);

/* All of it on standard error.  Returns EXIT_USAGE. */
int usage_print(int argc, char **argv, const struct usage_error *e);
