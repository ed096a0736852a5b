/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the container runtimes on this machine say about their containers, read
 * from their own state files: no daemon is asked, none has to run.
 */
#pragma once

#include "base/str.h"
#include "catalog/wire/event.h"
#include "event/ident/container.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtimes;

/* Strings are owned; NULL is "not known". */
struct container_info {
	enum container_runtime runtime; /* may be better known than from the path */
	bool is_sandbox;		/* the pause container that holds a pod's namespaces */
	char *id;			/* full; readable where a cgroup's name has to be escaped */
	char *name;
	char *image;
	char *image_id; /* hexadecimal digits */
	char *digest;	/* of the image: "sha256:…" */
	char *pod_uid, *pod_name, *pod_namespace;
	char *sandbox;	/* id of the pod's pause container */
	char *hostname; /* inside */
	char *ip;
	struct buf labels; /* key NUL value NUL …, as in struct wire_container */
	size_t n_labels;
	struct buf pod_labels; /* the same, of its pod */
	struct buf mounts;     /* as in struct wire_container */
	uint64_t start_ns;     /* since 1970; 0: not known */
	uint32_t bits;	       /* enum wire_container_bit */
};

enum {
	CONTAINER_TEXT_MAX = 256, /* bytes; a longer name, image or label's value is cut */
	CONTAINER_KEY_MAX = 320,  /* bytes; labels with longer keys are left out */
	CONTAINER_LABELS_MAX = 64,
	CONTAINER_MOUNT_MAX = 1024,  /* bytes; a mount with a longer path is left out */
	CONTAINER_MOUNTS_MAX = 4096, /* bytes of all; the rest is left out */
};

/*
 * `root` stands before every path: "" on a live system, a folder in tests.  The
 * environment may name further containers-storage folders ("podman --root") in
 * SKEP_CONTAINER_STORAGE, separated by colons; they are below `root` too.
 */
struct runtimes *runtimes_new(const char *root);
void runtimes_free(struct runtimes *r);

/*
 * Look a recognised container up.  -ENOENT if no runtime knows it: it may be gone,
 * or a container inside another one.  Unreadable and broken files count as absent.
 */
int runtimes_lookup(const struct runtimes *r, const struct container_ref *ref,
		    struct container_info *ret);

/*
 * The container of a cgroup whose path has no mark, as plain runc and ctr make
 * them: does a low-level runtime's state file name this cgroup, or one above it?
 * `ret_n` is then the length of the path of the container's own cgroup.  -ENOENT
 * if not.  State files are read once and again when they change.
 */
int runtimes_find_cgroup(struct runtimes *r, struct str path, size_t *ret_n,
			 struct container_info *ret);

/*
 * Find a container, running or not, by what a user types: its name, the start of
 * its id, or in a pod also POD/NAME and NAMESPACE/POD/NAME.  A full name or id goes
 * before a prefix, the system's containers before those of its users.  -ENOENT:
 * none; -EEXIST: several.
 */
int runtimes_resolve(const struct runtimes *r, const char *wanted, struct container_info *ret);

/* All names, NULL at the end, for str_nearest(); free with runtimes_names_free(). */
char **runtimes_names(const struct runtimes *r);
void runtimes_names_free(char **names);

/* Value of a label, borrowed; NULL if there is none. */
const char *container_info_label(const struct container_info *info, const char *key);
void container_info_done(struct container_info *info);

#define _cleanup_container_ _cleanup_(container_info_done)
