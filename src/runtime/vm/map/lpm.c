/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Longest prefix match: a binary trie of prefixes, as routing tables are.
 *
 * A node is a prefix; its children are longer ones that begin with it and go on with a 0 or a 1.
 * Where two prefixes part at a place that nobody asked for, a node without a value stands
 * (is_between); such a node always has both children.  Readers walk without a lock and walk
 * again if the trie changed meanwhile.  Mirrors kernel/bpf/lpm_trie.c: a key is a length in
 * bits, then the bytes; an update replaces the node.
 */
#include "runtime/vm/map/field.h"
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <stdlib.h>
#include <string.h>

enum { DATA_MAX = 256, BITS_MAX = DATA_MAX * 8, SPARE = 64 };

struct node {
	uint32_t free; /* the pool's link */
	uint32_t n_bits;
	uint32_t child[2];   /* numbers + 1; 0: none */
	uint32_t is_between; /* has no value */
	uint8_t data[];	     /* rounded up to 8 with what is above; then the value */
};

struct lpm {
	struct vm_map map;
	uint32_t seq; /* of the whole trie */
	uint32_t root, n;
	uint32_t data_n, value_at;
	size_t step;
	uint64_t room;
	char *nodes;
	struct pool pool;
};

struct key {
	uint32_t n_bits;
	const uint8_t *data;
};

static struct lpm *lpm_of(struct vm_map *m)
{
	return (struct lpm *)m;
}
static struct node *node_of(const struct lpm *t, uint32_t number)
{
	return (struct node *)(t->nodes + (size_t)(number - 1) * t->step);
}
static void *value_of(const struct lpm *t, struct node *n)
{
	return (char *)n + t->value_at;
}
static struct key key_of(const void *p)
{
	struct key k = {.data = (const uint8_t *)p + 4};

	memcpy(&k.n_bits, p, 4);
	return k;
}

static int lpm_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	uint32_t allowed = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
			   BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
	struct lpm *t;

	/* 40: struct lpm_trie_node of the kernel's, which must be kmalloc()ed with its value */
	if (!d->max_entries || !(d->flags & BPF_F_NO_PREALLOC) || (d->flags & ~allowed) ||
	    !map_access_ok(d->flags) || d->key_size < 5 || d->key_size > 4 + DATA_MAX ||
	    !d->value_size || d->value_size > MAP_KMALLOC_MAX - DATA_MAX - 40)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	map_init(&t->map, &lpm_ops, d, cpus);
	t->data_n = d->key_size - 4;
	t->value_at = (sizeof(struct node) + t->data_n + 7) & ~7u;
	t->step = t->value_at + t->map.value_step;
	/* each prefix may need one node in between; and a new one comes before the old goes */
	t->pool.end = 2ull * d->max_entries + SPARE;
	t->pool.end = t->pool.end < UINT32_MAX ? t->pool.end : UINT32_MAX - 1;
	t->room = t->pool.end * t->step;
	t->nodes = room_take(t->room);
	if (!t->nodes) {
		free(t);
		return -ENOMEM;
	}
	pool_init(&t->pool, t->nodes, t->step, 0, (uint32_t)t->pool.end);
	t->map.memory = t->nodes;
	t->map.memory_n = t->room;
	t->map.memory_step = t->step;
	t->map.memory_at = t->value_at;
	*ret = &t->map;
	return 0;
}

static void lpm_free(struct vm_map *m)
{
	room_give(lpm_of(m)->nodes, lpm_of(m)->room);
	free(m);
}

static unsigned int bit_at(const uint8_t *data, uint32_t i)
{
	return data[i / 8] >> (7 - i % 8) & 1;
}

/* How many bits a node and a key share. */
__attribute__((no_sanitize("thread"))) static uint32_t match(const struct lpm *t,
							     const struct node *n, struct key k)
{
	uint32_t most = n->n_bits < k.n_bits ? n->n_bits : k.n_bits, bits = 0;

	for (uint32_t i = 0; i < t->data_n && bits < most; i++, bits += 8) {
		uint8_t differ = n->data[i] ^ k.data[i];

		if (differ) {
			bits += (uint32_t)__builtin_clz(differ) - 24;
			break;
		}
	}
	return bits < most ? bits : most;
}

__attribute__((no_sanitize("thread"))) static struct node *find(const struct lpm *t, struct key k,
								uint32_t seq)
{
	struct node *found = NULL;
	uint32_t i = __atomic_load_n(&t->root, __ATOMIC_RELAXED);

	while (i && seq_is_same(&t->seq, seq)) {
		struct node *n = node_of(t, i);
		uint32_t n_bits = n->n_bits, bits = match(t, n, k);

		if (bits == t->data_n * 8)
			return n;
		if (bits < n_bits)
			break;
		if (!n->is_between)
			found = n;
		if (n_bits >= t->data_n * 8)
			break;
		i = __atomic_load_n(&n->child[bit_at(k.data, n_bits)], __ATOMIC_RELAXED);
	}
	return found;
}

static void *lpm_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	struct lpm *t = lpm_of(m);
	struct key k = key_of(key);
	struct node *n;
	uint32_t seq;

	if (k.n_bits > t->data_n * 8)
		return NULL;
	do {
		seq = seq_begin(&t->seq);
		n = find(t, k, seq);
	} while (!seq_is_same(&t->seq, seq));
	return n ? value_of(t, n) : NULL;
}

static struct node *new_node(struct lpm *t, struct key k, const void *value, uint32_t *ret_number)
{
	uint32_t i = pool_take(&t->pool);
	struct node *n;

	if (i == POOL_NONE)
		return NULL;
	*ret_number = i + 1;
	n = node_of(t, i + 1);
	n->n_bits = k.n_bits;
	n->child[0] = n->child[1] = 0;
	n->is_between = !value;
	memcpy(n->data, k.data, t->data_n);
	if (value)
		fields_copy(&t->map.def, value_of(t, n), value);
	return n;
}

/* One more prefix: is there room? */
static int count_one(struct lpm *t, uint64_t flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	if (t->n == t->map.def.max_entries)
		return -ENOSPC;
	t->n++;
	return 0;
}

/* Hang `added` and what stands at *slot below a new node where they part. */
static int part(struct lpm *t, uint32_t *slot, uint32_t bits, struct node *added, uint32_t number)
{
	struct node *old = node_of(t, *slot), *between;
	unsigned int side = bit_at(added->data, bits);
	uint32_t i;

	between = new_node(t, (struct key){bits, old->data}, NULL, &i);
	if (!between) {
		t->n--;
		return -ENOMEM;
	}
	between->child[side] = number;
	between->child[!side] = *slot;
	__atomic_store_n(slot, i, __ATOMIC_RELAXED);
	return 0;
}

/* Put the new node where it belongs; `ret_gone`: the number of the one it replaced. */
static int insert(struct lpm *t, struct key k, struct node *added, uint32_t number, uint64_t flags,
		  uint32_t *ret_gone)
{
	uint32_t *slot = &t->root, bits = 0;
	struct node *n = NULL;
	int r = 0;

	while (*slot) {
		n = node_of(t, *slot);
		bits = match(t, n, k);
		if (n->n_bits != bits || n->n_bits == k.n_bits || n->n_bits == t->data_n * 8)
			break;
		slot = &n->child[bit_at(k.data, n->n_bits)];
	}
	if (*slot && n->n_bits == bits && !n->is_between)
		r = flags == BPF_NOEXIST ? -EEXIST : 0;
	else
		r = count_one(t, flags);
	if (r < 0)
		return r;
	if (*slot && n->n_bits == bits) {
		added->child[0] = n->child[0];
		added->child[1] = n->child[1];
		*ret_gone = *slot;
	} else if (*slot && bits == k.n_bits) {
		added->child[bit_at(n->data, bits)] = *slot;
	} else if (*slot) {
		return part(t, slot, bits, added, number);
	}
	__atomic_store_n(slot, number, __ATOMIC_RELAXED);
	return 0;
}

static void give_node(struct lpm *t, uint32_t number)
{
	if (!number)
		return;
	if (!node_of(t, number)->is_between)
		fields_free(&t->map.def, value_of(t, node_of(t, number)));
	pool_give(&t->pool, number - 1);
}

static int lpm_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		      unsigned int cpu)
{
	struct lpm *t = lpm_of(m);
	struct key k = key_of(key);
	uint32_t number = 0, gone = 0;
	struct node *added;
	int r;

	if (flags > BPF_EXIST || k.n_bits > t->data_n * 8)
		return -EINVAL;
	seq_lock(&t->seq);
	added = new_node(t, k, value, &number);
	r = added ? insert(t, k, added, number, flags, &gone) : -ENOMEM;
	if (r < 0)
		gone = number;
	give_node(t, gone);
	seq_unlock(&t->seq);
	return r;
}

/* Take out the node at *slot, which has at most one child; `above` is the slot of its parent. */
static void take_out(struct lpm *t, uint32_t *slot, uint32_t *above, struct node *parent)
{
	uint32_t number = *slot, parent_number = *above;
	struct node *n = node_of(t, number);

	if (parent && parent->is_between && !n->child[0] && !n->child[1]) {
		/* a node in between needs both children: the other takes its place */
		uint32_t other = parent->child[0] == number ? parent->child[1] : parent->child[0];

		__atomic_store_n(above, other, __ATOMIC_RELAXED);
		give_node(t, parent_number);
	} else {
		__atomic_store_n(slot, n->child[0] ? n->child[0] : n->child[1], __ATOMIC_RELAXED);
	}
	give_node(t, number);
}

static int lpm_delete(struct vm_map *m, const void *key)
{
	struct lpm *t = lpm_of(m);
	struct key k = key_of(key);
	uint32_t *slot = &t->root, *above = slot, bits = 0;
	struct node *n = NULL, *parent = NULL;
	int r = 0;

	if (k.n_bits > t->data_n * 8)
		return -EINVAL;
	seq_lock(&t->seq);
	while (*slot) {
		n = node_of(t, *slot);
		bits = match(t, n, k);
		if (n->n_bits != bits || n->n_bits == k.n_bits)
			break;
		parent = n;
		above = slot;
		slot = &n->child[bit_at(k.data, n->n_bits)];
	}
	if (!*slot || n->n_bits != k.n_bits || n->n_bits != bits || n->is_between) {
		r = -ENOENT;
	} else {
		t->n--;
		if (n->child[0] && n->child[1])
			n->is_between = 1;
		else
			take_out(t, slot, above, parent);
	}
	seq_unlock(&t->seq);
	return r;
}

/* --- walking: longer prefixes before those they begin with */

/* The first in that order of all below `i`. */
static struct node *first_below(const struct lpm *t, uint32_t i)
{
	struct node *n = NULL;

	while (i) {
		n = node_of(t, i);
		i = n->child[0] ? n->child[0] : n->child[1];
	}
	return n;
}

/* Behind the exact node of `k`; NULL: it was the last.  *ret_found: there is such a node. */
static struct node *find_next(const struct lpm *t, struct key k, bool *ret_found)
{
	struct node *path[BITS_MAX + 1], *n = NULL;
	unsigned int depth = 0;
	uint32_t bits = 0;

	for (uint32_t i = t->root; i && depth <= BITS_MAX;) {
		n = path[depth++] = node_of(t, i);
		bits = match(t, n, k);
		if (n->n_bits != bits || n->n_bits == k.n_bits)
			break;
		i = n->child[bit_at(k.data, n->n_bits)];
		if (!i)
			return NULL;
	}
	*ret_found = n && n->n_bits == bits && n->n_bits == k.n_bits && !n->is_between;
	for (; *ret_found && depth > 1; depth--) {
		struct node *parent = path[depth - 2];

		if (parent->child[0] && node_of(t, parent->child[0]) == path[depth - 1] &&
		    parent->child[1])
			return first_below(t, parent->child[1]);
		if (!parent->is_between)
			return parent;
	}
	return NULL;
}

static int lpm_next_key(struct vm_map *m, const void *key, void *ret)
{
	struct lpm *t = lpm_of(m);
	struct node *n = NULL;
	bool found = false;

	seq_lock(&t->seq);
	if (key && key_of(key).n_bits <= t->data_n * 8)
		n = find_next(t, key_of(key), &found);
	if (!found)
		n = first_below(t, t->root);
	if (n) {
		memcpy(ret, &n->n_bits, 4);
		memcpy((char *)ret + 4, n->data, t->data_n);
	}
	seq_unlock(&t->seq);
	return n ? 0 : -ENOENT;
}

const struct map_ops lpm_ops = {
	.create = lpm_create,
	.free = lpm_free,
	.lookup = lpm_lookup,
	.update = lpm_update,
	.delete = lpm_delete,
	.next_key = lpm_next_key,
};
