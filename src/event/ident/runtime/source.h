/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of runtimes.h: a source is one kind of state files, one file here.
 * Plus what all of them need to read files carefully and to fill a container_info.
 */
#pragma once

#include "base/macro.h"
#include "base/str.h"
#include "event/ident/runtimes-parse.h"
#include "event/ident/runtimes.h"

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

enum {
	FILE_MAX = 4 << 20,   /* bytes; a larger state file is not read */
	FOLDER_MAX = 1 << 14, /* entries of a folder that are looked at */
};

/* One runtime's container storage: where it keeps its containers over a reboot, and not. */
struct storage {
	char *graph; /* owned */
	char *run;   /* owned; NULL: none */
};

struct state_cache; /* runtime/oci.c */

struct runtimes {
	char *root;		  /* owned */
	struct storage *storages; /* owned */
	size_t n_storages;
	char *docker;		    /* owned: data-root of daemon.json, NULL if it does not say */
	struct state_cache *states; /* owned */
};

/* Gets a container that a source lists; may take its strings, the rest is freed by the caller. */
typedef void container_fn(void *arg, struct container_info *info);

#define RUNTIME_BIT(id) (1u << RUNTIME_##id)

struct source {
	const char *name;
	uint32_t runtimes; /* RUNTIME_BIT()s: what it may know, if all the path tells is that */
	bool is_users;	   /* what it says comes from a user's own files */
	/* Fill what is known of info->id; -ENOENT: nothing. */
	int (*lookup)(const struct runtimes *r, struct container_info *info);
	/* All its containers; NULL: it can't list. */
	void (*list)(const struct runtimes *r, container_fn *each, void *arg);
};

extern const struct source source_docker, source_containerd, source_storage, source_oci,
	source_kubelet, source_machines, source_rootless;

/* runtime/oci.c */
struct state_cache *state_cache_new(void);
void state_cache_free(struct state_cache *c);
int oci_find_cgroup(struct runtimes *r, struct str path, size_t *ret_n, struct container_info *ret);

/* runtime/storage.c */
void storage_add(struct runtimes *r, const char *graph, const char *run);
int storage_read(const struct runtimes *r, const char *folder, struct container_info *info);

/* runtime/file.c: paths are printf formats, and stand below r->root. */
int file_read(const struct runtimes *r, struct buf *ret, const char *format, ...) _printf_(3, 4);

/* What tells that a file has changed; -errno if it is not there. */
struct file_stamp {
	uint64_t inode, mtime_ns, size;
};
int file_stamp(const struct runtimes *r, struct file_stamp *ret, const char *format, ...)
	_printf_(3, 4);

/*
 * Call `each` for the names in a folder, without "." and ".." and hidden ones; it
 * returns false to stop.  A folder that can't be read has no names.
 */
typedef bool name_fn(void *arg, const char *name);
void folder_each(const struct runtimes *r, name_fn *each, void *arg, const char *format, ...)
	_printf_(4, 5);

/* May this id stand in a path as the name of one file? */
bool is_file_name(const char *name);

/* runtime/info.c */
void info_set(char **member, const char *value); /* unless it is known, or nothing */
void info_set_str(char **member, struct str value);
void info_set_runtime(struct container_info *info, enum container_runtime runtime);
void info_add_label(struct container_info *info, const char *key, const char *value);
void info_add_labels(struct container_info *info, json_t *object);
/* "sha256:…" or the digits alone */
void info_set_image_id(struct container_info *info, const char *id);
void info_finish(struct container_info *info); /* a name for those who have none */

/* runtime/facts.c */
struct mount_text {
	const char *source, *destination, *mode, *propagation; /* NULL: empty */
	bool is_writable;
};
void info_add_mount(struct container_info *info, const struct mount_text *m);
void info_set_time(struct container_info *info, const char *time);
/* What the container may do: only the first source's word counts. */
void info_set_bits(struct container_info *info, uint32_t bits);
/* mounts, privileges and namespaces of a parsed config.json */
void facts_of_spec(struct container_info *info, json_t *spec);

/* Parse a whole text; NULL if it is not JSON.  For use with json_auto_t. */
json_t *json_of(struct str text);
const char *json_text(json_t *object, const char *key); /* NULL: not there, or no string */
