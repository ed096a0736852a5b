/* SPDX-License-Identifier: Apache-2.0 */
/* The table of processes: lives told by records, and who is remembered for how long. */
#include "base/macro.h"
#include "event/ident/process.h"

#include "event/made.h"
#include "test.h"

#include <stdlib.h>

static struct process *find(const struct processes *t, uint32_t pid)
{
	return process_find(t, pid, MADE_START(pid));
}

static struct process *fork_of(struct processes *t, uint32_t parent, uint32_t child)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_fork *f = made(&b, EV_FORK, parent, 0);

	f->child_pid = child;
	f->child_start_ns = MADE_START(child);
	f->child_ns_pid = child % 100;
	return process_on_fork(t, f);
}

/* An exec, or with WIRE_PROC a process that was there before. */
static struct process *proc_of(struct processes *t, unsigned int kind, uint32_t pid, uint32_t ppid,
			       const char *exe)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_proc *p = made(&b, kind, pid, 0);

	p->ppid = ppid;
	p->parent_start_ns = MADE_START(ppid);
	p->inode = 1000 + pid;
	p->loginuid = 1000;
	p->cred.euid = 42;
	p->cred.cap_effective = 7;
	p->ns[NS_NET] = 4026531840;
	record_add_str(&b, offsetof(struct wire_proc, exe), str_of(exe));
	ADD_STR(&b, wire_proc, args, "sh\0-c\0");
	ADD_STR(&b, wire_proc, cwd, "/root");
	record_end(&b);
	return process_on_proc(t, (const struct wire_proc *)b.p);
}

static struct process *head_of(struct processes *t, uint32_t pid, const char *comm)
{
	struct wire_head h = {
		.size = sizeof(h),
		.kind = EV_OPEN,
		.pid = pid,
		.start_ns = MADE_START(pid),
	};

	memcpy(h.comm, comm, MIN(strlen(comm), sizeof(h.comm)));
	return process_on_head(t, &h);
}

static void exit_of(struct processes *t, uint32_t pid)
{
	struct process *p = find(t, pid);

	CHECK(p);
	if (p)
		process_on_exit(t, p);
}

TEST(life)
{
	struct processes t = {0};
	struct process *parent, *p;

	CHECK(!find(&t, 10));
	parent = proc_of(&t, WIRE_PROC, 10, 1, "/bin/sh");
	CHECK(parent->has_exec && !parent->has_ended);
	p = fork_of(&t, 10, 11);
	CHECK(p == find(&t, 11));
	CHECK(process_parent(&t, p) == parent);
	CHECK(!process_parent(&t, parent)); /* process 1 was never told of */
	/* until it executes its own program, it is the parent's once more */
	CHECK(p->has_exec);
	CHECK_STREQ(p->exe, "/bin/sh");
	CHECK_STREQ(p->cwd, "/root");
	CHECK_EQ(p->args_n, 6);
	CHECK(p->args != parent->args && !memcmp(p->args, "sh\0-c\0", 6));
	CHECK_EQ(p->program.inode, 1010);
	CHECK_EQ(p->program.cred.euid, 42);
	CHECK_EQ(p->program.ns[NS_NET], 4026531840);
	CHECK_EQ(p->program.loginuid, 1000);
	CHECK_EQ(p->ns_pid, 11);
	CHECK_STREQ(p->comm, "comm10");
	CHECK(proc_of(&t, EV_EXEC, 11, 10, "/usr/bin/true") == p);
	CHECK_STREQ(p->exe, "/usr/bin/true");
	CHECK_EQ(p->program.inode, 1011);
	CHECK_STREQ(p->comm, "comm11");
	CHECK(process_parent(&t, p) == parent);
	exit_of(&t, 11);
	CHECK(p->has_ended);
	CHECK(find(&t, 11) == p); /* a connection may still close in its name */
	exit_of(&t, 11);
	CHECK_EQ(t.ended, 1);
	processes_done(&t);
	CHECK(!find(&t, 11));
}

/* What nobody told of is NULL or "not set", never wrong. */
TEST(head_only)
{
	struct processes t = {0};
	struct process *p = head_of(&t, 20, "sixteen letters!");

	CHECK(!p->has_exec && !p->exe && !p->args && !p->cwd && !p->args_n);
	CHECK_EQ(p->program.loginuid, ~0u);
	CHECK_STREQ(p->comm, "sixteen letters!"); /* a comm without a NUL gets one */
	CHECK(!process_parent(&t, p));
	CHECK(head_of(&t, 20, "y") == p);
	CHECK_STREQ(p->comm, "y");
	/* once its credentials are known, a head does not change them */
	proc_of(&t, WIRE_PROC, 20, 1, "/bin/x");
	head_of(&t, 20, "z");
	CHECK_EQ(p->program.cred.euid, 42);
	CHECK_EQ(p->ppid, 1);
	processes_done(&t);
}

/* A process that was known from a head only gets its parent with its exec. */
TEST(parent_learnt_late)
{
	struct processes t = {0};
	struct process *parent = proc_of(&t, WIRE_PROC, 30, 1, "/bin/sh"), *p;

	p = head_of(&t, 31, "x");
	CHECK(!process_parent(&t, p));
	proc_of(&t, EV_EXEC, 31, 30, "/bin/x");
	CHECK(process_parent(&t, p) == parent);
	CHECK_EQ(parent->children, 1);
	processes_done(&t);
}

/* A record says who was asked for now, not who started it: the first parent stays. */
TEST(orphans_keep_their_parent)
{
	struct processes t = {0};
	struct process *p;

	proc_of(&t, WIRE_PROC, 1, 0, "/sbin/init");
	proc_of(&t, WIRE_PROC, 30, 1, "/bin/sh");
	p = fork_of(&t, 30, 31);
	exit_of(&t, 30);
	proc_of(&t, EV_EXEC, 31, 1, "/bin/daemon");
	CHECK(process_parent(&t, p) == find(&t, 30));
	processes_done(&t);
}

TEST(child_of_nobody)
{
	struct processes t = {0};
	struct process *p = fork_of(&t, 40, 41);

	CHECK_EQ(p->ppid, 40);
	CHECK(!process_parent(&t, p));
	CHECK(!p->has_exec && !p->exe);
	/* told late: the line up is there, also from a child that came first */
	head_of(&t, 40, "late");
	CHECK(process_parent(&t, p) == find(&t, 40));
	processes_done(&t);
}

TEST(events_before_the_fork)
{
	struct processes t = {0};
	struct process *p = proc_of(&t, EV_EXEC, 51, 50, "/bin/x");

	CHECK(fork_of(&t, 50, 51) == p);
	CHECK_STREQ(p->exe, "/bin/x");
	/* of which nothing else was known: the fork tells the rest */
	proc_of(&t, WIRE_PROC, 50, 1, "/bin/sh");
	p = head_of(&t, 52, "thread");
	CHECK(fork_of(&t, 50, 52) == p);
	CHECK(process_parent(&t, p) == find(&t, 50));
	CHECK_STREQ(p->exe, "/bin/sh");
	CHECK_STREQ(p->comm, "thread");
	processes_done(&t);
}

/* Two lives with one pid are two processes, and /proc's ticks find the kernel's times. */
TEST(pid_reuse)
{
	struct processes t = {0};
	struct wire_head h = {.pid = 60, .start_ns = 123456789123};
	struct process *first = process_on_head(&t, &h), *second;

	CHECK(process_find(&t, 60, 123450000000) == first);
	CHECK(process_find(&t, 60, 123459999999) == first);
	CHECK(!process_find(&t, 60, 123460000000));
	CHECK(!process_find(&t, 60, 123449999999));
	process_on_exit(&t, first);
	h.start_ns += 10000000;
	second = process_on_head(&t, &h);
	CHECK(second != first && !second->has_ended);
	CHECK(process_find(&t, 60, 123456789123) == first && first->has_ended);
	/* the highest pid there can be, and a start far away */
	h = (struct wire_head){.pid = 4194303, .start_ns = 1ull << 62};
	CHECK(process_find(&t, h.pid, h.start_ns) == NULL);
	CHECK(process_on_head(&t, &h) == process_find(&t, h.pid, h.start_ns));
	processes_done(&t);
}

/* Short lives, one after the other: the newest are remembered, the rest forgotten. */
TEST(eviction)
{
	enum { LIVES = PROCESS_ENDED_MAX + 1000, FIRST = 1000 };
	struct processes t = {0};
	size_t known = 0;

	proc_of(&t, WIRE_PROC, 70, 1, "/bin/sh");
	for (uint32_t pid = FIRST; pid < FIRST + LIVES; pid++) {
		fork_of(&t, 70, pid);
		exit_of(&t, pid);
	}
	CHECK_EQ(t.ended, PROCESS_ENDED_MAX);
	CHECK_EQ(t.by_key.n, PROCESS_ENDED_MAX + 1);
	for (uint32_t pid = FIRST; pid < FIRST + LIVES; pid++)
		known += !!find(&t, pid);
	CHECK_EQ(known, PROCESS_ENDED_MAX);
	CHECK(!find(&t, FIRST));
	CHECK(find(&t, FIRST + LIVES - 1));
	CHECK_EQ(find(&t, 70)->children, PROCESS_ENDED_MAX);
	processes_done(&t);
}

/* Make many others live and end, so that whoever may be forgotten is. */
static void many_lives(struct processes *t, uint32_t first)
{
	for (uint32_t pid = first; pid < first + 2 * PROCESS_ENDED_MAX; pid++) {
		head_of(t, pid, "x");
		exit_of(t, pid);
	}
}

/* 80 → 81 → 82: the first two end, the third lives: its whole line up has names. */
static void check_ancestors(struct processes *t)
{
	struct process *p;

	exit_of(t, 80);
	exit_of(t, 81);
	many_lives(t, 1000);
	p = process_parent(t, find(t, 82));
	CHECK(p && p->pid == 81 && p->has_ended);
	p = p ? process_parent(t, p) : NULL;
	CHECK(p && p->pid == 80 && p->has_ended);
	/* when nobody lives who came from them, they go, the child before its parent */
	exit_of(t, 82);
	many_lives(t, 20000);
	many_lives(t, 40000);
	CHECK(!find(t, 82));
	CHECK(!find(t, 81));
	CHECK(!find(t, 80));
	CHECK_EQ(t->ended, PROCESS_ENDED_MAX);
	processes_done(t);
}

TEST(ancestors_by_fork)
{
	struct processes t = {0};

	proc_of(&t, WIRE_PROC, 80, 1, "/bin/a");
	fork_of(&t, 80, 81);
	fork_of(&t, 81, 82);
	check_ancestors(&t);
}

/* Asked back from the child: each comes before the one that it names as its parent. */
TEST(ancestors_by_asking)
{
	struct processes t = {0};

	proc_of(&t, WIRE_PROC, 82, 81, "/bin/c");
	proc_of(&t, WIRE_PROC, 81, 80, "/bin/b");
	proc_of(&t, WIRE_PROC, 80, 1, "/bin/a");
	head_of(&t, 82, "c"); /* the event that made somebody ask */
	CHECK_EQ(find(&t, 81)->children, 1);
	CHECK_EQ(find(&t, 80)->children, 1);
	head_of(&t, 82, "c");
	CHECK_EQ(find(&t, 81)->children, 1);
	check_ancestors(&t);
}

/* A child that was never counted takes nobody else's place when it goes. */
TEST(uncounted_child)
{
	struct processes t = {0};

	fork_of(&t, 90, 91); /* of a parent that is not known yet */
	exit_of(&t, 91);
	proc_of(&t, WIRE_PROC, 90, 1, "/bin/a");
	fork_of(&t, 90, 92);
	exit_of(&t, 90);
	many_lives(&t, 1000);
	CHECK(!find(&t, 91));
	CHECK(find(&t, 90));
	CHECK(process_parent(&t, find(&t, 92)) == find(&t, 90));
	processes_done(&t);
}

/* Files that nobody wrote in earnest: circles end. */
TEST(circles)
{
	struct processes t = {0};
	struct process *p = proc_of(&t, WIRE_PROC, 95, 95, "/bin/me");

	CHECK(process_parent(&t, p) == p);
	proc_of(&t, WIRE_PROC, 96, 97, "/bin/a");
	proc_of(&t, WIRE_PROC, 97, 96, "/bin/b");
	head_of(&t, 96, "a");
	exit_of(&t, 95);
	exit_of(&t, 96);
	exit_of(&t, 97);
	many_lives(&t, 1000);
	CHECK(t.ended <= PROCESS_ENDED_MAX + 3);
	processes_done(&t);
}

/* Whose end nobody tells: the table has a bound all the same, and the last to speak stay. */
TEST(silent_lives)
{
	enum { FIRST = 100, LIVES = 3 * PROCESS_MAX };
	struct processes t = {0};
	size_t most = 0;

	proc_of(&t, WIRE_PROC, 70, 1, "/bin/sh");
	fork_of(&t, 70, 71);
	for (uint32_t pid = FIRST; pid < FIRST + LIVES; pid++) {
		head_of(&t, pid, "x");
		head_of(&t, 71, "y");
		most = MAX(most, t.by_key.n);
	}
	CHECK(most <= PROCESS_MAX);
	CHECK(find(&t, FIRST + LIVES - 1));
	CHECK(!find(&t, FIRST));
	CHECK(find(&t, 71)); /* it spoke all the time, */
	CHECK(find(&t, 70)); /* and has a parent */
	CHECK_EQ(find(&t, 70)->children, 1);
	processes_done(&t);
}

/* In a line of parents nobody is without children: it loses its beginning in the end. */
TEST(silent_line)
{
	enum { FIRST = 100, LIVES = 3 * PROCESS_MAX };
	struct processes t = {0};
	size_t wrong = 0, most = 0;

	for (uint32_t pid = FIRST; pid < FIRST + LIVES; pid++) {
		struct process *p = fork_of(&t, pid - 1, pid);

		wrong += process_parent(&t, p) != find(&t, pid - 1);
		most = MAX(most, t.by_key.n);
	}
	CHECK_EQ(wrong, 0);
	CHECK(most <= 2 * PROCESS_MAX + PROCESS_MAX / 4);
	processes_done(&t);
}

/* Fork and end, fork and end: all the ancestors of one process, but not for ever. */
TEST(relay)
{
	enum { FIRST = 100, LIVES = 20 * PROCESS_ENDED_MAX };
	struct processes t = {0};
	struct process *p;

	for (uint32_t pid = FIRST; pid < FIRST + LIVES; pid++) {
		fork_of(&t, pid - 1, pid);
		if (pid > FIRST)
			exit_of(&t, pid - 1);
	}
	CHECK(t.by_key.n <= 4 * PROCESS_ENDED_MAX + 2);
	p = find(&t, FIRST + LIVES - 1);
	for (int i = 0; i < 16 && p; i++)
		p = process_parent(&t, p);
	CHECK(p && p->pid == FIRST + LIVES - 1 - 16);
	processes_done(&t);
}

/* At random: no crash, no leak, parents that are what they say, and a bound. */
TEST(random_lives)
{
	struct processes t = {0};
	size_t wrong = 0;

	srand(4);
	for (int step = 0; step < 50000; step++) {
		uint32_t pid = 1 + rand() % 9000, other = 1 + rand() % 9000;
		struct process *p, *parent;

		switch (rand() % 5) {
		case 0:
			p = head_of(&t, pid, "x");
			break;
		case 1:
			p = fork_of(&t, other, pid);
			break;
		case 2:
			p = proc_of(&t, EV_EXEC, pid, other, "/bin/x");
			break;
		default:
			p = find(&t, pid);
			if (p)
				process_on_exit(&t, p);
			continue;
		}
		parent = process_parent(&t, p);
		wrong += p->pid != pid || (parent && parent->pid != p->ppid);
	}
	CHECK_EQ(wrong, 0);
	processes_done(&t);
}
