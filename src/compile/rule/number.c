/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that come down to a number: for which numbers are they true?
 *
 * Numbers are compared as such.  A number that has names (flags, results, requests) is
 * compared as the text that these make: where each value has a text of its own, all values are
 * tried here, when compiling; of flags, which are printed in a row, those checks are exact
 * that look for one name, others only say which flag there must be.  A call's name is its
 * number, by trying all numbers.
 */
#include "compile/rule/number.h"

#include "catalog/catalog.h"

#include <ctype.h>

enum { NR_OTHER = 0x7fffffff, NR_CANDIDATES = 32, IDS_MAX = 200 };

static void add(struct pushdown *x, struct tests *t, enum test_kind kind, int64_t lo, int64_t hi)
{
	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.p[i].kind == kind && t->list.p[i].lo == lo && t->list.p[i].hi == hi)
			return;
	array_push(x->arena, &t->list, ((struct test){kind, lo, hi}));
}

/* --- plain numbers */

static bool add_number(struct pushdown *x, struct tests *t, enum rule_op op, bool is_signed,
		       int64_t v)
{
	enum test_kind kind = is_signed ? TEST_SIGNED : TEST_UNSIGNED;
	enum rule_order order = rule_op_info[op].order;
	int64_t least = is_signed ? INT64_MIN : 0, most = is_signed ? INT64_MAX : -1, step;

	if (order == RULE_O_TEXT || order == RULE_O_ANY)
		return false;
	if (order == RULE_O_OTHER) /* the tests are negated */
		order = RULE_O_EQUAL;
	if ((order == RULE_O_LESS && v == least) || (order == RULE_O_GREATER && v == most))
		return true; /* there is none */
	step = !(order & RULE_O_EQUAL);
	add(x, t, kind, order & RULE_O_LESS ? least : v + step,
	    order & RULE_O_GREATER ? most : v - step);
	return true;
}

bool number_plain(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  enum rule_type type, const char **ret_why)
{
	bool is_signed = rule_types[type].value == RV_SIGNED;

	t->is_exact = true;
	t->is_negated = c->op == RULE_NE;
	if (c->op == RULE_EXISTS) {
		add(x, t, TEST_ALWAYS, 0, 0);
		return true;
	}
	*ret_why = "several values";
	if (c->quantifier != RULE_Q_NONE && c->right.n > 1)
		return false;
	for (size_t i = 0; i < c->right.n; i++) {
		const struct rule_term *r = c->right.p[i];
		struct rule_literal v;

		*ret_why = "compared with another field";
		if (r->kind != RULE_TERM_LITERAL)
			return false;
		*ret_why = "this operator on a number";
		/* what is no such number is equal to none */
		if (!rule_literal_parse(type, r->text, &v)) {
			if (c->op != RULE_EQ && c->op != RULE_IN && c->op != RULE_NE)
				return false;
			continue;
		}
		if (!add_number(x, t, c->op, is_signed, v.number))
			return false;
	}
	return true;
}

/* --- numbers that have names */

static bool has_letter(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (isalpha((unsigned char)s.p[i]))
			return true;
	return false;
}

/*
 * A number without a name is printed in digits.  Of an enum the low half, so that one which
 * has a name in the table can only be meant by a number that is larger.  False: such a check
 * is not for the kernel.
 */
static bool add_digits(struct pushdown *x, struct tests *t, const struct rule_check *c,
		       const struct rule_name *names, bool has_digits)
{
	for (size_t i = 0; i < c->right.n; i++) {
		const struct rule_term *r = c->right.p[i];
		struct rule_literal v;
		bool is_named = false;

		if (r->kind != RULE_TERM_LITERAL)
			return false;
		/* "[!a]" fits digits, too */
		if (r->text.n && memchr(r->text.p, '[', r->text.n))
			return false;
		if (has_letter(r->text) || (r->text.n && !has_digits))
			continue;
		if ((c->op != RULE_EQ && c->op != RULE_NE && c->op != RULE_IN) || !r->text.n ||
		    !rule_literal_parse(RT_UINT, r->text, &v) || v.number >> 32)
			return false;
		for (const struct rule_name *n = names; n->name; n++)
			is_named |= n->value == (uint64_t)v.number;
		t->is_exact = false;
		if (is_named)
			add(x, t, TEST_UNSIGNED, 1ll << 32, -1);
		else
			add(x, t, TEST_MASK, v.number, UINT32_MAX);
	}
	return true;
}

/* Might it be true of an empty text? */
static bool fits_nothing(struct pushdown *x, const struct rule_check *c)
{
	struct rule_check plain = *c;

	if (plain.op == RULE_NE)
		plain.op = RULE_EQ;
	return pattern_match(x->arena, &plain, STR("")) != 0;
}

/* Does each name stand for one value (or, SUCCESS, for all that no other stands for)? */
static bool is_enum(const struct rule_name *names)
{
	for (; names->name; names++)
		if (names->mask != ~0ull && names->mask != 1ull << 63)
			return false;
	return true;
}

static bool enum_tests(struct pushdown *x, struct tests *t, const struct rule_check *c,
		       const struct rule_name *names)
{
	struct rule_check plain = *c;

	if (plain.op == RULE_NE)
		plain.op = RULE_EQ;
	for (const struct rule_name *n = names; n->name; n++) {
		_cleanup_buf_ struct buf text = {0};
		int r;

		rule_names_print(names, n->value, &text);
		r = pattern_match(x->arena, &plain, buf_str(&text));
		if (r < 0)
			return false;
		if (r)
			add(x, t, TEST_MASK, (int64_t)n->value, (int64_t)n->mask);
	}
	t->is_exact = true;
	return true;
}

/* One name of "A|B|C". */
static struct str first_name(struct str s)
{
	const char *end = s.n ? memchr(s.p, '|', s.n) : NULL;

	return end ? (struct str){s.p, (size_t)(end - s.p)} : s;
}

static bool flag_tests(struct pushdown *x, struct tests *t, const struct rule_check *c,
		       const struct rule_name *names)
{
	bool is_piece = c->op == RULE_CONTAINS || c->op == RULE_ICONTAINS;
	struct rule_check one = *c;

	t->is_exact = is_piece;
	if (c->op == RULE_NE)
		one.op = RULE_EQ;
	else if (c->op != RULE_EQ && c->op != RULE_IN && c->op != RULE_STARTSWITH &&
		 c->op != RULE_ENDSWITH && !is_piece)
		return false;
	for (size_t i = 0; i < c->right.n; i++) {
		struct rule_term literal = *c->right.p[i], *p = &literal;
		struct str first = first_name(literal.text);

		if (first.n != literal.text.n && (is_piece || c->op == RULE_ENDSWITH))
			return false;
		if (!has_letter(literal.text) || memchr(literal.text.p, ' ', literal.text.n))
			return false;
		/* startswith "A|B": the first is A; "A|": too */
		one.op = first.n != literal.text.n && c->op == RULE_STARTSWITH ? RULE_EQ : one.op;
		literal.text = first;
		one.right.p = &p;
		one.right.n = 1;
		one.quantifier = RULE_Q_NONE;
		for (const struct rule_name *n = names; n->name; n++)
			if (pattern_match(x->arena, &one, str_of(n->name)) > 0)
				add(x, t, TEST_MASK, (int64_t)n->value, (int64_t)n->mask);
	}
	return true;
}

bool number_named(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  const struct rule_name *names, bool has_digits, const char **ret_why)
{
	t->is_negated = c->op == RULE_NE;
	t->is_exact = true;
	*ret_why = "not a name of this field's";
	if (c->op == RULE_EXISTS) {
		add(x, t, TEST_ALWAYS, 0, 0);
		return true;
	}
	if (c->quantifier != RULE_Q_NONE && c->quantifier != RULE_Q_ANYOF && c->right.n > 1)
		return false;
	if (c->op == RULE_NE && c->right.n > 1)
		return false;
	if (!is_enum(names))
		return flag_tests(x, t, c, names);
	if (!has_digits && fits_nothing(x, c))
		return false;
	return enum_tests(x, t, c, names) && add_digits(x, t, c, names, has_digits);
}

/* --- texts that few values of a number stand for */

static struct rule_check without_not(const struct rule_check *c)
{
	struct rule_check plain = *c;

	if (plain.op == RULE_NE)
		plain.op = RULE_EQ;
	return plain;
}

bool number_words(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  const struct number_word *words, const char *other, const char **ret_why)
{
	struct rule_check plain = without_not(c);
	int is_other = other ? pattern_match(x->arena, &plain, str_of(other)) : 0;

	*ret_why = "this operator";
	if (is_other < 0 || (c->op == RULE_NE && c->right.n > 1))
		return false;
	/* all but these: those that are not in the list */
	t->is_exact = true;
	t->is_negated = (c->op == RULE_NE) != (is_other > 0);
	for (; words->text; words++) {
		int r = pattern_match(x->arena, &plain, str_of(words->text));

		if (r < 0)
			return false;
		if (r != is_other)
			add(x, t, TEST_MASK, (int64_t)words->value, (int64_t)words->mask);
	}
	/* where values have no text, != is no less false than = */
	return other || !t->is_negated;
}

bool number_constant(struct pushdown *x, const struct rule_check *c, const char *text,
		     enum leaf_how *ret_how, const char **ret_why)
{
	int r = text ? pattern_match(x->arena, c, str_of(text)) : 0;

	*ret_why = "this operator";
	*ret_how = r < 0 ? LEAF_UNKNOWN : r ? LEAF_TRUE : LEAF_FALSE;
	return r >= 0;
}

/* "0", "17": as numbers are printed. */
static bool is_canonical(struct str s)
{
	if (!s.n || s.n > 9 || (s.p[0] == '0' && s.n > 1))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

bool number_digits(struct pushdown *x, struct tests *t, const struct rule_check *c,
		   const char **ret_why)
{
	*ret_why = "this operator on a number";
	t->is_exact = true;
	t->is_negated = c->op == RULE_NE;
	if (c->op == RULE_EXISTS)
		add(x, t, TEST_ALWAYS, 0, 0);
	else if (c->op != RULE_EQ && c->op != RULE_NE && c->op != RULE_IN)
		return false;
	if (c->quantifier != RULE_Q_NONE && c->right.n > 1)
		return false;
	for (size_t i = 0; i < c->right.n; i++) {
		struct rule_literal v;

		if (c->right.p[i]->kind != RULE_TERM_LITERAL ||
		    str_starts(c->right.p[i]->text, STR("-")))
			return false;
		if (is_canonical(c->right.p[i]->text) &&
		    rule_literal_parse(RT_INT, c->right.p[i]->text, &v))
			add(x, t, TEST_SIGNED, v.number, v.number);
	}
	return true;
}

/* --- names of users and groups */

bool number_ids(struct pushdown *x, struct tests *t, const struct rule_check *c,
		const struct rule_id *ids, size_t n, const char *none, const char **ret_why)
{
	struct tests known = {0};
	bool has_root = false;
	int r;

	*ret_why = "this operator";
	t->is_partial = true;
	for (size_t i = 0; i <= n + 1; i++) {
		const char *name = i < n ? ids[i].name : i == n ? none : "root";
		uint32_t id = i < n ? ids[i].id : i == n ? ~0u : 0;

		if (!name || (i > n && has_root))
			continue;
		has_root |= !id;
		r = pattern_match(x->arena, c, str_of(name));
		if (r < 0)
			return false;
		add(x, r ? &known : t, TEST_UNSIGNED, id, id);
	}
	/* an id that has several names may be called by either */
	for (size_t i = 0; i < t->list.n; i++)
		for (size_t k = 0; k < known.list.n; k++)
			if (t->list.p[i].lo == known.list.p[k].lo) {
				t->list.p[i--] = t->list.p[--t->list.n];
				known.list.p[k] = known.list.p[--known.list.n];
				break;
			}
	t->known.p = known.list.p;
	t->known.n = known.list.n;
	*ret_why = "more users than fit into the program";
	return t->list.n + t->known.n <= IDS_MAX;
}

/* --- the call's name */

/* A record of the kind, with a number; its annex says that it is an execveat. */
struct sample {
	union {
		struct wire_head head;
		char room[1024];
	};
};

static bool is_exec(unsigned int kind)
{
	return body_of_kind(kind) == BODY_wire_proc;
}

static void sample_make(struct sample *s, unsigned int kind, uint32_t nr, bool is_compat)
{
	unsigned int call = body_calls[body_of_kind(kind)];
	struct wire_annex *a;

	memset(s, 0, sizeof(*s));
	s->head.kind = (uint16_t)kind;
	s->head.size = sizeof(*s);
	s->head.flags = WIRE_F_ANNEX | (is_compat ? WIRE_F_COMPAT : 0);
	a = (void *)((char *)s + sizeof(*s) - sizeof(*a));
	if (call)
		memcpy((char *)s + call, &nr, sizeof(nr));
	else if (is_exec(kind))
		a->flags = nr == 1 ? WIRE_A_EXECVEAT : 0;
}

/* Names of the event, as event/rule/eval.c has them: any of them; for != all must differ. */
static int any_name(struct pushdown *x, const struct rule_check *c, const struct wire_head *h)
{
	const struct rule_event_info *own = rule_event_of(h), *rows;
	struct rule_check plain = without_not(c);
	size_t n;
	int any;

	if (!own)
		return 0;
	any = pattern_match(x->arena, &plain, str_of(own->name));
	if (any >= 0 && own->as) {
		int r = pattern_match(x->arena, &plain, str_of(own->as));

		any = r < 0 ? r : any | r;
	}
	rows = rule_events(&n);
	for (size_t i = 0; rule_event_nr(h) < 0 && any >= 0 && i < n; i++) {
		int r = rule_event_is(h, &rows[i])
				? pattern_match(x->arena, &plain, str_of(rows[i].name))
				: 0;

		any = r < 0 ? r : any | r;
	}
	return any < 0 ? any : any != (c->op == RULE_NE);
}

/* −1: not known. */
static int is_event(struct pushdown *x, const struct rule_check *c, const struct sample *s,
		    event_text_fn text_of)
{
	const char *text;

	if (c->op == RULE_NE && c->right.n > 1)
		return -1;
	if (!text_of)
		return any_name(x, c, &s->head);
	text = text_of(&s->head, &c->left->field);
	return text ? pattern_match(x->arena, c, str_of(text)) : 0;
}

/* The numbers that the kind's events have, in both tables; all others are as NR_OTHER. */
static size_t candidates(unsigned int kind, bool is_compat, uint32_t ret[NR_CANDIDATES])
{
	size_t n_events, n = 0;
	const struct rule_event_info *events = rule_events(&n_events);

	if (is_exec(kind)) {
		ret[0] = 1;
		return 1;
	}
	for (size_t i = 0; i < n_events && n < NR_CANDIDATES; i++) {
		int nr = is_compat ? events[i].nr_ia32 : events[i].nr;

		if (nr >= 0 && events[i].kinds >> (kind & 63) & 1)
			ret[n++] = (uint32_t)nr;
	}
	return n;
}

bool number_event(struct pushdown *x, struct tests *t, unsigned int kind,
		  const struct rule_check *c, event_text_fn text_of, const char **ret_why)
{
	uint32_t nrs[NR_CANDIDATES];
	struct sample s;
	int other, r;

	*ret_why = "this operator";
	sample_make(&s, kind, NR_OTHER, false);
	other = is_event(x, c, &s, text_of);
	if (other < 0)
		return false;
	t->is_exact = true;
	t->is_negated = other;
	for (int compat = 0; compat < 2; compat++) {
		size_t n = candidates(kind, compat, nrs);

		for (size_t i = 0; i < n; i++) {
			sample_make(&s, kind, nrs[i], compat);
			r = is_event(x, c, &s, text_of);
			if (r < 0)
				return false;
			if (r != other)
				add(x, t, TEST_UNSIGNED, (int64_t)nrs[i] | (int64_t)compat << 32,
				    (int64_t)nrs[i] | (int64_t)compat << 32);
		}
	}
	return true;
}

bool number_is_call(unsigned int kind, const char *name)
{
	uint32_t nrs[NR_CANDIDATES];
	struct sample s;

	for (int compat = 0; compat < 2; compat++) {
		size_t n = candidates(kind, compat, nrs);

		for (size_t i = 0; i < n; i++) {
			sample_make(&s, kind, nrs[i], compat);
			if (strcmp(rule_event_of(&s.head)->name, name))
				return false;
		}
	}
	return true;
}
