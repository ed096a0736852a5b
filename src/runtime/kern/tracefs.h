/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints as tracefs shows them: events/GROUP/EVENT with the files id and format.
 *
 * Where tracefs is not mounted it is opened without mounting it anywhere (fsopen, 5.2):
 * the kernel hands out a folder that only this process sees.
 */
#pragma once

#include "base/arena.h"

struct tracefs {
	int root; /* descriptor of its root folder; -1: not opened yet */
};

/* Opens it if need be.  -ENOENT: this kernel has none, or we may not. */
int tracefs_open(struct tracefs *t);
void tracefs_close(struct tracefs *t);

/* A whole file, by its path from the root; at most 64 MB. */
int tracefs_read(struct tracefs *t, const char *path, struct buf *to);

/* A file by its path from the root: its descriptor, or -errno. */
int tracefs_file(struct tracefs *t, const char *path, int flags);

/* The number of an event, for perf_event_open.  -ENOENT: there is no such event. */
int tracefs_event_id(struct tracefs *t, const char *group, const char *event);
bool tracefs_has_event(struct tracefs *t, const char *group, const char *event);

/* Names of groups (group NULL), or of the events of one, sorted; in the arena. */
int tracefs_list(struct tracefs *t, const char *group, struct arena *a, const char ***ret,
		 unsigned int *ret_n);

/* One line of a format file: "field:char comm[16]; offset:8; size:16; signed:0;". */
struct tracefs_field {
	const char *type; /* "char[16]", "__data_loc char[]", "const char *" */
	const char *name;
	uint32_t offset, size;
	bool is_signed, is_data_loc, is_rel_loc;
};

struct tracefs_format {
	uint32_t id;
	ARRAY(struct tracefs_field) fields; /* the common ones left out */
};

/* -EBADMSG: the text is no format file. */
int tracefs_format_parse(struct str text, struct arena *a, struct tracefs_format *ret);
int tracefs_format_read(struct tracefs *t, const char *group, const char *event, struct arena *a,
			struct tracefs_format *ret);
