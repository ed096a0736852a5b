/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same wherever a question runs: what its maps of losses and stacks say. */
#include "runtime/query.h"

#include <string.h>

struct sum {
	uint32_t row;
	uint64_t total;
};

static int add_up(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct sum *s = ctx;
	uint64_t one;

	(void)key;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(&one, (const char *)values + i * step + s->row * sizeof(one), sizeof(one));
		s->total += one;
	}
	return 0;
}

uint64_t query_loss(struct query *x, uint32_t loss)
{
	struct sum s = {.row = loss};
	uint32_t zero = 0;

	if (x->q->lost < 0 || (loss + 1) * sizeof(uint64_t) > x->q->maps.p[x->q->lost].value_size)
		return 0;
	query_map_get(x, (uint32_t)x->q->lost, &zero, add_up, &s);
	return s.total;
}

struct frames {
	uint64_t *to;
	unsigned int room, n;
	uint32_t bytes;
};

static int take_frames(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct frames *f = ctx;
	unsigned int have = f->bytes / sizeof(uint64_t);
	uint64_t one;

	(void)key;
	(void)n;
	(void)step;
	for (unsigned int i = 0; i < have && i < f->room; i++) {
		memcpy(&one, (const char *)values + i * sizeof(one), sizeof(one));
		if (!one)
			break;
		f->to[f->n++] = one;
	}
	return 0;
}

unsigned int query_stack(struct query *x, uint64_t id, uint64_t *frames, unsigned int room)
{
	struct frames f = {.to = frames, .room = room};

	if (x->q->stacks < 0 || !id)
		return 0;
	f.bytes = x->q->maps.p[x->q->stacks].value_size;
	query_map_get(x, (uint32_t)x->q->stacks, &id, take_frames, &f);
	return f.n;
}
