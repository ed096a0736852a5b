/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers and kfuncs of dynptrs.  Those of packets are missing: there is no way to make one. */
#include "runtime/vm/helper/dynptr.h"

#include "runtime/vm/helper/calls.h"

CALL(helper_dynptr_from_mem)
{
	struct dynptr *p = call_pointer(d);

	dynptr_clear(p);
	if ((uint32_t)b > DYNPTR_SIZE_MAX)
		return call_error(-E2BIG);
	if (c)
		return call_error(-EINVAL);
	dynptr_init(p, DYNPTR_LOCAL, call_pointer(a), (uint32_t)b);
	return 0;
}

static char *at(const struct dynptr *p, uint32_t offset)
{
	return (char *)p->data + p->offset + offset;
}

CALL(helper_dynptr_read)
{
	const struct dynptr *p = call_pointer(c);

	if (!p->data || e)
		return call_error(-EINVAL);
	if (!dynptr_has(p, (uint32_t)d, (uint32_t)b))
		return call_error(-E2BIG);
	memmove(call_pointer(a), at(p, (uint32_t)d), (uint32_t)b);
	return 0;
}

CALL(helper_dynptr_write)
{
	const struct dynptr *p = call_pointer(a);

	if (!p->data || dynptr_is_rdonly(p))
		return call_error(-EINVAL);
	if (!dynptr_has(p, (uint32_t)b, (uint32_t)d))
		return call_error(-E2BIG);
	if (e)
		return call_error(-EINVAL);
	memmove(at(p, (uint32_t)b), call_pointer(c), (uint32_t)d);
	return 0;
}

CALL(helper_dynptr_data)
{
	const struct dynptr *p = call_pointer(a);

	if (!p->data || !dynptr_has(p, (uint32_t)b, (uint32_t)c) || dynptr_is_rdonly(p))
		return 0;
	return call_number(at(p, (uint32_t)b));
}
