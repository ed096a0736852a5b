/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep rules explain`: what becomes of a rule, and why an event of a recording matches it or
 * does not.
 */
#include "agent/rules-explain.h"
#include "agent/rules-load.h"

#include "base/log.h"
#include "event/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The rule that is meant: by its name, or by a part of it that stands in no other. */
static const struct rule *rule_named(const struct ruleset *rs, const char *name)
{
	const struct rule *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < rs->rules.n; i++)
		if (!strcasecmp(rs->rules.p[i]->name, name))
			return rs->rules.p[i];
	for (size_t i = 0; i < rs->rules.n; i++)
		if (strcasestr(rs->rules.p[i]->name, name)) {
			found = rs->rules.p[i];
			n++;
		}
	if (n == 1)
		return found;
	log_error(0, n ? "'%s' stands in the names of %zu rules" : "there is no rule '%s'", name,
		  n);
	for (size_t i = 0; n && i < rs->rules.n; i++)
		if (strcasestr(rs->rules.p[i]->name, name))
			log_hint("%s", rs->rules.p[i]->name);
	if (!n)
		log_hint("skep rules list shows all");
	return NULL;
}

/* --- over a recording */

struct reason {
	const struct rules_loaded *l;
	const struct rule *rule;
	const struct explain_form *form;
	struct arena arena;
	struct buf line;
	uint64_t number;
};

static int explain_event(void *ctx, const struct event *e)
{
	struct reason *x = ctx;
	struct rule_event re = {.event = e, .annex = e->annex, .arena = &x->arena};
	struct rule_reasons why;

	if (e->kind == EV_LOST || !(x->rule->kinds >> e->kind & 1))
		return 0;
	re.number = ++x->number;
	rule_why(&re, &x->l->rs, x->rule, &why);
	buf_reset(&x->line);
	x->form->event(e, &why, &x->line);
	fwrite(x->line.p, 1, x->line.n, stdout);
	arena_done(&x->arena);
	return 0;
}

static int ignore_event(struct sink *sink, const struct event *e)
{
	return 0;
}

static int ignore_flush(struct sink *sink)
{
	return 0;
}

static void ignore_free(struct sink *sink)
{
}

static int feed(void *ctx, const void *record, size_t n)
{
	return stream_feed(ctx, record, n);
}

static int explain_recording(const struct rules_loaded *l, const struct rule *rule,
			     const struct explain_form *form, const char *file)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct sink none = {ignore_event, ignore_flush, ignore_free};
	struct reason reason = {.l = l, .rule = rule, .form = form};
	struct recording_head head;
	struct stream_config config = {
		.sink = &none,
		.on_event = explain_event,
		.on_event_ctx = &reason,
	};
	struct stream *stream;
	int r = fd < 0 ? -errno : recording_read_head(fd, &head);

	if (r < 0) {
		log_error(r, "cannot read %s", file);
		return EXIT_FAILED;
	}
	config.boot_to_real_ns = head.boot_to_real_ns;
	stream = stream_new(&config);
	r = recording_read(fd, feed, stream);
	stream_free(stream);
	buf_done(&reason.line);
	if (!reason.number)
		log_note("no event of the recording is of a kind that this rule looks at");
	return r < 0 ? EXIT_FAILED : 0;
}

/* --- without one */

static int explain_plan(const struct rules_loaded *l, const struct rule *rule,
			const struct explain_form *form)
{
	struct rule_explained_all all;
	struct rule_explained one;
	struct arena arena = {0};
	struct buf text = {0};

	if (!l->has_deciders) {
		log_error(0, "the rules could not be compiled");
		return EXIT_FAILED;
	}
	if (rule) {
		rule_explain(&l->rs, &l->plan, &l->q, rule, &arena, &one);
		form->rule(&one, &text);
	} else {
		rule_explain_all(&l->rs, &l->plan, &l->q, &arena, &all);
		form->all(&all, &text);
	}
	fwrite(text.p, 1, text.n, stdout);
	buf_done(&text);
	arena_done(&arena);
	return 0;
}

static int explain(const struct rules_loaded *l, const struct rules_explain_options *o)
{
	const struct explain_form *form = o->json ? &explain_as_json : &explain_as_text;
	const struct rule *rule = o->rule ? rule_named(&l->rs, o->rule) : NULL;

	if (o->rule && !rule)
		return EXIT_USAGE;
	if (o->replay)
		return explain_recording(l, rule, form, o->replay);
	return explain_plan(l, rule, form);
}

int rules_explain(const struct rules_explain_options *o)
{
	struct rules_options rules = {.own = !o->files[0]};
	const struct rules_load_options options = {.o = &rules, .quiet = true, .generation = 1};
	struct rules_loaded *l;
	int status;

	for (size_t i = 0; o->files[i] && i < RULES_LIST_MAX; i++)
		rules.files[i] = o->files[i];
	if (o->rule) /* of disabled ones, too */
		rules.enable[0] = "*";
	status = rules_load(&options, &l);
	if (status)
		return status;
	status = explain(l, o);
	rules_unload(l);
	return status;
}
