/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a field, in the object's types and in the kernel's.
 *
 * The compiler writes it down as numbers: "0:1:2" is the pointer's element 0, in it member 1, in
 * that element or member 2.  What counts are names and elements: the numbers of members may
 * differ in the kernel, and whether a member is in an anonymous struct or not:
 *
 *	here	struct s { struct { int a; int b[4]; }; }	s->b[3] is 0:0:1:3: .b [3]
 *	there	struct s { long x; int b[8]; }			.b [3] is 0:1:3
 */
#include "runtime/vm/object-core.h"

#include <errno.h>
#include <stdlib.h>

enum { LEVELS = 32, MEMBERS_MAX = 1 << 14 };

bool core_is_flexible(const struct btf_view *v, const struct core_step *from,
		      const struct btf_type *array)
{
	const struct btf_type *t = btf_view_type(v, from->type);

	return from->name && !btf_type_array(array)->nelems && t &&
	       from->index + 1 == btf_type_vlen(t);
}

/* "0:1:2" one number after the other; −1: at its end, −2: it is none. */
static int64_t next_index(const char **at)
{
	unsigned long n;
	char *end;

	if (!**at)
		return -1;
	if (**at < '0' || **at > '9')
		return -2;
	n = strtoul(*at, &end, 10);
	if (n > INT32_MAX || (*end && (*end != ':' || !end[1])))
		return -2;
	*at = end + (*end == ':');
	return (int64_t)n;
}

/* Go on by `count` things of a size; false: beyond all that is. */
static bool advance(struct core_path *p, uint64_t count, uint64_t bits)
{
	uint64_t more;

	return !__builtin_mul_overflow(count, bits, &more) &&
	       !__builtin_add_overflow(p->bits, more, &p->bits) && p->bits <= UINT32_MAX;
}

static bool is_in_array(const struct core_path *p, const struct btf_type *t, uint32_t index)
{
	return index < btf_type_array(t)->nelems ||
	       core_is_flexible(p->view, &p->steps[p->n - 1], t);
}

/* An element of the array `t`. */
static bool step_element(struct core_path *p, const struct btf_type *t, uint32_t index,
			 uint32_t *id)
{
	if (p->n == CORE_PATH_MAX || !btf_resolve(p->view, btf_type_array(t)->type, id))
		return false;
	p->steps[p->n++] = (struct core_step){.type = *id, .index = index};
	return advance(p, index, btf_size(p->view, *id) * 8);
}

static bool read_step(struct core_path *p, uint32_t index, uint32_t *id)
{
	const struct btf_type *t = btf_resolve(p->view, *id, id);
	struct btf_place place;
	const char *name;

	if (!t)
		return false;
	if (btf_type_kind(t) == BTF_KIND_ARRAY)
		return is_in_array(p, t, index) && step_element(p, t, index, id);
	if (!core_is_composite(t) || index >= btf_type_vlen(t) || p->n == CORE_PATH_MAX)
		return false;
	place = btf_member_place(t, index);
	name = btf_view_string(p->view, btf_type_members(t)[index].name_off);
	if (*name)
		p->steps[p->n++] = (struct core_step){.type = *id, .index = index, .name = name};
	*id = place.type;
	return advance(p, 1, place.bit_offset);
}

static bool read_enumerator(struct core_path *p, const struct btf_type *t, int64_t index,
			    const char *rest)
{
	const char *name;

	if (!core_is_enum(t) || *rest || index >= btf_type_vlen(t))
		return false;
	btf_enumerator(p->view, t, (unsigned int)index, &name);
	p->steps[0].name = name;
	return true;
}

bool core_path_read(const struct btf_view *v, const struct bpf_core_relo *r, struct core_path *ret)
{
	const char *at = btf_view_string(v, r->access_str_off);
	const struct btf_type *t;
	uint32_t id = 0;
	int64_t index;

	*ret = (struct core_path){.view = v, .root = r->type_id};
	if (!core_is_field(r->kind) && !core_is_enumerator(r->kind))
		return r->kind <= BPF_CORE_TYPE_MATCHES && !strcmp(at, "0");
	t = btf_resolve(v, r->type_id, &id);
	index = next_index(&at);
	if (!t || index < 0)
		return false;
	ret->steps[ret->n++] = (struct core_step){.type = id, .index = (uint32_t)index};
	if (core_is_enumerator(r->kind))
		return read_enumerator(ret, t, index, at);
	if (!advance(ret, (uint64_t)index, btf_size(v, id) * 8))
		return false;
	for (ret->raw = 1; (index = next_index(&at)) >= 0; ret->raw++)
		if (ret->raw == CORE_PATH_MAX || !read_step(ret, (uint32_t)index, &id))
			return false;
	return index == -1;
}

/* --- in the kernel's types */

/* What is looked for, and how much more may be looked at. */
struct search {
	const struct btf_view *here;
	uint32_t type; /* of the field, here */
	const char *name;
	unsigned int left;
};

/*
 * The member by its name, through anonymous ones too; `id` becomes its type.  1, 0, −E2BIG.  The
 * first of this name decides, even if it is not compatible.
 */
static int find_member(struct search *s, struct core_path *p, uint32_t *id, int level)
{
	uint32_t from = *id;
	const struct btf_type *t = btf_resolve(p->view, from, &from);
	uint64_t begin = p->bits;

	if (!t || !core_is_composite(t))
		return 0;
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		struct btf_place place = btf_member_place(t, i);
		const char *name = btf_view_string(p->view, btf_type_members(t)[i].name_off);
		int r;

		if (!s->left-- || level == LEVELS || p->n == CORE_PATH_MAX)
			return -E2BIG;
		p->bits = begin + place.bit_offset;
		if (!*name) {
			uint32_t inner = place.type;

			r = find_member(s, p, &inner, level + 1);
			if (r) {
				*id = inner;
				return r;
			}
		} else if (!strcmp(name, s->name)) {
			*id = place.type;
			p->steps[p->n++] =
				(struct core_step){.type = from, .index = i, .name = name};
			return core_fields_compatible(s->here, s->type, p->view, place.type);
		}
	}
	p->bits = begin;
	return 0;
}

static int find_enumerator(const struct core_path *local, struct core_path *p)
{
	uint32_t id = 0;
	const struct btf_type *t = btf_resolve(p->view, p->root, &id);
	const char *name;

	for (unsigned int i = 0; t && core_is_enum(t) && i < btf_type_vlen(t); i++) {
		btf_enumerator(p->view, t, i, &name);
		if (!core_names_equal(local->steps[0].name, name))
			continue;
		p->steps[p->n++] = (struct core_step){.type = id, .index = i, .name = name};
		return 1;
	}
	return 0;
}

static int find_step(const struct core_path *local, unsigned int i, struct search *s,
		     struct core_path *p, uint32_t *id)
{
	const struct core_step *step = &local->steps[i];
	const struct btf_type *t = btf_resolve(p->view, *id, id);

	if (!t)
		return -EINVAL;
	if (step->name) {
		const struct btf_type *from = btf_view_type(local->view, step->type);

		s->name = step->name;
		s->type = btf_type_members(from)[step->index].type;
		return find_member(s, p, id, 0);
	}
	if (i == 0) {
		p->steps[p->n++] = (struct core_step){.type = *id, .index = step->index};
		return advance(p, step->index, btf_size(p->view, *id) * 8) ? 1 : -E2BIG;
	}
	if (btf_type_kind(t) != BTF_KIND_ARRAY || !is_in_array(p, t, step->index))
		return 0;
	return step_element(p, t, step->index, id) ? 1 : -E2BIG;
}

int core_path_find(const struct core_path *local, uint32_t kind, const struct btf_view *kernel,
		   uint32_t root, struct core_path *ret)
{
	struct search s = {.here = local->view, .left = MEMBERS_MAX};
	uint32_t id = root;
	int r = 1;

	*ret = (struct core_path){.view = kernel, .root = root};
	if (kind == BPF_CORE_TYPE_MATCHES)
		return core_types_match(local->view, local->root, kernel, root);
	if (core_is_enumerator(kind))
		return find_enumerator(local, ret);
	if (!core_is_field(kind))
		return core_types_compatible(local->view, local->root, kernel, root);
	for (unsigned int i = 0; i < local->n && r > 0; i++)
		r = find_step(local, i, &s, ret, &id);
	return r;
}
