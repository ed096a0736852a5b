/* SPDX-License-Identifier: Apache-2.0 */
/* A glob over thread names, as the automaton that the kernel programs run. */
#pragma once

#include "catalog/wire/scope.h"

#include <stdbool.h>
#include <stdint.h>

enum { GLOB_NAME_MAX = 15 }; /* bytes of a thread's name, TASK_COMM_LEN without the NUL */

/*
 * `*`, `?` and `[a-z]`, `[!a-z]` as in the shell; a backslash takes the next byte as
 * it is.  -E2BIG: more than 31 tokens, which are all but `*`.  The bit `last` has the
 * number of tokens: with more than GLOB_NAME_MAX no name matches.
 */
int glob_compile(const char *pattern, struct scope_glob *ret);

/* What the kernel programs compute, for tests. */
bool glob_matches(const struct scope_glob *g, const char *name);
