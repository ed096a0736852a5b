/* SPDX-License-Identifier: Apache-2.0 */
/* Processors, from /sys/devices/system/cpu. */
#pragma once

#include <stdint.h>

/* How many slots a per-cpu map has: the highest possible number + 1. */
unsigned int cpus_possible(void);
/* The numbers of those that are online, at most `room`; returns how many. */
unsigned int cpus_online(uint32_t *ret, unsigned int room);
