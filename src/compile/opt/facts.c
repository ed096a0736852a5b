/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/opt/facts.h"

#include "compile/ir/op.h"

#include <linux/bpf.h>

#define TELLS  (FACT_TELLS | FACT_KEEPS_MAPS)
#define STEADY (FACT_TELLS | FACT_STEADY | FACT_KEEPS_MAPS)
#define KEEPS  FACT_KEEPS_MAPS

static const uint8_t facts[] = {
	[BPF_FUNC_map_lookup_elem] = KEEPS,
	[BPF_FUNC_map_lookup_percpu_elem] = KEEPS,
	[BPF_FUNC_probe_read] = KEEPS,
	[BPF_FUNC_probe_read_str] = KEEPS,
	[BPF_FUNC_probe_read_kernel] = KEEPS,
	[BPF_FUNC_probe_read_kernel_str] = KEEPS,
	[BPF_FUNC_probe_read_user] = KEEPS,
	[BPF_FUNC_probe_read_user_str] = KEEPS,
	[BPF_FUNC_get_current_comm] = KEEPS,
	[BPF_FUNC_get_ns_current_pid_tgid] = KEEPS,
	[BPF_FUNC_strncmp] = KEEPS,
	[BPF_FUNC_ringbuf_output] = KEEPS,
	[BPF_FUNC_perf_event_output] = KEEPS,
	[BPF_FUNC_get_stack] = KEEPS,
	[BPF_FUNC_d_path] = KEEPS,
	[BPF_FUNC_ktime_get_ns] = TELLS,
	[BPF_FUNC_ktime_get_boot_ns] = TELLS,
	[BPF_FUNC_ktime_get_coarse_ns] = TELLS,
	[BPF_FUNC_ktime_get_tai_ns] = TELLS,
	[BPF_FUNC_jiffies64] = TELLS,
	[BPF_FUNC_get_prandom_u32] = TELLS,
	[BPF_FUNC_get_smp_processor_id] = STEADY,
	[BPF_FUNC_get_numa_node_id] = STEADY,
	[BPF_FUNC_get_current_pid_tgid] = STEADY,
	[BPF_FUNC_get_current_uid_gid] = STEADY,
	[BPF_FUNC_get_current_task] = STEADY,
	[BPF_FUNC_get_current_task_btf] = STEADY,
	[BPF_FUNC_get_current_cgroup_id] = STEADY,
	[BPF_FUNC_get_current_ancestor_cgroup_id] = STEADY,
	[BPF_FUNC_get_func_ip] = STEADY,
	[BPF_FUNC_get_attach_cookie] = STEADY,
};

unsigned int facts_of_helper(uint32_t id)
{
	return id < ELEMENTS(facts) ? facts[id] : 0;
}

unsigned int facts_of(const struct ir_insn *i)
{
	if (i->op == IR_CALL)
		return facts_of_helper(i->index);
	if (ir_op_info[i->op].form == IRF_CALL && !ir_is_pure(i))
		return 0;
	return FACT_KEEPS_MAPS | (ir_is_droppable(i) ? FACT_TELLS : 0);
}
