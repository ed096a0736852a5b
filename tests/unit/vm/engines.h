/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of the tests, run by each engine that there is.
 *
 * Programs are instructions alone, unverified: r1 is memory, r2 its size, r0 the result.
 */
#pragma once

#include "runtime/vm/run.h"

enum engine {
	ENGINE_INTERP,
	ENGINE_WATCHED, /* the interpreter, counting: no pairs */
	ENGINE_JIT,	/* if the machine has one */
	ENGINE_KERNEL,	/* test-run, as root; not what its verifier refuses */
	ENGINE_COUNT
};
extern const char *const engine_names[ENGINE_COUNT];

/*
 * 0 and r0; -ENOTSUP: this engine cannot; -EINVAL: the program is refused, and `why`.  `mem` is
 * changed.
 */
int engine_run(enum engine e, const struct bpf_insn *p, size_t n, void *mem, size_t mem_n,
	       uint64_t *ret, char *why, size_t room);

/* A program of the kernel's that takes its context as memory; -errno.  close() it. */
int engine_kernel_load(const struct bpf_insn *p, size_t n);
/* r0's lower half; the memory comes back changed. */
int engine_kernel_run(int fd, void *mem, size_t n, uint32_t *ret);
