/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rule files to a rule set and its deciders.
 */
#pragma once

#include "agent/rules.h"
#include "agent/watch.h"
#include "compile/rule/rule.h"

/* One set, with all that it stands on; what refers to it is gone before it is freed. */
struct rules_loaded {
	struct ruleset rs;
	struct question q;
	struct rule_plan plan;
	bool has_deciders; /* q and plan are there: else user space alone decides */
	bool wants_data;   /* a rule reads what is sent or received */
	unsigned int warnings;
	uint64_t load_ns, compile_ns; /* what it took */
	struct world *world;	      /* owned, as all here */
	struct rt_library *rt;
	struct rules_compiling *compiling; /* NULL: it is done */
};

struct rules_load_options {
	const struct rules_options *o;
	enum colour colour;
	bool embedded;	   /* the deciders run in skep itself */
	bool quiet;	   /* errors only */
	bool may_be_empty; /* no rule that is enabled is no error */
	uint32_t generation;
};

/*
 * Read, load and compile.  Says itself what is wrong, with the places in the files, and
 * returns the exit status; 0 and *ret, which the caller frees.
 */
int rules_load(const struct rules_load_options *o, struct rules_loaded **ret);

/*
 * The same in two steps: after the first the rules are there, and in a thread they are being
 * compiled; nothing that the deciders are made of may be looked at before the second.  What
 * `o` points to stays until then.
 */
int rules_load_begin(const struct rules_load_options *o, struct rules_loaded **ret);
bool rules_load_is_done(const struct rules_loaded *l); /* the second will not wait */
void rules_load_end(struct rules_loaded *l);	       /* once more: nothing */

void rules_unload(struct rules_loaded *l); /* NULL is fine */
