/* SPDX-License-Identifier: Apache-2.0 */
#include "engines.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef BPF_PROG_TYPE_SYSCALL
#define BPF_PROG_TYPE_SYSCALL 31
#endif

const char *const engine_names[ENGINE_COUNT] = {"interpreter", "watched", "jit", "kernel"};

int engine_kernel_load(const struct bpf_insn *p, size_t n)
{
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SYSCALL,
			    .insns = (uintptr_t)p,
			    .insn_cnt = (uint32_t)n,
			    .license = (uintptr_t) "GPL",
			    .prog_flags = BPF_F_SLEEPABLE};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));

	return fd < 0 ? -errno : fd;
}

int engine_kernel_run(int fd, void *mem, size_t n, uint32_t *ret)
{
	union bpf_attr a = {.test = {.prog_fd = (uint32_t)fd,
				     .ctx_in = n ? (uintptr_t)mem : 0,
				     .ctx_size_in = (uint32_t)n}};

	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &a, sizeof(a)) < 0)
		return -errno;
	*ret = a.test.retval;
	return 0;
}

/* The program as a function: the test-run gives 32 bits, so `high` asks for the others. */
static int run_half(const struct bpf_insn *p, size_t n, bool high, void *mem, size_t mem_n,
		    uint32_t *ret)
{
	struct bpf_insn *whole = xalloc((n + 3) * sizeof(*whole));
	size_t at = 0;
	int fd, r;

	whole[at++] = insn_call(BPF_PSEUDO_CALL, high ? 2 : 1);
	if (high)
		whole[at++] = insn_alu_imm(BPF_RSH, false, 0, 32);
	whole[at++] = insn_exit();
	memcpy(whole + at, p, n * sizeof(*p));
	fd = engine_kernel_load(whole, at + n);
	cleanup_free(&whole);
	if (fd < 0)
		return -ENOTSUP;
	r = engine_kernel_run(fd, mem, mem_n, ret);
	close(fd);
	return r;
}

static int run_kernel(const struct bpf_insn *p, size_t n, void *mem, size_t mem_n, uint64_t *ret)
{
	_cleanup_free_ char *copy = xalloc(mem_n + 1);
	uint32_t low, high;
	int r;

	if (geteuid())
		return -ENOTSUP;
	memcpy(copy, mem, mem_n);
	r = run_half(p, n, true, copy, mem_n, &high);
	if (r >= 0)
		r = run_half(p, n, false, mem, mem_n, &low);
	if (r >= 0)
		*ret = (uint64_t)high << 32 | low;
	return r;
}

int engine_run(enum engine e, const struct bpf_insn *p, size_t n, void *mem, size_t mem_n,
	       uint64_t *ret, char *why, size_t room)
{
	struct vm_prog prog = {
		.name = "test", .section = "", .insns = (struct bpf_insn *)p, .n_insns = n};
	struct vm_object object = {.license = "GPL", .progs = {.p = &prog, .n = 1}};
	struct code_options options = {.engine = e == ENGINE_JIT ? VM_JIT : VM_INTERP,
				       .is_unverified = true};
	struct vm_run run = {.has_count = e == ENGINE_WATCHED};
	struct vm_code *code;
	int r;

	if (e == ENGINE_KERNEL)
		return run_kernel(p, n, mem, mem_n, ret);
	r = code_make(&object, 0, NULL, &options, &code, why, room);
	if (r < 0)
		return r;
	*ret = code_run(code, &run, mem, mem_n);
	code_free(code);
	if (run.failure[0])
		snprintf(why, room, "%s", run.failure);
	return run.failure[0] ? -EIO : 0;
}
