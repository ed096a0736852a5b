/* SPDX-License-Identifier: Apache-2.0 */
/* A scalar's lanes, taken out and put back: between scalar.c and scalar-branch.c. */
#pragma once

#include "runtime/vm/verify/lane.h"

struct lane scalar_lane(const struct scalar *s, bool is_32);
/* Put a lane back, and let the other learn of it.  False: the set is empty. */
bool scalar_put(struct scalar *s, const struct lane *l);
