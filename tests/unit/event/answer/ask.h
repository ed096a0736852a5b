/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions made by hand, and records and maps for them, from short texts.
 *
 * Types: s32 u8 bool ptr, str8 (8 bytes), buf8 (room), (A, B) {a: A, b: B} [4]A, and the words
 * ksym usym kstack ustack inet mac user time cgroup err sig sys enum count sum min max avg
 * stats hist lhist tseries.  Values: numbers and 'texts' in the order of the type's parts,
 * with whatever signs between them: "(1, 'two', {3})".
 */
#pragma once

#include "event/answer/answer.h"

enum { ASK_MAPS = 16, ASK_ITEMS = 64, ASK_CPUS = 4, ASK_BYTES = 256 };

struct ask_item {
	uint8_t key[ASK_BYTES], values[ASK_CPUS][ASK_BYTES];
	unsigned int n;
};

struct ask {
	struct question q;
	struct answer *a;
	struct answer_options o;
	struct answer_source source;
	FILE *out, *err;
	char *out_text, *err_text;
	size_t out_n, err_n;
	struct ask_item items[ASK_MAPS][ASK_ITEMS];
	size_t n_items[ASK_MAPS];
	uint64_t losses[8];
};

struct ask *ask_new(enum answer_format format);
void ask_free(struct ask *x);

const struct type *ask_type(struct ask *x, const char *text);
/* Returns how many bytes. */
size_t ask_bytes(const struct type *t, const char *text, uint8_t *to);

/* Row of an action whose arguments are of the tuple type `args`; its index. */
uint32_t ask_action(struct ask *x, enum question_action_kind kind, const char *format,
		    const char *args);
/* What comes of one record: answer_record()'s result. */
int ask_record(struct ask *x, uint32_t action, const char *values);

/* A map; `key` NULL: none. */
uint32_t ask_map(struct ask *x, const char *name, const char *key, const char *value);
/* An element; values of several cpus are parted by ";". */
void ask_put(struct ask *x, uint32_t map, const char *key, const char *values);

/* What was written since the last call; borrowed until then. */
const char *ask_out(struct ask *x);
const char *ask_err(struct ask *x);
