/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a function is given: so many bytes, to read or to write.
 */
#include "runtime/vm/verify/internal.h"

static int not_region(struct verifier *v, const struct region *g)
{
	const struct reg *r = &cur_regs(v)[g->regno];
	char name[96];
	int ret;

	if (g->may_be_empty && !g->size && reg_is_zero(r))
		return 0;
	reg_name(r, name, sizeof(name));
	ret = refuse(v, r->flags & F_NULL ? D_VERIFY_NULL : D_VERIFY_ARGUMENT,
		     "R%u type=%s expected=fp", g->regno, name);
	refuse_text(v, "the call needs memory in r%u, but that is a %s", g->regno, name);
	refuse_note_reg(v, g->regno);
	return ret;
}

static int ctx_region(struct verifier *v, const struct region *g)
{
	struct access a = {.regno = g->regno, .bytes = 1, .is_write = g->is_write, .value = -1};

	if (v->ctx && v->ctx->form == CTX_FORM_FIELDS)
		return not_region(v, g);
	if (!g->size)
		return g->may_be_empty ? 0 : refuse(v, D_VERIFY_BOUNDS, "invalid zero-sized read");
	if (g->size > 0x7fff)
		return refuse(v, D_VERIFY_BOUNDS, "R%u is out of the context", g->regno);
	a.off = (int32_t)g->size - 1;
	return ctx_access(v, &a);
}

static int buffer_region(struct verifier *v, const struct region *g)
{
	const struct reg *r = &cur_regs(v)[g->regno];

	if (r->off < 0 || !reg_is_const(r) || r->v.bits.value)
		return refuse(v, D_VERIFY_BOUNDS, "R%u invalid variable buffer offset", g->regno);
	return 0;
}

static int object_region(struct verifier *v, const struct region *g)
{
	struct access a = {.regno = g->regno, .is_write = g->is_write, .value = -1};
	const struct reg *r = &cur_regs(v)[g->regno];

	if (g->size > btf_size(r->btf, r->btf_id))
		return refuse(v, D_VERIFY_BOUNDS, "R%u is smaller than %llu bytes", g->regno,
			      (unsigned long long)g->size);
	a.bytes = (unsigned int)g->size;
	return object_access(v, &a);
}

int region_access(struct verifier *v, struct region *g)
{
	const struct reg *r = &cur_regs(v)[g->regno];
	char name[96];
	int ret;

	if (r->flags & F_NULL || (g->is_write && r->flags & F_RDONLY && r->type != REG_STACK)) {
		if (r->flags & F_NULL)
			return not_region(v, g);
		return refuse(v, D_VERIFY_ACCESS, "R%u cannot write into %s", g->regno,
			      reg_name(r, name, sizeof(name)));
	}
	switch ((enum reg_type)r->type) {
	case REG_PACKET:
	case REG_PACKET_META:
		return packet_check(v, g->regno, r->off, g->size, g->may_be_empty);
	case REG_MAP_KEY:
		if (g->is_write)
			return refuse(v, D_VERIFY_ACCESS, "R%u cannot write into %s", g->regno,
				      reg_name(r, name, sizeof(name)));
		return bounds_check(v, g->regno, r->off, g->size, reg_map(v, r)->key_size,
				    g->may_be_empty);
	case REG_MAP_VALUE:
		ret = map_may(v, r, g->is_write);
		return ret ? ret
			   : map_region_check(v, g->regno, r->off, g->size, g->may_be_empty, true);
	case REG_MEM:
		return bounds_check(v, g->regno, r->off, g->size, r->size, g->may_be_empty);
	case REG_BUFFER:
		return buffer_region(v, g);
	case REG_STACK:
		return stack_region(v, g, r->off);
	case REG_BTF:
		return object_region(v, g);
	case REG_CTX:
		return ctx_region(v, g);
	case REG_NONE:
	case REG_SCALAR:
	case REG_MAP:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_TP_BUFFER:
	case REG_ARENA:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		break;
	}
	return not_region(v, g);
}

int region_access_reg(struct verifier *v, struct region *g, unsigned int size_regno)
{
	enum { SIZE_MAX_KNOWN = 1 << 29 };
	const struct reg *r = &cur_regs(v)[size_regno];
	int ret;

	if (r->v.smin < 0)
		ret = refuse(v, D_VERIFY_BOUNDS,
			     "R%u min value is negative, either use unsigned or 'var &= const'",
			     size_regno);
	else if (!r->v.umin && !g->may_be_empty)
		ret = refuse(v, D_VERIFY_BOUNDS, "R%u invalid zero-sized read: u64=[%llu,%llu]",
			     size_regno, (unsigned long long)r->v.umin,
			     (unsigned long long)r->v.umax);
	else if (r->v.umax >= SIZE_MAX_KNOWN)
		ret = refuse(
			v, D_VERIFY_BOUNDS,
			"R%u unbounded memory access, use 'var &= const' or 'if (var < const)'",
			size_regno);
	else
		ret = 0;
	if (ret) {
		refuse_note_reg(v, size_regno);
		return ret;
	}
	if (!reg_is_const(r))
		g->is_uninit = false;
	g->size = r->v.umax;
	ret = region_access(v, g);
	reg_mark(r);
	return ret;
}
