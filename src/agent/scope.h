/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to watch: from the words of a command line to what a runtime understands.
 */
#pragma once

#include "agent/cgroupfs.h"
#include "agent/watch.h"
#include "runtime/runtime.h"

struct wire_proc;

struct watch_scope {
	char mount[CGROUP_PATH_MAX];  /* of cgroup2; "" if there is none */
	char folder[CGROUP_PATH_MAX]; /* the cgroup to watch; "" for any */
	int cgroup_fd;		      /* owned; -1 */
	bool by_user;
	uint32_t uid;
};

/*
 * Check --pid, resolve --cgroup, --container and --user.  Says what is wrong itself;
 * returns the exit status, 0 to go on.
 */
int watch_scope_init(struct watch_scope *s, const struct watch_options *o);
void watch_scope_done(struct watch_scope *s);

/* Can processes be chosen by their ids here?  0, or says why not and returns the exit status. */
int watch_scope_check_pids(void);

/* Is a process that was there before in scope?  Decides what the kernel decides for newer ones. */
bool watch_scope_has(const struct watch_scope *s, const struct watch_options *o,
		     const struct wire_proc *p, const char *cgroup_path);

/*
 * Ask a runtime that has been started to follow a process and all its descendants that
 * live now.  0 or -errno.
 */
int watch_follow_tree(struct runtime *rt, uint32_t pid);
