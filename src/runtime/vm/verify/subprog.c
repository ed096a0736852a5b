/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of the program: static ones are walked at every call, in a frame of their own; global
 * ones are verified once, by their types, and then taken at their word.
 */
#include "runtime/vm/verify/internal.h"

static void frame_begin(struct verifier *v, struct frame *f, unsigned int depth, uint32_t func)
{
	struct reg *fp = &f->regs[10];

	f->func = func;
	reg_pointer(fp, REG_STACK, 0);
	fp->frame = (uint8_t)depth;
	fp->at = v->insn;
}

/* The function that handles exceptions is given the number that was thrown. */
static int exception_args_set(struct verifier *v, uint32_t func)
{
	const struct func *f = &v->funcs[func];
	int r = subprog_args_set(v, func);

	if (r)
		return r;
	if (f->n_args != 1 || f->args[0].kind != FUNC_SCALAR)
		return refuse(v, D_VERIFY_TYPE,
			      "exception cb only supports single integer argument");
	return 0;
}

int subprog_init(struct verifier *v, uint32_t func)
{
	struct frame *f = state_push_frame(&v->pool, v->cur);

	frame_begin(v, f, 0, func);
	if (func && func + 1 == v->exception_func) {
		f->callback.is_exception = true;
		return exception_args_set(v, func);
	}
	if (func)
		return subprog_args_set(v, func);
	if (v->ctx) {
		reg_pointer(&f->regs[1], REG_CTX, 0);
	} else {
		/* no hook's: memory, and how much */
		reg_pointer(&f->regs[1], REG_MEM, 0);
		f->regs[1].size = v->p->mem_size;
		reg_known(&f->regs[2], v->p->mem_size);
	}
	return 0;
}

/* A frame in which `func` runs.  NULL: too deep. */
struct frame *subprog_enter(struct verifier *v, struct state *s, uint32_t func, uint32_t callsite)
{
	struct frame *f;

	if (s->n_frames == FRAMES_MAX) {
		refuse(v, D_VERIFY_LIMIT, "the call stack of %u frames is too deep",
		       s->n_frames + 1);
		return NULL;
	}
	f = state_push_frame(&v->pool, s);
	frame_begin(v, f, s->n_frames - 1, func);
	f->callsite = callsite;
	return f;
}

static int call_global(struct verifier *v, uint32_t func)
{
	struct func *f = &v->funcs[func];
	int r;

	if (v->cur->lock_of)
		return refuse(
			v, D_VERIFY_LOCK,
			"global function calls are not allowed while holding a lock, use static "
			"function instead");
	if (v->cur->preempt)
		return refuse(v, D_VERIFY_LOCK,
			      "global function calls are not allowed with preemption disabled, use "
			      "static function instead");
	r = subprog_args_check(v, func);
	if (r) {
		refuse_note(v, f->begin, "the function begins here");
		return r;
	}
	f->is_called = true;
	if (f->changes_packet)
		packet_pointers_drop(v);
	call_clobber(v);
	reg_unknown(&cur_regs(v)[0]);
	cur_regs(v)[0].at = v->insn;
	return 0;
}

int subprog_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn)
{
	uint32_t to = (uint32_t)v->info[v->insn].target, func = v->info[to].func;
	struct frame *f, *caller;
	(void)i;

	if (v->funcs[func].is_global)
		return call_global(v, func);
	f = subprog_enter(v, v->cur, func, v->insn);
	if (!f)
		return REFUSED;
	caller = v->cur->frames[v->cur->n_frames - 2];
	for (unsigned int k = 1; k <= 5; k++)
		f->regs[k] = caller->regs[k];
	for (unsigned int k = 0; k <= 5; k++)
		reg_none(&caller->regs[k]);
	*insn = to;
	return STEP_JUMPED;
}

int subprog_return(struct verifier *v, uint32_t *insn)
{
	struct frame *f = cur_frame(v), *caller = v->cur->frames[v->cur->n_frames - 2];

	if (f->regs[0].type == REG_STACK)
		return refuse(v, D_VERIFY_STACK, "cannot return stack pointer to the caller");
	if (f->callback.kind)
		return callback_return(v, insn);
	caller->regs[0] = f->regs[0];
	*insn = f->callsite + 1;
	state_pop_frame(&v->pool, v->cur);
	return STEP_JUMPED;
}

static bool insn_changes_packet(const struct verifier *v, uint32_t i)
{
	const struct bpf_insn *insn = &v->p->insns[i];
	const struct proto *p;

	if (v->info[i].id == INSN_CALL) {
		p = proto_for((uint32_t)insn->imm, v->p->prog_type);
		return p && p->changes_packet;
	}
	if (v->info[i].id == INSN_CALL_LOCAL || v->info[i].id == INSN_WIDE_FUNC)
		return v->funcs[v->info[v->info[i].target].func].changes_packet;
	return false;
}

void subprog_effects_find(struct verifier *v)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < v->p->n_insns; i++) {
			struct func *f = &v->funcs[v->info[i].func];

			if (!f->changes_packet && insn_changes_packet(v, i))
				changed = f->changes_packet = true;
		}
	}
}
