/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the script: each is a function of the module that calls it.
 *
 * Numbers are passed in registers; all else by address, and a result that is no number
 * is written to an address that the caller gives as the last argument.  The verifier
 * checks such a function with its caller's registers.
 */
#include "compile/lang/bpftrace/lower-internal.h"

const struct fn *lower_fn_find(struct lower *L, const char *name)
{
	for (size_t i = 0; i < L->c->program->fns.n; i++)
		if (!strcmp(L->c->program->fns.p[i]->name, name))
			return L->c->program->fns.p[i];
	return NULL;
}

static bool has_place(const struct fn *fn)
{
	return fn->type && fn->type->kind != TYPE_NONE && fn->type->kind != TYPE_VOID &&
	       !lower_is_scalar(fn->type);
}

/* Not done: it is being made, so it leads back to itself. */
static uint32_t found_fn(struct lower *L, const struct fn_code *code)
{
	if (!code->is_done)
		diag(&L->q->diags, D_UNSUPPORTED, L->b.span,
		     "%s() calls itself: the kernel has no recursion", code->fn->name);
	return code->func;
}

uint32_t lower_fn(struct lower *L, const struct fn *fn)
{
	struct ir_builder outer = L->b;
	struct body body = {.outer = NULL}, *outer_body = L->body;
	uint32_t generation = L->generation, func;
	size_t row = L->fns.n;

	for (size_t i = 0; i < L->fns.n; i++)
		if (L->fns.p[i].fn == fn && L->fns.p[i].m == L->b.m)
			return found_fn(L, &L->fns.p[i]);
	ir_func_add(L->b.m, fn->name, (uint32_t)fn->params.n + has_place(fn));
	func = (uint32_t)L->b.m->funcs.n - 1;
	array_push(L->a, &L->fns, ((struct fn_code){fn, L->b.m, func, false}));
	L->generation += 1000000 + func; /* homes of its variables are its own */
	lower_body_begin(L, &body, func);
	body.ctx = ir_to_reg(&L->b, IR_I(0)); /* an fn has no context */
	body.on_return = ir_block_new(&L->b);
	if (fn->type && lower_is_scalar(fn->type)) {
		body.result = ir_reg_new(&L->b, IRC_INT, "result");
		ir_set(&L->b, body.result, IR_I(0));
	} else if (has_place(fn)) {
		ir_here(&L->b)->regs.p[fn->params.n + 1].class = IRC_PTR;
		body.result_place = mem_bpf((ir_reg)fn->params.n + 1, 0);
		body.result_type = fn->type;
	}
	if (lower_needs_frame(L, fn->block))
		lower_frame(L); /* parameters that loops share live there */
	for (size_t i = 0; i < fn->params.n; i++) {
		struct variable *v = fn->params.p[i].var;

		if (!v || !v->type)
			continue;
		if (lower_is_scalar(v->type)) {
			lower_var_put(L, v, IR_R((ir_reg)i + 1));
		} else {
			ir_here(&L->b)->regs.p[i + 1].class = IRC_PTR;
			mem_copy(L, lower_var_place(L, v), mem_bpf((ir_reg)i + 1, 0),
				 v->type->size);
		}
	}
	if (fn->block) {
		lower_block(L, fn->block);
		if (fn->block->value && body.result)
			ir_set(&L->b, body.result, lower_scalar(L, fn->block->value));
		else if (fn->block->value && body.result_type)
			lower_into_type(L, fn->block->value, body.result_place, fn->type, false);
		else if (fn->block->value)
			lower_effect(L, fn->block->value);
	}
	lower_body_end(L);
	L->fns.p[row].is_done = true;
	L->body = outer_body;
	L->b = outer;
	L->generation = generation;
	return func;
}

ir_reg lower_fn_call(struct lower *L, struct expr *e, struct mem *to)
{
	const struct fn *fn = lower_fn_find(L, e->name);
	struct ir_val args[IR_ARGS];
	unsigned int n = 0;

	if (!fn || e->items.n + (to != NULL) > IR_ARGS) {
		lower_oops(L, e->span,
			   arena_printf(L->a,
					fn ? "%s() has more than five parameters"
					   : "there is no function %s()",
					e->name));
		return ir_to_reg(&L->b, IR_I(0));
	}
	for (size_t i = 0; i < e->items.n; i++) {
		struct expr *a = e->items.p[i];
		const struct type *t = i < fn->params.n && fn->params.p[i].var
					       ? fn->params.p[i].var->type
					       : a->type;

		if (lower_is_scalar(t)) {
			args[n++] = IR_R(lower_stable(L, a));
		} else {
			struct mem tmp = lower_temp(L, t->size);

			lower_into_type(L, a, tmp, t, false);
			args[n++] = IR_R(mem_addr(L, tmp));
		}
	}
	if (to)
		args[n++] = IR_R(mem_addr(L, *to));
	else if (has_place(fn))
		args[n++] = IR_R(mem_addr(L, lower_temp(L, fn->type->size)));
	return ir_call_func(&L->b, lower_fn(L, fn), args, n);
}
