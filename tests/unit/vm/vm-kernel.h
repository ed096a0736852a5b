/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own verifier and engine, for comparing: programs of vm-gen.h, by test-run. */
#pragma once

#include "vm-gen.h"

struct kernel_place {
	int map; /* array of one value; -1: there is no kernel to ask */
	uint32_t prog_type;
	const char *why_not;
	char *log; /* of the last refusal, if asked for; owned */
	bool wants_time;
	uint64_t us, insns; /* wants_time: sums of what the kernel says its verifier took */
};

/* What a program is given, and what it leaves. */
struct vm_data {
	uint8_t value[GEN_VALUE];
	uint8_t packet[512];
	uint32_t n; /* of the packet */
	uint32_t result;
};

/* Programs of SCHED_CLS, until prog_type is changed.  0, or -errno with `why_not` said. */
int kernel_open(struct kernel_place *k);
void kernel_close(struct kernel_place *k);
/* The descriptor of the program, or -errno: refused.  wants_log: why, in k->log. */
int kernel_load(struct kernel_place *k, const struct bpf_insn *p, size_t n, bool wants_log);
/* Run it once over `d`.  0 or -errno. */
int kernel_run(struct kernel_place *k, int prog, struct vm_data *d);
