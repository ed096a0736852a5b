/* SPDX-License-Identifier: Apache-2.0 */
/* `skep load`: an object file that somebody compiled is loaded, attached and shown. */
#pragma once

#include "agent/watch.h"

struct load_options {
	const char *file;
	const char *progs;   /* names or globs, a comma between; NULL: all */
	const char *type;    /* the struct of its records; NULL: found out */
	const char *command; /* -c */
	const char *cgroup;  /* where programs on cgroups are attached; NULL */
	const char *iface;   /* network interface for XDP and TC; NULL */
	uint64_t for_ns;
	const char *output;
	bool list, json, quiet, verbose, unsafe;
	enum colour colour;
};

/* Returns the exit status. */
int load_run(const struct load_options *o);
