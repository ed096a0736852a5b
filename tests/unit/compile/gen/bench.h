/* SPDX-License-Identifier: Apache-2.0 */
/* A module under construction, with globals and literals, that the kernel then runs. */
#pragma once

#include "compile/gen/gen.h"
#include "compile/ir/ir.h"
#include "test.h"

#include "kernel.h"

enum { MAP_GLOBALS, MAP_RODATA, OUT = 1024 };

struct bench {
	struct question q;
	struct arena a;
	struct ir_module m;
	struct ir_builder b;
	const struct rt_library *rt;
	bool spill_all;
	uint64_t out[OUT];
	uint32_t ret;
	int error;
};

static inline void bench_init(struct bench *t)
{
	static const char rodata[64] = "literal";

	memset(t, 0, sizeof(*t));
	question_init(&t->q);
	t->q.globals = MAP_GLOBALS;
	t->q.rodata = MAP_RODATA;
	array_push(&t->q.arena, &t->q.maps,
		   ((struct question_map){.name = "globals",
					  .kind = QMAP_GLOBALS,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .key_size = 4,
					  .value_size = OUT * 8,
					  .max_entries = 1}));
	array_push(&t->q.arena, &t->q.maps,
		   ((struct question_map){.name = "rodata",
					  .kind = QMAP_RODATA,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .key_size = 4,
					  .value_size = sizeof(rodata),
					  .max_entries = 1,
					  .init = rodata}));
	ir_module_init(&t->m, &t->a, "test");
	t->m.n_maps = 2;
	ir_func_add(&t->m, "main", 1);
	t->b = (struct ir_builder){.m = &t->m};
}

static inline void bench_done(struct bench *t)
{
	question_done(&t->q);
	arena_done(&t->a);
}

static inline bool bench_gen(struct bench *t, int cpu)
{
	struct gen_options o = {.cpu = cpu, .rt = t->rt, .spill_all = t->spill_all};

	t->q.progs.n = 0;
	array_push(&t->q.arena, &t->q.progs,
		   ((struct question_prog){.name = "test",
					   .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT}));
	return gen_program(&t->q, &t->m, &o, &t->q.progs.p[0]);
}

/* Generate for one version, load, run; out[] is what the globals hold then. */
static inline bool bench_run(struct bench *t, int cpu)
{
	int newest = kernel_cpu();
	struct kernel k;

	if (!bench_gen(t, MIN(cpu, newest))) {
		_cleanup_buf_ struct buf text = {0};

		diags_print(&t->q.diags, false, &text);
		fprintf(stderr, "%s", text.p ? text.p : "");
		return false;
	}
	t->error = kernel_load(&k, &t->q, 0);
	if (t->error >= 0)
		t->error = kernel_run(&k, &t->ret);
	if (t->error >= 0)
		kernel_read(&k, MAP_GLOBALS, t->out);
	if (t->error < 0 || getenv("SHOW"))
		kernel_show(&k, &t->q.progs.p[0]);
	kernel_close(&k);
	return t->error >= 0;
}

static inline bool may_run(void)
{
	if (!geteuid())
		return true;
	test_skip("only root may load programs");
	return false;
}

static inline void out(struct bench *t, unsigned int at, struct ir_val v)
{
	ir_store(&t->b, ir_space_addr(&t->b, IRS_GLOBAL, at * 8), 0, 8, v);
}

static inline struct ir_val in(struct bench *t, unsigned int at)
{
	return ir_load(&t->b, ir_space_addr(&t->b, IRS_GLOBAL, at * 8), 0, 8, false);
}

/* A number that no selection knows: it went through memory. */
static inline struct ir_val opaque(struct bench *t, uint64_t v)
{
	out(t, OUT - 1, IR_I((int64_t)v));
	return in(t, OUT - 1);
}
