/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on a map, by chance: on ours, on a plain model of it, and on the kernel's.
 *
 * An operation is decoded from a few bytes, so that a fuzzer can write it, too.  What it answers
 * must be the same everywhere.
 */
#pragma once

#include "runtime/vm/map/map.h"

enum { MODEL_CPUS = 64, MODEL_KEY = 24, MODEL_VALUE = 24, MODEL_ITEMS = 512 };

enum model_op_kind {
	OP_LOOKUP,
	OP_UPDATE,
	OP_DELETE,
	OP_TAKE,
	OP_WALK, /* all keys: how many, and a sum that knows no order */
	OP_NEXT, /* kinds whose order is the same everywhere */
	/* as programs do it: not asked of the kernel */
	OP_PROG_LOOKUP,
	OP_PROG_UPDATE,
	OP_PROG_DELETE,
	OP_EACH,
	OP_COUNT
};
enum { OPS_OF_USER = OP_PROG_LOOKUP };

struct model_op {
	enum model_op_kind kind;
	uint64_t flags;
	unsigned int cpu;
	uint8_t key[MODEL_KEY];
	uint8_t values[MODEL_CPUS * MODEL_VALUE];
};

struct model_answer {
	int64_t r;
	uint64_t sum;
	uint8_t values[MODEL_CPUS * MODEL_VALUE]; /* or the next key */
};

/* A kind of map, as it is tested. */
struct model_kind {
	const char *name;
	uint32_t type, key_size, value_size, max, flags;
	bool is_lru;
};
extern const struct model_kind model_kinds[];
extern const unsigned int model_kinds_n;

struct model;
struct model *model_new(const struct model_kind *k, unsigned int cpus);
void model_free(struct model *m);
/* What should be. */
void model_apply(struct model *m, const struct model_op *op, struct model_answer *ret);
/* What is. */
void model_ask_ours(struct vm_map *m, const struct model_op *op, struct model_answer *ret);
/*
 * LRU: a key that ours has not may have been forgotten; then the model forgets it, too.  False: it
 * cannot have been.
 */
bool model_forget(struct model *m, const struct model_op *op);

/* An operation of `kinds` kinds, from bytes that `next` gives. */
void model_op_make(const struct model_kind *k, unsigned int cpus, unsigned int kinds,
		   uint32_t (*next)(void *ctx), void *ctx, struct model_op *ret);
bool model_is_same(const struct model_kind *k, unsigned int cpus, const struct model_op *op,
		   const struct model_answer *a, const struct model_answer *b);
/* One line about it, for a message. */
void model_print(char *to, size_t room, const struct model_kind *k, const struct model_op *op,
		 const struct model_answer *got, const struct model_answer *want);
/* Of a key, for sums. */
uint64_t model_hash(const void *key, size_t n);
