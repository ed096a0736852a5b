/* SPDX-License-Identifier: Apache-2.0 */
/* xz, as .gnu_debugdata is packed. */
#pragma once

#include "base/str.h"

/* Append what was packed, at most 256 MB.  -EBADMSG: it is no xz stream. */
int xz_unpack(struct str packed, struct buf *to);
