/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers that found no place.
 *
 * A constant or an address is made again in front of each reader.  Anything else gets
 * eight bytes of the frame: written behind each writer, read in front of each reader.
 * Moves need no register for that.  Two spilled registers that are never alive together
 * share their bytes.
 *
 * Where the stack is too small for that, numbers go to the program's scratch: not pointers,
 * which the verifier would not know again, and not what is written before the scratch was
 * looked up, in the function's first block.
 */
#include "compile/gen/mach.h"

struct home {
	uint32_t v;	    /* the register, as index */
	uint8_t writes;	    /* 0, 1, more */
	uint32_t object;    /* frame object + 1; 0: made again, or in scratch */
	bool is_in_scratch; /* at `off` */
	bool is_early;	    /* written in the first block */
	int32_t off;
	struct mach_insn again;
};

struct spiller {
	struct mach *c;
	uint32_t n_vregs;    /* those of `homes`: newer ones are tiny */
	struct home **homes; /* by virtual register; NULL: it is not spilled */
	ARRAY(struct home *) all;
	struct mach_block *to;
};

static bool is_spilled(const struct spiller *s, mach_reg r)
{
	return r >= MACH_VIRTUAL && r - MACH_VIRTUAL < s->n_vregs && s->homes[r - MACH_VIRTUAL];
}

static struct home *home_of(const struct spiller *s, mach_reg r)
{
	return s->homes[r - MACH_VIRTUAL];
}

/* Find the one cheap instruction that writes each spilled register. */
static void find_cheap(struct spiller *s)
{
	mach_reg regs[8];

	for (uint32_t b = 0; b < s->c->blocks.n; b++) {
		for (uint32_t k = 0; k < s->c->blocks.p[b].insns.n; k++) {
			struct mach_insn *i = &s->c->blocks.p[b].insns.p[k];
			unsigned int n = mach_defs(i, regs);

			for (unsigned int d = 0; d < n; d++) {
				struct home *h;

				if (!is_spilled(s, regs[d]))
					continue;
				h = home_of(s, regs[d]);
				h->writes |= 1 + h->writes;
				h->again = *i;
				h->is_early |= !b;
			}
		}
	}
	for (size_t k = 0; k < s->all.n; k++)
		if (s->all.p[k]->writes != 1 || !mach_is_cheap(&s->all.p[k]->again))
			s->all.p[k]->again.op = MACH_MOV;
}

static bool to_scratch(struct spiller *s, struct home *h)
{
	enum ir_class class = s->c->vregs.p[h->v].class;
	uint32_t *at = s->c->scratch_at;

	if (!at || h->is_early || (class != IRC_INT && class != IRC_KPTR))
		return false;
	*at = (*at + 7) & ~7u;
	h->is_in_scratch = true;
	h->off = (int32_t)*at;
	*at += 8;
	return true;
}

/* An object of the frame for each that is not made again; the first that is free. */
static void find_objects(struct spiller *s, const struct live *l)
{
	ARRAY(struct home *) mine = {};

	for (size_t i = 0; i < s->all.n; i++) {
		struct home *h = s->all.p[i];
		uint32_t first = mine.n ? mine.p[0]->object : 0, object = 0;

		if (mach_is_cheap(&h->again) || to_scratch(s, h))
			continue;
		for (uint32_t o = first; first && o <= s->c->objects.n && !object; o++) {
			bool taken = false;

			for (size_t k = 0; k < mine.n && !taken; k++)
				taken = mine.p[k]->object == o &&
					live_overlap(&l->vregs[h->v], &l->vregs[mine.p[k]->v]);
			if (!taken)
				object = o;
		}
		if (!object)
			object = mach_object_new(s->c, 8);
		s->c->objects.p[object - 1].is_used = true;
		h->object = object;
		array_push(s->c->arena, &mine, h);
		if (h->v + MACH_VIRTUAL == s->c->scratch)
			s->c->scratch_object = object;
	}
}

static void put(struct spiller *s, struct mach_insn i)
{
	array_push(s->c->arena, &s->to->insns, i);
}

static mach_reg tiny(struct spiller *s, mach_reg of)
{
	mach_reg t = mach_vreg_new(s->c, mach_vreg(s->c, of)->class);

	mach_vreg(s->c, t)->is_tiny = true;
	return t;
}

/* Where a spilled register is, as the place of a load or store. */
static struct mach_insn home_place(struct spiller *s, const struct home *h, struct span span)
{
	struct mach_insn at = {.size = 8, .a = MACH_FP, .object = h->object, .span = span};
	mach_reg t;

	if (!h->is_in_scratch)
		return at;
	at.a = s->c->scratch;
	at.object = 0;
	at.off = h->off;
	if (!s->c->scratch_object)
		return at;
	t = tiny(s, s->c->scratch);
	put(s, (struct mach_insn){.op = MACH_LOAD,
				  .size = 8,
				  .dst = t,
				  .a = MACH_FP,
				  .object = s->c->scratch_object,
				  .span = span});
	at.a = t;
	return at;
}

/* The spilled register's value into `to`. */
static void put_read(struct spiller *s, mach_reg r, mach_reg to, struct span span)
{
	struct home *h = home_of(s, r);
	struct mach_insn i = h->again;

	if (!mach_is_cheap(&i)) {
		i = home_place(s, h, span);
		i.op = MACH_LOAD;
	}
	i.dst = to;
	i.span = span;
	put(s, i);
}

static void put_write(struct spiller *s, mach_reg r, mach_reg from, int64_t imm, struct span span)
{
	struct mach_insn i = home_place(s, home_of(s, r), span);

	i.op = MACH_STORE;
	i.b = from;
	i.imm = imm;
	put(s, i);
}

/* Moves and constants to and from memory.  False: not one of these. */
static bool spill_move(struct spiller *s, const struct mach_insn *i)
{
	bool to = is_spilled(s, i->dst), from = i->op == MACH_MOV && is_spilled(s, i->a);
	mach_reg t;

	if (to && mach_is_cheap(&home_of(s, i->dst)->again))
		return true; /* made again where it is read */
	if (i->op == MACH_IMM && to && i->imm == (int32_t)i->imm) {
		put_write(s, i->dst, 0, i->imm, i->span);
		return true;
	}
	if (i->op != MACH_MOV || i->a == MACH_FP)
		return false;
	if (to && from) {
		t = tiny(s, i->a);
		put_read(s, i->a, t, i->span);
		put_write(s, i->dst, t, 0, i->span);
	} else if (to) {
		put_write(s, i->dst, i->a, 0, i->span);
	} else if (from) {
		put_read(s, i->a, i->dst, i->span);
	} else {
		return false;
	}
	return true;
}

static void replace(struct mach_insn *i, mach_reg r, mach_reg by)
{
	i->dst = i->dst == r ? by : i->dst;
	i->a = i->a == r ? by : i->a;
	i->b = i->b == r ? by : i->b;
}

static void spill_insn(struct spiller *s, struct mach_insn i)
{
	mach_reg uses[8], defs[8], was[4], now[4];
	unsigned int n_uses = mach_uses(&i, uses), n_defs = mach_defs(&i, defs), n = 0, k;
	struct mach_insn out = i;

	if (spill_move(s, &i))
		return;
	for (unsigned int u = 0; u < n_uses; u++) {
		for (k = 0; k < n && was[k] != uses[u]; k++)
			;
		if (k < n || !is_spilled(s, uses[u]))
			continue;
		was[n] = uses[u];
		now[n] = tiny(s, uses[u]);
		put_read(s, was[n], now[n], i.span);
		replace(&out, was[n], now[n]);
		n++;
	}
	if (n_defs == 1 && is_spilled(s, defs[0])) {
		for (k = 0; k < n && was[k] != defs[0]; k++)
			;
		if (k == n) {
			was[n] = defs[0];
			now[n++] = tiny(s, defs[0]);
			replace(&out, was[k], now[k]);
		}
		put(s, out);
		put_write(s, was[k], now[k], 0, i.span);
		return;
	}
	put(s, out);
}

static void spill_block(struct spiller *s, struct mach_block *block)
{
	struct mach_block old = *block;

	array_reserve(s->c->arena, &block->insns, old.insns.n + old.insns.n / 2);
	block->insns.n = 0;
	s->to = block;
	for (uint32_t k = 0; k < old.insns.n; k++)
		spill_insn(s, old.insns.p[k]);
}

static bool names_spilled(const struct spiller *s, const struct mach_block *b)
{
	for (uint32_t k = 0; k < b->insns.n; k++) {
		const struct mach_insn *i = &b->insns.p[k];

		if (is_spilled(s, i->dst) || is_spilled(s, i->a) || is_spilled(s, i->b))
			return true;
	}
	return false;
}

void spill(struct mach *c, const struct live *l, const bool *spilled)
{
	struct spiller s = {.c = c, .n_vregs = c->vregs.n};

	s.homes = arena_array(c->arena, struct home *, s.n_vregs);
	for (uint32_t v = 0; v < s.n_vregs; v++) {
		if (!spilled[v])
			continue;
		s.homes[v] = arena_new(c->arena, struct home);
		s.homes[v]->v = v;
		array_push(c->arena, &s.all, s.homes[v]);
	}
	find_cheap(&s);
	find_objects(&s, l);
	for (uint32_t b = 0; b < c->blocks.n; b++)
		if (names_spilled(&s, &c->blocks.p[b]))
			spill_block(&s, &c->blocks.p[b]);
}
