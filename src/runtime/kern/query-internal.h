/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a query in the kernel share; for query*.c only.
 *
 *	query.c         life, globals, losses, stacks, test runs
 *	query-map.c     maps: made, read, changed
 *	query-load.c    a program: descriptors and addresses put in, types, the load
 *	query-loads.c   several at once
 *	query-refusal.c what the verifier said, in a sentence
 *	query-ring.c    the ring buffer's reader
 *	query-attach.c  probes by links; catalog/attach.def has the kinds
 *	query-perf.c    probes by perf events
 *	query-hint.c    what would help when the kernel says no
 */
#pragma once

#include "base/str.h"
#include "runtime/kern/bpf.h"
#include "runtime/kern/btf.h"
#include "runtime/kern/tracefs.h"
#include "runtime/query.h"

#include <pthread.h>

/* The ring as the kernel lays it out: two pages of positions, then the data. */
struct ring {
	int fd; /* borrowed */
	size_t page, size;
	volatile unsigned long *consumer; /* mapped; NULL: there is no ring */
	const unsigned long *producer;	  /* mapped, with the data behind it */
	const char *data;
	char *copy; /* owned: of a record that goes over the end */
	uint32_t copy_room;
	uint32_t nap_ns; /* how long the next nap will be */
	bool is_lively;	 /* there were records a moment ago */
};

int ring_open(struct ring *r, int fd, size_t size);
void ring_close(struct ring *r);
/* Hand over what is there, at most one ring full.  Returns how many, or what `fn` refused with. */
int ring_drain(struct ring *r, query_record_fn fn, void *ctx);
/*
 * 1: there is something, 0: not yet, −errno.  Returns at once for a lone record; behind others it
 * naps for up to a millisecond first.
 */
int ring_wait(struct ring *r, int timeout_ms);

/* Something that was attached: its descriptors, closed in this order. */
struct attached {
	int link, event; /* -1: none */
	bool is_slow;	 /* a perf event that waits for all cpus when it goes */
};

/* One that is read by a thread of its own, so that its records can be polled meanwhile. */
struct iterator {
	struct iterator *next;
	pthread_t thread;
	int fd;	      /* owned */
	bool is_done; /* atomic */
};

struct query_kern {
	struct query base;
	struct query_config config;
	int *maps;		   /* descriptors, owned; -errno */
	uint32_t *ring_sizes;	   /* max_entries as made */
	size_t n_maps;		   /* of both; before the question is complete, fewer than it has */
	int *progs;		   /* owned; -1 */
	struct query_loads *loads; /* owned: programs are still being loaded; NULL */
	size_t n_progs;
	int stats;	       /* owned; keeps the kernel counting; -1 */
	struct kernel_btf btf; /* opened when a program asks for it */
	bool is_btf_open;
	struct tracefs tracefs; /* likewise */
	unsigned int cpus;	/* possible ones */
	bool can_grow;		/* query_can_grow() */
	struct ring ring;
	int early_ring; /* owned: not in `maps` yet; -1 */
	uint32_t early_size;
	void *globals; /* mapped; NULL */
	size_t globals_n;
	struct attached *attached; /* owned */
	size_t attached_n, attached_room;
	struct iterator *iterators; /* owned */
};

/* "what", with the place; returns r. */
int query_fail(struct query_error *e, int r, const char *format, ...) _printf_(3, 4);
void query_hint(struct query_error *e, const char *format, ...) _printf_(2, 3);

/* Without maps and programs; query_close() frees it. */
struct query_kern *query_kern_new(const struct question *q, const struct query_config *config);
void query_kern_loaded(struct query_kern *x); /* the kernel's types are no longer needed */

bool query_can_grow(void); /* may tables be made without memory for their elements? */
/* Make a map; its descriptor or -errno.  A ring's bytes in *ret_ring_size. */
int query_map_create(struct query_kern *x, const struct question_map *m, uint32_t *ret_ring_size);
/* All of the question that are not there yet: a caller may have put in some of others. */
int query_maps_create(struct query_kern *x, struct query_error *e);

/*
 * Load what can be loaded at once, if that is worth it; what is refused stays -1.  `before`
 * (NULL: nothing) may change x->maps for the program that is prepared next.
 */
typedef void (*query_before)(void *ctx, uint32_t prog);
void query_progs_try(struct query_kern *x, query_before before, void *ctx);
/*
 * Begin to load all, by config.helper and by who waits for one: query_kern_await().  False: it is
 * not worth it, or there is no helper.  To end it waits for the helper, or that one is gone.
 */
bool query_loads_begin(struct query_kern *x);
int query_kern_await(struct query *base, uint32_t prog, struct query_error *e);
void query_loads_end(struct query_kern *x, bool is_helper_gone);

/* A program that is ready to be loaded, in any thread.  NULL: it cannot be. */
struct query_load;
struct query_load *query_load_new(struct query_kern *x, uint32_t prog);
int query_load_try(struct query_load *l); /* descriptor, or -errno */
void query_load_free(struct query_load *l);
/* Load program `i` into x->progs[i]. */
int query_prog_load(struct query_kern *x, uint32_t i, struct query_error *e);
/* Once more, for one that was refused and is optional: 0, or the reason is in `e`. */
int query_prog_retry(struct query_kern *x, uint32_t i, struct query_error *e);
const struct btf_view *query_btf(struct query_kern *x); /* NULL: this kernel has none */

/*
 * Read the verifier's log: e->error.what in words, e->span by the program's lines,
 * e->error.log the end of the log.
 */
void query_refusal(const struct question_prog *p, const char *log, int r, struct query_error *e);

/* Keep descriptors until query_detach(); -1 for what there is not. */
void query_keep(struct query_kern *x, int link, int event, bool is_slow);

/* The column `kern` of attach.def: attach it.  0 or -errno; nothing is said. */
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) \
	int query_attach_##kern(struct query_kern *x, const struct question_probe *p);
#include "catalog/attach.def"
#undef ATTACH

/* Why it did not attach, and what would help. */
void query_attach_hint(const struct query_kern *x, const struct question_probe *p, int r,
		       struct query_error *e);
void query_load_hint(const struct question_prog *p, int r, struct query_error *e);

/* struct query_ops */
int query_kern_attach(struct query *base, uint32_t probe, struct query_error *e);
bool query_kern_iterates(const struct query *base);
void query_kern_detach(struct query *base);
int query_kern_map_each(struct query *base, uint32_t map, query_item_fn fn, void *ctx);
int query_kern_map_get(struct query *base, uint32_t map, const void *key, query_item_fn fn,
		       void *ctx);
int query_kern_map_clear(struct query *base, uint32_t map);
int query_kern_map_zero(struct query *base, uint32_t map);
