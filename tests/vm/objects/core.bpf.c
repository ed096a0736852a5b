/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each kind of CO-RE relocation in a program of its own; core-kernel.bpf.c has other structs
 * by the same names.  What each should become: the table of test-vm-core.c.
 */
#include "base.h"

#define PRESERVED __attribute__((preserve_access_index))

enum { OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT };
enum { LOCAL, TARGET };
enum { TYPE_EXISTS, TYPE_SIZE };
enum { ENUM_EXISTS, ENUM_VALUE };

struct part {
	int x, y;
} PRESERVED;

struct thing {
	int moved;
	int gone;
	u32 grown;
	int sign;
	u32 low : 3, bits : 5;
	struct {
		int inside;
	};
	struct part parts[4];
	u8 tail[0];
} PRESERVED;

struct thing___other {
	long elsewhere;
} PRESERVED;

struct nowhere {
	int x;
} PRESERVED;

struct same {
	int a;
	struct same *next;
};

struct differs {
	int a;
};

typedef int (*callback_t)(int);
typedef u32 number_t;

enum colour { RED = 1, GREEN = 2, BLUE = 3 };
enum wide : u64 { WIDE = 1 };

#define FIELD(name, access, what)                                      \
	SEC("socket")                                                  \
	int name(struct thing *t)                                      \
	{                                                              \
		return __builtin_preserve_field_info(t->access, what); \
	}
FIELD(offset_moved, moved, OFFSET)
FIELD(offset_gone, gone, OFFSET)
FIELD(exists_moved, moved, EXISTS)
FIELD(exists_gone, gone, EXISTS)
FIELD(size_grown, grown, SIZE)
FIELD(signed_sign, sign, SIGNED)
FIELD(signed_grown, grown, SIGNED)
FIELD(offset_inside, inside, OFFSET)
FIELD(offset_part, parts[2].y, OFFSET)
FIELD(exists_part, parts[3].y, EXISTS)
FIELD(offset_bits, bits, OFFSET)
FIELD(size_bits, bits, SIZE)
FIELD(lshift_bits, bits, LSHIFT)
FIELD(rshift_bits, bits, RSHIFT)
FIELD(offset_tail, tail[5], OFFSET)

SEC("socket")
int exists_other(struct thing___other *t)
{
	return __builtin_preserve_field_info(t->elsewhere, EXISTS);
}

SEC("socket")
int exists_nowhere(struct nowhere *t)
{
	return __builtin_preserve_field_info(t->x, EXISTS);
}

#define TYPE(name, type, what)                                         \
	SEC("socket")                                                  \
	int name(void *ctx)                                            \
	{                                                              \
		return __builtin_preserve_type_info(*(type *)0, what); \
	}
TYPE(type_thing, struct thing, TYPE_EXISTS)
TYPE(type_nowhere, struct nowhere, TYPE_EXISTS)
TYPE(type_callback, callback_t, TYPE_EXISTS)
TYPE(type_number, number_t, TYPE_EXISTS)
TYPE(size_part, struct part, TYPE_SIZE)
/* clang 14 cannot ask if they match: the test asks itself. */
TYPE(type_same, struct same, TYPE_EXISTS)
TYPE(type_differs, struct differs, TYPE_EXISTS)

SEC("socket")
int id_local(void *ctx)
{
	return __builtin_btf_type_id(*(struct part *)0, LOCAL);
}

SEC("socket")
int id_target(void *ctx)
{
	return __builtin_btf_type_id(*(struct part *)0, TARGET);
}

#define ENUMERATOR(name, type, value, what)                                         \
	SEC("socket")                                                               \
	u64 name(void *ctx)                                                         \
	{                                                                           \
		return __builtin_preserve_enum_value(*(typeof(type) *)value, what); \
	}
ENUMERATOR(value_green, enum colour, GREEN, ENUM_VALUE)
ENUMERATOR(value_blue, enum colour, BLUE, ENUM_VALUE)
ENUMERATOR(exists_green, enum colour, GREEN, ENUM_EXISTS)
ENUMERATOR(exists_blue, enum colour, BLUE, ENUM_EXISTS)
ENUMERATOR(value_wide, enum wide, WIDE, ENUM_VALUE)

/* Loads: of a field that has moved, that has grown, that has gone. */
SEC("socket")
int load_moved(struct thing *t)
{
	return t->moved;
}

SEC("socket")
u64 load_grown(struct thing *t)
{
	return t->grown;
}

SEC("socket")
int load_sign(struct thing *t)
{
	return t->sign;
}

SEC("socket")
int load_gone(struct thing *t)
{
	return t->gone;
}

SEC("socket")
int load_nowhere(struct nowhere *n)
{
	return n->x;
}

SEC("socket")
int load_part(struct thing *t)
{
	return t->parts[3].y;
}

char _license[] SEC("license") = "GPL";
