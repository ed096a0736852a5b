/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks.
 *
 * Frames are long and come again and again, so a value holds their hash only; the frames
 * stand once in a map, by that hash, for user space to look up.  What is behind the last
 * frame is zero.
 */
#include "compile/lang/bpftrace/lower-call.h"

enum { FRAMES = 127, STACKS = 4096, STACKS_ON_DEMAND = 65536 };

/* An address, or struct bpf_stack_build_id. */
static uint32_t frame_words(const struct type *t)
{
	return t->stack.mode == STACK_BUILD_ID && t->kind == TYPE_USTACK
		       ? sizeof(struct bpf_stack_build_id) / 8
		       : 1;
}

static void types_limit(const struct type *t, uint32_t *n)
{
	uint32_t words = t && (t->kind == TYPE_KSTACK || t->kind == TYPE_USTACK)
				 ? t->stack.limit * frame_words(t)
				 : 0;

	if (words > *n)
		*n = words;
}

static void block_limit(const struct block *b, uint32_t *n);

static void expr_limit(const struct expr *e, uint32_t *n)
{
	if (!e)
		return;
	types_limit(e->type, n);
	for (size_t i = 0; i < e->items.n; i++)
		expr_limit(e->items.p[i], n);
	expr_limit(e->a, n);
	expr_limit(e->b, n);
	expr_limit(e->c, n);
	block_limit(e->block, n);
}

static void block_limit(const struct block *b, uint32_t *n)
{
	for (size_t i = 0; b && i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		expr_limit(s->a, n);
		expr_limit(s->b, n);
		expr_limit(s->c, n);
		block_limit(s->block, n);
		block_limit(s->other, n);
	}
	if (b)
		expr_limit(b->value, n);
}

/* The map of frames: as long as the longest stack that the script asks for. */
static uint32_t stacks_map(struct lower *L)
{
	uint32_t n = 1;
	bool on_demand = world_has(L->w, WORLD_KTIME_TAI); /* 6.1: allocates in any context */

	if (L->q->stacks >= 0)
		return (uint32_t)L->q->stacks;
	for (size_t i = 0; i < L->c->probes.n; i++) {
		expr_limit(L->c->probes.p[i].probe->predicate, &n);
		block_limit(L->c->probes.p[i].probe->block, &n);
	}
	for (size_t i = 0; i < L->c->program->fns.n; i++)
		block_limit(L->c->program->fns.p[i]->block, &n);
	array_push(L->a, &L->q->maps,
		   ((struct question_map){.name = "stacks",
					  .kind = QMAP_STACKS,
					  .type = BPF_MAP_TYPE_HASH,
					  .flags = on_demand ? BPF_F_NO_PREALLOC : 0,
					  .key_size = 8,
					  .value_size = n * 8,
					  .max_entries = on_demand ? STACKS_ON_DEMAND : STACKS}));
	L->q->stacks = (int32_t)L->q->maps.n - 1;
	return (uint32_t)L->q->stacks;
}

static void keep(struct lower *L, struct expr *e, uint32_t map, struct mem id, struct mem frames,
		 uint32_t done)
{
	uint32_t missing = ir_block_new(&L->b), lost = ir_block_new(&L->b);
	ir_reg r = IR_CALL(&L->b, BPF_FUNC_map_lookup_elem, IRC_PTR, IR_R(ir_map_addr(&L->b, map)),
			   IR_R(mem_addr(L, id)));

	ir_branch(&L->b, IRC_NE, IR_R(r), IR_I(0), done, missing);
	ir_block_go(&L->b, missing);
	r = IR_CALL(&L->b, BPF_FUNC_map_update_elem, IRC_INT, IR_R(ir_map_addr(&L->b, map)),
		    IR_R(mem_addr(L, id)), IR_R(mem_addr(L, frames)), IR_I(BPF_ANY));
	ir_branch(&L->b, IRC_NE, IR_R(r), IR_I(0), lost, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, lost);
	lower_count_loss(L, lower_loss(L, QLOSS_STACK, e->name ? e->name : "stack", e->span));
	ir_jump(&L->b, done);
}

void call_stack(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	bool is_user = e->builtin->id == BUILTIN_USTACK;
	uint32_t map = stacks_map(L), limit = e->type->stack.limit ? e->type->stack.limit : FRAMES;
	uint32_t room = L->q->maps.p[map].value_size, words = frame_words(e->type);
	uint64_t flags = is_user ? BPF_F_USER_STACK : 0;
	struct mem frames = lower_scratch(L, room), id = lower_temp(L, 8);
	uint32_t some = ir_block_new(&L->b), none = ir_block_new(&L->b), done = ir_block_new(&L->b);
	ir_reg n = ir_reg_new(&L->b, IRC_INT, NULL), hash;

	(void)clean;
	if (!is_user && world_has(L->w, WORLD_EMBEDDED))
		lower_oops(L, e->span, "the kernel's stack cannot be seen without privileges");
	if (words > 1 && world_has(L->w, WORLD_EMBEDDED))
		lower_oops(L, e->span, "the embedded runtime has no stacks by build ids");
	flags |= words > 1 ? BPF_F_USER_BUILD_ID : 0;
	mem_zero(L, to, sizeof(struct value_stack));
	mem_zero(L, frames, room);
	ir_set(&L->b, n,
	       IR_R(IR_CALL(&L->b, BPF_FUNC_get_stack, IRC_INT, lower_ctx(L),
			    IR_R(mem_addr(L, frames)), IR_I(limit * words * 8),
			    IR_I((int64_t)flags))));
	ir_branch(&L->b, IRC_SGT, IR_R(n), IR_I(0), some, none);
	ir_block_go(&L->b, some);
	n = ir_to_reg(&L->b, ir_math(&L->b, IR_SHR, IR_R(n), IR_I(3)));
	/* old verifiers walk into a second turn for "at most one", which can't be */
	hash = IR_CALL_RT(&L->b, "rt_stack_hash", IRC_INT, IR_R(mem_addr(L, frames)),
			  limit == 1 ? IR_I(1) : IR_R(n), IR_I(0));
	ir_store(&L->b, id.base, id.off, 8, IR_R(hash));
	ir_store(&L->b, to.base, to.off, 8, IR_R(hash));
	ir_store(&L->b, to.base, to.off + 20, 4,
		 words > 1 ? ir_math(&L->b, IR_UDIV, IR_R(n), IR_I(words)) : IR_R(n));
	if (is_user) {
		ir_store(&L->b, to.base, to.off + 8, 4,
			 ir_math(&L->b, IR_SHR, lower_pid_tid(L), IR_I(32)));
		ir_store(&L->b, to.base, to.off + 16, 4, lower_probe_id(L));
	}
	keep(L, e, map, id, frames, done);
	ir_block_go(&L->b, none);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}
