/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that goes all at once.
 *
 * A compilation makes thousands of small objects (nodes, types, instructions) that
 * point at each other and die together.  They come from an arena: no object is freed
 * alone, arena_done() frees them all.  All zero is an empty arena.
 */
#pragma once

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned, the newest first */
	char *p, *end;		    /* what is left of the newest */
	size_t used;		    /* bytes handed out, ever */
};

/* Zeroed, aligned to 16.  Never NULL. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_copy(struct arena *a, const void *p, size_t n);
char *arena_strndup(struct arena *a, const char *s, size_t n); /* with a NUL */
static inline char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}
char *arena_printf(struct arena *a, const char *format, ...) _printf_(2, 3);
/* All of `from` lives as long as `to` from now on; `from` is empty. */
void arena_join(struct arena *to, struct arena *from);
/* Frees all; the arena is empty and usable again. */
void arena_done(struct arena *a);
/* The same, for one that is filled again and again: it keeps a block of about that size. */
void arena_reset(struct arena *a);

#define arena_new(a, T)	     ((T *)arena_alloc(a, sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc(a, sizeof(T) * (size_t)(n)))

/*
 * An array in an arena that grows: struct { T *p; size_t n, room; }.  Growing moves it;
 * the old place stays valid until the arena goes, with the old contents.
 */
#define ARRAY(T)                \
	struct {                \
		T *p;           \
		size_t n, room; \
	}

void *array_grow(struct arena *a, void *p, size_t n, size_t *room, size_t size);

/* Room for so many, where there is no array yet: it is known about how long it becomes. */
#define array_reserve(a, v, m)                                        \
	({                                                            \
		(v)->room = (m);                                      \
		(v)->p = arena_alloc(a, (v)->room * sizeof(*(v)->p)); \
	})

#define array_push(a, v, x)                                                                  \
	({                                                                                   \
		if ((v)->n == (v)->room)                                                     \
			(v)->p = array_grow(a, (v)->p, (v)->n, &(v)->room, sizeof(*(v)->p)); \
		(v)->p[(v)->n] = (x);                                                        \
		&(v)->p[(v)->n++];                                                           \
	})
