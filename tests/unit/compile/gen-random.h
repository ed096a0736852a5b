/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs of the IR that are valid, end, and mean something.
 *
 * The same seed and options give the same module.  Programs compute with 64-bit numbers,
 * branch, switch, loop a fixed number of times, read and write slots and globals of all
 * widths inside their bounds, and call functions of the module.  All they know comes from
 * the globals (RANDOM_GLOBALS bytes, of random_globals()); what they did stands in the
 * globals afterwards and in the returned value, which has 32 bits.
 *
 * Wide ones use both maps, scratch, literals, memory of the kernel and of users, callbacks and
 * runtime functions too (gen-random-more.c).
 *
 * They keep what the kernel's verifier asks: no pointer is stored or computed with, all
 * that is read was written, offsets into slots are fixed and aligned, loops are short.
 */
#pragma once

#include "compile/ir/ir.h"

enum {
	RANDOM_GLOBALS = 128,
	RANDOM_RODATA = 256,
	RANDOM_TEXTS = 128, /* from there on: texts, each with room for 16 bytes */
	RANDOM_SCRATCH = 256,
	RANDOM_ELEMENTS_HASH = 8,  /* map 0: keys and values of 8 bytes */
	RANDOM_ELEMENTS_ARRAY = 4, /* map 1 */
	RANDOM_VALUE = 32,
	RANDOM_SINGLE = 64, /* map 2: an array of one element, found by mapvalue */
};

struct random_options {
	unsigned int statements; /* in a function, about; 0: 24 */
	unsigned int functions;	 /* at most; 0: 3 */
	bool no_signed_division; /* instruction sets below 4 have none */
	bool no_fetch;		 /* atomics that give the old value: instruction set 3 */
	bool no_calls;
	bool kernel_reads; /* of RANDOM_KERNEL_GOOD, and of RANDOM_KERNEL_BAD, where nothing is */
	bool map;	   /* map 0 */
	bool wide; /* all there is: both maps, memory of others, callbacks, runtime functions */
	bool no_callbacks;
};

/* Kernel memory for programs in an interpreter: the byte at address a is a * 7 + 3. */
#define RANDOM_KERNEL_GOOD 0xffff888000010000ull
#define RANDOM_KERNEL_BAD  0xffff888000ff0000ull
/* User memory, in both worlds: the bytes of the literals. */
#define RANDOM_USER 0x5eed00000000ull

uint64_t random_next(uint64_t *state); /* splitmix64 */
void random_globals(uint64_t seed, uint8_t to[RANDOM_GLOBALS]);
/* Initializes and fills `m`. */
void random_module(struct ir_module *m, struct arena *a, uint64_t seed,
		   const struct random_options *o);
