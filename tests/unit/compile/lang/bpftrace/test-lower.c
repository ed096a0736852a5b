/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scripts become: programs, maps, rows, and the instructions that matter.
 *
 * Whole listings are not compared: tests/golden/lower/SUBJECT.lower has programs (PROG), and
 * texts that must be in the IR of theirs behind all passes (HAS), or must not (NOT).  That the
 * programs do what they say is for tests/trace to show.
 */
#include "check-run.h"
#include "compile/lang/bpftrace/lower.h"
#include "compile/opt/opt.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct lower_run {
	struct check_run check; /* first */
	struct lowered lowered;
	struct buf ir; /* of all programs, behind the passes */
	bool ok;
};

static void lower_run_with(struct lower_run *r, const char *program, unsigned int flags,
			   struct check_options o, const struct world_ops *ops)
{
	*r = (struct lower_run){};
	check_run(&r->check, program, flags);
	o.is_safe = !(flags & RUN_UNSAFE);
	o.world = r->check.world;
	if (ops)
		o.world->ops = ops;
	r->ok = r->check.ok && lower_program(&r->check.q, &r->check.checked, &o, &r->lowered);
	for (size_t i = 0; r->ok && i < r->lowered.modules.n; i++) {
		struct buf why = {0};

		CHECK(ir_check(r->lowered.modules.p[i], &why));
		opt_run(r->lowered.modules.p[i], 2, NULL, NULL);
		CHECK(ir_check(r->lowered.modules.p[i], &why));
		if (why.n)
			test_result(false, __FILE__, __LINE__, "%s: %s", program, why.p);
		buf_done(&why);
	}
	for (size_t i = 0; r->ok && i < r->lowered.modules.n; i++)
		ir_print(r->lowered.modules.p[i], &r->ir);
	buf_putc(&r->ir, '\n');
}

static void lower_run(struct lower_run *r, const char *program, unsigned int flags, int pid)
{
	lower_run_with(r, program, flags, (struct check_options){.pid = pid}, NULL);
}

static void lower_run_done(struct lower_run *r)
{
	buf_done(&r->ir);
	check_run_done(&r->check);
}

/* --- data files */

static const char *const builtin_names[] = {
#define BUILTIN(id, name, min, max, flags, help) name,
#include "catalog/builtins.def"
#undef BUILTIN
};

/* These need types and addresses of a real kernel: tests/trace has them. */
static const char elsewhere[] = " arg kaddr leader_comm leader_tid path pcomm percpu_kaddr ppid "
				"skboutput socket_cookie uaddr write_user ";

/* One file: PROG, PID (with -p 77) or BARE (a kernel that has the least), then its lines. */
struct lines {
	const char *file;
	struct lower_run run;
	bool has_run;
	unsigned int n;
	bool *seen; /* by builtin */
};

static void note_builtins(struct lines *l, const char *program)
{
	for (const char *p = program; *p; p++) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");

		for (int i = 0; n && i < BUILTINS; i++)
			l->seen[i] |=
				strlen(builtin_names[i]) == n && !strncmp(builtin_names[i], p, n);
		p += n;
		if (!*p)
			break;
	}
}

static void begin_program(struct lines *l, const char *program, unsigned int flags, int pid)
{
	if (l->has_run)
		lower_run_done(&l->run);
	l->has_run = true;
	l->n++;
	note_builtins(l, program);
	lower_run(&l->run, program, flags | RUN_UNSAFE, pid);
	test_result(l->run.ok, __FILE__, __LINE__, "%s: %s\n%s", l->file, program,
		    l->run.check.text.p);
}

static void check_line(struct lines *l, char *line)
{
	char *rest = strchr(line, ' ');

	if (!*line || *line == '#')
		return;
	if (rest)
		*rest++ = 0;
	rest = rest ? rest : line + strlen(line);
	if (!strcmp(line, "PROG"))
		begin_program(l, rest, 0, -1);
	else if (!strcmp(line, "BARE"))
		begin_program(l, rest, RUN_BARE, -1);
	else if (!strcmp(line, "PID"))
		begin_program(l, rest, 0, 77);
	else if (!strcmp(line, "HAS") || !strcmp(line, "NOT"))
		test_result(!strstr(l->run.ir.p, rest) == (*line == 'N'), __FILE__, __LINE__,
			    "%s: program %u: %s %s\n%s", l->file, l->n, line, rest, l->run.ir.p);
	else
		test_result(false, __FILE__, __LINE__, "%s: what is '%s'?", l->file, line);
}

static unsigned int check_file(const char *path, bool *seen)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct lines l = {.file = strrchr(path, '/') + 1, .seen = seen};
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		check_line(&l, line);
	}
	if (l.has_run)
		lower_run_done(&l.run);
	return l.n;
}

/* Every builtin is in some program. */
TEST(data_files)
{
	static const char folder[] = TEST_DATA "/../golden/lower";
	bool seen[BUILTINS] = {};
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	unsigned int programs = 0;

	for (int i = 0; i < n; i++) {
		_cleanup_buf_ struct buf path = {0};

		buf_printf(&path, "%s/%s", folder, names[i]->d_name);
		if (str_ends(str_of(names[i]->d_name), STR(".lower")))
			programs += check_file(path.p, seen);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	CHECK(programs > 50);
	for (int i = 0; i < BUILTINS; i++) {
		_cleanup_buf_ struct buf word = {0};

		buf_printf(&word, " %s ", builtin_names[i]);
		test_result(seen[i] != !!strstr(elsewhere, word.p), __FILE__, __LINE__,
			    "no program with %s, or one too many", builtin_names[i]);
	}
}

/* --- */

/* An array's value is followed by "was it ever set". */
TEST(maps)
{
	struct lower_run r;

	lower_run(&r, "begin { @a = 1; @b[1, \"x\"] = 2; @c = count(); @d[1] = hist(2); }", 0, -1);
	CHECK(r.ok);
	for (size_t i = 0; r.ok && i < r.check.q.maps.n; i++) {
		const struct question_map *m = &r.check.q.maps.p[i];

		if (m->kind != QMAP_NAMED)
			continue;
		if (!strcmp(m->name, "@a") || !strcmp(m->name, "@c")) {
			CHECK_EQ(question_map_room(m), 16);
			CHECK_EQ(m->max_entries, 1);
			CHECK_EQ(m->is_per_cpu, !strcmp(m->name, "@c"));
		} else if (!strcmp(m->name, "@b")) {
			CHECK_EQ(m->type, BPF_MAP_TYPE_HASH);
			CHECK_EQ(m->key_size, m->key->size);
		} else {
			CHECK(m->is_per_cpu);
			CHECK_EQ(m->key_size, m->bucket_offset + 8);
		}
	}
	lower_run_done(&r);
}

static unsigned int three_cpus(struct world *w)
{
	(void)w;
	return 3;
}

static unsigned int nine_cpus(struct world *w)
{
	(void)w;
	return 9;
}

/* Where there are few cpus, an aggregation is a plain hash or array with rows of values. */
TEST(stripes)
{
	static const struct {
		const char *program;
		unsigned int (*cpus)(struct world *w);
		bool is_portable;
		uint32_t type, n_stripes, value_size;
	} cases[] = {
		{"begin { @[1] = count(); }", three_cpus, false, BPF_MAP_TYPE_HASH, 4, 4 * 64 + 56},
		{"begin { @[1] = avg(2); }", three_cpus, false, BPF_MAP_TYPE_HASH, 4, 4 * 72 + 56},
		{"begin { @ = hist(1); }", three_cpus, false, BPF_MAP_TYPE_ARRAY, 4,
		 4 * (129 * 8 + 56) + 56},
		{"begin { @ = hist(1, 3); }", three_cpus, false, BPF_MAP_TYPE_HASH, 4, 4 * 64 + 56},
		{"begin { @ = lhist(1, 0, 12, 1); }", three_cpus, false, BPF_MAP_TYPE_ARRAY, 4,
		 4 * (17 * 8 + 56) + 56},
		{"begin { @ = lhist(1, 0, 13, 1); }", three_cpus, false, BPF_MAP_TYPE_ARRAY, 4,
		 4 * (33 * 8 + 56) + 56},
		{"begin { @[1] = hist(1); }", three_cpus, false, BPF_MAP_TYPE_HASH, 4, 4 * 64 + 56},
		{"begin { @ = hist(1); }", nine_cpus, false, BPF_MAP_TYPE_PERCPU_HASH, 0, 8},
		{"begin { @[1] = count(); }", nine_cpus, false, BPF_MAP_TYPE_PERCPU_HASH, 0, 8},
		{"begin { @[1] = count(); }", three_cpus, true, BPF_MAP_TYPE_PERCPU_HASH, 0, 8},
		{"begin { @ = count(); }", three_cpus, false, BPF_MAP_TYPE_ARRAY, 4, 4 * 72 + 56},
		{"begin { @ = count(); }", three_cpus, true, BPF_MAP_TYPE_PERCPU_ARRAY, 0, 16},
		{"begin { @ = count(); }", nine_cpus, false, BPF_MAP_TYPE_PERCPU_ARRAY, 0, 16},
		{"begin { @ = 1; }", three_cpus, false, BPF_MAP_TYPE_ARRAY, 0, 16},
		{"begin { @[1] = 1; }", three_cpus, false, BPF_MAP_TYPE_HASH, 0, 1},
		{"config = { max_map_keys = 100000 } begin { @[1] = count(); }", three_cpus, false,
		 BPF_MAP_TYPE_PERCPU_HASH, 0, 8},
		{"let @ = percpuhash(9); begin { @[1] = count(); }", three_cpus, false,
		 BPF_MAP_TYPE_PERCPU_HASH, 0, 8},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct world_ops ops = {.cpus = cases[i].cpus};
		struct check_options o = {.pid = -1, .is_portable = cases[i].is_portable};
		const struct question_map *m = NULL;
		struct lower_run r;

		lower_run_with(&r, cases[i].program, 0, o, &ops);
		CHECK(r.ok);
		for (size_t k = 0; k < r.check.q.maps.n; k++)
			if (r.check.q.maps.p[k].kind == QMAP_NAMED)
				m = &r.check.q.maps.p[k];
		if (m) {
			CHECK_EQ(m->type, cases[i].type);
			CHECK_EQ(m->n_stripes, cases[i].n_stripes);
			CHECK_EQ(m->value_size, cases[i].value_size);
			CHECK_EQ(!!strstr(r.ir.p, "get_smp_processor_id"), !!m->n_stripes);
		}
		lower_run_done(&r);
	}
}

/* All system calls in one program for each direction; every point keeps its row. */
TEST(dispatch)
{
	struct lower_run r;
	unsigned int real = 0, named = 0;

	lower_run(&r,
		  "tracepoint:syscalls:sys_enter_openat { @a[args.flags] = count(); } "
		  "tracepoint:syscalls:sys_enter_read { @b = count(); }",
		  0, 77);
	if (!r.ok) {
		test_skip("no such tracepoints in the tables");
		lower_run_done(&r);
		return;
	}
	CHECK_EQ(r.check.q.progs.n, 1);
	for (size_t i = 0; i < r.check.q.probes.n; i++) {
		real += r.check.q.probes.p[i].attach == QATTACH_RAW_TP;
		named += r.check.q.probes.p[i].attach == QATTACH_NONE;
	}
	CHECK_EQ(real, 1);
	CHECK_EQ(named, 1);
	CHECK(strstr(r.ir.p, "call get_current_pid_tgid")); /* -p 77 */
	CHECK(!strstr(r.ir.p, "callf")); /* each action stands where it is called */
	lower_run_done(&r);
}

/* The way of each hook, and what its program is then. */
TEST(ways)
{
	static const struct {
		const char *point;
		enum question_attach way;
		uint32_t prog_type, attach_type;
		bool has_pid; /* -p 77: of the row; else the program looks */
	} cases[] = {
		{"self:signal:SIGUSR1", QATTACH_SELF, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, false},
		{"kprobe:vfs_read", QATTACH_KPROBE, BPF_PROG_TYPE_KPROBE, 0, false},
		{"kretprobe:vfs_read", QATTACH_KRETPROBE, BPF_PROG_TYPE_KPROBE, 0, false},
		{"kprobe:vfs_*", QATTACH_KPROBE_MULTI, BPF_PROG_TYPE_KPROBE, 42, false},
		{"kretprobe:vfs_*", QATTACH_KRETPROBE_MULTI, BPF_PROG_TYPE_KPROBE, 42, false},
		{"uprobe:/bin/sh:main", QATTACH_UPROBE, BPF_PROG_TYPE_KPROBE, 0, true},
		{"uretprobe:/bin/sh:main", QATTACH_URETPROBE, BPF_PROG_TYPE_KPROBE, 0, true},
		{"uprobe:/bin/sh:*_open", QATTACH_UPROBE_MULTI, BPF_PROG_TYPE_KPROBE, 48, true},
		{"uretprobe:/bin/sh:*_open", QATTACH_URETPROBE_MULTI, BPF_PROG_TYPE_KPROBE, 48,
		 true},
		{"usdt:/bin/sh:prov1:tp1", QATTACH_UPROBE, BPF_PROG_TYPE_KPROBE, 0, true},
		{"software:cs:1", QATTACH_PERF, BPF_PROG_TYPE_PERF_EVENT, 0, true},
		{"hardware:cycles:1", QATTACH_PERF, BPF_PROG_TYPE_PERF_EVENT, 0, true},
		{"watchpoint:0x1000:8:w", QATTACH_WATCHPOINT, BPF_PROG_TYPE_PERF_EVENT, 0, true},
		{"profile:hz:9", QATTACH_PROFILE, BPF_PROG_TYPE_PERF_EVENT, 0, false},
		{"interval:s:1", QATTACH_INTERVAL, BPF_PROG_TYPE_PERF_EVENT, 0, false},
		{"fentry:vfs_read", QATTACH_FENTRY, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, false},
		{"fexit:vfs_read", QATTACH_FEXIT, BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, false},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const struct question_probe *p;
		const struct question_prog *prog;
		char program[64];
		struct lower_run r;
		bool is_right;

		snprintf(program, sizeof(program), "%s { @ = count(); }", cases[i].point);
		lower_run(&r, program, 0, 77);
		is_right = r.ok && r.check.q.probes.n && r.check.q.progs.n;
		if (is_right) {
			p = &r.check.q.probes.p[0];
			prog = &r.check.q.progs.p[0];
			is_right = p->attach == cases[i].way &&
				   prog->prog_type == cases[i].prog_type &&
				   prog->attach_type == cases[i].attach_type &&
				   p->pid == (cases[i].has_pid ? 77 : -1);
		}
		test_result(is_right, __FILE__, __LINE__, "%s", cases[i].point);
		lower_run_done(&r);
	}
}

/* One action, several functions: one program, told apart by cookies. */
TEST(multi)
{
	struct lower_run r;

	lower_run(&r, "begin { printf(\"a\"); } end { printf(\"a\"); exit(3); }", 0, -1);
	CHECK(r.ok);
	CHECK_EQ(r.check.q.progs.n, 2);
	CHECK_EQ(r.check.q.actions.n, 3);
	CHECK_EQ(r.check.q.actions.p[2].kind, QACTION_EXIT);
	CHECK_EQ(r.check.q.probes.p[0].attach, QATTACH_BEGIN);
	CHECK_EQ(r.check.q.probes.p[1].attach, QATTACH_END);
	CHECK_EQ(r.check.q.losses.p[0].kind, QLOSS_RING);
	lower_run_done(&r);
}

static bool some_namespace(struct world *w, uint64_t *ret_dev, uint64_t *ret_ino)
{
	(void)w;
	*ret_dev = 4;
	*ret_ino = 4026532266;
	return true;
}

/* In a pid namespace of its own, pid is asked of that; pid(init) is not. */
TEST(pid_namespace)
{
	struct world_ops ops = {.pid_namespace = some_namespace};
	struct lower_run r;

	lower_run_with(&r, "begin { @x = pid; }", 0, (struct check_options){.pid = -1}, &ops);
	CHECK(r.ok && strstr(r.ir.p, "call get_ns_current_pid_tgid(4, 4026532266, "));
	lower_run_done(&r);
	lower_run_with(&r, "begin { @x = pid(init); }", 0, (struct check_options){.pid = -1}, &ops);
	CHECK(r.ok && strstr(r.ir.p, "call get_current_pid_tgid()"));
	lower_run_done(&r);
	lower_run(&r, "begin { @x = pid; }", 0, -1);
	CHECK(r.ok && strstr(r.ir.p, "call get_current_pid_tgid()"));
	lower_run_done(&r);
}

/* -k: what would quietly be a zero makes a record. */
TEST(helper_errors)
{
	struct check_options o = {.pid = -1, .helper_errors = true};
	struct lower_run r;

	lower_run_with(&r, "begin { @y[1] = 1; @x = @y[2]; }", 0, o, NULL);
	CHECK(r.ok && strstr(r.ir.p, "call ringbuf_reserve"));
	lower_run_done(&r);
	lower_run(&r, "begin { @y[1] = 1; @x = @y[2]; }", 0, -1);
	CHECK(r.ok && !strstr(r.ir.p, "call ringbuf_reserve"));
	lower_run_done(&r);
	lower_run_with(&r, "begin { @x = *(int32 *)kptr(1); }", 0, o, NULL);
	CHECK(r.ok && strstr(r.ir.p, "kload s32") && strstr(r.ir.p, "call ringbuf_reserve"));
	lower_run_done(&r);
}

/* Reads that fail are counted at their place; a key that is not there is no failure. */
TEST(counted_losses)
{
	struct check_options o = {.pid = -1, .counts_losses = true};
	struct lower_run r;

	lower_run_with(&r, "begin { @x = *(int32 *)kptr(1); }", 0, o, NULL);
	CHECK(r.ok && r.check.q.losses.n == 2 && r.check.q.losses.p[1].kind == QLOSS_READ);
	CHECK(r.ok && r.check.q.losses.p[1].span.begin == 13);
	lower_run_done(&r);
	lower_run_with(&r, "kprobe:vfs_read { @x = str(arg0); }", 0, o, NULL);
	CHECK(r.ok && r.check.q.losses.n == 3);
	CHECK(r.ok && r.check.q.losses.p[r.check.q.losses.n - 1].kind == QLOSS_STRING);
	lower_run_done(&r);
	lower_run_with(&r, "begin { @y[1] = 1; @x = @y[2]; }", 0, o, NULL);
	for (size_t i = 0; r.ok && i < r.check.q.losses.n; i++)
		CHECK(r.check.q.losses.p[i].kind != QLOSS_READ);
	lower_run_done(&r);
	lower_run(&r, "begin { @x = *(int32 *)kptr(1); }", 0, -1);
	CHECK(r.ok && r.check.q.losses.n == 1);
	lower_run_done(&r);
}

/* A map that is only declared is none of the question's. */
TEST(unused_maps)
{
	struct lower_run r;

	lower_run(&r, "let @a = percpuhash(1); begin { @b = 1; }", 0, -1);
	CHECK(r.ok);
	for (size_t i = 0; r.ok && i < r.check.q.maps.n; i++)
		CHECK(strcmp(r.check.q.maps.p[i].name, "@a") != 0);
	lower_run_done(&r);
}
