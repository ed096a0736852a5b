/* SPDX-License-Identifier: Apache-2.0 */
/* `skep rules fields` and `skep rules events`: what rules can ask for. */
#pragma once

#include <stdbool.h>

/*
 * Print on standard output those whose name fits `pattern`: a glob, or a piece of the name;
 * NULL: all.  0, or 1 if none does.
 */
int rules_fields(bool json, const char *pattern);
int rules_events(bool json, const char *pattern);
