/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciders in the kernel, assembled by hand: what they are given, what is sent, how one set
 * takes the place of another.  Only as root; looks at a child of its own alone.
 */
#include "base/macro.h"
#include "catalog/catalog.h"
#include "catalog/question.h"
#include "isa/insn.h"
#include "runtime/kern/privileges.h"
#include "runtime/runtime.h"
#include "test.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP_STAGE, MAP_SEND, MAP_PROCS, MAPS, ANNEX = offsetof(struct wire_stage, annex) };

/* A rule set in the making. */
struct made {
	struct question q;
	struct bpf_insn insns[4][64];
	struct question_reloc relocs[4][8];
	int32_t progs[64];
	struct runtime_rules rules;
};

static void begin(struct made *m, uint32_t generation)
{
	static const struct question_map maps[MAPS] = {
		{.name = RULE_MAP_STAGE, .kind = QMAP_OTHER},
		{.name = RULE_MAP_SEND, .kind = QMAP_OTHER},
		{.name = "procs",
		 .kind = QMAP_OTHER,
		 .type = BPF_MAP_TYPE_HASH,
		 .flags = BPF_F_NO_PREALLOC,
		 .key_size = 4,
		 .value_size = sizeof(struct wire_proc_bits),
		 .max_entries = 65536},
	};

	*m = (struct made){0};
	question_init(&m->q);
	for (int i = 0; i < MAPS; i++)
		array_push(&m->q.arena, &m->q.maps, maps[i]);
	for (int k = 0; k < 64; k++)
		m->progs[k] = -1;
	m->rules = (struct runtime_rules){.q = &m->q,
					  .progs = m->progs,
					  .map_procs = MAP_PROCS,
					  .map_cgroups = -1,
					  .generation = generation};
}

/*
 * Rule 0 may match if the u32 at `offset` of the stage has one of the bits `mask`.  The set's
 * generation is noted, and sent is what may match or is always sent.
 */
static void decider(struct made *m, unsigned int kind, int offset, int mask, bool writes_bits)
{
	uint32_t at = (uint32_t)m->q.progs.n, n = 0;
	struct bpf_insn *p = m->insns[at];
	struct question_reloc *r = m->relocs[at];
	int32_t n_relocs = 0;

#define MAP(dst, which)                                                                       \
	do {                                                                                  \
		insn_wide(p + n, 0, dst, 0);                                                  \
		r[n_relocs++] =                                                               \
			(struct question_reloc){.insn = n, .kind = QRELOC_MAP, .map = which}; \
		n += 2;                                                                       \
	} while (0)
	p[n++] = insn_mov(6, 1);
	p[n++] = insn_store_imm(4, 10, -4, 0);
	MAP(1, MAP_STAGE);
	p[n++] = insn_mov(2, 10);
	p[n++] = insn_alu_imm(BPF_ADD, false, 2, -4);
	p[n++] = insn_call(0, BPF_FUNC_map_lookup_elem);
	p[n++] = insn_jump_imm(BPF_JNE, 0, 0, 2);
	p[n++] = insn_mov_imm(0, 0);
	p[n++] = insn_exit();
	p[n++] = insn_mov(7, 0);
	p[n++] = insn_store_imm(4, 7, ANNEX + offsetof(struct wire_annex, generation),
				(int32_t)m->rules.generation);
	p[n++] = insn_load(4, false, 1, 7, ANNEX + offsetof(struct wire_annex, flags));
	p[n++] = insn_alu_imm(BPF_OR, false, 1, WIRE_A_DECIDED);
	p[n++] = insn_store(4, 7, ANNEX + offsetof(struct wire_annex, flags), 1);
	if (writes_bits) { /* all the bits of word 0, for this process */
		p[n++] = insn_load(4, false, 1, 7, offsetof(struct wire_head, pid));
		p[n++] = insn_store(4, 10, -4, 1);
		for (int i = 0; i < (int)sizeof(struct wire_proc_bits); i += 8)
			p[n++] = insn_store_imm(8, 10, -8 - (int)sizeof(struct wire_proc_bits) + i,
						i == 8 ? -1 : 0);
		MAP(1, MAP_PROCS);
		p[n++] = insn_mov(2, 10);
		p[n++] = insn_alu_imm(BPF_ADD, false, 2, -4);
		p[n++] = insn_mov(3, 10);
		p[n++] = insn_alu_imm(BPF_ADD, false, 3, -8 - (int)sizeof(struct wire_proc_bits));
		p[n++] = insn_mov_imm(4, 0);
		p[n++] = insn_call(0, BPF_FUNC_map_update_elem);
	}
	p[n++] = insn_load(4, false, 1, 7, (int16_t)offset);
	p[n++] = insn_alu_imm(BPF_AND, false, 1, mask);
	p[n++] = insn_jump_imm(BPF_JEQ, 1, 0, 1);
	p[n++] = insn_store_imm(8, 7, ANNEX + offsetof(struct wire_annex, may), 1);
	p[n++] = insn_load(4, false, 2, 7, ANNEX + offsetof(struct wire_annex, flags));
	p[n++] = insn_alu_imm(BPF_AND, false, 2, WIRE_A_ALWAYS);
	p[n++] = insn_alu(BPF_OR, false, 1, 2);
	p[n++] = insn_jump_imm(BPF_JEQ, 1, 0, 5);
	p[n++] = insn_mov(1, 6);
	MAP(2, MAP_SEND);
	p[n++] = insn_mov_imm(3, 0);
	p[n++] = insn_call(0, BPF_FUNC_tail_call);
	p[n++] = insn_mov_imm(0, 0);
	p[n++] = insn_exit();
#undef MAP
	m->progs[kind] = (int32_t)at;
	array_push(&m->q.arena, &m->q.progs,
		   ((struct question_prog){
			   .name = "decider",
			   .prog_type = BPF_PROG_TYPE_TRACING,
			   .attach_type = BPF_TRACE_RAW_TP,
			   .btf_name = kind == EV_EXEC ? "sched_process_exec" : "sys_exit",
			   .insns = p,
			   .n_insns = n,
			   .relocs = r,
			   .n_relocs = (uint32_t)n_relocs,
		   }));
}

/* --- what came up */

struct seen {
	unsigned int opens, execs, others, undecided;
	struct wire_annex annex; /* of the last open, or exec */
	char name[256], name2[256];
	uint32_t pid;
};

static void take(char to[256], const void *record, struct wire_str s)
{
	snprintf(to, 256, "%.*s", (int)s.len, s.off ? (const char *)record + s.off : "");
}

static int see(void *ctx, const void *record, size_t n)
{
	const struct wire_head *h = record;
	struct seen *s = ctx;

	if (h->kind == EV_FORK || h->kind == EV_EXIT || h->kind >= WIRE_PROC)
		return 0;
	if (!(h->flags & WIRE_F_ANNEX)) {
		s->others++;
		return 0;
	}
	memcpy(&s->annex, (const char *)record + n - sizeof(s->annex), sizeof(s->annex));
	s->undecided += !(s->annex.flags & WIRE_A_DECIDED);
	s->opens += h->kind == EV_OPEN;
	s->execs += h->kind == EV_EXEC;
	s->others += h->kind != EV_EXEC && h->kind != EV_OPEN;
	s->pid = h->pid;
	take(s->name, record, s->annex.name);
	take(s->name2, record, s->annex.name2);
	return 0;
}

/* --- a child that does what it is told, watched */

struct watched {
	struct runtime *rt;
	pid_t pid;
	int go, done; /* pipes to it and from it */
};

/* `work` is done when a byte comes, each time. */
static bool watch_child(struct watched *w, const struct runtime_config *config, void (*work)(void))
{
	struct runtime_error e = {0};
	struct privileges p;
	int go[2], done[2], r;
	char c;

	privileges_read(&p);
	if (privileges_missing(&p, CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON)) ||
	    p.in_user_namespace || p.is_filtered) {
		test_skip("CAP_BPF is missing");
		return false;
	}
	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(pipe(done), 0);
	w->pid = fork();
	if (!w->pid) {
		close(go[1]);
		while (read(go[0], &c, 1) == 1)
			work(), r = (int)write(done[1], "", 1);
		_exit(0);
	}
	close(go[0]);
	close(done[1]);
	w->go = go[1];
	w->done = done[0];
	r = runtime_open_kern(config, &w->rt, &e);
	CHECK_EQ(r, 0);
	if (r < 0) {
		printf("# %s\n%s\n", e.what, e.log);
		close(w->go);
		waitpid(w->pid, NULL, 0);
		return false;
	}
	CHECK_EQ(runtime_follow(w->rt, (uint32_t)w->pid), 0);
	return true;
}

static void run(struct watched *w, struct seen *seen, int (*fn)(void *, const void *, size_t))
{
	char c;

	*seen = (struct seen){0};
	if (write(w->go, "", 1) != 1 || read(w->done, &c, 1) != 1)
		return;
	while (runtime_poll(w->rt, 0, fn, seen) > 0)
		;
}

static void unwatch(struct watched *w)
{
	close(w->go);
	close(w->done);
	waitpid(w->pid, NULL, 0);
	runtime_close(w->rt);
}

static int set(struct watched *w, struct made *m)
{
	struct runtime_error e = {0};
	int r = runtime_rules(w->rt, &m->rules, &e);

	if (r < 0)
		printf("# %s\n%s\n", e.what, e.log);
	return r;
}

static const struct runtime_config opens = {
	.events = KIND_BIT(EV_OPEN),
	.cgroup_fd = -1,
	.follow = true,
	.ring_kb = 1024,
	.rules = true,
};

static void open_close(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
}

static void open_two(void)
{
	open_close("/etc/passwd", O_RDONLY);
	open_close("/etc", O_RDONLY | O_DIRECTORY);
}

TEST(what_may_match_is_sent)
{
	struct runtime_error e;
	struct seen seen;
	struct watched w;
	struct made m;
	uint64_t runs, ns;

	if (!watch_child(&w, &opens, open_two))
		return;
	begin(&m, 7);
	decider(&m, EV_OPEN, offsetof(struct wire_file, flags), O_DIRECTORY, false);
	CHECK_EQ(set(&w, &m), 0);
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.opens, 1);
	CHECK_EQ(seen.others, 0);
	CHECK_EQ(seen.undecided, 0);
	CHECK_EQ(seen.annex.may[0], 1);
	CHECK_EQ(seen.annex.generation, 7);
	CHECK_EQ(seen.annex.vpid, w.pid);
	CHECK_EQ(seen.annex.vtid, w.pid);
	CHECK_EQ(seen.annex.pgid, getpgrp());
	CHECK_EQ(seen.annex.sid, getsid(0));
	CHECK_EQ(seen.annex.vsid, getsid(0));
	CHECK(seen.annex.cap_effective);
	CHECK(seen.annex.flags & WIRE_A_TASK);
	CHECK_STREQ(seen.name, "/etc");
	CHECK_EQ(runtime_rules_stats(w.rt, EV_OPEN, &runs, &ns), 0);
	CHECK_EQ(runs, 2);
	unwatch(&w);
	question_done(&m.q);
}

TEST(all_are_sent_before_there_are_rules)
{
	struct runtime_error e;
	struct seen seen;
	struct watched w;
	struct made m;

	if (!watch_child(&w, &opens, open_two))
		return;
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.opens, 2);
	CHECK_EQ(seen.undecided, 2);
	begin(&m, 1);
	CHECK_EQ(set(&w, &m), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.opens, 0);
	unwatch(&w);
	question_done(&m.q);
}

TEST(what_is_shown_is_sent)
{
	struct runtime_config config = opens;
	struct runtime_error e;
	struct seen seen;
	struct watched w;
	struct made m;

	config.shown = KIND_BIT(EV_OPEN);
	if (!watch_child(&w, &config, open_two))
		return;
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.opens, 2);
	CHECK_EQ(seen.undecided, 2);
	begin(&m, 1);
	decider(&m, EV_OPEN, offsetof(struct wire_file, flags), O_DIRECTORY, false);
	CHECK_EQ(set(&w, &m), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.opens, 2);
	CHECK_EQ(seen.undecided, 0);
	unwatch(&w);
	question_done(&m.q);
}

static void open_odd(void)
{
	static const char *next[] = {
		"/etc/passwd",
		"//etc//passwd",
		"/etc/./passwd",
		"/usr/../etc/passwd",
		"/usr/bin/../../etc/./passwd",
		"/../../etc/passwd",
		"passwd",
		"./passwd",
		"../etc/passwd",
		"../usr/..//etc/passwd/",
		"../../../../etc/passwd",
		"/etc/",
		"/",
		".",
		"..",
		"/etc/.",
		"/usr/..",
		"/etc/.hidden",
		"../.hidden",
		"../..hidden",
		"/etc/passwd/.",
		"nothing",
		"/usr/share/../../etc/../nothing/..",
	};
	static unsigned int i;

	if (chdir("/etc") == 0)
		open_close(next[i++], O_RDONLY);
}

TEST(names_are_absolute_and_normal)
{
	static const char *expected[] = {
		"/etc/passwd", "/etc/passwd",  "/etc/passwd", "/etc/passwd",
		"/etc/passwd", "/etc/passwd",  "/etc/passwd", "/etc/passwd",
		"/etc/passwd", "/etc/passwd",  "/etc/passwd", "/etc",
		"/",	       "/etc",	       "/",	      "/etc",
		"/",	       "/etc/.hidden", "/.hidden",    "/..hidden",
		"/etc/passwd", "/etc/nothing", "/",
	};
	struct runtime_config config = opens;
	struct runtime_error e;
	struct seen seen;
	struct watched w;

	config.shown = KIND_BIT(EV_OPEN);
	if (!watch_child(&w, &config, open_odd))
		return;
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	for (size_t i = 0; i < ELEMENTS(expected); i++) {
		run(&w, &seen, see);
		CHECK_EQ(seen.opens, 1);
		CHECK(seen.annex.flags & WIRE_A_LEXICAL);
		CHECK_STREQ(seen.name, expected[i]);
	}
	unwatch(&w);
}

static void exec_twice(void)
{
	char *args[] = {(char *)"sh", (char *)"-c", (char *)"/bin/true; exit 0", NULL};
	pid_t pid = fork();

	if (!pid) {
		execv("/bin/sh", args);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

TEST(execs_are_always_sent)
{
	struct runtime_config config = opens;
	struct runtime_error e;
	struct seen seen;
	struct watched w;
	struct made m;

	config.events = KIND_BIT(EV_EXEC);
	if (!watch_child(&w, &config, exec_twice))
		return;
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.execs, 2);
	CHECK_EQ(seen.undecided, 2);
	begin(&m, 2);
	decider(&m, EV_EXEC, offsetof(struct wire_head, kind), 0, true);
	CHECK_EQ(set(&w, &m), 0);
	run(&w, &seen, see);
	CHECK_EQ(seen.execs, 2);
	CHECK_EQ(seen.undecided, 0);
	CHECK_EQ(seen.annex.generation, 2);
	unwatch(&w);
	question_done(&m.q);
}

/* The last cgroup that lost records, and how many. */
static void see_flood(void *ctx, uint64_t cgroup, uint64_t lost)
{
	uint64_t *ret = ctx;

	ret[0] = cgroup;
	ret[1] = lost;
}

static void open_many(void)
{
	for (int i = 0; i < 5000; i++)
		open_close("/etc", O_RDONLY | O_DIRECTORY);
}

/* Nobody reads: three quarters are a cgroup's, the rest stays for others. */
TEST(who_floods_loses_its_own)
{
	struct runtime_config config = opens;
	uint64_t flood[2] = {0}, lost, sent;
	struct wire_count count;
	struct runtime_error e;
	struct seen seen;
	struct watched w;
	char c;

	config.ring_kb = 256;
	if (!watch_child(&w, &config, open_many))
		return;
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	CHECK_EQ(write(w.go, "", 1), 1);
	CHECK_EQ(read(w.done, &c, 1), 1);
	runtime_counts(w.rt, &count);
	lost = count.lost[EV_OPEN];
	sent = count.sent[EV_OPEN];
	runtime_rules_floods(w.rt, see_flood, flood);
	CHECK_EQ(sent, 5000);
	CHECK(lost);
	CHECK_EQ(flood[1], lost); /* by its budget, not because the ring was full */
	CHECK(flood[0]);
	seen = (struct seen){0};
	while (runtime_poll(w.rt, 0, see, &seen) > 0)
		;
	CHECK_EQ(seen.opens, sent - lost);
	printf("# %u of %llu were sent\n", seen.opens, (unsigned long long)sent);
	unwatch(&w);
}

static volatile int *has_changed; /* shared with the child */

/*
 * Opens on both sides of every change, then one that tells the end.  At most 100,000 a second:
 * the ring holds those of more than half a second, in which nobody reads while a set changes.
 */
static void open_for_long(void)
{
	do {
		for (int i = 0; i < 100; i++)
			open_close("/etc", O_RDONLY | O_DIRECTORY);
		usleep(1000);
	} while (!*has_changed);
	open_close("/", O_RDONLY | O_DIRECTORY);
}

struct flow {
	uint64_t opens, undecided, backwards;
	uint32_t generation;
	bool has_ended;
};

static int see_flow(void *ctx, const void *record, size_t n)
{
	const struct wire_head *h = record;
	struct wire_annex a;
	struct flow *f = ctx;

	if (h->kind != EV_OPEN)
		return 0;
	memcpy(&a, (const char *)record + n - sizeof(a), sizeof(a));
	f->opens++;
	f->undecided += !(a.flags & WIRE_A_DECIDED);
	f->backwards += a.generation < f->generation;
	f->generation = a.generation;
	f->has_ended |= a.name.len == 1;
	return 0;
}

TEST(sets_change_without_a_gap)
{
	struct runtime_config config = opens;
	struct flow flow = {0};
	struct runtime_error e;
	struct wire_count count;
	struct watched w;
	struct made sets[20];

	config.ring_kb = 32768;
	has_changed = mmap(NULL, sizeof(*has_changed), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!watch_child(&w, &config, open_for_long))
		return;
	for (uint32_t i = 0; i < ELEMENTS(sets); i++) {
		begin(&sets[i], i + 1);
		decider(&sets[i], EV_OPEN, offsetof(struct wire_file, flags), O_DIRECTORY, false);
	}
	CHECK_EQ(set(&w, &sets[0]), 0);
	CHECK_EQ(runtime_start(w.rt, &e), 0);
	CHECK_EQ(write(w.go, "", 1), 1);
	for (uint32_t i = 1; i < ELEMENTS(sets); i++) {
		runtime_poll(w.rt, 20, see_flow, &flow);
		CHECK_EQ(set(&w, &sets[i]), 0);
	}
	runtime_poll(w.rt, 20, see_flow, &flow);
	*has_changed = 1;
	for (int i = 0; i < 1000 && !flow.has_ended; i++)
		runtime_poll(w.rt, 20, see_flow, &flow);
	runtime_counts(w.rt, &count);
	CHECK(flow.has_ended);
	CHECK_EQ(flow.undecided, 0);
	CHECK_EQ(flow.backwards, 0);
	CHECK_EQ(flow.generation, ELEMENTS(sets));
	CHECK_EQ(flow.opens % 100, 1);
	CHECK_EQ(count.lost[EV_OPEN], 0);
	printf("# %llu opens\n", (unsigned long long)flow.opens);
	unwatch(&w);
	for (uint32_t i = 0; i < ELEMENTS(sets); i++)
		question_done(&sets[i].q);
}
