/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * New cgroups: their id and path, told before any process is in them, so that an
 * event's cgroup id has a name even when the cgroup is gone by the time it is read.
 *
 * Each hierarchy of cgroup v1 numbers its folders anew, so their ids say nothing here:
 * only the one of cgroup2 is told, whose number among all hierarchies is 0.
 */
#include "runtime/bpf/core.h"

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	struct wire_cgroup *c;
	struct scratch *s;

	if (BPF_CORE_READ(cgrp, root, hierarchy_id) != 0)
		return 0;
	s = scratch_get(SCRATCH_PROCESS);
	if (!s)
		return 0;
	c = (struct wire_cgroup *)s->record;
	head_init(&c->head, WIRE_CGROUP);
	c->head.cgroup = BPF_CORE_READ(cgrp, kn, id);
	s->used = sizeof(*c);
	c->path = put_kernel_str(s, path);
	record_send(s);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
