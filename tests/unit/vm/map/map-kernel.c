/* SPDX-License-Identifier: Apache-2.0 */
#include "map-kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int cmd, union bpf_attr *a)
{
	int r = (int)syscall(SYS_bpf, cmd, a, sizeof(*a));

	return r < 0 ? -errno : r;
}

int map_kernel_create(const struct vm_map_def *d, int inner_fd)
{
	union bpf_attr a = {.map_type = d->type,
			    .key_size = d->key_size,
			    .value_size = d->value_size,
			    .max_entries = d->max_entries,
			    .map_flags = d->flags,
			    .inner_map_fd = inner_fd ? (uint32_t)inner_fd : UINT32_MAX,
			    .map_extra = d->extra};

	return call(BPF_MAP_CREATE, &a);
}

void map_kernel_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

unsigned int map_kernel_cpus(void)
{
	struct vm_map_def d = {
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = 0, first;
	int fd = map_kernel_create(&d, 0);

	if (fd < 0 || !f || fscanf(f, "%u-%u", &first, &last) < 1)
		last = UINT32_MAX;
	if (f)
		fclose(f);
	map_kernel_close(fd);
	return last + 1;
}

static int next_key(int fd, const void *key, void *ret)
{
	union bpf_attr a = {.map_fd = (uint32_t)fd, .key = (uintptr_t)key};

	a.next_key = (uintptr_t)ret;
	return call(BPF_MAP_GET_NEXT_KEY, &a);
}

static int64_t walk(int fd, uint32_t key_size, uint64_t *ret_sum)
{
	uint8_t key[MODEL_KEY], next[MODEL_KEY];
	int64_t n = 0;
	int r = next_key(fd, NULL, next);

	while (!r && n <= MODEL_ITEMS) {
		*ret_sum += model_hash(next, key_size);
		n++;
		memcpy(key, next, sizeof(key));
		r = next_key(fd, key, next);
	}
	return r == -ENOENT ? n : r;
}

void map_kernel_ask(int fd, const struct vm_map_def *d, const struct model_op *op,
		    struct model_answer *ret)
{
	union bpf_attr a = {.map_fd = (uint32_t)fd};

	memset(ret, 0, sizeof(*ret));
	a.key = d->key_size ? (uintptr_t)op->key : 0;
	a.value = (uintptr_t)ret->values;
	switch (op->kind) {
	case OP_LOOKUP:
		ret->r = call(BPF_MAP_LOOKUP_ELEM, &a);
		break;
	case OP_UPDATE:
		a.value = (uintptr_t)op->values;
		a.flags = op->flags;
		ret->r = call(BPF_MAP_UPDATE_ELEM, &a);
		break;
	case OP_DELETE:
		a.value = 0;
		ret->r = call(BPF_MAP_DELETE_ELEM, &a);
		break;
	case OP_TAKE:
		ret->r = call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &a);
		break;
	case OP_WALK:
		ret->r = walk(fd, d->key_size, &ret->sum);
		break;
	case OP_NEXT:
		ret->r = next_key(fd, op->key, ret->values);
		break;
	case OP_PROG_LOOKUP:
	case OP_PROG_UPDATE:
	case OP_PROG_DELETE:
	case OP_EACH:
	case OP_COUNT:
		break;
	}
}
