/* SPDX-License-Identifier: Apache-2.0 */
/* A text in, a question out: every phase by name, in order. */
#pragma once

#include "catalog/question.h"
#include "compile/lang/bpftrace/check.h"
#include "compile/lang/bpftrace/expand.h"
#include "compile/world.h"

struct rt_library;

struct compile_options {
	const char *name; /* of the text: "stdin", "tool.bt" */
	struct str text;
	struct script_params params;
	struct check_options check;
	const struct rt_library *rt; /* functions that generated code calls */
	int level;		     /* -O0, -O2 */
	const char *dump;	     /* a phase (ast, types, ir, a pass's name, bpf); NULL */
	struct buf *dump_to;
	enum { COMPILE_ALL, COMPILE_PARSE, COMPILE_CHECK } until;
	/*
	 * For who has something to do meanwhile: the maps are known, those of the script and the
	 * ring (kind NAMED and RING, by their index): while the rest is made these rows stay as
	 * they are, where they are.  NULL: nobody asks.
	 */
	void (*maps_known)(void *ctx, const struct question_map *maps, size_t n);
	void *known_ctx;
	struct helper *helper; /* takes part in generating; NULL: none */
};

/*
 * Compile into `q` (question_init was called).  False: q->diags says why.  Warnings may be
 * there either way.
 */
bool compile_bpftrace(struct question *q, const struct compile_options *o);

/*
 * The same in two steps.  The first makes a tree of the text, in q's arena, and question.config;
 * it asks neither the world nor rt, which may be missing.  NULL: q->diags says why.
 */
struct program *compile_read(struct question *q, const struct compile_options *o);
bool compile_tree(struct question *q, struct program *p, const struct compile_options *o);
