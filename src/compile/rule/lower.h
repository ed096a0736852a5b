/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the pushdown share.
 *
 * For each kind of record, each rule's condition is brought into a form without `not` above
 * its leaves (cond.c).  A leaf is a check, plain or negated, and compiled for what it *may*
 * be: a plain one holds if the check may be true, a negated one if it need not be true.  What
 * is above them is only `and` and `or`, so that a condition which holds is let through.
 *
 * How a leaf is decided depends on the kind of record (plan.c): fields mean other things in
 * other events, or nothing.  Most are bits of a *group*, 64-bit words that are worked out
 * together: the answers of one automaton over one text, the bits of the process, of each
 * ancestor, of the cgroup.  A group has its words twice, in this run's scratch: what may be,
 * what must be.
 *
 * A decider works in passes, a pass a group, the cheap ones first (lower.c).
 */
#pragma once

#include "compile/ir/ir.h"
#include "compile/rule/rule.h"
#include "compile/rule/tables.h"
#include "compile/rule/walk.h"

/* Groups by the order in which they are worked out: texts of the event are those below. */
enum pass {
	PASS_TEXTS = 59, /* [0, 59): texts[i] */

	PASS_SOCKET = 60,  /* sides of a connection */
	PASS_PROCESS = 61, /* bits of the process */
	PASS_CGROUP = 62,
	PASS_ANCESTORS = 63,
};

/* --- numbers */

/* How a number is worked out. */
enum number_how {
	NUMBER_NONE,	      /* there is no such value */
	NUMBER_UNKNOWN,	      /* not in the kernel */
	NUMBER_CONST,	      /* `value` */
	NUMBER_LOAD,	      /* `size` bytes at `off` of the stage, shifted, masked */
	NUMBER_CLAMP,	      /* the same; below 0 it is -1 */
	NUMBER_CALL,	      /* the call's, see number.h */
	NUMBER_SAME,	      /* are the u32 at off and off2 the same? */
	NUMBER_MORE,	      /* is the u32 at off more than the u16 at off2? */
	NUMBER_HALVES,	      /* u32 at off, and above it u32 at off2 */
	NUMBER_MAKES_PROGRAM, /* an open that makes a file which may be executed? */
	NUMBER_MAKES_FILE,    /* an open that made a file? */
	NUMBER_L4PROTO,	      /* protocol; 1 << 16 a raw socket of another, 1 << 17 none */
};

/* A number of the record: where it stands. */
struct number {
	enum number_how how;
	int64_t value;
	uint32_t off, off2;
	uint8_t size; /* bytes */
	bool is_signed;
	uint8_t shift;
	uint64_t mask; /* 0: all */
	/* u32 of the stage: there is a value only if a bit of has_mask is set; 0: always */
	uint32_t has_off, has_mask;
	bool is_unknown_without; /* without that bit nobody knows here */
	bool has_no_value;	 /* 0 is none */
	const char *why;	 /* UNKNOWN */
};

enum test_kind {
	TEST_ALWAYS, /* there is a value */
	TEST_SIGNED, /* lo <= v <= hi */
	TEST_UNSIGNED,
	TEST_MASK, /* (v & mask) == value */
};
struct test {
	enum test_kind kind;
	int64_t lo, hi; /* MASK: value, mask */
};

/* True if one of the tests is; is_exact: else it is false, otherwise it may still be. */
struct tests {
	struct number number;
	ARRAY(struct test) list;
	bool is_exact;
	bool is_negated; /* there is a value, and no test is true */
	bool may_lack;	 /* whether there is a value is not known */
	/* is_partial: false where one of `list` is, true where one of `known` is, else unknown */
	bool is_partial;
	ARRAY(struct test) known;
};

/* --- leaves */

enum leaf_how {
	LEAF_FALSE,
	LEAF_TRUE,
	LEAF_UNKNOWN,
	LEAF_NUMBER,
	LEAF_ADDRESS,  /* nets, or tests of a port */
	LEAF_TEXT,     /* texts[index], bit */
	LEAF_PROCESS,  /* bit */
	LEAF_ANCESTOR, /* bit; index: 1 the parent …; 0: any */
	LEAF_CGROUP,   /* bit */
};

struct leaf {
	enum leaf_how how;
	uint32_t index, bit;
	uint64_t needs; /* groups */
	uint32_t cost;	/* about, in instructions */
	const char *why;
	const struct tests *tests;
	const struct addresses *addresses;
};

/* Addresses as two words of memory; a side's are compared under the mask. */
struct net {
	uint64_t value[2], mask[2];
};

/* Ends of a connection, as struct sides has them in scratch. */
enum side { SIDE_OURS, SIDE_THEIRS, SIDE_CLIENT, SIDE_SERVER, SIDES };
enum { SIDES_ADDRESSED = 1, SIDES_PEER = 2, SIDES_SERVER = 4 };

struct addresses {
	enum side sides[2];
	uint32_t has[2]; /* SIDES_: there is such a side */
	unsigned int n_sides;
	bool is_port;
	ARRAY(struct net) nets;
	ARRAY(struct test) ports;
	bool is_negated; /* !=: there is a value, and none of them */
	bool is_exact;
	bool is_any; /* exists */
};

/* --- conditions */

enum cond_kind { COND_FALSE, COND_TRUE, COND_LEAF, COND_AND, COND_OR };

struct cond {
	enum cond_kind kind;
	uint32_t check; /* LEAF */
	bool is_negated;
	uint32_t id; /* equal conditions of a kind of record are one */
	uint64_t needs;
	uint32_t cost;
	ARRAY(struct cond *) args;
};

/* --- texts */

/* All checks of one field, as one automaton. */
struct text {
	struct rule_field_ref field;
	ARRAY(struct match_pattern) patterns;
	ARRAY(uint32_t) checks; /* bit → check */
	uint64_t *inverted;	/* n_words: bits of != */
	uint64_t *unsure;	/* n_words: bits that may be, and need not be */
	bool *is_refused;	/* by bit: the automaton has no room for it */
	uint32_t n_words;
	uint32_t table;
	uint32_t base;	    /* of a process: its first word in wire_proc_bits */
	unsigned int flags; /* enum rule_table_flag */
	bool is_process;
};

/* Bits of a process that are no texts: numbers, known at its exec. */
struct proc_number {
	uint32_t check, bit;
	const struct tests *tests;
};

/* A rule, for one kind of record. */
struct kind_rule {
	const struct rule *rule;
	struct cond *cond;
};

struct rule_kind {
	unsigned int kind;
	uint64_t kinds; /* this one, and others whose decider would be the same */
	ARRAY(struct kind_rule) rules;
	struct leaf **leaves; /* by check; NULL: not seen in this kind */
	size_t n_leaves;
	struct cond **conds; /* interned, by hash */
	size_t n_conds, room_conds;
	uint64_t groups; /* that some rule needs */
};

/* One compilation. */
struct pushdown {
	struct question *q;
	struct ruleset *rs;
	const struct rule_options *o;
	struct rule_plan *plan;
	struct arena *arena;	       /* the rule set's */
	ARRAY(struct text) texts;      /* of events */
	ARRAY(struct text) proc_texts; /* of processes */
	ARRAY(struct proc_number) proc_numbers;
	uint32_t proc_words; /* of wire_proc_bits that are used */
	struct rule_kind *kinds[64];
	struct rule_tables tables;
	int32_t map_stage, map_send;
	ARRAY(struct ir_module *) modules;
	const char **kind_names;
	bool is_full; /* the bits of processes are all given away */
};

/* --- plan.c */

/* Every rule for every kind: conditions, groups, bits; then the places of all checks. */
void plan_rules(struct pushdown *x);
const struct leaf *plan_leaf(struct pushdown *x, struct rule_kind *k, uint32_t check);

/* --- cond.c */

bool cond_is_same(const struct cond *a, const struct cond *b); /* of two kinds of record */
struct cond *cond_make(struct pushdown *x, struct rule_kind *k, const struct rule_expr *e,
		       bool is_negated);

/* --- pattern.c */

/*
 * The patterns of a text check, all with this bit.  False: it has none, *ret_why says why.
 * is_inverted: the check is true where there is a value and the bit is not set.
 */
bool pattern_make(struct arena *a, const struct rule_check *c, uint32_t bit,
		  struct match_pattern **ret, size_t *ret_n, bool *ret_inverted,
		  const char **ret_why);
/* "oneof": true for exactly one of several: more than the patterns tell. */
bool pattern_is_unsure(const struct rule_check *c);
/* One text against a check, for texts that are known when compiling.  −1: not known. */
int pattern_match(struct arena *a, const struct rule_check *c, struct str text);

/* --- source.c */

/* A string of the stage: where its wire_str stands. */
struct text_str {
	uint32_t at; /* of the wire_str in struct wire_stage; 0: none */
};
/* Where a text field's value comes from, in records of one kind. */
struct text_source {
	struct text_str given;
	struct text_str resolved, raw; /* a file's name: either may be what the rule is about */
	struct text_str instead;       /* where `given` is empty */
	bool needs_bytes;	       /* an empty one is none */
	enum { SOURCE_WHOLE, SOURCE_FOLDER, SOURCE_LAST } part; /* of a path */
	bool is_partial; /* in some records there is no such value */
	bool is_missing; /* in none there is */
	const char *why; /* not NULL: it is not for the kernel */
};
void source_find(const struct rule_field_ref *f, unsigned int kind, struct text_source *ret);

/* --- number.c, number-field.c */

/* The numbers for which a check is true, on records of this kind; NULL: *ret_leaf says. */
const struct tests *number_tests(struct pushdown *x, unsigned int kind, const struct rule_check *c,
				 enum leaf_how *ret_how, const char **ret_why);

/* address.c */
const struct addresses *addresses_make(struct pushdown *x, unsigned int kind,
				       const struct rule_check *c, const char **ret_why);

/* --- lower.c and its parts */

/* A module that is made: the decider of one kind. */
struct lower {
	struct pushdown *x;
	struct rule_kind *k;
	struct ir_module *m;
	struct ir_builder b;
	struct rule_walks walks;
	ir_reg ctx, stage;
	uint32_t next_scratch;
	/* where in scratch the words of each group are; UINT32_MAX: it has none */
	uint32_t text_may[PASS_TEXTS], text_must[PASS_TEXTS];
	uint32_t sides;	     /* a word of SIDES_; then each side: two words of address, port */
	uint32_t proc_value; /* struct wire_proc_bits; process_may are its bits */
	uint32_t process_may, process_must;
	uint32_t key_slot; /* 4 bytes on the stack */
	uint32_t cgroup_may, cgroup_must;
	uint32_t any_may, any_must; /* of any ancestor */
	uint32_t any_open;	    /* a word: -1 as long as all so far are known */
	uint32_t ancestor_may[ANCESTORS_MAX + 1], ancestor_must[ANCESTORS_MAX + 1];
	/* bit w: word w is asked for by this kind */
	uint32_t process_words, any_words, cgroup_words, ancestor_words[ANCESTORS_MAX + 1];
	uint32_t last_slash, slash_slot; /* function; 0: not made; its frame */
	uint32_t spare;			 /* a word of scratch */
	uint32_t text_words[PASS_TEXTS];
};

struct ir_module *lower_kind(struct pushdown *x, struct rule_kind *k);
/* Go to `yes` if the leaf may hold, else to `no`. */
void lower_leaf(struct lower *l, const struct cond *c, uint32_t yes, uint32_t no);
void lower_tests(struct lower *l, const struct tests *t, bool is_negated, uint32_t yes,
		 uint32_t no);
void lower_address(struct lower *l, const struct addresses *a, bool is_negated, uint32_t yes,
		   uint32_t no);
/* To `yes` if one of the tests is true of `v`, else to `no`. */
void lower_any(struct lower *l, struct ir_val v, const struct test *t, size_t n, uint32_t yes,
	       uint32_t no);
/* Scratch for the words of all groups, and which words those are. */
void lower_groups(struct lower *l);
/* A word of scratch. */
struct ir_val lower_word(struct lower *l, uint32_t off);
void lower_put_word(struct lower *l, uint32_t off, struct ir_val v);
struct ir_val lower_stage_load(struct lower *l, size_t off, unsigned int size, bool sign);
void lower_stage_store(struct lower *l, size_t off, unsigned int size, struct ir_val v);

bool proc_number_tests(struct pushdown *x, const struct rule_check *c, const struct tests **ret,
		       const char **ret_why);

/* Work out a group. */
void lower_text(struct lower *l, uint32_t text);
void lower_sides(struct lower *l);
void lower_process(struct lower *l);
void lower_cgroup(struct lower *l);
void lower_ancestors(struct lower *l);
/* EV_EXEC: the bits of the process that begins, into "procs" and into scratch. */
void lower_exec(struct lower *l);

#define ANNEX(member) (offsetof(struct wire_stage, annex) + offsetof(struct wire_annex, member))
