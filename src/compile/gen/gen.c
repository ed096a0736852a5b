/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program: its functions, their frames, the scratch map, and what is linked behind.
 *
 * The kernel gives a program 512 bytes of stack for the longest chain of calls, each frame
 * rounded up to 32.  How large a frame becomes is known only when registers are given
 * away, so functions are generated first, and where a chain is too long, the largest slots
 * of its functions move to the scratch map and these functions are generated again.
 */
#include "compile/gen/gen.h"

#include "compile/gen/mach.h"
#include "isa/insn.h"

enum { SCRATCH_MAX = 32768 /* a per-cpu allocation cannot be larger */ };

struct gen {
	const struct question *q;
	const struct ir_module *m;
	const struct gen_options *o;
	struct gen_part *part;
	struct arena a; /* dies with the call */
	struct slot_plan *plans;
	struct mach **funcs; /* NULL: to be generated (again) */
	uint32_t *depths;    /* bytes of stack from each function on; 0: not worked out */
	uint32_t *deepest;   /* the callee on the way there; UINT32_MAX: none, or runtime */
	uint32_t scratch_size;
	bool failed;
	/* linking */
	struct emit e;
	uint32_t *starts;    /* of the module's functions */
	uint32_t *rt_starts; /* of runtime functions; UINT32_MAX: not linked */
	ARRAY(uint32_t) rt_queue;
	ARRAY(struct question_func) out;
};

static struct span place_of_program(const struct gen *g)
{
	return g->m->funcs.p[0].span;
}

static void gen_error(struct gen *g, enum diag_id id, const char *text, const char *name)
{
	if (!g->failed)
		diag(&g->part->diags, id, place_of_program(g), "%s%s%s", text, name ? ": " : "",
		     name ? name : "");
	g->failed = true;
}

/* --- stack */

static void gen_func(struct gen *g, uint32_t i)
{
	struct mach *c = arena_new(&g->a, struct mach);

	*c = (struct mach){.arena = &g->a, .m = g->m, .f = &g->m->funcs.p[i], .q = g->q, .o = g->o};
	c->scratch_map = g->q->scratch < 0 ? g->q->maps.n : (uint32_t)g->q->scratch;
	c->scratch_at = g->plans[i].spills_there ? &g->scratch_size : NULL;
	select_func(c, &g->plans[i]);
	regalloc(c);
	emit_frame(c);
	g->funcs[i] = c;
}

static const struct rt_func *rt_of(struct gen *g, uint32_t index)
{
	const char *name = index < g->m->rt_funcs.n ? g->m->rt_funcs.p[index] : "?";
	const struct rt_func *f = rt_find(g->o->rt, name);

	if (!f)
		gen_error(g, D_INTERNAL, "There is no runtime function of this name", name);
	return f;
}

static uint32_t rounded(uint32_t frame)
{
	return frame ? (frame + 31) & ~31u : 32;
}

static uint32_t rt_depth(struct gen *g, const struct rt_func *f, int level)
{
	uint32_t below = 0;

	for (uint32_t i = 0; i < f->n_insns && level < 8; i++)
		if (f->calls[i])
			below = MAX(below,
				    rt_depth(g, rt_func(g->o->rt, f->calls[i] - 1), level + 1));
	return rounded(f->frame) + below;
}

static uint32_t gen_depth(struct gen *g, uint32_t i, unsigned int level);

/* What an instruction has below it on the stack. */
static uint32_t depth_behind(struct gen *g, const struct mach_insn *i, unsigned int level,
			     uint32_t *ret_func)
{
	const struct rt_func *rt;

	*ret_func = UINT32_MAX;
	if ((i->op == MACH_CALL && i->code == CALL_FUNC) ||
	    (i->op == MACH_WIDE && i->code == WIDE_FUNC)) {
		*ret_func = i->index;
		return gen_depth(g, i->index, level + 1);
	}
	if (i->op != MACH_CALL || i->code != CALL_RT)
		return 0;
	rt = rt_of(g, i->index);
	return rt && !rt->is_plain ? rt_depth(g, rt, 0) : 0;
}

static uint32_t gen_depth(struct gen *g, uint32_t i, unsigned int level)
{
	struct mach *c = g->funcs[i];
	uint32_t deepest = 0, func;

	if (level > 16) {
		gen_error(g, D_PROGRAM_TOO_LARGE, "Functions call each other without an end", NULL);
		return 0;
	}
	if (g->depths[i])
		return g->depths[i];
	g->deepest[i] = UINT32_MAX;
	for (uint32_t b = 0; b < c->blocks.n; b++) {
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++) {
			uint32_t n = depth_behind(g, &c->blocks.p[b].insns.p[k], level, &func);

			if (n > deepest) {
				deepest = n;
				g->deepest[i] = func;
			}
		}
	}
	return g->depths[i] = rounded(c->frame) + deepest;
}

/* The last resort: the largest frame of the chain spills its numbers to scratch. */
static bool spill_elsewhere(struct gen *g)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i != UINT32_MAX; i = g->deepest[i])
		if (!g->plans[i].spills_there &&
		    (best == UINT32_MAX || g->funcs[i]->frame > g->funcs[best]->frame))
			best = i;
	if (best == UINT32_MAX)
		return false;
	g->plans[best].spills_there = g->plans[best].uses_scratch = true;
	g->funcs[best] = NULL;
	return true;
}

/* Of the longest chain, the function with the largest frame that was not asked yet. */
static uint32_t largest_frame(const struct gen *g, const bool *asked)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i != UINT32_MAX; i = g->deepest[i])
		if (!asked[i] && (best == UINT32_MAX || g->funcs[i]->frame > g->funcs[best]->frame))
			best = i;
	return best;
}

/* Make room along the longest chain: first where a single function has most to give. */
static bool make_room(struct gen *g, uint32_t over)
{
	bool *asked = arena_array(&g->a, bool, g->m->funcs.n);
	uint32_t saved = 0, i;

	while (saved < over && (i = largest_frame(g, asked)) != UINT32_MAX) {
		uint32_t more = plan_move(&g->plans[i], &g->m->funcs.p[i], over - saved + 32,
					  &g->scratch_size);

		asked[i] = true;
		saved += more;
		if (more)
			g->funcs[i] = NULL; /* to be generated again */
	}
	return saved > 0 || spill_elsewhere(g);
}

static void note_scratch(struct gen *g)
{
	g->part->scratch_size = MAX((g->scratch_size + 7) & ~7u, 8);
	if (g->part->scratch_size <= SCRATCH_MAX)
		return;
	gen_error(g, D_PROGRAM_TOO_LARGE,
		  "The program's variables do not fit the kernel's limit of 32768 bytes", NULL);
	diag_hint(&g->part->diags, "Shorter texts need less: config = { max_strlen = 64 }");
}

static void gen_funcs(struct gen *g)
{
	uint32_t n = g->m->funcs.n;
	bool has_scratch = false;

	for (int round = 0; round < 64 && !g->failed; round++) {
		for (uint32_t i = 0; i < n; i++) {
			has_scratch |= g->plans[i].uses_scratch;
			if (!g->funcs[i])
				gen_func(g, i);
			g->depths[i] = 0;
		}
		if (gen_depth(g, 0, 0) <= MACH_STACK || g->failed)
			break;
		if (!make_room(g, g->depths[0] - MACH_STACK))
			gen_error(g, D_PROGRAM_TOO_LARGE,
				  "The program needs more than the kernel's 512 bytes of stack",
				  NULL);
	}
	if (has_scratch)
		note_scratch(g);
}

/* --- linking */

static void add_func(struct gen *g, const char *name, uint32_t n_params, bool is_callback)
{
	array_push(&g->part->arena, &g->out,
		   ((struct question_func){
			   .name = arena_strdup(&g->part->arena, name ? name : "f"),
			   .insn = g->e.insns.n,
			   .n_params = n_params,
			   .is_callback = is_callback,
		   }));
}

/* Parameters do not matter to the kernel where nobody calls by address: it looks at code. */
enum { RT_PARAMS = 5 };

static void link_rt(struct gen *g, uint32_t index)
{
	const struct rt_func *f = rt_func(g->o->rt, index);

	g->rt_starts[index] = g->e.insns.n;
	add_func(g, f->name, RT_PARAMS, false);
	for (uint32_t i = 0; i < f->n_insns; i++) {
		if (f->calls[i])
			array_push(&g->a, &g->e.fixups,
				   ((struct emit_fixup){g->e.insns.n, CALL_RT, f->calls[i] - 1}));
		array_push(&g->a, &g->e.insns, f->insns[i]);
	}
}

/* Calls of the module name functions by its own list; from here on, by the library's. */
static void name_rt(struct gen *g)
{
	for (size_t k = 0; k < g->e.fixups.n; k++) {
		struct emit_fixup *x = &g->e.fixups.p[k];
		const struct rt_func *f;

		if (x->kind != CALL_RT)
			continue;
		f = rt_of(g, x->index);
		if (f)
			x->index = rt_index(g->o->rt, f);
	}
}

static void link_all_rt(struct gen *g)
{
	uint32_t n = rt_count(g->o->rt);

	g->rt_starts = arena_array(&g->a, uint32_t, n + 1);
	for (uint32_t i = 0; i < n; i++)
		g->rt_starts[i] = UINT32_MAX;
	name_rt(g);
	/* what is linked may call more, which is linked behind */
	for (size_t k = 0; k < g->e.fixups.n && !g->failed; k++) {
		struct emit_fixup x = g->e.fixups.p[k];

		if (x.kind == CALL_RT && g->rt_starts[x.index] == UINT32_MAX)
			link_rt(g, x.index);
	}
}

static void fix_calls(struct gen *g)
{
	for (size_t k = 0; k < g->e.fixups.n; k++) {
		struct emit_fixup *x = &g->e.fixups.p[k];
		uint32_t to = x->kind == CALL_RT ? g->rt_starts[x->index] : g->starts[x->index];

		g->e.insns.p[x->insn].imm = (int32_t)to - (int32_t)x->insn - 1;
	}
}

static void emit_all(struct gen *g)
{
	uint32_t n = g->m->funcs.n;

	g->e = (struct emit){.arena = &g->a, .diags = &g->part->diags, .o = g->o};
	g->starts = arena_array(&g->a, uint32_t, n);
	for (uint32_t i = 0; i < n && !g->failed; i++) {
		const struct ir_func *f = &g->m->funcs.p[i];

		if (i && !g->depths[i])
			continue; /* nobody calls it: the kernel refuses dead functions */
		g->starts[i] = g->e.insns.n;
		add_func(g, f->name, f->n_params, f->is_callback);
		g->failed |= !emit_func(&g->e, g->funcs[i]);
	}
	if (!g->failed)
		link_all_rt(g);
	if (!g->failed)
		fix_calls(g);
}

static void hand_over(struct gen *g)
{
	struct arena *a = &g->part->arena;
	struct question_prog *p = g->part->prog;
	struct emit *e = &g->e;

	p->insns = arena_copy(a, e->insns.p, e->insns.n * sizeof(*e->insns.p));
	p->n_insns = e->insns.n;
	p->relocs = arena_copy(a, e->relocs.p, e->relocs.n * sizeof(*e->relocs.p));
	p->n_relocs = e->relocs.n;
	for (uint32_t i = 0; i < p->n_relocs; i++) {
		struct question_reloc *r = (struct question_reloc *)&p->relocs[i];

		r->name = r->name ? arena_strdup(a, r->name) : NULL;
	}
	p->lines = arena_copy(a, e->lines.p, e->lines.n * sizeof(*e->lines.p));
	p->n_lines = e->lines.n;
	p->funcs = g->out.p;
	p->n_funcs = g->out.n;
	g->part->elements = arena_copy(a, e->elements.p, e->elements.n * sizeof(*e->elements.p));
	g->part->n_elements = e->elements.n;
}

bool gen_part(const struct question *q, const struct ir_module *m, const struct gen_options *o,
	      struct gen_part *part)
{
	struct gen g = {.q = q, .m = m, .o = o, .part = part, .scratch_size = m->scratch_size};
	uint32_t n = m->funcs.n;

	g.plans = arena_array(&g.a, struct slot_plan, n);
	g.funcs = arena_array(&g.a, struct mach *, n);
	g.depths = arena_array(&g.a, uint32_t, n);
	g.deepest = arena_array(&g.a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		plan_func(&g.a, &m->funcs.p[i], &g.plans[i]);
		plan_move_huge(&g.plans[i], &m->funcs.p[i], &g.scratch_size);
	}
	gen_funcs(&g);
	if (!g.failed)
		emit_all(&g);
	if (!g.failed)
		hand_over(&g);
	arena_done(&g.a);
	return !g.failed;
}

/* --- the question gets it */

/*
 * Scratch: an element of its own for each program, so that one program that interrupts
 * another does not write over its values.
 */
static void join_scratch(struct question *q, const struct gen_part *part)
{
	struct bpf_insn *insns = (struct bpf_insn *)part->prog->insns;
	struct question_map *map;

	if (q->scratch < 0) {
		q->scratch = (int32_t)q->maps.n;
		array_push(&q->arena, &q->maps,
			   ((struct question_map){.name = "scratch",
						  .kind = QMAP_SCRATCH,
						  .type = BPF_MAP_TYPE_PERCPU_ARRAY,
						  .key_size = 4,
						  .is_per_cpu = true}));
	}
	map = &q->maps.p[q->scratch];
	for (uint32_t i = 0; i < part->n_elements; i++)
		insns[part->elements[i]].imm = (int32_t)q->n_scratch;
	q->n_scratch++;
	map->max_entries = MAX(map->max_entries, q->n_scratch);
	map->value_size = MAX(map->value_size, part->scratch_size);
}

void gen_part_init(struct gen_part *part, struct question_prog *prog)
{
	*part = (struct gen_part){.prog = prog};
	part->diags.arena = &part->arena;
}

void gen_join(struct question *q, struct gen_part *part)
{
	if (part->scratch_size && !part->diags.errors)
		join_scratch(q, part);
	diags_join(&q->diags, &part->diags);
	arena_join(&q->arena, &part->arena);
}

bool gen_program(struct question *q, const struct ir_module *m, const struct gen_options *o,
		 struct question_prog *prog)
{
	struct gen_part part;
	bool ok;

	gen_part_init(&part, prog);
	ok = gen_part(q, m, o, &part);
	gen_join(q, &part);
	return ok;
}
