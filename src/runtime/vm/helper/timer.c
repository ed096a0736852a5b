/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: a thread calls back later.
 *
 * Missing: nothing would call back.  A program that makes one is told so by the first call.
 */
#include "runtime/vm/helper/timer.h"

#include "runtime/vm/helper/calls.h"

void timer_forget(void *timer)
{
}

CALL(helper_timer_init)
{
	return call_error(-EOPNOTSUPP);
}

CALL(helper_timer_set_callback)
{
	return call_error(-EINVAL);
}

CALL(helper_timer_start)
{
	return call_error(-EINVAL);
}

CALL(helper_timer_cancel)
{
	return call_error(-EINVAL);
}
