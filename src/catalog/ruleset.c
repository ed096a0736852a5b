/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule set's own functions: equal checks become one, conditions become text again.
 */
#include "catalog/ruleset.h"

#include "base/macro.h"

const struct rule_op_info rule_op_info[RULE_OPS] = {
#define RULE_OP(id, text, values, order, help) \
	[RULE_##id] = {text, help, RULE_V_##values, RULE_O_##order},
#include "catalog/rule-ops.def"
#undef RULE_OP
};

const char *const rule_transform_names[RULE_TRANSFORMS] = {
	[RULE_T_TOLOWER] = "tolower",	[RULE_T_TOUPPER] = "toupper", [RULE_T_B64] = "b64",
	[RULE_T_BASENAME] = "basename", [RULE_T_LEN] = "len",	      [RULE_T_JOIN] = "join",
	[RULE_T_CONCAT] = "concat",	[RULE_T_GETOPT] = "getopt",
};

const char *const rule_priority_names[RULE_DEBUG + 1] = {
	[RULE_EMERGENCY] = "Emergency", [RULE_ALERT] = "Alert",	    [RULE_CRITICAL] = "Critical",
	[RULE_ERROR] = "Error",		[RULE_WARNING] = "Warning", [RULE_NOTICE] = "Notice",
	[RULE_INFO] = "Informational",	[RULE_DEBUG] = "Debug",
};

void ruleset_init(struct ruleset *rs)
{
	*rs = (struct ruleset){0};
	rs->diags.arena = &rs->arena;
}

void ruleset_done(struct ruleset *rs)
{
	arena_done(&rs->arena);
	*rs = (struct ruleset){0};
}

static bool term_eq(const struct rule_term *a, const struct rule_term *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case RULE_TERM_FIELD:
		return a->field.id == b->field.id && a->field.index == b->field.index &&
		       str_eq(a->field.arg, b->field.arg);
	case RULE_TERM_LITERAL:
		return str_eq(a->text, b->text);
	case RULE_TERM_TRANSFORM:
		if (a->transform != b->transform || a->args.n != b->args.n ||
		    !str_eq(a->index, b->index))
			return false;
		for (size_t i = 0; i < a->args.n; i++)
			if (!term_eq(a->args.p[i], b->args.p[i]))
				return false;
		return true;
	}
	return false;
}

static bool check_eq(const struct rule_check *a, const struct rule_check *b)
{
	if (a->op != b->op || a->quantifier != b->quantifier || a->right.n != b->right.n ||
	    !term_eq(a->left, b->left))
		return false;
	for (size_t i = 0; i < a->right.n; i++)
		if (!term_eq(a->right.p[i], b->right.p[i]))
			return false;
	return true;
}

uint32_t ruleset_check(struct ruleset *rs, const struct rule_check *c)
{
	struct rule_check *copy;

	for (size_t i = 0; i < rs->checks.n; i++)
		if (check_eq(rs->checks.p[i], c))
			return i;
	copy = arena_copy(&rs->arena, c, sizeof(*c));
	copy->id = rs->checks.n;
	array_push(&rs->arena, &rs->checks, copy);
	return copy->id;
}

/* --- printing: text that would be read as the same again */

/* What may stand without quotes; and what looks like a word of the language needs them. */
static bool is_bare(struct str s)
{
	static const char *const words[] = {"and", "or", "not", "in", "exists", NULL};

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127 || strchr("()\"'=,\\[]", s.p[i]))
			return false;
	for (size_t i = 0; words[i]; i++)
		if (str_eq(s, str_of(words[i])))
			return false;
	return true;
}

static void print_quoted(struct str s, struct buf *to)
{
	buf_putc(to, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = s.p[i];

		if (c == '\\' && i + 1 == s.n) /* \\" does not end a string */
			buf_puts(to, "\\x5c");
		else if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", c);
		else if (c == '\n')
			buf_puts(to, "\\n");
		else if (c == '\t')
			buf_puts(to, "\\t");
		else if (c < ' ' || c == 127)
			buf_printf(to, "\\x%02x", c);
		else
			buf_putc(to, c);
	}
	buf_putc(to, '"');
}

static void print_literal(struct str s, struct buf *to)
{
	if (is_bare(s))
		buf_put_str(to, s);
	else
		print_quoted(s, to);
}

/* A letter, then letters, digits and '_'; with dots between such. */
static bool is_dotted(struct str s)
{
	bool begins = true;

	for (size_t i = 0; i < s.n; i++) {
		char low = (char)(s.p[i] | 0x20);
		bool is_letter = low >= 'a' && low <= 'z';

		if (!is_letter && (begins || !(s.p[i] == '.' || s.p[i] == '_' ||
					       (s.p[i] >= '0' && s.p[i] <= '9'))))
			return false;
		begins = s.p[i] == '.';
	}
	return !begins;
}

static void print_field(const struct rule_field_ref *f, struct buf *to)
{
	bool may_follow = f->id == RF_evt_arg || f->id == RF_evt_rawarg || f->id == RF_evt_type_is;

	buf_puts(to, rule_field_info[f->id].name);
	if (!f->arg.n)
		return;
	if (may_follow && is_dotted(f->arg)) {
		buf_putc(to, '.');
		buf_put_str(to, f->arg);
		return;
	}
	buf_putc(to, '[');
	print_literal(f->arg, to);
	buf_putc(to, ']');
}

static void print_term(const struct rule_term *t, struct buf *to)
{
	switch (t->kind) {
	case RULE_TERM_FIELD:
		print_field(&t->field, to);
		return;
	case RULE_TERM_LITERAL:
		print_literal(t->text, to);
		return;
	case RULE_TERM_TRANSFORM:
		buf_printf(to, "%s(", rule_transform_names[t->transform]);
		for (size_t i = 0; i < t->args.n; i++) {
			if (i)
				buf_puts(to, ", ");
			if (t->args.p[i]->kind == RULE_TERM_LITERAL)
				print_quoted(t->args.p[i]->text, to);
			else
				print_term(t->args.p[i], to);
		}
		buf_putc(to, ')');
		if (t->index.n) {
			buf_putc(to, '[');
			print_literal(t->index, to);
			buf_putc(to, ']');
		}
		return;
	}
}

static void print_right(const struct rule_term *t, struct buf *to)
{
	if (t->kind != RULE_TERM_FIELD) {
		print_term(t, to);
		return;
	}
	buf_puts(to, "val(");
	print_term(t, to);
	buf_putc(to, ')');
}

void rule_check_print(const struct rule_check *c, struct buf *to)
{
	static const char *const quantifiers[] = {
		[RULE_Q_NONE] = "",
		[RULE_Q_ONEOF] = " oneof",
		[RULE_Q_ANYOF] = " anyof",
		[RULE_Q_ALLOF] = " allof",
	};
	const struct rule_op_info *op = &rule_op_info[c->op];

	print_term(c->left, to);
	buf_printf(to, " %s%s", op->text, quantifiers[c->quantifier]);
	if (op->values == RULE_V_NONE)
		return;
	buf_putc(to, ' ');
	if ((op->values == RULE_V_ONE && c->quantifier == RULE_Q_NONE) ||
	    (c->right.n == 1 && c->right.p[0]->kind != RULE_TERM_LITERAL)) {
		if (c->right.n)
			print_right(c->right.p[0], to);
		return;
	}
	buf_putc(to, '(');
	for (size_t i = 0; i < c->right.n; i++) {
		if (i)
			buf_puts(to, ", ");
		print_right(c->right.p[i], to);
	}
	buf_putc(to, ')');
}

/* In parentheses unless it is a leaf. */
static void print_inner(const struct ruleset *rs, const struct rule_expr *e, struct buf *to)
{
	bool is_leaf = e->kind == RULE_E_CHECK || e->kind == RULE_E_CONST || e->kind == RULE_E_NOT;

	if (!is_leaf)
		buf_putc(to, '(');
	rule_expr_print(rs, e, to);
	if (!is_leaf)
		buf_putc(to, ')');
}

void rule_expr_print(const struct ruleset *rs, const struct rule_expr *e, struct buf *to)
{
	switch (e->kind) {
	case RULE_E_CONST:
		buf_puts(to, e->value ? "evt.num != 0" : "evt.num = 0");
		return;
	case RULE_E_CHECK:
		rule_check_print(rs->checks.p[e->check], to);
		return;
	case RULE_E_NOT:
		buf_puts(to, "not ");
		print_inner(rs, e->args.p[0], to);
		return;
	case RULE_E_AND:
	case RULE_E_OR:
		for (size_t i = 0; i < e->args.n; i++) {
			if (i)
				buf_puts(to, e->kind == RULE_E_AND ? " and " : " or ");
			print_inner(rs, e->args.p[i], to);
		}
		return;
	}
}
