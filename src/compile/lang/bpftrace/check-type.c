/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How types get on with each other: which fit into which, and what two of them become.
 *
 * Integers: a literal is the smallest signed type that holds it, and takes the other's
 * sign if it is not negative.  Two of one sign become the wider; of two signs, a signed one
 * that holds both, at most int64.  Strings become the longer; tuples and records member by
 * member.  Whatever was read knows the address space it came from (`space`).
 */
#include "compile/lang/bpftrace/check-rules.h"

#include <assert.h>

struct type *type_copy(struct check *c, const struct type *t)
{
	return arena_copy(c->a, t, sizeof(*t));
}

const char *type_str(struct check *c, const struct type *t)
{
	return type_text(c->a, t);
}

const char *kind_str(const struct type *t)
{
	return type_kind_name(t->kind);
}

const struct type *type_in_space(struct check *c, const struct type *t, unsigned int space)
{
	struct type *copy;

	if (t->space == space || t->kind == TYPE_NONE || t->kind == TYPE_VOID)
		return t;
	copy = type_copy(c, t);
	copy->space = space;
	return copy;
}

const struct type *type_with_ctx(struct check *c, const struct type *t, bool is_ctx)
{
	struct type *copy;

	if (t->is_ctx == is_ctx || t->kind == TYPE_NONE)
		return t;
	copy = type_copy(c, t);
	copy->is_ctx = is_ctx;
	return copy;
}

uint32_t string_size(const struct type *t)
{
	return t->kind == TYPE_STRING ? t->size : 64;
}

bool is_byte_array(const struct type *t)
{
	return is_string(t) || t->kind == TYPE_USYM || t->kind == TYPE_INET ||
	       t->kind == TYPE_BUFFER || t->kind == TYPE_TIMESTAMP || t->kind == TYPE_MAC ||
	       t->kind == TYPE_CGROUP;
}

/* Aggregations count as numbers of 8 bytes, whatever they keep. */
static uint32_t number_size(const struct type *t)
{
	return is_castable(t) ? 8 : t->size;
}

static const struct type_member *member_named(const struct type *t, const char *name)
{
	for (uint32_t i = 0; i < t->n_members; i++)
		if (!strcmp(t->members[i].name, name))
			return &t->members[i];
	return NULL;
}

static bool same_struct(const struct type *a, const struct type *b)
{
	if (a->name && b->name)
		return a->is_union == b->is_union && !strcmp(a->name, b->name);
	return type_same(a, b);
}

static bool members_compatible(const struct type *a, const struct type *b)
{
	if (a->n_members != b->n_members)
		return false;
	for (uint32_t i = 0; i < a->n_members; i++) {
		const struct type_member *m = &b->members[i];

		if (a->kind == TYPE_RECORD)
			m = member_named(b, a->members[i].name);
		if (!m || !type_compatible(a->members[i].type, m->type))
			return false;
	}
	return true;
}

bool type_compatible(const struct type *a, const struct type *b)
{
	if (is_integer(a) && is_integer(b))
		return true;
	if (is_string(a) && is_string(b))
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == TYPE_STRUCT)
		return same_struct(a, b);
	if (a->kind == TYPE_POINTER)
		return type_compatible(a->of, b->of);
	if (a->kind == TYPE_TUPLE || a->kind == TYPE_RECORD)
		return members_compatible(a, b);
	if (a->kind == TYPE_KSTACK || a->kind == TYPE_USTACK)
		return type_same(a, b);
	if (a->kind == TYPE_ARRAY)
		return type_same(a->of, b->of) && (!a->size || !b->size || a->size == b->size);
	return true;
}

static bool integer_fits(const struct type *t, const struct type *into)
{
	if (t->is_signed == into->is_signed || t->is_sign_flexible)
		return t->size <= into->size;
	return !t->is_signed && t->size < into->size;
}

static bool members_fit(const struct type *t, const struct type *into)
{
	if (t->n_members != into->n_members)
		return false;
	for (uint32_t i = 0; i < t->n_members; i++) {
		const struct type_member *m = &into->members[i];

		if (t->kind == TYPE_RECORD)
			m = member_named(into, t->members[i].name);
		if (!m || !type_fits(t->members[i].type, m->type))
			return false;
	}
	return true;
}

bool type_fits(const struct type *t, const struct type *into)
{
	if (!type_compatible(t, into))
		return false;
	if (is_string(t))
		return string_size(t) <= string_size(into);
	if (is_integer(t))
		return integer_fits(t, into);
	if (t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD)
		return members_fit(t, into);
	return type_same(t, into);
}

static const struct type *flexible(const struct type *t, bool is_flexible)
{
	/* The eight kinds of integers, as literals that are not negative are. */
#define FLEXIBLE(bytes, sgn)                                                             \
	{                                                                                \
		.kind = TYPE_INT, .size = (bytes), .align = (bytes), .is_signed = (sgn), \
		.is_complete = true, .is_sign_flexible = true                            \
	}
	static const struct type types[2][9] = {
		{[1] = FLEXIBLE(1, false),
		 [2] = FLEXIBLE(2, false),
		 [4] = FLEXIBLE(4, false),
		 [8] = FLEXIBLE(8, false)},
		{[1] = FLEXIBLE(1, true),
		 [2] = FLEXIBLE(2, true),
		 [4] = FLEXIBLE(4, true),
		 [8] = FLEXIBLE(8, true)},
	};
#undef FLEXIBLE
	return is_flexible ? &types[t->is_signed][t->size] : t;
}

const struct type *type_of_number(uint64_t n)
{
	if (n > INT64_MAX)
		return type_int(8, false);
	return flexible(type_of_negative((int64_t)n), true);
}

const struct type *type_of_negative(int64_t n)
{
	unsigned int size = 8;

	if (n >= INT8_MIN && n <= INT8_MAX)
		size = 1;
	else if (n >= INT16_MIN && n <= INT16_MAX)
		size = 2;
	else if (n >= INT32_MIN && n <= INT32_MAX)
		size = 4;
	return type_int(size, true);
}

static const struct type *promote_integer(const struct type *now, const struct type *t)
{
	uint32_t a = number_size(now), b = number_size(t), wide = a > b ? a : b;
	bool both_flexible = now->is_sign_flexible && t->is_sign_flexible;

	if (wide > 8)
		wide = 8;
	if (now->is_signed == t->is_signed)
		return flexible(type_int(wide, now->is_signed), both_flexible);
	if (now->is_sign_flexible || t->is_sign_flexible) {
		bool is_signed = (!now->is_sign_flexible && now->is_signed) ||
				 (!t->is_sign_flexible && t->is_signed);

		return flexible(type_int(wide, is_signed), both_flexible);
	}
	if (now->is_signed ? a > b : b > a)
		return type_int(wide, true);
	return type_int(wide * 2 > 8 ? 8 : wide * 2, true);
}

static const struct type *promote_members(struct check *c, const struct type *now,
					  const struct type *t);

static const struct type *promote_element(struct check *c, const struct type *now,
					  const struct type *t)
{
	if (is_integer(now)) {
		const struct type *made = promote_integer(now, t);

		return type_in_space(c, made, now->space ? now->space : t->space);
	}
	if (is_castable(now))
		return now->is_signed || !t->is_signed ? now : t;
	if (now->kind == TYPE_TUPLE || now->kind == TYPE_RECORD)
		return promote_members(c, now, t);
	if (is_string(now)) {
		uint32_t a = string_size(now), b = string_size(t);

		return type_in_space(c, type_string(c->a, a > b ? a : b), now->space);
	}
	if (now->kind == TYPE_POINTER) {
		const struct type *of = promote_element(c, now->of, t->of);

		if (!of)
			return NULL;
		return type_with_ctx(
			c,
			type_pointer(c->a, of, t->space ? t->space : (enum type_space)now->space),
			now->is_ctx);
	}
	return now;
}

static const struct type *promote_members(struct check *c, const struct type *now,
					  const struct type *t)
{
	const struct type **types = arena_array(c->a, const struct type *, now->n_members);
	const char **names = NULL;

	if (now->kind == TYPE_RECORD)
		names = arena_array(c->a, const char *, now->n_members);
	for (uint32_t i = 0; i < now->n_members; i++) {
		const struct type_member *m = &t->members[i];

		if (names) {
			names[i] = now->members[i].name;
			m = member_named(t, names[i]);
		}
		types[i] = promote_element(c, now->members[i].type, m->type);
		if (!types[i])
			return NULL;
	}
	return type_tuple(c->a, types, names, now->n_members);
}

const struct type *type_promote(struct check *c, const struct type *now, const struct type *t)
{
	if (now->kind == TYPE_NONE) {
		if (is_castable(t))
			return type_int(8, t->is_signed);
		return t;
	}
	if (type_same(now, t) && !(now->is_sign_flexible && !t->is_sign_flexible))
		return now->space && !t->space ? type_in_space(c, t, now->space) : t;
	if (!type_compatible(now, t)) {
		if ((is_integer(now) && is_castable(t)) || (is_integer(t) && is_castable(now)))
			return promote_integer(now, t);
		return NULL;
	}
	return promote_element(c, now, t);
}

bool hint_near(struct check *c, const char *typed, const char *const *names)
{
	const char *near = c->d->is_repeated ? NULL : str_nearest(typed, names);
	size_t a = strlen(typed), b = near ? strlen(near) : 0;

	/* Short names are near to everything. */
	if (!near || (a > b ? a - b : b - a) > 2 || a <= 2)
		return false;
	diag_hint(c->d, "Did you mean \"%s\"?", near);
	return true;
}

const char *op_text(enum expr_op op)
{
	static const char *const texts[] = {
		[OP_ADD] = "+",	     [OP_SUB] = "-",	  [OP_MUL] = "*",     [OP_DIV] = "/",
		[OP_MOD] = "%",	     [OP_AND] = "&",	  [OP_OR] = "|",      [OP_XOR] = "^",
		[OP_SHL] = "<<",     [OP_SHR] = ">>",	  [OP_EQ] = "==",     [OP_NE] = "!=",
		[OP_LT] = "<",	     [OP_LE] = "<=",	  [OP_GT] = ">",      [OP_GE] = ">=",
		[OP_LAND] = "&&",    [OP_LOR] = "||",	  [OP_NOT] = "!",     [OP_BNOT] = "~",
		[OP_NEG] = "-",	     [OP_DEREF] = "*",	  [OP_PREINC] = "++", [OP_PREDEC] = "--",
		[OP_POSTINC] = "++", [OP_POSTDEC] = "--",
	};

	return texts[op];
}

const char *probe_provider(const struct checked_probe *p)
{
	return p && p->points && p->points->point ? p->points->point->provider : NULL;
}

bool is_provider(const struct checked_probe *p, const char *const *names)
{
	const char *provider = probe_provider(p);

	for (; provider && *names; names++)
		if (!strcmp(provider, *names))
			return true;
	return false;
}

enum type_space probe_space(const struct checked_probe *p)
{
	static const char *const kernel[] = {"kprobe",	   "kretprobe", "fentry",	 "fexit",
					     "tracepoint", "iter",	"rawtracepoint", NULL};
	static const char *const user[] = {"uprobe", "uretprobe", "usdt", NULL};
	static const char *const memory[] = {"watchpoint", NULL};

	if (is_provider(p, kernel))
		return SPACE_KERNEL;
	if (is_provider(p, memory)) /* the half of the addresses that it watches */
		return p->points->address >> 63 ? SPACE_KERNEL : SPACE_USER;
	return is_provider(p, user) ? SPACE_USER : SPACE_NONE;
}
