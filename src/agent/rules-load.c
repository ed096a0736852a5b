/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files become text, text a rule set (compile/lang/falco), the set deciders (compile/rule).
 *
 * If deciders can't be made here the rules hold all the same: every event of the kinds they
 * ask for comes up, and user space decides alone.
 */
#include "agent/file.h"
#include "agent/rules-load.h"

#include "agent/rt.h"
#include "agent/world.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parallel.h"
#include "compile/gen/gen.h"
#include "compile/lang/falco/falco.h"
#include "event/ident/users.h"
#include "own-rules.h"
#include "runtime/kern/packed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 }; /* the loader refuses less, but says so itself */

int rules_file_read(const char *name, struct buf *to)
{
	if (!strcmp(name, "-"))
		return file_read_fd(STDIN_FILENO, FILE_MAX, to);
	return file_read_all(name, FILE_MAX, to);
}

int rules_own_read(struct buf *to)
{
	struct str packed = {(const char *)own_rules, own_rules_size};

	return packed_read(packed, FILE_MAX, to);
}

/* The files of one set, in order; the texts are owned here until they are loaded. */
struct texts {
	struct falco_file files[RULES_LIST_MAX + 1];
	struct buf texts[RULES_LIST_MAX + 1];
	size_t n;
};

static void texts_done(struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_done(&t->texts[i]);
}

/* `r`: what reading into the next of the texts gave. */
static int texts_add(struct texts *t, const char *name, int r)
{
	t->files[t->n].name = name;
	t->files[t->n].text = buf_str(&t->texts[t->n]);
	t->n++;
	if (r < 0)
		log_error(r, "cannot read %s", name);
	return r < 0 ? EXIT_FAILED : 0;
}

static int texts_read(struct texts *t, const struct rules_options *o)
{
	int status = 0;

	if (o->own)
		status = texts_add(t, "skep's own rules", rules_own_read(&t->texts[t->n]));
	for (size_t i = 0; !status && o->files[i]; i++) {
		int r = rules_file_read(o->files[i], &t->texts[t->n]);

		status = texts_add(t, o->files[i], r);
	}
	return status;
}

static bool priority_of(const char *word, enum rule_priority *ret)
{
	*ret = RULE_DEBUG;
	if (!word)
		return true;
	for (int i = 0; i <= RULE_DEBUG; i++)
		if (!strcasecmp(word, rule_priority_names[i]) ||
		    (i == RULE_INFO && !strcasecmp(word, "info"))) {
			*ret = i;
			return true;
		}
	log_error(0, "there is no priority '%s'", word);
	log_hint("emergency, alert, critical, error, warning, notice, informational, debug");
	return false;
}

static void say_diags(struct rules_loaded *l, const struct rules_load_options *o, size_t from,
		      bool ok)
{
	bool colour = o->colour == COLOUR_ALWAYS ||
		      (o->colour == COLOUR_AUTO && log_can_colour(STDERR_FILENO));
	struct buf text = {0};
	size_t kept = from;

	/* warnings are what `skep rules check` is for */
	for (size_t i = from; i < l->rs.diags.list.n; i++)
		if (l->rs.diags.list.p[i].severity == SEV_ERROR)
			l->rs.diags.list.p[kept++] = l->rs.diags.list.p[i];
	l->rs.diags.list.n = kept;
	if (ok)
		return;
	diags_print(&l->rs.diags, colour, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	buf_done(&text);
	l->rs.diags.list.n = 0;
}

static bool reads_data(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->checks.n; i++)
		if (rs->checks.p[i]->left->kind == RULE_TERM_FIELD &&
		    rs->checks.p[i]->left->field.id == RF_evt_buffer)
			return true;
	for (size_t i = 0; i < rs->rules.n; i++)
		for (size_t j = 0; j < rs->rules.p[i]->output.pieces.n; j++) {
			const struct rule_piece *p = &rs->rules.p[i]->output.pieces.p[j];

			if (p->term && p->term->kind == RULE_TERM_FIELD &&
			    p->term->field.id == RF_evt_buffer)
				return true;
		}
	return false;
}

static int load(struct rules_loaded *l, const struct rules_load_options *o)
{
	struct falco_options falco = {
		.match_all = o->o->matching == MATCH_ALL,
		.enable = o->o->enable[0] ? o->o->enable : NULL,
		.disable = o->o->disable[0] ? o->o->disable : NULL,
		.tags = o->o->tags[0] ? o->o->tags : NULL,
	};
	struct falco_result result = {0};
	struct texts texts = {0};
	bool ok;
	int status;

	if (!priority_of(o->o->least, &falco.least))
		return EXIT_USAGE;
	status = texts_read(&texts, o->o);
	if (!status) {
		ok = falco_load(&l->rs, texts.files, texts.n, &falco, &result);
		l->warnings = result.warnings;
		say_diags(l, o, 0, ok);
		if (!ok)
			status = EXIT_FAILED;
	}
	texts_done(&texts);
	if (!status && !l->rs.rules.n && !o->may_be_empty) {
		log_error(0, "no rule is enabled: nothing could ever be reported");
		status = EXIT_FAILED;
	}
	return status;
}

/* Users or groups: both files have the number in the third place. */
static struct rule_id *ids_read(const char *path, struct users *u, size_t *ret_n)
{
	struct rule_id *ids;

	users_load(u, path);
	ids = xalloc(sizeof(*ids) * (u->n + 1));
	for (size_t i = 0; i < u->n; i++)
		ids[i] = (struct rule_id){u->names.p + u->list[i].name, u->list[i].uid};
	*ret_n = u->n;
	return ids;
}

/* --- deciders */

struct rules_compiling {
	struct rules_load_options options;
	pthread_t thread;
	bool is_thread, is_done; /* is_done: atomic */
	size_t said;		 /* diagnostics from before */
};

static void compile(struct rules_loaded *l, const struct rules_load_options *o)
{
	struct rule_options options = {
		.level = 2,
		.shadow = o->o->shadow,
		.timed = o->o->stats && !o->embedded,
	};
	_cleanup_free_ struct rule_id *users = NULL, *groups = NULL;
	static const struct world_kern_options world;
	struct users user_names = {0}, group_names = {0};
	uint64_t start = clock_mono_ns();

	if (rt_open(&l->rt) < 0)
		return;
	l->world = o->embedded ? world_vm_new(&world) : world_kern_new(&world);
	options.world = l->world;
	options.rt = l->rt;
	options.users = users = ids_read("/etc/passwd", &user_names, &options.n_users);
	options.groups = groups = ids_read("/etc/group", &group_names, &options.n_groups);
	l->has_deciders = compile_rules(&l->q, &l->rs, &options, &l->plan);
	users_done(&user_names);
	users_done(&group_names);
	l->compile_ns = clock_mono_ns() - start;
}

static void *compile_aside(void *loaded)
{
	struct rules_loaded *l = loaded;

	compile(l, &l->compiling->options);
	__atomic_store_n(&l->compiling->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

bool rules_load_is_done(const struct rules_loaded *l)
{
	return !l->compiling || __atomic_load_n(&l->compiling->is_done, __ATOMIC_ACQUIRE);
}

void rules_load_end(struct rules_loaded *l)
{
	struct rules_compiling *c = l->compiling;

	if (!c)
		return;
	if (c->is_thread)
		pthread_join(c->thread, NULL);
	say_diags(l, &c->options, c->said, l->has_deciders || !log_enabled(LOG_DEBUG));
	if (!l->has_deciders && !c->options.quiet)
		log_warning("the rules could not be compiled: user space decides alone, which "
			    "costs more");
	free(c);
	l->compiling = NULL;
}

int rules_load_begin(const struct rules_load_options *o, struct rules_loaded **ret)
{
	struct rules_loaded *l = xalloc(sizeof(*l));
	uint64_t start = clock_mono_ns();
	int status;

	ruleset_init(&l->rs);
	question_init(&l->q);
	l->rs.generation = o->generation;
	status = load(l, o);
	l->load_ns = clock_mono_ns() - start;
	if (status) {
		rules_unload(l);
		return status;
	}
	l->rs.generation = o->generation;
	l->wants_data = reads_data(&l->rs);
	l->compiling = xalloc(sizeof(*l->compiling));
	l->compiling->options = *o;
	l->compiling->said = l->rs.diags.list.n;
	l->compiling->is_thread =
		!thread_start(&l->compiling->thread, THREAD_STACK, compile_aside, l);
	if (!l->compiling->is_thread)
		compile_aside(l);
	if (l->warnings && !o->quiet)
		log_note("%u warning%s of the rule files; skep rules check shows them", l->warnings,
			 l->warnings == 1 ? "" : "s");
	*ret = l;
	return 0;
}

int rules_load(const struct rules_load_options *o, struct rules_loaded **ret)
{
	int status = rules_load_begin(o, ret);

	if (!status)
		rules_load_end(*ret);
	return status;
}

void rules_unload(struct rules_loaded *l)
{
	if (!l)
		return;
	rules_load_end(l);
	question_done(&l->q);
	world_free(l->world);
	if (l->rt)
		rt_library_close(l->rt);
	ruleset_done(&l->rs);
	free(l);
}
