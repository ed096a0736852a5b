/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/question.h"

void question_init(struct question *q)
{
	*q = (struct question){
		.globals = -1,
		.rodata = -1,
		.ring = -1,
		.scratch = -1,
		.stacks = -1,
		.lost = -1,
		.global_cpid = -1,
		.global_start_ns = -1,
		.global_ncpus = -1,
		.global_epoch_ns = -1,
		.global_stop = -1,
		.config =
			{
				.max_map_keys = 4096,
				.max_strlen = 1024,
				.max_cat_bytes = 10240,
				.max_probes = 1024,
				.max_bpf_progs = 1024,
				.log_size = 1000000,
				.on_stack_limit = 32,
				.license = "GPL",
				.str_trunc_trailer = "..",
				.cpp_demangle = true,
				.print_maps_on_exit = true,
				.show_debug_info = true,
			},
	};
	q->diags.arena = &q->arena;
	array_push(&q->arena, &q->strings, "");
	array_push(&q->arena, &q->losses,
		   ((struct question_loss){.kind = QLOSS_RING, .what = "ring"}));
}

static bool is_same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

uint32_t question_fact_add(struct question *q, const struct question_fact *fact)
{
	struct question_fact *f;

	for (size_t i = 0; i < q->facts.n; i++) {
		f = &q->facts.p[i];
		if (f->kind == fact->kind && is_same(f->type, fact->type) &&
		    is_same(f->path, fact->path))
			return (uint32_t)i;
	}
	f = array_push(&q->arena, &q->facts, *fact);
	f->type = arena_strdup(&q->arena, fact->type ? fact->type : "");
	f->path = arena_strdup(&q->arena, fact->path ? fact->path : "");
	return (uint32_t)(q->facts.n - 1);
}

void question_done(struct question *q)
{
	arena_done(&q->arena);
	*q = (struct question){};
}
