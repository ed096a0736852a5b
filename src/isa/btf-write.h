/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small BTF blob, written type by type.
 *
 * Programs with callbacks must tell the kernel the types of their functions, and an object
 * file the types of its maps.  Each function appends one type and returns its id, from 1.
 * Order is free: ids that come later may be named before.
 */
#pragma once

#include "base/str.h"

#include <linux/btf.h>

struct btf_writer {
	struct buf types, strings;
	uint32_t n; /* the id that comes next */
};

void btf_writer_init(struct btf_writer *w);
void btf_writer_done(struct btf_writer *w);

uint32_t btf_write_string(struct btf_writer *w, const char *s); /* its offset; "" is 0 */

/* `encoding`: BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL or 0. */
uint32_t btf_write_int(struct btf_writer *w, const char *name, unsigned int bytes,
		       unsigned int encoding);
/* Kinds that are one id: PTR, TYPEDEF, CONST, VOLATILE, … (name NULL: none). */
uint32_t btf_write_ref(struct btf_writer *w, unsigned int kind, const char *name, uint32_t to);
uint32_t btf_write_array(struct btf_writer *w, uint32_t of, uint32_t index, uint32_t n);
/* `kind`: STRUCT or UNION; members follow, exactly `n` of them. */
uint32_t btf_write_struct(struct btf_writer *w, unsigned int kind, const char *name, uint32_t size,
			  unsigned int n);
void btf_write_member(struct btf_writer *w, const char *name, uint32_t type, uint32_t bit_offset);
/* A prototype; `names` gives the parameters', NULL: "a", "b", … (the kernel wants some). */
uint32_t btf_write_proto(struct btf_writer *w, uint32_t ret, const uint32_t *params,
			 const char *const *names, unsigned int n);
/* `linkage`: BTF_FUNC_STATIC, BTF_FUNC_GLOBAL. */
uint32_t btf_write_func(struct btf_writer *w, const char *name, uint32_t proto,
			unsigned int linkage);
/* `linkage`: BTF_VAR_STATIC, BTF_VAR_GLOBAL_ALLOCATED, … */
/* Says `text` of the type, or (`component` not −1) of one of its members or parameters. */
uint32_t btf_write_decl_tag(struct btf_writer *w, const char *text, uint32_t of, int component);
uint32_t btf_write_var(struct btf_writer *w, const char *name, uint32_t type, unsigned int linkage);
/* A section; variables follow, exactly `n` of them. */
uint32_t btf_write_datasec(struct btf_writer *w, const char *name, uint32_t size, unsigned int n);
void btf_write_secinfo(struct btf_writer *w, uint32_t var, uint32_t offset, uint32_t size);

/* Append the whole blob: header, types, strings. */
void btf_write_blob(const struct btf_writer *w, struct buf *ret);
