/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointers that know their size and kind: struct bpf_dynptr, as the kernel lays it out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	DYNPTR_LOCAL = 1, /* memory */
	DYNPTR_RING,	  /* a record that is reserved in a ring buffer */
	DYNPTR_SKB,	  /* a packet: data is struct vm_packet */
	DYNPTR_XDP,
	DYNPTR_KINDS = 7,
	DYNPTR_RDONLY = 8, /* with a kind */
	DYNPTR_SIZE_MAX = (1 << 24) - 1,
};
#define DYNPTR_RDONLY_BIT (1u << 31)

struct dynptr {
	void *data;
	uint32_t size; /* and above its 24 bits the kind and DYNPTR_RDONLY_BIT */
	uint32_t offset;
};

static inline void dynptr_clear(struct dynptr *p)
{
	memset(p, 0, sizeof(*p));
}
static inline void dynptr_init(struct dynptr *p, unsigned int kind, void *data, uint32_t n)
{
	p->data = data;
	p->offset = 0;
	p->size = n | (kind & DYNPTR_KINDS) << 28 | (kind & DYNPTR_RDONLY ? DYNPTR_RDONLY_BIT : 0);
}
static inline uint32_t dynptr_size(const struct dynptr *p)
{
	return p->size & DYNPTR_SIZE_MAX;
}
static inline unsigned int dynptr_kind(const struct dynptr *p)
{
	return (p->size & ~DYNPTR_RDONLY_BIT) >> 28;
}
static inline bool dynptr_is_rdonly(const struct dynptr *p)
{
	return p->size & DYNPTR_RDONLY_BIT;
}
static inline bool dynptr_has(const struct dynptr *p, uint32_t offset, uint32_t n)
{
	return n <= dynptr_size(p) && offset <= dynptr_size(p) - n;
}
