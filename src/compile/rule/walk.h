/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IR that walks a text through an automaton (tables.h).
 *
 *	rule_walks_init(&w, …)            once a module
 *	walk_begin(&w, b, table, stage)
 *	walk_text(&w, b, off, len)        pieces of the text, in order: all are one text
 *	walk_byte(&w, b, '/')             a byte between them
 *	unknown = walk_end(&w, b)         number: 1: the text was too long for a walk (or its
 *	                                  place is impossible): all bits may be; else 0
 *	bits = walk_word(&w, b, i)        64 answers; valid until the next walk_begin()
 *
 * Texts lie in the record on the stage: `stage` points to struct wire_stage (the map's value,
 * never NULL), `off` and `len` are a wire_str's numbers, of any value: walks check them.
 * That a text was cut when it was recorded (WIRE_F_CUT) is the caller's to know.
 *
 * Answers and position lie in a frame on the stack, 32 bytes and 8 for each word, one for all
 * walks of a function.  Where the kernel has bpf_loop() texts may be of any length.  Where it
 * only has bpf_for_each_map_elem(), and rule_tables_add_turns() was called, nearly 8 KiB; else
 * the walk is a loop that the verifier follows, up to WALK_PLAIN_MAX bytes.
 */
#pragma once

#include "compile/ir/ir.h"
#include "compile/rule/tables.h"

enum { WALK_PLAIN_MAX = 96 }; /* bytes of a text, where no helper calls back */

/* Slots of a function: of walks, and of walk_same(). */
struct walk_frame {
	uint32_t func, walk, same;
};

struct rule_walks {
	const struct rule_tables *tables; /* all are added already */
	struct ir_module *m;
	bool has_loop;			 /* WORLD_BPF_LOOP */
	uint32_t *steps;		 /* by table: function that walks it; 0: not made yet */
	uint32_t same;			 /* function that compares; 0: not made yet */
	ARRAY(struct walk_frame) frames; /* of functions that walk */
	/* the walk that is under way */
	uint32_t table;
	ir_reg unknown;
};

/* `m` has its entry already. */
void rule_walks_init(struct rule_walks *w, const struct rule_tables *tables, struct ir_module *m,
		     bool has_loop);
void walk_begin(struct rule_walks *w, struct ir_builder *b, uint32_t table, ir_reg stage);
void walk_text(struct rule_walks *w, struct ir_builder *b, struct ir_val off, struct ir_val len);
void walk_byte(struct rule_walks *w, struct ir_builder *b, uint8_t byte);
struct ir_val walk_end(struct rule_walks *w, struct ir_builder *b);
struct ir_val walk_word(struct rule_walks *w, struct ir_builder *b, uint32_t i);

/* Length of a text in `room` bytes (at most 64) at `off` of the stage that ends with NUL: comm. */
struct ir_val walk_comm_length(struct ir_builder *b, ir_reg stage, int32_t off, unsigned int room);
/* 1: both texts of the record are the same bytes; 0: they are not, or it is not known. */
struct ir_val walk_same(struct rule_walks *w, struct ir_builder *b, ir_reg stage,
			struct ir_val off_a, struct ir_val len_a, struct ir_val off_b,
			struct ir_val len_b);
