/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which types of two programs are the same one?
 *
 * The object's declaration of a struct need not be the kernel's: members may be missing, stand in
 * another order, be wider.  So there are three relations, from weak to strong:
 *
 *	fields compatible	a load of one may be made a load of the other
 *	types compatible	same sort of thing; names were compared before
 *	types match		whatever the one has, the other has too, by name and type
 *
 * Rules as libbpf has them: typedefs and qualifiers do not count, nor does a name's
 * "___flavour".  Types may be cyclic and may double at each level, so all is bounded.
 */
#include "runtime/vm/object-core.h"

enum { HOPS = 32, LEVELS = 32, STEPS_MAX = 1 << 16, LONGEST = 512 };

/* Two types side by side. */
struct pair {
	const struct btf_view *av, *bv;
	uint32_t a, b;
};

size_t core_name_length(const char *name)
{
	size_t n = strnlen(name, LONGEST);

	/* the last "___" with a letter before and behind it */
	for (size_t i = n; i-- > 4;)
		if (name[i] != '_' && !memcmp(name + i - 3, "___", 3) && name[i - 4] != '_')
			return i - 3;
	return n;
}

bool core_names_equal(const char *a, const char *b)
{
	size_t n = core_name_length(a);

	return n == core_name_length(b) && !memcmp(a, b, n);
}

/* Both behind typedefs and qualifiers; false: one is void. */
static bool resolve(struct pair *p, const struct btf_type **a, const struct btf_type **b)
{
	*a = btf_resolve(p->av, p->a, &p->a);
	*b = btf_resolve(p->bv, p->b, &p->b);
	return *a && *b;
}

/* An integer that is part of another one: compilers make these no more. */
static bool is_part(const struct btf_type *t)
{
	return BTF_INT_OFFSET(*(const uint32_t *)(t + 1)) != 0;
}

bool core_fields_compatible(const struct btf_view *av, uint32_t a_id, const struct btf_view *bv,
			    uint32_t b_id)
{
	struct pair p = {av, bv, a_id, b_id};
	const struct btf_type *a, *b;

	for (int hops = 0; hops < HOPS; hops++) {
		if (!resolve(&p, &a, &b))
			return false;
		if (core_is_composite(a) && core_is_composite(b))
			return true;
		if (!core_kinds_equal(a, b))
			return false;
		switch (btf_type_kind(a)) {
		case BTF_KIND_PTR:
		case BTF_KIND_FLOAT:
			return true;
		case BTF_KIND_FWD:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return !*btf_view_name(av, a) || !*btf_view_name(bv, b) ||
			       core_names_equal(btf_view_name(av, a), btf_view_name(bv, b));
		case BTF_KIND_INT:
			return !is_part(a) && !is_part(b);
		case BTF_KIND_ARRAY:
			p.a = btf_type_array(a)->type;
			p.b = btf_type_array(b)->type;
			break;
		default:
			return false;
		}
	}
	return false;
}

/* --- compatible */

static bool compatible(struct pair p, int level, unsigned int *left);

static bool protos_compatible(const struct pair *p, const struct btf_type *a,
			      const struct btf_type *b, int level, unsigned int *left)
{
	if (btf_type_vlen(a) != btf_type_vlen(b))
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(a); i++) {
		struct pair param = {p->av, p->bv, btf_type_params(a)[i].type,
				     btf_type_params(b)[i].type};

		if (!compatible(param, level + 1, left))
			return false;
	}
	return compatible((struct pair){p->av, p->bv, a->type, b->type}, level + 1, left);
}

static bool compatible(struct pair p, int level, unsigned int *left)
{
	const struct btf_type *a, *b;

	for (int hops = 0; hops < HOPS && level < LEVELS && *left; hops++, --*left) {
		if (!resolve(&p, &a, &b))
			return !a && !b;
		if (!core_kinds_equal(a, b))
			return false;
		switch (btf_type_kind(a)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FWD:
			return true;
		case BTF_KIND_INT:
			return !is_part(a) && !is_part(b);
		case BTF_KIND_PTR:
			p.a = a->type;
			p.b = b->type;
			break;
		case BTF_KIND_ARRAY:
			p.a = btf_type_array(a)->type;
			p.b = btf_type_array(b)->type;
			break;
		case BTF_KIND_FUNC_PROTO:
			return protos_compatible(&p, a, b, level, left);
		default:
			return false;
		}
	}
	return false;
}

bool core_types_compatible(const struct btf_view *a, uint32_t a_id, const struct btf_view *b,
			   uint32_t b_id)
{
	const struct btf_type *s = btf_view_type(a, a_id), *t = btf_view_type(b, b_id);
	unsigned int left = STEPS_MAX;

	/* a typedef is not what it stands for */
	return s && t && core_kinds_equal(s, t) &&
	       compatible((struct pair){a, b, a_id, b_id}, 0, &left);
}

/* --- match */

static bool match(struct pair p, bool is_behind, int level, unsigned int *left);

static uint32_t enumerator_name(const struct btf_type *t, unsigned int i)
{
	return btf_type_kind(t) == BTF_KIND_ENUM64
		       ? ((const struct btf_enum64 *)(t + 1))[i].name_off
		       : ((const struct btf_enum *)(t + 1))[i].name_off;
}

static bool enums_match(const struct pair *p, const struct btf_type *a, const struct btf_type *b,
			unsigned int *left)
{
	unsigned int k;

	if (!core_is_enum(b) || a->size != b->size || btf_type_vlen(a) > btf_type_vlen(b))
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(a); i++) {
		const char *name = btf_view_string(p->av, enumerator_name(a, i));

		for (k = 0; k < btf_type_vlen(b) && *left; k++, --*left)
			if (core_names_equal(name, btf_view_string(p->bv, enumerator_name(b, k))))
				break;
		if (k == btf_type_vlen(b) || !*left)
			return false;
	}
	return true;
}

static bool members_match(const struct pair *p, const struct btf_type *a, const struct btf_type *b,
			  int level, unsigned int *left)
{
	unsigned int k;

	if (btf_type_vlen(a) > btf_type_vlen(b))
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(a); i++) {
		const struct btf_member *m = &btf_type_members(a)[i], *n = btf_type_members(b);
		const char *name = btf_view_string(p->av, m->name_off);

		for (k = 0; k < btf_type_vlen(b) && *left; k++, --*left)
			if (core_names_equal(name, btf_view_string(p->bv, n[k].name_off)) &&
			    match((struct pair){p->av, p->bv, m->type, n[k].type}, false, level + 1,
				  left))
				break;
		if (k == btf_type_vlen(b) || !*left)
			return false;
	}
	return true;
}

/* A struct or union: whole, or, behind a pointer, by its name. */
static bool composites_match(const struct pair *p, const struct btf_type *a,
			     const struct btf_type *b, bool is_behind, int level,
			     unsigned int *left)
{
	if (!is_behind)
		return btf_type_kind(a) == btf_type_kind(b) && members_match(p, a, b, level, left);
	if (btf_type_kind(b) != BTF_KIND_FWD)
		return btf_type_kind(a) == btf_type_kind(b);
	return (btf_type_kind(a) == BTF_KIND_UNION) == BTF_INFO_KFLAG(b->info);
}

/* `struct x;`: another one, or, behind a pointer, the struct. */
static bool forwards_match(const struct btf_type *a, const struct btf_type *b, bool is_behind)
{
	bool is_union = BTF_INFO_KFLAG(a->info);

	if (btf_type_kind(b) == BTF_KIND_FWD)
		return is_union == BTF_INFO_KFLAG(b->info);
	return is_behind &&
	       btf_type_kind(b) == (is_union ? (unsigned int)BTF_KIND_UNION : BTF_KIND_STRUCT);
}

static bool protos_match(const struct pair *p, const struct btf_type *a, const struct btf_type *b,
			 bool is_behind, int level, unsigned int *left)
{
	if (btf_type_kind(a) != btf_type_kind(b) || btf_type_vlen(a) != btf_type_vlen(b))
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(a); i++) {
		struct pair param = {p->av, p->bv, btf_type_params(a)[i].type,
				     btf_type_params(b)[i].type};

		if (!match(param, is_behind, level + 1, left))
			return false;
	}
	return match((struct pair){p->av, p->bv, a->type, b->type}, is_behind, level + 1, left);
}

static bool ints_match(const struct btf_type *a, const struct btf_type *b)
{
	return btf_type_kind(a) == btf_type_kind(b) && a->size == b->size &&
	       (btf_type_encoding(a) & BTF_INT_SIGNED) == (btf_type_encoding(b) & BTF_INT_SIGNED);
}

static bool match(struct pair p, bool is_behind, int level, unsigned int *left)
{
	const struct btf_type *a, *b;

	for (int hops = 0; hops < HOPS && level < LEVELS && *left; hops++, --*left) {
		if (!resolve(&p, &a, &b))
			return !a && !b;
		if (!core_names_equal(btf_view_name(p.av, a), btf_view_name(p.bv, b)))
			return false;
		switch (btf_type_kind(a)) {
		case BTF_KIND_FWD:
			return forwards_match(a, b, is_behind);
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return enums_match(&p, a, b, left);
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			return composites_match(&p, a, b, is_behind, level, left);
		case BTF_KIND_INT:
			return ints_match(a, b);
		case BTF_KIND_PTR:
			if (btf_type_kind(b) != BTF_KIND_PTR)
				return false;
			is_behind = true;
			p.a = a->type;
			p.b = b->type;
			break;
		case BTF_KIND_ARRAY:
			if (btf_type_kind(b) != BTF_KIND_ARRAY ||
			    btf_type_array(a)->nelems != btf_type_array(b)->nelems)
				return false;
			p.a = btf_type_array(a)->type;
			p.b = btf_type_array(b)->type;
			break;
		case BTF_KIND_FUNC_PROTO:
			return protos_match(&p, a, b, is_behind, level, left);
		default:
			return false;
		}
	}
	return false;
}

bool core_types_match(const struct btf_view *a, uint32_t a_id, const struct btf_view *b,
		      uint32_t b_id)
{
	unsigned int left = STEPS_MAX;

	return match((struct pair){a, b, a_id, b_id}, false, 0, &left);
}
