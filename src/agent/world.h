/* SPDX-License-Identifier: Apache-2.0 */
/* This machine as a compilation sees it: compile/world.h by runtime/kern's readers. */
#pragma once

#include "compile/world.h"

struct world_kern_options {
	const char *traceable_functions; /* file instead of available_filter_functions; NULL */
	uint64_t without;		 /* bit mask of enum world_feature: --no-feature */
};

struct world *world_kern_new(const struct world_kern_options *o);
void world_kern_free(struct world *w);
/*
 * Search for types of the kernel before somebody asks: in another thread, while this one asks for
 * what it likes.  Who asks for types waits until these are found; if somebody has, this does
 * nothing.
 */
struct world_type {
	uint32_t kinds; /* BTF_ONE(STRUCT) */
	const char *name;
};
void world_types_ahead(struct world *w, const struct world_type *types, size_t n);
/* The root folder of tracefs, if something was asked of it; borrowed.  0: it is not open. */
int world_tracefs(struct world *w);

/*
 * The same machine for programs that run in skep itself (runtime/vm): tracepoints are those that
 * its hooks serve, features those that its helpers give; programs and their symbols are asked
 * of the world above.  The options are those of the compilation: borrowed until free.
 */
struct world *world_vm_new(const struct world_kern_options *o);
void world_free(struct world *w); /* of either kind; NULL is fine */
