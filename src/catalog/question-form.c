/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form's parts: numbers, text, types.
 *
 * A type is defined where it is first met and has a number from then on, given when all
 * that it holds is known: so a type never holds itself, whatever the bytes say.  Kernel
 * structs lead by pointers to half the kernel; behind a pointer only the outside is kept
 * (a stub: name and size), since nothing that prints a value looks further.
 */
#include "catalog/question-form.h"

enum {
	TYPE_NULL,
	TYPE_DEFINED_HERE,
	TYPE_KNOWN, /* + its number */
	DEPTH = 64,
	NUMBER_BYTES = 10,
};

void form_wrong(struct form *f, const char *what)
{
	if (!f->wrong)
		f->wrong = what;
	f->p = f->end;
}

uint64_t form_number(struct form *f, uint64_t v)
{
	uint64_t got = 0;

	if (!f->is_reading) {
		for (uint64_t left = v;; left >>= 7) {
			buf_putc(f->to, (char)((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
			if (left <= 0x7f)
				return v;
		}
	}
	for (unsigned int i = 0; i < NUMBER_BYTES && f->p < f->end; i++) {
		unsigned char byte = *f->p++;

		got |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			if (i == NUMBER_BYTES - 1 && byte > 1)
				break;
			if (i && !byte) /* one way to write a number */
				break;
			return got;
		}
	}
	form_wrong(f, "a number");
	return 0;
}

size_t form_count(struct form *f, size_t n)
{
	uint64_t got = form_number(f, n);

	if (f->is_reading && got > (uint64_t)(f->end - f->p))
		form_wrong(f, "a list");
	return f->wrong ? 0 : got;
}

void form_bytes(struct form *f, const void **p, size_t *n)
{
	*n = form_count(f, *n);
	if (!f->is_reading) {
		buf_add(f->to, *p, *n);
		return;
	}
	*p = f->wrong ? NULL : arena_copy(f->arena, f->p, *n);
	f->p += *n;
}

/* Length + 1, 0: there is none; a NUL inside would end it early. */
void form_string(struct form *f, const char **s)
{
	size_t n = form_count(f, *s ? strlen(*s) + 1 : 0);

	if (!f->is_reading) {
		if (n)
			buf_add(f->to, *s, n - 1);
		return;
	}
	*s = NULL;
	if (!n || f->wrong)
		return;
	if (memchr(f->p, 0, n - 1)) {
		form_wrong(f, "a text");
		return;
	}
	*s = arena_strndup(f->arena, (const char *)f->p, n - 1);
	f->p += n - 1;
}

/* --- types */

static void walk_member(struct form *f, struct type_member *m)
{
	form_string(f, &m->name);
	NUMBER(f, m->offset);
	NUMBER(f, m->bit_offset);
	NUMBER(f, m->bits);
	FLAG(f, m->is_data_loc);
	FLAG(f, m->is_rel_loc);
	NUMBER(f, m->loc_offset);
	form_type(f, &m->type, false);
	if (!m->type || m->bit_offset > 63 || m->bits > 64 || m->bit_offset + m->bits > 64)
		form_wrong(f, "a member");
}

static void walk_enumerator(struct form *f, struct type_enumerator *e)
{
	form_string(f, &e->name);
	SIGNED(f, e->value);
	if (!e->name)
		form_wrong(f, "an enumerator");
}

static void walk_stack(struct form *f, struct type *t)
{
	NUMBER(f, t->stack.limit);
	BELOW(f, t->stack.mode, STACK_BUILD_ID + 1);
}

static void walk_lhist(struct form *f, struct type *t)
{
	SIGNED(f, t->agg.min);
	SIGNED(f, t->agg.max);
	SIGNED(f, t->agg.step);
	if (t->agg.step <= 0 || t->agg.max < t->agg.min)
		form_wrong(f, "a histogram");
}

static void walk_tseries(struct form *f, struct type *t)
{
	NUMBER(f, t->agg.interval_ns);
	NUMBER(f, t->agg.intervals);
	BELOW(f, t->agg.agg, TSERIES_SUM + 1);
	if (!t->agg.interval_ns || !t->agg.intervals || t->agg.intervals > 1 << 20)
		form_wrong(f, "a time series");
}

/* The part that only some kinds have. */
static void walk_rest(struct form *f, struct type *t)
{
	if (t->kind == TYPE_KSTACK || t->kind == TYPE_USTACK)
		walk_stack(f, t);
	else if (t->kind == TYPE_HIST)
		BELOW(f, t->agg.bits, 6);
	else if (t->kind == TYPE_LHIST)
		walk_lhist(f, t);
	else if (t->kind == TYPE_TSERIES)
		walk_tseries(f, t);
	else if (t->kind == TYPE_INT || t->kind == TYPE_TIMESTAMP) {
		NUMBER(f, t->time.mode);
		NUMBER(f, t->time.format);
	}
}

static void walk_type(struct form *f, struct type *t, bool is_stub)
{
	BELOW(f, t->kind, TYPE_KINDS);
	FLAG(f, t->is_signed);
	FLAG(f, t->is_union);
	FLAG(f, t->is_anonymous);
	FLAG(f, t->is_tracepoint_ctx);
	FLAG(f, t->is_internal);
	FLAG(f, t->is_btf);
	FLAG(f, t->is_sign_flexible);
	FLAG(f, t->is_chars);
	FLAG(f, t->is_ctx);
	FLAG(f, t->is_chars);
	BELOW(f, t->space, SPACE_BPF + 1);
	NUMBER(f, t->size);
	NUMBER(f, t->align);
	NUMBER(f, t->n);
	form_string(f, &t->name);
	form_string(f, &t->spelling);
	if (t->size > 1u << 30)
		form_wrong(f, "a type's size");
	t->btf_id = 0; /* of the kernel that compiled it */
	if ((t->kind == TYPE_POINTER || t->kind == TYPE_ARRAY) && !t->of)
		t->of = &type_void;
	form_type(f, &t->of, is_stub || t->kind == TYPE_POINTER);
	if ((t->kind == TYPE_POINTER || t->kind == TYPE_ARRAY) && !t->of)
		form_wrong(f, "a type");
	if (is_stub) {
		t->is_complete = t->is_complete && t->kind != TYPE_STRUCT;
		t->n_members = t->n_enumerators = 0;
	}
	FLAG(f, t->is_complete);
	ROWS(f, struct type_member, t->members, t->n_members, walk_member);
	ROWS(f, struct type_enumerator, t->enumerators, t->n_enumerators, walk_enumerator);
	walk_rest(f, t);
}

static size_t known(const struct form *f, const struct type *t, bool is_stub)
{
	for (size_t i = f->types.n; i--;)
		if (f->types.p[i] == t && f->types_are_stubs.p[i] == is_stub)
			return i;
	return SIZE_MAX;
}

void form_type(struct form *f, const struct type **t, bool is_stub)
{
	struct type copy, *made = &copy;
	uint64_t word = TYPE_NULL;

	if (!f->is_reading && *t) {
		size_t at = known(f, *t, is_stub);

		word = at == SIZE_MAX ? TYPE_DEFINED_HERE : TYPE_KNOWN + at;
	}
	word = form_number(f, word);
	if (f->is_reading)
		*t = NULL;
	if (word == TYPE_NULL || f->wrong)
		return;
	if (word >= TYPE_KNOWN) {
		if (f->is_reading && word - TYPE_KNOWN < f->types.n &&
		    f->types_are_stubs.p[word - TYPE_KNOWN] == is_stub)
			*t = f->types.p[word - TYPE_KNOWN];
		else if (f->is_reading)
			form_wrong(f, "a type");
		return;
	}
	if (f->is_reading)
		made = arena_new(f->arena, struct type);
	else
		copy = **t;
	if (f->depth++ >= DEPTH)
		form_wrong(f, "a type");
	walk_type(f, made, is_stub);
	f->depth--;
	if (f->is_reading)
		*t = made;
	array_push(f->arena, &f->types, *t);
	array_push(f->arena, &f->types_are_stubs, is_stub);
}
