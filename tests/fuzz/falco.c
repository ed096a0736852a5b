/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as rule files: refused with a place, or a rule set that is whole.
 *
 * A line "=== +" ends the first file and begins the second, as in tests/rules/load.
 */
#include "compile/lang/falco/falco.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t split(struct str all, struct falco_file *files)
{
	struct str mark = STR("\n=== +\n");
	const char *p = all.n ? memmem(all.p, all.n, mark.p, mark.n) : NULL;

	files[0] = (struct falco_file){.name = "one.yaml", .text = all};
	if (!p)
		return 1;
	files[0].text.n = (size_t)(p - all.p) + 1;
	files[1] = (struct falco_file){.name = "two.yaml",
				       .text = {p + mark.n, all.n - files[0].text.n - mark.n + 1}};
	return 2;
}

static void check_span(const struct diags *d, struct span span)
{
	assert(span.file < d->sources.n);
	assert(span.begin <= span.end);
	assert(span.begin <= d->sources.p[span.file].text.n + 1);
}

static void check_expr(const struct ruleset *rs, const struct rule_expr *e, bool is_root)
{
	switch (e->kind) {
	case RULE_E_CONST:
		assert(is_root); /* elsewhere it is folded */
		break;
	case RULE_E_CHECK:
		assert(e->check < rs->checks.n);
		break;
	case RULE_E_NOT:
		assert(e->args.n == 1);
		break;
	case RULE_E_AND:
	case RULE_E_OR:
		assert(e->args.n >= 2);
		break;
	}
	for (size_t i = 0; i < e->args.n; i++)
		check_expr(rs, e->args.p[i], false);
}

static void check_rules(const struct ruleset *rs)
{
	struct buf text = {0};

	assert(rs->rules.n <= RULES_MAX);
	for (size_t i = 0; i < rs->rules.n; i++) {
		const struct rule *r = rs->rules.p[i];

		assert(r->id == i && r->name && r->expr);
		check_span(&rs->diags, r->span);
		check_expr(rs, r->expr, true);
		assert(r->expr->kind != RULE_E_CONST || r->expr->value || !r->kinds);
		buf_reset(&text);
		rule_expr_print(rs, r->expr, &text);
		for (size_t k = 0; k < r->output.pieces.n; k++)
			assert(!r->output.pieces.p[k].term == !r->output.pieces.p[k].as.n);
	}
	for (size_t i = 0; i < rs->checks.n; i++)
		assert(rs->checks.p[i]->id == i && rs->checks.p[i]->left);
	buf_done(&text);
}

/* A text that came from a file with a mistake, once more: it must be the same. */
static void check_printed(const struct ruleset *rs)
{
	struct buf text = {0}, again = {0};
	struct rule_expr *e;
	struct ruleset other;

	for (size_t i = 0; i < rs->rules.n && i < 4; i++) {
		buf_reset(&text);
		buf_reset(&again);
		rule_expr_print(rs, rs->rules.p[i]->expr, &text);
		if (text.n > 4096)
			continue;
		ruleset_init(&other);
		e = falco_condition(&other, diag_source(&other.diags, "again", buf_str(&text)));
		assert(e);
		rule_expr_print(&other, e, &again);
		assert(str_eq(buf_str(&text), buf_str(&again)));
		ruleset_done(&other);
	}
	buf_done(&text);
	buf_done(&again);
}

static void check_findings(const struct ruleset *rs, const struct falco_file *files, size_t n,
			   const struct falco_result *r, bool is_good)
{
	struct buf text = {0};
	size_t errors = 0;

	for (size_t i = 0; i < r->findings.n; i++) {
		const struct falco_finding *x = &r->findings.p[i];

		assert(x->file < n && x->message[0]);
		assert(!x->is_error || !files[x->file].is_ok);
		check_span(&rs->diags, x->span);
		errors += x->is_error;
	}
	assert(errors == r->errors && is_good == !errors);
	diags_print(&rs->diags, false, &text);
	falco_result_json(rs, files, n, r, &text);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct falco_options o = {.enable_all = n & 1, .least = RULE_DEBUG};
	struct falco_file files[2];
	struct falco_result result;
	struct ruleset rs;
	size_t n_files = split((struct str){(const char *)data, n}, files);
	bool is_good;

	ruleset_init(&rs);
	is_good = falco_load(&rs, files, n_files, &o, &result);
	check_findings(&rs, files, n_files, &result, is_good);
	check_rules(&rs);
	check_printed(&rs);
	ruleset_done(&rs);
	return 0;
}
