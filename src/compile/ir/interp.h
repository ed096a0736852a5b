/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain interpreter of the IR: what a module means, without a kernel.
 *
 * Memory is a list of areas with 32-bit handles: an address is handle << 32 | offset, so
 * that an access beyond an area is an error here and never a byte of ours.  There is no
 * handle 0: small numbers are no addresses.
 */
#pragma once

#include "compile/ir/ir.h"

enum interp_why {
	INTERP_OK,
	INTERP_MEMORY,	 /* an access outside of all areas */
	INTERP_STEPS,	 /* the budget is used up */
	INTERP_DEPTH,	 /* too many calls in each other */
	INTERP_CALL,	 /* a helper that the callback does not know */
	INTERP_BAD_CODE, /* what ir_check() would refuse */
};

struct interp;

struct interp_ops {
	/*
	 * A call: IR_CALL (index: the helper), IR_CALLRT, IR_CALLK (name).  False: unknown.
	 * It may use interp_memory() and interp_call().
	 */
	bool (*call)(struct interp *in, enum ir_op op, uint32_t index, const char *name,
		     const uint64_t *args, unsigned int n_args, uint64_t *ret);
	/* Kernel (or user) memory: 0, or −errno and nothing is read. */
	int (*read)(struct interp *in, bool user, uint64_t address, void *to, uint32_t n);
	uint64_t (*ksym)(struct interp *in, const char *name);
	/* Address of the first value of a map; 0: none. */
	uint64_t (*map_value)(struct interp *in, uint32_t map);
};

struct interp_area {
	uint8_t *p; /* NULL: gone */
	uint32_t n;
	bool is_constant;
};

struct interp {
	const struct ir_module *m;
	const struct interp_ops *ops; /* NULL, and any member NULL: none */
	void *ctx;		      /* for the callbacks */
	uint64_t steps;		      /* how many instructions may still run */
	uint32_t key; /* odd: another one gives areas other addresses; set before the first */
	enum interp_why why;
	struct span span; /* of what went wrong */
	/* private */
	struct arena arena;
	ARRAY(struct interp_area) areas;
	uint64_t globals, rodata, scratch; /* addresses of their areas */
	uint32_t depth;
};

/* Areas of the module's spaces; the bytes are the caller's and are changed in place. */
void interp_init(struct interp *in, const struct ir_module *m, uint64_t steps);
void interp_done(struct interp *in);
void interp_space(struct interp *in, enum ir_space space, void *p, uint32_t n);

/* An area of the caller's memory; returns its address. */
uint64_t interp_area(struct interp *in, void *p, uint32_t n, bool is_constant);
/* The bytes at an address; NULL: not all of them are there (or may be written). */
void *interp_memory(struct interp *in, uint64_t address, uint32_t n, bool write);

/* Run the entry, or a function by index.  False: `why` says what went wrong. */
bool interp_eval(struct interp *in, uint64_t context, uint64_t *ret);
bool interp_call(struct interp *in, uint32_t func, const uint64_t *args, unsigned int n_args,
		 uint64_t *ret);
