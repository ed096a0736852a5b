/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of instructions: what follows from a row is worked out once, by the compiler.
 */
#include "isa/insn.h"

#include "base/macro.h"

#include <string.h>

#define CLASS_IS(code, class) (((code)&7) == (class))
/* loads and stores, and those of packets, which are of class LD */
#define HAS_MEMORY(code)                                     \
	((((code)&7) >= BPF_LDX && ((code)&7) <= BPF_STX) || \
	 (((code)&7) == BPF_LD && (((code)&0xe0) == BPF_ABS || ((code)&0xe0) == BPF_IND)))
#define IS_SIZE(code, size) (((code)&0x18) == (size))
#define BYTES(code)                 \
	(!HAS_MEMORY(code)	? 0 \
	 : IS_SIZE(code, BPF_B) ? 1 \
	 : IS_SIZE(code, BPF_H) ? 2 \
	 : IS_SIZE(code, BPF_W) ? 4 \
				: 8)
/* Of arithmetic and jumps: the second operand is the immediate. */
#define IS_IMM(code) (CLASS_IS(code, BPF_ST) || (!HAS_MEMORY(code) && !((code)&BPF_X)))

static const struct insn_row rows[] = {
#define _ INSN_ANY
#define INSN(name_, code_, dst_, src_, off_, imm_, cpu_, group_, text_)               \
	[INSN_##name_] = {                                                            \
		.name = #name_,                                                       \
		.text = text_,                                                        \
		.imm = imm_,                                                          \
		.off = off_,                                                          \
		.dst = dst_,                                                          \
		.src = src_,                                                          \
		.code = code_,                                                        \
		.cpu = cpu_,                                                          \
		.group = INSN_GROUP_##group_,                                         \
		.bytes = BYTES(code_),                                                \
		.is_32 = CLASS_IS(code_, BPF_ALU) || CLASS_IS(code_, BPF_JMP32),      \
		.is_imm = IS_IMM(code_),                                              \
		.is_signed = CLASS_IS(code_, BPF_LDX) && ((code_)&0xe0) == BPF_MEMSX, \
	},
#include "isa/insn.def"
#undef INSN
#undef _
};

/* insn_alu_of() and insn_jump_of() count on it. */
_Static_assert(INSN_ADD64_K == 0 && INSN_ARSH32_X == 4 * ALU_COUNT - 1 &&
		       INSN_JEQ64_K == 4 * ALU_COUNT &&
		       INSN_JSET32_X == 4 * (ALU_COUNT + JUMP_COUNT) - 1,
	       "arithmetic comes first, then comparisons, four rows each");

static bool is_row(const struct insn_row *row, const struct bpf_insn *i)
{
	return row->code == i->code && (row->dst == INSN_ANY || row->dst == i->dst_reg) &&
	       (row->src == INSN_ANY || row->src == i->src_reg) &&
	       (row->off == INSN_ANY || row->off == i->off) &&
	       (row->imm == INSN_ANY || row->imm == i->imm);
}

/* The opcodes alone, close together: what is searched most. */
static const uint8_t codes[] = {
#define INSN(name_, code_, dst_, src_, off_, imm_, cpu_, group_, text_) [INSN_##name_] = (code_),
#include "isa/insn.def"
#undef INSN
};

enum insn_id insn_identify(const struct bpf_insn *i)
{
	const uint8_t *at = codes, *end = codes + ELEMENTS(codes);

	if (i->dst_reg > BPF_REG_10 || i->src_reg > BPF_REG_10)
		return INSN_NONE;
	while (at < end && (at = memchr(at, i->code, (size_t)(end - at))) != NULL) {
		if (is_row(&rows[at - codes], i))
			return (enum insn_id)(at - codes);
		at++;
	}
	return INSN_NONE;
}

bool insn_has_code(uint8_t code)
{
	return memchr(codes, code, sizeof(codes)) != NULL;
}

const struct insn_row *insn_row_of(enum insn_id id)
{
	return &rows[id];
}

const struct insn_row *insn_row(const struct bpf_insn *i)
{
	enum insn_id id = insn_identify(i);

	return id == INSN_NONE ? NULL : &rows[id];
}

int insn_cpu(const struct bpf_insn *i)
{
	const struct insn_row *row = insn_row(i);

	return row ? row->cpu : 0;
}

enum insn_kind insn_kind(enum insn_id id)
{
	const struct insn_row *row = &rows[id];

	if (id < 4 * ALU_COUNT)
		return INSN_KIND_ALU;
	if (id < 4 * (ALU_COUNT + JUMP_COUNT))
		return INSN_KIND_JUMP;
	if (CLASS_IS(row->code, BPF_LDX))
		return INSN_KIND_LOAD;
	if (CLASS_IS(row->code, BPF_ST) ||
	    (CLASS_IS(row->code, BPF_STX) && (row->code & 0xe0) == BPF_MEM))
		return INSN_KIND_STORE;
	if (CLASS_IS(row->code, BPF_STX) && row->group != INSN_GROUP_LINUX)
		return INSN_KIND_ATOMIC;
	return INSN_KIND_OTHER;
}

/* alu.def, once for each width: what T, S and BITS are is the only difference. */
static uint64_t alu_64(enum insn_alu op, uint64_t a, uint64_t b)
{
	typedef uint64_t T;
	typedef int64_t S;
	enum { BITS = 64 };

	switch (op) {
#define ALU(name, op, off, sign, cpu, group, expr) \
	case ALU_##name:                           \
		return expr;
#include "isa/alu.def"
	case ALU_COUNT:
		break;
	}
	return 0;
}

static uint32_t alu_32(enum insn_alu op, uint32_t a, uint32_t b)
{
	typedef uint32_t T;
	typedef int32_t S;
	enum { BITS = 32 };

	switch (op) {
#define ALU(name, op, off, sign, cpu, group, expr) \
	case ALU_##name:                           \
		return expr;
#include "isa/alu.def"
	case ALU_COUNT:
		break;
	}
	return 0;
}

uint64_t insn_alu_eval(enum insn_alu op, bool is_32, uint64_t a, uint64_t b)
{
	return is_32 ? alu_32(op, (uint32_t)a, (uint32_t)b) : alu_64(op, a, b);
}

static bool jump_64(enum insn_jump op, uint64_t a, uint64_t b)
{
	typedef int64_t S;

	switch (op) {
#define JUMP(name, op, sign, cpu, expr) \
	case JUMP_##name:               \
		return expr;
#include "isa/alu.def"
	case JUMP_COUNT:
		break;
	}
	return false;
}

static bool jump_32(enum insn_jump op, uint32_t a, uint32_t b)
{
	typedef int32_t S;

	switch (op) {
#define JUMP(name, op, sign, cpu, expr) \
	case JUMP_##name:               \
		return expr;
#include "isa/alu.def"
	case JUMP_COUNT:
		break;
	}
	return false;
}

bool insn_jump_eval(enum insn_jump op, bool is_32, uint64_t a, uint64_t b)
{
	return is_32 ? jump_32(op, (uint32_t)a, (uint32_t)b) : jump_64(op, a, b);
}
