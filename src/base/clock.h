/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time.  Events are stamped with CLOCK_BOOTTIME in nanoseconds; people read the
 * wall clock.  The two are tied once, when a run starts, and the tie is recorded.
 */
#pragma once

#include <stdint.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

uint64_t clock_boot_ns(void);
uint64_t clock_mono_ns(void);

/* Add to a CLOCK_BOOTTIME stamp to get nanoseconds since 1970, UTC. */
int64_t clock_boot_to_real_ns(void);
