/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as IR: what parses prints and parses again to the same; what checks survives
 * all passes, checks behind each, and gives the same result in the interpreter.  Then code
 * is generated from it, which is well formed.
 */
#include "code.h"

#include "compile/gen/gen.h"
#include "compile/ir/interp.h"
#include "compile/ir/op.h"
#include "compile/opt/opt.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { STEPS = 4096, SPACE = 256, MAPS = 64 };

static bool parse(struct ir_module *m, struct arena *a, struct str text)
{
	struct diags d = {.arena = a};
	bool ok;

	ir_module_init(m, a, "fuzz");
	ok = ir_parse(m, &d, diag_source(&d, "fuzz", text));
	assert(ok == !d.errors);
	return ok;
}

static bool run(const struct ir_module *m, uint32_t key, uint64_t *ret)
{
	uint8_t spaces[3][SPACE] = {0};
	struct interp in;
	bool ok;

	interp_init(&in, m, STEPS);
	in.key = key;
	interp_space(&in, IRS_GLOBAL, spaces[0], SPACE);
	interp_space(&in, IRS_RODATA, spaces[1], SPACE);
	interp_space(&in, IRS_SCRATCH, spaces[2], SPACE);
	ok = m->funcs.p[0].n_params == 1 && interp_eval(&in, 0, ret);
	interp_done(&in);
	return ok;
}

/* A pass may bring to light that an access was beyond its slot all along. */
static void check_after(void *ctx, const struct opt_pass *pass, const struct ir_module *m)
{
	struct buf *why = ctx;
	bool ok = ir_check(m, why);

	assert(ok || strstr(why->p, " of slot "));
}

/* Too large for 512 bytes of stack, and for the fuzzer's memory. */
static bool is_small(const struct ir_module *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->funcs.n; i++)
		for (size_t k = 0; k < m->funcs.p[i].slots.n; k++)
			sum += m->funcs.p[i].slots.p[k].size;
	return sum < 1 << 16;
}

/* With registers, and without any to keep values in.  Runtime functions are not there. */
static void generate(const struct ir_module *m)
{
	struct question q;

	if (m->n_maps > MAPS)
		return;
	question_init(&q);
	for (uint32_t i = 0; i < m->n_maps + 2; i++)
		array_push(&q.arena, &q.maps, ((struct question_map){.name = "m"}));
	q.globals = (int32_t)m->n_maps;
	q.rodata = (int32_t)m->n_maps + 1;
	q.scratch = -1;
	diag_source(&q.diags, "fuzz", STR(""));
	for (int cpu = 3; cpu <= 4; cpu++) {
		struct gen_options o = {.cpu = cpu, .spill_all = cpu == 4};
		struct question_prog prog = {.name = "fuzz"};

		if (gen_program(&q, m, &o, &prog))
			check_code(&q, &prog, cpu);
	}
	question_done(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(arena_done) struct arena a = {0};
	_cleanup_buf_ struct buf first = {0}, second = {0}, why = {0};
	static const uint32_t keys[] = {1, 0x9e3779b1, 0xfffffff1, 0x85ebca6b};
	uint64_t before[ELEMENTS(keys)] = {0}, after;
	struct ir_module m, again;
	bool ends;

	if (n > 1 << 16 || !parse(&m, &a, (struct str){(const char *)data, n}))
		return 0;
	ir_print(&m, &first);
	if (!parse(&again, &a, buf_str(&first)))
		assert(false);
	ir_print(&again, &second);
	assert(str_eq(buf_str(&first), buf_str(&second)));
	if (!ir_check(&m, &why) || !is_small(&m))
		return 0;
	ends = true;
	/* What depends on where things are has no meaning that a pass must keep. */
	for (size_t i = 0; i < ELEMENTS(keys); i++)
		ends = ends && run(&m, keys[i], &before[i]) && before[i] == before[0];
	opt_run(&m, 2, check_after, &why);
	if (ends && run(&m, 1, &after))
		assert(before[0] == after);
	if (!why.n)
		generate(&m);
	return 0;
}
