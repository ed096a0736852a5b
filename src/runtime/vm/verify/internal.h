/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the verifier.
 *
 * Each function that checks something returns 0, or what refuse() returned: the program is
 * refused, and why is in verifier.refusal.  -E2BIG: it was too much.
 */
#pragma once

#include "base/map.h"
#include "runtime/vm/helper/proto.h"
#include "runtime/vm/map/field.h"
#include "runtime/vm/verify/ctx.h"
#include "runtime/vm/verify/state.h"
#include "runtime/vm/verify/verify.h"

#include <errno.h>

enum { REFUSED = -EACCES };

/* Newer than the headers of some systems. */
enum { MAP_TYPE_ARENA = 33, PROG_TYPE_NETFILTER = 32 };

/* Why a function is called by something else than a call. */
enum callback_kind {
	CALLBACK_NONE,
	CALLBACK_LOOP,	       /* bpf_loop: (u32 index, ctx) */
	CALLBACK_FOR_EACH,     /* bpf_for_each_map_elem: (map, key, value, ctx) */
	CALLBACK_TIMER,	       /* asynchronous: (map, key, value) */
	CALLBACK_WORK,	       /* bpf_wq: the same, may sleep */
	CALLBACK_USER_RINGBUF, /* (dynptr, ctx) */
	CALLBACK_FIND_VMA,     /* (task, vma, ctx) */
	CALLBACK_LESS,	       /* bpf_rbtree_add: (node, node) */
	CALLBACK_EXCEPTION,    /* (u64 cookie) */
};

/* What is known of an instruction before any path is walked. */
struct insn_info {
	uint16_t id;   /* enum insn_id; INSN_NONE: second half of ldimm64 */
	uint16_t live; /* registers that may be read from here on before they are written */
	uint16_t func;
	bool is_prune_point, is_checkpoint, calls_callback, is_iter_next, is_may_goto;
	bool has_map;	     /* a call: verify_insn.map was noted */
	uint8_t access_type; /* enum reg_type that it accesses */
	int32_t target;	     /* of a jump, call, function address: instruction; −1 */
	struct state *explored;
};

/* What in a struct is not plain bytes (prog.h). */
struct fields {
	const struct vm_field *f;
	uint32_t n;
	bool is_bad;
};

/* What a global function takes. */
enum func_arg { FUNC_SCALAR, FUNC_CTX, FUNC_MEM, FUNC_DYNPTR, FUNC_BTF, FUNC_ARENA };

/* A function of the program, as it was found. */
struct func {
	uint32_t begin, end;
	const char *name;
	uint32_t btf; /* FUNC in the object's types; 0: none */
	bool is_global, is_callback, is_async_callback, is_exception, has_tail_call, has_ld_abs;
	bool is_called; /* global: somebody calls it, verify it */
	bool is_verified;
	bool changes_packet, might_sleep;
	uint16_t stack; /* bytes of its frame */
	/* global: what it takes, as the types say */
	struct func_arg_info {
		uint8_t kind; /* enum func_arg */
		uint16_t flags;
		uint32_t size, btf_id;
		const struct btf_view *btf;
	} args[5];
	uint8_t n_args;
	bool has_args, is_void;
};

struct refusal {
	enum diag_id id;
	uint32_t insn;
	char error[320]; /* the kernel's words */
	char text[320];	 /* ours; "": the kernel's will do */
	char hint[320];
	struct {
		uint32_t insn;
		char text[160];
	} notes[4];
	unsigned int n_notes;
	bool is_set;
};

/* What a check of arguments leaves for what the call does. */
struct verifier {
	const struct vm_object *o;
	const struct vm_prog *p;
	const struct verify_config *c;
	struct arena *arena; /* of the result */
	struct verify_result *ret;
	struct pool pool;
	struct insn_info *info; /* n_insns */
	struct verify_insn *insns;
	struct func *funcs;
	unsigned int n_funcs;
	const struct ctx_type *ctx;
	struct fields *map_fields; /* of each map's values */
	struct map local_fields;   /* struct fields of the program's own types, by id */

	struct state *cur;     /* where exploring is */
	uint32_t insn;	       /* the instruction that is looked at */
	struct state *pending; /* paths to walk later: a stack */
	unsigned int n_pending;
	uint32_t func; /* the global function that is verified; 0: the program */
	uint32_t ids;
	uint32_t jumps, prev_jumps, prev_insns;
	uint32_t insns_explored, max_insns;
	uint32_t states, peak;
	struct refusal refusal;

	/* what the program may */
	bool allow_leaks;	/* arithmetic and comparisons that show addresses */
	bool allow_store_leaks; /* pointers in maps, packets, results */
	bool allow_uninit_stack;
	bool is_strict;	    /* alignment */
	bool is_privileged; /* root, or our own runtime */
	bool test_state_freq;
	bool is_gpl;
	bool may_sleep;	    /* the program type, and the function that is verified */
	uint32_t arena_map; /* index + 1 of the arena that it uses */
	bool has_kfunc_in_async;
	uint32_t exception_func; /* index + 1 */
	/* TRACING, LSM, EXT: what it attaches to */
	uint32_t attach_btf, attach_proto;
	struct verify_states *recorded;
	const struct btf_view *kernel;
};

static inline struct reg *cur_regs(struct verifier *v)
{
	return state_frame(v->cur)->regs;
}
static inline struct frame *cur_frame(struct verifier *v)
{
	return state_frame(v->cur);
}
static inline const struct bpf_insn *cur_insn(struct verifier *v)
{
	return &v->p->insns[v->insn];
}
static inline uint32_t new_id(struct verifier *v)
{
	return ++v->ids;
}

/* --- diag.c */
int refuse(struct verifier *v, enum diag_id id, const char *format, ...) _printf_(3, 4);
/* Our own words for the one that was refused last; what to do about it. */
void refuse_text(struct verifier *v, const char *format, ...) _printf_(2, 3);
void refuse_hint(struct verifier *v, const char *format, ...) _printf_(2, 3);
/* "r2 was made here: …". */
void refuse_note_reg(struct verifier *v, unsigned int regno);
void refuse_note(struct verifier *v, uint32_t insn, const char *format, ...) _printf_(3, 4);
void refusal_record(struct verifier *v); /* as a diagnostic */
struct span insn_span(const struct verifier *v, uint32_t insn);
/* "map_value_or_null", as the kernel's log says it. */
const char *reg_name(const struct reg *r, char *room, size_t n);

/* --- structure.c, liveness.c: before anything is walked */
int structure_check(struct verifier *v);
void liveness_find(struct verifier *v);
int stack_depth_check(struct verifier *v);

/* --- explore.c */
int explore(struct verifier *v, uint32_t func);
/* A copy of the current state, to be walked later from `insn`.  NULL: too many. */
struct state *push_path(struct verifier *v, uint32_t insn);
/* Walk on from here: EXPLORE_*, or an error. */
enum { STEP_NEXT = 0, STEP_JUMPED = 1, STEP_EXIT = 2 };
int step(struct verifier *v, uint32_t *insn);
int exit_check(struct verifier *v, uint32_t *insn, bool is_exception);
int reg_read(struct verifier *v, unsigned int regno);
int reg_write(struct verifier *v, unsigned int regno);

/* --- fixpoint.c: instead of explore(), by loop invariants */
int fixpoint(struct verifier *v, uint32_t func);

/* --- prune.c */
/* 1: what follows was already proven; 0: walk on. */
int prune(struct verifier *v, uint32_t insn);
/* The state remembered last at `insn` on the way here, in the same calls; NULL. */
struct state *prune_previous(struct verifier *v, uint32_t insn, bool skip_here);
/* Numbers that differ from `old` and matter to nobody become anything. */
void prune_widen(struct verifier *v, const struct state *old, struct state *cur);
void branches_done(struct verifier *v, struct state *s);

/* --- alu.c */
int alu_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id);
int wide_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id);
/* Numbers that are copied keep a common id, so that what is learned of one holds for all. */
void scalar_share(struct verifier *v, struct reg *r);
/* Its value matters from here back. */
static inline void reg_mark(const struct reg *r)
{
	if (r->type == REG_SCALAR)
		dep_mark(r->dep);
}
bool is_leak(const struct verifier *v, const struct reg *r);

/* --- branch.c */
int branch_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id, uint32_t *insn);
void reg_not_null(struct verifier *v, struct reg *r);
/* All registers and spills of the state: f may change them. */
void state_each(struct state *s, void (*f)(struct reg *r, void *ctx), void *ctx);

/* --- memory.c and below it */
struct access {
	unsigned int regno; /* address */
	int32_t off;
	unsigned int bytes;
	bool is_write, is_signed;
	int value;	     /* register that is read into or written from; −1: none */
	bool is_once_strict; /* atomics: aligned */
	bool is_atomic;
};
int memory_access(struct verifier *v, const struct access *a);
/* A helper reads or writes `size` bytes at register `regno`. */
struct region {
	unsigned int regno;
	uint64_t size;
	bool is_write, is_uninit; /* UNINIT: written without being read */
	bool may_be_empty;
	bool has_raw; /* out: stack bytes to be marked as written once the call is accepted */
	int32_t raw_off;
	uint32_t raw_size;
};
int region_access(struct verifier *v, struct region *g);
/* Size in a register, as ARG_SIZE says. */
int region_access_reg(struct verifier *v, struct region *g, unsigned int size_regno);
/* [off + variable part, + size) lies in [0, limit). */
int bounds_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size, uint32_t limit,
		 bool may_be_empty);
/* No offset but a fixed one. */
int offset_check_fixed(struct verifier *v, const struct reg *r, unsigned int regno,
		       bool may_be_set);
int map_region_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size,
		     bool may_be_empty, bool is_helper);
int map_may(struct verifier *v, const struct reg *r, bool is_write);
int packet_check(struct verifier *v, unsigned int regno, int32_t off, uint64_t size,
		 bool may_be_empty);
bool packet_may_write(const struct verifier *v);
bool packet_may_read(const struct verifier *v);
int ctx_access(struct verifier *v, const struct access *a);
int sock_access(struct verifier *v, const struct access *a, int32_t off);
int object_access(struct verifier *v, const struct access *a); /* BTF pointers: object.c */
int kptr_access(struct verifier *v, const struct access *a, const struct vm_field *f);
/* Of what it points to; never NULL.  fields_at: the one that begins at `off`. */
const struct fields *reg_fields(struct verifier *v, const struct reg *r);
#define FIELD_ONE(kind) (1u << FIELD_##kind)
#define FIELD_KPTRS	(FIELD_ONE(KPTR) | FIELD_ONE(KPTR_UNTRUSTED) | FIELD_ONE(KPTR_PERCPU))
const struct vm_field *fields_at(const struct fields *f, uint32_t off, unsigned int kinds);
/* The only one of its kind; NULL. */
const struct vm_field *fields_one(const struct fields *f, enum vm_field_kind kind);

/* --- stack.c */
int stack_access(struct verifier *v, const struct access *a, int32_t off);
int stack_region(struct verifier *v, struct region *g, int32_t off);
/* The call wrote there. */
void stack_raw_written(struct verifier *v, const struct region *g);
struct frame *stack_frame_of(struct verifier *v, const struct reg *r);
static inline unsigned int slot_of(int32_t off)
{
	return (unsigned int)(-off - 1) / 8;
}
/* Slots that are read; written over. */
void slot_read(struct verifier *v, struct frame *f, unsigned int slot);
int slot_destroy_dynptr(struct verifier *v, struct frame *f, unsigned int slot);
const struct vm_map_def *reg_map(struct verifier *v, const struct reg *r);

/* --- call.c, arg.c */
struct call {
	const char *name;
	const struct proto *proto; /* helpers */
	uint32_t number;
	struct reg map; /* ARG_CONST_MAP */
	bool has_map;
	uint32_t ref;	      /* of the argument that has one */
	unsigned int release; /* register whose reference is given back */
	uint32_t alloc_size;
	bool has_alloc_size, has_release;
	uint32_t dynptr_id;
	unsigned int dynptr_uninit; /* register whose dynptr the call makes */
	uint8_t dynptr;		    /* of which kind */
	uint32_t func;		    /* callback + 1 */
	const struct btf_view *btf; /* of a BTF pointer argument: also the result's for some */
	uint32_t btf_id;
	uint64_t size_max;    /* of ARG_SIZE */
	struct reg object;    /* ARG_PERCPU_BTF_ID */
	struct region raw[3]; /* stack that the call writes */
	unsigned int n_raw;
	const struct vm_field *kptr;
	const struct btf_view *kptr_btf;
	uint16_t kptr_flags;
};
int call_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn);
int arg_check(struct verifier *v, struct call *c, unsigned int n);
int timer_arg(struct verifier *v, struct call *c, unsigned int regno, enum vm_field_kind kind,
	      const char *word);
void call_clobber(struct verifier *v);

/* --- kfunc.c */
int kfunc_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn);
bool kfunc_is_iter_next(const struct verifier *v, const struct bpf_insn *i);
bool kfunc_takes_callback(const struct verifier *v, const struct bpf_insn *i);
bool kfunc_is(const struct verifier *v, const struct bpf_insn *i, const char *name);

/* --- subprog-args.c: what a global function takes, by its types and tags */
int subprog_args_find(struct verifier *v, uint32_t func);
int subprog_args_check(struct verifier *v, uint32_t func); /* at a call */
int subprog_args_set(struct verifier *v, uint32_t func);   /* at its start */

/* --- subprog.c */
/* Functions that move the packet, or call one that does. */
void subprog_effects_find(struct verifier *v);
int subprog_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn);
int subprog_init(struct verifier *v, uint32_t func); /* registers of a function's start */
/* NULL: too deep. */
struct frame *subprog_enter(struct verifier *v, struct state *s, uint32_t func, uint32_t callsite);
int subprog_return(struct verifier *v, uint32_t *insn);

/* --- callback.c */
/* The callback will be walked, and what follows the call too. */
int callback_push(struct verifier *v, struct call *c, enum callback_kind kind, unsigned int fn_reg,
		  uint32_t *insn);
int callback_return(struct verifier *v, uint32_t *insn);

/* --- refs.c */
int ref_acquire(struct verifier *v, uint32_t *ret_id);
int ref_release(struct verifier *v, uint32_t id);
int ref_forget(struct verifier *v, uint32_t id); /* registers stay as they are */
bool ref_is_held(const struct state *s, uint32_t id);
int ref_check_leaks(struct verifier *v, bool is_exception);
void refs_drop_registers(struct verifier *v, uint32_t id);
void packet_pointers_drop(struct verifier *v);

/* --- lock.c */
int lock_process(struct verifier *v, unsigned int regno, bool is_lock);
int lock_check_call(struct verifier *v, const char *name, bool is_helper, uint32_t number,
		    bool may_sleep);
int lock_check_exit(struct verifier *v, bool is_exception);
bool rcu_is_held(const struct verifier *v);
void non_owning_drop(struct verifier *v);
uint64_t lock_identity(const struct reg *r);

/* --- dynptr.c */
int dynptr_arg(struct verifier *v, struct call *c, unsigned int regno, unsigned int arg);
int dynptr_init_slots(struct verifier *v, unsigned int regno, enum dynptr_kind kind,
		      uint32_t clone_ref, uint32_t clone_id);
int dynptr_release(struct verifier *v, unsigned int regno);
/* Arguments are fine: what the call makes of them. */
int dynptr_after(struct verifier *v, struct call *c);
struct reg *dynptr_of(struct verifier *v, unsigned int regno);

/* --- iter.c */
int iter_init(struct verifier *v, unsigned int regno, const struct btf_view *btf, uint32_t btf_id,
	      unsigned int slots, bool is_rcu);
int iter_check(struct verifier *v, unsigned int regno, const struct btf_view *btf, uint32_t btf_id,
	       unsigned int slots, unsigned int *ret_flags);
int iter_destroy(struct verifier *v, unsigned int regno, unsigned int slots);
/* `at`: what pointed to it; r0: what an element is. */
int iter_next(struct verifier *v, const struct reg *at, unsigned int slots);

/* --- object.c: kernel types */
int object_is_a(struct verifier *v, const struct reg *r, const struct btf_view *btf, uint32_t id,
		bool is_strict);
bool object_is_trusted(const struct reg *r);

/* --- record.c: what verify_check() compares with */
void states_begin(struct verifier *v);
void states_note(struct verifier *v);

/* --- format.c: "%d" and the like in a constant string, with so many arguments */
int format_check(struct verifier *v, unsigned int format_regno, unsigned int size_regno);

/* --- context.c */
int attach_check(struct verifier *v); /* may there be such a program there? */

/* --- fields.c */
void kptr_type(struct verifier *v, const struct vm_field *f, const struct btf_view **btf,
	       uint32_t *id);
int kptr_match(struct verifier *v, const struct vm_field *f, const struct reg *r,
	       unsigned int regno);
/* btf-access.c: is struct `id`, at `off`, a `need`?  (or begins with one there) */
bool types_match(const struct btf_view *a, uint32_t id, int off, const struct btf_view *b,
		 uint32_t need, bool is_strict, bool is_flexible);

/* --- retval.c */
int retval_check(struct verifier *v, unsigned int regno, const char *what);
int retval_check_callback(struct verifier *v);
/* What the hook's own result, which an LSM program is given, may be. */
void retval_of_hook(struct verifier *v, struct scalar *s);
