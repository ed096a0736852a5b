/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object a line.
 *
 * First what happened (the fields of fields.def, in their order), then who did it
 * (`process`, with its ancestors) and where (`container`).  Members without a value
 * are left out.  `v` is the schema's version: it changes when a member goes or
 * changes its meaning, not when one is added.
 */
#include "out/out.h"

#include "base/clock.h"
#include "base/macro.h"
#include "event/decode.h"
#include "event/escape.h"
#include "event/names.h"
#include "event/value.h"

#include <stdlib.h>
#include <time.h>

enum { FIELDS = 24, PARENTS = 16 };

struct json {
	struct sink sink;
	int fd;
	struct buf out, part;
	const struct field_desc *fields[EV_END][FIELDS]; /* NULL at the end */
	time_t second;
	char clock[32];
};

static void put_key(struct buf *out, const char *key)
{
	char last = out->n ? out->p[out->n - 1] : '{';

	if (last != '{' && last != '[')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_puts(out, "\":");
}

static void put_number(struct buf *out, const char *key, uint64_t v)
{
	put_key(out, key);
	buf_put_u64(out, v);
}

static void put_string(struct buf *out, const char *key, struct str s)
{
	if (!s.n)
		return;
	put_key(out, key);
	escape_json(out, s);
}

static void put_time(struct json *j, uint64_t real_ns)
{
	time_t second = real_ns / NS_PER_S;
	struct tm tm;

	if (second != j->second || !j->clock[0]) {
		gmtime_r(&second, &tm);
		strftime(j->clock, sizeof(j->clock), "%Y-%m-%dT%H:%M:%S", &tm);
		j->second = second;
	}
	put_key(&j->out, "time");
	buf_printf(&j->out, "\"%s.%09uZ\"", j->clock, (unsigned int)(real_ns % NS_PER_S));
}

static void put_user(struct buf *out, const struct event *e, uint32_t uid)
{
	const char *name = stream_user(e->stream, uid);

	put_number(out, "uid", uid);
	if (name)
		put_string(out, "user", str_of(name));
}

static void put_caps(struct buf *out, const char *key, uint64_t caps)
{
	put_key(out, key);
	buf_printf(out, "\"%016llx\"", (unsigned long long)caps);
}

static void put_namespaces(struct buf *out, const struct process *p)
{
	static const char *const names[NS_COUNT] = {
		[NS_MNT] = "mnt", [NS_PID] = "pid", [NS_NET] = "net",	    [NS_USER] = "user",
		[NS_UTS] = "uts", [NS_IPC] = "ipc", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
	};

	put_key(out, "ns");
	buf_putc(out, '{');
	for (int i = 0; i < NS_COUNT; i++)
		if (p->program.ns[i])
			put_number(out, names[i], p->program.ns[i]);
	buf_putc(out, '}');
}

static void put_parents(struct buf *out, const struct event *e)
{
	const struct process *p = process_parent(stream_processes(e->stream), e->process);

	if (!p)
		return;
	put_key(out, "parents");
	buf_putc(out, '[');
	for (int i = 0; p && i < PARENTS; i++) {
		if (i)
			buf_putc(out, ',');
		buf_putc(out, '{');
		put_number(out, "pid", p->pid);
		put_number(out, "start_ns", p->start_ns);
		put_string(out, p->exe ? "exe" : "comm", str_of(p->exe ? p->exe : p->comm));
		if (p->args_n && !i) {
			put_key(out, "args");
			json_args(out, p->args, p->args_n);
		}
		buf_putc(out, '}');
		p = process_parent(stream_processes(e->stream), p);
	}
	buf_putc(out, ']');
}

static void put_process(struct json *j, const struct event *e)
{
	const struct process *p = e->process;
	const struct wire_head *h = e->head;
	struct buf *out = &j->out;

	put_key(out, "process");
	buf_putc(out, '{');
	put_number(out, "pid", h->pid);
	put_number(out, "tid", h->tid);
	put_number(out, "start_ns", h->start_ns);
	put_string(out, "exe", str_of(p->exe));
	put_string(out, "comm", str_of(p->comm));
	if (p->args_n) {
		put_key(out, "args");
		json_args(out, p->args, p->args_n);
	}
	put_string(out, "cwd", str_of(p->cwd));
	put_user(out, e, h->uid);
	put_number(out, "gid", h->gid);
	if (p->has_exec) {
		if (p->program.loginuid != ~0u)
			put_number(out, "loginuid", p->program.loginuid);
		put_caps(out, "cap_effective", p->program.cred.cap_effective);
		put_caps(out, "cap_permitted", p->program.cred.cap_permitted);
		put_number(out, "ns_pid", p->ns_pid);
		put_namespaces(out, p);
		put_number(out, "inode", p->program.inode);
	}
	if (e->cgroup->path)
		put_string(out, "cgroup", str_of(e->cgroup->path));
	put_number(out, "cgroup_id", h->cgroup);
	if (p->ppid)
		put_number(out, "ppid", p->ppid);
	put_parents(out, e);
	buf_putc(out, '}');
}

static void put_labels(struct buf *out, struct str labels)
{
	if (!labels.n)
		return;
	put_key(out, "labels");
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

static void put_container(struct buf *out, const struct wire_container *c)
{
	put_key(out, "container");
	buf_putc(out, '{');
	put_string(out, "id", record_str(c, c->id));
	put_string(out, "runtime", record_str(c, c->runtime));
	put_string(out, "name", record_str(c, c->name));
	put_string(out, "image", record_str(c, c->image));
	put_labels(out, record_str(c, c->labels));
	if (c->pod_uid.len || c->pod_name.len) {
		put_key(out, "pod");
		buf_putc(out, '{');
		put_string(out, "uid", record_str(c, c->pod_uid));
		put_string(out, "name", record_str(c, c->pod_name));
		put_string(out, "namespace", record_str(c, c->pod_namespace));
		buf_putc(out, '}');
	}
	buf_putc(out, '}');
}

static void put_marks(struct buf *out, uint16_t flags)
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
			put_key(out, marks[i].name);
			buf_puts(out, "true");
		}
}

static int json_flush(struct sink *sink)
{
	struct json *j = (struct json *)sink;

	return sink_write(j->fd, &j->out);
}

static int json_event(struct sink *sink, const struct event *e)
{
	struct json *j = (struct json *)sink;
	struct buf *out = &j->out;

	buf_putc(out, '{');
	put_number(out, "v", JSON_VERSION);
	if (e->head->time_ns)
		put_time(j, e->real_ns);
	put_string(out, "event", str_of(e->desc->name));
	for (const struct field_desc **f = j->fields[e->kind]; *f; f++) {
		buf_reset(&j->part);
		if (!value_json(&j->part, e, *f))
			continue;
		put_key(out, (*f)->name);
		buf_put_str(out, buf_str(&j->part));
	}
	if (e->kind != EV_LOST) {
		put_marks(out, e->head->flags);
		put_process(j, e);
		if (e->container)
			put_container(out, e->container);
	}
	buf_puts(out, "}\n");
	return out->n >= SINK_FULL ? json_flush(sink) : 0;
}

static void json_free(struct sink *sink)
{
	struct json *j = (struct json *)sink;

	buf_done(&j->out);
	buf_done(&j->part);
	free(j);
}

struct sink *sink_json_new(int fd)
{
	struct json *j = xalloc(sizeof(*j));

	j->sink = (struct sink){json_event, json_flush, json_free};
	j->fd = fd;
	for (unsigned int k = 1; k < EV_END; k++)
		for (size_t i = 0; i < FIELDS - 1; i++) {
			j->fields[k][i] = field_of_event(k, i);
			if (!j->fields[k][i])
				break;
		}
	return &j->sink;
}
