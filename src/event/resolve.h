/* SPDX-License-Identifier: Apache-2.0 */
/* A path from its text alone: joined with its folder, "." and ".." worked off. */
#pragma once

#include "base/str.h"

/*
 * Append `path`, seen from the folder `dir`, as an absolute path.  Symbolic links are
 * not followed: this is what the name says, not what the kernel found.
 */
void path_join(struct buf *out, struct str dir, struct str path);

/* What stands after the last slash. */
struct str path_base(struct str path);
