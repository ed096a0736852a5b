/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled question's maps and programs, as the embedded runtime takes them. */
#pragma once

#include "catalog/question.h"
#include "runtime/vm/prog.h"

/*
 * Fill `ret` (zeroed by the caller, its arena is the caller's to end).  `q` is borrowed for as
 * long.  -ENOTSUP: a program asks for a variable of the kernel's; -EINVAL: it is damaged.
 */
int question_object(const struct question *q, struct vm_object *ret);

/* The steps of it: a map, a program as it is, and its references put in. */
struct vm_map_def question_map(const struct question_map *m);
struct vm_prog question_prog(struct arena *a, const struct question_prog *p);
/* *ret_bad: the row of p->relocs that could not be put in. */
int question_relocate(struct vm_object *o, const struct question_prog *p, struct vm_prog *v,
		      uint32_t *ret_bad);
