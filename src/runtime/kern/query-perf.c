/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes by perf events: the oldest way, and for some kinds the only one.
 *
 * An event is opened (on a tracepoint by its number, on a function by one of the dynamic
 * PMUs "kprobe" and "uprobe", on a clock or counter per cpu), then the program is put on
 * it: by a link that carries a cookie (5.15), else by an ioctl.  Programs on tracepoints
 * and functions run on all cpus, whichever the event is opened on; those on clocks,
 * counters and breakpoints only on its own.
 */
#include "base/macro.h"
#include "runtime/kern/cpus.h"
#include "runtime/kern/privileges.h"
#include "runtime/kern/query-internal.h"
#include "runtime/kern/tracefs.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum {
	CPUS_MAX = 4096,
	BPF_PERF_EVENT_ = 41, /* attach type, 5.15 */
	BREAKPOINT_X = 4,     /* HW_BREAKPOINT_X; linux/hw_breakpoint.h has names of ours */
};

/* Addresses from here on are the kernel's. */
#define KERNEL_HALF (1ull << 63)

static int perf_open(struct perf_event_attr *a, int pid, int cpu)
{
	long fd;

	a->size = sizeof(*a);
	fd = syscall(SYS_perf_event_open, a, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* The program onto the event: *ret_link is the link's descriptor, -1 if there is none. */
static int put_program(const struct query_kern *x, const struct question_probe *p, int event,
		       int *ret_link)
{
	union bpf_attr a = {0};
	int r;

	*ret_link = -1;
	a.link_create.prog_fd = (uint32_t)x->progs[p->prog];
	a.link_create.target_fd = (uint32_t)event;
	a.link_create.attach_type = BPF_PERF_EVENT_;
	a.link_create.perf_event.bpf_cookie = p->cookie;
	r = bpf_call(BPF_LINK_CREATE, &a, sizeof(a));
	if (r >= 0) {
		*ret_link = r;
		return 0;
	}
	if (p->cookie || r != -EINVAL)
		return r;
	return ioctl(event, PERF_EVENT_IOC_SET_BPF, x->progs[p->prog]) < 0 ? -errno : 0;
}

/* Open, put the program on it, let it run. */
static int start(struct query_kern *x, const struct question_probe *p, struct perf_event_attr *attr,
		 int pid, int cpu)
{
	int event = perf_open(attr, pid, cpu), link, r;

	if (event < 0)
		return event;
	r = put_program(x, p, event, &link);
	if (!r && ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0)
		r = -errno;
	if (r < 0) {
		if (link >= 0)
			close(link);
		close(event);
		return r;
	}
	/* above PERF_TYPE_MAX: kprobe, uprobe */
	query_keep(x, link, event,
		   attr->type == PERF_TYPE_TRACEPOINT || attr->type >= PERF_TYPE_MAX);
	return 0;
}

/* On each cpu that is online; those that go meanwhile are left out. */
static int start_everywhere(struct query_kern *x, const struct question_probe *p,
			    struct perf_event_attr *attr)
{
	uint32_t cpus[CPUS_MAX];
	unsigned int n = cpus_online(cpus, CPUS_MAX), done = 0;
	int r = 0;

	attr->inherit = p->pid > 0; /* threads and children that it starts later, too */
	for (unsigned int i = 0; i < n; i++) {
		r = start(x, p, attr, p->pid > 0 ? p->pid : -1, (int)cpus[i]);
		if (r < 0 && r != -ENODEV)
			return r;
		done += r >= 0;
	}
	return done ? 0 : r;
}

/* --- functions: the PMUs say by files what their attributes are */

static long pmu_number(const char *pmu, const char *file, const char *prefix)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/%s", pmu, file);
	if (kernel_file_read(path, text, sizeof(text)) <= 0 ||
	    strncmp(text, prefix, strlen(prefix)))
		return -1;
	return strtol(text + strlen(prefix), NULL, 10);
}

static int pmu_attr(struct perf_event_attr *attr, const char *pmu, bool is_return)
{
	long type = pmu_number(pmu, "type", "");

	if (type < 0)
		return -ENOTSUP;
	attr->type = (uint32_t)type;
	if (is_return) {
		long bit = pmu_number(pmu, "format/retprobe", "config:");

		if (bit < 0)
			return -ENOTSUP;
		attr->config |= 1ull << bit;
	}
	return 0;
}

int query_attach_kprobe(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = {0};
	char name[512];
	int r = pmu_attr(&attr, "kprobe", attach_has(p->attach, QA_RETURN));

	if (r < 0)
		return r;
	if (p->target) {
		snprintf(name, sizeof(name), "%s%s%s", p->module ? p->module : "",
			 p->module ? ":" : "", p->target);
		attr.config1 = (uintptr_t)name;
		attr.config2 = p->offset;
	} else {
		attr.config2 = p->address;
	}
	return start(x, p, &attr, -1, 0);
}

int query_attach_uprobe(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = {0};
	int r = pmu_attr(&attr, "uprobe", attach_has(p->attach, QA_RETURN));
	bool is_one = p->pid > 0;

	if (r < 0)
		return r;
	if (p->ref_ctr) { /* 4.20 */
		long bit = pmu_number("uprobe", "format/ref_ctr_offset", "config:");

		if (bit < 0)
			return -ENOTSUP;
		attr.config |= p->ref_ctr << bit;
	}
	attr.config1 = (uintptr_t)p->binary;
	attr.config2 = p->address;
	return start(x, p, &attr, is_one ? p->pid : -1, is_one ? -1 : 0);
}

/* --- tracepoints, clocks, counters, memory */

int query_attach_tracepoint(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT};
	int id = tracefs_event_id(&x->tracefs, p->group, p->target);

	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	attr.sample_period = 1;
	return start(x, p, &attr, -1, 0);
}

static void set_period(struct perf_event_attr *attr, const struct question_probe *p)
{
	attr->freq = p->is_freq;
	attr->sample_period = p->period ? p->period : 1; /* in one place with sample_freq */
}

int query_attach_event(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = {.type = p->perf_type, .config = p->perf_config};

	set_period(&attr, p);
	return start_everywhere(x, p, &attr);
}

static const struct perf_event_attr clock_attr = {
	.type = PERF_TYPE_SOFTWARE,
	.config = PERF_COUNT_SW_CPU_CLOCK,
};

int query_attach_profile(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = clock_attr;

	set_period(&attr, p);
	return start_everywhere(x, p, &attr);
}

int query_attach_interval(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = clock_attr;
	uint32_t cpu;

	set_period(&attr, p);
	cpus_online(&cpu, 1);
	return start(x, p, &attr, -1, (int)cpu);
}

/* All threads that a process has now; those that it starts later inherit the event. */
static int start_on_threads(struct query_kern *x, const struct question_probe *p,
			    struct perf_event_attr *attr, int pid)
{
	char path[64];
	struct dirent *entry;
	DIR *d;
	int r = -ESRCH, done = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	if (!d)
		return -ESRCH;
	attr->inherit = 1;
	while ((entry = readdir(d))) {
		int thread = atoi(entry->d_name);

		if (thread <= 0)
			continue;
		r = start(x, p, attr, thread, -1);
		done += r >= 0;
	}
	closedir(d);
	return done ? 0 : r;
}

/* An address of a process: on that process; one of the kernel: on each cpu. */
int query_attach_watchpoint(struct query_kern *x, const struct question_probe *p)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.bp_type = p->mode,
		.bp_addr = p->address,
		.bp_len = p->mode == BREAKPOINT_X ? sizeof(long) : p->length,
		.sample_period = 1,
		.precise_ip = 2, /* the register state of right then */
	};
	int pid = p->pid > 0 ? p->pid : x->config.child_pid;

	/* the address means what it means in one process only, -p's or that of -c */
	if (pid > 0 && p->address < KERNEL_HALF)
		return start_on_threads(x, p, &attr, pid);
	return start_everywhere(x, p, &attr);
}
