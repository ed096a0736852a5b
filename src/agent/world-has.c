/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Features, each tried when it is first asked for; some 50 µs.  What recent kernels have is tried
 * all at once first.
 */
#include "agent/world-internal.h"
#include "runtime/kern/ability.h"

#include <linux/bpf.h>

/* Helpers that the headers we build with may not have. */
enum {
	HELPER_FOR_EACH_MAP_ELEM = 164,
	HELPER_GET_FUNC_IP = 173,
	HELPER_GET_ATTACH_COOKIE = 174,
	HELPER_LOOP = 181,
	HELPER_MAP_LOOKUP_PERCPU = 195,
	HELPER_KTIME_TAI = 208,
};

static uint32_t find(struct world *w, uint32_t kinds, const char *name)
{
	const struct btf_view *v = w->ops->btf(w);

	return v ? btf_find(v, kinds, name) : 0;
}

static uint32_t tp_btf_id(struct world *w)
{
	return find(w, BTF_ONE(TYPEDEF), "btf_trace_sched_switch");
}

static bool kprobe_helper(uint32_t helper)
{
	return kernel_has_helper(BPF_PROG_TYPE_KPROBE, helper);
}

static bool try(struct world *w, enum world_feature f)
{
	switch (f) {
	case WORLD_TP_BTF: /* 5.5; it takes the types, and what the recent ones take as well */
		return (world_kern_has(w, WORLD_TASK_PT_REGS) && w->ops->btf(w)) ||
		       kernel_has_tp_btf();
	case WORLD_FENTRY:
		return kernel_can_trace(BPF_TRACE_FENTRY,
					find(w, BTF_ONE(FUNC), "security_file_open"));
	case WORLD_KPROBE:
		return kernel_has_pmu("kprobe");
	case WORLD_KPROBE_MULTI:
		return kernel_has_kprobe_multi(false);
	case WORLD_KPROBE_SESSION:
		return kernel_has_kprobe_multi(true);
	case WORLD_UPROBE_MULTI:
		return kernel_has_uprobe_multi();
	case WORLD_BPF_LOOP:
		return kprobe_helper(HELPER_LOOP);
	case WORLD_FOR_EACH_MAP:
		return kprobe_helper(HELPER_FOR_EACH_MAP_ELEM);
	case WORLD_MAP_LOOKUP_PERCPU:
		return kprobe_helper(HELPER_MAP_LOOKUP_PERCPU);
	case WORLD_KTIME_BOOT:
		return kprobe_helper(BPF_FUNC_ktime_get_boot_ns);
	case WORLD_KTIME_TAI:
		return kprobe_helper(HELPER_KTIME_TAI);
	case WORLD_D_PATH:
		return kernel_knows_helper(BPF_FUNC_d_path);
	case WORLD_ATTACH_COOKIE:
		return kprobe_helper(HELPER_GET_ATTACH_COOKIE);
	case WORLD_COOKIE_TRACING:
		return kernel_has_tracing_helper(BPF_TRACE_RAW_TP, tp_btf_id(w),
						 HELPER_GET_ATTACH_COOKIE);
	case WORLD_TASK_BTF:
		return kprobe_helper(BPF_FUNC_get_current_task_btf);
	case WORLD_TASK_PT_REGS:
		return kprobe_helper(BPF_FUNC_task_pt_regs);
	case WORLD_JIFFIES64:
		return kprobe_helper(BPF_FUNC_jiffies64);
	case WORLD_GET_FUNC_IP:
		return kprobe_helper(HELPER_GET_FUNC_IP);
	case WORLD_SEND_SIGNAL:
		return kprobe_helper(BPF_FUNC_send_signal);
	case WORLD_OVERRIDE:
		return kprobe_helper(BPF_FUNC_override_return);
	case WORLD_SKB_OUTPUT:
		return kernel_has_tracing_helper(BPF_TRACE_RAW_TP, tp_btf_id(w),
						 BPF_FUNC_skb_output);
	case WORLD_CPU_V4:
		return kernel_has_cpu_v4();
	case WORLD_CAST: /* else it takes a search that is longer than what is saved */
	case WORLD_EMBEDDED:
	case WORLD_FEATURES:
		break;
	}
	return false;
}

/* What kernel_is_recent() answers for. */
static const uint64_t recent = 1ull << WORLD_KTIME_BOOT | 1ull << WORLD_KTIME_TAI |
			       1ull << WORLD_JIFFIES64 | 1ull << WORLD_TASK_BTF |
			       1ull << WORLD_TASK_PT_REGS | 1ull << WORLD_CPU_V4;

/*
 * All at once.  A kernel that tags the function to be called is Linux 6.9, and so has the rest;
 * without the JIT it would not be called.
 */
static void ask_all(struct world_kern *w)
{
	const struct btf_view *v = world_kern_btf_ahead(w);
	uint64_t all = recent;

	if (v && btf_kfunc(v, "bpf_rdonly_cast") && kernel_takes_programs())
		all |= 1ull << WORLD_CAST;
	else if (!kernel_is_recent())
		return;
	w->asked |= all;
	w->has |= all;
}

bool world_kern_has(struct world *base, enum world_feature f)
{
	struct world_kern *w = WORLD(base);
	uint64_t bit = 1ull << f;

	if (w->without & bit)
		return false;
	if (((recent | 1ull << WORLD_CAST) & bit) && !w->is_recent_asked) {
		w->is_recent_asked = true;
		ask_all(w);
	}
	if (!(w->asked & bit)) {
		w->asked |= bit;
		w->has |= try(base, f) ? bit : 0;
	}
	return w->has & bit;
}
