/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: a definition of a map, then operations on it.
 *
 * The first byte chooses one of the kinds that have a model (unit/vm/map/map-model.h): all answers
 * must be the model's.  Or the definition is any, and whatever could be made is used as it
 * may be.
 */
#include "vm/map/map-model.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CPUS = 2 };

struct bytes {
	const uint8_t *p;
	size_t n;
};

static uint32_t next_word(void *ctx)
{
	struct bytes *b = ctx;
	uint32_t v = 0;
	size_t n = b->n < 4 ? b->n : 4;

	memcpy(&v, b->p, n);
	b->p += n;
	b->n -= n;
	return v;
}

static void run_model(const struct model_kind *k, struct bytes *in)
{
	struct vm_map_def d = {.name = "m",
			       .type = k->type,
			       .key_size = k->key_size,
			       .value_size = k->value_size,
			       .max_entries = k->max,
			       .flags = k->flags};
	struct model *model = model_new(k, CPUS);
	struct model_answer got, want;
	struct model_op op;
	struct vm_map *m;
	int r = map_create(&d, CPUS, &m);

	assert(!r);
	while (in->n) {
		model_op_make(k, CPUS, OP_COUNT, next_word, in, &op);
		if (k->is_lru && (op.kind == OP_WALK || op.kind == OP_EACH))
			continue;
		if (k->is_lru && map_user_lookup(m, op.key, got.values) == -ENOENT)
			model_forget(model, &op);
		model_ask_ours(m, &op, &got);
		model_apply(model, &op, &want);
		assert(model_is_same(k, CPUS, &op, &got, &want));
	}
	model_free(model);
	map_unref(m);
}

static int take_record(void *ctx, const void *record, size_t n)
{
	const uint8_t *p = record;
	uint32_t *sum = ctx;

	while (n--)
		*sum += *p++;
	return 0;
}

/* Reserve, submit in any order, drain. */
static void run_ring(struct vm_map *m, struct bytes *in)
{
	void *open[4] = {NULL};
	uint32_t sum = 0;

	while (in->n) {
		uint32_t x = next_word(in);
		void **slot = &open[x >> 2 & 3];

		if ((x & 3) == 3) {
			map_ring_drain(m, take_record, &sum);
		} else if (!*slot) {
			*slot = map_ring_reserve(m, x >> 8 & 0x3fff, 0);
			if (*slot)
				memset(*slot, 1, x >> 8 & 0x3fff);
		} else {
			assert(map_ring_of(*slot) == m);
			map_ring_submit(m, *slot, x >> 4 & 3, x & 1);
			*slot = NULL;
		}
		assert(map_ring_query(m, BPF_RB_AVAIL_DATA) < map_ring_query(m, BPF_RB_RING_SIZE));
	}
	for (unsigned int i = 0; i < 4; i++)
		if (open[i])
			map_ring_submit(m, open[i], 0, false);
	map_ring_drain(m, take_record, &sum);
	assert(!map_ring_query(m, BPF_RB_AVAIL_DATA));
}

static void run_any(struct bytes *in)
{
	struct vm_map_def d = {.name = "m", .type = next_word(in) % 36};
	uint8_t *key, *next, *value;
	struct vm_map *m;

	d.key_size = next_word(in);
	d.value_size = next_word(in);
	d.max_entries = next_word(in);
	d.flags = next_word(in);
	d.extra = d.flags >> 28;
	d.flags &= 0xfffff;
	d.key_type = d.value_type = 1;
	/* small enough for a machine that counts what is reserved */
	if (d.key_size > 4096 || d.value_size > 65536 || d.max_entries > 65536 ||
	    map_create(&d, CPUS, &m) < 0)
		return;
	if (d.type == BPF_MAP_TYPE_RINGBUF) {
		run_ring(m, in);
		map_unref(m);
		return;
	}
	key = calloc(1, d.key_size + 8ul);
	next = calloc(1, d.key_size + 8ul);
	value = calloc(CPUS, d.value_size + 8ul);
	for (int i = 0; in->n && i < 100; i++) {
		uint32_t x = next_word(in);

		if (d.key_size)
			memset(key, (int)(x >> 8), d.key_size < 4 ? d.key_size : 4);
		switch (x & 7) {
		case 0:
			map_user_lookup(m, key, value);
			break;
		case 1:
			map_user_update(m, key, value, x >> 28);
			break;
		case 2:
			map_user_delete(m, key);
			break;
		case 3:
			map_next_key(m, x & 8 ? key : NULL, next);
			break;
		case 4:
			map_update(m, key, value, x >> 28, x >> 4 & 1);
			break;
		case 5:
			map_push(m, value, x >> 28);
			break;
		case 6:
			map_pop(m, value);
			break;
		case 7:
			map_user_take(m, key, value);
			break;
		}
	}
	free(key);
	free(next);
	free(value);
	map_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = {data + 1, n - 1};

	if (!n || n > 4096)
		return 0;
	if (data[0] < 8 * model_kinds_n)
		run_model(&model_kinds[data[0] % model_kinds_n], &in);
	else
		run_any(&in);
	return 0;
}
