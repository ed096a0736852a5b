/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of attach share.
 *
 * A point goes three ways: split (its text into parts), parse (parts into a struct spec,
 * as its provider wants them), find (what of that exists: struct resolved, one a place).
 */
#pragma once

#include "catalog/hooks.h"
#include "compile/lang/bpftrace/attach.h"

/* A point as it is asked for. */
struct spec {
	const struct hook *hook;
	const char *target;	  /* group, module, binary, unit, event; "" if there is none */
	const char *lang;	  /* "cpp"; "" */
	const char *ns;		  /* provider of a usdt; "" */
	const char *func;	  /* "" */
	uint64_t offset, address; /* of `func`, or instead of it */
	bool has_offset, has_address;
	uint64_t freq; /* 0: none was written */
	uint64_t length;
	const char *mode, *pin;
	const char *file; /* source file, with `line` and `column` */
	uint64_t line, column;
	uint64_t bpf_prog;
};

struct attach {
	struct question *q;
	struct diags *d;
	struct arena *arena;
	struct type_table *t;
	struct world *w;
	const struct check_options *o;
	struct program *program;
	/* the probe that is at work */
	struct probe *probe;
	struct attach_point *point;
	bool uses_args, uses_retval, uses_argn, uses_probe;
	bool has_iter;
	struct resolved *first, **last;
	unsigned int n;
	const char *nearest; /* to what was not found, for the hint when nothing is left */
	/* over all probes */
	uint64_t total, programs;
	bool is_over; /* a limit was passed */
	ARRAY(struct attach_point *) tests, benches;
	bool is_quiet; /* listing: what does not fit is no mistake */
};

typedef ARRAY(const char *) attach_names;

/* --- attach.c */

/* Record an error of the point. */
void attach_error(struct attach *a, enum diag_id id, const char *format, ...) _printf_(3, 4);
/* A new place, named after the spec. */
struct resolved *attach_add(struct attach *a, const struct spec *s);
/* "provider:target:…" as bpftrace spells it. */
const char *attach_name(struct attach *a, const struct spec *s);
/* Nothing was found where no wildcard was written: by config.missing_probes. */
void attach_missing(struct attach *a, const struct spec *s);
/* Split a point's text: quotes removed, "@" apart. */
void attach_split(struct attach *a, struct attach_point *point);
/* Parts to a spec.  False: an error was recorded, or nothing is left to do. */
bool attach_parse(struct attach *a, const struct attach_point *point, struct spec *ret);

/* --- attach-parse.c */

bool attach_has_glob(const char *s);
bool attach_glob(const char *pattern, const char *s);
/* A number with all the spellings of bpftrace's; false: *ret_why says why not. */
bool attach_number(struct arena *a, const char *text, uint64_t *ret, const char **ret_why);

/* --- names from the world, sorted, each once */

void attach_names_sort(attach_names *names);
struct attach_collect {
	struct arena *arena;
	attach_names names;
};
void attach_collect_name(void *ctx, const char *name); /* a world_name_fn */

/* --- find: attach-kernel.c, attach-user.c, attach-timer.c */

void attach_find_kprobe(struct attach *a, const struct spec *s);
void attach_find_fentry(struct attach *a, const struct spec *s);
void attach_find_tracepoint(struct attach *a, const struct spec *s);
/* "Did you mean" of an event that has no group; false: no group has it. */
bool attach_hint_group(struct attach *a, const char *event);
void attach_find_rawtracepoint(struct attach *a, const struct spec *s);
void attach_find_iter(struct attach *a, const struct spec *s);
void attach_find_uprobe(struct attach *a, const struct spec *s);
void attach_find_usdt(struct attach *a, const struct spec *s);
void attach_find_timer(struct attach *a, const struct spec *s);
void attach_find_event(struct attach *a, const struct spec *s);
void attach_find_watchpoint(struct attach *a, const struct spec *s);
void attach_find_special(struct attach *a, const struct spec *s);

/* Raw tracepoints of the kernel's BTF that match; names without their prefix. */
void attach_raw_tracepoints(struct arena *a, const struct btf_view *v, const char *glob,
			    attach_names *ret);
/* Kinds of iterators in the kernel's BTF. */
void attach_iters(struct arena *a, const struct btf_view *v, const char *glob, attach_names *ret);
/* Files that a pattern of paths names: by the processes for "*", else by the file system. */
void attach_binaries(struct arena *a, struct world *w, const char *target, int pid,
		     attach_names *ret);
/* "cpp": does a symbol match, by its demangled name, without parameters if none are asked? */
bool attach_cpp_matches(struct arena *a, const struct world_symbol *s, const char *glob);
