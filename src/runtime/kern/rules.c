/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/rules.h"

#include "base/macro.h"
#include "base/parallel.h"
#include "catalog/catalog.h"
#include "runtime/kern/query-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 64 };

/* A set that is loaded: a query that is never attached. */
struct rules_kern {
	struct query_kern *query; /* owned */
	int32_t progs[KINDS];	  /* kind → program; -1 */
	int32_t map_procs, map_cgroups;
	uint64_t kinds; /* that its rules ask for */
};

/* Where the question has a map of the object's under this name; NULL: it does not ask for it. */
static int *place_of(struct query_kern *x, const char *name)
{
	for (size_t i = 0; i < x->base.q->maps.n; i++) {
		const struct question_map *m = &x->base.q->maps.p[i];

		if (m->kind == QMAP_OTHER && m->name && !strcmp(m->name, name))
			return &x->maps[i];
	}
	return NULL;
}

/* A descriptor of the query's own. */
static int lend(int *place, int fd)
{
	if (!place)
		return 0;
	*place = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *place < 0 ? -errno : 0;
}

/* Which table a program goes to, by the hook that it is made for; -1: there is none. */
static int table_of(const struct rules_tables *t, const struct question_prog *p)
{
	if (!p->btf_name)
		return -1;
	if (!strcmp(p->btf_name, "sys_exit"))
		return t->has_sys_table ? t->sys : -1;
	return strcmp(p->btf_name, "sched_process_exec") ? -1 : t->exec;
}

static int put_program(int table, uint32_t kind, int fd)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)table;
	a.key = (uintptr_t)&kind;
	a.value = (uintptr_t)&fd;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
}

static void delete_at(int map, const void *key)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)map;
	a.key = (uintptr_t)key;
	bpf_call(BPF_MAP_DELETE_ELEM, &a, sizeof(a));
}

static int map_of_processes(const struct rules_kern *r)
{
	return r->map_procs < 0 ? -1 : r->query->maps[r->map_procs];
}

/*
 * A map in a map is put in place when all programs are through that may see the one before,
 * which takes 10 ms.  Where there is none before it need not wait for the deciders.
 */
struct first_map {
	int table, map, err;
	pthread_t thread;
	bool is_thread;
};

static void *put_first_map(void *ctx)
{
	struct first_map *f = ctx;

	f->err = put_program(f->table, 0, f->map);
	return NULL;
}

static void first_map_begin(struct first_map *f, const struct rules_kern *r,
			    const struct rules_tables *t)
{
	*f = (struct first_map){.table = t->procs, .map = map_of_processes(r)};
	if (f->map < 0)
		return;
	f->is_thread = !thread_start(&f->thread, THREAD_STACK_SMALL, put_first_map, f);
	if (!f->is_thread)
		put_first_map(f);
}

static int first_map_end(struct first_map *f)
{
	if (f->is_thread)
		pthread_join(f->thread, NULL);
	return f->err;
}

/* The question has one table to send through, a program the one of its hook. */
struct sending {
	struct query_kern *x;
	const struct rules_tables *tables;
	int *place; /* NULL: nobody sends */
	int sys, exec;
};

static void choose_table(void *ctx, uint32_t prog)
{
	const struct sending *s = ctx;

	if (s->place)
		*s->place = table_of(s->tables, &s->x->base.q->progs.p[prog]) == s->tables->exec
				    ? s->exec
				    : s->sys;
}

static int load_programs(struct sending *s, struct query_error *e)
{
	struct query_kern *x = s->x;
	int err = 0;

	query_progs_try(x, choose_table, s);
	for (uint32_t i = 0; err >= 0 && i < x->base.q->progs.n; i++) {
		if (x->progs[i] >= 0 || table_of(s->tables, &x->base.q->progs.p[i]) < 0)
			continue;
		choose_table(s, i);
		err = query_prog_load(x, i, e);
	}
	return err;
}

/* `is_first`: no set was loaded before.  Kernel's words about a decider, with its name in front. */
static int load_all(struct rules_kern *r, const struct rules_tables *t, bool is_first,
		    struct query_error *e)
{
	struct first_map first = {0};
	struct query_kern *x = r->query;
	struct sending s = {.x = x, .tables = t, .place = place_of(x, RULE_MAP_SEND)};
	int err = lend(place_of(x, RULE_MAP_STAGE), t->stage), put;

	if (err >= 0)
		err = lend(s.place, t->exec);
	if (err >= 0)
		err = query_maps_create(x, e);
	if (err < 0)
		return err;
	s.sys = s.exec = s.place ? *s.place : -1;
	if (s.place && t->has_sys_table)
		s.sys = fcntl(t->sys, F_DUPFD_CLOEXEC, 3);
	err = s.place && s.sys < 0 ? -errno : 0;
	if (is_first)
		first_map_begin(&first, r, t);
	if (err >= 0)
		err = load_programs(&s, e);
	put = first_map_end(&first);
	err = MIN(err, put);
	if (s.place)
		*s.place = s.exec;
	if (s.sys != s.exec && s.sys >= 0)
		close(s.sys);
	return err;
}

/* Kinds that the set asks for, and those that have a decider in it. */
static uint64_t kinds_of(const struct rules_kern *r)
{
	uint64_t kinds = r ? r->kinds : 0;

	for (unsigned int k = 1; r && k < KINDS; k++)
		if (r->progs[k] >= 0)
			kinds |= 1ull << k;
	return kinds;
}

/*
 * The change: first every kind that either set wants is made, then each meets its new
 * decider, then what the new set does not want is no longer made.
 */
static int exchange(const struct rules_kern *old, const struct rules_kern *r,
		    const struct rules_tables *t)
{
	const struct question *q = r->query->base.q;
	int err, procs = map_of_processes(r);

	if (procs >= 0 && old) {
		err = put_program(t->procs, 0, procs);
		if (err < 0)
			return err;
	}
	__atomic_store_n(t->live, t->always | kinds_of(old) | kinds_of(r), __ATOMIC_RELAXED);
	for (uint32_t k = 1; k < KINDS; k++) {
		int32_t i = r->progs[k];
		int table = i < 0 ? -1 : table_of(t, &q->progs.p[i]);

		if (table >= 0 && r->query->progs[i] >= 0) {
			err = put_program(table, k, r->query->progs[i]);
			if (err < 0)
				return err;
			continue;
		}
		if (old && old->progs[k] >= 0) {
			delete_at(t->sys, &k);
			delete_at(t->exec, &k);
		}
	}
	__atomic_store_n(t->live, t->always | kinds_of(r), __ATOMIC_RELAXED);
	__atomic_store_n(t->undecided, 0, __ATOMIC_RELAXED);
	if (procs < 0 && old && old->map_procs >= 0)
		delete_at(t->procs, &(uint32_t){0});
	return 0;
}

int rules_kern_set(struct rules_kern **at, const struct rules_tables *tables,
		   const struct runtime_rules *rules, struct runtime_error *e)
{
	struct rules_kern *r = xalloc(sizeof(*r));
	struct query_config config = {0};
	struct query_error why = {.prog = UINT32_MAX, .probe = UINT32_MAX};
	int err;

	r->query = query_kern_new(rules->q, &config);
	r->map_procs = rules->map_procs;
	r->map_cgroups = rules->map_cgroups;
	r->kinds = rules->kinds;
	for (unsigned int k = 0; k < KINDS; k++)
		r->progs[k] = rules->progs[k];
	err = load_all(r, tables, !*at, &why);
	if (err >= 0) {
		err = exchange(*at, r, tables);
		if (err < 0)
			query_fail(&why, err, "cannot put the rules' programs in place: %s",
				   strerror(-err));
	}
	if (err < 0) {
		*e = why.error;
		if (!e->what[0])
			snprintf(e->what, sizeof(e->what), "cannot load the rules' programs: %s",
				 strerror(-err));
		if (*at) /* some may have been changed already */
			exchange(r, *at, tables);
		rules_kern_free(r);
		return err;
	}
	query_kern_loaded(r->query);
	rules_kern_free(*at);
	*at = r;
	return 0;
}

void rules_kern_free(struct rules_kern *r)
{
	if (!r)
		return;
	query_close(&r->query->base);
	free(r);
}

static int put_bits(const struct rules_kern *r, int32_t map, const void *key, const void *value,
		    uint64_t flags)
{
	union bpf_attr a = {0};

	if (!r || map < 0)
		return 0;
	a.map_fd = (uint32_t)r->query->maps[map];
	a.key = (uintptr_t)key;
	a.value = (uintptr_t)value;
	a.flags = flags;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
}

int rules_kern_process(struct rules_kern *r, uint32_t pid, const struct wire_proc_bits *bits)
{
	return put_bits(r, r ? r->map_procs : -1, &pid, bits, BPF_NOEXIST);
}

int rules_kern_cgroup(struct rules_kern *r, uint64_t id, const struct wire_cgroup_bits *bits)
{
	if (!bits) {
		if (r && r->map_cgroups >= 0)
			delete_at(r->query->maps[r->map_cgroups], &id);
		return 0;
	}
	return put_bits(r, r ? r->map_cgroups : -1, &id, bits, BPF_ANY);
}
