/* SPDX-License-Identifier: Apache-2.0 */
/* Attach points: what is found, how it is called, what is said when it is wrong. */
#include "catalog/hooks.h"
#include "catalog/question.h"
#include "compile/lang/bpftrace/attach.h"
#include "compile/lang/bpftrace/parse.h"
#include "test.h"
#include "world-fake.h"

#include <stdlib.h>

struct fixture {
	struct question q;
	struct world *world;
	struct type_table *t;
	struct check_options o;
	struct program *program;
	struct checked checked;
	struct buf names; /* of all points: groups by a blank line's "| " */
	bool ok;
};

static void begin_with(struct fixture *f, const char *text, uint64_t without)
{
	*f = (struct fixture){.o = {.pid = -1, .is_safe = true, .is_test = true, .is_bench = true}};
	question_init(&f->q);
	f->q.config.max_probes = 1024;
	f->q.config.max_bpf_progs = 1024;
	f->world = world_fake_new(without);
	f->o.world = f->world;
	f->t = type_table_new(&f->q.arena, &f->q.diags, f->world);
	f->program = parse_program(&f->q.diags, diag_source(&f->q.diags, "stdin", str_of(text)));
}

static void resolve(struct fixture *f)
{
	f->ok = f->program && attach_resolve(&f->q, f->t, f->program, &f->o, &f->checked);
	for (size_t i = 0; i < f->checked.probes.n; i++) {
		if (i)
			buf_puts(&f->names, " |");
		for (const struct resolved *r = f->checked.probes.p[i].points; r; r = r->next)
			buf_printf(&f->names, "%s%s", f->names.n ? " " : "", r->name);
	}
}

static void begin(struct fixture *f, const char *text)
{
	begin_with(f, text, 0);
	resolve(f);
}

static void end(struct fixture *f)
{
	type_table_free(f->t);
	buf_done(&f->names);
	question_done(&f->q);
	world_fake_free(f->world);
}

TEST(names)
{
	static const char *const cases[][2] = {
		{"BEGIN { } END { }", "begin | end"},
		{"begin:* { }", "begin"},
		{"interval:s:1 { }", "interval:s:1"},
		{"i:1us { }", "interval:us:1"},
		{"profile:5m { }", "profile:us:300000000"},
		{"p:hz:99 { }", "profile:hz:99"},
		{"interval:s:1_0e2 { }", NULL},
		{"interval:s:1e3 { }", "interval:s:1000"},
		{"software:faults:1_000 { }", "software:faults:1000"},
		{"s:cpu { }", "software:cpu"},
		{"hardware:cycles { }", "hardware:cycles"},
		{"watchpoint:0x10:8:wr { }", "watchpoint:16:8:rw"},
		{"self:signal:SIGUSR1 { }", "self:signal:SIGUSR1"},
		{"test:a { } bench:a { }", "test:a | bench:a"},
		{"t:sched:sched_one, { }", "tracepoint:sched:sched_one"},
		{"tracepoint:sched*:sched_[et]* { }",
		 "tracepoint:sched:sched_two tracepoint:sched_extra:sched_extra"},
		{"tracepoint:*one { }", "tracepoint:sched:sched_one"},
		{"kprobe:func_[123],k:f+0x10 { }",
		 "kprobe:func_1 kprobe:func_2 kprobe:func_3 kprobe:f+16"},
		{"kprobe:kernel_mod_*:* { }",
		 "kprobe:kernel_mod_1:mod_func_1 kprobe:kernel_mod_1:mod_func_2 "
		 "kprobe:kernel_mod_2:mod_func_1"},
		{"kretprobe:vmlinux:vfs_read { }", "kretprobe:vmlinux:vfs_read"},
		{"kfunc:vfs_read { } kretfunc:vmlinux:vfs_read { }",
		 "fentry:vmlinux:vfs_read | fexit:vmlinux:vfs_read"},
		{"mine=kprobe:f { }", "mine"},
		{"uprobe:/bin/sh:*open { }",
		 "uprobe:/bin/sh:first_open uprobe:/bin/sh:second_open"},
		{"u:sh:f+4 { }", "uprobe:/bin/sh:f+4"},
		{"ur:/bin/sh:f { }", "uretprobe:/bin/sh:f"},
		{"uprobe:/bin/sh:0x401504 { }", "uprobe:/bin/sh:4199684"},
		{"uprobe:/bin/sh:cpp:cpp_mangled { }",
		 "uprobe:/bin/sh:cpp:_Z11cpp_mangledi uprobe:/bin/sh:cpp:_Z11cpp_mangledv "
		 "uprobe:/bin/sh:cpp:cpp_mangled"},
		{"uprobe:/bin/sh:cpp:\"cpp_mangled(int)\" { }",
		 "uprobe:/bin/sh:cpp:_Z11cpp_mangledi"},
		{"uprobe:/bin/sh:cpp_mangled* { }", "uprobe:/bin/sh:cpp_mangled"},
		{"usdt:/bin/sh:prov*:tp* { }",
		 "usdt:/bin/sh:prov1:tp1 usdt:/bin/sh:prov1:tp2 usdt:/bin/sh:prov2:tp"},
		{"usdt:sh:tp1 { }", "usdt:/bin/sh:prov1:tp1"},
		{"tracepoint:type:typo_*,tracepoint:sched:sched_one { }",
		 "tracepoint:sched:sched_one"},
		{"*probe:vfs_read { }", "kprobe:vfs_read"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;

		begin(&f, cases[i][0]);
		if (cases[i][1])
			test_result(f.ok && f.names.p && !strcmp(f.names.p, cases[i][1]), __FILE__,
				    __LINE__, "%s: %s", cases[i][0],
				    f.q.diags.list.n ? f.q.diags.list.p[0].text : f.names.p);
		else
			test_result(!f.ok, __FILE__, __LINE__, "%s is refused", cases[i][0]);
		end(&f);
	}
}

TEST(mistakes)
{
	static const char *const cases[][2] = {
		{"asdf:xyz { }", "Invalid probe type: asdf"},
		{"kprobe { }", "kprobe probe type requires 1 or 2 arguments, found 0"},
		{"k:vfs_open:: { }", "kprobe probe type requires 1 or 2 arguments, found 3"},
		{"begin:f { }", "begin probe type requires 0 arguments, found 1"},
		{"bench { }", "bench probe type requires 1 arguments, found 0"},
		{"bench: { }", "bench probes must have a name"},
		{"BENCH:a { } BENCH:a { }",
		 "\"a\" was used as the name for more than one BENCH probe"},
		{"tracepoint:f { }", "tracepoint probe type requires 2 arguments, found 1"},
		{"rawtracepoint { }",
		 "rawtracepoint probe type requires 2 or 1 arguments, found 0"},
		{"profile:ms:nan { }", "Invalid rate of profile probe: invalid integer: nan"},
		{"profile:10 { }",
		 "Invalid rate of profile probe. Minimum is 1000 or 1us. Found: 10 nanoseconds"},
		{"interval:s:1b { }", "Invalid rate of interval probe: invalid trailing bytes: 1b"},
		{"interval:s:0 { }", "interval frequency should be a positive integer"},
		{"interval:unit:100 { }", "unit is not an accepted unit of time"},
		{"hardware:tomato:100 { }", "tomato is not a hardware probe"},
		{"software:*:100 { }", "wildcards are not allowed for software probe type"},
		{"watchpoint:0x1234:9:rw { }", "watchpoint length must be one of (1,2,4,8)"},
		{"watchpoint:0x0:8:rw { }", "watchpoint must be attached to a non-zero address"},
		{"watchpoint:0x10:8:b { }", "watchpoint mode must be combination of (r,w,x)"},
		{"kprobe:0x12345678 { }", "Probing by address requires --unsafe"},
		{"kretprobe:f+4 { }", "Offset not allowed"},
		{"kprobe:nope:vfs_read { }",
		 "specified module nope in probe kprobe:nope:vfs_read is not loaded."},
		{"self:keypress:space { }", "keypress is not a supported trigger"},
		{"self:signal:sighup { }", "sighup is not a supported signal"},
		{"iter:task* { }", "iter probe type does not support wildcards"},
		{"iter:task, iter:task_file { }", "iter probe only supports one attach point."},
		{"iter:nonsense { }", "iter nonsense not available for your kernel version."},
		{"uprobe:f { }", "uprobe probe type requires 2 or 3 arguments, found 1"},
		{"uprobe:/my/program*:0x1234 { }", "Cannot use wildcards with absolute address"},
		{"uprobe:/notexistfile:f { }",
		 "uprobe target file '/notexistfile' does not exist or is not executable"},
		{"uprobe:/bin/sh:nolang:f { }", "unsupported language type: nolang"},
		{"uprobe:/bin/sh:nope { }", "No matches for uprobe /bin/sh:nope."},
		{"uretprobe:/bin/sh@a.c:195 { }", "Source code location not allowed"},
		{"uprobe:/bin/sh@a.c: { }",
		 "Invalid uprobe arguments, expected format: uprobe:TARGET@FILE:LINE[:COL]"},
		{"uprobe:@main.c:123 { }",
		 "Unspecified target binary, cannot attach by source code location."},
		{"t:syscalls:nonsense { }", "No matches for tracepoint syscalls:nonsense."},
		{"fentry:nonsense { }", "No matches for fentry nonsense."},
		{"fentry:mod_func_1 { }", "ambiguous attach point, please specify module "
					  "containing the function 'mod_func_1'"},
		{"rawtracepoint:nonsense { }",
		 "Probe has no valid attach points. If this is expected, set the 'missing_probes' "
		 "config variable to 'warn'."},
		{"t:no*:no* { }",
		 "Probe has no valid attach points. If this is expected, set the 'missing_probes' "
		 "config variable to 'warn'."},
		{"::k::vfs_open:: { }", "No attach points for probe"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;
		const char *found = "nothing";

		begin(&f, cases[i][0]);
		for (size_t k = 0; k < f.q.diags.list.n; k++)
			if (f.q.diags.list.p[k].severity == SEV_ERROR) {
				found = f.q.diags.list.p[k].text;
				break;
			}
		test_result(!f.ok && !strcmp(found, cases[i][1]), __FILE__, __LINE__, "%s: %s",
			    cases[i][0], found);
		end(&f);
	}
}

TEST(missing_is_configured)
{
	struct fixture f;

	begin_with(&f, "t:sched:sched_one,t:sched:nope { } t:nope:nope { }", 0);
	f.q.config.missing_probes = MISSING_WARN;
	resolve(&f);
	CHECK(f.ok);
	CHECK_STREQ(f.names.p, "tracepoint:sched:sched_one");
	CHECK_EQ(f.q.diags.list.n, 3);
	CHECK_STREQ(f.q.diags.list.p[0].text, "No matches for tracepoint sched:nope. Skipping.");
	end(&f);
	begin_with(&f, "t:nope:nope { }", 0);
	f.q.config.missing_probes = MISSING_IGNORE;
	resolve(&f);
	CHECK(f.ok && !f.q.diags.list.n && !f.checked.probes.n);
	end(&f);
	/* a library that this machine has not: the other place is enough */
	begin_with(&f, "uprobe:libnope:f, uprobe:/bin/sh:readline { }", 0);
	f.q.config.missing_probes = MISSING_IGNORE;
	resolve(&f);
	CHECK(f.ok && !f.q.diags.list.n);
	CHECK_STREQ(f.names.p, "uprobe:/bin/sh:readline");
	end(&f);
}

TEST(hints)
{
	static const char *const cases[][2] = {
		{"t:syscall:sys_enter_read { }",
		 "Did you mean \"tracepoint:syscalls:sys_enter_read\"?"},
		{"t:sched:sched_swich { }", "Did you mean \"tracepoint:sched:sched_switch\"?"},
		{"trcepoint:sched:sched_switch { }", "Did you mean \"tracepoint\"?"},
		{"kprobe:vfs_raed { }", "Did you mean \"kprobe:vfs_read\"?"},
		{"software:page-fault { }", "Did you mean \"page-faults\"?"},
		{"uprobe:/bin/sh:readlin { }", "Did you mean \"uprobe:/bin/sh:readline\"?"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;
		const char *found = "nothing";

		begin(&f, cases[i][0]);
		for (size_t k = 0; k < f.q.diags.list.n; k++)
			if (f.q.diags.list.p[k].notes)
				found = f.q.diags.list.p[k].notes->text;
		CHECK_STREQ(found, cases[i][1]);
		end(&f);
	}
}

TEST(groups)
{
	const struct checked_probe *p;
	struct fixture f;

	/* no args: all are alike */
	begin(&f, "t:syscalls:sys_*_read, t:sched:sched_switch { @ = count(); }");
	CHECK_EQ(f.checked.probes.n, 1);
	CHECK_EQ(f.checked.probes.p[0].n_points, 3);
	CHECK(!f.checked.probes.p[0].points->args);
	end(&f);
	begin(&f, "t:syscalls:sys_exit_*, t:sched:sched_wakeup* { print(args.ret); }");
	CHECK_EQ(f.checked.probes.n, 2);
	p = f.checked.probes.p;
	CHECK(p[0].n_points == 2 && p[1].n_points == 2 && p[0].probe != p[1].probe);
	CHECK(p[0].points->args && p[0].points->args->n_members == 2);
	end(&f);
	/* where arguments of static probes are is code */
	begin(&f, "usdt:/bin/sh:prov1:* { print(arg0); }");
	CHECK_EQ(f.checked.probes.n, 2);
	end(&f);
}

TEST(limits)
{
	struct fixture f;

	begin_with(&f, "t:*:* { } ", 0);
	f.q.config.max_bpf_progs = 3;
	resolve(&f);
	CHECK(!f.ok && f.q.diags.list.n == 1);
	CHECK(strstr(f.q.diags.list.p[0].text, "which exceeds the current limit of 3"));
	end(&f);
	begin_with(&f, "k:func_* { } ", 0);
	f.q.config.max_probes = 3;
	resolve(&f);
	CHECK(!f.ok && f.q.diags.list.n == 1);
	CHECK(strstr(f.q.diags.list.p[0].text, "exceeds the current limit of 3 probes"));
	end(&f);
}

TEST(without_kprobes)
{
	struct fixture f;

	begin_with(&f, "kprobe:vfs_read { }", 1 << WORLD_KPROBE | 1 << WORLD_FENTRY);
	resolve(&f);
	CHECK(!f.ok);
	CHECK(strstr(f.q.diags.list.p[0].text, "CONFIG_KPROBES"));
	CHECK_STREQ(f.q.diags.list.p[0].notes->text,
		    "Nearest to it is: tracepoint:syscalls:sys_enter_read { ... }");
	end(&f);
	begin_with(&f, "kprobe:vfs_read { }", 1 << WORLD_KPROBE | 1 << WORLD_FENTRY);
	f.o.is_offline = true;
	resolve(&f);
	CHECK(f.ok);
	end(&f);
}

TEST(raw_tracepoints)
{
	struct fixture f;

	begin(&f, "rawtracepoint:sched_switch { print(args.prev); }");
	if (!world_fake_has_btf(f.world)) {
		test_skip("no BTF");
	} else {
		CHECK(f.ok);
		CHECK_STREQ(f.names.p, "rawtracepoint:vmlinux:sched_switch");
		CHECK(f.checked.probes.n && f.checked.probes.p[0].points->args);
	}
	end(&f);
}

TEST(listing)
{
	static const struct {
		const char *pattern;
		bool verbose;
		const char *lines;
	} cases[] = {
		{"tracepoint:sched:sched_t*", false, "tracepoint:sched:sched_two\n"},
		{"t:*exec", true,
		 "tracepoint:sched:sched_process_exec\n    __data_loc char[] filename\n"
		 "    pid_t pid\n    pid_t old_pid\n"},
		{"tracepoint:sched:sched_wakeup_*", true,
		 "tracepoint:sched:sched_wakeup_new\n    char comm[16]\n    pid_t pid\n"
		 "    int prio\n    int target_cpu\n"},
		{"kprobe:vfs_*", false, "kprobe:vfs_read\nkprobe:vfs_write\n"},
		{"kprobe:kernel_mod_2:*", false, "kprobe:kernel_mod_2:mod_func_1\n"},
		{"kprobe:f, kprobe:func_1", false, "kprobe:f\nkprobe:func_1\n"},
		{"interval:*", false, "interval:hz:\ninterval:ms:\ninterval:s:\ninterval:us:\n"},
		{"software:cpu*", false,
		 "software:cpu-clock:\nsoftware:cpu-migrations:\nsoftware:cpu:\n"},
		{"uprobe:/bin/sh:*_open", false,
		 "uprobe:/bin/sh:first_open\nuprobe:/bin/sh:second_open\n"},
		{"*:/bin/sh:prov1:*", false, "usdt:/bin/sh:prov1:tp1\nusdt:/bin/sh:prov1:tp2\n"},
		{"self:*", false, "self:signal:SIGUSR1\n"},
		{"nothing:*", false, ""},
	};
	struct world *w = world_fake_new(0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_buf_ struct buf b = {0};
		struct question q;

		question_init(&q);
		attach_list(w, cases[i].pattern, cases[i].verbose, &b, &q.diags);
		CHECK_STREQ(b.p ? b.p : "", cases[i].lines);
		question_done(&q);
	}
	world_fake_free(w);
}

TEST(listing_types)
{
	struct world *w = world_fake_new(0);
	_cleanup_buf_ struct buf b = {0}, args = {0};
	struct question q;

	if (!world_fake_has_btf(w)) {
		test_skip("no BTF");
		world_fake_free(w);
		return;
	}
	question_init(&q);
	attach_list(w, "struct list_head", true, &b, &q.diags);
	CHECK_STREQ(b.p, "vmlinux: struct list_head {\n\tstruct list_head *next;\n"
			 "\tstruct list_head *prev;\n};\n\n");
	attach_list(w, "fentry:vfs_read", true, &args, &q.diags);
	CHECK_STREQ(args.p, "fentry:vmlinux:vfs_read\n    struct file * file\n    char * buf\n"
			    "    size_t count\n    loff_t * pos\n");
	question_done(&q);
	world_fake_free(w);
}
