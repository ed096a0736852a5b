/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of addresses in processes.
 *
 * An address is in a mapping of a file; the mapping's offset makes it a place in the file,
 * the file's segments make that an address as its symbol table has it.  Files are read
 * once, by device and inode, however many processes map them.  Mappings are read when
 * somebody asks, or before (symbols_user_prepare), since a process may be gone by then.
 * Code that was made at run time has no file: compilers write a list to
 * /tmp/perf-PID.map (Linux's tools/perf/Documentation/jit-interface.txt).
 */
#include "base/clock.h"
#include "base/macro.h"
#include "runtime/kern/binary.h"
#include "runtime/kern/symbols-internal.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	LINE_ROOM = 8192,
	MAPPINGS_MAX = 1 << 16,
	PROCESSES_MAX = 4096,
	FUNCTIONS_MAX = 8 << 20, /* of all files */
	PERF_LINES_MAX = 1 << 20,
	AGAIN_NS = 100000000, /* mappings are not read again within 100 ms */
};

/* --- files */

static uint64_t file_key(uint64_t device, uint64_t inode)
{
	return device * 0x9e3779b97f4a7c15ull ^ inode;
}

static void file_free(struct symbols_file *f)
{
	if (!f)
		return;
	free(f->segments);
	free(f->functions);
	buf_done(&f->names);
	free(f);
}

static int by_value(const void *a, const void *b)
{
	const struct symbols_function *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

struct fill {
	struct symbols_file *f;
	size_t room, most;
};

/* Names that others may call it by, and without underscores in front. */
static uint32_t rank(const struct elf_symbol *s)
{
	return (s->binding == STB_LOCAL ? 4 : 0) + MIN((uint32_t)strspn(s->name, "_"), 3u);
}

static void add_function(struct fill *x, const char *name, uint64_t value, uint64_t size,
			 uint32_t name_rank)
{
	struct symbols_file *f = x->f;

	if (f->n >= x->most || f->names.n > UINT32_MAX / 2)
		return;
	if (f->n == x->room) {
		x->room = x->room ? x->room * 2 : 256;
		f->functions = xrealloc(f->functions, x->room * sizeof(*f->functions));
	}
	f->functions[f->n++] = (struct symbols_function){
		.value = value,
		.size = size,
		.name = (uint32_t)f->names.n,
		.rank = name_rank,
	};
	buf_add(&f->names, name, strlen(name) + 1);
}

static void take_function(void *ctx, const struct elf_symbol *s)
{
	add_function(ctx, s->name, s->value, s->size, rank(s));
}

static void sort(struct symbols_file *f)
{
	if (f->n)
		qsort(f->functions, f->n, sizeof(*f->functions), by_value);
}

static void take_segments(const struct elf_view *v, struct symbols_file *f)
{
	struct elf_segment s;

	f->is_fixed = v->type == ET_EXEC;
	f->segments = xalloc((v->n_segments + 1) * sizeof(*f->segments));
	for (uint32_t i = 0; elf_segment_get(v, i, &s); i++)
		if (s.type == PT_LOAD)
			f->segments[f->segments_n++] =
				(struct symbols_segment){s.offset, s.file_size, s.address};
}

static void fill_file(struct symbols *s, struct symbols_file *f, struct binary *b)
{
	struct fill x = {.f = f, .most = FUNCTIONS_MAX - MIN(s->functions_n, FUNCTIONS_MAX)};

	take_segments(&b->elf, f);
	binary_symbols(b, true, take_function, &x);
	sort(f);
	s->functions_n += f->n;
}

static struct symbols_file *file_known(struct symbols *s, uint64_t device, uint64_t inode)
{
	struct symbols_file *f = map_get(&s->files, file_key(device, inode));

	while (f && (f->device != device || f->inode != inode))
		f = f->next;
	return f;
}

static struct symbols_file *file_add(struct symbols *s, uint64_t device, uint64_t inode)
{
	struct symbols_file *f = xalloc(sizeof(*f));

	f->device = device;
	f->inode = inode;
	f->next = map_put(&s->files, file_key(device, inode), f);
	return f;
}

/*
 * The file of a mapping: in the process's own root, or as the kernel holds it, or, when
 * the process is gone, by the same path here if that is the same file.
 */
static bool open_mapped(struct binary *b, uint32_t pid, const struct symbols_mapping *m)
{
	char path[LINE_ROOM + 64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%lx-%lx", pid, (unsigned long)m->start,
		 (unsigned long)m->end);
	if (binary_open(b, path) >= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, m->path);
	if (!stat(path, &st) && st.st_ino == m->inode && binary_open(b, path) >= 0)
		return true;
	return !stat(m->path, &st) && st.st_ino == m->inode && binary_open(b, m->path) >= 0;
}

static struct symbols_file *file_of(struct symbols *s, uint32_t pid,
				    const struct symbols_mapping *m)
{
	struct symbols_file *f = file_known(s, m->device, m->inode);
	struct binary b;

	if (f)
		return f;
	f = file_add(s, m->device, m->inode);
	if (open_mapped(&b, pid, m)) {
		fill_file(s, f, &b);
		binary_close(&b);
	}
	return f;
}

/* The kernel's own page of code: the same in all processes, so it is read here. */
static struct symbols_file *vdso(struct symbols *s)
{
	const void *p = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct symbols_file *f = file_known(s, 0, 1);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct binary b = {0};

	if (f || !p)
		return f;
	f = file_add(s, 0, 1);
	if (elf_view_init(&b.elf, p, page) >= 0) {
		/* the sections are behind the code: how far, says the table's place */
		size_t n = b.elf.sections_at + (size_t)b.elf.n_sections * b.elf.section_size;

		if (n < 16 * page && elf_view_init(&b.elf, p, (n + page - 1) / page * page) >= 0)
			fill_file(s, f, &b);
	}
	return f;
}

static const struct symbols_function *function_at(const struct symbols_file *f, uint64_t address)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (f->functions[mid].value <= address)
			low = mid + 1;
		else
			high = mid;
	}
	/* a few steps back: small ones may lie inside of larger ones */
	for (size_t i = low; i > 0 && low - i < 16; i--) {
		const struct symbols_function *at = &f->functions[i - 1];

		if (address - at->value < at->size || (!at->size && i == low)) {
			while (i > 1 && f->functions[i - 2].value == at->value)
				at = &f->functions[--i - 1]; /* the first name of the place */
			return at;
		}
	}
	return NULL;
}

static bool to_address(const struct symbols_file *f, uint64_t offset, uint64_t *ret)
{
	for (size_t i = 0; i < f->segments_n; i++) {
		const struct symbols_segment *g = &f->segments[i];

		if (offset >= g->offset && offset - g->offset < g->size) {
			*ret = offset - g->offset + g->address;
			return true;
		}
	}
	return false;
}

/* --- processes */

static void process_free(struct symbols_process *p)
{
	if (!p)
		return;
	file_free(p->perf);
	arena_done(&p->arena);
	free(p);
}

static bool parse_mapping(char *line, struct symbols_process *p)
{
	struct symbols_mapping m = {0};
	unsigned long start, end, offset, major, minor, inode;
	char perms[8];
	int at = 0;

	if (sscanf(line, "%lx-%lx %7s %lx %lx:%lx %lu %n", &start, &end, perms, &offset, &major,
		   &minor, &inode, &at) < 7 ||
	    perms[2] != 'x')
		return false;
	line[strcspn(line, "\n")] = 0;
	m = (struct symbols_mapping){
		.start = start,
		.end = end,
		.offset = offset,
		.device = makedev(major, minor),
		.inode = inode,
		.path = arena_strdup(&p->arena, at ? line + at : ""),
	};
	array_push(&p->arena, &p->mappings, m);
	return true;
}

static void exe_of(uint32_t pid, uint64_t *device, uint64_t *inode)
{
	char path[64];
	struct stat st = {0};

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	if (stat(path, &st) < 0)
		st = (struct stat){0};
	*device = st.st_dev;
	*inode = st.st_ino;
}

/* NULL: it is gone. */
static struct symbols_process *process_read(uint32_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct symbols_process *p;
	char line[LINE_ROOM];

	snprintf(line, sizeof(line), "/proc/%u/maps", pid);
	f = fopen(line, "re");
	if (!f)
		return NULL;
	p = xalloc(sizeof(*p));
	p->pid = pid;
	p->read_ns = clock_mono_ns();
	exe_of(pid, &p->exe_device, &p->exe_inode);
	while (fgets(line, sizeof(line), f) && p->mappings.n < MAPPINGS_MAX)
		parse_mapping(line, p);
	if (!p->mappings.n) { /* a kernel thread, or it ended meanwhile */
		process_free(p);
		return NULL;
	}
	return p;
}

static void forget_processes(struct symbols *s)
{
	struct symbols_process *p;

	map_each(&s->processes, i, p)
		process_free(p);
	map_done(&s->processes);
}

/* Read now; what was known stays if the process is gone. */
static struct symbols_process *process_refresh(struct symbols *s, uint32_t pid)
{
	struct symbols_process *now = process_read(pid);

	if (!now)
		return map_get(&s->processes, pid);
	if (s->processes.n >= PROCESSES_MAX)
		forget_processes(s);
	process_free(map_put(&s->processes, pid, now));
	return now;
}

static const struct symbols_mapping *mapping_at(const struct symbols_process *p, uint64_t address)
{
	size_t low = 0, high = p->mappings.n;

	while (low < high) { /* the kernel lists them in order */
		size_t mid = (low + high) / 2;

		if (p->mappings.p[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->mappings.n && p->mappings.p[low].start <= address ? &p->mappings.p[low]
									  : NULL;
}

static struct symbols_process *process_at(struct symbols *s, uint32_t pid, uint64_t address,
					  const struct symbols_mapping **ret)
{
	struct symbols_process *p = map_get(&s->processes, pid);

	if (!p || s->cache == SYMBOLS_CACHE_NONE)
		p = process_refresh(s, pid);
	*ret = p ? mapping_at(p, address) : NULL;
	if (p && !*ret && clock_mono_ns() - p->read_ns > AGAIN_NS) { /* loaded since */
		p = process_refresh(s, pid);
		*ret = p ? mapping_at(p, address) : NULL;
	}
	return p;
}

void symbols_user_prepare(struct symbols *s, uint32_t pid)
{
	struct symbols_process *p = map_get(&s->processes, pid);
	uint64_t device, inode;

	if (p) {
		exe_of(pid, &device, &inode);
		if (!inode || (device == p->exe_device && inode == p->exe_inode))
			return;
	}
	process_refresh(s, pid);
}

/* --- code made at run time */

static FILE *open_perf_map(uint32_t pid)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", pid, pid);
	f = fopen(path, "re");
	if (f)
		return f;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	return fopen(path, "re");
}

/* Lines "START SIZE name", numbers in hex; the list grows while the process runs. */
static struct symbols_file *perf_map(struct symbols_process *p)
{
	_cleanup_fclose_ FILE *f = open_perf_map(p->pid);
	struct fill x = {.most = PERF_LINES_MAX};
	char line[LINE_ROOM];
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0 || (p->perf && p->perf_size == (uint64_t)st.st_size))
		return p->perf;
	file_free(p->perf);
	p->perf = x.f = xalloc(sizeof(*p->perf));
	p->perf_size = (uint64_t)st.st_size;
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, size;
		int at = 0;

		if (sscanf(line, "%lx %lx %n", &start, &size, &at) < 2 || !at)
			continue;
		line[strcspn(line, "\n")] = 0;
		add_function(&x, line + at, start, size, 0);
	}
	sort(p->perf);
	return p->perf;
}

/* --- the question */

static bool put(struct symbols *s, const struct symbols_file *f, uint64_t address, struct buf *to,
		uint64_t *ret_offset)
{
	const struct symbols_function *at = f ? function_at(f, address) : NULL;

	if (!at)
		return false;
	symbols_put_name(s, f->names.p + at->name, to);
	*ret_offset = address - at->value;
	return true;
}

/* The process is gone and was never seen: a program that runs where it was linked. */
static bool by_binary(struct symbols *s, const char *path, uint64_t address, struct buf *to,
		      uint64_t *ret_offset, struct buf *ret_module)
{
	struct symbols_file *f;
	struct binary b;
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return false;
	f = file_known(s, st.st_dev, st.st_ino);
	if (!f && binary_open(&b, path) >= 0) {
		f = file_add(s, st.st_dev, st.st_ino);
		fill_file(s, f, &b);
		binary_close(&b);
	}
	if (!f || !f->is_fixed || !put(s, f, address, to, ret_offset))
		return false;
	if (ret_module)
		buf_puts(ret_module, path);
	return true;
}

bool symbols_user(struct symbols *s, uint64_t address, uint32_t pid, const char *binary,
		  struct buf *to, uint64_t *ret_offset, struct buf *ret_module)
{
	const struct symbols_mapping *m;
	struct symbols_process *p = process_at(s, pid, address, &m);
	struct symbols_file *f;
	uint64_t at = address - (m ? m->start : 0) + (m ? m->offset : 0);

	if (!p)
		return by_binary(s, binary, address, to, ret_offset, ret_module);
	if (!m)
		return false;
	if (ret_module)
		buf_puts(ret_module, m->path);
	if (!strcmp(m->path, "[vdso]"))
		f = vdso(s);
	else if (*m->path != '/' || !m->inode)
		return put(s, perf_map(p), address, to, ret_offset);
	else
		f = file_of(s, pid, m);
	return f && to_address(f, at, &at) && put(s, f, at, to, ret_offset);
}

void symbols_user_free(struct symbols *s)
{
	struct symbols_file *f, *next;

	forget_processes(s);
	map_each(&s->files, i, f)
		for (; f; f = next) {
			next = f->next;
			file_free(f);
		}
	map_done(&s->files);
}
