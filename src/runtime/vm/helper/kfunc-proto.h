/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of kfuncs beyond their types: kfuncs.def as a table for the verifier.
 *
 * Which kfuncs the embedded runtime implements is another matter: helper.h.
 */
#pragma once

#include "isa/insn.h"

enum {
	KFUNC_ACQUIRE = 1 << 0,	 /* what it gives is a reference that must be released */
	KFUNC_RELEASE = 1 << 1,	 /* takes one and releases it */
	KFUNC_RET_NULL = 1 << 2, /* may give NULL */
	KFUNC_TRUSTED_ARGS = 1 << 3,
	KFUNC_SLEEPABLE = 1 << 4,
	KFUNC_DESTRUCTIVE = 1 << 5, /* CAP_SYS_BOOT */
	KFUNC_RCU = 1 << 6,	    /* arguments are trusted or protected by RCU */
	KFUNC_ITER_NEW = 1 << 7,
	KFUNC_ITER_NEXT = 1 << 8,
	KFUNC_ITER_DESTROY = 1 << 9,
	KFUNC_RCU_PROTECTED = 1 << 10, /* the iterator lives inside an RCU read lock */
};

struct kfunc_proto {
	const char *name;
	uint64_t types; /* 1 << enum bpf_prog_type */
	uint16_t flags;
};

/* By its name, as programs of this type have it; NULL: the table has it not for them. */
const struct kfunc_proto *kfunc_proto_for(const char *name, uint32_t prog_type,
					  uint32_t attach_type);
/* By name alone, the first row: is it known at all, to no matter whom?  NULL: no. */
const struct kfunc_proto *kfunc_proto_of(const char *name);
