/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/container-text.h"

static struct str head_of(struct str s, size_t n)
{
	return (struct str){s.p, n};
}

static struct str tail_of(struct str s, size_t from)
{
	return (struct str){s.p + from, s.n - from};
}

/* Where the last `c` stands; s.n if there is none. */
static size_t last_of(struct str s, char c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

void image_name_split(struct str image, struct image_name *ret)
{
	struct image_name name = {.repository = image};
	size_t at = last_of(image, '@'), colon, slash;

	if (str_starts(image, STR("sha256:"))) {
		*ret = (struct image_name){.digest = {0}};
		return;
	}
	if (at < image.n) {
		name.digest = tail_of(image, at + 1);
		name.repository = head_of(image, at);
	}
	/* a colon before the last slash belongs to the registry's port */
	colon = last_of(name.repository, ':');
	slash = last_of(name.repository, '/');
	if (colon < name.repository.n && (slash == name.repository.n || slash < colon)) {
		name.tag = tail_of(name.repository, colon + 1);
		name.repository = head_of(name.repository, colon);
	}
	*ret = name;
}

bool container_text_next(struct str *rest, struct str *ret)
{
	const char *end = rest->n ? memchr(rest->p, 0, rest->n) : NULL;

	if (!end)
		return false;
	*ret = head_of(*rest, end - rest->p);
	*rest = tail_of(*rest, ret->n + 1);
	return true;
}

bool container_mount_next(struct str *rest, struct container_mount *ret)
{
	struct container_mount m = {0};
	struct str writable;

	if (!container_text_next(rest, &m.source) || !container_text_next(rest, &m.destination) ||
	    !container_text_next(rest, &m.mode) || !container_text_next(rest, &writable) ||
	    !container_text_next(rest, &m.propagation))
		return false;
	m.is_writable = str_eq(writable, STR("true"));
	*ret = m;
	return true;
}
