/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled question as an object file, and back. */
#pragma once

#include "agent/watch.h"
#include "catalog/question.h"

struct compile_options;
struct world;

/*
 * Write `q` to `path`, an ELF object of BPF.  `no_source`: the script's words are left out.
 * Says what went wrong; returns the exit status.
 */
int emit_object(const struct question *q, const char *path, bool no_source);

/* Does the file's content have a question in it?  Its bytes, borrowed; {NULL, 0}: no. */
struct str emit_find(struct str file);
/* The way back: `q` from `bytes` (of emit_find), put right for this machine.  Returns the
 * exit status; `path` is for messages.  `w` NULL: it is only looked at, and stays as it is. */
int emit_open(struct question *q, struct str bytes, const char *path, struct world *w);

/*
 * What of the kernel the programs of `q` depend on, which was compiled by `c`: facts and
 * fixes are noted in it.
 */
void portable_find(struct question *q, const struct compile_options *c);
/*
 * The same facts on this machine: instructions are put right by the fixes.  False: one
 * does not hold, and `why` says which.
 */
bool portable_fit(struct question *q, struct world *w, struct buf *why);
