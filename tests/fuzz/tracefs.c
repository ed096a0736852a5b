/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a tracepoint's format file. */
#include "base/macro.h"
#include "runtime/kern/tracefs.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = xalloc(n + !n);
	struct tracefs_format f;
	struct arena a = {0};

	memcpy(copy, data, n);
	if (!tracefs_format_parse((struct str){copy, n}, &a, &f))
		for (size_t i = 0; i < f.fields.n; i++) {
			assert(*f.fields.p[i].name && f.fields.p[i].type);
			assert(strncmp(f.fields.p[i].name, "common_", 7) != 0);
		}
	arena_done(&a);
	free(copy);
	return 0;
}
