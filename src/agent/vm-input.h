/* SPDX-License-Identifier: Apache-2.0 */
/* What `skep vm` reads: an object, or instructions alone, as one object. */
#pragma once

#include "agent/vm.h"
#include "runtime/kern/btf.h"
#include "runtime/vm/object.h"

struct vm_input {
	struct arena arena;
	struct diags diags;
	struct vm_object object;
	struct kernel_btf kernel;
	struct buf bytes; /* of the file */
	bool is_object;	  /* else made of instructions */
	struct str mem;	  /* --mem; in the arena */
	bool has_mem;
};

/* 0, or the exit status behind a message.  Always to be closed. */
int vm_input_open(struct vm_input *in, const struct vm_options *o);
void vm_input_done(struct vm_input *in);
/* Bytes of --mem or --ctx: hex, else a file's.  -errno. */
int vm_input_bytes(struct arena *a, const char *text, struct str *ret);
/* Print what was recorded; their number of errors. */
unsigned int vm_input_print(struct vm_input *in, const struct vm_options *o);
/* The program that is meant, or UINT32_MAX and a message. */
uint32_t vm_input_prog(const struct vm_input *in, const struct vm_options *o);
