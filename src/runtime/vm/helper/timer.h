/* SPDX-License-Identifier: Apache-2.0 */
/* Timers inside of values: for who frees those, their maps, and the code that they call. */
#pragma once

struct vm_map;
struct vm_code;

/* The timer in a value that goes is cancelled. */
void timer_forget(void *timer);
/* No timer of the map will call the code any more. */
void timers_forget_code(struct vm_map *m, const struct vm_code *c);
/* The map goes, and its thread. */
void timers_free(struct vm_map *m);
