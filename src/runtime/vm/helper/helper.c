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

vm_call_fn kfunc_of(const char *name)
{
	return NULL;
}

const char *kfunc_name(size_t i)
{
	return NULL;
}
