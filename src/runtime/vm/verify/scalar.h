/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a number: the abstract domain of the verifier.
 *
 * A scalar stands for a set of 64-bit values: those whose known bits agree (a tnum, "tristate
 * number": bit k is 0 or 1 if mask's bit k is 0, unknown if it is 1), and that lie in four
 * ranges at once: unsigned and signed, of all 64 bits and of the low 32.  Each operation
 * makes of sets a set that holds at least all results (it is sound), and as few others as it
 * can (it is precise).
 *
 * Source: H. Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with
 * Tristate Numbers", CGO 2022; kernel/bpf/tnum.c for what the kernel computes.
 */
#pragma once

#include "isa/insn.h"

struct tnum {
	uint64_t value, mask; /* value & mask is 0 */
};

struct scalar {
	struct tnum bits;
	uint64_t umin, umax;
	int64_t smin, smax;
	uint32_t umin32, umax32;
	int32_t smin32, smax32;
};

void scalar_any(struct scalar *s);
void scalar_set(struct scalar *s, uint64_t value);
/* All of umin … umax. */
void scalar_range(struct scalar *s, uint64_t umin, uint64_t umax);
static inline bool scalar_is_const(const struct scalar *s)
{
	return !s->bits.mask;
}
/* Let the five descriptions learn from each other.  False: the set is empty. */
bool scalar_sync(struct scalar *s);

/* dst = dst OP src. */
void scalar_alu(struct scalar *dst, enum insn_alu op, bool is_32, const struct scalar *src);
void scalar_neg(struct scalar *dst, bool is_32);
/* What a load of `bytes`, or a MOVSX from so many, leaves of a value. */
void scalar_cut(struct scalar *s, unsigned int bytes, bool is_signed, bool to_32);
/* LE16 … BSWAP64: reverse the low `bits`; is_swap false: only cut to them. */
void scalar_swap(struct scalar *s, unsigned int bits, bool is_swap);

/* Of `a OP b`: 1: always, 0: never, -1: both may be. */
int scalar_branch(const struct scalar *a, const struct scalar *b, enum insn_jump op, bool is_32);
/* Narrow both to where `a OP b` is `taken`.  False: that cannot be. */
bool scalar_refine(struct scalar *a, struct scalar *b, enum insn_jump op, bool is_32, bool taken);

bool scalar_has(const struct scalar *s, uint64_t value);
/* Is each value of `small` one of `large`? */
bool scalar_within(const struct scalar *large, const struct scalar *small);
/* The least set that holds both. */
void scalar_join(struct scalar *to, const struct scalar *other);
/* Both, and so much more that a chain of widenings ends soon: limits that grew go far. */
void scalar_widen(struct scalar *to, const struct scalar *newer);

struct buf;
/* As the kernel's log has it: "scalar(smin=0,smax=255,var_off=(0x0; 0xff))"; a constant: "42". */
void scalar_print(const struct scalar *s, struct buf *to);
