/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the person at the terminal, on standard error.
 *
 * Only agent/ and cli/ call this; libraries return -errno.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>

enum log_level { LOG_QUIET, LOG_ERROR, LOG_WARNING, LOG_NOTE, LOG_DEBUG };

void log_set_level(enum log_level level);
/* Messages as bpftrace words them: "ERROR: …", "WARNING: …", "HINT: …". */
void log_set_bpftrace(void);
bool log_enabled(enum log_level level);

/* "skep: error: <message>: <strerror(-r)>"; r may be 0.  Returns r. */
int log_error(int r, const char *format, ...) _printf_(2, 3);
void log_warning(const char *format, ...) _printf_(1, 2);
void log_note(const char *format, ...) _printf_(1, 2);
void log_debug(const char *format, ...) _printf_(1, 2);

/* A second line under an error: what would work. */
void log_hint(const char *format, ...) _printf_(1, 2);

/*
 * Does what is written there get colours?  To a terminal (TERM is not "dumb"), unless
 * NO_COLOR is set and not empty (https://no-color.org).
 */
bool log_can_colour(int fd);
