/* SPDX-License-Identifier: Apache-2.0 */
/* What the checker infers: types of variables and maps. */
#include "check-run.h"
#include "test.h"

struct row {
	const char *program, *name, *type;
};

static const struct row rows[] = {
	/* literals: the smallest signed type */
	{"begin { $a = 7; }", "$a", "int8"},
	{"begin { $a = 128; }", "$a", "int16"},
	{"begin { $a = 40000; }", "$a", "int32"},
	{"begin { $a = 5000000000; }", "$a", "int64"},
	{"begin { $a = 18446744073709551615; }", "$a", "uint64"},
	{"begin { $a = -129; }", "$a", "int16"},
	{"begin { $a = true; }", "$a", "bool"},
	{"begin { $a = \"four\"; }", "$a", "string[5]"},
	/* promotion */
	{"begin { $a = 3; $a = (uint16)4; }", "$a", "uint16"},
	{"begin { $a = (uint16)3; $a = (int16)4; }", "$a", "int32"},
	{"begin { $a = (uint64)3; $a = (int8)4; }", "$a", "int64"},
	{"begin { $a = -3; $a = (uint32)4; }", "$a", "int64"},
	{"begin { $a = \"a\"; $b = \"longer\"; $a = $b; }", "$a", "string[7]"},
	{"begin { $a = (1, \"x\"); $a = (300, \"xyz\"); }", "$a", "(int16,string[4])"},
	{"begin { $a = (n=1, t=\"x\"); $a = (t=\"xyz\", n=300); }", "$a",
	 "record { .n = int16, .t = string[4] }"},
	{"begin { $a = pid > 5 ? 1 : 70000; }", "$a", "int32"},
	/* later assignments count, also in other probes */
	{"begin { $a = @m; } end { @m = (uint64)1; }", "$a", "uint64"},
	{"begin { let $v; $a = $v; $v = 99999; }", "$a", "int32"},
	/* arithmetic */
	{"begin { $b = (uint8)1; $a = $b + 1; }", "$a", "uint64"},
	{"begin { $b = (int8)1; $a = $b + 1; }", "$a", "int64"},
	{"begin { $b = (uint8)1; $a = $b - 1; }", "$a", "int64"},
	{"begin { $b = (uint8)1; $a = $b == 1; }", "$a", "bool"},
	{"begin { $b = (int32 *)0; $a = $b + 4; }", "$a", "int32 *"},
	{"begin { $b = (int32 *)0; $a = *$b; }", "$a", "int32"},
	{"begin { $b = (int32 *)0; $a = $b[3]; }", "$a", "int32"},
	{"begin { $a = ~(uint8)4; }", "$a", "uint64"},
	{"begin { $a = !5; }", "$a", "bool"},
	/* declared types stay */
	{"begin { let $a: uint16 = 1; }", "$a", "uint16"},
	{"begin { let $a: string = \"abc\"; }", "$a", "string[4]"},
	{"begin { let $a: string[64] = \"abc\"; }", "$a", "string[64]"},
	{"begin { $b = (uint16)1; let $a: typeof($b) = 1; }", "$a", "uint16"},
	/* builtins */
	{"kprobe:f { $a = pid; }", "$a", "uint32"},
	{"kprobe:f { $a = arg0; }", "$a", "uint64"},
	{"kprobe:f { $a = comm; }", "$a", "string[16]"},
	{"kprobe:f { $a = func; }", "$a", "ksym_t"},
	{"uprobe:/bin/sh:f { $a = func; }", "$a", "usym_t"},
	{"kprobe:f { $a = kstack(perf, 3); }", "$a", "kstack_perf_3"},
	{"kprobe:f { $a = ustack; }", "$a", "ustack_bpftrace_127"},
	{"kprobe:f { $a = probetype; }", "$a", "string[7]"},
	{"kprobe:f { $a = nsecs; }", "$a", "uint64"},
	{"kprobe:f { $a = ntop(arg0); }", "$a", "inet"},
	{"kprobe:f { $a = pton(\"::1\"); }", "$a", "uint8[16]"},
	{"kprobe:f { $a = str(arg0, 9); }", "$a", "string[10]"},
	{"kprobe:f { $a = buf(arg0, 9); }", "$a", "buffer[13]"},
	{"kprobe:f { $a = bswap((uint16)arg0); }", "$a", "uint16"},
	{"kprobe:f { $a = strftime(\"%H\", nsecs); }", "$a", "timestamp"},
	{"kprobe:f { $a = username; }", "$a", "username_t"},
	{"kprobe:f { $a = strlen(comm); }", "$a", "uint64"},
	{"kprobe:f { $a = strcontains(comm, \"x\"); }", "$a", "bool"},
	{"kprobe:f { $a = config.max_strlen; }", "$a", "int16"},
	/* maps */
	{"begin { @m++ }", "@m", "int64"},
	{"begin { @m += 1 }", "@m", "int64"},
	{"begin { @m = count(); }", "@m", "count_t"},
	{"begin { @m = sum((uint8)1); }", "@m", "usum_t"},
	{"begin { @m = max(-1); }", "@m", "max_t"},
	{"begin { @m[1] = hist(2); }", "@m", "hist_t"},
	{"begin { @m = { $x = 5; avg($x) }; }", "@m", "avg_t"},
	{"begin { @m[1, \"a\"] = 1; @m[300, \"abc\"] = 2; }", "@m[]", "(int16,string[4])"},
	{"begin { @m[(1, 2)] = 1; }", "@m[]", "(int8,int8)"},
	{"begin { @m = count(); $a = @m; }", "$a", "uint64"},
	{"begin { @m = sum(-1); $a = (int32)@m; }", "$a", "int32"},
	{"begin { @m = count(); $a = (@m, 1); }", "$a", "(uint64,int8)"},
	{"begin { @m[\"k\"] = 1; for ($kv : @m) { $a = $kv; } }", "$a", "(string[2],int8)"},
	{"begin { for ($i : 0..1000) { $a = $i; } }", "$a", "int16"},
	{"begin { @m[1] = 70000; find(@m, 1, $a); }", "$a", "int32"},
	/* known when compiling */
	{"begin { $a = sizeof(uint32); }", "$a", "int8"},
	{"begin { $a = typeinfo(1).full_type; }", "$a", "string[5]"},
	{"begin { $b = \"x\"; if comptime (is_str($b)) { $a = 1; } else { $a = \"no\"; } }", "$a",
	 "int8"},
	{"begin { @m = 1; if comptime (is_scalar(@m)) { $a = 1; } else { $a = \"no\"; } }", "$a",
	 "int8"},
	/* the script's own types */
	{"struct S { int a; char b[8]; } kprobe:f { $a = ((struct S *)arg0)->a; }", "$a", "int32"},
	{"struct S { struct S *next; } kprobe:f { $a = ((struct S *)arg0)->next->next; }", "$a",
	 "struct S *"},
	{"struct S { int a[4]; } kprobe:f { $a = ((struct S *)arg0)->a[2]; }", "$a", "int32"},
	{"struct S { int a; long b; } kprobe:f { $a = offsetof(struct S, b); }", "$a", "int8"},
	{"enum E { ONE = 1, TWO } begin { $a = TWO; }", "$a", "enum E"},
	{"struct S { int a; long b; } kprobe:f { $a = container_of(arg0, typeof(struct S), b); }",
	 "$a", "struct S *"},
	/* functions */
	{"fn twice($x: uint32): uint32 { $a = $x; return $x; }", "$a", "uint32"},
	{"fn twice($x: uint32): uint16 { return (uint16)$x; } begin { $a = twice(3); }", "$a",
	 "uint16"},
};

TEST(inferred_types)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct check_run r;
		const char *type;

		check_run(&r, rows[i].program, 0);
		type = r.ok ? check_run_type(&r, rows[i].name) : NULL;
		test_result(type && !strcmp(type, rows[i].type), __FILE__, __LINE__,
			    "%s: %s is %s, expected %s\n%s", rows[i].program, rows[i].name,
			    type ? type : "nothing", rows[i].type, r.ok ? "" : r.text.p);
		check_run_done(&r);
	}
}

/* --- the tree that lower.c gets */

static struct stmt *first_stmt(struct check_run *r, size_t i)
{
	return r->checked.probes.p[0].probe->block->stmts.p[i];
}

TEST(conversions_are_nodes)
{
	struct check_run r;
	struct expr *e;

	check_run(&r, "begin { @c = count(); $a = (uint8)3; $b = @c + $a; }", 0);
	CHECK(r.ok);
	if (r.ok) {
		e = first_stmt(&r, 2)->b;
		CHECK_EQ(e->kind, EXPR_BINARY);
		CHECK_EQ(e->a->kind, EXPR_CAST);
		CHECK_EQ(e->a->a->kind, EXPR_MAP);
		CHECK_EQ(e->a->a->type->kind, TYPE_COUNT);
		CHECK(!e->a->ref);
		CHECK(type_same(e->a->type, e->b->type));
	}
	check_run_done(&r);
}

TEST(words_are_resolved)
{
	struct check_run r;
	struct expr *e;

	check_run(&r, "kprobe:f { print(arg3); $k = kstack(raw); @x += 2; }", 0);
	CHECK(r.ok);
	if (r.ok) {
		e = first_stmt(&r, 0)->a->items.p[0];
		CHECK_EQ(e->kind, EXPR_CALL);
		CHECK_EQ(e->builtin->id, BUILTIN_ARG);
		CHECK_EQ(e->number, 3);
		e = first_stmt(&r, 1)->b;
		CHECK_EQ(e->builtin->id, BUILTIN_KSTACK);
		CHECK_EQ(e->items.n, 0);
		CHECK(!first_stmt(&r, 2)->has_op);
		CHECK_EQ(first_stmt(&r, 2)->b->kind, EXPR_BINARY);
	}
	check_run_done(&r);
}

TEST(members_have_offsets)
{
	struct check_run r;
	struct expr *e;

	check_run(&r,
		  "struct I { int x; struct { int y; long z; }; } "
		  "kprobe:f { $p = (struct I **)arg0; $v = $p->z; }",
		  0);
	CHECK(r.ok);
	if (r.ok) {
		e = first_stmt(&r, 1)->b;
		CHECK_EQ(e->kind, EXPR_FIELD);
		CHECK_EQ(e->member_offset, 16);
		CHECK_STREQ(e->member->name, "z");
		CHECK_EQ(e->a->kind, EXPR_UNARY);
		CHECK_EQ(e->a->op, OP_DEREF);
		CHECK_EQ(e->a->type->kind, TYPE_POINTER);
		CHECK_EQ(e->a->type->space, SPACE_KERNEL);
	}
	check_run_done(&r);
}

TEST(loops_capture)
{
	struct check_run r;

	check_run(&r, "begin { $n = 0; $m = 0; for ($i : 0..5) { $n += $i; } print(($n, $m)); }",
		  0);
	CHECK(r.ok);
	if (r.ok) {
		CHECK(first_stmt(&r, 0)->a->var->is_captured);
		CHECK(!first_stmt(&r, 1)->a->var->is_captured);
		CHECK(first_stmt(&r, 2)->a->var->is_loop);
	}
	check_run_done(&r);
}
