/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the compiler's world share; for world*.c only.
 *
 *	world.c        life, BTF, addresses, numbers
 *	world-has.c    may I use …?
 *	world-kernel.c tracepoints and functions
 *	world-user.c   programs, libraries, their symbols and probes
 *	world-vm.c     the same machine, for programs that run in skep itself
 */
#pragma once

#include "agent/world.h"
#include "runtime/kern/binary.h"
#include "runtime/kern/btf.h"
#include "runtime/kern/kallsyms.h"
#include "runtime/kern/module-btf.h"
#include "runtime/kern/tracefs.h"

#include <pthread.h>

struct world_module {
	struct world_module *next;
	const char *name;
	struct module_btf btf;
	bool is_there;
};

struct world_binary {
	struct world_binary *next;
	const char *path;
	struct binary binary;
	bool is_open;
	int error;
};

struct world_format {
	struct world_format *next;
	const char *group, *event;
	const struct world_field *fields;
	unsigned int n;
	int error;
};

struct world_kern {
	struct world base;
	struct arena arena;
	uint64_t without; /* features that are to be missing */
	const char *traceable_functions;
	uint64_t asked, has; /* features: worked out, and there */
	struct kernel_btf btf;
	pthread_mutex_t btf_lock; /* of opening the types: see world_types_ahead() */
	bool is_btf_asked, is_btf_used, has_btf;
	bool is_recent_asked, is_kallsyms_read, is_functions_read;
	unsigned int cpus;			   /* 0: not asked yet */
	uint64_t pid_namespace, pid_namespace_dev; /* 0: not asked yet */
	struct world_module *modules;
	struct tracefs tracefs;
	struct world_format *formats;
	struct kallsyms kallsyms;
	struct buf functions; /* lines "name" or "name [module]" */
	struct world_binary *binaries;
};

#define WORLD(w) ((struct world_kern *)(w))

bool world_glob(const char *pattern, const char *s);
const struct kallsyms *world_kallsyms(struct world_kern *w);
/* The kernel's types for a feature: who looks ahead may go on.  NULL: there are none. */
const struct btf_view *world_kern_btf_ahead(struct world_kern *w);

bool world_kern_has(struct world *w, enum world_feature f);
void world_kern_tracepoints(struct world *w, const char *group, const char *event, world_name_fn fn,
			    void *ctx);
int world_kern_tracepoint_fields(struct world *w, const char *group, const char *event,
				 const struct world_field **ret, unsigned int *ret_n);
void world_kern_functions(struct world *w, const char *module, const char *glob, world_name_fn fn,
			  void *ctx);
const char *world_kern_binary(struct world *w, const char *named, int pid);
int world_kern_symbols(struct world *w, const char *binary, const char *glob, bool functions,
		       const struct world_symbol **ret, unsigned int *ret_n);
int world_kern_usdts(struct world *w, const char *binary, const char *provider, const char *name,
		     const struct world_usdt **ret, unsigned int *ret_n);
void world_kern_mapped(struct world *w, int pid, world_name_fn fn, void *ctx);
