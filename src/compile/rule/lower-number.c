/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the record: loaded, and held against a check's tests. */
#include "compile/rule/lower.h"

#include "catalog/catalog.h"
#include "compile/rule/number.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The number of the call; 1 << 32 is added for calls of 32 bits. */
static struct ir_val load_call(struct lower *l)
{
	enum body body = body_of_kind(l->k->kind);
	unsigned int call = body_calls[body];
	struct ir_val nr, compat;

	compat = lower_stage_load(l, offsetof(struct wire_head, flags), 2, false);
	compat = ir_math(&l->b, IR_AND, compat, IR_I(WIRE_F_COMPAT));
	compat = ir_math(&l->b, IR_SHL, compat, IR_I(32 - 1));
	_Static_assert(WIRE_F_COMPAT == 2, "shifted so far");
	if (call) {
		nr = lower_stage_load(l, call, 4, false);
	} else if (body == BODY_wire_proc) {
		nr = lower_stage_load(l, ANNEX(flags), 4, false);
		nr = ir_math(&l->b, IR_SHR, nr, IR_I(__builtin_ctz(WIRE_A_EXECVEAT)));
		nr = ir_math(&l->b, IR_AND, nr, IR_I(1));
	} else {
		return IR_I(INT32_MAX);
	}
	return ir_math(&l->b, IR_OR, nr, compat);
}

/* --- numbers that are worked out */

/* 0 or 1, by a comparison. */
static struct ir_val is(struct lower *l, enum ir_cond cond, struct ir_val x, struct ir_val y)
{
	return ir_compare(&l->b, cond, x, y);
}

static struct ir_val is_set(struct lower *l, size_t off, unsigned int size, uint64_t mask)
{
	struct ir_val v = lower_stage_load(l, off, size, false);

	return is(l, IRC_NE, ir_math(&l->b, IR_AND, v, IR_I((int64_t)mask)), IR_I(0));
}

static struct ir_val load_makes(struct lower *l, bool program)
{
	enum { NAMELESS = O_TMPFILE & ~O_DIRECTORY };
	struct ir_builder *b = &l->b;
	size_t flags = offsetof(struct wire_file, flags), bits = offsetof(struct wire_file, bits);
	struct ir_val good;

	if (program)
		return ir_math(b, IR_AND, is_set(l, flags, 4, O_CREAT | NAMELESS),
			       is_set(l, offsetof(struct wire_file, mode), 4, 0111));
	good = is(l, IRC_SGE, lower_stage_load(l, offsetof(struct wire_head, ret), 8, false),
		  IR_I(0));
	return ir_math(b, IR_OR, is_set(l, bits, 4, WIRE_FILE_CREATED),
		       ir_math(b, IR_AND, is_set(l, flags, 4, NAMELESS), good));
}

/* Protocols that have a name; else whether the socket is a raw one. */
static struct ir_val load_protocol(struct lower *l)
{
	static const uint16_t known[] = {IPPROTO_TCP,	  IPPROTO_MPTCP & 0xffff, IPPROTO_UDP,
					 IPPROTO_UDPLITE, IPPROTO_ICMP,		  IPPROTO_ICMPV6,
					 IPPROTO_RAW};
	struct ir_builder *b = &l->b;
	uint32_t inet = ir_block_new(b), v6 = ir_block_new(b), none = ir_block_new(b),
		 raw = ir_block_new(b), done = ir_block_new(b);
	struct ir_val family, protocol;
	ir_reg v = ir_reg_new(b, IRC_INT, "l4proto");

	family = lower_stage_load(l, offsetof(struct wire_sock, family), 2, false);
	ir_branch(b, IRC_EQ, family, IR_I(AF_INET), inet, v6);
	ir_block_go(b, v6);
	ir_branch(b, IRC_EQ, family, IR_I(AF_INET6), inet, none);
	ir_block_go(b, inet);
	protocol = lower_stage_load(l, offsetof(struct wire_sock, protocol), 2, false);
	ir_set(b, v, protocol);
	for (size_t i = 0; i < ELEMENTS(known); i++) {
		uint32_t next = ir_block_new(b);

		ir_branch(b, IRC_EQ, protocol, IR_I(known[i]), done, next);
		ir_block_go(b, next);
	}
	ir_set(b, v, IR_I(1 << 16));
	ir_branch(b, IRC_EQ, lower_stage_load(l, offsetof(struct wire_sock, type), 2, false),
		  IR_I(SOCK_RAW), done, none);
	ir_block_go(b, none);
	ir_set(b, v, IR_I(1 << 17));
	ir_jump(b, raw);
	ir_block_go(b, raw);
	ir_jump(b, done);
	ir_block_go(b, done);
	return IR_R(v);
}

static struct ir_val load_plain(struct lower *l, const struct number *n, uint32_t missing)
{
	struct ir_val v = lower_stage_load(l, n->off, n->size, n->is_signed);
	uint32_t there;

	if (n->has_no_value) {
		there = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_EQ, v, IR_I(0), missing, there);
		ir_block_go(&l->b, there);
	}
	if (n->how == NUMBER_CLAMP)
		return ir_math(&l->b, IR_OR, v, ir_math(&l->b, IR_SAR, v, IR_I(63)));
	if (n->shift)
		v = ir_math(&l->b, IR_SHR, v, IR_I(n->shift));
	if (n->mask)
		v = ir_math(&l->b, IR_AND, v, IR_I((int64_t)n->mask));
	return v;
}

/* Where there is no value the check is false: goes to `missing`; to `unknown` if nobody knows. */
static struct ir_val load_number(struct lower *l, const struct number *n, uint32_t missing,
				 uint32_t unknown)
{
	struct ir_val v;
	uint32_t there;

	if (n->has_mask) {
		there = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_SET, lower_stage_load(l, n->has_off, 4, false),
			  IR_I(n->has_mask), there, n->is_unknown_without ? unknown : missing);
		ir_block_go(&l->b, there);
	}
	switch (n->how) {
	case NUMBER_NONE:
	case NUMBER_UNKNOWN:
		break;
	case NUMBER_CONST:
		return IR_I(n->value);
	case NUMBER_LOAD:
	case NUMBER_CLAMP:
		return load_plain(l, n, missing);
	case NUMBER_CALL:
		return load_call(l);
	case NUMBER_SAME:
		return is(l, IRC_EQ, lower_stage_load(l, n->off, 4, false),
			  lower_stage_load(l, n->off2, 4, false));
	case NUMBER_MORE:
		return is(l, IRC_ULT, lower_stage_load(l, n->off2, 2, false),
			  lower_stage_load(l, n->off, 4, false));
	case NUMBER_HALVES:
		v = ir_math(&l->b, IR_SHL, lower_stage_load(l, n->off2, 4, false), IR_I(32));
		return ir_math(&l->b, IR_OR, v, lower_stage_load(l, n->off, 4, false));
	case NUMBER_MAKES_PROGRAM:
	case NUMBER_MAKES_FILE:
		return load_makes(l, n->how == NUMBER_MAKES_PROGRAM);
	case NUMBER_L4PROTO:
		return load_protocol(l);
	}
	return IR_I(0);
}

/* --- tests */

static void test_range(struct lower *l, struct ir_val v, const struct test *t, uint32_t yes,
		       uint32_t no)
{
	bool is_signed = t->kind == TEST_SIGNED;
	int64_t least = is_signed ? INT64_MIN : 0, most = is_signed ? INT64_MAX : -1;
	uint32_t more;

	if (t->lo == t->hi) {
		ir_branch(&l->b, IRC_EQ, v, IR_I(t->lo), yes, no);
		return;
	}
	if (t->lo == least && t->hi == most) {
		ir_jump(&l->b, yes);
		return;
	}
	if (t->lo != least) {
		more = t->hi == most ? yes : ir_block_new(&l->b);
		ir_branch(&l->b, is_signed ? IRC_SGE : IRC_UGE, v, IR_I(t->lo), more, no);
		if (t->hi == most)
			return;
		ir_block_go(&l->b, more);
	}
	ir_branch(&l->b, is_signed ? IRC_SLE : IRC_ULE, v, IR_I(t->hi), yes, no);
}

static void test(struct lower *l, struct ir_val v, const struct test *t, uint32_t yes, uint32_t no)
{
	switch (t->kind) {
	case TEST_ALWAYS:
		ir_jump(&l->b, yes);
		return;
	case TEST_MASK:
		if (t->hi != -1)
			v = ir_math(&l->b, IR_AND, v, IR_I(t->hi));
		ir_branch(&l->b, IRC_EQ, v, IR_I(t->lo), yes, no);
		return;
	case TEST_SIGNED:
	case TEST_UNSIGNED:
		test_range(l, v, t, yes, no);
		return;
	}
}

/* To `yes` if one of the tests is true. */
void lower_any(struct lower *l, struct ir_val v, const struct test *t, size_t n, uint32_t yes,
	       uint32_t no)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t next = i + 1 < n ? ir_block_new(&l->b) : no;

		test(l, v, &t[i], yes, next);
		if (i + 1 < n)
			ir_block_go(&l->b, next);
	}
	if (!n)
		ir_jump(&l->b, no);
}

void lower_tests(struct lower *l, const struct tests *t, bool is_negated, uint32_t yes, uint32_t no)
{
	/* there is no value: the check is false, its negation true */
	struct ir_val v = load_number(l, &t->number, is_negated ? yes : no, yes);

	if (t->may_lack && is_negated)
		ir_jump(&l->b, yes);
	else if (t->is_partial && is_negated)
		lower_any(l, v, t->known.p, t->known.n, no, yes);
	else if (t->is_partial)
		lower_any(l, v, t->list.p, t->list.n, no, yes);
	else if (t->is_negated == is_negated)
		/* x in list: may it be?  not (x not in list): the same */
		lower_any(l, v, t->list.p, t->list.n, yes, no);
	else if (!t->is_exact)
		ir_jump(&l->b, yes);
	else
		lower_any(l, v, t->list.p, t->list.n, no, yes);
}
