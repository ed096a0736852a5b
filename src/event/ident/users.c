/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/users.h"

#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 24 }; /* what is more is left unread */

/* The part of the line before the first colon; the line goes on after it. */
static bool take_field(struct str *line, struct str *ret)
{
	const char *colon = line->n ? memchr(line->p, ':', line->n) : NULL;

	if (!colon)
		return false;
	*ret = (struct str){line->p, colon - line->p};
	*line = (struct str){colon + 1, line->n - ret->n - 1};
	return true;
}

static bool parse_uid(struct str s, uint32_t *ret)
{
	uint64_t v = 0;

	if (!s.n || s.n > 10)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (v >= UINT32_MAX) /* (uid_t)-1 is nobody's */
		return false;
	*ret = v;
	return true;
}

/* name:password:uid:gid:… */
static bool parse_line(struct str line, struct str *ret_name, uint32_t *ret_uid)
{
	struct str name, field;

	if (!take_field(&line, &name) || !name.n || name.n >= USERS_NAME_MAX)
		return false;
	/* "+" and "-" send the C library to NIS; "#" is a comment to some programs */
	if (strchr("+-#", name.p[0]) || memchr(name.p, 0, name.n))
		return false;
	if (!take_field(&line, &field) || !take_field(&line, &field) || !parse_uid(field, ret_uid))
		return false;
	*ret_name = name;
	return true;
}

static void add(struct users *u, struct str name, uint32_t uid)
{
	if (u->n == u->room) {
		u->room = MAX(u->room * 2, (size_t)32);
		u->list = xrealloc(u->list, u->room * sizeof(*u->list));
	}
	u->list[u->n++] = (struct user){uid, u->names.n};
	buf_put_str(&u->names, name);
	buf_putc(&u->names, 0);
}

void users_parse(struct users *u, struct str text)
{
	while (text.n && u->names.n < FILE_MAX) {
		const char *newline = memchr(text.p, '\n', text.n);
		struct str line = {text.p, newline ? (size_t)(newline - text.p) : text.n}, name;
		size_t used = line.n + (newline != NULL);
		uint32_t uid;

		if (parse_line(line, &name, &uid))
			add(u, name, uid);
		text = (struct str){text.p + used, text.n - used};
	}
	/* the list has moved while it grew */
	map_done(&u->by_uid);
	for (size_t i = 0; i < u->n; i++)
		if (!map_get(&u->by_uid, u->list[i].uid))
			map_put(&u->by_uid, u->list[i].uid, &u->list[i]);
}

int users_load(struct users *u, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_buf_ struct buf b = {0};
	size_t n;

	if (!f)
		return -errno;
	do {
		buf_reserve(&b, 4096);
		n = fread(b.p + b.n, 1, 4096, f);
		b.n += n;
	} while (n && b.n < FILE_MAX);
	if (ferror(f))
		return -EIO;
	users_parse(u, buf_str(&b));
	return 0;
}

void users_done(struct users *u)
{
	free(u->list);
	buf_done(&u->names);
	map_done(&u->by_uid);
	*u = (struct users){0};
}

const char *users_name(const struct users *u, uint32_t uid)
{
	const struct user *found = map_get(&u->by_uid, uid);

	return found ? u->names.p + found->name : NULL;
}

int users_id(const struct users *u, const char *name, uint32_t *ret_uid)
{
	for (size_t i = 0; i < u->n; i++)
		if (!strcmp(u->names.p + u->list[i].name, name)) {
			*ret_uid = u->list[i].uid;
			return 0;
		}
	return -ENOENT;
}
