/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/ir/helper.h"

#include <linux/bpf.h>

#define NAME(name) #name
static const char *const names[] = {__BPF_FUNC_MAPPER(NAME)};

const char *ir_helper_name(uint32_t id)
{
	return id && id < ELEMENTS(names) ? names[id] : NULL;
}

int64_t ir_helper_find(struct str name)
{
	for (size_t i = 1; i < ELEMENTS(names); i++)
		if (str_eq(name, str_of(names[i])))
			return (int64_t)i;
	return -1;
}
