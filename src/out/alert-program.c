/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a program of the user's: one for all, fed a line each, or one for each alert.
 *
 * The one for all is started with the first alert, and again, a second later, if it ends:
 * the alert that it was being fed is told again from its beginning.  Of those for each alert
 * a few run at a time, and none longer than ten seconds.
 */
#include "out/alert-child.h"
#include "out/alert-queue.h"
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 4 };
#define PATIENCE_NS (10 * NS_PER_S) /* for the program of one alert */
#define AGAIN_NS    NS_PER_S	    /* between two starts of the program for all */

struct runner {
	struct alert_child child;
	struct alert_queue queue; /* what it is fed */
	uint64_t since_ns;
};

struct feeder {
	struct alert_sink sink;
	struct alert_form form;
	char *command; /* owned */
	bool each;
	struct runner runners[AT_ONCE]; /* all: the first */
	struct alert_queue queue;	/* each: for whom no program was started yet */
	struct buf line;
};

static int start(struct feeder *p, struct runner *r)
{
	char sh[] = "sh", c[] = "-c";
	char *argv[] = {sh, c, p->command, NULL};
	int status = alert_child_start(&r->child, argv, false);

	r->since_ns = clock_mono_ns();
	if (status < 0)
		snprintf(p->sink.problem, sizeof(p->sink.problem), "%.60s: %.30s", p->command,
			 strerror(-status));
	return status;
}

static void complain(struct feeder *p, int status)
{
	if (status == -1 || !status)
		return;
	if (WIFEXITED(status))
		snprintf(p->sink.problem, sizeof(p->sink.problem), "%.60s: exit status %d",
			 p->command, WEXITSTATUS(status));
	else
		snprintf(p->sink.problem, sizeof(p->sink.problem), "%.60s: ended by signal %d",
			 p->command, WTERMSIG(status));
}

static void feed_all(struct feeder *p, struct runner *r)
{
	uint64_t now = clock_mono_ns();
	int status;

	if (r->child.pid && alert_child_ended(&r->child, &status)) {
		complain(p, status);
		alert_child_done(&r->child, false);
		r->queue.written = 0;
	}
	if (!r->queue.first)
		return;
	if (!r->child.pid && (!r->since_ns || now - r->since_ns >= AGAIN_NS))
		start(p, r);
	if (r->child.pid && alert_queue_write(&r->queue, r->child.to_fd) < 0)
		alert_child_close_input(&r->child); /* it reads no more; its end comes next */
}

static void feed_one(struct feeder *p, struct runner *r)
{
	int status;

	if (!r->child.pid)
		return;
	if (r->child.to_fd >= 0 &&
	    (alert_queue_write(&r->queue, r->child.to_fd) < 0 || !r->queue.first)) {
		alert_child_close_input(&r->child);
		alert_queue_done(&r->queue);
	}
	if (alert_child_ended(&r->child, &status)) {
		complain(p, status);
		p->sink.lost += status > 0;
		alert_child_done(&r->child, false);
	} else if (clock_mono_ns() - r->since_ns > PATIENCE_NS) {
		snprintf(p->sink.problem, sizeof(p->sink.problem), "%.60s: took too long",
			 p->command);
		p->sink.lost++;
		alert_child_done(&r->child, true);
	}
	if (!r->child.pid)
		alert_queue_done(&r->queue);
}

static void feed_each(struct feeder *p)
{
	for (int i = 0; i < AT_ONCE; i++) {
		struct runner *r = &p->runners[i];
		struct alert_message *m;

		feed_one(p, r);
		m = p->queue.first;
		if (r->child.pid || !m)
			continue;
		if (start(p, r) < 0 || !alert_queue_put(&r->queue, (struct str){m->text, m->n}))
			p->sink.lost++;
		alert_queue_next(&p->queue);
		feed_one(p, r);
	}
}

static int program_flush(struct alert_sink *sink)
{
	struct feeder *p = (struct feeder *)sink;

	if (p->each)
		feed_each(p);
	else
		feed_all(p, &p->runners[0]);
	return 0;
}

static int program_alert(struct alert_sink *sink, const struct alert *a)
{
	struct feeder *p = (struct feeder *)sink;

	buf_reset(&p->line);
	alert_form_put(&p->form, a, &p->line);
	if (!alert_queue_put(p->each ? &p->queue : &p->runners[0].queue, buf_str(&p->line)))
		sink->lost++;
	return program_flush(sink);
}

static bool is_busy(const struct feeder *p)
{
	if (p->queue.first)
		return true;
	for (int i = 0; i < AT_ONCE; i++)
		if (p->runners[i].queue.first || p->runners[i].child.pid)
			return true;
	return false;
}

/* The program for all is told by the end of its input, and has the time to come to its own. */
static void program_finish(struct alert_sink *sink, unsigned int timeout_ms)
{
	uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct feeder *p = (struct feeder *)sink;

	while (is_busy(p) && clock_mono_ns() < end) {
		program_flush(sink);
		if (!p->each && !p->runners[0].queue.first)
			alert_child_close_input(&p->runners[0].child);
		usleep(2000);
	}
	sink->lost += p->queue.n;
	for (int i = 0; i < AT_ONCE; i++)
		sink->lost += p->runners[i].queue.n;
}

static void program_free(struct alert_sink *sink)
{
	struct feeder *p = (struct feeder *)sink;

	for (int i = 0; i < AT_ONCE; i++) {
		alert_child_done(&p->runners[i].child, true);
		alert_queue_done(&p->runners[i].queue);
	}
	alert_queue_done(&p->queue);
	buf_done(&p->line);
	free(p->command);
	free(p);
}

struct alert_sink *alert_program_new(const char *command, bool each, const struct alert_form *form)
{
	struct feeder *p = xalloc(sizeof(*p));

	p->sink = (struct alert_sink){
		.alert = program_alert,
		.flush = program_flush,
		.free = program_free,
		.finish = program_finish,
	};
	p->form = *form;
	p->form.has_colour = false;
	p->command = xstrdup(command);
	p->each = each;
	for (int i = 0; i < AT_ONCE; i++)
		p->runners[i].child = ALERT_CHILD_NONE;
	return &p->sink;
}
