/* SPDX-License-Identifier: Apache-2.0 */
#include "event/stream.h"

#include "base/macro.h"
#include "event/decode.h"
#include "event/ident/users.h"
#include "event/record.h"
#include "event/redact.h"
#include "event/resolve.h"

#include <errno.h>
#include <stdlib.h>

enum {
	CPUS = 4096,	   /* cpus whose losses are told apart */
	ANCESTORS = 64,	   /* how far back somebody is asked about parents */
	NAME_RETRIES = 50, /* how often a container and its name are asked for again */
};

struct stream {
	struct stream_config config;
	struct processes processes;
	struct cgroups cgroups;
	struct map users;    /* uid + 1 → struct wire_user, owned */
	struct users groups; /* /etc/group: its lines begin as those of /etc/passwd do */
	struct stream_totals totals;
	uint32_t lost_by_cpu[CPUS];
	uint64_t last_ns;  /* the newest event's time */
	struct buf answer; /* what a resolver said */
	struct buf masked; /* a record with its secrets masked */
	struct buf raw;	   /* arguments before they were masked */
};

struct stream *stream_new(const struct stream_config *config)
{
	struct stream *s = xalloc(sizeof(*s));

	s->config = *config;
	if (config->on_event && config->resolver)
		users_load(&s->groups, "/etc/group"); /* without it they stay numbers */
	return s;
}

void stream_free(struct stream *s)
{
	void *user;

	if (!s)
		return;
	processes_done(&s->processes);
	cgroups_done(&s->cgroups);
	map_each(&s->users, i, user)
		free(user);
	map_done(&s->users);
	users_done(&s->groups);
	buf_done(&s->answer);
	buf_done(&s->masked);
	buf_done(&s->raw);
	free(s);
}

const struct processes *stream_processes(const struct stream *s)
{
	return &s->processes;
}

const char *stream_user(const struct stream *s, uint32_t uid)
{
	const struct wire_user *u = map_get(&s->users, (uint64_t)uid + 1);

	return u && u->name.off ? record_str(u, u->name).p : NULL;
}

const char *stream_group(const struct stream *s, uint32_t gid)
{
	return users_name(&s->groups, gid);
}

void stream_totals(const struct stream *s, struct stream_totals *ret)
{
	*ret = s->totals;
}

static int keep(struct stream *s, const void *record, size_t n)
{
	return s->config.recorder ? recorder_put(s->config.recorder, record, n) : 0;
}

static void on_user(struct stream *s, const struct wire_user *rec)
{
	struct wire_user *copy = xalloc(rec->head.size + 1);

	memcpy(copy, rec, rec->head.size);
	if (copy->name.off)
		((char *)copy)[copy->name.off + copy->name.len] = 0;
	free(map_put(&s->users, (uint64_t)rec->head.uid + 1, copy));
}

/* Identity: learnt, recorded, not shown.  Returns false if the record is an event. */
static bool learn(struct stream *s, const struct wire_head *h)
{
	switch (h->kind) {
	case WIRE_PROC:
		process_on_proc(&s->processes, (const struct wire_proc *)h);
		return true;
	case WIRE_CGROUP:
		cgroup_on_path(&s->cgroups, (const struct wire_cgroup *)h);
		return true;
	case WIRE_CONTAINER:
		cgroup_on_container(&s->cgroups, (const struct wire_container *)h);
		return true;
	case WIRE_USER:
		on_user(s, (const struct wire_user *)h);
		return true;
	default:
		return false;
	}
}

/*
 * Where a record may hold secrets: in what programs were told, as their arguments, a kernel
 * module's parameters, a mount's source, which may be a URL.  Names of files stay true.
 */
static bool may_have_secrets(const struct wire_head *h, struct wire_str *ret)
{
	switch (h->kind) {
	case EV_EXEC:
	case WIRE_PROC:
		*ret = ((const struct wire_proc *)h)->args;
		return true;
	case EV_MODULE:
		*ret = ((const struct wire_sys *)h)->text;
		return true;
	case EV_MOUNT:
		*ret = ((const struct wire_file *)h)->path2;
		return true;
	default:
		return false;
	}
}

static void mask(char *record)
{
	const struct wire_head *h = (const struct wire_head *)record;
	const struct wire_annex *a = record_annex(record);
	struct wire_str s;

	if (!may_have_secrets(h, &s))
		return;
	if (body_of_kind(h->kind) == BODY_wire_proc)
		redact_args(record + s.off, s.len);
	else
		redact_text(record + s.off, s.len);
	if (a && a->env.off) /* VARIABLE=value, NUL after each: the same as arguments */
		redact_args(record + a->env.off, a->env.len);
}

/* For rules: what the process was really told. */
static void learn_raw(struct stream *s, const struct wire_head *h, struct str args, struct str env)
{
	struct process *p;

	if (!s->config.on_event)
		return;
	p = process_find(&s->processes, h->pid, h->start_ns);
	if (p)
		process_set_raw(p, args, env);
}

/* Take in what a resolver answered, as if it had come through the ring. */
static int take_answer(struct stream *s)
{
	const struct wire_head *h = (const struct wire_head *)s->answer.p;

	if (record_check(h, s->answer.n) < 0)
		return 0;
	buf_reset(&s->raw);
	if (h->kind == WIRE_PROC && s->config.on_event)
		buf_put_str(&s->raw, record_str(h, ((const struct wire_proc *)h)->args));
	if (!s->config.show_secrets)
		mask(s->answer.p);
	learn(s, h);
	if (h->kind == WIRE_PROC)
		learn_raw(s, h, buf_str(&s->raw), (struct str){0});
	return keep(s, h, h->size);
}

#define ASK(s, what, ...)          \
	((s)->config.resolver &&   \
	 (buf_reset(&(s)->answer), \
	  (s)->config.resolver->what((s)->config.resolver->ctx, __VA_ARGS__, &(s)->answer)))

static int know_user(struct stream *s, uint32_t uid)
{
	if (uid == ~0u || map_get(&s->users, (uint64_t)uid + 1) || !ASK(s, user, uid))
		return 0;
	return take_answer(s);
}

/*
 * The answer tells of now, the event `h` of then: another name means that the process has
 * executed another program since.  Then its file and arguments were not this event's.
 */
static void answer_fit(struct stream *s, const struct wire_head *h)
{
	struct wire_proc *p = (struct wire_proc *)s->answer.p;

	if (s->answer.n < sizeof(*p) || p->head.kind != WIRE_PROC ||
	    body_of_kind(h->kind) == BODY_wire_conn /* of long ago */ || h->tid != h->pid ||
	    p->head.pid != h->pid || !memcmp(p->head.comm, h->comm, WIRE_COMM))
		return;
	memcpy(p->head.comm, h->comm, WIRE_COMM);
	p->exe = p->args = p->cwd = (struct wire_str){0};
	p->inode = p->dev = p->nlink = p->exe_bits = p->args_total = 0;
}

/*
 * Ask about a process and all before it; stops where one is known.  `h`: the event that it did,
 * if it is asked about for that.
 */
static int know_process(struct stream *s, uint32_t pid, uint64_t start_ns,
			const struct wire_head *h)
{
	const struct process *p;
	int r;

	for (int i = 0; i < ANCESTORS && pid; i++) {
		p = process_find(&s->processes, pid, start_ns);
		if (!p || (!p->has_exec && !p->is_asked)) {
			if (!ASK(s, process, pid, start_ns))
				return 0;
			if (h && !i)
				answer_fit(s, h);
			r = take_answer(s);
			if (r < 0)
				return r;
			p = process_find(&s->processes, pid, start_ns);
			if (!p)
				return 0;
		}
		pid = p->ppid;
		start_ns = p->parent_start_ns;
	}
	return 0;
}

static int know_cgroup(struct stream *s, uint64_t id, bool is_exec)
{
	struct cgroup *c = cgroup_get(&s->cgroups, id);
	bool has_name = c->container && c->container->name.off;
	int r = 0;

	/* a container's first processes may run before its runtime has written down who it is */
	if (c->is_asked && (has_name || !is_exec || c->retries >= NAME_RETRIES))
		return 0;
	c->retries++;
	c->is_asked = true;
	if (!c->path && ASK(s, cgroup, id))
		r = take_answer(s);
	if (r >= 0 && c->path && ASK(s, container, id, str_of(c->path)))
		r = take_answer(s);
	return r;
}

static int know_who(struct stream *s, const struct wire_head *h)
{
	const struct wire_creds *c = (const struct wire_creds *)h;
	const struct wire_proc *p = (const struct wire_proc *)h;
	struct process *known = process_find(&s->processes, h->pid, h->start_ns);
	bool is_exec = h->kind == EV_EXEC && h->ret >= 0;
	int r = 0;

	if (is_exec) {
		if (!known)
			r = know_process(s, p->ppid, p->parent_start_ns, NULL);
		process_on_proc(&s->processes, p);
	} else if (!known || !known->has_exec) {
		r = know_process(s, h->pid, h->start_ns, h);
	}
	known = process_on_head(&s->processes, h);
	known->is_asked = true;
	if (h->ret >= 0 && body_of_kind(h->kind) == BODY_wire_creds)
		known->program.cred = c->cred;
	if (r >= 0)
		r = know_cgroup(s, h->cgroup, is_exec);
	if (r >= 0)
		r = know_user(s, h->uid);
	if (r >= 0 && h->kind == EV_SETUID) {
		r = know_user(s, c->cred.uid);
		if (r >= 0)
			r = know_user(s, c->cred.euid);
	}
	return r;
}

static bool starts_with_any(struct str s, const struct str *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(s, prefixes[i]))
			return true;
	return false;
}

/* Opens that every dynamically linked program makes before it does anything. */
static bool is_library(const struct wire_file *f)
{
	static const struct str prefixes[] = {
		STR("/lib/"),
		STR("/lib64/"),
		STR("/usr/lib/"),
		STR("/usr/lib64/"),
		STR("/usr/local/lib/"),
		STR("/etc/ld.so."),
		STR("/usr/share/locale"),
		STR("/usr/share/zoneinfo"),
	};
	return starts_with_any(record_str(f, f->file), prefixes, ELEMENTS(prefixes)) ||
	       starts_with_any(record_str(f, f->path), prefixes, ELEMENTS(prefixes)) ||
	       str_eq(record_str(f, f->path), STR("/dev/null"));
}

/*
 * What a command does before it does anything of its own: finding libraries, locales
 * and programs.  Left out of the view that has not been asked for anything else.
 */
static bool is_everyday(const struct wire_head *h)
{
	switch (h->kind) {
	case EV_OPEN: /* a file that might be here or there is looked for in each place */
		return h->ret == -ENOENT || is_library((const struct wire_file *)h);
	case EV_WRITE:
		return is_library((const struct wire_file *)h);
	case EV_EXEC:
		return h->ret == -ENOENT; /* a walk along PATH */
	default:
		return false;
	}
}

static struct event event_of(struct stream *s, const struct wire_head *h)
{
	static const struct process nobody;
	static const struct cgroup nowhere;
	struct event e = {
		.head = h,
		.kind = h->kind,
		.desc = event_get(h->kind),
		.process = &nobody,
		.cgroup = &nowhere,
		.real_ns = h->time_ns + s->config.boot_to_real_ns,
		.stream = s,
		.annex = record_annex(h),
	};

	if (h->kind == EV_LOST) /* where, not who: nothing is learnt from it */
		return e;
	e.process = process_find(&s->processes, h->pid, h->start_ns);
	e.cgroup = cgroup_get(&s->cgroups, h->cgroup);
	e.container = e.cgroup->container;
	return e;
}

/* What the process's session and groups are: rules ask for its ancestors', too. */
static void learn_task(struct stream *s, const struct wire_head *h)
{
	const struct wire_annex *a = record_annex(h);
	struct process *p;

	if (!a || !(a->flags & WIRE_A_TASK))
		return;
	p = process_find(&s->processes, h->pid, h->start_ns);
	if (!p)
		return;
	p->tty = a->tty;
	p->vpid = a->vpid;
	p->vpgid = a->vpgid;
	p->vsid = a->vsid;
	p->pgid = a->pgid;
	p->sid = a->sid;
}

/* Rules see every event, with what it really said. */
static int judge(struct stream *s, const struct wire_head *h, const struct wire_head *raw)
{
	const struct wire_annex *a = record_annex(raw);
	struct event e;
	int r = 0;

	if (!s->config.on_event)
		return 0;
	if (h->kind == EV_EXEC && h->ret >= 0)
		learn_raw(s, h, record_str(raw, ((const struct wire_proc *)raw)->args),
			  a ? record_str(raw, a->env) : (struct str){0});
	learn_task(s, h);
	if (a && a->flags & WIRE_A_TASK)
		r = know_user(s, a->loginuid);
	if (r >= 0 && h->kind == EV_SETUID) /* whom it wanted to be, if it may or not */
		r = know_user(s, ((const struct wire_creds *)h)->arg[0]);
	if (r < 0)
		return r;
	e = event_of(s, h);
	e.raw = raw == h ? NULL : raw;
	return s->config.on_event(s->config.on_event_ctx, &e);
}

static int show(struct stream *s, const struct wire_head *h)
{
	struct event e = event_of(s, h);
	int r;

	r = s->config.sink->event(s->config.sink, &e);
	if (r < 0 || h->kind == EV_LOST)
		return r;
	s->totals.shown++;
	return s->config.count && s->totals.shown >= s->config.count;
}

static int show_lost(struct stream *s, const struct wire_head *at, uint64_t n)
{
	struct wire_head h = {
		.size = sizeof(h),
		.kind = EV_LOST,
		.time_ns = at ? at->time_ns : s->last_ns, /* the rest: since then */
		.cpu = at ? at->cpu : 0,
		.ret = n,
	};
	struct event e = event_of(s, &h);
	int r = 0;

	s->totals.lost += n;
	if (s->config.on_event)
		r = s->config.on_event(s->config.on_event_ctx, &e);
	return r < 0 ? r : show(s, &h);
}

/* A cpu's counter grew since its last record: those in between are missing here. */
static int note_losses(struct stream *s, const struct wire_head *h)
{
	uint32_t cpu = h->cpu % CPUS;
	int32_t n = h->lost - s->lost_by_cpu[cpu];

	/* less: an interrupt sent its record while this one was being made */
	if (n <= 0)
		return 0;
	s->lost_by_cpu[cpu] = h->lost;
	return show_lost(s, h, n);
}

/* The record, or a copy with its secrets masked: the ring's bytes are not ours. */
static const struct wire_head *masked(struct stream *s, const struct wire_head *h)
{
	struct wire_str secret;

	/* in a recording they are masked, or were to be shown */
	if (s->config.show_secrets || !s->config.resolver || !may_have_secrets(h, &secret))
		return h;
	buf_reset(&s->masked);
	buf_add(&s->masked, h, h->size);
	mask(s->masked.p);
	return (const struct wire_head *)s->masked.p;
}

int stream_feed(struct stream *s, const void *record, size_t n)
{
	const struct wire_head *h = record, *raw = record;
	uint64_t bit;
	int r = record_check(record, n);

	if (r < 0) {
		s->totals.bad++;
		return 0;
	}
	if (h->kind == WIRE_TALLY)
		return stream_finish(s, &((const struct wire_tally *)h)->count);
	h = masked(s, raw);
	if (h->kind >= EV_END) {
		learn(s, h);
		if (h->kind == WIRE_PROC)
			learn_raw(s, h, record_str(raw, ((const struct wire_proc *)raw)->args),
				  (struct str){0});
		return keep(s, h, n);
	}
	s->last_ns = MAX(s->last_ns, h->time_ns);
	r = note_losses(s, h);
	if (r < 0)
		return r;
	r = know_who(s, h);
	if (r >= 0)
		r = keep(s, h, n);
	if (r < 0)
		return r;
	bit = KIND_BIT(h->kind);
	if (h->kind == EV_FORK)
		process_on_fork(&s->processes, (const struct wire_fork *)h);
	r = judge(s, h, raw);
	if (r < 0)
		return r;
	if (!(s->config.shown & bit)) {
		s->totals.filtered++;
	} else if (s->config.hide_everyday && is_everyday(h)) {
		s->totals.filtered++;
		s->totals.hidden++;
	} else {
		r = show(s, h);
	}
	if (h->kind == EV_EXIT) {
		struct process *p = process_find(&s->processes, h->pid, h->start_ns);

		if (p)
			process_on_exit(&s->processes, p);
	}
	return r;
}

int stream_finish(struct stream *s, const struct wire_count *count)
{
	struct wire_tally tally = {
		.head = {.size = sizeof(tally), .kind = WIRE_TALLY},
		.count = *count,
	};
	uint64_t lost = 0;
	int r;

	s->totals.sent = 0;
	for (unsigned int k = 1; k < 64; k++) {
		s->totals.sent += count->sent[k];
		lost += count->lost[k];
	}
	s->totals.table_full = count->table_full;
	/* lost[0] are identity records: they are no events, but their loss is one */
	lost += count->lost[0];
	s->totals.sent += count->lost[0];
	r = keep(s, &tally, sizeof(tally));
	if (r >= 0 && lost > s->totals.lost)
		r = show_lost(s, NULL, lost - s->totals.lost);
	return r < 0 ? r : 0;
}
