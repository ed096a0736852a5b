/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter.
 *
 * Each slot has the number of a label ("go"), and each label's code ends by jumping to the next
 * slot's: there is no loop and no switch, so that the processor predicts each instruction's
 * successor by itself (threaded code).  What a label does with arithmetic and comparisons is
 * the text of alu.def; a row of insn.def without a label does not compile.
 *
 * Nothing is checked here: that registers, jumps and addresses are good is known from
 * code-check.c and the verifier.  Loads and stores that are not plain (arenas, objects that
 * may be gone) go to a label of their own.
 *
 * Pairs of instructions that often stand together have labels, too: then the first slot's
 * "go" is that of the pair.  The second keeps its own, for those who jump to it.
 *
 * Who wants to see or count each instruction gets another table of labels, in which all are the
 * same: it looks, and then goes where the slot wanted.
 */
#include "runtime/vm/interp.h"

#include <endian.h>
#include <stdio.h>

/* What a function that called another one continues with. */
struct frame {
	const struct code_insn *back;
	uint64_t saved[5]; /* r6 … r10 */
	uint32_t may_goto;
};

/* Labels beyond the rows of insn.def. */
enum go {
	GO_SPECIAL = INSN_COUNT, /* by access */
#define PAIR(a, b) GO_##a##_##b,
	INTERP_PAIRS(PAIR)
#undef PAIR
		GO_COUNT
};

/* --- arithmetic: alu.def, as functions of registers and slot */
#define ALU_FUNC(name, width, second, expr, operand)                                               \
	static inline void do_##name##width##_##second(uint64_t *r, const struct code_insn *i)     \
	{                                                                                          \
		typedef uint##width##_t T __attribute__((unused));                                 \
		typedef int##width##_t S __attribute__((unused));                                  \
		enum { BITS = width };                                                             \
		T a __attribute__((unused)) = (T)r[i->dst], b __attribute__((unused)) = (operand); \
		r[i->dst] = (T)(expr);                                                             \
	}
#define ALU(name, op, off, sign, cpu, group, expr)    \
	ALU_FUNC(name, 64, K, expr, i->imm)           \
	ALU_FUNC(name, 64, X, expr, r[i->src])        \
	ALU_FUNC(name, 32, K, expr, (uint32_t)i->imm) \
	ALU_FUNC(name, 32, X, expr, (uint32_t)r[i->src])
#define JUMP_FUNC(name, width, second, expr, operand)                                           \
	static inline bool is_##name##width##_##second(const uint64_t *r,                       \
						       const struct code_insn *i)               \
	{                                                                                       \
		typedef int##width##_t S __attribute__((unused));                               \
		uint##width##_t a = (uint##width##_t)r[i->dst], b = (uint##width##_t)(operand); \
		return (expr);                                                                  \
	}
#define JUMP(name, op, sign, cpu, expr)         \
	JUMP_FUNC(name, 64, K, expr, i->imm)    \
	JUMP_FUNC(name, 64, X, expr, r[i->src]) \
	JUMP_FUNC(name, 32, K, expr, i->imm)    \
	JUMP_FUNC(name, 32, X, expr, r[i->src])
#include "isa/alu.def"

/* --- memory: any alignment */
#define LOAD(name, type)                                                            \
	static inline void do_##name(uint64_t *r, const struct code_insn *i)        \
	{                                                                           \
		type v;                                                             \
		memcpy(&v, (const char *)(uintptr_t)r[i->src] + i->off, sizeof(v)); \
		r[i->dst] = (uint64_t)(int64_t)v;                                   \
	}
#define STORE(name, type, from)                                               \
	static inline void do_##name(uint64_t *r, const struct code_insn *i)  \
	{                                                                     \
		type v = (type)(from);                                        \
		memcpy((char *)(uintptr_t)r[i->dst] + i->off, &v, sizeof(v)); \
	}
LOAD(LDXB, uint8_t)
LOAD(LDXH, uint16_t)
LOAD(LDXW, uint32_t)
LOAD(LDXDW, uint64_t)
LOAD(LDSXB, int8_t)
LOAD(LDSXH, int16_t)
LOAD(LDSXW, int32_t)
STORE(STXB, uint8_t, r[i->src])
STORE(STXH, uint16_t, r[i->src])
STORE(STXW, uint32_t, r[i->src])
STORE(STXDW, uint64_t, r[i->src])
STORE(STB, uint8_t, i->imm)
STORE(STH, uint16_t, i->imm)
STORE(STW, uint32_t, i->imm)
STORE(STDW, uint64_t, i->imm)

/* A function of the program begins: its frame.  False: there is no room for it. */
static inline bool frame_take(struct vm_run *run, uint64_t *r10)
{
	if (run->stack_end - run->stack < CODE_FRAME_BYTES)
		return false;
	*r10 = (uintptr_t)run->stack_end;
	run->stack_end -= CODE_FRAME_BYTES;
	return true;
}

static void fail(struct vm_run *run, const char *why)
{
	if (!run->failure[0])
		snprintf(run->failure, sizeof(run->failure), "%s", why);
}

static void watch(struct vm_run *run, const struct code_insn *i, const uint64_t *r)
{
	run->insns++;
	if (run->check)
		run->check(run, i->from, r);
}

/* The program that a tail call goes to; NULL: none, the call is as if it were not there. */
static const struct vm_code *tail_target(struct vm_run *run, const uint64_t *r)
{
	const struct vm_code *to;

	if (run->tail_calls >= CODE_TAIL_CALLS_MAX)
		return NULL;
	to = map_code((struct vm_map *)(uintptr_t)r[2], (uint32_t)r[3]);
	if (to)
		run->tail_calls++;
	return to;
}

/*
 * A tail call out of a function: those that wait for the function keep their frames, and the
 * program begins with as many as if it were the first.  At most CODE_TAIL_CALLS_MAX deep.
 */
static uint64_t tail_enter(const struct vm_code *to, struct vm_run *run, uint64_t ctx)
{
	char stack[CODE_STACK_BYTES] __attribute__((aligned(16)));
	char *before = run->stack, *end = run->stack_end;
	unsigned int depth = run->depth;
	uint64_t r0;

	run->code = to;
	run->stack = stack;
	run->stack_end = stack + sizeof(stack);
	run->depth = 0;
	r0 = code_enter(to, run, ctx, 0);
	run->stack = before;
	run->stack_end = end;
	run->depth = depth;
	return r0;
}

#define NEXT(n)                      \
	do {                         \
		i += (n);            \
		goto *labels[i->go]; \
	} while (0)
#define GOTO(slot)                   \
	do {                         \
		i = base + (slot);   \
		goto *labels[i->go]; \
	} while (0)

/* Run from slot `at` until its function ends: r0.  A callback hands on what is thrown. */
static uint64_t execute(const struct vm_code *c, struct vm_run *run, uint32_t at, uint64_t r[11],
			bool is_callback)
{
	static const void *const handlers[] = {
#define INSN(name, code, dst, src, off, imm, cpu, group, text) [INSN_##name] = &&L_##name,
#include "isa/insn.def"
#undef INSN
#define PAIR(a, b) [GO_##a##_##b] = &&L_##a##_##b,
		INTERP_PAIRS(PAIR)
#undef PAIR
			[GO_SPECIAL] = &&L_SPECIAL};
	static const void *const watched[] = {[0 ... GO_COUNT - 1] = &&L_WATCH};
	const void *const *labels = run->check || run->has_count ? watched : handlers;
	const struct code_insn *base = c->insns, *i;
	struct frame frames[CODE_FRAMES_MAX];
	unsigned int depth = 0;
	char *const stack_end = run->stack_end;

	if (run->depth >= CODE_FRAMES_MAX || !frame_take(run, &r[10])) {
		fail(run, "the call stack is full");
		return 0;
	}
	run->depth++;
	frames[0].may_goto = CODE_MAY_GOTO_MAX;
	GOTO(at);

#define STEP(name)               \
	L_##name:                \
	{                        \
		do_##name(r, i); \
		NEXT(1);         \
	}
#define BRANCH(name)                  \
	L_##name:                     \
	{                             \
		if (is_##name(r, i))  \
			GOTO(i->off); \
		NEXT(1);              \
	}
#define ALU(name, op, off, sign, cpu, group, expr) \
	STEP(name##64_K) STEP(name##64_X) STEP(name##32_K) STEP(name##32_X)
#define JUMP(name, op, sign, cpu, expr) \
	BRANCH(name##64_K) BRANCH(name##64_X) BRANCH(name##32_K) BRANCH(name##32_X)
#include "isa/alu.def"

#define STEPS(a, b)               \
	L_##a##_##b:              \
	{                         \
		do_##a(r, i);     \
		do_##b(r, i + 1); \
		NEXT(2);          \
	}
#define BRANCHES(a, b)                  \
	L_##a##_##b:                    \
	{                               \
		do_##a(r, i);           \
		if (is_##b(r, i + 1))   \
			GOTO(i[1].off); \
		NEXT(2);                \
	}
#define ENDS(a, b)                    \
	L_##a##_##b:                  \
	{                             \
		if (is_##a(r, i))     \
			GOTO(i->off); \
		GOTO(i[1].off);       \
	}
	INTERP_STEPS(STEPS);
	INTERP_BRANCHES(BRANCHES);
	INTERP_ENDS(ENDS);

#define MEMORY(suffix)    \
	STEP(LDX##suffix) \
	STEP(STX##suffix) \
	STEP(ST##suffix)
	MEMORY(B);
	MEMORY(H);
	MEMORY(W);
	MEMORY(DW);
	STEP(LDSXB);
	STEP(LDSXH);
	STEP(LDSXW);

	/* one operand: s is the source, d the destination */
#define UNARY(name, expr)                                       \
	L_##name:                                               \
	{                                                       \
		uint64_t s __attribute__((unused)) = r[i->src]; \
		uint64_t d __attribute__((unused)) = r[i->dst]; \
		r[i->dst] = (expr);                             \
		NEXT(1);                                        \
	}
	UNARY(NEG64, -d);
	UNARY(NEG32, -(uint32_t)d);
	UNARY(MOVSX8_64, (uint64_t)(int8_t)s);
	UNARY(MOVSX16_64, (uint64_t)(int16_t)s);
	UNARY(MOVSX32_64, (uint64_t)(int32_t)s);
	UNARY(MOVSX8_32, (uint32_t)(int8_t)s);
	UNARY(MOVSX16_32, (uint32_t)(int16_t)s);
	UNARY(CAST_KERN, (uint32_t)s);
	UNARY(CAST_USER, (uint32_t)s ? c->arena | (uint32_t)s : 0);
	UNARY(LE16, htole16((uint16_t)d));
	UNARY(LE32, htole32((uint32_t)d));
	UNARY(LE64, htole64(d));
	UNARY(BE16, htobe16((uint16_t)d));
	UNARY(BE32, htobe32((uint32_t)d));
	UNARY(BE64, htobe64(d));
	UNARY(BSWAP16, __builtin_bswap16((uint16_t)d));
	UNARY(BSWAP32, __builtin_bswap32((uint32_t)d));
	UNARY(BSWAP64, __builtin_bswap64(d));

	/* ordered and atomic accesses: the same function as where they are special */
#define ATOMIC_AT(name, base)                                             \
	L_##name:                                                         \
	{                                                                 \
		interp_atomic(i, r, r[base] + (uint64_t)(int64_t)i->off); \
		NEXT(1);                                                  \
	}
#define ATOMIC(name)               \
	ATOMIC_AT(name##W, i->dst) \
	ATOMIC_AT(name##DW, i->dst)
#define ORDERED(suffix)                     \
	ATOMIC_AT(LOAD_ACQ##suffix, i->src) \
	ATOMIC_AT(STORE_REL##suffix, i->dst)
	ATOMIC(ATOMIC_ADD_);
	ATOMIC(ATOMIC_OR_);
	ATOMIC(ATOMIC_AND_);
	ATOMIC(ATOMIC_XOR_);
	ATOMIC(FETCH_ADD_);
	ATOMIC(FETCH_OR_);
	ATOMIC(FETCH_AND_);
	ATOMIC(FETCH_XOR_);
	ATOMIC(XCHG_);
	ATOMIC(CMPXCHG_);
	ORDERED(B);
	ORDERED(H);
	ORDERED(W);
	ORDERED(DW);

L_SPECIAL:
	interp_special(c, i, r);
	NEXT(1);

L_WIDE:
L_WIDE_MAP:
L_WIDE_MAP_VALUE:
L_WIDE_VAR:
L_WIDE_FUNC:
L_WIDE_MAP_IDX:
L_WIDE_MAP_IDX_VALUE:
	r[i->dst] = i->imm;
	NEXT(1);

#define PACKET(name, from, size)                               \
	L_##name:                                              \
	{                                                      \
		if (!code_packet_load(run, from, size, &r[0])) \
			goto out_of_packet;                    \
		NEXT(1);                                       \
	}
#define INDIRECT (int32_t)((uint32_t)r[i->src] + (uint32_t)i->imm)
	PACKET(LD_ABS_B, (int32_t)i->imm, 1);
	PACKET(LD_ABS_H, (int32_t)i->imm, 2);
	PACKET(LD_ABS_W, (int32_t)i->imm, 4);
	PACKET(LD_IND_B, INDIRECT, 1);
	PACKET(LD_IND_H, INDIRECT, 2);
	PACKET(LD_IND_W, INDIRECT, 4);

L_JA:
L_JA_LONG:
	GOTO(i->off);
L_MAY_GOTO:
	if (!frames[depth].may_goto)
		GOTO(i->off);
	frames[depth].may_goto--;
	NEXT(1);

L_CALL:
	if (i->call == CODE_CALL_TAIL)
		goto tail_call;
	/* fall through */
L_CALL_KFUNC:
	if (i->call == CODE_CALL_THROW)
		goto thrown;
	r[0] = ((vm_call_fn)(uintptr_t)i->imm)(r[1], r[2], r[3], r[4], r[5]);
	if (i->call == CODE_CALL_BACK && run->unwind)
		goto thrown_below;
	NEXT(1);

L_CALL_LOCAL:
	if (run->depth >= CODE_FRAMES_MAX || depth + 1 >= CODE_FRAMES_MAX) {
		fail(run, "the call stack is full");
		goto leave;
	}
	frames[depth].back = i + 1;
	memcpy(frames[depth].saved, &r[6], sizeof(frames[depth].saved));
	if (!frame_take(run, &r[10])) {
		fail(run, "the call stack is full");
		goto leave;
	}
	run->depth++;
	depth++;
	frames[depth].may_goto = CODE_MAY_GOTO_MAX;
	GOTO(i->off);

tail_call : {
	const struct vm_code *to = tail_target(run, r);

	if (!to)
		NEXT(1);
	if (depth || to->engine == VM_JIT) {
		r[0] = tail_enter(to, run, r[1]);
		run->code = c;
		goto L_EXIT;
	}
	run->code = c = to;
	base = c->insns;
	frames[0].may_goto = CODE_MAY_GOTO_MAX;
	GOTO(0);
}

out_of_packet:
	/* the kernel ends the program, also from within a function */
	r[0] = 0;
	goto leave;

thrown_below:
	run->unwind = NULL;
	r[1] = run->thrown;
thrown:
	/* up to the program's entry; out of a callback it goes through the helper that called */
	run->thrown = r[1];
	run->depth -= depth;
	run->stack_end += depth * CODE_FRAME_BYTES;
	depth = 0;
	if (is_callback) {
		run->unwind = run;
		r[0] = 1; /* helpers stop at once */
		goto leave;
	}
	r[10] = (uintptr_t)run->stack_end + CODE_FRAME_BYTES;
	r[0] = r[1];
	if (c->handler == UINT32_MAX)
		goto L_EXIT;
	GOTO(c->handler);

L_EXIT:
	if (!depth)
		goto leave;
	depth--;
	run->depth--;
	run->stack_end += CODE_FRAME_BYTES;
	memcpy(&r[6], frames[depth].saved, sizeof(frames[depth].saved));
	i = frames[depth].back;
	goto *labels[i->go];

leave:
	run->depth -= depth + 1;
	run->stack_end = stack_end;
	return r[0];

L_WATCH:
	watch(run, i, r);
	goto *handlers[i->access ? (unsigned int)GO_SPECIAL : i->id];
}

uint64_t interp_run(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2)
{
	uint64_t r[11] = {0, r1, r2};

	return execute(c, run, 0, r, false);
}

uint64_t interp_callback(const struct vm_code *c, struct vm_run *run, const struct code_insn *slot,
			 const uint64_t args[5])
{
	uint64_t r[11] = {0, args[0], args[1], args[2], args[3], args[4]};

	return execute(c, run, (uint32_t)(slot - c->insns), r, true);
}

void interp_link(struct vm_code *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct code_insn *s = &c->insns[i];

		s->go = s->access ? (uint16_t)GO_SPECIAL : s->id;
		if (s->access || i + 1 == c->n || s[1].access)
			continue;
#define PAIR(a, b)                                    \
	if (s->id == INSN_##a && s[1].id == INSN_##b) \
		s->go = GO_##a##_##b;
		INTERP_PAIRS(PAIR)
#undef PAIR
	}
}
