/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/output.h"
#include "agent/rules-run.h"
#include "agent/watch.h"
#include "base/log.h"
#include "base/macro.h"
#include "event/record.h"
#include "event/stream.h"
#include "out/out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

static int feed(void *ctx, const void *record, size_t n)
{
	return stream_feed(ctx, record, n);
}

static int say_not_readable(const char *file, int r)
{
	if (r == -EBADMSG)
		log_error(0, "%s is not a recording of skep watch --record", file);
	else if (r == -EPROTO)
		log_error(0,
			  "%s was recorded by another version of skep or on another kind of "
			  "machine",
			  file);
	else
		log_error(r, "%s", file);
	return EXIT_FAILED;
}

/* One replay. */
struct replay {
	const struct replay_options *o;
	struct recording_head head;
	struct output output;
	struct rules_run *rules; /* NULL: events alone */
	struct stream_config config;
	struct stream *stream;
};

static int start_rules(struct replay *r)
{
	const struct rules_run_config config = {
		.o = &r->o->rules,
		.colour = r->o->colour,
		.json = r->o->json,
		.quiet = r->o->quiet,
		.embedded = true,
		.count = r->o->events ? 0 : r->o->count,
		.events = r->o->events,
	};
	int status = rules_run_load(&config, &r->rules);

	if (status)
		return status;
	rules_run_begin(r->rules, NULL);
	r->config.on_event = rules_run_event;
	r->config.on_event_ctx = r->rules;
	r->config.shown = r->o->events;
	r->config.hide_everyday = false;
	if (!r->o->events) {
		output_mute(&r->output);
		r->config.sink = r->output.sink;
	}
	return 0;
}

static int start(struct replay *r)
{
	const struct replay_options *o = r->o;
	int err, status;

	err = output_open(&r->output, o->output, o->json, o->colour);
	if (err < 0) {
		log_error(err, "cannot write to %s", o->output);
		return EXIT_FAILED;
	}
	r->config = (struct stream_config){
		.shown = o->events ? o->events : r->head.shown,
		.hide_everyday = !o->events && (r->head.flags & RECORDING_HIDE_EVERYDAY),
		.boot_to_real_ns = r->head.boot_to_real_ns,
		.count = o->count,
		.sink = r->output.sink,
	};
	status = rules_are_given(&o->rules) ? start_rules(r) : 0;
	if (status)
		return status;
	r->stream = stream_new(&r->config);
	if (!r->rules)
		return 0;
	rules_run_stream(r->rules, r->stream, NULL, 0);
	return rules_run_outputs(r->rules, &r->output);
}

static int run(struct replay *r, int fd)
{
	int err = recording_read(fd, feed, r->stream), flushed, status = 0;

	flushed = r->output.sink->flush(r->output.sink);
	if (err >= 0)
		err = flushed;
	if (r->rules) {
		flushed = rules_run_finish(r->rules);
		status = rules_run_status(r->rules);
		if (err >= 0)
			err = flushed;
	}
	if (err == -EBADMSG) {
		log_error(0, "%s ends in a damaged record; all before it was shown", r->o->file);
		status = EXIT_FAILED;
	} else if (err < 0 && err != -EPIPE) {
		log_error(err, "cannot write");
		status = EXIT_FAILED;
	}
	if (r->rules && r->o->rules.stats)
		rules_run_say_stats(r->rules);
	if (r->rules && !r->o->quiet)
		rules_run_say_totals(r->rules);
	else if (!r->o->quiet)
		output_say_totals(r->stream, r->config.hide_everyday, false);
	return status;
}

int replay_run(const struct replay_options *o)
{
	_cleanup_close_ int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	struct replay r = {.o = o};
	int err, status;

	if (fd < 0)
		return say_not_readable(o->file, -errno);
	err = recording_read_head(fd, &r.head);
	if (err < 0)
		return say_not_readable(o->file, err);
	signal(SIGPIPE, SIG_IGN);
	status = start(&r);
	if (!status)
		status = run(&r, fd);
	rules_run_done(r.rules);
	stream_free(r.stream);
	output_close(&r.output);
	return status;
}
