/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to standard output and to files.
 *
 * Only standard output ends the run when its reader has gone; a file that can't be written
 * to loses alerts, which are counted.  A file is opened again when somebody moved it away,
 * as log rotation does, without being told.
 */
#include "out/alert-queue.h"
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_NS NS_PER_S /* how often it is looked whether the file is still there */

struct file {
	struct alert_sink sink;
	struct alert_form form;
	int fd;		     /* owned; -1: not open */
	char *path;	     /* owned; NULL: a descriptor of others */
	struct sink *events; /* borrowed */
	struct alert_queue queue;
	struct buf line;
	uint64_t looked_ns;
};

static int file_open(const char *path)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	return fd < 0 ? -errno : fd;
}

static void file_reopen(struct alert_sink *sink)
{
	struct file *f = (struct file *)sink;
	int fd = f->path ? file_open(f->path) : -1;

	if (fd < 0)
		return;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
}

/* Is what is open still what bears the name? */
static void file_look(struct file *f)
{
	uint64_t now = clock_mono_ns();
	struct stat open_one, named;

	if (!f->path || now - f->looked_ns < LOOK_NS)
		return;
	f->looked_ns = now;
	if (f->fd < 0 || fstat(f->fd, &open_one) < 0 || stat(f->path, &named) < 0 ||
	    open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev)
		file_reopen(&f->sink);
}

static int file_flush(struct alert_sink *sink)
{
	struct file *f = (struct file *)sink;
	int r;

	if (f->events) {
		r = f->events->flush(f->events);
		if (r < 0)
			return r;
	}
	file_look(f);
	r = f->fd < 0 ? -EBADF : alert_queue_write(&f->queue, f->fd);
	if (r >= 0 || !f->path)
		return r;
	/* the disk is full, the other end is gone: later ones may find it mended */
	snprintf(sink->problem, sizeof(sink->problem), "%.60s: %.30s", f->path, strerror(-r));
	sink->lost += f->queue.n;
	alert_queue_done(&f->queue);
	return 0;
}

static int file_alert(struct alert_sink *sink, const struct alert *a)
{
	struct file *f = (struct file *)sink;

	buf_reset(&f->line);
	alert_form_put(&f->form, a, &f->line);
	if (!alert_queue_put(&f->queue, buf_str(&f->line)))
		sink->lost++;
	return file_flush(sink);
}

static void file_finish(struct alert_sink *sink, unsigned int timeout_ms)
{
	struct file *f = (struct file *)sink;
	uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;

	while (file_flush(sink) >= 0 && f->queue.first && clock_mono_ns() < end) {
		struct pollfd p = {.fd = f->fd, .events = POLLOUT};

		poll(&p, 1, alert_wait_ms(end, 100));
	}
	sink->lost += f->queue.n;
	alert_queue_done(&f->queue);
}

static void file_free(struct alert_sink *sink)
{
	struct file *f = (struct file *)sink;

	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	alert_queue_done(&f->queue);
	buf_done(&f->line);
	free(f);
}

static struct file *file_new(const struct alert_form *form)
{
	struct file *f = xalloc(sizeof(*f));

	f->sink = (struct alert_sink){
		.alert = file_alert,
		.flush = file_flush,
		.free = file_free,
		.finish = file_finish,
	};
	f->form = *form;
	return f;
}

struct alert_sink *alert_fd_new(int fd, const struct alert_form *form, struct sink *events)
{
	struct file *f = file_new(form);

	/* events are written as they always are; a second descriptor would only seem patient */
	f->fd = events ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : alert_fd_patient(fd);
	f->events = events;
	return &f->sink;
}

struct alert_sink *alert_file_new(const char *path, const struct alert_form *form, int *ret_error)
{
	int fd = file_open(path);
	struct file *f;

	*ret_error = MIN(fd, 0);
	if (fd < 0)
		return NULL;
	f = file_new(form);
	f->fd = fd;
	f->path = xstrdup(path);
	f->looked_ns = clock_mono_ns();
	f->sink.reopen = file_reopen;
	return &f->sink;
}
