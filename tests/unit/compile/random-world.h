/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of random programs in the interpreter: maps, memory of others, helpers, and the
 * runtime functions written a second time.
 */
#pragma once

#include "compile/gen-random.h"
#include "compile/ir/interp.h"

struct random_world {
	uint8_t globals[RANDOM_GLOBALS], rodata[RANDOM_RODATA], scratch[RANDOM_SCRATCH];
	/* map 0, a hash: an element stays where it was added */
	uint64_t keys[RANDOM_ELEMENTS_HASH], values[RANDOM_ELEMENTS_HASH];
	bool used[RANDOM_ELEMENTS_HASH];
	/* map 1, an array */
	uint8_t array[RANDOM_ELEMENTS_ARRAY][RANDOM_VALUE];
	uint8_t single[RANDOM_SINGLE]; /* map 2 */
	/* private */
	uint64_t at_values, at_array, at_single, at_key;
	uint64_t key;
};

struct random_outcome {
	bool ok;
	enum interp_why why;
	uint64_t ret, steps;
	struct random_world world;
};

void random_rodata(uint8_t to[RANDOM_RODATA]);
/* Maps the bytes of RANDOM_USER, before the first run of a process.  False: no room. */
bool random_user(void);
/* Runs a module from the globals of `seed`. */
void random_run(const struct ir_module *m, uint64_t seed, uint64_t steps,
		struct random_outcome *ret);
/* The same end: what was returned, globals, and maps, element by element. */
bool random_same(const struct random_outcome *a, const struct random_outcome *b);
