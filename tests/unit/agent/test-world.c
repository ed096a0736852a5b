/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler's view of this machine, as far as any machine has it. */
#include "agent/world.h"
#include "base/macro.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct names {
	unsigned int n;
	const char *first, *last;
};

static void take(void *ctx, const char *name)
{
	struct names *x = ctx;

	if (!x->n++)
		x->first = name;
	x->last = name;
}

static struct names functions(struct world *w, const char *module, const char *glob)
{
	struct names x = {0};

	w->ops->functions(w, module, glob, take, &x);
	return x;
}

TEST(functions_from_a_list)
{
	char path[] = "/tmp/skep-test-world-XXXXXX";
	int fd = mkstemp(path);
	static const char list[] = "__ftrace_invalid_address___12\nvfs_read\nvfs_write\n"
				   "helper [ext4]\nvfs_read [ext4]\n[odd\nlast";
	struct world_kern_options o = {.traceable_functions = path};
	struct world *w = world_kern_new(&o);
	struct names x;

	CHECK_EQ(write(fd, list, strlen(list)), strlen(list));
	x = functions(w, NULL, "vfs_*");
	CHECK_EQ(x.n, 3);
	CHECK_STREQ(x.first, "vfs_read");
	CHECK_STREQ(x.last, "ext4:vfs_read");
	CHECK_EQ(functions(w, "vmlinux", "vfs_*").n, 2);
	CHECK_EQ(functions(w, "ext4", "*").n, 2);
	CHECK_EQ(functions(w, "e*", "helper").n, 1);
	CHECK_EQ(functions(w, NULL, "last").n, 1);
	CHECK_EQ(functions(w, NULL, "nothing").n, 0);
	CHECK_EQ(functions(w, NULL, "__ftrace*").n, 0);
	world_kern_free(w);
	close(fd);
	unlink(path);
}

TEST(features_can_be_hidden)
{
	struct world_kern_options o = {.without = ~0ull};
	struct world *w = world_kern_new(&o);

	for (enum world_feature f = 0; f < WORLD_FEATURES; f++)
		CHECK(!world_has(w, f));
	world_kern_free(w);
	world_kern_free(NULL);
}

TEST(features_are_tried)
{
	struct world *w = world_kern_new(NULL);

	if (geteuid()) {
		test_skip("loads BPF programs: run it as root");
	} else {
		for (enum world_feature f = 0; f < WORLD_FEATURES; f++)
			CHECK_EQ(world_has(w, f), world_has(w, f));
		CHECK(world_has(w, WORLD_KTIME_BOOT)); /* 5.7: older than all that we support */
		CHECK(world_has(w, WORLD_SEND_SIGNAL));
	}
	world_kern_free(w);
}

TEST(programs)
{
	struct world *w = world_kern_new(NULL);
	const struct world_symbol *symbols;
	const struct world_usdt *usdts;
	const char *libc = w->ops->binary(w, "libc", -1);
	struct names x = {0};
	unsigned int n;

	CHECK(libc);
	CHECK_EQ(w->ops->symbols(w, libc, "getppid", true, &symbols, &n), 0);
	CHECK_EQ(n, 1);
	CHECK_STREQ(symbols[0].name, "getppid");
	CHECK(symbols[0].offset && symbols[0].size);
	CHECK_EQ(w->ops->symbols(w, libc, "mallo?", true, &symbols, &n), 0);
	CHECK(n >= 1);
	CHECK_EQ(w->ops->symbols(w, libc, "environ", false, &symbols, &n), 0);
	CHECK(n >= 1);
	CHECK_EQ(w->ops->symbols(w, libc, "no_such_function", true, &symbols, &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(w->ops->symbols(w, "/etc/passwd", "*", true, &symbols, &n), -ENOEXEC);
	CHECK_EQ(w->ops->usdts(w, libc, "*", "*", &usdts, &n), 0);
	w->ops->mapped(w, getpid(), take, &x);
	CHECK(x.n >= 1);
	CHECK(w->ops->cpus(w) >= 1);
	CHECK_EQ(w->ops->syscall_number(w, "nothing"), -1);
	world_kern_free(w);
}

TEST(tracepoints)
{
	struct world *w = world_kern_new(NULL);
	const struct world_field *fields = NULL, *again = NULL;
	struct names x = {0};
	unsigned int n;

	w->ops->tracepoints(w, "sched", "sched_switch", take, &x);
	if (!x.n) {
		test_skip("tracefs cannot be opened: run it as root");
		world_kern_free(w);
		return;
	}
	CHECK_EQ(x.n, 1);
	CHECK_STREQ(x.first, "sched:sched_switch");
	x.n = 0;
	w->ops->tracepoints(w, "sch*", "sched_swit*", take, &x);
	CHECK_EQ(x.n, 1);
	CHECK_EQ(w->ops->tracepoint_fields(w, "sched", "sched_switch", &fields, &n), 0);
	CHECK_EQ(w->ops->tracepoint_fields(w, "sched", "sched_switch", &again, &n), 0);
	CHECK(fields == again && n >= 7);
	CHECK_STREQ(fields[0].name, "prev_comm");
	CHECK_EQ(w->ops->tracepoint_fields(w, "sched", "none", &fields, &n), -ENOENT);
	world_kern_free(w);
}
