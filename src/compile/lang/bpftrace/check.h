/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: every expression gets one, or a diagnostic says why not.
 *
 * Types of variables and maps are inferred over the whole program: rules between
 * expressions are run until nothing changes (as bpftrace's own docs/type_resolution.md
 * describes it), then casts are inserted.  Before that, attach points are resolved
 * (attach.h): `args` has a type per point.
 *
 * What lower.c finds afterwards, beside the types:
 *  - names are resolved: builtins and functions are EXPR_CALL with `builtin` set, with or
 *    without parentheses in the source; arg3 is BUILTIN_ARG with `number` 3; enumerators
 *    are EXPR_INT; calls of `fn`s have `builtin` NULL.
 *  - words as arguments are gone: nsecs(boot) has an EXPR_INT, enum time_mode; pid(init) an
 *    EXPR_INT, 1 for init and 0 for curr_ns; a stack's mode and limit are in its type.
 *  - sizeof, offsetof, typeof, typeinfo, comptime are gone, and so are probetype, config,
 *    is_str() and its like, container_of(), ppid, pcomm, leader_tid, leader_comm, and
 *    `probe` where there is one point.
 *  - compound assignments are written out: @x += 1 is @x = @x + 1, `has_op` is false;
 *    delete(@x[k]) is delete(@x, k); @x = { a; count() } is { a; @x = count() }.
 *  - an aggregation is the whole value of a STMT_ASSIGN_MAP: an EXPR_CALL whose `map` is set;
 *    its buckets are in the map's value type (`agg`).
 *  - conversions are explicit: an EXPR_CAST without `ref` wherever a value of one type is
 *    used as another: between integers, string[n] to string[m], tuple to tuple and record to
 *    record member by member (records by name), an aggregation that is read as a number
 *    (EXPR_CAST around EXPR_MAP or EXPR_MAP_ACCESS), and what is shown as text
 *    (TYPE_STRERROR …) to a string.  A literal takes the wanted type instead.  Casts of the
 *    script keep their `ref`; `type` says the same.
 *  - both sides of an EXPR_BINARY have one type, but for && and ||, strings (of any two
 *    sizes), pointer + integer, and pointers compared with integers.
 *  - EXPR_FIELD on a pointer reads through it (no EXPR_UNARY DEREF in between, but for
 *    pointers to pointers, which have one a level); `member` and `member_offset` are set; so
 *    is EXPR_INDEX on a pointer.
 *  - `space` of any type, not only of a pointer, says where the value was read or where an
 *    integer points if it is used as an address; SPACE_NONE: nobody knows.
 *  - STMT_IF conditions and predicates are integers, pointers or bool, "not 0" is true.
 *  - maps have key and value types; @m[a, b] has a tuple as its key; a scalar map is an
 *    EXPR_MAP with `is_whole` false; the map as such (print(@m)) has `is_whole`; what is
 *    assigned to has `is_target`.
 *  - a variable that a for loop's body shares with the outside is `is_captured`.
 *  - exit() ends the action as return does; code behind either is still there.
 */
#pragma once

#include "catalog/question.h"
#include "compile/lang/bpftrace/ast.h"
#include "compile/world.h"

struct variable {
	const char *name; /* "$x" */
	struct span span; /* where it is declared */
	const struct type *type;
	bool is_declared; /* by let, with a type */
	bool is_captured; /* used in a loop's body that becomes a function of its own */
	bool is_address_taken;
	bool is_loop; /* of a for loop: fresh each turn */
	void *note;   /* lower's */
};

/* Rows of catalog/builtins.def: what can be called. */
enum builtin_id {
#define BUILTIN(id, name, min, max, flags, help) BUILTIN_##id,
#include "catalog/builtins.def"
#undef BUILTIN
	BUILTINS
};

enum builtin_flag {
	BUILTIN_UNSAFE = 1 << 0,   /* needs --unsafe */
	BUILTIN_MAP_ARG = 1 << 1,  /* the first argument is a map as such */
	BUILTIN_AGG = 1 << 2,	   /* only as the value assigned to a map: count(), hist() */
	BUILTIN_FORMAT = 1 << 3,   /* printf's way: a format and its values */
	BUILTIN_VARIABLE = 1 << 4, /* usual without parentheses: pid, comm */
	BUILTIN_VOID = 1 << 5,	   /* has no value */
	BUILTIN_PURE = 1 << 6,	   /* discarding its value is worth a warning */
};

struct builtin {
	enum builtin_id id;
	const char *name;
	unsigned int min, max; /* arguments */
	unsigned int flags;
	const char *help;
};
const struct builtin *builtin_find(const char *name);

struct map_decl {
	const char *name; /* "@x" */
	struct span span;
	const struct type *key; /* NULL: a scalar map */
	const struct type *value;
	enum { MAPKIND_AUTO, MAPKIND_HASH, MAPKIND_LRU, MAPKIND_PERCPU, MAPKIND_PERCPU_LRU } kind;
	uint64_t max_entries; /* 0: config's */
	uint32_t index;	      /* in question.maps: set by lower */
	bool is_used, is_read, is_iterated;
	/* how often actions name it that may hold up interrupts; in loops: UINT32_MAX; by lower */
	uint32_t uses_without_irqs;
};

/*
 * One attach point that was resolved, and the program made for it.  Points of an action
 * that cannot be told apart by its code share one (wildcards: `targets`).
 */
struct resolved {
	struct resolved *next;
	struct attach_point *point;
	const struct hook *hook; /* row of hooks.def (catalog/hooks.h) */
	const char *name;	 /* full name: "tracepoint:sched:sched_switch" */
	const char *func;
	const char *group, *event, *module, *function, *binary, *usdt;
	uint64_t offset, address;
	const struct type *args; /* struct type of `args`; NULL: there is none */
	const struct type *retval;
	const struct world_symbol *symbol;
	const struct world_usdt *usdt_arg;
	uint64_t period;
	bool is_freq;
	const char *unit;
	uint32_t perf_type;    /* PERF_TYPE_SOFTWARE, PERF_TYPE_HARDWARE */
	uint64_t perf_config;  /* PERF_COUNT_*; its period is in `period` */
	uint32_t length, mode; /* watchpoint: bytes, HW_BREAKPOINT_* */
	int number;	       /* self: the signal */
	const char *pin;       /* iter */
	bool is_optional;      /* one of a wildcard's: a failure to attach is a warning */
	bool is_uncounted; /* another place of the probe before it: one in "Attached N probes" */
	bool is_address;   /* a place by number: `address` (`binary`: by virtual address, with
			      `offset` the place in the file) */
};

/* An action block as it is compiled: typed for one set of points that agree. */
struct checked_probe {
	struct probe *probe;	 /* its own copy of the tree */
	struct resolved *points; /* at least one */
	unsigned int n_points;
};

struct checked {
	struct program *program;
	ARRAY(struct checked_probe) probes;
	ARRAY(struct map_decl *) maps; /* in order of first use */
};

struct check_options {
	struct world *world;
	int pid;		/* −p; −1 */
	bool has_child;		/* −c */
	bool is_safe;		/* --unsafe was not given */
	bool is_test, is_bench; /* --test, --bench: else such probes are ignored */
	bool want_lists;	/* -l: resolve wildcards, nothing else */
	const char *debuginfo;	/* folders where debug files are, with a colon between; NULL */
	bool helper_errors;	/* -k: a record for each read that fails */
	bool counts_losses;	/* count reads that fail and strings that are cut, by place */
	bool has_cgroup;  /* only tasks of one cgroup: the map of it is the runtime's to fill */
	bool wants_facts; /* note what is taken from the kernel's types: question.facts */
	bool is_portable; /* made here, run elsewhere: the number of processors is not known */
	bool is_offline;  /* skep check: what this kernel cannot attach is no mistake */
};

/* False: an error was recorded. */
bool check_program(struct question *q, struct program *p, const struct check_options *o,
		   struct checked *ret);
