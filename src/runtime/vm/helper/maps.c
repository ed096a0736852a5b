/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of maps and of storage. */
#include "runtime/vm/helper/calls.h"

CALL(helper_map_lookup_elem)
{
	return call_number(map_lookup(call_map(a), call_pointer(b), vm_current->cpu));
}

CALL(helper_map_update_elem)
{
	return call_error(
		map_update(call_map(a), call_pointer(b), call_pointer(c), d, vm_current->cpu));
}

CALL(helper_map_delete_elem)
{
	return call_error(map_delete(call_map(a), call_pointer(b)));
}

CALL(helper_map_push_elem)
{
	return call_error(map_push(call_map(a), call_pointer(b), c));
}

CALL(helper_map_pop_elem)
{
	return call_error(map_pop(call_map(a), call_pointer(b)));
}

CALL(helper_map_peek_elem)
{
	return call_error(map_peek(call_map(a), call_pointer(b)));
}

CALL(helper_map_lookup_percpu_elem)
{
	struct vm_map *m = call_map(a);

	return (uint32_t)c < m->cpus ? call_number(map_lookup(m, call_pointer(b), (uint32_t)c)) : 0;
}

struct each {
	uint64_t function, ctx;
};

static uint64_t call_back(void *ctx, struct vm_map *m, const void *key, void *value)
{
	const struct each *x = ctx;
	uint64_t r = code_callback(x->function, call_number(m), call_number(key),
				   call_number(value), x->ctx, 0);

	return r || vm_current->unwind;
}

CALL(helper_for_each_map_elem)
{
	struct each x = {.function = b, .ctx = c};

	if (d)
		return call_error(-EINVAL);
	return call_error(map_each_element(call_map(a), vm_current->cpu, call_back, &x));
}

/* --- storage: of a task, an inode, a socket, a cgroup, named by its address */

static uint64_t storage_get(uint64_t map, uint64_t owner, uint64_t value, uint64_t flags)
{
	if ((flags & ~(uint64_t)BPF_LOCAL_STORAGE_GET_F_CREATE) || !owner)
		return 0;
	return call_number(map_storage(call_map(map), owner, call_pointer(value), flags));
}

static uint64_t storage_delete(uint64_t map, uint64_t owner)
{
	return call_error(owner ? map_storage_delete(call_map(map), owner) : -EINVAL);
}

CALL(helper_task_storage_get)
{
	return storage_get(a, b, c, d);
}

CALL(helper_task_storage_delete)
{
	return storage_delete(a, b);
}

CALL(helper_inode_storage_get)
{
	return storage_get(a, b, c, d);
}

CALL(helper_inode_storage_delete)
{
	return storage_delete(a, b);
}

CALL(helper_sk_storage_get)
{
	return storage_get(a, b, c, d);
}

CALL(helper_sk_storage_delete)
{
	return storage_delete(a, b);
}

CALL(helper_cgrp_storage_get)
{
	return storage_get(a, b, c, d);
}

CALL(helper_cgrp_storage_delete)
{
	return storage_delete(a, b);
}

/* The old cgroup storage: of the cgroup that the program runs for; it is always there. */
CALL(helper_get_local_storage)
{
	const struct vm_task *t = vm_current->task;

	return call_number(
		map_storage(call_map(a), t ? t->cgroup : 0, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE));
}
