/* SPDX-License-Identifier: Apache-2.0 */
/* Where bpftrace's programs can be attached: the rows of hooks.def, and names of events. */
#pragma once

#include "catalog/attach.h"

#include <stdbool.h>
#include <stdint.h>

enum hook_id {
#define HOOK(id, name, aliases, prog_type, space, flags, attach, plan, parts, help) HOOK_##id,
#include "catalog/hooks.def"
#undef HOOK
	HOOKS
};

enum hook_flag {
	HOOK_ARGS = 1 << 0,	   /* builtin args: a struct */
	HOOK_ARGN = 1 << 1,	   /* arg0, arg1 … */
	HOOK_RETVAL = 1 << 2,	   /* retval */
	HOOK_FUNC = 1 << 3,	   /* func */
	HOOK_CTX = 1 << 4,	   /* ctx may be used as it is */
	HOOK_IS_RETURN = 1 << 5,   /* runs when something returns */
	HOOK_LIST_KERNEL = 1 << 6, /* shown by -l */
	HOOK_LIST_USER = 1 << 7,   /* shown by -l for a program */
	HOOK_GLOB = 1 << 8,	   /* wildcards are expanded */
};

struct hook {
	enum hook_id id;
	const char *name, *aliases;
	uint32_t prog_type; /* enum bpf_prog_type */
	uint8_t space;	    /* enum type_space */
	uint32_t flags;
	enum question_attach attach; /* if nothing cheaper means the same */
	const char *parts, *help;
};

extern const struct hook hooks[HOOKS];

/* By name or alias, in any case; NULL: there is none. */
const struct hook *hook_find(const char *name);

/* Events of providers software and hardware. */
struct hook_event {
	const char *name, *alias; /* alias NULL: none */
	uint64_t config;	  /* PERF_COUNT_* */
	uint64_t period;	  /* if none is written */
};
/* Those of a provider; NULL at the end (by name).  NULL: it has none. */
const struct hook_event *hook_events(enum hook_id id);
const struct hook_event *hook_event_find(enum hook_id id, const char *name);
