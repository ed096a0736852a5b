/* SPDX-License-Identifier: Apache-2.0 */
/* `skep check X.o`: the programs of a compiled object, verified without running one. */
#pragma once

#include "agent/watch.h"

struct check_object_options {
	const char *prog; /* only programs of this name, or like this glob; NULL: all */
	const char *btf;  /* types of the kernel that is meant; NULL: this machine's */
	bool json, verbose;
	bool strict; /* accesses at odd addresses are mistakes, as on machines that have none */
	enum colour colour;
	/* whose word counts: EITHER: one that takes a program is enough */
	enum { CHECK_FOR_EITHER, CHECK_FOR_KERNEL, CHECK_FOR_EMBEDDED } runtime;
};

/* Is this file an ELF file, by its first bytes?  False also if it cannot be read. */
bool check_is_object(const char *path);

/*
 * Read and verify all files (NULL at the end), say what is wrong, a line a program.  Returns the
 * exit status: 0 if all programs are accepted.
 */
int check_objects(const struct check_object_options *o, char **files);
