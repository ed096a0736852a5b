/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded runtime, for programs of vm-gen.h: verified and run as vm-kernel.h does. */
#pragma once

#include "runtime/vm/helper/packet.h"
#include "runtime/vm/run.h"
#include "vm-kernel.h"

struct vm_here {
	struct vm_object object;
	struct diags diags;
	struct vm_map *map;
	struct vm_packet packet;
	struct vm_prog prog;
	struct vm_func funcs[2];
	struct verify_result verified;
	struct verify_result recorded; /* once more, with every number counting: must agree */
	struct bpf_insn insns[GEN_ROOM];
	struct vm_code *codes[2]; /* by enum vm_engine; NULL: there is none */
	unsigned int violations;  /* of the recorded states */
	char violation[256];	  /* the first */
	uint64_t checks;	  /* instructions that were checked */
};

/* Take a program and verify it, as the kernel would or for ourselves.  0 or -errno. */
int here_open(struct vm_here *h, const struct bpf_insn *p, size_t n, bool as_kernel);
void here_close(struct vm_here *h);
/* Make both engines ready.  0 or -errno; a machine without JIT is no error. */
int here_make(struct vm_here *h, char *why, size_t room);
/* Run it once; is_checked: the interpreter, against the verifier's recorded states. */
void here_run(struct vm_here *h, enum vm_engine engine, bool is_checked, struct vm_data *d);
