/* SPDX-License-Identifier: Apache-2.0 */
/* Who a program runs for, when, where; and what its hook knows. */
#include "runtime/vm/helper/calls.h"

#include "runtime/vm/map/room.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (vm_current->now_ns)
		return vm_current->now_ns;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

CALL(helper_ktime_get_ns)
{
	return clock_ns(CLOCK_MONOTONIC);
}

CALL(helper_ktime_get_boot_ns)
{
	return clock_ns(CLOCK_BOOTTIME);
}

CALL(helper_ktime_get_coarse_ns)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

CALL(helper_ktime_get_tai_ns)
{
	return clock_ns(CLOCK_TAI);
}

/* 250 a second; as the kernel's they begin 5 minutes before a 32-bit counter wraps. */
CALL(helper_jiffies64)
{
	return (uint32_t)(-300 * 250) + clock_ns(CLOCK_MONOTONIC) / 4000000;
}

CALL(helper_get_prandom_u32)
{
	static _Thread_local uint64_t state;

	if (!state)
		state = room_seed() | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state * 0x2545f4914f6cdd1dull >> 32);
}

CALL(helper_get_smp_processor_id)
{
	return vm_current->cpu;
}

CALL(helper_get_numa_node_id)
{
	return 0;
}

/* --- the task */

CALL(helper_get_current_pid_tgid)
{
	const struct vm_task *t = vm_current->task;

	return t ? (uint64_t)t->pid << 32 | t->tid : call_error(-EINVAL);
}

CALL(helper_get_current_uid_gid)
{
	const struct vm_task *t = vm_current->task;

	return t ? (uint64_t)t->gid << 32 | t->uid : call_error(-EINVAL);
}

CALL(helper_get_current_comm)
{
	const struct vm_task *t = vm_current->task;
	size_t n = (uint32_t)b;

	memset(call_pointer(a), 0, n);
	if (!t || !n)
		return call_error(-EINVAL);
	memcpy(call_pointer(a), t->comm, strnlen(t->comm, n - 1 < 15 ? n - 1 : 15));
	return 0;
}

CALL(helper_get_current_cgroup_id)
{
	return vm_current->task ? vm_current->task->cgroup : 0;
}

/* The namespace is named by device and inode of its file in /proc. */
CALL(helper_get_ns_current_pid_tgid)
{
	struct bpf_pidns_info *to = call_pointer(c);
	const struct vm_task *t = vm_current->task;
	struct stat st;
	char path[40];

	memset(to, 0, (uint32_t)d);
	if ((uint32_t)d != sizeof(*to) || !t)
		return call_error(-EINVAL);
	snprintf(path, sizeof(path), "/proc/%u/ns/pid", t->pid);
	if (stat(path, &st) || st.st_dev != a || st.st_ino != b)
		return call_error(-EINVAL);
	to->pid = t->tid;
	to->tgid = t->pid;
	return 0;
}

/* It looks like an address of the kernel's, so that what is loaded from there reads as 0. */
uint64_t helper_task_number(const struct vm_task *t)
{
	return t ? 0xffff888000000000ull | (uint64_t)t->tid << 14 : 0;
}

CALL(helper_get_current_task)
{
	return helper_task_number(vm_current->task);
}

CALL(helper_get_current_task_btf)
{
	return helper_task_number(vm_current->task);
}

static uint64_t send(uint64_t number, bool is_thread)
{
	const struct vm_task *t = vm_current->task;
	int sig = (int)(uint32_t)number;

	if (sig < 0 || sig > 64 || !t || !t->pid)
		return call_error(-EINVAL);
	if (t->is_self)
		return call_error(-EPERM); /* the runtime does not shoot itself */
	return syscall(SYS_tgkill, t->pid, is_thread ? t->tid : t->pid, sig) ? call_error(-errno)
									     : 0;
}

CALL(helper_send_signal)
{
	return send(a, false);
}

CALL(helper_send_signal_thread)
{
	return send(a, true);
}

/* --- what the hook knows */

CALL(helper_get_attach_cookie)
{
	return vm_current->cookie;
}

CALL(helper_get_func_ip)
{
	return vm_current->func_ip;
}

CALL(helper_get_func_arg)
{
	uint64_t *to = call_pointer(c);

	if ((uint32_t)b >= vm_current->n_args)
		return call_error(-EINVAL);
	*to = vm_current->args[(uint32_t)b];
	return 0;
}

CALL(helper_get_func_ret)
{
	uint64_t *to = call_pointer(b);

	*to = vm_current->func_ret;
	return 0;
}

CALL(helper_get_func_arg_cnt)
{
	return vm_current->n_args;
}
