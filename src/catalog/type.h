/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bytes mean.
 *
 * One description of types for all that handle values of a question: the checker of a
 * language infers it, the generator lays values out by it, the printer of answers shows
 * them by it, and it is written into a question that is saved.  A type is immutable once
 * it is complete and lives in an arena; two types are the same if type_same() says so,
 * pointers need not be equal.
 *
 * Layout: little choices, all here.  Integers, pointers: their natural alignment.
 * Strings, buffers and other byte blobs: 1.  Tuples and records: members in order, each at
 * its natural alignment, the size rounded up to the largest; all padding is zero, since
 * map keys are compared as bytes.
 */
#pragma once

#include "base/arena.h"

enum type_kind {
	TYPE_NONE, /* not known yet; also the "value" of a call that has none */
	TYPE_VOID,
	TYPE_BOOL,	/* 1 byte, 0 or 1 */
	TYPE_INT,	/* size 1, 2, 4, 8 (16: __int128, never computed with) */
	TYPE_ENUM,	/* an integer with names: `enumerators` */
	TYPE_POINTER,	/* 8 bytes; to `of`, in `space` */
	TYPE_ARRAY,	/* `n` times `of` */
	TYPE_STRING,	/* NUL-terminated text in `size` bytes, its NUL included */
	TYPE_BUFFER,	/* u32 length, then `size` − 4 bytes of room: buf() */
	TYPE_STRUCT,	/* struct or union of the kernel, a program or the script: `members` */
	TYPE_TUPLE,	/* `members` without names */
	TYPE_RECORD,	/* `members` with names */
	TYPE_KSYM,	/* u64: kernel address, shown as its symbol */
	TYPE_USYM,	/* struct value_usym: address in a process, shown as its symbol */
	TYPE_KSTACK,	/* struct value_stack: index of frames kept aside; `stack` says how many */
	TYPE_USTACK,	/* the same, with the process */
	TYPE_INET,	/* struct value_inet: ntop() */
	TYPE_MAC,	/* 6 bytes: macaddr() */
	TYPE_USERNAME,	/* u32 uid (in 8 bytes), shown as the user's name */
	TYPE_TIMESTAMP, /* struct value_time: strftime() */
	TYPE_CGROUP,	/* struct value_cgroup: cgroup_path() */
	TYPE_STRERROR,	/* u32 errno, shown as text: strerror() */
	TYPE_SIGNAL,	/* u32, shown as SIGxxx: signal_name() */
	TYPE_SYSCALL,	/* u32, shown as the system call's name: syscall_name() */
	/* Only as values of maps; merged over the cpus when they are read. */
	TYPE_COUNT,	     /* u64 */
	TYPE_SUM,	     /* s64 or u64 by is_signed */
	TYPE_MIN,	     /* struct value_extreme */
	TYPE_MAX,	     /* struct value_extreme */
	TYPE_AVG,	     /* struct value_avg */
	TYPE_STATS,	     /* struct value_avg */
	TYPE_HIST,	     /* u64 a bucket; the bucket is the last part of the key: `agg.bits` */
	TYPE_LHIST,	     /* the same: `agg.min max step` */
	TYPE_TSERIES,	     /* struct value_tseries; the slot is the last part of the key */
	TYPE_STACK_MODE,     /* the word bpftrace, perf, raw or build_id as an argument */
	TYPE_TIMESTAMP_MODE, /* the word monotonic, boot, tai or sw_tai as an argument */
	TYPE_KINDS
};

/* Where a pointer's target is, which decides how it is read. */
enum type_space {
	SPACE_NONE,   /* not known: by the probe it is used in */
	SPACE_KERNEL, /* probe_read_kernel, or directly where the verifier knows the pointer */
	SPACE_USER,
	SPACE_BPF, /* the program's own: stack, map value, scratch, context */
};

enum stack_mode { STACK_BPFTRACE, STACK_PERF, STACK_RAW, STACK_BUILD_ID };
enum time_mode { TIME_MONOTONIC, TIME_BOOT, TIME_TAI, TIME_SW_TAI };
enum tseries_agg { TSERIES_NONE, TSERIES_AVG, TSERIES_MAX, TSERIES_MIN, TSERIES_SUM };

struct type_member {
	const char *name; /* NULL: of a tuple, or an anonymous struct or union inside */
	const struct type *type;
	uint32_t offset;     /* bytes from the start */
	uint32_t bit_offset; /* bitfields: within the integer at `offset`, little-endian */
	uint32_t bits;	     /* width of a bitfield; 0: it is none */
	/* Tracepoints: at `loc_offset` of the record is a u32, length << 16 | where the data is:
	 * from the start of the record (data_loc), or from behind the u32 (rel_loc).  The type is
	 * an int64: the value is the data's address, which a copy has at `offset`. */
	bool is_data_loc, is_rel_loc;
	uint32_t loc_offset;
};

struct type_enumerator {
	const char *name;
	int64_t value;
};

struct type {
	enum type_kind kind;
	bool is_signed;
	bool is_union;
	bool is_anonymous;	/* struct without a name of its own */
	bool is_tracepoint_ctx; /* `args` of a tracepoint: read as context */
	bool is_internal;	/* array made from an int cast: values, not memory elsewhere */
	bool is_btf;		/* a struct of the kernel's BTF: `btf_id` */
	bool is_sign_flexible;	/* of a literal that is not negative: takes either sign; ignored by
				   type_same() */
	bool is_chars;		/* an array of C: its text may fill it, without a NUL; ignored by
				   type_same() */
	bool is_ctx;		/* points into the context; ignored by type_same() */
	uint8_t space;		/* enum type_space: of a pointer, or where any value was read */
	uint32_t size;		/* bytes */
	uint32_t align;
	uint32_t n;	       /* array: elements */
	uint32_t btf_id;       /* in vmlinux BTF */
	const char *name;      /* "task_struct" (no "struct "), enum's name; NULL */
	const char *spelling;  /* typedef'd name as the source has it, for messages; NULL */
	const struct type *of; /* pointee, element, a map's key for iteration */
	/* Struct members are filled by whoever made the type, maybe on demand: use
	 * type_members() of the language's type table, not these, before lowering. */
	const struct type_member *members;
	uint32_t n_members;
	bool is_complete; /* members are there */
	const struct type_enumerator *enumerators;
	uint32_t n_enumerators;
	union {
		struct {
			uint16_t limit; /* frames */
			uint8_t mode;	/* enum stack_mode */
		} stack;
		struct {
			uint32_t bits;		/* hist: 0..5 */
			int64_t min, max, step; /* lhist */
			uint64_t interval_ns;	/* tseries */
			uint32_t intervals;
			uint8_t agg; /* enum tseries_agg */
		} agg;
		struct {
			uint8_t mode;	 /* enum time_mode; of an integer from nsecs(): plus 1 */
			uint32_t format; /* index into question.formats */
		} time;
	};
};

/* Value blobs, as the kernel side writes them. */
struct value_usym {
	uint64_t address;
	uint32_t pid, tid;
	int32_t probe; /* which probe's binary if the process is gone; −1: unknown */
	uint32_t pad;
};

struct value_stack {
	uint64_t id;	   /* key in the question's map of stacks; 0: none could be taken */
	uint32_t pid, tid; /* user stacks */
	int32_t probe;
	uint32_t n; /* frames kept */
};

struct value_inet {
	int64_t family; /* AF_INET, AF_INET6 */
	uint8_t bytes[16];
};

struct value_time {
	uint64_t ns;	 /* of the clock of type.time.mode */
	uint32_t format; /* index into question.formats */
	uint32_t mode;	 /* enum time_mode */
};

struct value_cgroup {
	uint64_t cgroup_id;
	uint64_t root; /* index into question.strings: which hierarchy; 0: any */
};

struct value_extreme {
	int64_t value;
	uint64_t is_set;
};

struct value_avg {
	int64_t total;
	uint64_t count;
};

struct value_tseries {
	int64_t value;
	uint64_t meta;	/* avg: count; else 1 if set */
	uint64_t epoch; /* which turn of the ring of slots */
};

/* The common ones, never freed. */
extern const struct type type_none, type_void, type_bool;
const struct type *type_int(unsigned int size, bool is_signed); /* size 1, 2, 4, 8 */
const struct type *type_pointer(struct arena *a, const struct type *to, enum type_space space);
const struct type *type_array(struct arena *a, const struct type *of, uint32_t n);
const struct type *type_string(struct arena *a, uint32_t size);
const struct type *type_buffer(struct arena *a, uint32_t room); /* room + 4 bytes */
const struct type *type_stack(struct arena *a, enum type_kind kind, unsigned int limit,
			      enum stack_mode mode);
/* Members' types; offsets are worked out.  `names` NULL: a tuple. */
const struct type *type_tuple(struct arena *a, const struct type *const *types,
			      const char *const *names, unsigned int n);
/* One of the kinds that need nothing else; SUM, MIN, MAX, AVG, STATS: signed. */
const struct type *type_plain(struct arena *a, enum type_kind kind);

bool type_same(const struct type *a, const struct type *b);
static inline bool type_is_int(const struct type *t)
{
	return t->kind == TYPE_INT || t->kind == TYPE_BOOL || t->kind == TYPE_ENUM;
}
/* Fits a register: integers, pointers, symbols that are one number. */
bool type_is_scalar(const struct type *t);
/* Aggregations: values of maps that are merged over the cpus. */
static inline bool type_is_agg(const struct type *t)
{
	return t->kind >= TYPE_COUNT && t->kind <= TYPE_TSERIES;
}
/*
 * As bpftrace writes types in messages and typeinfo: "uint64", "string[16]",
 * "struct task_struct *", "(int64,string[64])", "count_t", "kstack_bpftrace_127".
 */
void type_print(const struct type *t, struct buf *to);
const char *type_text(struct arena *a, const struct type *t); /* the same as a string */
/* The kind alone: "int", "string", "pointer", "c_type", "count_t": typeinfo's base_type. */
const char *type_kind_name(enum type_kind kind);
