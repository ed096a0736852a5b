/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the numbers that system calls speak in: O_ flags, signals, capabilities, … */
#pragma once

#include "base/str.h"

#include <stdint.h>

struct name {
	uint64_t value;
	const char *name;
};

/* Tables end with a NULL name. */
extern const struct name names_open[];	   /* without the access mode */
extern const struct name names_clone[];	   /* namespaces and the flags that tell a story */
extern const struct name names_ns[];	   /* CLONE_NEW* as mnt, pid, … */
extern const struct name names_file_bit[]; /* enum wire_file_bit */
extern const struct name names_ptrace[];
extern const struct name names_bpf[];
extern const struct name names_protocol[];
extern const struct name names_family[];    /* AF_* */
extern const struct name names_sock_type[]; /* SOCK_* */
extern const struct name names_sock_bit[];  /* enum wire_sock_bit */

const char *names_find(const struct name *table, uint64_t value); /* NULL: none */
const char *name_of_errno(int err);				  /* "ENOENT" or NULL */
const char *name_of_signal(int sig);				  /* "KILL" or NULL */
const char *name_of_cap(unsigned int bit);			  /* "CAP_CHOWN" or NULL */
