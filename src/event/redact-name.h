/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names are names of secrets, and the kinds of bytes that the search is made of.
 *
 * Private to redact*.c.
 */
#pragma once

#include "base/macro.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Kinds of bytes. */
enum {
	LOWER = 1 << 0,
	UPPER = 1 << 1,
	DIGIT = 1 << 2,
	UNDER = 1 << 3,
	DASH = 1 << 4,
	DOT = 1 << 5,
	BASE64 = 1 << 6,
	SPACE = 1 << 7,
	QUOTE = 1 << 8,
	OPERATOR = 1 << 9, /* ends a word of shell */
	TILDE = 1 << 10,
	ALPHA = LOWER | UPPER,
	ALNUM = LOWER | UPPER | DIGIT,
	IN_NAME = ALNUM | UNDER | DASH | DOT,
};

extern const uint16_t redact_kinds[256];

static inline unsigned int is(char c, unsigned int kind)
{
	return redact_kinds[(uint8_t)c] & kind;
}

static inline char lower(char c)
{
	return is(c, UPPER) ? c + ('a' - 'A') : c;
}

/* Bits of WORD and OPTION: see redact.def. */
enum {
	WHOLE = 1 << 0,
	FILE = 1 << 1,
	HEADER = 1 << 2,
	AUTH = 1 << 3,
	SOURCE = 1 << 4,
	QUERY = 1 << 5,
	NEXT = 1 << 6,
	GLUED = 1 << 7,
	LOGIN = 1 << 8,
	FLAG = 1 << 9,
	NAME = 1 << 10,
	ONCE = 1 << 11,
	HTTP = 1 << 12,
};

struct secret_word {
	struct str text;
	uint16_t bits; /* those of WORD */
};

/* Is this the name of a secret?  NULL: no. */
const struct secret_word *redact_name(const char *p, const char *end);

/* Is p..end one of the list? */
bool text_in(const struct str *list, size_t n, const char *p, const char *end);

static inline struct str str_between(const char *p, const char *end)
{
	return (struct str){p, end - p};
}

static inline bool text_is(struct str t, const char *p, const char *end)
{
	return str_eq(t, str_between(p, end));
}

/* The same, in any case; `t` is lower case. */
static inline bool text_is_folded(struct str t, const char *p, const char *end)
{
	if ((size_t)(end - p) != t.n)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (lower(p[i]) != t.p[i])
			return false;
	return true;
}

static inline bool text_starts(const char *p, const char *end, struct str t)
{
	return str_starts(str_between(p, end), t);
}
