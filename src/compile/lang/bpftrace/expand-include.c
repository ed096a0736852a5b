/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What #include leads to.
 *
 * bpftrace gives headers to a C compiler.  There is none here, and headers are seldom
 * needed: the kernel itself describes its types (BTF).  What BTF lacks are #defines, such
 * as EPERM or O_CREAT.  So there are three kinds of headers:
 *
 *  - the user's own, named with quotes or found in a folder of -I: read in full;
 *  - the system's, in /usr/include: their defines are read if the script names something in
 *    capitals that is not known otherwise; their types, for C compilers only, are not;
 *  - the kernel's and the C library's that are not installed: ignored.
 *
 * Any other that is not found is a mistake.
 */
#include "compile/lang/bpftrace/expander.h"

#include <sys/stat.h>

static const char *const system_folders[] = {
	"/usr/local/include",
	"/usr/include",
#if defined(__x86_64__)
	"/usr/include/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"/usr/include/aarch64-linux-gnu",
#endif
};

/* Folders of the kernel's headers and of the C library's. */
static const char *const known_folders[] = {
	"acpi", "arpa", "asm",	 "asm-generic", "bits",	   "block",    "crypto", "drm",
	"fs",	"ipc",	"linux", "kernel",	"kvm",	   "math-emu", "media",	 "misc",
	"mm",	"mtd",	"net",	 "net-tools",	"netinet", "pcmcia",   "ras",	 "rdma",
	"rpc",	"scsi", "sched", "soc",		"sound",   "sys",      "target", "trace",
	"uapi", "vdso", "video", "xen",
};

/* The C library's, without a folder. */
static const char *const known_files[] = {
	"assert.h", "ctype.h",	 "dirent.h", "errno.h",	 "fcntl.h",  "inttypes.h", "limits.h",
	"poll.h",   "pthread.h", "sched.h",  "signal.h", "stdarg.h", "stdbool.h",  "stddef.h",
	"stdint.h", "stdio.h",	 "stdlib.h", "string.h", "time.h",   "unistd.h",   "vmlinux.h",
};

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Beside the file that includes it, or beside the script. */
static const char *beside(struct expand *x, const char *name, struct span span)
{
	const char *by = span.end ? x->d->sources.p[span.file].name : "";
	const char *slash = strrchr(by, '/'), *path = name;

	if (*name != '/' && x->params->directory && *x->params->directory)
		path = arena_printf(x->arena, "%s/%s", x->params->directory, name);
	else if (*name != '/' && slash)
		path = arena_printf(x->arena, "%.*s/%s", (int)(slash - by), by, name);
	return exists(path) ? path : NULL;
}

static const char *inside(struct expand *x, const char *folder, const char *name)
{
	const char *path = arena_printf(x->arena, "%s/%s", folder, name);

	return exists(path) ? path : NULL;
}

static bool is_known(const char *name)
{
	const char *slash = strchr(name, '/');

	if (slash) {
		for (size_t i = 0; i < ELEMENTS(known_folders); i++)
			if (str_eq((struct str){name, (size_t)(slash - name)},
				   str_of(known_folders[i])))
				return true;
		return false;
	}
	for (size_t i = 0; i < ELEMENTS(known_files); i++)
		if (!strcmp(name, known_files[i]))
			return true;
	return false;
}

enum include include_find(struct expand *x, const char *text, struct span span,
			  const char **ret_name, const char **ret_path)
{
	char close = *text == '"' ? '"' : '>';
	const char *end = *text == '"' || *text == '<' ? strchr(text + 1, close) : NULL;
	const char *name, *path;

	*ret_name = name = end ? arena_strndup(x->arena, text + 1, (size_t)(end - text - 1)) : text;
	*ret_path = path = end && *text == '"' ? beside(x, name, span) : NULL;
	for (const char *const *f = x->params->include_folders; !path && f && *f; f++)
		*ret_path = path = inside(x, *f, name);
	if (path)
		return INCLUDE_OWN;
	for (size_t i = 0; end && i < ELEMENTS(system_folders); i++) {
		*ret_path = inside(x, system_folders[i], name);
		if (*ret_path)
			return INCLUDE_SYSTEM;
	}
	return end && is_known(name) ? INCLUDE_KERNEL : INCLUDE_MISSING;
}
