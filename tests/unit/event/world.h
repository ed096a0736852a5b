/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made-up machine for tests of the stream: somebody who can be asked, and a kernel
 * that sends records at random, as from several cpus, and loses some of them.
 *
 * Process N was started by process N / 10; from GONE on nobody knows them.  Cgroup N
 * has a path below NO_CGROUP and, from BOX on, a container.  User N is called userN; from
 * NAMELESS on users have no name, and from NO_USER on nobody says so.
 */
#pragma once

#include "event/made.h"
#include "event/stream.h"

#include <stdlib.h>

#define SECRET "hunter2hunter2"

enum {
	GONE = 900,
	BOX = 10,
	LATE_BOX = 50,
	LATER_BOX = 51,
	NO_CGROUP = 100,
	NAMELESS = 100,
	NO_USER = 1000,
};

/* How often who was asked. */
struct asked {
	unsigned int process[1000], cgroup[200], container[200], user[2000];
};

static inline bool world_process(void *ctx, uint32_t pid, uint64_t start_ns, struct buf *out)
{
	struct asked *a = ctx;
	struct wire_proc *p;
	char text[64];

	a->process[pid % ELEMENTS(a->process)]++;
	if (pid >= GONE)
		return false;
	p = made(out, WIRE_PROC, pid, 0);
	p->head.cgroup = pid % 7;
	p->ppid = pid / 10;
	p->parent_start_ns = MADE_START(pid / 10);
	p->ns_pid = pid;
	p->ns[NS_MNT] = 4026531841;
	snprintf(text, sizeof(text), "/usr/bin/prog%u", pid);
	record_add_str(out, offsetof(struct wire_proc, exe), str_of(text));
	ADD_STR(out, wire_proc, args, "prog\0--password=" SECRET "\0");
	ADD_STR(out, wire_proc, cwd, "/");
	record_end(out);
	return true;
}

static inline bool world_cgroup(void *ctx, uint64_t id, struct buf *out)
{
	struct asked *a = ctx;
	struct wire_head *h;
	char text[32];

	a->cgroup[id % ELEMENTS(a->cgroup)]++;
	if (id >= NO_CGROUP)
		return false;
	h = made(out, WIRE_CGROUP, 0, 0);
	h->cgroup = id;
	snprintf(text, sizeof(text), "/slice/group%u", (unsigned int)id);
	record_add_str(out, offsetof(struct wire_cgroup, path), str_of(text));
	record_end(out);
	return true;
}

/*
 * Before the third time somebody looks, the name of LATE_BOX is not written down, and of
 * LATER_BOX nothing is.
 */
static inline bool world_container(void *ctx, uint64_t id, struct str path, struct buf *out)
{
	struct asked *a = ctx;
	struct wire_head *h;
	char text[32];

	a->container[id % ELEMENTS(a->container)]++;
	if (id < BOX || (id == LATER_BOX && a->container[id] <= 2))
		return false;
	h = made(out, WIRE_CONTAINER, 0, 0);
	h->cgroup = id;
	snprintf(text, sizeof(text), "box%u", (unsigned int)id);
	ADD_STR(out, wire_container, runtime, "docker");
	ADD_STR(out, wire_container, id, "0123456789abcdef0123456789abcdef");
	if (id != LATE_BOX || a->container[id] > 2)
		record_add_str(out, offsetof(struct wire_container, name), str_of(text));
	ADD_STR(out, wire_container, image, "docker.io/library/alpine:3");
	ADD_STR(out, wire_container, labels,
		"a\0b\0version\0"
		"3\0");
	record_end(out);
	return true;
}

static inline bool world_user(void *ctx, uint32_t uid, struct buf *out)
{
	struct asked *a = ctx;
	struct wire_head *h;
	char text[32];

	a->user[uid % ELEMENTS(a->user)]++;
	if (uid >= NO_USER)
		return false;
	h = made(out, WIRE_USER, 0, 0);
	h->uid = uid;
	snprintf(text, sizeof(text), "user%u", uid);
	if (uid < NAMELESS)
		record_add_str(out, offsetof(struct wire_user, name), str_of(text));
	record_end(out);
	return true;
}

static inline struct resolver world_resolver(struct asked *a)
{
	return (struct resolver){a, world_process, world_cgroup, world_container, world_user};
}

/* The kernel side: its counters, and records that wait on their cpu. */
struct world {
	unsigned int seed;
	uint64_t ms;
	struct wire_count count;
	uint32_t lost_by_cpu[4];
	struct buf late; /* made before a loss, sent after it; empty: none */
	uint64_t fed;	 /* records that were events */
};

static inline unsigned int world_rand(struct world *w, unsigned int below)
{
	w->seed = w->seed * 1103515245 + 12345;
	return (w->seed >> 8) % below;
}

static inline struct str world_text(struct world *w)
{
	static const struct str texts[] = {
		STR("/etc/passwd"),
		STR("/usr/lib/libc.so"),
		STR("/lib64/ld.so"),
		STR("relative/../path"),
		STR("."),
		STR("/"),
		STR(""),
		STR("/dev/null"),
		STR("new\nline \033[31m\033]0;x\a"),
		STR("\xff\xfe no utf-8 \xe2\x80\xae"),
		STR("quote\"back\\slash\ttab"),
		STR("a\0b\0c\0"),
		STR("\0\0\0"),
		STR("\x1a\x1a\x1a\x1a"),
	};

	return texts[world_rand(w, ELEMENTS(texts))];
}

static inline struct str world_args(struct world *w)
{
	static const struct str secrets[] = {
		STR("curl\0-u\0me:" SECRET "\0https://me:" SECRET "@example.org/\0"),
		STR("mysql\0--password=" SECRET "\0-h\0db\0"),
	};
	size_t i = world_rand(w, 2 * ELEMENTS(secrets));

	return i < ELEMENTS(secrets) ? secrets[i] : world_text(w);
}

/* An event of any kind with any numbers in its body, but a head and strings that are sound. */
static inline void world_event(struct world *w, struct buf *b, unsigned int kind)
{
	uint32_t pid = 1 + world_rand(w, 999);
	struct wire_head *h = made(b, kind, pid, w->ms += world_rand(w, 50));
	static const int64_t rets[] = {0, 3, -1, -2, -11, -115, -512, -4000, -5000, 1ll << 40};
	size_t n = b->n, member;
	struct wire_proc *p = (struct wire_proc *)h;
	struct wire_fork *f = (struct wire_fork *)h;

	for (size_t i = sizeof(*h); i < n; i++)
		if (!world_rand(w, 3))
			b->p[i] = world_rand(w, 2) ? world_rand(w, 256) : world_rand(w, 3);
	h->uid = world_rand(w, 4) ? world_rand(w, 3) : world_rand(w, 1500);
	h->cgroup = world_rand(w, 4) ? world_rand(w, 60) : world_rand(w, 150);
	h->flags = world_rand(w, 3) ? 0 : world_rand(w, 128);
	h->cpu = world_rand(w, ELEMENTS(w->lost_by_cpu));
	h->ret = rets[world_rand(w, ELEMENTS(rets))];
	for (size_t i = 0; (member = body_string(body_of_kind(kind), i)); i++) {
		memset(b->p + member, 0, sizeof(struct wire_str));
		if (world_rand(w, 3))
			record_add_str(b, member,
				       kind == EV_EXEC && member == offsetof(struct wire_proc, args)
					       ? world_args(w)
					       : world_text(w));
	}
	record_end(b);
	if (kind == EV_EXEC) {
		p->ppid = world_rand(w, 3) ? pid / 10 : 1 + world_rand(w, 999);
		p->parent_start_ns = MADE_START(p->ppid);
	} else if (kind == EV_FORK) {
		f->child_pid = 1 + world_rand(w, 999);
		f->child_start_ns = MADE_START(f->child_pid) + world_rand(w, 2) * NS_PER_S;
	}
	h->lost = w->lost_by_cpu[h->cpu];
}

/* One thing happens: a record goes to `s`, is lost, or waits.  What stream_feed() returns. */
static inline int world_step(struct world *w, struct stream *s, struct buf *b)
{
	unsigned int kind = 1 + world_rand(w, EV_LOST - 1);
	int r = 0;

	if (!world_rand(w, 40))
		kind = 0; /* identity */
	w->count.sent[kind]++;
	if (!kind || !world_rand(w, 12)) {
		w->count.lost[kind]++;
		w->lost_by_cpu[world_rand(w, ELEMENTS(w->lost_by_cpu))]++;
		return 0;
	}
	world_event(w, b, kind);
	w->fed++;
	if (!w->late.n && !world_rand(w, 10)) {
		buf_put_str(&w->late, buf_str(b));
		return 0;
	}
	r = stream_feed(s, b->p, b->n);
	if (r >= 0 && w->late.n && !world_rand(w, 3)) {
		r = stream_feed(s, w->late.p, w->late.n);
		buf_reset(&w->late);
	}
	return r;
}

/* Everything ends; what waited is sent. */
static inline int world_finish(struct world *w, struct stream *s)
{
	int r = w->late.n ? stream_feed(s, w->late.p, w->late.n) : 0;

	buf_done(&w->late);
	return r < 0 ? r : stream_finish(s, &w->count);
}
