/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: assignments, conditions, jumps; loops are in lower-loop.c. */
#include "compile/lang/bpftrace/lower-internal.h"

void lower_dead(struct lower *L)
{
	ir_block_go(&L->b, ir_block_new(&L->b));
}

static void assign_var(struct lower *L, struct stmt *s)
{
	struct variable *v = s->a->var;
	struct ir_val x;

	if (!s->has_op) {
		lower_var_set(L, v, s->b);
		return;
	}
	x = lower_var_get(L, v);
	if (lower_has_effects(s->b))
		x = IR_R(lower_stable(L, s->a));
	if (v->type->kind == TYPE_POINTER) {
		uint32_t step = v->type->of && v->type->of->size ? v->type->of->size : 1;
		struct ir_val n = ir_math(&L->b, IR_MUL, lower_scalar(L, s->b), IR_I(step));

		lower_var_put(L, v, ir_math(&L->b, s->op == OP_SUB ? IR_SUB : IR_ADD, x, n));
		return;
	}
	lower_var_put(L, v, lower_binary_values(L, s->a, s->op, v->type, x, lower_scalar(L, s->b)));
}

static void let(struct lower *L, struct stmt *s)
{
	if (s->b)
		lower_var_set(L, s->a->var, s->b);
	else
		lower_var_clear(L, s->a->var);
}

static void branch(struct lower *L, struct stmt *s)
{
	uint32_t yes = ir_block_new(&L->b), done = ir_block_new(&L->b);
	uint32_t no = s->other ? ir_block_new(&L->b) : done;

	lower_branch(L, s->a, yes, no);
	ir_block_go(&L->b, yes);
	lower_block(L, s->block);
	ir_jump(&L->b, done);
	if (s->other) {
		ir_block_go(&L->b, no);
		lower_block(L, s->other);
		ir_jump(&L->b, done);
	}
	ir_block_go(&L->b, done);
}

static void leave(struct lower *L, struct stmt *s)
{
	struct body *body = L->body, *root = body;

	while (root->is_callback)
		root = root->outer;
	if (s->kind == STMT_RETURN) {
		if (s->a && root != body && root->result)
			ir_store(&L->b, body->frame, FRAME_VALUE, 8, lower_scalar(L, s->a));
		else if (s->a && root != body && root->result_type)
			diag(&L->q->diags, D_UNSUPPORTED, s->span,
			     "Only a number can be returned from the inside of a loop");
		else if (s->a && body->result)
			ir_set(&L->b, body->result, lower_scalar(L, s->a));
		else if (s->a && body->result_type)
			lower_into_type(L, s->a, body->result_place, body->result_type, false);
		else if (s->a)
			lower_effect(L, s->a);
		ir_jump(&L->b, body->on_return);
	} else if (body->loop) {
		ir_jump(&L->b,
			s->kind == STMT_BREAK ? body->loop->on_break : body->loop->on_continue);
	} else {
		return;
	}
	lower_dead(L);
}

void lower_stmt(struct lower *L, struct stmt *s)
{
	struct span outer = L->b.span;
	uint32_t mark = lower_mark(L);

	L->b.span = s->span;
	switch (s->kind) {
	case STMT_EXPR:
	case STMT_DISCARD:
		lower_effect(L, s->a);
		break;
	case STMT_LET:
		let(L, s);
		break;
	case STMT_ASSIGN_VAR:
		assign_var(L, s);
		break;
	case STMT_ASSIGN_MAP:
		lower_map_assign(L, s);
		break;
	case STMT_IF:
		branch(L, s);
		break;
	case STMT_WHILE:
	case STMT_FOR_MAP:
	case STMT_FOR_RANGE:
	case STMT_UNROLL:
		lower_loop_stmt(L, s);
		break;
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_RETURN:
		leave(L, s);
		break;
	case STMT_BLOCK:
		lower_block(L, s->block);
		if (s->block->value)
			lower_effect(L, s->block->value);
		break;
	case STMT_IMPORT:
		break;
	}
	lower_release(L, mark);
	L->b.span = outer;
}

/*
 * Unrolled loops in each other make more code than any kernel takes, and more than there
 * is time and memory for.  The kernel's verifier gives up at 8192 branches that it has still
 * to follow (BPF_COMPLEXITY_LIMIT_JMP_SEQ); what grows faster than the code here, who is alive
 * where, grows with the blocks.
 */
static bool has_room(struct lower *L, struct span span)
{
	enum { BLOCKS_MAX = 8192, UNIT_MAX = 16 << 20, ALL_MAX = 640 << 20 };

	if (!L->is_too_large &&
	    (ir_here(&L->b)->blocks.n > BLOCKS_MAX || L->a->used - L->unit_used > UNIT_MAX ||
	     L->a->used - L->used > ALL_MAX)) {
		diag(&L->q->diags, D_PROGRAM_TOO_LARGE, span, "The program is too large");
		if (L->has_unrolled)
			diag_hint(&L->q->diags, "unroll writes its block down again for each turn, "
						"for ($i : 0..N) { … } does not");
		L->is_too_large = true;
	}
	return !L->is_too_large;
}

/* Its statements; the value, if there is one, is for the caller. */
void lower_block(struct lower *L, struct block *b)
{
	for (size_t i = 0; i < b->stmts.n && has_room(L, b->stmts.p[i]->span); i++)
		lower_stmt(L, b->stmts.p[i]);
}
