/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json.h"

void json_put_string(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(b, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			buf_printf(b, "\\u%04x", *s);
		else
			buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

void json_put_item(struct buf *b)
{
	if (b->n && !strchr("[{:", b->p[b->n - 1]))
		buf_putc(b, ',');
}

void json_put_key(struct buf *b, const char *key)
{
	json_put_item(b);
	json_put_string(b, key);
	buf_putc(b, ':');
}

void json_put_member(struct buf *b, const char *key, const char *value)
{
	json_put_key(b, key);
	json_put_string(b, value);
}
