/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: the rows of ctx.def as tables, and what an access to one may be.
 */
#include "runtime/vm/verify/ctx.h"

#include "base/macro.h"

#include <linux/bpf_perf_event.h>

/* Newer than the headers that this may be built with. */
#define BPF_PROG_TYPE_NETFILTER 32

enum {
	MAX_TRACE_SIZE = 8192, /* of a record: PERF_MAX_TRACE_SIZE */
	MAX_ARGS = 12,	       /* MAX_BPF_FUNC_ARGS */
	MAX_SYSCALL_CTX = UINT16_MAX,
	MAY_BE_NULL = 0x80,
};

#define T(type)	  (1ull << BPF_PROG_TYPE_##type)
#define AT(type)  (1ull << BPF_##type)
#define EVERY	  UINT64_MAX
#define NONE	  0
#define TC	  (T(SCHED_CLS) | T(SCHED_ACT))
#define CGSKB	  T(CGROUP_SKB)
#define LWT	  (T(LWT_IN) | T(LWT_OUT) | T(LWT_XMIT) | T(LWT_SEG6LOCAL))
#define SKB	  (T(SOCKET_FILTER) | CGSKB | LWT | TC | T(SK_SKB))
#define DIRECT	  (CGSKB | LWT | TC | T(SK_SKB) | T(FLOW_DISSECTOR))
#define SOCK_LIFE (AT(CGROUP_INET_SOCK_CREATE) | AT(CGROUP_INET_SOCK_RELEASE))
#define ADDR_4                                                                             \
	(AT(CGROUP_INET4_BIND) | AT(CGROUP_INET4_CONNECT) | AT(CGROUP_INET4_GETPEERNAME) | \
	 AT(CGROUP_INET4_GETSOCKNAME) | AT(CGROUP_UDP4_SENDMSG) | AT(CGROUP_UDP4_RECVMSG))
#define ADDR_6                                                                             \
	(AT(CGROUP_INET6_BIND) | AT(CGROUP_INET6_CONNECT) | AT(CGROUP_INET6_GETPEERNAME) | \
	 AT(CGROUP_INET6_GETSOCKNAME) | AT(CGROUP_UDP6_SENDMSG) | AT(CGROUP_UDP6_RECVMSG))

/* Pointers that programs see in 32 bits are behind the struct. */
#define IS_SHORT(kind_, unit_) \
	((unit_) == 4 &&       \
	 ((kind_) == CTX_PACKET || (kind_) == CTX_PACKET_END || (kind_) == CTX_PACKET_META))
#define MORE(kind_)                                                        \
	((kind_) == CTX_PACKET	     ? offsetof(struct ctx_more, data)     \
	 : (kind_) == CTX_PACKET_END ? offsetof(struct ctx_more, data_end) \
				     : offsetof(struct ctx_more, data_meta))
#define FIELD(struct_, member, kind_, width_, unit_, readers_, writers_)                        \
	{                                                                                       \
		.name = #member, .offset = offsetof(struct_, member),                           \
		.size = MAX(sizeof(((struct_ *)0)->member), unit_),                             \
		.kind = (CTX_##kind_) & ~MAY_BE_NULL, .is_writable = (writers_) != 0,           \
		.may_be_narrow = CTX_##width_ != CTX_EXACT,                                     \
		.may_be_null = ((CTX_##kind_) & MAY_BE_NULL) != 0,                              \
		.real_offset =                                                                  \
			IS_SHORT(CTX_##kind_, unit_) ? sizeof(struct_) + MORE(CTX_##kind_) : 0, \
		.real_bytes = IS_SHORT(CTX_##kind_, unit_) ? 8 : 0, .width = CTX_##width_,      \
		.unit = unit_, .readers = readers_, .writers = writers_,                        \
	}

static const struct ctx_field sk_buff[] = {
#define SK_BUFF(...)                         \
	FIELD(struct __sk_buff, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field xdp_md[] = {
#define XDP_MD(...)                       \
	FIELD(struct xdp_md, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sock[] = {
#define SOCK(...)                           \
	FIELD(struct bpf_sock, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sock_addr[] = {
#define SOCK_ADDR(...)                           \
	FIELD(struct bpf_sock_addr, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sock_ops[] = {
#define SOCK_OPS(...)                           \
	FIELD(struct bpf_sock_ops, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
	/* came with 6.2 */
	{.name = "skb_hwtstamp",
	 .offset = offsetof(struct bpf_sock_ops, skb_tcp_flags) + 4,
	 .size = 8,
	 .width = CTX_EXACT,
	 .unit = 8,
	 .readers = EVERY},
};
static const struct ctx_field sk_msg_md[] = {
#define SK_MSG_MD(...)                       \
	FIELD(struct sk_msg_md, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sk_reuseport_md[] = {
#define SK_REUSEPORT_MD(...)                       \
	FIELD(struct sk_reuseport_md, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sk_lookup[] = {
#define SK_LOOKUP(...)                           \
	FIELD(struct bpf_sk_lookup, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sysctl[] = {
#define SYSCTL(...)                           \
	FIELD(struct bpf_sysctl, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field sockopt[] = {
#define SOCKOPT(...)                           \
	FIELD(struct bpf_sockopt, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field cgroup_dev[] = {
#define CGROUP_DEV(...)                               \
	FIELD(struct bpf_cgroup_dev_ctx, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
static const struct ctx_field perf_event[] = {
#define PERF_EVENT(...)                                \
	FIELD(struct bpf_perf_event_data, __VA_ARGS__) \
	,
#include "runtime/vm/verify/ctx.def"
};
/* struct bpf_nf_ctx is the kernel's own. */
static const struct ctx_field nf_ctx[] = {
	{"state", 0, 8, CTX_BTF, .btf = "nf_hook_state", .unit = 8, .readers = EVERY},
	{"skb", 8, 8, CTX_BTF, .btf = "sk_buff", .unit = 8, .readers = EVERY},
};
static const struct ctx_field lirc[] = {{"sample", 0, 4, .unit = 4, .readers = EVERY}};
static const struct ctx_field tp_buffer[] = {
	{"buffer", 0, 8, CTX_TP_BUFFER, .unit = 8, .readers = EVERY}};

#define FIELDS(struct_, name_, table) \
	.name = name_, .size = sizeof(struct_), .fields = table, .n = ELEMENTS(table)
#define BY_ATTACH		.is_by_attach = true
#define PACKETS_BEHIND(struct_) .more = sizeof(struct_)
#define SK_BUFF_OF(type)                                                              \
	{                                                                             \
		BPF_PROG_TYPE_##type, FIELDS(struct __sk_buff, "__sk_buff", sk_buff), \
			PACKETS_BEHIND(struct __sk_buff)                              \
	}
#define REGS  .name = "pt_regs", .form = CTX_FORM_BYTES, .size = sizeof(bpf_user_pt_regs_t)
#define ARGS  .form = CTX_FORM_BYTES, .size = 8 * MAX_ARGS
#define TYPED .form = CTX_FORM_TYPED, .size = 8 * MAX_ARGS

static const struct ctx_type types[] = {
	SK_BUFF_OF(SOCKET_FILTER),
	{BPF_PROG_TYPE_KPROBE, REGS},
	SK_BUFF_OF(SCHED_CLS),
	SK_BUFF_OF(SCHED_ACT),
	{BPF_PROG_TYPE_TRACEPOINT, .name = "tracepoint", .form = CTX_FORM_BYTES, .first = 8,
	 .size = MAX_TRACE_SIZE},
	{BPF_PROG_TYPE_XDP, FIELDS(struct xdp_md, "xdp_md", xdp_md), BY_ATTACH,
	 PACKETS_BEHIND(struct xdp_md)},
	{BPF_PROG_TYPE_PERF_EVENT,
	 FIELDS(struct bpf_perf_event_data, "bpf_perf_event_data", perf_event), BY_ATTACH},
	SK_BUFF_OF(CGROUP_SKB),
	{BPF_PROG_TYPE_CGROUP_SOCK, FIELDS(struct bpf_sock, "bpf_sock", sock), BY_ATTACH},
	SK_BUFF_OF(LWT_IN),
	SK_BUFF_OF(LWT_OUT),
	SK_BUFF_OF(LWT_XMIT),
	{BPF_PROG_TYPE_SOCK_OPS, .name = "bpf_sock_ops", .fields = sock_ops,
	 .size = offsetof(struct bpf_sock_ops, skb_tcp_flags) + 12, .n = ELEMENTS(sock_ops),
	 BY_ATTACH},
	SK_BUFF_OF(SK_SKB),
	{BPF_PROG_TYPE_CGROUP_DEVICE,
	 FIELDS(struct bpf_cgroup_dev_ctx, "bpf_cgroup_dev_ctx", cgroup_dev), BY_ATTACH},
	{BPF_PROG_TYPE_SK_MSG, FIELDS(struct sk_msg_md, "sk_msg_md", sk_msg_md), BY_ATTACH},
	{BPF_PROG_TYPE_RAW_TRACEPOINT, .name = "bpf_raw_tracepoint_args", ARGS},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, FIELDS(struct bpf_sock_addr, "bpf_sock_addr", sock_addr),
	 BY_ATTACH},
	SK_BUFF_OF(LWT_SEG6LOCAL),
	{BPF_PROG_TYPE_LIRC_MODE2, FIELDS(uint32_t, "lirc", lirc), BY_ATTACH},
	{BPF_PROG_TYPE_SK_REUSEPORT,
	 FIELDS(struct sk_reuseport_md, "sk_reuseport_md", sk_reuseport_md), BY_ATTACH},
	SK_BUFF_OF(FLOW_DISSECTOR),
	{BPF_PROG_TYPE_CGROUP_SYSCTL, FIELDS(struct bpf_sysctl, "bpf_sysctl", sysctl), BY_ATTACH},
	{BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, .name = "bpf_raw_tracepoint_args", ARGS,
	 .fields = tp_buffer, .n = ELEMENTS(tp_buffer), BY_ATTACH},
	{BPF_PROG_TYPE_CGROUP_SOCKOPT, FIELDS(struct bpf_sockopt, "bpf_sockopt", sockopt),
	 BY_ATTACH},
	{BPF_PROG_TYPE_TRACING, .name = "arguments", TYPED},
	{BPF_PROG_TYPE_STRUCT_OPS, .name = "arguments", TYPED},
	{BPF_PROG_TYPE_EXT, .name = "arguments", TYPED},
	{BPF_PROG_TYPE_LSM, .name = "arguments", TYPED},
	{BPF_PROG_TYPE_SK_LOOKUP, FIELDS(struct bpf_sk_lookup, "bpf_sk_lookup", sk_lookup),
	 BY_ATTACH},
	{BPF_PROG_TYPE_SYSCALL, .name = "arguments", .form = CTX_FORM_BYTES,
	 .size = MAX_SYSCALL_CTX, .is_writable = true},
	{BPF_PROG_TYPE_NETFILTER, .name = "bpf_nf_ctx", .size = 16, .fields = nf_ctx,
	 .n = ELEMENTS(nf_ctx), BY_ATTACH},
};

const struct ctx_type *ctx_of(uint32_t prog_type, uint32_t attach_type)
{
	(void)attach_type; /* that is in the rows */
	for (size_t i = 0; i < ELEMENTS(types); i++)
		if (types[i].prog_type == prog_type)
			return &types[i];
	return NULL;
}

static const struct ctx_field *find_field(const struct ctx_field *f, unsigned int n, int64_t offset)
{
	for (unsigned int i = 0; i < n; i++)
		if (offset >= f[i].offset && offset < f[i].offset + f[i].size)
			return &f[i];
	return NULL;
}

/* `at` is where in the field it begins; offsets are aligned to the access. */
static bool fits(const struct ctx_field *f, uint32_t at, uint32_t bytes, bool is_write)
{
	uint32_t in_unit = at % f->unit;

	switch ((enum ctx_width)f->width) {
	case CTX_EXACT:
		return bytes == f->unit && !in_unit;
	case CTX_NARROW:
		return is_write ? bytes == f->unit && !in_unit : in_unit + bytes <= f->unit;
	case CTX_ANY:
		return at + bytes <= f->size;
	case CTX_WIDE:
		if (bytes == 8)
			return at + bytes <= f->size;
		return is_write ? bytes == f->unit : in_unit + bytes <= f->unit;
	case CTX_PORT:
		return (bytes == 4 && !at) || at + bytes <= f->unit;
	case CTX_MIN_2:
		return bytes >= 2 && in_unit + bytes <= f->unit;
	}
	return false;
}

static bool may_use(const struct ctx_type *t, const struct ctx_field *f, const struct ctx_access *a)
{
	uint32_t by = t->is_by_attach ? a->attach_type : a->prog_type;
	uint64_t who = a->is_write ? f->writers : f->readers;

	/* pointers are not cut and not extended */
	if (f->kind != CTX_NUMBER && (a->is_write || a->is_signed))
		return false;
	return who == EVERY || (by < 64 && who >> by & 1);
}

bool ctx_check(const struct ctx_type *t, const struct ctx_access *a, const struct ctx_field **ret)
{
	const struct ctx_field *f;

	*ret = NULL;
	if (!a->bytes || a->bytes > 8 || a->offset < t->first || a->offset >= t->size ||
	    a->offset + a->bytes > t->size || a->offset % a->bytes)
		return false;
	f = find_field(t->fields, t->n, a->offset);
	*ret = f;
	if (t->form != CTX_FORM_FIELDS && !f)
		return !a->is_write || t->is_writable;
	return f && may_use(t, f, a) &&
	       fits(f, (uint32_t)(a->offset - f->offset), a->bytes, a->is_write);
}

bool ctx_object_check(enum ctx_object o, int64_t offset, uint32_t bytes)
{
	const size_t wide = offsetof(struct bpf_tcp_sock, bytes_received);
	const struct ctx_field *f;

	if (!bytes || offset < 0 || offset % bytes)
		return false;
	switch (o) {
	case CTX_OBJECT_SOCK_COMMON:
		/* what only full sockets have */
		if (offset >= (int64_t)offsetof(struct bpf_sock, type) &&
		    offset < (int64_t)offsetof(struct bpf_sock, src_ip4))
			return false;
		__attribute__((fallthrough));
	case CTX_OBJECT_SOCK:
		f = find_field(sock, ELEMENTS(sock), offset);
		return f && fits(f, (uint32_t)(offset - f->offset), bytes, false);
	case CTX_OBJECT_TCP_SOCK:
		if (offset == (int64_t)wide ||
		    offset == (int64_t)offsetof(struct bpf_tcp_sock, bytes_acked))
			return bytes == 8;
		return bytes == 4 && offset < (int64_t)sizeof(struct bpf_tcp_sock);
	case CTX_OBJECT_XDP_SOCK:
		return bytes == 4 && offset < (int64_t)sizeof(struct bpf_xdp_sock);
	}
	return false;
}
