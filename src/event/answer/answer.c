/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records become answers: one row a kind of action.
 *
 * A record comes from a program that we made, yet its length is checked against its
 * action's type before anything is read: a ring can be fed by who holds its descriptor.
 */
#include "event/answer/answer-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct answer *answer_new(const struct question *q, const struct answer_source *source,
			  const struct answer_options *o)
{
	struct answer *a = xalloc(sizeof(*a));

	a->q = q;
	a->source = *source;
	a->o = *o;
	a->losses_said = xalloc((q->losses.n + 1) * sizeof(*a->losses_said));
	a->is_terminal =
		o->format == ANSWER_TEXT && o->out && fileno(o->out) >= 0 && isatty(fileno(o->out));
	return a;
}

void answer_free(struct answer *a)
{
	if (!a)
		return;
	captures_free(a->captures);
	names_free(a->names);
	buf_done(&a->line);
	free(a->losses_said);
	free(a);
}

int answer_exit_code(const struct answer *a)
{
	return a->exit_code;
}

unsigned int answer_errors(const struct answer *a)
{
	return a->errors;
}

void answer_write(struct answer *a, const struct buf *text)
{
	if (a->o.out && text->n)
		fwrite(text->p, 1, text->n, a->o.out);
}

void answer_text(struct answer *a, const char *type, struct str text, const char *end)
{
	struct buf *line = &a->line;

	if (a->o.format == ANSWER_TEXT) {
		if (a->o.out) {
			fwrite(text.p, 1, text.n, a->o.out);
			fputs(end, a->o.out);
		}
		return;
	}
	buf_reset(line);
	buf_printf(line, "{\"type\": \"%s\", \"data\": ", type);
	put_json_text(line, text);
	buf_puts(line, "}\n");
	answer_write(a, line);
}

/* --- the actions.  0; 1: the script is over; negative: not a record. */

static struct buf formatted(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = {0};

	buf_reserve(&text, 1);
	text.p[0] = 0;
	format_text(a, x->format ? x->format : "", x->args, b, &text);
	return text;
}

static int do_printf(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text;

	if (a->o.format == ANSWER_TEXT) { /* most records: without a buffer of their own */
		buf_reset(&a->line);
		format_text(a, x->format ? x->format : "", x->args, b, &a->line);
		answer_write(a, &a->line);
		return 0;
	}
	text = formatted(a, x, b);
	answer_text(a, "printf", buf_str(&text), "");
	buf_done(&text);
	return 0;
}

static int do_errorf(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = formatted(a, x, b);

	a->errors++;
	error_say(a, x, buf_str(&text), true);
	buf_done(&text);
	return 0;
}

static int do_warnf(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = formatted(a, x, b);

	error_say(a, x, buf_str(&text), false);
	buf_done(&text);
	return 0;
}

/* The kernel wrote it into its trace pipe already. */
static int do_nothing(struct answer *a, const struct question_action *x, struct bytes b)
{
	(void)a;
	(void)x;
	(void)b;
	return 0;
}

static int do_system(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = formatted(a, x, b);

	shell_system(a, text.p);
	buf_done(&text);
	return 0;
}

static int do_cat(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = formatted(a, x, b);

	shell_cat(a, text.p);
	buf_done(&text);
	return 0;
}

static int do_join(struct answer *a, const struct question_action *x, struct bytes b)
{
	shell_join(a, x->text, x->args, b);
	return 0;
}

static int do_time(struct answer *a, const struct question_action *x, struct bytes b)
{
	struct buf text = {0};
	struct timespec now;

	(void)b;
	clock_gettime(CLOCK_REALTIME, &now);
	time_format(x->text ? x->text : "%H:%M:%S\n",
		    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, false, &text);
	answer_text(a, "time", buf_str(&text), "");
	buf_done(&text);
	return 0;
}

static void print_value(struct answer *a, const struct type *t, struct bytes b)
{
	bool json = a->o.format == ANSWER_JSON;

	buf_reset(&a->line);
	if (json)
		buf_puts(&a->line, "{\"type\": \"value\", \"data\": ");
	value_put(a, answer_form(a), t, b, 0, &a->line);
	buf_puts(&a->line, json ? "}\n" : "\n");
	answer_write(a, &a->line);
}

static int do_print(struct answer *a, const struct question_action *x, struct bytes b)
{
	const struct type *t;
	struct bytes value = value_member(x->args, 0, b, &t);

	print_value(a, t, value);
	return 0;
}

/* (key, value), or (key): then the value is read here, over all cpus. */
static int do_print_map_key(struct answer *a, const struct question_action *x, struct bytes b)
{
	const struct type *t;
	struct bytes key = value_member(x->args, 0, b, &t);

	if (x->args && x->args->n_members > 1) {
		b = value_member(x->args, 1, b, &t);
		print_value(a, t, b);
	} else {
		map_print_element(a, x->map, key);
	}
	return 0;
}

static uint32_t number(const struct question_action *x, unsigned int i, struct bytes b)
{
	const struct type *t;
	struct bytes value = value_member(x->args, i, b, &t);

	return (uint32_t)value_number(t, value);
}

static int do_print_map(struct answer *a, const struct question_action *x, struct bytes b)
{
	map_print_asked(a, x->map, number(x, 0, b), number(x, 1, b));
	return 0;
}

static int do_clear(struct answer *a, const struct question_action *x, struct bytes b)
{
	(void)b;
	if (a->source.map_clear && x->map < a->q->maps.n)
		a->source.map_clear(a->source.ctx, x->map);
	return 0;
}

static int do_zero(struct answer *a, const struct question_action *x, struct bytes b)
{
	(void)b;
	if (a->source.map_zero && x->map < a->q->maps.n)
		a->source.map_zero(a->source.ctx, x->map);
	return 0;
}

static int do_exit(struct answer *a, const struct question_action *x, struct bytes b)
{
	a->exit_code = (int)(number(x, 0, b) & 0xff);
	return 1;
}

/* (time, packet): the packet is the last member, or all that stands behind the members. */
static int do_skboutput(struct answer *a, const struct question_action *x, struct bytes b)
{
	const struct type *t;
	struct bytes time = value_member(x->args, 0, b, &t), packet;
	size_t known = x->args ? x->args->size : 0;

	packet = value_member(x->args, 1, b, &t);
	if (t->kind == TYPE_BUFFER && packet.n >= 4)
		packet = (struct bytes){packet.p + 4, MIN(bytes_uint(packet, 4), packet.n - 4)};
	else if (!packet.n)
		packet = bytes_part(b, known, b.n - MIN(known, b.n));
	if (x->text)
		capture_write(a, x->text, bytes_uint(time, 8), packet);
	return 0;
}

static int do_unwatch(struct answer *a, const struct question_action *x, struct bytes b)
{
	const struct type *t;
	struct bytes address = value_member(x->args, 0, b, &t);

	if (a->source.unwatch)
		a->source.unwatch(a->source.ctx, bytes_uint(address, 8));
	return 0;
}

static int do_helper_error(struct answer *a, const struct question_action *x, struct bytes b)
{
	const struct type *t;
	struct bytes result = value_member(x->args, 0, b, &t);

	error_helper(a, x, (int)bytes_int(result, MIN(result.n, 4u)));
	return 0;
}

static int do_runtime_error(struct answer *a, const struct question_action *x, struct bytes b)
{
	(void)b;
	error_runtime(a, x);
	return 0;
}

static int (*const actions[])(struct answer *, const struct question_action *, struct bytes) = {
	[QACTION_PRINTF] = do_printf,
	[QACTION_ERRORF] = do_errorf,
	[QACTION_WARNF] = do_warnf,
	[QACTION_FAIL] = do_errorf,
	[QACTION_DEBUGF] = do_nothing,
	[QACTION_SYSTEM] = do_system,
	[QACTION_CAT] = do_cat,
	[QACTION_JOIN] = do_join,
	[QACTION_TIME] = do_time,
	[QACTION_PRINT] = do_print,
	[QACTION_PRINT_MAP] = do_print_map,
	[QACTION_PRINT_MAP_KEY] = do_print_map_key,
	[QACTION_CLEAR] = do_clear,
	[QACTION_ZERO] = do_zero,
	[QACTION_EXIT] = do_exit,
	[QACTION_SKBOUTPUT] = do_skboutput,
	[QACTION_UNWATCH] = do_unwatch,
	[QACTION_HELPER_ERROR] = do_helper_error,
	[QACTION_RUNTIME_ERROR] = do_runtime_error,
};

int answer_record(struct answer *a, const struct wire_answer *record, size_t n)
{
	const struct question_action *x;
	struct wire_answer head;
	struct bytes b;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, record, sizeof(head));
	if (head.action >= a->q->actions.n)
		return -EBADMSG;
	x = &a->q->actions.p[head.action];
	b = (struct bytes){(const uint8_t *)record + sizeof(head), n - sizeof(head)};
	if (x->args && b.n < x->args->size)
		return -EBADMSG;
	if (x->kind >= ELEMENTS(actions) || !actions[x->kind])
		return -EBADMSG;
	return actions[x->kind](a, x, b);
}

/* --- around the records */

void answer_attached(struct answer *a, unsigned int n)
{
	if (a->o.format == ANSWER_JSON) {
		buf_reset(&a->line);
		buf_printf(&a->line,
			   "{\"type\": \"attached_probes\", \"count\": %u, \"data\": "
			   "{\"probes\": %u}}\n",
			   n, n);
		answer_write(a, &a->line);
	} else if (a->o.err) {
		fprintf(a->o.err, "Attached %u probe%s\n", n, n == 1 ? "" : "s");
	}
}

static int compare_names(const void *x, const void *y, void *ctx)
{
	const struct question *q = ctx;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	int r = strcmp(q->maps.p[a].name, q->maps.p[b].name);

	return r ? r : a < b ? -1 : a > b;
}

/* Two empty lines, then the maps by name. */
void answer_maps(struct answer *a)
{
	const struct question *q = a->q;
	_cleanup_free_ uint32_t *order = xalloc((q->maps.n + 1) * sizeof(*order));
	size_t n = 0;

	if (a->o.format == ANSWER_TEXT && a->o.out)
		fputs("\n\n", a->o.out);
	if (a->o.quiet_maps || !q->config.print_maps_on_exit || !a->source.map_each)
		return;
	for (uint32_t i = 0; i < q->maps.n; i++)
		if (q->maps.p[i].kind == QMAP_NAMED && q->maps.p[i].name)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), compare_names, (void *)q);
	for (size_t i = 0; i < n; i++)
		map_print(a, order[i], 0, 0);
}
