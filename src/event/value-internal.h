/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a value is written: one function a row of catalog/types.def.
 *
 * A type belongs to the file of its subject:
 *
 *	value-plain.c	 numbers and texts that could stand in any event; times and sizes
 *	value-process.c	 programs, how they end, who runs them
 *	value-file.c	 paths, and what is known of an inode
 *	value-net.c	 addresses, protocols, sockets, descriptors
 *	value-call.c	 system calls: what was asked, of whom, what came of it
 *
 * A writer gets a struct value: where the number stands that its field names, the record around
 * it, and where to put the text.  It appends and returns true, or leaves the text alone and
 * returns false: this event has no such value.  Whether a number of 0 is a value or means "not
 * set" is what makes two types of one number (U64, INODE).
 *
 * Two readers want different things of the same value.  JSON is for programs: complete, exact,
 * numbers in their smallest unit, names quoted, lists as arrays.  TEXT is for people: they see
 * what is out of the ordinary, and nothing that the line says already.  Where both want the same
 * the writer need not ask: put_str(), put_name() and the lists know how each is spelled.
 *
 * A new type is a row, and VALUE(ID) { … } in the file of its subject; without it skep does not
 * link.  Private to value*.c.
 */
#pragma once

#include "event/names.h"
#include "event/stream.h"

enum style { TEXT, JSON };

/* One value that is to be written. */
struct value {
	struct buf *out;
	enum style style;
	const struct event *event;
	const struct field_desc *field;
	const void *at; /* its member in the record; of types that look at all of it: nothing */
};

typedef bool value_fn(const struct value *v);
#define TYPE(id, json, help) value_fn value_##id;
#include "catalog/types.def"
#undef TYPE

#define VALUE(id) bool value_##id(const struct value *v)

/* The whole record, as the struct that the type is for. */
static inline const void *record_of(const struct value *v)
{
	return v->event->head;
}

/* The member; records are not aligned. */
static inline uint16_t u16_at(const struct value *v)
{
	uint16_t n;

	memcpy(&n, v->at, sizeof(n));
	return n;
}

static inline uint32_t u32_at(const struct value *v)
{
	uint32_t n;

	memcpy(&n, v->at, sizeof(n));
	return n;
}

static inline uint64_t u64_at(const struct value *v)
{
	uint64_t n;

	memcpy(&n, v->at, sizeof(n));
	return n;
}

/* --- pieces, in value.c; the bool is true, for writers to return, if nothing else is said */

bool put_u64(const struct value *v, uint64_t n);
bool put_s64(const struct value *v, int64_t n);
/* Foreign text, made harmless; false: it is empty. */
bool put_str(const struct value *v, struct str s);
/* A word of our own, quoted in JSON. */
bool put_name(const struct value *v, const char *prefix, const char *name);
/* What a number is called, else the number; `name` may be NULL. */
bool put_name_or(const struct value *v, const char *prefix, const char *name, uint64_t n);

/* A list of names: a|b in text, an array in JSON.  Begin with {v, 0}. */
struct list {
	const struct value *v;
	size_t n;
};
void list_add(struct list *l, const char *name);
/* The names of those bits of a table that are set; a bit counts for the first that has it. */
void list_add_bits(struct list *l, const struct name *table, uint64_t bits);
/* False: it is empty, and nothing was written. */
bool list_end(struct list *l);
/* Such a list as the whole value. */
bool put_bits(const struct value *v, const struct name *table, uint64_t bits);
