/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes, as a tracer sees them: exec, fork, exit, credentials.
 *
 * At the stop of an exec the new program is in place and has not run; /proc has its file, its
 * arguments and who it is.
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/macro.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_MAX = 8192 };

static void fill_cred(struct wire_cred *c, const char *status)
{
	const char *uid = strstr(status, "\nUid:"), *gid = strstr(status, "\nGid:");

	if (uid)
		sscanf(uid, "\nUid: %u %u %u %u", &c->uid, &c->euid, &c->suid, &c->fsuid);
	if (gid)
		sscanf(gid, "\nGid: %u %u %u %u", &c->gid, &c->egid, &c->sgid, &c->fsgid);
	c->cap_effective = watch_number(status, "\nCapEff:", 16);
	c->cap_permitted = watch_number(status, "\nCapPrm:", 16);
	c->cap_inheritable = watch_number(status, "\nCapInh:", 16);
}

static void fill_namespaces(struct wire_proc *p, pid_t tid)
{
	static const char *const names[NS_COUNT] = {
		[NS_MNT] = "mnt", [NS_PID] = "pid", [NS_NET] = "net",	    [NS_USER] = "user",
		[NS_UTS] = "uts", [NS_IPC] = "ipc", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
	};
	char path[64];
	struct stat st;

	for (int i = 0; i < NS_COUNT; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", tid, names[i]);
		p->ns[i] = stat(path, &st) < 0 ? 0 : (uint32_t)st.st_ino;
	}
}

/* The last number of its line: as the process itself sees it. */
static uint32_t innermost_pid(const char *status)
{
	const char *at = strstr(status, "\nNSpid:"), *end;
	uint32_t pid = 0;

	if (!at)
		return 0;
	end = at + 1 + strcspn(at + 1, "\n");
	for (at += 7; at < end; at += strcspn(at, "\t\n"), at += *at == '\t')
		pid = (uint32_t)strtoul(at, NULL, 10);
	return pid;
}

static uint32_t small_file(pid_t tid, const char *name)
{
	char text[32];

	return watch_read(tid, name, text, sizeof(text)) ? (uint32_t)strtoul(text, NULL, 10) : ~0u;
}

/* Everything but the strings. */
static void fill_proc(struct watch_vm *w, struct tracer_task *t)
{
	struct wire_proc *p = &w->record.proc;
	struct tracer_task *parent;
	char status[STATUS_MAX];

	watch_read(t->tid, "status", status, sizeof(status));
	fill_cred(&p->cred, status);
	p->ppid = (uint32_t)watch_number(status, "\nPPid:", 10);
	p->ns_pid = innermost_pid(status);
	p->loginuid = small_file(t->tid, "loginuid");
	p->sessionid = small_file(t->tid, "sessionid");
	fill_namespaces(p, t->tid);
	parent = tracer_task(w->tracer, (pid_t)p->ppid);
	if (parent) {
		p->parent_start_ns = watch_task(w, parent)->start_ns;
	} else { /* skep itself, most often */
		struct tracer_task stranger = {
			.tid = (pid_t)p->ppid, .pid = (pid_t)p->ppid, .comm_fd = -1};

		p->parent_start_ns = watch_task(w, &stranger)->start_ns;
		free(stranger.data);
	}
}

/* All bytes are counted, as many as a record has room for are kept. */
static void fill_args(struct watch_vm *w, struct tracer_task *t)
{
	struct wire_proc *p = &w->record.proc;
	char path[64], kept[WIRE_ARGS_MAX], rest[WIRE_ARGS_MAX];
	_cleanup_close_ int fd = -1;
	size_t have = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", t->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (have < sizeof(kept) && (n = read(fd, kept + have, sizeof(kept) - have)) > 0)
		have += (size_t)n;
	p->args_total = (uint32_t)have;
	while (have == sizeof(kept) && (n = read(fd, rest, sizeof(rest))) > 0) {
		p->args_total += (uint32_t)n;
		w->record.head.flags |= WIRE_F_CUT;
	}
	if (have)
		p->args = watch_put(w, kept, have);
}

/* What the program was called by: the kernel leaves it on the new stack. */
static uint64_t name_address(pid_t tid)
{
	Elf64_auxv_t aux[64];
	size_t n = watch_read(tid, "auxv", (char *)aux, sizeof(aux));

	for (size_t i = 0; i < n / sizeof(*aux); i++)
		if (aux[i].a_type == AT_EXECFN)
			return aux[i].a_un.a_val;
	return 0;
}

void watch_exec(struct watch_vm *w, const struct tracer_event *e)
{
	struct tracer_task *t = e->task;
	struct watch_task *x = watch_task(w, t);
	struct wire_proc *p = &w->record.proc;
	struct watch_facts facts;

	x->is_known = x->has_facts = false; /* set-user-id, if skep itself may */
	watch_begin(w, t, EV_EXEC, sizeof(*p));
	fill_proc(w, t);
	if (watch_facts(t, "exe", &facts)) {
		p->inode = facts.inode;
		p->dev = facts.dev;
		p->nlink = facts.nlink;
		p->exe_bits = facts.bits;
	}
	p->exe = watch_put_link(w, t, "exe");
	p->path = watch_put_user(w, t, name_address(t->tid), WIRE_PATH_MAX);
	p->cwd = watch_put_link(w, t, "cwd");
	fill_args(w, t);
	if (w->config.rules)
		watch_put_env(w, t);
	watch_send(w);
}

void watch_exec_failed(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_proc *p = &w->record.proc;

	if (t->call.ret >= 0)
		return;
	watch_begin(w, t, EV_EXEC, sizeof(*p));
	fill_proc(w, t);
	p->head.ret = t->call.ret;
	p->path = watch_put_user(w, t, t->call.args[d->path], WIRE_PATH_MAX);
	watch_send(w);
}

/* CLONE_* of the call that the parent is in; clone3() has them in memory. */
static uint64_t clone_flags(struct watch_vm *w, struct tracer_task *t)
{
	const uint64_t exit_signal = 0xff; /* CSIGNAL */
	struct regs_call c = {0};
	uint64_t flags = 0;
	enum { CALL_CLONE3 = 435 };

	if (regs_call_within(t->tid, &c) < 0)
		return 0;
	if (c.nr == CALL_CLONE3)
		tracer_read(w->tracer, t, &flags, c.args[0], sizeof(flags));
#ifdef __x86_64__
	else if (c.nr == 56) /* clone; fork has no arguments */
		flags = c.args[0];
	else if (c.nr == 58) /* vfork: CLONE_VFORK | CLONE_VM */
		flags = 0x4100;
#else
	else
		flags = c.args[0];
#endif
	return flags & ~exit_signal;
}

void watch_fork(struct watch_vm *w, const struct tracer_event *e)
{
	struct wire_fork *f = &w->record.fork;
	char status[STATUS_MAX];
	struct watch_task *child;

	if (e->is_thread)
		return;
	child = watch_task(w, e->child);
	watch_read(e->child->tid, "status", status, sizeof(status));
	watch_begin(w, e->task, EV_FORK, sizeof(*f));
	f->child_pid = (uint32_t)e->child->pid;
	f->child_start_ns = child->start_ns;
	f->child_cgroup = child->cgroup;
	f->child_ns_pid = innermost_pid(status);
	f->flags = clone_flags(w, e->task);
	watch_send(w);
}

/* Ticks of the whole process; the scheduler's own count is of this thread alone, but exact. */
static void fill_times(struct watch_vm *w, struct tracer_task *t, struct wire_exit *x)
{
	unsigned long long user = 0, system = 0, ran = 0;
	char text[STATUS_MAX], *at;

	if (watch_read(t->tid, "stat", text, sizeof(text)) && (at = strrchr(text, ')')))
		sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		       &system);
	x->user_ns = user * w->tick_ns;
	x->system_ns = system * w->tick_ns;
	if (watch_read(t->tid, "schedstat", text, sizeof(text)))
		sscanf(text, "%llu", &ran);
	x->cpu_ns = MAX((uint64_t)ran, x->user_ns + x->system_ns);
}

/* The process ends with its last thread. */
void watch_end(struct watch_vm *w, const struct tracer_event *e)
{
	struct wire_exit *x = &w->record.exit;
	char status[STATUS_MAX];

	if (!tracer_is_last(w->tracer, e->task))
		return;
	watch_sockets_of(w, e->task);
	watch_begin(w, e->task, EV_EXIT, sizeof(*x));
	x->status = (uint32_t)e->status;
	fill_times(w, e->task, x);
	if (watch_read(e->task->tid, "status", status, sizeof(status))) {
		x->peak_kb = watch_number(status, "\nVmHWM:", 10);
		x->ppid = (uint32_t)watch_number(status, "\nPPid:", 10);
	}
	watch_send(w);
}

void watch_creds(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	char status[STATUS_MAX];

	watch_task(w, t)->is_known = watch_task(w, t)->has_facts = false;
	watch_read(t->tid, "status", status, sizeof(status));
	watch_begin(w, t, d->kind, sizeof(w->record.creds));
	w->record.head.ret = t->call.ret;
	w->record.creds.nr = (uint32_t)t->call.nr;
	for (int i = 0; i < 3; i++)
		w->record.creds.arg[i] = t->call.args[i];
	fill_cred(&w->record.creds.cred, status);
	watch_send(w);
}
