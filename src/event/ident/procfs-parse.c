/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of /proc/PID, as of Linux 5.10 to 6.18 (fs/proc/array.c of the kernel).
 *
 * `stat` is one line of numbers but for the name in parentheses, which may hold
 * parentheses, spaces and newlines; after the last ")" no foreign byte follows.  In
 * `status` the kernel escapes the name's newlines, so each line but the first is the
 * kernel's own.
 */
#include "base/macro.h"
#include "event/ident/procfs.h"

#include <errno.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Take what stands before the first c, and c itself; all of it if there is none. */
static struct str take_until(struct str *s, char c)
{
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;
	struct str head = {s->p, at ? (size_t)(at - s->p) : s->n};
	size_t used = head.n + (at != NULL);

	*s = (struct str){s->p + used, s->n - used};
	return head;
}

/* Take a decimal number, spaces and tabs before it. */
static bool take_uint(struct str *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0, begin;

	while (i < s->n && (s->p[i] == ' ' || s->p[i] == '\t'))
		i++;
	for (begin = i; i < s->n && is_digit(s->p[i]); i++) {
		unsigned int digit = s->p[i] - '0';

		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (i == begin)
		return false;
	*s = (struct str){s->p + i, s->n - i};
	*ret = v;
	return true;
}

static bool take_u32(struct str *s, uint32_t *ret)
{
	uint64_t v;

	if (!take_uint(s, UINT32_MAX, &v))
		return false;
	*ret = v;
	return true;
}

/* The numbers of `stat` behind the state, by their number in proc(5). */
enum {
	F_PPID = 4,
	F_START = 22,
	F_ARG_START = 48,
	F_ARG_END,
	F_LAST = 52,
};

/* Numbers below zero come as their two's complement.  Returns the last that is there. */
static int take_numbers(struct str s, uint64_t field[F_LAST + 1])
{
	int last = F_PPID - 1;

	while (last < F_LAST) {
		bool minus = s.n > 1 && s.p[0] == ' ' && s.p[1] == '-';
		uint64_t v;

		if (minus)
			s = (struct str){s.p + 2, s.n - 2};
		if (!s.n || is_digit(s.p[0]) != minus || !take_uint(&s, UINT64_MAX, &v))
			break;
		field[++last] = minus ? -v : v;
	}
	return last;
}

int procfs_parse_stat(struct str s, struct procfs_stat *ret)
{
	uint64_t field[F_LAST + 1] = {0};
	struct procfs_stat x = {0};
	const char *name;
	size_t end = s.n;

	if (!take_u32(&s, &x.pid) || !str_starts(s, STR(" (")))
		return -EBADMSG;
	name = s.p + 2;
	for (end = s.n; end > 2 && s.p[end - 1] != ')';)
		end--;
	/* ") S " */
	if (end <= 2 || s.n - end < 3 || s.p[end] != ' ' || s.p[end + 2] != ' ')
		return -EBADMSG;
	memcpy(x.comm, name, MIN(end - 3, sizeof(x.comm) - 1));
	if (take_numbers((struct str){s.p + end + 2, s.n - end - 2}, field) < F_START)
		return -EBADMSG;
	x.ppid = field[F_PPID];
	x.start_ticks = field[F_START];
	x.arg_start = field[F_ARG_START];
	x.arg_end = field[F_ARG_END];
	*ret = x;
	return 0;
}

static bool take_four(struct str s, uint32_t ret[4])
{
	uint32_t v[4];

	for (int i = 0; i < 4; i++)
		if (!take_u32(&s, &v[i]))
			return false;
	memcpy(ret, v, sizeof(v));
	return true;
}

/* The last number of a line. */
static bool take_last(struct str s, uint32_t *ret)
{
	bool found = false;

	while (take_u32(&s, ret))
		found = true;
	return found;
}

static bool take_hex(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0, begin;

	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	for (begin = i; i < s.n && i - begin < 16; i++) {
		char c = s.p[i] | ('a' - 'A');

		if (is_digit(s.p[i]))
			v = v << 4 | (uint64_t)(s.p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (i == begin)
		return false;
	*ret = v;
	return true;
}

int procfs_parse_status(struct str s, struct procfs_status *ret)
{
	enum { TGID = 1, UID = 2, GID = 4, ALL = 7 };
	struct procfs_status x = {0};
	int found = 0;

	take_until(&s, '\n'); /* Name: */
	while (s.n) {
		struct str line = take_until(&s, '\n'), key = take_until(&line, ':');

		if (str_eq(key, STR("Tgid")))
			found |= take_u32(&line, &x.tgid) ? TGID : 0;
		else if (str_eq(key, STR("Uid")))
			found |= take_four(line, x.uid) ? UID : 0;
		else if (str_eq(key, STR("Gid")))
			found |= take_four(line, x.gid) ? GID : 0;
		else if (str_eq(key, STR("NSpid")))
			take_last(line, &x.ns_pid);
		else if (str_eq(key, STR("CapInh")))
			take_hex(line, &x.cap_inheritable);
		else if (str_eq(key, STR("CapPrm")))
			take_hex(line, &x.cap_permitted);
		else if (str_eq(key, STR("CapEff")))
			take_hex(line, &x.cap_effective);
	}
	if (found != ALL)
		return -EBADMSG;
	if (!x.ns_pid) /* a kernel without pid namespaces */
		x.ns_pid = x.tgid;
	*ret = x;
	return 0;
}

int procfs_parse_uint(struct str s, uint32_t *ret)
{
	uint32_t v;

	if (!s.n || !is_digit(s.p[0]) || !take_u32(&s, &v) || (s.n && !str_eq(s, STR("\n"))))
		return -EBADMSG;
	*ret = v;
	return 0;
}

int procfs_parse_ns(struct str s, uint32_t *ret_inode)
{
	uint32_t v;

	take_until(&s, '[');
	if (!s.n || !is_digit(s.p[0]) || !take_u32(&s, &v) || !str_eq(s, STR("]")))
		return -EBADMSG;
	*ret_inode = v;
	return 0;
}
