/* SPDX-License-Identifier: Apache-2.0 */
/* Records put together, and what /proc says of the task that they are about. */
#include "runtime/vm/hook/watch-internal.h"

#include "base/clock.h"
#include "base/macro.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, ANNEX_ROOM = 256 };
_Static_assert(sizeof(struct wire_annex) + 7 <= ANNEX_ROOM, "it fits behind the strings");

size_t watch_read(pid_t tid, const char *name, char *to, size_t room)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, to, room - 1);
	to[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

uint64_t watch_number(const char *text, const char *name, int base)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

/* Of the process: field 22 of stat, in ticks since the start of the machine. */
static uint64_t read_start(const struct watch_vm *w, pid_t pid)
{
	char text[TEXT_MAX], *at;
	unsigned long long ticks = 0;

	if (!watch_read(pid, "stat", text, sizeof(text)) || !(at = strrchr(text, ')')))
		return 0;
	sscanf(at,
	       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	       &ticks);
	return ticks * w->tick_ns;
}

/* As exact as can be: a process that we saw being made began now, in this tick. */
static uint64_t sharpen(const struct watch_vm *w, uint64_t start_ns)
{
	uint64_t now = clock_boot_ns();

	if (now < start_ns || now - start_ns >= 2 * w->tick_ns)
		return start_ns;
	return MIN(now, start_ns + w->tick_ns - 1);
}

static uint64_t read_cgroup(const struct watch_vm *w, pid_t tid)
{
	char text[TEXT_MAX], path[TEXT_MAX + 256], *at;
	struct stat st;

	if (!w->cgroup_mount[0] || !watch_read(tid, "cgroup", text, sizeof(text)))
		return 0;
	at = strstr(text, "0::");
	if (!at)
		return 0;
	at[strcspn(at, "\n")] = 0;
	snprintf(path, sizeof(path), "%s%s", w->cgroup_mount, at + 3);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

struct watch_task *watch_task(struct watch_vm *w, struct tracer_task *t)
{
	struct tracer_task *leader = t->tid == t->pid ? NULL : tracer_task(w->tracer, t->pid);
	struct watch_task *x = t->data;
	char text[TEXT_MAX];

	if (!x)
		t->data = x = xalloc(sizeof(*x));
	if (x->is_known || !watch_read(t->tid, "status", text, sizeof(text)))
		return x;
	x->is_known = true;
	x->uid = (uint32_t)watch_number(text, "\nUid:", 10);
	x->gid = (uint32_t)watch_number(text, "\nGid:", 10);
	if (leader && leader != t && leader->data)
		x->start_ns = ((struct watch_task *)leader->data)->start_ns;
	if (!x->start_ns)
		x->start_ns = sharpen(w, read_start(w, t->pid));
	x->cgroup = read_cgroup(w, t->tid);
	return x;
}

void watch_begin(struct watch_vm *w, struct tracer_task *t, unsigned int kind, size_t n)
{
	const struct watch_task *x = watch_task(w, t);
	struct wire_head *h = &w->record.head;

	memset(&w->record, 0, n);
	w->record.used = n;
	w->of = t;
	w->annex = (struct wire_annex){0};
	h->kind = (uint16_t)kind;
	h->time_ns = clock_boot_ns();
	h->start_ns = x->start_ns;
	h->cgroup = x->cgroup;
	h->pid = (uint32_t)t->pid;
	h->tid = (uint32_t)t->tid;
	h->uid = x->uid;
	h->gid = x->gid;
	h->cpu = tracer_cpu(w->tracer) >= 0 ? (uint32_t)tracer_cpu(w->tracer) : 0;
	tracer_comm(w->tracer, t, h->comm);
}

struct wire_str watch_put(struct watch_vm *w, const char *p, size_t n)
{
	struct record *r = &w->record;
	struct wire_str s = {.off = (uint16_t)r->used, .len = (uint16_t)n};

	if (r->used + n + 1 > sizeof(r->bytes) - ANNEX_ROOM) {
		r->head.flags |= WIRE_F_CUT;
		return (struct wire_str){0};
	}
	memcpy(r->bytes + r->used, p, n);
	r->bytes[r->used + n] = 0;
	r->used += n + 1;
	return s;
}

struct wire_str watch_put_user(struct watch_vm *w, struct tracer_task *t, uint64_t at, size_t max)
{
	char text[WIRE_PATH_MAX];
	size_t have = 0;

	if (!at)
		return (struct wire_str){0};
	max = MIN(max, sizeof(text));
	while (have < max) {
		/* never over the end of a page that the text may not reach */
		size_t piece = MIN(256 - (at + have) % 256, max - have);
		const char *end;

		if (tracer_read(w->tracer, t, text + have, at + have, piece) < 0)
			break;
		end = memchr(text + have, 0, piece);
		if (end)
			return watch_put(w, text, (size_t)(end - text));
		have += piece;
	}
	w->record.head.flags |= have == max ? WIRE_F_CUT : WIRE_F_UNREAD;
	return have == max ? watch_put(w, text, max - 1) : (struct wire_str){0};
}

/* The kernel writes " (deleted)" behind what has no name any more; a bit says that. */
static size_t without_mark(const char *text, size_t n)
{
	static const char mark[] = " (deleted)";
	size_t m = sizeof(mark) - 1;

	return n > m && !memcmp(text + n - m, mark, m) ? n - m : n;
}

struct wire_str watch_put_link(struct watch_vm *w, struct tracer_task *t, const char *name)
{
	char path[64], text[WIRE_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", t->tid, name);
	n = readlink(path, text, sizeof(text) - 1);
	if (n <= 0)
		return (struct wire_str){0};
	/* "/memfd:name": it is on no file system that has a root */
	if (n > 7 && !memcmp(text, "/memfd:", 7))
		return watch_put(w, text + 1, without_mark(text, (size_t)n) - 1);
	return watch_put(w, text, without_mark(text, (size_t)n));
}

bool watch_facts(struct tracer_task *t, const char *name, struct watch_facts *ret)
{
	char path[64], text[64];
	struct stat st;
	struct statfs fs;
	ssize_t n;

	*ret = (struct watch_facts){0};
	snprintf(path, sizeof(path), "/proc/%d/%s", t->tid, name);
	if (stat(path, &st) < 0)
		return false;
	ret->inode = st.st_ino;
	ret->dev = (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev));
	ret->nlink = (uint32_t)st.st_nlink;
	ret->mode = st.st_mode;
	if (!st.st_nlink)
		ret->bits |= WIRE_FILE_DELETED;
	if (st.st_mode & (S_ISUID | S_ISGID))
		ret->bits |= WIRE_FILE_SETID;
	if (statfs(path, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == HUGETLBFS_MAGIC)) {
		n = readlink(path, text, sizeof(text));
		ret->bits |=
			n >= 7 && !memcmp(text, "/memfd:", 7) ? WIRE_FILE_MEMFD : WIRE_FILE_TMPFS;
	}
	return true;
}

bool watch_wants(const struct watch_vm *w, unsigned int kind)
{
	/* who is who must be known, whether it is shown or not */
	return kind <= EV_FORK || (w->config.events >> kind & 1);
}

/* A glob over a thread's name: *, ? and [a-z], as in a shell. */
static bool matches(const char *glob, const char *s)
{
	for (; *glob; glob++, s++) {
		const char *at = glob + 1;
		bool is_not, is_in = false;

		if (*glob == '*') {
			for (; *s; s++)
				if (matches(glob + 1, s))
					return true;
			return matches(glob + 1, s);
		}
		if (!*s)
			return false;
		if (*glob == '?')
			continue;
		if (*glob != '[') {
			at = *glob == '\\' && *at ? ++glob : glob;
			if (*at != *s)
				return false;
			continue;
		}
		is_not = *at == '!' || *at == '^';
		at += is_not;
		do {
			bool is_range = at[0] && at[1] == '-' && at[2] && at[2] != ']';

			is_in |= is_range ? *s >= at[0] && *s <= at[2] : *s == at[0];
			at += is_range ? 3 : 1;
		} while (*at && *at != ']');
		if (is_in == is_not || !*at)
			return false;
		glob = at;
	}
	return !*s;
}

static bool in_scope(const struct watch_vm *w)
{
	const struct wire_head *h = &w->record.head;
	char comm[WIRE_COMM + 1] = "";

	if (w->config.by_user && h->uid != w->config.uid)
		return false;
	memcpy(comm, h->comm, WIRE_COMM);
	return !w->comm[0] || matches(w->comm, comm);
}

void watch_send(struct watch_vm *w)
{
	struct wire_head *h = &w->record.head;

	if (!watch_wants(w, h->kind) || !in_scope(w) || w->is_stopped || !w->fn)
		return;
	if (h->ret < 0 && w->config.no_failed)
		return;
	if (w->config.rules)
		watch_annex(w);
	h->size = (uint32_t)w->record.used;
	w->count.sent[h->kind & 63]++;
	if (w->refused >= 0)
		w->refused = w->fn(w->ctx, &w->record, w->record.used);
	if (w->refused < 0)
		tracer_interrupt(w->tracer);
}
