/* SPDX-License-Identifier: Apache-2.0 */
#include "out/json-part.h"

#include "base/clock.h"
#include "base/macro.h"
#include "event/decode.h"
#include "event/escape.h"
#include "event/value.h"

#include <time.h>

enum { PARENTS = 16 };

void json_add_key(struct buf *out, const char *key)
{
	char last = out->n ? out->p[out->n - 1] : '{';

	if (last != '{' && last != '[')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_puts(out, "\":");
}

void json_add_number(struct buf *out, const char *key, uint64_t v)
{
	json_add_key(out, key);
	buf_put_u64(out, v);
}

void json_add_string(struct buf *out, const char *key, struct str s)
{
	if (!s.n)
		return;
	json_add_key(out, key);
	escape_json(out, s);
}

void json_add_time(struct buf *out, uint64_t real_ns)
{
	time_t second = real_ns / NS_PER_S;
	struct tm tm;

	gmtime_r(&second, &tm);
	json_add_key(out, "time");
	buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%09uZ\"", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (unsigned int)(real_ns % NS_PER_S));
}

static void put_user(struct buf *out, const struct event *e, uint32_t uid)
{
	const char *name = stream_user(e->stream, uid);

	json_add_number(out, "uid", uid);
	if (name)
		json_add_string(out, "user", str_of(name));
}

static void put_caps(struct buf *out, const char *key, uint64_t caps)
{
	json_add_key(out, key);
	buf_printf(out, "\"%016llx\"", (unsigned long long)caps);
}

static void put_namespaces(struct buf *out, const struct process *p)
{
	static const char *const names[NS_COUNT] = {
		[NS_MNT] = "mnt", [NS_PID] = "pid", [NS_NET] = "net",	    [NS_USER] = "user",
		[NS_UTS] = "uts", [NS_IPC] = "ipc", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
	};

	json_add_key(out, "ns");
	buf_putc(out, '{');
	for (int i = 0; i < NS_COUNT; i++)
		if (p->program.ns[i])
			json_add_number(out, names[i], p->program.ns[i]);
	buf_putc(out, '}');
}

static void put_parents(struct buf *out, const struct event *e)
{
	const struct process *p = process_parent(stream_processes(e->stream), e->process);

	if (!p)
		return;
	json_add_key(out, "parents");
	buf_putc(out, '[');
	for (int i = 0; p && i < PARENTS; i++) {
		if (i)
			buf_putc(out, ',');
		buf_putc(out, '{');
		json_add_number(out, "pid", p->pid);
		json_add_number(out, "start_ns", p->start_ns);
		json_add_string(out, p->exe ? "exe" : "comm", str_of(p->exe ? p->exe : p->comm));
		if (p->args_n && !i) {
			json_add_key(out, "args");
			json_args(out, p->args, p->args_n);
		}
		buf_putc(out, '}');
		p = process_parent(stream_processes(e->stream), p);
	}
	buf_putc(out, ']');
}

void json_add_process(struct buf *out, const struct event *e)
{
	const struct process *p = e->process;
	const struct wire_head *h = e->head;

	json_add_key(out, "process");
	buf_putc(out, '{');
	json_add_number(out, "pid", h->pid);
	json_add_number(out, "tid", h->tid);
	json_add_number(out, "start_ns", h->start_ns);
	json_add_string(out, "exe", str_of(p->exe));
	json_add_string(out, "comm", str_of(p->comm));
	if (p->args_n) {
		json_add_key(out, "args");
		json_args(out, p->args, p->args_n);
	}
	json_add_string(out, "cwd", str_of(p->cwd));
	put_user(out, e, h->uid);
	json_add_number(out, "gid", h->gid);
	if (p->has_exec) {
		if (p->program.loginuid != ~0u)
			json_add_number(out, "loginuid", p->program.loginuid);
		put_caps(out, "cap_effective", p->program.cred.cap_effective);
		put_caps(out, "cap_permitted", p->program.cred.cap_permitted);
		json_add_number(out, "ns_pid", p->ns_pid);
		put_namespaces(out, p);
		json_add_number(out, "inode", p->program.inode);
	}
	if (e->cgroup->path)
		json_add_string(out, "cgroup", str_of(e->cgroup->path));
	json_add_number(out, "cgroup_id", h->cgroup);
	if (p->ppid)
		json_add_number(out, "ppid", p->ppid);
	put_parents(out, e);
	buf_putc(out, '}');
}

static void put_labels(struct buf *out, struct str labels)
{
	if (!labels.n)
		return;
	json_add_key(out, "labels");
	buf_putc(out, '{');
	while (labels.n) {
		struct str pair[2];

		for (int i = 0; i < 2; i++) {
			pair[i] = (struct str){labels.p, strnlen(labels.p, labels.n)};
			labels.p += MIN(pair[i].n + 1, labels.n);
			labels.n -= MIN(pair[i].n + 1, labels.n);
		}
		if (out->p[out->n - 1] != '{')
			buf_putc(out, ',');
		escape_json(out, pair[0]);
		buf_putc(out, ':');
		escape_json(out, pair[1]);
	}
	buf_putc(out, '}');
}

void json_add_container(struct buf *out, const struct wire_container *c)
{
	json_add_key(out, "container");
	buf_putc(out, '{');
	json_add_string(out, "id", record_str(c, c->id));
	json_add_string(out, "runtime", record_str(c, c->runtime));
	json_add_string(out, "name", record_str(c, c->name));
	json_add_string(out, "image", record_str(c, c->image));
	put_labels(out, record_str(c, c->labels));
	if (c->pod_uid.len || c->pod_name.len) {
		json_add_key(out, "pod");
		buf_putc(out, '{');
		json_add_string(out, "uid", record_str(c, c->pod_uid));
		json_add_string(out, "name", record_str(c, c->pod_name));
		json_add_string(out, "namespace", record_str(c, c->pod_namespace));
		buf_putc(out, '}');
	}
	buf_putc(out, '}');
}

void json_add_marks(struct buf *out, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} marks[] = {
		{WIRE_F_URING, "io_uring"},
		{WIRE_F_COMPAT, "ia32"},
		{WIRE_F_CUT, "cut"},
		{WIRE_F_UNREAD, "unread"},
		{WIRE_F_INHERITED, "inherited"},
		{WIRE_F_SEEDED, "older"},
		{WIRE_F_LEXICAL, "lexical"},
	};

	for (size_t i = 0; i < ELEMENTS(marks); i++)
		if (flags & marks[i].bit) {
			json_add_key(out, marks[i].name);
			buf_puts(out, "true");
		}
}

void json_add_fields(struct buf *out, const struct event *e)
{
	const struct field_desc *f;
	struct buf part = {0};

	for (size_t i = 0; (f = field_of_event(e->kind, i)); i++) {
		buf_reset(&part);
		if (!value_json(&part, e, f))
			continue;
		json_add_key(out, f->name);
		buf_put_str(out, buf_str(&part));
	}
	buf_done(&part);
}
