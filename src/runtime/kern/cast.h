/* SPDX-License-Identifier: Apache-2.0 */
/* Casts of skep's BPF programs, put in before they are loaded: runtime/bpf/cast.h says why. */
#pragma once

#include "catalog/wire/cast.h"
#include "runtime/kern/btf.h"

struct bpf_insn;

struct casts {
	uint32_t function;	  /* bpf_rdonly_cast(); 0: this kernel does not have it */
	uint32_t types[CAST_END]; /* ids of the structs */
};

/* Looks in the kernel's types, and whether it takes a program that casts. */
void casts_find(struct casts *c, const struct btf_view *v);

/* The marked instructions become what is meant.  Does nothing where there are no casts. */
void casts_put(const struct casts *c, struct bpf_insn *insns, size_t n);
