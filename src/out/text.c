/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for people: time, pid, user, program, event, and what happened.
 *
 * What happened is told by the `line` column of events.def.  The templates are taken
 * apart once, when the sink is made.
 */
#include "out/out.h"

#include "base/clock.h"
#include "base/macro.h"
#include "event/decode.h"
#include "event/escape.h"
#include "event/resolve.h"
#include "event/value.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TOKENS = 48, PROGRAM_WIDTH = 15, EVENT_WIDTH = 8, PARENTS = 3 };

/* A piece of a template: text, a field's value, or the bounds of an optional part. */
struct token {
	enum { END, LITERAL, VALUE, OPEN_GROUP, CLOSE_GROUP } what;
	struct str literal;
	const struct field_desc *field;
};

struct text {
	struct sink sink;
	int fd;
	bool has_colour;
	struct buf out, part;
	struct token lines[EV_END][TOKENS];
	time_t second; /* that `clock` shows */
	char clock[16];
};

int sink_write(int fd, struct buf *b)
{
	size_t done = 0;

	while (done < b->n) {
		ssize_t n = write(fd, b->p + done, b->n - done);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		done += n;
	}
	buf_reset(b);
	return 0;
}

/* Takes a template apart; a name that is no field of the event is a bug a test finds. */
static void compile(unsigned int kind, const char *p, struct token *t)
{
	const struct token *last = t + TOKENS - 1;

	for (; *p && t < last; t++) {
		size_t n = strcspn(p, "{[]");

		if (n) {
			*t = (struct token){LITERAL, {p, n}, NULL};
		} else if (*p == '[') {
			t->what = OPEN_GROUP;
			n = 1;
		} else if (*p == ']') {
			t->what = CLOSE_GROUP;
			n = 1;
		} else {
			n = strcspn(p, "}");
			*t = (struct token){
				VALUE, {NULL, 0}, field_find(kind, (struct str){p + 1, n - 1})};
			n += p[n] == '}';
		}
		p += n;
	}
	t->what = END;
}

/* An optional part: added whole, or not at all if its first field has no value. */
static const struct token *put_group(struct text *x, const struct token *t, const struct event *e)
{
	bool has_value = true, is_first = true;

	buf_reset(&x->part);
	for (; t->what != CLOSE_GROUP && t->what != END; t++) {
		if (t->what == LITERAL) {
			buf_put_str(&x->part, t->literal);
		} else if (t->what == VALUE && t->field) {
			bool has = value_text(&x->part, e, t->field);

			if (is_first)
				has_value = has;
			is_first = false;
		}
	}
	if (has_value)
		buf_put_str(&x->out, buf_str(&x->part));
	return t;
}

static void put_details(struct text *x, const struct event *e)
{
	size_t start = x->out.n;

	for (const struct token *t = x->lines[e->kind]; t->what != END; t++) {
		if (t->what == LITERAL)
			buf_put_str(&x->out, t->literal);
		else if (t->what == VALUE && t->field)
			value_text(&x->out, e, t->field);
		else if (t->what == OPEN_GROUP)
			t = put_group(x, t + 1, e);
		if (t->what == END)
			break;
	}
	/* a left-out part may leave its blank at the beginning */
	while (x->out.n > start && x->out.p[start] == ' ')
		memmove(x->out.p + start, x->out.p + start + 1, x->out.n-- - start);
}

static void put_colour(struct text *x, const char *code)
{
	if (x->has_colour) {
		buf_puts(&x->out, "\033[");
		buf_puts(&x->out, code);
		buf_putc(&x->out, 'm');
	}
}

static const char *colour_of(const struct event *e)
{
	if (e->head->ret < 0 && e->kind != EV_LOST)
		return "31"; /* failed */
	switch (e->desc->group) {
	case GROUP_PROCESS:
		return "32";
	case GROUP_FILE:
		return "34";
	case GROUP_NETWORK:
		return "36";
	case GROUP_SECURITY:
		return "33";
	case GROUP_META:
		return "1;31";
	}
	return "0";
}

static void put_time(struct text *x, uint64_t real_ns)
{
	time_t second = real_ns / NS_PER_S;
	struct tm tm;

	if (second != x->second || !x->clock[0]) {
		localtime_r(&second, &tm);
		strftime(x->clock, sizeof(x->clock), "%H:%M:%S", &tm);
		x->second = second;
	}
	buf_printf(&x->out, "%s.%03u", x->clock, (unsigned int)(real_ns % NS_PER_S / NS_PER_MS));
}

/* Columns are counted in characters, not in bytes. */
static void pad(struct buf *out, size_t start, size_t width)
{
	size_t n = 0;

	for (size_t i = start; i < out->n; i++)
		n += ((unsigned char)out->p[i] & 0xc0) != 0x80;
	for (; n < width; n++)
		buf_putc(out, ' ');
	buf_putc(out, ' ');
}

static struct str program_of(const struct process *p)
{
	return p->exe ? path_base(str_of(p->exe)) : str_of(p->comm);
}

/* Who started it, and who started that: the way up, as far as it is known. */
static void put_parents(struct text *x, const struct event *e)
{
	const struct process *p = e->process;

	for (int i = 0; i < PARENTS; i++) {
		p = process_parent(stream_processes(e->stream), p);
		if (!p)
			break;
		buf_puts(&x->out, i ? " < " : "  < ");
		escape_text(&x->out, program_of(p));
		buf_printf(&x->out, " %u", p->pid);
	}
}

static void put_container(struct text *x, const struct wire_container *c)
{
	struct str name = record_str(c, c->name), id = record_str(c, c->id);

	buf_puts(&x->out, "  [");
	escape_text(&x->out, record_str(c, c->runtime));
	buf_putc(&x->out, ':');
	id.n = MIN(id.n, (size_t)12);
	escape_text(&x->out, name.n ? name : id);
	if (c->pod_name.len) {
		buf_puts(&x->out, " pod ");
		escape_text(&x->out, record_str(c, c->pod_namespace));
		buf_putc(&x->out, '/');
		escape_text(&x->out, record_str(c, c->pod_name));
	}
	buf_putc(&x->out, ']');
}

static int text_flush(struct sink *sink)
{
	struct text *x = (struct text *)sink;

	return sink_write(x->fd, &x->out);
}

static void put_kind(struct text *x, const struct event *e)
{
	size_t start = x->out.n;

	buf_puts(&x->out, e->desc->name);
	pad(&x->out, start, EVENT_WIDTH);
}

static void put_who(struct text *x, const struct event *e)
{
	const char *user = stream_user(e->stream, e->head->uid);
	size_t start;

	put_colour(x, "2");
	put_time(x, e->real_ns);
	put_colour(x, "0");
	buf_printf(&x->out, " %7u ", e->head->pid);
	start = x->out.n;
	escape_text(&x->out, program_of(e->process));
	if (e->head->uid && user) {
		buf_putc(&x->out, '@');
		escape_text(&x->out, str_of(user));
	} else if (e->head->uid) {
		buf_printf(&x->out, "@%u", e->head->uid);
	}
	pad(&x->out, start, PROGRAM_WIDTH);
}

static void put_line(struct text *x, const struct event *e)
{
	put_who(x, e);
	put_colour(x, colour_of(e));
	put_kind(x, e);
	put_colour(x, "0");
	put_details(x, e);
	if (e->kind == EV_EXEC) {
		put_colour(x, "2");
		put_parents(x, e);
		put_colour(x, "0");
	}
	if (e->head->flags & WIRE_F_URING)
		buf_puts(&x->out, "  (io_uring)");
	if (e->container) {
		put_colour(x, "35");
		put_container(x, e->container);
		put_colour(x, "0");
	}
}

static void put_lost(struct text *x, const struct event *e)
{
	put_colour(x, colour_of(e));
	buf_printf(&x->out, "%35s ", "");
	put_kind(x, e);
	put_details(x, e);
	put_colour(x, "0");
}

static int text_event(struct sink *sink, const struct event *e)
{
	struct text *x = (struct text *)sink;

	if (e->kind == EV_LOST)
		put_lost(x, e);
	else
		put_line(x, e);
	buf_putc(&x->out, '\n');
	return x->out.n >= SINK_FULL ? text_flush(sink) : 0;
}

static void text_free(struct sink *sink)
{
	struct text *x = (struct text *)sink;

	buf_done(&x->out);
	buf_done(&x->part);
	free(x);
}

struct sink *sink_text_new(int fd, bool has_colour)
{
	struct text *x = xalloc(sizeof(*x));

	x->sink = (struct sink){text_event, text_flush, text_free};
	x->fd = fd;
	x->has_colour = has_colour;
	for (unsigned int k = 1; k < EV_END; k++)
		compile(k, event_get(k)->line, x->lines[k]);
	return &x->sink;
}
