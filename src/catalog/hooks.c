/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/hooks.h"

#include "catalog/type.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <string.h>

#define H_ARGS	      HOOK_ARGS
#define H_ARGN	      HOOK_ARGN
#define H_RETVAL      HOOK_RETVAL
#define H_FUNC	      HOOK_FUNC
#define H_CTX	      HOOK_CTX
#define H_IS_RETURN   HOOK_IS_RETURN
#define H_LIST_KERNEL HOOK_LIST_KERNEL
#define H_LIST_USER   HOOK_LIST_USER
#define H_GLOB	      HOOK_GLOB

const struct hook hooks[HOOKS] = {
#define HOOK(id_, name_, aliases_, type_, space_, flags_, attach_, plan_, parts_, help_) \
	{.id = HOOK_##id_,                                                               \
	 .name = name_,                                                                  \
	 .aliases = aliases_,                                                            \
	 .prog_type = BPF_PROG_TYPE_##type_,                                             \
	 .space = SPACE_##space_,                                                        \
	 .flags = flags_,                                                                \
	 .attach = QATTACH_##attach_,                                                    \
	 .parts = parts_,                                                                \
	 .help = help_},
#include "catalog/hooks.def"
#undef HOOK
};

static const struct hook_event software[] = {
	{"alignment-faults", NULL, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
	{"bpf-output", NULL, PERF_COUNT_SW_BPF_OUTPUT, 1},
	{"context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
	{"cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000},
	{"cpu-migrations", NULL, PERF_COUNT_SW_CPU_MIGRATIONS, 1},
	{"dummy", NULL, PERF_COUNT_SW_DUMMY, 1},
	{"emulation-faults", NULL, PERF_COUNT_SW_EMULATION_FAULTS, 1},
	{"major-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
	{"minor-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
	{"page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100},
	{"task-clock", NULL, PERF_COUNT_SW_TASK_CLOCK, 1},
	{0},
};

static const struct hook_event hardware[] = {
	{"backend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000},
	{"branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
	{"branch-misses", NULL, PERF_COUNT_HW_BRANCH_MISSES, 100000},
	{"bus-cycles", NULL, PERF_COUNT_HW_BUS_CYCLES, 100000},
	{"cache-misses", NULL, PERF_COUNT_HW_CACHE_MISSES, 1000000},
	{"cache-references", NULL, PERF_COUNT_HW_CACHE_REFERENCES, 1000000},
	{"cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000},
	{"frontend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000},
	{"instructions", NULL, PERF_COUNT_HW_INSTRUCTIONS, 1000000},
	{"ref-cycles", NULL, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000},
	{0},
};

static bool is_alias(const char *aliases, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = aliases; *p;) {
		size_t word = strcspn(p, " ");

		/* one letter is what it is: u is uprobe, U is usdt */
		if (word == n && (n == 1 ? *p == *name : !strncasecmp(p, name, n)))
			return true;
		p += word + (p[word] == ' ');
	}
	return false;
}

const struct hook *hook_find(const char *name)
{
	for (unsigned int i = 0; i < HOOKS; i++)
		if (!strcasecmp(hooks[i].name, name) || is_alias(hooks[i].aliases, name))
			return &hooks[i];
	return NULL;
}

const struct hook_event *hook_events(enum hook_id id)
{
	return id == HOOK_SOFTWARE ? software : id == HOOK_HARDWARE ? hardware : NULL;
}

const struct hook_event *hook_event_find(enum hook_id id, const char *name)
{
	for (const struct hook_event *e = hook_events(id); e && e->name; e++)
		if (!strcmp(e->name, name) || (e->alias && !strcmp(e->alias, name)))
			return e;
	return NULL;
}
