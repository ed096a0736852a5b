/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a server: one POST each, made by curl.
 *
 * curl is a program of its own, so a name that does not resolve, TLS, a proxy and a server
 * that hangs are its matter and take none of our time.  What waits is sent by one run of it,
 * over one connection: the requests stand in a configuration that it reads from its standard
 * input, and it answers with a status a line.  A server that can't be reached is tried again.
 */
#include "out/alert-child.h"
#include "out/alert-queue.h"
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BATCH = 64, /* requests of one run */
	BATCH_BYTES = 1 << 18,
	LINE_MAX_SENT = 90000, /* curl's own bound of a line is 100 KiB */
	TRIES = 5,
	REQUEST_S = 10,
	CONNECT_S = 5,
};
#define AGAIN_NS NS_PER_S

struct http {
	struct alert_sink sink;
	struct alert_form form;
	char *url; /* owned */
	struct alert_queue queue;
	struct alert_child child;
	struct alert_queue config; /* what curl still has to read: one message */
	struct buf answers;
	unsigned int n_sent; /* requests of this run: the first of `queue` */
	unsigned int tries;
	uint64_t since_ns; /* of this run, or of the last one's failure */
	struct buf line;
};

/* As curl's configuration has text in quotes. */
static void put_quoted(struct buf *to, struct str s)
{
	buf_putc(to, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(to, '\\');
		if (s.p[i] != '\n')
			buf_putc(to, s.p[i]);
	}
	buf_putc(to, '"');
}

static void put_request(const struct http *h, const struct alert_message *m, struct buf *to)
{
	buf_puts(to, "url = ");
	put_quoted(to, str_of(h->url));
	buf_puts(to, "\ndata-raw = ");
	put_quoted(to, (struct str){m->text, m->n});
	buf_printf(to,
		   "\nheader = \"Content-Type: application/json\"\nsilent\noutput = \"/dev/null\"\n"
		   "write-out = \"%%{http_code}\\n\"\nmax-time = %d\nconnect-timeout = %d\n",
		   REQUEST_S, CONNECT_S);
}

static void start(struct http *h)
{
	char curl[] = "curl", quiet[] = "-q", k[] = "-K", from[] = "-";
	char *argv[] = {curl, quiet, k, from, NULL};
	struct buf config = {0};
	int r;

	h->n_sent = 0;
	for (const struct alert_message *m = h->queue.first;
	     m && h->n_sent < BATCH && config.n < BATCH_BYTES; m = m->next) {
		buf_puts(&config, h->n_sent++ ? "next\n" : "");
		put_request(h, m, &config);
	}
	alert_queue_put(&h->config, buf_str(&config));
	buf_done(&config);
	buf_reset(&h->answers);
	h->since_ns = clock_mono_ns();
	r = alert_child_start(&h->child, argv, true);
	if (r < 0) {
		snprintf(h->sink.problem, sizeof(h->sink.problem), "curl: %.60s", strerror(-r));
		alert_queue_done(&h->config);
	}
}

/* The i-th request's status; 0: there was no answer. */
static int answer(const struct http *h, unsigned int i)
{
	const char *p = h->answers.p ? h->answers.p : "";

	for (; i && *p; i--) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return atoi(p);
}

static void take_answers(struct http *h)
{
	unsigned int answered = 0;

	for (unsigned int i = 0; i < h->n_sent; i++)
		answered += answer(h, i) != 0;
	h->tries++;
	if (!answered) {
		snprintf(h->sink.problem, sizeof(h->sink.problem), "%s",
			 "the server of http: does not answer");
		if (h->tries < TRIES) {
			h->since_ns = clock_mono_ns();
			return;
		}
	}
	for (unsigned int i = 0; i < h->n_sent; i++) {
		int status = answer(h, i);

		if (status < 200 || status > 299)
			h->sink.lost++;
		if (status && (status < 200 || status > 299))
			snprintf(h->sink.problem, sizeof(h->sink.problem),
				 "the server of http: answers with status %d", status);
		alert_queue_next(&h->queue);
	}
	h->tries = 0;
	h->since_ns = 0;
}

static void read_answers(struct http *h)
{
	char part[1024];
	ssize_t n;

	while (h->child.from_fd >= 0 && h->answers.n < sizeof(part) * BATCH &&
	       (n = read(h->child.from_fd, part, sizeof(part))) > 0)
		buf_add(&h->answers, part, n);
}

static int http_flush(struct alert_sink *sink)
{
	struct http *h = (struct http *)sink;
	uint64_t now = clock_mono_ns();
	int status;

	if (h->child.pid) {
		if (h->child.to_fd >= 0 &&
		    (alert_queue_write(&h->config, h->child.to_fd) < 0 || !h->config.first)) {
			alert_child_close_input(&h->child);
			alert_queue_done(&h->config);
		}
		read_answers(h);
		if (!alert_child_ended(&h->child, &status))
			return 0;
		read_answers(h);
		alert_queue_done(&h->config);
		alert_child_done(&h->child, false);
		take_answers(h);
	}
	if (h->queue.first && (!h->since_ns || now - h->since_ns >= AGAIN_NS))
		start(h);
	return 0;
}

static int http_alert(struct alert_sink *sink, const struct alert *a)
{
	struct http *h = (struct http *)sink;

	buf_reset(&h->line);
	alert_form_put(&h->form, a, &h->line);
	if (h->line.n > LINE_MAX_SENT / 2 || !alert_queue_put(&h->queue, buf_str(&h->line)))
		sink->lost++;
	return 0; /* sent by flush: those that come together go together */
}

static void http_finish(struct alert_sink *sink, unsigned int timeout_ms)
{
	uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct http *h = (struct http *)sink;

	while ((h->queue.first || h->child.pid) && clock_mono_ns() < end) {
		http_flush(sink);
		usleep(2000);
	}
	sink->lost += h->queue.n;
	alert_queue_done(&h->queue);
}

static void http_free(struct alert_sink *sink)
{
	struct http *h = (struct http *)sink;

	alert_child_done(&h->child, true);
	alert_queue_done(&h->queue);
	alert_queue_done(&h->config);
	buf_done(&h->answers);
	buf_done(&h->line);
	free(h->url);
	free(h);
}

static bool has_curl(void)
{
	const char *path = getenv("PATH");
	struct buf file = {0};
	bool has = false;

	for (const char *p = path ? path : "/usr/bin:/bin"; *p && !has;) {
		size_t n = strcspn(p, ":");

		buf_reset(&file);
		buf_add(&file, p, n);
		buf_puts(&file, "/curl");
		has = access(file.p, X_OK) == 0;
		p += n + (p[n] == ':');
	}
	buf_done(&file);
	return has;
}

struct alert_sink *alert_http_new(const char *url, const struct alert_form *form, int *ret_error)
{
	struct http *h;

	*ret_error = has_curl() ? 0 : -ENOENT;
	if (*ret_error < 0)
		return NULL;
	h = xalloc(sizeof(*h));
	h->sink = (struct alert_sink){
		.alert = http_alert,
		.flush = http_flush,
		.free = http_free,
		.finish = http_finish,
	};
	h->form = *form;
	h->form.as = ALERT_AS_JSON;
	h->url = xstrdup(url);
	h->child = ALERT_CHILD_NONE;
	return &h->sink;
}
