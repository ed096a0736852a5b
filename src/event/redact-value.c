/* SPDX-License-Identifier: Apache-2.0 */
/* How far a secret value goes, what of it stays visible, and the mask. */
#include "event/redact.h"
#include "event/redact-walk.h"

static const struct str schemes[] = {
#define SCHEME(word) STR(word),
#include "event/redact.def"
};

static const struct str endings[] = {
#define ENDING(text) STR(text),
#include "event/redact.def"
};

static bool is_literal(const char *p, const char *end)
{
	static const struct str literals[] = {
		STR("false"), STR("no"), STR("none"), STR("null"), STR("true"), STR("yes"),
	};

	return text_in(literals, ELEMENTS(literals), p, end);
}

/* $NAME, ${…}, $(…) and `…` say where the secret is, not what it is. */
static bool is_reference(const struct redact *s, const char *p, const char *end)
{
	if (!s->script || p + 1 >= s->arg_end || (*p != '$' && *p != '`'))
		return false;
	if (*p == '`' || p[1] == '{' || p[1] == '(')
		return true;
	for (p++; p < end && is(*p, ALNUM | UNDER);)
		p++;
	return p == end;
}

static bool is_file(const char *p, const char *end)
{
	for (const char *q = p; q < end; q++)
		if (!is(*q, IN_NAME | TILDE) && *q != '/')
			return false;
	if (*p == '/' || text_starts(p, end, STR("./")) || text_starts(p, end, STR("../")) ||
	    text_starts(p, end, STR("~/")))
		return true;
	for (size_t i = 0; i < ELEMENTS(endings); i++)
		if (str_ends(str_between(p, end), endings[i]))
			return true;
	return false;
}

/* The first byte after "Bearer " and the like. */
static char *skip_scheme(char *p, char *end)
{
	char *q = p;

	while (q < end && is(*q, ALNUM | DASH))
		q++;
	for (size_t i = 0; i < ELEMENTS(schemes); i++)
		if (text_is_folded(schemes[i], p, q))
			return q == end || *q != ' ' ? q : q + 1;
	return p;
}

/* Quotes around a value stay. */
static void peel(char **p, char **end)
{
	size_t open = **p == '\\' ? 1 : 0;

	if (*end - *p < 2 + (ptrdiff_t)open || !is((*p)[open], QUOTE) || (*p)[open] == '`' ||
	    (*end)[-1] != (*p)[open])
		return;
	*p += open + 1;
	*end -= *end - *p > 1 && open && (*end)[-2] == '\\' ? 2 : 1;
}

char *redact_value(struct redact *s, char *p, char *end, unsigned int bits)
{
	char *from = p;

	if (p >= end)
		return p;
	peel(&from, &end);
	if (bits & AUTH)
		from = skip_scheme(from, end);
	if (bits & SOURCE) {
		if (text_starts(from, end, STR("pass:")))
			from += 5;
		else if (text_starts(from, end, STR("env:")) ||
			 text_starts(from, end, STR("file:")) ||
			 text_starts(from, end, STR("fd:")) || text_is(STR("stdin"), from, end) ||
			 (end - from == 1 && is(*from, DIGIT))) /* ffmpeg -pass 1 */
			return p;
	}
	if (from >= end)
		return p;
	if (*from == REDACT_BYTE)
		return end;
	if (memchr(from, REDACT_BYTE, end - from) || is_literal(from, end) ||
	    is_reference(s, from, end) || (bits & FILE && is_file(from, end)))
		return p;
	memset(from, REDACT_BYTE, end - from);
	s->masked++;
	return end;
}

/* A quote after a backslash is closed by its like. */
char *redact_closing(struct redact *s, char *p)
{
	bool escaped = p > s->arg && p[-1] == '\\';

	for (char *q = p + 1; q < s->arg_end; q++) {
		if (*q == '\\' && *p != '\'' && q + 1 < s->arg_end) {
			if (escaped && q[1] == *p)
				return q;
			q++;
		} else if (*q == *p) {
			return q;
		}
	}
	return NULL;
}

/* The quote that is open at p, 0: none.  Called with growing p only. */
static char open_quote(struct redact *s, char *p)
{
	for (; s->quoted_to < p; s->quoted_to++) {
		char c = *s->quoted_to;

		if (c == '\\' && s->quote != '\'')
			s->quoted_to++;
		else if (s->quote && c == s->quote)
			s->quote = 0;
		else if (!s->quote && is(c, QUOTE))
			s->quote = c;
	}
	return s->quote;
}

char *redact_word_end(struct redact *s, char *p, const char *stops, bool pieces)
{
	char *begin = p + (p + 1 < s->arg_end && *p == '\\'), open = open_quote(s, p);

	for (; p < s->arg_end; p++) {
		char *q;

		if (is(*p, SPACE) || (s->script && is(*p, OPERATOR)) || strchr(stops, *p))
			break;
		if (!is(*p, QUOTE))
			continue;
		if (p != begin && (!pieces || *p == open))
			break;
		q = redact_closing(s, p);
		if (!q)
			break;
		q += *q == '\\';
		if (p == begin && (!s->script || (q + 1 < s->arg_end && strchr(",:)]}", q[1]))))
			return q + 1;
		p = q;
	}
	return p;
}

char *redact_value_end(struct redact *s, char *lead, char *p)
{
	char before = lead > s->arg ? lead[-1] : 0;

	if (!s->script && (lead == s->arg || before == '='))
		return s->arg_end;
	if (is(before, QUOTE)) {
		char *q = redact_closing(s, lead - 1);

		if (q && q >= p)
			return q;
	}
	if (before == '?' || before == '&')
		return redact_word_end(s, p, "&#", false);
	if (before == ',')
		return redact_word_end(s, p, ",})]", false);
	if (before == ';')
		return redact_word_end(s, p, ";", false);
	return redact_word_end(s, p, "", true);
}
