/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verifier knows at one point of one path: registers, stack, references, locks.
 *
 * A register is a number (scalar.h) or a pointer: its kind, what it points to, a fixed offset
 * and a variable one.  The stack is kept in slots of 8 bytes; each byte says what was stored
 * there, and a slot may hold a whole register.  Frames are functions that call one another.
 *
 * What a later decision depended on is kept in a graph beside the states: struct dep.  When a
 * state is remembered, each number in it gets a node; numbers that are made of numbers later
 * point to the nodes of those.  Where the exact value of a number mattered (it was added to a
 * pointer, it decided a jump), its node is marked, and so are all that it came from.  A
 * remembered state asks its own nodes: a number whose node is not marked may be any number in a
 * state that is compared with it.  The same kind of node says of a stack slot whether anyone
 * read it.  No node: it comes from nowhere that was remembered.
 */
#pragma once

#include "base/arena.h"
#include "isa/btf.h"
#include "runtime/vm/verify/scalar.h"

enum {
	FRAMES_MAX = 8,
	STACK_SIZE = 512,
	SLOTS_MAX = STACK_SIZE / 8,
	REGS = 11,
	REFS_MAX = 64,
};

enum reg_type {
	REG_NONE, /* never written */
	REG_SCALAR,
	REG_CTX,
	REG_STACK,
	REG_MAP, /* the map itself */
	REG_MAP_VALUE,
	REG_MAP_KEY,
	REG_PACKET,
	REG_PACKET_META,
	REG_PACKET_END,
	REG_FLOW_KEYS,
	REG_SOCKET,
	REG_SOCK_COMMON,
	REG_TCP_SOCK,
	REG_XDP_SOCK,
	REG_TP_BUFFER,
	REG_BUFFER, /* of iterators: key and value of an element */
	REG_BTF,    /* an object with a BTF type */
	REG_MEM,    /* `size` bytes */
	REG_ARENA,
	REG_FUNC,   /* address of a function of the program */
	REG_DYNPTR, /* a dynptr that is not on the stack: a callback's argument */
	REG_TYPES
};

/* What else is true of a pointer. */
enum {
	F_NULL = 1 << 0, /* or NULL */
	F_RDONLY = 1 << 1,
	F_RINGBUF = 1 << 2,   /* MEM that a ring buffer gave */
	F_ALLOC = 1 << 3,     /* BTF: an object of the program's own types */
	F_UNTRUSTED = 1 << 4, /* may be gone: reads fault and give 0 */
	F_TRUSTED = 1 << 5,
	F_RCU = 1 << 6,
	F_PERCPU = 1 << 7,
	F_USER = 1 << 8,
	F_NON_OWN = 1 << 9, /* alive only until the lock is given back */
	F_PACKET = 1 << 10, /* MEM: a slice of a packet; goes when the packet changes */
};

/* A value that others depend on.  Marked: its exact value (or content) mattered. */
struct dep {
	struct dep *from[2];
	struct dep_more *more; /* loops: states that were found to be like this one */
	bool is_marked;
};
struct dep_more {
	struct dep *from;
	struct dep_more *next;
};

enum dynptr_kind { DYNPTR_NONE, DYNPTR_LOCAL, DYNPTR_RINGBUF, DYNPTR_SKB, DYNPTR_XDP };
enum iter_state { ITER_ACTIVE, ITER_DRAINED };

struct reg {
	uint8_t type;  /* enum reg_type */
	uint8_t frame; /* STACK: whose */
	uint16_t flags;
	int32_t off;	 /* pointers: fixed offset; scalars: how far from the others of its id */
	uint32_t id;	 /* pointers: same object; scalars: same number but for `off` */
	uint32_t ref;	 /* the reference that keeps it alive; 0: none */
	uint32_t at;	 /* instruction that made it what it is */
	bool is_linked;	 /* scalars: `off` counts */
	struct scalar v; /* the number; pointers: the variable part of the offset */
	union {
		struct {
			uint32_t map;	  /* MAP, MAP_VALUE, MAP_KEY: index into object.maps */
			uint32_t map_uid; /* maps inside maps: which one; 0: the map itself */
			bool is_inner;	  /* of a map inside map `map` */
		};
		struct {
			const struct btf_view *btf; /* BTF; iterators: their struct */
			uint32_t btf_id;
			uint32_t iter_depth;
			uint8_t iter; /* enum iter_state */
		};
		struct {
			uint32_t size;	   /* MEM */
			uint32_t slice_of; /* id of the dynptr that it is a slice of */
		};
		int32_t range; /* PACKET: bytes that are known to be there; RANGE_* */
		uint32_t func; /* FUNC: index of the function */
		struct {
			uint8_t dynptr; /* enum dynptr_kind */
			bool is_first;	/* of two slots */
		};
		uint64_t extra[3];
	};
	struct dep *dep; /* scalars */
};
enum { RANGE_AT_END = -1, RANGE_BEYOND_END = -2 };

/* What a byte of the stack holds. */
enum slot_kind {
	SLOT_INVALID, /* nothing was written */
	SLOT_SPILL,   /* of slot.reg */
	SLOT_MISC,    /* some bytes */
	SLOT_ZERO,
	SLOT_DYNPTR, /* slot.reg describes it */
	SLOT_ITER,
};

struct slot {
	uint8_t kind[8]; /* by address: kind[0] is of the lowest byte */
	struct reg reg;
	struct dep *live; /* marked: it was read */
};

struct ref {
	uint32_t id, insn;
	uint32_t callback; /* depth of the callback's frame that took it; 0: none did */
};

/* Why a frame is there, where it is not just a call. */
struct frame_callback {
	uint32_t kind; /* enum callback_kind; 0: none */
	bool is_async, is_exception;
	int32_t ret_min, ret_max; /* what it may return */
	uint32_t depth;		  /* of the caller: how often it went round */
};

struct frame {
	struct reg regs[REGS];
	struct slot *slots; /* owned: slot k covers fp - 8 (k + 1) */
	uint16_t n_slots, room;
	uint32_t callsite; /* the call's instruction */
	uint32_t func;	   /* index of the function */
	uint32_t async_entry;
	uint32_t callback_depth;
	struct frame_callback callback;
	struct frame *next; /* free ones */
};

struct state {
	struct frame *frames[FRAMES_MAX]; /* owned */
	unsigned int n_frames, n_refs;
	struct ref refs[REFS_MAX];
	uint32_t lock_id, lock_insn; /* spin lock that is held: id of what it is in */
	uint64_t lock_of;	     /* … and which object; 0: none is held */
	uint32_t rcu, preempt;	     /* depths */
	uint32_t insn;		     /* where it is */
	uint32_t may_goto, callback_unroll;
	bool is_sleepable; /* async callbacks of programs that sleep may not */
	/* the tree of remembered states */
	struct state *parent;
	struct state *loop; /* what it depends on while that is not finished */
	struct state *next; /* remembered at the same instruction; pending; free */
	uint32_t branches;  /* paths from here that are not finished */
	uint32_t depth, hits, misses;
};

static inline struct frame *state_frame(const struct state *s)
{
	return s->frames[s->n_frames - 1];
}
static inline bool reg_is(const struct reg *r, enum reg_type type)
{
	return r->type == type;
}
static inline bool reg_is_const(const struct reg *r)
{
	return scalar_is_const(&r->v);
}
/* A number that is 0 for sure. */
static inline bool reg_is_zero(const struct reg *r)
{
	return r->type == REG_SCALAR && scalar_is_const(&r->v) && !r->v.bits.value;
}
static inline bool reg_is_packet(const struct reg *r)
{
	return r->type == REG_PACKET || r->type == REG_PACKET_META;
}
static inline bool reg_is_sock(const struct reg *r)
{
	return r->type == REG_SOCKET || r->type == REG_SOCK_COMMON || r->type == REG_TCP_SOCK ||
	       r->type == REG_XDP_SOCK;
}

struct pool_chunk;
struct slot_room {
	struct slot_room *next;
};

/* Frames, slots, states and nodes come from here; what is given back is used again. */
struct pool {
	struct frame *frames;
	struct state *states;
	struct slot_room *slots[8]; /* free ones, by power of two */
	struct arena arena;
	struct pool_chunk *chunks; /* owned */
	char *at;		   /* what is left of the newest */
	size_t left;
	struct dep *deps;
	unsigned int n_deps;
};

void pool_done(struct pool *p);
struct state *state_new(struct pool *p);
struct frame *state_push_frame(struct pool *p, struct state *s);
void state_pop_frame(struct pool *p, struct state *s);
/* All of it but the place in the tree. */
void state_copy(struct pool *p, struct state *to, const struct state *from);
void state_free(struct pool *p, struct state *s);
/* At least so many slots. */
void frame_grow(struct pool *p, struct frame *f, unsigned int slots);

struct dep *dep_new(struct pool *p, struct dep *a, struct dep *b);
/* Its exact value mattered, and so did those of all that it came from. */
void dep_mark(struct dep *d);
/* Once `d` is marked, so is `from`. */
void dep_link(struct pool *p, struct dep *d, struct dep *from);

/* Registers: what they become. */
void reg_none(struct reg *r);
void reg_unknown(struct reg *r);
void reg_known(struct reg *r, uint64_t value);
/* A pointer without an offset; what it points to is for the caller to say. */
void reg_pointer(struct reg *r, enum reg_type type, unsigned int flags);
