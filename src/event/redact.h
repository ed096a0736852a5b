/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in arguments and texts, overwritten before anybody else sees them.
 *
 * The mask is one byte that text never holds, repeated, so that nothing moves:
 * offsets and lengths stay true.  event/escape.h shows a run of it as three dots.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDACT_BYTE = 0x1a }; /* ASCII SUB: "substitute" */

/*
 * Mask the secrets in a process's arguments, NUL after each, as in
 * /proc/PID/cmdline; the last NUL is missing if the block was cut.  Returns how many
 * values were masked now; a second call masks nothing and returns 0.
 */
size_t redact_args(char *args, size_t n);

/* The same for one text: a URL, a header, a line of shell.  True: something was masked. */
bool redact_text(char *s, size_t n);
