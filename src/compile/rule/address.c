/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of addresses and ports: which ends of a connection, which networks. */
#include "compile/rule/number.h"

static const struct {
	enum rule_field field;
	enum side side;
	uint32_t has;
	bool is_both, is_port;
} rows[] = {
	{RF_fd_ip, SIDE_OURS, SIDES_ADDRESSED, true, false},
	{RF_fd_net, SIDE_OURS, SIDES_ADDRESSED, true, false},
	{RF_fd_port, SIDE_OURS, SIDES_ADDRESSED, true, true},
	{RF_fd_cip, SIDE_CLIENT, SIDES_PEER, false, false},
	{RF_fd_cnet, SIDE_CLIENT, SIDES_PEER, false, false},
	{RF_fd_cport, SIDE_CLIENT, SIDES_PEER, false, true},
	{RF_fd_sip, SIDE_SERVER, SIDES_SERVER, false, false},
	{RF_fd_snet, SIDE_SERVER, SIDES_SERVER, false, false},
	{RF_fd_sport, SIDE_SERVER, SIDES_SERVER, false, true},
	{RF_fd_lip, SIDE_OURS, SIDES_PEER, false, false},
	{RF_fd_lnet, SIDE_OURS, SIDES_PEER, false, false},
	{RF_fd_lport, SIDE_OURS, SIDES_PEER, false, true},
	{RF_fd_rip, SIDE_THEIRS, SIDES_PEER, false, false},
	{RF_fd_rnet, SIDE_THEIRS, SIDES_PEER, false, false},
	{RF_fd_rport, SIDE_THEIRS, SIDES_PEER, false, true},
};

static struct net make_net(const struct rule_literal *l)
{
	uint8_t mask[16] = {0}, value[16];
	struct net n;

	for (unsigned int i = 0; i < l->prefix; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	for (unsigned int i = 0; i < 16; i++)
		value[i] = l->ip[i] & mask[i];
	memcpy(n.mask, mask, sizeof(mask));
	memcpy(n.value, value, sizeof(value));
	return n;
}

/* A wide IPv6 network in which mapped IPv4 addresses are, but do not count. */
static bool holds_mapped(const struct rule_literal *l)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct net n = make_net(l);
	uint64_t words[2] = {0};

	if (l->prefix >= 96)
		return false;
	memcpy(words, mapped, sizeof(mapped));
	return (words[0] & n.mask[0]) == n.value[0] && (words[1] & n.mask[1]) == n.value[1];
}

static bool add_net(struct pushdown *x, struct addresses *a, struct str text)
{
	struct rule_literal l;

	if (!rule_literal_parse(RT_IP, text, &l))
		return true; /* equal to nothing */
	if (holds_mapped(&l))
		a->is_exact = false;
	array_push(x->arena, &a->nets, make_net(&l));
	return true;
}

/* Ports are tests of a number, made as for all numbers. */
static bool take_ports(struct pushdown *x, struct addresses *a, const struct rule_check *c,
		       const char **ret_why)
{
	struct tests t = {0};

	if (!number_plain(x, &t, c, RT_PORT, ret_why))
		return false;
	a->ports.p = t.list.p;
	a->ports.n = t.list.n;
	return true;
}

const struct addresses *addresses_make(struct pushdown *x, unsigned int kind,
				       const struct rule_check *c, const char **ret_why)
{
	struct addresses *a = arena_new(x->arena, struct addresses);
	size_t row = 0;

	(void)kind;
	*ret_why = "not an address";
	while (row < ELEMENTS(rows) && rows[row].field != c->left->field.id)
		row++;
	if (c->left->kind != RULE_TERM_FIELD || row == ELEMENTS(rows))
		return NULL;
	*ret_why = "several values";
	if (c->quantifier != RULE_Q_NONE && c->right.n > 1)
		return NULL;
	*a = (struct addresses){.sides = {rows[row].side, SIDE_THEIRS},
				.has = {rows[row].has, SIDES_PEER},
				.n_sides = rows[row].is_both ? 2 : 1,
				.is_port = rows[row].is_port,
				.is_exact = true,
				.is_any = c->op == RULE_EXISTS,
				.is_negated = c->op == RULE_NE};
	if (a->is_any)
		return a;
	if (a->is_port)
		return take_ports(x, a, c, ret_why) ? a : NULL;
	*ret_why = "this operator on an address";
	if (c->op != RULE_EQ && c->op != RULE_NE && c->op != RULE_IN && c->op != RULE_INTERSECTS)
		return NULL;
	for (size_t i = 0; i < c->right.n; i++) {
		*ret_why = "compared with another field";
		if (c->right.p[i]->kind != RULE_TERM_LITERAL || !add_net(x, a, c->right.p[i]->text))
			return NULL;
	}
	return a;
}
