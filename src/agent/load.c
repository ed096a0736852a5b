/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a compiled object: open, load, attach, show, detach, show its maps.
 *
 * An object that --emit wrote is a question (agent/emit.h) and runs as its script would.
 * Any other is loaded as it is (runtime/foreign.h).  A command (-c) is forked first and
 * executes when all is attached.
 */
#include "agent/load.h"

#include "agent/cgroupfs.h"
#include "agent/command.h"
#include "agent/emit.h"
#include "agent/file.h"
#include "agent/load-out.h"
#include "agent/load-pipe.h"
#include "agent/trace-words.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLL_MS = 20, FILE_BYTES = 64 << 20, COMMAND_REST_MS = 20 };

static volatile sig_atomic_t stops;

struct load {
	const struct load_options *o;
	struct foreign *object;
	struct foreign_config config;
	struct load_out out;
	struct load_pipe pipe;
	struct command command;
	struct trace_words words;
	size_t n_attached;
};

static void on_stop(int sig)
{
	(void)sig;
	stops++;
}

static void on_child(int sig)
{
	(void)sig; /* only to end the wait */
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART},
			 child = {.sa_handler = on_child, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGCHLD, &child, NULL);
}

static int say_error(struct load *l, int r, const struct runtime_error *e)
{
	bool is_about_here = r == -EPERM || r == -ENOTSUP || r == -ENOENT;

	log_error(0, "%s: %s", l->o->file, e->what);
	if (e->hint[0])
		log_hint("%s", e->hint);
	if (e->log[0] && l->o->verbose)
		fprintf(stderr, "%s%s", e->log, e->log[strlen(e->log) - 1] == '\n' ? "" : "\n");
	return is_about_here ? EXIT_CANNOT_HERE : EXIT_FAILED;
}

/* --- before it runs */

static int choose(struct load *l)
{
	if (l->o->progs && !foreign_choose(l->object, l->o->progs)) {
		log_error(0, "%s has no program %s", l->o->file, l->o->progs);
		log_hint("skep load --list %s shows them", l->o->file);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < foreign_progs(l->object); i++)
		if (foreign_prog(l->object, i)->is_wanted)
			return 0;
	log_error(0, "%s has no programs", l->o->file);
	return EXIT_FAILED;
}

static int find_places(struct load *l)
{
	char mount[CGROUP_PATH_MAX] = "", folder[CGROUP_PATH_MAX];
	int r = 0;

	l->config = (struct foreign_config){.cgroup_fd = -1};
	if (l->o->iface) {
		l->config.ifindex = if_nametoindex(l->o->iface);
		if (!l->config.ifindex) {
			log_error(0, "there is no network interface %s", l->o->iface);
			return EXIT_FAILED;
		}
	}
	if (!l->o->cgroup)
		return 0;
	cgroupfs_mount(mount, sizeof(mount));
	r = cgroupfs_find(mount, l->o->cgroup, folder, sizeof(folder));
	if (!r) {
		l->config.cgroup_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = l->config.cgroup_fd < 0 ? -errno : 0;
	}
	if (r < 0)
		log_error(r, "there is no cgroup %s", l->o->cgroup);
	return r < 0 ? EXIT_FAILED : 0;
}

static int prepare_command(struct load *l)
{
	int r;

	if (!l->o->command)
		return 0;
	r = trace_words_split(&l->words, l->o->command);
	if (!r)
		r = command_prepare(&l->command, l->words.p, NULL);
	if (r < 0)
		log_error(r, "cannot prepare %s", l->o->command);
	return r < 0 ? EXIT_FAILED : 0;
}

/* Text that cannot be shown is a loss, not the end: records and maps still can. */
static void open_pipe(struct load *l)
{
	int r;

	if (!foreign_prints(l->object))
		return;
	r = load_pipe_open(&l->pipe);
	if (r >= 0)
		return;
	log_warning("what it says by bpf_printk cannot be shown: %s",
		    r == -EBUSY ? "another program reads trace_pipe"
				: "there is no trace_pipe here");
	log_hint("it needs CONFIG_FTRACE=y and root: mount -t tracefs tracefs /sys/kernel/tracing");
}

/* Programs that cannot be attached are left out, unless there is no other. */
static int attach(struct load *l)
{
	struct runtime_error e;
	int r, status = 0;

	for (size_t i = 0; i < foreign_progs(l->object); i++) {
		if (!foreign_prog(l->object, i)->is_wanted)
			continue;
		r = foreign_attach(l->object, i, &l->config, &e);
		l->n_attached += r >= 0;
		if (r < 0)
			status = say_error(l, r, &e);
	}
	return l->n_attached ? 0 : status;
}

static int start(struct load *l)
{
	struct runtime_error e = {0};
	int r, status = choose(l);

	if (!status)
		status = find_places(l);
	if (!status)
		status = prepare_command(l);
	if (status)
		return status;
	r = foreign_load(l->object, &e);
	if (r < 0)
		return say_error(l, r, &e);
	r = foreign_listen(l->object, load_out_record, &l->out, &e);
	if (r < 0)
		return say_error(l, r, &e);
	open_pipe(l);
	catch_signals();
	status = attach(l);
	if (status)
		return status;
	load_out_attached(&l->out, l->n_attached);
	if (!l->o->command)
		return 0;
	r = command_go(&l->command);
	if (r < 0) {
		log_error(r, "cannot run %s", l->o->command);
		return r == -ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_EXEC;
	}
	return 0;
}

/* --- while it runs */

static void show_iterators(struct load *l)
{
	struct buf text = {0};

	for (size_t i = 0; i < foreign_progs(l->object); i++)
		foreign_iterate(l->object, i, &text);
	load_out_text(&l->out, buf_str(&text));
	buf_done(&text);
}

static bool is_over(struct load *l, uint64_t end)
{
	if (l->o->command && command_poll(&l->command))
		return true;
	return stops || (end && clock_mono_ns() >= end);
}

static void poll_once(struct load *l, int timeout_ms)
{
	foreign_poll(l->object, timeout_ms);
	load_pipe_read(&l->pipe, load_out_printk, &l->out);
	load_out_flush(&l->out);
}

static void run(struct load *l)
{
	uint64_t end = l->o->for_ns ? clock_mono_ns() + l->o->for_ns : 0;

	show_iterators(l);
	while (!is_over(l, end))
		poll_once(l, POLL_MS);
	foreign_detach(l->object);
	poll_once(l, 0);
	for (size_t i = 0; i < foreign_maps(l->object); i++)
		load_out_map(&l->out, i);
	load_out_flush(&l->out);
	if (l->command.pid > 0 && !l->command.has_ended)
		command_signal(&l->command, SIGTERM);
}

/* --- */

/* "/tmp/say.bpf.o": "say". */
static char *object_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	return xstrndup(path, strcspn(path, "."));
}

static int load_object(const struct load_options *o, struct str bytes)
{
	struct load l = {
		.o = o,
		.command = COMMAND_NONE,
		.config = {.cgroup_fd = -1},
		.pipe = {.tracefs = {.root = -1}, .fd = -1},
	};
	struct runtime_error e = {0};
	_cleanup_free_ char *name = object_name(o->file);
	int r = foreign_open(bytes, name, &l.object, &e), status;

	if (r < 0)
		return say_error(&l, r, &e);
	status = load_out_open(&l.out, l.object, o);
	if (!status && o->list)
		load_out_list(&l.out);
	else if (!status)
		status = start(&l);
	if (!status && !o->list)
		run(&l);
	load_pipe_close(&l.pipe);
	foreign_close(l.object);
	load_out_close(&l.out);
	command_done(&l.command);
	trace_words_done(&l.words);
	if (l.config.cgroup_fd >= 0)
		close(l.config.cgroup_fd);
	return status;
}

static int load_question(const struct load_options *o, struct str question)
{
	const struct trace_options t = {
		.file = o->file,
		.object = question,
		.command = o->command,
		.for_ns = o->for_ns,
		.output = o->output,
		.json = o->json,
		.quiet = o->quiet,
		.verbose = o->verbose,
		.unsafe = o->unsafe,
		.colour = o->colour,
		.probe_filter = o->progs,
		.what = o->list ? TRACE_EXPLAIN : TRACE_RUN,
	};

	return trace_run(&t);
}

int load_run(const struct load_options *o)
{
	_cleanup_buf_ struct buf file = {0};
	struct str question;
	int r = file_read_all(o->file, FILE_BYTES, &file);

	if (r < 0) {
		log_error(r, "cannot read %s", o->file);
		return EXIT_FAILED;
	}
	question = emit_find(buf_str(&file));
	return question.p ? load_question(o, question) : load_object(o, buf_str(&file));
}
