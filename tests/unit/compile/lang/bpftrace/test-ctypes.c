/* SPDX-License-Identifier: Apache-2.0 */
/* Types by name: C declarations, constants, the kernel's BTF, tracepoint formats. */
#include "catalog/question.h"
#include "compile/lang/bpftrace/ctypes.h"
#include "test.h"
#include "world-fake.h"

#include <stdlib.h>
#include <unistd.h>

struct fixture {
	struct question q;
	struct world *world;
	struct type_table *t;
	struct program program;
	bool ok;
};

/* The text is C; lines that begin with # are handed over as such. */
static void begin(struct fixture *f, const char *c)
{
	uint32_t source;

	*f = (struct fixture){0};
	question_init(&f->q);
	f->world = world_fake_new(0);
	f->t = type_table_new(&f->q.arena, &f->q.diags, f->world);
	source = diag_source(&f->q.diags, "stdin", str_of(c));
	for (uint32_t at = 0, n = (uint32_t)strlen(c); at < n;) {
		uint32_t end = at;
		bool is_define = c[at] == '#';

		while (end < n &&
		       (is_define ? c[end] != '\n' : !(c[end] == '\n' && c[end + 1] == '#')))
			end++;
		array_push(&f->q.arena, &f->program.c,
			   ((struct c_text){{source, at, end}, is_define}));
		at = end + 1;
	}
	f->ok = type_table_add_c(f->t, &f->program);
}

static void end(struct fixture *f)
{
	type_table_free(f->t);
	question_done(&f->q);
	world_fake_free(f->world);
}

static const struct type *member(struct fixture *f, const char *name, const char *field,
				 uint32_t *ret_offset)
{
	const struct type *t = type_table_find(f->t, TAG_STRUCT, name);
	const struct type_member *m = t ? type_member_find(f->t, t, field, ret_offset) : NULL;

	return m ? m->type : NULL;
}

static bool says(struct fixture *f, const char *struct_name, const char *field,
		 const char *type_said, uint32_t offset)
{
	uint32_t at = UINT32_MAX;
	const struct type *t = member(f, struct_name, field, &at);

	return t && at == offset && !strcmp(type_text(&f->q.arena, t), type_said);
}

static uint32_t size_of(struct fixture *f, int tag, const char *name)
{
	const struct type *t = type_table_find(f->t, tag, name);

	return t ? type_complete(f->t, t)->size : UINT32_MAX;
}

TEST(c_members)
{
	struct fixture f;

	begin(&f, "struct Foo { char c; short s; int i, *p; unsigned long long u; char text[32];"
		  " unsigned char raw[6]; const volatile struct Foo * const next; int m[2][3]; };");
	CHECK(f.ok);
	CHECK(says(&f, "Foo", "c", "int8", 0));
	CHECK(says(&f, "Foo", "s", "int16", 2));
	CHECK(says(&f, "Foo", "i", "int32", 4));
	CHECK(says(&f, "Foo", "p", "int32 *", 8));
	CHECK(says(&f, "Foo", "u", "uint64", 16));
	CHECK(says(&f, "Foo", "text", "string[32]", 24));
	CHECK(says(&f, "Foo", "raw", "uint8[6]", 56));
	CHECK(says(&f, "Foo", "next", "struct Foo *", 64));
	CHECK(says(&f, "Foo", "m", "int32[3][2]", 72));
	CHECK_EQ(size_of(&f, TAG_STRUCT, "Foo"), 96);
	end(&f);
}

TEST(c_nesting_and_anonymous)
{
	struct fixture f;

	begin(&f, "struct A { int x; union { struct { int a; int b; }; long c; } ; struct { char "
		  "y; } in;"
		  " int (*f)(int, char *); void (*g[3])(void); };"
		  "union U { char c; short s; int i; long l; }");
	CHECK(f.ok);
	CHECK(says(&f, "A", "a", "int32", 8));
	CHECK(says(&f, "A", "b", "int32", 12));
	CHECK(says(&f, "A", "c", "int64", 8));
	CHECK(says(&f, "A", "f", "void *", 24));
	CHECK(says(&f, "A", "g", "void *[3]", 32));
	CHECK_EQ(size_of(&f, TAG_STRUCT, "A"), 56);
	CHECK_EQ(size_of(&f, TAG_UNION, "U"), 8);
	end(&f);
}

TEST(c_bitfields)
{
	uint32_t at;
	const struct type_member *m;
	struct fixture f;

	begin(&f, "struct B { int a:8, b:8, c:16; int d:5; int :0; unsigned e:3; long f:40; char "
		  "g:4; };"
		  "struct __attribute__((packed)) P { char c; int i; unsigned x:4, y:30; };"
		  "struct Q { char c; int i; } __attribute__((packed, aligned(8)));");
	CHECK(f.ok);
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "B"), "c", &at);
	CHECK(m && at == 0 && m->bit_offset == 16 && m->bits == 16);
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "B"), "e", &at);
	CHECK(m && at == 8 && m->bit_offset == 0 && m->bits == 3);
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "B"), "f", &at);
	CHECK(m && at == 8 && m->bit_offset == 3 && m->bits == 40);
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "B"), "g", &at);
	CHECK(m && at == 13 && m->bit_offset == 3 && m->bits == 4);
	CHECK_EQ(size_of(&f, TAG_STRUCT, "B"), 16);
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "P"), "y", &at);
	CHECK(m && at == 5 && m->bit_offset == 4 && m->bits == 30);
	CHECK_EQ(size_of(&f, TAG_STRUCT, "P"), 10);
	CHECK_EQ(size_of(&f, TAG_STRUCT, "Q"), 8);
	end(&f);
}

TEST(c_enums_and_constants)
{
	const struct type *t = NULL;
	struct fixture f;
	int64_t v = 0;

	begin(&f,
	      "enum E { NONE, SOME = 99, MORE, LESS = -3, SUM = (SOME + 1) << 2 | 0x3 };\n"
	      "#define WIDTH 16\n#define TWICE (WIDTH * 2)\n#define LOOP LOOP\n#define NOT(x) x\n"
	      "#define TEXT \"abc\"\n"
	      "struct F { enum E e; char name[TWICE]; int n[sizeof(struct G *)]; };");
	CHECK(f.ok);
	CHECK(type_table_constant(f.t, "SOME", &v, &t) && v == 99 && t && t->kind == TYPE_ENUM);
	CHECK(type_table_constant(f.t, "SUM", &v, NULL) && v == (100 << 2 | 3));
	CHECK(type_table_constant(f.t, "TWICE", &v, NULL) && v == 32);
	CHECK(!type_table_constant(f.t, "LOOP", &v, NULL));
	CHECK(!type_table_constant(f.t, "TEXT", &v, NULL));
	CHECK(!type_table_constant(f.t, "NOT", &v, NULL));
	CHECK(says(&f, "F", "e", "enum E", 0));
	CHECK(says(&f, "F", "name", "string[32]", 4));
	CHECK(says(&f, "F", "n", "int32[8]", 36));
	t = type_table_find(f.t, TAG_ENUM, "E");
	CHECK(t && t->n_enumerators == 5 && t->is_signed && t->size == 4);
	end(&f);
}

TEST(c_typedefs)
{
	const struct type *t;
	struct fixture f;

	begin(&f, "typedef unsigned int my_u32; typedef struct { my_u32 a; size_t b; uint16_t c; } "
		  "pair;"
		  " typedef struct Node { struct Node *next; pair p[2]; } Node; struct Late;"
		  " struct User { struct Late *l; }; struct Late { int z; };");
	CHECK(f.ok);
	t = type_table_find(f.t, TAG_NONE, "pair");
	CHECK(t && t->size == 24);
	CHECK(says(&f, "Node", "p", "pair[2]", 8));
	CHECK(says(&f, "User", "l", "struct Late *", 0));
	t = type_table_find(f.t, TAG_STRUCT, "User");
	CHECK(t && type_member_find(f.t, t->members[0].type->of, "z", NULL));
	end(&f);
}

TEST(c_errors)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"struct A { foo_t x; };", "unknown type name 'foo_t'"},
		{"struct A { int x y; };", "expected ';' at end of declaration list"},
		{"struct A { struct A a; };", "field has incomplete type 'struct A'"},
		{"struct A { int x:40; };", "width of bit-field exceeds the width of its type"},
		{"struct A { int x; }; struct A { int y; };", "redefinition of 'A'"},
		{"struct A { int x[999999999999]; };", "array is too large"},
		{"enum E { A = B };", "expression is not an integer constant expression"},
		{"struct {", "expected '}'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;

		begin(&f, cases[i].text);
		CHECK(!f.ok);
		CHECK_EQ(f.q.diags.list.n, 1);
		if (f.q.diags.list.n)
			CHECK_STREQ(f.q.diags.list.p[0].text, cases[i].message);
		end(&f);
	}
}

TEST(c_spellings)
{
	static const char *const cases[][2] = {
		{"const char *", "int8 *"},
		{"char[16]", "string[16]"},
		{"unsigned long[6]", "uint64[6]"},
		{"struct list_head *", "struct list_head *"},
		{"unsigned", "uint32"},
		{"long long unsigned int", "uint64"},
		{"unsigned char", "uint8"},
		{"const char __attribute__((btf_type_tag(\"user\"))) *", "int8 *"},
		{"void (*)(int)", "void *"},
		{"char * const *", "int8 * *"},
	};
	const struct type *t;
	struct fixture f;

	begin(&f, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = type_table_parse_c(f.t, cases[i][0]);
		CHECK(t);
		if (t)
			CHECK_STREQ(type_text(&f.q.arena, t), cases[i][1]);
	}
	t = type_table_parse_c(f.t, cases[7][0]);
	CHECK(t && t->space == SPACE_USER);
	CHECK(!type_table_parse_c(f.t, "int x"));
	CHECK(!type_table_parse_c(f.t, "no_such_t *"));
	CHECK_EQ(f.q.diags.list.n, 0);
	end(&f);
}

TEST(btf_structs)
{
	const struct type *t, *args, *result = NULL;
	const struct type_member *m;
	struct fixture f;
	uint32_t at;
	int64_t v;

	begin(&f, "");
	if (!world_fake_has_btf(f.world)) {
		test_skip("no BTF");
		end(&f);
		return;
	}
	t = type_table_find(f.t, TAG_STRUCT, "task_struct");
	CHECK(t && !t->is_complete && t->is_btf && t->size > 1000);
	CHECK(t && type_complete(f.t, t)->n_members > 50);
	m = type_member_find(f.t, t, "comm", &at);
	CHECK(m && m->type->kind == TYPE_STRING && m->type->size == 16);
	m = type_member_find(f.t, t, "real_parent", &at);
	CHECK(m && m->type->kind == TYPE_POINTER && m->type->of == t);
	m = type_member_find(f.t, t, "flags", &at);
	CHECK(m && m->type->kind == TYPE_INT && m->type->size == 4 && at);
	/* through anonymous unions */
	t = type_table_find(f.t, TAG_STRUCT, "sock_common");
	m = t ? type_member_find(f.t, t, "skc_daddr", &at) : NULL;
	CHECK(m && at == 0 && m->type->size == 4);
	m = t ? type_member_find(f.t, t, "skc_reuse", &at) : NULL;
	CHECK(m && m->bits == 4);
	CHECK(type_table_find(f.t, TAG_NONE, "size_t") == type_int(8, false));
	CHECK(type_table_find(f.t, TAG_NONE, "u16") == type_int(2, false));
	CHECK(!type_table_find(f.t, TAG_STRUCT, "no_such_struct"));
	CHECK(type_table_constant(f.t, "TCP_ESTABLISHED", &v, &t) && v == 1);
	args = type_table_function_args(f.t, NULL, "vfs_read", &result);
	CHECK(args && args->n_members == 4 && result);
	m = args ? type_member_find(f.t, args, "file", &at) : NULL;
	CHECK(m && at == 0 && m->type->space == SPACE_KERNEL);
	args = type_table_raw_tracepoint_args(f.t, "sched_switch");
	CHECK(args && args->n_members >= 3);
	m = args ? type_member_find(f.t, args, "prev", &at) : NULL;
	CHECK(m && at == 8 && !strcmp(m->type->of->name, "task_struct"));
	end(&f);
}

TEST(tracepoint_args)
{
	const struct type *t;
	const struct type_member *m;
	struct fixture f;
	uint32_t at;

	begin(&f, "");
	t = type_table_tracepoint_args(f.t, "syscalls", "sys_enter_openat");
	CHECK(t && t->is_tracepoint_ctx);
	m = t ? type_member_find(f.t, t, "filename", &at) : NULL;
	CHECK(m && at == 24 && m->type->kind == TYPE_POINTER && m->type->space == SPACE_USER);
	m = t ? type_member_find(f.t, t, "flags", &at) : NULL;
	CHECK(m && m->type->size == 8);
	t = type_table_tracepoint_args(f.t, "sched", "sched_switch");
	m = t ? type_member_find(f.t, t, "prev_comm", &at) : NULL;
	CHECK(m && m->type->kind == TYPE_STRING && m->type->size == 16);
	t = type_table_tracepoint_args(f.t, "sched", "sched_process_exec");
	m = t ? type_member_find(f.t, t, "filename", &at) : NULL;
	CHECK(m && m->is_data_loc && m->type == type_int(8, true));
	CHECK(!type_table_tracepoint_args(f.t, "sched", "no_such"));
	end(&f);
}

TEST(resolve_references)
{
	static const struct {
		int tag;
		const char *name;
		int64_t suffixes[3]; /* −2: pointer; −1: []; INT64_MIN: end */
		const char *said;
	} cases[] = {
		{TAG_NONE, "uint8", {INT64_MIN}, "uint8"},
		{TAG_NONE, "string", {64, INT64_MIN}, "string[64]"},
		{TAG_NONE, "string", {64, 2, INT64_MIN}, "string[64][2]"},
		{TAG_NONE, "int32", {-2, 4, INT64_MIN}, "int32 *[4]"},
		{TAG_STRUCT, "Foo", {-2, INT64_MIN}, "struct Foo *"},
		{TAG_NONE, "avg_t", {INT64_MIN}, "avg_t"},
		{TAG_NONE, "usum_t", {INT64_MIN}, "usum_t"},
	};
	struct type_ref bad = {.tag = TAG_STRUCT, .name = "Fop"};
	struct fixture f;

	begin(&f, "struct Foo { int x; };");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct type_ref r = {.tag = cases[i].tag, .name = cases[i].name};
		const struct type *t;

		for (unsigned int k = 0; k < 3 && cases[i].suffixes[k] != INT64_MIN; k++) {
			struct type_suffix s = {.kind = cases[i].suffixes[k] == -2 ? SUFFIX_POINTER
										   : SUFFIX_ARRAY,
						.n = cases[i].suffixes[k]};

			array_push(&f.q.arena, &r.suffixes, s);
		}
		t = type_table_resolve(f.t, &r);
		CHECK(t);
		if (t)
			CHECK_STREQ(type_text(&f.q.arena, t), cases[i].said);
	}
	CHECK(!type_table_resolve(f.t, &bad));
	CHECK_EQ(f.q.diags.list.n, 1);
	CHECK_STREQ(f.q.diags.list.p[0].text, "Cannot resolve unknown type \"struct Fop\"");
	CHECK_STREQ(f.q.diags.list.p[0].notes->text, "Did you mean \"struct Foo\"?");
	end(&f);
}

/* Of this very program, if it was built with -g. */
struct dwarf_inner {
	int x, y;
};

struct dwarf_sample {
	int a;
	char text[10];
	int counts[3];
	unsigned low : 3, high : 7;
	union {
		long whole;
		struct dwarf_inner parts;
	};
	struct dwarf_sample *next;
};

__attribute__((noinline)) static int dwarf_function(int n, char c, const struct dwarf_sample *s)
{
	return n + c + s->a;
}

TEST(dwarf)
{
	struct dwarf_sample sample = {.a = 1};
	const struct type *args, *t;
	const struct type_member *m;
	char path[4096];
	struct fixture f;
	ssize_t n;
	uint32_t at;

	begin(&f, "struct dwarf_inner { char other; };");
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	CHECK(dwarf_function(1, 2, &sample) == 4);
	type_table_add_dwarf(f.t, path);
	args = type_table_program_args(f.t, path, "dwarf_function", NULL);
	if (!args) {
		test_skip("no debug information");
		end(&f);
		return;
	}
	CHECK_EQ(args->n_members, 3);
	CHECK(says(&f, "dwarf_sample", "a", "int32", 0));
	CHECK(says(&f, "dwarf_sample", "text", "string[10]", 4));
	CHECK(says(&f, "dwarf_sample", "counts", "int32[3]", 16));
	CHECK(says(&f, "dwarf_sample", "whole", "int64", 32));
	CHECK(says(&f, "dwarf_sample", "next", "struct dwarf_sample *", 40));
	m = type_member_find(f.t, type_table_find(f.t, TAG_STRUCT, "dwarf_sample"), "high", &at);
	CHECK(m && at == 28 && m->bit_offset == 3 && m->bits == 7);
	m = type_member_find(f.t, args, "s", &at);
	CHECK(m && at == 16 && m->type->space == SPACE_USER);
	t = m ? type_complete(f.t, m->type->of) : NULL;
	CHECK(t && t->size == sizeof(struct dwarf_sample));
	/* what the script defines comes first */
	CHECK(says(&f, "dwarf_inner", "other", "int8", 0));
	end(&f);
}
