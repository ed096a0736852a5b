/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in the kernel, as far as skep's own object goes: runtime/bpf/rule.h has a record's way.
 * The deciders themselves are loaded by rules.c.
 */
#include "base/macro.h"
#include "catalog/catalog.h"
#include "runtime/kern/kern-internal.h"
#include "watch.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kinds that are sent whatever rules say: who is who must be known. */
static uint64_t always_sent(const struct runtime_config *c)
{
	return c->shown | KIND_BIT(EV_EXEC) | KIND_BIT(EV_EXIT) | KIND_BIT(EV_FORK);
}

void kern_rules_choose(struct kern *k)
{
	const struct runtime_config *c = &k->config;
	struct bpf_map *maps[] = {k->skel->maps.rules_sys, k->skel->maps.rules_exec,
				  k->skel->maps.rules_uring, k->skel->maps.rule_procs,
				  k->skel->maps.floods};

	for (size_t i = 0; i < ELEMENTS(maps); i++)
		bpf_map__set_autocreate(maps[i], c->rules);
	bpf_map__set_autocreate(k->skel->maps.net_peers,
				c->events & (KIND_BIT(EV_NETCALL) | KIND_BIT(EV_DUP) |
					     KIND_BIT(EV_SOCKET)));
	k->skel->rodata->rules_on = c->rules;
	k->skel->rodata->rules_env = c->rules_env;
	k->skel->rodata->rules_data = c->rules_data;
	k->skel->rodata->rules_timed = c->rules_timed;
	k->skel->rodata->rules_shown = c->shown;
	k->skel->bss->rules_live = always_sent(c);
}

int kern_rules_fill(struct kern *k)
{
	const struct {
		struct bpf_map *table;
		struct bpf_program *program;
		uint32_t slot;
	} rows[] = {
		{k->skel->maps.rules_sys, k->skel->progs.rule_send_sys, 0},
		{k->skel->maps.rules_sys, k->skel->progs.rule_annex, 63},
		{k->skel->maps.rules_exec, k->skel->progs.rule_send_exec, 0},
		{k->skel->maps.rules_exec, k->skel->progs.rule_annex_exec, 63},
		{k->skel->maps.rules_uring, k->skel->progs.rule_annex_uring, 63},
	};

	for (size_t i = 0; k->config.rules && i < ELEMENTS(rows); i++) {
		int fd = bpf_program__fd(rows[i].program), r;

		if (!bpf_program__autoload(rows[i].program))
			continue;
		r = bpf_map_update_elem(bpf_map__fd(rows[i].table), &rows[i].slot, &fd, BPF_ANY);
		if (r < 0)
			return r;
	}
	return 0;
}

int kern_rules(struct runtime *rt, const struct runtime_rules *rules, struct runtime_error *e)
{
	struct kern *k = KERN(rt);
	const struct rules_tables tables = {
		.stage = bpf_map__fd(k->skel->maps.scratches),
		.sys = bpf_map__fd(k->skel->maps.rules_sys),
		.exec = bpf_map__fd(k->skel->maps.rules_exec),
		.procs = bpf_map__fd(k->skel->maps.rule_procs),
		.live = (uint64_t *)&k->skel->bss->rules_live,
		.undecided = (uint64_t *)&k->skel->bss->rules_undecided,
		.always = always_sent(&k->config),
		.has_sys_table = k->has_handlers,
	};

	if (!k->config.rules)
		return -EINVAL;
	return rules_kern_set(&k->rules, &tables, rules, e);
}

int kern_rules_process(struct runtime *rt, uint32_t pid, const struct wire_proc_bits *bits)
{
	return rules_kern_process(KERN(rt)->rules, pid, bits);
}

int kern_rules_cgroup(struct runtime *rt, uint64_t id, const struct wire_cgroup_bits *bits)
{
	return rules_kern_cgroup(KERN(rt)->rules, id, bits);
}

int kern_rules_stats(struct runtime *rt, unsigned int kind, uint64_t *ret_runs, uint64_t *ret_ns)
{
	struct kern *k = KERN(rt);
	size_t size = (bpf_map__value_size(k->skel->maps.scratches) + 7u) & ~7u;
	_cleanup_free_ char *all = xalloc(size * (size_t)k->cpus);
	uint32_t zero = 0;
	int r;

	if (kind >= 64 || !k->rules)
		return -ENOTSUP;
	r = bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.scratches), &zero, all);
	if (r < 0)
		return r;
	*ret_runs = *ret_ns = 0;
	for (int cpu = 0; cpu < k->cpus; cpu++) {
		const struct wire_stage *stage = (const void *)(all + size * (size_t)cpu);

		*ret_runs += stage->decided.runs[kind];
		*ret_ns += stage->decided.ns[kind];
	}
	return 0;
}

void kern_rules_floods(struct runtime *rt, runtime_flood_fn fn, void *ctx)
{
	int map = bpf_map__fd(KERN(rt)->skel->maps.floods);
	struct {
		uint64_t lost, room, jam;
	} flood;
	uint64_t key, *before = NULL;

	while (bpf_map_get_next_key(map, before, &key) == 0) {
		if (bpf_map_lookup_elem(map, &key, &flood) == 0 && flood.lost)
			fn(ctx, key, flood.lost);
		before = &key;
	}
}

void kern_rules_start(struct kern *k)
{
	if (!k->config.rules || k->rules)
		return;
	k->skel->bss->rules_undecided = k->config.events;
	k->skel->bss->rules_live |= k->config.events;
}
