/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One kernel symbol's address, without a look at the list.
 *
 * /proc/kallsyms writes 120,000 lines for us, 40 ms; the kernel itself finds a name among
 * them in a microsecond.  Programs of type SYSCALL may call what finds it
 * (bpf_kallsyms_lookup_name, 5.16), so a small one is made for each question: the name is
 * put together on its stack, the address comes back through the context.
 */
#include "base/macro.h"
#include "isa/insn.h"
#include "runtime/kern/bpf.h"
#include "runtime/kern/kallsyms.h"

enum {
	PROG_TYPE_SYSCALL = 31, /* 5.14 */
	HELPER_LOOKUP_NAME = 179,
	NAME_MAX_ = 400,
	RESULT = -8, /* on the stack; the name is below it */
};

static int load(const struct bpf_insn *insns, uint32_t n)
{
	union bpf_attr a = {0};

	a.prog_type = PROG_TYPE_SYSCALL;
	a.prog_flags = BPF_F_SLEEPABLE; /* they have to be */
	a.insns = (uintptr_t)insns;
	a.insn_cnt = n;
	a.license = (uintptr_t) "GPL";
	return bpf_call(BPF_PROG_LOAD, &a, sizeof(a));
}

static uint32_t build(const char *name, size_t size, struct bpf_insn *to)
{
	size_t room = (size + 7) / 8 * 8;
	int at = RESULT - (int)room;
	uint32_t n = 0;

	to[n++] = insn_mov(BPF_REG_6, BPF_REG_1);
	to[n++] = insn_store_imm(8, BPF_REG_10, RESULT, 0);
	for (size_t i = 0; i < room; i += 4) {
		int32_t part = 0;

		if (i < size)
			memcpy(&part, name + i, MIN(size - i, sizeof(part)));
		to[n++] = insn_store_imm(4, BPF_REG_10, at + (int)i, part);
	}
	to[n++] = insn_mov(BPF_REG_1, BPF_REG_10);
	to[n++] = insn_alu_imm(BPF_ADD, false, BPF_REG_1, at);
	to[n++] = insn_mov_imm(BPF_REG_2, (int32_t)size);
	to[n++] = insn_mov_imm(BPF_REG_3, 0);
	to[n++] = insn_mov(BPF_REG_4, BPF_REG_10);
	to[n++] = insn_alu_imm(BPF_ADD, false, BPF_REG_4, RESULT);
	to[n++] = insn_call(0, HELPER_LOOKUP_NAME);
	to[n++] = insn_load(8, false, BPF_REG_1, BPF_REG_10, RESULT);
	to[n++] = insn_store(8, BPF_REG_6, 0, BPF_REG_1);
	to[n++] = insn_exit();
	return n;
}

int kallsyms_ask(const char *name, uint64_t *ret)
{
	struct bpf_insn insns[NAME_MAX_ / 4 + 16];
	size_t size = strlen(name) + 1;
	union bpf_attr a = {0};
	uint64_t address = 0;
	int fd, r;

	if (size < 2 || size > NAME_MAX_)
		return -ENAMETOOLONG;
	fd = load(insns, build(name, size, insns));
	if (fd < 0)
		return fd == -ENOENT ? -ENOTSUP : fd;
	a.test.prog_fd = (uint32_t)fd;
	a.test.ctx_in = (uintptr_t)&address;
	a.test.ctx_size_in = sizeof(address);
	r = bpf_call(BPF_PROG_TEST_RUN, &a, sizeof(a));
	close(fd);
	if (r < 0)
		return r == -ENOENT ? -ENOTSUP : r;
	if ((int32_t)a.test.retval < 0)
		return (int32_t)a.test.retval;
	*ret = address;
	return 0;
}
