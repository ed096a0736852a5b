/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions in the kernel, with programs assembled by hand.  Only as root; probes count
 * this process alone.
 */
#include "base/macro.h"
#include "isa/insn.h"
#include "runtime/kern/ability.h"
#include "runtime/query.h"
#include "test.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP_RING, MAP_GLOBALS, MAP_HASH, MAP_COUNTS, MAP_LOST, MAPS };

/* A question in the making. */
struct made {
	struct question q;
	struct bpf_insn insns[64];
	struct question_reloc relocs[8];
	struct question_line lines[8];
	uint32_t n, n_relocs, n_lines;
};

static bool may_bpf(void)
{
	if (!geteuid())
		return true;
	test_skip("loads BPF programs: run it as root");
	return false;
}

static void map(struct made *m, const char *name, enum question_map_kind kind, uint32_t type,
		uint32_t key, uint32_t value, uint32_t n)
{
	array_push(&m->q.arena, &m->q.maps,
		   ((struct question_map){.name = name,
					  .kind = kind,
					  .type = type,
					  .key_size = key,
					  .value_size = value,
					  .max_entries = n}));
}

static void begin(struct made *m)
{
	static const uint64_t init[2] = {0, 77};

	*m = (struct made){0};
	question_init(&m->q);
	map(m, "ring", QMAP_RING, BPF_MAP_TYPE_RINGBUF, 0, 0, 0);
	map(m, "globals", QMAP_GLOBALS, BPF_MAP_TYPE_ARRAY, 4, 16, 1);
	m->q.maps.p[MAP_GLOBALS].init = init;
	map(m, "@h", QMAP_NAMED, BPF_MAP_TYPE_HASH, 8, 8, 10000);
	map(m, "@c", QMAP_NAMED, BPF_MAP_TYPE_PERCPU_HASH, 8, 8, 100);
	map(m, "lost", QMAP_LOST, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1);
	m->q.ring = MAP_RING;
	m->q.globals = MAP_GLOBALS;
	m->q.lost = MAP_LOST;
}

static void put(struct made *m, struct bpf_insn i)
{
	m->insns[m->n++] = i;
}

static void put_map(struct made *m, unsigned int dst, uint32_t which, bool is_value,
		    uint32_t addend)
{
	struct bpf_insn wide[2];

	insn_wide(wide, 0, dst, 0);
	m->relocs[m->n_relocs++] = (struct question_reloc){
		.insn = m->n,
		.kind = is_value ? QRELOC_MAP_VALUE : QRELOC_MAP,
		.map = which,
		.addend = addend,
	};
	put(m, wide[0]);
	put(m, wide[1]);
}

/* The first global + 1, if `pid` (0: any) runs. */
static void put_count(struct made *m, int pid)
{
	if (pid) {
		put(m, insn_call(0, BPF_FUNC_get_current_pid_tgid));
		put(m, insn_alu_imm(BPF_RSH, false, BPF_REG_0, 32));
		put(m, insn_jump_imm(BPF_JNE, BPF_REG_0, pid, 4));
	}
	put_map(m, BPF_REG_1, MAP_GLOBALS, true, 0);
	put(m, insn_mov_imm(BPF_REG_2, 1));
	put(m, insn_atomic(BPF_ADD, 8, BPF_REG_1, 0, BPF_REG_2));
}

static void put_end(struct made *m)
{
	put(m, insn_mov_imm(BPF_REG_0, 0));
	put(m, insn_exit());
}

static void prog(struct made *m, uint32_t type, uint32_t attach, const char *btf_name)
{
	array_push(&m->q.arena, &m->q.progs,
		   ((struct question_prog){.name = "probe",
					   .prog_type = type,
					   .attach_type = attach,
					   .btf_name = btf_name,
					   .insns = m->insns,
					   .n_insns = m->n,
					   .relocs = m->relocs,
					   .n_relocs = m->n_relocs,
					   .lines = m->lines,
					   .n_lines = m->n_lines,
					   .span = {0, 1, 2}}));
}

static void probe(struct made *m, struct question_probe p)
{
	p.name = "probe";
	if (!p.pid)
		p.pid = -1;
	array_push(&m->q.arena, &m->q.probes, p);
}

static struct query *open_query(struct made *m)
{
	struct query_config config = {.ring_bytes = 65536};
	struct query_error e;
	struct query *x = NULL;
	int r = query_open_kern(&m->q, &config, &x, &e);

	test_result(!r, __FILE__, __LINE__, "opens: %d %s %s\n%s", r, e.error.what, e.error.hint,
		    e.error.log);
	return x;
}

static void end(struct made *m, struct query *x)
{
	query_close(x);
	question_done(&m->q);
}

static int take_u64(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	uint64_t *sum = ctx, one;

	(void)key;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(&one, (const char *)values + i * step, sizeof(one));
		*sum += one;
	}
	return 0;
}

static uint64_t counted(struct query *x)
{
	uint64_t sum = 0;
	uint32_t zero = 0;

	query_map_get(x, MAP_GLOBALS, &zero, take_u64, &sum);
	return sum;
}

static bool attaches(struct query *x)
{
	struct query_error e;
	int r = query_attach(x, 0, &e);

	test_result(!r, __FILE__, __LINE__, "attaches: %d %s %s", r, e.error.what, e.error.hint);
	return !r;
}

TEST(begin_runs)
{
	struct made m;
	struct query *x;
	uint32_t ret = 9;
	uint64_t ns = 0, two = 2;

	if (!may_bpf())
		return;
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_BEGIN});
	x = open_query(&m);
	if (x) {
		CHECK_EQ(query_run(x, 0, 1, &ret, &ns), 0);
		CHECK_EQ(ret, 0);
		CHECK_EQ(counted(x), 1);
		CHECK_EQ(query_run(x, 0, 1000, &ret, &ns), 0);
		CHECK_EQ(counted(x), 1001);
		CHECK(ns > 0 && ns < 1000000);
		CHECK_EQ(query_global_set(x, 0, &two, sizeof(two)), 0);
		CHECK_EQ(counted(x), 2);
		CHECK_EQ(query_global_set(x, 12, &two, sizeof(two)), -ERANGE);
		CHECK_EQ(query_global_set(x, -1, &two, sizeof(two)), 0);
		CHECK_EQ(query_loss(x, 0), 0);
		CHECK_EQ(query_loss(x, 7), 0);
	}
	end(&m, x);
}

struct seen {
	unsigned int n;
	uint32_t action, probe;
	uint64_t payload;
	size_t bytes;
};

static int take_record(void *ctx, const struct wire_answer *record, size_t n)
{
	struct seen *s = ctx;

	s->n++;
	s->action = record->action;
	s->probe = record->probe;
	s->bytes = n;
	if (n >= sizeof(*record) + 8)
		memcpy(&s->payload, record + 1, 8);
	return 0;
}

TEST(records_come)
{
	struct made m;
	struct query *x;
	struct seen s = {0};
	uint32_t ret;
	uint64_t ns;

	if (!may_bpf())
		return;
	begin(&m);
	put(&m, insn_store_imm(4, BPF_REG_10, -16, 3));
	put(&m, insn_store_imm(4, BPF_REG_10, -12, 5));
	put(&m, insn_store_imm(8, BPF_REG_10, -8, 4711));
	put_map(&m, BPF_REG_1, MAP_RING, false, 0);
	put(&m, insn_mov(BPF_REG_2, BPF_REG_10));
	put(&m, insn_alu_imm(BPF_ADD, false, BPF_REG_2, -16));
	put(&m, insn_mov_imm(BPF_REG_3, 16));
	put(&m, insn_mov_imm(BPF_REG_4, 0));
	put(&m, insn_call(0, BPF_FUNC_ringbuf_output));
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_BEGIN});
	x = open_query(&m);
	if (x) {
		CHECK_EQ(query_poll(x, 0, take_record, &s), 0);
		for (unsigned int i = 0; i < 20000; i++) { /* over the ring's end */
			query_run(x, 0, 1, &ret, &ns);
			if (i % 100 == 99)
				query_poll(x, 1, take_record, &s);
		}
		CHECK_EQ(s.n, 20000);
		CHECK_EQ(s.action, 3);
		CHECK_EQ(s.probe, 5);
		CHECK_EQ(s.bytes, 16);
		CHECK_EQ(s.payload, 4711);
		CHECK(query_poll_fd(x) >= 0);
	}
	end(&m, x);
}

/* A program that adds r1's 8 bytes, `key`, to the hash maps is long; here test-run args do. */
static void put_update(struct made *m, uint32_t which)
{
	put_map(m, BPF_REG_1, which, false, 0);
	put(m, insn_mov(BPF_REG_2, BPF_REG_10));
	put(m, insn_alu_imm(BPF_ADD, false, BPF_REG_2, -8));
	put(m, insn_mov(BPF_REG_3, BPF_REG_10));
	put(m, insn_alu_imm(BPF_ADD, false, BPF_REG_3, -16));
	put(m, insn_mov_imm(BPF_REG_4, 0));
	put(m, insn_call(0, BPF_FUNC_map_update_elem));
}

static int count_items(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	(void)key;
	(void)values;
	(void)n;
	(void)step;
	++*(unsigned int *)ctx;
	return 0;
}

TEST(maps_are_read_and_cleared)
{
	struct made m;
	struct query *x;
	unsigned int n = 0;
	uint64_t sum = 0, ns;
	uint32_t ret;

	if (!may_bpf())
		return;
	begin(&m);
	/* key: a number that counts up; value 1 */
	put_count(&m, 0);
	put_map(&m, BPF_REG_1, MAP_GLOBALS, true, 0);
	put(&m, insn_load(8, false, BPF_REG_2, BPF_REG_1, 0));
	put(&m, insn_store(8, BPF_REG_10, -8, BPF_REG_2));
	put(&m, insn_store_imm(8, BPF_REG_10, -16, 1));
	put_update(&m, MAP_HASH);
	put_update(&m, MAP_COUNTS);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_BEGIN});
	x = open_query(&m);
	if (x) {
		CHECK_EQ(query_map_each(x, MAP_HASH, count_items, &n), 0);
		query_run(x, 0, 9000, &ret, &ns);
		CHECK_EQ(query_map_each(x, MAP_HASH, count_items, &n), 9000);
		CHECK_EQ(n, 9000);
		query_map_each(x, MAP_HASH, take_u64, &sum);
		CHECK_EQ(sum, 9000);
		n = 0, sum = 0;
		CHECK_EQ(query_map_each(x, MAP_COUNTS, take_u64, &sum), 100);
		CHECK_EQ(sum, 100);
		CHECK_EQ(query_map_zero(x, MAP_COUNTS), 0);
		sum = 0;
		CHECK_EQ(query_map_each(x, MAP_COUNTS, take_u64, &sum), 100);
		CHECK_EQ(sum, 0);
		CHECK_EQ(query_map_clear(x, MAP_COUNTS), 0);
		CHECK_EQ(query_map_each(x, MAP_COUNTS, take_u64, &sum), 0);
		CHECK_EQ(query_map_clear(x, MAP_HASH), 0);
		CHECK_EQ(query_map_each(x, MAP_HASH, take_u64, &sum), 0);
		CHECK_EQ(query_map_clear(x, MAP_GLOBALS), 0);
		CHECK_EQ(counted(x), 0);
	}
	end(&m, x);
}

/* --- attaching: each counts what this process does */

struct kind {
	const char *name;
	uint32_t type, attach;
	const char *btf_name;
	struct question_probe probe;
};

static void attach_and_count(const struct kind *k, int filter)
{
	struct made m;
	struct query *x;

	begin(&m);
	put_count(&m, filter);
	put_end(&m);
	prog(&m, k->type, k->attach, k->btf_name);
	probe(&m, k->probe);
	x = open_query(&m);
	if (x && attaches(x)) {
		for (int i = 0; i < 100; i++)
			syscall(SYS_getpgid, 0);
		test_result(counted(x) >= 100, __FILE__, __LINE__, "%s counts: %llu", k->name,
			    (unsigned long long)counted(x));
		query_detach(x);
		CHECK_EQ(query_global_set(x, 0, &(uint64_t){0}, 8), 0);
		syscall(SYS_getpgid, 0);
		CHECK_EQ(counted(x), 0);
	}
	end(&m, x);
}

TEST(tracepoints_three_ways)
{
	static const struct kind kinds[] = {
		{"tp_btf",
		 BPF_PROG_TYPE_TRACING,
		 BPF_TRACE_RAW_TP,
		 "sys_enter",
		 {.attach = QATTACH_TP_BTF}},
		{"raw_tp",
		 BPF_PROG_TYPE_RAW_TRACEPOINT,
		 0,
		 NULL,
		 {.attach = QATTACH_RAW_TP, .target = "sys_enter"}},
		{"tracepoint",
		 BPF_PROG_TYPE_TRACEPOINT,
		 0,
		 NULL,
		 {.attach = QATTACH_TRACEPOINT,
		  .group = "syscalls",
		  .target = "sys_enter_getpgid"}},
	};

	if (!may_bpf())
		return;
	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		attach_and_count(&kinds[i], getpid());
}

#ifdef __aarch64__
#define GETPGID "__arm64_sys_getpgid"
#else
#define GETPGID "__x64_sys_getpgid"
#endif

/* On kernels that have them: in the VM. */
TEST(kernel_functions)
{
	static const char *const targets[] = {GETPGID};
	static const uint64_t cookies[] = {7};
	static const struct kind kinds[] = {
		{"kprobe",
		 BPF_PROG_TYPE_KPROBE,
		 0,
		 NULL,
		 {.attach = QATTACH_KPROBE, .target = GETPGID}},
		{"kretprobe",
		 BPF_PROG_TYPE_KPROBE,
		 0,
		 NULL,
		 {.attach = QATTACH_KRETPROBE, .target = GETPGID}},
		{"kprobe.multi",
		 BPF_PROG_TYPE_KPROBE,
		 42,
		 NULL,
		 {.attach = QATTACH_KPROBE_MULTI,
		  .targets = targets,
		  .n_targets = 1,
		  .cookies = cookies}},
		{"kretprobe.multi",
		 BPF_PROG_TYPE_KPROBE,
		 42,
		 NULL,
		 {.attach = QATTACH_KRETPROBE_MULTI, .targets = targets, .n_targets = 1}},
		{"fentry",
		 BPF_PROG_TYPE_TRACING,
		 BPF_TRACE_FENTRY,
		 GETPGID,
		 {.attach = QATTACH_FENTRY}},
		{"fexit",
		 BPF_PROG_TYPE_TRACING,
		 BPF_TRACE_FEXIT,
		 GETPGID,
		 {.attach = QATTACH_FEXIT}},
	};

	if (!may_bpf())
		return;
	if (!kernel_has_pmu("kprobe")) {
		test_skip("this kernel has no kprobes");
		return;
	}
	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (kinds[i].attach != 42 || kernel_has_kprobe_multi(false))
			attach_and_count(&kinds[i], getpid());
}

TEST(clocks_and_counters)
{
	struct made m;
	struct query *x;

	if (!may_bpf())
		return;
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_PERF_EVENT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_INTERVAL, .period = 10000000});
	x = open_query(&m);
	if (x && attaches(x)) {
		usleep(200000);
		CHECK(counted(x) >= 5 && counted(x) <= 40);
		query_detach(x);
	}
	end(&m, x);
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_PERF_EVENT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_PERF,
					  .perf_type = PERF_TYPE_SOFTWARE,
					  .perf_config = PERF_COUNT_SW_PAGE_FAULTS,
					  .period = 1,
					  .pid = getpid()});
	x = open_query(&m);
	if (x && attaches(x)) {
		char *p = malloc(64 << 20);

		for (size_t i = 0; i < 64 << 20; i += 4096)
			((volatile char *)p)[i] = 1;
		CHECK(counted(x) >= 30);
		free(p);
	}
	end(&m, x);
}

int test_query_target(int x);
__attribute__((noinline, used)) int test_query_target(int x)
{
	__asm__ volatile("");
	return x + 1;
}

/* Where in the file of this program a function is: it may run anywhere. */
static uint64_t file_offset(const void *function)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[4096];
	uint64_t at = (uintptr_t)function, ret = 0;

	while (f && fgets(line, sizeof(line), f)) {
		unsigned long start, stop, offset;

		if (sscanf(line, "%lx-%lx %*s %lx", &start, &stop, &offset) == 3 && at >= start &&
		    at < stop)
			ret = at - start + offset;
	}
	if (f)
		fclose(f);
	return ret;
}

static void uprobe(enum question_attach attach, uint32_t attach_type)
{
	static uint64_t addresses[1], cookies[1] = {5};
	bool has_cookie = kernel_has_helper(BPF_PROG_TYPE_KPROBE, 174);
	struct made m;
	struct query *x;

	addresses[0] = file_offset((const void *)(uintptr_t)test_query_target);
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_KPROBE, attach_type, NULL);
	probe(&m, (struct question_probe){.attach = attach,
					  .binary = "/proc/self/exe",
					  .address = addresses[0],
					  .addresses = addresses,
					  .cookies = cookies,
					  .n_targets = 1,
					  .cookie = has_cookie ? 3 : 0,
					  .pid = getpid()});
	x = open_query(&m);
	if (x && attaches(x)) {
		for (int i = 0; i < 10; i++)
			test_query_target(i);
		CHECK_EQ(counted(x), 10);
		query_detach(x);
		test_query_target(1);
		CHECK_EQ(counted(x), 10);
	}
	end(&m, x);
}

TEST(uprobes)
{
	if (!may_bpf())
		return;
	uprobe(QATTACH_UPROBE, 0);
	uprobe(QATTACH_URETPROBE, 0);
	if (!kernel_has_uprobe_multi())
		return;
	uprobe(QATTACH_UPROBE_MULTI, 48);
	uprobe(QATTACH_URETPROBE_MULTI, 48);
}

TEST(watchpoint)
{
	static volatile uint64_t watched;
	struct made m;
	struct query *x;

	if (!may_bpf())
		return;
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_PERF_EVENT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_WATCHPOINT,
					  .address = (uintptr_t)&watched,
					  .length = 8,
					  .mode = 2,
					  .pid = getpid()});
	x = open_query(&m);
	if (x && attaches(x)) {
		for (int i = 0; i < 7; i++)
			watched = (uint64_t)i;
		CHECK_EQ(counted(x), 7);
	}
	end(&m, x);
}

TEST(iterator)
{
	struct made m;
	struct query *x;

	if (!may_bpf())
		return;
	begin(&m);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "task");
	probe(&m, (struct question_probe){.attach = QATTACH_ITER, .target = "task"});
	x = open_query(&m);
	if (x && attaches(x)) {
		for (int i = 0; i < 1000 && query_iterates(x); i++)
			usleep(5000);
		CHECK(!query_iterates(x));
		CHECK(counted(x) >= 2);
	}
	end(&m, x);
}

/* A function whose address is taken, so that types are needed: bpf_loop calls it. */
TEST(callbacks)
{
	static const struct question_func funcs[] = {
		{.name = "entry", .insn = 0, .n_params = 1},
		{.name = "body", .insn = 8, .n_params = 2, .is_callback = true},
	};
	struct bpf_insn wide[2];
	struct made m;
	struct query *x;
	uint32_t ret;
	uint64_t ns;

	if (!may_bpf())
		return;
	if (!kernel_has_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, 181)) {
		test_skip("this kernel has no bpf_loop()");
		return;
	}
	begin(&m);
	put(&m, insn_mov_imm(BPF_REG_1, 50));
	insn_wide(wide, BPF_PSEUDO_FUNC, BPF_REG_2, 6); /* the distance to 8 */
	put(&m, wide[0]);
	put(&m, wide[1]);
	put(&m, insn_mov_imm(BPF_REG_3, 0));
	put(&m, insn_mov_imm(BPF_REG_4, 0));
	put(&m, insn_call(0, 181));
	put_end(&m);
	CHECK_EQ(m.n, 8);
	put_count(&m, 0);
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	m.q.progs.p[0].funcs = funcs;
	m.q.progs.p[0].n_funcs = ELEMENTS(funcs);
	probe(&m, (struct question_probe){.attach = QATTACH_BEGIN});
	x = open_query(&m);
	if (x) {
		CHECK_EQ(query_run(x, 0, 1, &ret, &ns), 0);
		CHECK_EQ(counted(x), 50);
	}
	end(&m, x);
}

/* --- refusals lead to a line and a sentence */

TEST(refusals)
{
	struct query_config config = {.ring_bytes = 65536};
	struct query_error e;
	struct query *x = NULL;
	struct made m;
	int r;

	if (!may_bpf())
		return;
	begin(&m);
	m.lines[0] = (struct question_line){0, {0, 10, 20}};
	m.lines[1] = (struct question_line){1, {0, 30, 40}};
	m.lines[2] = (struct question_line){3, {0, 50, 60}};
	m.n_lines = 3;
	put(&m, insn_mov_imm(BPF_REG_1, 1));
	put(&m, insn_alu_imm(BPF_LSH, false, BPF_REG_1, 3));
	put(&m, insn_load(8, false, BPF_REG_2, BPF_REG_1, 0)); /* a number is no pointer */
	put_end(&m);
	prog(&m, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);
	probe(&m, (struct question_probe){.attach = QATTACH_BEGIN});
	r = query_open_kern(&m.q, &config, &x, &e);
	CHECK(r == -EACCES);
	CHECK_EQ(e.span.begin, 30);
	CHECK_EQ(e.span.end, 40);
	CHECK(strstr(e.error.what, "a number is followed as if it were a pointer"));
	CHECK(strstr(e.error.log, "invalid mem access"));
	CHECK_EQ(e.prog, 0);
	CHECK_EQ(e.probe, 0);
	question_done(&m.q);
}

TEST(what_there_is_not)
{
	static const struct kind kinds[] = {
		{"missing tracepoint",
		 BPF_PROG_TYPE_TRACEPOINT,
		 0,
		 NULL,
		 {.attach = QATTACH_TRACEPOINT, .group = "sched", .target = "no_such_event"}},
		{"missing raw tracepoint",
		 BPF_PROG_TYPE_RAW_TRACEPOINT,
		 0,
		 NULL,
		 {.attach = QATTACH_RAW_TP, .target = "no_such_event"}},
		{"missing file",
		 BPF_PROG_TYPE_KPROBE,
		 0,
		 NULL,
		 {.attach = QATTACH_UPROBE, .binary = "/no/such/file", .address = 64}},
	};
	struct query_error e;

	if (!may_bpf())
		return;
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		struct made m;
		struct query *x;

		begin(&m);
		put_end(&m);
		prog(&m, kinds[i].type, kinds[i].attach, kinds[i].btf_name);
		probe(&m, kinds[i].probe);
		x = open_query(&m);
		if (x) {
			int r = query_attach(x, 0, &e);

			test_result(r == -ENOENT, __FILE__, __LINE__, "%s: %d %s", kinds[i].name, r,
				    e.error.what);
		}
		end(&m, x);
	}
}

/* Who loads programs is told that it may; who may not is told so, whatever the program is. */
TEST(taken_programs)
{
	FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "re");
	int jit = 0, status = 1;
	pid_t pid;

	if (f) {
		CHECK_EQ(fscanf(f, "%d", &jit), 1);
		fclose(f);
	}
	if (!may_bpf())
		return;
	CHECK_EQ(kernel_takes_programs(), jit > 0);
	pid = fork();
	if (!pid)
		_exit(setuid(65534) < 0 ? 2 : kernel_takes_programs());
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}
