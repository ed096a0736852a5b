/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rt.h"

#include "compile/gen/gen.h"
#include "rt-object.h"

int rt_open(struct rt_library **ret)
{
	return rt_library_open(rt_object, rt_object_size, ret);
}
