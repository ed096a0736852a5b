/* SPDX-License-Identifier: Apache-2.0 */
/* Which container a cgroup belongs to, as far as its path tells. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum container_runtime {
#define RUNTIME(id, name) RUNTIME_##id,
#include "event/ident/container.def"
#undef RUNTIME
	RUNTIME_COUNT
};

enum {
	CONTAINER_ID_HEX = 64, /* digits of the ids that docker, podman and all of Kubernetes use */
	CONTAINER_ID_MAX = 255,	    /* longest id: it is a cgroup's name */
	CONTAINER_POD_UID_MAX = 72, /* with NUL */
};

struct container_ref {
	enum container_runtime runtime;
	struct str id; /* borrowed from the path, as it stands there */
	/*
	 * The Kubernetes pod's uid with dashes (of a static pod: 32 digits), or podman's
	 * 64 digits; "" outside of a pod.
	 */
	char pod_uid[CONTAINER_POD_UID_MAX];
	size_t cgroup_n; /* bytes of the path that name the container's own cgroup */
	size_t outer_n;	 /* the same of the outermost container: less, if it is nested */
};

/*
 * Recognise the container in a cgroup's path, given from the hierarchy's root;
 * the path may go on below the container's cgroup.  Of nested containers the
 * innermost wins.  It was named by whoever could make cgroups inside the outer
 * one, so what protects something asks about path[0 … outer_n) too.
 *
 * false: no container, or one whose path has no mark (plain runc, ctr), which
 * runtimes_find_cgroup() may know.
 */
bool container_of_cgroup(struct str path, struct container_ref *ret);

/* "docker", "cri-o", …; never NULL. */
const char *container_runtime_name(enum container_runtime runtime);

/* Is it 64 lower-case hexadecimal digits? */
bool container_id_is_hex(struct str id);
