/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that call back, made to do so by programs: loops, elements of maps, timers. */
#include "runtime/vm/helper/helper.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { INSNS = 64, VALUE = 32, TIMER_AT = 16 };

static const struct vm_field timer_field[] = {
	{.kind = FIELD_TIMER, .offset = TIMER_AT, .size = 16}};

/* A program with one map: r1 is ctx; its callback begins at `callback`. */
struct scene {
	struct bpf_insn p[INSNS];
	size_t n;
	uint32_t callback;
	struct vm_map_def def;
	struct vm_map *map;
	struct vm_object object;
	struct vm_prog prog;
	struct vm_func funcs[2];
};

static void add(struct scene *s, struct bpf_insn i)
{
	s->p[s->n++] = i;
}

static void add_wide(struct scene *s, unsigned int kind, unsigned int reg, uint64_t v)
{
	insn_wide(s->p + s->n, kind, reg, v);
	s->n += 2;
}

/* The address of the callback; it comes behind the program. */
static size_t add_callback_address(struct scene *s, unsigned int reg)
{
	add_wide(s, BPF_PSEUDO_FUNC, reg, 0);
	return s->n - 2;
}

static void begin_callback(struct scene *s, size_t address)
{
	add(s, insn_exit());
	s->callback = (uint32_t)s->n;
	s->p[address].imm = (int32_t)(s->n - address - 1);
}

static void make(struct scene *s, uint32_t type)
{
	*s = (struct scene){.def = {.name = "m",
				    .type = type,
				    .key_size = 4,
				    .value_size = VALUE,
				    .max_entries = 4,
				    .fields = timer_field,
				    .n_fields = 1}};
	CHECK_EQ(map_create(&s->def, 2, &s->map), 0);
	s->object.license = "GPL";
	array_push(&s->object.arena, &s->object.maps, s->def);
}

static struct vm_code *finish(struct scene *s, enum vm_engine engine)
{
	struct code_options o = {.engine = engine, .maps = &s->map, .is_unverified = true};
	struct vm_code *c = NULL;
	char why[128] = "";
	int r;

	add(s, insn_exit());
	s->funcs[0] = (struct vm_func){.name = "entry"};
	s->funcs[1] =
		(struct vm_func){.name = "callback", .insn = s->callback, .is_callback = true};
	s->prog = (struct vm_prog){.name = "entry",
				   .section = "",
				   .prog_type = BPF_PROG_TYPE_SCHED_CLS,
				   .insns = s->p,
				   .n_insns = (uint32_t)s->n,
				   .funcs = s->funcs,
				   .n_funcs = 2};
	array_push(&s->object.arena, &s->object.progs, s->prog);
	r = code_make(&s->object, 0, NULL, &o, &c, why, sizeof(why));
	if (r < 0 && engine == VM_JIT)
		return NULL; /* no JIT on this machine */
	test_result(!r, __FILE__, __LINE__, "code_make: %d %s", r, why);
	return c;
}

static void done(struct scene *s, struct vm_code *c)
{
	code_free(c);
	map_unref(s->map);
	arena_done(&s->object.arena);
}

static uint64_t run(const struct vm_code *c)
{
	struct vm_run r = {.cpu = 1};
	uint64_t ctx[16] = {0};

	return code_run(c, &r, ctx, 0);
}

/* bpf_loop(n, callback, ctx = the stack, flags): the callback adds its index, stops at 6. */
static uint64_t loop(enum vm_engine engine, uint32_t n, uint64_t flags, bool *ret_ran)
{
	struct scene s;
	struct vm_code *c;
	uint64_t r0 = 0;
	size_t f;

	make(&s, BPF_MAP_TYPE_ARRAY);
	add(&s, insn_store_imm(8, BPF_REG_10, -8, 0));
	add_wide(&s, 0, BPF_REG_1, n);
	f = add_callback_address(&s, BPF_REG_2);
	add(&s, insn_mov(BPF_REG_3, BPF_REG_10));
	add(&s, insn_alu_imm(BPF_ADD, false, BPF_REG_3, -8));
	add_wide(&s, 0, BPF_REG_4, flags);
	add(&s, insn_call(0, BPF_FUNC_loop));
	add(&s, insn_load(8, false, BPF_REG_1, BPF_REG_10, -8));
	add(&s, insn_alu_imm(BPF_LSH, false, BPF_REG_1, 16));
	add(&s, insn_alu(BPF_ADD, false, BPF_REG_0, BPF_REG_1));
	begin_callback(&s, f);
	add(&s, insn_atomic(BPF_ADD, 8, BPF_REG_2, 0, BPF_REG_1));
	add(&s, insn_mov_imm(BPF_REG_0, 0));
	add(&s, insn_jump_imm(BPF_JLT, BPF_REG_1, 6, 1));
	add(&s, insn_mov_imm(BPF_REG_0, 1));
	c = finish(&s, engine);
	*ret_ran = c;
	if (c)
		r0 = run(c);
	done(&s, c);
	return r0;
}

TEST(loop)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		bool ran;

		if (loop(e, 3, 0, &ran) != (3 << 16 | 3) && ran)
			CHECK(!"loop 3");
		if (!ran)
			continue;
		CHECK_EQ(loop(e, 0, 0, &ran), 0);
		CHECK_EQ(loop(e, 100, 0, &ran), 21 << 16 | 7);
		CHECK_EQ(loop(e, 3, 1, &ran), -EINVAL);
		CHECK_EQ(loop(e, (8 << 20) + 1, 0, &ran), -E2BIG);
	}
	CHECK(true);
}

/* The callback gets (map, key, value, ctx): adds the first word of each value to *ctx. */
static void each(enum vm_engine engine, uint32_t type)
{
	struct scene s;
	struct vm_code *c;
	size_t f;

	make(&s, type);
	for (uint32_t i = 0; i < 3; i++)
		map_update(s.map, &i, (uint64_t[VALUE / 8]){i + 10}, BPF_ANY, 1);
	add(&s, insn_store_imm(8, BPF_REG_10, -8, 0));
	add_wide(&s, BPF_PSEUDO_MAP_IDX, BPF_REG_1, 0);
	f = add_callback_address(&s, BPF_REG_2);
	add(&s, insn_mov(BPF_REG_3, BPF_REG_10));
	add(&s, insn_alu_imm(BPF_ADD, false, BPF_REG_3, -8));
	add(&s, insn_mov_imm(BPF_REG_4, 0));
	add(&s, insn_call(0, BPF_FUNC_for_each_map_elem));
	add(&s, insn_load(8, false, BPF_REG_1, BPF_REG_10, -8));
	add(&s, insn_alu_imm(BPF_LSH, false, BPF_REG_1, 16));
	add(&s, insn_alu(BPF_ADD, false, BPF_REG_0, BPF_REG_1));
	begin_callback(&s, f);
	add(&s, insn_load(8, false, BPF_REG_5, BPF_REG_3, 0));
	add(&s, insn_atomic(BPF_ADD, 8, BPF_REG_4, 0, BPF_REG_5));
	add(&s, insn_mov_imm(BPF_REG_0, 0));
	c = finish(&s, engine);
	if (c)
		CHECK_EQ(run(c),
			 33 << 16 | (type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY
					     ? 4
					     : 3));
	done(&s, c);
}

TEST(for_each_map_elem)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		each(e, BPF_MAP_TYPE_ARRAY);
		each(e, BPF_MAP_TYPE_PERCPU_ARRAY);
		each(e, BPF_MAP_TYPE_HASH);
		each(e, BPF_MAP_TYPE_PERCPU_HASH);
		each(e, BPF_MAP_TYPE_LRU_HASH);
	}
}

/* r6 = &m[2]; r7 = its timer; `helper` with r1 = r7, r2, r3; r0 is stored at *r6 + at. */
static void call_timer(struct scene *s, uint32_t helper)
{
	add(s, insn_mov(BPF_REG_1, BPF_REG_7));
	add(s, insn_call(0, (int32_t)helper));
	add(s, insn_alu(BPF_OR, false, BPF_REG_8, BPF_REG_0));
}

/*
 * Starts the timer of element 2; the callback adds its key to the value's first word and starts
 * the timer again until that is 10.
 */
static struct vm_code *make_timer(struct scene *s, uint32_t type, enum vm_engine engine)
{
	uint32_t key = 2;
	size_t f;

	make(s, type);
	map_update(s->map, &key, (uint64_t[VALUE / 8]){0}, BPF_ANY, 1);
	add(s, insn_store_imm(4, BPF_REG_10, -4, 2));
	add(s, insn_mov(BPF_REG_2, BPF_REG_10));
	add(s, insn_alu_imm(BPF_ADD, false, BPF_REG_2, -4));
	add_wide(s, BPF_PSEUDO_MAP_IDX, BPF_REG_1, 0);
	add(s, insn_call(0, BPF_FUNC_map_lookup_elem));
	add(s, insn_mov(BPF_REG_7, BPF_REG_0));
	add(s, insn_alu_imm(BPF_ADD, false, BPF_REG_7, TIMER_AT));
	add(s, insn_mov_imm(BPF_REG_8, 0));
	add_wide(s, BPF_PSEUDO_MAP_IDX, BPF_REG_2, 0);
	add(s, insn_mov_imm(BPF_REG_3, CLOCK_MONOTONIC));
	call_timer(s, BPF_FUNC_timer_init);
	f = add_callback_address(s, BPF_REG_2);
	call_timer(s, BPF_FUNC_timer_set_callback);
	add(s, insn_mov_imm(BPF_REG_2, 1000));
	add(s, insn_mov_imm(BPF_REG_3, 0));
	call_timer(s, BPF_FUNC_timer_start);
	add(s, insn_mov(BPF_REG_0, BPF_REG_8));
	begin_callback(s, f);
	add(s, insn_load(4, false, BPF_REG_1, BPF_REG_2, 0));
	add(s, insn_atomic(BPF_ADD, 8, BPF_REG_3, 0, BPF_REG_1));
	add(s, insn_load(8, false, BPF_REG_4, BPF_REG_3, 0));
	add(s, insn_mov_imm(BPF_REG_0, 0));
	add(s, insn_jump_imm(BPF_JGE, BPF_REG_4, 10, 5));
	add(s, insn_mov(BPF_REG_1, BPF_REG_3));
	add(s, insn_alu_imm(BPF_ADD, false, BPF_REG_1, TIMER_AT));
	add(s, insn_mov_imm(BPF_REG_2, 0));
	add(s, insn_mov_imm(BPF_REG_3, 0));
	add(s, insn_call(0, BPF_FUNC_timer_start));
	return finish(s, engine);
}

static void timer(uint32_t type, enum vm_engine engine)
{
	struct scene s;
	struct vm_code *c = make_timer(&s, type, engine);
	struct vm_run r = {.code = c};
	uint32_t key = 2;
	uint64_t field, *value;

	if (!c) {
		done(&s, c);
		return;
	}
	CHECK_EQ(run(c), 0);
	value = map_lookup(s.map, &key, 0);
	for (int i = 0; i < 5000 && __atomic_load_n(value, __ATOMIC_ACQUIRE) < 10; i++)
		usleep(1000);
	CHECK_EQ(*value, 10);
	/* once more: it is there already, which does not keep the others from their work */
	CHECK_EQ(run(c), -EBUSY);
	for (int i = 0; i < 5000 && __atomic_load_n(value, __ATOMIC_ACQUIRE) < 12; i++)
		usleep(1000);
	CHECK_EQ(*value, 12);
	vm_current = &r;
	field = (uintptr_t)value + TIMER_AT;
	CHECK_EQ(helper_of(BPF_FUNC_timer_start)(field, 1ull << 60, 0, 0, 0), 0);
	CHECK_EQ(helper_of(BPF_FUNC_timer_cancel)(field, 0, 0, 0, 0), 1);
	CHECK_EQ(helper_of(BPF_FUNC_timer_cancel)(field, 0, 0, 0, 0), 0);
	/* cancelled, it has forgotten whom to call */
	CHECK_EQ(helper_of(BPF_FUNC_timer_start)(field, 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(helper_of(BPF_FUNC_timer_start)(field, 1, 4, 0, 0), -EINVAL);
	vm_current = NULL;
	if (type != BPF_MAP_TYPE_ARRAY) {
		CHECK_EQ(map_delete(s.map, &key), 0);
		vm_current = &r;
		CHECK_EQ(helper_of(BPF_FUNC_timer_cancel)(field, 0, 0, 0, 0), -EINVAL);
		vm_current = NULL;
	}
	done(&s, c);
}

TEST(timers)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		timer(BPF_MAP_TYPE_ARRAY, e);
		timer(BPF_MAP_TYPE_HASH, e);
	}
}

TEST(work_queue)
{
	struct scene s;
	struct vm_code *c = make_timer(&s, BPF_MAP_TYPE_ARRAY, VM_INTERP);
	struct vm_run r = {.code = c};
	uint32_t key = 2;
	uint64_t *value = map_lookup(s.map, &key, 0), field = (uintptr_t)value + TIMER_AT;
	uint64_t map = (uintptr_t)s.map, callback = (uintptr_t)&c->insns[c->funcs[1]];

	/* the callback does not care what its field is called */
	vm_current = &r;
	*value = 10;
	CHECK_EQ(kfunc_of("bpf_wq_start")(field, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(kfunc_of("bpf_wq_init")(field, map, 1, 0, 0), -EINVAL);
	CHECK_EQ(kfunc_of("bpf_wq_init")(field, map, 0, 0, 0), 0);
	CHECK_EQ(kfunc_of("bpf_wq_init")(field, map, 0, 0, 0), -EBUSY);
	CHECK_EQ(kfunc_of("bpf_wq_start")(field, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(kfunc_of("bpf_wq_set_callback_impl")(field, callback, 1, 0, 0), -EINVAL);
	CHECK_EQ(kfunc_of("bpf_wq_set_callback_impl")(field, callback, 0, 0, 0), 0);
	CHECK_EQ(kfunc_of("bpf_wq_start")(field, 1, 0, 0, 0), -EINVAL);
	vm_current = NULL;
	done(&s, c);
}

/* The code goes while a timer is about to call it. */
TEST(timers_of_code_that_goes)
{
	for (int i = 0; i < 20; i++) {
		struct scene s;
		struct vm_code *c = make_timer(&s, BPF_MAP_TYPE_ARRAY, VM_INTERP);

		CHECK_EQ(run(c), 0);
		usleep((unsigned int)i * 20);
		done(&s, c);
	}
}
