/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as ld.so.cache. */
#include "base/macro.h"
#include "runtime/kern/binary.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = xalloc(n + !n);
	const char *found;

	memcpy(copy, data, n);
	found = library_find((struct str){copy, n}, "libc");
	assert(!found || (found >= copy && found + strlen(found) < copy + n));
	library_find((struct str){copy, n}, "libnothing");
	free(copy);
	return 0;
}
