/* SPDX-License-Identifier: Apache-2.0 */
#include "event/value/look.h"

#include "event/value.h"

/* The record that is looked at. */
static struct {
	struct buf b;
	struct stream *stream;
	bool is_seen[T_END];
} now;

static int no_event(struct sink *sink, const struct event *e)
{
	return 0;
}

void look_begin(void)
{
	static struct sink sink = {no_event, NULL, NULL};
	struct wire_head *h;

	now.stream = stream_new(&(struct stream_config){.sink = &sink});
	h = made(&now.b, WIRE_USER, 0, 0);
	h->uid = 1000;
	ADD(wire_user, name, "anna");
	stream_feed(now.stream, now.b.p, now.b.n);
	memset(now.is_seen, 0, sizeof(now.is_seen));
}

void look_end(void)
{
	stream_free(now.stream);
	buf_done(&now.b);
	now.stream = NULL;
}

void *look_make(unsigned int kind)
{
	return made(&now.b, kind, 1, 0);
}

void look_add(size_t member, struct str what)
{
	record_add_str(&now.b, member, what);
	record_end(&now.b);
}

static bool look(const char *field, struct buf *out,
		 bool (*value)(struct buf *, const struct event *, const struct field_desc *))
{
	const struct wire_head *h = (const struct wire_head *)now.b.p;
	struct event e = {
		.head = h,
		.kind = h->kind,
		.desc = event_get(h->kind),
		.stream = now.stream,
	};
	const struct field_desc *f = field_find(h->kind, str_of(field));

	CHECK_EQ(record_check(now.b.p, now.b.n), 0);
	if (!f) {
		test_result(false, __FILE__, __LINE__, "%s: no such field", field);
		return false;
	}
	now.is_seen[f->type] = true;
	return value(out, &e, f);
}

bool look_text(const char *field, struct buf *out)
{
	return look(field, out, value_text);
}

bool look_json(const char *field, struct buf *out)
{
	return look(field, out, value_json);
}

bool look_has_seen(int type)
{
	return now.is_seen[type];
}

void look_check(int line, const char *field, const char *text, const char *json)
{
	const char *expected[] = {text, json};

	for (int i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf out = {0};
		bool has;

		buf_putc(&out, '>');
		has = (i ? look_json : look_text)(field, &out);
		test_result(has == !!expected[i] && !strcmp(out.p + 1, has ? expected[i] : ""),
			    __FILE__, line, "%s, %s: %d, %s; expected %s", field,
			    i ? "json" : "text", has, out.p + 1,
			    expected[i] ? expected[i] : "none");
	}
}
