/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the lowering share.
 *
 * Expressions become one of two things.  A *scalar* is an operand of the IR: a register or
 * a number, extended to 64 bits by the sign of its type.  All else (strings, tuples,
 * structs, stacks …) is a *place*: an address and the space it is in.  A value that is
 * made rather than found (str(), a tuple) is written *into* memory that the caller gives,
 * so that a printf's string is read straight into its record.
 *
 * struct lower is one compilation; struct unit is one program (an action block on one kind of
 * hook); struct body is one function of it (the action itself, a loop's body, an fn).
 */
#pragma once

#include "catalog/hooks.h"
#include "compile/lang/bpftrace/lower.h"

/* How a program gets at the values of its hook. */
enum access {
	ACCESS_NONE,
	ACCESS_FORMAT,	  /* tracepoint: fields of the context at the format's offsets */
	ACCESS_REGS,	  /* the context is (or begins with) struct pt_regs */
	ACCESS_ARRAY,	  /* the context is an array of u64: tp_btf, fentry, raw tracepoints */
	ACCESS_SYS_ENTER, /* array {pt_regs *, number}, shown as sys_enter_x's fields */
	ACCESS_SYS_EXIT,  /* array {pt_regs *, result}, shown as sys_exit_x's fields */
	ACCESS_RAW,	  /* array of the arguments, shown as the fields of the record */
	ACCESS_ITER,	  /* struct bpf_iter__x */
};

/* Where a blob is. */
struct mem {
	ir_reg base;
	int32_t off;
	uint8_t space; /* enum type_space, never NONE */
	bool is_clean; /* text: all zero behind its NUL */
	bool has_room; /* to write a text to: the byte behind it may be written as well */
	bool is_typed; /* KERNEL: the verifier knows what is here (class BTF, plain members) */
	bool is_ctx;   /* the program's context: plain loads */
};

/* A program that is being made. */
struct unit {
	const struct checked_probe *probe;
	const struct resolved *point; /* whose names and types count; others agree */
	uint32_t n_points;	      /* that this program serves, from `point` on */
	enum hook_id provider;
	enum access access;
	enum question_attach attach;
	uint32_t prog_type, attach_type;
	const char *btf_name, *btf_module;
	bool is_named;	    /* the action asks for probe or func */
	uint32_t row;	    /* of the first point in question.probes */
	bool has_cookie;    /* points are told apart by the attach cookie */
	bool has_typed_ctx; /* ARRAY: the verifier knows the pointers in it */
	bool is_filtered;   /* -p PID is looked at by the program */
	uint32_t index;	    /* in question.progs */
};

/* The frame's fixed part: see lower-loop.c. */
enum { FRAME_CTX = 0, FRAME_RETURNED = 8, FRAME_START = 16, FRAME_VALUE = 24, FRAME_HEAD = 32 };

/* A loop that break and continue can leave. */
struct loop {
	struct loop *outer;
	uint32_t on_break, on_continue; /* blocks */
};

/* Temporary memory of a function, used again from statement to statement. */
struct temp {
	uint32_t slot, size;
	bool is_used;
};

struct body {
	struct body *outer; /* of a callback: the function that calls it */
	uint32_t func;
	ir_reg ctx;	    /* the program's context */
	ir_reg frame;	    /* the struct that callbacks share: a register with its address */
	uint32_t root_func; /* function that has the frame's slot */
	uint32_t frame_slot;
	uint32_t frame_size;
	uint32_t on_return;		/* block that ends the function */
	ir_reg result;			/* fn: its value, if it is a number */
	struct mem result_place;	/* fn: where its value goes if it is none */
	const struct type *result_type; /* NULL: there is none */
	bool is_callback;
	struct loop *loop;
	ARRAY(struct temp) temps;
	ARRAY(uint32_t) taken; /* temps in use, in the order in which they were taken */
};

/* Where a variable lives: variable.note. */
enum home_kind { HOME_REG, HOME_SLOT, HOME_FRAME, HOME_SCRATCH };
struct home {
	uint32_t generation; /* of the body it was made for; others are stale */
	enum home_kind kind;
	uint32_t func; /* REG, SLOT: of this function alone; an unrolled loop makes more */
	ir_reg reg;
	uint32_t slot;
	uint32_t off; /* FRAME, SCRATCH */
};

struct lower {
	struct question *q;
	struct arena *a;
	const struct checked *c;
	const struct check_options *o;
	struct world *w;
	struct lowered *ret;
	struct ir_builder b;
	struct unit *unit;
	struct body *body;
	struct buf rodata, globals; /* contents; done at the end */
	uint32_t generation;	    /* counts bodies */
	size_t used, unit_used;	    /* of the arena: when it began, when the unit did */
	bool is_too_large;	    /* an error was recorded: make no more code */
	bool has_unrolled;	    /* a loop was repeated */
	uint32_t nr_reg;	    /* dispatch: the system call's number */
	bool has_enters;	    /* dispatch: there are points sys_enter_* */
	bool has_switch;	    /* raw: it is known of sched_switch … */
	bool is_usual_switch;	    /* … whether its tasks are where they mostly are */
	uint32_t cgroup_map;	    /* --cgroup: the map that holds it */
	ir_reg probe_id;	    /* register with the row in question.probes; 0: unit->row */
	ARRAY(struct iter_object {
		uint32_t off;
		ir_reg reg;
	})
	objects; /* ITER: pointers of the context that are known not to be NULL */
	ARRAY(struct fn_code {
		const struct fn *fn;
		struct ir_module *m;
		uint32_t func;
		bool is_done;
	})
	fns;
};

/* The kernel's; NULL: nobody knows them. */
static inline const struct btf_view *lower_types(struct lower *L)
{
	return L->w->ops->btf ? L->w->ops->btf(L->w) : NULL;
}

/* --- lower.c */
uint32_t lower_action(struct lower *L, struct question_action action);
uint32_t lower_loss(struct lower *L, enum question_loss_kind kind, const char *what,
		    struct span span);
uint32_t lower_rodata(struct lower *L, const void *p, size_t n, unsigned int align);
/* Offset of a global that the runtime fills in. */
uint32_t lower_global(struct lower *L, int32_t *which);
void lower_oops(struct lower *L, struct span span, const char *what);
void lower_count_loss(struct lower *L, uint32_t row);
/* A function body: begin makes the entry, end closes it. */
void lower_body_begin(struct lower *L, struct body *body, uint32_t func);
/* Room that loop bodies share: the function's first instructions. */
void lower_frame(struct lower *L);
bool lower_needs_frame(struct lower *L, const struct block *b);
void lower_body_end(struct lower *L);
bool lower_exits(const struct block *b); /* says exit() somewhere */
/* After a jump: go on in a block that nothing reaches. */
void lower_dead(struct lower *L);
/* The row of question.probes that fired. */
struct ir_val lower_probe_id(struct lower *L);

/* A program's parts, in order. */
void lower_prog_begin(struct lower *L, struct unit *u, struct ir_module *m);
void lower_prologue(struct lower *L);
/* Of the unit's action; where the predicate does not hold the body returns. */
void lower_predicate(struct lower *L);
void lower_statements(struct lower *L);

/* --- lower-plan.c */
/* What follows from the way it is attached: attach.def; the hook may know better. */
void lower_attach_by(struct unit *u, enum question_attach kind);
/* One unit for each program that the points of an action need. */
void lower_plan(struct lower *L, const struct checked_probe *p,
		void (*fn)(struct lower *L, struct unit *u));
void lower_probe_row(struct lower *L, const struct unit *u);
const char *lower_prog_name(struct lower *L, const struct unit *u);
/* raw_syscalls:sys_enter or :sys_exit, of which no more is asked than id and ret. */
bool lower_is_raw_syscall(const struct checked_probe *p, const struct resolved *r);

/* --- lower-dispatch.c */
bool lower_is_syscall_point(struct lower *L, const struct resolved *r);
bool lower_has_enters(struct lower *L);
/* An action on raw_syscalls that is run by the same program. */
bool lower_joins_dispatch(struct lower *L, const struct checked_probe *p);
void lower_dispatch(struct lower *L);

/* --- lower-memory.c */
uint32_t lower_mark(struct lower *L);
void lower_release(struct lower *L, uint32_t mark);
struct mem lower_temp(struct lower *L, uint32_t size);		 /* of this statement */
struct mem lower_temp_of(struct lower *L, const struct type *t); /* with room behind a text */
struct mem lower_scratch(struct lower *L, uint32_t size);	 /* of this program, for good */
struct mem mem_at(struct mem p, int32_t off);
struct mem mem_bpf(ir_reg base, int32_t off);
ir_reg mem_addr(struct lower *L, struct mem p);
struct ir_val mem_load(struct lower *L, struct mem p, unsigned int size, bool sign,
		       enum ir_class class);
struct ir_val mem_load_type(struct lower *L, struct mem p, const struct type *t);
struct ir_val mem_load_member(struct lower *L, struct mem p, const struct type_member *m,
			      const struct type *t);
void mem_store(struct lower *L, struct mem to, const struct type *t, struct ir_val v);
void mem_zero(struct lower *L, struct mem to, uint32_t n);
/* n bytes from anywhere into our own memory; what cannot be read becomes 0. */
void mem_copy(struct lower *L, struct mem to, struct mem from, uint32_t n);
/* Text from anywhere into `size` bytes of our own memory; `clean`: zeros behind it. */
void mem_copy_text(struct lower *L, struct mem to, uint32_t size, struct mem from,
		   uint32_t from_size, bool clean);
/* From one layout to another, member by member. */
void mem_convert(struct lower *L, struct mem to, const struct type *to_type, struct mem from,
		 const struct type *from_type, bool clean);
/* A member that programs read, for question.facts. */
void lower_note_member(struct lower *L, const char *type, const char *member);
struct mem lower_zeros(struct lower *L, uint32_t n); /* literal zeros */
uint8_t lower_space(struct lower *L, const struct type *pointer);

/* --- lower-expr.c: scalars */
struct ir_val lower_scalar(struct lower *L, struct expr *e);
/* The same in a register of its own, which later writes to variables leave alone. */
ir_reg lower_stable(struct lower *L, struct expr *e);
void lower_branch(struct lower *L, struct expr *e, uint32_t yes, uint32_t no);
void lower_effect(struct lower *L, struct expr *e); /* for what it does alone */
bool lower_has_effects(const struct expr *e);
bool lower_mentions(const struct expr *e, const struct variable *v);
struct ir_val lower_fit(struct lower *L, struct ir_val v, const struct type *t);
struct ir_val lower_binary_values(struct lower *L, const struct expr *at, enum expr_op op,
				  const struct type *t, struct ir_val x, struct ir_val y);
struct ir_val lower_step(struct lower *L, const struct expr *e); /* what ++ adds */
struct ir_val lower_field(struct lower *L, struct expr *e);
struct ir_val lower_index(struct lower *L, struct expr *e);
/* A typed pointer as a mere number: where the verifier could not follow. */
struct ir_val lower_untyped(struct lower *L, struct ir_val v);
bool lower_is_plain_member(const struct expr *e, const struct type *owner);
/* --- lower-compare.c */
struct ir_val lower_compare_blobs(struct lower *L, struct expr *e);

/* --- lower-blob.c: places */
struct mem lower_mem(struct lower *L, struct expr *e);
void lower_into(struct lower *L, struct expr *e, struct mem to, bool clean);
void lower_into_type(struct lower *L, struct expr *e, struct mem to, const struct type *t,
		     bool clean);
bool lower_is_scalar(const struct type *t);

/* --- lower-access.c: what the hook gives */
struct ir_val lower_ctx(struct lower *L);
struct ir_val lower_arg(struct lower *L, const struct expr *e, unsigned int n);
struct ir_val lower_retval(struct lower *L, const struct expr *e);
struct ir_val lower_reg(struct lower *L, const struct expr *e, const char *name);
struct ir_val lower_func_address(struct lower *L, const struct expr *e);
bool lower_is_args(const struct expr *e);
/* ITER: the objects that the action uses, read once; behind the last of them all is NULL. */
void lower_iter_objects(struct lower *L);
struct ir_val lower_args_field(struct lower *L, struct expr *e);
struct mem lower_args_place(struct lower *L, struct expr *e);
struct mem lower_args_blob(struct lower *L, struct expr *e);
struct ir_val lower_usdt_arg(struct lower *L, const struct expr *e, unsigned int n);
int lower_reg_offset(const char *name); /* in pt_regs; −1: there is none */
struct ir_val lower_syscall_number(struct lower *L);

/* --- lower-raw.c: fields that follow from a raw tracepoint's arguments */
/* Is this field of the unit's `args` one? */
bool lower_raw_has(struct lower *L, const struct unit *u, const struct expr *field);
/* And is it as cheap to have in a raw program as in one whose arguments have types? */
bool lower_raw_is_plain(struct lower *L, const struct unit *u, const struct expr *field);
struct ir_val lower_raw_field(struct lower *L, const struct expr *e);
/* Argument `arg` of the tracepoint, a pointer to the kernel's struct `type`: IRC_BTF if it may be
 * loaded from, else IRC_KPTR. */
ir_reg lower_typed_arg(struct lower *L, unsigned int arg, const char *type);
struct mem lower_raw_place(struct lower *L, const struct expr *e); /* if it is no number */

/* --- lower-var.c */
struct home *lower_home(struct lower *L, struct variable *v);
struct mem lower_var_place(struct lower *L, struct variable *v);
struct ir_val lower_var_get(struct lower *L, struct variable *v);
void lower_var_set(struct lower *L, struct variable *v, struct expr *value);
void lower_var_put(struct lower *L, struct variable *v, struct ir_val x);
void lower_var_clear(struct lower *L, struct variable *v);
bool lower_var_is_new(const struct lower *L, const struct variable *v); /* not written yet */
void lower_var_fresh(struct variable *v); /* a new turn of its scope */

/* --- lower-stmt.c */
void lower_block(struct lower *L, struct block *b);
void lower_stmt(struct lower *L, struct stmt *s);
/* --- lower-loop.c */
void lower_loop_stmt(struct lower *L, struct stmt *s);
/* --- lower-fn.c */
uint32_t lower_fn(struct lower *L, const struct fn *fn);
ir_reg lower_fn_call(struct lower *L, struct expr *e, struct mem *to);
const struct fn *lower_fn_find(struct lower *L, const char *name);

/* --- lower-map.c */
void lower_maps(struct lower *L);
uint32_t lower_map_index(const struct map_decl *m);
struct mem lower_key(struct lower *L, const struct map_decl *m, struct expr *key);
bool lower_map_has_bucket(const struct map_decl *m);
uint32_t lower_value_size(const struct type *t);
ir_reg lower_lookup(struct lower *L, const struct map_decl *m, struct mem key);
/* From an element to its value: this cpu's, if each has one there; that of stripe `i`. */
ir_reg lower_own_value(struct lower *L, const struct map_decl *m, ir_reg element);
ir_reg lower_stripe(struct lower *L, const struct map_decl *m, ir_reg element, uint32_t i);
struct ir_val lower_map_get(struct lower *L, struct map_decl *m, struct expr *key,
			    const struct type *t);
/* The value, in a way that survives the map: zeros if there is none. */
struct mem lower_map_read(struct lower *L, struct map_decl *m, struct expr *key);
void lower_map_assign(struct lower *L, struct stmt *s);
struct ir_val lower_map_step(struct lower *L, struct expr *e);
struct ir_val lower_map_delete(struct lower *L, struct expr *at, struct map_decl *m,
			       struct expr *key);
struct ir_val lower_map_has(struct lower *L, struct map_decl *m, struct expr *key);
struct map_decl *lower_map_of(struct expr *e, struct expr **ret_key);
/* lower-growth.c: may this row's memory come as its elements do?  After the first. */
void lower_find_growth(const struct checked *c);
bool lower_may_grow(const struct map_decl *m, const struct question_map *row);
void lower_map_update(struct lower *L, const struct map_decl *m, struct mem key, struct mem value,
		      uint64_t flags, struct span span);
bool lower_map_is_array(const struct map_decl *m);
/* An element's address, made (as zeros) if it is missing; jumps to `none` if it cannot be. */
ir_reg lower_map_make(struct lower *L, const struct map_decl *m, struct mem key, uint32_t none,
		      struct span span);
void lower_map_mark(struct lower *L, const struct map_decl *m, ir_reg value);
/* The buckets of a histogram are an array, this many: a power of two.  0: they are elements. */
uint32_t lower_map_slots(const struct lower *L, const struct map_decl *m);

/* --- lower-agg.c */
void lower_agg_assign(struct lower *L, struct map_decl *m, struct expr *key, struct expr *call);
struct ir_val lower_agg_read(struct lower *L, struct expr *map_expr);
/* An aggregation that can be cast to a number, of all cpus, as an element has it. */
void lower_agg_copy(struct lower *L, struct map_decl *m, struct mem key, struct mem to);

/* --- lower-record.c */
struct record {
	struct mem payload;
	uint32_t action, size, done;
	ir_reg base;
	bool is_reserved;
};
/* `room`: bytes behind the payload that are no part of the record. */
void lower_record_begin(struct lower *L, struct record *r, uint32_t action, uint32_t size,
			uint32_t room, bool is_simple);
void lower_record_end(struct lower *L, struct record *r);
/* A whole record: the payload is a tuple of these expressions. */
void lower_record(struct lower *L, struct question_action action, struct expr *const *args,
		  unsigned int n);
/* A record with one number, or none. */
void lower_record_number(struct lower *L, struct question_action action, unsigned int size,
			 struct ir_val v, bool has_value);
void lower_runtime_error(struct lower *L, struct span span, const char *text);
/*
 * If the helper's result says that it failed: a record with -k, else it is counted.  A key
 * that is not in a map is a failure for -k only.
 */
void lower_helper_error(struct lower *L, unsigned int helper, struct ir_val result);

/* pid << 32 | tid of the current thread, as skep's own pid namespace has them. */
struct ir_val lower_pid_tid(struct lower *L);

/* --- lower-call*.c: rows by builtin id */
struct lower_call {
	/* one of these, by what the call's value is */
	struct ir_val (*scalar)(struct lower *L, struct expr *e);
	void (*into)(struct lower *L, struct expr *e, struct mem to, bool clean);
	void (*effect)(struct lower *L, struct expr *e);
};
extern const struct lower_call lower_calls[BUILTINS];
struct expr *call_arg(const struct expr *e, unsigned int i);
const char *call_text(const struct expr *e, unsigned int i); /* a literal's text */
