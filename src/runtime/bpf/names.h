/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Paths that names.bpf.c put aside for a thread until its call returns. */
#pragma once

#include "runtime/bpf/core.h"

enum { NAMED_MAX = 1024 };

struct named {
	__u32 kind; /* enum wire_kind: whose call this was */
	__u32 len[2];
	__u32 cut; /* WIRE_F_CUT: a path lost its beginning */
	char path[2][NAMED_MAX];
};

SHARED struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u32); /* thread */
	__type(value, struct named);
} names SEC(".maps");
