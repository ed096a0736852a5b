/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of processes: the program, its arguments, how it ended, who runs it and with what rights.
 *
 * A line shows a program by its arguments, as it would be typed into a shell.  The first of them
 * is the program's own choice, so its file is told as well wherever the two names differ.
 */
#include "event/decode.h"
#include "event/escape.h"
#include "event/resolve.h"
#include "event/value-internal.h"
#include "event/value.h"

#include <stdio.h>

/* --- the program */

/* Where its file is, unless the first argument says so already.  JSON has it in "process". */
VALUE(EXE)
{
	const struct wire_proc *p = record_of(v);
	struct str exe = record_str(p, p->exe), args = record_str(p, p->args);

	if (v->style == JSON)
		return false;
	args.n = strnlen(args.p ? args.p : "", args.n);
	return !str_eq(path_base(exe), path_base(args)) && put_str(v, exe);
}

static struct str next_arg(const char **p, size_t *n)
{
	const char *nul = memchr(*p, 0, *n);
	struct str arg = {*p, nul ? (size_t)(nul - *p) : *n};

	*p += arg.n + !!nul;
	*n -= arg.n + !!nul;
	return arg;
}

void text_args(struct buf *out, const char *args, size_t n)
{
	for (bool is_first = true; n; is_first = false) {
		if (!is_first)
			buf_putc(out, ' ');
		escape_arg(out, next_arg(&args, &n));
	}
}

void json_args(struct buf *out, const char *args, size_t n)
{
	buf_putc(out, '[');
	for (bool is_first = true; n; is_first = false) {
		if (!is_first)
			buf_putc(out, ',');
		escape_json(out, next_arg(&args, &n));
	}
	buf_putc(out, ']');
}

VALUE(ARGS)
{
	const struct wire_proc *p = record_of(v);

	if (!p->args.len)
		return false;
	(v->style == JSON ? json_args : text_args)(v->out, record_str(p, p->args).p, p->args.len);
	return true;
}

/* How much did not fit; of arguments that were not read at all that would say nothing. */
VALUE(ARGS_CUT)
{
	const struct wire_proc *p = record_of(v);

	return p->args_total > p->args.len && p->args.off &&
	       put_u64(v, p->args_total - p->args.len);
}

VALUE(CLONE_FLAGS)
{
	return put_bits(v, names_clone, u64_at(v));
}

/* --- its end: a code, or the signal in the lowest seven bits, as wait() has it */

static uint32_t end_signal(uint32_t status)
{
	return status & 0x7f;
}

static uint32_t end_code(uint32_t status)
{
	return status >> 8 & 0xff;
}

VALUE(STATUS)
{
	uint32_t status = u32_at(v), sig = end_signal(status);
	const char *name = name_of_signal(sig), *core = status & 0x80 ? " (core)" : "";
	char text[48];

	if (!sig)
		snprintf(text, sizeof(text), "exit %u", end_code(status));
	else if (name)
		snprintf(text, sizeof(text), "SIG%s%s", name, core);
	else /* a real-time signal */
		snprintf(text, sizeof(text), "SIG%u%s", sig, core);
	return put_name(v, "", text);
}

VALUE(EXIT_CODE)
{
	return !end_signal(u32_at(v)) && put_u64(v, end_code(u32_at(v)));
}

VALUE(EXIT_SIGNAL)
{
	uint32_t sig = end_signal(u32_at(v));

	return sig && put_name_or(v, "SIG", name_of_signal(sig), sig);
}

/* --- who, and what it may */

VALUE(UID)
{
	const char *name = stream_user(v->event->stream, u32_at(v));

	if (name)
		return put_str(v, str_of(name)); /* names of users are foreign text */
	return put_name_or(v, "", NULL, u32_at(v));
}

/* chown(2) leaves unchanged what is -1. */
VALUE(ID)
{
	return u32_at(v) != ~0u && put_u64(v, u32_at(v));
}

VALUE(CAPS)
{
	struct list l = {v, 0};
	uint64_t set = u64_at(v), all = (1ull << 41) - 1;

	if (v->style == TEXT && (set & all) == all)
		return put_name(v, "", "all");
	for (unsigned int i = 0; i < 64; i++)
		if ((set >> i & 1) && name_of_cap(i))
			list_add(&l, name_of_cap(i));
	if (l.n)
		return list_end(&l);
	buf_puts(v->out, v->style == JSON ? "[]" : "none"); /* that it has none is known */
	return true;
}
