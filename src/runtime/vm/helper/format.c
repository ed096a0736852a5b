/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of trace_printk, snprintf and the like.
 *
 * The kernel first checks the whole format and copies what arguments point to, then prints
 * (bpf_bprintf_prepare() and bstr_printf()); a wrong format prints nothing.  So two passes: the
 * first one makes a piece of each conversion, the second writes.
 *
 *	%[0 +-][width](d i u x X)   with l or ll
 *	%c %s %pks %pus	    a character, texts of kernel and user memory
 *	%p %px %pK %ps %pS %pB	    addresses; there are no symbols
 *	%pI4 %pi4 %pI6 %pi6	    addresses of the network, from memory
 */
#include "runtime/vm/helper/format.h"

#include "runtime/vm/helper/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COPIES = 512, WIDTH_MAX = (1 << 23) - 1 };

enum kind { NUMBER, CHAR, TEXT, ADDRESS, SYMBOL, COPIED };

struct piece {
	enum kind kind;
	size_t at, end; /* in the format: from its % to behind it */
	char spec[24];	/* NUMBER, ADDRESS: for printf() */
	int width;	/* negative: to the left */
	uint64_t value;
	const char *text; /* TEXT, COPIED: in the copies */
};

struct formatter {
	const char *format;
	size_t i; /* where the first pass is */
	struct piece pieces[FORMAT_ARGS];
	unsigned int n;
	char copies[COPIES];
	size_t used;
};

/* What a byte is, as the kernel sees it: in Latin-1. */
static bool is_word(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x80 ? isalnum(u) : u >= 0xc0 && u != 0xd7 && u != 0xf7;
}

static bool ends_word(char c)
{
	unsigned char u = (unsigned char)c;

	return !c || (u < 0x80 ? isspace(u) || ispunct(u) : u >= 0xa0 && !is_word(c));
}

/* Flags and width: "-05". */
static void parse_width(struct formatter *f, char *flags, int *ret_width)
{
	const char *s = f->format;
	long width = 0;

	*flags = 0;
	while (s[f->i] && strchr("0+- ", s[f->i])) {
		if (!strchr(flags, s[f->i]))
			strncat(flags, &s[f->i], 1);
		f->i++;
	}
	if (s[f->i] >= '1' && s[f->i] <= '9')
		while (s[f->i] >= '0' && s[f->i] <= '9') {
			width = width * 10 + (s[f->i++] - '0');
			width = width > WIDTH_MAX ? WIDTH_MAX : width;
		}
	*ret_width = strchr(flags, '-') ? -(int)width : (int)width;
}

/* Account for an argument as the kernel keeps it. */
static int keep(struct formatter *f, size_t n, size_t align)
{
	size_t at = (f->used + align - 1) & ~(align - 1);

	if (at > COPIES || COPIES - at < n)
		return -ENOSPC;
	f->used = at + n;
	return 0;
}

static int copy_text(struct formatter *f, struct piece *p, char from, uint64_t arg)
{
	char *to = f->copies + f->used;
	int64_t n;

	if (f->used >= COPIES)
		return -ENOSPC;
	n = memory_read_str(from == 'u' ? memory_read_user : memory_read_own, to, arg,
			    COPIES - f->used);
	if (n < 0 && from == 's')
		n = memory_read_str(memory_read_user, to, arg, COPIES - f->used);
	if (n < 0) {
		*to = 0;
		n = 1;
	}
	p->text = to;
	f->used += (size_t)n;
	return 0;
}

/* "127.0.0.1" of 4 bytes, "0000:…:0001" of 16; with a small i: zeros in front, no colons. */
static int copy_address(struct formatter *f, struct piece *p, bool is_plain, bool is_v6,
			uint64_t arg)
{
	uint8_t b[16];
	char *to = f->copies + f->used;
	size_t room = COPIES - f->used, n = 0;

	if (COPIES - f->used < (is_v6 ? 16u : 4u))
		return -ENOSPC;
	if (memory_read_own(b, arg, is_v6 ? 16 : 4) < 0)
		memset(b, 0, sizeof(b));
	p->text = to;
	if (!is_v6)
		n = (size_t)snprintf(to, room, is_plain ? "%03u.%03u.%03u.%03u" : "%u.%u.%u.%u",
				     b[0], b[1], b[2], b[3]);
	for (unsigned int i = 0; is_v6 && i < 16 && n < room; i += 2)
		n += (size_t)snprintf(to + n, room - n, "%s%02x%02x", i && !is_plain ? ":" : "",
				      b[i], b[i + 1]);
	f->used += n + 1 < room ? n + 1 : room;
	return 0;
}

/* Behind "%p". */
static int parse_pointer(struct formatter *f, struct piece *p, uint64_t arg)
{
	const char *s = f->format + f->i; /* at the p */
	int r;

	p->kind = ADDRESS;
	p->value = arg;
	if (ends_word(s[1]))
		return keep(f, 8, 4);
	if ((s[1] == 'k' || s[1] == 'u') && s[2] == 's') {
		f->i += 2;
		p->kind = COPIED;
		return ends_word(s[3]) ? copy_text(f, p, s[1], arg) : -EINVAL;
	}
	if (strchr("KxsSB", s[1])) {
		f->i++;
		p->kind = strchr("Kx", s[1]) ? ADDRESS : SYMBOL;
		r = keep(f, 8, 4);
	} else if ((s[1] == 'i' || s[1] == 'I') && (s[2] == '4' || s[2] == '6')) {
		f->i += 2;
		p->kind = COPIED;
		return copy_address(f, p, s[1] == 'i', s[2] == '6', arg);
	} else {
		return -EINVAL;
	}
	return r;
}

static int parse_number(struct formatter *f, struct piece *p, const char *flags, uint64_t arg)
{
	const char *s = f->format;
	unsigned int longs = 0;

	while (longs < 2 && s[f->i] == 'l') {
		longs++;
		f->i++;
	}
	if (!s[f->i] || !strchr("diuxX", s[f->i]))
		return -EINVAL;
	p->kind = NUMBER;
	p->value = arg;
	if (!longs)
		p->value = strchr("di", s[f->i]) ? (uint64_t)(int32_t)arg : (uint32_t)arg;
	snprintf(p->spec, sizeof(p->spec), "%%%s*ll%c", flags, s[f->i]);
	return keep(f, longs ? 8 : 4, 4);
}

/* One conversion; f->i is behind its %. */
static int parse_piece(struct formatter *f, uint64_t arg)
{
	struct piece *p = &f->pieces[f->n++];
	const char *s = f->format;
	char flags[8];
	int r = 0;

	*p = (struct piece){.at = f->i - 1};
	if ((unsigned char)s[f->i] >= 0x80)
		return -EINVAL;
	parse_width(f, flags, &p->width);
	if (s[f->i] == 'p') {
		r = parse_pointer(f, p, arg);
	} else if (s[f->i] == 's') {
		p->kind = TEXT;
		r = ends_word(s[f->i + 1]) ? copy_text(f, p, 's', arg) : -EINVAL;
	} else if (s[f->i] == 'c') {
		p->kind = CHAR;
		p->value = arg;
		r = keep(f, 1, 1);
	} else {
		r = parse_number(f, p, flags, arg);
	}
	p->end = f->i + 1;
	/* whatever else looks like a modifier of a pointer is eaten, too */
	if (p->kind >= ADDRESS)
		while (is_word(s[p->end]))
			p->end++;
	return r;
}

static int prepare(struct formatter *f, const uint64_t *args, unsigned int n_args)
{
	int r;

	for (f->i = 0; f->format[f->i]; f->i++) {
		unsigned char c = (unsigned char)f->format[f->i];

		if (c < 0x80 && !isprint(c) && !isspace(c))
			return -EINVAL;
		if (c != '%')
			continue;
		f->i++;
		if (f->format[f->i] == '%')
			continue;
		if (f->n == n_args)
			return -EINVAL;
		r = parse_piece(f, args[f->n]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the second pass */

struct out {
	char *to;
	size_t room, n;
};

static void put(struct out *o, const char *p, size_t n)
{
	if (o->n < o->room)
		memcpy(o->to + o->n, p, n < o->room - o->n ? n : o->room - o->n);
	o->n += n;
}

static void pad(struct out *o, int64_t n)
{
	if (n > 0 && o->n < o->room)
		memset(o->to + o->n, ' ', (size_t)n < o->room - o->n ? (size_t)n : o->room - o->n);
	o->n += n > 0 ? (size_t)n : 0;
}

static void put_wide(struct out *o, const char *p, size_t n, int width)
{
	pad(o, width - (int64_t)n);
	put(o, p, n);
	pad(o, -(int64_t)width - (int64_t)n);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_piece(struct out *o, const struct piece *p)
{
	char text[32], c = (char)p->value;
	size_t left = o->n < o->room ? o->room - o->n : 0;

	switch (p->kind) {
	case NUMBER: /* the spec is of parse_number()'s making */
		o->n += (size_t)snprintf(left ? o->to + o->n : NULL, left, p->spec,
					 p->width < 0 ? -p->width : p->width,
					 (unsigned long long)p->value);
		break;
	case CHAR:
		put_wide(o, &c, 1, p->width);
		break;
	case TEXT:
		put_wide(o, p->text, strlen(p->text), p->width);
		break;
	case ADDRESS:
		snprintf(text, sizeof(text), p->width ? "%llx" : "%016llx",
			 (unsigned long long)p->value);
		put_wide(o, text, strlen(text), p->width);
		break;
	case SYMBOL:
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)p->value);
		put_wide(o, text, strlen(text), p->width);
		break;
	case COPIED:
		put(o, p->text, strlen(p->text));
		break;
	}
}
#pragma GCC diagnostic pop

int printk_text(char *to, size_t room, const char *format, size_t n, const uint64_t *args,
		unsigned int n_args)
{
	struct formatter f = {.format = format};
	struct out o = {.to = to, .room = room};
	unsigned int next = 0;
	int r;

	if (!memchr(format, 0, n))
		return -EINVAL;
	r = prepare(&f, args, n_args < FORMAT_ARGS ? n_args : FORMAT_ARGS);
	if (r < 0)
		return r;
	for (size_t i = 0; format[i];) {
		if (next < f.n && i == f.pieces[next].at) {
			put_piece(&o, &f.pieces[next]);
			i = f.pieces[next++].end;
			continue;
		}
		put(&o, format + i, 1);
		i += format[i] == '%' ? 2 : 1; /* %% */
	}
	if (room)
		to[o.n < room ? o.n : room - 1] = 0;
	return (int)o.n;
}
