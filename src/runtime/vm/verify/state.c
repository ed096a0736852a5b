/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States: made, copied, given back; and the graph of what depended on what.
 */
#include "runtime/vm/verify/state.h"

#include "base/macro.h"

#include <string.h>
#include <sys/mman.h>

enum { DEPS = 512, SMALL = 64 << 10, CHUNK = 4 << 20 };

struct pool_chunk {
	struct pool_chunk *next;
	_Alignas(16) char bytes[];
};

/*
 * Most programs need little.  Where many states are remembered, fresh pages cost more
 * than all the work on them: then memory comes in large pieces.
 */
static void *pool_take(struct pool *p, size_t n)
{
	struct pool_chunk *c;
	void *to;

	n = (n + 15) & ~(size_t)15;
	if (p->arena.used < SMALL)
		return arena_alloc(&p->arena, n);
	if (n > p->left) {
		c = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (c == MAP_FAILED)
			return arena_alloc(&p->arena, n);
		madvise(c, CHUNK, MADV_HUGEPAGE);
		c->next = p->chunks;
		p->chunks = c;
		p->at = c->bytes;
		p->left = CHUNK - sizeof(*c);
	}
	to = p->at;
	p->at += n;
	p->left -= n;
	return to;
}

void pool_done(struct pool *p)
{
	struct pool_chunk *next;

	for (struct pool_chunk *c = p->chunks; c; c = next) {
		next = c->next;
		munmap(c, CHUNK);
	}
	arena_done(&p->arena);
	*p = (struct pool){};
}

/* --- slots: rooms of 1, 2, 4 … 128 */

static unsigned int room_class(unsigned int n)
{
	unsigned int c = 0;

	while (1u << c < n)
		c++;
	return c;
}

static struct slot *slots_take(struct pool *p, unsigned int c)
{
	struct slot_room *s = p->slots[c];

	if (!s)
		return pool_take(p, sizeof(struct slot) << c);
	p->slots[c] = s->next;
	return (struct slot *)s;
}

static void slots_give(struct pool *p, struct frame *f)
{
	struct slot_room *s = (struct slot_room *)f->slots;
	unsigned int c;

	if (!f->room)
		return;
	c = room_class(f->room);
	s->next = p->slots[c];
	p->slots[c] = s;
	f->slots = NULL;
	f->room = f->n_slots = 0;
}

static void slots_room(struct pool *p, struct frame *f, unsigned int n)
{
	struct slot *old = f->slots;
	unsigned int c = room_class(n), n_old = f->n_slots;
	struct frame before = {.slots = old, .room = f->room};

	if (n <= f->room)
		return;
	f->slots = slots_take(p, c);
	if (n_old)
		memcpy(f->slots, old, n_old * sizeof(*old));
	f->room = 1u << c;
	slots_give(p, &before);
}

void frame_grow(struct pool *p, struct frame *f, unsigned int slots)
{
	if (slots <= f->n_slots)
		return;
	slots_room(p, f, slots);
	memset(f->slots + f->n_slots, 0, (slots - f->n_slots) * sizeof(*f->slots));
	f->n_slots = slots;
}

/* --- frames and states */

static struct frame *frame_new(struct pool *p)
{
	struct frame *f = p->frames;

	if (!f)
		return pool_take(p, sizeof(struct frame));
	p->frames = f->next;
	f->next = NULL;
	return f;
}

struct state *state_new(struct pool *p)
{
	struct state *s = p->states;

	if (!s)
		return pool_take(p, sizeof(struct state));
	p->states = s->next;
	*s = (struct state){};
	return s;
}

struct frame *state_push_frame(struct pool *p, struct state *s)
{
	struct frame *f = frame_new(p);

	*f = (struct frame){};
	s->frames[s->n_frames++] = f;
	return f;
}

static void frame_give(struct pool *p, struct frame *f)
{
	slots_give(p, f);
	f->next = p->frames;
	p->frames = f;
}

void state_pop_frame(struct pool *p, struct state *s)
{
	frame_give(p, s->frames[--s->n_frames]);
}

void state_copy(struct pool *p, struct state *to, const struct state *from)
{
	struct frame *frames[FRAMES_MAX];
	unsigned int n = to->n_frames;

	memcpy(frames, to->frames, sizeof(frames));
	for (; n > from->n_frames; n--)
		frame_give(p, frames[n - 1]);
	for (; n < from->n_frames; n++) {
		frames[n] = frame_new(p);
		frames[n]->slots = NULL;
		frames[n]->room = frames[n]->n_slots = 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct frame *f = frames[i], *g = from->frames[i];
		struct slot *slots;
		unsigned int room;

		f->n_slots = 0;
		slots_room(p, f, g->n_slots);
		slots = f->slots;
		room = f->room;
		*f = *g;
		f->slots = slots;
		f->room = room;
		f->next = NULL;
		if (g->n_slots)
			memcpy(f->slots, g->slots, g->n_slots * sizeof(*g->slots));
	}
	memcpy(to->frames, frames, sizeof(frames));
	to->n_frames = n;
	to->n_refs = from->n_refs;
	memcpy(to->refs, from->refs, from->n_refs * sizeof(*from->refs));
	to->lock_id = from->lock_id;
	to->lock_insn = from->lock_insn;
	to->lock_of = from->lock_of;
	to->rcu = from->rcu;
	to->preempt = from->preempt;
	to->insn = from->insn;
	to->may_goto = from->may_goto;
	to->callback_unroll = from->callback_unroll;
	to->is_sleepable = from->is_sleepable;
	to->parent = from->parent;
	to->depth = from->depth;
	to->loop = from->loop;
}

void state_free(struct pool *p, struct state *s)
{
	while (s->n_frames)
		state_pop_frame(p, s);
	s->next = p->states;
	p->states = s;
}

/* --- what depended on what */

struct dep *dep_new(struct pool *p, struct dep *a, struct dep *b)
{
	struct dep *d;

	if (!p->n_deps) {
		p->deps = pool_take(p, DEPS * sizeof(struct dep));
		p->n_deps = DEPS;
	}
	d = &p->deps[--p->n_deps];
	d->from[0] = a;
	d->from[1] = b;
	return d;
}

/*
 * A node that is marked needs its parents no more: from[0] links those of which more than one
 * way leads on.
 */
void dep_mark(struct dep *d)
{
	struct dep *waiting = NULL;

	for (;;) {
		while (d && !d->is_marked) {
			struct dep *next = d->from[0];

			d->is_marked = true;
			if (d->from[1] || d->more) {
				d->from[0] = waiting;
				waiting = d;
			}
			d = next;
		}
		if (!waiting)
			return;
		if (waiting->from[1]) {
			d = waiting->from[1];
			waiting->from[1] = NULL;
		} else if (waiting->more) {
			d = waiting->more->from;
			waiting->more = waiting->more->next;
		} else {
			waiting = waiting->from[0];
		}
	}
}

void dep_link(struct pool *p, struct dep *d, struct dep *from)
{
	struct dep_more *m;

	if (!from || from == d)
		return;
	if (!d || d->is_marked) {
		dep_mark(from);
		return;
	}
	m = pool_take(p, sizeof(*m));
	m->from = from;
	m->next = d->more;
	d->more = m;
}

/* --- registers */

void reg_none(struct reg *r)
{
	*r = (struct reg){.type = REG_NONE};
}

void reg_unknown(struct reg *r)
{
	uint32_t at = r->at;

	*r = (struct reg){.type = REG_SCALAR, .at = at};
	scalar_any(&r->v);
}

void reg_known(struct reg *r, uint64_t value)
{
	uint32_t at = r->at;

	*r = (struct reg){.type = REG_SCALAR, .at = at};
	scalar_set(&r->v, value);
}

void reg_pointer(struct reg *r, enum reg_type type, unsigned int flags)
{
	uint32_t at = r->at;

	*r = (struct reg){.type = type, .flags = flags, .at = at};
	scalar_set(&r->v, 0);
}
