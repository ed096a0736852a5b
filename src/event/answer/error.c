/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors and warnings while a script runs: with their place in it, to standard error; in
 * JSON as objects among the others.
 */
#include "event/answer/answer-internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAP_FULL                                                                 \
	"Map full; can't update element. Try increasing max_map_keys config or " \
	"manually setting the max entries in a map declaration e.g. `let @a = hash(5000)`"

/* "stdin:1:9-62"; false: it has no place. */
static bool put_place(const struct answer *a, struct span span, struct buf *to)
{
	const struct diags *d = &a->q->diags;
	struct place p;

	if (span.file >= d->sources.n || !span.end)
		return false;
	p = diag_place(d, span);
	if (p.line != p.end_line)
		buf_printf(to, "%s:%u-%u", d->sources.p[span.file].name, p.line, p.end_line);
	else
		buf_printf(to, "%s:%u:%u-%u", d->sources.p[span.file].name, p.line, p.column,
			   p.end_column);
	return true;
}

static void write_err(struct answer *a, const struct buf *text)
{
	if (!a->o.err || !text->n)
		return;
	if (a->o.out)
		fflush(a->o.out); /* one terminal: in the order of the script */
	fwrite(text->p, 1, text->n, a->o.err);
	fflush(a->o.err);
}

static void json_place(struct answer *a, struct span span, struct buf *to)
{
	const struct diags *d = &a->q->diags;
	struct place p = {};
	const char *name = "";

	if (span.file < d->sources.n && span.end) {
		p = diag_place(d, span);
		name = d->sources.p[span.file].name;
	}
	buf_puts(to, ", \"filename\": ");
	put_json_text(to, str_of(name));
	buf_printf(to, ", \"line\": %u, \"col\": %u}\n", p.line, p.column);
}

static void json_begin(struct answer *a, const char *type, struct str message)
{
	buf_reset(&a->line);
	buf_printf(&a->line, "{\"type\": \"%s\", \"msg\": ", type);
	put_json_text(&a->line, message);
}

/* A message with its place, the line there, and the macros' calls that led to it. */
static void put_diagnostic(struct answer *a, struct span span, const char *text,
			   enum severity severity, struct buf *to)
{
	struct diags d = a->q->diags; /* its sources; the list is ours */
	struct diagnostic x = {.severity = severity, .span = span, .text = text};

	if (span.file >= d.sources.n || !span.end)
		x.span.file = UINT32_MAX;
	d.list.p = &x;
	d.list.n = 1;
	diags_print(&d, a->o.colour, to);
}

/* The line is that of the call itself, so it is not shown; those of macros' calls are. */
static void put_expansion(struct answer *a, struct span span, enum severity severity,
			  struct buf *to)
{
	const struct diags *d = &a->q->diags;

	if (span.end && span.file < d->sources.n && d->sources.p[span.file].is_expansion)
		put_diagnostic(a, d->sources.p[span.file].from, "expanded from", severity, to);
}

/* One line, its place before it, in colour as a whole. */
void error_say(struct answer *a, const struct question_action *x, struct str text, bool is_error)
{
	if (!is_error && a->o.no_warnings)
		return;
	if (a->o.format == ANSWER_JSON) {
		json_begin(a, is_error ? "errorf" : "warnf", text);
		json_place(a, x->span, &a->line);
		answer_write(a, &a->line);
		return;
	}
	if (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	buf_reset(&a->line);
	if (a->o.colour)
		buf_puts(&a->line, is_error ? "\033[31m" : "\033[33m");
	if (put_place(a, x->span, &a->line))
		buf_puts(&a->line, ": ");
	buf_puts(&a->line, is_error ? "ERROR: " : "WARNING: ");
	buf_put_str(&a->line, text);
	buf_puts(&a->line, a->o.colour ? "\033[0m\n" : "\n");
	put_expansion(a, x->span, is_error ? SEV_ERROR : SEV_WARNING, &a->line);
	write_err(a, &a->line);
}

void error_plain(struct answer *a, const char *format, ...)
{
	va_list ap;
	char text[1024];

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	buf_reset(&a->line);
	buf_printf(&a->line, a->o.colour ? "\033[31mERROR: %s\033[0m\n" : "ERROR: %s\n", text);
	write_err(a, &a->line);
}

static void warn(struct answer *a, struct span span, const char *text)
{
	buf_reset(&a->line);
	put_diagnostic(a, span, text, SEV_WARNING, &a->line);
	write_err(a, &a->line);
}

void error_warn(struct answer *a, struct span span, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		abort();
	va_end(ap);
	warn(a, span, text);
}

/* A helper's name without bpf_. */
static const char *helper_name(const struct question_action *x)
{
	const char *name = x->text ? x->text : "";

	return strncmp(name, "bpf_", 4) ? name : name + 4;
}

static const char *helper_text(const char *helper, int result)
{
	const char *text;

	if (!strcmp(helper, "map_update_elem") && result == -E2BIG)
		return MAP_FULL;
	if (!strcmp(helper, "map_delete_elem") && result == -ENOENT)
		return "Can't delete map element because it does not exist.";
	if (!strcmp(helper, "map_lookup_elem"))
		return "Can't lookup map element because it does not exist.";
	text = result < 0 && result > -4096 ? strerrordesc_np(-result) : NULL;
	return text ? text : "Unknown error";
}

/* When it fails a script sees a zero; that alone is worth a word only if it is asked for. */
static bool gives_zero(const char *helper)
{
	return !strncmp(helper, "probe_read", 10) || !strcmp(helper, "map_lookup_elem");
}

void error_helper(struct answer *a, const struct question_action *x, int result)
{
	const char *helper = helper_name(x), *text;

	if (a->o.no_warnings || (!a->o.is_verbose_errors && gives_zero(helper)))
		return;
	if (a->o.format == ANSWER_TEXT) {
		error_warn(a, x->span, "%s\nAdditional Info - helper: %s, retcode: %d",
			   helper_text(helper, result), helper, result);
		return;
	}
	text = result < 0 && result > -4096 ? strerrordesc_np(-result) : NULL;
	json_begin(a, "helper_error", str_of(text ? text : "Unknown error"));
	buf_puts(&a->line, ", \"helper\": ");
	put_json_text(&a->line, str_of(helper));
	buf_printf(&a->line, ", \"retcode\": %d", result);
	json_place(a, x->span, &a->line);
	answer_write(a, &a->line);
}

void error_runtime(struct answer *a, const struct question_action *x)
{
	if (a->o.no_warnings)
		return;
	if (a->o.format == ANSWER_TEXT) {
		warn(a, x->span, x->text ? x->text : "");
		return;
	}
	json_begin(a, "runtime_error", str_of(x->text));
	json_place(a, x->span, &a->line);
	answer_write(a, &a->line);
}

/* --- losses: what was counted without a record */

static void say_ring(struct answer *a, uint64_t n)
{
	if (a->o.format == ANSWER_TEXT) {
		buf_reset(&a->line);
		buf_printf(&a->line, "Lost %llu events\n", (unsigned long long)n);
		write_err(a, &a->line);
		return;
	}
	buf_reset(&a->line);
	buf_printf(&a->line,
		   "{\"type\": \"lost_events\", \"count\": %llu, \"data\": {\"events\": %llu}}\n",
		   (unsigned long long)n, (unsigned long long)n);
	answer_write(a, &a->line);
}

/* A full map has a form that readers of bpftrace's JSON know. */
static void json_map_full(struct answer *a, const struct question_loss *x, uint64_t n)
{
	json_begin(a, "helper_error", str_of(strerrordesc_np(E2BIG)));
	buf_printf(&a->line,
		   ", \"helper\": \"map_update_elem\", \"retcode\": %d, \"map\": ", -E2BIG);
	put_json_text(&a->line, str_of(x->what));
	buf_printf(&a->line, ", \"count\": %llu", (unsigned long long)n);
	json_place(a, x->span, &a->line);
	answer_write(a, &a->line);
}

static void json_loss(struct answer *a, const struct question_loss *x, uint64_t n)
{
	static const char *const causes[] = {
		[QLOSS_RING] = "ring",	   [QLOSS_MAP] = "map",	  [QLOSS_STACK] = "stack",
		[QLOSS_STRING] = "string", [QLOSS_READ] = "read",
	};

	buf_reset(&a->line);
	buf_printf(&a->line, "{\"type\": \"loss\", \"cause\": \"%s\", \"what\": ", causes[x->kind]);
	put_json_text(&a->line, str_of(x->what));
	buf_printf(&a->line, ", \"count\": %llu", (unsigned long long)n);
	json_place(a, x->span, &a->line);
	answer_write(a, &a->line);
}

static void say_loss(struct answer *a, const struct question_loss *x, uint64_t n)
{
	const char *what = x->what ? x->what : "";
	unsigned long long count = n;

	if (x->kind == QLOSS_RING) {
		say_ring(a, n);
		return;
	}
	if (a->o.no_warnings)
		return;
	if (a->o.format == ANSWER_JSON) {
		if (x->kind == QLOSS_MAP)
			json_map_full(a, x, n);
		else
			json_loss(a, x, n);
		return;
	}
	switch (x->kind) {
	case QLOSS_RING:
		break;
	case QLOSS_MAP:
		error_warn(a, x->span,
			   "%s\nAdditional Info - helper: map_update_elem, retcode: %d, map: %s, "
			   "times: %llu",
			   MAP_FULL, -E2BIG, what, count);
		break;
	case QLOSS_STACK:
		error_warn(a, x->span, "No room for the frames of %llu stack%s%s%s", count,
			   count == 1 ? "" : "s", *what ? ": " : "", what);
		break;
	case QLOSS_STRING:
		error_warn(a, x->span, "%llu string%s cut: %s", count,
			   count == 1 ? " was" : "s were", what);
		break;
	case QLOSS_READ:
		error_warn(a, x->span, "%llu read%s of memory failed and gave 0%s%s", count,
			   count == 1 ? "" : "s", *what ? ": " : "", what);
		break;
	}
}

void answer_losses(struct answer *a)
{
	if (!a->source.loss)
		return;
	for (uint32_t i = 0; i < a->q->losses.n; i++) {
		uint64_t n = a->source.loss(a->source.ctx, i);

		if (n > a->losses_said[i])
			say_loss(a, &a->q->losses.p[i], n - a->losses_said[i]);
		a->losses_said[i] = MAX(n, a->losses_said[i]);
	}
}
