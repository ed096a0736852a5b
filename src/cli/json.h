/* SPDX-License-Identifier: Apache-2.0 */
/* The little JSON that commands print of themselves; events are written by out/. */
#pragma once

#include "base/str.h"

/* Add a string with its quotes. */
void json_put_string(struct buf *b, const char *s);

/* Add ["a", …] or {"a": … up to the value: a comma first, unless a bracket stands before. */
void json_put_item(struct buf *b);
void json_put_key(struct buf *b, const char *key);
void json_put_member(struct buf *b, const char *key, const char *value); /* a string */
