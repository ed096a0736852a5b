/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks, timers, kernel pointers and the like inside of values (prog.h, struct vm_field).
 *
 * Who copies a value leaves them alone; who frees one lets go of what they hold.
 */
#pragma once

#include "runtime/vm/map/map.h"

/*
 * The fields of struct `type`, as the kernel finds them in a map's value or in what
 * bpf_obj_new() makes.  0; -E2BIG: too many, or two of which there may be one.
 * `ret` is in the arena.
 */
int fields_find(const struct btf_view *btf, uint32_t type, struct arena *a,
		const struct vm_field **ret, uint32_t *ret_n);

/* Do they lie in the value, one behind the other? */
bool fields_fit(const struct vm_map_def *d);
bool fields_have(const struct vm_map_def *d, enum vm_field_kind kind);
/* Copy a value but for its fields. */
void fields_copy(const struct vm_map_def *d, void *to, const void *from);
/* The same for user space: the fields are zeros there. */
void fields_copy_out(const struct vm_map_def *d, void *to, const void *from);
/* The same, holding the lock in `locked`, which is `to` or `from`.  (BPF_F_LOCK) */
void fields_copy_locked(const struct vm_map_def *d, void *to, const void *from, void *locked);
/* Let go of what the fields of a value hold. */
void fields_free(const struct vm_map_def *d, void *value);
/* Zero a value but for its fields. */
void fields_zero(const struct vm_map_def *d, void *value);
