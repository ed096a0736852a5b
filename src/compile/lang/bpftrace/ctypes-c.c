/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C declarations: the struct, union, enum and typedef of a script's preamble.
 *
 * The compiler's own small reader: no functions, no statements.  A declaration is
 * specifiers (which name a type, maybe define one), then declarators, which wrap it from
 * the outside in: "int (*x[3])[4]" is read by going to what stands behind the brackets
 * first, then into them.  Layout is the System V ABI's, which x86-64 and arm64 share;
 * bitfields are packed into units of their type.
 *
 * What it does not know as a type it looks up in the kernel's BTF, so that a preamble may
 * use the kernel's types without an #include.
 */
#include "compile/lang/bpftrace/ctypes-c-internal.h"

enum { MAX_DEPTH = 32, MAX_MEMBERS = 4096, MAX_OBJECT = 1 << 28 };

const struct type ctype_char = {
	.kind = TYPE_INT, .size = 1, .align = 1, .is_signed = true, .is_complete = true};

struct attributes {
	bool is_packed, is_user;
	uint32_t align; /* 0: none */
};

struct specifiers {
	const struct type *type;
	struct attributes attributes;
	bool is_typedef, has_body;
};

static const char *word_of(struct c_reader *r)
{
	return arena_strndup(r->t->arena, r->tok.text.p, r->tok.text.n);
}

static bool is_one_of(const struct c_reader *r, const char *const *words)
{
	for (; *words; words++)
		if (c_is(r, *words))
			return true;
	return false;
}

/* --- attributes */

static void one_attribute(struct c_reader *r, struct attributes *a)
{
	int64_t n = 16;

	if (c_take(r, "packed") || c_take(r, "__packed__")) {
		a->is_packed = true;
	} else if (c_take(r, "aligned") || c_take(r, "__aligned__")) {
		if (c_take(r, "(")) {
			if (!c_expression(r, &n) || !c_take(r, ")"))
				c_error(r, "expected an alignment");
		}
		if (n > 0 && n <= 4096 && !(n & (n - 1)))
			a->align = (uint32_t)n;
	} else if (c_take(r, "btf_type_tag")) {
		c_next(r);
		if (str_eq(r->tok.text, STR("\"user\"")))
			a->is_user = true;
		c_next(r);
		c_take(r, ")");
	} else {
		c_next(r);
		if (c_is(r, "("))
			c_skip_balanced(r);
	}
}

/* __attribute__((packed, aligned(8))), and the kernel's short words. */
static bool take_attributes(struct c_reader *r, struct attributes *a)
{
	bool any = false;

	for (;; any = true) {
		if (c_take(r, "__user")) {
			a->is_user = true;
		} else if (c_take(r, "__packed")) {
			a->is_packed = true;
		} else if (c_take(r, "__attribute__") || c_take(r, "__attribute")) {
			if (!c_take(r, "(") || !c_take(r, "("))
				return any;
			while (r->tok.kind != C_END && !c_is(r, ")"))
				if (!c_take(r, ","))
					one_attribute(r, a);
			c_take(r, ")");
			c_take(r, ")");
		} else {
			return any;
		}
	}
}

/* --- struct, union, enum */

static void remember_tag(struct type_table *t, int tag, const char *name, const struct type *type)
{
	uint32_t same = ctypes_remember(t, NAME_TAG, name, t->tags.n);

	array_push(t->arena, &t->tags, ((struct named_type){tag, name, type, same}));
}

struct layout {
	struct type_origin *o;
	ARRAY(struct type_member) members;
	uint64_t bits; /* used so far */
	uint32_t align;
	bool is_packed;
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return to ? (n + to - 1) / to * to : n;
}

static void place(struct c_reader *r, struct layout *l, const char *name, const struct type *type,
		  const struct attributes *a)
{
	uint32_t align = l->is_packed || a->is_packed ? 1 : type->align ? type->align : 1;
	struct type_member m = {.name = name, .type = type};

	if (a->align > align)
		align = a->align;
	if (align > l->align)
		l->align = align;
	if (l->o->type.is_union) {
		l->bits = l->bits > 8ull * type->size ? l->bits : 8ull * type->size;
	} else {
		l->bits = round_up(l->bits, 8ull * align);
		m.offset = (uint32_t)(l->bits / 8);
		l->bits += 8ull * type->size;
	}
	array_push(r->t->arena, &l->members, m);
}

static void place_bits(struct c_reader *r, struct layout *l, const char *name,
		       const struct type *type, int64_t width)
{
	uint32_t unit = 8 * type->size;
	struct type_member m = {.name = name, .type = type, .bits = (uint32_t)width};
	uint64_t at = l->o->type.is_union ? 0 : l->bits;

	if (!type_is_int(type) || width < 0 || width > unit) {
		c_error(r, "width of bit-field exceeds the width of its type");
		return;
	}
	if (!width) {
		l->bits = round_up(l->bits, unit);
		return;
	}
	if (!l->is_packed && at / unit != (at + (uint64_t)width - 1) / unit)
		at = round_up(at, unit);
	if (!l->is_packed && name && type->align > l->align)
		l->align = type->align;
	m.offset = (uint32_t)(at / unit * type->size);
	m.bit_offset = (uint32_t)(at - 8ull * m.offset);
	if (m.bit_offset + m.bits > unit) {
		m.offset = (uint32_t)(at / 8);
		m.bit_offset = (uint32_t)(at % 8);
		m.type = type_int(8, type->is_signed);
	}
	at += (uint64_t)width;
	if (at > l->bits)
		l->bits = at;
	if (name)
		array_push(r->t->arena, &l->members, m);
}

static const struct type *declarator(struct c_reader *r, const struct type *base, bool *is_user,
				     const char **ret_name);
static bool specifiers(struct c_reader *r, struct specifiers *s);

static void one_member(struct c_reader *r, struct layout *l, const struct specifiers *s)
{
	struct attributes a = s->attributes;
	bool is_user = a.is_user;
	const char *name = NULL;
	const struct type *type = s->type;
	int64_t width;

	if (!c_is(r, ":"))
		type = declarator(r, s->type, &is_user, &name);
	if (c_take(r, ":")) {
		if (!c_expression(r, &width))
			c_error(r, "expected the width of a bit-field");
		else
			place_bits(r, l, name, type, width);
		take_attributes(r, &a);
		return;
	}
	take_attributes(r, &a);
	if (type->kind == TYPE_VOID ||
	    (type->kind == TYPE_STRUCT && !type->is_complete && !type->size)) {
		c_error(r, "field has incomplete type '%s'", type_text(r->t->arena, type));
		return;
	}
	place(r, l, name, type, &a);
}

static void member_declaration(struct c_reader *r, struct layout *l)
{
	struct specifiers s = {0};

	if (!specifiers(r, &s))
		return;
	if (c_is(r, ";") && s.type->kind == TYPE_STRUCT && !s.type->name && s.has_body) {
		place(r, l, NULL, s.type, &s.attributes);
	} else if (!c_is(r, ";")) {
		do
			one_member(r, l, &s);
		while (!r->failed && c_take(r, ","));
	}
	/* compilers let the last one go without */
	if (!c_take(r, ";") && !c_is(r, "}"))
		c_error(r, "expected ';' at end of declaration list");
}

static void finish(struct c_reader *r, struct layout *l, const struct attributes *a)
{
	struct type *type = &l->o->type;
	uint32_t align = l->align ? l->align : 1;
	uint64_t size;

	if (a->align > align)
		align = a->align;
	size = round_up((l->bits + 7) / 8, align);
	if (size > MAX_OBJECT) {
		c_error(r, "type is too large");
		size = 0;
	}
	type->size = (uint32_t)size;
	type->align = align;
	type->members = l->members.p;
	type->n_members = (uint32_t)l->members.n;
	type->is_complete = true;
}

/* What the name stands for, or a struct that is still to come. */
static struct type_origin *local_struct(struct c_reader *r, int tag, const char *name)
{
	struct type_table *t = r->t;
	struct type_origin *o;

	for (uint32_t i = name ? ctypes_place(t, NAME_TAG, name) : 0; i; i = t->tags.p[i - 1].same)
		if (t->tags.p[i - 1].tag == tag && !strcmp(t->tags.p[i - 1].name, name))
			return type_origin_find(t, t->tags.p[i - 1].type);
	o = type_origin_new(t, tag == TAG_UNION, name, 0);
	if (name) {
		remember_tag(t, tag, name, &o->type);
	} else {
		o->type.is_anonymous = true;
		o->type.spelling =
			arena_printf(t->arena, "%s (unnamed %u)",
				     tag == TAG_UNION ? "union" : "struct", ++t->n_anonymous);
	}
	return o;
}

static const struct type *struct_body(struct c_reader *r, int tag, const char *name,
				      struct attributes *a)
{
	struct type_origin *o = local_struct(r, tag, name);
	struct layout l = {.o = o, .is_packed = a->is_packed};
	struct c_reader ahead;

	if (o->is_local_def) {
		c_error(r, "redefinition of '%s'", name);
		return &o->type;
	}
	o->is_local_def = true;
	/* attributes behind the body are part of it: packed decides the layout */
	ahead = *r;
	c_skip_balanced(&ahead);
	take_attributes(&ahead, a);
	l.is_packed = a->is_packed;
	c_next(r);
	while (!r->failed && r->tok.kind != C_END && !c_is(r, "}")) {
		if (c_take(r, ";"))
			continue;
		member_declaration(r, &l);
		if (l.members.n > MAX_MEMBERS)
			c_error(r, "too many fields");
	}
	if (!c_take(r, "}"))
		c_error(r, "expected '}'");
	take_attributes(r, a);
	finish(r, &l, a);
	return &o->type;
}

static bool enumerator(struct c_reader *r, struct type *e, int64_t *next, void *list)
{
	ARRAY(struct type_enumerator) *all = list;
	const char *name = word_of(r);
	struct attributes unused = {0};
	uint32_t same;

	if (r->tok.kind != C_WORD) {
		c_error(r, "expected identifier");
		return false;
	}
	c_next(r);
	take_attributes(r, &unused);
	if (c_take(r, "=") && !c_expression(r, next)) {
		c_error(r, "expression is not an integer constant expression");
		return false;
	}
	if (*next < 0)
		e->is_signed = true;
	if (*next > UINT32_MAX || *next < INT32_MIN)
		e->size = e->align = 8;
	array_push(r->t->arena, all, ((struct type_enumerator){name, *next}));
	same = ctypes_remember(r->t, NAME_CONSTANT, name, r->t->constants.n);
	array_push(r->t->arena, &r->t->constants, ((struct c_constant){name, *next, e, same}));
	*next = (int64_t)((uint64_t)*next + 1);
	return true;
}

static const struct type *enum_body(struct c_reader *r, const char *name)
{
	struct type *e = arena_new(r->t->arena, struct type);
	ARRAY(struct type_enumerator) all = {0};
	int64_t next = 0;

	*e = (struct type){.kind = TYPE_ENUM, .size = 4, .align = 4, .name = name};
	if (!name)
		e->spelling = arena_printf(r->t->arena, "(unnamed %u)", ++r->t->n_anonymous);
	c_next(r);
	while (!r->failed && !c_is(r, "}"))
		if (!enumerator(r, e, &next, &all) || !c_take(r, ","))
			break;
	if (!c_take(r, "}"))
		c_error(r, "expected '}'");
	e->enumerators = all.p;
	e->n_enumerators = (uint32_t)all.n;
	e->is_complete = true;
	if (name)
		remember_tag(r->t, TAG_ENUM, name, e);
	return e;
}

static const struct type *tagged(struct c_reader *r, int tag, struct specifiers *s)
{
	const struct type *found;
	const char *name = NULL;

	c_next(r);
	take_attributes(r, &s->attributes);
	if (r->tok.kind == C_WORD) {
		name = word_of(r);
		c_next(r);
	}
	if (c_is(r, "{")) {
		struct attributes a = s->attributes;
		const struct type *type;

		if (r->depth >= MAX_DEPTH) {
			c_error(r, "nested too deeply");
			return NULL;
		}
		s->has_body = true;
		r->depth++;
		type = tag == TAG_ENUM ? enum_body(r, name) : struct_body(r, tag, name, &a);
		r->depth--;
		s->attributes = (struct attributes){.is_user = a.is_user};
		return type;
	}
	if (!name) {
		c_error(r, "expected identifier or '{'");
		return NULL;
	}
	found = type_table_find(r->t, tag, name);
	if (found)
		return found;
	return tag == TAG_ENUM ? type_int(4, false) : &local_struct(r, tag, name)->type;
}

/* --- specifiers */

static const char *const ignored[] = {
	"const",      "volatile",   "restrict",	     "extern",		"static",    "inline",
	"register",   "__restrict", "__restrict__",  "__const",		"__const__", "__volatile__",
	"__inline__", "__inline",   "__extension__", "_Noreturn",	"__kernel",  "__rcu",
	"__iomem",    "__percpu",   "_Atomic",	     "__always_inline", NULL,
};
static const char *const basic[] = {
	"signed", "unsigned", "short", "long", "char",	   "int",	 "float",
	"double", "_Bool",    "bool",  "void", "__int128", "__signed__", NULL,
};

/* How often each of `basic` stood there. */
static const struct type *basic_type(struct c_reader *r, const unsigned int *n)
{
	bool is_unsigned = n[1];
	struct type *wide;

	if (n[12] || n[0])
		is_unsigned = false;
	if (n[10])
		return &type_void;
	if (n[8] || n[9])
		return type_int(1, false);
	if (n[6] || n[7] || n[11]) {
		wide = arena_new(r->t->arena, struct type);
		wide->size = n[6] ? 4 : n[7] && !n[3] ? 8 : 16;
		wide->align = wide->size;
		wide->kind = n[11] ? TYPE_INT : TYPE_NONE;
		wide->is_signed = !is_unsigned;
		wide->is_complete = true;
		return wide;
	}
	if (n[4])
		return n[0] || n[1] || n[12] ? type_int(1, !is_unsigned) : &ctype_char;
	return type_int(n[2] ? 2 : n[3] ? 8 : 4, !is_unsigned);
}

static const struct type *typedef_named(struct c_reader *r)
{
	const char *name = word_of(r);
	const struct type *type = type_table_find(r->t, TAG_NONE, name);

	if (!type || type->kind == TYPE_STRING || type->kind == TYPE_BUFFER)
		return NULL;
	/* a struct's name alone is not a type in C, but BTF would give it */
	return type;
}

static bool specifiers(struct c_reader *r, struct specifiers *s)
{
	unsigned int n[sizeof(basic) / sizeof(*basic)] = {0};
	bool has_basic = false;

	for (; r->tok.kind == C_WORD && !r->failed;) {
		unsigned int i = 0;

		if (take_attributes(r, &s->attributes))
			continue;
		while (basic[i] && !c_is(r, basic[i]))
			i++;
		if (c_is(r, "typedef")) {
			s->is_typedef = true;
			c_next(r);
		} else if (is_one_of(r, ignored)) {
			c_next(r);
		} else if (basic[i] && !s->type) {
			n[i]++;
			has_basic = true;
			c_next(r);
		} else if (s->type || has_basic) {
			break;
		} else if (c_is(r, "struct")) {
			s->type = tagged(r, TAG_STRUCT, s);
		} else if (c_is(r, "union")) {
			s->type = tagged(r, TAG_UNION, s);
		} else if (c_is(r, "enum")) {
			s->type = tagged(r, TAG_ENUM, s);
		} else {
			s->type = typedef_named(r);
			if (!s->type)
				break;
			c_next(r);
		}
	}
	if (has_basic)
		s->type = basic_type(r, n);
	if (!s->type && !r->failed) {
		if (r->tok.kind == C_WORD)
			c_error(r, "unknown type name '%.*s'", (int)r->tok.text.n, r->tok.text.p);
		else
			c_error(r, "expected a type");
	}
	return !r->failed;
}

bool c_at_type(struct c_reader *r)
{
	static const char *const tags[] = {"struct", "union", "enum", NULL};

	if (r->tok.kind != C_WORD)
		return false;
	return is_one_of(r, tags) || is_one_of(r, basic) || is_one_of(r, ignored) ||
	       typedef_named(r);
}

/* --- declarators */

static const struct type *array_of(struct c_reader *r, const struct type *of, int64_t n)
{
	if (n < 0 || n > MAX_OBJECT || (of->size && n > MAX_OBJECT / (int64_t)of->size)) {
		c_error(r, "array is too large");
		n = 0;
	}
	if (of == &ctype_char)
		return type_of_chars(r->t->arena, (uint32_t)n);
	return type_array(r->t->arena, of, (uint32_t)n);
}

/* [2][3] and (int x): what stands last is innermost. */
static const struct type *suffixes(struct c_reader *r, const struct type *base)
{
	int64_t n = 0;

	if (r->depth >= MAX_DEPTH) {
		c_error(r, "nested too deeply");
		return base;
	}
	if (c_is(r, "(")) {
		c_skip_balanced(r);
		return &type_void;
	}
	if (!c_take(r, "["))
		return base;
	if (!c_is(r, "]") && !c_expression(r, &n))
		c_error(r, "expected the size of an array");
	if (!c_take(r, "]"))
		c_error(r, "expected ']'");
	r->depth++;
	base = suffixes(r, base);
	r->depth--;
	return array_of(r, base, n);
}

static const struct type *pointers(struct c_reader *r, const struct type *base, bool *is_user)
{
	struct attributes a = {0};

	for (unsigned int n = 0; c_is(r, "*") && !r->failed; n++) {
		if (n == MAX_DEPTH)
			c_error(r, "nested too deeply");
		c_next(r);
		base = type_pointer(r->t->arena, base, *is_user ? SPACE_USER : SPACE_NONE);
		*is_user = false;
		while (is_one_of(r, ignored))
			c_next(r);
		take_attributes(r, &a);
		if (a.is_user)
			*is_user = true;
		a = (struct attributes){0};
	}
	return base;
}

/* At "(": is it around a declarator, or a function's parameters? */
static bool is_nested(struct c_reader *r)
{
	struct c_reader ahead = *r;

	c_next(&ahead);
	return c_is(&ahead, "*") || c_is(&ahead, "(") || c_is(&ahead, "^") ||
	       (ahead.tok.kind == C_WORD && !c_at_type(&ahead));
}

static const struct type *declarator(struct c_reader *r, const struct type *base, bool *is_user,
				     const char **ret_name)
{
	struct c_reader inside;
	struct attributes a = {0};

	base = pointers(r, base, is_user);
	take_attributes(r, &a);
	if (c_is(r, "(") && is_nested(r)) {
		if (r->depth >= MAX_DEPTH) {
			c_error(r, "nested too deeply");
			return base;
		}
		inside = *r;
		c_skip_balanced(r);
		base = suffixes(r, base);
		if (r->failed)
			return base;
		c_next(&inside);
		inside.depth++;
		base = declarator(&inside, base, is_user, ret_name);
		r->failed |= inside.failed;
		return base;
	}
	if (r->tok.kind == C_WORD) {
		*ret_name = word_of(r);
		c_next(r);
	}
	return suffixes(r, base);
}

const struct type *c_type_name(struct c_reader *r)
{
	struct specifiers s = {0};
	const char *name = NULL;
	const struct type *type;

	if (!specifiers(r, &s))
		return NULL;
	type = declarator(r, s.type, &s.attributes.is_user, &name);
	return r->failed || name ? NULL : type;
}

/* --- the whole text */

static void declare(struct c_reader *r, const struct specifiers *s)
{
	bool is_user = s->attributes.is_user;
	const char *name = NULL;
	const struct type *type = declarator(r, s->type, &is_user, &name);

	if (s->is_typedef && name && !r->failed) {
		uint32_t same = ctypes_remember(r->t, NAME_TYPEDEF, name, r->t->typedefs.n);

		array_push(r->t->arena, &r->t->typedefs,
			   ((struct named_type){TAG_NONE, name, type, same}));
		/* "typedef struct { … } foo": messages say foo */
		if (type->kind == TYPE_STRUCT && !type->name && s->has_body)
			((struct type *)(uintptr_t)type)->spelling = name;
	}
	if (c_is(r, "="))
		while (r->tok.kind != C_END && !c_is(r, ";") && !c_is(r, ","))
			c_next(r);
}

static void external_declaration(struct c_reader *r)
{
	struct specifiers s = {0};

	if (c_is(r, "_Static_assert") || c_is(r, "static_assert")) {
		while (r->tok.kind != C_END && !c_is(r, ";"))
			c_next(r);
		return;
	}
	if (!specifiers(r, &s))
		return;
	while (!r->failed && !c_is(r, ";") && r->tok.kind != C_END) {
		/* "struct a { … } struct b { … }": the semicolon may be missing */
		if (s.has_body && r->tok.kind == C_WORD && !s.is_typedef && c_at_type(r))
			return;
		declare(r, &s);
		if (c_is(r, "{")) {
			c_skip_balanced(r);
			return;
		}
		if (!c_take(r, ",") && !c_is(r, ";") && r->tok.kind != C_END)
			c_error(r, "expected ';' after top level declarator");
	}
}

static void read_define(struct type_table *t, struct str line)
{
	struct c_reader r;
	struct c_define d;

	c_reader_init(&r, t, line);
	r.is_quiet = true;
	if (!c_take(&r, "#") || !c_take(&r, "define") || r.tok.kind != C_WORD)
		return;
	d = (struct c_define){.name = word_of(&r)};
	if (r.p < r.end && *r.p == '(')
		return; /* with parameters: expand.c's */
	d.text = (struct str){r.p, (size_t)(r.end - r.p)};
	d.same = ctypes_remember(t, NAME_DEFINE, d.name, t->defines.n);
	array_push(t->arena, &t->defines, d);
}

bool type_table_add_c(struct type_table *t, const struct program *p)
{
	bool ok = true;

	for (size_t i = 0; i < p->c.n; i++) {
		struct span span = p->c.p[i].span;
		struct str text = t->diags->sources.p[span.file].text;
		struct c_reader r;

		if (span.begin > span.end || span.end > text.n)
			continue;
		text = (struct str){text.p + span.begin, span.end - span.begin};
		if (p->c.p[i].is_preprocessor) {
			read_define(t, text);
			continue;
		}
		c_reader_init(&r, t, text);
		r.file = span.file;
		r.offset = span.begin;
		while (r.tok.kind != C_END && !r.failed)
			if (!c_take(&r, ";"))
				external_declaration(&r);
		ok &= !r.failed;
	}
	return ok;
}

const struct type *type_table_parse_c(struct type_table *t, const char *spelling)
{
	const struct type *type;
	struct c_reader r;

	c_reader_init(&r, t, str_of(spelling));
	r.is_quiet = true;
	type = c_type_name(&r);
	return type && r.tok.kind == C_END ? type : NULL;
}
