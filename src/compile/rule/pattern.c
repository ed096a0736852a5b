/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of texts as patterns of an automaton: an operator is a kind of pattern. */
#include "compile/rule/lower.h"

/* Per operator: the pattern that it looks for. */
static const struct {
	bool is_text, ignore_case, is_hex;
	enum match_kind kind;
} ops[RULE_OPS] = {
	[RULE_EXISTS] = {true, false, false, MATCH_ANY},
	[RULE_EQ] = {true, false, false, MATCH_EXACT},
	[RULE_NE] = {true, false, false, MATCH_EXACT},
	[RULE_IN] = {true, false, false, MATCH_EXACT},
	[RULE_INTERSECTS] = {true, false, false, MATCH_EXACT},
	[RULE_CONTAINS] = {true, false, false, MATCH_CONTAINS},
	[RULE_ICONTAINS] = {true, true, false, MATCH_CONTAINS},
	[RULE_BCONTAINS] = {true, false, true, MATCH_CONTAINS},
	[RULE_STARTSWITH] = {true, false, false, MATCH_PREFIX},
	[RULE_BSTARTSWITH] = {true, false, true, MATCH_PREFIX},
	[RULE_ENDSWITH] = {true, false, false, MATCH_SUFFIX},
	[RULE_GLOB] = {true, false, false, MATCH_GLOB},
	[RULE_IGLOB] = {true, true, false, MATCH_GLOB},
	[RULE_PMATCH] = {true, false, false, MATCH_PMATCH},
};

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool from_hex(struct arena *a, struct str hex, struct str *ret)
{
	char *p = arena_alloc(a, hex.n / 2 + 1);

	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		int high = digit(hex.p[i]), low = digit(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		p[i / 2] = (char)(high << 4 | low);
	}
	*ret = (struct str){p, hex.n / 2};
	return hex.n % 2 == 0;
}

/* tolower(x) = "Abc" is never true, tolower(x) = "abc" is without regard to case. */
static bool apply_case(const struct rule_term *left, struct match_pattern *p)
{
	char lowest = left->transform == RULE_T_TOLOWER ? 'A' : 'a';

	for (size_t i = 0; i < p->text.n; i++)
		if (p->text.p[i] >= lowest && p->text.p[i] < lowest + 26)
			return false;
	p->ignore_case = true;
	return p->kind != MATCH_GLOB && p->kind != MATCH_PMATCH;
}

static bool is_case(const struct rule_term *t)
{
	return t->kind == RULE_TERM_TRANSFORM && t->args.n == 1 &&
	       t->args.p[0]->kind == RULE_TERM_FIELD &&
	       (t->transform == RULE_T_TOLOWER || t->transform == RULE_T_TOUPPER);
}

bool pattern_make(struct arena *a, const struct rule_check *c, uint32_t bit,
		  struct match_pattern **ret, size_t *ret_n, bool *ret_inverted,
		  const char **ret_why)
{
	struct match_pattern *p = arena_array(a, struct match_pattern, c->right.n + 1);
	size_t n = 0;

	*ret_inverted = c->op == RULE_NE;
	*ret_why = c->op == RULE_REGEX ? "a regular expression" : "this operator";
	if (!ops[c->op].is_text || (c->left->kind != RULE_TERM_FIELD && !is_case(c->left)))
		return false;
	/* != of several: of any of them is nearly always true */
	if (c->right.n > 1 && (c->quantifier == RULE_Q_ALLOF || c->op == RULE_NE))
		return false;
	if (c->op == RULE_EXISTS)
		p[n++] = (struct match_pattern){.kind = MATCH_ANY, .bit = bit};
	for (size_t i = 0; i < c->right.n; i++) {
		const struct rule_term *t = c->right.p[i];

		p[n] = (struct match_pattern){.kind = ops[c->op].kind,
					      .ignore_case = ops[c->op].ignore_case,
					      .text = t->text,
					      .bit = bit};
		*ret_why = "compared with another field";
		if (t->kind != RULE_TERM_LITERAL)
			return false;
		*ret_why = "these bytes";
		if (ops[c->op].is_hex && !from_hex(a, t->text, &p[n].text))
			return false;
		*ret_why = "this transformer";
		if (c->left->kind != RULE_TERM_FIELD && !apply_case(c->left, &p[n]))
			return false;
		n++;
	}
	*ret = p;
	*ret_n = n;
	return true;
}

bool pattern_is_unsure(const struct rule_check *c)
{
	return c->quantifier == RULE_Q_ONEOF && c->right.n > 1;
}

int pattern_match(struct arena *a, const struct rule_check *c, struct str text)
{
	struct match_pattern *p;
	const char *why;
	bool inverted, any = false;
	size_t n;

	if (c->quantifier == RULE_Q_ALLOF && c->right.n > 1) {
		for (size_t i = 0; i < c->right.n; i++) {
			struct rule_check one = *c;
			int r;

			one.quantifier = RULE_Q_NONE;
			one.right.p = &c->right.p[i];
			one.right.n = 1;
			r = pattern_match(a, &one, text);
			if (r <= 0)
				return r;
		}
		return 1;
	}
	if (!pattern_make(a, c, 0, &p, &n, &inverted, &why))
		return -1;
	for (size_t i = 0; i < n; i++)
		any |= match_one(&p[i], text);
	return any && pattern_is_unsure(c) ? -1 : any != inverted;
}
