/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that helpers call: how often is not known, so at a call two paths go on: one into the
 * callback, one behind the call.  When the callback returns, the call is looked at again with
 * what the callback left; once that is covered by an earlier visit, all rounds are.
 *
 * Timers and work queues run later, by themselves: they are walked from an empty stack.
 */
#include "runtime/vm/verify/internal.h"

static void map_reg(struct reg *to, enum reg_type type, const struct reg *map)
{
	reg_pointer(to, type, 0);
	to->map = map->map;
	to->map_uid = map->map_uid;
	to->is_inner = map->is_inner;
}

static int find_vma_regs(struct verifier *v, const struct reg *from, struct reg *to)
{
	uint32_t vma = v->kernel ? btf_find(v->kernel, BTF_ONE(STRUCT), "vm_area_struct") : 0;

	if (!vma)
		return refuse(v, D_VERIFY_CALL, "the kernel's types are needed for bpf_find_vma");
	to[1] = from[1];
	reg_pointer(&to[2], REG_BTF, 0);
	to[2].btf = v->kernel;
	to[2].btf_id = vma;
	to[3] = from[4];
	return 0;
}

static void node_reg(struct verifier *v, struct reg *to, const struct vm_field *root)
{
	reg_pointer(to, REG_BTF, F_ALLOC | F_NON_OWN);
	to->btf = &v->o->btf;
	to->btf_id = root->type;
	to->off = (int32_t)root->node;
}

static int less_regs(struct verifier *v, const struct reg *from, struct reg *to)
{
	const struct vm_field *root =
		fields_at(reg_fields(v, &from[1]), (uint32_t)from[1].off, FIELD_ONE(RB_ROOT));

	if (!root || !root->type)
		return refuse(v, D_VERIFY_ARGUMENT, "bpf_rb_root not found");
	node_reg(v, &to[1], root);
	node_reg(v, &to[2], root);
	return 0;
}

/* What a callback of this kind is given; `from`: registers at the call. */
static int arguments(struct verifier *v, struct call *c, enum callback_kind kind,
		     const struct reg *from, struct frame *f)
{
	struct reg *to = f->regs;

	f->callback.kind = kind;
	f->callback.ret_min = 0;
	f->callback.ret_max = 1;
	switch (kind) {
	case CALLBACK_LOOP:
		reg_unknown(&to[1]);
		to[2] = from[3];
		return 0;
	case CALLBACK_FOR_EACH: {
		uint32_t type = reg_map(v, &c->map)->type;

		if (type != BPF_MAP_TYPE_ARRAY && type != BPF_MAP_TYPE_PERCPU_ARRAY &&
		    type != BPF_MAP_TYPE_HASH && type != BPF_MAP_TYPE_PERCPU_HASH &&
		    type != BPF_MAP_TYPE_LRU_HASH && type != BPF_MAP_TYPE_LRU_PERCPU_HASH)
			return refuse(v, D_VERIFY_MAP, "callback function not allowed for map");
		map_reg(&to[1], REG_MAP, &c->map);
		map_reg(&to[2], REG_MAP_KEY, &c->map);
		map_reg(&to[3], REG_MAP_VALUE, &c->map);
		to[4] = from[3];
		return 0;
	}
	case CALLBACK_TIMER:
	case CALLBACK_WORK:
		map_reg(&to[1], REG_MAP, &c->map);
		map_reg(&to[2], REG_MAP_KEY, &c->map);
		map_reg(&to[3], REG_MAP_VALUE, &c->map);
		f->callback.is_async = true;
		return 0;
	case CALLBACK_USER_RINGBUF:
		reg_pointer(&to[1], REG_DYNPTR, 0);
		to[1].dynptr = DYNPTR_LOCAL;
		to[1].is_first = true;
		to[1].id = new_id(v);
		to[2] = from[3];
		return 0;
	case CALLBACK_FIND_VMA:
		return find_vma_regs(v, from, to);
	case CALLBACK_LESS:
		return less_regs(v, from, to);
	case CALLBACK_NONE:
	case CALLBACK_EXCEPTION:
		return 0;
	}
	return 0;
}

/* A path of its own, with nothing on the stack. */
static int push_async(struct verifier *v, struct call *c, enum callback_kind kind, uint32_t func)
{
	struct state *s = push_path(v, v->funcs[func].begin);
	const struct frame *caller = cur_frame(v);
	struct frame *f;

	if (!s)
		return -E2BIG;
	while (s->n_frames)
		state_pop_frame(&v->pool, s);
	s->n_refs = 0;
	s->lock_of = s->lock_id = 0;
	s->rcu = s->preempt = 0;
	s->is_sleepable = kind == CALLBACK_WORK;
	f = subprog_enter(v, s, func, v->insn);
	f->async_entry = caller->async_entry + 1;
	v->funcs[func].is_async_callback = true;
	return arguments(v, c, kind, caller->regs, f);
}

int callback_push(struct verifier *v, struct call *c, enum callback_kind kind, unsigned int fn_reg,
		  uint32_t *insn)
{
	uint32_t func = cur_regs(v)[fn_reg].func;
	struct state *s;
	struct frame *f, *caller;
	int r;
	(void)insn;

	if (kind == CALLBACK_TIMER || kind == CALLBACK_WORK)
		return push_async(v, c, kind, func);
	s = push_path(v, v->funcs[func].begin);
	if (!s)
		return -E2BIG;
	f = subprog_enter(v, s, func, v->insn);
	if (!f)
		return REFUSED;
	caller = s->frames[s->n_frames - 2];
	r = arguments(v, c, kind, cur_regs(v), f);
	s->callback_unroll++;
	caller->callback_depth++;
	cur_frame(v)->callback_depth = 0;
	return r;
}

int callback_return(struct verifier *v, uint32_t *insn)
{
	uint32_t call = cur_frame(v)->callsite;
	struct state *old;
	int r = retval_check_callback(v);

	if (r)
		return r;
	state_pop_frame(&v->pool, v->cur);
	*insn = call;
	old = prune_previous(v, call, false);
	if (old)
		prune_widen(v, old, v->cur);
	return STEP_JUMPED;
}
