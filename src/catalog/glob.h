/* SPDX-License-Identifier: Apache-2.0 */
/* A glob over thread names, as the automaton that the kernel programs run. */
#pragma once

#include "catalog/wire/scope.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * `*`, `?` and `[a-z]`, `[!a-z]` as in the shell; a backslash takes the next byte as
 * it is.  -E2BIG: more than 31 tokens; thread names have 15 bytes.
 */
int glob_compile(const char *pattern, struct scope_glob *ret);

/* What the kernel programs compute, for tests. */
bool glob_matches(const struct scope_glob *g, const char *name);
