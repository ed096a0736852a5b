/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a text that a person wrote, and where.
 *
 * A span is a range of bytes of a source; line and column are worked out when a message
 * is printed.  All languages report here: message, line, underline, notes.  A phase goes
 * on after an error and reports all it can; the pipeline stops between phases.
 *
 * Printed form (the one that users of bpftrace know, and that its tests match):
 *
 *	stdin:1:9-14: ERROR: Unknown function: pritnf
 *	BEGIN { pritnf("x"); }
 *	        ~~~~~
 *	HINT: Did you mean "printf"?
 *
 * Lines and columns count from 1; columns are bytes; the end column is exclusive.
 * A span over several lines prints "stdin:1-3: ERROR: …" and no source line.
 */
#pragma once

#include "base/arena.h"

#include <stdio.h>

struct span {
	uint32_t file;	     /* index into diags.sources */
	uint32_t begin, end; /* byte offsets; end is exclusive */
};

struct source {
	const char *name; /* "stdin" for a program of the command line */
	struct str text;
	struct span from;  /* the call of a macro whose body this is the text of */
	bool is_expansion; /* `from` is set */
};

enum severity { SEV_ERROR, SEV_WARNING };

/* The ids: rows of diag/ids.def.  D_NONE is no row. */
enum diag_id {
	D_NONE,
#define DIAG(id, help) D_##id,
#include "base/diag/ids.def"
#undef DIAG
	D_COUNT
};

struct diag_note {
	struct diag_note *next;
	struct span span; /* end 0: of no place */
	const char *text;
	bool is_context; /* diag_context() */
};

struct diagnostic {
	enum diag_id id;
	enum severity severity;
	struct span span;
	const char *text;	 /* one line, without a full stop */
	struct diag_note *notes; /* "HINT: …", in order */
};

/* Nobody reads more errors than this, or more warnings; the others are counted. */
enum { DIAGS_SHOWN = 200 };

struct diags {
	struct arena *arena; /* all below lives there */
	ARRAY(struct source) sources;
	ARRAY(struct diagnostic) list;
	unsigned int errors; /* how many of the list are errors */
	/* by severity: in the list, and what came after DIAGS_SHOWN of them */
	unsigned int n_shown[2], n_dropped[2];
	bool quiet;	  /* parse attempts that may fail: nothing is recorded */
	bool is_repeated; /* the last one was recorded before: so were its notes */
};

/* Copies name and text into the arena.  Returns the index for spans. */
uint32_t diag_source(struct diags *d, const char *name, struct str text);

/*
 * The text of `file` once more, as it was expanded at `from`: messages with a place in the
 * new one say so.  Returns its index.
 */
uint32_t diag_source_expansion(struct diags *d, uint32_t file, struct span from);

/* Record one.  Identical ones (same id, span and text) are recorded once. */
void diag(struct diags *d, enum diag_id id, struct span span, const char *format, ...)
	_printf_(4, 5);
void diag_warn(struct diags *d, enum diag_id id, struct span span, const char *format, ...)
	_printf_(4, 5);
/* A hint under the one that was recorded last. */
void diag_hint(struct diags *d, const char *format, ...) _printf_(2, 3);
/* The same, with a place that is shown too, as a message of its own: "NOTE: …". */
void diag_note(struct diags *d, struct span span, const char *format, ...) _printf_(3, 4);

/* Likewise, with the word of what it explains: bpftrace says so, and scripts are used to it. */
void diag_context(struct diags *d, struct span span, const char *format, ...) _printf_(3, 4);

/* Record what `from` has, too.  Its arena is to live as long as that of `to`. */
void diags_join(struct diags *to, const struct diags *from);

static inline struct span span_join(struct span a, struct span b)
{
	return (struct span){a.file, a.begin < b.begin ? a.begin : b.begin,
			     a.end > b.end ? a.end : b.end};
}

/* Line and column of the span's begin, and of its end, from 1. */
struct place {
	unsigned int line, column, end_line, end_column;
};
struct place diag_place(const struct diags *d, struct span span);

/* The word of an id as the tests name it: "TYPE_MISMATCH". */
const char *diag_id_name(enum diag_id id);

/* Append all, in the order in which they were recorded.  Colour if asked. */
void diags_print(const struct diags *d, bool colour, struct buf *to);
