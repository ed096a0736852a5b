/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of macro expansion share.  Nobody else includes this. */
#pragma once

#include "compile/lang/bpftrace/expander.h"

struct macro_entry {
	struct macro_entry *next; /* of the same name, in order of definition */
	const struct macro *macro;
};

struct macro_table {
	struct map names; /* hash of the name → first struct macro_entry */
	struct arena *arena;
};

/* All macros of the program; conflicting ones are reported and left out. */
void macro_table_init(struct macro_table *t, struct expand *x);
void macro_table_done(struct macro_table *t);

/*
 * The macro that a call means; `args` of a bare name are none.  NULL: none fits, which is
 * an error at `e`, and reported, if macros but no function of the language has the name.
 */
const struct macro *macro_find(struct macro_table *t, struct expand *x, const struct expr *e);

/* One expansion that is going on. */
struct binding {
	const char *param, *name; /* variables and maps */
	const struct expr *value; /* expressions */
};
struct frame {
	struct expand *x;
	struct macro_table *table;
	const struct macro *macro; /* NULL: outside of all */
	const struct frame *outer;
	unsigned int depth; /* 0 outside */
	ARRAY(struct binding) bound;
	ARRAY(const char *) renamed; /* variables that are the macro's own */
};

/* What an expression parameter stands for; NULL: it is none. */
const struct expr *frame_value(const struct frame *f, const char *param);

/* The expansion itself: everything in *at. */
void macro_expr(struct frame *f, struct expr **at);
/* A type: parameters in its name and in typeof(). */
void macro_ref(struct frame *f, struct type_ref *ref);
/* What may be a type or an expression (sizeof): a parameter in it may change which. */
void macro_type_or_expr(struct frame *f, struct type_ref **ref, struct expr **e);
/* The member of offsetof(type, member). */
void macro_offsetof_path(struct frame *f, struct expr *e);
