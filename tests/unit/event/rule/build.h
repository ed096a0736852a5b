/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records made by hand, taken through a stream, and what rules see of them.
 *
 *	struct built b;
 *	built_init(&b);
 *	built_process(&b, 10, 1, "bash", "/bin/bash", "bash\0-i");
 *	built_begin(&b, EV_OPEN);                    the process that does it is 100, parent 10
 *	built_str(&b, offsetof(struct wire_file, path), "/etc/shadow");
 *	built_feed(&b);
 *	CHECK_STREQ(built_get(&b, "fd.name"), "/etc/shadow");
 *	CHECK(built_check(&b, "fd.name", "startswith", "/etc", NULL));
 *	built_done(&b);
 */
#pragma once

#include "event/rule/engine.h"

enum { BUILT_PID = 100, BUILT_PARENT = 10, BUILT_TIME_S = 5000 };

struct built {
	struct stream_config config;
	struct sink sink;
	struct resolver resolver;
	struct stream *stream;
	struct buf record;
	struct wire_annex annex; /* of the record that is being made */
	bool has_annex;
	struct event event; /* the last one that was fed */
	size_t n_events;
	struct arena arena;
	struct regexes *regexes;
	struct rule_event re;
};

/* Arguments masked or not as in a live run: with secrets masked. */
void built_init(struct built *b);
void built_done(struct built *b);

/* A process that was there before; `args` with a NUL between. */
#define built_process(b, pid, ppid, comm, exe, args) \
	built_process_n(b, pid, ppid, comm, exe, args, sizeof(args))
void built_process_n(struct built *b, uint32_t pid, uint32_t ppid, const char *comm,
		     const char *exe, const char *args, size_t args_n);
uint64_t built_start(uint32_t pid); /* start_ns of a process */

/* Begin a record; valid until strings are added: the head is filled. */
void *built_begin(struct built *b, unsigned int kind);
void *built_body(struct built *b);
void built_str_n(struct built *b, size_t member, const char *s, size_t n);
void built_str(struct built *b, size_t member, const char *s);
/* The annex, with the task's facts; strings of it are added by built_annex_str(). */
struct wire_annex *built_annex(struct built *b);
void built_annex_str(struct built *b, struct wire_str *member, const char *s, size_t n);
/* End the record and feed it.  False: no event came of it. */
bool built_feed(struct built *b);

/* A field's value as outputs show it, before masking; "-" if it has none. */
const char *built_get(struct built *b, const char *field);
/* As outputs show it. */
const char *built_shown(struct built *b, const char *field);
/* A check: values up to NULL; "val:fd.name" is a field. */
bool built_check(struct built *b, const char *field, const char *op, ...) __attribute__((sentinel));
struct rule_check *built_make(struct built *b, const char *field, const char *op, ...)
	__attribute__((sentinel));
struct rule_term *built_field(struct built *b, const char *field);
struct rule_term *built_literal(struct built *b, const char *text);
struct rule_term *built_transform(struct built *b, enum rule_transform t, ...)
	__attribute__((sentinel));
