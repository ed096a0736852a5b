/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/insn.h"

#include "base/macro.h"

static const struct insn_row rows[] = {
#define ANY			   INSN_ANY
#define INSN(code, off, cpu, text) {code, off, cpu, text},
#include "isa/insn.def"
#undef INSN
#undef ANY
};

const struct insn_row *insn_row(const struct bpf_insn *i)
{
	for (size_t at = 0; at < ELEMENTS(rows); at++)
		if (rows[at].code == i->code &&
		    (rows[at].off == INSN_ANY || rows[at].off == i->off))
			return &rows[at];
	return NULL;
}

/* Operations that came with version 3: what gives the old value back, and all but add. */
static bool is_new_atomic(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_STX && BPF_MODE(i->code) == BPF_ATOMIC &&
	       i->imm != BPF_ADD;
}

int insn_cpu(const struct bpf_insn *i)
{
	const struct insn_row *row = insn_row(i);

	if (!row)
		return 0;
	return is_new_atomic(i) ? 3 : row->cpu;
}
