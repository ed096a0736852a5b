/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs mean the same to the interpreter of the IR and to the kernel.
 *
 * Each is generated as it is and behind all passes, for one instruction set version, loaded,
 * run by test-run, and compared with the interpreter: the returned value, all globals, all
 * elements of both maps.  `make test` runs a few seconds of them; SKEP_RANDOM=100000 runs that
 * many, from seed SKEP_SEED on.  SKEP_SHOW=1 shows what differs.
 */
#include "compile/gen/gen.h"

#include "compile/ir/op.h"
#include "compile/opt/opt.h"
#include "compile/random-world.h"
#include "rt-object.h"
#include "test.h"

#include "kernel.h"

#include <time.h>

enum { PROGRAMS = 2000, SECONDS = 5, STEPS = 1000000 };
enum { MAP_HASH, MAP_ARRAY, MAP_SINGLE, MAP_GLOBALS, MAP_RODATA };

struct random_test {
	const struct rt_library *rt;
	int newest; /* instruction set */
	unsigned int loaded, too_complex, not_interpreted;
};

static unsigned long number_of(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void add_map(struct question *q, const char *name, enum question_map_kind kind,
		    uint32_t type, uint32_t key_size, uint32_t size, uint32_t n, const void *init)
{
	array_push(&q->arena, &q->maps,
		   ((struct question_map){.name = name,
					  .kind = kind,
					  .type = type,
					  .key_size = key_size,
					  .value_size = size,
					  .max_entries = n,
					  .init = init}));
}

static void question_make(struct question *q, uint64_t seed)
{
	uint8_t *globals, *rodata;

	question_init(q);
	globals = arena_alloc(&q->arena, RANDOM_GLOBALS);
	rodata = arena_alloc(&q->arena, RANDOM_RODATA);
	random_globals(seed, globals);
	random_rodata(rodata);
	q->globals = MAP_GLOBALS;
	q->rodata = MAP_RODATA;
	add_map(q, "hash", QMAP_OTHER, BPF_MAP_TYPE_HASH, 8, 8, RANDOM_ELEMENTS_HASH, NULL);
	add_map(q, "array", QMAP_OTHER, BPF_MAP_TYPE_ARRAY, 4, RANDOM_VALUE, RANDOM_ELEMENTS_ARRAY,
		NULL);
	add_map(q, "single", QMAP_OTHER, BPF_MAP_TYPE_ARRAY, 4, RANDOM_SINGLE, 1, NULL);
	add_map(q, "globals", QMAP_GLOBALS, BPF_MAP_TYPE_ARRAY, 4, RANDOM_GLOBALS, 1, globals);
	add_map(q, "rodata", QMAP_RODATA, BPF_MAP_TYPE_ARRAY, 4, RANDOM_RODATA, 1, rodata);
	array_push(&q->arena, &q->progs,
		   ((struct question_prog){.name = "random",
					   .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT}));
}

/* The maps as the program left them. */
static void read_world(struct kernel *k, struct random_world *w)
{
	union bpf_attr attr = {.map_fd = (uint32_t)k->maps[MAP_HASH]};
	uint64_t key = 0;
	uint32_t index;

	kernel_read(k, MAP_GLOBALS, w->globals);
	kernel_read(k, MAP_SINGLE, w->single);
	for (index = 0; index < RANDOM_ELEMENTS_ARRAY; index++) {
		attr = (union bpf_attr){.map_fd = (uint32_t)k->maps[MAP_ARRAY],
					.key = (uintptr_t)&index,
					.value = (uintptr_t)w->array[index]};
		kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	}
	for (index = 0; index < RANDOM_ELEMENTS_HASH; index++) {
		attr = (union bpf_attr){.map_fd = (uint32_t)k->maps[MAP_HASH],
					.key = index ? (uintptr_t)&key : 0,
					.next_key = (uintptr_t)&w->keys[index]};
		if (kernel_bpf(BPF_MAP_GET_NEXT_KEY, &attr) < 0)
			break;
		key = w->keys[index];
		w->used[index] = true;
		attr = (union bpf_attr){.map_fd = (uint32_t)k->maps[MAP_HASH],
					.key = (uintptr_t)&key,
					.value = (uintptr_t)&w->values[index]};
		kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	}
}

static int run(struct question *q, const struct ir_module *m, const struct gen_options *o,
	       struct random_outcome *ret)
{
	struct kernel k;
	uint32_t value = 0;
	int r;

	if (!gen_program(q, m, o, &q->progs.p[0]))
		return -EINVAL;
	r = kernel_load(&k, q, 0);
	if (r >= 0)
		r = kernel_run(&k, &value);
	if (r >= 0) {
		ret->ok = true;
		ret->ret = value;
		read_world(&k, &ret->world);
	} else if (k.log && r != -E2BIG) {
		size_t n = strlen(k.log);

		fprintf(stderr, "%s\n", n > 600 && !getenv("SKEP_SHOW") ? k.log + n - 600 : k.log);
	}
	kernel_close(&k);
	return r;
}

static void show(const struct ir_module *m, const struct question *q)
{
	_cleanup_buf_ struct buf text = {0};

	ir_print(m, &text);
	fprintf(stderr, "%s\n", text.p);
	kernel_show(&(struct kernel){}, &q->progs.p[0]);
}

static struct random_options options_of(uint64_t seed)
{
	return (struct random_options){
		.statements = (unsigned int)(seed % 32 ? 3 + seed % 14 : 8 + seed / 32 % 64),
		.map = true,
		.wide = seed % 4 != 0,
	};
}

/* Some are too complex for the verifier, which gives up at a million instructions. */
static bool one_level(struct random_test *t, struct arena *a, uint64_t seed, int level)
{
	struct random_options o = options_of(seed);
	struct gen_options how = {.cpu = 1 + (int)(seed / 64 % (unsigned int)t->newest),
				  .rt = t->rt,
				  .spill_all = seed % 5 == 0};
	struct random_outcome expected, got = {};
	struct ir_module m;
	struct question q;
	bool ok = true;
	int r;

	random_module(&m, a, seed, &o);
	random_run(&m, seed, STEPS, &expected);
	if (!expected.ok) {
		t->not_interpreted++;
		return true;
	}
	expected.ret = (uint32_t)expected.ret;
	opt_run(&m, level, NULL, NULL);
	question_make(&q, seed);
	r = run(&q, &m, &how, &got);
	t->too_complex += r == -E2BIG;
	t->loaded += r >= 0;
	if (r != -E2BIG && !random_same(&expected, &got)) {
		ok = false;
		fprintf(stderr,
			"seed %llu -O%d version %d: error %d, returned %llx, expected %llx\n",
			(unsigned long long)seed, level, how.cpu, r, (unsigned long long)got.ret,
			(unsigned long long)expected.ret);
		if (getenv("SKEP_SHOW"))
			show(&m, &q);
	}
	question_done(&q);
	return ok;
}

static bool one(struct random_test *t, uint64_t seed)
{
	_cleanup_(arena_done) struct arena a = {0};
	bool plain = one_level(t, &a, seed, 0), optimized = one_level(t, &a, seed, 2);

	return plain && optimized;
}

static void note_ops(const struct ir_module *m, bool seen[IR_OPS])
{
	for (size_t f = 0; f < m->funcs.n; f++)
		for (size_t b = 0; b < m->funcs.p[f].blocks.n; b++) {
			const struct ir_block *block = &m->funcs.p[f].blocks.p[b];

			for (size_t i = 0; i < block->insns.n; i++)
				seen[block->insns.p[i].op] = true;
		}
}

/* All but what is the machine's: addresses of its variables, its own functions. */
TEST(random_programs_have_every_operation)
{
	bool seen[IR_OPS] = {[IR_KSYM] = true, [IR_CALLK] = true, [IR_CAST] = true};

	for (uint64_t seed = 1; seed <= 300; seed++) {
		_cleanup_(arena_done) struct arena a = {0};
		struct random_options o = options_of(seed);
		struct ir_module m;

		random_module(&m, &a, seed, &o);
		note_ops(&m, seen);
	}
	for (unsigned int op = 0; op < IR_OPS; op++)
		test_result(seen[op], __FILE__, __LINE__, "%s", ir_op_info[op].name);
}

TEST(random_programs)
{
	unsigned long n = number_of("SKEP_RANDOM", PROGRAMS), seed = number_of("SKEP_SEED", 1), i;
	time_t end = time(NULL) + (getenv("SKEP_RANDOM") ? 86400 : SECONDS);
	struct rt_library *rt = NULL;
	struct random_test t = {0};
	unsigned int wrong = 0;

	if (geteuid()) {
		test_skip("only root may load programs");
		return;
	}
	CHECK_EQ(rt_library_open(rt_object, sizeof(rt_object), &rt), 0);
	CHECK(random_user());
	t.rt = rt;
	t.newest = kernel_cpu();
	for (i = 0; i < n && wrong < 10 && time(NULL) < end; i++)
		wrong += !one(&t, seed + i);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(t.not_interpreted, 0);
	CHECK(t.too_complex <= i / 10);
	printf("# %lu programs, %u ran in the kernel, %u were too complex for the verifier\n", i,
	       t.loaded, t.too_complex);
	rt_library_close(rt);
}
