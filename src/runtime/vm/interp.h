/* SPDX-License-Identifier: Apache-2.0 */
/* What interp.c and interp-memory.c share; and which slots run as pairs. */
#pragma once

#include "runtime/vm/run.h"

/*
 * Pairs that compilers write often: PAIR(first, second), rows of insn.def.  STEPS go on behind
 * the second, BRANCHES end with a comparison, ENDS with the jump back to a loop's beginning
 * that a comparison did not leave.  Adding one: a word here.
 */
#define INTERP_STEPS(PAIR)      \
	PAIR(LSH64_K, RSH64_K)  \
	PAIR(LSH64_K, ARSH64_K) \
	PAIR(LSH32_K, OR32_X)   \
	PAIR(MOV32_X, RSH32_K)  \
	PAIR(MOV32_X, LSH32_K)  \
	PAIR(MOV64_X, ADD64_X)  \
	PAIR(MOV64_X, ADD64_K)  \
	PAIR(MOV64_X, MOV64_X)  \
	PAIR(MOV64_X, MOV64_K)  \
	PAIR(MOV64_X, LSH64_K)  \
	PAIR(MOV64_X, RSH64_K)  \
	PAIR(MOV64_X, AND64_K)  \
	PAIR(MOV64_K, MOV64_K)  \
	PAIR(MOV64_K, MOV64_X)  \
	PAIR(ADD64_K, MOV64_X)  \
	PAIR(ADD64_K, MOV64_K)  \
	PAIR(ADD64_K, ADD64_K)  \
	PAIR(ADD64_K, LDXB)     \
	PAIR(ADD64_K, STXB)     \
	PAIR(ADD64_X, MOV64_X)  \
	PAIR(ADD64_X, LDXB)     \
	PAIR(ADD64_X, LDXW)     \
	PAIR(ADD64_X, LDXDW)    \
	PAIR(LDXB, ADD64_K)     \
	PAIR(LDXB, STXB)        \
	PAIR(LDXW, STXW)        \
	PAIR(LDXW, LDXW)        \
	PAIR(LDXDW, ADD64_X)    \
	PAIR(LDXDW, STXDW)      \
	PAIR(LDXDW, LDXDW)      \
	PAIR(STXDW, LDXDW)      \
	PAIR(STXDW, STXDW)      \
	PAIR(STXB, ADD64_K)
#define INTERP_BRANCHES(PAIR)  \
	PAIR(ADD64_K, JNE64_X) \
	PAIR(ADD64_K, JNE64_K) \
	PAIR(ADD64_K, JEQ64_K) \
	PAIR(ADD64_K, JLT64_X) \
	PAIR(ADD64_K, JGT64_X) \
	PAIR(AND64_K, JEQ64_K) \
	PAIR(AND64_K, JNE64_K) \
	PAIR(MOV64_X, JEQ64_K) \
	PAIR(LDXB, JEQ64_K)    \
	PAIR(LDXB, JNE64_K)    \
	PAIR(LDXB, JNE64_X)    \
	PAIR(LDXB, JNE32_X)    \
	PAIR(LDXW, JNE32_X)    \
	PAIR(LDXDW, JEQ64_K)   \
	PAIR(LDXDW, JNE64_K)
#define INTERP_ENDS(PAIR) \
	PAIR(JEQ64_K, JA) \
	PAIR(JEQ64_X, JA) \
	PAIR(JEQ32_K, JA) \
	PAIR(JGT64_K, JA) \
	PAIR(JGT64_X, JA)
#define INTERP_PAIRS(PAIR) INTERP_STEPS(PAIR) INTERP_BRANCHES(PAIR) INTERP_ENDS(PAIR)

/* An atomic, or an ordered load or store, at this address. */
void interp_atomic(const struct code_insn *i, uint64_t r[11], uint64_t at);
/* A slot whose memory is not plain: by its `access`. */
void interp_special(const struct vm_code *c, const struct code_insn *i, uint64_t r[11]);
