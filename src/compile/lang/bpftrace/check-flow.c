/* SPDX-License-Identifier: Apache-2.0 */
/*
 * return, break, continue and exit(): where they may stand, and what is behind them.
 *
 * break and continue need a loop.  Code behind a jump is typed but never reached: a warning.
 * exit() ends the action as return does.  An fn that promises a value must return one on
 * every path.
 */
#include "compile/lang/bpftrace/check-rules.h"

enum jump { JUMP_RETURN = 1, JUMP_BREAK = 2, JUMP_CONTINUE = 4 };

static bool block_ends(struct check *c, struct block *b, unsigned int jumps);

static bool is_exit(const struct expr *e)
{
	return e->kind == EXPR_CALL && e->name && !strcmp(e->name, "exit");
}

/* Does evaluating it always end in one of these jumps? */
static bool expr_ends(struct check *c, struct expr *e, unsigned int jumps)
{
	bool b, other;

	if (!e)
		return false;
	if (is_exit(e))
		return jumps & JUMP_RETURN;
	if (e->kind == EXPR_IF) {
		/* Both are looked at: each may have something unreachable. */
		b = expr_ends(c, e->b, jumps);
		other = expr_ends(c, e->c, jumps);
		return expr_ends(c, e->a, jumps) || (b && other);
	}
	if (e->kind == EXPR_BLOCK)
		return block_ends(c, e->block, jumps);
	if (expr_ends(c, e->a, jumps) || expr_ends(c, e->b, jumps))
		return true;
	for (size_t i = 0; i < e->items.n; i++)
		if (expr_ends(c, e->items.p[i], jumps))
			return true;
	return false;
}

static bool stmt_ends(struct check *c, struct stmt *s, unsigned int jumps)
{
	bool a, b;

	switch (s->kind) {
	case STMT_RETURN:
		return (jumps & JUMP_RETURN) || expr_ends(c, s->a, jumps);
	case STMT_BREAK:
		return jumps & JUMP_BREAK;
	case STMT_CONTINUE:
		return jumps & JUMP_CONTINUE;
	case STMT_BLOCK:
		return block_ends(c, s->block, jumps);
	case STMT_UNROLL:
		return block_ends(c, s->block, jumps);
	case STMT_IF:
		a = block_ends(c, s->block, jumps);
		b = s->other && block_ends(c, s->other, jumps);
		return a && b;
	case STMT_WHILE:
		/* Its own jumps stay inside; see flow_stmt(). */
		return false;
	case STMT_FOR_MAP:
	case STMT_FOR_RANGE:
	case STMT_IMPORT:
		return false;
	case STMT_EXPR:
	case STMT_LET:
	case STMT_ASSIGN_VAR:
	case STMT_ASSIGN_MAP:
	case STMT_DISCARD:
		return expr_ends(c, s->a, jumps) || expr_ends(c, s->b, jumps);
	}
	return false;
}

static bool block_ends(struct check *c, struct block *b, unsigned int jumps)
{
	for (size_t i = 0; i < b->stmts.n; i++) {
		if (!stmt_ends(c, b->stmts.p[i], jumps))
			continue;
		if (i + 1 < b->stmts.n)
			diag_warn(c->d, D_UNREACHABLE, b->stmts.p[i + 1]->span,
				  "Unreachable statement.");
		if (b->value)
			diag_warn(c->d, D_UNREACHABLE, b->value->span,
				  "Unreachable expression; block type is implicitly none.");
		return true;
	}
	return expr_ends(c, b->value, jumps);
}

/* --- jumps that stand wrong */

static void flow_block(struct check *c, struct block *b, const char *where);

struct flow {
	struct visit w; /* first */
	const char *where;
};

static bool flow_expr(struct visit *w, struct expr *e)
{
	if (e->kind != EXPR_BLOCK)
		return true;
	flow_block(w->ctx, e->block, ((struct flow *)w)->where);
	return false;
}

static void flow_stmt(struct check *c, struct stmt *s, const char *where)
{
	struct flow f = {{.ctx = c, .enter_expr = flow_expr}, where};
	bool is_loop =
		s->kind == STMT_WHILE || s->kind == STMT_FOR_MAP || s->kind == STMT_FOR_RANGE;

	if ((s->kind == STMT_BREAK || s->kind == STMT_CONTINUE) && where)
		diag(c->d, D_JUMP, s->span, "'%s' statement is not allowed in a %s",
		     s->kind == STMT_BREAK ? "break" : "continue", where);
	visit_expr(&f.w, s->a);
	visit_expr(&f.w, s->b);
	visit_expr(&f.w, s->c);
	if (is_loop) {
		block_ends(c, s->block,
			   JUMP_BREAK | JUMP_CONTINUE | (s->kind == STMT_WHILE ? JUMP_RETURN : 0));
		where = NULL;
	}
	if (s->kind == STMT_WHILE) {
		diag_warn(c->d, D_DEPRECATED, s->span,
			  "While loops are deprecated and may be removed in the future.");
		diag_hint(c->d, "For loops support ranges (e.g. `for ($x : $start..$end) { ... }`),"
				" and can be used in place of while. These are more easily proven"
				" to be bounded by the verifier.");
	}
	if (s->block)
		flow_block(c, s->block, where);
	if (s->other)
		flow_block(c, s->other, where);
}

static void flow_block(struct check *c, struct block *b, const char *where)
{
	struct flow f = {{.ctx = c, .enter_expr = flow_expr}, where};

	for (size_t i = 0; i < b->stmts.n; i++)
		flow_stmt(c, b->stmts.p[i], where);
	visit_expr(&f.w, b->value);
}

void check_flow(struct check *c)
{
	for (size_t i = 0; i < c->p->fns.n; i++) {
		struct fn *f = c->p->fns.p[i];

		flow_block(c, f->block, "function");
		f->always_returns = block_ends(c, f->block, JUMP_RETURN);
	}
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		struct block *b = c->ret->probes.p[i].probe->block;

		flow_block(c, b, "probe");
		block_ends(c, b, JUMP_RETURN);
	}
}
