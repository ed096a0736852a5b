/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is loaded of skep's object, and whom it watches.
 *
 * A program whose events nobody wants stays out, as do the variants that do not fit the
 * kernel.  Scope and system calls are read-only data: the verifier folds away the rest.
 */
#include "base/macro.h"
#include "catalog/catalog.h"
#include "catalog/glob.h"
#include "runtime/kern/kern-internal.h"
#include "watch.skel.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Which events a program of the object serves; 0 in `events`: always loaded. */
struct program_use {
	const char *name;
	uint64_t events;
};

#define E(id) KIND_BIT(EV_##id)
static const struct program_use uses[] = {
	{"on_exec", ~0ull},
	{"on_exit", ~0ull},
	{"on_fork", ~0ull},
	{"on_tcp_state", E(CONNECT) | E(ACCEPT) | E(LISTEN) | E(CLOSE)},
	{"on_sendmsg4", E(DATAGRAM)},
	{"on_sendmsg6", E(DATAGRAM)},
	{"on_uring_submit_req", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_submit_sqe", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_complete_cqe", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_complete", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_cgroup_mkdir", ~0ull},
	{"seed_tasks", ~0ull},
	{"seed_sockets", E(CLOSE)},
};
#undef E

const char *const kern_handlers[SYS_END] = {
	[SYS_OPEN] = "sys_open",   [SYS_PATH] = "sys_path", [SYS_ARGS] = "sys_args",
	[SYS_CREDS] = "sys_creds", [SYS_SOCK] = "sys_sock", [SYS_EXEC] = "sys_exec",
	[SYS_NET] = "sys_net",
};

/* An open may turn out to be any of the three, an unlinkat a rmdir. */
static uint64_t kinds_of_syscall(const struct sys_desc *d)
{
	uint64_t kinds = KIND_BIT(d->kind);

	if (d->handler == SYS_OPEN)
		kinds |= KIND_BIT(EV_OPEN) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CREATE);
	if (d->bits & SYS_B_SOCKETCALL)
		kinds |= KIND_BIT(EV_BIND) | KIND_BIT(EV_LISTEN) | KIND_BIT(EV_ACCEPT) |
			 KIND_BIT(EV_CLOSE);
	if (d->bits & SYS_B_SOCKETCALL)
		kinds |= KIND_BIT(EV_SOCKET);
	if (d->bits & SYS_B_NETCALL)
		kinds |= KIND_BIT(EV_NETCALL);
	if (d->bits & SYS_B_RMDIR)
		kinds |= KIND_BIT(EV_RMDIR);
	if (d->kind == EV_ACCEPT) /* an accepted connection's end needs its owner */
		kinds |= KIND_BIT(EV_CLOSE);
	return kinds;
}

/* Of a call that is a connection's and a NETCALL, what is wanted; else as it is. */
static struct sys_desc desc_wanted(const struct sys_desc *d, uint64_t events)
{
	const uint64_t calls = KIND_BIT(EV_NETCALL) | KIND_BIT(EV_SOCKET);
	struct sys_desc own = *d;

	if (!(d->bits & SYS_B_NETCALL))
		return own;
	if (!(events & calls))
		own.bits &= (uint8_t)~SYS_B_NETCALL;
	else if (!(events & kinds_of_syscall(d) & ~calls))
		own.handler = SYS_NET;
	return own;
}

unsigned int kern_choose_syscalls(struct kern *k)
{
	const struct syscall_desc *all;
	unsigned int handlers_used = 0;
	size_t n;

	all = syscalls_get(&n);
	for (size_t i = 0; i < n; i++) {
		struct sys_desc d = desc_wanted(&all[i].desc, k->config.events);

		if (!(kinds_of_syscall(&all[i].desc) & k->config.events))
			continue;
		handlers_used |= 1u << d.handler;
		if (d.bits & SYS_B_NETCALL)
			handlers_used |= 1u << SYS_NET;
		if (all[i].nr >= 0 && all[i].nr < SCOPE_SYSCALLS)
			k->skel->rodata->sys_descs[all[i].nr] = d;
		if (all[i].nr_ia32 >= 0 && all[i].nr_ia32 < SCOPE_SYSCALLS)
			k->skel->rodata->sys_descs_ia32[all[i].nr_ia32] = d;
	}
	return handlers_used;
}

static bool variant_fits(const struct kern *k, const char *name)
{
	const struct variants *v = &k->object.variants;

	if (!strcmp(name, "on_uring_submit_req"))
		return v->uring_submit_req && v->uring_complete;
	if (!strcmp(name, "on_uring_submit_sqe"))
		return v->uring_submit_sqe && v->uring_complete;
	if (!strncmp(name, "on_uring_complete", 17))
		return v->uring_complete && (v->uring_submit_req || v->uring_submit_sqe) &&
		       v->uring_has_cqe == !strcmp(name, "on_uring_complete_cqe");
	if (!strcmp(name, "on_cgroup_mkdir"))
		return v->cgroup_mkdir;
	if (!strncmp(name, "on_sendmsg", 10))
		return k->cgroup_fd >= 0;
	return true;
}

/* name_unlink sits in security_path_unlink, and so on. */
static bool can_name(struct kern *k, const char *program)
{
	char function[64];

	snprintf(function, sizeof(function), "security_path_%s", program + 5);
	if (!object_can_fentry(&k->object, function))
		return false;
	k->skel->rodata->have_names = true;
	return true;
}

/* A program on a record's way through rules, if the hook that begins it is there. */
static bool loads_rule(const struct kern *k, const char *name, unsigned int handlers_used)
{
	const struct variants *v = &k->object.variants;
	const uint64_t opens = KIND_BIT(EV_OPEN) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CREATE);

	if (!k->config.rules)
		return false;
	if (!strcmp(name, "rule_annex_uring"))
		return (k->config.events & opens) && v->uring_complete &&
		       (v->uring_submit_req || v->uring_submit_sqe);
	return handlers_used || strstr(name, "_exec");
}

void kern_choose_programs(struct kern *k, unsigned int handlers_used)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, k->skel->obj)
	{
		const char *name = bpf_program__name(p);
		bool load = false;

		for (size_t i = 0; i < ELEMENTS(uses); i++)
			if (!strcmp(uses[i].name, name))
				load = (uses[i].events & k->config.events) && variant_fits(k, name);
		for (int h = 1; h < SYS_END; h++)
			if (!strcmp(kern_handlers[h], name))
				load = handlers_used & (1u << h);
		if (!strcmp(name, "on_sys_exit"))
			load = handlers_used;
		if (!strncmp(name, "name_", 5))
			load = (handlers_used & (1u << SYS_PATH)) && can_name(k, name);
		if (!strncmp(name, "seed_", 5) && !k->config.seeds)
			load = false;
		if (!strncmp(name, "rule_", 5))
			load = loads_rule(k, name, handlers_used);
		bpf_program__set_autoload(p, load);
	}
}

int kern_choose_scope(struct kern *k)
{
	const struct runtime_config *c = &k->config;
	struct scope *s = (struct scope *)&k->skel->rodata->scope;

	k->skel->rodata->can_cast = k->object.casts.function;
	s->events = c->events;
	s->self = getpid();
	s->ring_size = c->ring_kb * 1024;
	s->wake_at = s->ring_size / 4;
	s->page_kb = sysconf(_SC_PAGESIZE) / 1024;
	if (c->cgroup_fd >= 0)
		s->bits |= SCOPE_CGROUP;
	if (c->follow)
		s->bits |= SCOPE_TREE;
	if (c->by_user) {
		s->bits |= SCOPE_USER;
		s->uid = c->uid;
	}
	if (c->no_failed)
		s->bits |= SCOPE_NO_FAILED;
	if (!c->comm)
		return 0;
	s->bits |= SCOPE_COMM;
	return glob_compile(c->comm, (struct scope_glob *)&k->skel->rodata->scope_glob);
}
