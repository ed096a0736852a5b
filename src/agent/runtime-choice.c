/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/runtime-choice.h"

#include "base/log.h"
#include "isa/insn.h"
#include "runtime/kern/bpf.h"

int runtime_kernel_refuses(void)
{
	const struct bpf_insn program[] = {insn_mov_imm(0, 0), insn_exit()};
	union bpf_attr a = {
		.prog_type = BPF_PROG_TYPE_TRACEPOINT,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
	};
	int r = bpf_call(BPF_PROG_LOAD, &a, sizeof(a));

	if (r == -EPERM) { /* it may be memory, before 5.11 */
		bpf_raise_memlock();
		r = bpf_call(BPF_PROG_LOAD, &a, sizeof(a));
	}
	if (r >= 0)
		close(r);
	return r < 0 ? r : 0;
}

void runtime_say_left(unsigned int n)
{
	if (n)
		log_warning("%u process%s that the command left running end%s with skep: without "
			    "it, %s traced calls would fail",
			    n, n == 1 ? "" : "es", n == 1 ? "s" : "", n == 1 ? "its" : "their");
}

const char *runtime_refusal(int r)
{
	return r == -EPERM || r == -EACCES ? "the kernel does not let this user load BPF programs"
					   : "there is no BPF here";
}
