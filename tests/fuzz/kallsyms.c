/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the kernel's list of symbols. */
#include "base/macro.h"
#include "runtime/kern/kallsyms.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *copy = xalloc(n + !n);
	struct kallsyms k;

	memcpy(copy, data, n);
	kallsyms_parse(&k, (struct str){copy, n});
	kallsyms_at(&k, 0); /* sorts */
	for (size_t i = 0; i < k.n; i++) {
		const struct kallsym *at = kallsyms_at(&k, k.all[i].address);

		assert(!i || k.all[i - 1].address <= k.all[i].address);
		assert(!at == k.is_hidden);
		assert(!at || at->address == k.all[i].address);
		assert(kallsyms_named(&k, kallsym_name(&k, &k.all[i])));
		if (i > 64) /* each is a search */
			break;
	}
	kallsyms_at(&k, 0);
	kallsyms_done(&k);
	free(copy);
	return 0;
}
