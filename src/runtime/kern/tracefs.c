/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/tracefs.h"

#include "base/macro.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers of linux/mount.h, 5.2; glibc got wrappers only in 2.36. */
enum { FSOPEN_CLOEXEC_ = 1, FSCONFIG_CMD_CREATE_ = 6, FSMOUNT_CLOEXEC_ = 1 };
enum { FILE_MAX = 64 << 20, PART_MIN = 4096, PART_MAX = 65536, NAMES_MAX = 100000 };

static int open_unmounted(void)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC_);
	int root;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE_, NULL, NULL, 0) < 0)
		return -ENOENT;
	root = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC_, 0);
	return root < 0 ? -ENOENT : root;
}

int tracefs_open(struct tracefs *t)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

	for (size_t i = 0; t->root < 0 && i < ELEMENTS(places); i++) {
		int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && !faccessat(fd, "events", X_OK, 0))
			t->root = fd;
		else if (fd >= 0)
			close(fd);
	}
	if (t->root < 0)
		t->root = open_unmounted();
	if (t->root >= 0)
		return 0;
	t->root = -1;
	return -ENOENT;
}

void tracefs_close(struct tracefs *t)
{
	if (t->root >= 0)
		close(t->root);
	t->root = -1;
}

int tracefs_read(struct tracefs *t, const char *path, struct buf *to)
{
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int r = tracefs_open(t);

	if (r < 0)
		return r;
	fd = openat(t->root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		size_t part = MIN(MAX(to->n, (size_t)PART_MIN), (size_t)PART_MAX);

		buf_reserve(to, part);
		n = read(fd, to->p + to->n, part);
		if (n < 0)
			return -errno;
		to->n += (size_t)n;
		to->p[to->n] = 0;
	} while (n && to->n < FILE_MAX);
	return 0;
}

int tracefs_file(struct tracefs *t, const char *path, int flags)
{
	int r = tracefs_open(t);

	if (r < 0)
		return r;
	r = openat(t->root, path, flags | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* Names with / or .. would lead out of the folder. */
static int event_path(char *path, size_t n, const char *group, const char *event, const char *file)
{
	if (strchr(group, '/') || strchr(event, '/') || group[0] == '.' || event[0] == '.')
		return -ENOENT;
	return snprintf(path, n, "events/%s/%s/%s", group, event, file) >= (int)n ? -ENOENT : 0;
}

int tracefs_event_id(struct tracefs *t, const char *group, const char *event)
{
	_cleanup_buf_ struct buf text = {0};
	char path[512];
	int r = event_path(path, sizeof(path), group, event, "id");

	if (!r)
		r = tracefs_read(t, path, &text);
	return r < 0 ? r : atoi(text.p);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool tracefs_has_event(struct tracefs *t, const char *group, const char *event)
{
	char path[512];

	return !event_path(path, sizeof(path), group, event, "id") && tracefs_open(t) >= 0 &&
	       !faccessat(t->root, path, R_OK, 0);
}

int tracefs_list(struct tracefs *t, const char *group, struct arena *a, const char ***ret,
		 unsigned int *ret_n)
{
	ARRAY(const char *) names = {0};
	char path[300];
	struct dirent *e;
	DIR *dir;
	int r = tracefs_open(t), fd;

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "events%s%.200s", group ? "/" : "", group ? group : "");
	fd = openat(t->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	while ((e = readdir(dir)) && names.n < NAMES_MAX)
		if (e->d_name[0] != '.' && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
			array_push(a, &names, arena_strdup(a, e->d_name));
	closedir(dir);
	if (names.n)
		qsort(names.p, names.n, sizeof(*names.p), by_name);
	*ret = names.p;
	*ret_n = (unsigned int)names.n;
	return 0;
}

/* --- format files */

/* Behind "word" in the line, up to ';'; {NULL, 0}: it is not there. */
static struct str part(struct str line, const char *word)
{
	const char *at = memmem(line.p, line.n, word, strlen(word)), *end;

	if (!at)
		return (struct str){NULL, 0};
	at += strlen(word);
	end = memchr(at, ';', (size_t)(line.p + line.n - at));
	return end ? (struct str){at, (size_t)(end - at)} : (struct str){NULL, 0};
}

static bool number(struct str s, uint32_t *ret)
{
	uint64_t v = 0;

	if (!s.n || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*ret = (uint32_t)v;
	return true;
}

/* "char comm[16]" → "char[16]", "comm"; "int (*fn)(void)" stays as it can. */
static bool declaration(struct str d, struct arena *a, struct tracefs_field *f)
{
	const char *end = d.p + d.n, *bracket, *name_end, *name;
	size_t type_n, array_n;

	while (d.n && isspace((unsigned char)d.p[0]))
		d.p++, d.n--;
	/* the array part is at the end: "__data_loc char[] name" has none there */
	bracket = d.n && end[-1] == ']' ? memrchr(d.p, '[', d.n) : NULL;
	while (bracket && bracket > d.p && bracket[-1] == ']') {
		const char *outer = memrchr(d.p, '[', (size_t)(bracket - d.p));

		if (!outer)
			break;
		bracket = outer;
	}
	name_end = bracket ? bracket : end;
	name = name_end;
	while (name > d.p && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
		name--;
	if (name == name_end || name == d.p)
		return false;
	array_n = (size_t)(end - name_end);
	type_n = (size_t)(name - d.p);
	while (type_n && isspace((unsigned char)d.p[type_n - 1]))
		type_n--;
	f->name = arena_strndup(a, name, (size_t)(name_end - name));
	f->type = arena_printf(a, "%.*s%.*s", (int)type_n, d.p, (int)array_n, name_end);
	f->is_data_loc = !strncmp(f->type, "__data_loc ", 11);
	f->is_rel_loc = !strncmp(f->type, "__rel_loc ", 10);
	return true;
}

static bool field(struct str line, struct arena *a, struct tracefs_field *f)
{
	uint32_t is_signed;

	*f = (struct tracefs_field){0};
	if (!declaration(part(line, "field:"), a, f) ||
	    !number(part(line, "offset:"), &f->offset) || !number(part(line, "size:"), &f->size) ||
	    !number(part(line, "signed:"), &is_signed))
		return false;
	f->is_signed = is_signed;
	return true;
}

int tracefs_format_parse(struct str text, struct arena *a, struct tracefs_format *ret)
{
	const char *p = text.p, *end = text.p + text.n;
	bool has_id = false;

	*ret = (struct tracefs_format){0};
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct str line = {p, (size_t)((newline ? newline : end) - p)};
		struct tracefs_field f;

		p = newline ? newline + 1 : end;
		if (str_starts(line, STR("ID: "))) {
			has_id |= number((struct str){line.p + 4, line.n - 4}, &ret->id);
		} else if (str_starts(line, STR("print fmt:"))) {
			break;
		} else if (str_starts(line, STR("\tfield:"))) {
			if (!field(line, a, &f))
				return -EBADMSG;
			if (strncmp(f.name, "common_", 7))
				array_push(a, &ret->fields, f);
		}
	}
	return has_id ? 0 : -EBADMSG;
}

int tracefs_format_read(struct tracefs *t, const char *group, const char *event, struct arena *a,
			struct tracefs_format *ret)
{
	_cleanup_buf_ struct buf text = {0};
	char path[512];
	int r = event_path(path, sizeof(path), group, event, "format");

	if (!r)
		r = tracefs_read(t, path, &text);
	return r < 0 ? r : tracefs_format_parse(buf_str(&text), a, ret);
}
