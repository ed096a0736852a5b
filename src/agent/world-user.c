/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and libraries: where they are, what they hold, who has mapped them. */
#include "agent/world-internal.h"
#include "base/macro.h"
#include "base/map.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *world_kern_binary(struct world *base, const char *named, int pid)
{
	return binary_find(&WORLD(base)->arena, named, pid);
}

static int open_binary(struct world_kern *w, const char *path, struct binary **ret)
{
	struct world_binary *b = w->binaries;

	while (b && strcmp(b->path, path) != 0)
		b = b->next;
	if (!b) {
		b = arena_new(&w->arena, struct world_binary);
		b->path = arena_strdup(&w->arena, path);
		b->error = binary_open(&b->binary, path);
		b->is_open = b->error >= 0;
		b->next = w->binaries;
		w->binaries = b;
	}
	*ret = &b->binary;
	return b->error;
}

/* --- symbols */

struct symbol_search {
	struct arena *a;
	struct binary *b;
	const char *glob;
	struct str word; /* the longest of it */
	bool is_exact;
	ARRAY(struct world_symbol) found;
};

/* The longest run of letters in a pattern: also a mangled name has them in a row. */
static struct str longest_word(const char *glob)
{
	struct str best = {glob, 0};

	for (const char *p = glob; *p;) {
		size_t n = 0;

		if (*p == '[') { /* a set of letters is no word */
			p += strcspn(p, "]");
			continue;
		}
		while (isalnum((unsigned char)p[n]) || p[n] == '_')
			n++;
		if (n > best.n)
			best = (struct str){p, n};
		p += n ? n : 1;
	}
	return best;
}

/* A pattern may be meant for the name as a person writes it: "foo*" or "foo(int)". */
static bool matches(const struct symbol_search *x, const char *name, char **ret_demangled)
{
	const char *glob = x->glob;
	bool is_match = x->is_exact ? !strcmp(glob, name) : world_glob(glob, name);
	char *demangled, *open;

	*ret_demangled = NULL;
	if (!is_match &&
	    (name[0] != '_' || name[1] != 'Z' || !memmem(name, strlen(name), x->word.p, x->word.n)))
		return false;
	demangled = binary_demangle(name);

	*ret_demangled = demangled;
	if (is_match || !demangled)
		return is_match;
	if (world_glob(glob, demangled))
		return true;
	open = strchr(glob, '(') ? NULL : strrchr(demangled, '(');
	if (!open)
		return false;
	*open = 0;
	is_match = world_glob(glob, demangled);
	*open = '(';
	return is_match;
}

static void take_symbol(void *ctx, const struct elf_symbol *s)
{
	struct symbol_search *x = ctx;
	struct world_symbol made = {.value = s->value, .size = s->size};
	char *demangled;

	if (matches(x, s->name, &demangled)) {
		made.name = arena_strdup(x->a, s->name);
		made.demangled = demangled ? arena_strdup(x->a, demangled) : NULL;
		if (elf_offset(&x->b->elf, s->value, &made.offset))
			array_push(x->a, &x->found, made);
	}
	free(demangled);
}

/* By name, and the one that is not of size 0 first. */
static int by_name(const void *a, const void *b)
{
	const struct world_symbol *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r)
		return r;
	if (!x->size != !y->size)
		return x->size ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/*
 * Both tables have most symbols: each place once by one name, the largest version first
 * ("memcpy@@GLIBC_2.14" and older ones share a name in .dynsym).
 */
static size_t unique(struct world_symbol *p, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(p, n, sizeof(*p), by_name);
	for (size_t i = 0; i < n; i++)
		if (!kept || p[i].value != p[kept - 1].value ||
		    strcmp(p[i].name, p[kept - 1].name) != 0)
			p[kept++] = p[i];
	return kept;
}

int world_kern_symbols(struct world *base, const char *path, const char *glob, bool functions,
		       const struct world_symbol **ret, unsigned int *ret_n)
{
	struct world_kern *w = WORLD(base);
	struct symbol_search x = {
		.a = &w->arena,
		.glob = glob,
		.word = longest_word(glob),
		.is_exact = !strpbrk(glob, "*?["),
	};
	int r = open_binary(w, path, &x.b);

	if (r < 0)
		return r;
	binary_symbols(x.b, functions, take_symbol, &x);
	*ret_n = (unsigned int)unique(x.found.p, x.found.n);
	*ret = x.found.p;
	return 0;
}

/* --- static probes */

struct usdt_search {
	struct arena *a;
	const char *provider, *name;
	ARRAY(struct world_usdt) found;
};

static void take_usdt(void *ctx, const struct binary_usdt *u)
{
	struct usdt_search *x = ctx;

	if (!world_glob(x->provider, u->provider) || !world_glob(x->name, u->name))
		return;
	array_push(x->a, &x->found,
		   ((struct world_usdt){
			   .provider = arena_strdup(x->a, u->provider),
			   .name = arena_strdup(x->a, u->name),
			   .args = arena_strdup(x->a, u->args),
			   .offset = u->offset,
			   .semaphore = u->semaphore,
		   }));
}

int world_kern_usdts(struct world *base, const char *path, const char *provider, const char *name,
		     const struct world_usdt **ret, unsigned int *ret_n)
{
	struct world_kern *w = WORLD(base);
	struct usdt_search x = {.a = &w->arena, .provider = provider, .name = name};
	struct binary *b;
	int r = open_binary(w, path, &b);

	if (r < 0)
		return r;
	binary_usdts(&b->elf, take_usdt, &x);
	*ret = x.found.p;
	*ret_n = (unsigned int)x.found.n;
	return 0;
}

/* --- who has mapped what */

enum { LINE_MAX_ = 8192 };

/* Files of executable mappings; `seen`, by inode, keeps each to once. */
static void mapped_by(struct world_kern *w, int pid, struct map *seen, world_name_fn fn, void *ctx)
{
	_cleanup_fclose_ FILE *f = NULL;
	char name[64], line[LINE_MAX_];

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long inode, major, minor;
		char perms[8];
		int at = 0;
		const char *found;
		uint64_t key;

		if (sscanf(line, "%*x-%*x %7s %*x %lx:%lx %lu %n", perms, &major, &minor, &inode,
			   &at) < 4 ||
		    !inode || perms[2] != 'x' || !at || line[at] != '/')
			continue;
		line[strcspn(line, "\n")] = 0;
		key = (uint64_t)inode ^ (uint64_t)major << 52 ^ (uint64_t)minor << 40;
		if (map_get(seen, key))
			continue;
		map_put(seen, key, w);
		found = binary_find(&w->arena, line + at, pid);
		if (found)
			fn(ctx, found);
	}
}

void world_kern_mapped(struct world *base, int pid, world_name_fn fn, void *ctx)
{
	struct world_kern *w = WORLD(base);
	struct map seen = {0};
	struct dirent *e;
	DIR *dir;

	if (pid >= 0) {
		mapped_by(w, pid, &seen, fn, ctx);
		map_done(&seen);
		return;
	}
	dir = opendir("/proc");
	while (dir && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			mapped_by(w, atoi(e->d_name), &seen, fn, ctx);
	if (dir)
		closedir(dir);
	map_done(&seen);
}
