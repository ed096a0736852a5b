/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was known before each instruction, over all paths: for the checking mode.
 *
 * While it is recorded, every number counts as important (prune.c): then a state that is
 * cut off lies within one that was walked, and the join of what was walked holds for all runs.
 * Only registers that are still read later are recorded; one that holds different kinds of
 * things on different paths is not checked.
 */
#include "runtime/vm/verify/internal.h"

#include <stdio.h>

enum { ANYTHING = REG_TYPES }; /* not checked */

struct recorded_reg {
	struct scalar v;  /* SCALAR */
	int64_t min, max; /* pointers: offset */
	int32_t range;
	uint32_t map; /* or size of MEM */
	uint16_t flags;
	uint8_t type, frame;
};

struct recorded {
	uint16_t regs_mask; /* of `regs`: recorded */
	struct recorded_reg regs[REGS];
};

struct verify_states {
	struct recorded **at; /* by instruction; NULL: no path leads there */
	uint32_t n;
};

void states_begin(struct verifier *v)
{
	v->recorded = arena_new(v->arena, struct verify_states);
	v->recorded->n = v->p->n_insns;
	v->recorded->at = arena_array(v->arena, struct recorded *, v->p->n_insns + 1);
}

static struct recorded_reg snapshot(const struct verifier *v, const struct reg *r)
{
	struct recorded_reg s = {.type = r->type, .flags = r->flags, .frame = r->frame};

	s.v = r->v;
	if (r->type == REG_NONE || r->type == REG_FUNC || r->type == REG_ARENA ||
	    r->type == REG_DYNPTR)
		s.type = ANYTHING;
	if (r->type == REG_SCALAR)
		return s;
	s.min = r->v.smin < INT64_MIN / 4 ? INT64_MIN / 4 : r->v.smin + r->off;
	s.max = r->v.smax > INT64_MAX / 4 ? INT64_MAX / 4 : r->v.smax + r->off;
	if (r->type == REG_MAP_VALUE || r->type == REG_MAP_KEY) {
		s.map = r->map;
		if (r->is_inner)
			s.type = ANYTHING;
	}
	if (r->type == REG_MEM) {
		/* that of a program without a hook */
		s.map = r->size;
		if (v->func || r->flags || r->ref || r->slice_of)
			s.type = ANYTHING;
	}
	if (r->type == REG_PACKET)
		s.range = r->range > 0 ? r->range - r->off : 0;
	return s;
}

static void join(struct recorded_reg *to, const struct recorded_reg *s)
{
	if (to->type != s->type || to->map != s->map || to->frame != s->frame) {
		to->type = ANYTHING;
		return;
	}
	if (to->type == REG_SCALAR) {
		scalar_join(&to->v, &s->v);
		return;
	}
	to->min = MIN(to->min, s->min);
	to->max = MAX(to->max, s->max);
	to->range = MIN(to->range, s->range);
	to->flags |= s->flags;
}

void states_note(struct verifier *v)
{
	struct recorded **at = &v->recorded->at[v->insn];
	const struct frame *f = cur_frame(v);
	unsigned int live = v->info[v->insn].live;

	if (!*at)
		*at = arena_new(v->arena, struct recorded);
	for (unsigned int i = 0; i < REGS; i++) {
		struct recorded_reg s;

		if (!(live >> i & 1))
			continue;
		s = snapshot(v, &f->regs[i]);
		if ((*at)->regs_mask >> i & 1)
			join(&(*at)->regs[i], &s);
		else
			(*at)->regs[i] = s;
		(*at)->regs_mask |= (uint16_t)(1u << i);
	}
}

/* --- checking */

static bool within(const struct recorded_reg *s, uint64_t value, const void *base)
{
	int64_t off = (int64_t)(value - (uint64_t)(uintptr_t)base);

	return off >= s->min && off <= s->max;
}

static const char *reg_check(const struct recorded_reg *s, uint64_t value,
			     const struct verify_ground *g)
{
	uint64_t end = (uint64_t)(uintptr_t)g->packet_end;

	if (s->type != REG_SCALAR && s->type != ANYTHING && !value)
		return s->flags & F_NULL ? NULL : "is NULL";
	switch ((enum reg_type)s->type) {
	case REG_SCALAR:
		return scalar_has(&s->v, value) ? NULL : "is another number";
	case REG_CTX:
		return !g->ctx || within(s, value, g->ctx) ? NULL : "does not point to the context";
	case REG_MEM:
		return !g->mem || s->map != g->mem_size || within(s, value, g->mem)
			       ? NULL
			       : "does not point to the memory";
	case REG_STACK:
		return !g->frame || s->frame + 1u != g->depth || within(s, value, g->frame)
			       ? NULL
			       : "points to another place of the stack";
	case REG_MAP_VALUE:
		if (!g->in_map || s->min < 0 || s->flags & F_NULL)
			return NULL;
		/* it may stand behind the last byte, as long as nobody follows it */
		return s->min != s->max || g->in_map(g->ctx_, s->map,
						     (const void *)(uintptr_t)(value - s->min), 1)
			       ? NULL
			       : "does not point into a value of the map";
	case REG_PACKET:
		return !end || !s->range || value + (uint64_t)(int64_t)s->range <= end
			       ? NULL
			       : "points to fewer bytes of the packet than were known";
	case REG_PACKET_END:
		return !end || value == end ? NULL : "is not the end of the packet";
	case REG_NONE:
	case REG_MAP:
	case REG_MAP_KEY:
	case REG_PACKET_META:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_TP_BUFFER:
	case REG_BUFFER:
	case REG_BTF:
	case REG_ARENA:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		return NULL;
	}
	return NULL;
}

const char *verify_check(const struct verify_result *v, uint32_t insn, const uint64_t regs[11],
			 const struct verify_ground *g, char *text, size_t room)
{
	const struct recorded *r;

	if (!v->recorded)
		return NULL;
	r = insn < v->recorded->n ? v->recorded->at[insn] : NULL;
	if (!r) {
		snprintf(text, room, "instruction %u runs, but no path leads there", insn);
		return text;
	}
	for (unsigned int i = 0; i < REGS; i++) {
		const char *what;

		if (!(r->regs_mask >> i & 1))
			continue;
		what = reg_check(&r->regs[i], regs[i], g);
		if (!what)
			continue;
		if (r->regs[i].type == REG_SCALAR) {
			struct buf known = {};

			scalar_print(&r->regs[i].v, &known);
			snprintf(text, room, "instruction %u: r%u = 0x%llx %s: %s", insn, i,
				 (unsigned long long)regs[i], what, known.p ? known.p : "");
			buf_done(&known);
		} else {
			snprintf(text, room, "instruction %u: r%u = 0x%llx %s", insn, i,
				 (unsigned long long)regs[i], what);
		}
		return text;
	}
	return NULL;
}
