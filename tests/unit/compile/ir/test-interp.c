/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter, the printer and the parser over random programs; single operations by
 * hand.
 */
#include "compile/ir/interp.h"

#include "compile/gen-random.h"
#include "compile/ir/op.h"
#include "test.h"

/* A module from text; NULL: it does not parse or check. */
static struct ir_module *module(struct arena *a, const char *text)
{
	struct ir_module *m = arena_new(a, struct ir_module);
	struct diags d = {.arena = a};
	_cleanup_buf_ struct buf why = {0};

	ir_module_init(m, a, "test");
	diag_source(&d, "test", str_of(text));
	if (!ir_parse(m, &d, 0) || !ir_check(m, &why)) {
		diags_print(&d, false, &why);
		test_result(false, __FILE__, __LINE__, "%s: %s", text, why.p);
		return NULL;
	}
	return m;
}

static uint64_t run(const char *body, uint64_t context)
{
	_cleanup_(arena_done) struct arena a = {0};
	uint64_t ret = 0xdead;
	struct interp in;
	struct ir_module *m =
		module(&a, arena_printf(&a, "module t\nfunc main(1) {\n%s\n}\n", body));

	if (!m)
		return ret;
	interp_init(&in, m, 1000);
	if (!interp_eval(&in, context, &ret))
		ret = 0xbad00 + (uint64_t)in.why;
	interp_done(&in);
	return ret;
}

TEST(arithmetic)
{
	CHECK_EQ(run("b0: %2 = add %1, 5 return %2", 7), 12);
	CHECK_EQ(run("b0: %2 = udiv %1, 0 return %2", 7), 0);
	CHECK_EQ(run("b0: %2 = umod %1, 0 return %2", 7), 7);
	CHECK_EQ(run("b0: %2 = sdiv %1, -1 return %2", 1ull << 63), INT64_MIN);
	CHECK_EQ(run("b0: %2 = smod %1, -1 return %2", 1ull << 63), 0);
	CHECK_EQ(run("b0: %2 = shl %1, 65 return %2", 3), 6);
	CHECK_EQ(run("b0: %2 = sar %1, 1 return %2", (uint64_t)-4), -2);
	CHECK_EQ(run("b0: %2 = sext %1, 8 return %2", 0x180), -128);
	CHECK_EQ(run("b0: %2 = swap %1, 16 return %2", 0x991234), 0x3412);
	CHECK_EQ(run("b0: %2 = slt %1, 0 return %2", (uint64_t)-1), 1);
}

TEST(memory_is_bounded)
{
	CHECK_EQ(run("slot 0: 16 align 8\n"
		     "b0: %2 = slot 0 store u8 [%2 + 3], %1 %3 = load s32 [%2] return %3",
		     0x80),
		 (int32_t)0x80000000);
	CHECK_EQ(run("b0: %2 = load u8 [%1] return %2", 5), 0xbad00 + INTERP_MEMORY);
	CHECK_EQ(run("b0: %2 = add %1, 16 %3 = load u8 [%2] return %3", 1ull << 32),
		 0xbad00 + INTERP_MEMORY);
	CHECK_EQ(run("b0: jump b0", 0), 0xbad00 + INTERP_STEPS);
}

TEST(switches)
{
	static const char text[] = "b0: switch %1 1: b1, -2: b2, else b3\n"
				   "b1: return 10\nb2: return 20\nb3: return 30";

	CHECK_EQ(run(text, 1), 10);
	CHECK_EQ(run(text, (uint64_t)-2), 20);
	CHECK_EQ(run(text, 2), 30);
}

TEST(random_programs_print_and_parse)
{
	unsigned int wrong = 0;

	for (uint64_t seed = 1; seed <= 500; seed++) {
		_cleanup_(arena_done) struct arena a = {0};
		_cleanup_buf_ struct buf first = {0}, second = {0}, why = {0};
		struct diags d = {.arena = &a};
		struct ir_module m, again;

		random_module(&m, &a, seed, &(struct random_options){0});
		ir_print(&m, &first);
		diag_source(&d, "random", buf_str(&first));
		ir_module_init(&again, &a, "again");
		if (!ir_check(&m, &why) || !ir_parse(&again, &d, 0)) {
			diags_print(&d, false, &why);
			test_result(false, __FILE__, __LINE__, "seed %llu: %s",
				    (unsigned long long)seed, why.p);
			return;
		}
		ir_print(&again, &second);
		wrong += !str_eq(buf_str(&first), buf_str(&second));
	}
	CHECK_EQ(wrong, 0);
}
