/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One description of a form, for both directions.
 *
 * A function that names the members of a struct in order both writes and reads it: with a
 * form that writes, each call appends the member, with one that reads, the same call fills
 * it.  So the two cannot differ.  Numbers are of variable length (seven bits a byte, the
 * lowest first), text is its length and its bytes.  What is read is foreign: after the
 * first mistake a form gives zeros, and form.wrong says what it was.
 *
 * For question-save.c and question-form.c only.
 */
#pragma once

#include "catalog/question.h"

struct form {
	bool is_reading;
	struct buf *to;		      /* written: appended */
	const unsigned char *p, *end; /* read: what is left */
	struct arena *arena;	      /* where it goes, and the list of types */
	const char *wrong;	      /* NULL: nothing */
	unsigned int depth;	      /* of the type that is being read */
	/* types, each once: by number from 1; written: a number for each object */
	ARRAY(const struct type *) types;
	ARRAY(bool) types_are_stubs;
};

void form_wrong(struct form *f, const char *what);
uint64_t form_number(struct form *f, uint64_t v); /* returns what is written or read */
void form_string(struct form *f, const char **s); /* NULL stays NULL */
void form_bytes(struct form *f, const void **p, size_t *n);
/* How many elements follow; never more than there are bytes. */
size_t form_count(struct form *f, size_t n);
/* A type, NULL too; `is_stub`: without what it holds, as pointers need it. */
void form_type(struct form *f, const struct type **t, bool is_stub);

/* A member that is a number without a sign, a bool or an enum; `limit` is the first value
 * that is none. */
#define NUMBER(f, x) FORM_NUMBER_(f, x, (uint64_t)(x), (typeof(x))v_)
#define BELOW(f, x, limit)                         \
	do {                                       \
		NUMBER(f, x);                      \
		if ((uint64_t)(x) >= (limit)) {    \
			form_wrong(f, "a number"); \
			(x) = (typeof(x))0;        \
		}                                  \
	} while (0)
#define FLAG(f, x) NUMBER(f, x)
/* One with a sign: small ones stay short. */
#define SIGNED(f, x)                                                                       \
	FORM_NUMBER_(f, x, ((uint64_t)(int64_t)(x) << 1) ^ (uint64_t)((int64_t)(x) >> 63), \
		     (typeof(x))(int64_t)(v_ >> 1 ^ -(v_ & 1)))
#define FORM_NUMBER_(f, x, to, from)                                   \
	do {                                                           \
		uint64_t in_ = (to), v_ = form_number(f, in_), again_; \
		typeof(x) out_ = (from);                               \
		typeof(x) old_ = (x);                                  \
		(x) = out_;                                            \
		again_ = (to);                                         \
		if (again_ != v_) { /* does not fit */                 \
			form_wrong(f, "a number");                     \
			(x) = old_;                                    \
		}                                                      \
	} while (0)
/* A whole list: `walk` describes one element. */
#define LIST(f, list, walk)                                         \
	do {                                                        \
		size_t n_ = form_count(f, (list)->n);               \
		if ((f)->is_reading)                                \
			(list)->n = 0;                              \
		for (size_t i_ = 0; i_ < n_ && !(f)->wrong; i_++) { \
			typeof(*(list)->p) one_ = {0};              \
			if (!(f)->is_reading)                       \
				one_ = (list)->p[i_];               \
			walk(f, &one_);                             \
			if ((f)->is_reading)                        \
				array_push((f)->arena, list, one_); \
		}                                                   \
	} while (0)
/* The same for a plain pointer to T and its count. */
#define ROWS(f, T, rows, n_rows, walk)                                 \
	do {                                                           \
		ARRAY(T) rows_ = {0};                                  \
		rows_.p = (T *)(uintptr_t)(rows);                      \
		rows_.n = rows_.room = (f)->is_reading ? 0 : (n_rows); \
		LIST(f, &rows_, walk);                                 \
		(rows) = rows_.p;                                      \
		(n_rows) = (uint32_t)rows_.n;                          \
	} while (0)
