/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs by chance, for comparing verifiers and engines.
 *
 * A program is of type SCHED_CLS and has one map: an array of one value of GEN_VALUE bytes, its
 * only input beside a packet of GEN_PACKET bytes, and its output beside r0.  What it does is what
 * verifiers have been wrong about: 32- and 64-bit arithmetic that bounds must follow,
 * comparisons that narrow, spilled and half-read numbers, pointers moved by numbers whose
 * bounds were (or were not quite) established, loops, functions, packet ranges.  About half of
 * them break a rule somewhere.  Nothing that it reads depends on the clock, the cpu or an
 * address.  The same seed makes the same program.
 */
#pragma once

#include "isa/insn.h"

enum { GEN_VALUE = 64, GEN_PACKET = 64, GEN_ROOM = 512 };

/* Returns the number of slots.  References to the map are ldimm64 MAP_IDX 0. */
size_t gen_program(uint64_t seed, struct bpf_insn to[GEN_ROOM]);
/* Where functions begin behind the entry; returns how many. */
unsigned int gen_functions(const struct bpf_insn *p, size_t n, uint32_t *at, unsigned int room);
uint64_t gen_next(uint64_t *state); /* splitmix64 */
