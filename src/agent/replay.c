/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/output.h"
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

int replay_run(const struct replay_options *o)
{
	_cleanup_close_ int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	struct recording_head head;
	struct output output = {0};
	struct stream_config config;
	struct stream *stream;
	int r, flushed, status = 0;

	if (fd < 0)
		return say_not_readable(o->file, -errno);
	r = recording_read_head(fd, &head);
	if (r < 0)
		return say_not_readable(o->file, r);
	signal(SIGPIPE, SIG_IGN);
	r = output_open(&output, o->output, o->json, o->colour);
	if (r < 0) {
		log_error(r, "cannot write to %s", o->output);
		return EXIT_FAILED;
	}
	config = (struct stream_config){
		.shown = o->events ? o->events : head.shown,
		.hide_everyday = !o->events && (head.flags & RECORDING_HIDE_EVERYDAY),
		.boot_to_real_ns = head.boot_to_real_ns,
		.count = o->count,
		.sink = output.sink,
	};
	stream = stream_new(&config);
	r = recording_read(fd, feed, stream);
	flushed = output.sink->flush(output.sink);
	if (r >= 0)
		r = flushed;
	if (r == -EBADMSG) {
		log_error(0, "%s ends in a damaged record; all before it was shown", o->file);
		status = EXIT_FAILED;
	} else if (r < 0 && r != -EPIPE) {
		log_error(r, "cannot write");
		status = EXIT_FAILED;
	}
	if (!o->quiet)
		output_say_totals(stream, config.hide_everyday, false);
	stream_free(stream);
	output_close(&output);
	return status;
}
