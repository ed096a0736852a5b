/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a BPF object, for a small kernel and for none. */
#include "object-check.h"
#include "made-core-kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct object_options options = {.name = "kernel.o"};
	struct arena arena = {0};
	struct diags diags = {.arena = &arena};
	struct vm_object kernel;

	object_check(data, n, NULL);
	if (object_read(made_core_kernel, made_core_kernel_size, &options, &diags, &kernel) == 0)
		object_check(data, n, &kernel.btf);
	object_done(&kernel);
	arena_done(&arena);
	return 0;
}
