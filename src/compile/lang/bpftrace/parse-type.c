/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types as they are written: "uint64", "struct task_struct *", "char[16]", "typeof($x)".
 *
 * A bare word may be a type or a value (sizeof(x)): it is taken as a type if it is one of
 * the language's, or has a star or brackets behind it, else as an EXPR_IDENT which check
 * resolves.
 */
#include "compile/lang/bpftrace/parser.h"

static const char *const type_words[] = {
	"avg_t",  "bool",   "buffer",	 "cgroup_path_t", "count_t",  "inet",	"int16",
	"int32",  "int64",  "int8",	 "macaddr_t",	  "max_t",    "min_t",	"stats_t",
	"string", "sum_t",  "timestamp", "uavg_t",	  "uint16",   "uint32", "uint64",
	"uint8",  "umax_t", "umin_t",	 "username_t",	  "ustats_t", "usum_t", "void",
};

static bool is_type_word(struct str word)
{
	for (size_t i = 0; i < ELEMENTS(type_words); i++)
		if (word_eq(word, type_words[i]))
			return true;
	return false;
}

static int tag_of(struct str word)
{
	if (word_eq(word, "struct"))
		return TAG_STRUCT;
	if (word_eq(word, "union"))
		return TAG_UNION;
	return word_eq(word, "enum") ? TAG_ENUM : TAG_NONE;
}

/* [n] or [], the cursor behind the bracket. */
static struct type_suffix parse_array_suffix(struct parser *p)
{
	struct type_suffix s = {.kind = SUFFIX_ARRAY, .n = -1};
	uint64_t n;

	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) != ']') {
		s.n = 0;
		if (!literal_parse(p->arena, lex_number(&p->lex), &n))
			s.n = (int64_t)MIN(n, (uint64_t)INT64_MAX); /* too much is said later */
	}
	lex_expect(&p->lex, ']');
	return s;
}

struct type_ref *parse_type(struct parser *p, bool must)
{
	struct type_ref *ref = arena_new(p->arena, struct type_ref);
	struct lex *l = &p->lex;
	struct str name;
	size_t begin;

	lex_space(l);
	begin = l->at;
	name = lex_name(l, must ? "expected type name" : NULL);
	if (!name.n)
		return NULL;
	ref->tag = tag_of(name);
	if (ref->tag != TAG_NONE) {
		name = lex_name(l, must ? "expected identifier" : NULL);
		if (!name.n)
			return NULL;
	}
	ref->name = parser_name(p, name);
	ref->span = lex_span(l, begin);
	for (lex_space(l); lex_peek(l, 0) == '*' || lex_peek(l, 0) == '['; lex_space(l)) {
		bool array = lex_peek(l, 0) == '[';
		struct type_suffix s = {.kind = SUFFIX_POINTER};

		l->at++;
		if (array)
			s = parse_array_suffix(p);
		array_push(p->arena, &ref->suffixes, s);
		ref->span = lex_span(l, begin);
		if (ref->suffixes.n > HEIGHT_MAX) {
			if (must)
				lex_give_up(l, "type is nested too deeply");
			return NULL;
		}
	}
	return ref;
}

/* Where the stars and brackets behind `at` end. */
static size_t after_suffixes(const struct lex *l, size_t at, bool *ret_any)
{
	*ret_any = false;
	for (at = lex_after_space(l, at); lex_byte(l, at) == '*' || lex_byte(l, at) == '[';
	     at = lex_after_space(l, at)) {
		*ret_any = true;
		at = lex_byte(l, at) == '*' ? at + 1 : lex_after_balanced(l, at, '[', ']');
	}
	return at;
}

/*
 * Is a type next, and nothing else before one of `ends`?  *ret_word: it is a bare word
 * that may be anything.
 */
static bool type_ahead(struct parser *p, const char *ends, bool *ret_word)
{
	struct lex *l = &p->lex;
	size_t at = lex_after_space(l, l->at), end = lex_after_word(l, at);
	struct str word = {l->text.p + at, end - at};
	bool tagged = tag_of(word) != TAG_NONE, any;

	*ret_word = false;
	if (!lex_is_start(lex_byte(l, at)) || word_is_builtin(word))
		return false;
	if (tagged) {
		end = lex_after_space(l, end);
		if (!lex_is_start(lex_byte(l, end)))
			return false;
		end = lex_after_word(l, end);
	}
	end = after_suffixes(l, end, &any);
	if (!lex_byte(l, end) || !strchr(ends, lex_byte(l, end)))
		return false;
	*ret_word = !tagged && !any && !is_type_word(word);
	return !*ret_word;
}

static struct expr *parse_word(struct parser *p)
{
	struct expr *e;
	struct str name;
	size_t begin;

	lex_space(&p->lex);
	begin = p->lex.at;
	name = lex_name(&p->lex, "expected type name");
	e = expr_new(p, EXPR_IDENT, begin, NULL, NULL, NULL);
	e->name = parser_name(p, name);
	e->op_span = e->span;
	return e;
}

/* typeof(type or expression); the word comes next. */
static struct type_ref *parse_typeof(struct parser *p)
{
	struct type_ref *ref = arena_new(p->arena, struct type_ref);
	bool word;
	size_t begin;

	lex_space(&p->lex);
	begin = p->lex.at;
	lex_take_word(&p->lex, "typeof");
	lex_expect(&p->lex, '(');
	if (type_ahead(p, ")", &word))
		ref->of_type = parse_type(p, true);
	else
		ref->of = word ? parse_word(p) : parse_expr(p);
	lex_expect(&p->lex, ')');
	ref->span = lex_span(&p->lex, begin);
	return ref;
}

struct type_ref *parse_annotation(struct parser *p)
{
	return lex_is_word(&p->lex, "typeof") ? parse_typeof(p) : parse_type(p, true);
}

void parse_type_or_expr(struct parser *p, struct type_ref **ret_ref, struct expr **ret_expr)
{
	bool word = false;

	*ret_ref = NULL;
	*ret_expr = NULL;
	lex_space(&p->lex);
	if (lex_is_word(&p->lex, "typeof"))
		*ret_ref = parse_typeof(p);
	else if (type_ahead(p, ";,=){}", &word))
		*ret_ref = parse_type(p, true);
	else
		*ret_expr = word ? parse_word(p) : parse_expr(p);
}
