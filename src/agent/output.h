/* SPDX-License-Identifier: Apache-2.0 */
/* Where lines go, and what is said about them at the end; shared by watch and replay. */
#pragma once

#include "agent/watch.h"
#include "event/stream.h"

struct output {
	int fd; /* owned unless it is standard output */
	bool is_open;
	struct sink *sink; /* owned */
};

/* `path` NULL: standard output; else the file is made anew, 0600.  -errno. */
int output_open(struct output *out, const char *path, bool is_json, enum colour colour);
/* No lines at all; `fd` is there for alerts. */
void output_mute(struct output *out);
void output_close(struct output *out);

/* On standard error: what this view leaves out.  `shown` is a bit mask of kinds. */
void output_say_view(uint64_t shown, bool hides_everyday);
/* sent = shown + filtered + lost, in a sentence; "not read" where somebody stopped early. */
void output_say_totals(const struct stream *s, bool hides_everyday, bool is_default);
