/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BPF objects as clang, rustc and Go's toolchain write them, read and made ready.
 *
 * What becomes of an ELF file is in prog.h.  Nothing of it is trusted; what is wrong with it is
 * a diagnostic with the section's or symbol's name.  Types of the kernel (CO-RE) are looked up
 * in the BTF that is given: that of the machine, of another one, or none.
 */
#pragma once

#include "runtime/vm/prog.h"

struct object_options {
	const char *name;	       /* of the file, for messages */
	const struct btf_view *kernel; /* for CO-RE, externs; NULL: none */
	/* a kconfig extern's value; false: not set.  NULL: the default, 0 of all */
	bool (*kconfig)(void *ctx, const char *name, int64_t *ret);
	/* kernel version for LINUX_KERNEL_VERSION; 0: this machine's */
	uint32_t kernel_version;
	void *ctx;
};

/*
 * Read `bytes`.  `ret` is always to be closed by object_done().  -ENOEXEC: it is no BPF object,
 * -EBADMSG: it is damaged or uses what is not known; then diags say what, with sources and lines
 * where the file has them.  Programs that can be read are there, also after an error in
 * another one.
 */
int object_read(const void *bytes, size_t n, const struct object_options *o, struct diags *diags,
		struct vm_object *ret);
void object_done(struct vm_object *o);
