/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types by name: the language's own, those of the script's C preamble, the kernel's BTF,
 * and those of a traced program's DWARF.
 *
 * Structs are completed on demand: a struct of the kernel costs nothing until a member
 * is asked for.
 */
#pragma once

#include "catalog/question.h"
#include "compile/lang/bpftrace/ast.h"
#include "compile/world.h"

struct type_table;

struct type_table *type_table_new(struct arena *a, struct diags *d, struct world *w);
/* From here on note in q->facts what is taken from the kernel's types; and at the end. */
void type_table_note(struct type_table *t, struct question *q);
/* The size of this type is a number of the script. */
void type_table_note_size(struct type_table *t, const struct type *of);
void type_table_noted(struct type_table *t);
void type_table_free(struct type_table *t); /* types live in the arena and stay */

/* Read the script's struct, union, enum, typedef and #define constants.  False: errors. */
bool type_table_add_c(struct type_table *t, const struct program *p);
/* Types of a program's debug information, searched before the kernel's; −ENODATA: it has none. */
int type_table_add_dwarf(struct type_table *t, const char *binary);

/* "task_struct" with TAG_STRUCT, "size_t" with TAG_NONE …; NULL: there is none. */
const struct type *type_table_find(struct type_table *t, int tag, const char *name);
/* The nearest known name to a mistyped one, among the script's own and the language's; NULL. */
const char *type_table_nearest(struct type_table *t, int tag, const char *name);
/* All but typeof, which check resolves.  NULL: an error was recorded. */
const struct type *type_table_resolve(struct type_table *t, const struct type_ref *ref);
/* A type in C's spelling, as in tracepoint formats: "const char *", "struct rq *", "char[16]". */
const struct type *type_table_parse_c(struct type_table *t, const char *spelling);
const struct type *type_table_btf(struct type_table *t, uint32_t btf_id);

/* The same struct with its members; `t` itself if it has none or is complete. */
const struct type *type_complete(struct type_table *tt, const struct type *t);
/*
 * A member, also inside anonymous structs and unions; *ret_offset is from the start of `t`.
 * NULL: there is none.
 */
const struct type_member *type_member_find(struct type_table *tt, const struct type *t,
					   const char *name, uint32_t *ret_offset);
/* An enumerator or #define number of the script or the kernel. */
bool type_table_constant(struct type_table *t, const char *name, int64_t *ret,
			 const struct type **ret_type);
/* Parameters and result of a kernel function or of a tracepoint's btf_trace_NAME, by BTF. */
const struct type *type_table_function_args(struct type_table *t, const char *module,
					    const char *function, const struct type **ret_result);
const struct type *type_table_raw_tracepoint_args(struct type_table *t, const char *event);
/* The struct of a tracepoint's `args` from its format. */
const struct type *type_table_tracepoint_args(struct type_table *t, const char *group,
					      const char *event);
/* Arguments of a program's function, from DWARF; NULL: not known. */
const struct type *type_table_program_args(struct type_table *t, const char *binary,
					   const char *function, const struct type **ret_result);
