/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps against a plain model of them, and against the kernel's: the same operations, by chance,
 * must give the same answers.
 */
#include "map-kernel.h"
#include "map-model.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CPUS = 3, OPS = 30000 };

static uint32_t next_random(void *ctx)
{
	uint64_t *s = ctx;

	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (uint32_t)(*s >> 16);
}

static struct vm_map *make(const struct model_kind *k, unsigned int cpus)
{
	struct vm_map_def d = {.name = "m",
			       .type = k->type,
			       .key_size = k->key_size,
			       .value_size = k->value_size,
			       .max_entries = k->max,
			       .flags = k->flags};
	struct vm_map *m = NULL;

	CHECK_EQ(map_create(&d, cpus, &m), 0);
	return m;
}

static void run_model(const struct model_kind *k, uint64_t seed)
{
	struct vm_map *m = make(k, CPUS);
	struct model *model = model_new(k, CPUS);
	struct model_answer got, want;
	struct model_op op;
	char text[256];

	for (int i = 0; i < OPS; i++) {
		model_op_make(k, CPUS, OP_COUNT, next_random, &seed, &op);
		/* which keys an LRU has is its own matter */
		if (k->is_lru && (op.kind == OP_WALK || op.kind == OP_EACH))
			continue;
		if (k->is_lru && map_user_lookup(m, op.key, got.values) == -ENOENT)
			model_forget(model, &op);
		model_ask_ours(m, &op, &got);
		model_apply(model, &op, &want);
		if (!model_is_same(k, CPUS, &op, &got, &want)) {
			model_print(text, sizeof(text), k, &op, &got, &want);
			test_result(false, __FILE__, __LINE__, "operation %d: %s", i, text);
			break;
		}
	}
	model_free(model);
	map_unref(m);
}

TEST(model)
{
	for (unsigned int i = 0; i < model_kinds_n; i++)
		for (uint64_t seed = 1; seed < 4; seed++)
			run_model(&model_kinds[i], seed * 0x9e3779b97f4a7c15ull);
	CHECK(true);
}

/* --- the kernel */

static void run_kernel(const struct model_kind *k, unsigned int cpus, uint64_t seed)
{
	struct vm_map *m = make(k, cpus);
	int fd = map_kernel_create(&m->def, 0);
	struct model_answer got, want;
	struct model_op op;
	char text[256];

	CHECK(fd >= 0);
	for (int i = 0; i < OPS / 3 && fd >= 0; i++) {
		model_op_make(k, cpus, OPS_OF_USER, next_random, &seed, &op);
		model_ask_ours(m, &op, &got);
		map_kernel_ask(fd, &m->def, &op, &want);
		if (!model_is_same(k, cpus, &op, &got, &want)) {
			model_print(text, sizeof(text), k, &op, &got, &want);
			test_result(false, __FILE__, __LINE__, "kernel, operation %d: %s", i, text);
			break;
		}
	}
	map_kernel_close(fd);
	map_unref(m);
}

TEST(as_the_kernel)
{
	unsigned int cpus = map_kernel_cpus();

	if (!cpus || cpus > MODEL_CPUS) {
		test_skip("needs root and few cpus");
		return;
	}
	for (unsigned int i = 0; i < model_kinds_n; i++)
		if (!model_kinds[i].is_lru)
			run_kernel(&model_kinds[i], cpus, 7 + i);
}

/* --- what may be made */

static uint32_t one_of(uint64_t *seed, const uint32_t *from, size_t n)
{
	return from[next_random(seed) % n];
}
#define ONE_OF(seed, ...)                             \
	one_of(seed, (const uint32_t[]){__VA_ARGS__}, \
	       sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void make_def(uint64_t *seed, struct vm_map_def *d)
{
	*d = (struct vm_map_def){.name = "m"};
	do
		d->type = next_random(seed) % 36;
	while (d->type == 26); /* struct_ops */
	d->key_size = ONE_OF(seed, 0, 1, 2, 4, 4, 4, 4, 4, 5, 8, 8, 12, 16, 20, 24, 260, 261, 512,
			     513, 4096, 1 << 20, UINT32_MAX, 0x7fffffff);
	d->value_size = ONE_OF(seed, 0, 1, 4, 4, 4, 4, 8, 8, 8, 16, 32, 128, 1016, 1024, 2048,
			       32768, 32769, 65400, 65536, 1 << 20, (4 << 20) - 300, 4 << 20,
			       UINT32_MAX, 0x80000000, 0x7fffffff);
	d->max_entries = ONE_OF(seed, 0, 1, 1, 2, 2, 3, 4, 100, 100, 4096, 8192, 12288, 65536,
				UINT32_MAX, 0x80000000, 0x80000001);
	if (next_random(seed) % 2)
		d->flags = 1u << next_random(seed) % 20;
	if (next_random(seed) % 4 == 0)
		d->flags |= 1u << next_random(seed) % 20;
	/* NUMA nodes, descriptors and tokens: a matter of the system call */
	d->flags &= ~(BPF_F_NUMA_NODE | 1u << 15 | 1u << 16);
	if (next_random(seed) % 8 == 0)
		d->extra = ONE_OF(seed, 1, 5, 15, 16, 4096, 65536);
}

/* Would it take so much that either may refuse for that? */
static bool is_huge(const struct vm_map_def *d)
{
	return (uint64_t)d->max_entries * ((uint64_t)d->value_size + d->key_size + 64) > 64 << 20;
}

TEST(creation_as_the_kernel)
{
	unsigned int cpus = map_kernel_cpus(), n = 0, made = 0;
	uint64_t seed = 4711;

	if (!cpus) {
		test_skip("needs root");
		return;
	}
	for (int i = 0; i < 15000; i++) {
		struct vm_map_def d;
		struct vm_map *m = NULL;
		int ours, theirs;

		make_def(&seed, &d);
		/* how many cpus there may be is a matter of its configuration */
		if (d.type == BPF_MAP_TYPE_CPUMAP && d.max_entries > 64)
			continue;
		theirs = is_huge(&d) ? -ENOMEM : map_kernel_create(&d, 0);
		if (theirs == -ENOMEM)
			continue;
		ours = map_create(&d, cpus, &m);
		if (!ours)
			map_unref(m);
		n++;
		made += theirs >= 0;
		if (ours != (theirs < 0 ? theirs : 0))
			test_result(false, __FILE__, __LINE__,
				    "type %u key %u value %u max %u flags %x extra %llx: %d, "
				    "the kernel says %d",
				    d.type, d.key_size, d.value_size, d.max_entries, d.flags,
				    (unsigned long long)d.extra, ours, theirs);
		map_kernel_close(theirs);
	}
	printf("# %u definitions compared, %u of them could be made\n", n, made);
	CHECK(n > 1000 && made > 100);
}
