/* SPDX-License-Identifier: Apache-2.0 */
#include "jit-random.h"

#include "runtime/vm/jit/jit.h"

#include <stdio.h>

enum { STATEMENTS_MAX = 96, LOOPS_MAX = 4, MEM_SLOT = -8, LOOP_SLOT = -16, ROOM_SLOT = -256 };

struct maker {
	const uint8_t *p, *end;
	struct bpf_insn *to;
	size_t n;
	size_t starts[STATEMENTS_MAX + 1]; /* of statements */
	unsigned int n_starts;
	struct {
		size_t at;
		unsigned int statement; /* that it goes to, or the one behind the last */
	} jumps[512];
	unsigned int n_jumps, n_loops;
	size_t calls[STATEMENTS_MAX];
	unsigned int n_calls;
	bool in_function;
};

static unsigned int byte(struct maker *m)
{
	return m->p < m->end ? *m->p++ : 0;
}

static unsigned int below(struct maker *m, unsigned int n)
{
	return byte(m) % n;
}

static void put(struct maker *m, struct bpf_insn i)
{
	m->to[m->n++] = i;
}

static int32_t number(struct maker *m)
{
	static const int32_t edges[] = {0,	   1,	 -1,   2,     3,     7,		 8,
					31,	   32,	 63,   64,    127,   128,	 255,
					256,	   -128, -129, 32767, 65535, 65536,	 INT32_MAX,
					INT32_MIN, 10,	 641,  1000,  -7,    0x7ffffffe, 60,
					1000003,   6,	 100,  12};
	unsigned int k = byte(m);

	if (k < 192)
		return edges[k % ELEMENTS(edges)];
	return (int32_t)(byte(m) | byte(m) << 8 | byte(m) << 16 | byte(m) << 24);
}

static unsigned int reg(struct maker *m)
{
	return below(m, 10);
}

/* A row as an instruction, with operands by chance. */
static struct bpf_insn of_row(struct maker *m, enum insn_id id)
{
	const struct insn_row *row = insn_row_of(id);
	unsigned int dst = reg(m), src = reg(m);

	return (struct bpf_insn){.code = row->code,
				 .dst_reg = row->dst == INSN_ANY ? dst : (unsigned int)row->dst,
				 .src_reg = row->src == INSN_ANY ? src : (unsigned int)row->src,
				 .off = row->off == INSN_ANY ? 0 : (int16_t)row->off,
				 .imm = row->imm == INSN_ANY ? number(m) : (int32_t)row->imm};
}

static void put_alu(struct maker *m)
{
	unsigned int k = byte(m);

	if (k < 200)
		put(m, of_row(m, (enum insn_id)(k % (4 * ALU_COUNT))));
	else
		put(m, of_row(m, (enum insn_id)(INSN_NEG64 + k % (INSN_BSWAP64 - INSN_NEG64 + 1))));
	/* casts need an arena */
	if (m->to[m->n - 1].off == 1 && m->to[m->n - 1].imm &&
	    m->to[m->n - 1].code == (BPF_ALU64 | BPF_MOV | BPF_X))
		m->n--;
}

/* x = y; x op= z: what becomes three operands, or an address. */
static void put_pair(struct maker *m)
{
	unsigned int dst = reg(m), src = reg(m);

	put(m, insn_alu(BPF_MOV, below(m, 4) == 0, dst, src));
	put_alu(m);
	if (below(m, 2))
		m->to[m->n - 1].dst_reg = dst;
}

static void put_shifts(struct maker *m)
{
	static const uint8_t by[] = {32, 48, 56, 40};
	unsigned int dst = reg(m), n = by[below(m, 4)];

	if (below(m, 2))
		put(m, insn_mov(dst, reg(m)));
	put(m, insn_alu_imm(BPF_LSH, false, dst, (int32_t)n));
	put(m, insn_alu_imm(below(m, 2) ? BPF_RSH : BPF_ARSH, false, dst,
			    (int32_t)(n + below(m, 64 - n))));
}

static enum insn_id memory_row(struct maker *m)
{
	static const uint8_t rows[] = {INSN_LDXB,  INSN_STXB, INSN_STB,	  INSN_LDXH,  INSN_STXH,
				       INSN_STH,   INSN_LDXW, INSN_STXW,  INSN_STW,   INSN_LDXDW,
				       INSN_STXDW, INSN_STDW, INSN_LDSXB, INSN_LDSXH, INSN_LDSXW};

	return rows[below(m, ELEMENTS(rows))];
}

/* An access through `base`, whose value is no number: it is not otherwise used. */
static void put_access(struct maker *m, enum insn_id id, unsigned int base, int off)
{
	struct bpf_insn i = of_row(m, id);

	i.off = (int16_t)off;
	if (BPF_CLASS(i.code) == BPF_LDX)
		i.src_reg = base;
	else
		i.dst_reg = base;
	if (BPF_CLASS(i.code) == BPF_STX && i.src_reg == base)
		i.src_reg = base == 9 ? 8 : 9;
	put(m, i);
	/* the register that held an address must not stay one */
	if (base != 10 && (BPF_CLASS(i.code) != BPF_LDX || i.dst_reg != base))
		put(m, insn_mov_imm(base, number(m)));
}

static void put_memory(struct maker *m)
{
	unsigned int base = reg(m), index = reg(m), scale = below(m, 4);

	switch (below(m, m->in_function ? 3 : 4)) {
	case 0: /* the stack */
		put_access(m, memory_row(m), 10, ROOM_SLOT + (int)below(m, 120));
		return;
	case 1: /* an address that is added up */
		put(m, insn_mov(base, 10));
		put(m, insn_alu_imm(BPF_ADD, false, base, ROOM_SLOT + (int)below(m, 60)));
		put_access(m, memory_row(m), base, (int)below(m, 60));
		return;
	case 2: /* with an index */
		if (index == base)
			index = (base + 1) % 10;
		put(m, insn_alu_imm(BPF_AND, below(m, 2), index, 15));
		if (below(m, 2)) {
			put(m, insn_mov(base, index));
			put(m, insn_alu_imm(BPF_LSH, false, base, (int32_t)scale));
			put(m, insn_alu(BPF_ADD, false, base, 10));
		} else {
			put(m, insn_mov(base, 10));
			put(m, insn_alu(BPF_ADD, false, base, index));
		}
		put_access(m, memory_row(m), base, ROOM_SLOT + (int)below(m, 3) * 8);
		return;
	case 3: /* the caller's memory */
		put(m, insn_load(8, false, base, 10, MEM_SLOT));
		put_access(m, memory_row(m), base, 128 + (int)below(m, 120));
		return;
	}
}

static void put_atomic(struct maker *m)
{
	enum insn_id id = (enum insn_id)(INSN_ATOMIC_ADD_W +
					 below(m, INSN_STORE_RELDW - INSN_ATOMIC_ADD_W + 1));
	struct bpf_insn i = of_row(m, id);

	i.off = (int16_t)(ROOM_SLOT + (int)below(m, 8) * 8);
	if (id >= INSN_LOAD_ACQB && !((id - INSN_LOAD_ACQB) & 1))
		i.src_reg = 10;
	else
		i.dst_reg = 10;
	put(m, i);
}

static void note_jump(struct maker *m)
{
	m->jumps[m->n_jumps].at = m->n - 1;
	m->jumps[m->n_jumps++].statement = m->n_starts + 1 + below(m, 8);
}

static void put_jump(struct maker *m)
{
	if (below(m, 12) == 0)
		put(m, insn_goto(0));
	else
		put(m, of_row(m, (enum insn_id)(INSN_JEQ64_K + below(m, 4 * JUMP_COUNT))));
	m->to[m->n - 1].off = 0;
	note_jump(m);
}

/* Many comparisons of one register. */
static void put_tree(struct maker *m)
{
	unsigned int r = reg(m), n = 4 + below(m, 12), is_32 = below(m, 2), at = below(m, 40);
	static const uint8_t ops[] = {BPF_JEQ,	BPF_JEQ, BPF_JEQ, BPF_JGT,
				      BPF_JSGT, BPF_JNE, BPF_JLT};

	if (below(m, 2))
		put(m, insn_alu_imm(BPF_AND, is_32, r, 63));
	for (unsigned int i = 0; i < n && m->n_jumps < 400; i++) {
		unsigned int op = ops[below(m, ELEMENTS(ops))];

		put(m, insn_jump_imm(op, r, (int32_t)(at + i * (1 + below(m, 2))), 0));
		if (is_32)
			m->to[m->n - 1].code = (uint8_t)(BPF_JMP32 | op | BPF_K);
		note_jump(m);
	}
}

static void put_loop(struct maker *m)
{
	unsigned int r = reg(m), k = m->n_loops;
	int slot = LOOP_SLOT - 8 * (int)k;
	unsigned int back = 1 + below(m, 6);

	if (k == LOOPS_MAX || m->n_starts < back)
		return;
	m->n_loops++;
	put(m, insn_load(8, false, r, 10, slot));
	put(m, insn_alu_imm(BPF_ADD, false, r, -1));
	put(m, insn_store(8, 10, slot, r));
	put(m, insn_jump_imm(BPF_JSGT, r, 0, 0));
	m->to[m->n - 1].off = (int16_t)((int)m->starts[m->n_starts - back] - (int)m->n);
}

/* What a call leaves in r1 … r5 is nobody's business: they are set again. */
static void put_call(struct maker *m)
{
	if (m->in_function)
		return;
	put(m, insn_call(BPF_PSEUDO_CALL, 0));
	m->calls[m->n_calls++] = m->n - 1;
	for (unsigned int r = 1; r <= 5; r++)
		put(m, insn_mov_imm(r, number(m)));
}

static void put_wide(struct maker *m)
{
	uint64_t v = (uint64_t)(uint32_t)number(m) << 32 | (uint32_t)number(m);

	insn_wide(&m->to[m->n], 0, reg(m), v);
	m->n += 2;
}

static void put_statement(struct maker *m)
{
	switch (below(m, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		put_alu(m);
		return;
	case 5:
	case 6:
		put_pair(m);
		return;
	case 7:
		put_shifts(m);
		return;
	case 8:
	case 9:
		put_memory(m);
		return;
	case 10:
		put_atomic(m);
		return;
	case 11:
	case 12:
		put_jump(m);
		return;
	case 13:
		put_tree(m);
		return;
	case 14:
		put_loop(m);
		return;
	case 15:
		if (below(m, 2))
			put_wide(m);
		else
			put_call(m);
		return;
	}
}

static void put_body(struct maker *m, unsigned int statements)
{
	m->n_starts = m->n_jumps = 0;
	for (unsigned int i = 0; i < statements && m->p < m->end; i++) {
		m->starts[m->n_starts] = m->n;
		put_statement(m);
		m->n_starts++;
	}
	m->starts[m->n_starts] = m->n;
	for (unsigned int i = 0; i < m->n_jumps; i++) {
		unsigned int to = m->jumps[i].statement;

		to = to < m->n_starts ? to : m->n_starts;
		m->to[m->jumps[i].at].off = (int16_t)(m->starts[to] - m->jumps[i].at - 1);
	}
}

size_t jit_random(const uint8_t *bytes, size_t n, struct bpf_insn to[JIT_PROGRAM_MAX])
{
	struct maker m = {.p = bytes, .end = bytes + n, .to = to};
	size_t function;

	put(&m, insn_store(8, 10, MEM_SLOT, 1));
	for (int k = 0; k < LOOPS_MAX; k++)
		put(&m, insn_store_imm(8, 10, LOOP_SLOT - 8 * k, 3));
	for (int k = 0; k < 20; k++)
		put(&m, insn_store_imm(8, 10, ROOM_SLOT + 8 * k, k * 0x01234567));
	for (unsigned int r = 0; r < 10; r++)
		if (r != 1)
			put(&m, insn_load(1u << below(&m, 4), false, r, 1, 8 * (int)r));
	put(&m, insn_load(8, false, 1, 1, 8));
	put_body(&m, STATEMENTS_MAX);
	/* r1 goes by way of the stack */
	put(&m, insn_store(8, 10, LOOP_SLOT, 1));
	put(&m, insn_load(8, false, 1, 10, MEM_SLOT));
	for (unsigned int r = 0; r < 10; r++)
		if (r != 1)
			put(&m, insn_store(8, 1, 8 * (int)r, r));
	put(&m, insn_load(8, false, 2, 10, LOOP_SLOT));
	put(&m, insn_store(8, 1, 8, 2));
	for (int k = 0; k < 6; k++) {
		put(&m, insn_load(8, false, 3, 10, ROOM_SLOT + 8 * k));
		put(&m, insn_store(8, 1, 80 + 8 * k, 3));
	}
	put(&m, insn_exit());
	function = m.n;
	for (unsigned int i = 0; i < m.n_calls; i++)
		to[m.calls[i]].imm = (int32_t)(function - m.calls[i] - 1);
	if (!m.n_calls)
		return m.n;
	m.in_function = true;
	for (unsigned int r = 0; r < 10; r++) /* what it was not given */
		if (!r || r > 5)
			put(&m, insn_mov_imm(r, number(&m)));
	for (int k = 0; k < 20; k++)
		put(&m, insn_store_imm(8, 10, ROOM_SLOT + 8 * k, k * 0x0654321));
	for (int k = 0; k < LOOPS_MAX; k++)
		put(&m, insn_store_imm(8, 10, LOOP_SLOT - 8 * k, 2));
	put_body(&m, 16);
	put(&m, insn_alu(BPF_ADD, false, 0, 1 + below(&m, 9)));
	put(&m, insn_exit());
	return m.n;
}

struct vm_code *jit_code(struct jit_made *m, const struct bpf_insn *p, size_t n, enum jit_how how)
{
	struct code_options o = {.engine = VM_INTERP, .maps = m->maps, .is_unverified = true};
	struct vm_code *c;
	char why[200];
	int r;

	m->prog.insns = (struct bpf_insn *)(uintptr_t)p;
	m->prog.n_insns = (uint32_t)n;
	m->object.progs.p = &m->prog;
	m->object.progs.n = 1;
	r = code_make(&m->object, 0, NULL, &o, &c, why, sizeof(why));
	if (r < 0) {
		fprintf(stderr, "code_make: %s\n", why);
		return NULL;
	}
	if (how == JIT_INTERP)
		return c;
	r = how == JIT_BEST ? jit_make(c) : jit_make_plain(c);
	if (r < 0) {
		code_free(c);
		return NULL;
	}
	c->engine = VM_JIT;
	return c;
}

uint64_t jit_code_run(const struct vm_code *c, void *mem, uint64_t second)
{
	struct vm_run run = {0};

	return code_run(c, &run, mem, second);
}
