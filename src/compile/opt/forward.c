/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was just stored is not loaded, but known; nor is it stored again.
 *
 * Along a block, and into blocks that are entered from there only, a short list says what
 * is at which place: after a store the value, after a load its result.  A load from such a
 * place becomes a move or an extension.  Places are slots with a fixed offset, or a fixed
 * register with a displacement.
 *
 * A write ends what it may overlap: two slots never do, nor do a slot and what a helper or
 * the module's spaces gave.  A helper writes no slot but those whose address it gets; a
 * slot whose address was stored or given to a function may change in any call.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what
 */
#include "compile/opt/facts.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

enum { MOST_KNOWN = 24 };

/* Some bytes of memory. */
struct spot {
	uint32_t slot; /* + 1 */
	ir_reg base;   /* else: this register */
	int64_t begin, end;
};

struct known {
	struct spot at;
	struct ir_val v; /* its low bytes are there; a number or a fixed register */
};

struct state {
	struct known list[MOST_KNOWN];
	unsigned int n;
};

struct forwarding {
	struct flow *fl;
	bool *is_wild;	       /* by slot: who has its address is not known */
	struct state **behind; /* by block; NULL: nobody goes on from there */
	struct state here;
	bool changed;
};

/* Where `v` points, through fixed registers. */
static struct spot spot_of(const struct flow *fl, struct ir_val v, int64_t off, int64_t n)
{
	const struct ir_insn *def = flow_def(fl, v);
	struct spot at = {.base = v.reg, .begin = off, .end = off + n};

	for (unsigned int k = 0; def && k < 8; k++) {
		if (def->op == IR_SLOT) {
			off += def->off;
			return (struct spot){.slot = def->index + 1, .begin = off, .end = off + n};
		}
		if (def->op != IR_MOV && (def->op != IR_ADD || def->b.reg ||
					  def->b.imm < INT32_MIN || def->b.imm > INT32_MAX))
			break;
		off += def->op == IR_ADD ? def->b.imm : 0;
		def = flow_def(fl, def->a);
	}
	return at;
}

/* The slot + 1 of that place; 0: none. */
static uint32_t slot_of(const struct flow *fl, struct ir_val v)
{
	const struct ir_insn *def = flow_def(fl, v);

	if (!def || (def->op != IR_SLOT && def->op != IR_MOV && def->op != IR_ADD))
		return 0; /* most are numbers */
	return spot_of(fl, v, 0, 1).slot;
}

/* Memory that is no slot of this function, for sure. */
static bool is_foreign(const struct flow *fl, ir_reg base)
{
	const struct ir_insn *def = fl->def[base];

	if (!flow_is_fixed(fl, base))
		return false;
	if (!def)
		return base <= fl->f->n_params;
	return def->op == IR_CALL || def->op == IR_GLOBAL || def->op == IR_SCRATCH ||
	       def->op == IR_MAPVALUE || def->op == IR_RODATA || def->op == IR_KSYM;
}

static bool may_overlap(const struct forwarding *fw, const struct spot *a, const struct spot *b)
{
	if (a->slot == b->slot && (a->slot || a->base == b->base))
		return a->begin < b->end && b->begin < a->end;
	if (a->slot && b->slot)
		return false;
	if (a->slot)
		return !is_foreign(fw->fl, b->base);
	if (b->slot)
		return !is_foreign(fw->fl, a->base);
	return true;
}

/* --- the list */

static void learn(struct forwarding *fw, struct spot at, struct ir_val v)
{
	if (!flow_is_fixed_val(fw->fl, v) || (!at.slot && !flow_is_fixed(fw->fl, at.base)))
		return;
	if (fw->here.n == MOST_KNOWN) { /* the oldest goes */
		memmove(fw->here.list, fw->here.list + 1,
			(MOST_KNOWN - 1) * sizeof(*fw->here.list));
		fw->here.n--;
	}
	fw->here.list[fw->here.n++] = (struct known){at, v};
}

/* What a write leaves of zeros around it. */
static void keep_rest(struct forwarding *fw, const struct spot *zeros, const struct spot *written)
{
	struct spot before = *zeros, behind = *zeros;

	before.end = written->begin;
	behind.begin = written->end;
	if (before.begin < before.end)
		learn(fw, before, IR_I(0));
	if (behind.begin < behind.end)
		learn(fw, behind, IR_I(0));
}

static void copy_state(struct state *to, const struct state *from)
{
	to->n = from->n;
	memcpy(to->list, from->list, from->n * sizeof(*from->list));
}

static void forget(struct forwarding *fw, const struct spot *written)
{
	struct state before;

	copy_state(&before, &fw->here);
	fw->here.n = 0;
	for (unsigned int k = 0; k < before.n; k++) {
		const struct known *i = &before.list[k];

		if (!may_overlap(fw, &i->at, written))
			learn(fw, i->at, i->v);
		else if (ir_is_imm(i->v, 0) && i->at.slot == written->slot &&
			 (i->at.slot || i->at.base == written->base))
			keep_rest(fw, &i->at, written);
	}
}

static const struct known *find(const struct forwarding *fw, const struct spot *at)
{
	for (unsigned int k = 0; k < fw->here.n; k++) {
		const struct known *i = &fw->here.list[k];
		bool is_same = i->at.slot == at->slot && (at->slot || i->at.base == at->base);

		if (is_same && i->at.begin == at->begin && i->at.end == at->end)
			return i;
		if (is_same && ir_is_imm(i->v, 0) && i->at.begin <= at->begin &&
		    i->at.end >= at->end)
			return i; /* part of zeros */
	}
	return NULL;
}

static void forget_call(struct forwarding *fw, const struct ir_insn *call)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < fw->here.n; k++) {
		const struct spot *at = &fw->here.list[k].at;
		bool is_lost = !at->slot || fw->is_wild[at->slot - 1];

		for (unsigned int a = 0; a < call->n_args && !is_lost; a++)
			is_lost = slot_of(fw->fl, call->args[a]) == at->slot;
		if (!is_lost)
			fw->here.list[n++] = fw->here.list[k];
	}
	fw->here.n = n;
}

/* --- instructions */

static bool is_number(enum ir_class c)
{
	return c == IRC_INT || c == IRC_KPTR;
}

static bool load_known(struct forwarding *fw, struct ir_insn *i, const struct known *k)
{
	const struct ir_reg_info *regs = fw->fl->f->regs.p;
	enum ir_class to = regs[i->dst].class, from = k->v.reg ? regs[k->v.reg].class : IRC_INT;
	unsigned int size = i->size;
	bool sign = i->sign;

	if (to != from && !(is_number(to) && is_number(from)))
		return false;
	if (size < 8 && !is_number(from))
		return false;
	flow_become(i, size == 8 ? IR_MOV : sign ? IR_SEXT : IR_ZEXT, k->v, (struct ir_val){});
	i->size = size == 8 ? 0 : (uint8_t)(size * 8);
	fw->changed = true;
	return true;
}

static void run_load(struct forwarding *fw, struct ir_insn *i)
{
	struct spot at = spot_of(fw->fl, i->a, i->off, i->size);
	const struct known *k = find(fw, &at);

	if (fw->fl->f->regs.p[i->a.reg].class != IRC_PTR || i->b.reg)
		return;
	if (!k || !load_known(fw, i, k))
		learn(fw, at, IR_R(i->dst));
}

/* Is in a slot what `i` stores there? */
static bool is_there(const struct forwarding *fw, const struct ir_insn *i, const struct spot *at)
{
	const struct known *k = at->slot ? find(fw, at) : NULL;
	unsigned int bits = i->size * 8u;

	if (!k || (i->op != IR_STORE && i->op != IR_ZERO))
		return false;
	if (i->op == IR_ZERO)
		return ir_is_imm(k->v, 0);
	if (i->b.reg || k->v.reg)
		return ir_val_eq(i->b, k->v);
	return ir_eval_unary(IR_ZEXT, bits, (uint64_t)i->b.imm) ==
	       ir_eval_unary(IR_ZEXT, bits, (uint64_t)k->v.imm);
}

static void run_write(struct forwarding *fw, struct ir_insn *i)
{
	enum ir_form form = ir_op_info[i->op].form;
	struct spot at = spot_of(fw->fl, i->a, i->off,
				 form == IRF_STORE || form == IRF_ATOMIC ? i->size : i->c.imm);

	if (is_there(fw, i, &at)) {
		i->op = IR_OPS;
		fw->changed = true;
		return;
	}
	forget(fw, &at);
	if (i->op == IR_STORE)
		learn(fw, at, i->b);
	else if (i->op == IR_ZERO)
		learn(fw, at, IR_I(0));
}

static void run_insn(struct forwarding *fw, struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_LOAD:
		if (i->op == IR_LOAD)
			run_load(fw, i);
		return;
	case IRF_STORE:
	case IRF_ATOMIC:
	case IRF_FILL:
	case IRF_COPY:
		run_write(fw, i);
		return;
	case IRF_CALL:
		if (!(facts_of(i) & FACT_TELLS))
			forget_call(fw, i);
		return;
	case IRF_UNARY:
	case IRF_BINARY:
	case IRF_EXTEND:
	case IRF_ADDRESS:
	case IRF_SPACE:
		return;
	}
}

/* --- slots whose address goes where we do not follow */

static bool keeps_track(const struct flow *fl, const struct ir_insn *i, const struct ir_val *v)
{
	switch (ir_op_info[i->op].form) {
	case IRF_LOAD:
	case IRF_FILL:
	case IRF_COPY:
		return true;
	case IRF_STORE:
	case IRF_ATOMIC:
		return v == &i->a;
	case IRF_CALL:
		return i->op == IR_CALL;
	case IRF_UNARY:
	case IRF_BINARY: /* what spot_of() sees through */
		return flow_is_fixed(fl, i->dst) && slot_of(fl, IR_R(i->dst)) == slot_of(fl, *v);
	case IRF_EXTEND:
	case IRF_ADDRESS:
	case IRF_SPACE:
		return false;
	}
	return false;
}

static void find_wild(struct forwarding *fw)
{
	const struct flow *fl = fw->fl;
	struct ir_val *at[IR_OPERANDS];
	unsigned int n;
	uint32_t slot;

	for (size_t b = 0; b < fl->f->blocks.n; b++) {
		struct ir_block *block = &fl->f->blocks.p[b];

		for (size_t k = 0; k < block->insns.n; k++) {
			struct ir_insn *i = &block->insns.p[k];

			if (i->op == IR_SLOT && !flow_is_fixed(fl, i->dst))
				fw->is_wild[i->index] = true;
			n = ir_operands(i, at);
			while (n--) {
				slot = slot_of(fl, *at[n]);
				if (slot && !keeps_track(fl, i, at[n]))
					fw->is_wild[slot - 1] = true;
			}
		}
		n = ir_end_operands(block, at);
		while (n--) {
			slot = slot_of(fl, *at[n]);
			if (slot)
				fw->is_wild[slot - 1] |= block->end == IRE_RETURN;
		}
	}
}

/* For blocks that are entered from here only. */
static void remember(struct forwarding *fw, uint32_t b)
{
	struct ir_block *block = &fw->fl->f->blocks.p[b];

	for (uint32_t s = 0; s < ir_n_succs(block) && !fw->behind[b]; s++)
		if (fw->fl->n_preds[*ir_succ(block, s)] == 1 && fw->here.n)
			fw->behind[b] = arena_new(fw->fl->scratch, struct state);
	if (fw->behind[b])
		copy_state(fw->behind[b], &fw->here);
}

static void run_block(struct forwarding *fw, uint32_t b)
{
	struct ir_block *block = &fw->fl->f->blocks.p[b];

	fw->here.n = 0;
	if (b && fw->fl->n_preds[b] == 1 && fw->behind[fw->fl->preds[b][0]])
		copy_state(&fw->here, fw->behind[fw->fl->preds[b][0]]);
	for (size_t i = 0; i < block->insns.n; i++)
		run_insn(fw, &block->insns.p[i]);
	remember(fw, b);
}

bool opt_forward(struct flow *fl)
{
	struct forwarding fw = {.fl = fl};
	struct ir_func *f = fl->f;

	flow_defs(fl);
	flow_order(fl);
	fw.is_wild = arena_array(fl->scratch, bool, f->slots.n);
	fw.behind = arena_array(fl->scratch, struct state *, f->blocks.n);
	if (f->slots.n)
		find_wild(&fw);
	for (uint32_t k = 0; k < fl->n_order; k++)
		run_block(&fw, fl->order[k]);
	/* only now: definitions are pointed to */
	for (size_t b = 0; fw.changed && b < f->blocks.n; b++)
		flow_sweep(&f->blocks.p[b]);
	if (fw.changed)
		flow_forget(fl);
	return fw.changed;
}
