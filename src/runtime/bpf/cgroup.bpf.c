/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * New cgroups: their id and path, told before any process is in them, so that an
 * event's cgroup id has a name even when the cgroup is gone by the time it is read.
 */
#include "runtime/bpf/core.h"

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	struct scratch *s = scratch_get(SCRATCH_PROCESS);
	struct wire_cgroup *c;

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
