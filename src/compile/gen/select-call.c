/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: arguments go to r1 to r5, the result comes in r0.
 *
 * The moves name machine registers; that none destroys an argument which is still to be
 * moved is the register allocator's doing, since such an argument is alive then.
 */
#include "compile/gen/select.h"

void select_helper(struct select *s, int32_t helper, unsigned int n_args)
{
	select_put(s, (struct mach_insn){.op = MACH_CALL,
					 .code = CALL_HELPER,
					 .index = (uint32_t)helper,
					 .n_args = (uint8_t)n_args});
}

void select_call(struct select *s, const struct ir_insn *i)
{
	struct mach_insn call = {.op = MACH_CALL, .index = i->index, .n_args = i->n_args};

	call.code = i->op == IR_CALL	 ? CALL_HELPER
		    : i->op == IR_CALLF	 ? CALL_FUNC
		    : i->op == IR_CALLRT ? CALL_RT
					 : CALL_KFUNC;
	for (unsigned int k = 0; k < i->n_args; k++)
		select_into(s, MACH_R(k + 1), i->args[k]);
	select_put(s, call);
	if (i->dst)
		select_put(s, (struct mach_insn){
				      .op = MACH_MOV, .dst = select_dst(i->dst), .a = MACH_R(0)});
}
