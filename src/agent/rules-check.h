/* SPDX-License-Identifier: Apache-2.0 */
/* `skep rules check` and `skep rules list`: rule files, looked at and not run. */
#pragma once

#include "agent/watch.h"

struct rules_check_options {
	bool json, verbose, quiet;
	enum colour colour;
	const char *const *tags; /* list: only rules that bear one of these; NULL: all */
	const char *least;	 /* list: lowest priority, a word; NULL: all */
};

/*
 * Load the files (NULL at the end) as one set, in order, and say what is wrong with each.
 * JSON is Falco's result.  Returns the exit status: 0 if there is no error.
 */
int rules_check(const struct rules_check_options *o, char **files);

/* The rules of these files, or skep's own if there are none, a line each; JSON: one object. */
int rules_list(const struct rules_check_options *o, char **files);
