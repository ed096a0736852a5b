/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object a line.
 *
 * First what happened (the fields of fields.def, in their order), then who did it
 * (`process`, with its ancestors) and where (`container`).  Members without a value
 * are left out.  `v` is the schema's version: it changes when a member goes or
 * changes its meaning, not when one is added.
 */
#include "out/out.h"

#include "base/clock.h"
#include "base/macro.h"
#include "event/value.h"
#include "out/json-part.h"

#include <stdlib.h>
#include <time.h>

enum { FIELDS = 24 };

struct json {
	struct sink sink;
	int fd;
	struct buf out, part;
	const struct field_desc *fields[EV_END][FIELDS]; /* NULL at the end */
	time_t second;
	char clock[32];
};

static void put_time(struct json *j, uint64_t real_ns)
{
	time_t second = real_ns / NS_PER_S;
	struct tm tm;

	if (second != j->second || !j->clock[0]) {
		gmtime_r(&second, &tm);
		strftime(j->clock, sizeof(j->clock), "%Y-%m-%dT%H:%M:%S", &tm);
		j->second = second;
	}
	json_add_key(&j->out, "time");
	buf_printf(&j->out, "\"%s.%09uZ\"", j->clock, (unsigned int)(real_ns % NS_PER_S));
}

static int json_flush(struct sink *sink)
{
	struct json *j = (struct json *)sink;

	return sink_write(j->fd, &j->out);
}

static int json_event(struct sink *sink, const struct event *e)
{
	struct json *j = (struct json *)sink;
	struct buf *out = &j->out;

	buf_putc(out, '{');
	json_add_number(out, "v", JSON_VERSION);
	if (e->head->time_ns)
		put_time(j, e->real_ns);
	json_add_string(out, "event", str_of(e->desc->name));
	for (const struct field_desc **f = j->fields[e->kind]; *f; f++) {
		buf_reset(&j->part);
		if (!value_json(&j->part, e, *f))
			continue;
		json_add_key(out, (*f)->name);
		buf_put_str(out, buf_str(&j->part));
	}
	if (e->kind != EV_LOST) {
		json_add_marks(out, e->head->flags);
		json_add_process(out, e);
		if (e->container)
			json_add_container(out, e->container);
	}
	buf_puts(out, "}\n");
	return out->n >= SINK_FULL ? json_flush(sink) : 0;
}

static void json_free(struct sink *sink)
{
	struct json *j = (struct json *)sink;

	buf_done(&j->out);
	buf_done(&j->part);
	free(j);
}

struct sink *sink_json_new(int fd)
{
	struct json *j = xalloc(sizeof(*j));

	j->sink = (struct sink){json_event, json_flush, json_free};
	j->fd = fd;
	for (unsigned int k = 1; k < EV_END; k++)
		for (size_t i = 0; i < FIELDS - 1; i++) {
			j->fields[k][i] = field_of_event(k, i);
			if (!j->fields[k][i])
				break;
		}
	return &j->sink;
}
