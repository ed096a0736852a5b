/* SPDX-License-Identifier: Apache-2.0 */
/* What a BTF view has found out about its blob; for btf.c and btf-find.c only. */
#pragma once

#include "isa/btf.h"

enum { CHAIN_FUNCS, CHAIN_TYPES, CHAINS };

/* Ids hashed by name. */
struct btf_chain {
	uint32_t *heads; /* owned; index into the ids that the view itself holds + 1 */
	uint32_t *next;	 /* owned; by the same index */
	uint32_t mask;
};

/* A search that was made, and its answer: compilers and loaders ask for the same names. */
struct btf_answer {
	char *name; /* owned */
	uint32_t kinds, id;
};

enum { BTF_ANSWERS = 32 };

struct btf_index {
	uint32_t *offsets; /* owned; of types in the blob, by id − first; void has one, too */
	uint32_t n;	   /* so many of them are known */
	size_t at;	   /* where the walk goes on */
	size_t searched;   /* bytes that searches by name have gone through */
	struct btf_chain chains[CHAINS];
	struct btf_answer answers[BTF_ANSWERS]; /* the latest, from n_answers on in a circle */
	uint32_t n_answers;
};

struct btf_index *btf_index_new(const struct btf_view *v);
void btf_index_free(struct btf_index *x); /* NULL is fine */

/* btf_kfunc(), each time anew. */
uint32_t btf_index_kfunc(const struct btf_view *v, const char *name);

/* Walk on until offsets[i] is known, or to the end.  Returns how many are known. */
uint32_t btf_index_walk(const struct btf_view *v, uint32_t i);
