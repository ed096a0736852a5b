/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The automata of a rule set, laid out for eBPF: one array map with one element, read only.
 *
 * compile/match makes states and sets; here they become bytes that a program walks without
 * multiplications and with one comparison a byte (walk.h).  All offsets count from the map's
 * first byte; the map is row `map` of the question.
 *
 *	classes  256 bytes: class of each byte
 *	rows     a state each: u32 next[n_classes], u32 on, u32 at_end
 *	sets     u64 words[n_words]; the first is empty
 *
 * next[c] is the offset of a row behind `rows`.  RULE_ROW_STOP is set in it if that state is
 * dead (row 0) or sets bits on the way: the rare cases, and what the walk has to look at.
 * on, at_end: offset of a set behind `sets`.
 */
#pragma once

#include "catalog/question.h"
#include "compile/match/match.h"

/* Kernels before 5.12 refuse values of arrays beyond 4 MiB; some is left for empty tables. */
enum { RULE_TABLES_MAX = (4 << 20) - (256 << 10) };
/* Behind the last table: a verifier knows that a class is below 256, not below n_classes. */
enum { RULE_TABLES_SLACK = 2048 };
/* Answers of one table.  A field that has more checks has several tables. */
enum { RULE_TABLE_BITS = 1024 };
#define RULE_ROW_STOP 0x80000000u

enum rule_table_flag {
	RULE_TABLE_BLANKS = 1 << 0, /* a NUL in the text is a blank: arguments */
};

struct rule_table {
	uint32_t n_bits, n_words, n_classes, n_states;
	uint32_t classes, rows, sets; /* where they begin */
	uint32_t rows_size, sets_size;
	uint32_t pitch;		 /* bytes of a row */
	uint32_t start;		 /* row where a walk begins */
	const uint64_t *always;	 /* n_words: bits that every text sets */
	const uint8_t *class_of; /* the 256 classes */
};

struct rule_tables {
	struct question *q;
	uint32_t map;  /* index into question.maps */
	int32_t turns; /* the same: see rule_tables_add_turns(); −1: there is none */
	ARRAY(struct rule_table) tables;
	uint8_t *bytes; /* heap, until rule_tables_finish() */
	size_t n, room;
};

/* Adds the map to the question.  Always to be ended by rule_tables_finish(). */
void rule_tables_init(struct rule_tables *t, struct question *q);
/*
 * For kernels that have bpf_for_each_map_elem() (5.13) and no bpf_loop() (5.17): a map of
 * RULE_TURNS elements, to call back as often.  At most once, before modules are lowered.
 */
void rule_tables_add_turns(struct rule_tables *t);
enum { RULE_TURNS = 1024 };
/*
 * Make one automaton of all patterns of a field.  refused[i] (n of them, zeroed by the caller):
 * this pattern is left out, its check is user space's.  Returns the index of the table.
 */
uint32_t rule_tables_add(struct rule_tables *t, const struct match_pattern *patterns, size_t n,
			 uint32_t n_bits, unsigned int flags, bool *refused);
/* The map gets its size and bytes (in the question's arena).  Returns the bytes of all tables. */
uint64_t rule_tables_finish(struct rule_tables *t);
