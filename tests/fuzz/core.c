/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE with both sides damaged: two bytes of length, so many bytes of a kernel's types, then
 * an object.
 */
#include "object-check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct btf_view kernel;
	size_t types_n;
	void *types;

	if (n < 2)
		return 0;
	types_n = MIN((size_t)(data[0] | data[1] << 8), n - 2);
	types = malloc(types_n + !types_n);
	memcpy(types, data + 2, types_n);
	if (btf_view_init(&kernel, types, types_n) == 0) {
		object_check(data + 2 + types_n, n - 2 - types_n, &kernel);
		btf_view_done(&kernel);
	}
	free(types);
	return 0;
}
