/* SPDX-License-Identifier: Apache-2.0 */
#include "event/rule/build.h"

#include "base/clock.h"
#include "event/decode.h"
#include "test.h"

#include <stdarg.h>
#include <stdlib.h>

static int ignore(struct sink *sink, const struct event *e)
{
	return 0;
}

static int on_event(void *ctx, const struct event *e)
{
	struct built *b = ctx;

	b->event = *e;
	b->n_events++;
	return 0;
}

static bool unknown_process(void *ctx, uint32_t pid, uint64_t start_ns, struct buf *out)
{
	return false;
}

static bool unknown_id(void *ctx, uint64_t id, struct buf *out)
{
	return false;
}

static bool unknown_container(void *ctx, uint64_t id, struct str path, struct buf *out)
{
	return false;
}

static bool user(void *ctx, uint32_t uid, struct buf *out)
{
	const char *name = uid == 1000 ? "alice" : uid == 33 ? "www-data" : NULL;

	if (!name)
		return false;
	record_begin(out, WIRE_USER);
	((struct wire_user *)out->p)->head.uid = uid;
	record_add_str(out, offsetof(struct wire_user, name), str_of(name));
	record_end(out);
	return true;
}

void built_init(struct built *b)
{
	*b = (struct built){.sink = {.event = ignore}};
	b->resolver = (struct resolver){NULL, unknown_process, unknown_id, unknown_container, user};
	b->config = (struct stream_config){
		.shown = ~0ull,
		.resolver = &b->resolver,
		.sink = &b->sink,
		.on_event = on_event,
		.on_event_ctx = b,
		.boot_to_real_ns = 1700000000ll * NS_PER_S,
	};
	b->stream = stream_new(&b->config);
	b->regexes = regexes_new();
}

void built_done(struct built *b)
{
	stream_free(b->stream);
	buf_done(&b->record);
	arena_done(&b->arena);
	regexes_free(b->regexes);
}

uint64_t built_start(uint32_t pid)
{
	return pid * 10 * NS_PER_S;
}

static void head(struct built *b, uint32_t pid)
{
	struct wire_head *h = built_body(b);

	h->pid = h->tid = pid;
	h->start_ns = built_start(pid);
	h->time_ns = BUILT_TIME_S * NS_PER_S;
	h->cgroup = 7;
}

void *built_body(struct built *b)
{
	return b->record.p;
}

void built_process_n(struct built *b, uint32_t pid, uint32_t ppid, const char *comm,
		     const char *exe, const char *args, size_t args_n)
{
	struct wire_proc *p;

	record_begin(&b->record, WIRE_PROC);
	head(b, pid);
	p = built_body(b);
	strncpy(p->head.comm, comm, WIRE_COMM - 1);
	p->ppid = ppid;
	p->parent_start_ns = built_start(ppid);
	p->loginuid = ~0u;
	p->args_total = args_n;
	built_str(b, offsetof(struct wire_proc, exe), exe);
	built_str_n(b, offsetof(struct wire_proc, args), args, args_n);
	built_str(b, offsetof(struct wire_proc, cwd), "/tmp");
	record_end(&b->record);
	CHECK_EQ(stream_feed(b->stream, b->record.p, b->record.n), 0);
}

void *built_begin(struct built *b, unsigned int kind)
{
	struct wire_head *h;

	record_begin(&b->record, kind);
	head(b, BUILT_PID);
	b->has_annex = false;
	b->annex = (struct wire_annex){0};
	h = built_body(b);
	strncpy(h->comm, "now", WIRE_COMM - 1);
	return h;
}

void built_str_n(struct built *b, size_t member, const char *s, size_t n)
{
	record_add_str(&b->record, member, (struct str){s, n});
}

void built_str(struct built *b, size_t member, const char *s)
{
	built_str_n(b, member, s, strlen(s));
}

struct wire_annex *built_annex(struct built *b)
{
	b->has_annex = true;
	b->annex.flags |= WIRE_A_TASK;
	return &b->annex;
}

void built_annex_str(struct built *b, struct wire_str *member, const char *s, size_t n)
{
	*member = (struct wire_str){b->record.n, n};
	buf_add(&b->record, s, n);
	buf_putc(&b->record, 0);
}

bool built_feed(struct built *b)
{
	size_t before = b->n_events;

	while (b->record.n % 8)
		buf_putc(&b->record, 0);
	if (b->has_annex) {
		buf_add(&b->record, &b->annex, sizeof(b->annex));
		((struct wire_head *)b->record.p)->flags |= WIRE_F_ANNEX;
	}
	record_end(&b->record);
	CHECK_EQ(record_check(b->record.p, b->record.n), 0);
	CHECK_EQ(stream_feed(b->stream, b->record.p, b->record.n), 0);
	b->re = (struct rule_event){
		.event = &b->event,
		.annex = b->event.annex,
		.arena = &b->arena,
		.number = 1,
		.regexes = b->regexes,
	};
	return b->n_events > before;
}

struct rule_term *built_field(struct built *b, const char *field)
{
	struct rule_term *t = arena_new(&b->arena, struct rule_term);

	t->kind = RULE_TERM_FIELD;
	if (!rule_field_find(str_of(arena_strdup(&b->arena, field)), &t->field, NULL)) {
		test_result(false, __FILE__, __LINE__, "no field %s", field);
		abort();
	}
	return t;
}

struct rule_term *built_literal(struct built *b, const char *text)
{
	struct rule_term *t = arena_new(&b->arena, struct rule_term);

	t->kind = RULE_TERM_LITERAL;
	t->text = str_of(arena_strdup(&b->arena, text));
	return t;
}

struct rule_term *built_transform(struct built *b, enum rule_transform which, ...)
{
	struct rule_term *t = arena_new(&b->arena, struct rule_term), *arg;
	va_list list;

	t->kind = RULE_TERM_TRANSFORM;
	t->transform = which;
	va_start(list, which);
	while ((arg = va_arg(list, struct rule_term *)))
		array_push(&b->arena, &t->args, arg);
	va_end(list);
	return t;
}

static const char *get(struct built *b, const char *field, bool shown)
{
	struct rule_term *t = built_field(b, field);
	struct rule_value v;
	struct buf text = {0};
	const char *s = "-";

	if (shown) {
		rule_term_print(&b->re, t, &text);
	} else {
		if (!rule_term_get(&b->re, t, &v))
			return s;
		rule_value_print(&v, &text);
	}
	s = arena_strndup(&b->arena, text.p ? text.p : "", text.n);
	buf_done(&text);
	return s;
}

const char *built_get(struct built *b, const char *field)
{
	return get(b, field, false);
}

const char *built_shown(struct built *b, const char *field)
{
	return get(b, field, true);
}

/* "startswith anyof": the operator and its quantifier. */
static void set_op(struct rule_check *c, const char *op)
{
	static const char *const quantifiers[] = {"", " oneof", " anyof", " allof"};
	char text[64];

	for (int o = 0; o < RULE_OPS; o++) {
		for (int q = 0; q < 4; q++) {
			strcpy(text, rule_op_info[o].text);
			strcat(text, quantifiers[q]);
			if (strcmp(text, op))
				continue;
			c->op = o;
			c->quantifier = q;
			return;
		}
	}
	test_result(false, __FILE__, __LINE__, "no operator %s", op);
	abort();
}

static struct rule_check *make(struct built *b, const char *field, const char *op, va_list list)
{
	struct rule_check *c = arena_new(&b->arena, struct rule_check);
	const char *value;

	c->left = built_field(b, field);
	set_op(c, op);
	while ((value = va_arg(list, const char *)))
		array_push(&b->arena, &c->right,
			   !strncmp(value, "val:", 4) ? built_field(b, value + 4)
						      : built_literal(b, value));
	return c;
}

struct rule_check *built_make(struct built *b, const char *field, const char *op, ...)
{
	struct rule_check *c;
	va_list list;

	va_start(list, op);
	c = make(b, field, op, list);
	va_end(list);
	return c;
}

bool built_check(struct built *b, const char *field, const char *op, ...)
{
	struct rule_check *c;
	va_list list;

	va_start(list, op);
	c = make(b, field, op, list);
	va_end(list);
	return rule_check_eval(&b->re, c);
}
