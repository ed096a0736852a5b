/* SPDX-License-Identifier: Apache-2.0 */
/* Small BTF blobs, type by type; ids count from 1 in the order of the calls. */
#pragma once

#include "base/str.h"

#include <linux/btf.h>

struct made_btf {
	struct buf types, strings;
	unsigned int n; /* the id of the last type */
};

static inline void made_btf_done(struct made_btf *b)
{
	buf_done(&b->types);
	buf_done(&b->strings);
}

static inline uint32_t made_name(struct made_btf *b, const char *name)
{
	uint32_t at;

	if (!b->strings.n)
		buf_putc(&b->strings, 0);
	if (!*name)
		return 0;
	at = b->strings.n;
	buf_add(&b->strings, name, strlen(name) + 1);
	return at;
}

/* A type's first 12 bytes; `last` is its size or the type it leads to. */
static inline unsigned int made_type(struct made_btf *b, unsigned int kind, unsigned int vlen,
				     const char *name, uint32_t last)
{
	struct btf_type t = {.name_off = made_name(b, name), .info = kind << 24 | vlen};

	t.type = last;
	buf_add(&b->types, &t, sizeof(t));
	return ++b->n;
}

static inline unsigned int made_int(struct made_btf *b, const char *name, uint32_t size)
{
	uint32_t bits = size * 8;
	unsigned int id = made_type(b, BTF_KIND_INT, 0, name, size);

	buf_add(&b->types, &bits, sizeof(bits));
	return id;
}

static inline unsigned int made_ptr(struct made_btf *b, uint32_t to)
{
	return made_type(b, BTF_KIND_PTR, 0, "", to);
}

/* A struct of one member. */
static inline unsigned int made_struct(struct made_btf *b, const char *name, uint32_t member)
{
	struct btf_member m = {.name_off = made_name(b, "member"), .type = member};
	unsigned int id = made_type(b, BTF_KIND_STRUCT, 1, name, 8);

	buf_add(&b->types, &m, sizeof(m));
	return id;
}

/* The typedef, pointer and function of a tracepoint; `params` without the context. */
static inline void made_tracepoint(struct made_btf *b, const char *name, size_t n,
				   const uint32_t *params)
{
	char typedef_name[64] = "btf_trace_";
	struct btf_param p = {.type = 1}; /* the context: a pointer, of which nobody asks to what */
	unsigned int func;

	strcat(typedef_name, name);
	func = made_type(b, BTF_KIND_FUNC_PROTO, n + 1, "", 0);
	buf_add(&b->types, &p, sizeof(p));
	for (size_t i = 0; i < n; i++) {
		p.type = params[i];
		buf_add(&b->types, &p, sizeof(p));
	}
	made_type(b, BTF_KIND_TYPEDEF, 0, typedef_name, made_ptr(b, func));
}

/* The whole blob. */
static inline void made_blob(struct made_btf *b, struct buf *ret)
{
	struct btf_header h = {.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(h)};

	made_name(b, "");
	h.type_len = b->types.n;
	h.str_off = b->types.n;
	h.str_len = b->strings.n;
	buf_add(ret, &h, sizeof(h));
	buf_put_str(ret, buf_str(&b->types));
	buf_put_str(ret, buf_str(&b->strings));
}
