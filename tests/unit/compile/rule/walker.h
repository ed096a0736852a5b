/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that walks two texts of a stage through tables, and where it runs: in the IR's
 * interpreter, in the embedded runtime's engines, in the kernel by test-run.
 *
 * The record begins with a wire_str for each text, and a name of 16 bytes.  The program treats
 * A '/' B as one text, compares A with B, and measures the name; what it finds is in the globals.
 */
#pragma once

#include "catalog/wire/rule.h"
#include "compile/gen/kernel.h"
#include "compile/rule/walk.h"
#include "runtime/vm/run.h"

enum walker_place { WALKER_IR, WALKER_INTERP, WALKER_JIT, WALKER_KERNEL, WALKER_PLACES };
enum { WALKER_OUT = 256, WALKER_STAGE = 0, WALKER_GLOBALS = 1, WALKER_TEXTS = 32 };

struct walker_record {
	struct wire_str a, b;
	char name[16];
};

struct walker_found {
	uint64_t same, length;	       /* of the name */
	uint64_t rest[WALKER_OUT - 2]; /* a table after the other: unknown, words */
};

struct walker {
	struct question q;
	struct rule_tables tables;
	struct ir_module m;
	int level;     /* of optimization */
	bool has_loop; /* bpf_loop() */
	bool has_each; /* bpf_for_each_map_elem(), then */
	bool only_a;   /* one text */
	uint32_t prog_type;
	struct wire_stage *stage; /* to be filled */
	const char *error;
	/* private */
	struct kernel kernel;
	bool is_loaded;
	struct vm_object object;
	struct vm_map *maps[5];
	struct vm_code *codes[2];
	struct verify_result verified;
};

/* Then rule_tables_add() to w->tables, then walker_make(). */
void walker_init(struct walker *w);
void walker_done(struct walker *w);
/* Tables are in; false: `error`. */
bool walker_make(struct walker *w);
/* Ready for a place.  0, -ENOTSUP (there is none), or -errno and `error`. */
int walker_load(struct walker *w, enum walker_place place);
bool walker_run(struct walker *w, enum walker_place place, struct walker_found *ret);
/* Where a table's answers begin in `rest`. */
uint32_t walker_at(const struct walker *w, uint32_t table);
/* ns of a run, the best of several rounds; the kernel: of a SOCKET_FILTER. */
double walker_kernel_ns(struct walker *w, uint32_t n);
double walker_jit_ns(struct walker *w, uint32_t n);
/* Behind walker_load(): what the kernel's verifier takes. */
int walker_kernel_verify(struct walker *w, double *ret_ms, unsigned int *ret_insns);
