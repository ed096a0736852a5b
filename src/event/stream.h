/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run line: records in, story out.
 *
 * Each record is checked, its secrets are masked, what it says of identity is
 * learnt, what is still unknown is asked for (live runs only), it is written to the
 * recording, and handed to the sink together with who did it and where.
 *
 * The stream does the accounting: sent = shown + filtered + lost, where `sent` and
 * `lost` are the kernel's numbers and the rest its own.
 */
#pragma once

#include "catalog/catalog.h"
#include "catalog/wire/rule.h"
#include "event/ident/cgroup.h"
#include "event/ident/process.h"

struct stream;
struct recorder;

/* Everything a sink may want to know of an event; valid until it returns. */
struct event {
	const struct wire_head *head; /* the whole record */
	const struct event_desc *desc;
	unsigned int kind;
	uint64_t real_ns;			/* since 1970, UTC */
	const struct process *process;		/* never NULL */
	const struct cgroup *cgroup;		/* never NULL; its path may be */
	const struct wire_container *container; /* NULL: none */
	const struct stream *stream;		/* for names of users and parents */
	const struct wire_head *raw;	/* the record before secrets were masked; NULL: as `head` */
	const struct wire_annex *annex; /* what rules know beyond it; NULL: it has none */
};

struct sink {
	int (*event)(struct sink *sink, const struct event *event); /* 0 or -errno */
	int (*flush)(struct sink *sink);
	void (*free)(struct sink *sink);
};

/*
 * Who can be asked, in a live run.  Each appends one record to `out` (an empty
 * buffer) and returns true, or returns false.  event/ident/live.h has the real one.
 */
struct resolver {
	void *ctx;
	/* start_ns 0: whatever process has this pid now */
	bool (*process)(void *ctx, uint32_t pid, uint64_t start_ns, struct buf *out);
	bool (*cgroup)(void *ctx, uint64_t id, struct buf *out);
	bool (*container)(void *ctx, uint64_t id, struct str path, struct buf *out);
	bool (*user)(void *ctx, uint32_t uid, struct buf *out);
};

struct stream_config {
	uint64_t shown;	    /* bit mask of kinds that go to the sink */
	bool hide_everyday; /* leave out what every command does first: libraries, PATH */
	bool show_secrets;
	int64_t boot_to_real_ns;
	uint64_t count;			 /* stop after so many; 0: no bound */
	const struct resolver *resolver; /* NULL: replay */
	struct recorder *recorder;	 /* NULL: none */
	struct sink *sink;
	/*
	 * Rules: called for each event before its sink, with secrets still readable in the
	 * process's `raw_args`; NULL: no rules.
	 */
	int (*on_event)(void *ctx, const struct event *event);
	void *on_event_ctx;
};

struct stream_totals {
	uint64_t sent; /* by the kernel, after its filter */
	uint64_t shown;
	uint64_t filtered;   /* arrived, but were not asked for, or hidden */
	uint64_t hidden;     /* of these: everyday things */
	uint64_t lost;	     /* did not fit into the ring */
	uint64_t bad;	     /* were no records; never, unless a recording is damaged */
	uint64_t table_full; /* owners or followed processes that found no place */
};

struct stream *stream_new(const struct stream_config *config);
void stream_free(struct stream *s);

/*
 * Take one record.  1 when `count` lines have been shown and no more are wanted,
 * 0, or -errno of the sink or the recorder.  A bad record is counted and skipped.
 */
int stream_feed(struct stream *s, const void *record, size_t n);

/*
 * The kernel's last word: losses that no later record has told of become a `lost`
 * event, and the totals are complete.
 */
int stream_finish(struct stream *s, const struct wire_count *count);

void stream_totals(const struct stream *s, struct stream_totals *ret);

const struct processes *stream_processes(const struct stream *s);
/* NULL: the user has no name. */
const char *stream_user(const struct stream *s, uint32_t uid);
/* The same of a group; known in live runs with rules alone. */
const char *stream_group(const struct stream *s, uint32_t gid);
