/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: may this register be read or written here, so far?
 *
 * Each kind of pointer has its own limits: a size, the bytes of a packet that were checked, a
 * table of fields, a type.  Loads then say what is known of the value.
 */
#include "runtime/vm/verify/internal.h"

enum { FAR = 1 << 29 };

const struct vm_map_def *reg_map(struct verifier *v, const struct reg *r)
{
	const struct vm_map_def *m = &v->o->maps.p[r->map];

	return r->is_inner ? m->inner : m;
}

/* --- limits */

static int outside(struct verifier *v, unsigned int regno, int64_t off, uint64_t size,
		   uint32_t limit, const char *which)
{
	const struct reg *r = &cur_regs(v)[regno];
	char name[96];
	int ret =
		refuse(v, D_VERIFY_BOUNDS,
		       "invalid access to %s, %s=%u off=%lld size=%llu R%u %s value is outside of "
		       "the allowed memory range",
		       r->type == REG_MAP_VALUE ? "map value"
		       : r->type == REG_MAP_KEY ? "map key"
						: "memory",
		       r->type == REG_MAP_VALUE ? "value_size"
		       : r->type == REG_MAP_KEY ? "key_size"
						: "mem_size",
		       limit, (long long)off, (unsigned long long)size, regno, which);

	refuse_text(v, "%llu byte(s) at offset %lld of a %s are accessed, but it has only %u",
		    (unsigned long long)size, (long long)off, reg_name(r, name, sizeof(name)),
		    limit);
	refuse_note_reg(v, regno);
	return ret;
}

static bool is_inside(int64_t off, uint64_t size, uint32_t limit, bool may_be_empty)
{
	return off >= 0 && (size || may_be_empty) && (uint64_t)off + size <= limit && size <= limit;
}

int bounds_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size, uint32_t limit,
		 bool may_be_empty)
{
	const struct reg *r = &cur_regs(v)[regno];
	int ret;

	if (r->v.smin < 0 && (r->v.smin < -FAR || r->v.smin + off < 0)) {
		ret = refuse(
			v, D_VERIFY_BOUNDS,
			"R%u min value is negative, either use unsigned index or do a if (index "
			">=0) check.",
			regno);
		refuse_text(v, "r%u may point before the beginning of its memory", regno);
		refuse_note_reg(v, regno);
		return ret;
	}
	if (r->v.smin > FAR || !is_inside(r->v.smin + off, size, limit, may_be_empty))
		return outside(v, regno, r->v.smin + off, size, limit, "min");
	if (r->v.umax >= FAR) {
		ret = refuse(
			v, D_VERIFY_BOUNDS,
			"R%u unbounded memory access, make sure to bounds check any such access",
			regno);
		refuse_note_reg(v, regno);
		return ret;
	}
	if (!is_inside((int64_t)r->v.umax + off, size, limit, may_be_empty))
		return outside(v, regno, (int64_t)r->v.umax + off, size, limit, "max");
	return 0;
}

int offset_check_fixed(struct verifier *v, const struct reg *r, unsigned int regno, bool may_be_set)
{
	char name[96];

	if (r->off >= 0 && (may_be_set || !r->off) && reg_is_const(r) && !r->v.bits.value)
		return 0;
	reg_name(r, name, sizeof(name));
	if (r->off < 0)
		return refuse(v, D_VERIFY_POINTER, "negative offset %s ptr R%u off=%d disallowed",
			      name, regno, r->off);
	if (!may_be_set && r->off)
		return refuse(v, D_VERIFY_POINTER,
			      "dereference of modified %s ptr R%u off=%d disallowed", name, regno,
			      r->off);
	return refuse(v, D_VERIFY_POINTER, "variable %s access var_off disallowed", name);
}

static int alignment_check(struct verifier *v, const struct reg *r, const struct access *a)
{
	bool is_strict = v->is_strict || a->is_once_strict || r->type == REG_STACK;
	uint64_t fixed = (uint64_t)((int64_t)r->off + a->off);
	/* packets begin two bytes behind a multiple of four on some machines */
	uint64_t more = reg_is_packet(r) ? 2 : 0;
	uint64_t low = (r->v.bits.value + fixed + more) & (a->bytes - 1);

	if (!is_strict || a->bytes == 1 || r->type == REG_ARENA)
		return 0;
	if (!low && !(r->v.bits.mask & (a->bytes - 1)))
		return 0;
	return refuse(v, D_VERIFY_ACCESS, "misaligned %saccess off %lld size %u",
		      r->type == REG_STACK ? "stack "
		      : reg_is_packet(r)   ? "packet "
					   : "value ",
		      (long long)((int64_t)fixed + (int64_t)r->v.bits.value), a->bytes);
}

/* --- map values */

int map_may(struct verifier *v, const struct reg *r, bool is_write)
{
	const struct vm_map_def *m = reg_map(v, r);

	if (is_write ? m->flags & BPF_F_RDONLY_PROG : m->flags & BPF_F_WRONLY_PROG)
		return refuse(v, D_VERIFY_ACCESS, "%s into map forbidden, value_size=%u",
			      is_write ? "write" : "read", m->value_size);
	return 0;
}

static int field_overlap(struct verifier *v, const struct reg *r, const struct vm_field *f,
			 int32_t off, uint64_t size, bool is_helper)
{
	int64_t low = r->v.smin + off, high = (int64_t)r->v.umax + off + (int64_t)size;

	if (low >= (int64_t)f->offset + f->size || high <= (int64_t)f->offset)
		return 0;
	if (!(FIELD_KPTRS & 1u << f->kind))
		return refuse(v, D_VERIFY_ACCESS,
			      "a lock, timer or list cannot be accessed directly by load/store");
	if (is_helper)
		return refuse(v, D_VERIFY_ACCESS, "kptr cannot be accessed indirectly by helper");
	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ACCESS, "kptr access cannot have variable offset");
	if ((int64_t)f->offset != off + (int64_t)r->v.bits.value)
		return refuse(v, D_VERIFY_ACCESS, "kptr access misaligned expected=%u", f->offset);
	if (size != 8)
		return refuse(v, D_VERIFY_ACCESS, "kptr access size must be BPF_DW");
	return 0;
}

int map_region_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size,
		     bool may_be_empty, bool is_helper)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct fields *fields = reg_fields(v, r);
	int ret = bounds_check(v, regno, off, size, reg_map(v, r)->value_size, may_be_empty);

	for (uint32_t i = 0; !ret && i < fields->n; i++)
		ret = field_overlap(v, r, &fields->f[i], off, size, is_helper);
	return ret;
}

/* A frozen map's content is known. */
static bool map_constant(const struct vm_map_def *m, int64_t off, const struct access *a,
			 uint64_t *ret)
{
	uint64_t value = 0;

	if (!m->is_frozen || (m->type != BPF_MAP_TYPE_ARRAY) || m->max_entries != 1 || off < 0 ||
	    (uint64_t)off + a->bytes > m->value_size)
		return false;
	if (m->init)
		memcpy(&value, (const char *)m->init + off, a->bytes);
	if (a->is_signed && a->bytes < 8)
		value = (uint64_t)((int64_t)(value << (64 - 8 * a->bytes)) >> (64 - 8 * a->bytes));
	*ret = value;
	return true;
}

static int map_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	const struct vm_field *f = NULL;
	uint64_t value;
	int ret = map_may(v, r, a->is_write);

	ret = ret ? ret : map_region_check(v, a->regno, off, a->bytes, false, false);
	if (ret)
		return ret;
	if (reg_is_const(r))
		f = fields_at(reg_fields(v, r), (uint32_t)(off + (int32_t)r->v.bits.value),
			      FIELD_KPTRS);
	if (f)
		return kptr_access(v, a, f);
	if (a->is_write || a->value < 0)
		return 0;
	if (reg_is_const(r) && !r->is_inner &&
	    map_constant(reg_map(v, r), off + (int64_t)r->v.bits.value, a, &value))
		reg_known(&cur_regs(v)[a->value], value);
	else
		reg_unknown(&cur_regs(v)[a->value]);
	return 0;
}

/* --- packets */

bool packet_may_read(const struct verifier *v)
{
	switch (v->p->prog_type) {
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_CGROUP_SKB:
		return true;
	}
	return packet_may_write(v);
}

bool packet_may_write(const struct verifier *v)
{
	switch (v->p->prog_type) {
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		return true;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return true;
	}
	return false;
}

int packet_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size,
		 bool may_be_empty)
{
	const struct reg *r = &cur_regs(v)[regno];
	int ret = 0;

	if (r->v.smin < 0)
		ret = refuse(
			v, D_VERIFY_BOUNDS,
			"R%u min value is negative, either use unsigned index or do a if (index "
			">=0) check.",
			regno);
	else if (r->range < 0)
		ret = refuse(v, D_VERIFY_BOUNDS, "R%u offset is outside of the packet", regno);
	else if (!is_inside(off, size, (uint32_t)r->range, may_be_empty))
		ret = refuse(v, D_VERIFY_BOUNDS,
			     "invalid access to packet, off=%d size=%llu, R%u(id=%u,off=%d,r=%d)",
			     off, (unsigned long long)size, regno, r->id, r->off, r->range);
	if (!ret)
		return 0;
	refuse_text(
		v,
		"%llu byte(s) at offset %d of the packet are accessed, but only %d are known to be "
		"there",
		(unsigned long long)size, off, r->range < 0 ? 0 : r->range);
	refuse_hint(v, "compare first: if (pointer + %lld > data_end) return …;",
		    (long long)off + (long long)size);
	refuse_note_reg(v, regno);
	return ret;
}

/* --- the rest, by kind */

static int leak_check(struct verifier *v, const struct access *a, const char *where)
{
	const struct reg *value;

	if (!a->is_write || a->value < 0)
		return 0;
	value = &cur_regs(v)[a->value];
	if (value->type == REG_SCALAR || v->allow_store_leaks)
		return 0;
	refuse(v, D_VERIFY_LEAK, "R%d leaks addr into %s", a->value, where);
	refuse_note_reg(v, (unsigned int)a->value);
	return REFUSED;
}

static int not_memory(struct verifier *v, const struct access *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	char name[96];
	int ret;

	reg_name(r, name, sizeof(name));
	ret = refuse(v, r->flags & F_NULL ? D_VERIFY_NULL : D_VERIFY_TYPE,
		     "R%u invalid mem access '%s'", a->regno, name);
	if (r->flags & F_NULL)
		refuse_text(v, "r%u may be NULL here, and is used as an address", a->regno);
	else
		refuse_text(v, "r%u is used as an address, but is a %s", a->regno, name);
	refuse_note_reg(v, a->regno);
	return ret;
}

static int read_only(struct verifier *v, const struct access *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	char name[96];

	return refuse(v, D_VERIFY_ACCESS, "R%u cannot write into %s", a->regno,
		      reg_name(r, name, sizeof(name)));
}

static int mem_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	int ret;

	if (r->flags & F_NULL)
		return not_memory(v, a);
	if (a->is_write && r->flags & F_RDONLY)
		return read_only(v, a);
	ret = leak_check(v, a, "mem");
	return ret ? ret : bounds_check(v, a->regno, off, a->bytes, r->size, false);
}

static int buffer_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];

	if (a->is_write && r->flags & F_RDONLY)
		return read_only(v, a);
	if (off < 0)
		return refuse(v, D_VERIFY_BOUNDS, "R%u invalid buffer access: off=%d, size=%u",
			      a->regno, off, a->bytes);
	if (!reg_is_const(r) || r->v.bits.value)
		return refuse(v, D_VERIFY_BOUNDS, "R%u invalid variable buffer offset: off=%d",
			      a->regno, off);
	return 0;
}

static int flow_keys_access(struct verifier *v, const struct access *a, int32_t off)
{
	enum { FLOW_KEYS = 56 }; /* sizeof(struct bpf_flow_keys) */
	int ret = leak_check(v, a, "flow keys");

	if (ret)
		return ret;
	if (off < 0 || off + (int32_t)a->bytes > FLOW_KEYS)
		return refuse(v, D_VERIFY_BOUNDS, "invalid access to flow keys off=%d size=%u", off,
			      a->bytes);
	return 0;
}

static int packet_access(struct verifier *v, const struct access *a, int32_t off)
{
	int ret;

	if (a->is_write && !packet_may_write(v))
		return refuse(v, D_VERIFY_ACCESS, "cannot write into packet");
	ret = leak_check(v, a, "packet");
	return ret ? ret : packet_check(v, a->regno, off, a->bytes, false);
}

static int key_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];

	if (a->is_write)
		return refuse(v, D_VERIFY_ACCESS, "write to change key R%u not allowed", a->regno);
	return bounds_check(v, a->regno, off, a->bytes, reg_map(v, r)->key_size, false);
}

/* By kind; `is_value` : the register that is read into was filled. */
static int access_by_kind(struct verifier *v, const struct access *a, int32_t off, bool *is_value)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	int ret;

	*is_value = false;
	switch ((enum reg_type)r->type) {
	case REG_MAP_KEY:
		return r->flags & F_NULL ? not_memory(v, a) : key_access(v, a, off);
	case REG_MAP_VALUE:
		if (r->flags & F_NULL)
			return not_memory(v, a);
		*is_value = true;
		ret = leak_check(v, a, "map");
		return ret ? ret : map_access(v, a, off);
	case REG_MEM:
		return mem_access(v, a, off);
	case REG_CTX:
		*is_value = true;
		ret = leak_check(v, a, "ctx");
		return ret ? ret : ctx_access(v, a);
	case REG_STACK:
		*is_value = true;
		return stack_access(v, a, off);
	case REG_PACKET:
	case REG_PACKET_META:
		return packet_access(v, a, off);
	case REG_FLOW_KEYS:
		return flow_keys_access(v, a, off);
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
		if (r->flags & F_NULL)
			return not_memory(v, a);
		return a->is_write ? read_only(v, a) : sock_access(v, a, off);
	case REG_TP_BUFFER:
		return buffer_access(v, a, off);
	case REG_BTF:
	case REG_MAP:
		if (r->flags & F_NULL)
			return not_memory(v, a);
		*is_value = true;
		return object_access(v, a);
	case REG_BUFFER:
		return r->flags & F_NULL ? not_memory(v, a) : buffer_access(v, a, off);
	case REG_ARENA:
		return 0;
	case REG_NONE:
	case REG_SCALAR:
	case REG_PACKET_END:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		break;
	}
	return not_memory(v, a);
}

int memory_access(struct verifier *v, const struct access *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	struct reg *to;
	bool is_value;
	int ret = alignment_check(v, r, a);

	ret = ret ? ret : access_by_kind(v, a, a->off + r->off, &is_value);
	if (ret || a->is_write || a->value < 0)
		return ret;
	to = &cur_regs(v)[a->value];
	if (!is_value)
		reg_unknown(to);
	if (to->type == REG_SCALAR && a->bytes < 8)
		scalar_cut(&to->v, a->bytes, a->is_signed, false);
	to->at = v->insn;
	return 0;
}
