/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 OR BSD-2-Clause */
/*
 * What the programs of a question tell user space.
 *
 * One record: this head, then the payload as the action's `args` type lays it out, at
 * offset 8.  Programs write records with bpf_ringbuf_reserve or _output.
 */
#pragma once

#include <linux/types.h>

struct wire_answer {
	__u32 action; /* index into question.actions */
	__u32 probe;  /* index into question.probes */
};

/*
 * What went wrong without a record: per cpu, one __u64 for each row of question.losses,
 * in the map QMAP_LOST.  Row 0 is always "the ring was full".
 */
