/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/btf.h"

#include "base/map.h"
#include "isa/btf-index.h"

#include <errno.h>

/* Bytes of a type by kind: its own, and what each of the `vlen` that follow it has. */
static const struct {
	uint8_t own, each;
} sizes[BTF_INFO_KIND(UINT32_MAX) + 1] = {
	[BTF_KIND_INT] = {16, 0},
	[BTF_KIND_PTR] = {12, 0},
	[BTF_KIND_ARRAY] = {12 + sizeof(struct btf_array), 0},
	[BTF_KIND_STRUCT] = {12, sizeof(struct btf_member)},
	[BTF_KIND_UNION] = {12, sizeof(struct btf_member)},
	[BTF_KIND_ENUM] = {12, sizeof(struct btf_enum)},
	[BTF_KIND_FWD] = {12, 0},
	[BTF_KIND_TYPEDEF] = {12, 0},
	[BTF_KIND_VOLATILE] = {12, 0},
	[BTF_KIND_CONST] = {12, 0},
	[BTF_KIND_RESTRICT] = {12, 0},
	[BTF_KIND_FUNC] = {12, 0},
	[BTF_KIND_FUNC_PROTO] = {12, sizeof(struct btf_param)},
	[BTF_KIND_VAR] = {16, 0},
	[BTF_KIND_DATASEC] = {12, sizeof(struct btf_var_secinfo)},
	[BTF_KIND_FLOAT] = {12, 0},
	[BTF_KIND_DECL_TAG] = {16, 0},
	[BTF_KIND_TYPE_TAG] = {12, 0},
	[BTF_KIND_ENUM64] = {12, sizeof(struct btf_enum64)},
};
_Static_assert(sizeof(struct btf_type) == 12, "as the table has it");

enum { STEP = 512 };

/* 0: unknown kind. */
static size_t type_bytes(const struct btf_type *t)
{
	unsigned int kind = BTF_INFO_KIND(t->info);

	return sizes[kind].own + (size_t)sizes[kind].each * BTF_INFO_VLEN(t->info);
}

int btf_view_init(struct btf_view *v, const void *blob, size_t n)
{
	return btf_view_init_split(v, NULL, blob, n);
}

int btf_view_init_split(struct btf_view *v, const struct btf_view *base, const void *blob, size_t n)
{
	const struct btf_header *h = blob;

	if (n < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h) || h->hdr_len % 4 ||
	    h->type_off % 4 || (size_t)h->hdr_len + h->type_off + h->type_len > n || !h->str_len ||
	    (size_t)h->hdr_len + h->str_off + h->str_len > n)
		return -EBADMSG;
	*v = (struct btf_view){
		.types = (const char *)blob + h->hdr_len + h->type_off,
		.types_n = h->type_len,
		.strings = (const char *)blob + h->hdr_len + h->str_off,
		.strings_n = h->str_len,
		.base = base,
		.first = base ? btf_view_n(base) : 0,
	};
	if (v->strings[v->strings_n - 1]) {
		*v = (struct btf_view){0};
		return -EBADMSG;
	}
	v->index = btf_index_new(v);
	return 0;
}

void btf_view_done(struct btf_view *v)
{
	btf_index_free(v->index);
	*v = (struct btf_view){0};
}

uint32_t btf_index_walk(const struct btf_view *v, uint32_t i)
{
	struct btf_index *x = v->index;
	const char *types = v->types;
	size_t at = x->at, left = v->types_n - at;
	uint32_t *offsets = x->offsets, n = x->n;
	uint32_t stop = i < UINT32_MAX - STEP ? i + STEP : UINT32_MAX;

	while (n < stop && left >= sizeof(struct btf_type)) {
		size_t bytes = type_bytes((const void *)(types + at));

		if (!bytes || bytes > left)
			break;
		offsets[n++] = (uint32_t)at;
		at += bytes;
		left -= bytes;
	}
	x->n = n;
	x->at = at;
	return n;
}

unsigned int btf_view_n(const struct btf_view *v)
{
	return v->first + btf_index_walk(v, UINT32_MAX);
}

const struct btf_type *btf_view_type(const struct btf_view *v, unsigned int id)
{
	uint32_t i = id - v->first;

	if (id < v->first)
		return btf_view_type(v->base, id);
	if (!id || (i >= v->index->n && i >= btf_index_walk(v, i)))
		return NULL;
	return (const void *)(v->types + v->index->offsets[i]);
}

const char *btf_view_string(const struct btf_view *v, uint32_t off)
{
	if (v->base) {
		if (off < v->base->strings_n)
			return btf_view_string(v->base, off);
		off -= v->base->strings_n;
	}
	return off < v->strings_n ? v->strings + off : "";
}

const char *btf_view_name(const struct btf_view *v, const struct btf_type *t)
{
	return btf_view_string(v, t->name_off);
}

/* A blob in the making. */
struct reduce {
	const struct btf_view *v;
	struct map wanted; /* hash of a name → the name */
	struct map new_id; /* old id → new id */
	struct buf types, strings;
	unsigned int n;	      /* ids below this are taken */
	unsigned int pointer; /* the one pointer to void; 0: not made yet */
};

static bool is_wanted(const struct reduce *r, const char *name)
{
	const char *at = *name ? map_get(&r->wanted, str_hash(str_of(name))) : NULL;

	return at && !strcmp(at, name);
}

static uint32_t put_name(struct reduce *r, uint32_t off)
{
	const char *name = off < r->v->strings_n ? r->v->strings + off : "";
	uint32_t at = r->strings.n;

	if (!*name)
		return 0;
	buf_add(&r->strings, name, strlen(name) + 1);
	return at;
}

/* Reserve the next id and its bytes; returns where they are. */
static size_t put_type(struct reduce *r, const struct btf_type *t, unsigned int vlen, size_t bytes)
{
	struct btf_type copy = *t;
	size_t at = r->types.n;

	copy.name_off = put_name(r, t->name_off);
	copy.info = (t->info & ~0xffffu) | vlen;
	buf_reserve(&r->types, bytes);
	memset(r->types.p + at, 0, bytes);
	memcpy(r->types.p + at, &copy, sizeof(copy));
	r->types.n += bytes;
	r->n++;
	return at;
}

static unsigned int reduce_type(struct reduce *r, unsigned int id, int depth);

static void put_members(struct reduce *r, const struct btf_type *t, size_t at, int depth)
{
	const struct btf_member *members = (const void *)(t + 1);

	for (unsigned int i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		struct btf_member m = members[i];

		m.name_off = put_name(r, m.name_off);
		m.type = reduce_type(r, members[i].type, depth + 1);
		/* reduce_type() may have moved the buffer */
		memcpy(r->types.p + at + sizeof(*t) + i * sizeof(m), &m, sizeof(m));
	}
}

static void put_values(struct reduce *r, const struct btf_type *t, size_t at)
{
	bool is_64 = btf_type_kind(t) == BTF_KIND_ENUM64;
	size_t size = is_64 ? sizeof(struct btf_enum64) : sizeof(struct btf_enum);
	uint32_t name;

	memcpy(r->types.p + at + sizeof(*t), t + 1, BTF_INFO_VLEN(t->info) * size);
	for (unsigned int i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		char *value = r->types.p + at + sizeof(*t) + i * size;

		memcpy(&name, value, sizeof(name)); /* name_off is the first member of both */
		name = put_name(r, name);
		memcpy(r->types.p + at + sizeof(*t) + i * size, &name, sizeof(name));
	}
}

static unsigned int reduce_composite(struct reduce *r, unsigned int id, const struct btf_type *t,
				     int depth)
{
	const char *name = btf_view_name(r->v, t);
	unsigned int new_id = r->n;
	bool is_whole = !*name || is_wanted(r, name);
	size_t at;

	map_put(&r->new_id, id, (void *)(uintptr_t)new_id);
	if (btf_type_kind(t) == BTF_KIND_ENUM || btf_type_kind(t) == BTF_KIND_ENUM64) {
		is_whole = is_wanted(r, name);
		at = put_type(r, t, is_whole ? BTF_INFO_VLEN(t->info) : 0,
			      is_whole ? type_bytes(t) : sizeof(*t));
		if (is_whole)
			put_values(r, t, at);
		return new_id;
	}
	at = put_type(r, t, is_whole ? BTF_INFO_VLEN(t->info) : 0,
		      is_whole ? type_bytes(t) : sizeof(*t));
	if (is_whole)
		put_members(r, t, at, depth);
	return new_id;
}

static unsigned int reduce_array(struct reduce *r, unsigned int id, const struct btf_type *t,
				 int depth)
{
	struct btf_array a = *(const struct btf_array *)(t + 1);
	unsigned int new_id = r->n;
	size_t at;

	map_put(&r->new_id, id, (void *)(uintptr_t)new_id);
	at = put_type(r, t, 0, type_bytes(t));
	a.type = reduce_type(r, a.type, depth + 1);
	a.index_type = reduce_type(r, a.index_type, depth + 1);
	memcpy(r->types.p + at + sizeof(*t), &a, sizeof(a));
	return new_id;
}

static unsigned int reduce_pointer(struct reduce *r)
{
	struct btf_type t = {.info = BTF_KIND_PTR << 24};

	if (!r->pointer) {
		r->pointer = r->n;
		put_type(r, &t, 0, sizeof(t));
	}
	return r->pointer;
}

/* The id of a type in the new blob, made now if need be; 0, void, for what is left out. */
static unsigned int reduce_type(struct reduce *r, unsigned int id, int depth)
{
	const struct btf_type *t;
	unsigned int new_id;
	size_t at;

	for (int hops = 0; hops < 32; hops++) {
		new_id = (uintptr_t)map_get(&r->new_id, id);
		t = btf_view_type(r->v, id);
		if (new_id || !t || depth > 32)
			return new_id;
		switch (btf_type_kind(t)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return reduce_composite(r, id, t, depth);
		case BTF_KIND_ARRAY:
			return reduce_array(r, id, t, depth);
		case BTF_KIND_PTR:
			return reduce_pointer(r);
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
			new_id = r->n;
			map_put(&r->new_id, id, (void *)(uintptr_t)new_id);
			at = put_type(r, t, 0, type_bytes(t));
			memcpy(r->types.p + at + sizeof(*t), t + 1, type_bytes(t) - sizeof(*t));
			return new_id;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = t->type; /* only another name: go on behind it */
			break;
		default:
			return 0;
		}
	}
	return 0;
}

static void reduce_root(struct reduce *r, unsigned int id, const struct btf_type *t)
{
	struct btf_type copy = *t;
	size_t at;

	if (btf_type_kind(t) != BTF_KIND_TYPEDEF) {
		reduce_type(r, id, 0);
		return;
	}
	copy.type = reduce_type(r, t->type, 0);
	at = put_type(r, t, 0, sizeof(copy));
	memcpy(r->types.p + at + offsetof(struct btf_type, type), &copy.type, sizeof(copy.type));
}

void btf_reduce(const struct btf_view *v, const char *const *names, struct buf *ret)
{
	struct btf_header h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h)};
	struct reduce r = {.v = v, .n = 1};

	buf_putc(&r.strings, 0);
	for (; *names; names++)
		map_put(&r.wanted, str_hash(str_of(*names)), (void *)*names);
	for (unsigned int id = 1, n = btf_view_n(v); id < n; id++) {
		const struct btf_type *t = btf_view_type(v, id);

		switch (btf_type_kind(t)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_TYPEDEF:
			if (is_wanted(&r, btf_view_name(v, t)))
				reduce_root(&r, id, t);
			break;
		default:
			break;
		}
	}
	h.type_len = r.types.n;
	h.str_off = r.types.n;
	h.str_len = r.strings.n;
	buf_add(ret, &h, sizeof(h));
	buf_add(ret, r.types.p, r.types.n);
	buf_add(ret, r.strings.p, r.strings.n);
	buf_done(&r.types);
	buf_done(&r.strings);
	map_done(&r.wanted);
	map_done(&r.new_id);
}
