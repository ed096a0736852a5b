/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of integer literals.
 *
 * A literal is a number from −2⁶³ to 2⁶⁴ − 1.  Results are worked out exactly and must
 * fit again: two numbers that are not negative may give any of that range, with a negative
 * one the result is a signed number, but for the product of two negative ones.  Shifts
 * drop what leaves 64 bits.
 */
#include "compile/lang/bpftrace/fold.h"

typedef __int128 wide;

static wide value_of(const struct expr *e)
{
	return e->is_negative ? (wide)(int64_t)e->number : (wide)e->number;
}

static bool fits(wide v, bool as_signed)
{
	return v >= INT64_MIN && v <= (as_signed ? (wide)INT64_MAX : (wide)UINT64_MAX);
}

static bool shift(enum expr_op op, wide a, wide b, wide *ret)
{
	if (b < 0 || b >= 64)
		return false;
	if (op == OP_SHR)
		*ret = a >> b;
	else if (a < 0)
		*ret = (int64_t)((uint64_t)a << b);
	else
		*ret = (uint64_t)a << b;
	return true;
}

static bool divide(enum expr_op op, wide a, wide b, wide *ret)
{
	if (!b)
		return false;
	*ret = op == OP_DIV ? a / b : a % b;
	return true;
}

static bool compute(enum expr_op op, wide a, wide b, wide *ret)
{
	switch (op) {
	case OP_ADD:
		*ret = a + b;
		return fits(*ret, false);
	case OP_SUB:
		*ret = a - b;
		return fits(*ret, a < 0 || b < 0);
	case OP_MUL:
		return !__builtin_mul_overflow(a, b, ret) && fits(*ret, (a < 0) != (b < 0));
	case OP_DIV:
	case OP_MOD:
		return divide(op, a, b, ret);
	case OP_AND:
		*ret = a & b;
		return true;
	case OP_OR:
		*ret = a | b;
		return true;
	case OP_XOR:
		*ret = a ^ b;
		return true;
	case OP_SHL:
	case OP_SHR:
		return shift(op, a, b, ret);
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
	case OP_LAND:
	case OP_LOR:
	case OP_NOT:
	case OP_BNOT:
	case OP_NEG:
	case OP_DEREF:
	case OP_PREINC:
	case OP_PREDEC:
	case OP_POSTINC:
	case OP_POSTDEC:
		break;
	}
	return false;
}

bool fold_compare(enum expr_op op, int order, bool a, bool b, bool *ret)
{
	/* As the operators stand in enum expr_op, from OP_EQ on. */
	const bool results[] = {order == 0,  order != 0, (order < 0), order <= 0,
				(order > 0), order >= 0, a && b,      a || b};

	_Static_assert(OP_LOR - OP_EQ == 7, "comparisons stand together");
	if (op < OP_EQ || op > OP_LOR)
		return false;
	*ret = results[op - OP_EQ];
	return true;
}

void literal_set_int(struct expr *e, uint64_t number, bool is_negative)
{
	*e = (struct expr){
		.kind = EXPR_INT,
		.height = 1,
		.span = e->span,
		.op_span = e->op_span,
		.number = number,
		.is_negative = is_negative,
	};
}

void literal_set_bool(struct expr *e, bool value)
{
	literal_set_int(e, value, false);
	e->kind = EXPR_BOOL;
}

bool fold_int_binary(struct expr *e)
{
	wide a = value_of(e->a), b = value_of(e->b), v;
	bool truth;

	/* One signed, the other too large to be. */
	if (e->a->is_negative != e->b->is_negative && (a > INT64_MAX || b > INT64_MAX))
		return false;
	if (fold_compare(e->op, (a > b) - (a < b), a, b, &truth)) {
		literal_set_bool(e, truth);
		return true;
	}
	if (!compute(e->op, a, b, &v))
		return false;
	literal_set_int(e, (uint64_t)v, v < 0);
	return true;
}

bool fold_int_unary(struct expr *e)
{
	const struct expr *a = e->a;
	wide v = value_of(a);

	if (e->op == OP_BNOT) {
		literal_set_int(e, ~a->number, false);
	} else if (e->op == OP_NOT) {
		literal_set_bool(e, !a->number);
	} else if (e->op == OP_NEG) {
		if (-v < INT64_MIN)
			return false;
		literal_set_int(e, (uint64_t)-v, v > 0);
	}
	return true;
}
