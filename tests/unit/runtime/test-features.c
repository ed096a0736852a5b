/* SPDX-License-Identifier: Apache-2.0 */
/* Feature probes: they answer every row, quickly, and leave nothing behind. */
#include "runtime/kern/features.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "catalog/catalog.h"
#include "test.h"

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static const struct feature_result *result_of(const struct feature_result *r, const char *name)
{
	for (size_t i = 0; i < FEATURE_END; i++)
		if (!strcmp(r[i].f->name, name))
			return &r[i];
	return NULL;
}

TEST(every_row_is_complete)
{
	const struct feature *f;
	size_t n = 0;

	for (; (f = feature_get(n)); n++) {
		CHECK(f->name && f->gives && f->since);
		CHECK(!f->commit || strlen(f->commit) == 12);
		CHECK(strlen(f->gives) + 29 <= 80); /* fits behind the table's columns */
		for (size_t i = 0; i < n; i++)
			CHECK(strcmp(f->name, feature_get(i)->name));
	}
	CHECK_EQ(n, FEATURE_END);
}

TEST(every_row_is_answered)
{
	struct feature_result r[FEATURE_END];

	CHECK_EQ(features_probe(r, FEATURE_END), FEATURE_END);
	for (size_t i = 0; i < FEATURE_END; i++) {
		CHECK(r[i].f == feature_get(i));
		CHECK(r[i].answer == FEATURE_YES || (r[i].reason[0] && r[i].err < 0));
		CHECK(r[i].answer != FEATURE_YES || !r[i].err);
	}
}

TEST(room_for_fewer_is_respected)
{
	struct feature_result r[3];

	memset(r, 0, sizeof(r));
	CHECK_EQ(features_probe(r, 2), 2);
	CHECK(r[1].f && !r[2].f);
}

TEST(nothing_stays_behind)
{
	struct feature_result r[FEATURE_END];
	struct rlimit before, after;
	int n;

	getrlimit(RLIMIT_MEMLOCK, &before);
	n = descriptors();
	features_probe(r, FEATURE_END);
	CHECK_EQ(descriptors(), n);
	getrlimit(RLIMIT_MEMLOCK, &after);
	CHECK_EQ(after.rlim_cur, before.rlim_cur);
	CHECK_EQ(after.rlim_max, before.rlim_max);
}

/* The shortest of a few runs: the machine is not ours alone. */
TEST(takes_less_than_100_ms)
{
	struct feature_result r[FEATURE_END];
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t start = now_ns();

		features_probe(r, FEATURE_END);
		least = MIN(least, now_ns() - start);
	}
	CHECK(least < 100 * 1000000ull);
}

TEST(root_can_load)
{
	struct feature_result r[FEATURE_END];
	struct privileges p;

	privileges_read(&p);
	if (privileges_missing(&p, CAPABILITY_BIT(BPF)) || p.in_user_namespace || p.is_filtered) {
		test_skip("CAP_BPF is missing");
		return;
	}
	features_probe(r, FEATURE_END);
	CHECK_EQ(result_of(r, "bpf")->answer, FEATURE_YES);
	CHECK(!strstr(result_of(r, "tp_btf")->reason, "CAP_"));
}

/* In a child without privileges: 0 when each check holds, else its number. */
static int check_unprivileged(void)
{
	struct feature_result r[FEATURE_END];
	struct privileges p;

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		return 1;
	privileges_read(&p);
	if (p.effective || p.uid != 65534)
		return 2;
	if (features_probe(r, FEATURE_END) != FEATURE_END)
		return 3;
	if (result_of(r, "bpf")->answer != FEATURE_NO ||
	    !strstr(result_of(r, "bpf")->reason, "CAP_BPF"))
		return 4;
	if (result_of(r, "tp_btf")->answer != FEATURE_NO)
		return 5;
	if (features_missing_events(r, FEATURE_END) != events_all())
		return 6;
	return 0;
}

TEST(nobody_learns_why_not)
{
	int status = -1;
	pid_t pid;

	if (geteuid()) {
		test_skip("only root can become somebody else");
		return;
	}
	pid = fork();
	if (!pid)
		_exit(check_unprivileged());
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(admin_stands_in)
{
	struct privileges p = {.known = ~0ull, .effective = CAPABILITY_BIT(SYS_ADMIN)};
	uint64_t wanted = CAPABILITY_BIT(BPF) | CAPABILITY_BIT(NET_ADMIN);

	CHECK_EQ(privileges_missing(&p, wanted), 0);
	CHECK(privileges_missing(&p, CAPABILITY_BIT(SYS_PTRACE)) == CAPABILITY_BIT(SYS_PTRACE));
	p.effective = CAPABILITY_BIT(BPF);
	CHECK(privileges_missing(&p, wanted) == CAPABILITY_BIT(NET_ADMIN));
}

TEST(old_kernels_know_admin_only)
{
	struct privileges p = {.known = (1ull << 38) - 1};

	CHECK(privileges_missing(&p, CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON)) ==
	      CAPABILITY_BIT(SYS_ADMIN));
}

TEST(capabilities_as_words)
{
	char text[96];

	privileges_print(CAPABILITY_BIT(BPF), text, sizeof(text));
	CHECK_STREQ(text, "CAP_BPF");
	privileges_print(CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON) | CAPABILITY_BIT(NET_ADMIN),
			 text, sizeof(text));
	CHECK_STREQ(text, "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	privileges_print(0, text, sizeof(text));
	CHECK_STREQ(text, "");
	privileges_print(~0ull, text, 12);
	CHECK_STREQ(text, "CAP_BPF, CA");
}

TEST(stand_ins_are_followed)
{
	static const struct feature a = {.name = "a", .instead = "b, one by one"};
	static const struct feature b = {.name = "b", .instead = "c"};
	static const struct feature c = {.name = "c", .instead = "a"};
	struct feature_result r[] = {
		{&a, FEATURE_NO, 0, ""}, {&b, FEATURE_YES, 0, ""}, {&c, FEATURE_NO, 0, ""}};

	CHECK_STREQ(features_instead(r, 3, 0), "b, one by one");
	r[1].answer = FEATURE_NO;
	r[2].answer = FEATURE_YES;
	CHECK_STREQ(features_instead(r, 3, 0), "c");
	r[2].answer = FEATURE_NO;
	CHECK(!features_instead(r, 3, 0)); /* a ring of rows, none of them there */
}

TEST(missing_events)
{
	static const struct feature all = {.name = "all", .events = ~0ull};
	static const struct feature one = {.name = "one", .events = KIND_BIT(EV_DATAGRAM)};
	struct feature_result r[] = {{&all, FEATURE_YES, 0, ""}, {&one, FEATURE_NO, -EPERM, "x"}};

	CHECK(features_missing_events(r, 2) == KIND_BIT(EV_DATAGRAM));
	r[1].answer = FEATURE_UNKNOWN;
	CHECK_EQ(features_missing_events(r, 2), 0);
	r[0].answer = FEATURE_NO;
	CHECK(features_missing_events(r, 2) == events_all());
}
