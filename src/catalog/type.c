/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: the common ones, how the others are made, sameness, and their spelling.
 */
#include "catalog/type.h"

#include <stdio.h>

const struct type type_none = {.kind = TYPE_NONE, .is_complete = true};
const struct type type_void = {.kind = TYPE_VOID, .is_complete = true};
const struct type type_bool = {.kind = TYPE_BOOL, .size = 1, .align = 1, .is_complete = true};

#define INT(bytes, sgn)                                                                  \
	{                                                                                \
		.kind = TYPE_INT, .size = (bytes), .align = (bytes), .is_signed = (sgn), \
		.is_complete = true                                                      \
	}

static const struct type ints[2][4] = {
	{INT(1, false), INT(2, false), INT(4, false), INT(8, false)},
	{INT(1, true), INT(2, true), INT(4, true), INT(8, true)},
};

const struct type *type_int(unsigned int size, bool is_signed)
{
	return &ints[is_signed][size <= 1 ? 0 : size <= 2 ? 1 : size <= 4 ? 2 : 3];
}

static struct type *made(struct arena *a, enum type_kind kind, uint32_t size, uint32_t align)
{
	struct type *t = arena_new(a, struct type);

	t->kind = kind;
	t->size = size;
	t->align = align;
	t->is_complete = true;
	return t;
}

const struct type *type_pointer(struct arena *a, const struct type *to, enum type_space space)
{
	struct type *t = made(a, TYPE_POINTER, 8, 8);

	t->of = to;
	t->space = space;
	return t;
}

const struct type *type_array(struct arena *a, const struct type *of, uint32_t n)
{
	struct type *t = made(a, TYPE_ARRAY, of->size * n, of->align ? of->align : 1);

	t->of = of;
	t->n = n;
	return t;
}

const struct type *type_string(struct arena *a, uint32_t size)
{
	return made(a, TYPE_STRING, size, 1);
}

const struct type *type_buffer(struct arena *a, uint32_t room)
{
	return made(a, TYPE_BUFFER, room + 4, 1);
}

const struct type *type_stack(struct arena *a, enum type_kind kind, unsigned int limit,
			      enum stack_mode mode)
{
	struct type *t = made(a, kind, sizeof(struct value_stack), 8);

	t->stack.limit = limit;
	t->stack.mode = mode;
	return t;
}

const struct type *type_tuple(struct arena *a, const struct type *const *types,
			      const char *const *names, unsigned int n)
{
	struct type *t = made(a, names ? TYPE_RECORD : TYPE_TUPLE, 0, 1);
	struct type_member *m = arena_array(a, struct type_member, n);
	uint32_t offset = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t align = types[i]->align ? types[i]->align : 1;

		offset = (offset + align - 1) / align * align;
		m[i] = (struct type_member){
			.name = names ? names[i] : NULL, .type = types[i], .offset = offset};
		offset += types[i]->size;
		if (align > t->align)
			t->align = align;
	}
	t->members = m;
	t->n_members = n;
	t->size = (offset + t->align - 1) / t->align * t->align;
	return t;
}

/* Kinds whose size nothing else decides.  `name` is their spelling. */
static const struct {
	const char *name;
	uint8_t size, align;
	bool has_sign;
} plain[TYPE_KINDS] = {
	[TYPE_NONE] = {"none", 0, 0, false},
	[TYPE_VOID] = {"void", 0, 0, false},
	[TYPE_BOOL] = {"bool", 1, 1, false},
	[TYPE_INT] = {"int", 8, 8, true},
	[TYPE_ENUM] = {"int", 4, 4, false},
	[TYPE_POINTER] = {"pointer", 8, 8, false},
	[TYPE_ARRAY] = {"array", 0, 1, false},
	[TYPE_STRING] = {"string", 0, 1, false},
	[TYPE_BUFFER] = {"buffer", 0, 1, false},
	[TYPE_STRUCT] = {"c_type", 0, 1, false},
	[TYPE_TUPLE] = {"tuple", 0, 1, false},
	[TYPE_RECORD] = {"record", 0, 1, false},
	[TYPE_KSYM] = {"ksym_t", 8, 8, false},
	[TYPE_USYM] = {"usym_t", sizeof(struct value_usym), 8, false},
	[TYPE_KSTACK] = {"kstack", sizeof(struct value_stack), 8, false},
	[TYPE_USTACK] = {"ustack", sizeof(struct value_stack), 8, false},
	[TYPE_INET] = {"inet", sizeof(struct value_inet), 8, false},
	[TYPE_MAC] = {"mac_address", 6, 1, false},
	[TYPE_USERNAME] = {"username_t", 8, 8, false},
	[TYPE_TIMESTAMP] = {"timestamp", sizeof(struct value_time), 8, false},
	[TYPE_CGROUP] = {"cgroup_path_t", sizeof(struct value_cgroup), 8, false},
	[TYPE_STRERROR] = {"string", 4, 4, false},
	[TYPE_SIGNAL] = {"string", 4, 4, false},
	[TYPE_SYSCALL] = {"string", 4, 4, false},
	[TYPE_COUNT] = {"count_t", 8, 8, false},
	[TYPE_SUM] = {"sum_t", 8, 8, true},
	[TYPE_MIN] = {"min_t", sizeof(struct value_extreme), 8, true},
	[TYPE_MAX] = {"max_t", sizeof(struct value_extreme), 8, true},
	[TYPE_AVG] = {"avg_t", sizeof(struct value_avg), 8, true},
	[TYPE_STATS] = {"stats_t", sizeof(struct value_avg), 8, true},
	[TYPE_HIST] = {"hist_t", 8, 8, false},
	[TYPE_LHIST] = {"lhist_t", 8, 8, false},
	[TYPE_TSERIES] = {"tseries_t", sizeof(struct value_tseries), 8, false},
	[TYPE_STACK_MODE] = {"stack_mode", 0, 1, false},
	[TYPE_TIMESTAMP_MODE] = {"timestamp_mode", 0, 1, false},
};

const struct type *type_plain(struct arena *a, enum type_kind kind)
{
	struct type *t = made(a, kind, plain[kind].size, plain[kind].align);

	t->is_signed = plain[kind].has_sign;
	return t;
}

const char *type_kind_name(enum type_kind kind)
{
	return plain[kind].name;
}

/* Names may be missing; two without a name are told apart by their members. */
static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_members(const struct type *a, const struct type *b)
{
	if (a->n_members != b->n_members)
		return false;
	for (uint32_t i = 0; i < a->n_members; i++)
		if (!same_name(a->members[i].name, b->members[i].name) ||
		    !type_same(a->members[i].type, b->members[i].type))
			return false;
	return true;
}

bool type_same(const struct type *a, const struct type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case TYPE_POINTER:
		return type_same(a->of, b->of);
	case TYPE_ARRAY:
		return a->n == b->n && type_same(a->of, b->of);
	case TYPE_STRUCT:
		if (a->is_union != b->is_union || a->size != b->size)
			return false;
		if (!a->name && !b->name)
			return same_name(a->spelling, b->spelling) &&
			       (a->spelling || same_members(a, b));
		return same_name(a->name, b->name);
	case TYPE_ENUM:
		return same_name(a->name, b->name) && a->size == b->size;
	case TYPE_TUPLE:
	case TYPE_RECORD:
		return same_members(a, b);
	case TYPE_KSTACK:
	case TYPE_USTACK:
		return a->stack.limit == b->stack.limit && a->stack.mode == b->stack.mode;
	case TYPE_NONE:
	case TYPE_VOID:
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_STRING:
	case TYPE_BUFFER:
	case TYPE_KSYM:
	case TYPE_USYM:
	case TYPE_INET:
	case TYPE_MAC:
	case TYPE_USERNAME:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP:
	case TYPE_STRERROR:
	case TYPE_SIGNAL:
	case TYPE_SYSCALL:
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_STATS:
	case TYPE_HIST:
	case TYPE_LHIST:
	case TYPE_TSERIES:
	case TYPE_STACK_MODE:
	case TYPE_TIMESTAMP_MODE:
	case TYPE_KINDS:
		break;
	}
	return a->size == b->size && a->is_signed == b->is_signed;
}

bool type_is_scalar(const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
		return t->size <= 8;
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_POINTER:
	case TYPE_KSYM:
	case TYPE_USERNAME:
	case TYPE_STRERROR:
	case TYPE_SIGNAL:
	case TYPE_SYSCALL:
		return true;
	case TYPE_NONE:
	case TYPE_VOID:
	case TYPE_ARRAY:
	case TYPE_STRING:
	case TYPE_BUFFER:
	case TYPE_STRUCT:
	case TYPE_TUPLE:
	case TYPE_RECORD:
	case TYPE_USYM:
	case TYPE_KSTACK:
	case TYPE_USTACK:
	case TYPE_INET:
	case TYPE_MAC:
	case TYPE_TIMESTAMP:
	case TYPE_CGROUP:
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_MIN:
	case TYPE_MAX:
	case TYPE_AVG:
	case TYPE_STATS:
	case TYPE_HIST:
	case TYPE_LHIST:
	case TYPE_TSERIES:
	case TYPE_STACK_MODE:
	case TYPE_TIMESTAMP_MODE:
	case TYPE_KINDS:
		return false;
	}
	return false;
}

static void print_members(const struct type *t, const char *between, struct buf *to)
{
	for (uint32_t i = 0; i < t->n_members; i++) {
		if (i)
			buf_puts(to, between);
		if (t->kind == TYPE_RECORD)
			buf_printf(to, ".%s = ", t->members[i].name);
		type_print(t->members[i].type, to);
	}
}

static void print_struct(const struct type *t, struct buf *to)
{
	const char *tag = t->is_union ? "union" : "struct";

	if (t->name) {
		buf_printf(to, "%s %s", tag, t->name);
	} else if (t->spelling) {
		buf_puts(to, t->spelling);
	} else {
		buf_printf(to, "%s {", tag);
		print_members(t, ",", to);
		buf_putc(to, '}');
	}
}

static void print_stack(const struct type *t, struct buf *to)
{
	static const char *const modes[] = {
		[STACK_BPFTRACE] = "bpftrace",
		[STACK_PERF] = "perf",
		[STACK_RAW] = "raw",
		[STACK_BUILD_ID] = "build_id",
	};

	buf_printf(to, "%s_%s_%u", plain[t->kind].name, modes[t->stack.mode], t->stack.limit);
}

void type_print(const struct type *t, struct buf *to)
{
	if (t->kind == TYPE_INT) {
		buf_printf(to, "%sint%u", t->is_signed ? "" : "u", 8 * t->size);
	} else if (t->kind == TYPE_ENUM) {
		buf_printf(to, "enum %s", t->name ? t->name : t->spelling ? t->spelling : "");
	} else if (t->kind == TYPE_POINTER) {
		type_print(t->of, to);
		buf_puts(to, " *");
	} else if (t->kind == TYPE_ARRAY) {
		type_print(t->of, to);
		buf_printf(to, "[%u]", t->n);
	} else if (t->kind == TYPE_STRUCT) {
		print_struct(t, to);
	} else if (t->kind == TYPE_TUPLE) {
		buf_putc(to, '(');
		print_members(t, ",", to);
		buf_putc(to, ')');
	} else if (t->kind == TYPE_RECORD) {
		buf_puts(to, "record { ");
		print_members(t, ", ", to);
		buf_puts(to, " }");
	} else if (t->kind == TYPE_KSTACK || t->kind == TYPE_USTACK) {
		print_stack(t, to);
	} else if (t->kind == TYPE_STRERROR || t->kind == TYPE_SIGNAL || t->kind == TYPE_SYSCALL) {
		buf_puts(to, "string[64]");
	} else {
		if (plain[t->kind].has_sign && !t->is_signed)
			buf_putc(to, 'u');
		buf_puts(to, plain[t->kind].name);
		if ((t->kind == TYPE_STRING && t->size) || t->kind == TYPE_BUFFER)
			buf_printf(to, "[%u]", t->size);
	}
}

const char *type_text(struct arena *a, const struct type *t)
{
	_cleanup_buf_ struct buf b = {};

	type_print(t, &b);
	return arena_strndup(a, b.p ? b.p : "", b.n);
}
