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

enum word { WORD_ERROR, WORD_HINT, WORD_WARNING, WORD_NOTE, WORD_DEBUG, WORDS };

static const struct style {
	const char *program; /* in front of each line */
	const char *words[WORDS];
} styles[] = {
	{"skep: ", {"error: ", "  ", "warning: ", "", "debug: "}},
	{"", {"ERROR: ", "HINT: ", "WARNING: ", "", ""}},
};
static const struct style *log_style = styles;

void log_set_bpftrace(void)
{
	log_style = styles + 1;
}

static const char *const colours[WORDS] = {"\033[1;31m", "", "\033[1;33m", "", "\033[2m"};

_printf_(3, 0) static void say(enum word word, int r, const char *format, va_list args)
{
	bool c = log_can_colour(STDERR_FILENO);

	fprintf(stderr, "%s%s%s%s", log_style->program, c ? colours[word] : "",
		log_style->words[word], c ? "\033[0m" : "");
	vfprintf(stderr, format, args);
	if (r < 0)
		fprintf(stderr, ": %s", strerror(-r));
	fputc('\n', stderr);
}

#define SAY(level, word, r)                 \
	do {                                \
		va_list args;               \
		if (!log_enabled(level))    \
			break;              \
		va_start(args, format);     \
		say(word, r, format, args); \
		va_end(args);               \
	} while (0)

int log_error(int r, const char *format, ...)
{
	SAY(LOG_ERROR, WORD_ERROR, r);
	return r;
}

void log_hint(const char *format, ...)
{
	SAY(LOG_ERROR, WORD_HINT, 0);
}

void log_warning(const char *format, ...)
{
	SAY(LOG_WARNING, WORD_WARNING, 0);
}

void log_note(const char *format, ...)
{
	SAY(LOG_NOTE, WORD_NOTE, 0);
}

void log_debug(const char *format, ...)
{
	SAY(LOG_DEBUG, WORD_DEBUG, 0);
}
