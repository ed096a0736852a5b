/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A format and its values: as many of one as of the other, of types that go together.
 *
 *	% flags width .precision length conversion
 *
 * The conversions are C's for integers, %c and %p; %s takes anything and shows it as
 * print() would; %r, %rx, %rh show buffers; %gr allocation flags.  A % that begins none of
 * these is text.
 */
#include "compile/lang/bpftrace/check-rules.h"

struct spec {
	const char *begin, *end;
	char conversion[3]; /* "d", "rx", … */
	char length[4];
	bool left, plus, space, sharp, zero;
	int width, precision;
};

static const char *digits(const char *p, const char *end, int *ret)
{
	if (p < end && *p == '*')
		return p + 1;
	for (*ret = p < end && *p >= '0' && *p <= '9' ? 0 : *ret; p < end && *p >= '0' && *p <= '9';
	     p++)
		if (*ret < 100000)
			*ret = *ret * 10 + (*p - '0');
	return p;
}

static const char *flag(const char *p, const char *end, char which, bool *ret)
{
	*ret = p < end && *p == which;
	return p + *ret;
}

static bool conversion(const char *p, const char *end, struct spec *ret)
{
	static const char *const words[] = {"gr", "rh", "rx", "g", "r"};

	if (p < end && *p && strchr("diouxXeEfFGaAcspn%", *p)) {
		ret->conversion[0] = *p;
		ret->conversion[1] = 0;
		ret->end = p + 1;
		return true;
	}
	for (size_t i = 0; i < 5; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) < n || memcmp(p, words[i], n))
			continue;
		memcpy(ret->conversion, words[i], n + 1);
		ret->end = p + n;
		return true;
	}
	return false;
}

/* The specification at or behind `p`; false: there is no more. */
static bool next_spec(const char *p, const char *end, struct spec *ret)
{
	for (; p < end; p++) {
		const char *q = p + 1;
		size_t n = 0;

		if (*p != '%')
			continue;
		*ret = (struct spec){.begin = p, .width = -1, .precision = -1};
		q = flag(q, end, '-', &ret->left);
		q = flag(q, end, '+', &ret->plus);
		q = flag(q, end, ' ', &ret->space);
		q = flag(q, end, '#', &ret->sharp);
		q = flag(q, end, '0', &ret->zero);
		q = digits(q, end, &ret->width);
		if (q + 1 < end && *q == '.' && (q[1] == '*' || (q[1] >= '0' && q[1] <= '9')))
			q = digits(q + 1, end, &ret->precision);
		for (; q < end && *q && strchr("hlLjzt", *q); q++)
			if (n < sizeof(ret->length) - 1)
				ret->length[n++] = *q;
		if (conversion(q, end, ret))
			return true;
	}
	return false;
}

static bool takes(const struct spec *s, const struct type *t, bool *ret_known)
{
	*ret_known = true;
	if (!strcmp(s->conversion, "s"))
		return true;
	if (s->conversion[0] == 'r')
		return t->kind == TYPE_BUFFER;
	if (!strcmp(s->conversion, "gr") || strchr("diouxXcp", s->conversion[0]))
		return is_integer(t) || t->kind == TYPE_BOOL || t->kind == TYPE_POINTER;
	*ret_known = false;
	return false;
}

static bool check_spec(struct check *c, struct expr *call, const struct spec *s, struct expr *e)
{
	const struct type *t = expr_type(c, e);
	bool is_known;

	if (t->kind == TYPE_NONE && c->d->errors)
		return false;
	if (t->kind == TYPE_NONE || t->kind == TYPE_VOID) {
		diag(c->d, D_FORMAT, call->span, "unable to print none type for specifier: %s",
		     s->conversion);
		return false;
	}
	if (takes(s, t, &is_known))
		return true;
	if (!is_known)
		diag(c->d, D_FORMAT, call->span, "unsupported format specifier: %s", s->conversion);
	else
		diag(c->d, D_FORMAT, call->span, "unsupported format specifier for type '%s': %s",
		     type_str(c, t), s->conversion);
	if (is_string(t))
		diag_hint(c->d, "%%s shows text");
	else if (is_integer(t))
		diag_hint(c->d, "%%d shows a number, %%x in hexadecimal");
	return false;
}

/* The kernel's own printk takes less. */
static void check_debugf_spec(struct check *c, struct expr *call, const struct spec *s,
			      struct expr *e)
{
	const struct type *t = expr_type(c, e);

	if (!strchr("duxps", s->conversion[0]) || s->conversion[1]) {
		diag(c->d, D_FORMAT, call->items.p[0]->span,
		     "Invalid format specifier for `debugf`: %s", s->conversion);
		return;
	}
	if (s->conversion[0] == 's' ? !is_string(t) : !is_integer(t))
		diag(c->d, D_FORMAT, e->span, "Type does not match format specifier: %s",
		     s->conversion);
}

/* Never NULL: what is no text has an error already. */
static struct str format_of(const struct expr *call)
{
	return call->items.p[0]->text.p ? call->items.p[0]->text : STR("");
}

static size_t count_specs(struct str text)
{
	const char *end = text.p + text.n;
	struct spec s = {.end = text.p};
	size_t n = 0;

	while (next_spec(s.end, end, &s))
		n += s.conversion[0] != '%';
	return n;
}

/* A percent sign that begins no conversion is printed as it is: who wrote it may not know. */
static void hint_conversion(struct check *c, struct str text)
{
	const char *end = text.p + text.n, *at = text.p;
	struct spec s;

	for (; (at = memchr(at, '%', (size_t)(end - at))) && at + 1 < end; at = s.end) {
		if (next_spec(at, end, &s) && s.begin == at)
			continue;
		diag_hint(c->d, "%%%c is no conversion", at[1]);
		return;
	}
}

void check_format(struct check *c, struct expr *call)
{
	struct str text = format_of(call);
	size_t n_args = call->items.n - 1, n = count_specs(text), i = 1;
	const char *end = text.p + text.n;
	struct spec s = {.end = text.p};

	if (n != n_args) {
		diag(c->d, D_FORMAT, call->span,
		     "%s arguments for format string (%zu supplied, %zu expected)",
		     n_args < n ? "not enough" : "too many", n_args, n);
		hint_conversion(c, text);
		return;
	}
	while (next_spec(s.end, end, &s)) {
		struct expr *e;

		if (s.conversion[0] == '%')
			continue;
		e = call->items.p[i++];
		if (!check_spec(c, call, &s, e))
			return;
		if (call->builtin->id == BUILTIN_DEBUGF)
			check_debugf_spec(c, call, &s, e);
	}
}

static void print_literal(struct buf *b, const struct spec *s, const struct expr *e)
{
	if (e->kind == EXPR_STRING)
		buf_printf(b, "%.*s", (int)e->text.n, e->text.p);
	else if (e->kind == EXPR_BOOL && s->conversion[0] == 's')
		buf_puts(b, e->number ? "true" : "false");
	else if (s->conversion[0] == 'x')
		buf_printf(b, "%llx", (unsigned long long)e->number);
	else if (e->is_negative)
		buf_printf(b, "%lld", (long long)e->number);
	else
		buf_printf(b, "%llu", (unsigned long long)e->number);
}

const char *format_literals(struct check *c, struct expr *call)
{
	struct str text = format_of(call);
	const char *end = text.p + text.n, *from = text.p;
	_cleanup_buf_ struct buf b = {};
	struct spec s = {.end = text.p};
	size_t i = 1;

	while (next_spec(s.end, end, &s)) {
		buf_add(&b, from, (size_t)(s.begin - from));
		from = s.end;
		if (s.conversion[0] == '%')
			buf_putc(&b, '%');
		else if (i < call->items.n)
			print_literal(&b, &s, call->items.p[i++]);
	}
	buf_add(&b, from, (size_t)(end - from));
	return arena_strndup(c->a, b.p ? b.p : "", b.n);
}
