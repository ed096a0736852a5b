/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers ask for, passed on to who knows: the query its maps and stacks, symbols
 * their names.
 *
 * A cgroup's path is looked for in every hierarchy that is mounted, by the inode number
 * of its folder; what was found is kept, since the same few cgroups come again and again.
 */
#include "agent/trace-source.h"

#include "agent/cgroupfs.h"
#include "base/clock.h"
#include "runtime/kern/symbols.h"

#include <fnmatch.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- the query */

static int source_map_each(void *ctx, uint32_t map, answer_item_fn fn, void *fn_ctx)
{
	struct trace_source *s = ctx;

	return query_map_each(s->query, map, fn, fn_ctx);
}

static int source_map_get(void *ctx, uint32_t map, const void *key, answer_item_fn fn, void *fn_ctx)
{
	struct trace_source *s = ctx;

	return query_map_get(s->query, map, key, fn, fn_ctx);
}

static int source_map_clear(void *ctx, uint32_t map)
{
	struct trace_source *s = ctx;

	return query_map_clear(s->query, map);
}

static int source_map_zero(void *ctx, uint32_t map)
{
	struct trace_source *s = ctx;

	return query_map_zero(s->query, map);
}

static uint64_t source_loss(void *ctx, uint32_t row)
{
	struct trace_source *s = ctx;

	return query_loss(s->query, row);
}

static unsigned int source_stack(void *ctx, uint64_t id, uint64_t *frames, unsigned int room)
{
	struct trace_source *s = ctx;

	return query_stack(s->query, id, frames, room);
}

/* --- symbols */

static struct symbols *symbols(struct trace_source *s)
{
	static const enum symbols_cache caches[] = {
		[SYMBOLS_PER_PID] = SYMBOLS_CACHE_PID,
		[SYMBOLS_PER_PROGRAM] = SYMBOLS_CACHE_PROGRAM,
		[SYMBOLS_NONE] = SYMBOLS_CACHE_NONE,
	};
	const struct question_config *c = &s->q->config;

	if (!s->symbols)
		s->symbols = symbols_new(caches[c->cache_user_symbols], c->cpp_demangle);
	return s->symbols;
}

static bool source_ksym(void *ctx, uint64_t address, struct buf *to, uint64_t *ret_offset)
{
	return symbols_kernel(symbols(ctx), address, to, ret_offset);
}

static bool source_usym(void *ctx, uint64_t address, uint32_t pid, int32_t probe, struct buf *to,
			uint64_t *ret_offset, struct buf *ret_module)
{
	struct trace_source *s = ctx;
	const struct question_probe *p = NULL;

	if (probe >= 0 && (size_t)probe < s->q->probes.n)
		p = &s->q->probes.p[probe];
	if (symbols_user(symbols(s), address, pid, p ? p->binary : NULL, to, ret_offset,
			 ret_module))
		return true;
	/*
	 * The process has gone, and with it where its libraries were.  Pages are moved as a
	 * whole: this is the place of the probe itself.
	 */
	if (!p || !p->func || !p->binary || p->offset || ((address ^ p->address) & 0xfff))
		return false;
	buf_puts(to, p->func);
	*ret_offset = 0;
	return true;
}

/* --- cgroups */

struct trace_cgroup {
	struct trace_cgroup *next;
	uint64_t id;
	char *root, *paths; /* owned */
};

/* A cgroup in one hierarchy. */
struct search {
	uint64_t id;
	char path[CGROUP_PATH_MAX];
};

static int search_one(void *ctx, const char *folder, const char *path)
{
	struct search *s = ctx;
	struct stat st;

	if (stat(folder, &st) < 0 || st.st_ino != s->id)
		return 0;
	snprintf(s->path, sizeof(s->path), "%s", path);
	return 1;
}

/* "name:/path" of one mount, if it has the cgroup. */
static void put_mount(const char *name, const char *mount, uint64_t id, struct buf *to)
{
	struct search s = {.id = id};

	if (cgroupfs_walk(mount, search_one, &s) > 0)
		buf_printf(to, "%s%s:%s", to->n ? "," : "", name, s.path);
}

struct hierarchy {
	char *name, *mount; /* owned */
};

static int compare_hierarchies(const void *x, const void *y)
{
	const struct hierarchy *a = x, *b = y;

	return strcmp(a->name, b->name);
}

/* The unified one first, then version 1 by name. */
static void put_paths(uint64_t id, const char *root, struct buf *to)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct hierarchy old[64];
	const char *slash;
	struct mntent *m;
	size_t n = 0;

	while (f && (m = getmntent(f))) {
		slash = strrchr(m->mnt_dir, '/');
		if (!strcmp(m->mnt_type, "cgroup2") && (!*root || !fnmatch(root, "unified", 0)))
			put_mount("unified", m->mnt_dir, id, to);
		if (!strcmp(m->mnt_type, "cgroup") && slash && n < ELEMENTS(old) &&
		    (!*root || !fnmatch(root, slash + 1, 0)))
			old[n++] = (struct hierarchy){xstrdup(slash + 1), xstrdup(m->mnt_dir)};
	}
	if (f)
		endmntent(f);
	qsort(old, n, sizeof(*old), compare_hierarchies);
	for (size_t i = 0; i < n; i++) {
		put_mount(old[i].name, old[i].mount, id, to);
		free(old[i].name);
		free(old[i].mount);
	}
}

static bool source_cgroup_path(void *ctx, uint64_t id, const char *root, struct buf *to)
{
	struct trace_source *s = ctx;
	struct trace_cgroup *c;
	struct buf paths = {0};

	for (c = s->cgroups; c; c = c->next) {
		if (c->id != id || strcmp(c->root, root) != 0)
			continue;
		buf_puts(to, c->paths);
		return true;
	}
	put_paths(id, root, &paths);
	if (!paths.n) {
		buf_done(&paths);
		return false;
	}
	buf_put_str(to, buf_str(&paths));
	c = xalloc(sizeof(*c));
	*c = (struct trace_cgroup){s->cgroups, id, xstrdup(root), TAKE(paths.p)};
	s->cgroups = c;
	return true;
}

/* --- */

void trace_source_init(struct trace_source *s, const struct question *q, struct query *query,
		       const struct trace_options *o)
{
	(void)o;
	*s = (struct trace_source){.q = q, .query = query};
	s->answers = (struct answer_source){
		.ctx = s,
		.map_each = source_map_each,
		.map_get = source_map_get,
		.map_clear = source_map_clear,
		.map_zero = source_map_zero,
		.loss = source_loss,
		.stack = source_stack,
		.ksym = source_ksym,
		.usym = source_usym,
		.cgroup_path = source_cgroup_path,
		.realtime_offset_ns = clock_boot_to_real_ns(),
	};
}

void trace_source_done(struct trace_source *s)
{
	while (s->cgroups) {
		struct trace_cgroup *next = s->cgroups->next;

		free(s->cgroups->root);
		free(s->cgroups->paths);
		free(s->cgroups);
		s->cgroups = next;
	}
	if (s->symbols)
		symbols_free(s->symbols);
	*s = (struct trace_source){};
}
