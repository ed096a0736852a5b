/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files for people: what is wrong with them, and what is in them.
 *
 * All rules are looked at, those too that are disabled.
 */
#include "agent/rules-check.h"

#include "agent/rules.h"
#include "base/log.h"
#include "compile/lang/falco/falco.h"
#include "event/escape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

struct rule_files {
	struct falco_file *files; /* owned */
	struct buf *texts;	  /* owned */
	int *errors;		  /* owned; −errno of reading */
	size_t n;
};

static void files_done(struct rule_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_done(&f->texts[i]);
	free(f->files);
	free(f->texts);
	free(f->errors);
}

static void files_read(struct rule_files *f, char **names)
{
	size_t n = 0;

	while (names[n])
		n++;
	f->n = n ? n : 1;
	f->files = xalloc(f->n * sizeof(*f->files));
	f->texts = xalloc(f->n * sizeof(*f->texts));
	f->errors = xalloc(f->n * sizeof(*f->errors));
	for (size_t i = 0; i < n; i++) {
		f->errors[i] = rules_file_read(names[i], &f->texts[i]);
		f->files[i].name = strcmp(names[i], "-") ? names[i] : "stdin";
	}
	if (!n) {
		f->errors[0] = rules_own_read(&f->texts[0]);
		f->files[0].name = "skep's own rules";
	}
	for (size_t i = 0; i < f->n; i++)
		if (!f->errors[i])
			f->files[i].text = buf_str(&f->texts[i]);
}

/* Load; what could not be read is an error of its file.  False: there are errors. */
static bool load(struct ruleset *rs, struct rule_files *f, const struct falco_options *o,
		 struct falco_result *ret)
{
	bool is_good = falco_load(rs, f->files, f->n, o, ret);

	for (size_t i = 0; i < f->n; i++) {
		const char *why;

		if (!f->errors[i])
			continue;
		why = arena_printf(&rs->arena, "cannot read %s: %s", f->files[i].name,
				   strerror(-f->errors[i]));
		falco_add_error(rs, f->files, ret, i, FALCO_FILE_READ, why);
		log_error(f->errors[i], "cannot read %s", f->files[i].name);
		is_good = false;
	}
	return is_good;
}

static bool is_coloured(const struct rules_check_options *o, int fd)
{
	return o->colour == COLOUR_ALWAYS || (o->colour == COLOUR_AUTO && log_can_colour(fd));
}

static size_t count(const struct falco_result *r, size_t file, bool errors)
{
	size_t n = 0;

	for (size_t i = 0; i < r->findings.n; i++)
		n += r->findings.p[i].file == file && r->findings.p[i].is_error == errors;
	return n;
}

static void say_file(const struct falco_file *f, size_t errors, size_t warnings)
{
	printf("%s: %s", f->name, errors ? "invalid" : "ok");
	if (errors)
		printf(", %zu error%s", errors, errors == 1 ? "" : "s");
	if (warnings)
		printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	putchar('\n');
}

static void say_set(const struct ruleset *rs)
{
	printf("%zu rules", rs->rules.n + rs->disabled.n);
	if (rs->skipped.n)
		printf(" (%zu more are skipped)", rs->skipped.n);
	printf(", %zu macros, %zu lists, %zu different checks\n", rs->macros.n, rs->lists.n,
	       rs->checks.n);
}

int rules_check(const struct rules_check_options *o, char **names)
{
	struct falco_options falco = {.enable_all = true, .least = RULE_DEBUG};
	_cleanup_(files_done) struct rule_files f = {0};
	_cleanup_(ruleset_done) struct ruleset rs;
	_cleanup_buf_ struct buf text = {0};
	struct falco_result result;
	bool is_good;

	ruleset_init(&rs);
	files_read(&f, names);
	is_good = load(&rs, &f, &falco, &result);
	if (o->json) {
		falco_result_json(&rs, f.files, f.n, &result, &text);
		fwrite(text.p, 1, text.n, stdout);
		return is_good ? 0 : EXIT_FAILED;
	}
	if (o->quiet)
		falco_drop_warnings(&rs);
	diags_print(&rs.diags, is_coloured(o, STDERR_FILENO), &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	for (size_t i = 0; i < f.n; i++)
		say_file(&f.files[i], count(&result, i, true), count(&result, i, false));
	if (is_good)
		say_set(&rs);
	return is_good ? 0 : EXIT_FAILED;
}

/* --- list */

static void put_json(struct buf *to, const char *key, const char *value)
{
	buf_printf(to, "\"%s\": ", key);
	escape_json(to, str_of(value));
}

static void put_compiled(const struct ruleset *rs, const struct rule *r, struct buf *to)
{
	struct buf text = {0};

	if (r->expr)
		rule_expr_print(rs, r->expr, &text);
	buf_puts(to, ", \"compiled\": ");
	escape_json(to, buf_str(&text));
	buf_done(&text);
}

static void list_json(const struct ruleset *rs, const struct rule *r, bool is_enabled,
		      bool is_first, struct buf *to)
{
	buf_puts(to, is_first ? "{" : ", {");
	put_json(to, "name", r->name);
	buf_puts(to, ", ");
	put_json(to, "priority", rule_priority_names[r->priority]);
	buf_puts(to, ", ");
	put_json(to, "source", r->source);
	buf_printf(to, ", \"enabled\": %s, ", is_enabled ? "true" : "false");
	put_json(to, "desc", r->desc);
	buf_puts(to, ", \"condition\": ");
	escape_json(to, r->condition);
	put_compiled(rs, r, to);
	buf_puts(to, ", \"output\": ");
	escape_json(to, r->output.text);
	buf_puts(to, ", \"tags\": [");
	for (size_t i = 0; i < r->tags.n; i++) {
		buf_puts(to, i ? ", " : "");
		escape_json(to, str_of(r->tags.p[i]));
	}
	buf_printf(to, "], \"tests\": %zu}", r->tests.n);
}

static void list_line(const struct rule *r, const char *state, bool verbose, struct buf *to)
{
	buf_printf(to, "%-13s  %s%s%s%s\n", rule_priority_names[r->priority], r->name,
		   *state ? "  (" : "", state, *state ? ")" : "");
	if (!verbose)
		return;
	buf_puts(to, "               ");
	for (const char *p = r->desc; *p; p++)
		buf_putc(to, *p == '\n' || *p == '\t' ? ' ' : *p);
	buf_puts(to, "\n               tags:");
	for (size_t i = 0; i < r->tags.n; i++)
		buf_printf(to, " %s", r->tags.p[i]);
	buf_putc(to, '\n');
}

struct listing {
	const struct rules_check_options *o;
	const struct ruleset *rs;
	struct buf text;
	bool has_any;
};

static void add_rules(struct listing *l, struct rule *const *rules, size_t n, const char *state)
{
	for (size_t i = 0; i < n; i++) {
		if (l->o->json)
			list_json(l->rs, rules[i], !*state, !l->has_any, &l->text);
		else
			list_line(rules[i], state, l->o->verbose, &l->text);
		l->has_any = true;
	}
}

static bool priority_of(const char *word, enum rule_priority *ret)
{
	*ret = RULE_DEBUG;
	for (int i = 0; word && i <= RULE_DEBUG; i++) {
		if (strcasecmp(word, rule_priority_names[i]) &&
		    (i != RULE_INFO || strcasecmp(word, "info")))
			continue;
		*ret = (enum rule_priority)i;
		return true;
	}
	return !word;
}

int rules_list(const struct rules_check_options *o, char **names)
{
	struct falco_options falco = {.tags = o->tags};
	_cleanup_(files_done) struct rule_files f = {0};
	_cleanup_(ruleset_done) struct ruleset rs;
	_cleanup_buf_ struct buf text = {0};
	struct listing l = {.o = o, .rs = &rs};
	struct falco_result result;
	bool is_good;

	ruleset_init(&rs);
	if (!priority_of(o->least, &falco.least)) {
		log_error(0, "there is no priority '%s'", o->least);
		log_hint("emergency, alert, critical, error, warning, notice, informational, "
			 "debug");
		return EXIT_USAGE;
	}
	files_read(&f, names);
	is_good = load(&rs, &f, &falco, &result);
	falco_drop_warnings(&rs);
	diags_print(&rs.diags, is_coloured(o, STDERR_FILENO), &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	if (o->json)
		buf_puts(&l.text, "{\"rules\": [");
	add_rules(&l, rs.rules.p, rs.rules.n, "");
	if (!o->tags && !o->least) {
		add_rules(&l, rs.disabled.p, rs.disabled.n, "disabled");
		add_rules(&l, rs.skipped.p, rs.skipped.n, "skipped");
	}
	if (o->json)
		buf_puts(&l.text, "]}\n");
	fwrite(l.text.p ? l.text.p : "", 1, l.text.n, stdout);
	buf_done(&l.text);
	return is_good ? 0 : EXIT_FAILED;
}
