/* SPDX-License-Identifier: Apache-2.0 */
/* Format files as kernels write them, and as no kernel would. */
#include "runtime/kern/tracefs.h"
#include "test.h"

#include <errno.h>

static const char sched_switch[] =
	"name: sched_switch\n"
	"ID: 320\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:40;\tsize:4;\tsigned:0;\n"
	"\tfield:__rel_loc u8[] tail;\toffset:44;\tsize:4;\tsigned:0;\n"
	"\tfield:u8 matrix[2][3];\toffset:48;\tsize:6;\tsigned:0;\n"
	"\n"
	"print fmt: \"field:broken\", REC->prev_comm\n"
	"\tfield:behind the end;\n";

static struct tracefs_format parse(struct arena *a, const char *text, int expected)
{
	struct tracefs_format f;

	CHECK_EQ(tracefs_format_parse(str_of(text), a, &f), expected);
	return f;
}

TEST(fields)
{
	static const struct tracefs_field expected[] = {
		{"char[16]", "prev_comm", 8, 16, false, false, false},
		{"pid_t", "prev_pid", 24, 4, true, false, false},
		{"const char *", "filename", 32, 8, false, false, false},
		{"__data_loc char[]", "name", 40, 4, false, true, false},
		{"__rel_loc u8[]", "tail", 44, 4, false, false, true},
		{"u8[2][3]", "matrix", 48, 6, false, false, false},
	};
	struct arena a = {0};
	struct tracefs_format f = parse(&a, sched_switch, 0);

	CHECK_EQ(f.id, 320);
	CHECK_EQ(f.fields.n, ELEMENTS(expected));
	for (size_t i = 0; i < f.fields.n; i++) {
		const struct tracefs_field *got = &f.fields.p[i], *want = &expected[i];

		CHECK_STREQ(got->type, want->type);
		CHECK_STREQ(got->name, want->name);
		CHECK_EQ(got->offset, want->offset);
		CHECK_EQ(got->size, want->size);
		CHECK_EQ(got->is_signed, want->is_signed);
		CHECK_EQ(got->is_data_loc, want->is_data_loc);
		CHECK_EQ(got->is_rel_loc, want->is_rel_loc);
	}
	arena_done(&a);
}

TEST(damaged)
{
	static const char *const texts[] = {
		"",
		"ID: x\n",
		"ID: 99999999999\n",
		"ID: 1\n\tfield:int;\toffset:0;\tsize:4;\tsigned:1;\n",
		"ID: 1\n\tfield:int a;\toffset:-1;\tsize:4;\tsigned:1;\n",
		"ID: 1\n\tfield:int a;\toffset:0;\tsize:;\tsigned:1;\n",
		"ID: 1\n\tfield:int a;\toffset:0\n",
		"ID: 1\n\tfield:;\toffset:0;\tsize:4;\tsigned:1;\n",
		"ID: 1\n\tfield:int a];\toffset:0;\tsize:4;\tsigned:1;\n",
	};
	struct arena a = {0};

	for (size_t i = 0; i < ELEMENTS(texts); i++)
		parse(&a, texts[i], -EBADMSG);
	parse(&a, "ID: 1", 0);
	arena_done(&a);
}

/* The machine's own: only where it may be read. */
TEST(this_kernel)
{
	struct tracefs t = {.root = -1};
	struct tracefs_format f;
	struct arena a = {0};
	const char **names;
	unsigned int n;

	if (tracefs_open(&t) < 0) {
		test_skip("tracefs cannot be opened: run it as root");
		return;
	}
	CHECK(tracefs_event_id(&t, "sched", "sched_switch") > 0);
	CHECK_EQ(tracefs_event_id(&t, "sched", "no_such_event"), -ENOENT);
	CHECK_EQ(tracefs_event_id(&t, "..", "sched_switch"), -ENOENT);
	CHECK_EQ(tracefs_event_id(&t, "sched", "../x"), -ENOENT);
	CHECK_EQ(tracefs_format_read(&t, "sched", "sched_switch", &a, &f), 0);
	CHECK_EQ(f.id, tracefs_event_id(&t, "sched", "sched_switch"));
	CHECK(f.fields.n >= 7);
	CHECK_EQ(tracefs_list(&t, NULL, &a, &names, &n), 0);
	CHECK(n > 10);
	for (unsigned int i = 0; i < n; i++) { /* each file of this kernel reads */
		const char **events;
		unsigned int m, bad = 0;

		if (tracefs_list(&t, names[i], &a, &events, &m) < 0)
			continue;
		for (unsigned int k = 0; k < m; k++)
			bad += tracefs_format_read(&t, names[i], events[k], &a, &f) < 0;
		test_result(!bad || !strcmp(names[i], "ftrace"), __FILE__, __LINE__,
			    "%s: %u formats cannot be read", names[i], bad);
	}
	arena_done(&a);
	tracefs_close(&t);
	tracefs_close(&t);
}
