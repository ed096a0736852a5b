/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is borrowed, and text that grows. */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes, without a NUL at the end.  {NULL, 0} is "none". */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

static inline struct str str_of(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static inline bool str_starts(struct str s, struct str with)
{
	return s.n >= with.n && !memcmp(s.p, with.p, with.n);
}

static inline bool str_ends(struct str s, struct str with)
{
	return s.n >= with.n && !memcmp(s.p + s.n - with.n, with.p, with.n);
}

static inline bool str_has(struct str s, struct str part)
{
	return !part.n || (s.n && memmem(s.p, s.n, part.p, part.n));
}

/*
 * Bytes that grow.  Always followed by a NUL, so `p` is a C string too once
 * anything was added.  buf_init is optional: all zero is an empty buffer.
 */
struct buf {
	char *p; /* owned */
	size_t n, room;
};

void buf_done(struct buf *b);  /* frees; the buffer is empty and usable again */
void buf_reset(struct buf *b); /* empties, keeps the memory */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_put_str(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *format, ...) _printf_(2, 3);
void buf_put_u64(struct buf *b, uint64_t v); /* decimal */
void buf_put_s64(struct buf *b, int64_t v);

static inline void buf_putc(struct buf *b, char c)
{
	if (b->n + 2 > b->room)
		buf_reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = 0;
}

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p ? b->p : "", b->n};
}

#define _cleanup_buf_ _cleanup_(buf_done)

/*
 * FNV-1a, 64 bits: for tables of names, and of what is written into files, so it stays as it
 * is.  Several pieces in a row: begin with HASH_BEGIN, hand on what came out.
 */
#define HASH_BEGIN 0xcbf29ce484222325ull
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);
uint64_t str_hash(struct str s);

/*
 * The entry of `names` (NULL at the end) that is nearest to what was typed, for
 * "did you mean"; NULL if none is near.
 */
const char *str_nearest(const char *typed, const char *const *names);
