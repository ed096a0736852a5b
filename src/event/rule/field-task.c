/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.* that are numbers, and thread.*: ids, sessions, groups, times, capabilities.
 *
 * They are the task's own at the event, from the annex.
 */
#include "event/rule/field.h"

#include "base/macro.h"

enum { ANCESTORS_FAR = 64 };

/* --- ids */

FIELD(proc_pid)
{
	return set_number(v, e->event->head->pid);
}
FIELD(thread_tid)
{
	return set_number(v, e->event->head->tid);
}
FIELD(thread_ismain)
{
	return set_number(v, e->event->head->pid == e->event->head->tid);
}

static bool parent_pid(const struct rule_event *e, size_t i, struct rule_value *v)
{
	const struct wire_annex *a = e->annex;
	const struct process *p;

	if (i && a && a->flags & WIRE_A_ANCESTORS && i <= MIN(a->n_ancestors, ANCESTORS_MAX))
		return set_number(v, a->ancestors[i - 1].pid);
	p = ancestor(e, i);
	if (p)
		return set_number(v, i ? p->pid : e->event->head->pid);
	return i == 1 && e->event->process->ppid && set_number(v, e->event->process->ppid);
}

FIELD(proc_ppid)
{
	return parent_pid(e, 1, v);
}
FIELD(proc_apid)
{
	return parent_pid(e, f->index < 0 ? 0 : f->index, v);
}
FIELD(proc_vpid)
{
	const struct wire_annex *a = task_of(e);

	if (e->annex) /* it knows, or nobody does */
		return a && set_number(v, a->vpid);
	return e->event->process->ns_pid && set_number(v, e->event->process->ns_pid);
}
FIELD(proc_pvpid)
{
	const struct process *p = ancestor(e, 1);

	if (!p)
		return false;
	if (p->vpid)
		return set_number(v, p->vpid);
	return p->ns_pid && set_number(v, p->ns_pid);
}
FIELD(thread_vtid)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->vtid);
}
FIELD(proc_sid)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->vsid);
}
FIELD(proc_vpgid)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->vpgid);
}
FIELD(proc_is_sid_leader)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->vsid == a->vpid);
}
FIELD(proc_is_vpgid_leader)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->vpgid == a->vpid);
}
FIELD(proc_tty)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->tty);
}

/* --- who leads the session, the process group */

/*
 * The oldest ancestor in an unbroken line of the same session (group), which is the leader
 * unless it has ended.
 */
static const struct process *leader(const struct rule_event *e, bool of_session)
{
	const struct wire_annex *a = task_of(e);
	const struct process *best = e->event->process, *p;
	uint32_t id = a ? (of_session ? a->sid : a->pgid) : 0;

	if (!id || best->pid == id)
		return best;
	for (size_t i = 1; i < ANCESTORS_FAR && (p = ancestor(e, i)); i++) {
		if (p->pid == id)
			return p;
		if ((of_session ? p->sid : p->pgid) != id)
			break;
		best = p;
	}
	return best;
}

/* A field of that process's own. */
static bool of_leader(const struct rule_event *e, bool of_session, field_fn *field,
		      struct rule_value *v)
{
	struct rule_event other = *e;
	struct event event = *e->event;
	struct rule_field_ref none = {.index = -1, .type = RT_STRING};

	if (!task_of(e))
		return false;
	event.process = leader(e, of_session);
	other.event = &event;
	other.annex = NULL;
	return field(&other, &none, v);
}

FIELD(proc_sname)
{
	return of_leader(e, true, field_proc_name, v);
}
FIELD(proc_sid_exe)
{
	return of_leader(e, true, field_proc_exe, v);
}
FIELD(proc_sid_exepath)
{
	return of_leader(e, true, field_proc_exepath, v);
}
FIELD(proc_vpgid_name)
{
	return of_leader(e, false, field_proc_name, v);
}
FIELD(proc_vpgid_exe)
{
	return of_leader(e, false, field_proc_exe, v);
}
FIELD(proc_vpgid_exepath)
{
	return of_leader(e, false, field_proc_exepath, v);
}

FIELD(proc_pgid)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->pgid);
}
FIELD(proc_is_pgid_leader)
{
	const struct wire_annex *a = task_of(e);

	return a && set_number(v, a->pgid == e->event->head->pid);
}
FIELD(proc_pgid_name)
{
	return of_leader(e, false, field_proc_name, v);
}
FIELD(proc_pgid_exe)
{
	return of_leader(e, false, field_proc_exe, v);
}
FIELD(proc_pgid_exepath)
{
	return of_leader(e, false, field_proc_exepath, v);
}

/* The oldest ancestor whose name ends in "sh": who logged in got it. */
FIELD(proc_loginshellid)
{
	struct rule_event one = *e;
	struct event event = *e->event;
	struct rule_field_ref none = {.index = -1, .type = RT_STRING};
	const struct process *p;
	struct rule_value name;
	bool found = false;

	one.event = &event;
	one.annex = NULL;
	for (size_t i = 0; i < ANCESTORS_FAR && (p = ancestor(e, i)); i++) {
		event.process = p;
		if (!field_proc_name(&one, &none, &name) || !str_ends(name.text, STR("sh")))
			continue;
		found = set_number(v, i ? p->pid : e->event->head->pid);
	}
	return found;
}

/* --- times */

static uint64_t start_of(const struct rule_event *e, size_t i)
{
	const struct wire_annex *a = e->annex;
	const struct process *p;

	if (!i)
		return e->event->head->start_ns;
	if (a && a->flags & WIRE_A_ANCESTORS && a->n_ancestors)
		return a->ancestors[0].start_ns;
	p = ancestor(e, 1);
	return p ? p->start_ns : e->event->process->parent_start_ns;
}

static bool since_start(const struct rule_event *e, size_t i, struct rule_value *v)
{
	uint64_t start = start_of(e, i), now = e->event->head->time_ns;

	return start && set_number(v, now > start ? now - start : 0);
}

static bool start_time(const struct rule_event *e, size_t i, struct rule_value *v)
{
	uint64_t start = start_of(e, i);

	return start && set_number(v, e->event->real_ns - (e->event->head->time_ns - start));
}

FIELD(proc_duration)
{
	return since_start(e, 0, v);
}
FIELD(proc_ppid_duration)
{
	return since_start(e, 1, v);
}
FIELD(proc_pid_ts)
{
	return start_time(e, 0, v);
}
FIELD(proc_ppid_ts)
{
	return start_time(e, 1, v);
}

/* --- capabilities, with blanks between; none is an empty text */

static bool caps(const struct rule_event *e, const struct rule_field_ref *f, uint64_t set,
		 struct rule_value *v)
{
	struct buf b = {0};

	v->number = set;
	rule_flags_print(f, set, &b);
	return set_text(v, field_keep(e, &b));
}

FIELD(thread_cap_effective)
{
	const struct wire_annex *a = task_of(e);

	return a && caps(e, f, a->cap_effective, v);
}
FIELD(thread_cap_permitted)
{
	const struct wire_annex *a = task_of(e);

	return a && caps(e, f, a->cap_permitted, v);
}
FIELD(thread_cap_inheritable)
{
	const struct wire_annex *a = task_of(e);

	return a && caps(e, f, a->cap_inheritable, v);
}

FIELD(thread_cgroups)
{
	return e->event->cgroup->path && set_text(v, str_of(e->event->cgroup->path));
}
FIELD(thread_cgroup)
{
	return field_thread_cgroups(e, f, v);
}
FIELD(thread_nametid)
{
	struct buf b = {0};

	if (!field_proc_name(e, f, v))
		return false;
	buf_put_str(&b, v->text);
	buf_put_u64(&b, e->event->head->tid);
	return set_text(v, field_keep(e, &b));
}
