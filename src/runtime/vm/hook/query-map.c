/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of a question in skep itself: read and changed, as query-map.c of kern/ does. */
#include "runtime/vm/hook/query-internal.h"

#include <errno.h>
#include <stdlib.h>

static unsigned int n_values(const struct query_vm *x, const struct vm_map *m)
{
	return map_user_size(m) == m->def.value_size ? 1 : x->cpus;
}

static size_t step_of(const struct query_vm *x, const struct vm_map *m)
{
	unsigned int n = n_values(x, m);

	return n == 1 ? m->def.value_size : map_user_size(m) / n;
}

static bool is_array(const struct vm_map *m)
{
	return m->def.type == BPF_MAP_TYPE_ARRAY || m->def.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* An element's values, wherever they are. */
static int hand_over(struct query_vm *x, uint32_t map, const char *key, const char *value,
		     query_item_fn fn, void *ctx)
{
	const struct vm_map *m = x->maps[map];

	return query_hand_over(&x->base.q->maps.p[map], key, value, n_values(x, m), step_of(x, m),
			       fn, ctx);
}

int query_vm_map_get(struct query *base, uint32_t map, const void *key, query_item_fn fn, void *ctx)
{
	struct vm_map *m = VM(base)->maps[map];
	_cleanup_free_ char *value = xalloc(map_user_size(m) + 1);
	int r = map_user_lookup(m, key, value);

	return r < 0 ? r : hand_over(VM(base), map, key, value, fn, ctx);
}

int query_vm_map_each(struct query *base, uint32_t map, query_item_fn fn, void *ctx)
{
	struct vm_map *m = VM(base)->maps[map];
	_cleanup_free_ char *key = xalloc(2 * (size_t)m->def.key_size + 1), *value = NULL;
	char *next = key + m->def.key_size, *before = NULL;
	int r, n = 0;

	value = xalloc(map_user_size(m) + 1);
	while (!(r = map_next_key(m, before, next))) {
		memcpy(key, next, m->def.key_size);
		before = key;
		if (map_user_lookup(m, key, value) < 0)
			continue;
		r = hand_over(VM(base), map, key, value, fn, ctx);
		if (r < 0)
			return r;
		n++;
	}
	return r == -ENOENT ? n : r;
}

/* The one element of a map without keys; its mark says whether it was ever set. */
static int zero_array(struct query_vm *x, uint32_t map, bool keeps_mark)
{
	struct vm_map *m = x->maps[map];
	_cleanup_free_ char *value = xalloc(map_user_size(m) + 1);
	uint32_t key = 0;
	int r = map_user_lookup(m, &key, value);

	if (r < 0)
		return r;
	query_erase(&x->base.q->maps.p[map], value, n_values(x, m), step_of(x, m), keeps_mark);
	return map_user_update(m, &key, value, BPF_ANY);
}

int query_vm_map_clear(struct query *base, uint32_t map)
{
	struct vm_map *m = VM(base)->maps[map];
	_cleanup_free_ char *key = xalloc(m->def.key_size + 1);
	int r;

	if (is_array(m))
		return zero_array(VM(base), map, false);
	while (!(r = map_next_key(m, NULL, key))) {
		r = map_user_delete(m, key);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

struct zeroing {
	struct vm_map *map;
	char *zero;
};

static int zero_one(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct zeroing *z = ctx;
	int r = map_user_update(z->map, key, z->zero, BPF_EXIST);

	(void)values;
	(void)n;
	(void)step;
	return r == -ENOENT ? 0 : r;
}

int query_vm_map_zero(struct query *base, uint32_t map)
{
	struct vm_map *m = VM(base)->maps[map];
	struct zeroing z = {.map = m};
	int r;

	if (is_array(m))
		return zero_array(VM(base), map, true);
	z.zero = xalloc(map_user_size(m) + 1);
	r = query_vm_map_each(base, map, zero_one, &z);
	free(z.zero);
	return r < 0 ? r : 0;
}
