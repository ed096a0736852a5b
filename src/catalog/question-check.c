/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runtime/ and event/ rely on in a question that came from outside.
 *
 * The compiler never makes anything else, so it is not called for what was compiled here.
 * Whether a program may run is the kernel's verifier's to say, not ours.
 */
#include "catalog/question-check.h"

#include "base/macro.h"

enum { MAP_BYTES = 1 << 20, PROBE_NAMES = 1 << 20 };

static void clip(const struct question *q, struct span *s)
{
	if (s->file >= q->diags.sources.n || s->begin > s->end ||
	    s->end > q->diags.sources.p[s->file].text.n)
		*s = (struct span){0};
}

static bool is_map(const struct question *q, uint32_t i)
{
	return i < q->maps.n;
}

/* −1, or a map of this kind. */
static bool is_place(const struct question *q, int32_t i, enum question_map_kind kind)
{
	return i == -1 || (i >= 0 && (size_t)i < q->maps.n && q->maps.p[i].kind == kind);
}

static bool is_global(const struct question *q, int32_t offset)
{
	return offset == -1 ||
	       (offset >= 0 && q->globals >= 0 &&
		(uint64_t)offset + sizeof(uint64_t) <= q->maps.p[q->globals].value_size + 4ull);
}

static bool is_array(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool has_buckets(const struct type *t)
{
	return t->kind == TYPE_HIST || t->kind == TYPE_LHIST || t->kind == TYPE_TSERIES;
}

static const char *check_map(struct question *q, struct question_map *m)
{
	uint64_t key;

	clip(q, &m->span);
	if (m->key_size > MAP_BYTES || m->value_size > MAP_BYTES * 16u)
		return "a map's size";
	if (m->kind != QMAP_NAMED)
		return NULL;
	if (!m->value || !m->key_size || !m->value_size)
		return "a map's type";
	if (is_array(m->type) && m->key_size != 4)
		return "a map's key";
	key = m->key ? m->key->size : 0;
	if (has_buckets(m->value) &&
	    (m->bucket_offset < key || m->bucket_offset + 8ull > m->key_size))
		return "a map's key";
	if (m->key && m->key->size > m->key_size)
		return "a map's key";
	if (m->value->size > m->value_size)
		return "a map's value";
	return NULL;
}

static const char *check_prog(struct question *q, struct question_prog *p)
{
	uint32_t at = 0;

	clip(q, &p->span);
	if (!p->n_insns || strlen(p->name) > 15)
		return "a program";
	for (uint32_t i = 0; i < p->n_relocs; i++) {
		const struct question_reloc *r = &p->relocs[i];
		bool is_named = r->kind == QRELOC_KSYM || r->kind == QRELOC_KFUNC;

		if (r->insn + (uint64_t)(r->kind != QRELOC_KFUNC) >= p->n_insns ||
		    (is_named ? !r->name : !is_map(q, r->map)))
			return "a relocation";
	}
	for (uint32_t i = 0; i < p->n_lines; i++)
		clip(q, &((struct question_line *)p->lines)[i].span);
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		const struct question_func *f = &p->funcs[i];

		if (f->insn >= p->n_insns || f->insn < at || f->n_params > 5)
			return "a function";
		at = f->insn + 1;
	}
	return NULL;
}

/* What the runtimes take for granted of each way. */
static bool has_needs(const struct question_probe *p)
{
	uint32_t has = (p->target ? QN_TARGET : 0u) | (p->group ? QN_GROUP : 0u) |
		       (p->binary ? QN_BINARY : 0u) | (p->addresses ? QN_ADDRESSES : 0u) |
		       (p->targets || p->addresses ? QN_LIST : 0u);

	return !(attach_kinds[p->attach].needs & ~has);
}

static const char *check_probe(struct question *q, struct question_probe *p)
{
	clip(q, &p->span);
	if (p->prog >= q->progs.n)
		return "a probe's program";
	if (!has_needs(p))
		return "a probe's target";
	return p->counts_as > PROBE_NAMES ? "a probe" : NULL;
}

static const char *check_action(struct question *q, struct question_action *x)
{
	bool of_map = x->kind == QACTION_PRINT_MAP || x->kind == QACTION_PRINT_MAP_KEY ||
		      x->kind == QACTION_CLEAR || x->kind == QACTION_ZERO;

	clip(q, &x->span);
	if (of_map && (!is_map(q, x->map) || q->maps.p[x->map].kind != QMAP_NAMED))
		return "an action's map";
	if (x->args && x->args->kind != TYPE_TUPLE)
		return "an action's arguments";
	return NULL;
}

static const char *check_fix(const struct question *q, const struct question_fix *x)
{
	const struct question_prog *p;

	if (x->prog >= q->progs.n || x->fact >= q->facts.n)
		return "a fix";
	p = &q->progs.p[x->prog];
	return x->insn + (uint64_t)(x->where == QFIX_WIDE) >= p->n_insns ? "a fix" : NULL;
}

static const char *check_places(const struct question *q)
{
	if (!is_place(q, q->globals, QMAP_GLOBALS) || !is_place(q, q->rodata, QMAP_RODATA) ||
	    !is_place(q, q->ring, QMAP_RING) || !is_place(q, q->scratch, QMAP_SCRATCH) ||
	    !is_place(q, q->stacks, QMAP_STACKS) || !is_place(q, q->lost, QMAP_LOST))
		return "a map";
	if (!is_global(q, q->global_cpid) || !is_global(q, q->global_start_ns) ||
	    !is_global(q, q->global_ncpus) || !is_global(q, q->global_epoch_ns) ||
	    !is_global(q, q->global_stop))
		return "a global variable";
	return NULL;
}

const char *question_check(struct question *q)
{
	const char *wrong = check_places(q);

	for (size_t i = 0; !wrong && i < q->maps.n; i++)
		wrong = check_map(q, &q->maps.p[i]);
	for (size_t i = 0; !wrong && i < q->progs.n; i++)
		wrong = check_prog(q, &q->progs.p[i]);
	for (size_t i = 0; !wrong && i < q->probes.n; i++)
		wrong = check_probe(q, &q->probes.p[i]);
	for (size_t i = 0; !wrong && i < q->actions.n; i++)
		wrong = check_action(q, &q->actions.p[i]);
	for (size_t i = 0; !wrong && i < q->fixes.n; i++)
		wrong = check_fix(q, &q->fixes.p[i]);
	for (size_t i = 0; i < q->losses.n; i++)
		clip(q, &q->losses.p[i].span);
	for (size_t i = 0; i < q->facts.n; i++)
		clip(q, &q->facts.p[i].span);
	for (size_t i = 0; i < q->diags.sources.n; i++) {
		struct source *x = &q->diags.sources.p[i];

		clip(q, &x->from);
		if (x->is_expansion && x->from.file >= i) /* of itself */
			wrong = "a source";
	}
	if (!wrong && (!q->losses.n || !q->strings.n))
		wrong = "its lists";
	return wrong;
}
