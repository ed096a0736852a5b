/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skep's BPF object, opened for the kernel that runs, in milliseconds.
 *
 * libbpf reads all of the kernel's types (5 MB in pieces of 4096 bytes) and searches
 * them for every struct and every tracepoint that an object names.  Here they are
 * mapped and walked once: libbpf gets a small copy for its relocations (isa/btf.h), and
 * the ids of tracepoints from a handler for the sections "tp_btf/" and "iter/".
 */
#pragma once

#include "runtime/kern/btf.h"
#include "runtime/kern/cast.h"

struct watch; /* the skeleton, watch.skel.h */

struct object {
	struct watch *skel; /* owned */
	struct variants variants;
	struct kernel_btf btf;
	struct casts casts;
	int btf_fd; /* the small copy; owned */
};

/* Opens; then comes watch__load(), then object_loaded().  -ENOENT: the kernel has no BTF. */
int object_open(struct object *o);
void object_loaded(struct object *o); /* the kernel's types are no longer needed */

/*
 * May a program look into this function of the kernel?  Not everywhere (fentry came with
 * 5.5, arm64 had to wait for 6.0), and not into each: structs by value came with 6.0.
 */
bool object_can_fentry(const struct object *o, const char *function);

void object_close(struct object *o); /* fine on a struct of zeros */
