/* SPDX-License-Identifier: Apache-2.0 */
#include "event/rule/hosts.h"

#include "base/macro.h"
#include "catalog/rule-field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { HOSTS_MAX = 1 << 16, LINE_MAX_BYTES = 4096 };

struct host {
	uint8_t ip[16];
	struct str name; /* in the arena */
};

struct hosts {
	struct arena arena;
	ARRAY(struct host) list;
};

struct hosts *hosts_new(void)
{
	return xalloc(sizeof(struct hosts));
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	arena_done(&h->arena);
	free(h);
}

void hosts_add(struct hosts *h, struct str name, const uint8_t ip[16])
{
	struct host host = {.name = {arena_strndup(&h->arena, name.p, name.n), name.n}};

	if (h->list.n >= HOSTS_MAX)
		return;
	memcpy(host.ip, ip, sizeof(host.ip));
	array_push(&h->arena, &h->list, host);
}

/* The next word of a line; false: there is none. */
static bool word(struct str *line, struct str *ret)
{
	size_t n = 0;

	while (line->n && (*line->p == ' ' || *line->p == '\t' || *line->p == '\r'))
		line->p++, line->n--;
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t' && line->p[n] != '\r')
		n++;
	*ret = (struct str){line->p, n};
	line->p += n;
	line->n -= n;
	return n > 0;
}

static void parse_line(struct hosts *h, struct str line)
{
	const char *comment = line.n ? memchr(line.p, '#', line.n) : NULL;
	struct rule_literal ip;
	struct str w;

	if (comment)
		line.n = comment - line.p;
	if (!word(&line, &w) || !rule_literal_parse(RT_IP, w, &ip) || ip.prefix != 128)
		return;
	while (word(&line, &w))
		hosts_add(h, w, ip.ip);
}

void hosts_parse(struct hosts *h, struct str text)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		parse_line(h, (struct str){text.p, n});
		text.p += n + !!end;
		text.n -= n + !!end;
	}
}

int hosts_load(struct hosts *h, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		hosts_parse(h, str_of(line));
	return 0;
}

static bool is_same(const struct host *h, const uint8_t ip[16])
{
	return !memcmp(h->ip, ip, sizeof(h->ip));
}

bool hosts_has(const struct hosts *h, struct str name, const uint8_t ip[16])
{
	for (size_t i = 0; i < h->list.n; i++)
		if (is_same(&h->list.p[i], ip) && h->list.p[i].name.n == name.n &&
		    !strncasecmp(h->list.p[i].name.p, name.p, name.n))
			return true;
	return false;
}

struct str hosts_name(const struct hosts *h, const uint8_t ip[16])
{
	for (size_t i = 0; i < h->list.n; i++)
		if (is_same(&h->list.p[i], ip))
			return h->list.p[i].name;
	return (struct str){0};
}
