/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import "path": other scripts (.bt), C headers (.h), or all such files of a directory.
 *
 * What a script imports is put before what it has itself, so that its types are known and
 * the imports' begin probes run first.  Each file is imported once, which also ends
 * cycles.  A script is code that runs with all privileges: what others than its owner may
 * write, or replace since they may write the directory, is refused.
 */
#include "compile/lang/bpftrace/expander.h"
#include "compile/lang/bpftrace/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { IMPORT_DEPTH = 32, IMPORT_FILES = 1000, FILE_MAX = 4 * 1048576 };

/* What is being imported, and on whose behalf. */
struct importing {
	struct expand *x;
	struct program *into;  /* what goes before the importer's own */
	struct span span;      /* of the import */
	const char *directory; /* of the importer */
};

static void import_all(struct expand *x, const struct program *from, struct program *into,
		       const char *directory);

static bool others_may_write(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_IWOTH);
}

static const char *directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

static bool is_trusted(struct arena *a, const char *path)
{
	return !others_may_write(path) && !others_may_write(directory_of(a, path));
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* True: it was there already. */
static bool seen(struct expand *x, const char *path)
{
	char real[PATH_MAX];
	const char *name = realpath(path, real) ? real : path;

	for (size_t i = 0; i < x->imported.n; i++)
		if (!strcmp(x->imported.p[i], name))
			return true;
	array_push(x->arena, &x->imported, arena_strdup(x->arena, name));
	return false;
}

/* Opens no pipe or device, which may block. */
static FILE *open_regular(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *f;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	f = fdopen(fd, "r");
	if (f)
		fd = -1;
	return f;
}

int expand_read_file(const char *path, struct buf *to)
{
	_cleanup_fclose_ FILE *f = open_regular(path);
	char block[16384];
	size_t n;

	if (!f)
		return -errno;
	errno = 0;
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		buf_add(to, block, n);
		if (to->n > FILE_MAX)
			return -EFBIG;
	}
	return ferror(f) ? -(errno ? errno : EIO) : 0;
}

/* The file as a source; false: an error was recorded. */
static bool load(struct importing *i, const char *name, const char *path, uint32_t *ret)
{
	_cleanup_buf_ struct buf b = {};
	int r = expand_read_file(path, &b);

	if (r < 0) {
		diag(i->x->d, D_IMPORT, i->span, "error reading import '\"%s\"': %s", path,
		     strerror(-r));
		return false;
	}
	*ret = diag_source(i->x->d, name, buf_str(&b));
	return true;
}

/* --- scripts */

#define array_append(a, to, from)                             \
	do {                                                  \
		for (size_t n_ = 0; n_ < (from)->n; n_++)     \
			array_push((a), (to), (from)->p[n_]); \
	} while (0)

static void append(struct arena *a, struct program *to, const struct program *from)
{
	array_append(a, &to->c, &from->c);
	array_append(a, &to->lets, &from->lets);
	array_append(a, &to->fns, &from->fns);
	array_append(a, &to->macros, &from->macros);
	array_append(a, &to->probes, &from->probes);
}

static void import_script(struct importing *i, const char *name, const char *path)
{
	struct program *p;
	uint32_t source;

	if (!load(i, name, path, &source))
		return;
	p = parse_program(i->x->d, source);
	if (!p)
		return;
	if (p->config.n)
		diag(i->x->d, D_IMPORT, p->config.p[0].span, "invalid `config` within import");
	import_all(i->x, p, i->into, directory_of(i->x->arena, path));
	append(i->x->arena, i->into, p);
}

/* --- headers */

void expand_split_c(struct arena *a, const struct diags *d, uint32_t source, struct program *to)
{
	struct str text = d->sources.p[source].text;
	size_t begin = 0, at = 0;
	struct c_text c = {};

	while (at < text.n) {
		size_t line = at, first = at;
		bool directive;

		while (first < text.n && (text.p[first] == ' ' || text.p[first] == '\t'))
			first++;
		directive = first < text.n && text.p[first] == '#';
		while (at < text.n &&
		       (text.p[at] != '\n' || (directive && at > line && text.p[at - 1] == '\\')))
			at++;
		at += at < text.n;
		if (!directive)
			continue;
		c.span = (struct span){source, (uint32_t)begin, (uint32_t)line};
		c.is_preprocessor = false;
		if (line > begin)
			array_push(a, &to->c, c);
		c.span = (struct span){source, (uint32_t)first, (uint32_t)at};
		c.is_preprocessor = true;
		array_push(a, &to->c, c);
		begin = at;
	}
	c.span = (struct span){source, (uint32_t)begin, (uint32_t)at};
	c.is_preprocessor = false;
	if (at > begin)
		array_push(a, &to->c, c);
}

static void import_header(struct importing *i, const char *name, const char *path)
{
	uint32_t source;

	if (load(i, name, path, &source))
		expand_split_c(i->x->arena, i->x->d, source, i->into);
}

/* --- files and directories */

static bool has_end(const char *s, const char *end)
{
	return str_ends(str_of(s), str_of(end));
}

static void import_file(struct importing *i, const char *name, const char *path, bool must)
{
	if (!is_trusted(i->x->arena, path)) {
		diag(i->x->d, D_IMPORT, i->span,
		     "cowardly refusing to import from a directory with global write permissions: "
		     "\"%s\"",
		     path);
		return;
	}
	if (has_end(name, ".bt")) {
		if (!seen(i->x, path))
			import_script(i, name, path);
	} else if (has_end(name, ".h")) {
		if (!seen(i->x, path))
			import_header(i, name, path);
	} else if (has_end(name, ".bpf.c") || has_end(name, ".bpf.o")) {
		if (must) {
			diag(i->x->d, D_UNSUPPORTED, i->span,
			     "programs in C cannot be imported: %s", name);
			diag_hint(i->x->d, "A .bt file can be, with macros and functions (fn)");
		}
	} else if (must) {
		diag(i->x->d, D_IMPORT, i->span, "unknown import type: \"%s\"", name);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void import_directory(struct importing *i, const char *name, const char *path)
{
	ARRAY(const char *) entries = {};
	struct arena *a = i->x->arena;
	struct dirent *e;
	DIR *dir;

	if (!is_trusted(a, path)) {
		import_file(i, name, path, true);
		return;
	}
	dir = opendir(path);
	if (!dir) {
		diag(i->x->d, D_IMPORT, i->span, "error reading import '\"%s\"': %s", path,
		     strerror(errno));
		return;
	}
	while ((e = readdir(dir)) && entries.n < IMPORT_FILES)
		array_push(a, &entries, arena_strdup(a, e->d_name));
	closedir(dir);
	if (entries.n)
		qsort(entries.p, entries.n, sizeof(*entries.p), by_name);
	for (size_t k = 0; k < entries.n; k++) {
		const char *inside = arena_printf(a, "%s/%s", path, entries.p[k]);

		if (!is_directory(inside))
			import_file(i, arena_printf(a, "%s/%s", name, entries.p[k]), inside, false);
	}
}

/* Where the name leads from one of the directories; NULL: nowhere. */
static const char *resolve(struct importing *i, const char *name)
{
	const char *const from[] = {i->x->params->directory, i->directory};
	struct arena *a = i->x->arena;
	struct stat st;

	for (size_t k = 0; k < ELEMENTS(from); k++) {
		const char *path = name;

		if (from[k] && *from[k] && *name != '/')
			path = arena_printf(a, "%s/%s", from[k], name);
		if (stat(path, &st) == 0)
			return path;
	}
	return NULL;
}

/* The standard library is built in, but for the part that is there to test imports. */
static void import_own(struct importing *i, const char *name)
{
	static const char text[] = "macro __always_true() { (int32)1 }";
	struct program *p;

	if (strcmp(name, "stdlib/test") != 0 || seen(i->x, name))
		return;
	p = parse_program(i->x->d, diag_source(i->x->d, name, str_of(text)));
	if (p)
		append(i->x->arena, i->into, p);
}

static void import_one(struct importing *i, struct str written)
{
	const char *name = arena_strndup(i->x->arena, written.p, written.n);
	const char *path = resolve(i, name);
	bool own = !strcmp(name, "stdlib") || str_starts(written, STR("stdlib/"));

	if (path && is_directory(path)) {
		import_directory(i, name, path);
	} else if (path) {
		import_file(i, name, path, true);
	} else if (own) {
		import_own(i, name);
	} else {
		diag(i->x->d, D_IMPORT, i->span, "Unable to find suitable path for import");
		diag_hint(i->x->d, "checked: %s%s%s",
			  i->x->params->directory ? i->x->params->directory : "",
			  i->x->params->directory ? "/" : "", name);
	}
}

/* What `from` imports, into `into`. */
static void import_all(struct expand *x, const struct program *from, struct program *into,
		       const char *directory)
{
	struct importing i = {.x = x, .into = into, .directory = directory};

	for (size_t k = 0; k < from->imports.n; k++) {
		i.span = from->imports.p[k].span;
		if (x->import_depth >= IMPORT_DEPTH) {
			diag(x->d, D_IMPORT, i.span, "imports are nested too deeply");
			return;
		}
		x->import_depth++;
		import_one(&i, from->imports.p[k].path);
		x->import_depth--;
	}
}

void expand_import_statement(struct expand *x, const struct stmt *s)
{
	struct importing i = {.x = x, .into = x->p, .span = s->span};

	if (has_end(arena_strndup(x->arena, s->text.p, s->text.n), ".bt"))
		diag(x->d, D_IMPORT, s->span,
		     "Import statements that are not at the root are limited to specific object "
		     "(.o), header (.h), or C source (.c or bpf.c) files");
	else
		import_one(&i, s->text);
}

void expand_imports(struct expand *x)
{
	struct program all = {};

	if (!x->p->imports.n)
		return;
	import_all(x, x->p, &all, NULL);
	append(x->arena, &all, x->p);
	x->p->c = all.c;
	x->p->lets = all.lets;
	x->p->fns = all.fns;
	x->p->macros = all.macros;
	x->p->probes = all.probes;
}
