/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each check is decided, kind of record by kind of record.
 *
 * Checks of a process are put down to checks on the process itself: "proc.pname = sh" asks the
 * same of the parent as "proc.name = sh" asks here, so both are one bit, evaluated once an
 * exec.  Bits of one text stand together, in whole words, so that an automaton's answers are
 * or-ed into place.
 */
#include "compile/rule/lower.h"

#include "catalog/catalog.h"

/* Fields of processes: the one on the process itself, and how far up. */
enum { LEVEL_INDEX = -1 };
static const struct {
	enum rule_field field, self;
	int level; /* 0: itself; INDEX: by its index, without one any ancestor */
} lineage[] = {
	{RF_proc_name, RF_proc_name, 0},
	{RF_proc_pname, RF_proc_name, 1},
	{RF_proc_aname, RF_proc_name, LEVEL_INDEX},
	{RF_proc_exe, RF_proc_exe, 0},
	{RF_proc_pexe, RF_proc_exe, 1},
	{RF_proc_aexe, RF_proc_exe, LEVEL_INDEX},
	{RF_proc_exepath, RF_proc_exepath, 0},
	{RF_proc_pexepath, RF_proc_exepath, 1},
	{RF_proc_aexepath, RF_proc_exepath, LEVEL_INDEX},
	{RF_proc_cmdline, RF_proc_cmdline, 0},
	{RF_proc_pcmdline, RF_proc_cmdline, 1},
	{RF_proc_acmdline, RF_proc_cmdline, LEVEL_INDEX},
	{RF_proc_args, RF_proc_args, 0},
	{RF_proc_exeline, RF_proc_exeline, 0},
	{RF_proc_is_exe_upper_layer, RF_proc_is_exe_upper_layer, 0},
	{RF_proc_is_exe_from_memfd, RF_proc_is_exe_from_memfd, 0},
	{RF_proc_args_truncated, RF_proc_args_truncated, 0},
	{RF_proc_exe_ino, RF_proc_exe_ino, 0},
	{RF_proc_env, RF_proc_env, 0},
	{RF_proc_cwd, RF_proc_cwd, 0},
};

enum { COST_NUMBER = 3, COST_BIT = 2, COST_ADDRESS = 12 };

static struct leaf unknown(const char *why)
{
	return (struct leaf){.how = LEAF_UNKNOWN, .why = why};
}

static const struct rule_field_ref *field_of(const struct rule_check *c)
{
	const struct rule_term *t = c->left;

	while (t->kind == RULE_TERM_TRANSFORM && t->args.n)
		t = t->args.p[0];
	return t->kind == RULE_TERM_FIELD ? &t->field : NULL;
}

/* --- texts */

static struct text *find_text(struct pushdown *x, const struct rule_field_ref *f, bool is_process,
			      uint32_t *ret_index)
{
	struct text *p = is_process ? x->proc_texts.p : x->texts.p;
	size_t n = is_process ? x->proc_texts.n : x->texts.n;

	for (size_t i = 0; i < n; i++) {
		if (p[i].field.id != f->id || !str_eq(p[i].field.arg, f->arg))
			continue;
		*ret_index = (uint32_t)i;
		return &p[i];
	}
	*ret_index = (uint32_t)n;
	if (!is_process && n == PASS_TEXTS)
		return NULL;
	if (is_process)
		return array_push(x->arena, &x->proc_texts,
				  ((struct text){.field = *f,
						 .is_process = true,
						 .flags = RULE_TABLE_BLANKS}));
	return array_push(x->arena, &x->texts, ((struct text){.field = *f}));
}

static int64_t find_bit(const struct text *t, uint32_t check)
{
	for (size_t i = 0; i < t->checks.n; i++)
		if (t->checks.p[i] == check)
			return (int64_t)i;
	return -1;
}

/* Words that all process texts take, if this one had one more bit. */
static bool has_room(const struct pushdown *x, const struct text *t)
{
	size_t words = (x->proc_numbers.n + 63) / 64;

	if (!t->is_process)
		return t->checks.n < RULE_TABLE_BITS;
	for (size_t i = 0; i < x->proc_texts.n; i++) {
		const struct text *o = &x->proc_texts.p[i];

		words += (o->checks.n + (o == t) + 63) / 64;
	}
	return words <= PROC_BIT_WORDS;
}

/* The bit of a check among those of its text.  −1: it has none, *ret_why says why. */
static int64_t text_bit(struct pushdown *x, struct text *t, uint32_t check, const char **ret_why)
{
	const struct rule_check *c = x->rs->checks.p[check];
	struct match_pattern *p;
	int64_t bit = find_bit(t, check);
	bool is_inverted;
	size_t n;

	if (bit >= 0)
		return bit;
	bit = (int64_t)t->checks.n;
	if (!pattern_make(x->arena, c, (uint32_t)bit, &p, &n, &is_inverted, ret_why))
		return -1;
	*ret_why = "exactly one of several";
	if (t->is_process && pattern_is_unsure(c))
		return -1;
	*ret_why = "more checks than there is room for";
	if (!has_room(x, t))
		return -1;
	for (size_t i = 0; i < n; i++)
		array_push(x->arena, &t->patterns, p[i]);
	array_push(x->arena, &t->checks, check);
	return bit;
}

static struct leaf text_leaf(struct pushdown *x, const struct rule_kind *k,
			     const struct rule_field_ref *f, uint32_t check)
{
	const char *why = "too many fields";
	struct text_source s;
	struct text *t;
	uint32_t index;
	int64_t bit;

	source_find(f, k->kind, &s);
	if (s.is_missing)
		return (struct leaf){.how = LEAF_FALSE};
	if (s.why)
		return unknown(s.why);
	t = find_text(x, f, false, &index);
	bit = t ? text_bit(x, t, check, &why) : -1;
	if (bit < 0)
		return unknown(why);
	return (struct leaf){.how = LEAF_TEXT,
			     .index = index,
			     .bit = (uint32_t)bit,
			     .needs = 1ull << index,
			     .cost = COST_BIT};
}

/* --- processes */

static bool is_process_number(enum rule_field f)
{
	return f == RF_proc_is_exe_upper_layer || f == RF_proc_is_exe_from_memfd ||
	       f == RF_proc_args_truncated || f == RF_proc_exe_ino;
}

/* The same check on the process itself: a row of its own, if there is none. */
static uint32_t check_on_self(struct pushdown *x, const struct rule_check *c, enum rule_field self)
{
	const struct rule_term *was = field_of(c) == &c->left->field ? c->left : c->left->args.p[0];
	struct rule_term *field = arena_copy(x->arena, was, sizeof(*was)), *left = field;
	struct rule_check copy = *c;

	field->field = (struct rule_field_ref){
		.id = self, .index = -1, .type = rule_field_info[self].type};
	if (self == RF_proc_env)
		field->field.arg = was->field.arg;
	if (was != c->left) {
		left = arena_copy(x->arena, c->left, sizeof(*c->left));
		left->args.n = left->args.room = 0;
		left->args.p = NULL;
		array_push(x->arena, &left->args, field);
	}
	copy.left = left;
	if (copy.op == RULE_INTERSECTS)
		copy.op = RULE_IN;
	return ruleset_check(x->rs, &copy);
}

/*
 * Bits are numbered when all are known: until then a process bit is an index into
 * plan->process_checks, and plan_rules() puts them in their places.
 */
static int64_t process_bit(struct pushdown *x, uint32_t check, const char **ret_why)
{
	const struct rule_check *c = x->rs->checks.p[check];
	const struct rule_field_ref *f = field_of(c);
	uint32_t index;

	for (size_t i = 0; i < x->plan->process_checks.n; i++)
		if (x->plan->process_checks.p[i] == check)
			return (int64_t)i;
	if (is_process_number(f->id)) {
		struct proc_number n = {.check = check};

		*ret_why = "more checks than there is room for";
		if (x->proc_numbers.n == 64 || !proc_number_tests(x, c, &n.tests, ret_why))
			return -1;
		array_push(x->arena, &x->proc_numbers, n);
	} else if (text_bit(x, find_text(x, f, true, &index), check, ret_why) < 0) {
		return -1;
	}
	array_push(x->arena, &x->plan->process_checks, check);
	return (int64_t)x->plan->process_checks.n - 1;
}

static struct leaf process_leaf(struct pushdown *x, const struct rule_kind *k, uint32_t check,
				size_t row)
{
	const struct rule_check *c = x->rs->checks.p[check];
	const struct rule_field_ref *f = field_of(c);
	int level = lineage[row].level == LEVEL_INDEX ? f->index : lineage[row].level;
	bool is_any = lineage[row].level == LEVEL_INDEX && f->index < 0;
	const char *why = "";
	int64_t bit;

	if (level > ANCESTORS_MAX)
		return unknown("an ancestor further away");
	if (f->id == RF_proc_env && f->arg.n)
		return unknown("one variable of the environment");
	bit = process_bit(x, check_on_self(x, c, lineage[row].self), &why);
	if (bit < 0)
		return unknown(why);
	if (!level && !is_any)
		return (struct leaf){.how = LEAF_PROCESS,
				     .bit = (uint32_t)bit,
				     .needs = k->kind == EV_EXEC ? 0 : 1ull << PASS_PROCESS,
				     .cost = COST_BIT};
	return (struct leaf){.how = LEAF_ANCESTOR,
			     .index = is_any ? 0 : (uint32_t)level,
			     .bit = (uint32_t)bit,
			     .needs = 1ull << PASS_ANCESTORS,
			     .cost = COST_BIT};
}

static struct leaf cgroup_leaf(struct pushdown *x, uint32_t check)
{
	ARRAY(uint32_t) *list = (void *)&x->plan->cgroup_checks;
	uint32_t bit = 0;

	while (bit < list->n && list->p[bit] != check)
		bit++;
	if (bit == CGROUP_BITS)
		return unknown("more checks than there is room for");
	if (bit == list->n)
		array_push(x->arena, list, check);
	return (struct leaf){
		.how = LEAF_CGROUP, .bit = bit, .needs = 1ull << PASS_CGROUP, .cost = COST_BIT};
}

/* --- a leaf */

static struct leaf number_leaf(struct pushdown *x, const struct rule_kind *k,
			       const struct rule_check *c)
{
	struct leaf l = {.cost = COST_NUMBER};

	if (c->left->kind != RULE_TERM_FIELD)
		return unknown("this transformer");
	l.tests = number_tests(x, k->kind, c, &l.how, &l.why);
	if (l.tests)
		l.cost += (uint32_t)l.tests->list.n;
	return l;
}

static struct leaf address_leaf(struct pushdown *x, const struct rule_kind *k,
				const struct rule_check *c)
{
	struct leaf l = {.how = LEAF_ADDRESS, .needs = 1ull << PASS_SOCKET, .cost = COST_ADDRESS};

	if (k->kind == EV_SOCKET || body_of_kind(k->kind) != BODY_wire_sock)
		return (struct leaf){.how = LEAF_FALSE};
	l.addresses = addresses_make(x, k->kind, c, &l.why);
	if (!l.addresses)
		return unknown(l.why);
	l.cost += (uint32_t)(l.addresses->nets.n + l.addresses->ports.n);
	return l;
}

static struct leaf arg_leaf(struct pushdown *x, const struct rule_kind *k, uint32_t check)
{
	const struct rule_check *c = x->rs->checks.p[check];
	const struct rule_field_ref *f = field_of(c);
	const struct rule_arg_info *row = rule_arg_find(f->arg, k->kind);
	struct rule_field_ref same = *f;

	if (!row)
		return (struct leaf){.how = LEAF_FALSE};
	switch (row->from) {
	case RAF_NAME:
	case RAF_NAME2:
	case RAF_STR:
		if (f->id == RF_evt_rawarg)
			same.id = RF_evt_arg;
		return text_leaf(x, k, &same, check);
	case RAF_TUPLE:
		return unknown("addresses as a text");
	case RAF_EXE:
		return unknown("an argument of exec");
	case RAF_FD:
		return unknown("a descriptor as a text");
	case RAF_NONE:
	case RAF_U16:
	case RAF_U32:
	case RAF_U64:
	case RAF_OPEN:
	case RAF_UID:
	case RAF_GID:
	case RAF_ERRNO:
		break;
	}
	return number_leaf(x, k, c);
}

static struct leaf make_leaf(struct pushdown *x, const struct rule_kind *k, uint32_t check)
{
	const struct rule_check *c = x->rs->checks.p[check];
	const struct rule_field_ref *f = field_of(c);
	const struct rule_field_info *info;

	if (!f)
		return unknown("a transformer");
	info = &rule_field_info[f->id];
	for (size_t i = 0; i < ELEMENTS(lineage); i++)
		if (lineage[i].field == f->id)
			return process_leaf(x, k, check, i);
	if (f->id == RF_evt_arg || f->id == RF_evt_rawarg)
		return arg_leaf(x, k, check);
	switch (info->class) {
	case RC_PATH:
		return text_leaf(x, k, f, check);
	case RC_SCALAR:
	case RC_CONSTANT:
	case RC_USERS:
		return number_leaf(x, k, c);
	case RC_CONTAINER:
		return cgroup_leaf(x, check);
	case RC_ADDRESS:
		return address_leaf(x, k, c);
	case RC_NOT_YET:
		return (struct leaf){.how = LEAF_FALSE};
	case RC_PROCESS:
	case RC_ANCESTOR:
		return unknown("not kept for processes");
	case RC_USER:
		break;
	}
	return unknown("known in user space only");
}

const struct leaf *plan_leaf(struct pushdown *x, struct rule_kind *k, uint32_t check)
{
	struct leaf *l;

	if (check >= k->n_leaves) {
		size_t n = MAX((size_t)check + 1, x->rs->checks.n) * 2;
		struct leaf **grown = arena_array(x->arena, struct leaf *, n);

		if (k->n_leaves)
			memcpy(grown, k->leaves, k->n_leaves * sizeof(*grown));
		k->leaves = grown;
		k->n_leaves = n;
	}
	if (k->leaves[check])
		return k->leaves[check];
	l = arena_new(x->arena, struct leaf);
	*l = make_leaf(x, k, check);
	return k->leaves[check] = l;
}

/* --- places */

static enum rule_where where_of(const struct leaf *l)
{
	switch (l->how) {
	case LEAF_FALSE:
	case LEAF_TRUE:
		return RW_CONSTANT;
	case LEAF_UNKNOWN:
		return RW_RESIDUAL;
	case LEAF_NUMBER:
	case LEAF_ADDRESS:
	case LEAF_TEXT:
		return RW_EVENT;
	case LEAF_PROCESS:
		return RW_PROCESS;
	case LEAF_ANCESTOR:
		return RW_ANCESTOR;
	case LEAF_CGROUP:
		return RW_CONTAINER;
	}
	return RW_RESIDUAL;
}

/* The worst of all kinds of records is what a check is called. */
static void note_place(struct rule_place *to, const struct leaf *l)
{
	enum rule_where where = where_of(l);

	if (where <= to->where)
		return;
	*to = (struct rule_place){.where = where, .bit = l->bit, .why = l->why};
}

/* A check that nobody came to, the rest of its condition having decided, counts as constant. */
static void note_check(struct pushdown *x, struct rule_kind *k, uint32_t check)
{
	struct rule_place *to = &x->plan->places[check];
	const struct rule_check *c = x->rs->checks.p[check];

	if (check < k->n_leaves && k->leaves[check])
		note_place(to, k->leaves[check]);
	for (size_t i = 0; c->quantifier == RULE_Q_ALLOF && i < c->right.n; i++) {
		struct rule_check one = *c;
		uint32_t part;

		one.quantifier = RULE_Q_NONE;
		one.right.p = &c->right.p[i];
		one.right.n = one.right.room = 1;
		part = ruleset_check(x->rs, &one);
		if (part < k->n_leaves && k->leaves[part])
			note_place(to, k->leaves[part]);
	}
}

static void note_expr(struct pushdown *x, struct rule_kind *k, const struct rule_expr *e,
		      bool *is_used)
{
	if (e->kind == RULE_E_CHECK) {
		is_used[e->check] = true;
		note_check(x, k, e->check);
	}
	for (size_t i = 0; i < e->args.n; i++)
		note_expr(x, k, e->args.p[i], is_used);
}

static void find_places(struct pushdown *x, size_t n_checks)
{
	bool *is_used = arena_array(x->arena, bool, n_checks + 1);

	x->plan->places = arena_array(x->arena, struct rule_place, n_checks + 1);
	x->plan->n_places = n_checks;
	for (size_t i = 0; i < x->rs->rules.n; i++)
		for (unsigned int kind = 1; kind < EV_END; kind++)
			if (x->rs->rules.p[i]->kinds >> kind & 1)
				note_expr(x, x->kinds[kind], x->rs->rules.p[i]->expr, is_used);
	for (size_t i = 0; i < n_checks; i++) {
		x->plan->n_checks += is_used[i];
		x->plan->n_residual += is_used[i] && x->plan->places[i].where == RW_RESIDUAL;
	}
}

/* --- tables, and the places of bits */

/* A text whose checks are all somebody else's has one bit that nobody asks for. */
static void build_text(struct pushdown *x, struct text *t)
{
	bool *refused = arena_array(x->arena, bool, t->patterns.n + 1);
	uint32_t n_checks = (uint32_t)t->checks.n, n_bits = MAX(n_checks, 1u);

	t->n_words = (n_bits + 63) / 64;
	t->inverted = arena_array(x->arena, uint64_t, t->n_words + 1);
	t->unsure = arena_array(x->arena, uint64_t, t->n_words + 1);
	t->is_refused = arena_array(x->arena, bool, n_bits + 1);
	t->table = rule_tables_add(&x->tables, t->patterns.p, t->patterns.n, n_bits, t->flags,
				   refused);
	for (size_t i = 0; i < t->patterns.n; i++)
		t->is_refused[t->patterns.p[i].bit] |= refused[i];
	for (uint32_t i = 0; i < n_checks; i++) {
		const struct rule_check *c = x->rs->checks.p[t->checks.p[i]];

		if (c->op == RULE_NE)
			t->inverted[i / 64] |= 1ull << (i % 64);
		if (pattern_is_unsure(c))
			t->unsure[i / 64] |= 1ull << (i % 64);
	}
}

static void refuse(struct leaf *l)
{
	*l = unknown("no room in the automaton");
}

/* Leaves of patterns that found no room. */
static void refuse_leaves(struct pushdown *x, const uint32_t *places, const bool *is_gone)
{
	for (unsigned int kind = 0; kind < 64; kind++) {
		struct rule_kind *k = x->kinds[kind];

		for (size_t i = 0; k && i < k->n_leaves; i++) {
			struct leaf *l = k->leaves[i];

			if (!l)
				continue;
			if (l->how == LEAF_TEXT && x->texts.p[l->index].is_refused[l->bit])
				refuse(l);
			if (l->how != LEAF_PROCESS && l->how != LEAF_ANCESTOR)
				continue;
			if (is_gone[l->bit])
				refuse(l);
			else
				l->bit = places[l->bit];
		}
	}
}

/* Give the bits of processes their places, a text's in words of their own. */
static void place_bits(struct pushdown *x)
{
	size_t n = x->plan->process_checks.n;
	uint32_t *places = arena_array(x->arena, uint32_t, n + 1), *bits, word;
	bool *is_gone = arena_array(x->arena, bool, n + 1);

	word = (uint32_t)(x->proc_numbers.n + 63) / 64;
	for (size_t i = 0; i < x->proc_texts.n; i++) {
		x->proc_texts.p[i].base = word;
		word += x->proc_texts.p[i].n_words;
	}
	x->proc_words = word;
	bits = arena_array(x->arena, uint32_t, (size_t)word * 64 + 1);
	for (size_t i = 0; i < (size_t)word * 64; i++)
		bits[i] = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		uint32_t check = x->plan->process_checks.p[i];

		for (size_t k = 0; k < x->proc_numbers.n; k++)
			if (x->proc_numbers.p[k].check == check)
				places[i] = x->proc_numbers.p[k].bit = (uint32_t)k;
		for (size_t k = 0; k < x->proc_texts.n; k++) {
			const struct text *t = &x->proc_texts.p[k];
			int64_t bit = find_bit(t, check);

			if (bit < 0)
				continue;
			places[i] = t->base * 64 + (uint32_t)bit;
			is_gone[i] = t->is_refused[bit];
		}
		bits[places[i]] = check;
	}
	refuse_leaves(x, places, is_gone);
	x->plan->process_checks.p = bits;
	x->plan->process_checks.n = x->plan->process_checks.room = (size_t)word * 64;
}

void plan_rules(struct pushdown *x)
{
	size_t n_checks = x->rs->checks.n;

	for (size_t i = 0; i < x->rs->rules.n; i++) {
		const struct rule *rule = x->rs->rules.p[i];

		for (unsigned int kind = 1; kind < EV_END; kind++) {
			struct rule_kind *k = x->kinds[kind];
			struct cond *c;

			if (!(rule->kinds >> kind & 1))
				continue;
			if (!k) {
				k = x->kinds[kind] = arena_new(x->arena, struct rule_kind);
				k->kind = kind;
				k->kinds = 1ull << kind;
			}
			c = cond_make(x, k, rule->expr, false);
			if (c->kind == COND_FALSE)
				continue;
			array_push(x->arena, &k->rules, ((struct kind_rule){rule, c}));
			k->groups |= c->needs;
		}
	}
	/* an exec keeps the bits, whatever rules there are for it */
	if (x->plan->process_checks.n && !x->kinds[EV_EXEC]) {
		x->kinds[EV_EXEC] = arena_new(x->arena, struct rule_kind);
		x->kinds[EV_EXEC]->kind = EV_EXEC;
		x->kinds[EV_EXEC]->kinds = 1ull << EV_EXEC;
	}
	for (size_t i = 0; i < x->texts.n; i++)
		build_text(x, &x->texts.p[i]);
	for (size_t i = 0; i < x->proc_texts.n; i++)
		build_text(x, &x->proc_texts.p[i]);
	place_bits(x);
	find_places(x, n_checks);
}
