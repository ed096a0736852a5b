/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops.
 *
 * while is a loop of the program itself, which the verifier walks; unroll repeats the
 * code.  `for` over a map, and over a range where the kernel has bpf_loop(), makes the body
 * a function that the kernel calls: checked once, however often it runs.  Such a body
 * gets one pointer, to the frame on the action's stack:
 *
 *	 0  the program's context
 *	 8  1: the action has returned
 *	16  where a range begins
 *	24  what was returned
 *	32  variables that are shared, in the order in which they are met
 */
#include "compile/lang/bpftrace/lower-internal.h"
#include "compile/lang/bpftrace/tree.h"

static void while_loop(struct lower *L, struct stmt *s)
{
	uint32_t test = ir_block_new(&L->b), body = ir_block_new(&L->b), done = ir_block_new(&L->b);
	struct loop loop = {L->body->loop, done, test};

	ir_jump(&L->b, test);
	ir_block_go(&L->b, test);
	lower_branch(L, s->a, body, done);
	ir_block_go(&L->b, body);
	L->body->loop = &loop;
	lower_block(L, s->block);
	L->body->loop = loop.outer;
	ir_jump(&L->b, test);
	ir_block_go(&L->b, done);
}

static void unroll(struct lower *L, struct stmt *s)
{
	uint32_t done = ir_block_new(&L->b);

	L->has_unrolled = true;
	for (uint64_t i = 0; i < s->a->number && i < 100; i++) {
		struct loop loop = {L->body->loop, done, ir_block_new(&L->b)};

		L->body->loop = &loop;
		lower_block(L, s->block);
		L->body->loop = loop.outer;
		ir_jump(&L->b, loop.on_continue);
		ir_block_go(&L->b, loop.on_continue);
	}
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/* A range in the program itself, for few turns and for old kernels. */
static void plain_range(struct lower *L, struct stmt *s, ir_reg at, ir_reg end)
{
	uint32_t test = ir_block_new(&L->b), body = ir_block_new(&L->b);
	uint32_t next = ir_block_new(&L->b), done = ir_block_new(&L->b);
	struct loop loop = {L->body->loop, done, next};

	ir_jump(&L->b, test);
	ir_block_go(&L->b, test);
	ir_branch(&L->b, IRC_SLT, IR_R(at), IR_R(end), body, done);
	ir_block_go(&L->b, body);
	lower_var_put(L, s->a->var, lower_fit(L, IR_R(at), s->a->var->type));
	L->body->loop = &loop;
	lower_block(L, s->block);
	L->body->loop = loop.outer;
	ir_jump(&L->b, next);
	ir_block_go(&L->b, next);
	ir_set(&L->b, at, ir_math(&L->b, IR_ADD, IR_R(at), IR_I(1)));
	ir_jump(&L->b, test);
	ir_block_go(&L->b, done);
}

/* --- bodies that are functions */

struct callback {
	struct body body;
	struct loop loop;
	struct ir_builder outer;
	uint32_t on_continue, on_break;
};

static void callback_begin(struct lower *L, struct callback *c, const char *name, uint32_t n_params,
			   uint32_t frame_param)
{
	uint32_t func;

	ir_func_add(L->b.m, arena_printf(L->a, "%s%zu", name, L->b.m->funcs.n), n_params);
	func = (uint32_t)L->b.m->funcs.n - 1;
	*c = (struct callback){.outer = L->b, .body = {.outer = L->body, .is_callback = true}};
	lower_body_begin(L, &c->body, func);
	c->body.frame = frame_param;
	ir_here(&L->b)->regs.p[frame_param].class = IRC_PTR;
	c->body.ctx = ir_to_reg(&L->b, ir_load(&L->b, frame_param, FRAME_CTX, 8, false));
	ir_here(&L->b)->regs.p[c->body.ctx].class = IRC_PTR;
	c->on_continue = ir_block_new(&L->b);
	c->on_break = ir_block_new(&L->b);
	c->loop = (struct loop){NULL, c->on_break, c->on_continue};
	c->body.loop = &c->loop;
	c->body.on_return = ir_block_new(&L->b);
}

static uint32_t callback_end(struct lower *L, struct callback *c)
{
	uint32_t func = L->b.func;

	ir_jump(&L->b, c->on_continue);
	ir_block_go(&L->b, c->body.on_return);
	ir_store(&L->b, c->body.frame, FRAME_RETURNED, 8, IR_I(1));
	ir_jump(&L->b, c->on_break);
	ir_block_go(&L->b, c->on_continue);
	ir_return(&L->b, IR_I(0));
	ir_block_go(&L->b, c->on_break);
	ir_return(&L->b, IR_I(1));
	L->body = c->body.outer;
	c->outer.m = L->b.m;
	L->b = c->outer;
	return func;
}

/* Behind the call: did the body say return? */
static void after_call(struct lower *L)
{
	struct body *body = L->body;
	uint32_t go_on = ir_block_new(&L->b);
	uint32_t returned = body->result ? ir_block_new(&L->b) : body->on_return;

	ir_branch(&L->b, IRC_NE, ir_load(&L->b, body->frame, FRAME_RETURNED, 8, false), IR_I(0),
		  returned, go_on);
	if (body->result) {
		ir_block_go(&L->b, returned);
		ir_set(&L->b, body->result, ir_load(&L->b, body->frame, FRAME_VALUE, 8, false));
		ir_jump(&L->b, body->on_return);
	}
	ir_block_go(&L->b, go_on);
}

static bool has_return(const struct block *b)
{
	if (!b)
		return false;
	if (lower_exits(b))
		return true;
	for (size_t i = 0; i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if (s->kind == STMT_RETURN || has_return(s->block) || has_return(s->other))
			return true;
	}
	return false;
}

/*
 * The verifier follows such a body turn by turn, until nothing new comes.  A counter whose
 * value it knows is 0, then 1, then 2, and always new: it gives up.  So it is made to
 * forget: a helper writes to the variable's place, what it read there.
 */
struct forget {
	struct walk walk;
	struct lower *L;
	ARRAY(struct variable *) done;
};

static void forget_value(struct forget *f, const struct expr *e)
{
	struct variable *v = e && e->kind == EXPR_VAR ? e->var : NULL;
	struct lower *L = f->L;
	struct mem at;

	if (!v || !v->is_captured || lower_var_is_new(L, v) || v->type->size > 8 ||
	    (v->type->kind != TYPE_INT && v->type->kind != TYPE_BOOL))
		return;
	for (size_t i = 0; i < f->done.n; i++)
		if (f->done.p[i] == v)
			return;
	array_push(L->a, &f->done, v);
	at = lower_var_place(L, v);
	IR_CALL(&L->b, BPF_FUNC_probe_read_kernel, IRC_INT, IR_R(mem_addr(L, at)),
		IR_I(v->type->size), IR_R(mem_addr(L, at)));
}

static void forget_assigned(struct walk *w, struct stmt *s)
{
	if (s->kind == STMT_ASSIGN_VAR)
		forget_value((struct forget *)w, s->a);
}

static bool forget_stepped(struct walk *w, struct expr **at)
{
	if ((*at)->kind == EXPR_UNARY)
		forget_value((struct forget *)w, (*at)->a);
	return true;
}

static void forget_values(struct lower *L, struct block *b)
{
	struct forget f = {{.stmt = forget_assigned, .enter = forget_stepped}, L, {}};

	walk_block(&f.walk, b);
}

static void range_call(struct lower *L, struct stmt *s, ir_reg begin, ir_reg end)
{
	struct callback c;
	uint32_t func, run = ir_block_new(&L->b), done = ir_block_new(&L->b);
	struct ir_val n, outer_begin = IR_I(0);

	if (L->body->is_callback) /* the frame is one for all loops inside each other */
		outer_begin = ir_load(&L->b, L->body->frame, FRAME_START, 8, false);
	ir_store(&L->b, L->body->frame, FRAME_START, 8, IR_R(begin));
	ir_branch(&L->b, IRC_SLT, IR_R(begin), IR_R(end), run, done);
	ir_block_go(&L->b, run);
	forget_values(L, s->block);
	callback_begin(L, &c, "range", 2, 2);
	n = ir_load(&L->b, c.body.frame, FRAME_START, 8, false);
	n = ir_math(&L->b, IR_ADD, n, IR_R(1));
	lower_var_put(L, s->a->var, lower_fit(L, n, s->a->var->type));
	lower_block(L, s->block);
	func = callback_end(L, &c);
	n = ir_math(&L->b, IR_SUB, IR_R(end), IR_R(begin));
	IR_CALL(&L->b, BPF_FUNC_loop, IRC_INT, n, IR_R(ir_func_addr(&L->b, func)),
		IR_R(L->body->frame), IR_I(0));
	if (has_return(s->block))
		after_call(L);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	if (L->body->is_callback)
		ir_store(&L->b, L->body->frame, FRAME_START, 8, outer_begin);
}

static void range(struct lower *L, struct stmt *s)
{
	ir_reg begin = ir_reg_new(&L->b, IRC_INT, NULL), end = ir_reg_new(&L->b, IRC_INT, NULL);

	ir_set(&L->b, begin, lower_scalar(L, s->b));
	ir_set(&L->b, end, lower_scalar(L, s->c));
	if (world_has(L->w, WORLD_BPF_LOOP) && L->body->frame)
		range_call(L, s, begin, end);
	else
		plain_range(L, s, begin, end);
}

/* --- over a map */

/* The loop's variable: the key, or (key, value). */
static void set_element(struct lower *L, struct stmt *s, struct map_decl *m)
{
	struct variable *v = s->a->var;
	const struct type *t = v->type;
	struct mem key = mem_bpf(2, 0), value = mem_bpf(3, 0), to;

	if (t->kind != TYPE_TUPLE || t->n_members != 2) {
		if (lower_is_scalar(t))
			lower_var_put(L, v, mem_load_type(L, key, t));
		else
			mem_copy(L, lower_var_place(L, v), key, t->size);
		return;
	}
	to = lower_var_place(L, v);
	mem_zero(L, to, t->size);
	mem_convert(L, mem_at(to, (int32_t)t->members[0].offset), t->members[0].type, key,
		    m->key ? m->key : type_int(8, false), false);
	to = mem_at(to, (int32_t)t->members[1].offset);
	if (type_is_agg(m->value)) { /* that of all cpus, by the key; here is one's */
		lower_agg_copy(L, m, key, to);
		return;
	}
	value = mem_bpf(lower_own_value(L, m, value.base), 0);
	mem_convert(L, to, t->members[1].type, value, m->value, false);
}

static void map_loop(struct lower *L, struct stmt *s)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(s->b, &key);
	struct callback c;
	uint32_t func;

	if (!m || !L->body->frame) {
		lower_oops(L, s->span, "a loop over a map is not possible here");
		return;
	}
	forget_values(L, s->block);
	callback_begin(L, &c, "each", 4, 4);
	ir_here(&L->b)->regs.p[1].class = IRC_MAP;
	ir_here(&L->b)->regs.p[2].class = IRC_PTR;
	ir_here(&L->b)->regs.p[3].class = IRC_PTR;
	set_element(L, s, m);
	lower_block(L, s->block);
	func = callback_end(L, &c);
	IR_CALL(&L->b, BPF_FUNC_for_each_map_elem, IRC_INT,
		IR_R(ir_map_addr(&L->b, lower_map_index(m))), IR_R(ir_func_addr(&L->b, func)),
		IR_R(L->body->frame), IR_I(0));
	if (has_return(s->block))
		after_call(L);
}

void lower_loop_stmt(struct lower *L, struct stmt *s)
{
	switch ((int)s->kind) {
	case STMT_WHILE:
		while_loop(L, s);
		break;
	case STMT_UNROLL:
		unroll(L, s);
		break;
	case STMT_FOR_RANGE:
		range(L, s);
		break;
	case STMT_FOR_MAP:
		map_loop(L, s);
		break;
	}
}
