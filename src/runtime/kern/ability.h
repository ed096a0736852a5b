/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May I use …?  One question at a time, for the compiler.
 *
 * Each tries the thing itself with the smallest program: some 50 µs, nothing is attached.
 * features.h is the same for people, all at once and with reasons.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A helper (BPF_FUNC_*) in programs of this type. */
bool kernel_has_helper(uint32_t prog_type, uint32_t helper);
/* The same for tracing programs, which are made for one thing: its id in the BTF. */
bool kernel_has_tracing_helper(uint32_t attach_type, uint32_t btf_id, uint32_t helper);
/* A helper that there is, for whatever type of program. */
bool kernel_knows_helper(uint32_t helper);
/* Programs BPF_PROG_TYPE_TRACING of this attach type on this type's id. */
bool kernel_can_trace(uint32_t attach_type, uint32_t btf_id);
/* The same for typed tracepoints, without a look into the BTF. */
bool kernel_has_tp_btf(void);
/* Functions, by perf events: the PMU "kprobe" or "uprobe". */
bool kernel_has_pmu(const char *name);
bool kernel_has_kprobe_multi(bool is_session);
bool kernel_has_uprobe_multi(void);
/* Instructions of version 4: 6.6. */
bool kernel_has_cpu_v4(void);
/*
 * Those, and the helpers ktime_get_boot_ns, ktime_get_tai_ns, jiffies64, get_current_task_btf
 * and task_pt_regs: all that a recent kernel has, by one load instead of six.  False: no answer.
 */
bool kernel_is_recent(void);
/*
 * May this process load programs that trace, and does the kernel make machine code of them?  10 µs.
 * False: no, or not known.
 */
bool kernel_takes_programs(void);
