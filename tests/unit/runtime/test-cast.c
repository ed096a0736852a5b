/* SPDX-License-Identifier: Apache-2.0 */
/* Casts: what becomes of marked instructions, and that this kernel's are found. */
#include "runtime/kern/cast.h"

#include "test.h"

#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

enum { FUNCTION = 4711, FIRST_TYPE = 100 };

static struct casts made(void)
{
	struct casts c = {.function = FUNCTION};

	for (uint32_t i = 0; i < CAST_END; i++)
		c.types[i] = FIRST_TYPE + i;
	return c;
}

static struct bpf_insn move(int imm)
{
	return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = imm};
}

static struct bpf_insn call(unsigned int src, int imm)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = src & 15, .imm = imm};
}

TEST(marks_are_replaced)
{
	struct casts c = made();
	struct bpf_insn insns[] = {
		move(CAST_TYPE),
		move(CAST_TYPE + CAST_END - 1),
		call(0, CAST_CALL),
	};

	casts_put(&c, insns, 3);
	CHECK_EQ(insns[0].imm, FIRST_TYPE);
	CHECK_EQ(insns[1].imm, FIRST_TYPE + CAST_END - 1);
	CHECK_EQ(insns[2].src_reg, BPF_PSEUDO_KFUNC_CALL);
	CHECK_EQ(insns[2].imm, FUNCTION);
}

TEST(all_else_stays)
{
	struct casts c = made();
	const struct bpf_insn before[] = {
		move(CAST_TYPE - 1),
		move(CAST_TYPE + CAST_END),
		call(0, BPF_FUNC_probe_read_kernel),
		call(BPF_PSEUDO_CALL, CAST_CALL),
	};
	struct bpf_insn insns[4];

	memcpy(insns, before, sizeof(insns));
	casts_put(&c, insns, 4);
	CHECK(!memcmp(insns, before, sizeof(insns)));
}

TEST(without_the_function_nothing_changes)
{
	struct casts none = {0};
	struct bpf_insn insns[] = {move(CAST_TYPE), call(0, CAST_CALL)};

	casts_put(&none, insns, 2);
	CHECK_EQ(insns[0].imm, CAST_TYPE);
	CHECK_EQ(insns[1].imm, CAST_CALL);
}

TEST(here)
{
	struct kernel_btf btf;
	struct casts c;

	if (geteuid() != 0 || kernel_btf_open(&btf, "/sys/kernel/btf/vmlinux") < 0) {
		test_skip("only root may load, and only where the kernel has BTF");
		return;
	}
	casts_find(&c, &btf.view);
	/* this kernel has the function, so it must be used; all others have not */
	CHECK_EQ(!!c.function, !!btf_find(&btf.view, BTF_ONE(FUNC), "bpf_rdonly_cast"));
	for (int i = 0; c.function && i < CAST_END; i++)
		CHECK(c.types[i]);
	kernel_btf_close(&btf);
}
