/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtimes' state files as pure functions from bytes to facts, for their
 * readers in runtime/, for tests and for the fuzzer.
 *
 * Each adds to `info` what is not known there yet and never replaces anything, so
 * the best source is read first.  `info` starts as all zero and is done away with
 * by container_info_done().  -EBADMSG: not what the file should be; then nothing
 * was added.
 */
#pragma once

#include "base/str.h"
#include "event/ident/runtimes.h"

#include <stdbool.h>

/* Docker: /var/lib/docker/containers/<id>/config.v2.json */
int parse_docker(struct str text, struct container_info *info);

/* The file beside it, hostconfig.json: what the container may do. */
int parse_docker_host(struct str text, struct container_info *info);

/* Docker's list of images, image/<driver>/repositories.json: name and digest of info->image_id. */
int parse_docker_images(struct str text, struct container_info *info);

/*
 * An OCI bundle's config.json: mounts, namespaces, and the annotations of containerd, CRI-O, podman
 * and nerdctl.
 */
int parse_oci_config(struct str text, struct container_info *info);

/* The state of a low-level runtime: runc's state.json or crun's status. */
struct oci_state {
	char *id;	     /* owned; NULL in crun's, whose folder tells it */
	char *cgroup;	     /* owned; path from the hierarchy's root, NULL if it has none */
	char *bundle;	     /* owned; the folder of config.json */
	uint64_t created_ns; /* since 1970; 0: not known */
};

int parse_oci_state(struct str text, struct oci_state *ret);
void oci_state_done(struct oci_state *s);

/*
 * containers-storage (podman, CRI-O, buildah): containers.json lists all of them.
 * `info` is filled from the entry with this id; -ENOENT if there is none.
 */
int parse_storage(struct str text, struct str id, struct container_info *info);

/* The same list, entry by entry: `each` gets them one after the other and owns none. */
int parse_storage_all(struct str text, void (*each)(void *arg, const struct container_info *info),
		      void *arg);

/* containers-storage's images.json: the digest of info->image_id. */
int parse_storage_images(struct str text, struct container_info *info);

/* "2026-03-04T05:06:07.8Z", as all of them write times; nanoseconds since 1970, 0: it is none. */
uint64_t parse_time(struct str text);

/* storage.conf (TOML): the value of a key of its [storage] table, NULL if not set. */
char *parse_storage_conf(struct str text, const char *key);

/* Docker's daemon.json: data-root, NULL if not set. */
char *parse_docker_daemon(struct str text);

/* A name in /var/log/pods: <namespace>_<name>_<uid>; fills the pod. */
bool parse_pod_log(struct str name, struct container_info *info);

/* A name in /var/log/containers: <pod>_<namespace>_<container>-<id>.log */
bool parse_container_log(struct str name, struct container_info *info);

/* A container's name as dockershim and CRI-O make it: k8s_<container>_<pod>_<namespace>_<uid>_<n>
 */
bool parse_kubernetes_name(struct str name, struct container_info *info);

/* systemd's escapes in the names of units: \x2d is a dash.  Never longer than `name`. */
char *parse_unit_escapes(struct str name);
