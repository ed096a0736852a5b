/* SPDX-License-Identifier: Apache-2.0 */
/* Which helpers and kfuncs there are, by number and by name. */
#include "runtime/vm/helper/calls.h"

#include "base/macro.h"

#include <string.h>

static const vm_call_fn helpers[] = {
#define HELPER(name)		[BPF_FUNC_##name] = helper_##name,
#define HELPER_AT(number, name) [number] = helper_##name,
#include "runtime/vm/helper/table.def"
#undef HELPER
#undef HELPER_AT
};

vm_call_fn helper_of(uint32_t number)
{
	return number < ELEMENTS(helpers) ? helpers[number] : NULL;
}

/* Sorted by name. */
static const struct {
	const char *name;
	vm_call_fn fn;
} kfuncs[] = {
#define KFUNC(name, function) {#name, kfunc_##function},
#include "runtime/vm/helper/kfunc-table.def"
#undef KFUNC
};

vm_call_fn kfunc_of(const char *name)
{
	size_t low = 0, high = ELEMENTS(kfuncs);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int r = strcmp(name, kfuncs[middle].name);

		if (!r)
			return kfuncs[middle].fn;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *kfunc_name(size_t i)
{
	return i < ELEMENTS(kfuncs) ? kfuncs[i].name : NULL;
}
