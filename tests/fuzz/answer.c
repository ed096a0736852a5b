/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as records of a question, and as its map's elements: every part is checked
 * against the types, nothing is read outside of it, and JSON stays one object a line.
 *
 * The first byte chooses the form, the second what is called; then comes the record's
 * payload (each printable kind of value is in it once), or the element's key and value.
 */
#include "event/answer/answer.h"

#include <assert.h>
#include <jansson.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct fuzz {
	struct question q;
	const uint8_t *data;
	size_t n;
};

static int element(void *ctx, uint32_t map, answer_item_fn fn, void *fn_ctx)
{
	struct fuzz *f = ctx;
	const struct question_map *m = &f->q.maps.p[map];
	size_t step = (m->value_size + 7) & ~7u;

	/* elements with values of two cpus, as many as there are bytes for */
	while (f->n >= m->key_size + 2 * step) {
		fn(fn_ctx, f->data, f->data + m->key_size, 2, step);
		f->data += m->key_size + 2 * step;
		f->n -= m->key_size + 2 * step;
	}
	return 0;
}

static unsigned int stack(void *ctx, uint64_t id, uint64_t *frames, unsigned int room)
{
	(void)ctx;
	for (unsigned int i = 0; i < room; i++)
		frames[i] = id + i;
	return room;
}

static const struct type_enumerator numbers[] = {{"ZERO", 0}, {"ONE", 1}};
static const struct type enumeration = {
	.kind = TYPE_ENUM, .size = 1, .align = 1, .enumerators = numbers, .n_enumerators = 2};

static const struct type *all_types(struct arena *a)
{
	static const enum type_kind plain[] = {
		TYPE_KSYM,     TYPE_USYM,   TYPE_INET,	    TYPE_MAC,
		TYPE_USERNAME, TYPE_CGROUP, TYPE_STRERROR,  TYPE_SIGNAL,
		TYPE_SYSCALL,  TYPE_COUNT,  TYPE_AVG,	    TYPE_STATS,
		TYPE_MIN,      TYPE_SUM,    TYPE_TIMESTAMP, TYPE_TSERIES,
	};
	const struct type *t[40];
	unsigned int n = 0;

	t[n++] = type_string(a, 5);
	t[n++] = type_buffer(a, 6);
	t[n++] = type_array(a, type_string(a, 3), 2);
	t[n++] = type_array(a, type_int(2, true), 3);
	t[n++] = &enumeration;
	t[n++] = type_stack(a, TYPE_KSTACK, 3, STACK_PERF);
	t[n++] = type_stack(a, TYPE_USTACK, 3, STACK_BUILD_ID);
	for (size_t i = 0; i < ELEMENTS(plain); i++)
		t[n++] = type_plain(a, plain[i]);
	t[n] = type_tuple(a, t, NULL, 3);
	n++;
	t[n++] = &type_bool;
	return type_tuple(a, t, NULL, n);
}

static void add_map(struct fuzz *f, const struct type *key, enum type_kind kind)
{
	struct type *t = arena_copy(&f->q.arena, type_plain(&f->q.arena, kind), sizeof(*t));
	struct question_map m = {.name = "@m",
				 .kind = QMAP_NAMED,
				 .type = BPF_MAP_TYPE_HASH,
				 .key = key,
				 .key_size = key ? key->size : 8,
				 .value = t,
				 .value_size = t->size};

	if (kind == TYPE_TSERIES) {
		t->agg.interval_ns = 1000000;
		t->agg.intervals = 10;
	} else {
		t->agg.min = -10;
		t->agg.max = 100;
		t->agg.step = 10;
	}
	if (kind >= TYPE_HIST && kind <= TYPE_TSERIES) {
		m.bucket_offset = key ? (m.key_size + 7) & ~7u : 0;
		m.key_size = m.bucket_offset + 8;
	}
	array_push(&f->q.arena, &f->q.maps, m);
}

static void make(struct fuzz *f)
{
	static const enum question_action_kind kinds[] = {QACTION_PRINTF,	QACTION_ERRORF,
							  QACTION_JOIN,		QACTION_PRINT,
							  QACTION_HELPER_ERROR, QACTION_EXIT};
	static const enum type_kind values[] = {TYPE_COUNT, TYPE_MAX,	TYPE_STATS,
						TYPE_HIST,  TYPE_LHIST, TYPE_TSERIES};
	struct arena *a = &f->q.arena;
	const struct type *all, *of_print, *key[2] = {NULL, &type_bool};

	question_init(&f->q);
	all = all_types(a);
	of_print = type_tuple(a, &all, NULL, 1);
	array_push(a, &f->q.formats, "%Y %f");
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		struct question_action x = {
			.kind = kinds[i],
			.format =
				"%5s|%r|%-30s|%s%c%gr%rh%p%+08d|%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s",
			.args = kinds[i] == QACTION_PRINT ? of_print : all,
			.text = "probe_read",
		};

		array_push(a, &f->q.actions, x);
	}
	key[0] = type_string(a, 3);
	key[0] = type_tuple(a, key, NULL, 2);
	for (size_t i = 0; i < ELEMENTS(values); i++)
		add_map(f, i & 1 ? NULL : key[0], values[i]);
}

/* Every line is one object. */
static void check_json(const char *text, size_t n)
{
	while (n) {
		const char *end = memchr(text, '\n', n);
		json_t *line;

		assert(end);
		line = json_loadb(text, (size_t)(end - text),
				  JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		assert(json_is_object(line));
		json_decref(line);
		n -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz f = {};
	struct answer_source source = {.ctx = &f, .stack = stack};
	struct answer_options o = {};
	struct answer *a;
	char *text = NULL;
	size_t size = 0;

	if (n < 2)
		return 0;
	source.map_each = element;
	make(&f);
	o.format = data[0] & 1 ? ANSWER_JSON : ANSWER_TEXT;
	o.out = open_memstream(&text, &size);
	a = answer_new(&f.q, &source, &o);
	if (data[1] & 0x80) {
		f.data = data + 2;
		f.n = n - 2;
		f.q.maps.p[0] = f.q.maps.p[(data[1] & 0x7f) % f.q.maps.n];
		f.q.maps.n = 1;
		answer_maps(a);
	} else {
		size_t room = sizeof(struct wire_answer) + n - 2;
		struct wire_answer *record = calloc(1, room);

		record->action = data[1];
		memcpy(record + 1, data + 2, n - 2);
		answer_record(a, record, room);
		free(record);
	}
	answer_free(a);
	fclose(o.out);
	if (o.format == ANSWER_JSON)
		check_json(text, size);
	free(text);
	question_done(&f.q);
	return 0;
}
