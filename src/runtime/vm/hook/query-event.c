/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event of the tracer becomes a context, a task and a run.
 *
 * A context has the layout of the kernel's tracepoint, so the program cannot tell.  Of the task
 * only what the program asks for is looked up: a name costs a read of /proc, a user's number
 * two.
 */
#include "runtime/vm/hook/query-internal.h"

#include "base/clock.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEARCH_MAX = 4096 };

/* --- the task */

static ssize_t read_proc(pid_t tid, const char *name, char *to, size_t room)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, to, room - 1);
	to[n > 0 ? n : 0] = 0;
	return n;
}

static void read_user(pid_t tid, struct vm_task *to)
{
	char text[SEARCH_MAX];
	const char *at;

	if (read_proc(tid, "status", text, sizeof(text)) <= 0)
		return;
	at = strstr(text, "\nUid:");
	if (at)
		sscanf(at, "\nUid: %u", &to->uid);
	at = strstr(text, "\nGid:");
	if (at)
		sscanf(at, "\nGid: %u", &to->gid);
}

/* Its folder's inode is what the kernel calls its id; where cgroup2 is, /proc/mounts says. */
static uint64_t read_cgroup(pid_t tid)
{
	char text[SEARCH_MAX], line[SEARCH_MAX], mount[256] = "", path[SEARCH_MAX + 256], *at;
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mounts", "re");
	struct stat st;

	while (f && !*mount && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %255s cgroup2 ", mount) != 1 || !strstr(line, " cgroup2 "))
			*mount = 0;
	if (!*mount || read_proc(tid, "cgroup", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "0::");
	if (!at)
		return 0;
	at[strcspn(at, "\n")] = 0;
	snprintf(path, sizeof(path), "%s%s", mount, at + 3);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static void fill_task(struct query_vm *x, struct tracer_task *from, unsigned int needs,
		      struct vm_task *to)
{
	to->pid = (uint32_t)from->pid;
	to->tid = (uint32_t)from->tid;
	to->ppid = (uint32_t)from->ppid;
	if (needs & NEEDS_COMM)
		tracer_comm(x->tracer, from, to->comm);
	if (needs & NEEDS_USER)
		read_user(from->tid, to);
	if (needs & NEEDS_CGROUP)
		to->cgroup = read_cgroup(from->tid);
}

/* --- its memory */

static int read_memory(void *ctx, const struct vm_task *t, void *to, uint64_t from, size_t n)
{
	struct query_vm *x = ctx;

	(void)t;
	return tracer_read(x->tracer, x->task, to, from, n);
}

static int write_memory(void *ctx, const struct vm_task *t, uint64_t to, const void *from, size_t n)
{
	struct query_vm *x = ctx;

	(void)t;
	return tracer_write(x->tracer, x->task, to, from, n);
}

/* By the chain of frame pointers, as the kernel does; it ends where it leads nowhere. */
static unsigned int read_stack(void *ctx, const struct vm_task *t, uint64_t *frames,
			       unsigned int room)
{
	struct query_vm *x = ctx;
	struct regs r = {0};
	uint64_t at, pair[2];
	unsigned int n = 0;

	(void)t;
	if (x->regs)
		r = *x->regs;
	if (!room || (!x->regs && regs_get(x->task->tid, &r) < 0))
		return 0;
	frames[n++] = regs_ip(&r);
	for (at = regs_frame(&r); n < room; at = pair[0]) {
		if (at % sizeof(at) || read_memory(x, t, pair, at, sizeof(pair)) < 0 || !pair[1])
			break;
		frames[n++] = pair[1];
		if (pair[0] <= at)
			break;
	}
	return n;
}

void query_vm_memory(struct query_vm *x)
{
	x->memory = (struct helper_memory){
		.read = read_memory, .write = write_memory, .stack = read_stack, .ctx = x};
}

/* --- runs */

static uint64_t run(struct query_vm *x, struct query_prog *p, struct vm_run *run, void *ctx)
{
	uint64_t begin = x->config.wants_stats ? clock_mono_ns() : 0, r0;

	r0 = code_run(p->code, run, ctx, 0);
	p->runs++;
	if (begin)
		p->ns += clock_mono_ns() - begin;
	return r0;
}

/* So full that it should be emptied before more comes? */
static bool is_ring_full(const struct query_vm *x)
{
	struct vm_map *ring = x->base.q->ring >= 0 ? x->maps[x->base.q->ring] : NULL;

	return ring && map_ring_query(ring, BPF_RB_AVAIL_DATA) > ring->def.max_entries / 2;
}

static void run_all(struct query_vm *x, struct tracer_task *task, const struct hooks *hooks,
		    void *ctx, uint64_t func)
{
	struct vm_task t = {0};
	unsigned int known = 0;
	int cpu = tracer_cpu(x->tracer);

	x->task = task;
	for (struct hook *h = hooks->first; h; h = h->next) {
		struct vm_run r = {
			.task = &t, .memory = &x->memory, .cookie = h->cookie, .func_ip = func};

		r.cpu = cpu >= 0 && (unsigned int)cpu < x->cpus ? (unsigned int)cpu : 0;
		if (known != (known | h->prog->needs) || !t.pid)
			fill_task(x, task, known |= h->prog->needs, &t);
		run(x, h->prog, &r, ctx);
	}
	x->task = NULL;
	if (is_ring_full(x))
		tracer_interrupt(x->tracer);
}

void query_vm_run_break(struct query_vm *x, struct tracer_task *t, const struct hooks *hooks,
			struct regs *r, uint64_t func)
{
	x->regs = r;
	run_all(x, t, hooks, r, func);
	x->regs = NULL;
}

uint64_t query_vm_run_self(struct query_vm *x, struct query_prog *p, uint64_t cookie, void *ctx)
{
	struct vm_task t = {.pid = (uint32_t)getpid(),
			    .tid = (uint32_t)gettid(),
			    .uid = getuid(),
			    .gid = getgid(),
			    .ppid = (uint32_t)getppid(),
			    .is_self = true};
	struct vm_run r = {.task = &t, .cookie = cookie};
	int cpu = sched_getcpu();

	r.cpu = cpu >= 0 && (unsigned int)cpu < x->cpus ? (unsigned int)cpu : 0;
	if (p->needs & NEEDS_COMM)
		read_proc((pid_t)t.tid, "comm", t.comm, sizeof(t.comm) + 0);
	t.comm[strcspn(t.comm, "\n")] = 0;
	if (p->needs & NEEDS_CGROUP)
		t.cgroup = read_cgroup((pid_t)t.tid);
	return run(x, p, &r, ctx);
}

/* --- contexts */

static struct format_common common(const struct tracer_task *t)
{
	return (struct format_common){.pid = t->tid};
}

static void on_enter(struct query_vm *x, struct tracer_task *t)
{
	const struct regs_call *c = &t->call;

	if (c->nr < CALLS_MAX && x->enter[c->nr].first) {
		struct format_enter f = {.common = common(t), .nr = (int32_t)c->nr};

		memcpy(f.args, c->args, sizeof(f.args));
		run_all(x, t, &x->enter[c->nr], &f, 0);
	}
	if (x->raw_enter.first) {
		struct format_raw_enter f = {.common = common(t), .id = (int64_t)c->nr};

		memcpy(f.args, c->args, sizeof(f.args));
		run_all(x, t, &x->raw_enter, &f, 0);
	}
}

static void on_leave(struct query_vm *x, struct tracer_task *t)
{
	const struct regs_call *c = &t->call;

	if (c->nr < CALLS_MAX && x->leave[c->nr].first) {
		struct format_exit f = {.common = common(t), .nr = (int32_t)c->nr, .ret = c->ret};

		run_all(x, t, &x->leave[c->nr], &f, 0);
	}
	if (x->raw_leave.first) {
		struct format_raw_exit f = {
			.common = common(t), .id = (int64_t)c->nr, .ret = c->ret};

		run_all(x, t, &x->raw_leave, &f, 0);
	}
}

/* What the program was called by: the kernel leaves it on the new stack (AT_EXECFN). */
static void read_filename(struct query_vm *x, struct tracer_task *t, char *to, size_t room)
{
	Elf64_auxv_t aux[64];
	ssize_t n = read_proc(t->tid, "auxv", (char *)aux, sizeof(aux));
	uint64_t at = 0;
	size_t have = 0;

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(*aux); i++)
		if (aux[i].a_type == AT_EXECFN)
			at = aux[i].a_un.a_val;
	while (at && have + 1 < room) {
		size_t piece = MIN(256 - (at + have) % 256, room - 1 - have);

		if (tracer_read(x->tracer, t, to + have, at + have, piece) < 0)
			break;
		if (memchr(to + have, 0, piece))
			return;
		have += piece;
	}
	to[have] = 0;
}

static void on_exec(struct query_vm *x, const struct tracer_event *e)
{
	struct tracer_task *t = e->task;
	struct format_exec f = {.common = common(t), .pid = t->tid, .old_pid = e->old_tid};

	if (!x->exec.first)
		return;
	read_filename(x, t, f.text, sizeof(f.text));
	f.filename = (uint32_t)((strlen(f.text) + 1) << 16 | offsetof(struct format_exec, text));
	run_all(x, t, &x->exec, &f, 0);
}

static int priority(pid_t tid)
{
	char text[SEARCH_MAX], *at;
	int prio = 20;

	if (read_proc(tid, "stat", text, sizeof(text)) <= 0 || !(at = strrchr(text, ')')))
		return 120;
	/* field 18, behind the name, which may hold anything */
	sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d", &prio);
	return prio + 100;
}

static void on_end(struct query_vm *x, struct tracer_task *t)
{
	struct format_end f = {.common = common(t), .pid = t->tid};

	if (!x->end.first)
		return;
	tracer_comm(x->tracer, t, f.comm);
	f.prio = priority(t->tid);
	f.group_dead = tracer_is_last(x->tracer, t);
	run_all(x, t, &x->end, &f, 0);
}

static void on_fork(struct query_vm *x, const struct tracer_event *e)
{
	struct tracer_task *t = e->task;
	struct format_fork f = {
		.common = common(t), .parent_pid = t->tid, .child_pid = e->child->tid};

	if (!x->fork.first)
		return;
	tracer_comm(x->tracer, t, f.text);
	memcpy(f.text + 16, f.text, 16);
	f.parent_comm = (uint32_t)((strlen(f.text) + 1) << 16 | offsetof(struct format_fork, text));
	f.child_comm = f.parent_comm + 16;
	run_all(x, t, &x->fork, &f, 0);
}

bool query_vm_event(void *ctx, const struct tracer_event *e)
{
	struct query_vm *x = ctx;

	if (e->what == TRACER_REAPED)
		tracer_interrupt(x->tracer);
	if (e->what == TRACER_TRAP)
		return query_vm_break(x, e->task);
	if (e->what == TRACER_EXEC)
		query_vm_breaks_exec(x, e->task);
	if (e->what == TRACER_EXIT)
		query_vm_breaks_mapped(x, e->task);
	if (x->is_detached)
		return false;
	switch (e->what) {
	case TRACER_ENTER:
		on_enter(x, e->task);
		break;
	case TRACER_EXIT:
		on_leave(x, e->task);
		break;
	case TRACER_EXEC:
		on_exec(x, e);
		break;
	case TRACER_FORK:
		on_fork(x, e);
		break;
	case TRACER_END:
		on_end(x, e->task);
		break;
	case TRACER_REAPED:
	case TRACER_TRAP:
		break;
	}
	return false;
}
