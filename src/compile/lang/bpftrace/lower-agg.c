/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregations: values that each cpu keeps for itself and readers merge.
 *
 * All of them begin as zeros, so an element is made by one path (lower_map_make) and
 * changed by another, in place and without atomic instructions: no other cpu has it.
 */
#include "compile/lang/bpftrace/lower-internal.h"

static void add(struct lower *L, ir_reg p, int32_t off, struct ir_val v)
{
	ir_store(&L->b, p, off, 8, ir_math(&L->b, IR_ADD, ir_load(&L->b, p, off, 8, false), v));
}

/* The larger or the smaller, or the first. */
static void extreme(struct lower *L, ir_reg p, struct ir_val v, bool is_max, bool is_signed)
{
	uint32_t test = ir_block_new(&L->b), set = ir_block_new(&L->b), done = ir_block_new(&L->b);
	enum ir_cond better =
		is_max ? (is_signed ? IRC_SGT : IRC_UGT) : (is_signed ? IRC_SLT : IRC_ULT);

	ir_branch(&L->b, IRC_EQ, ir_load(&L->b, p, 8, 8, false), IR_I(0), set, test);
	ir_block_go(&L->b, test);
	ir_branch(&L->b, better, v, ir_load(&L->b, p, 0, 8, false), set, done);
	ir_block_go(&L->b, set);
	ir_store(&L->b, p, 0, 8, v);
	ir_store(&L->b, p, 8, 8, IR_I(1));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/* BPFTRACE_DUMMY_TS_MAP=@x: tests of time series set the clock themselves. */
static struct map_decl *clock_map(struct lower *L, struct span span)
{
	const char *name = L->q->config.dummy_ts_map;

	for (size_t i = 0; name && i < L->c->maps.n; i++) {
		struct map_decl *m = L->c->maps.p[i];

		if (!strcmp(m->name, name) && !m->key && m->value->kind == TYPE_INT &&
		    !m->value->is_signed)
			return m;
	}
	if (name)
		diag(&L->q->diags, D_CONFIG, span,
		     "BPFTRACE_DUMMY_TS_MAP: %s is no map of unsigned numbers without keys", name);
	return NULL;
}

/* boottime + what the runtime knows to be between it and the wall clock */
static struct ir_val wall_clock(struct lower *L, struct span span)
{
	struct map_decl *own = clock_map(L, span);

	if (own)
		return IR_R(ir_to_reg(&L->b, lower_map_get(L, own, NULL, own->value)));

	unsigned int helper = world_has(L->w, WORLD_KTIME_BOOT) ? BPF_FUNC_ktime_get_boot_ns
								: BPF_FUNC_ktime_get_ns;
	ir_reg boot = IR_CALL(&L->b, helper, IRC_INT);
	ir_reg g = ir_space_addr(&L->b, IRS_GLOBAL, lower_global(L, &L->q->global_epoch_ns));

	return ir_math(&L->b, IR_ADD, IR_R(boot), ir_load(&L->b, g, 0, 8, false));
}

static void series(struct lower *L, ir_reg p, const struct type *t, struct ir_val v,
		   struct ir_val now, struct ir_val epoch)
{
	if (t->agg.agg != TSERIES_NONE) {
		uint32_t stale = ir_block_new(&L->b), go_on = ir_block_new(&L->b);

		ir_branch(&L->b, IRC_NE, ir_load(&L->b, p, 16, 8, false), epoch, stale, go_on);
		ir_block_go(&L->b, stale);
		ir_store(&L->b, p, 0, 8, IR_I(0));
		ir_store(&L->b, p, 8, 8, IR_I(0));
		ir_jump(&L->b, go_on);
		ir_block_go(&L->b, go_on);
	}
	switch ((enum tseries_agg)t->agg.agg) {
	case TSERIES_AVG:
		add(L, p, 8, IR_I(1));
		add(L, p, 0, v);
		break;
	case TSERIES_SUM:
		add(L, p, 0, v);
		ir_store(&L->b, p, 8, 8, IR_I(1));
		break;
	case TSERIES_MAX:
	case TSERIES_MIN:
		extreme(L, p, v, t->agg.agg == TSERIES_MAX, t->is_signed);
		break;
	case TSERIES_NONE:
		ir_store(&L->b, p, 0, 8, v);
		ir_store(&L->b, p, 8, 8, now);
		break;
	}
	ir_store(&L->b, p, 16, 8, epoch);
}

/* Which bucket a value falls into. */
static struct ir_val bucket_of(struct lower *L, const struct type *t, struct ir_val v,
			       struct ir_val epoch)
{
	if (t->kind == TYPE_HIST)
		return IR_R(t->agg.bits ? IR_CALL_RT(&L->b, "rt_log2_parts", IRC_INT, v,
						     IR_I(t->agg.bits))
					: IR_CALL_RT(&L->b, "rt_log2", IRC_INT, v));
	if (t->kind == TYPE_LHIST)
		return IR_R(IR_CALL_RT(&L->b, "rt_linear", IRC_INT, v, IR_I(t->agg.min),
				       IR_I(t->agg.max), IR_I(t->agg.step)));
	return ir_math(&L->b, IR_UMOD, epoch, IR_I(t->agg.intervals));
}

static void apply(struct lower *L, const struct type *t, ir_reg p, struct ir_val v)
{
	switch ((int)t->kind) {
	case TYPE_COUNT:
	case TYPE_HIST:
	case TYPE_LHIST:
		add(L, p, 0, IR_I(1));
		break;
	case TYPE_SUM:
		add(L, p, 0, v);
		break;
	case TYPE_MIN:
	case TYPE_MAX:
		extreme(L, p, v, t->kind == TYPE_MAX, t->is_signed);
		break;
	case TYPE_AVG:
	case TYPE_STATS:
		add(L, p, 0, v);
		add(L, p, 8, IR_I(1));
		break;
	}
}

/* A bucket in a value that is an array of them. */
static ir_reg slot(struct lower *L, ir_reg own, struct ir_val bucket, uint32_t slots)
{
	struct ir_val i = ir_math(&L->b, IR_AND, bucket, IR_I(slots - 1)); /* verifier */

	return ir_to_reg(&L->b,
			 ir_math(&L->b, IR_ADD, IR_R(own), ir_math(&L->b, IR_MUL, i, IR_I(8))));
}

void lower_agg_assign(struct lower *L, struct map_decl *m, struct expr *key, struct expr *call)
{
	const struct type *t = m->value;
	struct ir_val v = IR_I(1), epoch = IR_I(0), now = IR_I(0), bucket = IR_I(0);
	uint32_t done = ir_block_new(&L->b), slots = lower_map_slots(L, m);
	bool is_placed = L->q->maps.p[m->index].type == BPF_MAP_TYPE_ARRAY; /* without a key */
	struct mem k = mem_bpf(0, 0);
	ir_reg own, p;

	if (call->items.n)
		v = IR_R(lower_stable(L, call->items.p[0]));
	if (t->kind == TYPE_TSERIES) {
		now = wall_clock(L, call->span);
		epoch = ir_math(&L->b, IR_UDIV, now, IR_I((int64_t)t->agg.interval_ns));
	}
	if (lower_map_has_bucket(m))
		bucket = bucket_of(L, t, v, epoch);
	if (!slots && !is_placed)
		k = lower_key(L, m, key);
	if (!slots && lower_map_has_bucket(m))
		ir_store(&L->b, k.base, k.off + (int32_t)L->q->maps.p[m->index].bucket_offset, 8,
			 bucket);
	own = p = lower_map_make(L, m, k, done, call->span);
	if (slots)
		p = slot(L, own, bucket, slots);
	if (t->kind == TYPE_TSERIES)
		series(L, p, t, v, now, epoch);
	else
		apply(L, t, p, v);
	lower_map_mark(L, m, own);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/* --- reading: over all cpus */

struct merged {
	ir_reg total, count;
};

/* Of how many values it is made; else the second word only says that there is one. */
static bool has_number(const struct type *t)
{
	return t->kind == TYPE_AVG || t->kind == TYPE_STATS;
}

static void merge(struct lower *L, const struct type *t, ir_reg p, struct merged *r)
{
	struct ir_val value = ir_load(&L->b, p, 0, 8, false);

	if (t->kind == TYPE_MIN || t->kind == TYPE_MAX) {
		uint32_t set = ir_block_new(&L->b), better = ir_block_new(&L->b),
			 take = ir_block_new(&L->b), done = ir_block_new(&L->b);
		enum ir_cond c = t->kind == TYPE_MAX ? (t->is_signed ? IRC_SGT : IRC_UGT)
						     : (t->is_signed ? IRC_SLT : IRC_ULT);

		ir_branch(&L->b, IRC_EQ, ir_load(&L->b, p, 8, 8, false), IR_I(0), done, set);
		ir_block_go(&L->b, set);
		ir_branch(&L->b, IRC_EQ, IR_R(r->count), IR_I(0), take, better);
		ir_block_go(&L->b, better);
		ir_branch(&L->b, c, value, IR_R(r->total), take, done);
		ir_block_go(&L->b, take);
		ir_set(&L->b, r->total, value);
		ir_set(&L->b, r->count, IR_I(1));
		ir_jump(&L->b, done);
		ir_block_go(&L->b, done);
		return;
	}
	ir_set(&L->b, r->total, ir_math(&L->b, IR_ADD, IR_R(r->total), value));
	if (has_number(t))
		ir_set(&L->b, r->count,
		       ir_math(&L->b, IR_ADD, IR_R(r->count), ir_load(&L->b, p, 8, 8, false)));
}

static ir_reg lookup_cpu(struct lower *L, struct map_decl *m, struct mem key, ir_reg cpu)
{
	if (!world_has(L->w, WORLD_MAP_LOOKUP_PERCPU))
		return lower_lookup(L, m, key);
	return IR_CALL(&L->b, BPF_FUNC_map_lookup_percpu_elem, IRC_PTR,
		       IR_R(ir_map_addr(&L->b, m->index)), IR_R(mem_addr(L, key)), IR_R(cpu));
}

static void merge_cpus(struct lower *L, struct map_decl *m, struct mem key, struct merged *r)
{
	unsigned int cpus = L->w && L->w->ops->cpus ? L->w->ops->cpus(L->w) : 1;
	ir_reg cpu = ir_reg_new(&L->b, IRC_INT, NULL), p;
	uint32_t test = ir_block_new(&L->b), body = ir_block_new(&L->b),
		 found = ir_block_new(&L->b), next = ir_block_new(&L->b),
		 done = ir_block_new(&L->b);

	if (!world_has(L->w, WORLD_MAP_LOOKUP_PERCPU))
		cpus = 1;
	ir_set(&L->b, cpu, IR_I(0));
	ir_jump(&L->b, test);
	ir_block_go(&L->b, test);
	ir_branch(&L->b, IRC_ULT, IR_R(cpu), IR_I(cpus ? cpus : 1), body, done);
	ir_block_go(&L->b, body);
	p = lookup_cpu(L, m, key, cpu);
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), next, found);
	ir_block_go(&L->b, found);
	merge(L, m->value, p, r);
	ir_jump(&L->b, next);
	ir_block_go(&L->b, next);
	ir_set(&L->b, cpu, ir_math(&L->b, IR_ADD, IR_R(cpu), IR_I(1)));
	ir_jump(&L->b, test);
	ir_block_go(&L->b, done);
}

static void merge_stripes(struct lower *L, struct map_decl *m, struct mem key, uint32_t n,
			  struct merged *r)
{
	uint32_t found = ir_block_new(&L->b), done = ir_block_new(&L->b);
	ir_reg p = lower_lookup(L, m, key);

	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), done, found);
	ir_block_go(&L->b, found);
	for (uint32_t i = 0; i < n; i++)
		merge(L, m->value, lower_stripe(L, m, p, i), r);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

static struct merged merge_all(struct lower *L, struct map_decl *m, struct mem k)
{
	struct merged r = {ir_reg_new(&L->b, IRC_INT, NULL), ir_reg_new(&L->b, IRC_INT, NULL)};
	uint32_t n = L->q->maps.p[m->index].n_stripes;

	ir_set(&L->b, r.total, IR_I(0));
	ir_set(&L->b, r.count, IR_I(0));
	if (n)
		merge_stripes(L, m, k, n, &r);
	else
		merge_cpus(L, m, k, &r);
	return r;
}

struct ir_val lower_agg_read(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(e, &key);
	const struct type *t = m->value;
	struct merged r = merge_all(L, m, lower_key(L, m, key));

	if (has_number(t)) /* 0 / 0 is 0 in eBPF */
		return ir_math(&L->b, t->is_signed ? IR_SDIV : IR_UDIV, IR_R(r.total),
			       IR_R(r.count));
	return IR_R(r.total);
}

void lower_agg_copy(struct lower *L, struct map_decl *m, struct mem key, struct mem to)
{
	struct merged r = merge_all(L, m, key);

	ir_store(&L->b, to.base, to.off, 8, IR_R(r.total));
	if (m->value->size >= 16)
		ir_store(&L->b, to.base, to.off + 8, 8,
			 has_number(m->value) ? IR_R(r.count) : IR_I(1));
}
