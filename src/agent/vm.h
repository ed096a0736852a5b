/* SPDX-License-Identifier: Apache-2.0 */
/* `skep vm`: programs run or shown by the embedded runtime, outside the kernel. */
#pragma once

#include "agent/watch.h"

struct vm_options {
	const char *file;	/* the object; NULL if `raw` or `assembly` is given */
	const char *prog;	/* by name; NULL: the only one, or all */
	const char *raw;	/* instructions: hex, a file of hex, "-" */
	const char *assembly;	/* a file of them as text, "-" */
	const char *mem, *ctx;	/* hex, or a file of bytes; NULL: none */
	const char *map;	/* NAME=HEX: a map's first value; NULL: none */
	const char *kernel;	/* kernel's types, for CO-RE; NULL: this machine's */
	const char *pcap, *out; /* a file of packets, where those that go on are kept; NULL */
	bool each, json;	/* of --pcap: a line a packet; JSON */
	bool interp, jit, time, check, unverified, list_helpers;
	bool as_kernel; /* verified by the kernel's rules */
	enum colour colour;
};

/* Return the exit status. */
int vm_run(const struct vm_options *o);
int vm_pcap(const struct vm_options *o);
int vm_disasm(const struct vm_options *o);
int vm_list_helpers(void);
