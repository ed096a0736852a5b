/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was worked out before is not worked out again.
 *
 * The dominator tree is walked from the top; a table knows which instruction made which
 * value, and forgets what a subtree added when it is left.  Two instructions are equal if
 * operation and operands are.  A register that is written more than once counts together
 * with the number of its current write, which is known inside a block and those that are
 * entered from there only; so is whether memory was written.
 *
 * Shared are pure operations, loads of the program's own memory as long as nothing writes
 * or calls, and helpers whose answer can not change during one run (who the current task
 * is).  Reads of kernel memory are not: it changes.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what (leaves moves for copies)
 */
#include "compile/opt/facts.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

struct entry {
	uint64_t hash;
	uint32_t older; /* + 1: the next of the same bucket; 0: none */
	uint32_t memory;
	const struct ir_insn *insn; /* what is entered stays as it is */
	uint32_t versions[IR_OPERANDS], dst_version;
};

enum { BUCKETS_MIN = 16, BUCKETS_MAX = 1024 };

struct numbering {
	struct flow *fl;
	uint32_t *version; /* by register, of those that are not fixed */
	uint32_t clock, block_began, memory;
	uint32_t *began, *memory_behind; /* by block */
	uint32_t *buckets;		 /* newest entry + 1 */
	uint64_t n_buckets;		 /* a power of two */
	ARRAY(struct entry) entries;
	bool changed;
};

static uint32_t version_of(const struct numbering *nu, ir_reg r)
{
	if (!r || flow_is_fixed(nu->fl, r))
		return 0;
	return MAX(nu->version[r], nu->block_began);
}

static bool is_shareable(const struct numbering *nu, const struct ir_insn *i)
{
	if (!i->dst)
		return false;
	if (i->op == IR_LOAD)
		return i->a.reg && nu->fl->f->regs.p[i->a.reg].class == IRC_PTR;
	if (i->op == IR_CALL)
		return (facts_of_helper(i->index) & FACT_STEADY) != 0;
	return i->op != IR_MOV && ir_is_pure(i);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t hash_of(const struct ir_insn *i)
{
	struct ir_val *at[IR_OPERANDS];
	unsigned int n = ir_operands((struct ir_insn *)i, at);
	uint64_t h = mix(mix(i->op, i->index), (uint64_t)(int64_t)i->off << 8 | i->size);

	for (unsigned int k = 0; k < n; k++)
		h = mix(h, at[k]->reg ? at[k]->reg : (uint64_t)at[k]->imm << 20);
	return h;
}

static bool same(const struct numbering *nu, const struct entry *e, const struct ir_insn *i)
{
	struct ir_val *x[IR_OPERANDS], *y[IR_OPERANDS];
	const struct ir_insn *o = e->insn;
	unsigned int n;

	if (o->op != i->op || o->size != i->size || o->sign != i->sign || o->off != i->off ||
	    o->index != i->index || o->n_args != i->n_args)
		return false;
	if (i->op == IR_LOAD && (e->memory != nu->memory || o->b.reg || i->b.reg))
		return false;
	n = ir_operands((struct ir_insn *)i, x);
	ir_operands((struct ir_insn *)o, y);
	for (unsigned int k = 0; k < n; k++)
		if (!ir_val_eq(*x[k], *y[k]) || version_of(nu, x[k]->reg) != e->versions[k])
			return false;
	return version_of(nu, o->dst) == e->dst_version &&
	       nu->fl->f->regs.p[o->dst].class == nu->fl->f->regs.p[i->dst].class;
}

static const struct entry *find(const struct numbering *nu, const struct ir_insn *i, uint64_t hash)
{
	for (uint32_t at = nu->buckets[hash & (nu->n_buckets - 1)]; at;
	     at = nu->entries.p[at - 1].older)
		if (nu->entries.p[at - 1].hash == hash && same(nu, &nu->entries.p[at - 1], i))
			return &nu->entries.p[at - 1];
	return NULL;
}

static void enter(struct numbering *nu, const struct ir_insn *i, uint64_t hash,
		  const uint32_t *versions)
{
	struct entry e = {.hash = hash,
			  .older = nu->buckets[hash & (nu->n_buckets - 1)],
			  .memory = nu->memory,
			  .insn = i,
			  .dst_version = version_of(nu, i->dst)};

	memcpy(e.versions, versions, sizeof(e.versions));
	array_push(nu->fl->scratch, &nu->entries, e);
	nu->buckets[hash & (nu->n_buckets - 1)] = (uint32_t)nu->entries.n;
}

static void number_insn(struct numbering *nu, struct ir_insn *i)
{
	uint32_t versions[IR_OPERANDS] = {0};
	struct ir_val *at[IR_OPERANDS];
	bool share = is_shareable(nu, i);
	const struct entry *e;
	uint64_t hash = 0;
	ir_reg regs[2];
	unsigned int n;

	if (share) {
		hash = hash_of(i);
		e = find(nu, i, hash);
		if (e) {
			flow_become(i, IR_MOV, IR_R(e->insn->dst), (struct ir_val){});
			nu->changed = true;
			share = false;
		}
	}
	n = share ? ir_operands(i, at) : 0;
	for (unsigned int k = 0; k < n; k++)
		versions[k] = version_of(nu, at[k]->reg);
	n = ir_defs(i, regs);
	while (n--)
		nu->version[regs[n]] = ++nu->clock;
	if (share)
		enter(nu, i, hash, versions);
	if (ir_op_info[i->op].flags & IRF_WRITES)
		nu->memory = ++nu->clock;
}

/* A block with one way in goes on where that block ended. */
static void number_block(struct numbering *nu, uint32_t b)
{
	struct ir_block *block = &nu->fl->f->blocks.p[b];

	if (b && nu->fl->n_preds[b] == 1) {
		nu->block_began = nu->began[nu->fl->preds[b][0]];
		nu->memory = nu->memory_behind[nu->fl->preds[b][0]];
	} else {
		nu->block_began = nu->memory = ++nu->clock;
	}
	for (size_t i = 0; i < block->insns.n; i++)
		number_insn(nu, &block->insns.p[i]);
	nu->began[b] = nu->block_began;
	nu->memory_behind[b] = nu->memory;
}

static void forget(struct numbering *nu, size_t n)
{
	while (nu->entries.n > n) {
		const struct entry *e = &nu->entries.p[--nu->entries.n];

		nu->buckets[e->hash & (nu->n_buckets - 1)] = e->older;
	}
}

/* Children of the dominator tree, as lists; a stack of what is still to be walked. */
static void walk(struct numbering *nu)
{
	struct flow *fl = nu->fl;
	size_t n = fl->f->blocks.n;
	uint32_t *child = arena_array(fl->scratch, uint32_t, n); /* + 1 */
	uint32_t *sibling = arena_array(fl->scratch, uint32_t, n);
	size_t *mark = arena_array(fl->scratch, size_t, n);
	uint32_t b = 0;

	for (uint32_t k = fl->n_order; k-- > 1;) {
		uint32_t up = fl->idom[fl->order[k]];

		sibling[fl->order[k]] = child[up];
		child[up] = fl->order[k] + 1;
	}
	number_block(nu, 0);
	while (true) {
		if (child[b]) {
			uint32_t down = child[b] - 1;

			child[b] = sibling[down];
			mark[down] = nu->entries.n;
			number_block(nu, down);
			b = down;
		} else if (b) {
			forget(nu, mark[b]);
			b = fl->idom[b];
		} else {
			break;
		}
	}
}

static void make_buckets(struct numbering *nu)
{
	size_t n = ir_n_insns(nu->fl->f);

	nu->n_buckets = BUCKETS_MIN;
	while (nu->n_buckets < n && nu->n_buckets < BUCKETS_MAX)
		nu->n_buckets *= 2;
	nu->buckets = arena_array(nu->fl->scratch, uint32_t, nu->n_buckets);
}

bool opt_values(struct flow *fl)
{
	struct numbering nu = {.fl = fl};

	flow_defs(fl);
	flow_idoms(fl);
	nu.version = arena_array(fl->scratch, uint32_t, fl->f->regs.n + 1);
	nu.began = arena_array(fl->scratch, uint32_t, fl->f->blocks.n);
	nu.memory_behind = arena_array(fl->scratch, uint32_t, fl->f->blocks.n);
	make_buckets(&nu);
	walk(&nu);
	return nu.changed;
}
