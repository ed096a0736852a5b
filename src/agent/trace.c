/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a script: compile, load, begin, attach, answer, detach, end.
 *
 * Order matters in two places.  begin probes run before anything is attached; their
 * records wait in the ring until "Attached N probes" was said.  A command (-c) is forked
 * first, while there is little to copy, so that its pid is known to the script, but it executes
 * only when all probes are attached.
 */
#include "agent/trace-internal.h"

#include "agent/emit.h"
#include "agent/privilege.h"
#include "agent/world.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parallel.h"
#include "compile/gen/gen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_MS = 20 };

static volatile sig_atomic_t stops;
static volatile sig_atomic_t self_signals[65]; /* pending self:signal probes, by number */

static void on_stop(int sig)
{
	(void)sig;
	stops++;
}

static void on_child(int sig)
{
	(void)sig; /* only to end the wait */
}

static void on_self(int sig)
{
	self_signals[sig]++;
}

static void catch_signals(const struct question *q)
{
	struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART},
			 child = {.sa_handler = on_child, .sa_flags = SA_RESTART};
	struct sigaction self = {.sa_handler = on_self, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGCHLD, &child, NULL);
	for (size_t i = 0; i < q->probes.n; i++) {
		const struct question_probe *p = &q->probes.p[i];

		if (p->attach == QATTACH_SELF && p->number < ELEMENTS(self_signals))
			sigaction((int)p->number, &self, NULL);
	}
}

struct answer_options trace_answer_options(const struct trace *t)
{
	return (struct answer_options){
		.format = t->o->json ? ANSWER_JSON : ANSWER_TEXT,
		.out = t->out,
		.err = stderr,
		.colour = trace_wants_colour(t->o),
		.is_verbose_errors = t->o->helper_errors,
		.is_safe = !t->o->unsafe,
		.no_warnings = t->o->no_warnings,
	};
}

/* --- records */

static int feed(void *ctx, const struct wire_answer *record, size_t n)
{
	struct trace *t = ctx;
	int r;

	if (t->has_exited)
		return 0;
	r = answer_record(t->answer, record, n);
	if (r < 0)
		t->error = r;
	t->has_exited |= r > 0;
	return r < 0 ? r : 0;
}

void trace_poll(struct trace *t, int timeout_ms)
{
	query_poll(t->query, timeout_ms, feed, t);
}

void trace_drain(struct trace *t)
{
	while (!t->error && query_poll(t->query, 0, feed, t) > 0)
		;
}

/* What they say stays in the ring until somebody drains it. */
static int run_probes(struct trace *t, enum question_attach which)
{
	for (size_t i = 0; i < t->q.probes.n; i++) {
		uint32_t result;
		uint64_t ns;
		int r;

		if (t->q.probes.p[i].attach != which || t->has_exited)
			continue;
		r = query_run(t->query, (uint32_t)i, 1, &result, &ns);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- run */

static void run_self(struct trace *t)
{
	for (size_t number = 1; number < ELEMENTS(self_signals); number++) {
		if (!self_signals[number])
			continue;
		self_signals[number] = 0; /* two at once are one, as with signals */
		for (size_t i = 0; i < t->q.probes.n; i++) {
			const struct question_probe *p = &t->q.probes.p[i];
			uint32_t result;
			uint64_t ns;

			if (p->attach == QATTACH_SELF && p->number == number)
				query_run(t->query, (uint32_t)i, 1, &result, &ns);
		}
	}
}

static bool is_over(struct trace *t, uint64_t end_ns)
{
	if (t->o->command && trace_command_ended(t))
		return true;
	if (t->o->pid && kill((pid_t)t->o->pid, 0) < 0 && errno == ESRCH)
		return true;
	return stops || t->has_exited || (!t->waits && !query_iterates(t->query)) || t->error ||
	       (end_ns && clock_mono_ns() >= end_ns);
}

static void run(struct trace *t)
{
	uint64_t end = t->o->for_ns ? clock_mono_ns() + t->o->for_ns : 0;

	while (!is_over(t, end)) {
		query_poll(t->query, POLL_MS, feed, t);
		run_self(t);
		fflush(t->out);
	}
	trace_drain(t);
	fflush(t->out); /* detaching may take long */
}

/* Detached first: nothing moves while the end probes look at the maps. */
static int finish(struct trace *t)
{
	query_detach(t->query);
	trace_drain(t);
	t->has_exited = false;
	run_probes(t, QATTACH_END);
	trace_drain(t);
	if (t->q.config.print_maps_on_exit)
		answer_maps(t->answer);
	answer_losses(t->answer);
	fflush(t->out);
	if (t->command.pid > 0 && !t->command.has_ended)
		command_signal(&t->command, SIGTERM);
	return answer_exit_code(t->answer);
}

static void say_attached(struct trace *t, unsigned int n)
{
	if (!t->o->quiet)
		answer_attached(t->answer, n);
	/* For test engines: who waits for this line starts the workload then. */
	if (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED"))
		fputs("__BPFTRACE_NOTIFY_PROBES_ATTACHED\n", stdout);
	fflush(t->out);
	fflush(stdout);
}

/* With --unsafe, system() runs whatever the script says: with what skep was given. */
static void drop_privileges(const struct trace *t)
{
	int r = t->o->unsafe ? 0 : privilege_drop(PRIVILEGE_TRACE);

	if (r < 0 && t->o->verbose)
		log_warning("cannot drop privileges: %s", strerror(-r));
}

/* `skep explain` with an end in sight runs the program, too. */
static bool measures(const struct trace *t)
{
	return t->o->what == TRACE_EXPLAIN && (t->o->command || t->o->for_ns);
}

/* -l with a program: the probes that it has. */
static int list_probes(const struct trace *t)
{
	for (size_t i = 0; i < t->q.probes.n; i++)
		fprintf(t->out, "%s\n", t->q.probes.p[i].name);
	return 0;
}

/* The question; and what it is asked of, if it is to run. */
static int prepare(struct trace *t)
{
	int status = 0;

	t->runs = (t->o->what == TRACE_RUN && !t->o->wants_list && !t->o->emit) || measures(t);
	if (t->runs)
		status = trace_open_cgroup(t);
	if (t->runs && !status)
		status = trace_prepare_command(t);
	if (status)
		return status;
	return t->o->object.p ? trace_open_object(t) : trace_compile(t);
}

static int trace(struct trace *t)
{
	int status = prepare(t), r;
	unsigned int n = 0;

	if (!status && t->o->wants_list)
		return list_probes(t);
	if (!status && t->o->what == TRACE_EXPLAIN)
		trace_explain(t);
	if (!status && t->o->emit)
		return emit_object(&t->q, t->o->emit, t->o->no_source);
	if (status || !t->runs)
		return status;
	status = trace_filter(t);
	if (!status)
		status = trace_load(t);
	if (status)
		return status;
	catch_signals(&t->q);
	r = run_probes(t, QATTACH_BEGIN);
	if (r < 0) {
		log_error(r, "cannot run begin");
		return EXIT_FAILED;
	}
	if (t->o->run_tests)
		return trace_run_tests(t);
	if (t->o->run_benches)
		return trace_run_benches(t);
	status = trace_attach(t, &n);
	if (status)
		return status;
	say_attached(t, n);
	if (!t->o->dry_run) {
		trace_poll(t, 0); /* what begin said; starting the command takes a while */
		fflush(t->out);
	}
	status = trace_load_rest(t);
	if (status || t->o->dry_run)
		return status;
	if (t->o->command) {
		r = trace_go(t);
		if (r < 0) {
			log_error(r, "cannot run %s", t->o->command);
			return r == -ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_EXEC;
		}
	}
	helper_end(t->helper); /* it has our privileges */
	t->helper = NULL;
	drop_privileges(t);
	run(t);
	status = finish(t);
	if (measures(t))
		trace_explain_run(t);
	return status;
}

static int open_output(struct trace *t)
{
	int fd;

	if (!t->o->output) {
		t->out = stdout;
	} else {
		fd = open(t->o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		t->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!t->out) {
			log_error(-errno, "cannot write to %s", t->o->output);
			return EXIT_FAILED;
		}
	}
	if (t->o->buffer == BUFFER_NONE)
		setvbuf(t->out, NULL, _IONBF, 0);
	return 0;
}

int trace_run(const struct trace_options *o)
{
	struct trace t = {.o = o, .command = COMMAND_NONE};
	int status;

	if (o->as_bpftrace)
		log_set_bpftrace();
	if (o->verbose)
		log_set_level(LOG_DEBUG);
	if (o->wants_list && !o->text && !o->file)
		return trace_list(o);
	question_init(&t.q);
	status = open_output(&t);
	if (!status)
		status = trace(&t);
	if (status && t.may_hint && t.o->what == TRACE_RUN)
		log_hint("without privileges a command can be traced: -c COMMAND");
	helper_end(t.helper);
	if (!o->quiet)
		runtime_say_left(query_left(t.query));
	answer_free(t.answer);
	trace_source_done(&t.source);
	query_close(t.query);
	command_done(&t.command);
	if (t.cgroup_fd > 0)
		close(t.cgroup_fd);
	trace_words_done(&t.params);
	trace_words_done(&t.command_words);
	rt_library_close(t.rt);
	question_done(&t.q);
	if (!o->world)
		world_free(t.world);
	buf_done(&t.text);
	if (t.out && t.out != stdout)
		fclose(t.out);
	return status;
}

int trace_check_files(const struct trace_options *o, char **files)
{
	struct trace_options one = *o;
	int status = 0;

	one.world = world_kern_new(NULL);
	for (; *files; files++) {
		one.file = *files;
		if (trace_run(&one))
			status = EXIT_FAILED;
	}
	world_kern_free(one.world);
	return status;
}
