/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/macro.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * With the address sanitizer, there is a gap behind each object that nobody may touch:
 * otherwise an access beyond it would only meet its neighbour.
 */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc says it */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

struct arena_block {
	struct arena_block *next;
	size_t n;
	_Alignas(16) char bytes[];
};

/* Many arenas stay small; blocks grow with what is used. */
enum { BLOCK_MIN = 1024 - 32, BLOCK_MAX = 16384 };

static size_t aligned(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

/* Not zeroed: memory is touched when it is handed out, and the end of a block maybe never. */
static char *block_add(struct arena *a, size_t n)
{
	struct arena_block *b = xrealloc(NULL, sizeof(*b) + n);

	b->n = n;
	b->next = a->blocks;
	a->blocks = b;
	return b->bytes;
}

static char *take(struct arena *a, size_t n)
{
	char *p;

	if (n > (size_t)(a->end - a->p)) {
		size_t room = MIN(MAX(a->used, (size_t)BLOCK_MIN), (size_t)BLOCK_MAX);

		/* What is large gets a block of its own; the rest of the current one stays. */
		if (n > room / 4)
			return block_add(a, n);
		a->p = block_add(a, room);
		a->end = a->p + room;
	}
	p = a->p;
	a->p += n;
	return p;
}

/* The first `full` bytes are the caller's to fill, the rest is zero. */
static void *alloc_for(struct arena *a, size_t n, size_t full)
{
	size_t room = aligned(n ? n : 1);
	char *p = take(a, room + GAP);

	a->used += room;
	memset(p + full, 0, room - full);
	ASAN_POISON_MEMORY_REGION(p + n, room + GAP - n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return alloc_for(a, n, 0);
}

void *arena_copy(struct arena *a, const void *p, size_t n)
{
	void *to = alloc_for(a, n, n);

	if (n)
		memcpy(to, p, n);
	return to;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *to = alloc_for(a, n + 1, n);

	if (n)
		memcpy(to, s, n);
	return to;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	char small[256];
	va_list ap, again;
	char *to = NULL;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), format, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		to = arena_strndup(a, small, n);
	} else if (n >= 0) {
		to = arena_alloc(a, (size_t)n + 1);
		vsnprintf(to, (size_t)n + 1, format, again);
	}
	va_end(again);
	va_end(ap);
	return to ? to : arena_strndup(a, "", 0);
}

void arena_done(struct arena *a)
{
	struct arena_block *next;

	for (struct arena_block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){};
}

void arena_join(struct arena *to, struct arena *from)
{
	struct arena_block **last = &from->blocks;

	while (*last)
		last = &(*last)->next;
	*last = to->blocks;
	to->blocks = from->blocks;
	to->used += from->used;
	*from = (struct arena){};
}

/* What was handed out last grows where it is, if there is room behind it. */
static bool grow_last(struct arena *a, void *p, size_t old, size_t new)
{
	size_t more = aligned(new) - aligned(old);

	if (GAP || !p || (char *)p + aligned(old) != a->p || more > (size_t)(a->end - a->p))
		return false;
	memset(a->p, 0, more);
	a->p += more;
	a->used += more;
	return true;
}

enum { FIRST_BYTES = 256, FIRST_MIN = 2, FIRST_MAX = 8 };

void *array_grow(struct arena *a, void *p, size_t n, size_t *room, size_t size)
{
	size_t first = MIN(MAX(FIRST_BYTES / size, (size_t)FIRST_MIN), (size_t)FIRST_MAX);
	size_t more = *room ? *room * 2 : first;
	char *to;

	if (!grow_last(a, p, *room * size, more * size)) {
		to = alloc_for(a, more * size, n * size);
		if (n)
			memcpy(to, p, n * size);
		p = to;
	}
	*room = more;
	return p;
}

/*
 * What was in several blocks will be in one next time.  With the address sanitizer memory
 * is not used again, so that who still points there is found.
 */
void arena_reset(struct arena *a)
{
	struct arena_block *b = a->blocks;
	size_t used = a->used;

	if (!used)
		return;
	if (GAP || b->next) {
		arena_done(a);
		if (GAP)
			return;
		a->p = block_add(a, aligned(MAX(used + used / 4, (size_t)BLOCK_MIN)));
		a->end = a->p + a->blocks->n;
		return;
	}
	a->p = b->bytes;
	a->end = a->p + b->n;
	a->used = 0;
}
