/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code beyond arithmetic: calls, jumps, memory, and where it lives. */
#include "jit-random.h"

#include "runtime/vm/jit/jit.h"
#include "runtime/vm/jit/memory.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

static struct code_insn slot(struct bpf_insn i)
{
	return (struct code_insn){.id = (uint16_t)insn_identify(&i),
				  .dst = i.dst_reg,
				  .src = i.src_reg,
				  .off = i.off,
				  .imm = (uint64_t)(int64_t)i.imm};
}

static struct code_insn to(struct bpf_insn i, int32_t off)
{
	struct code_insn s = slot(i);

	s.off = off;
	return s;
}

static struct code_insn call(void *function, enum code_call how)
{
	struct code_insn s = slot(insn_call(how == CODE_CALL_THROW ? BPF_PSEUDO_KFUNC_CALL : 0, 0));

	s.imm = (uintptr_t)function;
	s.call = (uint8_t)how;
	return s;
}

static struct code_insn wide(enum insn_id id, uint8_t dst, uint64_t imm)
{
	return (struct code_insn){.id = (uint16_t)id, .dst = dst, .imm = imm};
}

/* Slots as they are, with functions at `funcs` (0 ends it; the entry is not in it). */
struct made {
	struct vm_code c;
	uint32_t funcs[4], stack[4];
};

static bool make(struct made *m, const struct code_insn *p, size_t n, const uint32_t *funcs)
{
	*m = (struct made){.c = {.engine = VM_JIT,
				 .insns = (struct code_insn *)(uintptr_t)p,
				 .n = (uint32_t)n,
				 .n_funcs = 1,
				 .handler = UINT32_MAX},
			   .stack = {512, 512, 512, 512}};
	for (; funcs && *funcs; funcs++)
		m->funcs[m->c.n_funcs++] = *funcs;
	m->c.funcs = m->funcs;
	m->c.stack = m->stack;
	return jit_make(&m->c) >= 0;
}

static uint64_t run_with(struct made *m, struct vm_run *run, uint64_t r1, uint64_t r2)
{
	uint64_t r;

	run->code = &m->c;
	vm_current = run;
	r = jit_run(&m->c, run, r1, r2);
	vm_current = NULL;
	jit_free(&m->c);
	return r;
}

static uint64_t run_once(struct made *m, uint64_t r1, uint64_t r2)
{
	struct vm_run run = {0};

	return run_with(m, &run, r1, r2);
}

#define MAKE(m, p, ...) make(m, p, ELEMENTS(p), __VA_ARGS__)

static uint64_t sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e;
}

TEST(vm_jit_call)
{
	const struct code_insn p[] = {
		slot(insn_mov_imm(R6, 1000000)),
		slot(insn_mov_imm(R1, 1)),
		slot(insn_mov_imm(R2, 2)),
		slot(insn_mov_imm(R3, 3)),
		slot(insn_mov_imm(R4, 4)),
		slot(insn_mov_imm(R5, 5)),
		call((void *)(uintptr_t)sum, CODE_CALL),
		slot(insn_alu(BPF_ADD, false, R0, R6)),
		slot(insn_exit()),
	};
	struct made m;

	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_once(&m, 0, 0), 1054321);
}

/* r6 … r9 and the frame belong to each function alone. */
TEST(vm_jit_call_local)
{
	const struct code_insn p[] = {
		slot(insn_mov_imm(R6, 5)),
		slot(insn_store_imm(8, R10, -8, 7)),
		slot(insn_mov_imm(R1, 30)),
		to(insn_call(BPF_PSEUDO_CALL, 0), 8),
		slot(insn_alu(BPF_ADD, false, R0, R6)),
		slot(insn_load(8, false, R1, R10, -8)),
		slot(insn_alu(BPF_ADD, false, R0, R1)),
		slot(insn_exit()),
		slot(insn_mov_imm(R6, 99)),
		slot(insn_store(8, R10, -8, R1)),
		slot(insn_load(8, false, R0, R10, -8)),
		slot(insn_alu(BPF_ADD, false, R0, R6)),
		slot(insn_exit()),
	};
	struct made m;

	CHECK(MAKE(&m, p, (uint32_t[]){8, 0}));
	CHECK_EQ(run_once(&m, 0, 0), 30 + 99 + 5 + 7);
}

static uint64_t call_back(uint64_t n, uint64_t function, uint64_t ctx, uint64_t d, uint64_t e)
{
	(void)d;
	(void)e;
	for (uint64_t i = 0; i < n; i++)
		if (((vm_call_fn)(uintptr_t)function)(i, ctx, 0, 0, 0))
			return i + 1;
	return n;
}

TEST(vm_jit_callback)
{
	const struct code_insn p[] = {
		slot(insn_mov_imm(R1, 10)),
		{.id = INSN_WIDE_FUNC, .dst = R2, .off = 8},
		slot(insn_mov(R3, R10)),
		slot(insn_alu_imm(BPF_ADD, false, R3, -8)),
		slot(insn_store_imm(8, R10, -8, 0)),
		call((void *)(uintptr_t)call_back, CODE_CALL_BACK),
		slot(insn_load(8, false, R0, R10, -8)),
		slot(insn_exit()),
		slot(insn_load(8, false, R3, R2, 0)),
		slot(insn_alu(BPF_ADD, false, R3, R1)),
		slot(insn_store(8, R2, 0, R3)),
		slot(insn_mov_imm(R0, 0)),
		slot(insn_exit()),
	};
	struct made m;

	CHECK(MAKE(&m, p, (uint32_t[]){8, 0}));
	CHECK_EQ(run_once(&m, 0, 0), 45);
}

/* From a function, and from a callback: up to the entry, or to the handler. */
static uint64_t throw(bool by_callback, bool has_handler)
{
	const struct code_insn p[] = {
		slot(insn_mov_imm(R6, 3)),
		{.id = INSN_WIDE_FUNC, .dst = R2, .off = 8},
		slot(insn_mov_imm(R1, 5)),
		to(insn_jump_imm(BPF_JEQ, R6, by_callback ? 3 : 4, 0), 5),
		to(insn_call(BPF_PSEUDO_CALL, 0), 8),
		call((void *)(uintptr_t)call_back, CODE_CALL_BACK),
		slot(insn_mov_imm(R0, 1)),
		slot(insn_exit()),
		slot(insn_mov_imm(R7, 77)),
		slot(insn_store(8, R10, -16, R7)),
		slot(insn_mov_imm(R1, 4711)),
		call(NULL, CODE_CALL_THROW),
		slot(insn_mov(R0, R1)),
		slot(insn_alu_imm(BPF_ADD, false, R0, 1)),
		slot(insn_exit()),
	};
	struct made m;
	struct vm_run run = {0};
	uint64_t r;

	if (!MAKE(&m, p, (uint32_t[]){8, 12, 0}))
		return 0;
	if (has_handler)
		m.c.handler = 12;
	r = run_with(&m, &run, 0, 0);
	return run.unwind || run.landing ? 0 : r;
}

TEST(vm_jit_throw)
{
	CHECK_EQ(throw(false, false), 4711);
	CHECK_EQ(throw(true, false), 4711);
	CHECK_EQ(throw(false, true), 4712);
	CHECK_EQ(throw(true, true), 4712);
}

TEST(vm_jit_may_goto)
{
	struct code_insn p[] = {
		slot(insn_mov_imm(R0, 0)),
		{.id = INSN_MAY_GOTO, .off = 4},
		slot(insn_alu_imm(BPF_ADD, false, R0, 1)),
		to(insn_goto(0), 1),
		slot(insn_store(8, R10, -512, R0)),
		slot(insn_load(8, false, R0, R10, -512)),
		slot(insn_exit()),
	};
	struct made m;

	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_once(&m, 0, 0), CODE_MAY_GOTO_MAX);
	p[4] = p[5] = slot(insn_alu_imm(BPF_ADD, false, R0, 1)); /* no frame of its own */
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_once(&m, 0, 0), CODE_MAY_GOTO_MAX + 2);
}

TEST(vm_jit_packet)
{
	const struct code_insn p[] = {
		slot(insn_mov_imm(R6, 1)),
		slot(insn_mov_imm(R7, 2)),
		{.id = INSN_LD_ABS_H, .imm = 2},
		slot(insn_mov(R6, R0)),
		{.id = INSN_LD_IND_B, .src = R7, .imm = 3},
		slot(insn_alu(BPF_ADD, false, R6, R0)),
		{.id = INSN_LD_ABS_W, .imm = 4},
		slot(insn_mov(R0, R6)),
		slot(insn_exit()),
	};
	uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct vm_run run = {.data = data, .data_end = data + 8};
	struct made m;

	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 0x0304 + 6);
	run.data_end = data + 7;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 0);
}

/* Outside of the packet the program ends, also from within a function. */
TEST(vm_jit_packet_below)
{
	const struct code_insn p[] = {
		to(insn_call(BPF_PSEUDO_CALL, 0), 3), slot(insn_mov_imm(R0, 5)), slot(insn_exit()),
		{.id = INSN_LD_ABS_H, .imm = 7},      slot(insn_exit()),
	};
	uint8_t data[8] = {0};
	struct vm_run run = {.data = data, .data_end = data + 8};
	struct made m;

	CHECK(MAKE(&m, p, (uint32_t[]){3, 0}));
	CHECK_EQ(run_with(&m, &run, 0, 0), 0);
	CHECK(!run.landing);
}

/* With a cpu: in a per-cpu array; 4096: NULL. */
static uint64_t look_up(uint32_t key, uint32_t step, bool is_folded, int cpu)
{
	static char values[300];
	struct vm_map map = {.def = {.type = cpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY,
				     .max_entries = 4},
			     .value_step = step,
			     .cpu_step = 100,
			     .cpus = 3,
			     .values = values};
	struct vm_run run = {.cpu = (unsigned int)cpu};
	struct code_insn p[] = {
		slot(insn_store(4, R10, -4, R1)),
		slot(insn_mov(R2, R10)),
		slot(insn_alu_imm(BPF_ADD, false, R2, is_folded ? -4 : 0)),
		slot(insn_alu_imm(BPF_ADD, false, R2, is_folded ? 0 : -4)),
		wide(INSN_WIDE_MAP_IDX, R1, (uintptr_t)&map),
		call((void *)(uintptr_t)sum, CODE_CALL),
		slot(insn_exit()),
	};
	struct made m;
	uint64_t r;

	p[5].off = BPF_FUNC_map_lookup_elem;
	if (!MAKE(&m, p, NULL))
		return UINT64_MAX;
	r = run_with(&m, &run, key, 0);
	return r ? r - (uintptr_t)values : 4096;
}

TEST(vm_jit_lookup)
{
	for (uint32_t key = 0; key < 6; key++) {
		CHECK_EQ(look_up(key, 8, true, 0), key < 4 ? key * 8 : 4096);
		CHECK_EQ(look_up(key, 12, false, 0), key < 4 ? key * 12 : 4096);
		CHECK_EQ(look_up(key, 24, key & 1, 2), key < 4 ? 200 + key * 24 : 4096);
	}
	CHECK_EQ(look_up(UINT32_MAX, 8, true, 0), 4096);
	CHECK_EQ(look_up(1, 8, true, 3), 4096);
}

static uint64_t clock_fake(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return sum(a, b, c, d, e) * 0 + 123;
}

TEST(vm_jit_current)
{
	struct vm_task task = {.pid = 12, .tid = 34};
	struct vm_run run = {.task = &task, .cpu = 5, .now_ns = 7};
	struct code_insn p[] = {call((void *)(uintptr_t)clock_fake, CODE_CALL), slot(insn_exit())};
	struct made m;

	p[0].off = BPF_FUNC_get_current_pid_tgid;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 12ull << 32 | 34);
	run.task = NULL;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), -EINVAL);
	p[0].off = BPF_FUNC_get_smp_processor_id;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 5);
	p[0].off = BPF_FUNC_ktime_get_ns;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 7);
	run.now_ns = 0;
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_with(&m, &run, 0, 0), 123);
}

/* A window of its own at the start of 4 GiB: addresses are offsets. */
TEST(vm_jit_arena)
{
	static uint64_t memory[32];
	uint64_t base = (uintptr_t)memory & ~(uint64_t)UINT32_MAX;
	struct code_insn p[] = {
		{.id = INSN_CAST_KERN, .dst = R1, .src = R1},
		slot(insn_store_imm(8, R1, 8, 40)),
		slot(insn_mov_imm(R2, 2)),
		slot(insn_atomic(BPF_ADD | BPF_FETCH, 8, R1, 8, R2)),
		slot(insn_load(4, false, R3, R1, 8)),
		slot(insn_alu(BPF_ADD, false, R2, R3)),
		{.id = INSN_CAST_USER, .dst = R4, .src = R1},
		slot(insn_load(8, false, R0, R4, 8)),
		slot(insn_alu(BPF_ADD, false, R0, R2)),
		slot(insn_mov_imm(R5, 0)),
		{.id = INSN_CAST_USER, .dst = R5, .src = R5},
		slot(insn_alu(BPF_ADD, false, R0, R5)),
		slot(insn_exit()),
	};
	struct made m;

	p[1].access = p[3].access = p[4].access = ACCESS_ARENA;
	m = (struct made){.c = {.insns = p, .n = ELEMENTS(p), .n_funcs = 1, .arena = base}};
	m.c.funcs = m.funcs;
	m.c.stack = m.stack;
	m.c.handler = UINT32_MAX;
	CHECK(jit_make(&m.c) >= 0);
	CHECK_EQ(run_once(&m, (uintptr_t)memory, 0), 40 + 42 + 42);
}

/* A load through a pointer that may be wrong keeps all other registers. */
TEST(vm_jit_safe_load)
{
	struct code_insn p[] = {
		slot(insn_mov_imm(R0, 1)),
		slot(insn_mov_imm(R3, 30)),
		slot(insn_mov_imm(R4, 400)),
		slot(insn_mov_imm(R5, 5000)),
		slot(insn_load(4, true, R2, R1, 4)),
		slot(insn_alu(BPF_ADD, false, R0, R2)),
		slot(insn_alu(BPF_ADD, false, R0, R3)),
		slot(insn_alu(BPF_ADD, false, R0, R4)),
		slot(insn_alu(BPF_ADD, false, R0, R5)),
		slot(insn_load(8, false, R2, R1, 8)),
		slot(insn_alu(BPF_ADD, false, R0, R2)),
		slot(insn_exit()),
	};
	int32_t memory[4] = {0, -70000, 2, 0};
	struct made m;

	p[4].access = p[9].access = ACCESS_BTF;
	CHECK(MAKE(&m, p, NULL));
	/* emulators may refuse to read at all */
	CHECK_EQ(run_once(&m, (uintptr_t)memory, 0),
		 5431 + code_safe_load((uintptr_t)memory + 4, 4, true) +
			 code_safe_load((uintptr_t)memory + 8, 8, false));
	CHECK(MAKE(&m, p, NULL));
	CHECK_EQ(run_once(&m, 16, 0), 5431);
}

/* A switch as compilers write it: comparisons in some order. */
static uint64_t expected(uint64_t v)
{
	return v - 3 < 40 ? v * 3 : v == 77 ? 5 : 1;
}

TEST(vm_jit_table)
{
	struct bpf_insn p[400];
	struct jit_made made = {0};
	struct vm_code *c;
	struct jit j = {0};
	unsigned int bad = 0;
	size_t n = 0;

	for (int is_32 = 0; is_32 < 2; is_32++) {
		n = 0;
		for (int k = 0; k < 40; k++) {
			p[n] = insn_jump_imm(BPF_JEQ, R1, 3 + (k * 7) % 40, 0);
			p[n].code = (uint8_t)((is_32 ? BPF_JMP32 : BPF_JMP) | BPF_JEQ | BPF_K);
			p[n].off = (int16_t)(41 - k - 1 + 2 * ((k * 7) % 40) + 1);
			n++;
		}
		p[n++] = insn_mov_imm(R0, 1);
		p[n++] = insn_exit();
		for (int k = 0; k < 40; k++) {
			p[n++] = insn_mov_imm(R0, (3 + k) * 3);
			p[n++] = insn_exit();
		}
		c = jit_code(&made, p, n, JIT_BEST);
		CHECK(c);
		if (!c)
			return;
		for (int v = -5; v < 100; v++)
			bad += jit_code_run(c, (void *)(intptr_t)v, 0) !=
			       expected(v == 77 ? 78 : (uint64_t)(int64_t)v);
		bad += jit_code_run(c, (void *)(INT64_MIN + 3), 0) != (is_32 ? 9u : 1u);
		j = (struct jit){.code = c, .machine = &jit_x86};
		jit_write(&j);
		CHECK_EQ(j.n_tables, 1);
		jit_done(&j);
		code_free(c);
	}
	CHECK_EQ(bad, 0);
}

/* Jumps over more than short forms, and 32 KiB, reach. */
TEST(vm_jit_far)
{
	enum { N = 30000 };
	struct bpf_insn *p = malloc((N + 10) * sizeof(*p));
	struct jit_made made = {0};
	struct vm_code *c;
	size_t n = 0;

	p[n++] = insn_mov_imm(R0, 1);
	p[n++] = insn_mov_imm(R3, 3);
	p[n++] = insn_jump_imm(BPF_JEQ, R1, 0, N);
	for (int i = 0; i < N; i++)
		p[n++] = insn_alu_imm(BPF_ADD, false, R0, 123456);
	p[n++] = insn_alu_imm(BPF_XOR, false, R1, 1);
	p[n++] = insn_alu_imm(BPF_SUB, false, R3, 1);
	p[n++] = insn_jump_imm(BPF_JNE, R3, 0, -N - 4);
	p[n++] = insn_exit();
	c = jit_code(&made, p, n, JIT_BEST);
	CHECK(c);
	if (c) {
		CHECK_EQ(jit_code_run(c, (void *)1, 0), 1 + 2ull * N * 123456);
		CHECK_EQ(jit_code_run(c, NULL, 0), 1 + 1ull * N * 123456);
	}
	code_free(c);
	free(p);
}

/* No mapping of this process may be written and run. */
static bool is_strict(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool is_good = f;

	while (f && fgets(line, sizeof(line), f))
		is_good &= !strstr(line, "wx");
	if (f)
		fclose(f);
	return is_good;
}

static void fill_memory(void)
{
	enum { N = 200 };
	const struct code_insn p[] = {slot(insn_mov(R0, R1)), slot(insn_exit())};
	struct made m[N];
	uint64_t bad = 0;

	for (int i = 0; i < N; i++)
		bad += !MAKE(&m[i], p, NULL);
	CHECK(is_strict());
	for (int i = 0; i < N; i += 2)
		bad += run_once(&m[i], (uint64_t)i, 0) != (uint64_t)i; /* frees it */
	for (int i = 1; i < N; i += 2)
		bad += run_once(&m[i], (uint64_t)i, 0) != (uint64_t)i;
	CHECK_EQ(bad, 0);
}

TEST(vm_jit_memory)
{
	const struct code_insn p[] = {slot(insn_mov(R0, R1)), slot(insn_exit())};
	uint64_t best = UINT64_MAX;
	struct timespec a, b;
	struct made m;

	fill_memory();
	for (int i = 0; i < 200; i++) {
		uint64_t ns;

		clock_gettime(CLOCK_MONOTONIC, &a);
		MAKE(&m, p, NULL);
		clock_gettime(CLOCK_MONOTONIC, &b);
		jit_free(&m.c);
		ns = (uint64_t)((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
		best = ns < best ? ns : best;
	}
	printf("# %llu ns to compile two instructions\n", (unsigned long long)best);
	/* pages of its own, where memory cannot be mapped twice */
	code_memory_alone();
	fill_memory();
}

/* Both machines are written on any: no program makes one fail. */
TEST(vm_jit_other_machine)
{
	static struct bpf_insn p[JIT_PROGRAM_MAX];
	uint8_t bytes[300];
	uint32_t x = 1;
	int bad = 0;

	for (int i = 0; i < 300; i++) {
		struct jit_made made = {0};
		struct vm_code *c;
		size_t n;

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
		n = jit_random(bytes, sizeof(bytes), p);
		c = jit_code(&made, p, n, JIT_INTERP);
		for (int k = 0; k < 2 && c; k++) {
			struct jit j = {.code = c, .machine = k ? &jit_arm64 : &jit_x86};

			bad += jit_write(&j) < 0 || !j.n_out;
			jit_done(&j);
		}
		code_free(c);
	}
	CHECK_EQ(bad, 0);
}
