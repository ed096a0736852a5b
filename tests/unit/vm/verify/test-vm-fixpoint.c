/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loop invariants: loops that must be proven, their wrong twins, and random loops against what
 * they really do.
 *
 * Programs have memory in r1 and its size in r2.  Only invariants are asked (skips_walk).  What is
 * accepted runs in the interpreter, which is watched: each access must be inside the memory or
 * the stack, and it must end.
 */
#include "made-loops.h"
#include "runtime/vm/object.h"
#include "runtime/vm/run.h"

#include "base/macro.h"
#include "isa/asm.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEM = 4096, STEPS_MAX = 1 << 20 };

struct program {
	struct arena arena;
	struct diags diags;
	struct vm_object o;
	struct verify_result verdict;
};

static bool load(struct program *p, const char *text, uint32_t mem)
{
	struct vm_prog prog = {.name = "test", .section = "", .mem_size = mem};
	struct asm_program assembled;
	uint32_t file;

	*p = (struct program){};
	p->diags.arena = &p->arena;
	p->o.diags = &p->diags;
	p->o.license = "GPL";
	file = diag_source(&p->diags, "test", str_of(text));
	if (!asm_parse(&p->diags, file, NULL, &p->arena, &assembled))
		return false;
	prog.insns = assembled.insns;
	prog.n_insns = (uint32_t)assembled.n;
	array_push(&p->arena, &p->o.progs, prog);
	return true;
}

static bool judge(struct program *p)
{
	struct verify_config c = {.skips_walk = true, .wants_states = true};

	return !verify(&p->o, 0, &c, &p->arena, &p->verdict) && p->verdict.is_ok;
}

static void unload(struct program *p)
{
	arena_done(&p->arena);
}

/* --- loops by hand: @N@ is what the right and the wrong one differ in */

struct loop {
	const char *name;
	uint32_t mem;
	const char *text;
	const char *right[4], *wrong[8]; /* in the place of @ */
};

static const struct loop loops[] = {
	{"copy of 64 KiB, as clang has it",
	 131072,
	 "r3 = 0\n"
	 "again:\n"
	 "r2 = r1\n"
	 "r2 += r3\n"
	 "r4 = *(u8 *)(r2 + 0)\n"
	 "r2 += 65536\n"
	 "*(u8 *)(r2 + 0) = r4\n"
	 "r3 += 1\n"
	 "if r3 != @ goto again\n"
	 "r0 = 1\n"
	 "exit\n",
	 {"65536", "65535", "1"},
	 {"65537", "65540", "0", "-1", "131072"}},
	{"pointer that moves along",
	 4096,
	 "r3 = 0\n"
	 "r4 = r1\n"
	 "again:\n"
	 "*(u32 *)(r4 + 0) = r3\n"
	 "r4 += 4\n"
	 "r3 += 1\n"
	 "if r3 < @ goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"1024", "1000", "1"},
	 {"1025", "4096", "2000000000"}},
	{"step that divides",
	 4096,
	 "r3 = 0\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "*(u64 *)(r4 + 0) = r3\n"
	 "r3 += 24\n"
	 "if r3 != @ goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4080", "24", "240"},
	 {"4081", "4096", "4128", "4079", "0"}},
	{"downwards",
	 4096,
	 "r3 = @\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u8 *)(r4 - 1)\n"
	 "r3 += -1\n"
	 "if r3 != 0 goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "1"},
	 {"4097", "0", "-1"}},
	{"downwards, by order",
	 4096,
	 "r3 = @\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u8 *)(r4 + 0)\n"
	 "r3 += -3\n"
	 "if r3 s> -1 goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4095", "2", "0"},
	 {"4096", "-1"}},
	{"32 bits, test first",
	 4096,
	 "w3 = 0\n"
	 "again:\n"
	 "if w3 >= @ goto out\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u16 *)(r4 + 0)\n"
	 "w3 += 2\n"
	 "goto again\n"
	 "out:\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "4095", "0"},
	 {"4097", "-1", "2147483647"}},
	{"as processors without 32 bits have it",
	 4096,
	 "r3 = 0\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r5 = r3\n"
	 "r5 <<= 32\n"
	 "r5 >>= 32\n"
	 "r4 += r5\n"
	 "r0 = *(u8 *)(r4 + 0)\n"
	 "r3 += 1\n"
	 "r5 = r3\n"
	 "r5 <<= 32\n"
	 "r5 >>= 32\n"
	 "if r5 < @ goto again\n"
	 "exit\n",
	 {"4096", "1"},
	 {"4097", "-1"}},
	{"end in a register",
	 4096,
	 "r6 = *(u32 *)(r1 + 0)\n"
	 "if r6 > @ goto out\n"
	 "if r6 == 0 goto out\n"
	 "r3 = 0\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u8 *)(r4 + 0)\n"
	 "r3 += 1\n"
	 "if r3 != r6 goto again\n"
	 "out:\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "1"},
	 {"4097", "-1"}},
	{"counter on the stack",
	 4096,
	 "r3 = 0\n"
	 "*(u64 *)(r10 - 8) = r3\n"
	 "again:\n"
	 "r3 = *(u64 *)(r10 - 8)\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u64 *)(r4 + 0)\n"
	 "r3 += 8\n"
	 "*(u64 *)(r10 - 8) = r3\n"
	 "if r3 != @ goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "8"},
	 {"4097", "4104", "0"}},
	{"two loops in one another",
	 4096,
	 "r3 = 0\n"
	 "r4 = r1\n"
	 "outer:\n"
	 "r5 = 0\n"
	 "r6 = r4\n"
	 "inner:\n"
	 "*(u8 *)(r6 + 0) = r5\n"
	 "r6 += 1\n"
	 "r5 += 1\n"
	 "if r5 != 64 goto inner\n"
	 "r4 += 64\n"
	 "r3 += 1\n"
	 "if r3 != @ goto outer\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"64", "3"},
	 {"65", "0"}},
	{"ring: begins anew",
	 4096,
	 "r3 = 0\n"
	 "r6 = 0\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r6\n"
	 "*(u8 *)(r4 + 0) = r3\n"
	 "r6 += 1\n"
	 "if r6 != @ goto +1\n"
	 "r6 = 0\n"
	 "r3 += 1\n"
	 "if r3 != 100000 goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "10"},
	 {"4097", "0"}},
	{"counts sometimes",
	 4096,
	 "r3 = 0\n"
	 "r6 = r1\n"
	 "again:\n"
	 "r4 = r1\n"
	 "r4 += r3\n"
	 "r5 = *(u8 *)(r4 + 0)\n"
	 "if r5 == 7 goto +2\n"
	 "*(u8 *)(r6 + 0) = r5\n"
	 "r6 += 1\n"
	 "r3 += 1\n"
	 "if r3 != @ goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"4096", "5"},
	 {"4097"}},
	{"never ends",
	 4096,
	 "r3 = 0\n"
	 "again:\n"
	 "r3 += @\n"
	 "if r3 != 1000 goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"1", "10", "1000"},
	 {"0", "-1", "3", "999"}},
	{"steps over its end",
	 4096,
	 "w3 = 0\n"
	 "again:\n"
	 "w3 += @\n"
	 "if w3 < -16 goto again\n"
	 "r0 = 0\n"
	 "exit\n",
	 {"1", "16"},
	 {"1000", "0"}},
};

/* `text` with each @ replaced. */
static char *fill(const char *text, const char *by)
{
	struct buf b = {0};

	for (; *text; text++)
		if (*text == '@')
			buf_puts(&b, by);
		else
			buf_putc(&b, *text);
	return b.p;
}

static void check_loop(const struct loop *l, const char *by, bool is_right)
{
	_cleanup_free_ char *text = fill(l->text, by);
	struct program p;
	bool ok = load(&p, text, l->mem);

	test_result(ok, __FILE__, __LINE__, "%s assembles", l->name);
	if (ok)
		test_result(judge(&p) == is_right, __FILE__, __LINE__, "%s with %s is %s: %s",
			    l->name, by, is_right ? "proven" : "refused",
			    p.verdict.error ? p.verdict.error : "accepted");
	unload(&p);
}

TEST(loops_by_hand)
{
	for (size_t i = 0; i < ELEMENTS(loops); i++) {
		for (size_t k = 0; k < ELEMENTS(loops[i].right) && loops[i].right[k]; k++)
			check_loop(&loops[i], loops[i].right[k], true);
		for (size_t k = 0; k < ELEMENTS(loops[i].wrong) && loops[i].wrong[k]; k++)
			check_loop(&loops[i], loops[i].wrong[k], false);
	}
}

/* --- loops that a compiler made: tests/vm/objects/loops.bpf.c */

TEST(loops_of_a_compiler)
{
	static const struct object_options none = {.name = "loops.o"};
	struct arena arena = {};
	struct diags diags = {.arena = &arena};
	struct vm_object o;

	CHECK(!object_read(made_loops, made_loops_size, &none, &diags, &o));
	CHECK(o.progs.n > 20);
	for (uint32_t i = 0; i < o.progs.n; i++) {
		const char *name = o.progs.p[i].name;
		bool is_right = str_starts(str_of(name), STR("right_"));
		struct verify_config c = {.skips_walk = true};
		struct verify_result verdict;

		CHECK(!verify(&o, i, &c, &arena, &verdict));
		test_result(verdict.is_ok == is_right && verdict.by_fixpoint == is_right, __FILE__,
			    __LINE__, "%s: %s", name, verdict.error ? verdict.error : "accepted");
		printf("# %-20s %5.0f us\n", name, (double)verdict.ns / 1000);
		if (is_right)
			continue;
		/* nor by walking all the way */
		c.skips_walk = false;
		CHECK(!verify(&o, i, &c, &arena, &verdict));
		CHECK(!verdict.is_ok);
	}
	object_done(&o);
	arena_done(&arena);
}

/* --- random loops */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static unsigned int pick(uint64_t *seed, unsigned int n)
{
	return (unsigned int)(next_random(seed) >> 20) % n;
}

/* Registers 3 to 9 are in use; r1 is the memory. */
static void put_access(struct buf *b, uint64_t *seed)
{
	static const char *const sizes[] = {"u8", "u16", "u32", "u64"};
	unsigned int by = 3 + pick(seed, 4), size = pick(seed, 4);
	const char *const *s = &sizes[size];

	if (pick(seed, 4) == 0) {
		buf_printf(b, "r0 = *(%s *)(r9 + %u)\n", *s, pick(seed, 16));
		return;
	}
	if (pick(seed, 6) == 0) {
		/* an array on the stack */
		buf_printf(b, "r7 = r10\nr7 += -%u\nr7 += r%u\n*(u8 *)(r7 + 0) = r%u\n",
			   96 + pick(seed, 64), by, by);
		return;
	}
	if (pick(seed, 8) == 0) {
		buf_puts(b,
			 pick(seed, 2) ? "*(u64 *)(r10 - 24) = r9\n" : "r9 = *(u64 *)(r10 - 24)\n");
		return;
	}
	buf_printf(b, "r7 = r1\nr7 += r%u\n", by);
	if (pick(seed, 3) == 0)
		buf_printf(b, "r7 += %d\n", (int)pick(seed, 64) - 16);
	if (pick(seed, 2))
		buf_printf(b, "*(%s *)(r7 + 0) = r%u\n", *s, by);
	else
		buf_printf(b, "r%u = *(%s *)(r7 + 0)\n", pick(seed, 8) ? 0 : by, *s);
}

static void put_arithmetic(struct buf *b, uint64_t *seed)
{
	static const char *const ops[] = {
		"+=", "-=", "*=", "&=", "|=", "^=", ">>=", "<<=", "s>>=", "/=", "%="};
	const char *kind = pick(seed, 4) ? "r" : "w";
	unsigned int dst = 3 + pick(seed, 4);

	switch (pick(seed, 6)) {
	case 0:
	case 1:
		buf_printf(b, "%s%u += %d\n", kind, dst, (int)pick(seed, 17) - 4);
		break;
	case 2:
		buf_printf(b, "%s%u %s %u\n", kind, dst, ops[pick(seed, ELEMENTS(ops))],
			   1 + pick(seed, 15));
		break;
	case 3:
		buf_printf(b, "%s%u %s %s%u\n", kind, dst, ops[pick(seed, ELEMENTS(ops))], kind,
			   3 + pick(seed, 4));
		break;
	case 4:
		buf_printf(b, "*(u64 *)(r10 - %u) = r%u\n", 8 + 8 * pick(seed, 2), dst);
		break;
	default:
		buf_printf(b, "r%u &= %u\n", dst, pick(seed, 2) ? 0xfff : 0xff8);
		break;
	}
}

static void put_branch(struct buf *b, uint64_t *seed, unsigned int label)
{
	static const char *const ops[] = {"==", "!=", "<", ">=", "s<", "s>", "&"};

	buf_printf(b, "if %s%u %s %d goto skip%u\n", pick(seed, 4) ? "r" : "w", 3 + pick(seed, 4),
		   ops[pick(seed, ELEMENTS(ops))], (int)pick(seed, 300) - 20, label);
	if (pick(seed, 2))
		put_access(b, seed);
	put_arithmetic(b, seed);
	buf_printf(b, "skip%u:\n", label);
}

static void put_body(struct buf *b, uint64_t *seed, unsigned int *labels)
{
	for (unsigned int n = pick(seed, 4); n; n--)
		switch (pick(seed, 5)) {
		case 0:
		case 1:
			put_access(b, seed);
			break;
		case 2:
			put_branch(b, seed, (*labels)++);
			break;
		case 3:
			put_arithmetic(b, seed);
			break;
		case 4:
			buf_printf(b, "r9 += %u\n", pick(seed, 9));
			break;
		}
}

/* A loop that counts r3 (the outer one) or r4, with an end that is nearly always right. */
static void put_loop(struct buf *b, uint64_t *seed, unsigned int *labels, unsigned int depth)
{
	static const char *const up[] = {"!=", "!=", "<", "<=", "s<", "<"};
	static const char *const down[] = {"!=", "s>", ">", "s>=", ">="};
	unsigned int reg = 3 + depth, label = (*labels)++,
		     step = 1 + pick(seed, 2) * pick(seed, 12);
	unsigned int rounds = 1 + pick(seed, 64), start = pick(seed, 3) ? 0 : pick(seed, 100);
	bool is_down = pick(seed, 4) == 0, first = pick(seed, 4) == 0;
	const char *kind = pick(seed, 3) ? "r" : "w";
	unsigned int end = start + step * rounds + (pick(seed, 8) ? 0 : pick(seed, 4));

	buf_printf(b, "%s%u = %u\n", kind, reg, is_down ? end : start);
	buf_printf(b, "loop%u:\n", label);
	if (first)
		buf_printf(b, "if %s%u %s %u goto end%u\n", kind, reg,
			   is_down ? "<=" : ">=", is_down ? start : end, label);
	put_body(b, seed, labels);
	if (depth == 0 && pick(seed, 3) == 0)
		put_loop(b, seed, labels, depth + 1);
	if (pick(seed, 4) == 0)
		buf_printf(b, "r6 = r%u\n", reg);
	buf_printf(b, "%s%u += %d\n", kind, reg, is_down ? -(int)step : (int)step);
	if (first)
		buf_printf(b, "goto loop%u\nend%u:\n", label, label);
	else if (pick(seed, 5) == 0)
		buf_printf(b, "r8 = %u\nif %s%u %s %s8 goto loop%u\n", is_down ? start : end, kind,
			   reg, is_down ? down[pick(seed, 5)] : up[pick(seed, 6)], kind, label);
	else
		buf_printf(b, "if %s%u %s %u goto loop%u\n", kind, reg,
			   is_down ? down[pick(seed, 5)] : up[pick(seed, 6)], is_down ? start : end,
			   label);
}

static char *random_program(uint64_t *seed)
{
	struct buf b = {0};
	unsigned int labels = 0;

	buf_puts(&b, "r0 = 0\nr3 = 0\nr4 = *(u8 *)(r1 + 5)\nr5 = 8\nr6 = 0\nr8 = 0\nr9 = r1\n"
		     "r7 = 0\n*(u64 *)(r10 - 8) = r7\n*(u64 *)(r10 - 16) = r7\n"
		     "*(u64 *)(r10 - 24) = r1\n");
	put_loop(&b, seed, &labels, 0);
	if (pick(seed, 2))
		put_loop(&b, seed, &labels, 0);
	put_access(&b, seed);
	buf_puts(&b, "r0 = r3\nexit\n");
	return b.p;
}

/* What the run is watched by. */
struct watch {
	const struct bpf_insn *insns;
	const struct verify_result *verdict;
	struct verify_ground ground;
	const char *mem;
	uint64_t steps;
	bool is_outside, is_endless;
};

static void watch_step(struct vm_run *run, uint32_t at, const uint64_t regs[11])
{
	struct watch *w = run->check_ctx;
	const struct bpf_insn *i = &w->insns[at];
	unsigned int class = BPF_CLASS(i->code), base;
	char text[256];
	const char *wrong;
	uint64_t from;

	w->ground.frame = (const void *)(uintptr_t)regs[10];
	wrong = verify_check(w->verdict, at, regs, &w->ground, text, sizeof(text));
	if (wrong) {
		printf("# not as recorded: instruction %u: %s\n", at, wrong);
		exit(1);
	}
	if (++w->steps > STEPS_MAX) {
		w->is_endless = true;
		/* it would not end: leave by force */
		printf("# endless\n");
		exit(1);
	}
	if (class != BPF_LDX && class != BPF_STX && class != BPF_ST)
		return;
	base = class == BPF_LDX ? i->src_reg : i->dst_reg;
	from = regs[base] + (uint64_t)(int64_t)i->off;
	if (from + 512 - regs[10] < 512 && from + insn_bytes(i) <= regs[10])
		return;
	if (from - (uintptr_t)w->mem > MEM || from + insn_bytes(i) - (uintptr_t)w->mem > MEM) {
		w->is_outside = true;
		printf("# outside: instruction %u\n", at);
		exit(1);
	}
}

static void run_watched(struct program *p, const char *text, uint64_t *seed)
{
	struct code_options options = {.engine = VM_INTERP};
	struct vm_code *code;
	_cleanup_free_ char *mem = xalloc(MEM);
	struct watch w = {.insns = p->o.progs.p[0].insns,
			  .verdict = &p->verdict,
			  .ground = {.mem = mem, .mem_size = MEM, .depth = 1},
			  .mem = mem};
	struct vm_run run = {.check = watch_step, .check_ctx = &w};
	char why[160] = "";
	int r;

	for (unsigned int i = 0; i < MEM; i++)
		mem[i] = (char)next_random(seed);
	r = code_make(&p->o, 0, &p->verdict, &options, &code, why, sizeof(why));
	test_result(!r, __FILE__, __LINE__, "code: %s", why);
	if (r)
		return;
	code_run(code, &run, mem, MEM);
	if (w.is_outside || w.is_endless)
		test_result(false, __FILE__, __LINE__, "accepted, but wrong:\n%s", text);
	code_free(code);
}

TEST(random_loops)
{
	const char *from = getenv("LOOPS_SEED"), *more = getenv("LOOPS");
	uint64_t seed = from ? strtoull(from, NULL, 0) : 0x9e3779b97f4a7c15ull;
	unsigned int n = more ? (unsigned int)atoi(more) : 3000, accepted = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t was = seed;
		_cleanup_free_ char *text = random_program(&seed);
		struct program p;

		if (!load(&p, text, MEM)) {
			test_result(false, __FILE__, __LINE__, "does not assemble:\n%s", text);
			unload(&p);
			break;
		}
		if (getenv("LOOPS_SHOW"))
			printf("# seed 0x%" PRIx64 "\n%s", was, text);
		if (judge(&p)) {
			accepted++;
			run_watched(&p, text, &seed);
		} else if (getenv("LOOPS_SHOW")) {
			printf("# refused at %u: %s\n", p.verdict.error_insn, p.verdict.error);
		}
		unload(&p);
	}
	printf("# random loops: %u of %u accepted\n", accepted, n);
	CHECK(accepted > n / 20);
}
