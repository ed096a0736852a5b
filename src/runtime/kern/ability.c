/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/ability.h"

#include "base/macro.h"
#include "isa/insn.h"
#include "runtime/kern/bpf.h"
#include "runtime/kern/privileges.h"

#include <errno.h>
#include <stdio.h>

enum {
	LOG_ROOM = 4096,
	/* helpers that the headers we build with may not have */
	HELPER_KTIME_GET_TAI_NS = 208,
};

struct trial {
	uint32_t type, attach, btf_id;
	const struct bpf_insn *insns;
	uint32_t n;
};

/* The descriptor or -errno; the log's beginning in `log` if it is given. */
static int try_load(const struct trial *t, char *log)
{
	union bpf_attr a = {0};
	int fd;

	a.prog_type = t->type;
	a.expected_attach_type = t->attach;
	a.attach_btf_id = t->btf_id;
	a.insns = (uintptr_t)t->insns;
	a.insn_cnt = t->n;
	a.license = (uintptr_t) "GPL";
	if (log) {
		log[0] = 0;
		a.log_buf = (uintptr_t)log;
		a.log_size = LOG_ROOM;
		a.log_level = 1;
	}
	fd = bpf_call(BPF_PROG_LOAD, &a, sizeof(a));
	if (fd != -EPERM)
		return fd;
	bpf_raise_memlock();
	return bpf_call(BPF_PROG_LOAD, &a, sizeof(a));
}

static bool loads(const struct trial *t)
{
	_cleanup_close_ int fd = try_load(t, NULL);

	return fd >= 0;
}

/*
 * A call without arguments is refused by any kernel; the question is why.  One that does
 * not have the helper says so before it looks at arguments.
 */
static bool has_helper(uint32_t type, uint32_t attach, uint32_t btf_id, uint32_t helper,
		       bool any_type)
{
	const struct bpf_insn insns[] = {insn_call(0, (int32_t)helper), insn_mov_imm(BPF_REG_0, 0),
					 insn_exit()};
	const struct trial t = {type, attach, btf_id, insns, ELEMENTS(insns)};
	char log[LOG_ROOM];
	_cleanup_close_ int fd = try_load(&t, log);

	if (fd >= 0)
		return true;
	log[LOG_ROOM - 1] = 0;
	if (!log[0] || strstr(log, "invalid func "))
		return false;
	return any_type || (!strstr(log, "unknown func ") && !strstr(log, "cannot use helper"));
}

bool kernel_has_helper(uint32_t prog_type, uint32_t helper)
{
	return has_helper(prog_type, 0, 0, helper, false);
}

bool kernel_has_tracing_helper(uint32_t attach_type, uint32_t btf_id, uint32_t helper)
{
	return has_helper(BPF_PROG_TYPE_TRACING, attach_type, btf_id, helper, false);
}

bool kernel_knows_helper(uint32_t helper)
{
	return has_helper(BPF_PROG_TYPE_KPROBE, 0, 0, helper, true);
}

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

bool kernel_can_trace(uint32_t attach_type, uint32_t btf_id)
{
	const struct trial t = {BPF_PROG_TYPE_TRACING, attach_type, btf_id, nothing,
				ELEMENTS(nothing)};

	return btf_id && loads(&t);
}

/* Type 1 is a number: who gets as far as to say so could trace a tracepoint. */
bool kernel_has_tp_btf(void)
{
	const struct trial t = {BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 1, nothing,
				ELEMENTS(nothing)};
	char log[LOG_ROOM];
	_cleanup_close_ int fd = try_load(&t, log);

	log[LOG_ROOM - 1] = 0;
	return fd >= 0 || strstr(log, "is not a typedef");
}

bool kernel_has_pmu(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	return !access(path, R_OK);
}

/* The kernel refuses the addresses only after it has agreed to all else. */
bool kernel_has_kprobe_multi(bool is_session)
{
	uint32_t attach = is_session ? BPF_TRACE_KPROBE_SESSION_ : BPF_TRACE_KPROBE_MULTI_;
	const struct trial t = {BPF_PROG_TYPE_KPROBE, attach, 0, nothing, ELEMENTS(nothing)};
	_cleanup_close_ int prog = try_load(&t, NULL), link = -1;
	union bpf_attr a = {0};

	if (prog < 0)
		return false;
	a.link_create.prog_fd = (uint32_t)prog;
	a.link_create.attach_type = attach;
	a.link_create.kprobe_multi.cnt = 1;
	a.link_create.kprobe_multi.addrs = 1; /* no such memory */
	link = bpf_call(BPF_LINK_CREATE, &a, sizeof(a));
	return link == -EFAULT;
}

/* The same with a folder, which has no functions. */
bool kernel_has_uprobe_multi(void)
{
	const struct trial t = {BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI_, 0, nothing,
				ELEMENTS(nothing)};
	_cleanup_close_ int prog = try_load(&t, NULL), link = -1;
	struct bpf_link_uprobe_multi a = {.attach_type = BPF_TRACE_UPROBE_MULTI_, .cnt = 1};
	unsigned long offset = 0;

	if (prog < 0)
		return false;
	a.prog_fd = (uint32_t)prog;
	a.path = (uintptr_t) "/";
	a.offsets = (uintptr_t)&offset;
	link = bpf_call(BPF_LINK_CREATE, &a, sizeof(a));
	return link == -EBADF;
}

bool kernel_has_cpu_v4(void)
{
	const struct bpf_insn insns[] = {insn_mov_imm(BPF_REG_1, 0),
					 insn_movsx(BPF_REG_0, BPF_REG_1, 8),
					 insn_mov_imm(BPF_REG_0, 0), insn_exit()};
	const struct trial t = {BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, insns, ELEMENTS(insns)};

	return loads(&t);
}

bool kernel_is_recent(void)
{
	const struct bpf_insn insns[] = {
		insn_call(0, BPF_FUNC_ktime_get_boot_ns),
		insn_call(0, HELPER_KTIME_GET_TAI_NS),
		insn_call(0, BPF_FUNC_jiffies64),
		insn_call(0, BPF_FUNC_get_current_task_btf),
		insn_mov(BPF_REG_1, BPF_REG_0),
		insn_call(0, BPF_FUNC_task_pt_regs),
		insn_mov_imm(BPF_REG_1, 0),
		insn_movsx(BPF_REG_0, BPF_REG_1, 8),
		insn_mov_imm(BPF_REG_0, 0),
		insn_exit(),
	};
	const struct trial t = {BPF_PROG_TYPE_KPROBE, 0, 0, insns, ELEMENTS(insns)};

	return loads(&t);
}

/* Who may not is told before the kernel looks for the instructions, which are nowhere. */
bool kernel_takes_programs(void)
{
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_KPROBE, .insn_cnt = 1};
	char jit[8] = "";

	a.license = (uintptr_t) "GPL";
	return bpf_call(BPF_PROG_LOAD, &a, sizeof(a)) == -EFAULT &&
	       kernel_file_read("/proc/sys/net/core/bpf_jit_enable", jit, sizeof(jit)) > 0 &&
	       jit[0] != '0';
}
