/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: `F.skep`.
 *
 * A header, then the records one after the other, each padded to 8 bytes, in the
 * order in which the stream took them: identity before the event that needs it.
 * Numbers are in the byte order of the machine that wrote them; a reader of another
 * order refuses.  The version changes when a struct of wire/event.h does.
 */
#pragma once

#include "catalog/wire/event.h"

#include <stddef.h>
#include <stdint.h>

enum { RECORDING_VERSION = 1 };

struct recording_head {
	char magic[8];	  /* "SKEPREC\n" */
	uint32_t order;	  /* 0x01020304 as the writer has it */
	uint32_t version; /* RECORDING_VERSION */
	int64_t boot_to_real_ns;
	uint64_t shown; /* the events that the run showed */
	uint32_t flags; /* enum recording_flag */
	uint32_t pad;
};
_Static_assert(sizeof(struct recording_head) == 40, "part of the file format");

enum recording_flag { RECORDING_HIDE_EVERYDAY = 1 << 0 };

struct recorder;

/* Creates or empties the file, mode 0600; -errno. */
int recorder_open(const char *path, const struct recording_head *head, struct recorder **ret);
int recorder_put(struct recorder *r, const void *record, size_t n);
int recorder_close(struct recorder *r); /* -errno if the last bytes did not get there */

/* Returns 0 to go on. */
typedef int (*recording_fn)(void *ctx, const void *record, size_t n);

/*
 * Read the header of an open file.  -EBADMSG: not a recording, -EPROTO: of another
 * version or byte order.
 */
int recording_read_head(int fd, struct recording_head *ret);

/*
 * Hand over the records behind the header.  Stops at the first that is damaged
 * (-EBADMSG, after all good ones before it) or when `fn` returns other than 0.
 */
int recording_read(int fd, recording_fn fn, void *ctx);
