/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the kernel's helper functions, as <linux/bpf.h> has them. */
#pragma once

#include <stdint.h>

#include "base/str.h"

const char *ir_helper_name(uint32_t id); /* "map_lookup_elem"; NULL: unknown here */
int64_t ir_helper_find(struct str name); /* −1: there is none */
