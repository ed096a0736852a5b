/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of tracepoints from their arguments: on which kernels, and with which values.
 *
 * Kernels are made here, of the types that count: tasks, and what sched_switch passes.  The
 * programs are run by the interpreter of the IR on tasks that are made, too.
 */
#include "check-run.h"
#include "compile/ir/interp.h"
#include "compile/lang/bpftrace/lower.h"
#include "isa/btf-write.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>

/* --- kernels */

enum shape {
	OLD_ARGS,   /* (preempt, prev, next) */
	NEW_ARGS,   /* (…, prev_state) */
	MIXED_ARGS, /* (preempt, prev_state, prev, next) */
	NO_ARGS,    /* no type of the tracepoint */
};

enum lack { EXIT_STATE = 1, CPU = 2, COMM = 4 /* it is half as long */, TASK = 8, BTF = 16 };

struct kernel {
	const char *name;
	const char *state; /* of task_struct: its name, and its bytes */
	unsigned int state_size;
	enum shape shape;
	unsigned int lacks;
	bool has_dl_server;  /* since 6.8 */
	bool has_cpu_inside; /* in thread_info */
};

#define KERNEL(word, member, bytes, args, without)                                 \
	{                                                                          \
		.name = word, .state = member, .state_size = bytes, .shape = args, \
		.lacks = without                                                   \
	}

/* Where things are in every task. */
enum { AT_INFO = 0, AT_STATE = 16, AT_EXIT = 24, AT_PID = 28, AT_PRIO = 32, AT_CPU = 36 };
enum { AT_COMM = 40, AT_DL = 56, TASK_SIZE = 64, AT_INFO_CPU = 12 };

static struct btf_view types;
static bool has_types, has_tp_btf, has_cast;

static const struct btf_view *made_types(struct world *w)
{
	(void)w;
	return has_types ? &types : NULL;
}

static bool made_has(struct world *w, enum world_feature f)
{
	(void)w;
	return (f == WORLD_TP_BTF && has_tp_btf) || (f == WORLD_CAST && has_cast);
}

static uint32_t task_type(struct btf_writer *w, const struct kernel *k, uint32_t number)
{
	uint32_t chars = btf_write_int(w, "char", 1, BTF_INT_SIGNED);
	uint32_t comm = btf_write_array(w, chars, number, k->lacks & COMM ? 8 : 16);
	uint32_t state = btf_write_int(w, "state", k->state_size, 0);
	uint32_t info =
		btf_write_struct(w, BTF_KIND_STRUCT, "thread_info", 16, k->has_cpu_inside ? 1 : 0);
	uint32_t task;
	bool has_cpu = !k->has_cpu_inside && !(k->lacks & CPU), has_exit = !(k->lacks & EXIT_STATE);

	if (k->has_cpu_inside)
		btf_write_member(w, "cpu", number, AT_INFO_CPU * 8);
	task = btf_write_struct(w, BTF_KIND_STRUCT, k->lacks & TASK ? "job" : "task_struct",
				TASK_SIZE, 5u + has_cpu + has_exit + k->has_dl_server);
	btf_write_member(w, "thread_info", info, AT_INFO * 8);
	btf_write_member(w, k->state, state, AT_STATE * 8);
	if (has_exit)
		btf_write_member(w, "exit_state", number, AT_EXIT * 8);
	btf_write_member(w, "pid", number, AT_PID * 8);
	btf_write_member(w, "prio", number, AT_PRIO * 8);
	if (has_cpu)
		btf_write_member(w, "cpu", number, AT_CPU * 8);
	btf_write_member(w, "comm", comm, AT_COMM * 8);
	if (k->has_dl_server)
		btf_write_member(w, "dl_server", number, AT_DL * 8);
	return task;
}

static void make_types(const struct kernel *k, struct buf *blob)
{
	struct btf_writer w;
	uint32_t number, word, flag, task, any, proto;

	btf_writer_init(&w);
	number = btf_write_int(&w, "int", 4, BTF_INT_SIGNED);
	word = btf_write_int(&w, "unsigned int", 4, 0);
	flag = btf_write_int(&w, "_Bool", 1, BTF_INT_BOOL);
	any = btf_write_ref(&w, BTF_KIND_PTR, NULL, 0);
	task = btf_write_ref(&w, BTF_KIND_PTR, NULL, task_type(&w, k, number));
	if (k->shape != NO_ARGS) {
		const uint32_t shapes[][5] = {{any, flag, task, task},
					      {any, flag, task, task, word},
					      {any, flag, word, task, task}};

		proto = btf_write_proto(&w, 0, shapes[k->shape], NULL,
					k->shape == OLD_ARGS ? 4 : 5);
		btf_write_ref(&w, BTF_KIND_TYPEDEF, "btf_trace_sched_switch",
			      btf_write_ref(&w, BTF_KIND_PTR, NULL, proto));
	}
	btf_write_blob(&w, blob);
	btf_writer_done(&w);
	has_types = !(k->lacks & BTF);
	CHECK_EQ(btf_view_init(&types, blob->p, blob->n), 0);
}

/* --- a program on such a kernel */

struct raw_run {
	struct check_run check; /* first */
	struct lowered lowered;
	struct buf blob;
	enum question_attach way;
};

static bool raw_run(struct raw_run *r, const struct kernel *k, const char *program,
		    struct check_options o)
{
	static const struct world_ops ops = {.btf = made_types, .has = made_has};
	bool ok;

	*r = (struct raw_run){.way = QATTACH_NONE};
	make_types(k, &r->blob);
	check_run(&r->check, program, 0);
	r->check.world->ops = &ops;
	o.world = r->check.world;
	o.pid = -1;
	ok = r->check.ok && lower_program(&r->check.q, &r->check.checked, &o, &r->lowered);
	if (ok && r->check.q.probes.n)
		r->way = r->check.q.probes.p[0].attach;
	return ok;
}

static void raw_run_done(struct raw_run *r)
{
	check_run_done(&r->check);
	btf_view_done(&types);
	buf_done(&r->blob);
}

static const struct kernel kernels[] = {
	{"5.10", .state = "state", .state_size = 8, .shape = OLD_ARGS},
	{"5.15", .state = "__state", .state_size = 4, .shape = OLD_ARGS},
	{"6.1", .state = "__state", .state_size = 4, .shape = NEW_ARGS, .has_cpu_inside = true},
	{"6.12", .state = "__state", .state_size = 4, .shape = NEW_ARGS, .has_cpu_inside = true,
	 .has_dl_server = true},
};

/* What is not known for sure is read from the record. */
TEST(kernels_that_are_not_understood)
{
	static const struct {
		struct kernel k;
		const char *fields;
		enum question_attach way;
	} cases[] = {
		{KERNEL("5.17", "__state", 4, MIXED_ARGS, 0), "args.prev_pid", QATTACH_TRACEPOINT},
		{KERNEL("5.17", "__state", 4, MIXED_ARGS, 0), "args.prev_state",
		 QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NO_ARGS, 0), "args.prev_pid", QATTACH_TRACEPOINT},
		{KERNEL("5.10", "state", 8, NO_ARGS, 0), "args.prev_pid", QATTACH_RAW_FIELDS},
		{KERNEL("5.10", "state", 8, NO_ARGS, 0), "args.prev_state", QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, EXIT_STATE), "args.prev_state",
		 QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, EXIT_STATE), "args.prev_pid",
		 QATTACH_RAW_FIELDS},
		{KERNEL("5.15", "status", 4, OLD_ARGS, 0), "args.prev_state", QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, COMM), "args.next_comm", QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, TASK), "args.next_pid", QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, BTF), "args.next_pid", QATTACH_TRACEPOINT},
		/* all of them, or none */
		{KERNEL("6.1", "__state", 4, NEW_ARGS, COMM), "args.next_pid, args.next_comm",
		 QATTACH_TRACEPOINT},
		{KERNEL("6.1", "__state", 4, NEW_ARGS, 0), "args.next_pid, args.next_comm",
		 QATTACH_RAW_FIELDS},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char program[128];
		struct raw_run r;

		snprintf(program, sizeof(program), "t:sched:sched_switch { @[%s] = count(); }",
			 cases[i].fields);
		CHECK(raw_run(&r, &cases[i].k, program, (struct check_options){}));
		test_result(r.way == cases[i].way, __FILE__, __LINE__, "%s, case %zu: %s",
			    cases[i].k.name, i, cases[i].fields);
		raw_run_done(&r);
	}
}

TEST(a_processor_that_is_nowhere)
{
	static const struct kernel one = KERNEL("one processor", "__state", 4, NEW_ARGS, CPU);
	struct raw_run r;

	CHECK(raw_run(&r, &one, "t:sched:sched_wakeup { @[args.target_cpu] = count(); }",
		      (struct check_options){}));
	CHECK_EQ(r.way, QATTACH_TRACEPOINT);
	raw_run_done(&r);
}

/* Members that are read often are loaded, if the verifier can know what they are of. */
TEST(typed_arguments)
{
	static const struct {
		const char *program;
		enum question_attach way;
	} cases[] = {
		{"t:sched:sched_switch { @[args.prev_pid] = count(); }", QATTACH_TP_BTF_FIELDS},
		{"t:sched:sched_switch { @[args.prev_state] = count(); }", QATTACH_TP_BTF_FIELDS},
		{"t:sched:sched_switch { @[args.prev_comm] = count(); }", QATTACH_RAW_FIELDS},
		/* its type is not among those that were made */
		{"t:sched:sched_wakeup { @[args.pid] = count(); }", QATTACH_RAW_FIELDS},
		{"t:sched:sched_process_exec { @[args.pid] = count(); }", QATTACH_RAW_FIELDS},
	};

	has_tp_btf = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct raw_run r;

		CHECK(raw_run(&r, &kernels[2], cases[i].program, (struct check_options){}));
		test_result(r.way == cases[i].way, __FILE__, __LINE__, "%s", cases[i].program);
		raw_run_done(&r);
	}
	has_cast = true; /* then it may be told, and no type is looked for */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct raw_run r;

		CHECK(raw_run(&r, &kernels[2], cases[i].program, (struct check_options){}));
		CHECK_EQ(r.way, QATTACH_RAW_FIELDS);
		raw_run_done(&r);
	}
	has_tp_btf = has_cast = false;
}

/* Other uses of args, and what runs elsewhere, need the record. */
TEST(actions_that_need_the_record)
{
	static const char *const programs[] = {
		"t:sched:sched_switch { $x = args; @ = args.next_pid; }",
		"t:sched:sched_switch /args.next_pid == 1/ { print(args); }",
	};
	struct raw_run r;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		CHECK(raw_run(&r, &kernels[2], programs[i], (struct check_options){}));
		CHECK_EQ(r.way, QATTACH_TRACEPOINT);
		raw_run_done(&r);
	}
	CHECK(raw_run(&r, &kernels[2], "t:sched:sched_switch { @ = args.next_pid; }",
		      (struct check_options){.is_portable = true}));
	CHECK_EQ(r.way, QATTACH_TRACEPOINT);
	raw_run_done(&r);
}

/* --- values */

static int read_kernel(struct interp *in, bool user, uint64_t address, void *to, uint32_t n)
{
	const void *from = user ? NULL : interp_memory(in, address, n, false);

	if (!from)
		return -EFAULT;
	memcpy(to, from, n);
	return 0;
}

static uint64_t map_value(struct interp *in, uint32_t map)
{
	(void)map;
	return *(uint64_t *)in->ctx;
}

struct task {
	uint32_t state, exit_state;
	int32_t pid, prio, cpu;
};

static void fill(const struct kernel *k, const struct task *t, uint8_t *to)
{
	memset(to, 0xa5, TASK_SIZE);
	memset(to + AT_STATE, 0, 8);
	memcpy(to + AT_STATE, &t->state, 4);
	memcpy(to + AT_EXIT, &t->exit_state, 4);
	memcpy(to + AT_PID, &t->pid, 4);
	memcpy(to + AT_PRIO, &t->prio, 4);
	memcpy(to + (k->has_cpu_inside ? AT_INFO + AT_INFO_CPU : AT_CPU), &t->cpu, 4);
}

/* What the program of `r` puts into its map, for these arguments. */
static uint64_t run(struct raw_run *r, const struct kernel *k, bool preempt, const struct task *a,
		    const struct task *b)
{
	static const struct interp_ops ops = {.read = read_kernel, .map_value = map_value};
	uint64_t value[8] = {0}, args[4], at, ret;
	uint8_t one[TASK_SIZE], two[TASK_SIZE];
	struct interp in;

	interp_init(&in, r->lowered.modules.p[0], 1000);
	in.ops = &ops;
	in.ctx = &at;
	at = interp_area(&in, value, sizeof(value), false);
	fill(k, a, one);
	fill(k, b, two);
	args[0] = preempt;
	args[1] = interp_area(&in, one, sizeof(one), true);
	args[2] = interp_area(&in, two, sizeof(two), true);
	args[3] = a->state;
	if (k->shape == NEW_ARGS) /* the argument counts, not what stands there now */
		memset(one + AT_STATE, 0xff, 4);
	CHECK(interp_eval(&in, interp_area(&in, args, sizeof(args), true), &ret));
	interp_done(&in);
	return value[0];
}

TEST(numbers_of_tasks)
{
	static const struct task a = {.pid = 7, .prio = 120}, b = {.pid = -2, .prio = -1};
	static const struct {
		const char *field;
		int64_t value;
	} cases[] = {{"prev_pid", 7}, {"prev_prio", 120}, {"next_pid", -2}, {"next_prio", -1}};

	for (size_t k = 0; k < sizeof(kernels) / sizeof(*kernels); k++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			char program[128];
			struct raw_run r;

			snprintf(program, sizeof(program),
				 "t:sched:sched_switch { @ = (int64)args.%s; }", cases[i].field);
			if (raw_run(&r, &kernels[k], program, (struct check_options){}))
				CHECK_EQ((int64_t)run(&r, &kernels[k], false, &a, &b),
					 cases[i].value);
			CHECK_EQ(r.way, QATTACH_RAW_FIELDS);
			raw_run_done(&r);
		}
}

/* The kernel's way, with its own words: include/linux/sched.h of 6.12, or of 5.10. */
static uint64_t reported(const struct kernel *k, bool preempt, const struct task *t)
{
	uint32_t state = (t->state | t->exit_state) & 0x7f;

	if (preempt)
		return 0x100;
	if ((t->state & 0x402) == 0x402)
		state = 0x80;
	if (k->shape == NEW_ARGS && (t->state & 0x1000 || t->state & 0x8000))
		state = 2;
	return state ? 1ull << (31 - __builtin_clz(state)) : 0;
}

static void check_states(void)
{
	static const struct task other = {0};
	static const uint32_t exits[] = {0, 0x10, 0x20};

	for (size_t k = 0; k < sizeof(kernels) / sizeof(*kernels); k++) {
		unsigned int wrong = 0;
		struct raw_run r;

		CHECK(raw_run(&r, &kernels[k], "t:sched:sched_switch { @ = args.prev_state; }",
			      (struct check_options){}));
		CHECK_EQ(r.way,
			 has_tp_btf && !has_cast ? QATTACH_TP_BTF_FIELDS : QATTACH_RAW_FIELDS);
		for (uint32_t s = 0; s < 0x10000; s += s < 0x800 ? 1 : 0x7f)
			for (int i = 0; i < 6; i++) {
				struct task t = {.state = s, .exit_state = exits[i % 3]};

				wrong += run(&r, &kernels[k], i > 2, &t, &other) !=
					 reported(&kernels[k], i > 2, &t);
			}
		test_result(!wrong, __FILE__, __LINE__, "%s: %u states", kernels[k].name, wrong);
		raw_run_done(&r);
	}
}

TEST(state_of_who_goes)
{
	check_states();
	has_tp_btf = true;
	check_states();
	has_cast = true;
	check_states();
	has_tp_btf = has_cast = false;
}
