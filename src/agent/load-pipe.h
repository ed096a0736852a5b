/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs say by bpf_printk.
 *
 * It goes into the kernel's one trace buffer, which tracefs shows as the file trace_pipe:
 * whoever reads a line takes it away from all others.  Lines do not say which program
 * wrote them.  So only lines of bpf_printk from after we began are shown; if other BPF
 * programs print meanwhile, theirs are among them.
 */
#pragma once

#include "base/str.h"
#include "runtime/kern/tracefs.h"

struct load_pipe {
	struct tracefs tracefs;
	int fd;		 /* -1: not open */
	struct buf text; /* what was read and is no whole line yet */
	bool is_ours;	 /* the last line was one, and what has no head goes on with it */
};

struct load_printk {
	struct str comm, text;
	uint32_t pid, cpu;
	double seconds; /* of the trace clock */
	bool goes_on;	/* another line of the message before */
};

typedef void (*load_printk_fn)(void *ctx, const struct load_printk *p);

/* Opens it and forgets what is there.  -errno: there is none here. */
int load_pipe_open(struct load_pipe *p);
/* All lines that are there. */
void load_pipe_read(struct load_pipe *p, load_printk_fn fn, void *ctx);
void load_pipe_close(struct load_pipe *p);
/* "    sh-12 [000] d..2. 7.5: bpf_trace_printk: hi".  False: another event's line. */
bool load_printk_parse(struct str line, struct load_printk *ret);
