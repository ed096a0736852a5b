/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program and its maps, as the embedded runtime takes them.
 *
 * They come from two places: object.c reads ELF files of compilers, query.c takes over what
 * our own compiler made (catalog/question.h).  Both resolve every reference first, so that
 * behind this header nobody knows of relocations:
 *
 *   ldimm64 MAP_IDX	imm: index into object.maps
 *   ldimm64 MAP_IDX_VALUE	the same, and in the second slot the offset into its first value
 *   ldimm64 FUNC		imm: instructions from the next one to the function
 *   ldimm64 VAR		imm: index into object.vars: a kernel variable, or a kfunc that is
 *				asked for ("is it there?"); the value of a missing one is 0
 *   call LOCAL		imm: instructions from the next one to the function
 *   call KFUNC		imm: index into object.kfuncs
 *
 * A program is its entry function at instruction 0 with all functions behind it that it
 * calls, directly or not.
 */
#pragma once

#include "base/diag/diag.h"
#include "catalog/question.h"
#include "isa/btf.h"
#include "isa/insn.h"

/*
 * What is managed for programs inside a value: locks, timers, kernel pointers, heads of lists.
 * Updates leave these bytes alone.  map/field.h finds them by the value's type.
 */
enum vm_field_kind {
	FIELD_SPIN_LOCK,
	FIELD_RES_SPIN_LOCK,
	FIELD_TIMER,
	FIELD_WORKQUEUE,
	FIELD_TASK_WORK,
	FIELD_KPTR, /* trusted or not, of kernel objects or of the program's own */
	FIELD_KPTR_UNTRUSTED,
	FIELD_KPTR_PERCPU,
	FIELD_LIST_HEAD,
	FIELD_LIST_NODE,
	FIELD_RB_ROOT,
	FIELD_RB_NODE,
	FIELD_REFCOUNT,
	FIELD_COUNT
};
struct vm_field {
	enum vm_field_kind kind;
	uint32_t offset, size;
	/* KPTR*: the type it points to; LIST_HEAD, RB_ROOT: the type of what it holds, and where
	 * in that the node is; ids in object.btf, 0: unknown */
	uint32_t type, node;
};

/* As BPF_MAP_CREATE takes it. */
struct vm_map_def {
	const char *name;
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries, flags;
	uint64_t extra;			/* bloom filter: hash functions; arena: its address */
	uint32_t key_type, value_type;	/* ids in object.btf; 0: not known */
	const struct vm_map_def *inner; /* ARRAY_OF_MAPS, HASH_OF_MAPS: what its maps are like */
	const void *init;		/* first value's bytes (.data, .rodata); NULL: zeros */
	uint32_t init_size;		/* arena: so many bytes of `init` are its beginning */
	bool is_frozen;	  /* .rodata: programs know its content when they are verified */
	struct span span; /* where it is declared; file 0, end 0: unknown */
	/* prog array, array of maps: what the object puts into its slots; index or UINT32_MAX */
	const uint32_t *values;
	uint32_t n_values;
	const struct vm_field *fields; /* of its values, by offset */
	uint32_t n_fields;
};

struct vm_func {
	const char *name;
	uint32_t insn;	   /* its first */
	uint32_t btf;	   /* id of its FUNC in object.btf; 0: unknown */
	bool is_global;	   /* not static: verified by itself, by the types of its parameters */
	bool is_callback;  /* its address is taken */
	bool is_exception; /* handles exceptions of the entry */
};

/* An extern of a program: a function of the kernel's, or a variable. */
struct vm_extern {
	const char *name; /* "bpf_iter_num_new" */
	uint32_t btf;	  /* id of its FUNC or VAR in object.btf */
	uint32_t kernel;  /* the same in the kernel's types; 0: has none, or they are not known */
	bool is_weak;	  /* may be missing: then 0 */
};

/*
 * An instruction that asked for what the kernel's types have not (CO-RE): it is a call of helper
 * number 0xbad2310 now, which there is not.
 */
struct vm_missing {
	uint32_t insn;
	const char *what; /* "the kernel's struct task_struct has no …" */
};

struct vm_prog {
	const char *name;
	const char *section; /* "xdp", "tracepoint/syscalls/sys_enter_openat"; "" from a question */
	uint32_t prog_type;  /* enum bpf_prog_type */
	uint32_t attach_type;
	const char *target; /* what it attaches to: a tracepoint, a function; NULL */
	bool is_sleepable;
	bool is_unknown; /* the section's name is none that is known: prog_type is a guess */
	struct bpf_insn *insns;
	uint32_t n_insns;
	const struct question_line *lines;
	uint32_t n_lines;
	const struct vm_func *funcs; /* by insn; the first is the entry */
	uint32_t n_funcs;
	const struct vm_missing *missing;
	uint32_t n_missing;
	uint32_t flags; /* BPF_F_SLEEPABLE, BPF_F_ANY_ALIGNMENT, BPF_F_TEST_STATE_FREQ … */
	/*
	 * What is in the ctx of a program that no hook has (BPF_PROG_TYPE_UNSPEC, `skep vm run
	 * --mem`): r1 is memory of this many bytes, r2 their number.
	 */
	uint32_t mem_size;
};

/* What was in one file, or one question. */
struct vm_object {
	struct arena arena;  /* owns all below */
	struct diags *diags; /* borrowed: sources of the spans, and what was wrong */
	const char *license; /* "" if it says none */
	ARRAY(struct vm_map_def) maps;
	ARRAY(struct vm_prog) progs;
	ARRAY(struct vm_extern) kfuncs, vars;
	struct btf_view btf; /* of the object; types 0: has none */
	bool has_btf;
	/* what bpf_obj_new() makes: types and memory of map/owned.c; owned_done() frees it */
	struct owned_type *owned;
	uint32_t owned_lock;
};
