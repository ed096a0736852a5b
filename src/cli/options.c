/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "catalog/glob.h"
#include "cli/values.h"

/* Where the parser stands, so that every error can name its bytes. */
struct parser {
	struct syntax syntax;
	int argc;
	char **argv;
	int first; /* after the command's name */
	int at;	   /* the argument that is read now */
	char *into;
	struct parsed *out;
	struct usage_error *error;
};

static const struct option_desc no_options[] = {OPTION_LAST};

/* One value: the option, its text, and where that text stands in argv. */
struct value {
	const struct option_desc *option;
	const char *text;
	void *member;
};

static int bad(struct parser *p, const struct value *v, const char *expected)
{
	const char *arg = p->argv[p->at];

	return usage_error_set(p->error, p->at, v->text - arg, strlen(v->text), "--%s: expected %s",
			       v->option->name, expected);
}

static int read_flag(struct parser *p, const struct value *v)
{
	(void)p;
	*(bool *)v->member = true;
	return 0;
}

static int read_string(struct parser *p, const struct value *v)
{
	(void)p;
	*(const char **)v->member = v->text;
	return 0;
}

static int read_strings(struct parser *p, const struct value *v)
{
	const char **to = v->member;
	unsigned int n = 0;

	while (to[n])
		n++;
	if (n == OPTION_STRINGS_MAX)
		return bad(p, v, "no more than 16 of them");
	to[n] = v->text;
	return 0;
}

static int read_u32(struct parser *p, const struct value *v)
{
	uint64_t n;

	if (number_parse(v->text, UINT32_MAX, &n) < 0)
		return bad(p, v, "a number from 1 to 4294967295");
	*(uint32_t *)v->member = n;
	return 0;
}

static int read_u64(struct parser *p, const struct value *v)
{
	if (number_parse(v->text, UINT64_MAX, v->member) < 0)
		return bad(p, v, "a number from 1");
	return 0;
}

static int read_duration(struct parser *p, const struct value *v)
{
	uint64_t bare;
	int r = duration_parse(v->text, v->member);

	if (!r)
		return 0;
	if (r == -ERANGE)
		return bad(p, v, "some time from 1ns to 584 years");
	r = bad(p, v, "a time such as 10s");
	if (!number_parse(v->text, UINT32_MAX, &bare))
		usage_error_hint(p->error, "did you mean %ss?", v->text);
	else
		usage_error_hint(p->error, "units are ns, us, ms, s, m, h and d, as in 1m30s");
	return r;
}

static int read_size(struct parser *p, const struct value *v)
{
	if (size_parse(v->text, v->member) < 0)
		return bad(p, v, "a power of two from 4K to 1G, such as 16M");
	return 0;
}

static int read_events(struct parser *p, const struct value *v)
{
	struct str word;
	const char *near;
	int r = events_parse(str_of(v->text), v->member, &word);

	/* what was lost is always told; who asks for nothing else has to say so */
	if (!r && *(uint64_t *)v->member == KIND_BIT(EV_LOST) && !strstr(v->text, "lost") &&
	    !strstr(v->text, "meta"))
		return bad(p, v, "a list that leaves something to show");
	if (!r)
		return 0;
	usage_error_set(p->error, p->at, word.p - p->argv[p->at], word.n,
			"--%s: there is no event or group '%.*s'", v->option->name,
			(int)MIN(word.n, 64u), word.p);
	near = events_nearest(word);
	if (near)
		usage_error_hint(p->error, "did you mean %s?", near);
	else
		usage_error_hint(p->error, "skep watch --list-events shows all");
	return r;
}

/* A name is kept in 15 bytes: what needs more would watch nothing, without a word. */
static int read_glob(struct parser *p, const struct value *v)
{
	struct scope_glob g;

	if (!glob_compile(v->text, &g) && g.last <= 1u << GLOB_NAME_MAX)
		return read_string(p, v);
	bad(p, v, "at most 15 letters; the kernel cuts the names of threads");
	if (!strpbrk(v->text, "*?[\\"))
		usage_error_hint(p->error, "did you mean %.15s?", v->text);
	return -EINVAL;
}

static int read_choice(struct parser *p, const struct value *v)
{
	int i = word_find(v->option->argument, str_of(v->text));
	struct str near;

	if (i >= 0) {
		*(unsigned int *)v->member = i;
		return 0;
	}
	bad(p, v, v->option->argument);
	near = word_nearest(v->option->argument, v->text);
	if (near.n)
		usage_error_hint(p->error, "did you mean %.*s?", (int)near.n, near.p);
	return -EINVAL;
}

/* One function a kind of value; adding a kind: a row here and in enum option_kind. */
static int (*const readers[])(struct parser *p, const struct value *v) = {
	[OPTION_FLAG] = read_flag,	   [OPTION_STRING] = read_string,
	[OPTION_U32] = read_u32,	   [OPTION_U64] = read_u64,
	[OPTION_DURATION] = read_duration, [OPTION_SIZE] = read_size,
	[OPTION_EVENTS] = read_events,	   [OPTION_GLOB] = read_glob,
	[OPTION_CHOICE] = read_choice,	   [OPTION_STRINGS] = read_strings,
};

static const struct option_desc *find_long(const struct option_desc *o, struct str name)
{
	for (; o->name; o++)
		if (o->kind != OPTION_HEADING && str_eq(str_of(o->name), name))
			return o;
	return NULL;
}

static const struct option_desc *find_short(const struct option_desc *o, char letter)
{
	for (; o->name; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

/* The one option that begins like this, or else the nearest; NULL: none is near. */
static const char *option_nearest(const struct option_desc *o, struct str typed)
{
	const char *names[64], *longer = NULL;
	char word[64];
	size_t n = 0, matches = 0;

	if (typed.n >= sizeof(word) || !typed.n)
		return NULL;
	memcpy(word, typed.p, typed.n);
	word[typed.n] = 0;
	for (; o->name && n < ELEMENTS(names) - 2; o++) {
		if (o->kind == OPTION_HEADING)
			continue;
		names[n++] = o->name;
		if (str_starts(str_of(o->name), typed)) {
			longer = o->name;
			matches++;
		}
	}
	names[n++] = "help";
	names[n] = NULL;
	return matches == 1 ? longer : str_nearest(word, names);
}

static int store(struct parser *p, const struct option_desc *o, const char *text)
{
	struct value v = {.option = o, .text = text, .member = p->into + o->offset};

	if (text && !*text)
		return usage_error_set(p->error, p->at, 0, strlen(p->argv[p->at]),
				       "--%s: expected %s, found nothing", o->name, o->argument);
	return readers[o->kind](p, &v);
}

/* "--", or an option that this command has: a value was forgotten before it. */
static bool is_option(const struct parser *p, const char *arg)
{
	size_t n = strcspn(arg, "=");

	if (!strcmp(arg, "--") || !strcmp(arg, "--help"))
		return true;
	return str_starts(str_of(arg), STR("--")) &&
	       find_long(p->syntax.options, (struct str){arg + 2, n - 2});
}

/* The value is the next argument; `name` is the option as it was typed. */
static int store_next(struct parser *p, const struct option_desc *o)
{
	if (p->at + 1 >= p->argc || is_option(p, p->argv[p->at + 1])) {
		usage_error_set(p->error, p->at, 0, strlen(p->argv[p->at]),
				"--%s needs a value: %s", o->name, o->argument);
		if (p->at + 1 < p->argc && p->argv[p->at + 1][2])
			usage_error_hint(p->error, "if '%s' is the value: --%s=%s",
					 p->argv[p->at + 1], o->name, p->argv[p->at + 1]);
		return -EINVAL;
	}
	p->at++;
	return store(p, o, p->argv[p->at]);
}

static int parse_long(struct parser *p)
{
	const char *arg = p->argv[p->at], *near;
	size_t n = strcspn(arg, "=");
	struct str name = {arg + 2, n - 2};
	const struct option_desc *o = find_long(p->syntax.options, name);
	bool has_value = arg[n];

	if (!o && !has_value && str_eq(name, STR("help"))) {
		p->out->wants_help = true;
		return 0;
	}
	if (!o) {
		usage_error_set(p->error, p->at, 0, n, "there is no option --%.*s",
				(int)MIN(name.n, 64u), name.p);
		near = option_nearest(p->syntax.options, name);
		if (near)
			usage_error_hint(p->error, "did you mean --%s?", near);
		return -EINVAL;
	}
	if (o->kind == OPTION_FLAG && has_value)
		return usage_error_set(p->error, p->at, n, strlen(arg) - n, "--%s takes no value",
				       o->name);
	if (o->kind == OPTION_FLAG)
		return store(p, o, NULL);
	return has_value ? store(p, o, arg + n + 1) : store_next(p, o);
}

/* -q, -o FILE, -oFILE, -qo FILE */
static int parse_short(struct parser *p)
{
	const char *arg = p->argv[p->at], *near;

	for (const char *l = arg + 1; *l; l++) {
		const struct option_desc *o = find_short(p->syntax.options, *l);
		int r;

		if (!o && *l == 'h') {
			p->out->wants_help = true;
			return 0;
		}
		if (!o) {
			usage_error_set(p->error, p->at, l - arg, 1, "there is no option -%c", *l);
			near = option_nearest(p->syntax.options, str_of(arg + 1));
			if (near && l == arg + 1)
				usage_error_hint(p->error, "did you mean --%s?", near);
			return -EINVAL;
		}
		if (o->kind != OPTION_FLAG)
			return l[1] ? store(p, o, l + 1) : store_next(p, o);
		r = store(p, o, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One word of a|b|c. */
static int check_word(struct parser *p, const char *words)
{
	const char *arg = p->argv[p->at];
	struct str near;

	if (word_find(words, str_of(arg)) >= 0)
		return 0;
	usage_error_set(p->error, p->at, 0, strlen(arg), "expected %s", words);
	near = word_nearest(words, arg);
	if (near.n)
		usage_error_hint(p->error, "did you mean %.*s?", (int)near.n, near.p);
	return -EINVAL;
}

/* A word that is not an option, before "--". */
static int parse_operand(struct parser *p)
{
	const struct syntax *s = &p->syntax;
	const char *arg = p->argv[p->at];
	size_t n = p->out->n_operands;
	size_t room = s->operands == OPERANDS_ONE || s->operands == OPERANDS_PERHAPS;
	const char *words = strchr(s->operand ? s->operand : "", '|') ? s->operand : NULL;

	if (s->operands == OPERANDS_COMMAND) {
		usage_error_set(p->error, p->at, 0, strlen(arg),
				"'%.64s' is neither an option nor the value of one", arg);
		usage_error_hint(p->error,
				 "to watch a command, write -- before it: skep %.16s -- %.64s",
				 p->argv[p->first - 1],
				 strpbrk(arg, " \t\n\\'\"$") ? "COMMAND" : arg);
		return -EINVAL;
	}
	if (s->operands == OPERANDS_WORD || s->operands == OPERANDS_WORDS) {
		room = s->operands == OPERANDS_WORD ? 2 : SIZE_MAX;
		words = n ? NULL : s->words;
	}
	if (n >= room && s->operands != OPERANDS_ANY)
		return usage_error_set(p->error, p->at, 0, strlen(arg),
				       "'%.64s' is one word too many", arg);
	if (words && check_word(p, words) < 0)
		return -EINVAL;
	p->out->operands[p->out->n_operands++] = p->argv[p->at];
	return 0;
}

/* After "--": all that follows, whatever it looks like. */
static int parse_rest(struct parser *p)
{
	int dashes = p->at, r;

	if (p->syntax.operands == OPERANDS_ANY) {
		while (p->at < p->argc)
			p->out->operands[p->out->n_operands++] = p->argv[p->at++];
		return 0;
	}
	for (p->at++; p->at < p->argc; p->at++) {
		if (p->syntax.operands == OPERANDS_COMMAND) {
			p->out->operands[p->out->n_operands++] = p->argv[p->at];
			continue;
		}
		r = parse_operand(p);
		if (r < 0)
			return r;
	}
	if (p->syntax.operands == OPERANDS_COMMAND && !p->out->n_operands)
		return usage_error_set(p->error, dashes, 0, 2, "a command is expected after --");
	if (p->syntax.operands == OPERANDS_COMMAND && !*p->out->operands[0])
		return usage_error_set(p->error, dashes + 1, 0, 0, "the command's name is empty");
	return 0;
}

static int parse(struct parser *p)
{
	int r = 0;

	for (; p->at < p->argc && r >= 0 && !p->out->wants_help; p->at++) {
		const char *arg = p->argv[p->at];

		if (!strcmp(arg, "--"))
			r = parse_rest(p);
		else if (str_starts(str_of(arg), STR("--")))
			r = parse_long(p);
		else if (*arg == '-' && arg[1])
			r = parse_short(p);
		else
			r = parse_operand(p);
	}
	if (r >= 0 && !p->out->wants_help && p->syntax.operands == OPERANDS_ONE &&
	    !p->out->n_operands)
		r = usage_error_set(p->error, p->argc, 0, 0, "%s is missing", p->syntax.operand);
	return r;
}

int options_parse(const struct syntax *syntax, int argc, char **argv, int first, void *into,
		  struct parsed *ret, struct usage_error *ret_error)
{
	struct parsed out = {.operands = xalloc((argc + 1) * sizeof(*out.operands))};
	struct parser p = {*syntax, argc, argv, first, first, into, &out, ret_error};
	int r;

	if (!p.syntax.options)
		p.syntax.options = no_options;
	r = parse(&p);

	if (r < 0) {
		parsed_done(&out);
		return r;
	}
	*ret = out;
	return 0;
}

void parsed_done(struct parsed *p)
{
	free(p->operands);
	*p = (struct parsed){0};
}
