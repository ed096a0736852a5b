/* SPDX-License-Identifier: Apache-2.0 */
/* Small modules of every operation, generated for each version, run by the kernel. */
#include "bench.h"

#include "compile/ir/op.h"
#include "rt-object.h"

#define each_cpu(cpu) for (int cpu = 1; cpu <= 4; cpu++)

static const int64_t numbers[] = {0,
				  1,
				  -1,
				  7,
				  -7,
				  63,
				  INT64_MIN,
				  INT64_MAX,
				  0x80000000,
				  0xffffffff,
				  -0x80000000ll,
				  0x7fffffff,
				  0x123456789abcdef};
enum { NUMBERS = ELEMENTS(numbers) };

/* op of all pairs; `form`: 0 both unknown, 1 the second a constant, 2 the first. */
static void check_binary(enum ir_op op, int form, int cpu)
{
	struct bench t;
	unsigned int wrong = 0;

	bench_init(&t);
	for (size_t i = 0; i < NUMBERS * NUMBERS; i++) {
		int64_t x = numbers[i / NUMBERS], y = numbers[i % NUMBERS];
		struct ir_insn *insn;
		ir_reg dst = ir_reg_new(&t.b, IRC_INT, NULL);
		struct ir_val a = form == 2 ? IR_I(x) : opaque(&t, (uint64_t)x);
		struct ir_val b = form == 1 ? IR_I(y) : opaque(&t, (uint64_t)y);

		insn = ir_add(&t.b, op);
		insn->dst = dst;
		insn->a = a;
		insn->b = b;
		out(&t, (unsigned int)i, IR_R(dst));
	}
	ir_return(&t.b, IR_I(0));
	CHECK(bench_run(&t, cpu));
	for (size_t i = 0; i < NUMBERS * NUMBERS; i++)
		wrong += t.out[i] != ir_eval_binary(op, (uint64_t)numbers[i / NUMBERS],
						    (uint64_t)numbers[i % NUMBERS]);
	CHECK_EQ(wrong, 0);
	bench_done(&t);
}

TEST(binary)
{
	static const enum ir_op ops[] = {IR_ADD,    IR_SUB,    IR_MUL,	  IR_UDIV,  IR_UMOD,
					 IR_SDIV,   IR_SMOD,   IR_AND,	  IR_OR,    IR_XOR,
					 IR_SHL,    IR_SHR,    IR_SAR,	  IR_SETEQ, IR_SETNE,
					 IR_SETULT, IR_SETULE, IR_SETSLT, IR_SETSLE};

	if (!may_run())
		return;
	for (size_t i = 0; i < ELEMENTS(ops); i++)
		for (int form = 0; form < 3; form++)
			check_binary(ops[i], form, 1 + (int)(i + (size_t)form) % 4);
}

TEST(unary_and_extend)
{
	static const unsigned int bits[] = {1, 8, 16, 31, 32, 33, 63};
	struct bench t;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		unsigned int n = 0, wrong = 0;

		bench_init(&t);
		for (size_t i = 0; i < NUMBERS; i++) {
			struct ir_val v = opaque(&t, (uint64_t)numbers[i]);

			out(&t, n++, ir_unary(&t.b, IR_NEG, v));
			out(&t, n++, ir_unary(&t.b, IR_NOT, v));
			for (size_t k = 0; k < ELEMENTS(bits); k++) {
				out(&t, n++, ir_extend(&t.b, v, bits[k], true));
				out(&t, n++, ir_extend(&t.b, v, bits[k], false));
			}
			for (unsigned int w = 16; w <= 64; w *= 2)
				out(&t, n++, ir_swap(&t.b, v, w));
		}
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		n = 0;
		for (size_t i = 0; i < NUMBERS; i++) {
			uint64_t x = (uint64_t)numbers[i];

			wrong += t.out[n++] != ir_eval_unary(IR_NEG, 64, x);
			wrong += t.out[n++] != ir_eval_unary(IR_NOT, 64, x);
			for (size_t k = 0; k < ELEMENTS(bits); k++) {
				wrong += t.out[n++] != ir_eval_unary(IR_SEXT, bits[k], x);
				wrong += t.out[n++] != ir_eval_unary(IR_ZEXT, bits[k], x);
			}
			for (unsigned int w = 16; w <= 64; w *= 2)
				wrong += t.out[n++] != ir_eval_unary(IR_SWAP, w, x);
		}
		CHECK_EQ(wrong, 0);
		bench_done(&t);
	}
}

static bool holds(enum ir_cond cond, uint64_t a, uint64_t b)
{
	switch (cond) {
	case IRC_EQ:
		return a == b;
	case IRC_NE:
		return a != b;
	case IRC_ULT:
		return a < b;
	case IRC_ULE:
		return a <= b;
	case IRC_UGT:
		return a > b;
	case IRC_UGE:
		return a >= b;
	case IRC_SLT:
		return (int64_t)a < (int64_t)b;
	case IRC_SLE:
		return (int64_t)a <= (int64_t)b;
	case IRC_SGT:
		return (int64_t)a > (int64_t)b;
	case IRC_SGE:
		return (int64_t)a >= (int64_t)b;
	case IRC_SET:
		return a & b;
	}
	return false;
}

static void check_branch(enum ir_cond cond, int form, int cpu)
{
	struct bench t;
	unsigned int wrong = 0;

	bench_init(&t);
	for (size_t i = 0; i < NUMBERS * NUMBERS; i++) {
		int64_t x = numbers[i / NUMBERS], y = numbers[i % NUMBERS];
		struct ir_val a = form == 2 ? IR_I(x) : opaque(&t, (uint64_t)x);
		struct ir_val b = form == 1 ? IR_I(y) : opaque(&t, (uint64_t)y);
		uint32_t yes = ir_block_new(&t.b), no = ir_block_new(&t.b);
		uint32_t on = ir_block_new(&t.b);

		ir_branch(&t.b, cond, a, b, yes, no);
		ir_block_go(&t.b, yes);
		out(&t, (unsigned int)i, IR_I(1));
		ir_jump(&t.b, on);
		ir_block_go(&t.b, no);
		out(&t, (unsigned int)i, IR_I(2));
		ir_jump(&t.b, on);
		ir_block_go(&t.b, on);
	}
	ir_return(&t.b, IR_I(0));
	CHECK(bench_run(&t, cpu));
	for (size_t i = 0; i < NUMBERS * NUMBERS; i++)
		wrong += t.out[i] != (holds(cond, (uint64_t)numbers[i / NUMBERS],
					    (uint64_t)numbers[i % NUMBERS])
					      ? 1
					      : 2);
	CHECK_EQ(wrong, 0);
	bench_done(&t);
}

TEST(branches)
{
	if (!may_run())
		return;
	for (int cond = IRC_EQ; cond <= IRC_SET; cond++)
		for (int form = 0; form < 3; form++)
			check_branch(cond, form, 1 + (cond + form) % 4);
}

TEST(switches)
{
	static const int64_t values[] = {5, -3, 100, 0, 7, 1ll << 40, 6, INT64_MIN, 11};
	struct bench t;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		bench_init(&t);
		for (unsigned int i = 0; i <= ELEMENTS(values); i++) {
			struct ir_val v =
				opaque(&t, i < ELEMENTS(values) ? (uint64_t)values[i] : 12345);
			uint32_t from = t.b.block, on = ir_block_new(&t.b);
			uint32_t other = ir_block_new(&t.b);
			struct ir_block *block = &ir_here(&t.b)->blocks.p[from];

			block->end = IRE_SWITCH;
			block->a = v;
			block->no = other;
			for (unsigned int k = 0; k < ELEMENTS(values); k++) {
				uint32_t to = ir_block_new(&t.b);

				block = &ir_here(&t.b)->blocks.p[from];
				array_push(&t.a, &block->cases, ((struct ir_case){values[k], to}));
				ir_block_go(&t.b, to);
				out(&t, i, IR_I(k + 1));
				ir_jump(&t.b, on);
			}
			ir_block_go(&t.b, other);
			out(&t, i, IR_I(99));
			ir_jump(&t.b, on);
			ir_block_go(&t.b, on);
		}
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		for (unsigned int i = 0; i < ELEMENTS(values); i++)
			CHECK_EQ(t.out[i], i + 1);
		CHECK_EQ(t.out[ELEMENTS(values)], 99);
		bench_done(&t);
	}
}

/* More variables than registers, over a call. */
TEST(spills)
{
	enum { N = 24 };
	struct bench t;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		struct ir_val v[N], sum = IR_I(0);
		uint64_t expected = 0;

		bench_init(&t);
		for (unsigned int i = 0; i < N; i++)
			v[i] = ir_math(&t.b, IR_MUL, opaque(&t, i + 3), IR_I(i * 1001));
		IR_CALL(&t.b, BPF_FUNC_ktime_get_ns, IRC_INT, IR_I(0));
		for (unsigned int i = 0; i < N; i++)
			sum = ir_math(&t.b, IR_XOR, ir_math(&t.b, IR_MUL, sum, IR_I(3)), v[i]);
		for (unsigned int i = 0; i < N; i++)
			expected = (expected * 3) ^ ((i + 3) * (i * 1001));
		out(&t, 0, sum);
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		CHECK_EQ(t.out[0], expected);
		bench_done(&t);
	}
}

/* More numbers alive at once than the stack has bytes for: some go to scratch. */
TEST(spills_beyond_the_stack)
{
	enum { N = 150 };
	struct bench t;

	if (!may_run())
		return;
	for (int spill_all = 0; spill_all < 2; spill_all++) {
		struct ir_val v[N], sum = IR_I(0);
		uint64_t expected = 0;

		bench_init(&t);
		t.spill_all = spill_all;
		for (unsigned int i = 0; i < N; i++)
			v[i] = ir_math(&t.b, IR_MUL, opaque(&t, i + 3), IR_I(i * 1001));
		IR_CALL(&t.b, BPF_FUNC_ktime_get_ns, IRC_INT, IR_I(0));
		for (unsigned int i = 0; i < N; i++)
			sum = ir_math(&t.b, IR_XOR, ir_math(&t.b, IR_MUL, sum, IR_I(3)), v[i]);
		for (unsigned int i = 0; i < N; i++)
			expected = (expected * 3) ^ ((i + 3) * (i * 1001));
		out(&t, 0, sum);
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, 3));
		CHECK_EQ(t.out[0], expected);
		CHECK_EQ(t.q.n_scratch, 1);
		bench_done(&t);
	}
}

static uint32_t swap_func(struct bench *t)
{
	struct ir_builder b = {.m = &t->m};
	struct ir_val sum = IR_I(0);

	b.func = ir_func_index(&t->m, ir_func_add(&t->m, "digits", 5));
	for (ir_reg r = 1; r <= 5; r++)
		sum = ir_math(&b, IR_ADD, ir_math(&b, IR_MUL, sum, IR_I(10)), IR_R(r));
	ir_return(&b, sum);
	return b.func;
}

/* Arguments that change places: each is in another's register. */
TEST(calls)
{
	struct bench t;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		uint32_t f;
		struct ir_val v[5];
		ir_reg r;

		bench_init(&t);
		f = swap_func(&t);
		for (unsigned int i = 0; i < 5; i++)
			v[i] = opaque(&t, i + 1);
		r = ir_call_func(&t.b, f, v, 5);
		out(&t, 0, IR_R(r));
		r = ir_call_func(&t.b, f, (struct ir_val[]){v[4], v[3], v[2], v[1], v[0]}, 5);
		out(&t, 1, IR_R(r));
		r = ir_call_func(&t.b, f, (struct ir_val[]){v[1], v[0], IR_I(9), v[4], v[4]}, 5);
		out(&t, 2, IR_R(r));
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		CHECK_EQ(t.out[0], 12345);
		CHECK_EQ(t.out[1], 54321);
		CHECK_EQ(t.out[2], 21955);
		CHECK_EQ(t.q.progs.p[0].n_funcs, 2);
		bench_done(&t);
	}
}

/* bpf_loop(): a callback with a context on the stack. */
TEST(callbacks)
{
	struct bench t;
	struct ir_builder b;
	uint32_t slot;
	ir_reg at;

	if (!may_run())
		return;
	if (kernel_cpu() < 3) {
		test_skip("the kernel has no bpf_loop()");
		return;
	}
	bench_init(&t);
	b = (struct ir_builder){.m = &t.m};
	b.func = ir_func_index(&t.m, ir_func_add(&t.m, "each", 2));
	ir_store(&b, 2, 0, 8, ir_math(&b, IR_ADD, ir_load(&b, 2, 0, 8, false), IR_R(1)));
	ir_return(&b, IR_I(0));
	slot = ir_slot_new(&t.b, 8, 8, NULL);
	at = ir_slot_addr(&t.b, slot, 0);
	ir_store(&t.b, at, 0, 8, IR_I(1000));
	IR_CALL(&t.b, 181, IRC_INT, IR_I(10), IR_R(ir_func_addr(&t.b, b.func)), IR_R(at), IR_I(0));
	out(&t, 0, ir_load(&t.b, at, 0, 8, false));
	ir_return(&t.b, IR_I(0));
	CHECK(bench_run(&t, 3));
	CHECK_EQ(t.out[0], 1045);
	CHECK(t.q.progs.p[0].funcs[1].is_callback);
	bench_done(&t);
}

TEST(narrow_memory)
{
	struct bench t;
	uint32_t slot;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		unsigned int n = 0;
		ir_reg at;

		bench_init(&t);
		slot = ir_slot_new(&t.b, 24, 8, NULL);
		at = ir_slot_addr(&t.b, slot, 0);
		ir_zero(&t.b, at, 0, 24);
		ir_store(&t.b, at, 1, 1, IR_I(-2));
		ir_store(&t.b, at, 2, 2, opaque(&t, 0xfedc));
		ir_store(&t.b, at, 4, 4, IR_I(0xffffff9c));
		ir_store(&t.b, at, 8, 8, IR_I(0x123456789abcdef));
		ir_store(&t.b, at, 16, 8, IR_I(-5));
		out(&t, n++, ir_load(&t.b, at, 1, 1, false));
		out(&t, n++, ir_load(&t.b, at, 1, 1, true));
		out(&t, n++, ir_load(&t.b, at, 2, 2, true));
		out(&t, n++, ir_load(&t.b, at, 4, 4, true));
		out(&t, n++, ir_load(&t.b, at, 4, 4, false));
		out(&t, n++, ir_load(&t.b, at, 8, 8, true));
		out(&t, n++, ir_load(&t.b, at, 16, 8, false));
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		CHECK_EQ(t.out[0], 0xfe);
		CHECK_EQ(t.out[1], -2);
		CHECK_EQ(t.out[2], (int16_t)0xfedc);
		CHECK_EQ(t.out[3], -100);
		CHECK_EQ(t.out[4], 0xffffff9c);
		CHECK_EQ(t.out[5], 0x123456789abcdef);
		CHECK_EQ(t.out[6], -5);
		bench_done(&t);
	}
}

/* Zeros and copies of all sizes and alignments, on the stack, in globals, in scratch. */
TEST(bulk_memory)
{
	static const uint32_t sizes[] = {1, 3, 7, 8, 9, 15, 31, 128, 129, 200};
	struct bench t;

	if (!may_run())
		return;
	for (size_t i = 0; i < ELEMENTS(sizes); i++) {
		for (int from = 0; from < 4; from++) {
			uint32_t slot, n = sizes[i];
			ir_reg stack, scratch, to;

			bench_init(&t);
			t.m.scratch_size = 512;
			slot = ir_slot_new(&t.b, 240, 8, NULL);
			stack = ir_slot_addr(&t.b, slot, 0);
			scratch = ir_space_addr(&t.b, IRS_SCRATCH, 16);
			to = ir_space_addr(&t.b, IRS_GLOBAL, 0);
			for (uint32_t k = 0; k < 240; k++)
				ir_store(&t.b, stack, (int32_t)k, 1, IR_I(k + 1));
			ir_zero(&t.b, scratch, 0, 240);
			ir_copy(&t.b, scratch, from, stack, 2 * from, n);
			ir_zero(&t.b, stack, 0, 240);
			ir_copy(&t.b, stack, 3, scratch, 0, 200);
			ir_copy(&t.b, to, 0, stack, 0, 240);
			ir_return(&t.b, IR_I(0));
			CHECK(bench_run(&t, 3));
			for (uint32_t k = 0; k < 200 - 3; k++) {
				int32_t at = (int32_t)k - from;
				uint8_t expected =
					at >= 0 && at < (int32_t)n ? 2 * from + at + 1 : 0;

				if (((uint8_t *)t.out)[k + 3] != expected)
					CHECK_EQ(((uint8_t *)t.out)[k + 3], expected);
			}
			bench_done(&t);
		}
	}
}

/* Far more slots than stack: most move, and all keep their values over a chain of calls. */
TEST(stack_moves_to_scratch)
{
	enum { SLOTS = 40, SIZE = 64 };
	struct bench t;

	if (!may_run())
		return;
	for (int round = 0; round < 2; round++) {
		ir_reg at[SLOTS];
		uint32_t f;
		uint64_t sum = 0;
		struct ir_val total = IR_I(0);

		bench_init(&t);
		f = swap_func(&t);
		for (unsigned int i = 0; i < SLOTS; i++) {
			at[i] = ir_slot_addr(&t.b, ir_slot_new(&t.b, SIZE, 8, NULL), 0);
			ir_store(&t.b, at[i], 8, 8, opaque(&t, i * i));
		}
		if (round)
			ir_call_func(&t.b, f,
				     (struct ir_val[]){IR_I(1), IR_I(2), IR_I(3), IR_I(4), IR_I(5)},
				     5);
		for (unsigned int i = 0; i < SLOTS; i++) {
			total = ir_math(&t.b, IR_ADD, total, ir_load(&t.b, at[i], 8, 8, false));
			sum += i * i;
		}
		out(&t, 0, total);
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, 3));
		CHECK_EQ(t.out[0], sum);
		CHECK(t.q.scratch >= 0 && t.q.n_scratch == 1);
		CHECK(t.q.maps.p[t.q.scratch].value_size >= SLOTS * SIZE - 512);
		bench_done(&t);
	}
}

/* Two programs: an element each. */
TEST(scratch_is_apart)
{
	struct bench t;

	bench_init(&t);
	t.m.scratch_size = 100;
	ir_store(&t.b, ir_space_addr(&t.b, IRS_SCRATCH, 0), 0, 8, IR_I(1));
	ir_return(&t.b, IR_I(0));
	CHECK(bench_gen(&t, 3));
	CHECK(bench_gen(&t, 3));
	CHECK_EQ(t.q.n_scratch, 2);
	CHECK_EQ(t.q.maps.p[t.q.scratch].max_entries, 2);
	CHECK_EQ(t.q.maps.p[t.q.scratch].value_size, 104);
	bench_done(&t);
}

/* What a filter rejects does not look scratch up. */
TEST(scratch_comes_behind_filters)
{
	struct bench t;
	uint32_t no, go, calls = 0, branches = 0;

	bench_init(&t);
	t.m.scratch_size = 8;
	no = ir_block_new(&t.b);
	go = ir_block_new(&t.b);
	ir_branch(&t.b, IRC_NE, in(&t, 0), IR_I(7), no, go);
	ir_block_go(&t.b, no);
	ir_return(&t.b, IR_I(0));
	ir_block_go(&t.b, go);
	ir_store(&t.b, ir_space_addr(&t.b, IRS_SCRATCH, 0), 0, 8, IR_I(1));
	ir_return(&t.b, IR_I(0));
	CHECK(bench_gen(&t, 3));
	for (uint32_t k = 0; k < t.q.progs.p[0].n_insns && !calls; k++) {
		uint8_t code = t.q.progs.p[0].insns[k].code;

		calls += code == (BPF_JMP | BPF_CALL);
		branches += code == (BPF_JMP | BPF_JNE | BPF_K) || code == (BPF_JMP | BPF_JEQ);
	}
	CHECK_EQ(calls, 1);
	CHECK_EQ(branches, 1);
	bench_done(&t);
}

TEST(probe_reads)
{
	struct bench t;

	if (!may_run())
		return;
	each_cpu(cpu)
	{
		static uint32_t mine = 0xdeadbeef;
		ir_reg address, failed, at;

		bench_init(&t);
		address = ir_reg_new(&t.b, IRC_KPTR, NULL);
		at = ir_space_addr(&t.b, IRS_GLOBAL, 40 * 8);
		out(&t, 41, IR_I(-77));
		ir_set(&t.b, address, IR_R(at));
		out(&t, 0, ir_kload(&t.b, address, 8, 8, false, IRC_INT, &failed));
		out(&t, 1, IR_R(failed));
		out(&t, 2, ir_kload(&t.b, address, 8, 1, true, IRC_INT, NULL));
		ir_set(&t.b, address, IR_I(64));
		out(&t, 3, ir_kload(&t.b, address, 0, 4, false, IRC_INT, &failed));
		out(&t, 4, IR_R(failed));
		ir_set(&t.b, address, IR_I((int64_t)(uintptr_t)&mine));
		out(&t, 5, ir_uload(&t.b, address, 0, 4, false, &failed));
		out(&t, 6, IR_R(failed));
		out(&t, 7, ir_uload(&t.b, address, 2, 2, true, NULL));
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		CHECK_EQ(t.out[0], -77);
		CHECK_EQ(t.out[1], 0);
		CHECK_EQ(t.out[2], -77);
		CHECK_EQ(t.out[3], 0);
		CHECK((int64_t)t.out[4] < 0);
		CHECK_EQ(t.out[5], 0xdeadbeef);
		CHECK_EQ(t.out[6], 0);
		CHECK_EQ(t.out[7], (int16_t)0xdead);
		bench_done(&t);
	}
}

static struct ir_val atomic(struct bench *t, ir_reg at, enum ir_op op, unsigned int size,
			    struct ir_val v)
{
	ir_reg old = ir_reg_new(&t->b, IRC_INT, NULL);
	struct ir_insn *i = ir_add(&t->b, op);

	i->a = IR_R(at);
	i->size = (uint8_t)size;
	i->b = v;
	i->want = op != IR_ATOMIC_OR && op != IR_ATOMIC_AND;
	i->dst = i->want ? old : 0;
	return i->want ? IR_R(old) : IR_I(0);
}

static unsigned int count_code(const struct question_prog *p, uint8_t code)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < p->n_insns; i++)
		n += p->insns[i].code == code;
	return n;
}

/* On the stack there are none: nobody else is there, and the verifier does not follow them. */
static void check_atomics(int cpu, bool on_stack)
{
	struct bench t;
	ir_reg at;

	bench_init(&t);
	at = on_stack ? ir_slot_addr(&t.b, ir_slot_new(&t.b, 8, 8, NULL), 0)
		      : ir_space_addr(&t.b, IRS_GLOBAL, 100 * 8);
	ir_store(&t.b, at, 0, 8, IR_I(0x1ff));
	out(&t, 0, atomic(&t, at, IR_ATOMIC_ADD, 8, IR_I(1)));
	out(&t, 1, atomic(&t, at, IR_ATOMIC_ADD, 1, IR_I(-1)));
	atomic(&t, at, IR_ATOMIC_OR, 8, opaque(&t, 0x1000));
	atomic(&t, at, IR_ATOMIC_AND, 4, IR_I(~0x200));
	out(&t, 2, atomic(&t, at, IR_ATOMIC_XCHG, 2, IR_I(5)));
	out(&t, 3, ir_load(&t.b, at, 0, 8, false));
	out(&t, 4, atomic(&t, at, IR_ATOMIC_XCHG, 8, IR_I(9)));
	out(&t, 5, ir_load(&t.b, at, 0, 8, false));
	ir_return(&t.b, IR_I(0));
	CHECK(bench_run(&t, cpu));
	CHECK_EQ(t.out[0], 0x1ff);
	CHECK_EQ(t.out[1], 0);
	CHECK_EQ(t.out[2], 0x10ff);
	CHECK_EQ(t.out[3], 5);
	CHECK_EQ(t.out[4], 5);
	CHECK_EQ(t.out[5], 9);
	if (on_stack || MIN(cpu, kernel_cpu()) >= 3)
		CHECK_EQ(count_code(&t.q.progs.p[0], BPF_STX | BPF_ATOMIC | BPF_DW),
			 on_stack ? 0 : 3);
	bench_done(&t);
}

TEST(atomics)
{
	if (!may_run())
		return;
	each_cpu(cpu)
	{
		check_atomics(cpu, false);
		check_atomics(cpu, true);
	}
}

TEST(runtime_functions)
{
	struct rt_library *rt = NULL;
	struct bench t;

	CHECK_EQ(rt_library_open(rt_object, sizeof(rt_object), &rt), 0);
	if (!rt || !may_run()) {
		rt_library_close(rt);
		return;
	}
	each_cpu(cpu)
	{
		bench_init(&t);
		t.rt = rt;
		out(&t, 0, IR_R(IR_CALL_RT(&t.b, "rt_log2", IRC_INT, opaque(&t, 1000))));
		out(&t, 1,
		    IR_R(IR_CALL_RT(&t.b, "rt_strlen", IRC_INT,
				    IR_R(ir_space_addr(&t.b, IRS_RODATA, 0)), IR_I(32))));
		out(&t, 2,
		    IR_R(IR_CALL_RT(&t.b, "rt_strstr", IRC_INT,
				    IR_R(ir_space_addr(&t.b, IRS_RODATA, 0)), IR_I(32),
				    IR_R(ir_space_addr(&t.b, IRS_RODATA, 2)), IR_I(30))));
		ir_return(&t.b, IR_I(0));
		CHECK(bench_run(&t, cpu));
		CHECK_EQ(t.out[0], 11);
		CHECK_EQ(t.out[1], 7);
		CHECK_EQ(t.out[2], 2);
		CHECK_EQ(t.q.progs.p[0].n_funcs, 2); /* short ones stand where they are called */
		bench_done(&t);
	}
	rt_library_close(rt);
}

/* As runtime/bpf/rt.bpf.c says it. */
static uint64_t log2_bucket(int64_t v, unsigned int bits)
{
	unsigned int high = 0;

	if (v < 0)
		return 0;
	if (v < 1 << bits)
		return (uint64_t)v + 1;
	while (v >> (high + 1))
		high++;
	high -= bits;
	return ((high + 1ull) << bits) + (((uint64_t)v >> high) & ((1u << bits) - 1)) + 1;
}

TEST(buckets)
{
	static const int64_t values[] = {-1,	    0,	       1,	   2,	       3,
					 4,	    5,	       7,	   8,	       15,
					 16,	    17,	       255,	   256,	       257,
					 1000,	    65535,     65536,	   65537,      99999999,
					 1ll << 31, 1ll << 32, 4294967295, 4294967297, INT64_MAX,
					 INT64_MIN};
	struct rt_library *rt = NULL;
	struct bench t;

	CHECK_EQ(rt_library_open(rt_object, sizeof(rt_object), &rt), 0);
	for (unsigned int bits = 0; rt && may_run() && bits <= 5; bits++) {
		for (unsigned int i = 0; i < sizeof(values) / sizeof(*values); i++) {
			bench_init(&t);
			t.rt = rt;
			out(&t, 0,
			    IR_R(IR_CALL_RT(&t.b, "rt_log2_parts", IRC_INT,
					    opaque(&t, (uint64_t)values[i]), IR_I(bits))));
			out(&t, 1,
			    IR_R(IR_CALL_RT(&t.b, "rt_log2", IRC_INT,
					    opaque(&t, (uint64_t)values[i]))));
			ir_return(&t.b, IR_I(0));
			CHECK(bench_run(&t, 3));
			CHECK_EQ(t.out[0], log2_bucket(values[i], bits));
			CHECK_EQ(t.out[1], log2_bucket(values[i], 0));
			bench_done(&t);
		}
	}
	rt_library_close(rt);
}

TEST(mistakes_are_told)
{
	struct bench t;
	struct rt_library *rt;

	bench_init(&t);
	IR_CALL_RT(&t.b, "rt_nothing", IRC_INT, IR_I(0));
	ir_return(&t.b, IR_I(0));
	CHECK(!bench_gen(&t, 3));
	CHECK_EQ(t.q.diags.errors, 1);
	bench_done(&t);

	bench_init(&t); /* calls itself */
	ir_call_func(&t.b, 0, (struct ir_val[]){IR_I(0)}, 1);
	ir_return(&t.b, IR_I(0));
	CHECK(!bench_gen(&t, 3));
	CHECK_EQ(t.q.diags.errors, 1);
	bench_done(&t);

	CHECK_EQ(rt_library_open("no object", 9, &rt), -EBADMSG);
}

/* Rows of the line table are in order and lead to the spans of the IR. */
TEST(line_table)
{
	struct bench t;
	const struct question_prog *p;

	bench_init(&t);
	for (uint32_t i = 0; i < 5; i++) {
		t.b.span = (struct span){.begin = i * 10, .end = i * 10 + 5};
		out(&t, i, IR_I(i));
	}
	ir_return(&t.b, IR_I(0));
	CHECK(bench_gen(&t, 3));
	p = &t.q.progs.p[0];
	CHECK_EQ(p->n_lines, 5);
	for (uint32_t i = 0; i < p->n_lines; i++) {
		CHECK_EQ(p->lines[i].span.begin, i * 10);
		CHECK(!i || p->lines[i].insn > p->lines[i - 1].insn);
	}
	bench_done(&t);
}
