/* SPDX-License-Identifier: Apache-2.0 */
#include "world-fake.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct fake {
	struct world world;
	uint64_t without;
	void *blob;
	size_t blob_n;
	struct btf_view btf;
	bool has_btf;
	struct arena arena;
};

struct tracepoint {
	const char *name;
	const struct world_field *fields;
};

static const struct world_field enter_openat[] = {
	{"int", "__syscall_nr", 8, 4, true, false, false},
	{"int", "dfd", 16, 8, false, false, false},
	{"const char *", "filename", 24, 8, false, false, false},
	{"int", "flags", 32, 8, false, false, false},
	{"umode_t", "mode", 40, 8, false, false, false},
	{0},
};
static const struct world_field sys_exit[] = {
	{"int", "__syscall_nr", 8, 4, true, false, false},
	{"long", "ret", 16, 8, true, false, false},
	{0},
};
static const struct world_field sys_read[] = {
	{"int", "__syscall_nr", 8, 4, true, false, false},
	{"unsigned int", "fd", 16, 8, false, false, false},
	{"char *", "buf", 24, 8, false, false, false},
	{"size_t", "count", 32, 8, false, false, false},
	{0},
};
static const struct world_field raw_enter[] = {
	{"long", "id", 8, 8, true, false, false},
	{"unsigned long[6]", "args", 16, 48, false, false, false},
	{0},
};
static const struct world_field sched_switch[] = {
	{"char[16]", "prev_comm", 8, 16, false, false, false},
	{"pid_t", "prev_pid", 24, 4, true, false, false},
	{"int", "prev_prio", 28, 4, true, false, false},
	{"long", "prev_state", 32, 8, true, false, false},
	{"char[16]", "next_comm", 40, 16, false, false, false},
	{"pid_t", "next_pid", 56, 4, true, false, false},
	{"int", "next_prio", 60, 4, true, false, false},
	{0},
};
static const struct world_field sched_wakeup[] = {
	{"char[16]", "comm", 8, 16, false, false, false},
	{"pid_t", "pid", 24, 4, true, false, false},
	{"int", "prio", 28, 4, true, false, false},
	{"int", "target_cpu", 32, 4, true, false, false},
	{0},
};
static const struct world_field exec[] = {
	{"__data_loc char[]", "filename", 8, 4, false, true, false},
	{"pid_t", "pid", 12, 4, true, false, false},
	{"pid_t", "old_pid", 16, 4, true, false, false},
	{0},
};
static const struct world_field one[] = {
	{"unsigned long", "common_field", 8, 8, false, false, false},
	{0},
};

static const struct tracepoint tracepoints[] = {
	{"btf:tag", one},
	{"category:event", one},
	{"file:filename", one},
	{"notsched:bar", one},
	{"raw_syscalls:sys_enter", raw_enter},
	{"sched:sched_one", one},
	{"sched:sched_process_exec", exec},
	{"sched:sched_switch", sched_switch},
	{"sched:sched_two", one},
	{"sched:sched_wakeup", sched_wakeup},
	{"sched:sched_wakeup_new", sched_wakeup},
	{"sched_extra:sched_extra", one},
	{"syscalls:sys_enter_openat", enter_openat},
	{"syscalls:sys_enter_read", sys_read},
	{"syscalls:sys_exit_openat", sys_exit},
	{"syscalls:sys_exit_read", sys_exit},
	{"tcp:some_tcp_tp", one},
	{"vmlinux:event_rt", one},
};

static const char *const functions[] = {
	"vmlinux:f",
	"vmlinux:func_1",
	"vmlinux:func_2",
	"vmlinux:func_3",
	"vmlinux:func_anon_struct",
	"vmlinux:func_array_with_compound_data",
	"vmlinux:func_arrays",
	"vmlinux:main",
	"vmlinux:sys_read",
	"vmlinux:sys_write",
	"vmlinux:tcp_connect",
	"vmlinux:tcp_shutdown",
	"vmlinux:vfs_read",
	"vmlinux:vfs_write",
	"vmlinux:queued_spin_lock_slowpath",
	"kernel_mod_1:mod_func_1",
	"kernel_mod_1:mod_func_2",
	"kernel_mod_2:mod_func_1",
};

static const struct world_symbol sh_symbols[] = {
	{"_Z11cpp_mangledi", "cpp_mangled(int)", 0x1100, 0x401100, 16},
	{"_Z11cpp_mangledv", "cpp_mangled()", 0x1200, 0x401200, 16},
	{"_Z18cpp_mangled_suffixv", "cpp_mangled_suffix()", 0x1300, 0x401300, 16},
	{"cpp_mangled", NULL, 0x1400, 0x401400, 16},
	{"f", NULL, 0x1500, 0x401500, 16},
	{"first_open", NULL, 0x1600, 0x401600, 16},
	{"main", NULL, 0x1700, 0x401700, 16},
	{"readline", NULL, 0x1800, 0x401800, 16},
	{"second_open", NULL, 0x1900, 0x401900, 16},
};

static const struct world_usdt sh_usdts[] = {
	{"nahprov", "tp", "8@%rdi", 0x2100, 0},
	{"prov1", "tp1", "-4@%edi 8@%rsi", 0x2200, 0},
	{"prov1", "tp2", "8@-8(%rbp)", 0x2300, 0x3000},
	{"prov2", "notatp", "", 0x2400, 0},
	{"prov2", "tp", "4@$5", 0x2500, 0},
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct fake *fake_of(struct world *w)
{
	return (struct fake *)w;
}

static bool fake_has(struct world *w, enum world_feature f)
{
	return f != WORLD_EMBEDDED && !(fake_of(w)->without >> f & 1);
}

static const struct btf_view *fake_btf(struct world *w)
{
	struct fake *f = fake_of(w);

	return f->has_btf ? &f->btf : NULL;
}

static const struct btf_view *fake_module_btf(struct world *w, const char *module)
{
	return !strcmp(module, "vmlinux") ? fake_btf(w) : NULL;
}

static void fake_tracepoints(struct world *w, const char *group, const char *event,
			     world_name_fn fn, void *ctx)
{
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "%s:%s", group, event);
	for (size_t i = 0; i < COUNT(tracepoints); i++)
		if (!fnmatch(pattern, tracepoints[i].name, 0))
			fn(ctx, tracepoints[i].name);
}

static int fake_tracepoint_fields(struct world *w, const char *group, const char *event,
				  const struct world_field **ret, unsigned int *ret_n)
{
	char name[512];

	snprintf(name, sizeof(name), "%s:%s", group, event);
	for (size_t i = 0; i < COUNT(tracepoints); i++) {
		unsigned int n = 0;

		if (strcmp(name, tracepoints[i].name))
			continue;
		while (tracepoints[i].fields[n].name)
			n++;
		*ret = tracepoints[i].fields;
		*ret_n = n;
		return 0;
	}
	return -ENOENT;
}

static void fake_functions(struct world *w, const char *module, const char *glob, world_name_fn fn,
			   void *ctx)
{
	char pattern[512];

	snprintf(pattern, sizeof(pattern), "%s:%s", module && *module ? module : "*", glob);
	for (size_t i = 0; i < COUNT(functions); i++)
		if (!fnmatch(pattern, functions[i], 0))
			fn(ctx, functions[i]);
}

static uint64_t fake_kernel_address(struct world *w, const char *name)
{
	return !strcmp(name, "vfs_read") ? 0xffffffff81234560 : 0;
}

static const char *fake_binary(struct world *w, const char *named, int pid)
{
	static const char *const known[][2] = {
		{"/bin/sh", "/bin/sh"},
		{"sh", "/bin/sh"},
		{"/bin/bash", "/bin/bash"},
		{"bash", "/bin/bash"},
		{"libc", "/lib/libc.so.6"},
		{"libc.so.6", "/lib/libc.so.6"},
		{"/lib/libc.so.6", "/lib/libc.so.6"},
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(named, known[i][0]))
			return known[i][1];
	/* programs that a test made */
	if (*named == '/' && strchr(named + 1, '/') && !access(named, R_OK))
		return arena_strdup(&fake_of(w)->arena, named);
	return NULL;
}

static int fake_symbols(struct world *w, const char *binary, const char *glob, bool is_function,
			const struct world_symbol **ret, unsigned int *ret_n)
{
	struct world_symbol *found =
		arena_array(&fake_of(w)->arena, struct world_symbol, COUNT(sh_symbols));
	unsigned int n = 0;

	if (strncmp(binary, "/bin/", 5))
		return -ENOEXEC;
	for (size_t i = 0; i < COUNT(sh_symbols); i++)
		if (!fnmatch(glob, sh_symbols[i].name, 0) ||
		    (sh_symbols[i].demangled && !fnmatch(glob, sh_symbols[i].demangled, 0)))
			found[n++] = sh_symbols[i];
	*ret = found;
	*ret_n = n;
	return 0;
}

static int fake_usdts(struct world *w, const char *binary, const char *provider, const char *name,
		      const struct world_usdt **ret, unsigned int *ret_n)
{
	struct world_usdt *found =
		arena_array(&fake_of(w)->arena, struct world_usdt, COUNT(sh_usdts));
	unsigned int n = 0;

	if (strcmp(binary, "/bin/sh"))
		return -ENOEXEC;
	for (size_t i = 0; i < COUNT(sh_usdts); i++)
		if (!fnmatch(provider && *provider ? provider : "*", sh_usdts[i].provider, 0) &&
		    !fnmatch(name, sh_usdts[i].name, 0))
			found[n++] = sh_usdts[i];
	*ret = found;
	*ret_n = n;
	return 0;
}

static void fake_mapped(struct world *w, int pid, world_name_fn fn, void *ctx)
{
	fn(ctx, "/bin/bash");
	fn(ctx, "/bin/sh");
}

static int fake_syscall_number(struct world *w, const char *name)
{
	return !strcmp(name, "read") ? 0 : !strcmp(name, "openat") ? 257 : -1;
}

static unsigned int fake_cpus(struct world *w)
{
	return 2;
}

static const struct world_ops fake_ops = {
	.has = fake_has,
	.btf = fake_btf,
	.module_btf = fake_module_btf,
	.tracepoints = fake_tracepoints,
	.tracepoint_fields = fake_tracepoint_fields,
	.functions = fake_functions,
	.kernel_address = fake_kernel_address,
	.binary = fake_binary,
	.symbols = fake_symbols,
	.usdts = fake_usdts,
	.mapped = fake_mapped,
	.syscall_number = fake_syscall_number,
	.cpus = fake_cpus,
};

/* Read, not mapped: sysfs of older kernels cannot be mapped. */
static void fake_read_btf(struct fake *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t r;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		goto out;
	f->blob = malloc((size_t)st.st_size);
	while (f->blob_n < (size_t)st.st_size) {
		r = read(fd, (char *)f->blob + f->blob_n, (size_t)st.st_size - f->blob_n);
		if (r <= 0)
			goto out;
		f->blob_n += (size_t)r;
	}
	f->has_btf = btf_view_init(&f->btf, f->blob, f->blob_n) == 0;
out:
	if (fd >= 0)
		close(fd);
}

struct world *world_fake_new_btf(uint64_t without, const char *path)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->world.ops = &fake_ops;
	f->without = without;
	if (path)
		fake_read_btf(f, path);
	return &f->world;
}

struct world *world_fake_new_blob(uint64_t without, const void *blob, size_t n)
{
	struct fake *f = (struct fake *)world_fake_new_btf(without, NULL);

	f->blob = memcpy(malloc(n), blob, n);
	f->blob_n = n;
	f->has_btf = btf_view_init(&f->btf, f->blob, n) == 0;
	return &f->world;
}

struct world *world_fake_new(uint64_t without)
{
	const char *path = getenv("BTF");

	return world_fake_new_btf(without, path ? path : "/sys/kernel/btf/vmlinux");
}

bool world_fake_has_btf(struct world *w)
{
	return fake_of(w)->has_btf;
}

void world_fake_forget(struct world *w)
{
	arena_done(&fake_of(w)->arena);
}

void world_fake_free(struct world *w)
{
	struct fake *f = fake_of(w);

	if (f->has_btf)
		btf_view_done(&f->btf);
	free(f->blob);
	arena_done(&f->arena);
	free(f);
}
