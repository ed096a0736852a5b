/* SPDX-License-Identifier: Apache-2.0 */
#include "vm-gen.h"

#include <string.h>

/*
 * What registers are for: r6 the context, r7 the map's value, r10 the stack; the others hold
 * numbers between statements, and every one of them is set before a statement reads it.
 */
static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 8, 9};

struct gen {
	uint64_t state;
	struct bpf_insn *p;
	size_t n;
	unsigned int depth; /* of blocks that are open */
	unsigned int loops;
	size_t calls[8]; /* slots of calls, to be bound to the function */
	unsigned int n_calls;
	bool in_function;
};

uint64_t gen_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(struct gen *g, uint32_t n)
{
	return (uint32_t)(gen_next(&g->state) % n);
}

static bool one_in(struct gen *g, uint32_t n)
{
	return !below(g, n);
}

static void put(struct gen *g, struct bpf_insn i)
{
	if (g->n < GEN_ROOM)
		g->p[g->n++] = i;
}

static unsigned int number(struct gen *g)
{
	return numbers[below(g, sizeof(numbers))];
}

/* Numbers that lie where mistakes are: around powers of two, signs and widths. */
static int32_t constant(struct gen *g)
{
	static const int32_t edges[] = {
		0,	    1,	    -1,	    2,	   7,	 8,	    15,	       16,
		31,	    32,	    63,	    64,	   127,	 128,	    255,       256,
		0x7fff,	    0x8000, 0xffff, 65536, -128, INT32_MAX, INT32_MIN, INT32_MIN + 1,
		0x7ffffffe, -2,	    0x0f0f, -65536};

	switch (below(g, 4)) {
	case 0:
		return (int32_t)below(g, 16);
	case 1:
		return (int32_t)gen_next(&g->state);
	default:
		return edges[below(g, sizeof(edges) / sizeof(*edges))];
	}
}

static void put_wide(struct gen *g, unsigned int kind, unsigned int dst, uint64_t value)
{
	struct bpf_insn i[2];

	insn_wide(i, kind, dst, value);
	put(g, i[0]);
	put(g, i[1]);
}

/* Give a register a number: of the value, or a constant. */
static void put_number(struct gen *g, unsigned int dst)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};
	unsigned int bytes = sizes[below(g, 4)];

	if (g->in_function || one_in(g, 4)) {
		put(g, insn_mov_imm(dst, constant(g)));
	} else if (one_in(g, 12)) {
		put_wide(g, 0, dst, (uint64_t)constant(g) << below(g, 32) ^ (uint64_t)constant(g));
	} else {
		put(g, insn_load(bytes, bytes < 8 && one_in(g, 4), dst, BPF_REG_7,
				 (int)(below(g, GEN_VALUE / bytes) * bytes)));
	}
}

static void put_alu(struct gen *g)
{
	static const uint8_t ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,   BPF_AND,
				      BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_MOV,  BPF_ARSH,
				      BPF_ADD, BPF_SUB, BPF_AND, BPF_MOV, BPF_ARSH, BPF_LSH};
	unsigned int op = ops[below(g, sizeof(ops))], dst = number(g), src = number(g);
	bool is_32 = one_in(g, 2), is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	struct bpf_insn i;
	int32_t k = constant(g);

	if (one_in(g, 2)) {
		/* the kernel refuses constants that make no sense, which is no news */
		if (is_shift)
			k = (int32_t)below(g, is_32 ? 32 : 64);
		if ((op == BPF_DIV || op == BPF_MOD) && !k)
			k = 3;
		i = insn_alu_imm(op, is_32, dst, k);
	} else {
		i = insn_alu(op, is_32, dst, src);
	}
	if ((op == BPF_DIV || op == BPF_MOD) && one_in(g, 3))
		i.off = 1;
	put(g, i);
}

static void put_unary(struct gen *g)
{
	static const uint8_t widths[] = {8, 16, 32};
	unsigned int dst = number(g), src = number(g);
	struct bpf_insn i;

	switch (below(g, 4)) {
	case 0:
		i = insn_neg(dst);
		if (one_in(g, 2))
			i.code = BPF_ALU | BPF_NEG;
		break;
	case 1:
		i = insn_movsx(dst, src, widths[below(g, 3)]);
		break;
	case 2:
		i = insn_movsx(dst, src, widths[below(g, 2)]);
		i.code = BPF_ALU | BPF_MOV | BPF_X;
		break;
	default:
		i = (struct bpf_insn){.dst_reg = dst, .imm = 16 << below(g, 3)};
		i.code = one_in(g, 3) ? BPF_ALU64 | BPF_END
				      : BPF_ALU | BPF_END | (one_in(g, 2) ? BPF_TO_BE : BPF_TO_LE);
		break;
	}
	put(g, i);
}

static struct bpf_insn jump(struct gen *g, unsigned int a)
{
	static const uint8_t ops[] = {BPF_JEQ,	BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				      BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};
	unsigned int op = ops[below(g, sizeof(ops))];
	struct bpf_insn i = one_in(g, 2) ? insn_jump_imm(op, a, constant(g), 0)
					 : insn_jump_reg(op, a, number(g), 0);

	if (one_in(g, 2))
		i.code = (uint8_t)((i.code & ~7) | BPF_JMP32);
	return i;
}

static void put_statement(struct gen *g);

static void put_if(struct gen *g)
{
	size_t at = g->n;

	put(g, jump(g, number(g)));
	g->depth++;
	for (unsigned int i = 1 + below(g, 4); i; i--)
		put_statement(g);
	g->depth--;
	g->p[at].off = (int16_t)(g->n - at - 1);
}

/* Bring a number below `limit`, in one of many ways; now and then not quite. */
static void put_bound(struct gen *g, unsigned int r, uint32_t limit, size_t *ret_skip)
{
	uint32_t top = one_in(g, 6) ? limit + below(g, 9) - 1 : limit - 1;
	struct bpf_insn i;

	*ret_skip = 0;
	switch (below(g, 6)) {
	case 0:
		put(g, insn_alu_imm(BPF_AND, one_in(g, 2), r, (int32_t)top));
		return;
	case 1:
		put(g, insn_alu_imm(BPF_MOD, one_in(g, 3), r, (int32_t)top + 1));
		return;
	case 2: /* signed, with the lower side forgotten now and then */
		i = insn_jump_imm(BPF_JSGT, r, (int32_t)top, 0);
		put(g, i);
		*ret_skip = g->n - 1;
		if (!one_in(g, 4))
			put(g, insn_alu_imm(BPF_AND, false, r, 0x7fffffff));
		return;
	case 3:
		i = insn_jump_imm(BPF_JGT, r, (int32_t)top, 0);
		if (one_in(g, 2))
			i.code = BPF_JMP32 | BPF_JGT;
		put(g, i);
		*ret_skip = g->n - 1;
		if ((i.code & 7) == BPF_JMP32 && !one_in(g, 3))
			put(g, insn_alu(BPF_MOV, true, r, r));
		return;
	case 4: /* the number is compared in another register, with the same number in it */
		put(g, insn_mov(BPF_REG_5, r));
		put(g, insn_jump_imm(BPF_JGT, BPF_REG_5, (int32_t)top, 0));
		*ret_skip = g->n - 1;
		return;
	default:
		put(g, insn_alu_imm(BPF_RSH, false, r, 58 + (int32_t)below(g, 4)));
		return;
	}
}

/* What is stored is a number: an address would differ from engine to engine. */
static void put_access(struct gen *g, unsigned int base, int off)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};
	unsigned int bytes = sizes[below(g, 4)];
	unsigned int op = (unsigned int[]){BPF_ADD, BPF_ADD | BPF_FETCH, BPF_XCHG,
					   BPF_OR,  BPF_AND | BPF_FETCH, BPF_CMPXCHG}[below(g, 6)];
	unsigned int value = number(g);

	if (value == base)
		value = BPF_REG_9;
	switch (below(g, 6)) {
	case 0:
	case 1:
		put(g, insn_load(bytes, bytes < 8 && one_in(g, 3), number(g), base, off));
		return;
	case 2:
		put(g, insn_store_imm(bytes, base, off, constant(g)));
		return;
	case 3: /* atomics must be aligned: the kernel says so by the offset alone */
		if (bytes >= 4) {
			put(g, insn_atomic(op, bytes, base, off & -(int)bytes, value));
			return;
		}
		/* fall through */
	default:
		put(g, insn_store(bytes, base, off, value));
		return;
	}
}

/* The value, at a place that a number names. */
static void put_value(struct gen *g)
{
	unsigned int r = one_in(g, 2) ? BPF_REG_8 : BPF_REG_9;
	size_t skip, at;

	if (one_in(g, 3)) {
		put_access(g, BPF_REG_7, (int)below(g, GEN_VALUE - 7 + (one_in(g, 10) ? 8 : 0)));
		return;
	}
	put_bound(g, r, GEN_VALUE - 8, &skip);
	if (one_in(g, 4))
		put_alu(g); /* may undo what was found */
	put(g, insn_mov(BPF_REG_4, BPF_REG_7));
	put(g, insn_alu(one_in(g, 12) ? BPF_SUB : BPF_ADD, false, BPF_REG_4, r));
	if (one_in(g, 4))
		put(g, insn_alu_imm(BPF_ADD, false, BPF_REG_4, (int32_t)below(g, 16) - 8));
	put_access(g, BPF_REG_4, one_in(g, 4) ? (int)below(g, 12) - 2 : 0);
	at = g->n; /* where both ways meet, r4 and r5 become numbers again */
	put_number(g, BPF_REG_4);
	put_number(g, BPF_REG_5);
	if (skip)
		g->p[skip].off = (int16_t)(at - skip - 1);
}

/* The packet: its end is compared in some way, then it is read or written. */
static void put_packet(struct gen *g)
{
	int n = 1 + (int)below(g, 32), way = (int)below(g, 4);
	size_t at;

	put(g, insn_load(4, false, BPF_REG_2, BPF_REG_6, 76)); /* __sk_buff.data */
	put(g, insn_load(4, false, BPF_REG_3, BPF_REG_6, 80)); /* data_end */
	put(g, insn_mov(BPF_REG_1, BPF_REG_2));
	put(g, insn_alu_imm(BPF_ADD, false, BPF_REG_1, n));
	at = g->n;
	put(g, way == 0	  ? insn_jump_reg(BPF_JGT, BPF_REG_1, BPF_REG_3, 0)
	       : way == 1 ? insn_jump_reg(BPF_JLT, BPF_REG_3, BPF_REG_1, 0)
	       : way == 2 ? insn_jump_reg(BPF_JGE, BPF_REG_1, BPF_REG_3, 0)
			  : insn_jump_reg(BPF_JLE, BPF_REG_3, BPF_REG_1, 0));
	put(g,
	    insn_load(1, false, BPF_REG_8, BPF_REG_2, (int)below(g, (uint32_t)n + one_in(g, 8))));
	if (one_in(g, 2))
		put(g, insn_store_imm(1, BPF_REG_2, (int)below(g, (uint32_t)n), constant(g)));
	g->p[at].off = (int16_t)(g->n - at - 1);
	for (unsigned int r = 1; r <= 3; r++)
		put_number(g, r);
}

/* The stack: whole, half and overlapping slots. */
static void put_stack(struct gen *g)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};
	unsigned int bytes = sizes[below(g, 4)];
	int slot = -8 * (1 + (int)below(g, 4)), off;

	if (one_in(g, 8)) { /* a pointer comes back as one */
		put(g, insn_store(8, BPF_REG_10, slot, BPF_REG_7));
		put(g, insn_load(8, false, BPF_REG_4, BPF_REG_10, slot));
		put_access(g, BPF_REG_4, (int)below(g, GEN_VALUE - 7));
		put(g, insn_store(8, BPF_REG_10, slot, BPF_REG_8));
		put_number(g, BPF_REG_4);
		return;
	}
	off = slot + (int)(below(g, 8 / bytes) * bytes);
	if (one_in(g, 2))
		put(g, insn_store(8, BPF_REG_10, slot, number(g)));
	if (one_in(g, 2))
		put(g, insn_store(bytes, BPF_REG_10, off, number(g)));
	put(g, insn_load(bytes, bytes < 8 && one_in(g, 3), number(g), BPF_REG_10, off));
}

static void put_loop(struct gen *g)
{
	size_t head;
	int32_t n = 1 + (int32_t)below(g, 8);

	if (g->loops || g->depth)
		return;
	g->loops++;
	put(g, insn_store_imm(8, BPF_REG_10, -40, 0));
	head = g->n;
	g->depth++;
	for (unsigned int i = 1 + below(g, 3); i; i--)
		put_statement(g);
	g->depth--;
	put(g, insn_load(8, false, BPF_REG_5, BPF_REG_10, -40));
	put(g, insn_alu_imm(BPF_ADD, false, BPF_REG_5, 1));
	put(g, insn_store(8, BPF_REG_10, -40, BPF_REG_5));
	put(g, insn_jump_imm(one_in(g, 2) ? BPF_JLT : BPF_JNE, BPF_REG_5, n, 0));
	g->p[g->n - 1].off = (int16_t)((int)head - (int)g->n);
}

static void put_call(struct gen *g)
{
	if (g->in_function || g->n_calls == 8)
		return;
	g->calls[g->n_calls++] = g->n;
	put(g, insn_call(BPF_PSEUDO_CALL, 0));
	for (unsigned int r = 1; r <= 5; r++)
		put_number(g, r);
}

static void put_statement(struct gen *g)
{
	if (g->n > GEN_ROOM - 160)
		return;
	if (g->in_function) {
		if (one_in(g, 4) && g->depth < 3)
			put_if(g);
		else if (one_in(g, 5))
			put_unary(g);
		else
			put_alu(g);
		return;
	}
	switch (below(g, 16)) {
	case 0:
	case 1:
		if (g->depth < 4)
			put_if(g);
		break;
	case 2:
	case 3:
	case 4:
		put_value(g);
		break;
	case 5:
		put_packet(g);
		break;
	case 6:
	case 7:
		put_stack(g);
		break;
	case 8:
		put_loop(g);
		break;
	case 9:
		put_call(g);
		break;
	case 10:
		put_number(g, number(g));
		break;
	case 11:
		put_unary(g);
		break;
	default:
		put_alu(g);
		break;
	}
}

static void put_prologue(struct gen *g)
{
	put(g, insn_mov(BPF_REG_6, BPF_REG_1));
	put(g, insn_store_imm(4, BPF_REG_10, -4, 0));
	put(g, insn_mov(BPF_REG_2, BPF_REG_10));
	put(g, insn_alu_imm(BPF_ADD, false, BPF_REG_2, -4));
	put_wide(g, BPF_PSEUDO_MAP_IDX, BPF_REG_1, 0);
	put(g, insn_call(0, BPF_FUNC_map_lookup_elem));
	put(g, insn_jump_imm(BPF_JNE, BPF_REG_0, 0, 1));
	put(g, insn_exit());
	put(g, insn_mov(BPF_REG_7, BPF_REG_0));
	for (int slot = -8; slot >= -40; slot -= 8)
		put(g, insn_store_imm(8, BPF_REG_10, slot, constant(g)));
	for (size_t i = 0; i < sizeof(numbers); i++)
		put_number(g, numbers[i]);
}

/* The function: numbers in, a number out. */
static void put_function(struct gen *g)
{
	for (unsigned int i = 0; i < g->n_calls; i++)
		g->p[g->calls[i]].imm = (int32_t)(g->n - g->calls[i] - 1);
	g->in_function = true;
	for (size_t i = 0; i < sizeof(numbers); i++)
		if (numbers[i] < 1 || numbers[i] > 5)
			put_number(g, numbers[i]);
	for (unsigned int i = 1 + below(g, 6); i; i--)
		put_statement(g);
	put(g, insn_mov(BPF_REG_0, number(g)));
	put(g, insn_exit());
}

size_t gen_program(uint64_t seed, struct bpf_insn to[GEN_ROOM])
{
	struct gen g = {.state = seed, .p = to};

	put_prologue(&g);
	for (unsigned int i = 2 + below(&g, 12); i; i--)
		put_statement(&g);
	for (size_t i = 0; i < sizeof(numbers); i++)
		if (one_in(&g, 2))
			put(&g, insn_store(8, BPF_REG_7, (int)(i * 8), numbers[i]));
	put(&g, insn_mov(BPF_REG_0, number(&g)));
	put(&g, insn_exit());
	if (g.n_calls)
		put_function(&g);
	return g.n;
}

unsigned int gen_functions(const struct bpf_insn *p, size_t n, uint32_t *at, unsigned int room)
{
	for (size_t i = 0; i < n; i++) {
		if (insn_is_wide(&p[i])) {
			i++;
		} else if (insn_is_local_call(&p[i]) && room) {
			*at = (uint32_t)((int64_t)i + 1 + p[i].imm);
			return 1;
		}
	}
	return 0;
}
