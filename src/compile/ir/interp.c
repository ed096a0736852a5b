/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/ir/interp.h"

#include "compile/ir/op.h"

#include <errno.h>
#include <stdlib.h>

enum { MOST_DEPTH = 16 };

/* One function being run. */
struct frame {
	const struct ir_func *f;
	uint64_t *regs;
	uint64_t *slots; /* addresses */
};

static bool fail(struct interp *in, enum interp_why why, struct span span)
{
	if (in->why == INTERP_OK) {
		in->why = why;
		in->span = span;
	}
	return false;
}

void interp_init(struct interp *in, const struct ir_module *m, uint64_t steps)
{
	*in = (struct interp){.m = m, .steps = steps, .key = 1};
	array_push(&in->arena, &in->areas, (struct interp_area){});
}

void interp_done(struct interp *in)
{
	arena_done(&in->arena);
	in->areas.p = NULL;
	in->areas.n = in->areas.room = 0;
}

uint64_t interp_area(struct interp *in, void *p, uint32_t n, bool is_constant)
{
	array_push(&in->arena, &in->areas, ((struct interp_area){p, n, is_constant}));
	return (uint64_t)((uint32_t)(in->areas.n - 1) * in->key) << 32;
}

void interp_space(struct interp *in, enum ir_space space, void *p, uint32_t n)
{
	uint64_t at = interp_area(in, p, n, space == IRS_RODATA);

	switch (space) {
	case IRS_GLOBAL:
		in->globals = at;
		break;
	case IRS_RODATA:
		in->rodata = at;
		break;
	case IRS_SCRATCH:
		in->scratch = at;
		break;
	}
}

/* The number that takes an odd key back, by Newton's iteration: 3, 6, 12, 24, 48 bits. */
static uint32_t inverse(uint32_t key)
{
	uint32_t v = key;

	for (unsigned int i = 0; i < 4 && key != 1; i++)
		v *= 2 - key * v;
	return v;
}

void *interp_memory(struct interp *in, uint64_t address, uint32_t n, bool write)
{
	uint64_t area = (uint32_t)(address >> 32) * inverse(in->key), off = address & UINT32_MAX;
	const struct interp_area *a;

	if (area >= in->areas.n)
		return NULL;
	a = &in->areas.p[area];
	if (!a->p || off > a->n || n > a->n - off || (write && a->is_constant))
		return NULL;
	return a->p + off;
}

/* --- one instruction */

static uint64_t value(const struct frame *fr, struct ir_val v)
{
	return v.reg ? fr->regs[v.reg] : (uint64_t)v.imm;
}

static uint64_t get(const void *p, unsigned int size, bool sign)
{
	uint64_t v = 0;

	memcpy(&v, p, size); /* little end first, as all machines that we run on */
	return ir_eval_unary(sign ? IR_SEXT : IR_ZEXT, size * 8, v);
}

static bool run_load(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	uint64_t at = value(fr, i->a) + (uint64_t)(int64_t)i->off;
	uint8_t bytes[8] = {0};
	const void *p = bytes;
	int r = 0;

	if (i->op == IR_LOAD) {
		p = interp_memory(in, at, i->size, false);
		if (!p)
			return fail(in, INTERP_MEMORY, i->span);
	} else {
		r = in->ops && in->ops->read
			    ? in->ops->read(in, i->op == IR_ULOAD, at, bytes, i->size)
			    : -EFAULT;
		if (r < 0)
			memset(bytes, 0, sizeof(bytes));
	}
	if (i->dst)
		fr->regs[i->dst] = get(p, i->size, i->sign);
	if (i->b.reg)
		fr->regs[i->b.reg] = (uint64_t)(int64_t)r;
	return true;
}

static bool run_write(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	uint64_t at = value(fr, i->a) + (uint64_t)(int64_t)i->off, v = value(fr, i->b), old;
	void *p = interp_memory(in, at, i->size, true);

	if (!p)
		return fail(in, INTERP_MEMORY, i->span);
	old = get(p, i->size, false);
	switch ((int)i->op) {
	case IR_ATOMIC_ADD:
		v += old;
		break;
	case IR_ATOMIC_OR:
		v |= old;
		break;
	case IR_ATOMIC_AND:
		v &= old;
		break;
	}
	memcpy(p, &v, i->size);
	if (i->dst && i->want)
		fr->regs[i->dst] = old;
	return true;
}

static bool run_bytes(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	uint32_t n = (uint32_t)i->c.imm;
	void *to = interp_memory(in, value(fr, i->a) + (uint64_t)(int64_t)i->off, n, true);
	const void *from = NULL;

	if (!to)
		return fail(in, INTERP_MEMORY, i->span);
	if (i->op == IR_ZERO) {
		memset(to, 0, n);
		return true;
	}
	from = interp_memory(in, value(fr, i->b) + (uint64_t)(int64_t)(int32_t)i->index, n, false);
	if (!from)
		return fail(in, INTERP_MEMORY, i->span);
	memmove(to, from, n);
	return true;
}

static bool run_call(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	uint64_t args[IR_ARGS] = {0}, ret = 0;
	const char *name = NULL;

	for (unsigned int k = 0; k < i->n_args; k++)
		args[k] = value(fr, i->args[k]);
	if (i->op == IR_CAST) {
		ret = args[0];
	} else if (i->op == IR_CALLF) {
		if (!interp_call(in, i->index, args, i->n_args, &ret))
			return false;
	} else {
		if (i->op == IR_CALLRT)
			name = in->m->rt_funcs.p[i->index];
		else if (i->op == IR_CALLK)
			name = in->m->kfuncs.p[i->index];
		if (!in->ops || !in->ops->call ||
		    !in->ops->call(in, i->op, i->index, name, args, i->n_args, &ret))
			return fail(in, INTERP_CALL, i->span);
		if (in->why != INTERP_OK)
			return false;
	}
	if (i->dst)
		fr->regs[i->dst] = ret;
	return true;
}

static bool run_address(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	uint64_t at = 0;

	switch ((int)i->op) {
	case IR_SLOT:
		at = fr->slots[i->index];
		break;
	case IR_GLOBAL:
		at = in->globals;
		break;
	case IR_RODATA:
		at = in->rodata;
		break;
	case IR_SCRATCH:
		at = in->scratch;
		break;
	case IR_MAP: /* a name for helpers, no address */
	case IR_FUNC:
		at = i->index;
		break;
	case IR_MAPVALUE:
		if (!in->ops || !in->ops->map_value)
			return fail(in, INTERP_CALL, i->span);
		at = in->ops->map_value(in, i->index);
		break;
	case IR_KSYM:
		if (!in->ops || !in->ops->ksym)
			return fail(in, INTERP_CALL, i->span);
		at = in->ops->ksym(in, in->m->ksyms.p[i->index]);
		break;
	}
	fr->regs[i->dst] = at + (uint64_t)(int64_t)i->off;
	return true;
}

static bool run_insn(struct interp *in, struct frame *fr, const struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_UNARY:
	case IRF_EXTEND:
		fr->regs[i->dst] = ir_eval_unary(i->op, i->size, value(fr, i->a));
		return true;
	case IRF_BINARY:
		fr->regs[i->dst] = ir_eval_binary(i->op, value(fr, i->a), value(fr, i->b));
		return true;
	case IRF_ADDRESS:
	case IRF_SPACE:
		return run_address(in, fr, i);
	case IRF_LOAD:
		return run_load(in, fr, i);
	case IRF_STORE:
	case IRF_ATOMIC:
		return run_write(in, fr, i);
	case IRF_FILL:
	case IRF_COPY:
		return run_bytes(in, fr, i);
	case IRF_CALL:
		return run_call(in, fr, i);
	}
	return fail(in, INTERP_BAD_CODE, i->span);
}

/* --- blocks */

static uint32_t switch_to(const struct ir_block *b, uint64_t v)
{
	for (size_t i = 0; i < b->cases.n; i++)
		if ((uint64_t)b->cases.p[i].value == v)
			return b->cases.p[i].block;
	return b->no;
}

static bool run_blocks(struct interp *in, struct frame *fr, uint64_t *ret)
{
	const struct ir_block *b = &fr->f->blocks.p[0];
	uint32_t to = 0;

	while (true) {
		for (size_t i = 0; i < b->insns.n; i++) {
			if (!in->steps--)
				return in->steps = 0, fail(in, INTERP_STEPS, b->span);
			if (!run_insn(in, fr, &b->insns.p[i]))
				return false;
		}
		if (!in->steps--)
			return in->steps = 0, fail(in, INTERP_STEPS, b->span);
		switch (b->end) {
		case IRE_NONE:
			return fail(in, INTERP_BAD_CODE, b->span);
		case IRE_RETURN:
			*ret = value(fr, b->a);
			return true;
		case IRE_JUMP:
			to = b->yes;
			break;
		case IRE_BRANCH:
			to = ir_eval_cond(b->cond, value(fr, b->a), value(fr, b->b)) ? b->yes
										     : b->no;
			break;
		case IRE_SWITCH:
			to = switch_to(b, value(fr, b->a));
			break;
		}
		b = &fr->f->blocks.p[to];
	}
}

bool interp_call(struct interp *in, uint32_t func, const uint64_t *args, unsigned int n_args,
		 uint64_t *ret)
{
	const struct ir_func *f = &in->m->funcs.p[func];
	struct frame fr = {.f = f};
	size_t first = in->areas.n;
	bool ok;

	if (func >= in->m->funcs.n || n_args < f->n_params)
		return fail(in, INTERP_BAD_CODE, (struct span){});
	if (in->depth == MOST_DEPTH)
		return fail(in, INTERP_DEPTH, f->span);
	in->depth++;
	fr.regs = xalloc((f->regs.n + 1) * sizeof(*fr.regs));
	fr.slots = xalloc((f->slots.n + 1) * sizeof(*fr.slots));
	for (size_t i = 0; i < f->slots.n; i++)
		fr.slots[i] =
			interp_area(in, xalloc(f->slots.p[i].size), f->slots.p[i].size, false);
	for (uint32_t i = 0; i < f->n_params; i++)
		fr.regs[i + 1] = args[i];
	ok = run_blocks(in, &fr, ret);
	for (size_t i = 0; i < f->slots.n; i++) {
		free(in->areas.p[first + i].p);
		in->areas.p[first + i].p = NULL;
	}
	/* Handles are not used twice while the caller may still hold one of ours. */
	if (in->areas.n == first + f->slots.n && in->depth == 1)
		in->areas.n = first;
	in->depth--;
	free(fr.regs);
	free(fr.slots);
	return ok;
}

bool interp_eval(struct interp *in, uint64_t context, uint64_t *ret)
{
	in->why = INTERP_OK;
	return interp_call(in, 0, &context, 1, ret);
}
