/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/kallsyms.h"

#include "base/macro.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PART = 64 << 10, SYMBOLS_MAX = 4 << 20 };

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t keep(struct buf *to, const char *p, size_t n)
{
	uint32_t at = (uint32_t)to->n;

	buf_add(to, p, n);
	buf_putc(to, 0);
	return at;
}

/* "ffffffff81000000 T _text" or "… t name\t[module]". */
static bool parse_line(struct kallsyms *k, const char *p, const char *end, struct kallsym *ret)
{
	const char *name, *name_end;

	*ret = (struct kallsym){0};
	for (; p < end && hex(*p) >= 0; p++)
		ret->address = ret->address << 4 | (unsigned int)hex(*p);
	if (end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return false;
	ret->type = p[1];
	name = p + 3;
	name_end = memchr(name, '\t', (size_t)(end - name));
	if (!name_end)
		name_end = end;
	ret->name = keep(&k->text, name, (size_t)(name_end - name));
	if (name_end + 3 < end && name_end[1] == '[' && end[-1] == ']') {
		size_t n = (size_t)(end - 1 - (name_end + 2));
		const char *last = k->n ? k->text.p + k->all[k->n - 1].module : "";

		/* a module's symbols come in a row */
		ret->module = strlen(last) == n && !memcmp(last, name_end + 2, n)
				      ? k->all[k->n - 1].module
				      : keep(&k->text, name_end + 2, n);
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct kallsym *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Whole lines; returns the bytes used.  With `is_end` the last needs no newline. */
static size_t parse_lines(struct kallsyms *k, struct str text, bool is_end)
{
	const char *p = text.p, *end = text.p + text.n;

	while (p < end && k->n < SYMBOLS_MAX) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct kallsym s;

		if (!newline && !is_end)
			break;
		if (!newline)
			newline = end;
		if (parse_line(k, p, newline, &s)) {
			if (k->n == k->room) {
				k->room = k->room ? k->room + k->room / 2 : 1 << 14;
				k->all = xrealloc(k->all, k->room * sizeof(*k->all));
			}
			k->is_unsorted |= k->n && k->all[k->n - 1].address > s.address;
			k->is_hidden &= !s.address;
			k->all[k->n++] = s;
		}
		p = newline == end ? end : newline + 1;
	}
	return k->n < SYMBOLS_MAX ? (size_t)(p - text.p) : text.n;
}

static void start(struct kallsyms *k)
{
	*k = (struct kallsyms){.is_hidden = true};
	buf_putc(&k->text, 0);
}

void kallsyms_parse(struct kallsyms *k, struct str text)
{
	start(k);
	parse_lines(k, text, true);
}

void kallsyms_read(struct kallsyms *k)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *part = xalloc(PART);
	size_t have = 0, used;
	ssize_t n = 1;

	start(k);
	while (fd >= 0 && n > 0 && have < PART) {
		n = read(fd, part + have, PART - have);
		have += n > 0 ? (size_t)n : 0;
		used = parse_lines(k, (struct str){part, have}, n <= 0);
		memmove(part, part + used, have - used);
		have -= used;
	}
}

void kallsyms_done(struct kallsyms *k)
{
	buf_done(&k->text);
	free(k->all);
	*k = (struct kallsyms){0};
}

/* Markers that stand at the same address as a function, and names that compilers make. */
static bool is_code(const struct kallsym *s)
{
	return strchr("tTwW", s->type) != NULL;
}

const struct kallsym *kallsyms_at(struct kallsyms *k, uint64_t address)
{
	enum { FAR = 16 << 20 };
	size_t low = 0, high = k->n, first;

	if (k->is_hidden)
		return NULL;
	/* modules and programs come last, wherever they are */
	if (k->is_unsorted)
		qsort(k->all, k->n, sizeof(*k->all), by_address);
	k->is_unsorted = false;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (k->all[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address - k->all[low - 1].address > FAR)
		return NULL;
	/* of several names for one place: the first that is code, as the kernel itself says */
	for (first = low - 1; first > 0 && k->all[first - 1].address == k->all[low - 1].address;)
		first--;
	for (size_t i = first; i < low; i++)
		if (is_code(&k->all[i]))
			return &k->all[i];
	return &k->all[first];
}

const struct kallsym *kallsyms_named(const struct kallsyms *k, const char *name)
{
	const struct kallsym *found = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct kallsym *s = &k->all[i];

		if (strcmp(k->text.p + s->name, name) != 0)
			continue;
		if (!s->module)
			return s;
		if (!found)
			found = s;
	}
	return found;
}
