/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a saved question: refused, or whole, that is saved again as the same bytes,
 * and fit for the printers of answers.
 *
 * The input is a file as --emit writes its section .skep, and behind it what comes as
 * records and elements of maps: two bytes at the end say how long the question is.
 */
#include "catalog/question-save.h"
#include "event/answer/answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { RECORD = 4096, ELEMENT = 1 << 16, RECORDS = 64 };

struct fuzz {
	struct question q;
	struct str rest;
};

/* As many bytes as are asked for: those of the input, over and over. */
static void fill(const struct fuzz *f, void *to, size_t n)
{
	unsigned char *bytes = to;

	for (size_t i = 0; i < n; i++)
		bytes[i] = f->rest.n ? (unsigned char)f->rest.p[i % f->rest.n] : 0;
}

static int element(void *ctx, uint32_t map, answer_item_fn fn, void *fn_ctx)
{
	struct fuzz *f = ctx;
	const struct question_map *m = &f->q.maps.p[map];
	size_t step = (m->value_size + 7) & ~7u;
	unsigned char *key, *values;

	if (m->key_size > ELEMENT || step > ELEMENT)
		return 0;
	key = malloc(m->key_size);
	values = malloc(2 * step);
	fill(f, key, m->key_size);
	fill(f, values, 2 * step);
	fn(fn_ctx, key, values, 2, step);
	free(key);
	free(values);
	return 0;
}

static int clear(void *ctx, uint32_t map)
{
	(void)ctx;
	(void)map;
	return 0;
}

static void answer(struct fuzz *f, enum answer_format format)
{
	struct answer_source source = {
		.ctx = f, .map_each = element, .map_clear = clear, .map_zero = clear};
	struct answer_options o = {.format = format, .is_safe = true};
	struct answer *a;
	char *text = NULL;
	size_t size = 0;

	o.out = o.err = open_memstream(&text, &size);
	a = answer_new(&f->q, &source, &o);
	for (uint32_t i = 0; i < f->q.actions.n && i < RECORDS; i++) {
		const struct type *args = f->q.actions.p[i].args;
		size_t payload = args && args->size < RECORD ? args->size : 8;
		struct wire_answer *record;

		if (f->q.actions.p[i].kind == QACTION_CAT ||
		    f->q.actions.p[i].kind == QACTION_SKBOUTPUT)
			continue; /* they open files */
		record = malloc(sizeof(*record) + payload);
		record->action = i;
		record->probe = 0;
		fill(f, record + 1, payload);
		answer_record(a, record, sizeof(*record) + payload);
		free(record);
	}
	answer_maps(a);
	answer_losses(a);
	answer_free(a);
	fclose(o.out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf again = {0}, same = {0};
	struct question other;
	struct fuzz f = {0};
	const char *why;
	size_t length;

	if (n < 2)
		return 0;
	length = data[n - 2] | (size_t)data[n - 1] << 8;
	if (length > n - 2)
		length = n - 2;
	f.rest = (struct str){(const char *)data + length, n - 2 - length};
	question_init(&f.q);
	if (question_load(&f.q, (struct str){(const char *)data, length}, &why) < 0) {
		assert(why);
		question_done(&f.q);
		return 0;
	}
	question_save(&f.q, NULL, &again);
	question_init(&other);
	assert(question_load(&other, buf_str(&again), &why) == 0);
	question_save(&other, NULL, &same);
	assert(str_eq(buf_str(&again), buf_str(&same)));
	question_done(&other);
	answer(&f, ANSWER_TEXT);
	answer(&f, ANSWER_JSON);
	question_done(&f.q);
	buf_done(&again);
	buf_done(&same);
	return 0;
}
