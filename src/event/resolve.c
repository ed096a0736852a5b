/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolve.h"

/* Adds the components of `path` to out, which begins at `root`. */
static void add_components(struct buf *out, size_t root, struct str path)
{
	while (path.n) {
		const char *slash = memchr(path.p, '/', path.n);
		struct str part = {path.p, slash ? (size_t)(slash - path.p) : path.n};

		path.p += part.n + !!slash;
		path.n -= part.n + !!slash;
		if (!part.n || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR(".."))) {
			while (out->n > root && out->p[--out->n] != '/')
				;
			continue;
		}
		buf_putc(out, '/');
		buf_put_str(out, part);
	}
}

void path_join(struct buf *out, struct str dir, struct str path)
{
	size_t root = out->n;

	if (!path.n || path.p[0] != '/')
		add_components(out, root, dir);
	add_components(out, root, path);
	if (out->n == root)
		buf_putc(out, '/');
	else
		out->p[out->n] = 0;
}

struct str path_base(struct str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	if (!slash)
		return path;
	return (struct str){slash + 1, path.n - (slash + 1 - path.p)};
}
