/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's logs of several kernels, read without one. */
#include "base/macro.h"
#include "runtime/kern/query-internal.h"
#include "test.h"

static const struct question_line lines[] = {{0, {0, 1, 2}}, {2, {0, 3, 4}}, {5, {0, 5, 6}}};
static const struct question_prog prog = {
	.name = "probe",
	.lines = lines,
	.n_lines = ELEMENTS(lines),
	.span = {0, 90, 91},
};

static struct query_error read_log(const char *log)
{
	struct query_error e = {.prog = UINT32_MAX, .probe = UINT32_MAX};

	query_refusal(&prog, log, -EACCES, &e);
	return e;
}

static const struct {
	const char *log;
	uint32_t begin;
	const char *words;
} cases[] = {
	/* 6.x */
	{"func#0 @0\n0: R1=ctx() R10=fp0\n0: (b7) r1 = 1                        ; R1=1\n"
	 "1: (67) r1 <<= 3                      ; R1_w=8\n2: (79) r2 = *(u64 *)(r1 +0)\n"
	 "R1 invalid mem access 'scalar'\n"
	 "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
	 "mark_read 0\n",
	 3, "a number is followed"},
	/* 5.10 */
	{"0: (b7) r1 = 1\n1: (79) r2 = *(u64 *)(r1 +0)\nR1 invalid mem access 'inv'\n"
	 "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
	 "mark_read 0\n",
	 1, "a number is followed"},
	{"back-edge from insn 7 to 2\nprocessed 0 insns (limit 1000000)\n", 5, "loop"},
	{"0: (85) call unknown#300\ninvalid func unknown#300\nprocessed 1 insns\n", 1,
	 "does not have a helper"},
	{"6: (85) call bpf_get_stack#67\nunknown func bpf_get_stack#67\nprocessed 1 insns\n", 5,
	 "does not let this kind of probe"},
	{"5: (55) if r1 != 0x0 goto pc-3\nBPF program is too large. Processed 1000001 insn\n"
	 "processed 1000001 insns (limit 1000000)\n",
	 5, "too many instructions"},
	{"some new words of a new kernel\n", 90, "some new words of a new kernel"},
};

TEST(logs)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct query_error e = read_log(cases[i].log);

		test_result(strstr(e.error.what, cases[i].words), __FILE__, __LINE__, "%zu: %s", i,
			    e.error.what);
		CHECK_EQ(e.span.begin, cases[i].begin);
		CHECK(e.error.log[0]);
	}
}

/* No log: which program is all that can be said. */
TEST(no_log)
{
	struct query_error e = read_log("");

	CHECK(strstr(e.error.what, "probe"));
	CHECK_EQ(e.span.begin, 90);
}

/* Long ones keep their end, from a line's begin. */
TEST(long_log)
{
	struct buf log = {0};
	struct query_error e;

	for (int i = 0; i < 2000; i++)
		buf_printf(&log, "%d: (b7) r1 = 1\n", i);
	buf_puts(&log, "R1 !read_ok\nprocessed 9 insns\n");
	e = read_log(log.p);
	CHECK(strstr(e.error.what, "never set"));
	CHECK(strlen(e.error.log) > 3000);
	CHECK(strstr(e.error.log, ": (b7)") - e.error.log <= 4);
	buf_done(&log);
}
