/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/process.h"

#include "base/macro.h"
#include "event/decode.h"

#include <stdlib.h>

enum { NS_PER_TICK = 10000000 };

static uint64_t key_of(uint32_t pid, uint64_t start_ns)
{
	return (start_ns / NS_PER_TICK) << 22 | (pid & 0x3fffff); /* PID_MAX_LIMIT is 2^22 */
}

struct process *process_find(const struct processes *t, uint32_t pid, uint64_t start_ns)
{
	return map_get(&t->by_key, key_of(pid, start_ns));
}

struct process *process_parent(const struct processes *t, const struct process *p)
{
	return p->ppid ? process_find(t, p->ppid, p->parent_start_ns) : NULL;
}

static void process_free(struct process *p)
{
	free(p->exe);
	free(p->args);
	free(p->cwd);
	free(p);
}

void processes_done(struct processes *t)
{
	struct process *p;

	map_each(&t->by_key, i, p)
		process_free(p);
	map_done(&t->by_key);
	*t = (struct processes){0};
}

/* Count p, and those before it, with its parent: who asks back meets the child first. */
static void link_up(struct processes *t, struct process *p)
{
	struct process *parent;

	for (; !p->is_linked && (parent = process_parent(t, p)); p = parent) {
		parent->children++;
		p->is_linked = true;
	}
}

static void set_parent(struct processes *t, struct process *p, uint32_t ppid, uint64_t start_ns)
{
	p->ppid = ppid;
	p->parent_start_ns = start_ns;
	link_up(t, p);
}

static struct process *add(struct processes *t, uint32_t pid, uint64_t start_ns)
{
	struct process *p = process_find(t, pid, start_ns);

	if (p)
		return p;
	p = xalloc(sizeof(*p));
	p->pid = pid;
	p->start_ns = start_ns;
	p->loginuid = p->sessionid = ~0u;
	map_put(&t->by_key, key_of(pid, start_ns), p);
	return p;
}

static void queue_ended(struct processes *t, struct process *p)
{
	p->next_ended = NULL;
	if (t->newest_ended)
		t->newest_ended->next_ended = p;
	else
		t->oldest_ended = p;
	t->newest_ended = p;
	t->ended++;
}

static struct process *unqueue_ended(struct processes *t)
{
	struct process *p = t->oldest_ended;

	t->oldest_ended = p->next_ended;
	if (!t->oldest_ended)
		t->newest_ended = NULL;
	t->ended--;
	return p;
}

/* Forget the oldest that nobody living descends from; who is still needed goes to the end. */
static void forget(struct processes *t)
{
	for (size_t tries = 0; t->ended > PROCESS_ENDED_MAX && tries < 64; tries++) {
		struct process *p = unqueue_ended(t), *parent;

		if (p->children) {
			queue_ended(t, p);
			continue;
		}
		parent = p->is_linked ? process_parent(t, p) : NULL;
		if (parent)
			parent->children--;
		map_take(&t->by_key, key_of(p->pid, p->start_ns));
		process_free(p);
	}
}

static char *copy(struct str s)
{
	return s.n ? xstrndup(s.p, s.n) : NULL;
}

struct process *process_on_head(struct processes *t, const struct wire_head *head)
{
	struct process *p = add(t, head->pid, head->start_ns);

	link_up(t, p);
	p->cgroup = head->cgroup;
	memcpy(p->comm, head->comm, WIRE_COMM);
	if (!p->has_exec) {
		p->cred.uid = head->uid;
		p->cred.gid = head->gid;
	}
	return p;
}

struct process *process_on_proc(struct processes *t, const struct wire_proc *rec)
{
	struct process *p = process_find(t, rec->head.pid, rec->head.start_ns);
	struct str args = record_str(rec, rec->args);

	if (!p)
		p = add(t, rec->head.pid, rec->head.start_ns);
	if (!p->ppid)
		set_parent(t, p, rec->ppid, rec->parent_start_ns);
	process_on_head(t, &rec->head);
	free(p->exe);
	free(p->args);
	free(p->cwd);
	p->exe = copy(record_str(rec, rec->exe));
	p->cwd = copy(record_str(rec, rec->cwd));
	p->args = copy(args);
	p->args_n = args.n;
	p->args_total = rec->args_total;
	p->inode = rec->inode;
	p->dev = rec->dev;
	p->exe_bits = rec->exe_bits;
	p->loginuid = rec->loginuid;
	p->sessionid = rec->sessionid;
	p->cred = rec->cred;
	memcpy(p->ns, rec->ns, sizeof(p->ns));
	p->ns_pid = rec->ns_pid;
	p->has_exec = true;
	return p;
}

struct process *process_on_fork(struct processes *t, const struct wire_fork *rec)
{
	struct process *parent = process_find(t, rec->head.pid, rec->head.start_ns);
	struct process *p = process_find(t, rec->child_pid, rec->child_start_ns);

	if (p)
		return p; /* its first events came before the fork: it ran on another cpu */
	p = add(t, rec->child_pid, rec->child_start_ns);
	set_parent(t, p, rec->head.pid, rec->head.start_ns);
	p->cgroup = rec->child_cgroup;
	p->ns_pid = rec->child_ns_pid;
	memcpy(p->comm, rec->head.comm, WIRE_COMM);
	if (!parent)
		return p;
	/* the same program in another process, until it executes one of its own */
	p->exe = parent->exe ? xstrdup(parent->exe) : NULL;
	p->cwd = parent->cwd ? xstrdup(parent->cwd) : NULL;
	p->args = parent->args ? xstrndup(parent->args, parent->args_n) : NULL;
	p->args_n = parent->args_n;
	p->args_total = parent->args_total;
	p->inode = parent->inode;
	p->dev = parent->dev;
	p->exe_bits = parent->exe_bits;
	p->loginuid = parent->loginuid;
	p->sessionid = parent->sessionid;
	p->cred = parent->cred;
	memcpy(p->ns, parent->ns, sizeof(p->ns));
	p->has_exec = parent->has_exec;
	return p;
}

void process_on_exit(struct processes *t, struct process *p)
{
	if (p->has_ended)
		return;
	p->has_ended = true;
	queue_ended(t, p);
	forget(t);
}
