/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes shown by the types of a BPF object. */
#pragma once

#include "isa/btf.h"

/*
 * Append the value: text as "{ .pid = 7, .comm = "sh" }", or JSON.  `bytes` may be shorter
 * than the type: what is missing is left out.  Type 0: bytes in hex.
 */
void load_show(const struct btf_view *v, uint32_t type, struct str bytes, bool json,
	       struct buf *to);
void load_show_hex(struct str bytes, bool json, struct buf *to);

/*
 * Which struct are the records of a ring buffer?  Objects do not say: it is the one that
 * `named` names; else one that a global pointer of the object points to (kept there so
 * that its type is in the object) or whose name is like the map's, or the only one of this
 * size.  0: nobody knows.
 */
uint32_t load_show_record(const struct btf_view *v, const char *map, size_t n, const char *named);
