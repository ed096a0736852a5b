/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets inside a word: behind a name, in a URL, or told by their shape. */
#include "event/redact-walk.h"

enum {
	CUT_MIN = 8,	/* bytes of a shape that the end of a cut block interrupts */
	LABEL_MAX = 64, /* of a PEM block */
	USER_MIN = 20,	/* bytes of a URL's user part that is rather a token */
};

static const struct shape {
	struct str prefix;
	uint16_t kinds;
	uint8_t min;
} shapes[] = {
#define SHAPE(prefix, bits, min) {STR(prefix), bits, min},
#include "event/redact.def"
};

/* The begin of the name that ends at p. */
static char *name_begin(struct redact *s, char *p)
{
	while (p > s->arg && is(p[-1], IN_NAME))
		p--;
	return p;
}

static char *skip_back(struct redact *s, char *p)
{
	while (p > s->arg && p[-1] == ' ')
		p--;
	return p;
}

/* At "=": is there a secret's name before it? */
static char *assignment(struct redact *s, char *p)
{
	char *end = p, *v = p + 1, *name, before;
	const struct secret_word *w;

	end = skip_back(s, end);
	v += v < s->arg_end && *v == '>';
	if (end < p || (v < s->arg_end && *v == ' ')) {
		/* name = value is prose as often as not: only if the value is quoted */
		while (v < s->arg_end && *v == ' ')
			v++;
		if (v == s->arg_end || !is(*v, QUOTE))
			return p + 1;
	}
	if (end > s->arg && strchr(":+?]", end[-1]))
		end--;
	else if (end - s->arg > 3 && end[-3] == '%' && end[-2] == '5' && (end[-1] | 32) == 'd')
		end -= 3; /* user%5Bpassword%5D=X */
	if (end > s->arg && is(end[-1], QUOTE))
		end--;
	name = name_begin(s, end);
	w = name < end ? redact_name(name, end) : NULL;
	before = name > s->arg ? name[-1] : 0;
	if (!w || (w->bits & QUERY && before != '?' && before != '&'))
		return p + 1;
	return redact_value(s, v, redact_value_end(s, name, v), w->bits);
}

/* Is it a token, and not somebody's name?  Those with a prefix are found by their shape. */
static bool is_token(const char *p, const char *end)
{
	bool has_digit = false;

	for (const char *q = p; q < end; q++) {
		if (!is(*q, ALNUM))
			return false;
		has_digit |= is(*q, DIGIT) != 0;
	}
	return has_digit && end - p >= USER_MIN;
}

/* scheme://user:SECRET@host or scheme://SECRET@host, with p at the first colon */
static char *url(struct redact *s, char *p)
{
	char *user = p + 3, *colon, *at = NULL, *q;

	for (q = user; q < s->arg_end && !is(*q, SPACE | QUOTE) && !strchr("/?#<>\\", *q); q++)
		if (*q == '@')
			at = q;
	colon = at ? memchr(user, ':', at - user) : NULL;
	if (colon)
		return redact_value(s, colon + 1, at, 0);
	return at && is_token(user, at) ? redact_value(s, user, at, 0) : user;
}

/* At ":" after a name in quotes, as in JSON. */
static char *json_member(struct redact *s, char *name, char *v, const struct secret_word *w)
{
	char *end;

	if (name == s->arg || !is(name[-1], QUOTE))
		return v;
	if (v + 1 < s->arg_end && *v == '\\' && is(v[1], QUOTE))
		v++;
	if (is(*v, QUOTE)) {
		end = redact_closing(s, v);
		return end ? redact_value(s, v + 1, end, w->bits)
			   : redact_value(s, v + 1, s->arg_end, w->bits);
	}
	if (*v == '{' || *v == '[')
		return v;
	for (end = v; end < s->arg_end && !is(*end, SPACE) && !strchr(",]}", *end);)
		end++;
	return redact_value(s, v, end, w->bits);
}

/* The end of what a header says: of the quotes it stands in, or of the line. */
static char *header_end(struct redact *s, char *name, char *v)
{
	bool quoted = name > s->arg && is(name[-1], QUOTE);
	char *end = quoted ? redact_closing(s, name - 1) : NULL;

	if (end && end >= v)
		return end;
	for (end = v; end < s->arg_end && *end != '\n' && *end != '\r'; end++)
		if (s->script && is(*end, QUOTE))
			break;
	return end;
}

/* At ":": a URL, a member of JSON, a header, a line of YAML. */
static char *colon(struct redact *s, char *p)
{
	char *end = p, *v = p + 1, *name, *rest;
	const struct secret_word *w;
	bool quoted = false;

	if (s->arg_end - p > 2 && p[1] == '/' && p[2] == '/')
		return url(s, p);
	end = skip_back(s, end);
	if (end > s->arg && is(end[-1], QUOTE)) {
		quoted = true;
		end--;
		end -= end > s->arg && end[-1] == '\\';
	}
	name = name_begin(s, end);
	w = name < end ? redact_name(name, end) : NULL;
	if (!w || w->bits & QUERY)
		return p + 1;
	while (v < s->arg_end && is(*v, SPACE))
		v++;
	if (v == s->arg_end)
		return p + 1;
	if (quoted)
		return json_member(s, name, v, w);
	if (w->bits & HEADER || s->header || s->family == HTTPIE)
		return redact_value(s, v, header_end(s, name, v), w->bits);
	if (v == p + 1 && !is(*v, QUOTE))
		return p + 1;
	/* "password: X", but not "reset password: why and how" */
	end = redact_word_end(s, v, ",}", false);
	for (rest = end; rest < s->arg_end && *rest == ' ';)
		rest++;
	if (rest < s->arg_end && !is(*rest, SPACE | QUOTE) && *rest != ',' && *rest != '}')
		return p + 1;
	return redact_value(s, v, end, w->bits);
}

/* At a quote: SQL's PASSWORD 'X', IDENTIFIED BY 'X', IDENTIFIED WITH caching_sha2_password BY 'X'.
 */
static char *sql(struct redact *s, char *p)
{
	char *end = skip_back(s, p), *name = name_begin(s, end);

	if (end == p)
		return p + 1;
	if (!text_is_folded(STR("password"), name, end)) {
		if (!text_is_folded(STR("by"), name, end))
			return p + 1;
		end = skip_back(s, name);
		name = name_begin(s, end);
		if (!text_is_folded(STR("identified"), name, end) && !redact_name(name, end))
			return p + 1;
	}
	end = redact_closing(s, p);
	return end ? redact_value(s, p + 1, end, 0) : p + 1;
}

static char *find(char *p, char *end, struct str t)
{
	for (; (size_t)(end - p) >= t.n; p++)
		if (!memcmp(p, t.p, t.n))
			return p;
	return NULL;
}

/* -----BEGIN … PRIVATE KEY-----, with p at the first dash; p + 1: it is none */
static char *private_key(struct redact *s, char *p)
{
	char *label = p + sizeof("-----BEGIN ") - 1, *end;

	if (!text_starts(p, s->arg_end, STR("-----BEGIN ")))
		return p + 1;
	end = find(label, label + MIN(s->arg_end - label, LABEL_MAX), STR("-----"));
	if (!end || !find(label, end, STR("PRIVATE KEY")))
		return label;
	p = end + 5;
	end = find(p, s->arg_end, STR("-----END"));
	return redact_value(s, p, end ? end : s->arg_end, 0);
}

/* eyJX.eyJX.X: a JSON web token, three pieces of base64, the first two of which are "{" */
static char *web_token(struct redact *s, char *p)
{
	enum { BASE64URL = ALNUM | UNDER | DASH };
	char *q = p + 3;

	while (q < s->arg_end && is(*q, BASE64URL))
		q++;
	if (q - p < 8 || !text_starts(q, s->arg_end, STR(".eyJ")))
		return p;
	for (q++; q < s->arg_end && is(*q, BASE64URL);)
		q++;
	if (q < s->arg_end && *q == '.')
		for (q++; q < s->arg_end && is(*q, BASE64URL);)
			q++;
	return redact_value(s, p + 3, q, 0);
}

/* Bit c & 63 for each first byte c of a shape: most runs are none, and cost no more. */
static inline bool begins_shape(char c)
{
	const uint64_t first = 1ull << ('e' & 63)
#define SHAPE(prefix, bits, min) | 1ull << ((prefix)[0] & 63)
#include "event/redact.def"
		;

	return first >> (c & 63) & 1;
}

char *redact_shape(struct redact *s, char *p)
{
	if (!begins_shape(*p))
		return p;
	if (text_starts(p, s->arg_end, STR("eyJ")))
		return web_token(s, p);
	for (const struct shape *t = shapes; t < shapes + ELEMENTS(shapes); t++) {
		char *q;
		size_t n;

		if (t->prefix.p[0] != *p || !text_starts(p, s->arg_end, t->prefix))
			continue;
		for (q = p + t->prefix.n; q < s->arg_end && is(*q, t->kinds);)
			q++;
		n = q - p - t->prefix.n;
		if (n >= t->min || (s->cut && q == s->end && n >= CUT_MIN))
			return redact_value(s, p + t->prefix.n, q, 0);
	}
	return p;
}

char *redact_punctuation(struct redact *s, char *p)
{
	switch (*p) {
	case '=':
		return assignment(s, p);
	case ':':
		return colon(s, p);
	case '\'':
	case '"':
		return sql(s, p);
	case '-':
		return private_key(s, p);
	case '%': /* an escaped byte is no part of the run after it */
		if (s->arg_end - p > 2 && is(p[1], DIGIT) && is(p[2], ALNUM))
			return p + 3;
		break;
	case ';':
	case '|':
	case '&':
		if (s->script) { /* another command */
			s->family = OTHER;
			s->login = s->set = s->long_word = s->wanted.on = false;
		}
		break;
	}
	return p + 1;
}
