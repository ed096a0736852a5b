/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds secrets by the name in front of them, by their place, or by their shape.
 *
 * A command line is no grammar: every program reads its own.  But secrets come in few
 * ways, and one walk from left to right over the bytes meets them all:
 *
 *   a name, and what follows "="     --password=X  PGPASSWORD=X  ?token=X&
 *   a name, and what follows ":"     X-Api-Key: X  {"password":"X"}
 *   an option, and the next word     --token X     mysql -pX     curl -u user:X
 *   a URL's user part                scheme://user:X@host  https://X@host if X is long
 *   a shape                          ghp_X  eyJX.eyJX.X  -----BEGIN … PRIVATE KEY-----X
 *
 * At the first byte of a word, word() looks at it as a shell would: a program, an option,
 * a value.  Inside, only "=", ":", quotes and the begin of a run of letters cause work.  What
 * is a secret name, which program has which options and which shapes there are stands in
 * redact.def.
 *
 * How far a value goes depends on what it stands in.  In `env PASSWORD='a b' cmd` the
 * argument is "PASSWORD=a b" and the value all the rest of it; in `sh -c "PASSWORD=a cmd
 * b"` it ends with the word.  So an argument is read as shell text (`script`) if a shell
 * gets it after -c; anywhere else a name at the argument's begin takes all of it.  In
 * doubt more is masked, not less.
 *
 * Twice is as once.  A value that already has a masked byte is left alone, and what is
 * behind the walk is only seen through the mask.  What is before it is not: a mask may
 * cover a quote by which an earlier value was told to end.  So the walk is repeated until
 * it finds nothing; nearly always the second time.  What is not at rest after WALKS_MAX
 * was made to be so, and is masked whole.
 *
 * Left out: secrets that are told by their position alone (wpa_passphrase SSID X,
 * sqlplus user/X@db), unquoted `name = X` with spaces, and encodings (base64 of a
 * header, %-escapes of a name).
 */
#include "event/redact.h"

#include "event/redact-walk.h"

enum { WALKS_MAX = 8 };

static const struct program {
	struct str name;
	enum family family;
} programs[] = {
#define PROGRAM(name, family) {STR(name), family},
#include "event/redact.def"
};

static const struct option {
	enum family family;
	struct str text;
	uint16_t bits;
	char sep;
} options[] = {
#define OPTION(family, text, bits, sep) {family, STR(text), bits, sep},
#include "event/redact.def"
};

/* Is this an option, so that the one before it had no value?  Secrets may begin with "-". */
static bool is_option(const char *p, const char *end)
{
	if (p == end || *p++ != '-')
		return false;
	if (end - p > 1 && *p == '-')
		return is(p[1], ALPHA);
	if (end - p == 1)
		return is(*p, ALPHA | DASH);
	while (p < end && is(*p, LOWER | DASH))
		p++;
	return p == end;
}

/* From the separator on: the user's name stays. */
static char *credentials(struct redact *s, char *p, char *end, struct wanted w)
{
	if (p >= end)
		return p;
	if (w.sep) {
		char *sep = memchr(p, w.sep, end - p);

		if (!sep)
			return p;
		end -= is(end[-1], QUOTE) && end[-1] == *p;
		p = sep + 1;
	}
	return redact_value(s, p, end, w.bits);
}

/* -xzf is -x -z -f */
static bool is_bundle(const char *p, const char *end, struct str option)
{
	if (option.n != 2 || end - p > 6 || end - p < 3 || end[-1] != option.p[1] || *p != '-')
		return false;
	for (p++; p < end; p++)
		if (!is(*p, ALPHA))
			return false;
	return true;
}

/* The value of option o follows at v without a space. */
static char *glued(struct redact *s, const struct option *o, char *word, char *v)
{
	if (o->bits & HTTP) {
		s->header = true;
		return v;
	}
	return credentials(s, v, redact_value_end(s, word, v), (struct wanted){true, 0, o->sep});
}

/* The word from p to end as an option of the program.  NULL: it is none. */
static char *known_option(struct redact *s, char *p, char *end)
{
	char *equals = memchr(p, '=', end - p);

	for (const struct option *o = options; o < options + ELEMENTS(options); o++) {
		bool exact;

		if (o->family != ANY && s->family == OTHER)
			break;
		if ((o->family != s->family && o->family != ANY) || (o->bits & LOGIN && !s->login))
			continue;
		exact = text_is(o->text, p, equals ? equals : end) ||
			(o->bits & NEXT && is_bundle(p, end, o->text));
		if (!exact && !(o->bits & GLUED && text_starts(p, end, o->text)))
			continue;
		if (o->bits & ONCE)
			s->family = OTHER;
		if (o->bits & NAME)
			return end;
		if (o->bits & FLAG)
			return equals ? NULL : end;
		if (!exact)
			return glued(s, o, p, p + o->text.n);
		if (equals)
			return glued(s, o, p, equals + 1);
		if (o->bits & GLUED && end < s->arg_end && is(*end, QUOTE))
			return glued(s, o, p, end);
		if (o->bits & HTTP) {
			s->header = true;
		} else if (o->bits & NEXT) {
			s->wanted = (struct wanted){true, 0, o->sep};
			s->wanted_by = p;
		}
		return end;
	}
	return NULL;
}

/* The word from p to end is an option, or looks like one. */
static char *option(struct redact *s, char *p, char *end)
{
	const struct secret_word *w;
	char *next;

	s->header = false;
	next = known_option(s, p, end);
	if (next || *p != '-' || end - p < 2)
		return next ? next : p;
	s->dash_c = s->shell && p[1] != '-' && end[-1] == 'c';
	if (memchr(p, '=', end - p))
		return p;
	s->long_word = end - p > 2 && p[1] == '-';
	w = redact_name(p, end);
	/* -lsecret is -l secret */
	if (!w || w->bits & QUERY ||
	    ((size_t)(end - p) > w->text.n + 1 && p[1] != '-' &&
	     text_is_folded(w->text, p + 2, p + 2 + w->text.n)))
		return p;
	s->wanted = (struct wanted){true, w->bits, 0};
	s->wanted_by = p;
	return end;
}

static const struct program *find_program(const char *p, const char *end)
{
	const char *base = end;
	size_t low = 0, high = ELEMENTS(programs), n;

	while (base > p && base[-1] != '/')
		base--;
	p = base;
	n = end - p;
	while (low < high) {
		const struct program *t = &programs[(low + high) / 2];
		int order = memcmp(p, t->name.p, MIN(n, t->name.n));

		if (!order && n == t->name.n)
			return t;
		if (order < 0 || (!order && n < t->name.n))
			high = t - programs;
		else
			low = t - programs + 1;
	}
	return NULL;
}

/* Neither program nor option: a program's name, or any word. */
static char *plain_word(struct redact *s, char *p, char *end, bool after_long, bool after_set)
{
	const struct program *program = after_long ? NULL : find_program(p, end);

	if (program) {
		s->family = program->family;
		s->shell |= program->family == SHELL;
	} else if (text_is(STR("login"), p, end)) {
		s->login = true;
	} else if (text_is(STR("set"), p, end)) {
		s->set = true;
	} else if ((after_set || s->family == NMCLI) && !memchr(p, '=', end - p)) {
		/* aws configure set aws_secret_access_key X; nmcli … password X */
		const struct secret_word *w = redact_name(p, end);

		if (w && !(w->bits & QUERY)) {
			s->wanted = (struct wanted){true, w->bits, 0};
			s->wanted_by = p;
		}
	}
	return p;
}

/* At a word's first byte.  Returns p, or how far the word is dealt with. */
static char *word(struct redact *s, char *p)
{
	bool after_long = s->long_word, after_set = s->set;
	struct wanted wanted = s->wanted;
	char *end = p;

	while (end < s->arg_end && !is(*end, SPACE | QUOTE) && !(s->script && is(*end, OPERATOR)))
		end++;
	if (wanted.on) {
		char *q = p;

		while (q < end && strchr(",:=[]{}", *q))
			q++;
		if (q == end) /* ["--password", "X"] */
			return p;
		s->wanted.on = false;
		if (!is_option(p, end))
			return credentials(s, p, redact_value_end(s, p, p), wanted);
	}
	s->dash_c = s->long_word = s->set = false;
	if (*p == '-' || *p == '/') {
		char *q = option(s, p, end);

		if (q > p || *p == '-')
			return q;
	}
	return plain_word(s, p, end, after_long, after_set);
}

static bool begins_word(const struct redact *s, const char *p)
{
	unsigned int gap = SPACE | QUOTE | (s->script ? OPERATOR : 0);

	return !is(*p, gap) && (p == s->arg || is(p[-1], gap));
}

/* Not inside a word; the end of %3D counts as outside. */
static bool begins_run(const struct redact *s, const char *p)
{
	return p == s->arg || !is(p[-1], ALNUM) ||
	       (p - s->arg >= 3 && p[-3] == '%' && is(p[-2], DIGIT));
}

static void walk(struct redact *s, char *p)
{
	while (p < s->arg_end) {
		if (begins_word(s, p)) {
			char *q = word(s, p);

			if (q > p) {
				p = q;
				continue;
			}
		}
		if (!is(*p, ALNUM)) {
			p = redact_punctuation(s, p);
			continue;
		}
		if (begins_run(s, p)) {
			char *q = redact_shape(s, p);

			if (q > p) {
				p = q;
				continue;
			}
		}
		do
			p++;
		while (p < s->arg_end && is(*p, ALNUM));
	}
}

static void argument(struct redact *s, char *arg, char *end)
{
	struct wanted wanted = s->wanted;

	s->arg = s->quoted_to = arg;
	s->arg_end = end;
	s->quote = 0;
	s->script = s->script_only || s->dash_c || s->family == REMOTE;
	s->wanted.on = s->dash_c = false;
	if (wanted.on && arg < end && !is_option(arg, end)) {
		arg = credentials(s, arg, end, wanted);
		s->long_word = s->set = false;
	}
	walk(s, arg);
	s->wanted.on &= s->wanted_by == s->arg; /* what the middle of a text wants is in it */
}

/* One walk over all arguments; returns how many values it masked. */
static size_t walk_once(char *p, size_t n, bool script)
{
	struct redact s = {.end = p + n, .cut = !script && p[n - 1], .script_only = script};

	while (p < s.end) {
		char *end = memchr(p, 0, s.end - p);

		end = end ? end : s.end;
		argument(&s, p, end);
		p = end + 1;
	}
	return s.masked;
}

static size_t redact(char *p, size_t n, bool script)
{
	size_t masked = 0, more;

	if (!n)
		return 0;
	for (int i = 0; i < WALKS_MAX; i++) {
		more = walk_once(p, n, script);
		masked += more;
		if (!more)
			return masked;
	}
	for (size_t i = 0; i < n; i++)
		if (p[i])
			p[i] = REDACT_BYTE;
	return masked;
}

size_t redact_args(char *args, size_t n)
{
	return redact(args, n, false);
}

bool redact_text(char *text, size_t n)
{
	return redact(text, n, true) > 0;
}
