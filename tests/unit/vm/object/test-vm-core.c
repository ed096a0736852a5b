/* SPDX-License-Identifier: Apache-2.0 */
/* CO-RE: core.bpf.c relocated for the types of core-kernel.bpf.c, each kind of question. */
#include "made-core-kernel.h"
#include "made-core.h"
#include "read.h"
#include "runtime/vm/object-core.h"
#include "test.h"

#include <stddef.h>

/* core-kernel.bpf.c's, as this machine's compiler lays it out. */
struct kernel_part {
	int64_t z;
	int y, x;
};
struct kernel_thing {
	int64_t before;
	uint64_t grown;
	int moved;
	uint16_t sign;
	int inside;
	uint64_t rest; /* of the bitfields */
	struct kernel_part parts[3];
	uint8_t tail[];
};
#define AT(member) offsetof(struct kernel_thing, member)

enum { POISONED = -1 };

/* Programs that return the number of one relocation. */
static const struct {
	const char *prog;
	int64_t value;
} numbers[] = {
	{"offset_moved", AT(moved)},
	{"offset_gone", POISONED},
	{"exists_moved", 1},
	{"exists_gone", 0},
	{"size_grown", 8},
	{"signed_sign", 0},
	{"signed_grown", 0},
	{"offset_inside", AT(inside)},
	{"offset_part", AT(parts) + 2 * 16 + 8},
	{"exists_part", 0}, /* the kernel's array has but three */
	/* bits 244 to 253 of the struct: the load of 8 bytes that has them begins at 24 */
	{"offset_bits", 24},
	{"size_bits", 8},
	{"lshift_bits", 256 - 253},
	{"rshift_bits", 64 - 9},
	{"offset_tail", AT(tail) + 5},
	{"exists_other", 0},
	{"exists_nowhere", 0},
	{"type_thing", 1},
	{"type_nowhere", 0},
	{"type_callback", 1},
	{"type_number", 1},
	{"type_same", 1},
	{"type_differs", 1},
	{"size_part", 16},
	{"value_green", 20},
	{"value_blue", POISONED},
	{"exists_green", 1},
	{"exists_blue", 0},
	{"value_wide", 2},
};

struct both {
	struct read kernel, x;
};

static void read_both(struct both *b)
{
	struct object_options o = {.name = "core.o"};

	CHECK(read_types(&b->kernel, made_core_kernel, made_core_kernel_size));
	o.kernel = &b->kernel.object.btf;
	read_object(&b->x, made_core, made_core_size, &o);
	CHECK_EQ(b->x.r, 0);
	CHECK_STREQ(read_said(&b->x), "");
}

static void both_done(struct both *b)
{
	read_done(&b->x);
	read_done(&b->kernel);
}

static bool is_poison(const struct bpf_insn *insn)
{
	return insn->code == READ_CALL && !insn->src_reg && insn->imm == 0xbad2310;
}

static int64_t number(const struct vm_prog *p)
{
	if (!p || is_poison(&p->insns[0]))
		return p ? POISONED : -2;
	if (insn_is_wide(&p->insns[0]))
		return (int64_t)((uint32_t)p->insns[0].imm | (uint64_t)p->insns[1].imm << 32);
	return p->insns[0].imm;
}

TEST(every_kind)
{
	struct both b;

	read_both(&b);
	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		int64_t got = number(read_prog(&b.x, numbers[i].prog));

		test_result(got == numbers[i].value, __FILE__, __LINE__, "%s: %lld, expected %lld",
			    numbers[i].prog, (long long)got, (long long)numbers[i].value);
	}
	both_done(&b);
}

TEST(type_ids)
{
	struct both b;

	read_both(&b);
	CHECK_EQ(number(read_prog(&b.x, "id_local")),
		 btf_find(&b.x.object.btf, BTF_ONE(STRUCT), "part"));
	CHECK_EQ(number(read_prog(&b.x, "id_target")),
		 btf_find(&b.kernel.object.btf, BTF_ONE(STRUCT), "part"));
	both_done(&b);
}

TEST(loads_follow)
{
	const struct vm_prog *p;
	struct both b;

	read_both(&b);
	p = read_prog(&b.x, "load_moved");
	CHECK_EQ(p->insns[0].off, AT(moved));
	CHECK_EQ(insn_bytes(&p->insns[0]), 4);
	p = read_prog(&b.x, "load_grown");
	CHECK_EQ(p->insns[0].off, AT(grown));
	CHECK_EQ(insn_bytes(&p->insns[0]), 8);
	/* a signed number of another size would be another number */
	CHECK(is_poison(&read_prog(&b.x, "load_sign")->insns[0]));
	CHECK(is_poison(&read_prog(&b.x, "load_gone")->insns[0]));
	both_done(&b);
}

/* Why code that is poisoned may not be reached. */
static const struct {
	const char *prog, *what;
} missing[] = {
	{"offset_gone", "the kernel's struct thing has no gone, or of another type"},
	{"load_gone", "the kernel's struct thing has no gone, or of another type"},
	{"load_sign", "the kernel's struct thing has another size of sign, and this access cannot "
		      "follow it"},
	{"value_blue", "the kernel's enum colour has no BLUE"},
	{"load_nowhere", "the kernel's types have no struct nowhere"},
	{"load_part", "the kernel's struct thing has no parts[3].y, or of another type"},
};

TEST(missing_in_words)
{
	struct both b;

	read_both(&b);
	for (size_t i = 0; i < ELEMENTS(missing); i++) {
		const struct vm_prog *p = read_prog(&b.x, missing[i].prog);

		CHECK(p && p->n_missing == 1 && is_poison(&p->insns[p->missing[0].insn]));
		CHECK_STREQ(p->missing[0].what, missing[i].what);
	}
	CHECK_EQ(read_prog(&b.x, "load_moved")->n_missing, 0);
	both_done(&b);
}

TEST(without_a_kernel)
{
	struct read x;

	read_object(&x, made_core, made_core_size, NULL);
	CHECK_EQ(x.r, 0);
	CHECK_EQ(number(read_prog(&x, "offset_gone")), 4); /* as compiled */
	CHECK_EQ(number(read_prog(&x, "exists_gone")), 1);
	read_done(&x);
}

static bool match(const struct both *b, uint32_t kinds, const char *name)
{
	return core_types_match(&b->x.object.btf, btf_find(&b->x.object.btf, kinds, name),
				&b->kernel.object.btf,
				btf_find(&b->kernel.object.btf, kinds, name));
}

TEST(types_match)
{
	struct both b;

	read_both(&b);
	CHECK(match(&b, BTF_ONE(STRUCT), "same"));
	CHECK(!match(&b, BTF_ONE(STRUCT), "differs"));
	CHECK(!match(&b, BTF_ONE(STRUCT), "thing"));
	CHECK(!match(&b, BTF_ONE(ENUM), "colour")); /* no BLUE there */
	CHECK(match(&b, BTF_ONE(TYPEDEF), "callback_t"));
	CHECK(match(&b, BTF_ONE(TYPEDEF), "number_t"));
	both_done(&b);
}

TEST(flavours)
{
	CHECK_EQ(core_name_length("task_struct"), 11);
	CHECK_EQ(core_name_length("task_struct___old"), 11);
	CHECK_EQ(core_name_length("a___b"), 1);
	CHECK_EQ(core_name_length("a___b___c"), 5);
	CHECK_EQ(core_name_length("a____b"), 6);
	CHECK_EQ(core_name_length("___b"), 4);
	CHECK_EQ(core_name_length("a___"), 4);
	CHECK_EQ(core_name_length(""), 0);
	CHECK(core_names_equal("x___1", "x___2") && core_names_equal("x", "x___2"));
	CHECK(!core_names_equal("x", "xx"));
}
