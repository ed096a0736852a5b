/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fields of values hold: objects of bpf_obj_new(), lists and trees of them, timers.
 */
#pragma once

#include "runtime/vm/prog.h"

/*
 * Let go of what a field holds: the timer stops, the object goes, the list empties.  What a
 * field may not lose (a lock, a node that is in a list) stays.
 */
void owned_field_free(const struct vm_field *f, void *field);
