/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and ports of a connection.
 *
 * A record has our end and theirs, and a bit which of them is the server's.  Both, and the
 * client's and the server's, are put into scratch first, IPv4 addresses mapped into IPv6, as
 * event/rule/field-sock.c has them; networks are then two comparisons under a mask.
 */
#include "compile/rule/lower.h"

#include <sys/socket.h>

enum { SIDE_BYTES = 24, SIDE_PORT = 16 };

#define SOCK(m) offsetof(struct wire_sock, m)

static uint32_t side_at(const struct lower *l, enum side side)
{
	return l->sides + 8 + (uint32_t)side * SIDE_BYTES;
}

/* An address of the record, mapped if it is of IPv4. */
static void put_side(struct lower *l, enum side side, size_t address, size_t port)
{
	uint32_t v4 = ir_block_new(&l->b), v6 = ir_block_new(&l->b), done = ir_block_new(&l->b);
	uint32_t at = side_at(l, side);
	struct ir_val ip;

	ir_branch(&l->b, IRC_EQ, lower_stage_load(l, SOCK(family), 2, false), IR_I(AF_INET), v4,
		  v6);
	ir_block_go(&l->b, v4);
	ip = ir_math(&l->b, IR_SHL, lower_stage_load(l, address, 4, false), IR_I(32));
	lower_put_word(l, at, IR_I(0));
	lower_put_word(l, at + 8, ir_math(&l->b, IR_OR, ip, IR_I(0xffff0000)));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, v6);
	lower_put_word(l, at, lower_stage_load(l, address, 8, false));
	lower_put_word(l, at + 8, lower_stage_load(l, address + 8, 8, false));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
	lower_put_word(l, at + SIDE_PORT, lower_stage_load(l, port, 2, false));
}

static void copy_side(struct lower *l, enum side to, enum side from)
{
	for (uint32_t i = 0; i < SIDE_BYTES; i += 8)
		lower_put_word(l, side_at(l, to) + i, lower_word(l, side_at(l, from) + i));
}

/* Has it addresses at all?  Else to `none`. */
static void need_addresses(struct lower *l, uint32_t none)
{
	uint32_t is_inet = ir_block_new(&l->b), no_v4 = ir_block_new(&l->b), some;

	if (l->k->kind == EV_DUP) {
		some = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_SET, lower_stage_load(l, SOCK(bits), 4, false),
			  IR_I(WIRE_SOCK_IS_SOCKET), some, none);
		ir_block_go(&l->b, some);
	}
	ir_branch(&l->b, IRC_EQ, lower_stage_load(l, SOCK(family), 2, false), IR_I(AF_INET),
		  is_inet, no_v4);
	ir_block_go(&l->b, no_v4);
	ir_branch(&l->b, IRC_EQ, lower_stage_load(l, SOCK(family), 2, false), IR_I(AF_INET6),
		  is_inet, none);
	ir_block_go(&l->b, is_inet);
}

/* Theirs is there if it has a port or an address; IPv4 has the first four bytes alone. */
static void look_for_peer(struct lower *l, uint32_t peer, uint32_t alone)
{
	uint32_t no_port = ir_block_new(&l->b), v4 = ir_block_new(&l->b), v6 = ir_block_new(&l->b);
	struct ir_val all;

	ir_branch(&l->b, IRC_NE, lower_stage_load(l, SOCK(dport), 2, false), IR_I(0), peer,
		  no_port);
	ir_block_go(&l->b, no_port);
	ir_branch(&l->b, IRC_EQ, lower_stage_load(l, SOCK(family), 2, false), IR_I(AF_INET), v4,
		  v6);
	ir_block_go(&l->b, v4);
	ir_branch(&l->b, IRC_NE, lower_stage_load(l, SOCK(daddr), 4, false), IR_I(0), peer, alone);
	ir_block_go(&l->b, v6);
	all = ir_math(&l->b, IR_OR, lower_stage_load(l, SOCK(daddr), 8, false),
		      lower_stage_load(l, SOCK(daddr) + 8, 8, false));
	ir_branch(&l->b, IRC_NE, all, IR_I(0), peer, alone);
}

static void sort_sides(struct lower *l)
{
	uint32_t server = ir_block_new(&l->b), client = ir_block_new(&l->b),
		 done = ir_block_new(&l->b);
	struct ir_val has;

	ir_branch(&l->b, IRC_SET, lower_stage_load(l, SOCK(bits), 4, false), IR_I(WIRE_SOCK_SERVER),
		  server, client);
	ir_block_go(&l->b, server);
	copy_side(l, SIDE_SERVER, SIDE_OURS);
	copy_side(l, SIDE_CLIENT, SIDE_THEIRS);
	has = ir_math(&l->b, IR_OR, lower_word(l, l->sides), IR_I(SIDES_SERVER));
	lower_put_word(l, l->sides, has);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, client);
	copy_side(l, SIDE_SERVER, SIDE_THEIRS);
	copy_side(l, SIDE_CLIENT, SIDE_OURS);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

void lower_sides(struct lower *l)
{
	uint32_t none = ir_block_new(&l->b), peer = ir_block_new(&l->b),
		 alone = ir_block_new(&l->b), sort = ir_block_new(&l->b),
		 done = ir_block_new(&l->b);

	need_addresses(l, none);
	put_side(l, SIDE_OURS, SOCK(saddr), SOCK(sport));
	put_side(l, SIDE_THEIRS, SOCK(daddr), SOCK(dport));
	look_for_peer(l, peer, alone);
	ir_block_go(&l->b, peer);
	lower_put_word(l, l->sides, IR_I(SIDES_ADDRESSED | SIDES_PEER | SIDES_SERVER));
	ir_jump(&l->b, sort);
	ir_block_go(&l->b, alone);
	lower_put_word(l, l->sides, IR_I(SIDES_ADDRESSED));
	ir_jump(&l->b, sort);
	ir_block_go(&l->b, sort);
	sort_sides(l);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, none);
	lower_put_word(l, l->sides, IR_I(0));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

/* --- checks */

static void test_net(struct lower *l, uint32_t at, const struct net *n, uint32_t yes, uint32_t no)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t more;
		struct ir_val v;

		if (!n->mask[i])
			continue;
		more = ir_block_new(&l->b);
		v = lower_word(l, at + i * 8);
		if (~n->mask[i])
			v = ir_math(&l->b, IR_AND, v, IR_I((int64_t)n->mask[i]));
		ir_branch(&l->b, IRC_EQ, v, IR_I((int64_t)n->value[i]), more, no);
		ir_block_go(&l->b, more);
	}
	ir_jump(&l->b, yes);
}

/* One end against all networks, or ports. */
static void test_side(struct lower *l, const struct addresses *a, enum side side, uint32_t yes,
		      uint32_t no)
{
	uint32_t at = side_at(l, side);

	if (a->is_any) {
		ir_jump(&l->b, yes);
		return;
	}
	if (a->is_port) {
		lower_any(l, lower_word(l, at + SIDE_PORT), a->ports.p, a->ports.n, yes, no);
		return;
	}
	for (size_t i = 0; i < a->nets.n; i++) {
		uint32_t next = ir_block_new(&l->b);

		test_net(l, at, &a->nets.p[i], yes, next);
		ir_block_go(&l->b, next);
	}
	ir_jump(&l->b, no);
}

void lower_address(struct lower *l, const struct addresses *a, bool is_negated, uint32_t yes,
		   uint32_t no)
{
	/* it is one of them, it is none of them, there is no address */
	uint32_t one = a->is_negated == is_negated || !a->is_exact ? yes : no;
	uint32_t other = a->is_negated == is_negated ? no : yes, missing = is_negated ? yes : no;

	for (unsigned int i = 0; i < a->n_sides; i++) {
		bool is_last = i + 1 == a->n_sides;
		uint32_t there = ir_block_new(&l->b), next = is_last ? other : ir_block_new(&l->b);

		ir_branch(&l->b, IRC_SET, lower_word(l, l->sides), IR_I(a->has[i]), there,
			  i ? other : missing);
		ir_block_go(&l->b, there);
		test_side(l, a, a->sides[i], one, next);
		if (!is_last)
			ir_block_go(&l->b, next);
	}
}
