/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/watch.h"

#include "agent/command.h"
#include "agent/output.h"
#include "agent/privilege.h"
#include "agent/rules-run.h"
#include "agent/scope.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/ident/live.h"
#include "event/record.h"
#include "event/stream.h"
#include "out/out.h"
#include "runtime/kern/features.h"
#include "runtime/runtime.h"
#include "runtime/vm/hook/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	RING_KB = 4096,
	POLL_FIRST_MS = 5, /* while somebody waits for the first line */
	POLL_MS = 50,
	FIRST_NS = 300 * 1000 * 1000,
};

/* One run. */
struct watch {
	const struct watch_options *o;
	struct watch_scope scope;
	struct command command;
	struct runtime *runtime;
	struct live *live;
	struct resolver resolver;
	struct recorder *recorder;
	struct output output;
	struct stream *stream;
	struct rules_run *rules; /* NULL: events alone */
	int reloaded, reported;	 /* how many of these requests were met */
	uint64_t shown;		 /* bit mask of kinds */
	bool hides_everyday;
	bool is_embedded; /* skep traces the command itself */
	bool has_terminal;
	bool has_enough; /* as many lines as were asked for */
	int error;	 /* of the sink or the recorder; -errno */
};

static volatile sig_atomic_t stops; /* how often somebody asked to stop */
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t reloads, reports; /* with rules: SIGHUP, SIGUSR1 */

static void on_signal(int sig)
{
	stops++;
	stop_signal = sig;
}

static void on_reload(int sig)
{
	(void)sig;
	reloads++;
}

static void on_report(int sig)
{
	(void)sig;
	reports++;
}

static void on_child(int sig)
{
	(void)sig; /* only to end the wait */
}

static void catch_signals(bool has_rules)
{
	struct sigaction stop = {.sa_handler = on_signal}, child = {.sa_handler = on_child};
	struct sigaction reload = {.sa_handler = on_reload}, report = {.sa_handler = on_report};
	struct sigaction before;

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (has_rules)
		sigaction(SIGUSR1, &report, NULL);
	if (has_rules)
		sigaction(SIGHUP, &reload, NULL);
	else if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
		sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGCHLD, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The kernel's own words, for -v. */
static void say_log(const struct runtime_error *e)
{
	size_t n = strlen(e->log);

	while (n && e->log[n - 1] == '\n')
		n--;
	if (n)
		log_debug("%.*s", (int)n, e->log);
}

static int say_runtime_error(int r, const struct runtime_error *e)
{
	log_error(r == -EPERM || r == -ENOTSUP ? 0 : r, "%s", e->what);
	if (e->hint[0])
		log_hint("%s", e->hint);
	say_log(e);
	return r == -EPERM || r == -ENOTSUP ? EXIT_CANNOT_HERE : EXIT_FAILED;
}

/* Over a command or a process reads are shown, but not what every program does first. */
static void choose_view(struct watch *w)
{
	w->shown = w->o->events ? w->o->events : events_in_view(VIEW_SHOWN);
	if (rules_are_given(&w->o->rules)) {
		w->shown = w->o->events; /* events are off unless they are asked for */
		return;
	}
	if (!w->o->events && (w->o->command || w->o->pid)) {
		w->shown |= KIND_BIT(EV_OPEN);
		w->hides_everyday = true;
	}
}

static int open_outputs(struct watch *w)
{
	struct recording_head head = {
		.boot_to_real_ns = clock_boot_to_real_ns(),
		.shown = w->shown,
		.flags = w->hides_everyday ? RECORDING_HIDE_EVERYDAY : 0,
	};
	struct stream_config config = {
		.shown = w->shown,
		.hide_everyday = w->hides_everyday,
		.show_secrets = w->o->show_secrets,
		.boot_to_real_ns = head.boot_to_real_ns,
		.count = w->o->count,
	};
	int r;

	r = output_open(&w->output, w->o->output, w->o->json, w->o->colour);
	if (r < 0) {
		log_error(r, "cannot write to %s", w->o->output);
		return EXIT_FAILED;
	}
	if (w->rules && !w->shown)
		output_mute(&w->output);
	if (w->o->record) {
		r = recorder_open(w->o->record, &head, &w->recorder);
		if (r < 0) {
			log_error(r, "cannot record to %s", w->o->record);
			return EXIT_FAILED;
		}
	}
	w->live = live_new(w->scope.mount[0] ? w->scope.mount : NULL);
	live_resolver(w->live, &w->resolver);
	config.resolver = &w->resolver;
	config.recorder = w->recorder;
	config.sink = w->output.sink;
	if (w->rules) {
		config.on_event = rules_run_event;
		config.on_event_ctx = w->rules;
	}
	w->stream = stream_new(&config);
	if (!w->rules)
		return 0;
	rules_run_stream(w->rules, w->stream, w->live, w->command.pid);
	return rules_run_outputs(w->rules, &w->output);
}

static int start_command(struct watch *w)
{
	const char *mount = w->scope.mount[0] && !w->is_embedded ? w->scope.mount : NULL;
	int r;

	r = command_prepare_traced(&w->command, w->o->command, mount, tracer_child);
	if (r < 0 && mount) { /* no cgroup of our own: follow the command's processes instead */
		log_debug("no cgroup for the command: %s", strerror(-r));
		r = command_prepare_traced(&w->command, w->o->command, NULL, tracer_child);
	}
	if (r < 0) {
		log_error(r, "cannot prepare %s", w->o->command[0]);
		return EXIT_FAILED;
	}
	if (w->command.folder[0]) {
		w->scope.cgroup_fd = open(w->command.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (w->scope.cgroup_fd < 0) {
			log_error(-errno, "%s", w->command.folder);
			return EXIT_FAILED;
		}
	}
	return 0;
}

/*
 * Something was refused: is it something that we can do without?  Takes away the events
 * that the features of this kernel and these privileges do not allow, and says so.
 */
static bool do_with_less(struct runtime_config *config, const struct runtime_error *e)
{
	struct feature_result results[FEATURE_END];
	size_t n = features_probe(results, FEATURE_END);
	uint64_t missing = features_missing_events(results, n) & config->events;
	struct buf names = {0};

	if (!missing || !(config->events & ~missing & ~KIND_BIT(EV_LOST)))
		return false;
	say_log(e);
	for (unsigned int k = 1; k < EV_END; k++)
		if (missing & KIND_BIT(k))
			buf_printf(&names, "%s%s", names.n ? ", " : "", event_get(k)->name);
	log_warning("not seen here: %s; `skep info` says why", names.p);
	buf_done(&names);
	config->events &= ~missing;
	return true;
}

/* Nobody wants more: the reader is gone, has enough, or has lost patience. */
static bool is_cut_short(const struct watch *w)
{
	return w->error < 0 || w->has_enough || stops > 1 ||
	       (w->rules && w->stream && rules_run_has_enough(w->rules));
}

static int feed(void *ctx, const void *record, size_t n)
{
	struct watch *w = ctx;
	int r = stream_feed(w->stream, record, n);

	if (r < 0)
		w->error = r;
	if (r > 0)
		w->has_enough = true;
	return is_cut_short(w) ? -ECANCELED : 0;
}

/* The kernel's, unless that may not be, or is not wanted. */
static void choose_runtime(struct watch *w)
{
	int r;

	w->is_embedded = w->o->runtime == RUNTIME_EMBEDDED;
	if (w->o->runtime != RUNTIME_AUTO || !w->o->command)
		return;
	r = runtime_kernel_refuses();
	w->is_embedded = r < 0;
	if (r < 0 && !w->o->quiet)
		log_note("%s: skep traces the command's system calls itself", runtime_refusal(r));
}

static void say_blind(const struct watch *w)
{
	struct buf names = {0};
	const char *more;
	uint64_t blind = runtime_vm_blind(w->shown, &more);

	for (unsigned int k = 1; k < EV_END; k++)
		if (blind & KIND_BIT(k))
			buf_printf(&names, "%s, ", event_get(k)->name);
	log_note("not seen so: %s%s", names.n ? names.p : "", more);
	buf_done(&names);
}

static int open_embedded(struct watch *w, const struct runtime_config *config)
{
	struct runtime_error e = {0};
	int r;

	if (!w->o->command) {
		log_error(0, "without privileges only a command can be watched");
		log_hint("skep watch -- COMMAND");
		return EXIT_CANNOT_HERE;
	}
	r = runtime_open_vm(config, &w->runtime, &e);
	if (r >= 0 && w->rules)
		rules_run_begin(w->rules, w->runtime);
	if (r >= 0)
		r = runtime_take_child(w->runtime, w->command.pid, &e);
	if (r >= 0 && !w->o->quiet)
		say_blind(w);
	return r < 0 ? say_runtime_error(r, &e) : 0;
}

/* Served, the command gets as far as its program; 0 or -errno of that. */
static int go(struct watch *w)
{
	int r;

	if (!runtime_keeps_child(w->runtime))
		return command_go(&w->command);
	r = command_send(&w->command, runtime_orders(w->runtime));
	while (r >= 0 || r == -EAGAIN) {
		r = command_started(&w->command);
		if (r != -EAGAIN)
			return r;
		runtime_poll(w->runtime, POLL_FIRST_MS, feed, w);
	}
	return r;
}

static bool command_has_ended(struct watch *w)
{
	if (!runtime_keeps_child(w->runtime))
		return command_poll(&w->command);
	if (!w->command.has_ended)
		w->command.has_ended = runtime_child_ended(w->runtime, &w->command.status);
	return w->command.has_ended;
}

static int open_runtime(struct watch *w)
{
	bool by_tree = w->o->pid || (w->o->command && !w->command.folder[0]);
	struct runtime_config config = {
		.events = w->shown,
		.cgroup_fd = w->scope.cgroup_fd,
		.cgroup_root = w->scope.mount[0] ? w->scope.mount : NULL,
		.follow = by_tree,
		.seeds = !w->o->command,
		.comm = w->o->comm,
		.by_user = w->scope.by_user,
		.uid = w->scope.uid,
		.no_failed = w->o->no_failed,
		.ring_kb = w->o->ring_kb ? w->o->ring_kb : RING_KB,
		.all_cpus = w->o->all_cpus,
	};
	struct runtime_error e = {0};
	int r, status;

	if (w->rules)
		rules_run_wants(w->rules, &config);
	if (w->is_embedded)
		return open_embedded(w, &config);
	status = by_tree ? watch_scope_check_pids() : 0;
	if (status)
		return status;
	r = runtime_open_kern(&config, &w->runtime, &e);
	if (r < 0 && do_with_less(&config, &e))
		r = runtime_open_kern(&config, &w->runtime, &e);
	if (r < 0)
		return say_runtime_error(r, &e);
	if (w->rules)
		rules_run_begin(w->rules, w->runtime);
	r = runtime_start(w->runtime, &e);
	if (r < 0)
		return say_runtime_error(r, &e);
	/* not before: what forks while we look would be missed */
	if (by_tree)
		r = watch_follow_tree(w->runtime, w->o->pid ? w->o->pid : (uint32_t)w->command.pid);
	if (r < 0) {
		log_error(r, "cannot follow the process");
		return EXIT_FAILED;
	}
	return 0;
}

/* Processes that were there before: those in scope are put on record. */
static int feed_seed(void *ctx, const void *record, size_t n)
{
	const struct wire_proc *p = record;
	struct watch *w = ctx;
	struct buf rec = {0};
	const char *path;

	if (p->head.pid == (uint32_t)getpid())
		return 0;
	path = live_cgroup_path(w->live, p->head.cgroup);
	if (!watch_scope_has(&w->scope, w->o, p, path))
		return 0;
	buf_add(&rec, record, n);
	live_add_args(w->live, &rec);
	stream_feed(w->stream, rec.p, rec.n);
	buf_done(&rec);
	return 1;
}

static bool is_over(struct watch *w, uint64_t end_ns)
{
	if (w->o->command && command_has_ended(w))
		return true;
	if (is_cut_short(w) || (end_ns && clock_mono_ns() >= end_ns))
		return true;
	/* a command decides itself what the first Ctrl-C or SIGTERM means, and gets both */
	return stops && (!w->o->command || stop_signal == SIGHUP);
}

/* Between two polls: what was found is written, and rules have their own business. */
static void between(struct watch *w, bool is_empty)
{
	if (w->error >= 0)
		w->error = w->output.sink->flush(w->output.sink);
	if (!w->rules)
		return;
	if (w->error >= 0)
		w->error = rules_run_tick(w->rules, is_empty);
	if (reloads > w->reloaded) {
		w->reloaded = reloads;
		if (w->has_terminal && !isatty(STDERR_FILENO))
			on_signal(SIGHUP); /* it hung up */
		else
			rules_run_reload(w->rules);
	}
	if (reports > w->reported) {
		w->reported = reports;
		rules_run_say_stats(w->rules);
	}
}

static void run(struct watch *w)
{
	uint64_t start = clock_mono_ns(), end = w->o->for_ns ? start + w->o->for_ns : 0;
	int passed_on = 0;

	while (!is_over(w, end)) {
		int timeout = clock_mono_ns() - start < FIRST_NS ? POLL_FIRST_MS : POLL_MS;

		between(w, runtime_poll(w->runtime, timeout, feed, w) == 0);
		if (stops > passed_on && stop_signal == SIGTERM) {
			command_signal(&w->command, SIGTERM);
			passed_on = stops;
		}
	}
}

/* Detach, then take in what is still in the ring, until the numbers agree. */
static void finish(struct watch *w)
{
	struct wire_count count = {0};
	struct stream_totals totals;
	uint64_t sent, lost;

	runtime_stop(w->runtime);
	for (int i = 0; i < 50; i++) {
		if (!is_cut_short(w))
			runtime_poll(w->runtime, i ? 2 : 0, feed, w);
		runtime_counts(w->runtime, &count);
		stream_totals(w->stream, &totals);
		sent = lost = 0;
		for (int k = 1; k < 64; k++) {
			sent += count.sent[k];
			lost += count.lost[k];
		}
		if (is_cut_short(w) || sent == totals.shown + totals.filtered + lost)
			break;
	}
	if (w->error >= 0)
		w->error = stream_finish(w->stream, &count);
	if (w->error >= 0 && w->rules)
		w->error = rules_run_finish(w->rules);
	if (w->error >= 0)
		w->error = w->output.sink->flush(w->output.sink);
}

static int exit_status(struct watch *w)
{
	int r;

	if (w->recorder) {
		r = recorder_close(w->recorder);
		w->recorder = NULL;
		if (w->error >= 0 && r < 0)
			w->error = r;
	}
	if (w->error < 0 && w->error != -EPIPE) {
		log_error(w->error, "cannot write");
		return EXIT_FAILED;
	}
	if (w->rules && rules_run_status(w->rules))
		return rules_run_status(w->rules);
	if (w->command.has_ended)
		return WIFEXITED(w->command.status) ? WEXITSTATUS(w->command.status)
						    : 128 + WTERMSIG(w->command.status);
	return 0;
}

static int load_rules(struct watch *w)
{
	const struct rules_run_config config = {
		.o = &w->o->rules,
		.colour = w->o->colour,
		.json = w->o->json,
		.quiet = w->o->quiet,
		.embedded = w->is_embedded,
		.may_grow = !w->o->command,
		.count = w->shown ? 0 : w->o->count, /* beside events, those are counted */
		.events = w->shown,
	};

	return rules_run_load(&config, &w->rules);
}

static int start_all(struct watch *w)
{
	int status, r;

	status = watch_scope_init(&w->scope, w->o);
	if (status)
		return status;
	choose_runtime(w);
	if (rules_are_given(&w->o->rules)) {
		status = load_rules(w);
		if (status)
			return status;
	}
	if (w->o->command) {
		status = start_command(w);
		if (status)
			return status;
	}
	status = open_runtime(w);
	if (!status)
		status = open_outputs(w);
	if (status)
		return status;
	if (!w->o->command) {
		r = runtime_seed(w->runtime, feed_seed, w);
		if (r < 0)
			log_warning("processes that are older than skep are known from /proc only: "
				    "%s",
				    strerror(-r));
	}
	r = privilege_drop(w->rules ? PRIVILEGE_RULES : PRIVILEGE_WATCH);
	if (r < 0)
		log_warning("cannot drop privileges: %s", strerror(-r));
	if (w->o->command) {
		r = go(w);
		if (r < 0) {
			log_error(r, "cannot run %s", w->o->command[0]);
			return r == -ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_EXEC;
		}
	}
	return 0;
}

static void say_totals(struct watch *w)
{
	if (w->rules && w->o->rules.stats)
		rules_run_say_stats(w->rules);
	if (w->o->quiet)
		return;
	if (w->rules)
		rules_run_say_totals(w->rules);
	if (w->shown)
		output_say_totals(w->stream, w->hides_everyday, !w->o->events);
}

int watch_run(const struct watch_options *o)
{
	struct watch w = {.o = o, .command = COMMAND_NONE, .scope.cgroup_fd = -1};
	int status;

	if (o->verbose)
		log_set_level(LOG_DEBUG);
	w.has_terminal = isatty(STDERR_FILENO);
	choose_view(&w);
	catch_signals(rules_are_given(&o->rules));
	status = start_all(&w);
	if (!status) {
		if (!o->command && !o->quiet && !w.rules && isatty(STDERR_FILENO))
			output_say_view(w.shown, w.hides_everyday);
		run(&w);
		finish(&w);
		status = exit_status(&w);
		say_totals(&w);
	}
	if (!o->quiet)
		runtime_say_left(runtime_left(w.runtime));
	runtime_close(w.runtime);
	rules_run_done(w.rules);
	command_done(&w.command);
	stream_free(w.stream);
	live_free(w.live);
	recorder_close(w.recorder);
	output_close(&w.output);
	watch_scope_done(&w.scope);
	return status;
}
