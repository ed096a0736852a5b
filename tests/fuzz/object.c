/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a BPF object, for a small kernel and for none. */
#include "made-core-kernel.h"
#include "object-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The kernel's types are read once. */
static const struct btf_view *kernel_types(void)
{
	static const struct object_options options = {.name = "kernel.o"};
	static struct arena arena;
	static struct diags diags;
	static struct vm_object kernel;

	if (!kernel.has_btf) {
		diags.arena = &arena;
		object_read(made_core_kernel, made_core_kernel_size, &options, &diags, &kernel);
		assert(kernel.has_btf);
	}
	return &kernel.btf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	object_check(data, n, NULL);
	object_check(data, n, kernel_types());
	return 0;
}
