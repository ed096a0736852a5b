/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions from anywhere.  As text: the assembler reads it, and reads again what is printed
 * of that.  As bytes: what has the structure of a program becomes slots whose every jump and row
 * is one, and its text reads as the same bytes.
 */
#include "isa/asm.h"
#include "isa/disasm.h"
#include "runtime/vm/run.h"

#include <stdlib.h>

enum { INSNS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool x)
{
	if (!x)
		abort();
}

/* Text of instructions reads as them, but for what has no text of its own. */
static void round_trip(const struct bpf_insn *p, size_t n)
{
	_cleanup_buf_ struct buf text = {0};
	struct arena arena = {0};
	struct diags d = {.arena = &arena};
	struct asm_program again;

	disasm(p, n, NULL, &text);
	must(asm_parse(&d, diag_source(&d, "again", buf_str(&text)), NULL, &arena, &again));
	must(again.n == n && (!n || !memcmp(again.insns, p, n * sizeof(*p))));
	arena_done(&arena);
}

static void read_text(const char *text, size_t n)
{
	struct arena arena = {0};
	struct diags d = {.arena = &arena};
	_cleanup_buf_ struct buf out = {0};
	struct asm_program made;

	if (asm_parse(&d, diag_source(&d, "fuzz", (struct str){text, n}), NULL, &arena, &made)) {
		/* raw bytes may look like half an ldimm64, whose text is not unique */
		_cleanup_buf_ struct buf listing = {0};

		disasm(made.insns, made.n, NULL, &listing);
	} else {
		must(d.errors > 0);
		diags_print(&d, false, &out);
	}
	arena_done(&arena);
}

static void check_slots(const struct vm_code *c)
{
	must(c->n > 0 && c->n_funcs > 0 && c->funcs[0] == 0);
	for (uint32_t i = 0; i < c->n; i++) {
		const struct code_insn *s = &c->insns[i];
		bool jumps = insn_kind(s->id) == INSN_KIND_JUMP || s->id == INSN_JA ||
			     s->id == INSN_JA_LONG || s->id == INSN_MAY_GOTO ||
			     s->id == INSN_CALL_LOCAL || s->id == INSN_WIDE_FUNC;

		must(s->id < INSN_COUNT && s->dst <= 10 && s->src <= 10);
		must(!jumps || (s->off >= 0 && (uint32_t)s->off < c->n));
	}
}

static void read_bytes(const uint8_t *data, size_t size)
{
	size_t n = MIN(size / sizeof(struct bpf_insn), (size_t)INSNS_MAX);
	struct bpf_insn *p = xalloc(n * sizeof(*p) + 1);
	struct vm_prog prog = {.name = "fuzz", .section = "", .insns = p, .n_insns = (uint32_t)n};
	struct vm_object o = {.license = "GPL", .progs = {.p = &prog, .n = 1}};
	struct code_options options = {.is_unverified = true};
	struct vm_code *code;
	char why[100];

	memcpy(p, data, n * sizeof(*p));
	if (code_make(&o, 0, NULL, &options, &code, why, sizeof(why)) >= 0) {
		check_slots(code);
		code_free(code);
		round_trip(p, n);
	} else {
		must(*why);
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (!size)
		return 0;
	if (data[0] & 0x80) {
		read_bytes(data + 1, size - 1);
		return 0;
	}
	copy = xstrndup((const char *)data, size);
	read_text(copy, size);
	free(copy);
	return 0;
}
