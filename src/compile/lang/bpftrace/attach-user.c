/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in programs: functions by name, by address or by line, and static probes.
 *
 * The kernel wants a file and an offset in it.  Symbols have both a place in the file
 * and an address in memory; what is written as a number is an address, and is turned
 * into a place by the nearest symbol below it.
 */
#include "compile/lang/bpftrace/attach-internal.h"
#include "compile/lang/bpftrace/ctypes-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <unistd.h>

/* --- files */

/*
 * Paths `before` + what fits `rest`.  Not glob(3): for its ~USER a static program gets the
 * system's name services, and those a resolver.
 */
static void find_paths(struct arena *a, const char *before, const char *rest, attach_names *ret)
{
	size_t slashes = strspn(rest, "/"), n = strcspn(rest + slashes, "/");
	const char *part = arena_strndup(a, rest + slashes, n), *path;
	struct dirent *e;
	DIR *dir;

	before = arena_printf(a, "%s%.*s", before, (int)slashes, rest);
	rest += slashes + n;
	if (!strpbrk(part, "*?[\\")) {
		path = arena_printf(a, "%s%s", before, part);
		if (*rest)
			find_paths(a, path, rest, ret);
		else if (!access(path, F_OK))
			array_push(a, ret, path);
		return;
	}
	dir = opendir(*before ? before : ".");
	while (dir && (e = readdir(dir))) {
		if (fnmatch(part, e->d_name, FNM_PERIOD) != 0)
			continue;
		path = arena_printf(a, "%s%s", before, e->d_name);
		if (*rest)
			find_paths(a, path, rest, ret);
		else
			array_push(a, ret, path);
	}
	if (dir)
		closedir(dir);
}

void attach_binaries(struct arena *a, struct world *w, const char *target, int pid,
		     attach_names *ret)
{
	struct attach_collect c = {.arena = a};
	attach_names found = {0};
	const char *one;

	if (!w || !w->ops->binary)
		return;
	if (!*target || !strcmp(target, "*")) {
		if (w->ops->mapped)
			w->ops->mapped(w, pid > 0 ? pid : -1, attach_collect_name, &c);
		attach_names_sort(&c.names);
		*ret = c.names;
		return;
	}
	if (!attach_has_glob(target)) {
		one = w->ops->binary(w, target, pid);
		if (one)
			array_push(a, ret, one);
		return;
	}
	find_paths(a, "", target, &found);
	for (size_t i = 0; i < found.n; i++)
		if (w->ops->binary(w, found.p[i], pid))
			array_push(a, ret, found.p[i]);
	attach_names_sort(ret);
}

/* A path stays as it is written; what was looked up is said in full. */
static const char *shown_path(const struct spec *s, const char *binary)
{
	return strchr(s->target, '/') && !attach_has_glob(s->target) ? s->target : binary;
}

static attach_names binaries(struct attach *a, const struct spec *s, bool *ret_failed)
{
	static const char no_file[] = "%s target file '%s' does not exist or is not executable";
	const char *what = s->hook->id == HOOK_USDT ? "usdt" : "uprobe";
	attach_names ret = {0};

	attach_binaries(a->arena, a->w, s->target, a->o->pid, &ret);
	*ret_failed = !ret.n && *s->target;
	if (!*ret_failed || a->q->config.missing_probes == MISSING_IGNORE)
		return ret;
	if (a->q->config.missing_probes == MISSING_WARN && !a->is_quiet)
		diag_warn(a->d, D_ATTACH_MISSING, a->point->span, no_file, what, s->target);
	else
		attach_error(a, D_ATTACH_MISSING, no_file, what, s->target);
	return ret;
}

/* --- symbols */

struct symbols {
	const struct world_symbol *p;
	unsigned int n;
};

static struct symbols symbols(struct attach *a, const char *binary, const char *glob)
{
	struct symbols s = {0};

	if (!a->w->ops->symbols || a->w->ops->symbols(a->w, binary, glob, true, &s.p, &s.n) < 0)
		return (struct symbols){0};
	return s;
}

/* "f(int)" without what is in the last brackets that close the name. */
static const char *without_parameters(struct arena *a, const char *name)
{
	size_t n = strlen(name);
	unsigned int open = 0;

	while (n && name[n - 1] != ')')
		n--;
	for (size_t i = n; i-- > 0;) {
		if (name[i] == ')')
			open++;
		else if (name[i] == '(' && !--open)
			return arena_strndup(a, name, i);
	}
	return name;
}

bool attach_cpp_matches(struct arena *a, const struct world_symbol *s, const char *glob)
{
	const char *name = s->demangled;

	if (attach_glob(glob, s->name))
		return true;
	if (!name)
		return false;
	if (!strchr(glob, '('))
		name = without_parameters(a, name);
	return attach_glob(glob, name);
}

static bool matches(struct attach *a, const struct spec *s, const struct world_symbol *symbol)
{
	if (*s->lang)
		return attach_cpp_matches(a->arena, symbol, s->func);
	return attach_glob(s->func, symbol->name);
}

/* --- uprobe, uretprobe */

static struct resolved *add_uprobe(struct attach *a, const struct spec *s, const char *binary,
				   const char *function)
{
	struct spec found = *s;
	struct resolved *r;

	found.target = shown_path(s, binary);
	found.func = function;
	r = attach_add(a, &found);
	r->binary = binary;
	r->function = *function ? function : NULL;
	return r;
}

static void add_args(struct attach *a, struct resolved *r, const char *function)
{
	const char *why;

	/* types of the program may be named in the action */
	type_table_add_dwarf(a->t, r->binary);
	if (!a->uses_args || r->hook->id != HOOK_UPROBE)
		return;
	r->args = ctypes_dwarf_args(a->t, r->binary, function, NULL, &why);
	if (!r->args)
		attach_error(a, D_ATTACH_ARGS, "Could not parse arguments of \"%s\": %s", r->name,
			     why);
}

/* As bpftrace prints it: the advice is a second line of the message. */
static const char unsafe_advice[] =
	"\nUse --unsafe to force attachment. WARNING: This option could "
	"lead to data corruption in the target process.";

/* Is the place in the function?  Into the middle of an instruction is for the kernel to say. */
static bool is_inside(struct attach *a, const struct spec *s, const struct world_symbol *symbol,
		      uint64_t offset)
{
	static const struct span nowhere = {.file = UINT32_MAX}; /* as bpftrace says it */

	if (s->hook->id == HOOK_URETPROBE && offset) {
		attach_error(a, D_ATTACH_SYNTAX,
			     "uretprobes cannot be attached at function offset. (address resolved "
			     "to: %s+%llu)",
			     symbol->name, (unsigned long long)offset);
		return false;
	}
	if (!symbol->size && !offset) {
		if (a->o->is_safe)
			diag(a->d, D_ATTACH_MISSING, nowhere,
			     "Could not determine boundary for %s (symbol has size 0).%s",
			     symbol->name, unsafe_advice);
		return !a->o->is_safe;
	}
	if (offset >= symbol->size) {
		attach_error(a, D_ATTACH_MISSING,
			     "Offset outside the function bounds ('%s' size is %llu)", symbol->name,
			     (unsigned long long)symbol->size);
		return false;
	}
	return true;
}

static bool add_symbol(struct attach *a, const struct spec *s, const char *binary,
		       const struct world_symbol *symbol, bool is_one)
{
	struct resolved *r;

	if (is_one && !is_inside(a, s, symbol, s->offset))
		return false;
	r = add_uprobe(a, s, binary, symbol->name);
	r->symbol = symbol;
	r->address = symbol->offset + s->offset;
	r->offset = s->offset;
	r->is_optional = !is_one;
	add_args(a, r, symbol->name);
	return true;
}

/* By name; of one name the first of the list. */
static int by_name(const void *x, const void *y)
{
	const struct world_symbol *a = *(const struct world_symbol *const *)x;
	const struct world_symbol *b = *(const struct world_symbol *const *)y;
	int r = strcmp(a->name, b->name);

	return r ? r : a < b ? -1 : a > b;
}

static unsigned int add_matching(struct attach *a, const struct spec *s, const char *binary,
				 bool is_one)
{
	struct symbols all = symbols(a, binary, *s->lang || !is_one ? "*" : s->func);
	ARRAY(const struct world_symbol *) found = {0};
	unsigned int n = 0;

	for (unsigned int i = 0; i < all.n; i++)
		if (matches(a, s, &all.p[i]))
			array_push(a->arena, &found, &all.p[i]);
	if (found.n)
		qsort(found.p, found.n, sizeof(*found.p), by_name);
	for (size_t i = 0; i < found.n; i++)
		if (!i || strcmp(found.p[i - 1]->name, found.p[i]->name) != 0)
			n += add_symbol(a, s, binary, found.p[i], is_one);
	return n;
}

/* An address in memory; that it is in a function's code is only known of some. */
static void add_address(struct attach *a, const struct spec *s, const char *binary, bool is_sure)
{
	struct symbols all = symbols(a, binary, "*");
	const struct world_symbol *below = NULL;
	struct resolved *r;

	for (unsigned int i = 0; i < all.n; i++)
		if (all.p[i].value <= s->address && (!below || below->value < all.p[i].value))
			below = &all.p[i];
	if (below && s->address - below->value >= below->size && !is_sure)
		below = NULL;
	if (!below && !is_sure && a->o->is_safe) {
		attach_error(a, D_ATTACH_MISSING, "Could not resolve address: %s:0x%llx", binary,
			     (unsigned long long)s->address);
		return;
	}
	if (below && !is_sure && !is_inside(a, s, below, s->address - below->value))
		return;
	r = add_uprobe(a, s, binary, "");
	type_table_add_dwarf(a->t, binary);
	r->is_address = true;
	r->symbol = below;
	r->offset = below ? s->address - below->value : s->address;
	r->address = below ? below->offset + r->offset : s->address;
}

static void missing_symbol(struct attach *a, const struct spec *s, const char *binary)
{
	struct spec named = *s;
	struct symbols all;
	attach_names names = {0};
	const char *near;

	named.target = shown_path(s, binary);
	attach_missing(a, &named);
	if (a->is_quiet || a->q->config.missing_probes == MISSING_IGNORE)
		return;
	all = symbols(a, binary, "*");
	for (unsigned int i = 0; i < all.n; i++)
		array_push(a->arena, &names, all.p[i].name);
	array_push(a->arena, &names, NULL);
	near = str_nearest(s->func, names.p);
	if (near)
		diag_hint(a->d, "Did you mean \"%s:%s:%s\"?", s->hook->name, named.target, near);
}

static void find_line(struct attach *a, const struct spec *s)
{
	struct spec found = *s;
	attach_names files = {0};
	const char *why = NULL;

	if (!*s->target) {
		attach_error(a, D_ATTACH_MISSING,
			     "Unspecified target binary, cannot attach by source code location.");
		return;
	}
	attach_binaries(a->arena, a->w, s->target, a->o->pid, &files);
	if (files.n && ctypes_dwarf_line(a->t, files.p[0], s->file, s->line, s->column,
					 &found.address, &why)) {
		add_address(a, &found, files.p[0], true);
		return;
	}
	if (why)
		attach_error(a, D_ATTACH_MISSING, "%s", why);
	else
		attach_error(a, D_ATTACH_MISSING,
			     "No DWARF debug info found for '%s', cannot attach by source code "
			     "location.",
			     s->target);
}

void attach_find_uprobe(struct attach *a, const struct spec *s)
{
	bool has_glob = attach_has_glob(s->func) || attach_has_glob(s->target) || *s->lang;
	attach_names files;
	bool failed;

	if (s->file) {
		find_line(a, s);
		return;
	}
	files = binaries(a, s, &failed);
	if (failed)
		return;
	for (size_t i = 0; i < files.n; i++) {
		if (s->has_address) {
			add_address(a, s, files.p[i], false);
			continue;
		}
		if (!add_matching(a, s, files.p[i], !has_glob) && !has_glob && !a->d->errors)
			missing_symbol(a, s, files.p[i]);
	}
}

/* --- usdt */

/* The same probe stands wherever the compiler has put a copy of the code. */
static bool has_before(const struct world_usdt *all, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if (!strcmp(all[k].provider, all[i].provider) && !strcmp(all[k].name, all[i].name))
			return true;
	return false;
}

static unsigned int add_usdts(struct attach *a, const struct spec *s, const char *binary,
			      bool is_one)
{
	const struct world_usdt *found;
	unsigned int n;

	if (!a->w->ops->usdts ||
	    a->w->ops->usdts(a->w, binary, *s->ns ? s->ns : "*", s->func, &found, &n) < 0)
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		struct spec named = *s;
		struct resolved *r;

		named.target = shown_path(s, binary);
		named.ns = found[i].provider;
		named.func = found[i].name;
		r = attach_add(a, &named);
		r->binary = binary;
		r->usdt = found[i].name;
		r->group = found[i].provider;
		r->usdt_arg = &found[i];
		r->is_uncounted = has_before(found, i);
		r->address = found[i].offset;
		r->is_optional = !is_one;
	}
	return n;
}

void attach_find_usdt(struct attach *a, const struct spec *s)
{
	bool has_glob = attach_has_glob(s->target) || attach_has_glob(s->ns) || !*s->ns ||
			attach_has_glob(s->func) || a->o->pid > 0;
	unsigned int n = 0;
	attach_names files;
	bool failed;

	files = binaries(a, s, &failed);
	if (failed)
		return;
	for (size_t i = 0; i < files.n; i++)
		n += add_usdts(a, s, files.p[i], !has_glob);
	if (!n && !has_glob)
		attach_missing(a, s);
}
