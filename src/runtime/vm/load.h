/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object made ready: its maps exist, and those of its programs that are wanted are code.
 *
 *	object_read() → load_begin() → load_prog(), for each that is to run → code_run()
 */
#pragma once

#include "runtime/vm/run.h"

struct vm_loaded {
	const struct vm_object *object; /* borrowed */
	struct vm_map **maps;		/* as object.maps; owned */
	struct vm_code **codes;		/* as object.progs; NULL: not made; owned */
	struct arena arena;		/* what the verifier found out */
	struct verify_result *results;	/* as object.progs, in the arena */
	char why[256];			/* what the last call refused, if it was no diagnostic */
};

struct vm_load_options {
	struct verify_config verify;
	enum vm_engine engine;
	bool may_interpret; /* if there is no machine code, be the interpreter's */
	bool is_unverified;
};

/* Make the maps.  `ret` is always to be closed by load_done().  -errno of map_create(), and why. */
int load_begin(const struct vm_object *o, unsigned int cpus, struct vm_loaded *ret);
/*
 * Verify program `prog` and make its code, and that of the programs in its prog arrays.
 * -EACCES: it is refused, the object's diags say why; else `why` does.
 */
int load_prog(struct vm_loaded *l, uint32_t prog, const struct vm_load_options *options);
void load_done(struct vm_loaded *l);
