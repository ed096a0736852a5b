/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: `F.skep`.
 *
 * A header, then the records one after the other, each padded to 8 bytes, in the
 * order in which the stream took them: identity before the event that needs it.
 * Numbers are in the byte order of the machine that wrote them, and those of system
 * calls and flags mean what they mean there: a reader on another kind of machine refuses.
 * The version changes when a struct of wire/event.h does.
 */
#pragma once

#include "catalog/wire/event.h"

#include <stddef.h>
#include <stdint.h>

enum { RECORDING_VERSION = 2 };

struct recording_head {
	char magic[8];	  /* "SKEPREC\n" */
	uint32_t order;	  /* 0x01020304 as the writer has it */
	uint32_t version; /* RECORDING_VERSION */
	int64_t boot_to_real_ns;
	uint64_t shown;	  /* the events that the run showed */
	uint32_t flags;	  /* enum recording_flag */
	uint32_t machine; /* EM_* of <elf.h> */
};
_Static_assert(sizeof(struct recording_head) == 40, "part of the file format");

enum recording_flag { RECORDING_HIDE_EVERYDAY = 1 << 0 };

struct recorder;

/*
 * Creates or empties the file, mode 0600; -errno.  Of `head` the caller fills what belongs to
 * the run; the members that name the format are set here.
 */
int recorder_open(const char *path, const struct recording_head *head, struct recorder **ret);
/* A record of at most WIRE_RECORD_MAX bytes; -errno: it, or one before it, was not written. */
int recorder_put(struct recorder *r, const void *record, size_t n);
/* Frees it too; NULL is fine.  -errno if the last bytes did not get there. */
int recorder_close(struct recorder *r);

/* Returns 0 to go on. */
typedef int (*recording_fn)(void *ctx, const void *record, size_t n);

/*
 * Read the header of an open file.  -EBADMSG: not a recording, -EPROTO: of another
 * version or kind of machine.
 */
int recording_read_head(int fd, struct recording_head *ret);

/*
 * Hand over the records behind the header.  Stops at the first that is damaged
 * (-EBADMSG, after all good ones before it) or when `fn` returns other than 0.
 */
int recording_read(int fd, recording_fn fn, void *ctx);
