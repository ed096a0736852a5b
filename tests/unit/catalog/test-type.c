/* SPDX-License-Identifier: Apache-2.0 */
/* Types: layout, sameness, spelling. */
#include "catalog/type.h"
#include "test.h"

static struct arena arena;

static const char *text(const struct type *t)
{
	return type_text(&arena, t);
}

TEST(spelling)
{
	static const struct type task = {
		.kind = TYPE_STRUCT, .name = "task_struct", .size = 8, .align = 8};
	static const struct type spelled = {.kind = TYPE_STRUCT, .spelling = "sigset_t", .size = 8};
	const struct type *pair[] = {type_int(8, true), type_string(&arena, 64)};
	static const char *const names[] = {"n", "text"};

	CHECK_STREQ(text(type_int(1, true)), "int8");
	CHECK_STREQ(text(type_int(8, false)), "uint64");
	CHECK_STREQ(text(&type_bool), "bool");
	CHECK_STREQ(text(&type_none), "none");
	CHECK_STREQ(text(pair[1]), "string[64]");
	CHECK_STREQ(text(type_string(&arena, 0)), "string");
	CHECK_STREQ(text(&task), "struct task_struct");
	CHECK_STREQ(text(&spelled), "sigset_t");
	CHECK_STREQ(text(type_pointer(&arena, type_pointer(&arena, &task, SPACE_NONE), SPACE_USER)),
		    "struct task_struct * *");
	CHECK_STREQ(text(type_array(&arena, type_int(4, false), 3)), "uint32[3]");
	CHECK_STREQ(text(type_tuple(&arena, pair, NULL, 2)), "(int64,string[64])");
	CHECK_STREQ(text(type_tuple(&arena, pair, names, 2)),
		    "record { .n = int64, .text = string[64] }");
	CHECK_STREQ(text(type_stack(&arena, TYPE_USTACK, 5, STACK_PERF)), "ustack_perf_5");
	CHECK_STREQ(text(type_plain(&arena, TYPE_SUM)), "sum_t");
	CHECK_STREQ(text(type_plain(&arena, TYPE_COUNT)), "count_t");
	CHECK_STREQ(text(type_plain(&arena, TYPE_STRERROR)), "string[64]");
	CHECK_STREQ(type_kind_name(TYPE_STRUCT), "c_type");
	arena_done(&arena);
}

TEST(layout)
{
	const struct type *types[] = {type_int(1, false), type_int(8, false), type_int(2, false)};
	const struct type *t = type_tuple(&arena, types, NULL, 3);

	CHECK_EQ(t->members[0].offset, 0);
	CHECK_EQ(t->members[1].offset, 8);
	CHECK_EQ(t->members[2].offset, 16);
	CHECK_EQ(t->size, 24);
	CHECK_EQ(t->align, 8);
	CHECK_EQ(type_tuple(&arena, NULL, NULL, 0)->size, 0);
	CHECK_EQ(type_buffer(&arena, 10)->size, 14);
	CHECK_EQ(type_plain(&arena, TYPE_USYM)->size, sizeof(struct value_usym));
	arena_done(&arena);
}

TEST(sameness)
{
	static const struct type a = {.kind = TYPE_STRUCT, .name = "a", .size = 4};
	static const struct type a2 = {.kind = TYPE_STRUCT, .name = "a", .size = 4};
	static const struct type u = {
		.kind = TYPE_STRUCT, .name = "a", .size = 4, .is_union = true};
	struct type flexible = *type_int(4, true);

	flexible.is_sign_flexible = true;
	CHECK(type_same(type_int(4, true), &flexible));
	CHECK(!type_same(type_int(4, true), type_int(4, false)));
	CHECK(!type_same(type_int(4, true), type_int(8, true)));
	CHECK(type_same(&a, &a2));
	CHECK(!type_same(&a, &u));
	CHECK(type_same(type_pointer(&arena, &a, SPACE_USER),
			type_pointer(&arena, &a2, SPACE_NONE)));
	CHECK(!type_same(type_stack(&arena, TYPE_KSTACK, 3, STACK_RAW),
			 type_stack(&arena, TYPE_KSTACK, 4, STACK_RAW)));
	CHECK(type_is_scalar(type_int(2, true)));
	CHECK(type_is_scalar(type_plain(&arena, TYPE_KSYM)));
	CHECK(!type_is_scalar(type_string(&arena, 4)));
	CHECK(type_is_agg(type_plain(&arena, TYPE_TSERIES)));
	arena_done(&arena);
}
