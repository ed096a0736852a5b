/* SPDX-License-Identifier: Apache-2.0 */
#include "out/alert-queue.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool alert_queue_put(struct alert_queue *q, struct str text)
{
	struct alert_message *m;

	if (q->bytes + text.n > ALERT_QUEUE_MAX)
		return false;
	m = xalloc(sizeof(*m) + text.n);
	memcpy(m->text, text.p, text.n);
	m->n = text.n;
	if (q->last)
		q->last->next = m;
	else
		q->first = m;
	q->last = m;
	q->n++;
	q->bytes += text.n;
	return true;
}

void alert_queue_next(struct alert_queue *q)
{
	struct alert_message *m = q->first;

	if (!m)
		return;
	q->first = m->next;
	if (!q->first)
		q->last = NULL;
	q->n--;
	q->bytes -= m->n;
	q->written = 0;
	free(m);
}

void alert_queue_done(struct alert_queue *q)
{
	while (q->first)
		alert_queue_next(q);
}

/*
 * POLLOUT on a pipe promises room for PIPE_BUF bytes: so this waits for nobody even where the
 * descriptor could not be made non-blocking.
 */
int alert_queue_write(struct alert_queue *q, int fd)
{
	while (q->first) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		size_t left = q->first->n - q->written;
		ssize_t n;

		if (poll(&p, 1, 0) <= 0)
			return 0;
		n = write(fd, q->first->text + q->written, MIN(left, (size_t)PIPE_BUF));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return -errno;
		q->written += n;
		if (q->written == q->first->n)
			alert_queue_next(q);
	}
	return 0;
}

int alert_fd_patient(int fd)
{
	char path[32];
	struct stat st;
	int own = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)))
		own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int alert_wait_ms(uint64_t end_ns, int max)
{
	uint64_t now = clock_mono_ns();

	return now >= end_ns ? 0 : (int)MIN((end_ns - now) / NS_PER_MS + 1, (uint64_t)max);
}
