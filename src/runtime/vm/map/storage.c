/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage: a value for each task, inode, socket or cgroup, by its identity.
 *
 * In the kernel the value hangs on the object and goes with it.  Here it is a hash table by the
 * number that stands for the object; who knows that one is gone deletes its value.  User space
 * names objects by descriptors, which say nothing here: -EBADF.
 */
#include "runtime/vm/map/hash.h"

#include "runtime/vm/run.h"

#include <stdlib.h>
#include <string.h>

/* Objects at a time, and the largest value (U16_MAX − struct bpf_local_storage_elem). */
enum { OBJECTS_MAX = 1 << 20, VALUE_MAX = 65535 - 128 };

static const struct map_ops *ops_of(uint32_t type)
{
	return type == BPF_MAP_TYPE_TASK_STORAGE    ? &storage_task_ops
	       : type == BPF_MAP_TYPE_INODE_STORAGE ? &storage_inode_ops
	       : type == BPF_MAP_TYPE_SK_STORAGE    ? &storage_socket_ops
						    : &storage_cgroup_ops;
}

static int storage_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	struct hash_shape shape = {
		.key_n = 8, .max = OBJECTS_MAX, .stored = d->value_size, .spare = HASH_SPARE};

	if ((d->flags & ~(uint32_t)(BPF_F_NO_PREALLOC | BPF_F_CLONE)) ||
	    !(d->flags & BPF_F_NO_PREALLOC) || d->max_entries || d->key_size != sizeof(int) ||
	    !d->value_size || !d->key_type || !d->value_type)
		return -EINVAL;
	if (d->value_size > VALUE_MAX)
		return -E2BIG;
	return hash_new(ops_of(d->type), d, cpus, shape, ret);
}

/* The older kind: only of cgroups, and always there. */
static int old_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	bool per_cpu = d->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
	struct hash_shape shape = {.key_n = 8,
				   .max = OBJECTS_MAX,
				   .stored = per_cpu ? 0 : d->value_size,
				   .spare = HASH_SPARE};
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG |
			   BPF_F_WRONLY_PROG;

	if ((d->key_size != sizeof(struct bpf_cgroup_storage_key) && d->key_size != 8) ||
	    !d->value_size)
		return -EINVAL;
	if (d->value_size > (per_cpu ? (uint32_t)MAP_CPU_VALUE_MAX : (uint32_t)VALUE_MAX))
		return -E2BIG;
	if ((d->flags & ~allowed) || !map_access_ok(d->flags) || d->max_entries)
		return -EINVAL;
	if (per_cpu)
		shape.max = 4096;
	return hash_new(per_cpu ? &storage_old_cgroup_cpu_ops : &storage_old_cgroup_ops, d, cpus,
			shape, ret);
}

void *map_storage(struct vm_map *m, uint64_t owner, const void *init, uint64_t flags)
{
	bool per_cpu = m->def.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
	unsigned int cpu = vm_current ? vm_current->cpu : 0;
	void *value = per_cpu ? hash_cpu_lookup(m, &owner, cpu) : hash_lookup(m, &owner, 0);
	char *zeros;
	int r;

	if (value || !(flags & BPF_LOCAL_STORAGE_GET_F_CREATE))
		return value;
	zeros = calloc(1, m->def.value_size);
	if (!zeros)
		return NULL;
	if (per_cpu)
		r = hash_cpu_ops.update(m, &owner, zeros, BPF_NOEXIST, cpu);
	else
		r = hash_update(m, &owner, init ? init : zeros, BPF_NOEXIST, 0);
	free(zeros);
	if (r < 0 && r != -EEXIST)
		return NULL;
	return per_cpu ? hash_cpu_lookup(m, &owner, cpu) : hash_lookup(m, &owner, 0);
}

int map_storage_delete(struct vm_map *m, uint64_t owner)
{
	return hash_delete(m, &owner);
}

static int no_read(struct vm_map *m, const void *key, void *ret)
{
	return -EBADF;
}

static int no_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		     unsigned int cpu)
{
	return -EBADF;
}

static int no_delete(struct vm_map *m, const void *key)
{
	return -EBADF;
}

static int no_next_key(struct vm_map *m, const void *key, void *ret)
{
	return -MAP_ENOTSUPP;
}

#define STORAGE(name)                                 \
	const struct map_ops storage_##name##_ops = { \
		.create = storage_create,             \
		.free = hash_free,                    \
		.update = no_update,                  \
		.delete = no_delete,                  \
		.next_key = no_next_key,              \
		.read = no_read,                      \
	}
STORAGE(task);
STORAGE(inode);
STORAGE(socket);
STORAGE(cgroup);

/* --- user space knows cgroups of the older kind by number: the key begins with it */

static int old_read(struct vm_map *m, const void *key, void *ret)
{
	const void *value = hash_lookup(m, key, 0);

	if (!value)
		return -ENOENT;
	fields_copy_out(&m->def, ret, value);
	return 0;
}

/* What is there may be changed; nothing is added. */
static int old_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		      unsigned int cpu)
{
	void *to = hash_lookup(m, key, 0);

	if (flags & ~(uint64_t)(BPF_F_LOCK | BPF_EXIST))
		return -EINVAL;
	if (!to)
		return -ENOENT;
	fields_copy_locked(&m->def, to, value, to);
	return 0;
}

static int old_cpu_write(struct vm_map *m, const void *key, const void *values, uint64_t flags)
{
	if (flags != BPF_ANY && flags != BPF_EXIST)
		return -EINVAL;
	return hash_cpu_lookup(m, key, 0) ? hash_cpu_ops.write(m, key, values, BPF_EXIST) : -ENOENT;
}

static int old_delete(struct vm_map *m, const void *key)
{
	return -EINVAL;
}

const struct map_ops storage_old_cgroup_ops = {
	.create = old_create,
	.free = hash_free,
	.update = old_update,
	.delete = old_delete,
	.next_key = hash_next_key,
	.read = old_read,
};

const struct map_ops storage_old_cgroup_cpu_ops = {
	.create = old_create,
	.free = hash_free,
	.delete = old_delete,
	.next_key = hash_next_key,
	.read = hash_cpu_read,
	.write = old_cpu_write,
};
