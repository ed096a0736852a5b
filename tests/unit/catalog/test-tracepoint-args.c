/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of tracepoint-args.def: that they can be found, and say what their way needs. */
#include "catalog/tracepoint-args.h"
#include "test.h"

#include <string.h>

TEST(rows)
{
	const struct tracepoint_field *f;
	size_t n = 0;

	for (; (f = tracepoint_field_at(n)); n++) {
		bool has_struct = f->way == TRACEPOINT_MEMBER || f->way == TRACEPOINT_TEXT;

		/* no field stands there twice */
		test_result(tracepoint_field(f->group, f->event, f->field) == f, __FILE__, __LINE__,
			    "%s:%s %s", f->group, f->event, f->field);
		/* what the kernel passes to its raw tracepoints: MAX_BPF_FUNC_REG_ARGS and more */
		CHECK(f->arg < 12);
		CHECK(f->way < TRACEPOINT_WAYS);
		CHECK_EQ(strcmp(f->type, "none") != 0, has_struct);
		CHECK_EQ(strcmp(f->member, "none") != 0, has_struct);
	}
	CHECK(n > 40);
}

TEST(often)
{
	CHECK(tracepoint_is_often("sched", "sched_switch"));
	CHECK(!tracepoint_is_often("sched", "sched_process_exit"));
	CHECK(!tracepoint_is_often("irq", "sched_switch"));
}

TEST(unknown)
{
	CHECK(tracepoint_field("sched", "sched_switch", "next_pid"));
	CHECK(!tracepoint_field("sched", "sched_switch", "next"));
	CHECK(!tracepoint_field("sched", "sched_switch", ""));
	CHECK(!tracepoint_field("sched", "switch", "next_pid"));
	CHECK(!tracepoint_field("irq", "sched_switch", "next_pid"));
}
