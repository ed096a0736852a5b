/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not passed around as all other state is: who prints does not know who asked for -v. */
static enum log_level log_level = LOG_NOTE;

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_enabled(enum log_level level)
{
	return level <= log_level;
}

bool log_can_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(fd) && !(no && *no) && !(terminal && !strcmp(terminal, "dumb"));
}

_printf_(4, 0) static void say(const char *word, const char *colour, int r, const char *format,
			       va_list args)
{
	bool c = log_can_colour(STDERR_FILENO);

	fprintf(stderr, "skep: %s%s%s", c ? colour : "", word, c ? "\033[0m" : "");
	vfprintf(stderr, format, args);
	if (r < 0)
		fprintf(stderr, ": %s", strerror(-r));
	fputc('\n', stderr);
}

#define SAY(level, word, colour, r)                 \
	do {                                        \
		va_list args;                       \
		if (!log_enabled(level))            \
			break;                      \
		va_start(args, format);             \
		say(word, colour, r, format, args); \
		va_end(args);                       \
	} while (0)

int log_error(int r, const char *format, ...)
{
	SAY(LOG_ERROR, "error: ", "\033[1;31m", r);
	return r;
}

void log_hint(const char *format, ...)
{
	SAY(LOG_ERROR, "  ", "", 0);
}

void log_warning(const char *format, ...)
{
	SAY(LOG_WARNING, "warning: ", "\033[1;33m", 0);
}

void log_note(const char *format, ...)
{
	SAY(LOG_NOTE, "", "", 0);
}

void log_debug(const char *format, ...)
{
	SAY(LOG_DEBUG, "debug: ", "\033[2m", 0);
}
