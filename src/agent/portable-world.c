/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine like this one, on which some things are elsewhere.
 *
 * It answers the compiler's questions as the real world does, but from a copy of the
 * kernel's types in which members can be moved, and with other offsets of tracepoints'
 * fields, other addresses, another number of processors.  A compilation against it shows
 * which instructions follow what.
 */
#include "agent/portable-internal.h"

#include "runtime/kern/btf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REST_BYTES = 4096, REST_SIZE = 64, MEMBER_BITS = 24 };

struct moved {
	struct moved *next;
	const char *type, *path;
	int64_t by;
};

struct shifted_world {
	struct world base;
	struct world *real; /* borrowed */
	struct arena arena;
	void *blob; /* owned: the copy */
	struct btf_view view;
	struct moved *fields, *symbols;
	int64_t cpus;
	bool was_left;
};

#define SHIFTED(w) ((struct shifted_world *)(w))
#define REAL(w)	   (SHIFTED(w)->real)

static struct moved *find_moved(struct moved *list, const char *type, const char *path)
{
	for (; list; list = list->next)
		if (!strcmp(list->type, type) && !strcmp(list->path, path))
			return list;
	return NULL;
}

static void add_moved(struct shifted_world *s, struct moved **list, const struct question_fact *f,
		      int64_t by)
{
	struct moved *m = find_moved(*list, f->type, f->path);

	if (!m) {
		m = arena_new(&s->arena, struct moved);
		*m = (struct moved){*list, f->type, f->path, 0};
		*list = m;
	}
	m->by += by;
}

/* --- what it answers */

static bool shifted_has(struct world *w, enum world_feature f)
{
	return world_has(REAL(w), f);
}

static const struct btf_view *shifted_btf(struct world *w)
{
	return &SHIFTED(w)->view;
}

static const struct btf_view *shifted_module_btf(struct world *w, const char *module)
{
	SHIFTED(w)->was_left = true;
	return REAL(w)->ops->module_btf(REAL(w), module);
}

static void shifted_tracepoints(struct world *w, const char *group, const char *event,
				world_name_fn fn, void *ctx)
{
	REAL(w)->ops->tracepoints(REAL(w), group, event, fn, ctx);
}

static int shifted_fields(struct world *w, const char *group, const char *event,
			  const struct world_field **ret, unsigned int *ret_n)
{
	struct shifted_world *s = SHIFTED(w);
	int r = REAL(w)->ops->tracepoint_fields(REAL(w), group, event, ret, ret_n);
	struct world_field *copy;
	const char *type;

	if (r < 0 || !*ret_n)
		return r;
	type = arena_printf(&s->arena, "%s:%s", group, event);
	copy = arena_copy(&s->arena, *ret, *ret_n * sizeof(*copy));
	for (unsigned int i = 0; i < *ret_n; i++) {
		const struct moved *m = find_moved(s->fields, type, copy[i].name);

		copy[i].offset += m ? (uint32_t)m->by : 0;
	}
	*ret = copy;
	return r;
}

static void shifted_functions(struct world *w, const char *module, const char *glob,
			      world_name_fn fn, void *ctx)
{
	REAL(w)->ops->functions(REAL(w), module, glob, fn, ctx);
}

static uint64_t shifted_address(struct world *w, const char *name)
{
	const struct moved *m = find_moved(SHIFTED(w)->symbols, name, "");
	uint64_t address = REAL(w)->ops->kernel_address(REAL(w), name);

	return address && m ? address + (uint64_t)m->by : address;
}

static const char *shifted_binary(struct world *w, const char *named, int pid)
{
	return REAL(w)->ops->binary(REAL(w), named, pid);
}

static int shifted_symbols(struct world *w, const char *binary, const char *glob, bool functions,
			   const struct world_symbol **ret, unsigned int *ret_n)
{
	return REAL(w)->ops->symbols(REAL(w), binary, glob, functions, ret, ret_n);
}

static int shifted_usdts(struct world *w, const char *binary, const char *provider,
			 const char *name, const struct world_usdt **ret, unsigned int *ret_n)
{
	return REAL(w)->ops->usdts(REAL(w), binary, provider, name, ret, ret_n);
}

static void shifted_mapped(struct world *w, int pid, world_name_fn fn, void *ctx)
{
	REAL(w)->ops->mapped(REAL(w), pid, fn, ctx);
}

static int shifted_syscall_number(struct world *w, const char *name)
{
	return REAL(w)->ops->syscall_number(REAL(w), name);
}

static unsigned int shifted_cpus(struct world *w)
{
	return (unsigned int)(REAL(w)->ops->cpus(REAL(w)) + SHIFTED(w)->cpus);
}

static const struct world_ops ops = {
	.has = shifted_has,
	.btf = shifted_btf,
	.module_btf = shifted_module_btf,
	.tracepoints = shifted_tracepoints,
	.tracepoint_fields = shifted_fields,
	.functions = shifted_functions,
	.kernel_address = shifted_address,
	.binary = shifted_binary,
	.symbols = shifted_symbols,
	.usdts = shifted_usdts,
	.mapped = shifted_mapped,
	.syscall_number = shifted_syscall_number,
	.cpus = shifted_cpus,
};

struct world *shifted_world_new(struct world *real)
{
	struct shifted_world *s;
	bool is_mapped;
	void *blob;
	size_t n;

	if (kernel_btf_read("/sys/kernel/btf/vmlinux", &blob, &n, &is_mapped) < 0)
		return NULL;
	s = xalloc(sizeof(*s));
	s->base.ops = &ops;
	s->real = real;
	s->blob = xalloc(n);
	memcpy(s->blob, blob, n);
	kernel_btf_unread(blob, n, is_mapped);
	if (btf_view_init(&s->view, s->blob, n) < 0) {
		free(s->blob);
		free(s);
		return NULL;
	}
	return &s->base;
}

void shifted_world_free(struct world *w)
{
	struct shifted_world *s = SHIFTED(w);

	if (!w)
		return;
	btf_view_done(&s->view);
	free(s->blob);
	arena_done(&s->arena);
	free(s);
}

bool shifted_world_was_left(const struct world *w)
{
	return ((const struct shifted_world *)w)->was_left;
}

/* --- shifting */

/* A member's place is in bits, with the width of a bitfield above it. */
static bool move_member(const struct btf_member *m, int64_t bytes)
{
	struct btf_member *to = (struct btf_member *)m; /* of our copy */
	uint32_t mask = (1u << MEMBER_BITS) - 1;
	int64_t at = (int64_t)(to->offset & mask) + bytes * 8;

	if (at < 0 || at > mask)
		return false;
	to->offset = (to->offset & ~mask) | (uint32_t)at;
	return true;
}

bool shifted_world_shift(struct world *w, const struct question_fact *f, int64_t by)
{
	struct shifted_world *s = SHIFTED(w);
	const struct btf_member *m;
	struct btf_place place;
	uint32_t owner;

	if (f->kind == QFACT_MEMBER) {
		m = portable_member(&s->view, f->type, f->path, &place, &owner);
		return m && move_member(m, by);
	}
	if (f->kind == QFACT_FIELD)
		add_moved(s, &s->fields, f, by);
	else if (f->kind == QFACT_KSYM)
		add_moved(s, &s->symbols, f, by);
	else if (f->kind == QFACT_CPUS)
		s->cpus += by;
	else
		return false;
	return true;
}

/* Members that facts name, and structs that must be the same. */
struct kept {
	ARRAY(const struct btf_member *) members;
	ARRAY(uint32_t) structs;
};

static void keep_facts(struct shifted_world *s, const struct question *q, struct kept *k)
{
	for (size_t i = 0; i < q->facts.n; i++) {
		const struct question_fact *f = &q->facts.p[i];
		const struct btf_member *m;
		struct btf_place place;
		uint32_t owner, id;

		if (f->kind == QFACT_MEMBER) {
			m = portable_member(&s->view, f->type, f->path, &place, &owner);
			array_push(&s->arena, &k->members, m);
		} else if (f->kind == QFACT_LAYOUT || f->kind == QFACT_SIZE) {
			id = btf_find(&s->view, BTF_ONE(STRUCT) | BTF_ONE(UNION), f->type);
			array_push(&s->arena, &k->structs, id);
		}
	}
}

static bool is_kept(const struct kept *k, uint32_t id, const struct btf_member *m)
{
	for (size_t i = 0; i < k->structs.n; i++)
		if (k->structs.p[i] == id)
			return true;
	for (size_t i = 0; m && i < k->members.n; i++)
		if (k->members.p[i] == m)
			return true;
	return false;
}

static void shift_struct(struct kept *k, uint32_t id, struct btf_type *t)
{
	if (!is_kept(k, id, NULL))
		t->size += REST_SIZE;
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		const struct btf_member *m = &btf_type_members(t)[i];

		/* anonymous ones belong to the members inside, which facts may name */
		if (m->name_off && !is_kept(k, id, m))
			move_member(m, REST_BYTES);
	}
}

void shifted_world_shift_rest(struct world *w, const struct question *q)
{
	struct shifted_world *s = SHIFTED(w);
	unsigned int n = btf_view_n(&s->view);
	struct kept k = {0};

	keep_facts(s, q, &k);
	for (uint32_t id = 1; id < n; id++) {
		struct btf_type *t = (struct btf_type *)btf_view_type(&s->view, id);
		unsigned int kind = t ? btf_type_kind(t) : BTF_KIND_UNKN;

		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
			shift_struct(&k, id, t);
	}
}
