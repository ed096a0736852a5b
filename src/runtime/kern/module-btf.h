/* SPDX-License-Identifier: Apache-2.0 */
/* Types of a kernel module: /sys/kernel/btf/NAME, which continues vmlinux's. */
#pragma once

#include "isa/btf.h"

struct module_btf {
	struct btf_view view;
	void *blob; /* owned */
	size_t n;
	bool is_mapped;
};

/* -ENOENT: there is no such module, or it has no types.  `base` must outlive it. */
int module_btf_open(struct module_btf *m, const struct btf_view *base, const char *name);
void module_btf_close(struct module_btf *m);
/* The kernel's own descriptor of those types, for loading a program; caller closes.  */
int module_btf_fd(const char *name);
