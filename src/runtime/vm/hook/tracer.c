/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/tracer-internal.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OPTIONS = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		  PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD,
	TICK_NS = 1000000, /* again and again from the deadline on: the first may come too early */
	LOOKS = 8,	   /* at the clock, every so many stops */
};

/* --- the wait: a signal of the timer's ends it */

static int wake_signal(void)
{
	return SIGRTMAX - 2;
}

static void on_wake(int signal)
{
	(void)signal; /* only to end the wait */
}

static int make_timer(struct tracer *t)
{
	struct sigaction wake = {.sa_handler = on_wake};
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = wake_signal()};

	e._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (sigaction(wake_signal(), &wake, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &e, &t->timer) < 0)
		return -errno;
	t->has_timer = true;
	return 0;
}

static void set_timer(struct tracer *t, uint64_t deadline_ns)
{
	struct itimerspec when = {
		.it_value = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)},
		.it_interval = {0, deadline_ns ? TICK_NS : 0},
	};

	timer_settime(t->timer, TIMER_ABSTIME, &when, NULL);
}

static void sleep_until(uint64_t deadline_ns)
{
	struct timespec until = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Each stop sends a SIGCHLD: whoever has a handler for it shall not pay for all of them. */
static void block_child_signal(sigset_t *ret_before)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &child, ret_before);
}

int tracer_poll(struct tracer *t, uint64_t deadline_ns)
{
	int n = 0, status;
	struct rusage usage;
	sigset_t before;
	pid_t tid;

	t->wants_return = false;
	block_child_signal(&before);
	set_timer(t, MAX(deadline_ns, 1ull));
	while (!t->wants_return && t->tasks.n) {
		if (!tracer_unqueue(t, &tid, &status, &usage))
			tid = wait4(-1, &status, __WALL, &usage);
		if (tid < 0 && errno != EINTR)
			break;
		if (tid > 0)
			tracer_stop(t, tid, status, &usage);
		n += tid > 0;
		if ((tid < 0 || n % LOOKS == 0) && clock_mono_ns() >= deadline_ns)
			break;
	}
	set_timer(t, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!t->tasks.n && !n)
		sleep_until(deadline_ns);
	return n;
}

void tracer_interrupt(struct tracer *t)
{
	t->wants_return = true;
}

/* --- who may trace */

static int file_number(const char *path, int otherwise)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int v = otherwise;

	return f && fscanf(f, "%d", &v) == 1 ? v : otherwise;
}

static int tracer_of_us(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	int pid = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %d", &pid) == 1)
			break;
	return pid;
}

static void say_refused(struct runtime_error *e, int r)
{
	int scope = file_number("/proc/sys/kernel/yama/ptrace_scope", 0), by = tracer_of_us();

	snprintf(e->what, sizeof(e->what), "cannot trace the command: %s", strerror(-r));
	if (by > 0)
		snprintf(e->hint, sizeof(e->hint),
			 "process %d traces skep and all that it starts (strace, gdb?): only one "
			 "may",
			 by);
	else if (scope >= 2)
		snprintf(
			e->hint, sizeof(e->hint),
			"kernel.yama.ptrace_scope is %d, which forbids it: 1 allows to trace one's "
			"own children",
			scope);
	else
		snprintf(e->hint, sizeof(e->hint),
			 "ptrace(2) is refused here: by a container's seccomp profile?");
}

/* --- life */

int tracer_new(const struct tracer_config *config, struct tracer **ret, struct runtime_error *e)
{
	struct tracer *t = xalloc(sizeof(*t));
	int r;

	t->config = *config;
	t->cpu = -1;
	t->uses_seccomp = !config->no_seccomp && seccomp_probe() >= 0;
	r = make_timer(t);
	if (r < 0) {
		snprintf(e->what, sizeof(e->what), "cannot make a timer: %s", strerror(-r));
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct call_set *tracer_enter_calls(struct tracer *t)
{
	return &t->config.enter;
}

struct call_set *tracer_exit_calls(struct tracer *t)
{
	return &t->config.exit;
}

bool tracer_uses_seccomp(const struct tracer *t)
{
	return t->uses_seccomp;
}

int tracer_cpu(const struct tracer *t)
{
	return t->cpu;
}

/* The cpu that we are on is as good as any. */
static void share_cpu(struct tracer *t, pid_t pid)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	if (t->config.all_cpus || cpu < 0 || sched_getaffinity(0, sizeof(t->cpus), &t->cpus) < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return;
	t->cpu = cpu;
	sched_setaffinity(pid, sizeof(one), &one);
}

int tracer_seize(struct tracer *t, pid_t pid, struct runtime_error *e)
{
	int options = OPTIONS | (t->uses_seccomp ? PTRACE_O_TRACESECCOMP : 0) | PTRACE_O_EXITKILL;
	int r, status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)options) < 0) {
		r = -errno;
		say_refused(e, r);
		return r == -ENOSYS ? -ENOTSUP : -EPERM;
	}
	tracer_task_add(t, pid);
	t->first = pid;
	share_cpu(t, pid);
	/* without a filter only a thread that was stopped once stops at its calls */
	if (!t->uses_seccomp && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
	    waitpid(pid, &status, __WALL) == pid)
		tracer_stop(t, pid, status, NULL);
	return 0;
}

struct str tracer_orders(struct tracer *t)
{
	struct call_set both = t->config.enter;

	if (!t->uses_seccomp)
		return (struct str){"", 0};
	both.all |= t->config.exit.all;
	for (unsigned int i = 0; i < CALLS_MAX / 64; i++)
		both.bits[i] |= t->config.exit.bits[i];
	seccomp_make(&both, &t->filter);
	return (struct str){(const char *)t->filter.insns, t->filter.n * sizeof(*t->filter.insns)};
}

int tracer_child(const void *orders, size_t n)
{
	return n ? seccomp_install(orders, n / sizeof(struct sock_filter)) : 0;
}

bool tracer_has_ended(const struct tracer *t, int *ret_status)
{
	if (t->has_ended)
		*ret_status = t->first_status;
	return t->has_ended;
}

static unsigned int kill_all(struct tracer *t)
{
	struct tracer_task *task;
	unsigned int n = 0;

	map_each(&t->tasks, i, task) {
		n += task->tid == task->pid;
		kill(task->tid, SIGKILL);
	}
	return n;
}

/* Those that wait for us go on; of what they do nobody is told. */
static void release_early(struct tracer *t)
{
	struct tracer_task *task;

	map_each(&t->tasks, i, task)
		if (task->is_early)
			ptrace(PTRACE_CONT, task->tid, NULL, NULL);
}

unsigned int tracer_close(struct tracer *t, unsigned int grace_ms)
{
	unsigned int killed = 0;
	struct tracer_task *task;
	uint64_t end;

	if (!t)
		return 0;
	t->is_closing = true;
	release_early(t);
	for (end = clock_mono_ns() + grace_ms * NS_PER_MS; t->tasks.n && clock_mono_ns() < end;)
		tracer_poll(t, end);
	if (t->tasks.n)
		killed = kill_all(t);
	for (end = clock_mono_ns() + NS_PER_S; t->tasks.n && clock_mono_ns() < end;)
		tracer_poll(t, end);
	if (t->has_timer)
		timer_delete(t->timer);
	if (t->cpu >= 0)
		sched_setaffinity(0, sizeof(t->cpus), &t->cpus);
	for (bool any = true; any;) {
		any = false;
		map_each(&t->tasks, i, task) {
			tracer_task_remove(t, task);
			any = true;
			break;
		}
	}
	map_done(&t->tasks);
	free(t->queue);
	free(t);
	return killed;
}
