/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What instructions do, in each engine: the cases of tests/vm/NAME.test, which say it one by one
 * (RFC 9669), and all arithmetic and comparisons over the edges of numbers, against alu.def.
 *
 * A case:
 *
 *	== what it shows
 *	r0 = 1			instructions, as isa/asm.h reads them
 *	exit
 *	-- mem 01 02 ff		r1 points to these bytes, r2 is their number
 *	-- result 0x1		r0
 *	-- after 01 02 ff	the bytes then
 *	-- refused WORDS	instead: it is not run, and why has these words
 *	-- stops WORDS		the interpreter stops it; other engines rely on the verifier
 *	-- not-kernel REASON	kernels do otherwise
 */
#include "engines.h"

#include "isa/asm.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEM_MAX = 4096 };

struct test_case {
	struct str name, refused;
	const char *asm_begin, *asm_end;
	uint8_t mem[MEM_MAX], after[MEM_MAX];
	size_t mem_n, after_n;
	uint64_t result;
	bool has_result, has_refused, is_not_kernel, is_interp_only;
};

/* What ran, and which rows of insn.def were in it. */
static unsigned int ran[ENGINE_COUNT], not_run[ENGINE_COUNT];
static bool seen[INSN_COUNT];

static char *read_file(const char *path, size_t *ret_n)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = xalloc(1 << 20);

	*ret_n = f ? fread(text, 1, (1 << 20) - 1, f) : 0;
	return text;
}

static size_t read_hex(struct str s, uint8_t *to)
{
	size_t n = 0;
	int at = 0, used;
	unsigned int v;

	while (n < MEM_MAX && at < (int)s.n && sscanf(s.p + at, "%2x%n", &v, &used) == 1) {
		to[n++] = (uint8_t)v;
		at += used;
		if (at < (int)s.n && s.p[at] == '\n')
			break;
	}
	return n;
}

/* "-- word rest": the rest; n 0: another word. */
static struct str after_word(struct str line, const char *word)
{
	struct str w = str_of(word);

	if (!str_starts(line, w))
		return (struct str){0};
	return (struct str){line.p + w.n, line.n - w.n};
}

static void read_property(struct test_case *c, struct str line)
{
	struct str s;

	if ((s = after_word(line, "-- mem ")).n) {
		c->mem_n = read_hex(s, c->mem);
	} else if ((s = after_word(line, "-- after ")).n) {
		c->after_n = read_hex(s, c->after);
	} else if ((s = after_word(line, "-- result ")).n) {
		c->result = strtoull(s.p, NULL, 0);
		c->has_result = true;
	} else if ((s = after_word(line, "-- refused ")).n) {
		c->refused = s;
		c->has_refused = true;
	} else if ((s = after_word(line, "-- stops ")).n) {
		c->refused = s;
		c->has_refused = c->is_interp_only = true;
	} else if (str_starts(line, STR("-- not-kernel "))) {
		c->is_not_kernel = true;
	} else {
		test_result(false, __FILE__, __LINE__, "%.*s", (int)line.n, line.p);
	}
}

/* The case at *p; *p moves behind it.  False: there is no more. */
static bool next_case(const char **p, const char *end, struct test_case *c)
{
	bool in_properties = false;

	*c = (struct test_case){0};
	while (*p < end) {
		const char *stop = memchr(*p, '\n', (size_t)(end - *p));
		struct str line = {*p, (size_t)((stop ? stop : end) - *p)};

		if (str_starts(line, STR("== "))) {
			if (c->name.n)
				break;
			c->name = (struct str){line.p + 3, line.n - 3};
			c->asm_begin = c->asm_end = line.p + line.n;
		} else if (str_starts(line, STR("-- "))) {
			in_properties = true;
			read_property(c, line);
		} else if (c->name.n && !in_properties) {
			c->asm_end = line.p + line.n;
		}
		*p = line.p + line.n + (stop != NULL);
	}
	return c->name.n > 0;
}

static void mark_seen(const struct bpf_insn *p, size_t n)
{
	for (size_t i = 0; i < n; i += insn_is_wide(&p[i]) ? 2 : 1)
		if (insn_identify(&p[i]) != INSN_NONE)
			seen[insn_identify(&p[i])] = true;
}

/* Nothing to compare: the engine cannot, or the case is not for it. */
static bool is_skipped(const struct test_case *c, enum engine e, int r, const char *why)
{
	if (e == ENGINE_KERNEL)
		return r == -ENOTSUP || c->has_refused || c->is_not_kernel;
	if (e == ENGINE_JIT && c->is_interp_only)
		return true;
	return r == -ENOTSUP && (!c->has_refused || strstr(why, "machine code"));
}

static void run_case(const char *file, const struct test_case *c, enum engine e,
		     const struct bpf_insn *p, size_t n)
{
	uint8_t *mem = xalloc(MEM_MAX);
	char why[200] = "";
	uint64_t r0 = 0;
	int r;

	memcpy(mem, c->mem, c->mem_n);
	r = e == ENGINE_JIT && c->is_interp_only
		    ? -ENOTSUP
		    : engine_run(e, p, n, mem, c->mem_n, &r0, why, sizeof(why));
	if (is_skipped(c, e, r, why)) {
		not_run[e]++;
	} else if (c->has_refused) {
		char *words = xstrndup(c->refused.p, c->refused.n);

		ran[e]++;
		if (r >= 0 || !strstr(why, words))
			test_result(false, file, 0, "%.*s: %s: %d '%s', expected '%s'",
				    (int)c->name.n, c->name.p, engine_names[e], r, why, words);
		free(words);
	} else {
		ran[e]++;
		if (r < 0 || (c->has_result && r0 != c->result))
			test_result(false, file, 0,
				    "%.*s: %s: r0 is 0x%llx, expected 0x%llx (%d %s)",
				    (int)c->name.n, c->name.p, engine_names[e],
				    (unsigned long long)r0, (unsigned long long)c->result, r, why);
		if (c->after_n && memcmp(mem, c->after, c->after_n))
			test_result(false, file, 0, "%.*s: %s: memory differs", (int)c->name.n,
				    c->name.p, engine_names[e]);
	}
	free(mem);
}

static void run_file(const char *path)
{
	size_t n_text;
	char *text = read_file(path, &n_text);
	const char *p = text;
	struct test_case *c = xalloc(sizeof(*c));

	while (next_case(&p, text + n_text, c)) {
		struct arena arena = {0};
		struct diags diags = {.arena = &arena};
		struct str code = {c->asm_begin, (size_t)(c->asm_end - c->asm_begin)};
		struct asm_program made;

		CHECK(c->has_result || c->after_n || c->has_refused);
		if (!asm_parse(&diags, diag_source(&diags, path, code), NULL, &arena, &made)) {
			_cleanup_buf_ struct buf out = {0};

			diags_print(&diags, false, &out);
			test_result(false, path, 0, "%.*s: %s", (int)c->name.n, c->name.p, out.p);
		} else {
			mark_seen(made.insns, made.n);
			for (enum engine e = 0; e < ENGINE_COUNT; e++)
				run_case(path, c, e, made.insns, made.n);
		}
		arena_done(&arena);
	}
	free(c);
	free(text);
}

TEST(cases)
{
	DIR *dir = opendir(TEST_DATA "/../vm");
	struct dirent *e;

	CHECK(dir != NULL);
	while (dir && (e = readdir(dir)) != NULL) {
		char path[1024];

		if (!str_ends(str_of(e->d_name), STR(".test")))
			continue;
		snprintf(path, sizeof(path), TEST_DATA "/../vm/%s", e->d_name);
		run_file(path);
	}
	if (dir)
		closedir(dir);
	for (enum engine i = 0; i < ENGINE_COUNT; i++)
		printf("# %s: %u cases, %u not\n", engine_names[i], ran[i], not_run[i]);
	/* constants that need an object, and calls out of the program, are tested elsewhere */
	for (enum insn_id id = 0; id < INSN_COUNT; id++)
		if (!seen[id] && insn_row_of(id)->code != (BPF_LD | BPF_IMM | BPF_DW))
			test_result(false, __FILE__, __LINE__, "no case has %s",
				    insn_row_of(id)->name);
	CHECK(ran[ENGINE_INTERP] > 300);
}

static const uint64_t edges[] = {
	0,
	1,
	2,
	3,
	7,
	31,
	32,
	33,
	63,
	64,
	0x7f,
	0x80,
	0xff,
	0x8000,
	0x7fffffff,
	0x80000000,
	0x80000001,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x123456789abcdef0,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffffffff80000000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
};

static void check_engine(enum engine e, enum insn_id id, const struct bpf_insn *p, size_t n,
			 uint64_t expected)
{
	char why[200] = "";
	uint64_t r0 = 0;
	int r = engine_run(e, p, n, NULL, 0, &r0, why, sizeof(why));

	if (r == -ENOTSUP)
		return;
	if (r < 0 || r0 != expected)
		test_result(false, __FILE__, __LINE__, "%s by %s: 0x%llx, expected 0x%llx (%s)",
			    insn_row_of(id)->name, engine_names[e], (unsigned long long)r0,
			    (unsigned long long)expected, why);
}

/* r0 = a; r1 = b; the instruction; exit.  Jumps leave 1 if taken. */
static size_t operation(struct bpf_insn p[10], enum insn_id id, uint64_t a, uint64_t b)
{
	const struct insn_row *row = insn_row_of(id);
	bool is_jump = insn_kind(id) == INSN_KIND_JUMP;
	size_t n = 4;

	insn_wide(p, 0, is_jump ? 2 : 0, a);
	insn_wide(p + 2, 0, 1, b);
	if (is_jump)
		p[n++] = insn_mov_imm(0, 1);
	p[n++] = (struct bpf_insn){.code = row->code,
				   .dst_reg = is_jump ? 2 : 0,
				   .src_reg = row->is_imm ? 0 : 1,
				   .off = is_jump ? 1 : (int16_t)row->off,
				   .imm = row->is_imm ? (int32_t)b : 0};
	if (is_jump)
		p[n++] = insn_mov_imm(0, 0);
	p[n++] = insn_exit();
	return n;
}

TEST(arithmetic_over_the_edges)
{
	for (enum insn_id id = 0; id < 4 * (ALU_COUNT + JUMP_COUNT); id++) {
		const struct insn_row *row = insn_row_of(id);
		bool is_jump = insn_kind(id) == INSN_KIND_JUMP;

		for (size_t i = 0; i < ELEMENTS(edges) * ELEMENTS(edges); i++) {
			uint64_t a = edges[i / ELEMENTS(edges)], b = edges[i % ELEMENTS(edges)];
			uint64_t expected;
			struct bpf_insn p[10];
			size_t n;

			if (row->is_imm)
				b = (uint64_t)(int64_t)(int32_t)b;
			n = operation(p, id, a, b);
			expected = is_jump ? insn_jump_eval(insn_jump_of(id), row->is_32, a, b)
					   : insn_alu_eval(insn_alu_of(id), row->is_32, a, b);
			for (enum engine e = 0; e < ENGINE_KERNEL; e++)
				check_engine(e, id, p, n, expected);
		}
	}
	CHECK(true);
}

/* The kernel's opinion: one program for each instruction, its operands in memory. */
TEST(arithmetic_as_the_kernel_does)
{
	unsigned int n_insns = 0;

	for (enum insn_id id = 0; id < 4 * ALU_COUNT; id++) {
		const struct insn_row *row = insn_row_of(id);
		struct bpf_insn p[] = {
			insn_load(8, false, 0, 1, 0),
			insn_load(8, false, 2, 1, 8),
			{.code = row->code, .src_reg = 2, .off = (int16_t)row->off},
			insn_store(8, 1, 16, 0),
			insn_mov_imm(0, 0),
			insn_exit(),
		};
		int fd = row->is_imm ? -1 : engine_kernel_load(p, ELEMENTS(p));

		if (fd < 0)
			continue;
		n_insns++;
		for (size_t i = 0; i < ELEMENTS(edges) * ELEMENTS(edges); i++) {
			uint64_t mem[3] = {edges[i / ELEMENTS(edges)], edges[i % ELEMENTS(edges)]};
			uint64_t expected =
				insn_alu_eval(insn_alu_of(id), row->is_32, mem[0], mem[1]);
			uint32_t r0;

			if (engine_kernel_run(fd, mem, sizeof(mem), &r0) < 0 || mem[2] != expected)
				test_result(false, __FILE__, __LINE__,
					    "%s: kernel 0x%llx, table 0x%llx", row->name,
					    (unsigned long long)mem[2],
					    (unsigned long long)expected);
		}
		cleanup_close(&fd);
	}
	if (!n_insns)
		test_skip("the kernel loads no such programs");
	else
		CHECK(n_insns == 2 * ALU_COUNT);
}
