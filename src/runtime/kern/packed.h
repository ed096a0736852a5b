/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What skep has inside, made small.
 *
 * Objects and texts are put into the program by src/runtime/bpf/embed.sh.  What is large is packed
 * by gzip: xz would make it smaller by a third, but takes four times as long to unpack, and that is
 * time before the first event.  An object that is nearly another one is told as the difference
 * (src/runtime/bpf/delta.py).
 */
#pragma once

#include "base/str.h"

/* Append the first `max` bytes of what was packed, or all.  -EBADMSG: it was not by gzip. */
int packed_read(struct str packed, size_t max, struct buf *to);

/* Append what `delta` makes of `old`.  -EBADMSG: it is none, or of another file. */
int packed_patch(struct str old, struct str delta, struct buf *to);
