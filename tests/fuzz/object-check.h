/* SPDX-License-Identifier: Apache-2.0 */
/* Read bytes as an object, and check what the others of the runtime rely on. */
#pragma once

#include "runtime/vm/object.h"

/* `kernel` NULL: none. */
void object_check(const void *bytes, size_t n, const struct btf_view *kernel);
