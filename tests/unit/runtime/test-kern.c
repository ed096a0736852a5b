/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel as a runtime: whom it follows, what it leaves out, when a poll returns. */
#include "runtime/runtime.h"

#include "base/macro.h"
#include "catalog/catalog.h"
#include "runtime/kern/privileges.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_KB = 8192, CALLS = 20000 };

/* What came up. */
struct seen {
	unsigned int records, exits, cgroups;
	char comm[WIRE_COMM]; /* of the last exit */
	const char *cgroup;   /* end of the path that is looked for */
};

static int see(void *ctx, const void *record, size_t n)
{
	const struct wire_cgroup *c = record;
	const struct wire_head *h = record;
	struct seen *s = ctx;

	s->records++;
	if (h->kind == EV_EXIT) {
		s->exits++;
		memcpy(s->comm, h->comm, sizeof(s->comm));
	}
	if (h->kind == WIRE_CGROUP && s->cgroup && c->path.off + c->path.len < n &&
	    strstr((const char *)record + c->path.off, s->cgroup))
		s->cgroups++;
	return 0;
}

static int refuse(void *ctx, const void *record, size_t n)
{
	(void)ctx;
	(void)record;
	(void)n;
	return -ECANCELED;
}

/* NULL, and the test is skipped, where this process may not load programs. */
static struct runtime *open_started(const struct runtime_config *config, uint32_t follow)
{
	struct runtime_error e = {0};
	struct privileges p;
	struct runtime *rt;
	int r;

	privileges_read(&p);
	if (privileges_missing(&p, CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON)) ||
	    p.in_user_namespace || p.is_filtered) {
		test_skip("CAP_BPF is missing");
		return NULL;
	}
	r = runtime_open_kern(config, &rt, &e);
	CHECK_EQ(r, 0);
	if (r < 0)
		return NULL;
	if (follow)
		CHECK_EQ(runtime_follow(rt, follow), 0);
	CHECK_EQ(runtime_start(rt, &e), 0);
	return rt;
}

/* A child that waits for a byte, or for the end, of the pipe before it runs. */
static pid_t child_begin(int go[2])
{
	pid_t pid;
	char c;

	CHECK_EQ(pipe(go), 0);
	pid = fork();
	if (pid)
		return pid;
	close(go[1]);
	if (read(go[0], &c, 1) < 0)
		_exit(1);
	return 0;
}

static void child_finish(pid_t pid, int go[2])
{
	close(go[0]);
	close(go[1]);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(long_glob_is_refused)
{
	struct runtime_config config = {
		.events = KIND_BIT(EV_EXIT),
		.cgroup_fd = -1,
		.comm = "????????????????????????????????",
		.ring_kb = 64,
	};
	struct runtime_error e = {0};
	struct runtime *rt = NULL;
	int r = runtime_open_kern(&config, &rt, &e);

	if (r == -ENOTSUP) {
		test_skip("this kernel has no BTF");
		return;
	}
	CHECK_EQ(r, -E2BIG);
	CHECK(!rt && e.what[0]);
}

/* The name is asked of who does something, not of its parents. */
TEST(followed_through_parents_of_other_names)
{
	struct runtime_config config = {
		.events = KIND_BIT(EV_EXIT),
		.cgroup_fd = -1,
		.follow = true,
		.comm = "skep-inner",
		.ring_kb = RING_KB,
	};
	struct seen seen = {0};
	struct runtime *rt;
	int go[2];
	pid_t pid = child_begin(go);

	if (!pid) {
		if (!fork())
			prctl(PR_SET_NAME, "skep-inner");
		else
			wait(NULL);
		_exit(0);
	}
	rt = open_started(&config, pid);
	child_finish(pid, go);
	if (!rt)
		return;
	runtime_stop(rt);
	runtime_poll(rt, 0, see, &seen);
	CHECK_EQ(seen.exits, 1);
	CHECK_STREQ(seen.comm, "skep-inner");
	runtime_close(rt);
}

/* Ids of cgroup v1 would be taken for those of cgroup2: each hierarchy counts anew. */
TEST(cgroups_of_v1_are_not_told)
{
	struct runtime_config config = {
		.events = KIND_BIT(EV_EXIT), .cgroup_fd = -1, .ring_kb = RING_KB};
	char name[32], path[64];
	struct seen seen = {.cgroup = name};
	struct runtime *rt;

	snprintf(name, sizeof(name), "/skep-test-%d", getpid());
	snprintf(path, sizeof(path), "/sys/fs/cgroup/pids%s", name);
	if (access("/sys/fs/cgroup/pids/cgroup.procs", W_OK)) {
		test_skip("there is no cgroup v1");
		return;
	}
	rt = open_started(&config, 0);
	if (!rt)
		return;
	CHECK_EQ(mkdir(path, 0755), 0);
	CHECK_EQ(rmdir(path), 0);
	runtime_stop(rt);
	runtime_poll(rt, 0, see, &seen);
	CHECK_EQ(seen.cgroups, 0);
	runtime_close(rt);
}

/* While records may arrive a poll takes a share of them; afterwards all there are. */
TEST(flood_leaves_time_to_the_caller)
{
	struct runtime_config config = {
		.events = KIND_BIT(EV_SETUID), .cgroup_fd = -1, .follow = true, .ring_kb = RING_KB};
	struct wire_count count;
	struct seen seen = {0};
	struct runtime *rt;
	int go[2], n;
	pid_t pid = child_begin(go);

	if (!pid) {
		for (int i = 0; i < CALLS; i++)
			syscall(SYS_setuid, getuid());
		_exit(0);
	}
	rt = open_started(&config, pid);
	child_finish(pid, go);
	if (!rt)
		return;
	CHECK_EQ(runtime_poll(rt, 0, refuse, NULL), -ECANCELED);
	n = runtime_poll(rt, 0, see, &seen);
	CHECK(n > 0 && n < CALLS);
	CHECK_EQ(n, seen.records);
	runtime_stop(rt);
	while (runtime_poll(rt, 0, see, &seen) > 0)
		;
	runtime_counts(rt, &count);
	CHECK_EQ(count.sent[EV_SETUID], CALLS);
	CHECK_EQ(count.lost_sum, 0);
	CHECK_EQ(seen.records + 1, count.sent[EV_SETUID] + count.sent[EV_EXEC] +
					   count.sent[EV_FORK] + count.sent[EV_EXIT] +
					   count.sent[0]);
	runtime_close(rt);
}
