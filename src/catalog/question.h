/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question: what a compilation makes, what a runtime runs, what answers are read by.
 *
 * The compiler fills it, runtime/ loads its maps and programs and attaches them, event/
 * turns records and maps into answers by its formats and types.  None of the three knows
 * the others.  What it depends on of the machine is in `probes` and `facts`; a question that
 * was saved (--emit) can be run elsewhere.  A new member is also a line of question-save.c.
 */
#pragma once

#include "base/diag/diag.h"
#include "catalog/attach.h"
#include "catalog/type.h"

#include <linux/bpf.h>

/* --- maps */

enum question_map_kind {
	QMAP_NAMED,   /* of the script: @x */
	QMAP_RING,    /* the one ring buffer: records of wire/answer.h */
	QMAP_GLOBALS, /* one element: globals, read-write; initial bytes in `init` */
	QMAP_RODATA,  /* one element, frozen: literals, tables; `init` */
	QMAP_SCRATCH, /* per cpu, an element a program: what is too large for the stack;
			 compile/gen decides its sizes, and makes it if it needs it */
	QMAP_STACKS,  /* value_stack.id → u64 frames[]: user and kernel stacks */
	QMAP_LOST,    /* one element: a u64 for each row of question.losses */
	QMAP_OTHER,   /* helpers of the generated code */
};

/*
 * Making a per-cpu hash takes the kernel milliseconds: it asks for the memory of each element
 * apart.  Where there are few processors a plain hash is made instead, and its value is a row
 * of values, one for each: this far apart, no two words of theirs are in one cache line.  In
 * the same way an array without keys is a plain one, whose address programs know.
 */
enum { QMAP_STRIPE_GAP = 56 };

struct question_map {
	const char *name; /* "@x" for the script's; else a word for messages */
	enum question_map_kind kind;
	uint32_t type;	/* enum bpf_map_type */
	uint32_t flags; /* BPF_F_* */
	/*
	 * RING: max_entries 0: the runtime decides.  NAMED of an array's type (a scalar map):
	 * the last 8 bytes of value_size are a u64, 0 until the script has set the value; the
	 * value proper is at the beginning.
	 */
	uint32_t key_size, value_size, max_entries;
	const struct type *key;	  /* NAMED: NULL: a scalar map (key_size 4, always 0) */
	const struct type *value; /* NAMED; may be an aggregation */
	bool is_per_cpu;
	/*
	 * HASH: whoever adds elements lets interrupts through, so that the kernel can have memory
	 * ready: the runtime may make the table without memory for its elements.
	 */
	bool grows;
	/*
	 * HASH, ARRAY: value_size bytes are this many values; processor c has number c & (n − 1),
	 * each begins behind a gap, `stripe_step` bytes after the one before.  0: one value.  Never
	 * in a question that is saved: other machines have more processors.
	 *
	 * ARRAY of a histogram: a value is a row of buckets (u64), then the word that says whether
	 * it was ever set.
	 */
	uint32_t n_stripes, stripe_step;
	uint32_t bucket_offset; /* HIST, LHIST, TSERIES: where in the key the u64 bucket is */
	const void *init;	/* GLOBALS, RODATA: value_size bytes */
	struct span span;	/* where the script first names it */
};

/* Bytes of one cpu's value, with the u64 of a scalar map that is their end. */
static inline uint32_t question_map_room(const struct question_map *m)
{
	return m->n_stripes ? m->stripe_step - QMAP_STRIPE_GAP : m->value_size;
}

/* --- programs */

enum question_reloc_kind {
	QRELOC_MAP,	  /* ldimm64: the map's descriptor */
	QRELOC_MAP_VALUE, /* ldimm64: address of the map's first value + addend */
	QRELOC_KSYM,	  /* ldimm64: address of a kernel variable, by name (typed, from BTF) */
	QRELOC_KFUNC,	  /* call: a kernel function, by name */
};

struct question_reloc {
	uint32_t insn; /* index of the (first) instruction */
	enum question_reloc_kind kind;
	uint32_t map;	  /* index into question.maps */
	uint32_t addend;  /* MAP_VALUE: bytes */
	const char *name; /* KSYM, KFUNC */
};

/* The line table: instruction `insn` and those after it come from `span`. */
struct question_line {
	uint32_t insn;
	struct span span;
};

/* Functions in `insns`: the first begins at 0 and is the entry. */
struct question_func {
	const char *name;
	uint32_t insn;	   /* its first */
	uint32_t n_params; /* for its BTF type: 1 for the entry */
	bool is_callback;  /* its address is taken: needs BTF */
};

struct question_prog {
	const char *name;	/* [A-Za-z0-9_], at most 15: what bpftool shows */
	uint32_t prog_type;	/* enum bpf_prog_type */
	uint32_t attach_type;	/* enum bpf_attach_type: BPF_TRACE_RAW_TP, BPF_TRACE_FENTRY, … */
	const char *btf_name;	/* TRACING: what it attaches to: "sys_enter" for a tracepoint
				   (typedef btf_trace_sys_enter), a function, "task" for iter */
	const char *btf_module; /* NULL: vmlinux */
	bool is_sleepable;
	const struct bpf_insn *insns;
	uint32_t n_insns;
	const struct question_reloc *relocs;
	uint32_t n_relocs;
	const struct question_line *lines;
	uint32_t n_lines;
	const struct question_func *funcs;
	uint32_t n_funcs;
	struct span span; /* the action block */
};

/* --- where programs are attached: attach.def has the ways, and what each needs of these */

struct question_probe {
	const char *name; /* as builtin `probe` says it: "tracepoint:syscalls:sys_enter_openat" */
	const char *func; /* as builtin `func` says it */
	enum question_attach attach;
	uint32_t prog;	 /* index into question.progs */
	uint64_t cookie; /* where a program serves several probes */
	const char *group, *target, *module, *binary, *pin;
	const char *const *targets; /* MULTI by name */
	const uint64_t *addresses;  /* MULTI by offset; also cookies below */
	const uint64_t *ref_ctrs;
	const uint64_t *cookies;
	uint32_t n_targets;
	uint64_t address, offset, ref_ctr;
	uint32_t perf_type;
	uint64_t perf_config, period;
	bool is_freq;
	uint32_t length, mode, number;
	int32_t pid;	    /* −1: any; perf, uprobe: only this process */
	bool is_optional;   /* wildcard: one of many; a failure is a warning */
	uint32_t counts_as; /* how many of "Attached N probes" it stands for */
	struct span span;
};

/* --- what records mean */

/* What user space does when a record comes.  `args` is its payload's type: a tuple. */
enum question_action_kind {
	QACTION_PRINTF, /* format, args */
	QACTION_ERRORF, /* the same to standard error with place; counts as an error */
	QACTION_WARNF,
	QACTION_FAIL, /* fail() and assert(): errorf and, in test mode, the test has failed */
	QACTION_DEBUGF,
	QACTION_SYSTEM,	       /* a shell command: format, args */
	QACTION_CAT,	       /* a file's content: format, args */
	QACTION_JOIN,	       /* args: (string array as bytes); delimiter in `text` */
	QACTION_TIME,	       /* time(): `text` is strftime's format; args: () */
	QACTION_PRINT,	       /* one value: args: (value) */
	QACTION_PRINT_MAP,     /* map `map`; args: (top u32, div u32) */
	QACTION_PRINT_MAP_KEY, /* one element @m[k]: args: (key, value) */
	QACTION_CLEAR,	       /* map */
	QACTION_ZERO,	       /* map */
	QACTION_EXIT,	       /* args: (code u8) */
	QACTION_SKBOUTPUT,     /* `text`: file; args: (…): time, then bytes */
	QACTION_UNWATCH,       /* args: (address u64) */
	QACTION_HELPER_ERROR,  /* args: (s32 −errno); `text`: helper; span */
	QACTION_RUNTIME_ERROR, /* args: (value u64); `text`: message: division by 0, … */
};

struct question_action {
	enum question_action_kind kind;
	const char *format;	 /* PRINTF…: as checked; escapes are resolved */
	const struct type *args; /* tuple: layout of the payload */
	uint32_t map;		 /* PRINT_MAP, CLEAR, ZERO: index into question.maps */
	const char *text;
	struct span span;
};

/* What is counted where it happens, without a record: one row a cause and place. */
enum question_loss_kind {
	QLOSS_RING,   /* row 0: a record found no room */
	QLOSS_MAP,    /* an update failed: the map is full */
	QLOSS_STACK,  /* no room for a stack's frames */
	QLOSS_STRING, /* text was cut at its room */
	QLOSS_READ,   /* a read of memory failed and gave 0 */
};

struct question_loss {
	enum question_loss_kind kind;
	const char *what; /* "@x", "str()", … */
	struct span span;
};

/* --- what the programs take for granted of the kernel they were compiled for */

enum question_fact_kind {
	QFACT_MEMBER, /* `type`: a struct's name ("task_struct"), `path`: "se.vruntime"; value:
			 where the last name of the path is in what it is a member of */
	QFACT_FIELD,  /* `type`: tracepoint "group:event", `path`: field; value: offset */
	QFACT_KSYM,   /* `type`: a symbol of the kernel; value: its address */
	QFACT_CPUS,   /* value: how many there may be */
	/* What cannot be put right later, only compared: */
	QFACT_SIZE,   /* `type`: a struct's name; value: its bytes */
	QFACT_LAYOUT, /* `type`: a struct's or enum's name; value: a hash of what is in it */
	QFACT_PROTO,  /* `type`: function or tracepoint a program is bound to; `path`: its
			 parameters as text */
	QFACT_ENUM,   /* `type`: an enumerator */
	QFACT_BINARY, /* `type`: a program or library that is probed; `path`: its build id */
	QFACT_KERNEL, /* the kernel's types as a whole; value: a hash of them */
};

struct question_fact {
	enum question_fact_kind kind;
	const char *type, *path;
	uint64_t value;
	uint32_t size, bits, bit_offset; /* MEMBER, FIELD: of the value there */
	bool is_movable;		 /* where it differs, fixes put the programs right */
	struct span span;		 /* where the script relies on it */
};

/* A number in an instruction that follows a fact: it changes by factor × what that does. */
struct question_fix {
	uint32_t prog, insn, fact;
	int32_t factor;
	enum { QFIX_IMM, QFIX_OFF, QFIX_WIDE } where;
};

/* --- the rest */

struct question_config {
	uint64_t max_map_keys, max_strlen, max_cat_bytes, max_probes, max_bpf_progs, log_size;
	uint64_t perf_rb_pages, on_stack_limit;
	const char *license, *str_trunc_trailer;
	const char *dummy_ts_map; /* for tests: the scalar map that is tseries()'s clock; NULL */
	enum stack_mode stack_mode;
	enum { MISSING_ERROR, MISSING_WARN, MISSING_IGNORE } missing_probes;
	enum { SYMBOLS_PER_PID, SYMBOLS_PER_PROGRAM, SYMBOLS_NONE } cache_user_symbols;
	bool cpp_demangle, lazy_symbolication, print_maps_on_exit, show_debug_info;
	bool has_symbols_choice; /* cache_user_symbols was set */
};

struct question {
	struct arena arena; /* owns all below */
	struct diags diags; /* sources, for places of later messages; arena is the same */
	ARRAY(struct question_map) maps;
	ARRAY(struct question_prog) progs;
	ARRAY(struct question_probe) probes;   /* in the order in which they are attached */
	ARRAY(struct question_action) actions; /* a record names its row */
	ARRAY(struct question_loss) losses;
	ARRAY(const char *) formats;	   /* strftime()'s */
	ARRAY(const char *) strings;	   /* what programs name by number; 0 is "" */
	ARRAY(struct question_fact) facts; /* each once */
	ARRAY(struct question_fix) fixes;  /* --emit makes them (agent/emit.c) */
	struct question_config config;
	uint32_t n_scratch;	/* programs that have an element of the scratch map: compile/gen */
	bool wants_child;	/* `cpid` is used: -c must be given */
	bool has_program_types; /* it reads types of a program's debug information */
	bool is_unsafe;		/* some action needs --unsafe */
	int32_t globals, rodata, ring, scratch, stacks, lost; /* indices of maps; −1: none */
	/* where the runtime writes facts into the globals before it starts; −1: not used */
	int32_t global_cpid, global_start_ns /* u64: CLOCK_BOOTTIME at the start */, global_ncpus,
		global_epoch_ns /* realtime − boottime */, global_stop;
};

void question_init(struct question *q);
void question_done(struct question *q);
/* Note a fact, if it is not noted yet; the strings are copied.  Returns its index. */
uint32_t question_fact_add(struct question *q, const struct question_fact *fact);
