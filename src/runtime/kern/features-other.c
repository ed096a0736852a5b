/* SPDX-License-Identifier: Apache-2.0 */
/* Probes that need no bpf(2): files of the kernel, perf events, seccomp, ptrace. */
#include <errno.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/kern/features-probe.h"

enum { PATH_ROOM = 1024 };

/* Where the first file system of this type is mounted: 0, or -ENOENT. */
static int mount_find(const char *type, char ret_path[PATH_ROOM])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mounts", "re");
	char line[4096], path[PATH_ROOM], fs[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %1023s %63s", path, fs) == 2 && !strcmp(fs, type)) {
			memcpy(ret_path, path, strlen(path) + 1);
			return 0;
		}
	return -ENOENT;
}

static long number_of_file(const char *path, long otherwise)
{
	char text[32];

	return kernel_file_read(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : otherwise;
}

void probe_kernel_reads(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	(void)arg;
	if (!strcmp(p->who.lockdown, "confidentiality"))
		answer_no(ret, -EPERM, "lockdown is \"confidentiality\"; boot without lockdown=");
	else if (*p->who.lockdown)
		answer_yes(ret, "lockdown: %s", p->who.lockdown);
	else
		answer_yes(ret, "lockdown is not known");
}

void probe_cgroup2(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	char path[PATH_ROOM];

	(void)p;
	(void)arg;
	if (mount_find("cgroup2", path) < 0)
		answer_no(ret, -ENOENT, "not mounted: mount -t cgroup2 none /sys/fs/cgroup");
	else
		answer_yes(ret, "at %.100s", path);
}

void probe_io_uring(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	const struct variants *v = &p->variants;

	(void)arg;
	if (p->types_err)
		answer_no(ret, p->types_err, "needs the kernel's types (btf)");
	else if (!v->uring_complete || (!v->uring_submit_req && !v->uring_submit_sqe))
		answer_by(p, ret, -ENOENT);
	else
		answer_yes(ret, "%s",
			   v->uring_submit_req ? "io_uring_submit_req" : "io_uring_submit_sqe");
}

static int perf_event_open(struct perf_event_attr *attr)
{
	int fd = syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * A probe on what does not exist: the kernel looks for it after all other questions
 * are settled, and nothing is patched.
 */
static void probe_by_perf(const struct probe *p, struct feature_result *ret, const char *pmu,
			  const char *name)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	_cleanup_close_ int fd = -1;
	char path[96];
	long type;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", pmu);
	type = number_of_file(path, -1);
	if (type < 0) {
		answer_no(ret, -ENOENT, "built without %s", ret->f->option);
		return;
	}
	attr.type = type;
	attr.config1 = (uintptr_t)name;
	fd = perf_event_open(&attr);
	answer_by(p, ret, fd == -ENOENT ? 0 : fd);
}

void probe_kprobe(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	(void)arg;
	probe_by_perf(p, ret, "kprobe", "skep_no_such_function");
}

void probe_uprobe(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	(void)arg;
	probe_by_perf(p, ret, "uprobe", "/proc/skep-no-such-file");
}

void probe_perf_clock(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.disabled = 1,
	};
	_cleanup_close_ int fd = perf_event_open(&attr);

	(void)arg;
	if (fd == -EACCES && privileges_missing(&p->who, CAPABILITY_BIT(PERFMON)))
		answer_no(ret, fd, "needs CAP_PERFMON (kernel.perf_event_paranoid=%ld)",
			  number_of_file("/proc/sys/kernel/perf_event_paranoid", 2));
	else
		answer_by(p, ret, fd);
}

void probe_tracefs(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	char path[PATH_ROOM], events[PATH_ROOM + 8];

	(void)p;
	(void)arg;
	if (mount_find("tracefs", path) < 0) {
		answer_no(ret, -ENOENT,
			  "not mounted: mount -t tracefs tracefs /sys/kernel/tracing");
		return;
	}
	snprintf(events, sizeof(events), "%s/events", path);
	if (!access(events, R_OK | X_OK))
		answer_yes(ret, "at %.100s", path);
	else if (errno == EACCES)
		answer_no(ret, -EACCES, "needs CAP_DAC_READ_SEARCH to read %.80s", path);
	else
		answer_no(ret, -errno, "cannot read %.80s: %s", events, strerror(errno));
}

void probe_seccomp_notify(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;
	int r = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);

	(void)arg;
	answer_by(p, ret, r < 0 ? -errno : 0);
}

/* Process 0 is nobody's: ESRCH says that the call itself is allowed. */
void probe_ptrace(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	long scope = number_of_file("/proc/sys/kernel/yama/ptrace_scope", 0);
	bool has_cap = p->who.effective & CAPABILITY_BIT(SYS_PTRACE);

	(void)arg;
	if (ptrace(PTRACE_PEEKUSER, 0, NULL, NULL) < 0 && errno != ESRCH)
		answer_no(ret, -errno, "refused by a filter: %s", strerror(errno));
	else if (scope >= 3)
		answer_no(ret, -EPERM, "kernel.yama.ptrace_scope is 3, until the next boot");
	else if (scope == 2 && !has_cap)
		answer_no(ret, -EPERM, "needs CAP_SYS_PTRACE (kernel.yama.ptrace_scope=2)");
	else if (scope == 1 && !has_cap)
		answer_yes(ret, "its own children only (kernel.yama.ptrace_scope=1)");
	else
		answer_yes(ret, "%s", "");
}
