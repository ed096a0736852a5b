/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of helpers: does each register hold what the table (proto.h) says?
 */
#include "runtime/vm/verify/internal.h"

#include <string.h>

#define TYPE(t) (1u << REG_##t)
#define MEMORIES                                                                            \
	(TYPE(STACK) | TYPE(PACKET) | TYPE(PACKET_META) | TYPE(MAP_KEY) | TYPE(MAP_VALUE) | \
	 TYPE(MEM) | TYPE(BUFFER) | TYPE(BTF) | TYPE(CTX) | TYPE(TP_BUFFER))
#define PLACES	(TYPE(STACK) | TYPE(PACKET) | TYPE(PACKET_META) | TYPE(MAP_KEY) | TYPE(MAP_VALUE))
#define SOCKETS (TYPE(SOCKET) | TYPE(SOCK_COMMON) | TYPE(TCP_SOCK) | TYPE(XDP_SOCK))

/* Kinds of registers that will do; 0: it is looked at elsewhere. */
static unsigned int wanted(enum proto_arg arg)
{
	switch (arg) {
	case ARG_MAP_KEY:
	case ARG_MAP_VALUE:
	case ARG_MAP_VALUE_UNINIT:
	case ARG_MEM:
	case ARG_MEM_UNINIT:
	case ARG_MEM_RW:
		return MEMORIES;
	case ARG_FIXED_MEM:
	case ARG_FIXED_MEM_UNINIT:
		return MEMORIES;
	case ARG_LONG_PTR:
	case ARG_INT_PTR:
		return PLACES;
	case ARG_SIZE:
	case ARG_SIZE_OR_ZERO:
	case ARG_CONST_ALLOC_SIZE:
	case ARG_SCALAR:
		return TYPE(SCALAR);
	case ARG_CTX:
		return TYPE(CTX);
	case ARG_CONST_MAP:
		return TYPE(MAP);
	case ARG_ALLOC_MEM:
		return TYPE(MEM);
	case ARG_CONST_STR:
	case ARG_TIMER:
		return TYPE(MAP_VALUE);
	case ARG_FUNC:
		return TYPE(FUNC);
	case ARG_STACK:
		return TYPE(STACK);
	case ARG_SPIN_LOCK:
	case ARG_KPTR:
		return TYPE(MAP_VALUE)
		| TYPE(BTF);
	case ARG_SOCK_COMMON:
		return SOCKETS;
	case ARG_SOCKET:
		return TYPE(SOCKET);
	case ARG_BTF_ID:
	case ARG_PERCPU_BTF_ID:
		return TYPE(BTF)
		| (arg == ARG_PERCPU_BTF_ID ? TYPE(MEM) : 0);
	case ARG_BTF_ID_SOCK_COMMON:
		return SOCKETS | TYPE(BTF);
	case ARG_DYNPTR:
	case ARG_DYNPTR_UNINIT:
		return TYPE(STACK)
		| TYPE(DYNPTR);
	case ARG_NONE:
	case ARG_ANYTHING:
	case ARG_COUNT:
		return ~0u;
	}
	return 0;
}

static int type_error(struct verifier *v, unsigned int regno, unsigned int want)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct reg example = {};
	char name[96], expected[96];
	int ret;

	for (unsigned int i = 0; i < REG_TYPES && !example.type; i++)
		if (want >> i & 1)
			example.type = (uint8_t)i;
	reg_name(r, name, sizeof(name));
	ret = refuse(v, r->flags & F_NULL ? D_VERIFY_NULL : D_VERIFY_ARGUMENT,
		     "R%u type=%s expected=%s", regno, name,
		     reg_name(&example, expected, sizeof(expected)));
	refuse_text(v, "argument %u (r%u) is a %s, but the function takes a %s", regno, regno, name,
		    expected);
	refuse_note_reg(v, regno);
	return ret;
}

/* Objects: the right struct, alive. */
static int object_arg(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
		      enum proto_arg arg)
{
	const struct reg *r = &cur_regs(v)[regno];
	bool is_release = c->proto->args[n] & ARG_RELEASE;
	const char *want = c->proto->btf[n];
	uint32_t id;

	if (r->flags & F_NULL && (!(c->proto->args[n] & ARG_OR_NULL) || is_release)) {
		refuse(v, D_VERIFY_NULL, "Possibly NULL pointer passed to helper arg%u", regno);
		refuse_note_reg(v, regno);
		return REFUSED;
	}
	if (arg == ARG_PERCPU_BTF_ID) {
		if (!(r->flags & F_PERCPU) || (r->flags & F_UNTRUSTED))
			return type_error(v, regno, TYPE(BTF));
		return 0;
	}
	if (r->flags & (F_UNTRUSTED | F_PERCPU | F_USER) &&
	    !(c->number == BPF_FUNC_kptr_xchg && r->flags & F_PERCPU && !(r->flags & F_UNTRUSTED)))
		return type_error(v, regno, TYPE(BTF));
	if (c->number == BPF_FUNC_kptr_xchg)
		return kptr_match(v, c->kptr, r, regno);
	if (r->flags & F_ALLOC)
		return type_error(v, regno, TYPE(BTF));
	if (arg == ARG_BTF_ID_SOCK_COMMON)
		want = "sock_common";
	if (!want || !v->kernel)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u has no known type", regno);
	id = btf_find(v->kernel, BTF_ONE(STRUCT), want);
	if (!id || !types_match(r->btf, r->btf_id, r->off, v->kernel, id,
				is_release && c->number != BPF_FUNC_sk_release, true))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is of type %s but %s is expected", regno,
			      btf_view_name(r->btf, btf_view_type(r->btf, r->btf_id)), want);
	return 0;
}

/* NULL, flags, and the kind. */
static int kind_check(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
		      enum proto_arg arg)
{
	const struct reg *r = &cur_regs(v)[regno];
	unsigned int want = wanted(arg), allowed = F_TRUSTED | F_RCU;
	bool may_be_null = c->proto->args[n] & ARG_OR_NULL;

	if (!(want >> r->type & 1))
		return type_error(v, regno, want);
	if (r->type == REG_BTF &&
	    (arg == ARG_BTF_ID || arg == ARG_BTF_ID_SOCK_COMMON || arg == ARG_PERCPU_BTF_ID))
		return object_arg(v, c, regno, n, arg);
	if (r->type == REG_BTF && (arg == ARG_SPIN_LOCK || arg == ARG_KPTR)) {
		allowed |= F_ALLOC | F_NON_OWN;
	} else if (r->type == REG_BTF && !(r->flags & F_TRUSTED)) {
		/* read as memory */
		return type_error(v, regno, TYPE(STACK));
	}
	if (arg == ARG_PERCPU_BTF_ID)
		allowed |= F_PERCPU | F_RDONLY;
	if (arg == ARG_ALLOC_MEM)
		return r->flags == F_RINGBUF ? 0 : type_error(v, regno, TYPE(MEM));
	if (arg == ARG_MEM || arg == ARG_FIXED_MEM || arg == ARG_MAP_KEY || arg == ARG_MAP_VALUE ||
	    arg == ARG_DYNPTR || arg == ARG_CONST_STR)
		allowed |= F_RDONLY;
	allowed |= F_RINGBUF | F_PACKET;
	if (may_be_null)
		allowed |= F_NULL;
	if (r->flags & ~allowed)
		return type_error(v, regno, want);
	return 0;
}

/* Which kinds may have an offset at all. */
static int offset_check(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
			enum proto_arg arg)
{
	const struct reg *r = &cur_regs(v)[regno];
	bool is_release = c->proto->args[n] & ARG_RELEASE;

	if (is_release && arg != ARG_DYNPTR && r->off && r->type != REG_SCALAR)
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"R%u must have zero offset when passed to release func or trusted arg "
			"to kfunc",
			regno);
	switch ((enum reg_type)r->type) {
	case REG_STACK:
		if (arg == ARG_DYNPTR || arg == ARG_DYNPTR_UNINIT)
			return 0;
		return 0;
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_MAP_KEY:
	case REG_MAP_VALUE:
	case REG_MEM:
	case REG_BUFFER:
	case REG_SCALAR:
		if (is_release && !reg_is_const(r) && r->type != REG_SCALAR)
			return offset_check_fixed(v, r, regno, false);
		return 0;
	case REG_BTF:
		return offset_check_fixed(v, r, regno, true);
	case REG_NONE:
	case REG_CTX:
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
	return offset_check_fixed(v, r, regno, false);
}

static int region_arg(struct verifier *v, struct call *c, unsigned int regno, uint64_t size,
		      enum proto_arg arg)
{
	struct region g = {.regno = regno, .size = size};
	int r;

	g.is_uninit = arg == ARG_MEM_UNINIT || arg == ARG_MAP_VALUE_UNINIT ||
		      arg == ARG_FIXED_MEM_UNINIT || arg == ARG_LONG_PTR;
	g.is_write = g.is_uninit || arg == ARG_MEM_RW || arg == ARG_INT_PTR;
	r = region_access(v, &g);
	if (!r && g.has_raw && c->n_raw < ELEMENTS(c->raw))
		c->raw[c->n_raw++] = g;
	return r;
}

/* So many bytes, aligned. */
static int fixed_arg(struct verifier *v, struct call *c, unsigned int regno, uint32_t size,
		     enum proto_arg arg)
{
	const struct reg *r = &cur_regs(v)[regno];
	uint64_t low = (r->v.bits.value | r->v.bits.mask) + (uint64_t)(int64_t)r->off;

	if (arg != ARG_FIXED_MEM && r->type == REG_STACK && size <= 8 && low & (size - 1))
		return refuse(v, D_VERIFY_ACCESS, "misaligned stack access off %lld size %u",
			      (long long)low, size);
	return region_arg(v, c, regno, size, arg);
}

static int size_arg(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
		    enum proto_arg arg)
{
	enum proto_arg memory = c->proto->args[n - 1] & 0xff;
	struct region g = {.regno = regno - 1, .may_be_empty = arg == ARG_SIZE_OR_ZERO};
	int r;

	g.is_uninit = memory == ARG_MEM_UNINIT;
	g.is_write = memory == ARG_MEM_UNINIT || memory == ARG_MEM_RW;
	c->size_max = cur_regs(v)[regno].v.umax;
	r = region_access_reg(v, &g, regno);
	if (!r && g.has_raw && c->n_raw < ELEMENTS(c->raw))
		c->raw[c->n_raw++] = g;
	return r;
}

/* A map, and everything that is said of maps. */
static int map_arg(struct verifier *v, struct call *c, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (c->has_map && c->map.map_uid != r->map_uid)
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"pointer in R1 map_uid=%u doesn't match map pointer in R%u map_uid=%u",
			c->map.map_uid, regno, r->map_uid);
	if (c->has_map && (c->map.map != r->map || c->map.is_inner != r->is_inner))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not the map that R1 is in", regno);
	c->map = *r;
	c->has_map = true;
	return 0;
}

/* Maps of sockets take sockets for values. */
static enum proto_arg arg_for_map(struct verifier *v, const struct call *c, enum proto_arg arg)
{
	const struct vm_map_def *m;

	if (!c->has_map)
		return arg;
	m = reg_map(v, &c->map);
	if (arg == ARG_MAP_VALUE &&
	    (m->type == BPF_MAP_TYPE_SOCKMAP || m->type == BPF_MAP_TYPE_SOCKHASH))
		return ARG_BTF_ID_SOCK_COMMON;
	if (arg == ARG_MAP_VALUE_UNINIT && c->number == BPF_FUNC_map_peek_elem &&
	    m->type == BPF_MAP_TYPE_BLOOM_FILTER)
		return ARG_MAP_VALUE;
	return arg;
}

static int string_arg(struct verifier *v, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct vm_map_def *m = reg_map(v, r);
	int64_t off = r->off + (int64_t)r->v.bits.value;

	if (!m->is_frozen || r->is_inner || !m->init)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u does not point to a readonly map'", regno);
	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not a constant address'", regno);
	if (off < 0 || off >= m->value_size)
		return refuse(v, D_VERIFY_BOUNDS, "R%u is outside of the map's value", regno);
	if (!memchr((const char *)m->init + off, 0, m->value_size - (size_t)off))
		return refuse(v, D_VERIFY_ARGUMENT, "string is not zero-terminated");
	return 0;
}

static int alloc_size_arg(struct verifier *v, struct call *c, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not a known constant'", regno);
	reg_mark(r);
	c->alloc_size = (uint32_t)r->v.bits.value;
	if (r->v.bits.value > UINT32_MAX)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is too large", regno);
	c->has_alloc_size = true;
	return 0;
}

/* A timer's or a work queue's place in a map's value. */
int timer_arg(struct verifier *v, struct call *c, unsigned int regno, enum vm_field_kind kind,
	      const char *word)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct vm_field *f;

	if (r->type != REG_MAP_VALUE || r->flags & F_NULL)
		return type_error(v, regno, TYPE(MAP_VALUE));
	if (!reg_is_const(r))
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"R%u doesn't have constant offset. %s has to be at the constant offset",
			regno, word);
	f = fields_one(reg_fields(v, r), kind);
	if (!f)
		return refuse(v, D_VERIFY_ARGUMENT, "map has no valid %s", word);
	if ((int64_t)f->offset != r->off + (int64_t)r->v.bits.value)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "off %lld doesn't point to 'struct %s' that is at %u",
			      (long long)r->off + (long long)r->v.bits.value, word, f->offset);
	if (c->has_map)
		return refuse(v, D_VERIFY_ARGUMENT, "Two map pointers in a timer helper");
	c->map = *r;
	c->has_map = true;
	return 0;
}

static int kptr_arg(struct verifier *v, struct call *c, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct vm_field *f;

	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "R%u doesn't have constant offset. kptr has to be at the constant "
			      "offset",
			      regno);
	if (r->type == REG_BTF && !(r->flags & F_ALLOC))
		return type_error(v, regno, TYPE(MAP_VALUE));
	f = fields_at(reg_fields(v, r), (uint32_t)(r->off + (int32_t)r->v.bits.value), FIELD_KPTRS);
	if (!f)
		return refuse(v, D_VERIFY_ARGUMENT, "off=%lld doesn't point to kptr",
			      (long long)r->off + (long long)r->v.bits.value);
	if (f->kind == FIELD_KPTR_UNTRUSTED)
		return refuse(v, D_VERIFY_ARGUMENT, "off=%u kptr isn't referenced kptr", f->offset);
	c->kptr = f;
	return 0;
}

static int map_memory_arg(struct verifier *v, struct call *c, unsigned int regno,
			  enum proto_arg arg)
{
	const struct vm_map_def *m;

	if (!c->has_map)
		return refuse(v, D_VERIFY_ARGUMENT, "invalid map_ptr to access map->%s",
			      arg == ARG_MAP_KEY ? "key" : "value");
	m = reg_map(v, &c->map);
	return region_arg(v, c, regno, arg == ARG_MAP_KEY ? m->key_size : m->value_size, arg);
}

static int reference_arg(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
			 enum proto_arg arg)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (c->proto->args[n] & ARG_RELEASE) {
		if (arg == ARG_DYNPTR) {
			struct reg *d = dynptr_of(v, regno);

			if (!d || !d->ref || r->type == REG_DYNPTR)
				return refuse(v, D_VERIFY_REFERENCE,
					      "arg %u is an unacquired reference", regno);
		} else if (!r->ref && !reg_is_zero(r)) {
			refuse(v, D_VERIFY_REFERENCE,
			       "R%u must be referenced when passed to release function", regno);
			refuse_note_reg(v, regno);
			return REFUSED;
		}
		c->release = regno;
	}
	if (r->ref && arg != ARG_KPTR) {
		if (c->ref)
			return refuse(v, D_VERIFY_REFERENCE,
				      "more than one arg with ref_obj_id R%u %u %u", regno, r->ref,
				      c->ref);
		c->ref = r->ref;
	}
	return 0;
}

static int by_kind(struct verifier *v, struct call *c, unsigned int regno, unsigned int n,
		   enum proto_arg arg)
{
	switch (arg) {
	case ARG_CONST_MAP:
		return map_arg(v, c, regno);
	case ARG_MAP_KEY:
	case ARG_MAP_VALUE:
	case ARG_MAP_VALUE_UNINIT:
		return map_memory_arg(v, c, regno, arg);
	case ARG_FIXED_MEM:
	case ARG_FIXED_MEM_UNINIT:
		return fixed_arg(v, c, regno, c->proto->sizes[n], arg);
	case ARG_LONG_PTR:
		return fixed_arg(v, c, regno, 8, arg);
	case ARG_INT_PTR:
		return fixed_arg(v, c, regno, 4, arg);
	case ARG_SIZE:
	case ARG_SIZE_OR_ZERO:
		return size_arg(v, c, regno, n, arg);
	case ARG_CONST_ALLOC_SIZE:
		return alloc_size_arg(v, c, regno);
	case ARG_CONST_STR:
		return string_arg(v, regno);
	case ARG_FUNC:
		c->func = cur_regs(v)[regno].func + 1;
		return 0;
	case ARG_SPIN_LOCK:
		return lock_process(v, regno, c->number == BPF_FUNC_spin_lock);
	case ARG_TIMER:
		return timer_arg(v, c, regno, FIELD_TIMER, "bpf_timer");
	case ARG_KPTR:
		return kptr_arg(v, c, regno);
	case ARG_DYNPTR:
	case ARG_DYNPTR_UNINIT:
		return dynptr_arg(v, c, regno, c->proto->args[n]);
	case ARG_PERCPU_BTF_ID:
		c->object = cur_regs(v)[regno];
		return 0;
	case ARG_NONE:
	case ARG_ANYTHING:
	case ARG_CTX:
	case ARG_MEM:
	case ARG_MEM_UNINIT:
	case ARG_MEM_RW:
	case ARG_ALLOC_MEM:
	case ARG_STACK:
	case ARG_SOCK_COMMON:
	case ARG_SOCKET:
	case ARG_BTF_ID:
	case ARG_BTF_ID_SOCK_COMMON:
	case ARG_SCALAR:
	case ARG_COUNT:
		return 0;
	}
	return 0;
}

int arg_check(struct verifier *v, struct call *c, unsigned int n)
{
	unsigned int regno = n + 1;
	struct reg *r = &cur_regs(v)[regno];
	enum proto_arg arg = c->proto->args[n] & 0xff;
	int ret;

	if (arg == ARG_NONE)
		return 0;
	ret = reg_read(v, regno);
	if (ret)
		return ret;
	if (arg == ARG_ANYTHING) {
		if (is_leak(v, r))
			return refuse(v, D_VERIFY_LEAK, "R%u leaks addr into helper function",
				      regno);
		return 0;
	}
	if (reg_is_packet(r) && !(c->proto->takes_packet && packet_may_read(v)))
		return refuse(v, D_VERIFY_ARGUMENT, "helper access to the packet is not allowed");
	arg = arg_for_map(v, c, arg);
	if (reg_is_zero(r) && c->proto->args[n] & ARG_OR_NULL) {
		/* NULL: only the number says so */
		if (c->proto->args[n] & ARG_RELEASE)
			c->release = regno;
		return 0;
	}
	ret = kind_check(v, c, regno, n, arg);
	ret = ret ? ret : offset_check(v, c, regno, n, arg);
	ret = ret ? ret : reference_arg(v, c, regno, n, arg);
	return ret ? ret : by_kind(v, c, regno, n, arg);
}
