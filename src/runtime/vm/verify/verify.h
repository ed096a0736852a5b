/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier: is a program safe to run?
 *
 * What it accepts reads and writes only what it may, ends, leaks no pointer, and keeps
 * every rule about locks and references that it claims to check.  A refusal is a diagnostic on
 * the source line: what was needed, where the fact was last known, the value or path that
 * breaks it, and what to do.
 *
 * It explores path by path, remembers states at joins and prunes what they cover (explore.c).
 * Where paths explode it looks for loop invariants instead (fixpoint.c).  It accepts if
 * either proves.  As the kernel only explores, `kernel_refuses` says what that would do.
 */
#pragma once

#include "runtime/vm/prog.h"

struct verify_config {
	const struct btf_view *kernel; /* types of BTF pointers; NULL: none */
	/* As the kernel judges (what root may there), or as our own runtime does: what it lacks
	 * (kernel memory, hooks) is refused, what only the kernel wants is not. */
	bool as_kernel;
	bool is_unprivileged; /* as the kernel judges users without CAP_BPF */
	bool wants_states;    /* for the checking mode: verify_check() */
	bool skips_walk;      /* tests: loops only by invariants */
	uint32_t max_insns;   /* explored; 0: 1,000,000 */
};

/* What engines may know of an instruction, beyond the instruction itself. */
enum verify_access {
	ACCESS_NONE,
	ACCESS_MEMORY, /* plain */
	ACCESS_CTX,    /* `field` of the program type's context table */
	ACCESS_BTF,    /* of a kernel object: may fault, then it gives 0 */
	ACCESS_ARENA,  /* a 32-bit offset into the arena */
	ACCESS_PACKET, /* plain, too */
};
struct verify_insn {
	uint8_t access;	   /* enum verify_access; 0 also where no path leads */
	bool is_reached;   /* false: dead code */
	bool is_map_const; /* helper call: the map is always `map` */
	bool is_key_const; /* lookup in an array: the key is always `key` */
	uint16_t field;	   /* CTX: row of the table */
	uint32_t map, key;
};

struct verify_states; /* opaque */

struct verify_result {
	bool is_ok;
	bool by_fixpoint;    /* exploring gave up or refused; loop invariants proved it */
	bool kernel_refuses; /* the text of why is a note in the diagnostics */
	uint32_t insns_explored, states, peak_states;
	uint64_t ns;
	uint32_t stack_depth;		 /* of the deepest chain of calls, bytes */
	const struct verify_insn *insns; /* n_insns of the program; in the arena */
	struct verify_states *recorded;	 /* wants_states; in the arena */
	const char *error; /* refused: the kernel's words for it, as its log would end:
			      "R0 !read_ok", "invalid access to map value, …"; NULL */
	uint32_t error_insn;
};

/*
 * Verify program `prog` of the object.  0 also if it is refused: that is in `ret` and in
 * o->diags.  -ENOMEM, -E2BIG: it was too much.  What `ret` points to is in the arena.
 */
int verify(const struct vm_object *o, uint32_t prog, const struct verify_config *c,
	   struct arena *arena, struct verify_result *ret);

/* Where things are when a program runs in checking mode, for pointers. */
struct verify_ground {
	const void *ctx, *mem;
	size_t ctx_size, mem_size;
	const void *packet, *packet_end;
	const void *frame;  /* r10 of the innermost frame */
	unsigned int depth; /* frames: 1 in the entry */
	/* is [p, p + n) within a value of map `map`?  */
	bool (*in_map)(void *ctx_, uint32_t map, const void *p, size_t n);
	void *ctx_;
};
/*
 * Before instruction `insn` runs: do its registers lie in what was recorded for it?  NULL: yes;
 * else what does not, in words (of a buffer of the caller's).
 */
const char *verify_check(const struct verify_result *v, uint32_t insn, const uint64_t regs[11],
			 const struct verify_ground *g, char *text, size_t room);
