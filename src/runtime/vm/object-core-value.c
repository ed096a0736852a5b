/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What number a relocation asks for, on either side.
 *
 * Of a bitfield, the kernel's compiler may have put the bits elsewhere: the offset is that of the
 * smallest load that has all of them, and two shifts cut them out of 64 bits.
 *
 * A load or store whose field has another size in the kernel becomes one of that size, if that
 * keeps the value: pointers and unsigned integers.  Else it is a misfit.
 */
#include "runtime/vm/object-core.h"

#include <errno.h>

/* One side's number, and what the instruction must know of the field. */
struct side {
	uint64_t value, size;
	uint32_t type;
	bool is_checked;
};

static int bitfield(uint64_t bits, uint32_t width, uint64_t least, uint64_t *ret_byte,
		    uint64_t *ret_size)
{
	uint64_t size = least, byte;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	byte = bits / 8 / size * size;
	while (bits + width - byte * 8 > size * 8) {
		if (size >= 8)
			return -E2BIG;
		size *= 2;
		byte = bits / 8 / size * size;
	}
	*ret_byte = byte;
	*ret_size = size;
	return 0;
}

static bool is_signed(const struct btf_type *t)
{
	if (!t)
		return false;
	return core_is_enum(t)
		       ? BTF_INFO_KFLAG(t->info)
		       : btf_type_kind(t) == BTF_KIND_INT && btf_type_encoding(t) & BTF_INT_SIGNED;
}

/* An element of an array: only where it is and how large. */
static int element_value(uint32_t kind, const struct core_path *p, struct side *ret)
{
	const struct core_step *last = &p->steps[p->n - 1];
	uint64_t size = btf_size(p->view, last->type);

	ret->is_checked = true;
	if (kind == BPF_CORE_FIELD_BYTE_OFFSET) {
		ret->value = p->bits / 8;
		ret->size = size;
		ret->type = last->type;
	} else if (kind == BPF_CORE_FIELD_BYTE_SIZE) {
		ret->value = size;
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Where the least load that has the field begins, its bytes, and the field's bits. */
struct extent {
	uint64_t byte, size;
	uint32_t width;
	bool is_bitfield;
};

static int member_extent(const struct core_path *p, struct extent *ret, uint32_t *ret_type)
{
	const struct core_step *last = &p->steps[p->n - 1];
	struct btf_place place = btf_member_place(btf_view_type(p->view, last->type), last->index);
	const struct btf_type *t = btf_resolve(p->view, place.type, ret_type);

	ret->is_bitfield = place.bits > 0;
	ret->width = place.bits;
	if (ret->is_bitfield)
		return t ? bitfield(p->bits, place.bits, t->size, &ret->byte, &ret->size) : -EINVAL;
	ret->size = btf_size(p->view, place.type);
	ret->byte = p->bits / 8;
	ret->width = (uint32_t)ret->size * 8;
	return 0;
}

static int field_value(uint32_t kind, const struct core_path *p, struct side *ret)
{
	struct extent e = {0};
	uint32_t type = 0;
	int r;

	if (!p->steps[p->n - 1].name)
		return element_value(kind, p, ret);
	r = member_extent(p, &e, &type);
	if (r < 0)
		return r;
	ret->is_checked = !e.is_bitfield || kind == BPF_CORE_FIELD_SIGNED ||
			  kind == BPF_CORE_FIELD_RSHIFT_U64;
	switch ((enum bpf_core_relo_kind)kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		ret->value = e.byte;
		ret->size = e.is_bitfield ? 0 : e.size;
		ret->type = e.is_bitfield ? 0 : type;
		return 0;
	case BPF_CORE_FIELD_BYTE_SIZE:
		ret->value = e.size;
		return 0;
	case BPF_CORE_FIELD_SIGNED:
		ret->value = is_signed(btf_view_type(p->view, type));
		return 0;
	case BPF_CORE_FIELD_LSHIFT_U64:
		ret->value = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
				     ? 64 - (p->bits + e.width - e.byte * 8)
				     : (8 - e.size) * 8 + (p->bits - e.byte * 8);
		return 0;
	case BPF_CORE_FIELD_RSHIFT_U64:
		ret->value = 64 - e.width;
		return 0;
	default:
		return -EINVAL;
	}
}

static int type_value(uint32_t kind, const struct core_path *p, struct side *ret)
{
	ret->is_checked = kind != BPF_CORE_TYPE_ID_TARGET && kind != BPF_CORE_TYPE_ID_LOCAL;
	ret->value = kind == BPF_CORE_TYPE_ID_TARGET || kind == BPF_CORE_TYPE_ID_LOCAL ? p->root
		     : kind == BPF_CORE_TYPE_SIZE ? btf_size(p->view, p->root)
						  : 1;
	return 0;
}

static int enumerator_value(uint32_t kind, const struct core_path *p, struct side *ret)
{
	const struct core_step *s = &p->steps[0];
	const char *name;

	ret->is_checked = true;
	ret->value = kind == BPF_CORE_ENUMVAL_EXISTS
			     ? 1
			     : (uint64_t)btf_enumerator(p->view, btf_view_type(p->view, s->type),
							s->index, &name);
	return 0;
}

static int value(uint32_t kind, const struct core_path *p, struct side *ret)
{
	if (kind == BPF_CORE_FIELD_EXISTS) {
		*ret = (struct side){.value = 1, .is_checked = true};
		return 0;
	}
	if (core_is_field(kind))
		return field_value(kind, p, ret);
	return core_is_enumerator(kind) ? enumerator_value(kind, p, ret) : type_value(kind, p, ret);
}

/* Without a field or an enumerator there is no number; that a type is missing is one: 0. */
static bool has_value_if_missing(uint32_t kind)
{
	return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_ENUMVAL_EXISTS ||
	       (!core_is_field(kind) && !core_is_enumerator(kind));
}

/* A load of the one may become a load of the other. */
static bool is_resizable(const struct core_path *here, uint32_t a_id, const struct core_path *there,
			 uint32_t b_id)
{
	const struct btf_type *a = btf_view_type(here->view, a_id);
	const struct btf_type *b = btf_view_type(there->view, b_id);

	if (!a || !b || btf_type_kind(a) != btf_type_kind(b))
		return false;
	return btf_type_kind(a) == BTF_KIND_PTR ||
	       (btf_type_kind(a) == BTF_KIND_INT && btf_type_encoding(a) != BTF_INT_SIGNED &&
		btf_type_encoding(b) != BTF_INT_SIGNED);
}

int core_value_of(uint32_t kind, const struct core_path *here, const struct core_path *there,
		  struct core_value *ret)
{
	struct side a = {0}, b = {0};
	int r = value(kind, here, &a);

	if (r == 0 && there)
		r = value(kind, there, &b);
	if (r < 0)
		return r;
	*ret = (struct core_value){.before = a.value,
				   .after = b.value,
				   .is_checked = a.is_checked,
				   .is_poison = !there && !has_value_if_missing(kind),
				   .size_before = a.size,
				   .size_after = b.size,
				   .type_before = a.type,
				   .type_after = b.type};
	if (there && a.size != b.size)
		ret->is_misfit = !is_resizable(here, a.type, there, b.type);
	return 0;
}
