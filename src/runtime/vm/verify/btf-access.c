/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects with a BTF type: the kernel's, and those that a program allocates.
 *
 * Reading a member that is a pointer to a struct gives a pointer to that struct.  How far it may
 * be trusted (to be alive, not NULL) depends on how far the first one was, and on tables of
 * members that the kernel guarantees.
 */
#include "runtime/vm/verify/internal.h"

#include <string.h>

enum walk { WALK_BAD, WALK_SCALAR, WALK_POINTER, WALK_STRUCT };

struct walked {
	uint32_t id; /* POINTER: of the pointee; STRUCT: of the member */
	unsigned int flags;
	const char *member;
	int off; /* STRUCT: 0 */
};

static bool is_struct(const struct btf_type *t)
{
	return t && (btf_type_kind(t) == BTF_KIND_STRUCT || btf_type_kind(t) == BTF_KIND_UNION);
}

static unsigned int tag_flags(const struct btf_view *b, uint32_t id)
{
	const struct btf_type *t = btf_view_type(b, id);
	const char *name;

	if (!t || btf_type_kind(t) != BTF_KIND_TYPE_TAG)
		return 0;
	name = btf_view_name(b, t);
	return !strcmp(name, "user")	 ? F_USER
	       : !strcmp(name, "percpu") ? F_PERCPU
	       : !strcmp(name, "rcu")	 ? F_RCU
					 : 0;
}

/* Behind arrays; `total` bytes in all. */
static const struct btf_type *element_of(const struct btf_view *b, uint32_t id, uint32_t *ret_id,
					 uint64_t *size)
{
	const struct btf_type *t = btf_resolve(b, id, ret_id);

	*size = btf_size(b, id);
	for (unsigned int i = 0; t && btf_type_kind(t) == BTF_KIND_ARRAY && i < 8; i++)
		t = btf_resolve(b, btf_type_array(t)->type, ret_id);
	return t;
}

/* A struct whose last member is an array without a length goes on behind its end. */
static bool flexible_tail(const struct btf_view *b, const struct btf_type *t, int *off,
			  uint32_t *ret_id, enum walk *end)
{
	unsigned int n = btf_type_vlen(t);
	struct btf_place p;
	const struct btf_type *m, *e;
	uint32_t id;

	*end = WALK_BAD;
	if (!n)
		return false;
	p = btf_member_place(t, n - 1);
	m = btf_resolve(b, p.type, &id);
	if (!m || btf_type_kind(m) != BTF_KIND_ARRAY || btf_type_array(m)->nelems ||
	    *off < (int)(p.bit_offset / 8))
		return false;
	e = btf_resolve(b, btf_type_array(m)->type, ret_id);
	if (e && btf_type_kind(e) == BTF_KIND_INT) {
		*end = WALK_SCALAR;
		return false;
	}
	if (!is_struct(e) || !e->size)
		return false;
	*off = (*off - (int)(p.bit_offset / 8)) % (int)e->size;
	return true;
}

static enum walk walk_member(const struct btf_view *b, struct btf_place p, const char *name,
			     int *off, int size, struct walked *w, uint32_t *inner)
{
	int begin = (int)(p.bit_offset / 8), end;
	const struct btf_type *t;
	uint64_t bytes;
	uint32_t id;

	t = element_of(b, p.type, &id, &bytes);
	if (!t)
		return WALK_BAD;
	end = begin + (int)bytes;
	if (btf_type_kind(btf_resolve(b, p.type, &(uint32_t){0})) == BTF_KIND_ARRAY) {
		uint64_t one = btf_size(b, id);

		if (!one)
			return WALK_BAD;
		begin += (*off - begin) / (int)one * (int)one;
		bytes = one;
	}
	if (is_struct(t)) {
		*inner = id;
		*off -= begin;
		return WALK_STRUCT;
	}
	if (btf_type_kind(t) == BTF_KIND_PTR) {
		uint32_t to;
		const struct btf_type *target = btf_resolve(b, t->type, &to);

		if (bytes != (uint64_t)size || *off != begin)
			return WALK_BAD;
		if (is_struct(target)) {
			w->id = to;
			w->flags |= tag_flags(b, t->type);
			w->member = name;
			return WALK_POINTER;
		}
	}
	if (*off + size > end && !(w->flags & F_UNTRUSTED))
		return WALK_BAD;
	return WALK_SCALAR;
}

/*
 * What is at [off, off + size) of struct `id`.  STRUCT only if `stop` is set: each struct that
 * begins there is reported on the way down.
 */
static enum walk walk(const struct btf_view *b, uint32_t id, int off, int size, bool stop,
		      bool is_flexible, struct walked *w)
{
	for (unsigned int depth = 0; depth < 32; depth++) {
		const struct btf_type *t = btf_resolve(b, id, &id);
		enum walk r = WALK_BAD;
		unsigned int n, i;

		if (!is_struct(t))
			return WALK_BAD;
		n = btf_type_vlen(t);
		if (btf_type_kind(t) == BTF_KIND_UNION && n != 1)
			w->flags |= F_UNTRUSTED;
		if (off + size > (int)t->size) {
			uint32_t inner;

			if (is_flexible && flexible_tail(b, t, &off, &inner, &r)) {
				id = inner;
				continue;
			}
			return is_flexible ? r : WALK_BAD;
		}
		for (i = 0; i < n; i++) {
			struct btf_place p = btf_member_place(t, i);
			int begin = (int)(p.bit_offset / 8);
			uint64_t bytes;
			uint32_t unused;

			if (off + size <= begin)
				return WALK_BAD;
			if (p.bits) {
				if (off <= begin &&
				    (int)((p.bit_offset + p.bits + 7) / 8) <= off + size)
					return WALK_SCALAR;
				continue;
			}
			if (off < begin)
				return WALK_BAD;
			element_of(b, p.type, &unused, &bytes);
			if (off >= begin + (int)bytes)
				continue;
			r = walk_member(b, p, btf_view_string(b, btf_type_members(t)[i].name_off),
					&off, size, w, &id);
			break;
		}
		if (i == n || r == WALK_BAD)
			return WALK_BAD;
		if (r != WALK_STRUCT)
			return r;
		if (stop && !off) {
			w->id = id;
			return WALK_STRUCT;
		}
	}
	return WALK_BAD;
}

static bool types_same(const struct btf_view *a, uint32_t x, const struct btf_view *b, uint32_t y)
{
	const struct btf_type *t, *u;

	if (a == b)
		return x == y;
	/* modules continue the kernel's ids; the program's own types are never the kernel's */
	t = btf_view_type(a, x);
	u = btf_view_type(b, y);
	return (a->base == b || b->base == a) && x == y && t && u;
}

bool types_match(const struct btf_view *a, uint32_t id, int off, const struct btf_view *b,
		 uint32_t need, bool is_strict, bool is_flexible)
{
	struct walked w = {};

	if (!off && types_same(a, id, b, need))
		return true;
	if (is_strict)
		return false;
	for (unsigned int i = 0; i < 16; i++) {
		if (walk(a, id, off, 1, true, is_flexible, &w) != WALK_STRUCT)
			return false;
		if (types_same(a, w.id, b, need))
			return true;
		id = w.id;
		off = 0;
	}
	return false;
}

bool object_is_trusted(const struct reg *r)
{
	const unsigned int good = F_TRUSTED | F_ALLOC | F_NON_OWN;
	const unsigned int bad = F_NULL | F_UNTRUSTED | F_USER | F_PERCPU | F_RCU | F_RDONLY;

	if (r->ref)
		return true;
	if (reg_is_sock(r) || r->type == REG_MAP)
		return !(r->flags & F_NULL);
	return (r->flags & good) && !(r->flags & bad);
}

/* --- members that the kernel guarantees */

enum guarantee { SAFE_RCU, SAFE_RCU_OR_NULL, SAFE_TRUSTED, SAFE_TRUSTED_OR_NULL };

static bool is_guaranteed(const struct walked *w, const char *type, enum guarantee how)
{
	static const struct {
		const char *type, *member;
		enum guarantee how;
	} table[] = {
		{"task_struct", "cpus_ptr", SAFE_RCU},
		{"task_struct", "cgroups", SAFE_RCU},
		{"task_struct", "real_parent", SAFE_RCU},
		{"task_struct", "group_leader", SAFE_RCU},
		{"cgroup", "kn", SAFE_RCU},
		{"css_set", "dfl_cgrp", SAFE_RCU},
		{"mm_struct", "exe_file", SAFE_RCU_OR_NULL},
		{"sk_buff", "sk", SAFE_RCU_OR_NULL},
		{"request_sock", "sk", SAFE_RCU_OR_NULL},
		{"bpf_iter_meta", "seq", SAFE_TRUSTED},
		{"bpf_iter__task", "meta", SAFE_TRUSTED},
		{"bpf_iter__task", "task", SAFE_TRUSTED},
		{"linux_binprm", "file", SAFE_TRUSTED},
		{"file", "f_inode", SAFE_TRUSTED},
		{"dentry", "d_inode", SAFE_TRUSTED},
		{"socket", "sk", SAFE_TRUSTED_OR_NULL},
	};

	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (table[i].how == how && !strcmp(table[i].type, type) &&
		    !strcmp(table[i].member, w->member))
			return true;
	return false;
}

/* How far the pointer that was read may be trusted. */
static unsigned int pointer_flags(struct verifier *v, const struct reg *r, const struct walked *w,
				  const char *type)
{
	unsigned int flags = w->flags;

	if (r->flags & F_UNTRUSTED)
		return F_UNTRUSTED;
	if (!object_is_trusted(r) && !(r->flags & F_RCU))
		return flags & ~(F_UNTRUSTED | F_RCU | F_TRUSTED);
	if (is_guaranteed(w, type, SAFE_TRUSTED))
		return flags | F_TRUSTED;
	if (is_guaranteed(w, type, SAFE_TRUSTED_OR_NULL))
		return flags | F_TRUSTED | F_NULL;
	if (!rcu_is_held(v) || r->flags & F_NULL)
		return F_UNTRUSTED;
	if (is_guaranteed(w, type, SAFE_RCU))
		return flags | F_RCU;
	if (flags & F_RCU || is_guaranteed(w, type, SAFE_RCU_OR_NULL)) {
		flags |= F_RCU | F_NULL;
		return is_guaranteed(w, type, SAFE_RCU_OR_NULL) ? flags & ~F_UNTRUSTED : flags;
	}
	if (flags & (F_PERCPU | F_USER))
		return flags;
	return flags & ~(F_UNTRUSTED | F_RCU | F_TRUSTED);
}

/* Members that some program types may write. */
static bool may_write(const struct verifier *v, const char *type, int off, int size)
{
	(void)v;
	(void)type;
	(void)off;
	(void)size;
	return false;
}

static int place_check(struct verifier *v, const struct access *a, const struct reg *r,
		       const char *name, int32_t off)
{
	if (!v->allow_leaks)
		return refuse(v, D_VERIFY_ACCESS,
			      "'struct %s' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN",
			      name);
	if (!v->is_gpl && r->btf == v->kernel)
		return refuse(v, D_VERIFY_ACCESS,
			      "Cannot access kernel 'struct %s' from non-GPL compatible program",
			      name);
	if (off < 0)
		return refuse(v, D_VERIFY_BOUNDS, "R%u is ptr_%s invalid negative access: off=%d",
			      a->regno, name, off);
	if (!reg_is_const(r) || r->v.bits.value)
		return refuse(v, D_VERIFY_BOUNDS, "R%u is ptr_%s invalid variable offset: off=%d",
			      a->regno, name, off);
	if (r->flags & F_USER)
		return refuse(v, D_VERIFY_ACCESS, "R%u is ptr_%s access user memory: off=%d",
			      a->regno, name, off);
	if (r->flags & F_PERCPU)
		return refuse(v, D_VERIFY_ACCESS, "R%u is ptr_%s access percpu memory: off=%d",
			      a->regno, name, off);
	if (a->is_write && (r->flags & F_UNTRUSTED || !(r->flags & F_ALLOC)) &&
	    !may_write(v, name, off, (int)a->bytes))
		return refuse(v, D_VERIFY_ACCESS, "only read is supported");
	return 0;
}

/* What the kernel keeps a map in. */
static const char *map_struct(struct verifier *v, const struct reg *r)
{
	switch (reg_map(v, r)->type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return "bpf_array";
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return "bpf_htab";
	case BPF_MAP_TYPE_LPM_TRIE:
		return "lpm_trie";
	case BPF_MAP_TYPE_STACK_TRACE:
		return "bpf_stack_map";
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return "bpf_queue_stack";
	case BPF_MAP_TYPE_RINGBUF:
		return "bpf_ringbuf_map";
	case BPF_MAP_TYPE_SOCKMAP:
		return "bpf_stab";
	case BPF_MAP_TYPE_SOCKHASH:
		return "bpf_shtab";
	case BPF_MAP_TYPE_DEVMAP:
		return "bpf_dtab";
	case BPF_MAP_TYPE_CPUMAP:
		return "bpf_cpu_map";
	case BPF_MAP_TYPE_XSKMAP:
		return "xsk_map";
	case BPF_MAP_TYPE_SK_STORAGE:
		return "bpf_local_storage_map";
	}
	return "bpf_map";
}

static int map_object_access(struct verifier *v, const struct access *a, int32_t off)
{
	/* members that every map has begin behind its ops pointer; root reads them */
	const struct reg *r = &cur_regs(v)[a->regno];
	struct walked w = {};
	uint32_t id = v->kernel ? btf_find(v->kernel, BTF_ONE(STRUCT), map_struct(v, r)) : 0;

	/* maps of our own runtime are not those structs */
	if (!v->allow_leaks || !id || !v->c->as_kernel)
		return refuse(v, D_VERIFY_ACCESS,
			      "bpf_map access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN");
	if (off < 0)
		return refuse(v, D_VERIFY_BOUNDS, "R%u is bpf_map invalid negative access: off=%d",
			      a->regno, off);
	if (a->is_write)
		return refuse(v, D_VERIFY_ACCESS, "only read from bpf_map is supported");
	if (!reg_is_const(r) ||
	    walk(v->kernel, id, off, (int)a->bytes, false, true, &w) == WALK_BAD)
		return refuse(v, D_VERIFY_BOUNDS,
			      "access beyond the end of member of struct bpf_map");
	if (a->value >= 0) {
		struct reg *to = &cur_regs(v)[a->value];

		if (w.id) {
			reg_pointer(to, REG_BTF, F_UNTRUSTED);
			to->btf = v->kernel;
			to->btf_id = w.id;
		} else {
			reg_unknown(to);
		}
	}
	return 0;
}

int object_access(struct verifier *v, const struct access *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	int32_t off = a->off + r->off;
	const struct fields *fields;
	const struct btf_type *t;
	struct walked w = {};
	const char *name;
	struct reg *to;
	enum walk found;
	int ret;

	if (r->type == REG_MAP)
		return map_object_access(v, a, off);
	t = btf_view_type(r->btf, r->btf_id);
	name = t ? btf_view_name(r->btf, t) : "";
	ret = place_check(v, a, r, name, off);
	if (ret)
		return ret;
	if (a->is_write && a->value >= 0 && cur_regs(v)[a->value].type != REG_SCALAR &&
	    !v->allow_store_leaks)
		return refuse(v, D_VERIFY_LEAK, "R%d leaks addr into mem", a->value);
	fields = reg_fields(v, r);
	for (uint32_t i = 0; r->flags & F_ALLOC && i < fields->n; i++)
		if (off < (int32_t)(fields->f[i].offset + fields->f[i].size) &&
		    (int32_t)fields->f[i].offset < off + (int32_t)a->bytes)
			return refuse(v, D_VERIFY_ACCESS,
				      "direct access to a special member is "
				      "disallowed");
	found = walk(r->btf, r->btf_id, off, (int)a->bytes, false, !(r->flags & F_ALLOC), &w);
	if (found == WALK_BAD || found == WALK_STRUCT)
		return refuse(v, D_VERIFY_BOUNDS, "access beyond struct %s at off %d size %u", name,
			      off, a->bytes);
	if (a->is_write || a->value < 0)
		return 0;
	to = &cur_regs(v)[a->value];
	if (found == WALK_POINTER && !(r->flags & F_ALLOC)) {
		const struct btf_view *b = r->btf;
		unsigned int flags = pointer_flags(v, r, &w, name);

		reg_pointer(to, REG_BTF, flags);
		to->btf = b;
		to->btf_id = w.id;
		if (flags & F_NULL)
			to->id = new_id(v);
	} else {
		reg_unknown(to);
	}
	return 0;
}

int object_is_a(struct verifier *v, const struct reg *r, const struct btf_view *btf, uint32_t id,
		bool is_strict)
{
	(void)v;
	return types_match(r->btf, r->btf_id, r->off, btf, id, is_strict, true);
}
