/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What helpers take and give: the table that the verifier judges calls by.
 *
 * One row a helper (helpers.def), in the kernel's own terms (struct bpf_func_proto, enum
 * bpf_arg_type in include/linux/bpf.h).  What a helper does is another matter: helper.h has
 * those that skep's own runtime implements.
 */
#pragma once

#include "isa/insn.h"

enum proto_arg {
	ARG_NONE, /* not used: the register may hold anything */
	ARG_ANYTHING,
	ARG_CTX,
	ARG_CONST_MAP, /* a map; later arguments are of it */
	ARG_MAP_KEY,
	ARG_MAP_VALUE,
	ARG_MAP_VALUE_UNINIT, /* is written */
	ARG_MEM,	      /* is read; its size is the next argument */
	ARG_MEM_UNINIT,	      /* is written */
	ARG_MEM_RW,	      /* both */
	ARG_SIZE,	      /* of the memory before it; at least 1 */
	ARG_SIZE_OR_ZERO,
	ARG_FIXED_MEM,	      /* `size` bytes, read: proto.sizes */
	ARG_FIXED_MEM_UNINIT, /* written, 8-aligned */
	ARG_CONST_ALLOC_SIZE, /* a constant: how much is allocated */
	ARG_ALLOC_MEM,	      /* what a reserve gave; is released */
	ARG_LONG_PTR,	      /* 8 bytes that are written */
	ARG_INT_PTR,	      /* 4 bytes, 4-aligned, that are read and written */
	ARG_CONST_STR,	      /* in a frozen map, with a NUL */
	ARG_FUNC,	      /* callback; its protocol is `callback` */
	ARG_STACK,	      /* pointer to the stack or NULL: callback's context */
	ARG_SPIN_LOCK,
	ARG_TIMER,
	ARG_KPTR, /* the address of one in a map's value */
	ARG_SOCK_COMMON,
	ARG_SOCKET, /* a socket of the kernel's */
	ARG_BTF_ID, /* a trusted pointer to `btf` */
	ARG_BTF_ID_SOCK_COMMON,
	ARG_PERCPU_BTF_ID,
	ARG_DYNPTR, /* initialised: DYNPTR_* flags */
	ARG_DYNPTR_UNINIT,
	ARG_SCALAR, /* a number: no pointer will do, not even for root */
	ARG_COUNT
};
enum {
	ARG_OR_NULL = 1 << 8, /* flags, with the above */
	ARG_RELEASE = 1 << 9,
	ARG_DYNPTR_LOCAL = 1 << 10,
	ARG_DYNPTR_RINGBUF = 1 << 11,
	ARG_RDONLY = 1 << 12, /* DYNPTR: a read-only one will do */
};

enum proto_ret {
	RET_INTEGER,
	RET_VOID,
	RET_MAP_VALUE_OR_NULL,
	RET_MAP_VALUE,
	RET_SOCKET_OR_NULL,
	RET_TCP_SOCK_OR_NULL,
	RET_SOCK_COMMON_OR_NULL,
	RET_ALLOC_MEM_OR_NULL, /* of ARG_CONST_ALLOC_SIZE bytes; must be released */
	RET_DYNPTR_MEM_OR_NULL,
	RET_BTF_ID_OR_NULL,
	RET_BTF_ID_TRUSTED,
	RET_MEM_OR_BTF_ID,
	RET_MEM_OR_BTF_ID_OR_NULL,
	RET_KPTR_OR_NULL, /* bpf_kptr_xchg: what was there */
	RET_BTF_ID,	  /* never NULL, not trusted: bpf_task_pt_regs */
};

/* What a user must have that a helper is there at all; the others are for all users. */
enum proto_needs { NEEDS_NOTHING, NEEDS_BPF, NEEDS_PERFMON };

struct proto {
	const char *name;	      /* "bpf_map_lookup_elem" */
	uint16_t args[5];	      /* enum proto_arg | flags */
	uint16_t ret;		      /* enum proto_ret */
	uint16_t sizes[5];	      /* FIXED_MEM: bytes */
	const char *btf[5], *ret_btf; /* BTF_ID: the struct's name */
	bool is_gpl, changes_packet, may_sleep;
	bool takes_packet; /* memory arguments may be in the packet */
	uint8_t needs;	   /* enum proto_needs */
};

/* By number; NULL: no such helper.  The first of its rows: some have other arguments in other
 * program types, so who verifies a call asks proto_for(). */
const struct proto *proto_of(uint32_t helper);
/* As programs of this type have it; NULL: they have it not. */
const struct proto *proto_for(uint32_t helper, uint32_t prog_type);
/* "bpf_map_lookup_elem" → 1; 0: none. */
uint32_t proto_number(const char *name);
/* May a program of this type call it (as root, with all features)? */
bool proto_allows(uint32_t helper, uint32_t prog_type, uint32_t attach_type, bool is_sleepable);
/* May such a map be given to it?  (check_map_func_compatibility() in the kernel) */
bool proto_takes_map(uint32_t helper, uint32_t map_type);
/* The same, and what depends on the program: map_update_elem and map_delete_elem of sockmaps. */
bool proto_takes_map_in(uint32_t helper, uint32_t map_type, uint32_t prog_type,
			uint32_t attach_type);
/* Helpers that only some hooks have: may a program there (the name of a kernel function, of a
 * BPF iterator "bpf_iter_tcp" …; NULL: unknown) call it?  True for all others. */
bool proto_allows_target(uint32_t helper, uint32_t prog_type, bool is_sleepable,
			 const char *target);
