/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of the script.
 *
 * A map without keys is an array of one element: its address is known when the program
 * is loaded, so that `@x++` is one atomic instruction.  Such an element is always there;
 * the u64 behind the value (the last 8 bytes of value_size) says whether the script ever
 * set it.  delete() sets it back to 0.
 *
 * A map with keys is a hash table; keys are compared as bytes, so texts in keys are
 * followed by zeros and paddings are zero.  Histograms and time series keep one element a
 * bucket, with the bucket's number as the last part of the key.
 *
 * A table is allocated in full when it is made, since a program that runs in any context
 * must not allocate memory; some grow (lower-growth.c).  An element that finds no room is
 * counted as a loss of that map at that place.
 *
 * An aggregation has a value a cpu.  The kernel's per-cpu maps do that, but making such a
 * hash takes milliseconds, and in such an array a value must be looked for.  Where there are
 * few cpus it is a plain hash or array whose value is a row of stripes (question.h):
 * lower_own_value() leads to this cpu's.  There the buckets of a small histogram without keys
 * are one array, too, and counting is an addition at a known address.
 */
#include "compile/lang/bpftrace/lower-internal.h"

bool lower_map_has_bucket(const struct map_decl *m)
{
	return m->value && m->value->kind >= TYPE_HIST && m->value->kind <= TYPE_TSERIES;
}

bool lower_map_is_array(const struct map_decl *m)
{
	return !m->key && m->kind == MAPKIND_AUTO && !lower_map_has_bucket(m);
}

uint32_t lower_map_index(const struct map_decl *m)
{
	return m->index;
}

uint32_t lower_value_size(const struct type *t)
{
	switch ((int)t->kind) {
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_HIST:
	case TYPE_LHIST:
		return 8;
	case TYPE_MIN:
	case TYPE_MAX:
		return sizeof(struct value_extreme);
	case TYPE_AVG:
	case TYPE_STATS:
		return sizeof(struct value_avg);
	case TYPE_TSERIES:
		return sizeof(struct value_tseries);
	}
	return t->size ? t->size : 8;
}

static bool is_per_cpu(const struct map_decl *m)
{
	return type_is_agg(m->value) || m->kind == MAPKIND_PERCPU || m->kind == MAPKIND_PERCPU_LRU;
}

/* Rows of stripes: for no more cpus, and no more memory a map. */
enum { STRIPES_MAX = 8, STRIPES_BYTES = 4 << 20 };
/* Buckets of all stripes that are made ahead, whether or not they are used. */
enum { SLOTS_MAX = 2048 };

/* How many stripes a value has, a power of two; 0: it has none. */
static uint32_t stripes(const struct lower *L, const struct map_decl *m,
			const struct question_map *row)
{
	unsigned int cpus = L->w && L->w->ops->cpus ? L->w->ops->cpus(L->w) : 0;
	uint32_t n = 1;

	if (!type_is_agg(m->value) || m->kind != MAPKIND_AUTO || L->o->is_portable || !cpus ||
	    cpus > STRIPES_MAX)
		return 0;
	while (n < cpus)
		n *= 2;
	return (uint64_t)row->max_entries * n * (row->value_size + QMAP_STRIPE_GAP) <= STRIPES_BYTES
		       ? n
		       : 0;
}

/* A histogram without keys cannot have more elements than buckets. */
static uint32_t most_elements(const struct map_decl *m, uint64_t allowed)
{
	uint64_t most = UINT64_MAX;

	if (!m->key && m->value->kind == TYPE_HIST)
		most = 66ull << m->value->agg.bits;
	if (!m->key && m->value->kind == TYPE_LHIST && m->value->agg.step > 0)
		most = (uint64_t)(m->value->agg.max - m->value->agg.min) /
			       (uint64_t)m->value->agg.step +
		       4;
	return (uint32_t)(most < allowed ? most : allowed);
}

/* The elements of a histogram without keys become one, if that is no more than some pages. */
static void join_buckets(const struct map_decl *m, uint64_t most, struct question_map *row)
{
	uint32_t slots = 1;

	while (slots < most && slots < SLOTS_MAX)
		slots *= 2;
	if (!row->n_stripes || most > slots || slots * row->n_stripes > SLOTS_MAX)
		return;
	row->type = BPF_MAP_TYPE_PERCPU_ARRAY;
	row->key_size = 4;
	row->value_size = slots * 8 + 8;
	row->max_entries = 1;
}

static void make_stripes(struct lower *L, const struct map_decl *m, struct question_map *row)
{
	uint64_t most = most_elements(m, UINT32_MAX);

	row->n_stripes = stripes(L, m, row);
	if (!m->key && most < UINT32_MAX)
		join_buckets(m, most, row);
	if (!row->n_stripes)
		return;
	row->type = row->type == BPF_MAP_TYPE_PERCPU_ARRAY ? BPF_MAP_TYPE_ARRAY : BPF_MAP_TYPE_HASH;
	row->stripe_step = row->value_size + QMAP_STRIPE_GAP;
	row->value_size = row->n_stripes * row->stripe_step + QMAP_STRIPE_GAP;
}

static uint32_t map_type(const struct map_decl *m)
{
	bool per_cpu = is_per_cpu(m);

	if (lower_map_is_array(m))
		return per_cpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
	if (m->kind == MAPKIND_LRU || m->kind == MAPKIND_PERCPU_LRU)
		return per_cpu ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_LRU_HASH;
	return per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH;
}

static void map_row(struct lower *L, struct map_decl *m)
{
	struct question_map row = {.name = m->name, .kind = QMAP_NAMED, .span = m->span};
	uint32_t size;

	if (!m->value || m->value->kind == TYPE_NONE)
		m->value = type_int(8, true);
	size = lower_value_size(m->value);
	row.key = m->key;
	row.value = m->value;
	row.is_per_cpu = is_per_cpu(m);
	row.type = map_type(m);
	if (lower_map_is_array(m)) {
		row.key_size = 4;
		row.value_size = ((size + 7) & ~7u) + 8;
		row.max_entries = 1;
	} else {
		row.key_size = m->key ? m->key->size : lower_map_has_bucket(m) ? 0 : 8;
		if (lower_map_has_bucket(m)) {
			row.bucket_offset = (row.key_size + 7) & ~7u;
			row.key_size = row.bucket_offset + 8;
		}
		row.value_size = size;
		row.max_entries =
			most_elements(m, m->max_entries		     ? m->max_entries
					 : L->q->config.max_map_keys ? L->q->config.max_map_keys
								     : 4096);
	}
	make_stripes(L, m, &row);
	row.grows = lower_may_grow(m, &row);
	m->index = (uint32_t)L->q->maps.n;
	array_push(L->a, &L->q->maps, row);
}

void lower_maps(struct lower *L)
{
	lower_find_growth(L->c);
	for (size_t i = 0; i < L->c->maps.n; i++)
		if (L->c->maps.p[i]->is_used) /* else it is declared, and that is all */
			map_row(L, L->c->maps.p[i]);
}

struct map_decl *lower_map_of(struct expr *e, struct expr **ret_key)
{
	*ret_key = NULL;
	while (e->kind == EXPR_CAST || (e->kind == EXPR_ADDRESS && e->a))
		e = e->a;
	if (e->kind == EXPR_MAP_ACCESS) {
		*ret_key = e->b;
		return e->map ? e->map : e->a->map;
	}
	return e->map;
}

static const struct question_map *row_of(const struct lower *L, const struct map_decl *m)
{
	return &L->q->maps.p[m->index];
}

struct mem lower_key(struct lower *L, const struct map_decl *m, struct expr *key)
{
	const struct question_map *row = row_of(L, m);
	bool is_text = key && m->key && m->key->kind == TYPE_STRING;
	struct mem to = lower_temp(L, row->key_size + is_text);

	to.has_room = is_text;
	if (!m->key || !key) {
		if (!lower_map_has_bucket(m))
			ir_zero(&L->b, to.base, to.off, row->key_size);
		return to;
	}
	lower_into_type(L, key, to, m->key, true);
	if (row->bucket_offset > m->key->size)
		mem_zero(L, mem_at(to, (int32_t)m->key->size), row->bucket_offset - m->key->size);
	return to;
}

static bool is_array(const struct question_map *row)
{
	return row->type == BPF_MAP_TYPE_ARRAY || row->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

uint32_t lower_map_slots(const struct lower *L, const struct map_decl *m)
{
	const struct question_map *row = row_of(L, m);

	return lower_map_has_bucket(m) && is_array(row) ? question_map_room(row) / 8 - 1 : 0;
}

/* The address of an element; where that is known, it is never 0. */
ir_reg lower_lookup(struct lower *L, const struct map_decl *m, struct mem key)
{
	if (row_of(L, m)->type == BPF_MAP_TYPE_ARRAY)
		return ir_map_value_addr(&L->b, m->index, 0);
	return IR_CALL(&L->b, BPF_FUNC_map_lookup_elem, IRC_PTR, IR_R(ir_map_addr(&L->b, m->index)),
		       IR_R(mem_addr(L, key)));
}

ir_reg lower_stripe(struct lower *L, const struct map_decl *m, ir_reg element, uint32_t i)
{
	const struct question_map *row = row_of(L, m);

	return mem_addr(L, mem_bpf(element, (int32_t)(QMAP_STRIPE_GAP + i * row->stripe_step)));
}

/* From the first stripe to this cpu's. */
static struct ir_val own_offset(struct lower *L, const struct question_map *row)
{
	struct ir_val cpu;

	if (row->n_stripes < 2)
		return IR_I(0);
	cpu = IR_R(IR_CALL(&L->b, BPF_FUNC_get_smp_processor_id, IRC_INT));
	cpu = ir_math(&L->b, IR_AND, cpu, IR_I(row->n_stripes - 1)); /* verifier */
	return ir_math(&L->b, IR_MUL, cpu, IR_I(row->stripe_step));
}

ir_reg lower_own_value(struct lower *L, const struct map_decl *m, ir_reg element)
{
	const struct question_map *row = row_of(L, m);

	if (!row->n_stripes)
		return element;
	element = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(element), own_offset(L, row)));
	return lower_stripe(L, m, element, 0);
}

/* The same in an array. */
static ir_reg own_place(struct lower *L, const struct map_decl *m)
{
	const struct question_map *row = row_of(L, m);
	ir_reg first = ir_map_value_addr(&L->b, m->index, row->n_stripes ? QMAP_STRIPE_GAP : 0);

	return ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(first), own_offset(L, row)));
}

/* One value, at a known address. */
static bool is_direct(struct lower *L, const struct map_decl *m)
{
	return row_of(L, m)->type == BPF_MAP_TYPE_ARRAY && !row_of(L, m)->n_stripes;
}

struct ir_val lower_map_get(struct lower *L, struct map_decl *m, struct expr *key,
			    const struct type *t)
{
	uint32_t found, done;
	ir_reg result, p;

	if (is_direct(L, m))
		return mem_load_type(L, mem_bpf(ir_map_value_addr(&L->b, m->index, 0), 0), t);
	p = lower_lookup(L, m, lower_key(L, m, key));
	lower_helper_error(L, BPF_FUNC_map_lookup_elem, IR_R(p));
	result = ir_reg_new(&L->b, t->kind == TYPE_POINTER ? IRC_KPTR : IRC_INT, NULL);
	found = ir_block_new(&L->b);
	done = ir_block_new(&L->b);
	ir_set(&L->b, result, IR_I(0));
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), done, found);
	ir_block_go(&L->b, found);
	ir_set(&L->b, result, mem_load_type(L, mem_bpf(lower_own_value(L, m, p), 0), t));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(result);
}

struct mem lower_map_read(struct lower *L, struct map_decl *m, struct expr *key)
{
	uint32_t found, missing, done, size = lower_value_size(m->value);
	ir_reg p;
	struct mem copy;

	if (is_direct(L, m))
		return mem_bpf(ir_map_value_addr(&L->b, m->index, 0), 0);
	p = lower_lookup(L, m, lower_key(L, m, key));
	lower_helper_error(L, BPF_FUNC_map_lookup_elem, IR_R(p));
	copy = lower_temp(L, size);
	found = ir_block_new(&L->b);
	missing = ir_block_new(&L->b);
	done = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), missing, found);
	ir_block_go(&L->b, found);
	mem_copy(L, copy, mem_bpf(lower_own_value(L, m, p), 0), size);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, missing);
	mem_zero(L, copy, size);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return copy;
}

/* --- changes */

void lower_map_mark(struct lower *L, const struct map_decl *m, ir_reg value)
{
	const struct question_map *row = row_of(L, m);

	if (is_array(row))
		ir_store(&L->b, value, (int32_t)question_map_room(row) - 8, 8, IR_I(1));
}

void lower_map_update(struct lower *L, const struct map_decl *m, struct mem key, struct mem value,
		      uint64_t flags, struct span span)
{
	uint32_t lost = ir_block_new(&L->b), done = ir_block_new(&L->b);
	ir_reg failed = IR_CALL(&L->b, BPF_FUNC_map_update_elem, IRC_INT,
				IR_R(ir_map_addr(&L->b, m->index)), IR_R(mem_addr(L, key)),
				IR_R(mem_addr(L, value)), IR_I((int64_t)flags));

	ir_branch(&L->b, IRC_NE, IR_R(failed), IR_I(0), lost, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, lost);
	lower_count_loss(L, lower_loss(L, QLOSS_MAP, m->name, span));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/* What a new element begins as. */
static struct mem first_value(struct lower *L, const struct map_decl *m)
{
	const struct question_map *row = row_of(L, m);
	struct mem zeros;

	if (row->n_stripes)
		return lower_zeros(L, row->value_size);
	zeros = lower_temp(L, lower_value_size(m->value));
	mem_zero(L, zeros, lower_value_size(m->value));
	return zeros;
}

ir_reg lower_map_make(struct lower *L, const struct map_decl *m, struct mem key, uint32_t none,
		      struct span span)
{
	uint32_t missing, lost, found;
	ir_reg p;
	struct mem zeros;

	if (row_of(L, m)->type == BPF_MAP_TYPE_ARRAY)
		return own_place(L, m);
	p = ir_reg_new(&L->b, IRC_PTR, NULL);
	ir_set(&L->b, p, IR_R(lower_lookup(L, m, key)));
	found = ir_block_new(&L->b);
	if (lower_map_is_array(m)) {
		ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), none, found);
		ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
		ir_block_go(&L->b, found);
		return p;
	}
	missing = ir_block_new(&L->b);
	lost = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), missing, found);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, missing);
	zeros = first_value(L, m);
	/* another cpu may have made it meanwhile: the second look decides */
	IR_CALL(&L->b, BPF_FUNC_map_update_elem, IRC_INT, IR_R(ir_map_addr(&L->b, m->index)),
		IR_R(mem_addr(L, key)), IR_R(mem_addr(L, zeros)), IR_I(BPF_NOEXIST));
	ir_set(&L->b, p, IR_R(lower_lookup(L, m, key)));
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), lost, found);
	ir_block_go(&L->b, lost);
	lower_count_loss(L, lower_loss(L, QLOSS_MAP, m->name, span));
	ir_jump(&L->b, none);
	ir_block_go(&L->b, found);
	return lower_own_value(L, m, p);
}

/* @x op= v, and what ++ does: on the element in place. */
static struct ir_val change(struct lower *L, struct map_decl *m, struct expr *key,
			    const struct expr *at, enum expr_op op, struct ir_val v, bool want)
{
	const struct type *t = m->value;
	uint32_t done = ir_block_new(&L->b), size = t->size ? t->size : 8;
	ir_reg result = ir_reg_new(&L->b, IRC_INT, NULL), p;
	struct mem k = mem_bpf(0, 0);

	ir_set(&L->b, result, IR_I(0));
	if (!is_direct(L, m))
		k = lower_key(L, m, key);
	p = lower_map_make(L, m, k, done, at->span);
	if ((op == OP_ADD || op == OP_SUB) && size >= 4) {
		struct ir_val n = op == OP_SUB ? ir_unary(&L->b, IR_NEG, v) : v;

		/* 5.12 can fetch the old value too: nearly as old as the helper */
		bool can_fetch = world_has(L->w, WORLD_FOR_EACH_MAP);

		if (want && !can_fetch)
			ir_set(&L->b, result, mem_load_type(L, mem_bpf(p, 0), t));
		ir_atomic_add(&L->b, p, 0, size, n);
		if (want && can_fetch) {
			struct ir_func *f = ir_here(&L->b);
			struct ir_block *b = &f->blocks.p[L->b.block];

			b->insns.p[b->insns.n - 1].want = true;
			b->insns.p[b->insns.n - 1].dst = result;
		}
	} else {
		struct ir_val old = mem_load_type(L, mem_bpf(p, 0), t);

		ir_set(&L->b, result, old);
		mem_store(L, mem_bpf(p, 0), t, lower_binary_values(L, at, op, t, old, v));
	}
	lower_map_mark(L, m, p);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return lower_fit(L, IR_R(result), t);
}

struct ir_val lower_map_step(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(e->a, &key);
	struct ir_val step, old;

	if (!m) {
		lower_oops(L, e->span, "++ and -- need a variable or a map");
		return IR_I(0);
	}
	step = lower_step(L, e);
	old = change(L, m, key, e, OP_ADD, step, !e->is_discarded);
	if (e->is_discarded || e->op == OP_POSTINC || e->op == OP_POSTDEC)
		return old;
	return lower_fit(L, ir_math(&L->b, IR_ADD, old, step), m->value);
}

static const struct expr *call_in(const struct expr *e)
{
	while (e->kind == EXPR_CAST && !e->ref)
		e = e->a;
	return e->kind == EXPR_CALL && e->builtin && (e->builtin->flags & BUILTIN_AGG) ? e : NULL;
}

static void assign_value(struct lower *L, struct map_decl *m, struct expr *key, struct stmt *s)
{
	uint32_t size = lower_value_size(m->value);
	struct mem value, k;

	if (is_direct(L, m)) {
		ir_reg p;

		if (lower_is_scalar(m->value)) {
			struct ir_val v = lower_fit(L, lower_scalar(L, s->b), m->value);

			p = ir_map_value_addr(&L->b, m->index, 0);
			mem_store(L, mem_bpf(p, 0), m->value, v);
		} else {
			/* made aside: the value may be read while it is made */
			value = lower_temp(L, size);
			lower_into_type(L, s->b, value, m->value, true);
			p = ir_map_value_addr(&L->b, m->index, 0);
			mem_copy(L, mem_bpf(p, 0), value, size);
		}
		lower_map_mark(L, m, p);
		return;
	}
	value = lower_temp(L, lower_map_is_array(m) ? row_of(L, m)->value_size : size);
	lower_into_type(L, s->b, value, m->value, false);
	if (lower_map_is_array(m))
		lower_map_mark(L, m, mem_addr(L, value));
	k = lower_key(L, m, key);
	lower_map_update(L, m, k, value, BPF_ANY, s->span);
}

void lower_map_assign(struct lower *L, struct stmt *s)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(s->a, &key);
	const struct expr *call = call_in(s->b);

	if (call) {
		lower_agg_assign(L, m, key, (struct expr *)call);
	} else if (s->has_op) {
		struct ir_val v = lower_scalar(L, s->b);

		if (m->value->kind == TYPE_POINTER)
			v = ir_math(&L->b, IR_MUL, v,
				    IR_I(m->value->of && m->value->of->size ? m->value->of->size
									    : 1));
		change(L, m, key, s->a, s->op, v, false);
	} else {
		assign_value(L, m, key, s);
	}
}

struct ir_val lower_map_delete(struct lower *L, struct expr *at, struct map_decl *m,
			       struct expr *key)
{
	const struct question_map *row = row_of(L, m);
	ir_reg p;

	if (lower_map_has_bucket(m)) { /* many elements: user space finds them */
		if (!key) {
			lower_record_number(L,
					    (struct question_action){.kind = QACTION_CLEAR,
								     .map = m->index,
								     .span = at->span},
					    8, IR_I(0), false);
			return IR_I(1);
		}
		lower_oops(L, at->span, "an element of a histogram cannot be removed alone");
		return IR_I(0);
	}
	if (is_direct(L, m)) {
		struct ir_val old;

		p = ir_map_value_addr(&L->b, m->index, 0);
		old = ir_load(&L->b, p, (int32_t)row->value_size - 8, 8, false);
		mem_zero(L, mem_bpf(p, 0), row->value_size);
		return ir_compare(&L->b, IRC_NE, old, IR_I(0));
	}
	if (lower_map_is_array(m)) { /* on this cpu alone would be half: user space does it */
		lower_record_number(L,
				    (struct question_action){.kind = QACTION_CLEAR,
							     .map = m->index,
							     .span = at->span},
				    8, IR_I(0), false);
		return IR_I(1);
	}
	p = IR_CALL(&L->b, BPF_FUNC_map_delete_elem, IRC_INT, IR_R(ir_map_addr(&L->b, m->index)),
		    IR_R(mem_addr(L, lower_key(L, m, key))));
	return ir_compare(&L->b, IRC_EQ, IR_R(p), IR_I(0));
}

struct ir_val lower_map_has(struct lower *L, struct map_decl *m, struct expr *key)
{
	if (is_direct(L, m)) {
		ir_reg p = ir_map_value_addr(&L->b, m->index, 0);

		return ir_compare(&L->b, IRC_NE,
				  ir_load(&L->b, p, (int32_t)row_of(L, m)->value_size - 8, 8,
					  false),
				  IR_I(0));
	}
	return ir_compare(&L->b, IRC_NE, IR_R(lower_lookup(L, m, lower_key(L, m, key))), IR_I(0));
}
