/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the checked tree to IR: the driver.
 *
 * A program is made for each action block and kind of hook (lower-plan.c); all points on
 * single system calls share one (lower-dispatch.c).  A program is: -p's process, the
 * predicate, the statements.  exit() is a record like others: events that come before user
 * space has read it still count, as in bpftrace.
 *
 * Shared by all programs of a question, each a map: the ring of records, the counters of
 * losses, literals (frozen), globals, scratch.
 */
#include "compile/lang/bpftrace/lower-internal.h"

/* --- tables of the question */

static bool same_action(const struct question_action *a, const struct question_action *b)
{
	return a->kind == b->kind && a->span.begin == b->span.begin && a->span.end == b->span.end &&
	       a->span.file == b->span.file && a->map == b->map && a->text == b->text &&
	       a->format == b->format &&
	       (a->args == b->args || (a->args && b->args && type_same(a->args, b->args)));
}

uint32_t lower_action(struct lower *L, struct question_action action)
{
	/* the same place may be lowered for several programs */
	for (size_t i = 0; i < L->q->actions.n; i++)
		if (same_action(&L->q->actions.p[i], &action))
			return (uint32_t)i;
	array_push(L->a, &L->q->actions, action);
	return (uint32_t)L->q->actions.n - 1;
}

uint32_t lower_loss(struct lower *L, enum question_loss_kind kind, const char *what,
		    struct span span)
{
	for (size_t i = 0; i < L->q->losses.n; i++) {
		const struct question_loss *l = &L->q->losses.p[i];

		if (l->kind == kind && l->span.begin == span.begin && l->span.end == span.end &&
		    l->span.file == span.file && !strcmp(l->what, what))
			return (uint32_t)i;
	}
	array_push(L->a, &L->q->losses,
		   ((struct question_loss){.kind = kind, .what = what, .span = span}));
	return (uint32_t)L->q->losses.n - 1;
}

uint32_t lower_rodata(struct lower *L, const void *p, size_t n, unsigned int align)
{
	size_t at;

	/* the same bytes once: scripts repeat their literals */
	for (at = 0; at + n <= L->rodata.n; at += align)
		if (!memcmp(L->rodata.p + at, p, n))
			return (uint32_t)at;
	while (L->rodata.n % align)
		buf_putc(&L->rodata, 0);
	at = L->rodata.n;
	buf_add(&L->rodata, p, n);
	return (uint32_t)at;
}

uint32_t lower_global(struct lower *L, int32_t *which)
{
	static const char zeros[8];

	if (*which < 0) {
		*which = (int32_t)L->globals.n;
		buf_add(&L->globals, zeros, sizeof(zeros));
	}
	return (uint32_t)*which;
}

void lower_oops(struct lower *L, struct span span, const char *what)
{
	diag(&L->q->diags, D_UNSUPPORTED, span, "%s", what);
}

/*
 * In place, and one number for all cpus: this is where nearly nobody comes by, and a function that
 * is called costs the verifier a walk through it at each call.
 */
void lower_count_loss(struct lower *L, uint32_t row)
{
	ir_reg at = ir_map_value_addr(&L->b, (uint32_t)L->q->lost, row * 8);

	ir_atomic_add(&L->b, at, 0, 8, IR_I(1));
}

/* --- functions */

void lower_body_begin(struct lower *L, struct body *body, uint32_t func)
{
	body->func = func;
	body->ctx = 1;
	L->body = body;
	L->b.func = func;
	L->b.block = 0;
}

static bool expr_needs_frame(struct lower *L, const struct expr *e)
{
	if (!e)
		return false;
	for (size_t i = 0; i < e->items.n; i++)
		if (expr_needs_frame(L, e->items.p[i]))
			return true;
	return expr_needs_frame(L, e->a) || expr_needs_frame(L, e->b) ||
	       expr_needs_frame(L, e->c) || lower_needs_frame(L, e->block);
}

bool lower_needs_frame(struct lower *L, const struct block *b)
{
	if (!b)
		return false;
	for (size_t i = 0; i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if (s->kind == STMT_FOR_MAP ||
		    (s->kind == STMT_FOR_RANGE && world_has(L->w, WORLD_BPF_LOOP)))
			return true;
		if (lower_needs_frame(L, s->block) || lower_needs_frame(L, s->other) ||
		    expr_needs_frame(L, s->a) || expr_needs_frame(L, s->b) ||
		    expr_needs_frame(L, s->c))
			return true;
	}
	return expr_needs_frame(L, b->value);
}

void lower_frame(struct lower *L)
{
	struct body *body = L->body;

	body->frame_slot = ir_slot_new(&L->b, FRAME_HEAD, 8, "frame");
	body->frame_size = FRAME_HEAD;
	body->frame = ir_slot_addr(&L->b, body->frame_slot, 0);
	ir_store(&L->b, body->frame, FRAME_CTX, 8, IR_R(body->ctx));
	ir_store(&L->b, body->frame, FRAME_RETURNED, 8, IR_I(0));
	ir_store(&L->b, body->frame, FRAME_START, 8, IR_I(0));
	if (body->result)
		ir_store(&L->b, body->frame, FRAME_VALUE, 8, IR_I(0));
}

void lower_body_end(struct lower *L)
{
	struct body *body = L->body;

	ir_jump(&L->b, body->on_return);
	ir_block_go(&L->b, body->on_return);
	ir_return(&L->b, body->result ? IR_R(body->result) : IR_I(0));
	L->body = body->outer;
}

struct ir_val lower_probe_id(struct lower *L)
{
	if (L->probe_id)
		return IR_R(L->probe_id);
	if (L->unit->has_cookie)
		return IR_R(IR_CALL(&L->b, BPF_FUNC_get_attach_cookie, IRC_INT, lower_ctx(L)));
	return IR_I(L->unit->row);
}

/* --- a program */

static void only_pid(struct lower *L)
{
	uint32_t go = ir_block_new(&L->b);
	struct ir_val id = lower_pid_tid(L);

	ir_branch(&L->b, IRC_NE, ir_math(&L->b, IR_SHR, id, IR_I(32)), IR_I(L->o->pid),
		  L->body->on_return, go);
	ir_block_go(&L->b, go);
}

/* The cgroup or one below it. */
static void only_cgroup(struct lower *L)
{
	uint32_t go = ir_block_new(&L->b);
	ir_reg in = IR_CALL(&L->b, BPF_FUNC_current_task_under_cgroup, IRC_INT,
			    IR_R(ir_map_addr(&L->b, L->cgroup_map)), IR_I(0));

	ir_branch(&L->b, IRC_NE, IR_R(in), IR_I(1), L->body->on_return, go);
	ir_block_go(&L->b, go);
}

void lower_prologue(struct lower *L)
{
	if (L->unit->is_filtered && L->o->pid >= 0)
		only_pid(L);
	if (L->o->has_cgroup && attach_has(L->unit->attach, QA_TASK))
		only_cgroup(L);
}

void lower_predicate(struct lower *L)
{
	struct probe *p = L->unit->probe->probe;
	uint32_t go, mark;

	if (!p->predicate)
		return;
	go = ir_block_new(&L->b);
	mark = lower_mark(L);
	lower_branch(L, p->predicate, go, L->body->on_return);
	lower_release(L, mark);
	ir_block_go(&L->b, go);
}

void lower_statements(struct lower *L)
{
	struct block *b = L->unit->probe->probe->block;

	if (!b)
		return;
	lower_block(L, b);
	if (b->value)
		lower_effect(L, b->value);
}

void lower_prog_begin(struct lower *L, struct unit *u, struct ir_module *m)
{
	L->unit_used = L->a->used;
	u->index = (uint32_t)L->q->progs.n;
	array_push(L->a, &L->q->progs,
		   ((struct question_prog){.name = lower_prog_name(L, u),
					   .prog_type = u->prog_type,
					   .attach_type = u->attach_type,
					   .btf_name = u->btf_name,
					   .btf_module = u->btf_module,
					   .span = u->probe->probe->span}));
	ir_module_init(m, L->a, L->q->progs.p[u->index].name);
	array_push(L->a, &L->ret->modules, m);
	ir_func_add(m, "main", 1);
	m->funcs.p[0].span = u->probe->probe->span;
	L->b = (struct ir_builder){.m = m, .span = u->probe->probe->span};
	L->unit = u;
	L->probe_id = 0;
	L->generation++;
}

static void lower_unit(struct lower *L, struct unit *u)
{
	struct body body = {.outer = NULL};

	u->row = (uint32_t)L->q->probes.n;
	lower_prog_begin(L, u, arena_new(L->a, struct ir_module));
	lower_body_begin(L, &body, 0);
	if (L->unit->attach == QATTACH_TEST || L->unit->attach == QATTACH_BENCH) {
		body.result = ir_reg_new(&L->b, IRC_INT, NULL); /* the verdict */
		ir_set(&L->b, body.result, IR_I(0));
	}
	body.on_return = ir_block_new(&L->b);
	lower_prologue(L);
	if (lower_needs_frame(L, u->probe->probe->block))
		lower_frame(L);
	if (u->access == ACCESS_ITER)
		lower_iter_objects(L);
	lower_predicate(L);
	lower_statements(L);
	lower_body_end(L);
	lower_probe_row(L, u);
	L->unit = NULL;
}

/* --- the whole */

static int32_t map_add(struct lower *L, const char *name, enum question_map_kind kind,
		       uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t flags)
{
	array_push(L->a, &L->q->maps,
		   ((struct question_map){.name = name,
					  .kind = kind,
					  .type = type,
					  .flags = flags,
					  .key_size = key_size,
					  .value_size = value_size,
					  .max_entries = kind == QMAP_RING ? 0 : 1,
					  .is_per_cpu = type == BPF_MAP_TYPE_PERCPU_ARRAY}));
	return (int32_t)L->q->maps.n - 1;
}

static void common_maps(struct lower *L)
{
	struct question *q = L->q;

	q->globals = map_add(L, "globals", QMAP_GLOBALS, BPF_MAP_TYPE_ARRAY, 4, 8, BPF_F_MMAPABLE);
	q->rodata =
		map_add(L, "literals", QMAP_RODATA, BPF_MAP_TYPE_ARRAY, 4, 8, BPF_F_RDONLY_PROG);
	q->ring = map_add(L, "ring", QMAP_RING, BPF_MAP_TYPE_RINGBUF, 0, 0, 0);
	q->lost = map_add(L, "lost", QMAP_LOST, BPF_MAP_TYPE_ARRAY, 4, 8, 0);
	if (L->o->has_cgroup)
		L->cgroup_map = (uint32_t)map_add(L, "cgroup", QMAP_OTHER,
						  BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 0);
	q->stacks = q->scratch = -1; /* the generator makes scratch as it needs it */
	q->global_cpid = q->global_start_ns = q->global_ncpus = q->global_epoch_ns = -1;
	q->global_stop = -1;
	lower_loss(L, QLOSS_RING, "ring", (struct span){});
}

static bool expr_exits(const struct expr *e);
bool lower_exits(const struct block *b)
{
	if (!b)
		return false;
	for (size_t i = 0; i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if (expr_exits(s->a) || expr_exits(s->b) || expr_exits(s->c) ||
		    lower_exits(s->block) || lower_exits(s->other))
			return true;
	}
	return expr_exits(b->value);
}

static bool expr_exits(const struct expr *e)
{
	if (!e)
		return false;
	if (e->kind == EXPR_CALL && e->builtin &&
	    (e->builtin->id == BUILTIN_EXIT || e->builtin->id == BUILTIN_ASSERT))
		return true;
	for (size_t i = 0; i < e->items.n; i++)
		if (expr_exits(e->items.p[i]))
			return true;
	return expr_exits(e->a) || expr_exits(e->b) || expr_exits(e->c) || lower_exits(e->block);
}

static void finish(struct lower *L)
{
	struct question *q = L->q;
	const char **names = arena_array(L->a, const char *, q->maps.n + 1);
	uint32_t *keys = arena_array(L->a, uint32_t, q->maps.n + 1);

	if (L->rodata.n) {
		q->maps.p[q->rodata].value_size = (uint32_t)(L->rodata.n + 7) & ~7u;
		while (L->rodata.n % 8)
			buf_putc(&L->rodata, 0);
		q->maps.p[q->rodata].init = arena_copy(L->a, L->rodata.p, L->rodata.n);
	}
	if (L->globals.n) {
		q->maps.p[q->globals].value_size = (uint32_t)L->globals.n;
		q->maps.p[q->globals].init = arena_copy(L->a, L->globals.p, L->globals.n);
	}
	q->maps.p[q->lost].value_size = (uint32_t)q->losses.n * 8;
	for (size_t i = 0; i < q->maps.n; i++) {
		names[i] = q->maps.p[i].name;
		keys[i] = q->maps.p[i].key_size;
	}
	for (size_t i = 0; i < L->ret->modules.n; i++) {
		struct ir_module *m = L->ret->modules.p[i];

		m->n_maps = (uint32_t)q->maps.n;
		m->map_names = names;
		m->map_keys = keys;
	}
	buf_done(&L->rodata);
	buf_done(&L->globals);
}

bool lower_program(struct question *q, const struct checked *c, const struct check_options *o,
		   struct lowered *ret)
{
	struct lower L = {.q = q,
			  .a = &q->arena,
			  .c = c,
			  .o = o,
			  .w = o->world,
			  .ret = ret,
			  .used = q->arena.used};
	unsigned int errors = q->diags.errors;

	common_maps(&L);
	lower_maps(&L);
	if (ret->maps_known)
		ret->maps_known(ret->ctx, q->maps.p, q->maps.n);
	L.has_enters = lower_has_enters(&L);
	for (size_t i = 0; i < c->probes.n; i++)
		lower_plan(&L, &c->probes.p[i], lower_unit);
	lower_dispatch(&L);
	finish(&L);
	return q->diags.errors == errors;
}
