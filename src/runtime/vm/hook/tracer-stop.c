/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each stop of a traced thread means.
 *
 * wait4() tells of a stop by a signal's number and, above it, an event.  Of events:
 *
 *	SECCOMP            the filter chose this call; it has not begun
 *	SIGTRAP|0x80       the end of a call that we wait for; without seccomp also the beginning
 *	FORK, VFORK, CLONE a new task, which is traced as well and stops by itself (EVENT_STOP),
 *	                   before or after this
 *	EXEC               the program is another; other threads are gone, and the one that asked
 *	                   for it has the number of the first
 *	EXIT               the thread ends
 *	STOP               the thread is new, or its process was stopped (Ctrl-Z): then it is
 *	                   left to listen for SIGCONT
 *	none               a signal is about to be delivered: it is passed on
 */
#include "runtime/vm/hook/tracer-internal.h"

#include "base/macro.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 /* PTRACE_O_TRACESYSGOOD */ };

bool tracer_tell(struct tracer *t, const struct tracer_event *e)
{
	return !t->is_closing && t->config.fn && t->config.fn(t->config.ctx, e);
}

static void resume(struct tracer *t, struct tracer_task *task, int signal)
{
	int how = task->in_call || !t->uses_seccomp ? PTRACE_SYSCALL : PTRACE_CONT;

	task->is_listening = false;
	/* ESRCH: somebody killed it; wait4() will tell */
	ptrace(how, task->tid, NULL, (void *)(long)signal);
}

static unsigned long message(pid_t tid)
{
	unsigned long m = 0;

	return ptrace(PTRACE_GETEVENTMSG, tid, NULL, &m) < 0 ? 0 : m;
}

/* --- system calls */

static void on_enter(struct tracer *t, struct tracer_task *task)
{
	const struct regs_call *c = &task->call;

	task->in_call = c->is_native && call_set_has(&t->config.exit, c->nr);
	if (c->is_native && call_set_has(&t->config.enter, c->nr))
		tracer_tell(t, &(struct tracer_event){.what = TRACER_ENTER, .task = task});
}

static void on_leave(struct tracer *t, struct tracer_task *task)
{
	if (!task->in_call)
		return;
	task->in_call = false;
	tracer_tell(t, &(struct tracer_event){.what = TRACER_EXIT, .task = task});
}

/*
 * With seccomp only ends are awaited.  Without it beginnings alternate with ends; where the
 * kernel says which it is (5.3), it is believed.
 */
static void on_call(struct tracer *t, struct tracer_task *task)
{
	bool is_exit = task->is_inside || t->uses_seccomp;

	if (regs_call(task->tid, is_exit, &task->call) >= 0)
		is_exit = task->call.is_exit;
	task->is_inside = !is_exit;
	if (is_exit)
		on_leave(t, task);
	else
		on_enter(t, task);
}

/* --- life */

static void on_fork(struct tracer *t, struct tracer_task *task, int event)
{
	pid_t tid = (pid_t)message(task->tid);
	struct tracer_task *child;
	bool was_early;

	if (tid <= 0)
		return;
	child = tracer_task(t, tid);
	was_early = child && child->is_early;
	if (!child) {
		child = tracer_task_add(t, tid);
	}
	child->is_early = false;
	child->shares_memory = event == PTRACE_EVENT_VFORK;
	tracer_tell(t, &(struct tracer_event){.what = TRACER_FORK,
					      .task = task,
					      .child = child,
					      .is_thread = child->pid == task->pid,
					      .shares = event == PTRACE_EVENT_VFORK});
	if (was_early)
		resume(t, child, 0);
}

/* All other threads are gone, some without a word; this one may have had another number. */
static void on_exec(struct tracer *t, struct tracer_task *task)
{
	pid_t old = (pid_t)message(task->tid);
	struct tracer_task *other;
	struct tracer_event e = {.what = TRACER_EXEC, .old_tid = old};

	if (old > 0 && old != task->tid) {
		other = tracer_task(t, old);
		if (other) { /* it goes on under the leader's number */
			task->call = other->call;
			task->in_call = other->in_call;
			task->is_inside = other->is_inside;
		}
	}
	while ((other = tracer_sibling(t, task)))
		tracer_task_remove(t, other);
	task->has_ended = task->shares_memory = false;
	e.task = task;
	tracer_tell(t, &e);
}

static void on_end(struct tracer *t, struct tracer_task *task)
{
	struct tracer_event e = {
		.what = TRACER_END, .task = task, .status = (int)message(task->tid)};

	task->has_ended = true;
	task->in_call = false;
	tracer_tell(t, &e);
}

static void ended(struct tracer *t, pid_t tid, int status, struct rusage *usage)
{
	struct tracer_task *task = tracer_task(t, tid);
	struct tracer_event e = {.task = task, .status = status, .usage = usage};

	if (tid == t->first) {
		t->first_status = status;
		t->has_ended = true;
	}
	if (!task)
		return;
	if (!task->has_ended) { /* killed, before it could stop */
		e.what = TRACER_END;
		tracer_tell(t, &e);
	}
	if (task->tid == task->pid) {
		e.what = TRACER_REAPED;
		tracer_tell(t, &e);
	}
	tracer_task_remove(t, task);
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* True: the thread does not go on. */
static bool on_event_stop(struct tracer *t, struct tracer_task *task, int signal)
{
	if (is_stop_signal(signal) && !t->is_closing) {
		ptrace(PTRACE_LISTEN, task->tid, NULL, NULL);
		task->is_listening = true;
		return true;
	}
	return task->is_early;
}

/* A breakpoint of ours; other SIGTRAPs are the program's own. */
static bool on_trap(struct tracer *t, struct tracer_task *task)
{
	siginfo_t info = {0};

	/* a step whose end came late */
	if (task->is_stepping && ptrace(PTRACE_GETSIGINFO, task->tid, NULL, &info) == 0 &&
	    info.si_code == TRAP_TRACE) {
		task->is_stepping = false;
		return true;
	}
	return tracer_tell(t, &(struct tracer_event){.what = TRACER_TRAP, .task = task});
}

static bool is_queued(const struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < t->n_queue; i++)
		if (t->queue[i].tid == tid)
			return true;
	return false;
}

void tracer_stop(struct tracer *t, pid_t tid, int status, struct rusage *usage)
{
	int event = status >> 16, signal = WSTOPSIG(status), pass_on = 0;
	struct tracer_task *task = tracer_task(t, tid);

	if (!WIFSTOPPED(status)) {
		ended(t, tid, status, usage);
		return;
	}
	if (!task) {
		task = tracer_task_add(t, tid);
		task->is_early = !t->is_closing && event == PTRACE_EVENT_STOP;
	}
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		if (regs_call(tid, false, &task->call) >= 0)
			on_enter(t, task);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_fork(t, task, event);
		break;
	case PTRACE_EVENT_EXEC:
		on_exec(t, task);
		break;
	case PTRACE_EVENT_EXIT:
		on_end(t, task);
		break;
	case PTRACE_EVENT_STOP:
		if (on_event_stop(t, task, signal))
			return;
		break;
	default:
		if (signal == SYSCALL_STOP)
			on_call(t, task);
		else if (signal != SIGTRAP || !on_trap(t, task))
			pass_on = signal;
		if (is_queued(t, tid)) /* it went on by a step, and stopped for something else */
			return;
	}
	resume(t, task, pass_on);
}

/* --- one thread alone */

void tracer_queue(struct tracer *t, pid_t tid, int status, const struct rusage *usage)
{
	if (t->n_queue == t->queue_room) {
		t->queue_room = t->queue_room ? 2 * t->queue_room : 16;
		t->queue = xrealloc(t->queue, t->queue_room * sizeof(*t->queue));
	}
	t->queue[t->n_queue].tid = tid;
	t->queue[t->n_queue].status = status;
	t->queue[t->n_queue++].usage = *usage;
}

bool tracer_unqueue(struct tracer *t, pid_t *ret_tid, int *ret_status, struct rusage *ret_usage)
{
	if (!t->n_queue)
		return false;
	*ret_tid = t->queue[0].tid;
	*ret_status = t->queue[0].status;
	*ret_usage = t->queue[0].usage;
	memmove(t->queue, t->queue + 1, --t->n_queue * sizeof(*t->queue));
	return true;
}

struct holding {
	struct tracer *t;
	struct tracer_task *but;
};

/* Does it wait within the kernel, where no wish of ours reaches it?  Then it does not run. */
static bool sleeps_deeply(pid_t tid)
{
	char path[64], state = 'D';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'D';
	if (f)
		fclose(f);
	return state == 'D';
}

/* False: it waits for what we hold back ourselves, as the parent of a vfork. */
static bool await_stop(pid_t tid, int *ret_status, struct rusage *ret_usage)
{
	enum { LOOKS_APART = 16, PAUSE_US = 20, ENOUGH = 20 };

	for (unsigned int i = 0, deep = 0;; i++) {
		pid_t r = wait4(tid, ret_status, __WALL | WNOHANG, ret_usage);

		if (r)
			return r == tid;
		if (i % LOOKS_APART == LOOKS_APART - 1) {
			deep = sleeps_deeply(tid) ? deep + 1 : 0;
			if (deep == ENOUGH)
				return false;
		}
		usleep(i < LOOKS_APART ? 0 : PAUSE_US);
	}
}

/* What it stops for may be something else than our wish: that is looked at later. */
static bool hold(void *ctx, struct tracer_task *task)
{
	struct holding *h = ctx;
	struct rusage usage;
	int status;

	if (task == h->but || task->pid != h->but->pid || task->is_early || task->is_listening ||
	    is_queued(h->t, task->tid) || ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL) < 0 ||
	    !await_stop(task->tid, &status, &usage))
		return false;
	if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) == SIGTRAP)
		task->is_held = true;
	else
		tracer_queue(h->t, task->tid, status, &usage);
	return false;
}

static bool let_go(void *ctx, struct tracer_task *task)
{
	struct holding *h = ctx;

	if (task->is_held)
		resume(h->t, task, 0);
	task->is_held = false;
	return false;
}

/* The timer's signal is not for us here. */
static pid_t wait_for(pid_t tid, int *ret_status, struct rusage *ret_usage)
{
	pid_t r;

	do
		r = wait4(tid, ret_status, __WALL, ret_usage);
	while (r < 0 && errno == EINTR);
	return r;
}

bool tracer_step(struct tracer *t, struct tracer_task *task)
{
	struct holding h = {t, task};
	struct rusage usage;
	bool is_done = false;
	int status = 0;

	tracer_each(t, hold, &h);
	task->is_stepping = true;
	/* a stop that was wished for earlier may come first */
	for (int i = 0; i < 3 && !is_done; i++) {
		pid_t r = ptrace(PTRACE_SINGLESTEP, task->tid, NULL, NULL) < 0 ? -1 : 0;

		if (!r)
			r = wait_for(task->tid, &status, &usage);
		if (r != task->tid)
			break;
		is_done = WIFSTOPPED(status) && status >> 8 == SIGTRAP;
		if (is_done || (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP))
			continue;
		tracer_queue(t, task->tid, status, &usage);
		break;
	}
	task->is_stepping = !is_done;
	return is_done;
}

void tracer_step_done(struct tracer *t, struct tracer_task *task)
{
	struct holding h = {t, task};

	tracer_each(t, let_go, &h);
}
