/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel and these privileges allow, found out by trying.
 *
 * A version number says little: distributions carry features back, builders leave
 * them out, and a container or lockdown takes them away.  So each row of features.def
 * has a probe that asks the kernel for the thing itself: makes the map, loads the
 * smallest program, opens the event with an argument that must be refused late.
 * Nothing is attached, and all that was made is gone when its descriptor is closed.
 */
#pragma once

#include "runtime/kern/privileges.h"

#include <stddef.h>
#include <stdint.h>

enum feature_id {
#define FEATURE(id, gives, probe, arg, caps, option, since, commit, events, instead) FEATURE_##id,
#include "runtime/kern/features.def"
#undef FEATURE
	FEATURE_END,
};

enum feature_answer { FEATURE_YES, FEATURE_NO, FEATURE_UNKNOWN };

struct feature {
	const char *name;
	const char *gives;
	const char *option;  /* what the kernel is built with; NULL: nothing special */
	const char *since;   /* the version it came with */
	const char *commit;  /* the one that brought it; NULL: not known */
	const char *instead; /* the stand-in; NULL: there is none */
	uint64_t caps;	     /* capabilities that it takes */
	uint64_t events;     /* kinds of events that `skep watch` cannot see without it */
};

struct feature_result {
	const struct feature *f;
	enum feature_answer answer;
	int err;	  /* what the kernel said, as -errno; 0: nothing */
	char reason[160]; /* why not, or a fact; may be "" after a yes */
};

/* NULL if there is no such row. */
const struct feature *feature_get(size_t i);

/*
 * Probe all, in the order of features.def, into ret[0 … n - 1].  Returns how many were
 * filled in.  Takes a few milliseconds, most of it to look through the types.
 */
int features_probe(struct feature_result *ret, size_t n);

/* The events of which `skep watch` will see nothing here, by these results. */
uint64_t features_missing_events(const struct feature_result *results, size_t n);

/* The nearest stand-in of results[i] that is there; NULL: there is none. */
const char *features_instead(const struct feature_result *results, size_t n, size_t i);
