/* SPDX-License-Identifier: Apache-2.0 */
/* How programs of a question are attached, and what follows from that: the rows of attach.def. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum question_attach {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) QATTACH_##id,
#include "catalog/attach.def"
#undef ATTACH
	QATTACHES
};

enum attach_trait {
	QA_OWN = 1 << 0,     /* run by skep, as query_run(); no hook of the machine's */
	QA_ENDS = 1 << 1,    /* nothing comes from it later: no reason to go on */
	QA_TASK = 1 << 2,    /* it is the work of the task that it tells of */
	QA_FILTER = 1 << 3,  /* -p: the program looks whether it is that process */
	QA_PID = 1 << 4,     /* -p: attached to that process alone */
	QA_COMMAND = 1 << 5, /* -c: likewise to the command's, as bpftrace does */
	QA_RETURN = 1 << 6,  /* when a function returns */
	QA_MULTI = 1 << 7,   /* one row attaches many places; the others are NONE */
	QA_IRQS = 1 << 8,    /* interrupts come through while it runs, wherever it is */
};

/* Members of struct question_probe. */
enum attach_need {
	QN_TARGET = 1 << 0,
	QN_GROUP = 1 << 1,
	QN_BINARY = 1 << 2,
	QN_ADDRESSES = 1 << 3,
	QN_LIST = 1 << 4, /* targets or addresses */
};

struct attach_kind {
	uint32_t prog_type;   /* enum bpf_prog_type */
	uint32_t attach_type; /* enum bpf_attach_type; 0: none */
	uint32_t traits, needs;
	const char *does; /* what it is, for people */
};

extern const struct attach_kind attach_kinds[QATTACHES];

/* Has it one of these traits? */
static inline bool attach_has(enum question_attach kind, unsigned int traits)
{
	return attach_kinds[kind].traits & traits;
}
