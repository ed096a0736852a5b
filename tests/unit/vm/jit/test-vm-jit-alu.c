/* SPDX-License-Identifier: Apache-2.0 */
/* Each row of arithmetic and comparison, between all registers, at the edges: as alu.def says. */
#include "jit-random.h"

#include "runtime/vm/jit/divide.h"
#include "runtime/vm/jit/jit.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static const uint64_t edges[] = {0,
				 1,
				 2,
				 3,
				 7,
				 10,
				 31,
				 32,
				 63,
				 64,
				 127,
				 128,
				 255,
				 32767,
				 65535,
				 65536,
				 0x7ffffffe,
				 INT32_MAX,
				 0x80000000,
				 0x80000001,
				 UINT32_MAX,
				 0x100000000ull,
				 0x123456789abcdefull,
				 INT64_MAX,
				 INT64_MIN,
				 UINT64_MAX,
				 -2ull,
				 -7ull,
				 0xffffffff7fffffffull};
static const int32_t numbers[] = {0,	     1,		 2,	 3,	 5,	    7,
				  9,	     10,	 12,	 31,	 32,	    33,
				  63,	     64,	 100,	 127,	 128,	    255,
				  -1,	     -2,	 -7,	 -128,	 -129,	    641,
				  1000,	     256,	 65535,	 65536,	 10007,	    0x7fffffff,
				  INT32_MIN, 0x40000000, -65536, 0xff00, 1000000007};

static struct bpf_insn row(enum insn_id id, unsigned int dst, unsigned int src, int32_t imm)
{
	const struct insn_row *r = insn_row_of(id);

	return (struct bpf_insn){.code = r->code,
				 .dst_reg = dst,
				 .src_reg = r->is_imm ? 0 : src,
				 .off = r->off == INSN_ANY ? 0 : (int16_t)r->off,
				 .imm = r->is_imm ? imm : 0};
}

/*
 * All registers but those of the operation hold their number, and are looked at afterwards: what
 * is changed beside the result is wrong.  mem[0], mem[1]: operands; mem[2]: the result.
 */
static size_t around(struct bpf_insn *p, unsigned int dst, unsigned int src,
		     const struct bpf_insn *middle, size_t n_middle)
{
	unsigned int base = dst == 9 || src == 9 ? dst == 8 || src == 8 ? 7 : 8 : 9;
	size_t n = 0;

	p[n++] = insn_mov(base, 1);
	for (unsigned int r = 0; r < 10; r++)
		if (r != base)
			p[n++] = insn_mov_imm(r, (int32_t)r + 100);
	if (src != dst)
		p[n++] = insn_load(8, false, src, base, 8);
	p[n++] = insn_load(8, false, dst, base, 0);
	memcpy(p + n, middle, n_middle * sizeof(*p));
	n += n_middle;
	p[n++] = insn_store(8, base, 16, dst);
	for (unsigned int r = 0; r < 10; r++)
		p[n++] = insn_store(8, base, 24 + (int)r * 8, r);
	p[n++] = insn_mov_imm(0, 0);
	p[n++] = insn_exit();
	return n;
}

static bool untouched(const uint64_t *mem, unsigned int dst, unsigned int src, uint64_t b)
{
	unsigned int base = dst == 9 || src == 9 ? dst == 8 || src == 8 ? 7 : 8 : 9;

	for (unsigned int r = 0; r < 10; r++)
		if (r != dst && r != base && mem[3 + r] != (r == src ? b : r + 100))
			return false;
	return true;
}

static unsigned int wrong;

static void complain(enum insn_id id, unsigned int dst, unsigned int src, uint64_t a, uint64_t b,
		     uint64_t got, uint64_t want)
{
	if (wrong++ < 10)
		printf("# %s r%u r%u: %llx, %llx gives %llx, not %llx\n", insn_row_of(id)->name,
		       dst, src, (unsigned long long)a, (unsigned long long)b,
		       (unsigned long long)got, (unsigned long long)want);
}

/* `value` of the operands, by the table. */
static void check_code(enum insn_id id, unsigned int dst, unsigned int src, int32_t imm,
		       const struct vm_code *c, bool is_jump)
{
	const struct insn_row *r = insn_row_of(id);

	for (size_t i = 0; i < ELEMENTS(edges); i++)
		for (size_t k = 0; k < (r->is_imm ? 1 : ELEMENTS(edges)); k++) {
			uint64_t a = edges[i], b = src == dst ? a : edges[k];
			uint64_t right = r->is_imm ? (uint64_t)(int64_t)imm : b, want;
			uint64_t mem[16] = {a, b};

			jit_code_run(c, mem, 0);
			want = is_jump ? insn_jump_eval(insn_jump_of(id), r->is_32, a, right)
				       : insn_alu_eval(insn_alu_of(id), r->is_32, a, right);
			if (mem[2] != want || !untouched(mem, dst, src, b))
				complain(id, dst, src, a, right, mem[2], want);
		}
}

static void check_row(enum insn_id id, unsigned int dst, unsigned int src, int32_t imm,
		      enum jit_how how)
{
	bool is_jump = insn_kind(id) == INSN_KIND_JUMP;
	struct bpf_insn p[64], middle[4] = {row(id, dst, src, imm)};
	struct jit_made made = {0};
	struct vm_code *c;

	if (is_jump) {
		middle[0].off = 2;
		middle[1] = insn_mov_imm(dst, 0);
		middle[2] = insn_goto(1);
		middle[3] = insn_mov_imm(dst, 1);
	}
	c = jit_code(&made, p, around(p, dst, src, middle, is_jump ? 4 : 1), how);
	if (!c) {
		wrong++;
		return;
	}
	check_code(id, dst, src, imm, c, is_jump);
	code_free(c);
}

static void check_rows(enum jit_how how)
{
	struct jit_made made = {0};
	struct bpf_insn none[] = {insn_exit()};
	struct vm_code *c = jit_code(&made, none, 1, how);

	if (!c) {
		test_skip("there is no JIT for this machine");
		return;
	}
	code_free(c);
	wrong = 0;
	/* an emulator takes its time: registers that are not alike, there */
	for (unsigned int id = 0; id < 4 * (ALU_COUNT + JUMP_COUNT); id++)
		for (unsigned int dst = 0; dst < 10; dst += getenv("EMULATED") ? 3 : 1) {
			if (insn_row_of(id)->is_imm)
				for (size_t k = 0; k < ELEMENTS(numbers); k++)
					check_row(id, dst, dst, numbers[k], how);
			else
				for (unsigned int src = 0; src < 10; src++)
					check_row(id, dst, src, 0, how);
		}
	CHECK_EQ(wrong, 0);
}

TEST(vm_jit_alu)
{
	check_rows(JIT_BEST);
}

TEST(vm_jit_alu_plain)
{
	check_rows(JIT_PLAIN);
}

/* What the machine makes of divide.h, in words of 64 bits. */
static uint64_t quotient(struct divide by, uint64_t a, uint64_t d, unsigned int bits)
{
	uint64_t t = (uint64_t)((unsigned __int128)a * by.m >> bits);

	switch (by.how) {
	case DIVIDE_ZERO:
		return 0;
	case DIVIDE_SHIFT:
		return a >> by.shift;
	case DIVIDE_ONCE:
		return a >= d;
	case DIVIDE_MUL:
		return t >> by.shift;
	case DIVIDE_LONG:
		return (((a - t) >> 1) + t) >> (by.shift - 1);
	}
	return 0;
}

TEST(vm_jit_divide)
{
	uint64_t x = 88172645463325252ull, bad = 0;

	for (int i = 0; i < 200000; i++) {
		unsigned int bits = i & 1 ? 32 : 64;
		uint64_t top = bits == 32 ? UINT32_MAX : UINT64_MAX, d, a;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		d = (i & 2 ? edges[x % ELEMENTS(edges)] : x >> (i / 4 & 63)) & top;
		for (int k = -2; k <= 2; k++) {
			uint64_t near = d * (x >> 40 & 255) + (uint64_t)k;

			a = (i & 8 ? near : i & 16 ? top + (uint64_t)k : x * 2654435761u) & top;
			bad += quotient(divide_by(d, bits), a, d, bits) != (d ? a / d : 0);
		}
	}
	CHECK_EQ(bad, 0);
}
