/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BTF by name: which id is "task_struct", where is its member "pid".
 *
 * A kernel has some 130,000 types, and a script names a handful of them.  So the first few
 * names are searched for: where the text is among the strings, then which type has a name
 * at that place.  Both searches end where they find, which for structs is near the
 * beginning.  Only when searches have gone through so much that an index would have been
 * cheaper, it is built: chains of ids, hashed by name, functions (half of all types) apart
 * from the rest.  Names are hashed by their length and their first and last eight bytes,
 * not byte by byte; all candidates are compared anyway.  4 bytes a type and 4 a bucket.
 */
#include "base/macro.h"
#include "isa/btf-index.h"
#include "isa/btf.h"

#include <stdlib.h>

enum { HOPS = 32, DEPTH = 16, MEMBERS_MAX = 1 << 13 };
/* Searches may go through the blob so many times before there is an index. */
enum { PATIENCE = 4 };
/* Among the answers: a function that programs may call. */
enum { KFUNC = BTF_ONE(DECL_TAG) };

struct btf_index *btf_index_new(const struct btf_view *v)
{
	struct btf_index *x = xalloc(sizeof(*x));

	/* no type is smaller; memory is only used as far as the walk comes */
	x->offsets = xalloc((v->types_n / sizeof(struct btf_type) + 2) * sizeof(*x->offsets));
	x->n = v->base ? 0 : 1;
	return x;
}

void btf_index_free(struct btf_index *x)
{
	if (!x)
		return;
	for (int i = 0; i < CHAINS; i++) {
		free(x->chains[i].heads);
		free(x->chains[i].next);
	}
	for (int i = 0; i < BTF_ANSWERS; i++)
		free(x->answers[i].name);
	free(x->offsets);
	free(x);
}

static const struct btf_type *own_type(const struct btf_view *v, uint32_t i)
{
	return (const void *)(v->types + v->index->offsets[i]);
}

static uint32_t name_hash(const char *s)
{
	size_t n = strlen(s);
	uint64_t a = 0, b = 0;

	if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + n - 8, 8);
	} else {
		memcpy(&a, s, n);
	}
	a = (a ^ (b << 23 | b >> 41) ^ n) * 0x9e3779b97f4a7c15ull;
	return (a ^ a >> 29) * 0xbf58476d1ce4e5b9ull >> 32;
}

/* Kinds that each chain holds. */
static const uint32_t chain_kinds[CHAINS] = {
	[CHAIN_FUNCS] = BTF_ONE(FUNC),
	[CHAIN_TYPES] = BTF_TYPES | BTF_ONE(VAR) | BTF_ONE(DATASEC),
};

static void chain_build(const struct btf_view *v, struct btf_chain *c, uint32_t kinds)
{
	uint32_t n = btf_view_n(v) - v->first, wanted = 0, room = 64;
	uint32_t lowest = v->base ? 0 : 1;

	for (uint32_t i = lowest; i < n; i++)
		wanted += kinds >> btf_type_kind(own_type(v, i)) & 1;
	while (room < wanted)
		room *= 2;
	c->heads = xalloc(room * sizeof(*c->heads));
	c->next = xalloc((n + 1) * sizeof(*c->next));
	c->mask = room - 1;
	/* from the end, so that a chain lists the lowest id first */
	for (uint32_t i = n; i-- > lowest;) {
		const struct btf_type *t = own_type(v, i);
		uint32_t *head;

		if (!(kinds >> btf_type_kind(t) & 1) || !t->name_off)
			continue;
		head = &c->heads[name_hash(btf_view_name(v, t)) & c->mask];
		c->next[i] = *head;
		*head = i + 1;
	}
}

/* The lowest id of the view's own that is above `id`. */
static uint32_t chain_find(const struct btf_view *v, int which, uint32_t kinds, const char *name,
			   uint32_t id)
{
	struct btf_chain *c = &v->index->chains[which];

	if (!c->heads)
		chain_build(v, c, chain_kinds[which]);
	for (uint32_t i = c->heads[name_hash(name) & c->mask]; i; i = c->next[i - 1]) {
		const struct btf_type *t = own_type(v, i - 1);

		if (i - 1 + v->first > id && kinds >> btf_type_kind(t) & 1 &&
		    !strcmp(btf_view_name(v, t), name))
			return i - 1 + v->first;
	}
	return 0;
}

/* The lowest id above `id` of a type whose name is at `off`; views without a base. */
static uint32_t type_named(const struct btf_view *v, uint32_t kinds, uint32_t off, uint32_t id)
{
	struct btf_index *x = v->index;
	const uint32_t *offsets = x->offsets; /* where they are they stay */
	const char *types = v->types;
	uint32_t i = id;

	while (++i < x->n || i < btf_index_walk(v, i)) {
		const struct btf_type *t = (const void *)(types + offsets[i]);

		if (t->name_off == off && kinds >> btf_type_kind(t) & 1)
			break;
	}
	x->searched += (i < x->n ? x->offsets[i] : x->at) - (id && id < x->n ? x->offsets[id] : 0);
	return i < x->n ? i : 0;
}

/*
 * The offset of a name in the view's own strings, behind `from`; 0: there is none.  The
 * kernel's strings are there once each, what other tools wrote may repeat them.
 */
static uint32_t string_find(const struct btf_view *v, const char *name, uint32_t from)
{
	size_t n = strlen(name) + 1;
	const char *begin = v->strings + from, *at = begin, *end = v->strings + v->strings_n;

	while ((at = memmem(at, (size_t)(end - at), name, n)) && (at == begin || at[-1]))
		at++;
	v->index->searched += (size_t)((at ? at : end) - begin);
	return at ? (uint32_t)(at - v->strings) : 0;
}

static uint32_t search(const struct btf_view *v, uint32_t kinds, const char *name, uint32_t id)
{
	uint32_t off = 0, found = 0;

	while (!found && (off = string_find(v, name, off)))
		found = type_named(v, kinds, off, id);
	return found;
}

static uint32_t search_once(const struct btf_view *v, uint32_t kinds, const char *name)
{
	struct btf_index *x = v->index;
	struct btf_answer *a;

	for (uint32_t i = 0; i < MIN(x->n_answers, (uint32_t)BTF_ANSWERS); i++)
		if (x->answers[i].kinds == kinds && !strcmp(x->answers[i].name, name))
			return x->answers[i].id;
	a = &x->answers[x->n_answers++ % BTF_ANSWERS];
	free(a->name);
	*a = (struct btf_answer){xstrdup(name), kinds,
				 kinds == KFUNC ? btf_index_kfunc(v, name)
						: search(v, kinds, name, 0)};
	return a->id;
}

uint32_t btf_kfunc(const struct btf_view *v, const char *name)
{
	return search_once(v, KFUNC, name);
}

static bool is_indexed(const struct btf_view *v)
{
	return v->base || v->index->searched / PATIENCE > v->types_n + v->strings_n;
}

static uint32_t find_above(const struct btf_view *v, uint32_t kinds, const char *name, uint32_t id)
{
	uint32_t best = 0;

	if (!is_indexed(v)) {
		kinds &= chain_kinds[0] | chain_kinds[1];
		return id ? search(v, kinds, name, id) : search_once(v, kinds, name);
	}
	for (int i = 0; i < CHAINS; i++) {
		uint32_t at = kinds & chain_kinds[i] ? chain_find(v, i, kinds, name, id) : 0;

		if (at && (!best || at < best))
			best = at;
	}
	return best;
}

uint32_t btf_find(const struct btf_view *v, uint32_t kinds, const char *name)
{
	uint32_t id = *name ? find_above(v, kinds, name, 0) : 0;

	return id || !v->base ? id : btf_find(v->base, kinds, name);
}

uint32_t btf_find_next(const struct btf_view *v, uint32_t kinds, const char *name, uint32_t id)
{
	uint32_t next;

	if (!*name)
		return 0;
	if (id < v->first)
		return btf_find_next(v->base, kinds, name, id);
	next = find_above(v, kinds, name, id);
	return next || !v->base ? next : btf_find(v->base, kinds, name);
}

const struct btf_type *btf_resolve(const struct btf_view *v, uint32_t id, uint32_t *ret_id)
{
	const struct btf_type *t = btf_view_type(v, id);

	for (int hops = 0; t && hops < HOPS; hops++) {
		switch (btf_type_kind(t)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = t->type;
			t = btf_view_type(v, id);
			break;
		default:
			if (ret_id)
				*ret_id = id;
			return t;
		}
	}
	return NULL;
}

uint64_t btf_size(const struct btf_view *v, uint32_t id)
{
	uint64_t n = 1;

	for (int depth = 0; depth < DEPTH; depth++) {
		const struct btf_type *t = btf_resolve(v, id, NULL);

		if (!t)
			return 0;
		switch (btf_type_kind(t)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_DATASEC:
			return __builtin_mul_overflow(n, (uint64_t)t->size, &n) ? 0 : n;
		case BTF_KIND_PTR:
			return __builtin_mul_overflow(n, (uint64_t)8, &n) ? 0 : n;
		case BTF_KIND_ARRAY:
			if (__builtin_mul_overflow(n, (uint64_t)btf_type_array(t)->nelems, &n))
				return 0;
			id = btf_type_array(t)->type;
			break;
		case BTF_KIND_VAR:
			id = t->type;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

uint32_t btf_proto(const struct btf_view *v, uint32_t id)
{
	for (int hops = 0; hops < 4; hops++) {
		const struct btf_type *t = btf_resolve(v, id, &id);

		if (!t)
			return 0;
		if (btf_type_kind(t) == BTF_KIND_FUNC_PROTO)
			return id;
		if (btf_type_kind(t) != BTF_KIND_PTR && btf_type_kind(t) != BTF_KIND_FUNC)
			return 0;
		id = t->type;
	}
	return 0;
}

static bool is_composite(const struct btf_type *t)
{
	return btf_type_kind(t) == BTF_KIND_STRUCT || btf_type_kind(t) == BTF_KIND_UNION;
}

struct btf_place btf_member_place(const struct btf_type *t, unsigned int i)
{
	const struct btf_member *m = &btf_type_members(t)[i];

	if (!BTF_INFO_KFLAG(t->info))
		return (struct btf_place){.type = m->type, .bit_offset = m->offset};
	return (struct btf_place){.type = m->type,
				  .bit_offset = BTF_MEMBER_BIT_OFFSET(m->offset),
				  .bits = BTF_MEMBER_BITFIELD_SIZE(m->offset)};
}

/* `left` bounds all of it: structs that share anonymous ones may double at each depth. */
static bool member_find(const struct btf_view *v, uint32_t id, const char *name, int depth,
			unsigned int *left, struct btf_place *ret)
{
	const struct btf_type *t = btf_resolve(v, id, NULL);

	if (!t || !is_composite(t) || depth > DEPTH)
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		struct btf_place p = btf_member_place(t, i), inner;
		const char *has = btf_view_string(v, btf_type_members(t)[i].name_off);

		if (!*left)
			return false;
		--*left;
		if (*has == *name && !strcmp(has, name)) {
			*ret = p;
			return true;
		}
		if (!*has && member_find(v, p.type, name, depth + 1, left, &inner)) {
			inner.bit_offset += p.bit_offset;
			*ret = inner;
			return true;
		}
	}
	return false;
}

bool btf_member_find(const struct btf_view *v, uint32_t id, const char *name, struct btf_place *ret)
{
	unsigned int left = MEMBERS_MAX;

	return *name && member_find(v, id, name, 0, &left, ret);
}

int64_t btf_enumerator(const struct btf_view *v, const struct btf_type *t, unsigned int i,
		       const char **ret_name)
{
	const struct btf_enum *narrow = (const struct btf_enum *)(t + 1) + i;

	if (btf_type_kind(t) == BTF_KIND_ENUM64) {
		const struct btf_enum64 *e = (const struct btf_enum64 *)(t + 1) + i;

		*ret_name = btf_view_string(v, e->name_off);
		return (int64_t)((uint64_t)e->val_hi32 << 32 | e->val_lo32);
	}
	*ret_name = btf_view_string(v, narrow->name_off);
	return BTF_INFO_KFLAG(t->info) ? narrow->val : (int64_t)(uint32_t)narrow->val;
}

static bool enumerator_at(const struct btf_view *v, const struct btf_type *t, uint32_t off,
			  int64_t *ret)
{
	size_t step = btf_type_kind(t) == BTF_KIND_ENUM ? sizeof(struct btf_enum)
							: sizeof(struct btf_enum64);
	const char *at = (const char *)(t + 1), *name;

	for (unsigned int i = 0; i < btf_type_vlen(t); i++, at += step)
		if (*(const uint32_t *)at == off) { /* name_off is the first member of both */
			*ret = btf_enumerator(v, t, i, &name);
			return true;
		}
	return false;
}

bool btf_enumerator_find(const struct btf_view *v, const char *name, int64_t *ret, uint32_t *ret_id)
{
	uint32_t own = *name ? string_find(v, name, 0) : 0, off = own;
	const struct btf_type *t;
	int64_t value;

	if (own && v->base)
		off += v->base->strings_n;
	if (!own && v->base)
		off = *name ? string_find(v->base, name, 0) : 0;
	for (uint32_t id = v->first ? v->first : 1; off && (t = btf_view_type(v, id)); id++) {
		if (btf_type_kind(t) != BTF_KIND_ENUM && btf_type_kind(t) != BTF_KIND_ENUM64)
			continue;
		if (!enumerator_at(v, t, off, &value))
			continue;
		*ret = value;
		if (ret_id)
			*ret_id = id;
		return true;
	}
	return v->base ? btf_enumerator_find(v->base, name, ret, ret_id) : false;
}
