/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/values.h"

#include <errno.h>

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60 * 1000000000ull},
	{"h", 3600 * 1000000000ull},
	{"d", 86400 * 1000000000ull},
};

/* The digits at *p, which moves behind them. */
static int digits_parse(const char **p, uint64_t *ret)
{
	uint64_t v = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return -ERANGE;
	*p = s;
	*ret = v;
	return 0;
}

int number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = digits_parse(&text, &v);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	if (!v || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

/* The unit whose name is all of the letters at p. */
static const struct unit *unit_find(const char *p, size_t *ret_n)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < ELEMENTS(units); i++)
		if (str_eq((struct str){p, n}, str_of(units[i].name))) {
			*ret_n = n;
			return &units[i];
		}
	return NULL;
}

int duration_parse(const char *text, uint64_t *ret_ns)
{
	uint64_t sum = 0, v;

	do {
		const struct unit *u;
		size_t n;
		int r = digits_parse(&text, &v);

		if (r < 0)
			return r;
		u = unit_find(text, &n);
		if (!u)
			return -EINVAL;
		if (__builtin_mul_overflow(v, u->ns, &v) || __builtin_add_overflow(sum, v, &sum))
			return -ERANGE;
		text += n;
	} while (*text);
	if (!sum)
		return -ERANGE;
	*ret_ns = sum;
	return 0;
}

int size_parse(const char *text, uint32_t *ret_kb)
{
	static const char letters[] = "KMG";
	uint64_t v;
	int r = digits_parse(&text, &v);

	if (r < 0)
		return r;
	if (*text) {
		const char *letter = strchr(letters, *text & ~0x20);

		if (!letter || (text[1] && strcmp(text + 1, "iB") && strcmp(text + 1, "B")))
			return -EINVAL;
		for (; letter >= letters; letter--)
			if (__builtin_mul_overflow(v, 1024, &v))
				return -ERANGE;
	}
	if (v < 4096 || v > 1 << 30 || (v & (v - 1)))
		return -ERANGE;
	*ret_kb = v / 1024;
	return 0;
}

struct str word_at(const char *words, size_t i)
{
	for (;; i--) {
		size_t n = strcspn(words, "|");

		if (!i)
			return (struct str){words, n};
		if (!words[n])
			return (struct str){NULL, 0};
		words += n + 1;
	}
}

int word_find(const char *words, struct str word)
{
	for (int i = 0;; i++) {
		struct str w = word_at(words, i);

		if (!w.p)
			return -1;
		if (str_eq(w, word))
			return i;
	}
}

struct str word_nearest(const char *words, const char *typed)
{
	_cleanup_free_ char *copy = xstrdup(words);
	const char *names[16], *near;
	size_t n = 0;

	for (char *p = copy; p && n < ELEMENTS(names) - 1;) {
		names[n++] = p;
		p = strchr(p, '|');
		if (p)
			*p++ = 0;
	}
	names[n] = NULL;
	near = str_nearest(typed, names);
	if (!near)
		return (struct str){NULL, 0};
	return (struct str){words + (near - copy), strlen(near)};
}
