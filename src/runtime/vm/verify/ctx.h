/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what r1 points to when a program starts, one table a program type.
 *
 * Programs see the structs of linux/bpf.h.  Where those squeeze a pointer into 32 bits
 * (xdp_md.data), the runtime keeps the real one behind the struct: a load of the field is changed
 * into a load from there when code is made.  So the memory of a context is the struct, then at
 * `more` the struct ctx_more of those types that have packets.  Rows: ctx.def.
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
	CTX_CTX, /* pointer to the ctx itself: bpf_iter and the like */
};

struct ctx_field {
	const char *name;
	uint16_t offset, size;
	uint8_t kind; /* enum ctx_kind */
	bool is_writable, may_be_narrow, may_be_null;
	/* where the runtime loads it from instead; bytes 0: it is there as it is */
	uint16_t real_offset, real_bytes;
	const char *btf;
};

struct ctx_type {
	uint32_t prog_type;
	const char *name; /* "xdp_md" */
	uint16_t size;	  /* of the struct; 0: an array of 8-byte arguments (raw tracepoints) */
	uint16_t more;	  /* where struct ctx_more is; 0: nowhere */
	const struct ctx_field *fields;
	unsigned int n;
};

/* What lies behind the contexts of packets. */
struct ctx_more {
	uint64_t data, data_end, data_meta;
};

/* NULL: programs of this type are not known. */
const struct ctx_type *ctx_of(uint32_t prog_type, uint32_t attach_type);
