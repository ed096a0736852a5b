/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's record packs into one text: the parts of an image's name, and mounts.
 *
 * All strings borrow from the text that was given.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>

/* "registry.example:5000/shop/api:3@sha256:…"; a part that is not there is empty. */
struct image_name {
	struct str repository; /* registry and path, as written: "registry.example:5000/shop/api" */
	struct str tag;
	struct str digest; /* with its algorithm: "sha256:…" */
};

/* An image that is named by its id alone ("sha256:…") has no repository. */
void image_name_split(struct str image, struct image_name *ret);

/* One row of wire_container.mounts. */
struct container_mount {
	struct str source, destination, mode, propagation;
	bool is_writable;
};

/* Take the first mount off `rest`; false: there is no whole one any more. */
bool container_mount_next(struct str *rest, struct container_mount *ret);

/* Take the first string with its NUL off `rest`; false: none is left. */
bool container_text_next(struct str *rest, struct str *ret);
