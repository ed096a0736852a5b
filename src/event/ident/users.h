/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users, from /etc/passwd.
 *
 * The file is read here, not through the C library: a static binary can't load the
 * modules that nsswitch.conf names.  Users that only a directory server knows stay
 * numbers.
 */
#pragma once

#include "base/map.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { USERS_NAME_MAX = 256 };

/* All zero: nobody. */
struct users {
	struct user {
		uint32_t uid;
		uint32_t name; /* offset in names */
	} * list;	       /* owned; in the file's order */
	size_t n, room;
	struct buf names;  /* NUL after each */
	struct map by_uid; /* struct user, the first of each uid */
};

/* 0 or -errno; `u` was empty and stays so on failure. */
int users_load(struct users *u, const char *path);
/* Add what stands in a text of that format; lines that are none are passed over. */
void users_parse(struct users *u, struct str text);
void users_done(struct users *u);

/* Borrowed from `u`; NULL: not known. */
const char *users_name(const struct users *u, uint32_t uid);
/* 0 or -ENOENT. */
int users_id(const struct users *u, const char *name, uint32_t *ret_uid);
