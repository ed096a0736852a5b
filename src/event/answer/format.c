/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf's formats.
 *
 * The language's printf looks like C's and is not quite it; scripts depend on the
 * differences, which come from bpftrace's own way to print:
 *  - %d %u %x without l are 32 bits wide, whatever the value is;
 *  - zeros for padding (%04d) stand before the sign, and behind the number if it is to
 *    the left; a precision is read and ignored, so is a blank as a flag;
 *  - %s takes everything; a width pads the first piece of a tuple, not all of it;
 *  - %r %rx %rh print buf()'s bytes, %gr flags of the kernel's allocators.
 */
#include "event/answer/answer-internal.h"

#include <ctype.h>
#include <stdlib.h>

enum { WIDTH_MAX = 65536 };

struct spec {
	bool left, plus, alternate, zeros;
	unsigned int width;
	char length[3];	   /* "", "hh", "h", "l", "ll", "j", "z", "t" */
	char conversion;   /* 'r' for all of r, rx, rh; 'g' for gr */
	char raw;	   /* of 'r': 0, 'x', 'h' */
	const char *first; /* behind it */
};

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static unsigned int take_number(const char **p)
{
	unsigned int n = 0;

	if (take(p, '*'))
		return 0;
	for (; isdigit((unsigned char)**p); ++*p)
		n = n < WIDTH_MAX ? n * 10 + (unsigned int)(**p - '0') : n;
	return MIN(n, (unsigned int)WIDTH_MAX);
}

/* At a percent sign.  False: it is just one, a letter of the text. */
static bool spec_parse(const char *p, struct spec *ret)
{
	struct spec s = {};
	size_t n = 0;

	p++;
	s.left = take(&p, '-');
	s.plus = take(&p, '+');
	take(&p, ' ');
	s.alternate = take(&p, '#');
	s.zeros = take(&p, '0');
	s.width = take_number(&p);
	if (take(&p, '.'))
		take_number(&p);
	for (; *p && strchr("hlLjzt", *p); p++)
		if (n < sizeof(s.length) - 1)
			s.length[n++] = *p;
	if (!*p || !strchr("diouxXeEfFGaAcspn%gr", *p))
		return false;
	s.conversion = *p++;
	if (s.conversion == 'r' && (*p == 'x' || *p == 'h'))
		s.raw = *p++;
	else if (s.conversion == 'g')
		take(&p, 'r');
	s.first = p;
	*ret = s;
	return true;
}

/* A number cut to what its length says, extended again. */
static uint64_t cut(uint64_t v, const char *length, bool is_signed)
{
	if (!strcmp(length, "hh"))
		return is_signed ? (uint64_t)(int8_t)v : (uint8_t)v;
	if (!strcmp(length, "h"))
		return is_signed ? (uint64_t)(int16_t)v : (uint16_t)v;
	if (*length && *length != 'L')
		return v;
	return is_signed ? (uint64_t)(int32_t)v : (uint32_t)v;
}

static void put_char(const struct answer *a, char c, struct buf *to)
{
	if (a->is_terminal)
		put_tame(to, (struct str){&c, 1});
	else
		buf_putc(to, c);
}

static void put_number(const struct answer *a, const struct spec *s, uint64_t v, struct buf *to)
{
	switch (s->conversion) {
	case 'd':
	case 'i':
		v = cut(v, s->length, true);
		if (s->plus && (int64_t)v >= 0)
			buf_putc(to, '+');
		buf_put_s64(to, (int64_t)v);
		break;
	case 'u':
		buf_put_u64(to, cut(v, s->length, false));
		break;
	case 'o':
		buf_printf(to, s->alternate ? "%#llo" : "%llo",
			   (unsigned long long)cut(v, s->length, false));
		break;
	case 'x':
		buf_printf(to, s->alternate ? "%#llx" : "%llx",
			   (unsigned long long)cut(v, s->length, false));
		break;
	case 'X':
		buf_printf(to, s->alternate ? "%#llX" : "%llX",
			   (unsigned long long)cut(v, s->length, false));
		break;
	case 'p':
		buf_printf(to, v ? "0x%llx" : "0", (unsigned long long)v);
		break;
	case 'c':
		put_char(a, (char)v, to);
		break;
	}
}

/* How much of the text a width is for. */
static size_t first_piece(const struct type *t, size_t n)
{
	switch ((int)t->kind) {
	case TYPE_TUPLE:
	case TYPE_ARRAY:
		return 1;
	case TYPE_STRUCT:
	case TYPE_RECORD:
		return 2;
	}
	return n;
}

/* What stands from `at` on is widened; its first `piece` bytes count. */
static void pad(const struct spec *s, size_t at, size_t piece, struct buf *to)
{
	size_t n = s->width > piece ? s->width - piece : 0;
	size_t from = s->left ? at + piece : at;

	if (!n)
		return;
	buf_reserve(to, n);
	memmove(to->p + from + n, to->p + from, to->n - from);
	memset(to->p + from, s->zeros ? '0' : ' ', n);
	to->n += n;
	to->p[to->n] = 0;
}

static void put_one(struct answer *a, const struct spec *s, const struct type *t, struct bytes b,
		    struct buf *to)
{
	size_t at = to->n, n;

	if (s->conversion == 'r' && t->kind == TYPE_BUFFER && b.n >= 4) {
		n = bytes_uint(b, 4);
		put_hex_bytes(to, (struct bytes){b.p + 4, MIN(n, b.n - 4)}, !s->raw, s->raw != 'h');
	} else if (s->conversion == 'g') {
		gfp_text(value_number(t, b), to);
	} else if (strchr("diouxXpc", s->conversion) &&
		   (type_is_int(t) || t->kind == TYPE_POINTER || type_is_agg(t))) {
		put_number(a, s, type_is_agg(t) ? bytes_uint(b, 8) : value_number(t, b), to);
	} else {
		value_put(a, &form_text, t, b, 0, to);
	}
	n = to->n - at;
	if (s->width)
		pad(s, at, s->conversion == 's' ? MIN(first_piece(t, n), n) : n, to);
}

void format_text(struct answer *a, const char *format, const struct type *args, struct bytes b,
		 struct buf *to)
{
	unsigned int arg = 0;
	struct spec s;

	for (const char *p = format; *p;) {
		const char *percent = strchrnul(p, '%');

		buf_add(to, p, (size_t)(percent - p));
		p = percent;
		if (!*p)
			break;
		if (!spec_parse(p, &s)) {
			buf_putc(to, *p++);
			continue;
		}
		if (s.conversion == '%') {
			buf_putc(to, '%');
		} else {
			const struct type *t;
			struct bytes value = value_member(args, arg++, b, &t);

			put_one(a, &s, t, value, to);
		}
		p = s.first;
	}
}
