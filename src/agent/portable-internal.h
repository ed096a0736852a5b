/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a question depends on of the machine, shared by portable*.c.
 *
 *	portable.c        a fact as it is here: compared, and instructions put right
 *	portable-find.c   which instructions follow which fact
 *	portable-world.c  a machine whose facts are other ones
 */
#pragma once

#include "agent/emit.h"
#include "compile/world.h"

/*
 * The fact of this kind, type and path on the machine of `w`: value and size.  False:
 * there is no such thing, and `why` says so.
 */
bool portable_fact(const struct question_fact *f, struct world *w, struct question_fact *ret,
		   struct buf *why);

/* A struct of the types by the name that facts use, its members by path; NULL: not there.
 * *ret_owner: what the last name is a member of. */
const struct btf_member *portable_member(const struct btf_view *v, const char *type,
					 const char *path, struct btf_place *ret_place,
					 uint32_t *ret_owner);

/* The number that `x` names becomes factor × `by` more. */
void portable_move(struct question *q, const struct question_fix *x, int64_t by);

/* --- portable-world.c */

struct shifted_world;

/* Answers as `real` does; what is shifted is shifted in its own copy of the types.
 * NULL: the kernel has no types. */
struct world *shifted_world_new(struct world *real);
void shifted_world_free(struct world *w);
/* The fact is `by` more from now on; false: it cannot be. */
bool shifted_world_shift(struct world *w, const struct question_fact *f, int64_t by);
/* Every member, size and enumerator that no fact names becomes another one. */
void shifted_world_shift_rest(struct world *w, const struct question *q);
/* Was something asked that is not shifted: the types of a module? */
bool shifted_world_was_left(const struct world *w);
