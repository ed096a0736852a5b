/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * (int64_t)NS_PER_S + t.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return now(CLOCK_BOOTTIME);
}

uint64_t clock_mono_ns(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t clock_boot_to_real_ns(void)
{
	return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME);
}
