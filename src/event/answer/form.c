/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to write the same values.
 *
 * Text is for people and for scripts that cut it apart: both know bpftrace's signs, so
 * they are kept to the blank.  JSON is one object a line; numbers that a double cannot
 * hold are strings, as bpftrace has it.
 *
 * bpftrace writes bytes above 127 of a JSON string as \uffffffNN, which means something
 * else; here UTF-8 stays what it is, and what is no UTF-8 becomes U+FFFD.
 */
#include "event/answer/answer-internal.h"
#include "event/escape.h"
#include "event/redact.h"

#include <stdio.h>

void put_hex_bytes(struct buf *to, struct bytes b, bool ascii, bool escape)
{
	for (size_t i = 0; i < b.n; i++) {
		if (ascii && b.p[i] >= 32 && b.p[i] <= 126)
			buf_putc(to, (char)b.p[i]);
		else if (escape)
			buf_printf(to, "\\x%02x", b.p[i]);
		else
			buf_printf(to, i + 1 == b.n ? "%02x" : "%02x ", b.p[i]);
	}
}

static bool is_plain(char c)
{
	return (c >= 32 && c < 127) || c == '\n' || c == '\t';
}

void put_tame(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t from = i;

		while (i < s.n && is_plain(s.p[i]))
			i++;
		buf_add(to, s.p + from, i - from);
		from = i;
		while (i < s.n && !is_plain(s.p[i]) && s.p[i] != REDACT_BYTE)
			i++;
		escape_text(to, (struct str){s.p + from, i - from});
		for (; i < s.n && s.p[i] == REDACT_BYTE; i++)
			buf_printf(to, "\\x%02x", REDACT_BYTE);
	}
}

/* escape_json() has a meaning of its own for REDACT_BYTE, which is a plain byte here. */
void put_json_text(struct buf *to, struct str s)
{
	size_t from = 0;

	buf_putc(to, '"');
	for (size_t i = 0; i <= s.n; i++) {
		size_t at = to->n;

		if (i < s.n && s.p[i] != REDACT_BYTE)
			continue;
		escape_json(to, (struct str){s.p + from, i - from});
		memmove(to->p + at, to->p + at + 1, to->n - at - 2); /* its quotes */
		to->n -= 2;
		if (i < s.n)
			buf_printf(to, "\\u%04x", REDACT_BYTE);
		from = i + 1;
	}
	buf_putc(to, '"');
}

/* --- text */

static void text_text(const struct answer *a, struct buf *to, struct str s)
{
	if (a->is_terminal)
		put_tame(to, s);
	else
		buf_put_str(to, s);
}

static void text_int(struct buf *to, uint64_t v, bool is_signed)
{
	if (is_signed)
		buf_put_s64(to, (int64_t)v);
	else
		buf_put_u64(to, v);
}

static void text_named(const struct answer *a, struct buf *to, struct str name, uint64_t v)
{
	(void)v;
	text_text(a, to, name);
}

static void text_bytes(struct buf *to, struct bytes b)
{
	put_hex_bytes(to, b, true, true);
}

const struct value_form form_text = {
	.lists =
		{
			[FORM_ARRAY] = {"[", ",", "]", "[]"},
			[FORM_TUPLE] = {"(", ", ", ")", "()"},
			[FORM_RECORD] = {"{ ", ", ", " }", "{}"},
		},
	.name_open = ".",
	.name_close = " = ",
	.put_text = text_text,
	.put_int = text_int,
	.put_named = text_named,
	.put_bytes = text_bytes,
};

/* --- JSON */

static void json_text(const struct answer *a, struct buf *to, struct str s)
{
	(void)a;
	put_json_text(to, s);
}

/* Does a double hold it? */
static bool is_exact(uint64_t v, bool is_signed)
{
	uint64_t magnitude = is_signed && (int64_t)v < 0 ? 0 - v : v;

	while (magnitude && !(magnitude & 1))
		magnitude >>= 1;
	return magnitude <= 1ull << 53;
}

static void json_int(struct buf *to, uint64_t v, bool is_signed)
{
	bool exact = is_exact(v, is_signed);

	if (!exact)
		buf_putc(to, '"');
	text_int(to, v, is_signed);
	if (!exact)
		buf_putc(to, '"');
}

static void json_named(const struct answer *a, struct buf *to, struct str name, uint64_t v)
{
	(void)a;
	(void)name;
	json_int(to, v, false);
}

/* As signed chars: what consumers of bpftrace's JSON know. */
static void json_bytes(struct buf *to, struct bytes b)
{
	buf_putc(to, '[');
	for (size_t i = 0; i < b.n; i++)
		buf_printf(to, i ? ",%d" : "%d", (int8_t)b.p[i]);
	buf_putc(to, ']');
}

const struct value_form form_json = {
	.lists =
		{
			[FORM_ARRAY] = {"[", ",", "]", "[]"},
			[FORM_TUPLE] = {"[", ",", "]", "[]"},
			[FORM_RECORD] = {"{", ", ", "}", "{}"},
		},
	.name_open = "\"",
	.name_close = "\": ",
	.put_text = json_text,
	.put_int = json_int,
	.put_named = json_named,
	.put_bytes = json_bytes,
};

const struct value_form *answer_form(const struct answer *a)
{
	return a->o.format == ANSWER_JSON ? &form_json : &form_text;
}
