/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be true of generated code, whatever it was generated from: every instruction
 * exists in its version, jumps stay inside, tables point into what is there.
 */
#pragma once

#include "catalog/question.h"
#include "isa/insn.h"

#include <stdlib.h>

static inline void must(bool ok)
{
	if (!ok)
		abort();
}

static inline void check_span(const struct diags *d, struct span span)
{
	must(span.begin <= span.end);
	must(span.file < d->sources.n && span.end <= d->sources.p[span.file].text.n);
}

/* Never a message about a mistake of ours; places are in the text. */
static inline void check_messages(const struct diags *d)
{
	_cleanup_buf_ struct buf b = {0};
	unsigned int errors = 0;

	for (size_t i = 0; i < d->list.n; i++) {
		const struct diagnostic *m = &d->list.p[i];

		if (m->span.file != UINT32_MAX)
			check_span(d, m->span);
		must(m->id != D_INTERNAL && (*m->text || m->id == D_ASSERTION));
		errors += m->severity == SEV_ERROR;
	}
	must(errors <= d->errors);
	diags_print(d, false, &b);
}

/* Where a jump or local call goes; −1: it is neither. */
static inline int64_t code_target(const struct bpf_insn *i, int64_t at)
{
	unsigned int class = BPF_CLASS(i->code), op = BPF_OP(i->code);

	if (class != BPF_JMP && class != BPF_JMP32)
		return insn_is_func_addr(i) ? at + i->imm + 1 : -1;
	if (op == BPF_CALL)
		return insn_is_local_call(i) ? at + i->imm + 1 : -1;
	if (op == BPF_EXIT)
		return -1;
	return at + 1 + (class == BPF_JMP32 && op == BPF_JA ? i->imm : i->off);
}

static inline void check_tables(const struct question *q, const struct question_prog *p)
{
	for (uint32_t i = 0; i < p->n_relocs; i++) {
		const struct question_reloc *r = &p->relocs[i];

		must(r->insn < p->n_insns);
		must(r->name || r->map < q->maps.n);
	}
	for (uint32_t i = 0; i < p->n_lines; i++) {
		must(p->lines[i].insn < p->n_insns);
		must(!i || p->lines[i - 1].insn < p->lines[i].insn);
	}
	must(p->n_funcs && !p->funcs[0].insn);
	for (uint32_t i = 1; i < p->n_funcs; i++)
		must(p->funcs[i - 1].insn < p->funcs[i].insn && p->funcs[i].insn < p->n_insns);
}

static inline void check_code(const struct question *q, const struct question_prog *p, int cpu)
{
	bool *half = calloc(p->n_insns + 1, 1); /* the second half of a wide one */

	must(p->n_insns);
	for (uint32_t i = 0; i < p->n_insns; i++) {
		const struct bpf_insn *insn = &p->insns[i];

		must(insn_cpu(insn) && insn_cpu(insn) <= cpu);
		if (insn_is_wide(insn)) {
			must(i + 1 < p->n_insns);
			half[++i] = true;
		}
	}
	for (uint32_t i = 0; i < p->n_insns; i++) {
		int64_t to = half[i] ? -1 : code_target(&p->insns[i], i);

		must(to == -1 || (to >= 0 && to < p->n_insns && !half[to]));
	}
	must(p->insns[p->n_insns - 1].code == (BPF_JMP | BPF_EXIT) ||
	     BPF_OP(p->insns[p->n_insns - 1].code) == BPF_JA);
	check_tables(q, p);
	free(half);
}
