/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a question to one that runs: which probes, whose, loaded and attached.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "agent/trace-internal.h"

#include "agent/cgroupfs.h"
#include "agent/world.h"
#include "base/log.h"
#include "base/parallel.h"
#include "runtime/vm/hook/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <pcre2.h>

static bool is_special(const struct question_probe *p)
{
	return p->attach == QATTACH_BEGIN || p->attach == QATTACH_END;
}

/* --probe-filter: take away the probes that it does not match.  The exit status. */
int trace_filter(struct trace *t)
{
	size_t kept = 0, matched = 0, at;
	pcre2_match_data *found;
	pcre2_code *regex;
	int error;

	if (!t->q.probes.n || t->o->probe_filter)
		trace_say_diags(t); /* they may be why */
	if (!t->q.probes.n) {
		if (!t->o->quiet)
			puts("No probes to attach");
		return EXIT_FAILED;
	}
	if (!t->o->probe_filter)
		return 0;
	regex = pcre2_compile((PCRE2_SPTR)t->o->probe_filter, PCRE2_ZERO_TERMINATED, 0, &error, &at,
			      NULL);
	if (!regex) {
		log_error(0, "Invalid --probe-filter regex '%s'", t->o->probe_filter);
		return EXIT_FAILED;
	}
	found = pcre2_match_data_create(1, NULL);
	for (size_t i = 0; i < t->q.probes.n; i++) {
		struct question_probe *p = &t->q.probes.p[i];
		bool matches = pcre2_match(regex, (PCRE2_SPTR)p->name, PCRE2_ZERO_TERMINATED, 0, 0,
					   found, NULL) >= 0;

		matched += matches;
		if (matches || is_special(p))
			t->q.probes.p[kept++] = *p;
	}
	t->q.probes.n = kept;
	pcre2_match_data_free(found);
	pcre2_code_free(regex);
	if (matched)
		return 0;
	puts("No probes to attach");
	return EXIT_FAILED;
}

static int say_query_error(struct trace *t, int r, const struct query_error *e)
{
	if (t->q.diags.list.n) /* of skep's own verifier */
		trace_say_diags(t);
	if (e->span.end) {
		diag(&t->q.diags, D_REFUSED, e->span, "%s", e->error.what);
		if (e->error.hint[0])
			diag_hint(&t->q.diags, "%s", e->error.hint);
		trace_say_diags(t);
	} else {
		log_error(r == -EPERM || r == -ENOTSUP ? 0 : r, "%s", e->error.what);
		if (e->error.hint[0])
			log_hint("%s", e->error.hint);
	}
	if (e->error.log[0])
		log_debug("%s", e->error.log);
	return r == -EPERM || r == -ENOTSUP ? EXIT_CANNOT_HERE : EXIT_FAILED;
}

/* --cgroup: its folder, opened.  The exit status. */
int trace_open_cgroup(struct trace *t)
{
	char mount[CGROUP_PATH_MAX], folder[CGROUP_PATH_MAX];

	if (!t->o->cgroup)
		return 0;
	if (cgroupfs_mount(mount, sizeof(mount)) < 0) {
		log_error(0, "there is no cgroup2 file system to look in");
		log_hint("mount -t cgroup2 none /sys/fs/cgroup/unified");
		return EXIT_CANNOT_HERE;
	}
	if (cgroupfs_find(mount, t->o->cgroup, folder, sizeof(folder)) < 0) {
		log_error(0, "--cgroup %s: there is no such cgroup below %s", t->o->cgroup, mount);
		return EXIT_USAGE;
	}
	t->cgroup_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->cgroup_fd < 0) {
		log_error(-errno, "cannot open %s", folder);
		return EXIT_FAILED;
	}
	return 0;
}

int trace_prepare_command(struct trace *t)
{
	int r;

	if (!t->o->command)
		return 0;
	r = trace_words_split(&t->command_words, t->o->command);
	if (!r)
		r = command_prepare_traced(&t->command, t->command_words.p, NULL, tracer_child);
	if (r < 0) {
		log_error(r, "cannot prepare %s", t->o->command);
		return EXIT_FAILED;
	}
	return 0;
}

static const struct btf_view *kernel_types(void *ctx)
{
	struct world *w = ctx;

	return w ? w->ops->btf(w) : NULL;
}

static struct query_config query_config(struct trace *t)
{
	return (struct query_config){
		.child_pid = t->command.pid > 0 ? t->command.pid : 0,
		.cgroup_fd = t->cgroup_fd,
		.wants_stats = t->o->what == TRACE_EXPLAIN || t->o->run_benches,
		.verbose = t->o->verbose,
		.all_cpus = t->o->all_cpus,
		.btf = kernel_types,
		.btf_ctx = t->world,
		.helper = t->helper,
	};
}

/* --- while the script is compiled */

static void make_ring(void *ctx)
{
	struct trace *t = ctx;
	struct query_config config = query_config(t);

	query_prepare_kern(&t->q, &config, &t->query);
}

static void make_maps(void *ctx)
{
	struct trace *t = ctx;

	query_prepare_maps(t->query, t->early_maps, t->n_early_maps);
}

void trace_config_known(struct trace *t)
{
	helper_do(t->helper, make_ring, t);
}

void trace_maps_known(void *ctx, const struct question_map *maps, size_t n)
{
	struct trace *t = ctx;

	t->early_maps = maps;
	t->n_early_maps = n;
	helper_do(t->helper, make_maps, t);
}

/* What is run before anything is attached; where there is nothing to attach, all. */
static int await_own(struct trace *t)
{
	bool all = t->o->run_tests || t->o->run_benches;
	struct query_error e;
	int r = all ? query_await(t->query, UINT32_MAX, &e) : 0;

	for (size_t i = 0; r >= 0 && i < t->q.probes.n; i++)
		if (t->q.probes.p[i].attach == QATTACH_BEGIN)
			r = query_await(t->query, t->q.probes.p[i].prog, &e);
	return r < 0 ? say_query_error(t, r, &e) : 0;
}

int trace_load(struct trace *t)
{
	struct query_config config = query_config(t);
	struct query_error e = {.prog = UINT32_MAX, .probe = UINT32_MAX};
	struct answer_options options = trace_answer_options(t);
	int r;

	config.tracefs_fd = world_tracefs(t->world);
	config.prepared = t->query;
	t->query = NULL;
	r = t->is_embedded ? query_open_vm(&t->q, &config, &t->query, &e)
			   : query_open_kern(&t->q, &config, &t->query, &e);
	trace_say_diags(t);
	if (r >= 0 && config.child_pid)
		r = query_take_child(t->query, config.child_pid, &e);
	if (r < 0)
		return say_query_error(t, r, &e);
	trace_source_init(&t->source, &t->q, t->query, t->o);
	t->answer = answer_new(&t->q, &t->source.answers, &options);
	return await_own(t);
}

/* Returns the exit status; how many there are in *ret. */
int trace_attach(struct trace *t, unsigned int *ret)
{
	struct query_error e;
	int r;

	t->waits = t->o->command != NULL;
	for (size_t i = 0; i < t->q.probes.n; i++) {
		struct question_probe *p = &t->q.probes.p[i];

		if (t->command.pid > 0 && p->pid <= 0 && attach_has(p->attach, QA_COMMAND))
			p->pid = t->command.pid;
		t->waits |= !attach_has(p->attach, QA_ENDS);
		if (attach_has(p->attach, QA_OWN)) {
			*ret += p->counts_as;
			continue;
		}
		r = query_await(t->query, p->prog, &e);
		if (r < 0)
			return say_query_error(t, r, &e);
		e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
		r = query_attach(t->query, (uint32_t)i, &e);
		if (!r) {
			*ret += p->counts_as;
			continue;
		}
		if (!p->is_optional && t->q.config.missing_probes == MISSING_ERROR)
			return say_query_error(t, r, &e);
		if (t->q.config.missing_probes != MISSING_IGNORE)
			log_warning("%s", e.error.what);
	}
	return 0;
}

/* What nothing is attached to: end probes.  The exit status. */
int trace_load_rest(struct trace *t)
{
	struct query_error e;
	int r = query_await(t->query, UINT32_MAX, &e);

	return r < 0 ? say_query_error(t, r, &e) : 0;
}
