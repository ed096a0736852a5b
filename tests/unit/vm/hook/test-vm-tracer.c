/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracer over children that do one thing each: what it tells, and that they do not notice.
 * No privilege is needed.
 */
#include "base/clock.h"
#include "base/macro.h"
#include "runtime/vm/hook/tracer.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

/* What was told, counted. */
struct seen {
	struct tracer *t;
	unsigned int enters, exits, execs, forks, threads, ends, reaped;
	uint64_t last_nr, last_arg;
	int64_t last_ret;
	int status;
	char text[64], comm[16];
	bool is_wrong;
};

static bool on_event(void *ctx, const struct tracer_event *e)
{
	struct seen *s = ctx;

	switch (e->what) {
	case TRACER_ENTER:
		s->enters++;
		s->last_nr = e->task->call.nr;
		s->last_arg = e->task->call.args[0];
		if (s->last_nr == SYS_openat &&
		    tracer_read(s->t, e->task, s->text, e->task->call.args[1], 5) < 0)
			s->is_wrong = true;
		tracer_comm(s->t, e->task, s->comm);
		break;
	case TRACER_EXIT:
		s->exits++;
		s->last_ret = e->task->call.ret;
		break;
	case TRACER_EXEC:
		s->execs++;
		s->is_wrong |= e->task->tid != e->task->pid;
		break;
	case TRACER_FORK:
		s->forks++;
		s->threads += e->is_thread;
		break;
	case TRACER_END:
		s->ends++;
		break;
	case TRACER_REAPED:
		s->reaped++;
		break;
	case TRACER_TRAP:
		break;
	}
	return false;
}

/* The child waits for its orders, as agent/command.c does, and then calls `fn`. */
static pid_t start(void (*fn)(void), int *ret_go)
{
	static char orders[sizeof(struct seccomp_filter)];
	int go[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (!pid) {
		ssize_t n;

		close(go[1]);
		n = read(go[0], orders, sizeof(orders));
		if (n < 0 || (n > 1 && tracer_child(orders, (size_t)n) < 0))
			_exit(99);
		fn();
		_exit(0);
	}
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

static bool may_trace = true;

/* Trace it to its end; false: it cannot be done here. */
static bool trace(void (*fn)(void), struct tracer_config *c, struct seen *s)
{
	uint64_t end = clock_mono_ns() + LIMIT_MS * NS_PER_MS;
	struct runtime_error e = {0};
	struct str orders;
	int go = -1, status = -1;
	pid_t pid;

	if (!may_trace)
		return false;
	c->fn = on_event;
	c->ctx = s;
	CHECK_EQ(tracer_new(c, &s->t, &e), 0);
	pid = start(fn, &go);
	if (tracer_seize(s->t, pid, &e) < 0) {
		test_skip(e.what);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(go);
		tracer_close(s->t, 0);
		return may_trace = false;
	}
	orders = tracer_orders(s->t);
	if (write(go, orders.n ? orders.p : "x", orders.n ? orders.n : 1) < 0)
		CHECK(false);
	close(go);
	while (tracer_tasks(s->t) && clock_mono_ns() < end)
		tracer_poll(s->t, clock_mono_ns() + 20 * NS_PER_MS);
	CHECK_EQ(tracer_tasks(s->t), 0);
	CHECK(tracer_has_ended(s->t, &status));
	s->status = status;
	CHECK_EQ(tracer_close(s->t, 0), 0);
	CHECK(!s->is_wrong);
	return true;
}

#define CALLS(...)                                                               \
	({                                                                       \
		struct call_set set_ = {0};                                      \
		for (size_t i_ = 0; i_ < ELEMENTS(((int[]){__VA_ARGS__})); i_++) \
			call_set_add(&set_, ((int[]){__VA_ARGS__})[i_]);         \
		set_;                                                            \
	})

/* --- calls */

static void open_one(void)
{
	prctl(PR_SET_NAME, "opener");
	for (int i = 0; i < 3; i++)
		close((int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
	syscall(SYS_openat, AT_FDCWD, "/no/such", O_RDONLY);
	_exit(7);
}

TEST(calls_and_their_ends)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat), .exit = CALLS(SYS_openat)};
	struct seen s = {0};

	if (!trace(open_one, &c, &s))
		return;
	CHECK_EQ(s.enters, 4);
	CHECK_EQ(s.exits, 4);
	CHECK_EQ(s.last_nr, SYS_openat);
	CHECK_EQ(s.last_ret, -ENOENT);
	CHECK_STREQ(s.text, "/no/s");
	CHECK_STREQ(s.comm, "opener");
	CHECK_EQ(s.ends, 1);
	CHECK_EQ(s.reaped, 1);
	CHECK(WIFEXITED(s.status) && WEXITSTATUS(s.status) == 7);
}

TEST(only_beginnings_only_ends)
{
	struct tracer_config enter = {.enter = CALLS(SYS_openat)};
	struct tracer_config leave = {.exit = CALLS(SYS_openat)};
	struct seen a = {0}, b = {0};

	if (!trace(open_one, &enter, &a) || !trace(open_one, &leave, &b))
		return;
	CHECK_EQ(a.enters, 4);
	CHECK_EQ(a.exits, 0);
	CHECK_EQ(b.enters, 0);
	CHECK_EQ(b.exits, 4);
}

/* Where there is no seccomp every call stops; the same is told. */
TEST(without_seccomp)
{
	struct tracer_config c = {
		.enter = CALLS(SYS_openat), .exit = CALLS(SYS_openat), .no_seccomp = true};
	struct seen s = {0};

	if (!trace(open_one, &c, &s))
		return;
	CHECK_EQ(s.enters, 4);
	CHECK_EQ(s.exits, 4);
	CHECK_EQ(s.last_ret, -ENOENT);
}

TEST(all_calls)
{
	struct tracer_config c = {.enter.all = true, .exit.all = true};
	struct seen s = {0};

	if (!trace(open_one, &c, &s))
		return;
	CHECK(s.enters >= 9); /* prctl, 4 openat, 3 close, exit_group */
	CHECK_EQ(s.last_nr, SYS_exit_group);
	CHECK_EQ(s.exits, s.enters - 1);
	CHECK_EQ(s.last_arg, 7);
}

#ifdef __x86_64__
static void call_32_bit(void)
{
	long r;

	/* getpid of i386, whose number 20 is writev here */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
	_exit(r == getpid() || r == -ENOSYS ? 0 : 1);
}

TEST(calls_of_32_bits_are_none_of_ours)
{
	struct tracer_config c = {.enter = CALLS(SYS_writev, SYS_openat)};
	struct tracer_config slow = {.enter = CALLS(SYS_writev, SYS_openat), .no_seccomp = true};
	struct seen a = {0}, b = {0};

	if (!trace(call_32_bit, &c, &a) || !trace(call_32_bit, &slow, &b))
		return;
	CHECK_EQ(a.enters, 1);
	CHECK_EQ(a.last_nr, SYS_openat);
	CHECK_EQ(WEXITSTATUS(a.status), 0);
	CHECK_EQ(b.enters, 1);
	CHECK_EQ(b.last_nr, SYS_openat);
}
#endif

/* --- processes and threads */

static void *open_in_thread(void *arg)
{
	close((int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
	return arg;
}

static void many_threads(void)
{
	pthread_t threads[16];

	for (size_t i = 0; i < ELEMENTS(threads); i++)
		if (pthread_create(&threads[i], NULL, open_in_thread, NULL))
			_exit(1);
	for (size_t i = 0; i < ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	_exit(3);
}

TEST(threads)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat), .exit = CALLS(SYS_openat)};
	struct seen s = {0};

	if (!trace(many_threads, &c, &s))
		return;
	CHECK_EQ(s.forks, 16);
	CHECK_EQ(s.threads, 16);
	CHECK_EQ(s.ends, 17);
	CHECK_EQ(s.reaped, 1);
	CHECK_EQ(s.enters, 16);
	CHECK_EQ(s.exits, 16);
	CHECK_EQ(WEXITSTATUS(s.status), 3);
}

/* A hundred processes at once, each with a child of its own. */
static void fork_storm(void)
{
	for (int i = 0; i < 100; i++) {
		if (fork())
			continue;
		if (!fork())
			syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
		else
			wait(NULL);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

TEST(forks)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat)};
	struct seen s = {0};

	if (!trace(fork_storm, &c, &s))
		return;
	CHECK_EQ(s.forks, 200);
	CHECK_EQ(s.threads, 0);
	CHECK_EQ(s.enters, 100);
	CHECK_EQ(s.ends, 201);
	CHECK_EQ(s.reaped, 201);
}

static void vfork_and_exec(void)
{
	int status = 0;
	pid_t pid = vfork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 5", NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	_exit(WEXITSTATUS(status));
}

TEST(vfork_then_exec)
{
	struct tracer_config c = {.enter = CALLS(SYS_execve)};
	struct seen s = {0};

	if (!trace(vfork_and_exec, &c, &s))
		return;
	CHECK_EQ(s.forks, 1);
	CHECK_EQ(s.execs, 1);
	CHECK_EQ(s.enters, 1);
	CHECK_EQ(WEXITSTATUS(s.status), 5);
}

static void *exec_in_thread(void *arg)
{
	execl("/bin/sh", "sh", "-c", "exit 6", NULL);
	return arg;
}

static void *sleep_in_thread(void *arg)
{
	pause();
	return arg;
}

static void exec_from_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, sleep_in_thread, NULL);
	pthread_create(&t, NULL, exec_in_thread, NULL);
	pause();
}

TEST(exec_from_a_thread)
{
	struct tracer_config c = {.exit = CALLS(SYS_execve)};
	struct seen s = {0};

	if (!trace(exec_from_thread, &c, &s))
		return;
	CHECK_EQ(s.execs, 1);
	CHECK_EQ(s.exits, 1);
	CHECK_EQ(s.last_ret, 0);
	CHECK_EQ(s.reaped, 1);
	CHECK_EQ(WEXITSTATUS(s.status), 6);
}

/* --- signals */

static volatile sig_atomic_t caught;

static void catch_one(int signal)
{
	(void)signal;
	caught++;
}

static void take_signals(void)
{
	signal(SIGUSR1, catch_one);
	signal(SIGTRAP, catch_one);
	raise(SIGUSR1);
	raise(SIGTRAP);
	kill(getpid(), SIGUSR1);
	_exit(caught == 3 ? 0 : 1);
}

TEST(signals_are_delivered)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat)};
	struct seen s = {0};

	if (trace(take_signals, &c, &s))
		CHECK(WIFEXITED(s.status) && WEXITSTATUS(s.status) == 0);
}

static void die(void)
{
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

TEST(death_by_a_signal)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat)};
	struct seen s = {0};

	if (!trace(die, &c, &s))
		return;
	CHECK(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGTERM);
	CHECK_EQ(s.ends, 1);
	CHECK_EQ(s.reaped, 1);
}

static void die_hard(void)
{
	kill(getpid(), SIGKILL);
}

TEST(death_by_sigkill)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat)};
	struct seen s = {0};

	if (!trace(die_hard, &c, &s))
		return;
	CHECK(WIFSIGNALED(s.status) && WTERMSIG(s.status) == SIGKILL);
	CHECK_EQ(s.ends, 1);
	CHECK_EQ(s.reaped, 1);
}

/* A child stops itself; its parent sees that, wakes it, and sees its end. */
static void stop_and_go(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		raise(SIGSTOP);
		_exit(4);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		_exit(1);
	kill(pid, SIGCONT);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		_exit(2);
	_exit(WEXITSTATUS(status));
}

TEST(stop_and_continue)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat)};
	struct seen s = {0};

	if (trace(stop_and_go, &c, &s))
		CHECK_EQ(WEXITSTATUS(s.status), 4);
}

static void interrupted_sleep(void)
{
	struct sigaction a = {.sa_handler = catch_one, .sa_flags = SA_RESTART};
	struct timespec time = {0, 30000000};

	sigaction(SIGALRM, &a, NULL);
	ualarm(5000, 0);
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) == EINTR)
		;
	_exit(caught == 1 ? 0 : 1);
}

TEST(interrupted_calls)
{
	struct tracer_config c = {.enter = CALLS(SYS_clock_nanosleep),
				  .exit = CALLS(SYS_clock_nanosleep)};
	struct seen s = {0};

	if (!trace(interrupted_sleep, &c, &s))
		return;
	CHECK_EQ(WEXITSTATUS(s.status), 0);
	CHECK_EQ(s.enters, s.exits);
}

/* --- life */

static void sleep_long(void)
{
	if (fork())
		open_one();
	sleep(1000);
}

static void no_fork_sleep(void)
{
	signal(SIGTERM, SIG_IGN);
	sleep(1000);
}

TEST(nobody_is_left)
{
	struct tracer_config c = {.enter = CALLS(SYS_openat), .fn = on_event};
	struct seen s = {0};
	struct runtime_error e = {0};
	struct str orders;
	pid_t pid;
	int go = -1, status;

	if (!may_trace)
		return;
	c.ctx = &s;
	CHECK_EQ(tracer_new(&c, &s.t, &e), 0);
	pid = start(sleep_long, &go);
	if (tracer_seize(s.t, pid, &e) < 0) {
		test_skip(e.what);
		return;
	}
	orders = tracer_orders(s.t);
	CHECK_EQ(write(go, orders.p, orders.n), orders.n);
	close(go);
	while (!tracer_has_ended(s.t, &status))
		tracer_poll(s.t, clock_mono_ns() + 20 * NS_PER_MS);
	CHECK_EQ(WEXITSTATUS(status), 7);
	CHECK_EQ(tracer_tasks(s.t), 1);
	CHECK_EQ(tracer_close(s.t, 0), 1);
}

/* When the tracer goes, however, what it traced goes too. */
TEST(tracer_dies)
{
	int report[2];
	pid_t tracer, traced = 0;

	if (!may_trace || pipe(report) < 0)
		return;
	tracer = fork();
	if (!tracer) {
		struct tracer_config c = {.enter = CALLS(SYS_openat), .fn = on_event};
		struct seen s = {0};
		struct runtime_error e = {0};
		struct str orders;
		pid_t pid;
		int go = -1;

		c.ctx = &s;
		if (tracer_new(&c, &s.t, &e) < 0)
			_exit(1);
		pid = start(no_fork_sleep, &go);
		if (tracer_seize(s.t, pid, &e) < 0)
			_exit(1);
		orders = tracer_orders(s.t);
		if (write(go, orders.p, orders.n) < 0)
			_exit(1);
		tracer_poll(s.t, clock_mono_ns() + 50 * NS_PER_MS);
		if (write(report[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(report[1]);
	if (read(report[0], &traced, sizeof(traced)) == sizeof(traced)) {
		bool is_gone = false;

		waitpid(tracer, NULL, 0);
		for (int i = 0; i < 200 && !is_gone; i++) {
			char path[64], state = 0;
			FILE *f;

			snprintf(path, sizeof(path), "/proc/%d/stat", traced);
			f = fopen(path, "re");
			if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1 || state == 'Z')
				is_gone = true;
			if (f)
				fclose(f);
			usleep(10000);
		}
		CHECK(is_gone);
	} else {
		waitpid(tracer, NULL, 0);
		test_skip("cannot trace here");
	}
	close(report[0]);
}

TEST(deadline)
{
	struct tracer_config c = {.fn = on_event};
	struct seen s = {0};
	struct runtime_error e = {0};
	uint64_t before;
	int go = -1, r;
	pid_t pid;

	if (!may_trace)
		return;
	c.ctx = &s;
	CHECK_EQ(tracer_new(&c, &s.t, &e), 0);
	pid = start(no_fork_sleep, &go);
	r = tracer_seize(s.t, pid, &e);
	before = clock_mono_ns();
	if (r >= 0)
		tracer_poll(s.t, before + 30 * NS_PER_MS);
	CHECK(clock_mono_ns() - before < 5000 * NS_PER_MS);
	if (r >= 0)
		CHECK(clock_mono_ns() - before >= 29 * NS_PER_MS);
	else
		waitpid(pid, NULL, 0);
	close(go);
	tracer_close(s.t, 0);
}
