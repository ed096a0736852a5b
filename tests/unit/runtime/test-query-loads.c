/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that are loaded by a helper and by who waits for one.  Program i returns i; those in
 * `bad` follow a number as a pointer, which the verifier refuses.
 */
#include "base/macro.h"
#include "base/parallel.h"
#include "isa/insn.h"
#include "runtime/query.h"
#include "test.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGS = 12, LENGTH = 80 };

struct made {
	struct question q;
	struct bpf_insn insns[PROGS][LENGTH + 2];
	struct helper *helper;
	struct query *x;
};

static bool may_bpf(void)
{
	if (!geteuid())
		return true;
	test_skip("loads BPF programs: run it as root");
	return false;
}

static void prog(struct made *m, uint32_t i, bool is_bad)
{
	struct bpf_insn *insns = m->insns[i];
	uint32_t n = LENGTH - i; /* the first is the longest */

	for (uint32_t k = 0; k < n; k++)
		insns[k] = insn_mov_imm(BPF_REG_0, (int32_t)i);
	if (is_bad)
		insns[n - 1] = insn_load(8, false, BPF_REG_0, BPF_REG_0, 0);
	insns[n] = insn_exit();
	array_push(&m->q.arena, &m->q.progs,
		   ((struct question_prog){.name = "probe",
					   .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
					   .insns = insns,
					   .n_insns = n + 1}));
	array_push(&m->q.arena, &m->q.probes,
		   ((struct question_probe){
			   .name = "probe", .attach = QATTACH_BEGIN, .prog = i, .pid = -1}));
}

/* `bad`: a bit a program. */
static void prepare(struct made *m, uint32_t bad)
{
	*m = (struct made){0};
	question_init(&m->q);
	m->q.ring = m->q.globals = m->q.lost = -1;
	for (uint32_t i = 0; i < PROGS; i++)
		prog(m, i, bad >> i & 1);
}

static void open_query(struct made *m)
{
	struct query_config config = {.ring_bytes = 65536};
	struct query_error e;

	m->helper = helper_start();
	config.helper = m->helper;
	CHECK_EQ(query_open_kern(&m->q, &config, &m->x, &e), 0);
}

static void begin(struct made *m, uint32_t bad)
{
	prepare(m, bad);
	open_query(m);
}

static void end(struct made *m)
{
	helper_end(m->helper);
	query_close(m->x);
	question_done(&m->q);
}

static void check_runs(struct made *m, uint32_t i)
{
	uint32_t result = UINT32_MAX;
	uint64_t ns;

	CHECK_EQ(query_run(m->x, i, 1, &result, &ns), 0);
	CHECK_EQ(result, i);
}

TEST(each_is_there_when_it_was_awaited)
{
	struct query_error e;
	struct made m;

	if (!may_bpf())
		return;
	begin(&m, 0);
	for (uint32_t i = PROGS; i--;) { /* against the order in which they are taken */
		CHECK_EQ(query_await(m.x, i, &e), 0);
		check_runs(&m, i);
	}
	CHECK_EQ(query_await(m.x, 3, &e), 0);
	CHECK_EQ(query_await(m.x, UINT32_MAX, &e), 0);
	check_runs(&m, 5);
	end(&m);
}

TEST(all_at_once)
{
	struct query_error e;
	struct made m;

	if (!may_bpf())
		return;
	begin(&m, 0);
	CHECK_EQ(query_await(m.x, UINT32_MAX, &e), 0);
	for (uint32_t i = 0; i < PROGS; i++)
		check_runs(&m, i);
	end(&m);
}

TEST(who_awaits_one_that_is_refused_is_told)
{
	struct query_error e;
	struct made m;

	if (!may_bpf())
		return;
	begin(&m, 1u << 4);
	CHECK_EQ(query_await(m.x, 2, &e), 0);
	check_runs(&m, 2);
	if (m.helper) { /* else it was told when it was opened */
		CHECK_EQ(query_await(m.x, 4, &e), -EACCES);
		CHECK_EQ(e.prog, 4);
		CHECK_EQ(e.probe, 4);
	}
	CHECK_EQ(query_await(m.x, 9, &e), 0);
	check_runs(&m, 9);
	end(&m);
}

TEST(all_are_not_there_if_one_is_refused)
{
	struct query_error e;
	struct made m;

	if (!may_bpf())
		return;
	begin(&m, 1u << 11 | 1u << 0);
	CHECK_EQ(query_await(m.x, UINT32_MAX, &e), -EACCES);
	CHECK_EQ(e.prog, 0);
	end(&m);
}

TEST(an_optional_one_may_be_refused)
{
	struct query_error e;
	struct made m;

	if (!may_bpf())
		return;
	begin(&m, 1u << 7);
	m.q.probes.p[7].is_optional = true;
	CHECK_EQ(query_await(m.x, 7, &e), 0);
	CHECK_EQ(query_await(m.x, UINT32_MAX, &e), 0);
	check_runs(&m, 8);
	end(&m);
}

/* How many programs of a name this process has that were loaded behind number `id`; *ret_id: the
 * last one's number. */
static unsigned int count_progs(const char *name, uint32_t id, uint32_t *ret_id)
{
	unsigned int n = 0;

	for (int fd = 3; fd < 256; fd++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || strcmp(info.name, name) != 0 ||
		    info.id <= id)
			continue;
		n++;
		*ret_id = MAX(*ret_id, info.id); /* they count up */
	}
	return n;
}

TEST(what_only_end_runs_comes_last)
{
	struct query_error e;
	uint32_t late = 0, last = 0;
	struct made m;

	if (!may_bpf())
		return;
	prepare(&m, 0);
	m.q.progs.p[0].name = "late"; /* the longest */
	m.q.probes.p[0].attach = QATTACH_END;
	open_query(&m);
	if (m.helper) {
		for (uint32_t i = 1; i < PROGS; i++)
			CHECK_EQ(query_await(m.x, i, &e), 0);
		CHECK_EQ(query_await(m.x, UINT32_MAX, &e), 0);
		CHECK_EQ(count_progs("late", 0, &late), 1);
		CHECK_EQ(count_progs("probe", 0, &last), PROGS - 1);
		/* at most the one that was on its way when nothing else was left */
		CHECK(count_progs("probe", late, &last) <= 1);
	}
	end(&m);
}

TEST(it_may_come_to_nothing)
{
	struct made m;

	if (!may_bpf())
		return;
	for (int i = 0; i < 20; i++) {
		begin(&m, 0);
		end(&m);
	}
}
