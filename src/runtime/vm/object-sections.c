/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's type, by the name of its section.
 *
 * The kernel wants to know what a program is for before it verifies it.  libbpf's convention
 * is that the section says so: "xdp", "tracepoint/sched/sched_switch".  A "?" before the name
 * means "do not load it unless asked" and is dropped.  Older loaders let people name sections
 * as they liked ("xdp_drop", "2/7"): there the type of the first parameter tells, or a guess.
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

enum { EXACT, SLASH, PREFIX };
enum { SLEEPS = 1, FRAGS = 2 };

/* Newer than the headers of the oldest system that builds this. */
#define BPF_PROG_TYPE_NETFILTER 32
enum {
	ATTACH_NETFILTER = 45,
	ATTACH_TCX_INGRESS,
	ATTACH_TCX_EGRESS,
	ATTACH_UPROBE_MULTI,
	ATTACH_UNIX_CONNECT,
	ATTACH_UNIX_SENDMSG,
	ATTACH_UNIX_RECVMSG,
	ATTACH_UNIX_GETPEERNAME,
	ATTACH_UNIX_GETSOCKNAME,
	ATTACH_NETKIT_PRIMARY,
	ATTACH_NETKIT_PEER,
	ATTACH_KPROBE_SESSION,
	ATTACH_UPROBE_SESSION,
};

static const struct row {
	const char *name;
	uint8_t how, flags;
	uint32_t type, attach;
} rows[] = {
#define SECTION(name, how, type, attach, flags) \
	{name, how, flags, BPF_PROG_TYPE_##type, (uint32_t)(attach)},
#define LEGACY(name, type, attach) {name, PREFIX, 0, BPF_PROG_TYPE_##type, (uint32_t)(attach)},
#include "runtime/vm/sections.def"
#undef SECTION
#undef LEGACY
};

/* What a first parameter of this type belongs to. */
static const struct {
	const char *type;
	uint32_t prog_type;
} contexts[] = {
	{"__sk_buff", BPF_PROG_TYPE_SCHED_CLS},
	{"xdp_md", BPF_PROG_TYPE_XDP},
	{"pt_regs", BPF_PROG_TYPE_KPROBE},
	{"user_pt_regs", BPF_PROG_TYPE_KPROBE},
	{"bpf_raw_tracepoint_args", BPF_PROG_TYPE_RAW_TRACEPOINT},
	{"bpf_perf_event_data", BPF_PROG_TYPE_PERF_EVENT},
	{"bpf_sock", BPF_PROG_TYPE_CGROUP_SOCK},
	{"bpf_sock_addr", BPF_PROG_TYPE_CGROUP_SOCK_ADDR},
	{"bpf_sock_ops", BPF_PROG_TYPE_SOCK_OPS},
	{"bpf_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT},
	{"bpf_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL},
	{"bpf_cgroup_dev_ctx", BPF_PROG_TYPE_CGROUP_DEVICE},
	{"sk_msg_md", BPF_PROG_TYPE_SK_MSG},
	{"sk_reuseport_md", BPF_PROG_TYPE_SK_REUSEPORT},
	{"bpf_sk_lookup", BPF_PROG_TYPE_SK_LOOKUP},
	{"bpf_nf_ctx", BPF_PROG_TYPE_NETFILTER},
};

static bool matches(const struct row *row, const char *name)
{
	size_t n = strlen(row->name);

	if (strncmp(name, row->name, n))
		return false;
	return row->how == PREFIX || !name[n] || (row->how == SLASH && name[n] == '/');
}

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (matches(&rows[i], name))
			return &rows[i];
	return NULL;
}

static uint32_t by_context(const struct loader *l, const struct object_func *f)
{
	const struct btf_view *v = &l->object->btf;
	uint32_t proto = l->object->has_btf && f->btf ? btf_proto(v, f->btf) : 0;
	const struct btf_type *t = proto ? btf_view_type(v, proto) : NULL;

	if (!t || !btf_type_vlen(t))
		return BPF_PROG_TYPE_UNSPEC;
	t = btf_resolve(v, btf_type_params(t)[0].type, NULL);
	if (!t || btf_type_kind(t) != BTF_KIND_PTR)
		return BPF_PROG_TYPE_UNSPEC;
	t = btf_resolve(v, t->type, NULL);
	for (size_t i = 0; t && i < ELEMENTS(contexts); i++)
		if (!strcmp(btf_view_name(v, t), contexts[i].type))
			return contexts[i].prog_type;
	return BPF_PROG_TYPE_UNSPEC;
}

static void guess(const struct loader *l, const struct object_func *f, const struct row *row,
		  struct vm_prog *p)
{
	bool is_text = !strncmp(p->section, ".text", 5);

	p->is_unknown = true;
	p->prog_type = row ? row->type : by_context(l, f);
	if (!row && !p->prog_type && !is_text)
		p->prog_type = BPF_PROG_TYPE_SCHED_CLS; /* Cilium's: "2/7" */
	p->attach_type = row ? row->attach : p->prog_type == BPF_PROG_TYPE_XDP ? BPF_XDP : 0;
}

void object_section_type(struct loader *l, const struct object_func *f, struct vm_prog *p)
{
	const char *name = l->sections[f->section].elf.name, *slash;
	const struct row *row;

	name += *name == '?';
	p->section = object_name(l, name);
	row = find(name);
	if (!row || row->how == PREFIX) {
		guess(l, f, row, p);
		return;
	}
	p->prog_type = row->type;
	p->attach_type = row->attach;
	p->is_sleepable = row->flags & SLEEPS;
	if (p->is_sleepable)
		p->flags |= BPF_F_SLEEPABLE;
	if (row->flags & FRAGS)
		p->flags |= BPF_F_XDP_HAS_FRAGS;
	slash = row->how == SLASH ? strchr(p->section, '/') : NULL;
	p->target = slash && slash[1] ? slash + 1 : NULL;
}
