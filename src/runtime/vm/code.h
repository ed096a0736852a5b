/* SPDX-License-Identifier: Apache-2.0 */
/* What code.c and code-check.c share: a program that becomes code. */
#pragma once

#include "runtime/vm/run.h"

struct code_maker {
	const struct vm_object *object;
	const struct vm_prog *prog;
	const struct verify_result *verified; /* NULL: is not */
	const struct code_options *options;
	struct vm_code *code;
	uint16_t *ids;	   /* of each instruction: enum insn_id; owned */
	uint32_t *slot_of; /* each instruction's slot; UINT32_MAX: the second half of a wide one */
	uint32_t *funcs;   /* where functions begin, ascending; owned */
	uint32_t n_funcs;
	char *why; /* of room */
	size_t room;
};

/*
 * Is the program made of instructions, and do jumps stay where they may?  Fills ids, slot_of,
 * funcs and code->n.  -EINVAL, and why.
 */
int code_check(struct code_maker *m);

/* Say why, with the instruction's number (UINT32_MAX: none in particular); gives `error`. */
int code_refuse(struct code_maker *m, int error, uint32_t insn, const char *format, ...)
	_printf_(4, 5);

/* May it be left out of what must be there: the verifier found no path to it. */
bool code_is_dead(const struct code_maker *m, uint32_t insn);

/* Jumps that are no comparisons. */
static inline bool code_is_jump(enum insn_id id)
{
	return id == INSN_JA || id == INSN_JA_LONG || id == INSN_MAY_GOTO;
}
