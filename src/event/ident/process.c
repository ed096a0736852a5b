/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/process.h"

#include "base/macro.h"
#include "event/decode.h"

#include <stdlib.h>

enum {
	NS_PER_TICK = 10000000,
	ENDED_PARENTS_MAX = 4 * PROCESS_ENDED_MAX, /* ended, with living children */
};

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
	free(p->raw_args);
	free(p->env);
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

static void drop(struct processes *t, struct process *p)
{
	struct process *parent = p->is_linked ? process_parent(t, p) : NULL;

	/* 0: this is not the one that p was counted in, but the same, learnt again */
	if (parent && parent->children)
		parent->children--;
	map_take(&t->by_key, key_of(p->pid, p->start_ns));
	process_free(p);
}

static int by_last(const void *a, const void *b)
{
	const struct process *const *p = a, *const *q = b;

	return (*p)->last < (*q)->last ? -1 : (*p)->last > (*q)->last;
}

/*
 * The half of the living that was silent longest goes: those without children, and if that
 * has not been enough, the others too.
 */
static void make_room(struct processes *t)
{
	bool with_children = t->by_key.n >= 2 * (size_t)PROCESS_MAX;
	struct process **living, *p;
	size_t n = 0;

	if (t->by_key.n < MAX(t->full_at, (size_t)PROCESS_MAX))
		return;
	living = xalloc(t->by_key.n * sizeof(struct process *));
	map_each(&t->by_key, i, p)
		if (!p->has_ended)
			living[n++] = p;
	qsort(living, n, sizeof(struct process *), by_last);
	for (size_t i = 0; i < n / 2; i++)
		if (with_children || !living[i]->children)
			drop(t, living[i]);
	free(living);
	/* if few could go, not each new one shall sort all the others */
	t->full_at = t->by_key.n + PROCESS_MAX / 4;
}

/* Made if it is new. */
static struct process *get(struct processes *t, uint32_t pid, uint64_t start_ns)
{
	struct process *p = process_find(t, pid, start_ns);

	if (!p) {
		make_room(t);
		p = xalloc(sizeof(*p));
		p->pid = pid;
		p->start_ns = start_ns;
		p->program.loginuid = ~0u;
		map_put(&t->by_key, key_of(pid, start_ns), p);
	}
	p->last = ++t->now;
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

/*
 * Forget the oldest that nobody living descends from.  Who is still needed goes to the end,
 * unless there are too many: somebody may fork and end, fork and end, for ever.
 */
static void forget(struct processes *t)
{
	for (size_t tries = 0; t->ended > PROCESS_ENDED_MAX && tries < 64; tries++) {
		struct process *p = unqueue_ended(t);

		if (p->children && t->ended < ENDED_PARENTS_MAX)
			queue_ended(t, p);
		else
			drop(t, p);
	}
}

static void replace(char **member, struct str s)
{
	free(*member);
	*member = s.n ? xstrndup(s.p, s.n) : NULL;
}

static void set_program(struct process *p, const struct program *program, struct str exe,
			struct str cwd, struct str args)
{
	p->program = *program;
	replace(&p->exe, exe);
	replace(&p->cwd, cwd);
	replace(&p->args, args);
	p->args_n = args.n;
	replace(&p->raw_args, (struct str){0});
	replace(&p->env, (struct str){0});
	p->env_n = 0;
	p->has_exec = true;
}

void process_set_raw(struct process *p, struct str args, struct str env)
{
	bool is_masked = p->args && args.n == p->args_n && memcmp(args.p, p->args, args.n) != 0;

	replace(&p->raw_args, is_masked ? args : (struct str){0});
	replace(&p->env, env);
	p->env_n = env.n;
}

struct process *process_on_head(struct processes *t, const struct wire_head *head)
{
	struct process *p = get(t, head->pid, head->start_ns);

	link_up(t, p);
	memcpy(p->comm, head->comm, WIRE_COMM);
	return p;
}

struct process *process_on_proc(struct processes *t, const struct wire_proc *rec)
{
	struct process *p = process_on_head(t, &rec->head);
	struct program program = {
		.inode = rec->inode,
		.exe_bits = rec->exe_bits,
		.args_total = rec->args_total,
		.loginuid = rec->loginuid,
		.cred = rec->cred,
	};

	if (!p->ppid)
		set_parent(t, p, rec->ppid, rec->parent_start_ns);
	memcpy(program.ns, rec->ns, sizeof(program.ns));
	p->ns_pid = rec->ns_pid;
	memcpy(p->exec_comm, rec->head.comm, WIRE_COMM);
	set_program(p, &program, record_str(rec, rec->exe), record_str(rec, rec->cwd),
		    record_str(rec, rec->args));
	return p;
}

struct process *process_on_fork(struct processes *t, const struct wire_fork *rec)
{
	struct process *p = get(t, rec->child_pid, rec->child_start_ns);
	const struct process *parent = process_find(t, rec->head.pid, rec->head.start_ns);

	if (!p->ppid)
		set_parent(t, p, rec->head.pid, rec->head.start_ns);
	if (p->has_exec)
		return p; /* its first events came before the fork: it ran on another cpu */
	p->ns_pid = rec->child_ns_pid;
	if (!p->comm[0])
		memcpy(p->comm, rec->head.comm, WIRE_COMM);
	/* the same program in another process, until it executes one of its own */
	if (parent && parent->has_exec) {
		set_program(p, &parent->program, str_of(parent->exe), str_of(parent->cwd),
			    (struct str){parent->args, parent->args_n});
		memcpy(p->exec_comm, parent->exec_comm, WIRE_COMM);
		process_set_raw(
			p, (struct str){parent->raw_args, parent->raw_args ? parent->args_n : 0},
			(struct str){parent->env, parent->env_n});
	}
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
