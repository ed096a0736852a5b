/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record: every field of it is read, printed, and compared with any text.
 *
 * The input is a record, made whole at its head only, and behind it the text, whose last byte
 * chooses operator and transformer; two bytes at the end say how long the record is.  What has
 * no value makes every check false, and what is equal is not different.
 */
#include "event/decode.h"
#include "event/rule/engine.h"
#include "event/rule/hosts.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct fuzz {
	struct sink sink;
	struct rule_term literal;
	struct arena arena;
	struct regexes *regexes;
	struct hosts *hosts;
	enum rule_op op;
	enum rule_transform transform;
};

static int ignore(struct sink *sink, const struct event *e)
{
	return 0;
}

static bool holds(const struct rule_event *e, struct rule_term *left, struct rule_term *right,
		  enum rule_op op)
{
	struct rule_term *values[1] = {right};
	struct rule_check c = {.op = op, .left = left, .right = {values, 1, 1}};

	if (rule_op_info[op].values == RULE_V_NONE)
		c.right.n = 0;
	return rule_check_eval(e, &c);
}

/* An address without a name still is, or is not, one of a host's. */
static bool is_host(enum rule_field id)
{
	return id == RF_fd_cip_name || id == RF_fd_sip_name || id == RF_fd_lip_name ||
	       id == RF_fd_rip_name;
}

static void look(struct fuzz *f, struct rule_event *e, const struct rule_field_ref *field)
{
	struct rule_term left = {.kind = RULE_TERM_FIELD, .field = *field};
	struct rule_term *argument[2] = {&left, &f->literal};
	struct rule_term made = {
		.kind = RULE_TERM_TRANSFORM,
		.transform = f->transform,
		.args = {argument, 1 + (f->transform == RULE_T_GETOPT), 2},
	};
	struct rule_value v;
	struct buf b = {0};

	rule_field_print(e, field, &b);
	buf_done(&b);
	if (!rule_field_get(e, field, &v)) {
		for (int op = 0; op < RULE_OPS; op++)
			assert(!holds(e, &left, &f->literal, op) || is_host(field->id));
		return;
	}
	assert(holds(e, &left, &f->literal, RULE_EXISTS));
	holds(e, &left, &f->literal, f->op);
	if (v.type != RT_STRINGS)
		assert(holds(e, &left, &f->literal, RULE_EQ) !=
		       holds(e, &left, &f->literal, RULE_NE));
	holds(e, &made, &f->literal, RULE_CONTAINS);
}

static int on_event(void *ctx, const struct event *event)
{
	struct fuzz *f = ctx;
	struct rule_event e = {
		.event = event,
		.annex = event->annex,
		.arena = &f->arena,
		.regexes = f->regexes,
		.hosts = f->hosts,
	};
	size_t n;
	const struct rule_arg_info *rows = rule_args(&n);

	for (int both = 0; both < 2; both++, e.use_resolved = true) {
		for (unsigned int i = 1; i < RULE_FIELDS; i++) {
			struct rule_field_ref field = {i, {0}, -1, rule_field_info[i].type};

			if (rule_field_info[i].arg == RA_NAME)
				field.arg = i == RF_evt_type_is ? STR("open") : f->literal.text;
			if (i != RF_evt_arg && i != RF_evt_rawarg)
				look(f, &e, &field);
		}
		for (size_t i = 0; i < n; i++)
			look(f, &e,
			     &(struct rule_field_ref){RF_evt_arg, str_of(rows[i].name), -1,
						      rows[i].type});
		arena_done(&f->arena);
	}
	return 0;
}

static void feed(struct fuzz *f, const uint8_t *data, size_t n)
{
	struct stream_config config = {
		.shown = ~0ull,
		.sink = &f->sink,
		.on_event = on_event,
		.on_event_ctx = f,
	};
	struct stream *s = stream_new(&config);
	char *record = xalloc(n + 8);
	struct wire_head *h = (struct wire_head *)record;

	memcpy(record, data, n);
	h->size = n;
	stream_feed(s, record, n);
	stream_free(s);
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz f = {.sink = {.event = ignore}};
	uint16_t record;

	if (n < sizeof(struct wire_head) + 2 || n > WIRE_RECORD_MAX)
		return 0;
	memcpy(&record, data + n - 2, 2);
	n -= 2;
	if (record < sizeof(struct wire_head) || record > n)
		record = n;
	f.literal = (struct rule_term){
		.kind = RULE_TERM_LITERAL,
		.text = {(const char *)data + record, n - record},
	};
	f.op = data[n - 1] % RULE_OPS; /* chosen by the text's last byte */
	f.transform = data[n - 1] / RULE_OPS % RULE_TRANSFORMS;
	f.regexes = regexes_new();
	f.hosts = hosts_new();
	hosts_parse(f.hosts, f.literal.text);
	feed(&f, data, record);
	regexes_free(f.regexes);
	hosts_free(f.hosts);
	return 0;
}
