/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as they come in: checked once, then trusted.
 *
 * A record may come from the kernel or from a file that somebody sent us, so size,
 * kind and every string are checked before anything follows them.
 */
#pragma once

#include "base/str.h"
#include "catalog/catalog.h"
#include "catalog/wire/rule.h"

/*
 * Is this one whole record?  0; -EBADMSG if not; -ENOTSUP for a kind that this
 * version does not know (its size is sound: it may be skipped).
 */
int record_check(const void *record, size_t n);

/* The annex of a checked record; NULL: it has none. */
const struct wire_annex *record_annex(const void *record);

/* A string of a checked record; empty if it has none. */
struct str record_str(const void *record, struct wire_str s);

/*
 * Begin an identity record in `out`, which is emptied; strings are added behind it with
 * record_add_str(), which takes the member's offset in the body and may move it.
 */
void record_begin(struct buf *out, unsigned int kind);
void record_add_str(struct buf *out, size_t member, struct str s);
void record_end(struct buf *out);
