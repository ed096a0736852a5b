/* SPDX-License-Identifier: Apache-2.0 */
/* Which kfuncs there are for which program types. */
#include "runtime/vm/helper/kfunc-proto.h"

#include "base/macro.h"

#include <string.h>

/* Newer than the headers that this may be built with. */
#define BPF_PROG_TYPE_NETFILTER 32
enum { ATTACH_KPROBE_SESSION = 56 };

/* The kernel registers kfuncs by hooks; several program types share one (kernel/bpf/btf.c). */
#define T(type)	   (1ull << BPF_PROG_TYPE_##type)
#define COMMON	   UINT64_MAX
#define XDP	   T(XDP)
#define TC	   T(SCHED_CLS)
#define ACT	   T(SCHED_ACT)
#define STRUCT_OPS T(STRUCT_OPS)
#define LSM	   T(LSM)
#define TRACING	   (T(TRACING) | T(TRACEPOINT) | T(PERF_EVENT) | LSM)
#define SYSCALL	   T(SYSCALL)
#define CGROUP                                                                     \
	(T(CGROUP_SKB) | T(CGROUP_SOCK) | T(CGROUP_DEVICE) | T(CGROUP_SOCK_ADDR) | \
	 T(CGROUP_SOCKOPT) | T(CGROUP_SYSCTL))
#define LWT	(T(LWT_IN) | T(LWT_OUT) | T(LWT_XMIT) | T(LWT_SEG6LOCAL))
#define KPROBE	T(KPROBE)
#define GENERIC (TRACING | TC | XDP | STRUCT_OPS | SYSCALL | CGROUP)
#define SKB	(TC | ACT | T(SK_SKB) | T(SOCKET_FILTER) | CGROUP | LWT | T(NETFILTER) | TRACING)

/* Flags are written without their prefix. */
#define ACQUIRE	      KFUNC_ACQUIRE
#define RELEASE	      KFUNC_RELEASE
#define RET_NULL      KFUNC_RET_NULL
#define TRUSTED_ARGS  KFUNC_TRUSTED_ARGS
#define SLEEPABLE     KFUNC_SLEEPABLE
#define DESTRUCTIVE   KFUNC_DESTRUCTIVE
#define RCU	      KFUNC_RCU
#define ITER_NEW      KFUNC_ITER_NEW
#define ITER_NEXT     KFUNC_ITER_NEXT
#define ITER_DESTROY  KFUNC_ITER_DESTROY
#define RCU_PROTECTED KFUNC_RCU_PROTECTED

static const struct kfunc_proto kfuncs[] = {
#define KFUNC(name, hooks, flags) {#name, hooks, flags},
#include "runtime/vm/helper/kfuncs.def"
};

/* The first row of the name; rows are sorted. */
static const struct kfunc_proto *first_row(const char *name)
{
	size_t from = 0, to = ELEMENTS(kfuncs);

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (strcmp(kfuncs[middle].name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < ELEMENTS(kfuncs) && !strcmp(kfuncs[from].name, name) ? &kfuncs[from] : NULL;
}

const struct kfunc_proto *kfunc_proto_of(const char *name)
{
	return first_row(name);
}

/* What filters of the kernel's sets say beyond the program type. */
static bool is_filtered(const char *name, uint32_t attach_type)
{
	if (!strcmp(name, "bpf_sock_destroy"))
		return attach_type != BPF_TRACE_ITER;
	if (!strncmp(name, "bpf_session_", strlen("bpf_session_")))
		return attach_type != ATTACH_KPROBE_SESSION;
	return false;
}

const struct kfunc_proto *kfunc_proto_for(const char *name, uint32_t prog_type,
					  uint32_t attach_type)
{
	const struct kfunc_proto *k = first_row(name);

	if (!k || prog_type >= 64 || is_filtered(name, attach_type))
		return NULL;
	for (; k < kfuncs + ELEMENTS(kfuncs) && !strcmp(k->name, name); k++)
		if (k->types >> prog_type & 1)
			return k;
	return NULL;
}
