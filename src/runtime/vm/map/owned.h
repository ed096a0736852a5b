/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that programs make themselves (bpf_obj_new), and what fields of values hold: objects,
 * lists and trees of them, timers.
 *
 * Objects of a type lie in chunks of 64 KiB, each on a multiple of that, so an address in an
 * object leads to its chunk, and that to the type.  Memory of objects goes back to its type
 * and stays mapped until owned_done(): a program that holds an old address sees the object's next
 * life, as in the kernel.
 */
#pragma once

#include "runtime/vm/prog.h"

/* A zeroed object of type `id` of the program's BTF; NULL: no memory, or no such type. */
void *owned_new(const struct vm_object *o, uint32_t id);
/* Let go of one reference to the object that `p` lies in; what it holds goes with the last. */
void owned_drop(void *p);
/* One more reference; NULL: its type counts none. */
void *owned_acquire(void *p);

/*
 * Let go of what a field holds: the timer stops, the object goes, the list empties.  What a
 * field may not lose (a lock, a node that is in a list) stays.
 */
void owned_field_free(const struct vm_field *f, void *field);

/* All objects of what was in one file. */
void owned_done(struct vm_object *o);
