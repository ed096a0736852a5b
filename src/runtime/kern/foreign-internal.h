/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a foreign object share; for foreign*.c only.
 *
 *	foreign.c          opened, described, loaded, closed
 *	foreign-attach.c   programs onto their hooks
 *	foreign-map.c      ring buffers, perf event arrays, tables
 *	foreign-refusal.c  what libbpf and the verifier said, in a sentence
 */
#pragma once

#include "runtime/foreign.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct foreign_program {
	struct foreign_prog shown; /* first */
	struct bpf_program *prog;
	struct bpf_link *link; /* owned */
	char *log;	       /* the verifier's; shared by all, since they load in order */
};

struct foreign_table {
	struct foreign_map shown; /* first */
	struct bpf_map *map;
	struct foreign *owner;
	size_t index;
	struct perf_buffer *perf; /* owned */
};

struct foreign {
	struct arena arena;
	struct bpf_object *object; /* owned */
	struct str bytes;	   /* borrowed: the file */
	ARRAY(struct foreign_program) progs;
	ARRAY(struct foreign_table) maps;
	struct ring_buffer *rings; /* owned */
	foreign_record_fn fn;
	void *ctx;
	int stopped;	 /* what `fn` stopped with */
	char *log;	 /* owned, mapped: LOG bytes */
	struct buf said; /* libbpf's own warnings of the call that is running */
};

enum { FOREIGN_LOG = 4 << 20 };

/* Keep libbpf's warnings in f->said until foreign_hush(NULL). */
void foreign_hush(struct foreign *f);
int foreign_fail(struct runtime_error *e, int r, const char *format, ...) _printf_(3, 4);
void foreign_hint(struct runtime_error *e, const char *format, ...) _printf_(2, 3);
/* Why it did not load: program, place, reason. */
int foreign_refusal(struct foreign *f, int r, struct runtime_error *e);
/* Why `p` did not attach. */
int foreign_unattached(struct foreign *f, const struct foreign_program *p, int r,
		       struct runtime_error *e);
