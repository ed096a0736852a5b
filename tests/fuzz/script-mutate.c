/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How libFuzzer changes scripts: words and trees instead of bytes.
 *
 * A changed byte is a syntax error nearly always, and what lies behind the parser never
 * sees it.  So an input is cut into words here, with the layout behind each.  From a word
 * one gets to a piece: the operand, the list's element, the statement or the bracket that
 * it stands in.  An edit replaces, adds, removes, wraps or exchanges words or pieces.  What
 * it puts in comes from the same input, from the other one when two are crossed, or grows
 * from the templates of script-words.def, with the words of the catalog's tables.
 *
 * Nothing needs to be right afterwards: a bracket without a partner is a word like others.
 * The result depends on the input and on libFuzzer's seed.  All is bounded, in words by
 * WORDS; what is longer, and now and then any input, is left to libFuzzer's bytes.
 */
#include "catalog/hooks.h"
#include "compile/lang/bpftrace/check.h"
#include "script-words.h"

enum { EDITS = 4, DEPTH = 4, TRIES = 8, BYTES_ONE_IN = 24 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
				 uint8_t *out, size_t room, unsigned int seed);

struct maker {
	uint64_t state;	    /* of random numbers */
	struct words own;   /* what is changed */
	struct words other; /* empty: there is none */
	struct words made;  /* what will be put in */
	struct words held;  /* the piece that a template's X stands for */
};

/* --- the language's words */

static const struct {
	const char *name;
	unsigned int min, max, flags;
} builtins[] = {
#define B_UNSAFE   BUILTIN_UNSAFE
#define B_MAP_ARG  BUILTIN_MAP_ARG
#define B_AGG	   BUILTIN_AGG
#define B_FORMAT   BUILTIN_FORMAT
#define B_VARIABLE BUILTIN_VARIABLE
#define B_VOID	   BUILTIN_VOID
#define B_PURE	   BUILTIN_PURE

#define BUILTIN(id, name, min, max, flags, help) {name, min, max, flags},
#include "catalog/builtins.def"
#undef BUILTIN
};

static const char *const providers[] = {
#define HOOK(id, name, aliases, prog_type, space, flags, attach, plan, parts, help) name,
#include "catalog/hooks.def"
#undef HOOK
};

/* What stands behind a provider's name; these are in the machine of tests/fuzz/script.c. */
static const char *const targets[HOOKS] = {
	[HOOK_SELF] = "signal:SIGUSR1",
	[HOOK_TEST] = "a",
	[HOOK_BENCH] = "b",
	[HOOK_KPROBE] = "vfs_read",
	[HOOK_KRETPROBE] = "vfs_*",
	[HOOK_UPROBE] = "/bin/sh:main",
	[HOOK_URETPROBE] = "/bin/sh:*_open",
	[HOOK_USDT] = "/bin/sh:prov1:tp1",
	[HOOK_TRACEPOINT] = "sched:sched_switch",
	[HOOK_RAWTRACEPOINT] = "sched_switch",
	[HOOK_PROFILE] = "hz:99",
	[HOOK_INTERVAL] = "s:1",
	[HOOK_SOFTWARE] = "faults:1",
	[HOOK_HARDWARE] = "cache-misses:1e6",
	[HOOK_WATCHPOINT] = "0x1000:8:w",
	[HOOK_FENTRY] = "vfs_read",
	[HOOK_FEXIT] = "func_arrays",
	[HOOK_ITER] = "task",
};

#define LIST(name, hole, ...) static const char *const name[] = {__VA_ARGS__};
#include "script-words.def"
#undef LIST

static const struct table {
	char hole;
	const char *const *p;
	size_t n;
} lists[] = {
#define LIST(name, hole, ...) {hole, name, ELEMENTS(name)},
#include "script-words.def"
#undef LIST
};

/* --- chance */

static uint64_t draw(struct maker *k)
{
	uint64_t z = k->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t pick(struct maker *k, size_t n)
{
	return draw(k) % n;
}

static bool one_in(struct maker *k, size_t n)
{
	return !pick(k, n);
}

/* --- growing from templates */

static void grow(struct maker *k, const char *template, unsigned int depth);

static void grow_one(struct maker *k, const struct table *t, unsigned int depth)
{
	grow(k, t->p[pick(k, t->n)], depth);
}

static void grow_builtin(struct maker *k, unsigned int depth)
{
	size_t i = pick(k, ELEMENTS(builtins)), n = builtins[i].min;
	bool is_format = builtins[i].flags & BUILTIN_FORMAT;

	grow(k, builtins[i].name, DEPTH);
	if (builtins[i].flags & BUILTIN_VARIABLE && !n)
		return;
	n += pick(k, MIN(builtins[i].max, 4) + 1 - MIN(n, 4));
	n += one_in(k, 16);
	grow(k, "(", depth);
	for (size_t a = 0; a < n; a++) {
		if (a)
			grow(k, ",", depth);
		grow(k,
		     a					   ? "E"
		     : is_format			   ? "Q"
		     : builtins[i].flags & BUILTIN_MAP_ARG ? "M"
							   : "E",
		     depth);
	}
	grow(k, ")", depth);
}

static void grow_hook(struct maker *k)
{
	size_t i = pick(k, HOOKS), target = one_in(k, 8) ? pick(k, HOOKS) : i;

	grow(k, providers[i], DEPTH);
	if (!targets[target])
		return;
	grow(k, ":", DEPTH);
	grow(k, targets[target], DEPTH);
}

static void fill(struct maker *k, char hole, unsigned int depth)
{
	if (depth > 3 * DEPTH)
		return;
	switch (hole) {
	case 'B':
		grow_builtin(k, depth);
		return;
	case 'C':
		grow(k, builtins[pick(k, ELEMENTS(builtins))].name, DEPTH);
		return;
	case 'H':
		grow_hook(k);
		return;
	case 'W':
		grow(k, keywords[pick(k, ELEMENTS(keywords))], DEPTH);
		return;
	case 'X':
		words_copy(&k->made, &k->held, (struct piece){0, k->held.n});
		return;
	}
	if (hole == 'E' && depth >= DEPTH) {
		grow(k, atoms[pick(k, ELEMENTS(atoms))], depth);
		return;
	}
	if (hole == 'S' && depth >= DEPTH) {
		grow(k, "V = E;", depth);
		return;
	}
	for (size_t i = 0; i < ELEMENTS(lists); i++)
		if (lists[i].hole == hole)
			grow_one(k, &lists[i], depth);
}

/* Behind `made`. */
static void grow(struct maker *k, const char *template, unsigned int depth)
{
	struct str t = str_of(template);

	for (size_t at = 0; at < t.n && k->made.n < WORDS;) {
		struct word w = word_next(t, &at);
		size_t n = k->made.n;

		if (w.class != CLASS_NAME || w.text.n > 1 || *w.text.p > 'Z') {
			words_push(&k->made, w);
			continue;
		}
		fill(k, *w.text.p, depth + 1);
		if (k->made.n > n && w.gap.n)
			k->made.p[k->made.n - 1].gap = w.gap;
	}
}

/* --- pieces, and what is put in */

/* Around some word; false: there is nothing of the kind. */
static bool find(struct maker *k, const struct words *l, enum level level, struct piece *ret)
{
	size_t at, out;

	if (!l->n)
		return false;
	at = pick(k, l->n);
	if (level == LEVEL_BRACKET)
		for (size_t i = 0; i < l->n && l->p[at].class != CLASS_OPEN; i++)
			at = (at + 1) % l->n;
	if (level == LEVEL_STATEMENT)
		while ((out = words_outside(l, at)) != SIZE_MAX) {
			if (word_is(&l->p[out], "{") && !one_in(k, 6))
				break;
			at = out;
		}
	*ret = words_piece(l, at, level);
	return ret->end > ret->begin;
}

static const char *template_of(const struct words *l, struct piece at, enum level level)
{
	if (level == LEVEL_STATEMENT)
		return words_outside(l, at.begin) == SIZE_MAX ? "P" : "S";
	if (level == LEVEL_BRACKET)
		return word_is(&l->p[at.begin], "{")   ? "{ S }"
		       : word_is(&l->p[at.begin], "[") ? "[E]"
						       : "(E)";
	return "E";
}

/* Where a piece, or a word, comes from: the other input if there is one, mostly. */
static const struct words *source(struct maker *k)
{
	return k->other.n && !one_in(k, 4) ? &k->other : &k->own;
}

/* Into `made`: something that may stand where the piece stands. */
static void make(struct maker *k, struct piece at, enum level level)
{
	const struct words *from = source(k);
	char bracket = *k->own.p[at.begin].text.p;
	struct piece found;

	k->made.n = 0;
	if (from == &k->own && !one_in(k, 3)) {
		grow(k, template_of(&k->own, at, level), pick(k, DEPTH));
		return;
	}
	if (one_in(k, 8))
		level = pick(k, LEVELS);
	for (int i = 0; i < TRIES; i++) {
		if (!find(k, from, level, &found))
			return;
		if (level != LEVEL_BRACKET || *from->p[found.begin].text.p == bracket ||
		    i == TRIES - 1)
			break;
	}
	words_copy(&k->made, from, found);
}

/* `made` in the place of a piece, whose last gap stays.  False: it is too much. */
static bool put(struct maker *k, struct piece to)
{
	struct words *l = &k->own;
	size_t n = k->made.n, behind = l->n - to.end;

	if (to.begin + n + behind > WORDS)
		return false;
	if (n && to.end > to.begin)
		k->made.p[n - 1].gap = l->p[to.end - 1].gap;
	memmove(l->p + to.begin + n, l->p + to.end, behind * sizeof(*l->p));
	memcpy(l->p + to.begin, k->made.p, n * sizeof(*l->p));
	l->n = to.begin + n + behind;
	words_match(l);
	return true;
}

static enum level some_level(struct maker *k)
{
	return pick(k, LEVELS);
}

/* --- edits; false: nothing was changed */

static bool edit_replace(struct maker *k)
{
	enum level level = some_level(k);
	struct piece at;

	if (!find(k, &k->own, level, &at))
		return false;
	make(k, at, level);
	return k->made.n && put(k, at);
}

/* Beside a piece, with what separates them. */
static bool edit_insert(struct maker *k)
{
	enum level level = one_in(k, 3) ? LEVEL_ELEMENT : LEVEL_STATEMENT;
	struct piece at;

	k->made.n = 0;
	if (!find(k, &k->own, level, &at)) {
		grow(k, "P", 0);
		return put(k, (struct piece){k->own.n, k->own.n});
	}
	make(k, at, level);
	if (level == LEVEL_ELEMENT)
		grow(k, one_in(k, 4) ? "O" : ",", DEPTH);
	if (one_in(k, 2) && level == LEVEL_STATEMENT)
		at.begin = at.end;
	return put(k, (struct piece){at.begin, at.begin});
}

static bool edit_remove(struct maker *k)
{
	struct piece at;

	k->made.n = 0;
	return find(k, &k->own, some_level(k), &at) && put(k, at);
}

static bool edit_wrap(struct maker *k)
{
	enum level level = pick(k, LEVEL_STATEMENT + 1);
	struct piece at;

	if (!find(k, &k->own, level, &at) || at.end - at.begin > WORDS / 4)
		return false;
	k->made.n = k->held.n = 0;
	words_copy(&k->held, &k->own, at);
	if (level == LEVEL_STATEMENT)
		grow(k, statement_wraps[pick(k, ELEMENTS(statement_wraps))], 1);
	else
		grow(k, wraps[pick(k, ELEMENTS(wraps))], 1);
	return put(k, at);
}

/* The second of two pieces goes to the first's place too, or into it. */
static bool edit_repeat(struct maker *k)
{
	enum level level = some_level(k);
	struct piece to, from;

	if (!find(k, &k->own, level, &to) || !find(k, &k->own, level, &from))
		return false;
	k->made.n = 0;
	words_copy(&k->made, &k->own, from);
	if (one_in(k, 2))
		to.end = to.begin;
	return put(k, to);
}

static bool edit_exchange(struct maker *k)
{
	enum level level = some_level(k);
	struct piece a, b;

	if (!find(k, &k->own, level, &a) || !find(k, &k->own, level, &b))
		return false;
	if (a.begin > b.begin) {
		struct piece t = a;

		a = b;
		b = t;
	}
	if (a.end > b.begin)
		return false;
	k->made.n = 0;
	words_copy(&k->made, &k->own, b);
	words_copy(&k->made, &k->own, (struct piece){a.end, b.begin});
	words_copy(&k->made, &k->own, a);
	return put(k, (struct piece){a.begin, b.end});
}

static bool is_one_of(struct str text, const char *const *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(text, str_of(p[i])))
			return true;
	return false;
}

static bool is_builtin(struct str text)
{
	for (size_t i = 0; i < ELEMENTS(builtins); i++)
		if (str_eq(text, str_of(builtins[i].name)))
			return true;
	return false;
}

/* What may stand for a word; NULL: any of its class. */
static const char *template_of_word(struct maker *k, const struct word *w)
{
	switch (w->class) {
	case CLASS_NUMBER:
		return "N";
	case CLASS_STRING:
		return "Q";
	case CLASS_VARIABLE:
		return one_in(k, 4) ? "E" : "V";
	case CLASS_MAP:
		return one_in(k, 4) ? "E" : "M";
	case CLASS_SIGN:
		return is_one_of(w->text, operators, ELEMENTS(operators)) ? "O" : NULL;
	case CLASS_NAME:
		if (is_builtin(w->text))
			return "C";
		if (is_one_of(w->text, types, ELEMENTS(types)))
			return "T";
		if (is_one_of(w->text, providers, ELEMENTS(providers)))
			return "H";
		return is_one_of(w->text, keywords, ELEMENTS(keywords)) ? "W" : "I";
	case CLASS_SEPARATOR:
	case CLASS_OPEN:
	case CLASS_CLOSE:
		break;
	}
	return NULL;
}

static bool is_name(const struct word *w)
{
	return w->class == CLASS_NAME || w->class == CLASS_VARIABLE || w->class == CLASS_MAP;
}

/* Into `made`: a word, of the same class if it can be. */
static void make_word(struct maker *k, const struct word *like)
{
	const char *template = template_of_word(k, like);
	const struct words *from = source(k);
	const struct word *w;

	k->made.n = 0;
	if (template && one_in(k, 2)) {
		grow(k, template, DEPTH);
		return;
	}
	for (int i = 0; i < 4 * TRIES; i++) {
		w = &from->p[pick(k, from->n)];
		if (w->class == like->class || (is_name(w) && is_name(like)))
			break;
	}
	words_push(&k->made, *w);
}

static bool edit_word(struct maker *k)
{
	size_t at;

	if (!k->own.n)
		return false;
	at = pick(k, k->own.n);
	make_word(k, &k->own.p[at]);
	return put(k, (struct piece){at, at + 1});
}

static bool edit_insert_word(struct maker *k)
{
	static const char *const any[] = {"W", "I", "B", "N", "Q", "V", "M", "T", "O", "A", "H"};
	size_t at = pick(k, k->own.n + 1);

	k->made.n = 0;
	if (one_in(k, 3))
		grow(k, signs[pick(k, ELEMENTS(signs))], DEPTH);
	else
		grow(k, any[pick(k, ELEMENTS(any))], DEPTH);
	return put(k, (struct piece){at, at});
}

static bool edit_remove_words(struct maker *k)
{
	size_t at, n = one_in(k, 4) ? 1 + pick(k, 8) : 1;

	if (!k->own.n)
		return false;
	at = pick(k, k->own.n);
	k->made.n = 0;
	return put(k, (struct piece){at, MIN(at + n, k->own.n)});
}

/* The value that is assigned is cast. */
static bool edit_cast(struct maker *k)
{
	size_t at;

	for (int i = 0; k->own.n && i < 4 * TRIES; i++) {
		at = pick(k, k->own.n);
		if (k->own.p[at].class != CLASS_SIGN || !word_is(&k->own.p[at], "="))
			continue;
		k->made.n = 0;
		grow(k, "(T)", DEPTH);
		return put(k, (struct piece){at + 1, at + 1});
	}
	return false;
}

static bool (*const edits[])(struct maker *k) = {
	edit_replace, edit_replace,  edit_replace, edit_replace,     edit_insert,      edit_insert,
	edit_wrap,    edit_wrap,     edit_word,	   edit_word,	     edit_word,	       edit_cast,
	edit_repeat,  edit_exchange, edit_remove,  edit_insert_word, edit_remove_words};

/* --- what libFuzzer calls */

/* 0: it has too many words, or nothing that was tried has room. */
static size_t change(struct maker *k, const uint8_t *data, size_t n, uint8_t *out, size_t room)
{
	size_t changed = 0;

	for (int i = 0; i < TRIES && !changed && words_cut(&k->own, data, n); i++) {
		int more = one_in(k, 2) ? 1 : 1 + (int)pick(k, EDITS);

		for (int e = 0; e < 2 * TRIES && more; e++)
			more -= edits[pick(k, ELEMENTS(edits))](k);
		changed = words_join(&k->own, out, room);
	}
	return changed;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned int seed)
{
	static struct maker k;
	_cleanup_free_ uint8_t *out = xalloc(room + 1); /* the words are in data */
	size_t changed;

	k.state = seed;
	k.other.n = 0;
	changed = one_in(&k, BYTES_ONE_IN) ? 0 : change(&k, data, n, out, room);
	if (!changed)
		return LLVMFuzzerMutate(data, n, room);
	memcpy(data, out, changed);
	return changed;
}

/* 0: nothing came of it. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
				 uint8_t *out, size_t room, unsigned int seed)
{
	static struct maker k;

	k.state = seed;
	if (!words_cut(&k.other, b, n_b) || !k.other.n)
		return 0;
	return change(&k, a, n_a, out, room);
}
