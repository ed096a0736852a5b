/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what r1 points to when a program starts, one table a program type.
 *
 * Programs see the structs of linux/bpf.h.  Where those squeeze a pointer into 32 bits
 * (xdp_md.data), the runtime keeps the real one behind the struct: a load of the field is changed
 * into a load from there when code is made.  So the memory of a context is the struct, then at
 * `more` the struct ctx_more of those types that have packets.  Rows: ctx.def.
 *
 * What an access may be depends on more than the field: on the program type where several share a
 * struct, on the attach type, on size and direction.  ctx_check() knows all of it; the members
 * is_writable, may_be_narrow only say what is possible somewhere.
 */
#pragma once

#include "isa/insn.h"

enum ctx_kind {
	CTX_NUMBER,
	CTX_PACKET, /* pointers into the packet */
	CTX_PACKET_END,
	CTX_PACKET_META,
	CTX_BTF,  /* pointer to a kernel object of type `btf` */
	CTX_SOCK, /* pointer to a socket, or NULL */
	CTX_FLOW_KEYS,
	CTX_CTX,	 /* pointer to the ctx itself: bpf_iter and the like */
	CTX_SOCK_COMMON, /* pointer to a socket of any kind */
	CTX_TP_BUFFER,	 /* what a writable raw tracepoint lets programs change */
};

/* What kind of memory a context is. */
enum ctx_form {
	CTX_FORM_FIELDS, /* a struct: `fields` */
	CTX_FORM_BYTES,	 /* numbers from `first` to `size`, at any aligned offset */
	CTX_FORM_TYPED,	 /* 8-byte arguments whose types the hook's BTF gives */
};

/* How much of a field may be read or written at once. */
enum ctx_width {
	CTX_EXACT,  /* `unit` bytes */
	CTX_NARROW, /* reads: `unit` or less; writes: `unit` */
	CTX_ANY,    /* anything inside the field */
	CTX_WIDE,   /* as NARROW, and 8 bytes */
	CTX_PORT,   /* 2 bytes or one, or 4 with the zeros behind it */
	CTX_MIN_2,  /* reads: `unit` or 2 */
};

struct ctx_field {
	const char *name;
	uint16_t offset, size;
	uint8_t kind; /* enum ctx_kind */
	bool is_writable, may_be_narrow, may_be_null;
	/* where the runtime loads it from instead; bytes 0: it is there as it is */
	uint16_t real_offset, real_bytes;
	const char *btf;
	uint8_t width; /* enum ctx_width */
	uint8_t unit;
	/* who: bits of program types or attach types, by ctx_type.is_by_attach */
	uint64_t readers, writers;
};

struct ctx_type {
	uint32_t prog_type;
	const char *name; /* "xdp_md" */
	uint16_t size;	  /* of the struct; 0: an array of 8-byte arguments (raw tracepoints) */
	uint16_t more;	  /* where struct ctx_more is; 0: nowhere */
	const struct ctx_field *fields;
	unsigned int n;
	uint8_t form;	   /* enum ctx_form */
	uint8_t first;	   /* BYTES: below it nothing may be read */
	bool is_writable;  /* BYTES */
	bool is_by_attach; /* of fields: readers, writers */
};

/* What lies behind the contexts of packets. */
struct ctx_more {
	uint64_t data, data_end, data_meta;
};

/* NULL: programs of this type are not known. */
const struct ctx_type *ctx_of(uint32_t prog_type, uint32_t attach_type);

struct ctx_access {
	int64_t offset;
	uint32_t bytes; /* 1, 2, 4, 8 */
	uint32_t prog_type, attach_type;
	bool is_write, is_signed;
};
/*
 * May the context be accessed so?  FIELDS: `ret` is the field.  BYTES: NULL, it is a number; the
 * exception is a field that the type has all the same (CTX_TP_BUFFER).  TYPED: only alignment,
 * size and range are checked here, the types are the caller's matter.
 */
bool ctx_check(const struct ctx_type *t, const struct ctx_access *a, const struct ctx_field **ret);

/* Sockets as programs see them: bpf_sock and the like.  All are only read. */
enum ctx_object {
	CTX_OBJECT_SOCK,
	CTX_OBJECT_SOCK_COMMON,
	CTX_OBJECT_TCP_SOCK,
	CTX_OBJECT_XDP_SOCK
};
bool ctx_object_check(enum ctx_object o, int64_t offset, uint32_t bytes);
