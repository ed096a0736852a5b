/* SPDX-License-Identifier: Apache-2.0 */
/* A plain model of each kind of map: a list of keys and values, looked through from its begin. */
#include "map-model.h"

#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct model_kind model_kinds[] = {
	{"array", BPF_MAP_TYPE_ARRAY, 4, 12, 7, 0, false},
	{"percpu array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 5, 0, false},
	{"hash", BPF_MAP_TYPE_HASH, 4, 8, 9, 0, false},
	{"hash, odd key", BPF_MAP_TYPE_HASH, 7, 5, 16, 0, false},
	{"hash, not preallocated", BPF_MAP_TYPE_HASH, 8, 20, 8, BPF_F_NO_PREALLOC, false},
	{"percpu hash", BPF_MAP_TYPE_PERCPU_HASH, 8, 12, 6, 0, false},
	{"percpu hash, not preallocated", BPF_MAP_TYPE_PERCPU_HASH, 3, 8, 6, BPF_F_NO_PREALLOC,
	 false},
	{"lru hash", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, 0, true},
	{"lru percpu hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 10, 0, true},
	{"lpm trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 12, BPF_F_NO_PREALLOC, false},
	{"lpm trie, short", BPF_MAP_TYPE_LPM_TRIE, 5, 3, 200, BPF_F_NO_PREALLOC, false},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, 6, 4, 0, false},
	{"stack", BPF_MAP_TYPE_STACK, 0, 8, 4, 0, false},
	{"read-only hash", BPF_MAP_TYPE_HASH, 4, 8, 9, BPF_F_RDONLY, false},
	{"write-only array", BPF_MAP_TYPE_ARRAY, 4, 8, 3, BPF_F_WRONLY, false},
};
const unsigned int model_kinds_n = ELEMENTS(model_kinds);

struct item {
	uint8_t key[MODEL_KEY];
	uint8_t values[MODEL_CPUS][MODEL_VALUE];
};

struct model {
	const struct model_kind *k;
	unsigned int cpus;
	struct item items[MODEL_ITEMS]; /* queue, stack: the oldest first */
	unsigned int n;
	unsigned int may_forget; /* LRU: how many keys may have gone */
};

static bool is_per_cpu(const struct model_kind *k)
{
	return k->type == BPF_MAP_TYPE_PERCPU_ARRAY || k->type == BPF_MAP_TYPE_PERCPU_HASH ||
	       k->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}
static bool is_array(const struct model_kind *k)
{
	return k->type == BPF_MAP_TYPE_ARRAY || k->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}
static bool is_queue(const struct model_kind *k)
{
	return k->type == BPF_MAP_TYPE_QUEUE || k->type == BPF_MAP_TYPE_STACK;
}
static bool is_lpm(const struct model_kind *k)
{
	return k->type == BPF_MAP_TYPE_LPM_TRIE;
}
static uint32_t step_of(const struct model_kind *k)
{
	return is_per_cpu(k) ? (k->value_size + 7) & ~7u : k->value_size;
}

struct model *model_new(const struct model_kind *k, unsigned int cpus)
{
	struct model *m = xalloc(sizeof(*m));

	m->k = k;
	m->cpus = is_per_cpu(k) ? cpus : 1;
	for (uint32_t i = 0; is_array(k) && i < k->max; i++, m->n++)
		memcpy(m->items[i].key, &i, sizeof(i));
	return m;
}

void model_free(struct model *m)
{
	free(m);
}

uint64_t model_hash(const void *key, size_t n)
{
	const uint8_t *p = key;
	uint64_t h = 1469598103934665603ull;

	while (n--)
		h = (h ^ *p++) * 1099511628211ull;
	return h;
}

/* --- prefixes */

static uint32_t bits_of(const void *key)
{
	uint32_t n;

	memcpy(&n, key, sizeof(n));
	return n;
}
static bool bit(const uint8_t *key, uint32_t i)
{
	return key[4 + i / 8] >> (7 - i % 8) & 1;
}
static bool begins_with(const uint8_t *key, const uint8_t *prefix)
{
	if (bits_of(prefix) > bits_of(key))
		return false;
	for (uint32_t i = 0; i < bits_of(prefix); i++)
		if (bit(key, i) != bit(prefix, i))
			return false;
	return true;
}

/* --- the list */

static struct item *find(struct model *m, const uint8_t *key)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (is_lpm(m->k) ? bits_of(key) == bits_of(m->items[i].key) &&
					   begins_with(key, m->items[i].key)
				 : !memcmp(m->items[i].key, key, m->k->key_size))
			return &m->items[i];
	return NULL;
}

/* What a lookup gives: LPM: the longest that the key begins with. */
static struct item *find_best(struct model *m, const uint8_t *key)
{
	struct item *best = NULL;

	if (!is_lpm(m->k))
		return find(m, key);
	if (bits_of(key) > (m->k->key_size - 4) * 8)
		return NULL;
	for (unsigned int i = 0; i < m->n; i++)
		if (begins_with(key, m->items[i].key) &&
		    (!best || bits_of(m->items[i].key) > bits_of(best->key)))
			best = &m->items[i];
	return best;
}

static void remove_item(struct model *m, struct item *it)
{
	memmove(it, it + 1, (size_t)((char *)&m->items[m->n] - (char *)(it + 1)));
	m->n--;
}

static void copy_out(const struct model *m, const struct item *it, uint8_t *to)
{
	for (unsigned int c = 0; c < m->cpus; c++)
		memcpy(to + (size_t)c * step_of(m->k), it->values[c],
		       is_array(m->k) && is_per_cpu(m->k) ? step_of(m->k) : m->k->value_size);
}

/* One value into those of `op`'s cpus. */
static void put_values(struct model *m, struct item *it, const struct model_op *op)
{
	uint32_t step = step_of(m->k);

	for (unsigned int c = 0; c < m->cpus; c++)
		if (op->kind == OP_UPDATE)
			memcpy(it->values[c], op->values + (size_t)c * step, step);
		else if (c == op->cpu || m->cpus == 1)
			memcpy(it->values[c], op->values, m->k->value_size);
}

/* --- updates, by kind */

static int push(struct model *m, const struct model_op *op)
{
	if (op->flags == BPF_NOEXIST || op->flags > BPF_EXIST)
		return -EINVAL;
	if (m->n == m->k->max) {
		if (op->flags != BPF_EXIST)
			return -E2BIG;
		remove_item(m, &m->items[0]);
	}
	memcpy(m->items[m->n++].values[0], op->values, m->k->value_size);
	return 0;
}

static int update(struct model *m, const struct model_op *op)
{
	bool locks = op->flags & BPF_F_LOCK;
	struct item *it = find(m, op->key);

	if (is_queue(m->k))
		return op->kind == OP_UPDATE ? push(m, op) : -EINVAL;
	/* there is no lock in these values */
	if (locks && op->kind == OP_UPDATE)
		return -EINVAL;
	if ((op->flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (is_lpm(m->k) && (locks || bits_of(op->key) > (m->k->key_size - 4) * 8))
		return -EINVAL;
	if (is_array(m->k) && !it)
		return -E2BIG;
	if (is_array(m->k) && (op->flags & BPF_NOEXIST))
		return -EEXIST;
	if (locks)
		return -EINVAL;
	if (it && op->flags == BPF_NOEXIST)
		return -EEXIST;
	if (!it && op->flags == BPF_EXIST)
		return -ENOENT;
	if (!it) {
		if (m->n >= m->k->max && m->k->is_lru)
			m->may_forget++;
		else if (m->n >= m->k->max)
			return is_lpm(m->k) ? -ENOSPC : -E2BIG;
		if (m->n == MODEL_ITEMS)
			return -ENOMEM;
		it = &m->items[m->n++];
		memset(it, 0, sizeof(*it));
		memcpy(it->key, op->key, m->k->key_size);
	}
	if (is_lpm(m->k))
		memcpy(it->key, op->key, m->k->key_size);
	put_values(m, it, op);
	return 0;
}

static int delete (struct model *m, const struct model_op *op)
{
	struct item *it = find(m, op->key);

	if (is_array(m->k) || is_queue(m->k))
		return -EINVAL;
	if (is_lpm(m->k) && bits_of(op->key) > (m->k->key_size - 4) * 8)
		return -EINVAL;
	if (!it)
		return -ENOENT;
	remove_item(m, it);
	return 0;
}

/* Queue, stack: which is next. */
static struct item *next_out(struct model *m)
{
	return !m->n ? NULL : m->k->type == BPF_MAP_TYPE_QUEUE ? &m->items[0] : &m->items[m->n - 1];
}

static int take(struct model *m, const struct model_op *op, struct model_answer *ret)
{
	struct item *it = is_queue(m->k) ? next_out(m) : find(m, op->key);

	if (is_array(m->k) || is_lpm(m->k))
		return -MAP_ENOTSUPP;
	if (!it)
		return -ENOENT;
	copy_out(m, it, ret->values);
	remove_item(m, it);
	return 0;
}

static void walk(struct model *m, struct model_answer *ret)
{
	for (unsigned int i = 0; i < m->n; i++)
		ret->sum += model_hash(m->items[i].key, m->k->key_size);
	ret->r = m->n;
	if (is_queue(m->k)) {
		ret->r = -EINVAL;
		ret->sum = 0;
	}
}

static void each(struct model *m, const struct model_op *op, struct model_answer *ret)
{
	if (is_queue(m->k) || is_lpm(m->k)) {
		ret->r = -EINVAL;
		return;
	}
	for (unsigned int i = 0; i < m->n; i++)
		ret->sum +=
			model_hash(m->items[i].key, m->k->key_size) +
			model_hash(m->items[i].values[m->cpus > 1 ? op->cpu : 0], m->k->value_size);
	ret->r = m->n;
}

static int next_index(const struct model *m, const struct model_op *op, uint8_t *ret)
{
	uint32_t i = bits_of(op->key);

	if (i < m->k->max && i + 1 == m->k->max)
		return -ENOENT;
	i = i < m->k->max ? i + 1 : 0;
	memcpy(ret, &i, sizeof(i));
	return 0;
}

static bool may_not(const struct model_kind *k, enum model_op_kind kind)
{
	bool reads = kind == OP_LOOKUP || kind == OP_WALK || kind == OP_NEXT || kind == OP_TAKE;
	bool writes = kind == OP_UPDATE || kind == OP_DELETE || kind == OP_TAKE;

	return (reads && (k->flags & BPF_F_WRONLY)) || (writes && (k->flags & BPF_F_RDONLY));
}

void model_apply(struct model *m, const struct model_op *op, struct model_answer *ret)
{
	struct item *it;

	memset(ret, 0, sizeof(*ret));
	if (may_not(m->k, op->kind)) {
		ret->r = -EPERM;
		return;
	}
	switch (op->kind) {
	case OP_LOOKUP:
		it = is_queue(m->k) ? next_out(m) : find_best(m, op->key);
		ret->r = it ? 0 : -ENOENT;
		if (it)
			copy_out(m, it, ret->values);
		break;
	case OP_PROG_LOOKUP:
		it = is_queue(m->k) ? NULL : find_best(m, op->key);
		ret->r = it ? 0 : -ENOENT;
		if (it)
			memcpy(ret->values, it->values[m->cpus > 1 ? op->cpu : 0],
			       m->k->value_size);
		break;
	case OP_UPDATE:
	case OP_PROG_UPDATE:
		ret->r = update(m, op);
		break;
	case OP_DELETE:
	case OP_PROG_DELETE:
		ret->r = delete (m, op);
		break;
	case OP_TAKE:
		ret->r = take(m, op, ret);
		break;
	case OP_WALK:
		walk(m, ret);
		break;
	case OP_NEXT:
		ret->r = next_index(m, op, ret->values);
		break;
	case OP_EACH:
		each(m, op, ret);
		break;
	case OP_COUNT:
		break;
	}
}

bool model_forget(struct model *m, const struct model_op *op)
{
	struct item *it = find(m, op->key);

	if (!it || !m->may_forget)
		return false;
	m->may_forget--;
	remove_item(m, it);
	return true;
}

/* --- ours */

static uint64_t add_one(void *ctx, struct vm_map *m, const void *key, void *value)
{
	uint64_t *sum = ctx;

	*sum += model_hash(key, m->def.key_size) + model_hash(value, m->def.value_size);
	return 0;
}

static int64_t walk_ours(struct vm_map *m, uint64_t *ret_sum)
{
	uint8_t key[MODEL_KEY], next[MODEL_KEY];
	int64_t n = 0;
	int r = map_next_key(m, NULL, next);

	while (!r && n <= MODEL_ITEMS) {
		*ret_sum += model_hash(next, m->def.key_size);
		n++;
		memcpy(key, next, sizeof(key));
		r = map_next_key(m, key, next);
	}
	return r == -ENOENT ? n : r;
}

void model_ask_ours(struct vm_map *m, const struct model_op *op, struct model_answer *ret)
{
	const void *value;

	memset(ret, 0, sizeof(*ret));
	switch (op->kind) {
	case OP_LOOKUP:
		ret->r = map_user_lookup(m, op->key, ret->values);
		break;
	case OP_UPDATE:
		ret->r = map_user_update(m, op->key, op->values, op->flags);
		break;
	case OP_DELETE:
		ret->r = map_user_delete(m, op->key);
		break;
	case OP_TAKE:
		ret->r = map_user_take(m, op->key, ret->values);
		break;
	case OP_WALK:
		ret->r = walk_ours(m, &ret->sum);
		break;
	case OP_NEXT:
		ret->r = map_next_key(m, op->key, ret->values);
		break;
	case OP_PROG_LOOKUP:
		value = map_lookup(m, op->key, op->cpu);
		ret->r = value ? 0 : -ENOENT;
		if (value)
			memcpy(ret->values, value, m->def.value_size);
		break;
	case OP_PROG_UPDATE:
		ret->r = map_update(m, op->key, op->values, op->flags, op->cpu);
		break;
	case OP_PROG_DELETE:
		ret->r = map_delete(m, op->key);
		break;
	case OP_EACH:
		ret->r = map_each_element(m, op->cpu, add_one, &ret->sum);
		break;
	case OP_COUNT:
		break;
	}
}

/* --- operations by chance */

static void make_key(const struct model_kind *k, uint32_t x, struct model_op *op)
{
	uint32_t most = (k->key_size - 4) * 8, n_bits;

	if (is_lpm(k)) {
		/* few different bits, so that prefixes meet */
		n_bits = x % 64 == 63 ? most + 1 : x % (most + 1);
		memcpy(op->key, &n_bits, 4);
		for (uint32_t i = 4; i < k->key_size; i++)
			op->key[i] = (uint8_t)((x >> (8 + i) & 3) * 0x55 ^ (x >> 20 & 0x80));
		return;
	}
	x %= k->max * 2 + 1;
	memset(op->key, (int)(x * 7), k->key_size);
	memcpy(op->key, &x, k->key_size < 4 ? k->key_size : 4);
}

void model_op_make(const struct model_kind *k, unsigned int cpus, unsigned int kinds,
		   uint32_t (*next)(void *ctx), void *ctx, struct model_op *ret)
{
	static const uint64_t flags[] = {0, 0,		 0,
					 0, BPF_NOEXIST, BPF_EXIST,
					 3, BPF_F_LOCK,	 BPF_F_LOCK | BPF_EXIST,
					 8, UINT64_MAX,	 1ull << 32};
	uint32_t x = next(ctx), step = step_of(k);

	memset(ret, 0, sizeof(*ret));
	ret->kind = (enum model_op_kind)(x % kinds);
	if (ret->kind == OP_WALK && x >> 8 & 7) /* the dear one is rare */
		ret->kind = OP_UPDATE;
	/* the model knows the order of arrays only, the kernel's tries have the same as ours */
	if (ret->kind == OP_NEXT && !is_array(k) && !(is_lpm(k) && kinds == OPS_OF_USER))
		ret->kind = OP_UPDATE;
	ret->flags = flags[(x >> 12 & 15) % ELEMENTS(flags)];
	ret->cpu = (x >> 16) % cpus;
	if (k->key_size)
		make_key(k, next(ctx), ret);
	for (unsigned int c = 0; c < (is_per_cpu(k) ? cpus : 1); c++)
		memset(ret->values + (size_t)c * step, (int)(x >> 20) + (int)c, k->value_size);
}

bool model_is_same(const struct model_kind *k, unsigned int cpus, const struct model_op *op,
		   const struct model_answer *a, const struct model_answer *b)
{
	size_t n = op->kind == OP_NEXT		? k->key_size
		   : op->kind == OP_PROG_LOOKUP ? k->value_size
						: (size_t)step_of(k) * (is_per_cpu(k) ? cpus : 1);
	bool gives = op->kind == OP_LOOKUP || op->kind == OP_TAKE || op->kind == OP_NEXT ||
		     op->kind == OP_PROG_LOOKUP;

	return a->r == b->r && a->sum == b->sum &&
	       (!gives || a->r < 0 || !memcmp(a->values, b->values, n));
}

void model_print(char *to, size_t room, const struct model_kind *k, const struct model_op *op,
		 const struct model_answer *got, const struct model_answer *want)
{
	static const char *const names[] = {"lookup", "update", "delete",	 "take",   "walk",
					    "next",   "lookup", "update (prog)", "delete", "each"};

	snprintf(to, room,
		 "%s: %s key %02x%02x%02x%02x %02x%02x flags %llx cpu %u: %lld, expected %lld; "
		 "value %02x%02x, expected %02x%02x",
		 k->name, names[op->kind], op->key[0], op->key[1], op->key[2], op->key[3],
		 op->key[4], op->key[5], (unsigned long long)op->flags, op->cpu, (long long)got->r,
		 (long long)want->r, got->values[0], got->values[1], want->values[0],
		 want->values[1]);
}
