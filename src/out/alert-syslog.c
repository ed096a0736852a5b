/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to the system's log: datagrams to a socket, in the form that syslog(3) sends
 * (RFC 3164).  That function itself would wait for a log that hangs.
 */
#include "out/alert-queue.h"
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SENT = 8000 }; /* what logs take in one piece */

struct syslog {
	struct alert_sink sink;
	struct alert_form form;
	struct sockaddr_un to;
	int fd; /* owned */
	struct alert_queue queue;
	struct buf line;
};

static int syslog_flush(struct alert_sink *sink)
{
	struct syslog *s = (struct syslog *)sink;

	while (s->queue.first) {
		const struct alert_message *m = s->queue.first;
		ssize_t n = sendto(s->fd, m->text, m->n, MSG_DONTWAIT | MSG_NOSIGNAL,
				   (const struct sockaddr *)&s->to, sizeof(s->to));

		if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
			return 0;
		if (n < 0) {
			snprintf(sink->problem, sizeof(sink->problem), "%.60s: %.30s",
				 s->to.sun_path, strerror(errno));
			sink->lost++;
		}
		alert_queue_next(&s->queue);
	}
	return 0;
}

static int syslog_alert(struct alert_sink *sink, const struct alert *a)
{
	struct syslog *s = (struct syslog *)sink;
	time_t now = time(NULL);
	struct tm tm;
	char clock[32];

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%b %e %H:%M:%S", &tm);
	buf_reset(&s->line);
	/* the priorities are the log's own, and have its numbers */
	buf_printf(&s->line, "<%d>%s skep[%d]: ", LOG_DAEMON | (int)a->priority, clock, getpid());
	alert_form_put(&s->form, a, &s->line);
	s->line.n = MIN(s->line.n - 1, (size_t)LINE_MAX_SENT); /* without the line's end */
	if (!alert_queue_put(&s->queue, buf_str(&s->line)))
		sink->lost++;
	return syslog_flush(sink);
}

static void syslog_finish(struct alert_sink *sink, unsigned int timeout_ms)
{
	uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct syslog *s = (struct syslog *)sink;

	while (syslog_flush(sink) >= 0 && s->queue.first && clock_mono_ns() < end)
		usleep(10000); /* a datagram socket does not tell when the other end has room */
	sink->lost += s->queue.n;
	alert_queue_done(&s->queue);
}

static void syslog_free(struct alert_sink *sink)
{
	struct syslog *s = (struct syslog *)sink;

	if (s->fd >= 0)
		close(s->fd);
	alert_queue_done(&s->queue);
	buf_done(&s->line);
	free(s);
}

_Static_assert(RULE_EMERGENCY == LOG_EMERG && RULE_WARNING == LOG_WARNING &&
		       RULE_DEBUG == LOG_DEBUG,
	       "priorities of rules are those of the log");

struct alert_sink *alert_syslog_new(const char *path, const struct alert_form *form)
{
	struct syslog *s = xalloc(sizeof(*s));

	s->sink = (struct alert_sink){
		.alert = syslog_alert,
		.flush = syslog_flush,
		.free = syslog_free,
		.finish = syslog_finish,
	};
	s->form = *form;
	s->form.has_colour = false;
	s->to.sun_family = AF_UNIX;
	snprintf(s->to.sun_path, sizeof(s->to.sun_path), "%s", path ? path : "/dev/log");
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return &s->sink;
}
