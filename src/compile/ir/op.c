/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/ir/op.h"

#define PURE   IRF_PURE
#define READS  IRF_READS
#define WRITES IRF_WRITES
#define CALLS  IRF_CALLS

/* The table of forms at enum ir_form, as bits. */
enum {
	PLACES_UNARY = IRF_READS_A,
	PLACES_BINARY = IRF_READS_A | IRF_READS_B,
	PLACES_EXTEND = IRF_READS_A,
	PLACES_ADDRESS = 0,
	PLACES_SPACE = 0,
	PLACES_LOAD = IRF_READS_A | IRF_WRITES_B,
	PLACES_STORE = IRF_READS_A | IRF_READS_B,
	PLACES_ATOMIC = IRF_READS_A | IRF_READS_B,
	PLACES_FILL = IRF_READS_A,
	PLACES_COPY = IRF_READS_A | IRF_READS_B,
	PLACES_CALL = IRF_READS_ARGS
};

const struct ir_op_info ir_op_info[IR_OPS] = {
#define IROP(id, name, form, flags, help) [IR_##id] = {name, IRF_##form, flags, help},
#include "compile/ir/ops.def"
#undef IROP
};

const uint8_t ir_places[IR_OPS] = {
#define IROP(id, name, form, flags, help) [IR_##id] = PLACES_##form,
#include "compile/ir/ops.def"
#undef IROP
};

const char *const ir_class_names[IR_CLASSES] = {
	[IRC_INT] = "int", [IRC_PTR] = "ptr", [IRC_KPTR] = "kptr",
	[IRC_BTF] = "btf", [IRC_MAP] = "map",
};

const char *const ir_cond_names[IR_CONDS] = {
	[IRC_EQ] = "eq",   [IRC_NE] = "ne",   [IRC_ULT] = "ult", [IRC_ULE] = "ule",
	[IRC_UGT] = "ugt", [IRC_UGE] = "uge", [IRC_SLT] = "slt", [IRC_SLE] = "sle",
	[IRC_SGT] = "sgt", [IRC_SGE] = "sge", [IRC_SET] = "set",
};

/* --- arithmetic */

/* The smallest number divided by -1 has no positive counterpart: it wraps to itself. */
static uint64_t signed_div(int64_t x, int64_t y, bool rest)
{
	if (!y)
		return rest ? (uint64_t)x : 0;
	if (y == -1)
		return rest ? 0 : -(uint64_t)x;
	return (uint64_t)(rest ? x % y : x / y);
}

uint64_t ir_eval_binary(enum ir_op op, uint64_t x, uint64_t y)
{
	int64_t sx = (int64_t)x, sy = (int64_t)y;

	switch ((int)op) {
	case IR_ADD:
		return x + y;
	case IR_SUB:
		return x - y;
	case IR_MUL:
		return x * y;
	case IR_UDIV:
		return y ? x / y : 0;
	case IR_UMOD:
		return y ? x % y : x;
	case IR_SDIV:
		return signed_div(sx, sy, false);
	case IR_SMOD:
		return signed_div(sx, sy, true);
	case IR_AND:
		return x & y;
	case IR_OR:
		return x | y;
	case IR_XOR:
		return x ^ y;
	case IR_SHL:
		return x << (y & 63);
	case IR_SHR:
		return x >> (y & 63);
	case IR_SAR:
		return (uint64_t)(sx >> (y & 63));
	case IR_SETEQ:
		return x == y;
	case IR_SETNE:
		return x != y;
	case IR_SETULT:
		return x < y;
	case IR_SETULE:
		return x <= y;
	case IR_SETSLT:
		return sx < sy;
	case IR_SETSLE:
		return sx <= sy;
	}
	return 0; /* not of this form */
}

static uint64_t swap_bytes(uint64_t x, unsigned int bits)
{
	if (bits == 16)
		return __builtin_bswap16((uint16_t)x);
	if (bits == 32)
		return __builtin_bswap32((uint32_t)x);
	return __builtin_bswap64(x);
}

uint64_t ir_eval_unary(enum ir_op op, unsigned int bits, uint64_t x)
{
	unsigned int up = bits && bits < 64 ? 64 - bits : 0;

	switch ((int)op) {
	case IR_MOV:
		return x;
	case IR_NEG:
		return -x;
	case IR_NOT:
		return ~x;
	case IR_ZEXT:
		return x << up >> up;
	case IR_SEXT:
		return (uint64_t)((int64_t)(x << up) >> up);
	case IR_SWAP:
		return swap_bytes(x, bits);
	}
	return 0;
}

bool ir_eval_cond(enum ir_cond cond, uint64_t x, uint64_t y)
{
	int64_t sx = (int64_t)x, sy = (int64_t)y;

	switch (cond) {
	case IRC_EQ:
		return x == y;
	case IRC_NE:
		return x != y;
	case IRC_ULT:
		return x < y;
	case IRC_ULE:
		return x <= y;
	case IRC_UGT:
		return x > y;
	case IRC_UGE:
		return x >= y;
	case IRC_SLT:
		return sx < sy;
	case IRC_SLE:
		return sx <= sy;
	case IRC_SGT:
		return sx > sy;
	case IRC_SGE:
		return sx >= sy;
	case IRC_SET:
		return x & y;
	}
	return false;
}

enum ir_cond ir_cond_not(enum ir_cond cond, bool *ret_ok)
{
	static const uint8_t opposite[IR_CONDS] = {
		[IRC_EQ] = IRC_NE,   [IRC_NE] = IRC_EQ,	  [IRC_ULT] = IRC_UGE, [IRC_ULE] = IRC_UGT,
		[IRC_UGT] = IRC_ULE, [IRC_UGE] = IRC_ULT, [IRC_SLT] = IRC_SGE, [IRC_SLE] = IRC_SGT,
		[IRC_SGT] = IRC_SLE, [IRC_SGE] = IRC_SLT, [IRC_SET] = IRC_SET,
	};

	*ret_ok = cond != IRC_SET;
	return opposite[cond];
}

enum ir_cond ir_cond_swap(enum ir_cond cond)
{
	static const uint8_t swapped[IR_CONDS] = {
		[IRC_EQ] = IRC_EQ,   [IRC_NE] = IRC_NE,	  [IRC_ULT] = IRC_UGT, [IRC_ULE] = IRC_UGE,
		[IRC_UGT] = IRC_ULT, [IRC_UGE] = IRC_ULE, [IRC_SLT] = IRC_SGT, [IRC_SLE] = IRC_SGE,
		[IRC_SGT] = IRC_SLT, [IRC_SGE] = IRC_SLE, [IRC_SET] = IRC_SET,
	};

	return swapped[cond];
}

/* --- who reads and writes what */

bool ir_is_droppable(const struct ir_insn *i)
{
	/* A read of memory has no effect but its results. */
	return !(ir_op_info[i->op].flags & IRF_WRITES);
}

bool ir_is_call(const struct ir_insn *i)
{
	return ir_op_info[i->op].flags & IRF_CALLS;
}
