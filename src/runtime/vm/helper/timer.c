/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of timers and kfuncs of work queues: map/timer.h keeps both. */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/map/timer.h"

#include <time.h>

CALL(helper_timer_init)
{
	return call_error(
		timer_init(call_pointer(a), FIELD_TIMER, call_map(b), c, vm_current->code));
}

CALL(helper_timer_set_callback)
{
	return call_error(timer_set_callback(call_pointer(a), b, vm_current->code));
}

CALL(helper_timer_start)
{
	return call_error(timer_start(call_pointer(a), b, c, vm_current->cpu));
}

CALL(helper_timer_cancel)
{
	return call_error(timer_cancel(call_pointer(a)));
}

CALL(kfunc_wq_init)
{
	if ((uint32_t)c)
		return call_error(-EINVAL);
	return call_error(timer_init(call_pointer(a), FIELD_WORKQUEUE, call_map(b), CLOCK_MONOTONIC,
				     vm_current->code));
}

CALL(kfunc_wq_set_callback)
{
	if ((uint32_t)c)
		return call_error(-EINVAL);
	return call_error(timer_set_callback(call_pointer(a), b, vm_current->code));
}

CALL(kfunc_wq_start)
{
	if ((uint32_t)b)
		return call_error(-EINVAL);
	return call_error(timer_start(call_pointer(a), 0, 0, vm_current->cpu));
}
