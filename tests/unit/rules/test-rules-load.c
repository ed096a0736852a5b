/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciders in the kernel's verifier: loaded, where the kernel lets us, and not attached.
 *
 * Rule sets by chance, and with SKEP_FALCO_RULES=FILE:FILE… those of rule files.
 */
#include "rules/rules-build.h"
#include "rules/rules-random.h"
#include "test.h"

#include "agent/world.h"
#include "base/clock.h"
#include "runtime/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { RULES_A_SET = 5 };

/* Maps that skep's own programs lend are made instead. */
static void complete(struct question *q)
{
	for (size_t i = 0; i < q->maps.n; i++) {
		struct question_map *m = &q->maps.p[i];

		if (!strcmp(m->name, RULE_MAP_STAGE))
			m->type = BPF_MAP_TYPE_PERCPU_ARRAY;
		if (!strcmp(m->name, RULE_MAP_SEND))
			m->type = BPF_MAP_TYPE_PROG_ARRAY;
	}
}

/* Programs of one hook; a table of programs takes no other.  0, or −errno. */
static int load_hook(const struct question *q, const char *hook, struct query_error *e)
{
	const struct query_config config = {0};
	struct question some = *q;
	struct query *query;
	int r;

	some.progs.p = arena_array(&some.arena, struct question_prog, q->progs.n + 1);
	some.progs.n = 0;
	for (size_t i = 0; i < q->progs.n; i++)
		if (q->progs.p[i].btf_name && !strcmp(q->progs.p[i].btf_name, hook))
			some.progs.p[some.progs.n++] = q->progs.p[i];
	r = query_open_kern(&some, &config, &query, e);
	if (r >= 0)
		query_close(query);
	return r;
}

/* False: the kernel is not for us. */
static bool load_all(struct world *world, const char *name, struct str text)
{
	static const char *const hooks[] = {"sys_exit", "sched_process_exec"};
	struct query_error e = {0};
	struct rule_plan plan;
	struct ruleset rs;
	struct question q;
	bool may_try = true;
	uint64_t begin;

	if (!build_load(&rs, name, text)) {
		ruleset_done(&rs);
		return true;
	}
	begin = clock_mono_ns();
	CHECK(build_compile(&rs, world, &q, &plan));
	complete(&q);
	for (size_t i = 0; may_try && i < ELEMENTS(hooks); i++) {
		int r = load_hook(&q, hooks[i], &e);

		may_try = r != -EPERM && r != -ENOTSUP && r != -ENOSYS;
		if (may_try)
			test_result(r >= 0, __FILE__, __LINE__, "%s: %s: %s\n%s", name, hooks[i],
				    e.error.what, e.error.log);
	}
	if (may_try && strcmp(name, "random.yaml"))
		printf("# %s: %zu rules, %u checks, %u residual, %zu programs: %.1f ms\n", name,
		       rs.rules.n, plan.n_checks, plan.n_residual, q.progs.n,
		       (double)(clock_mono_ns() - begin) / NS_PER_MS);
	question_done(&q);
	ruleset_done(&rs);
	return may_try;
}

TEST(the_kernel_takes_deciders)
{
	const struct world_kern_options options = {0};
	struct world *world = world_kern_new(&options);
	struct random r = {.state = build_number("SKEP_SEED", 0xfedcba987654321)};
	char *files = getenv("SKEP_FALCO_RULES"), *copy = files ? strdup(files) : NULL;
	uint64_t sets = build_number("SKEP_RANDOM", 0) > 100000 ? 100 : 4;
	bool may_try = true;

	for (uint64_t i = 0; i < sets && may_try; i++) {
		struct buf text = {0};

		random_rules(&r, RULES_A_SET, &text);
		may_try = load_all(world, "random.yaml", buf_str(&text));
		buf_done(&text);
	}
	for (char *at = copy, *name; may_try && at && (name = strsep(&at, ":"));) {
		struct buf text = {0};

		build_read(name, &text);
		may_try = load_all(world, name, buf_str(&text));
		buf_done(&text);
	}
	if (!may_try)
		test_skip("the kernel does not let us load programs");
	free(copy);
	world_kern_free(world);
}
