/* SPDX-License-Identifier: Apache-2.0 */
/* Timers inside of values: for who frees those. */
#pragma once

/* The timer in a value that goes is cancelled. */
void timer_forget(void *timer);
