/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of timers: map/timer.h keeps them. */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/map/timer.h"

CALL(helper_timer_init)
{
	return call_error(timer_init(call_pointer(a), call_map(b), c, vm_current->code));
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
