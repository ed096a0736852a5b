/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a program: what must hold before anybody follows its paths.
 *
 * Each instruction is a row of insn.def, and fields that mean nothing are 0.  A program is a
 * row of functions, each as far as the next one begins.  Control stays in its function: jumps
 * go to an instruction of it and not to the second half of a wide one, and the last instruction
 * does not fall through.  Only calls, and addresses of callbacks, lead to others: to their
 * first instruction.  r10 is never written, but where the verifier found no path to.
 */
#include "runtime/vm/code.h"

#include <errno.h>
#include <stdlib.h>

enum { INSNS_MAX = 1 << 20 }; /* a little more than the kernel takes */

/* Where the instruction's jump, call or address of a function leads. */
static int64_t target(const struct code_maker *m, uint32_t insn)
{
	const struct bpf_insn *p = &m->prog->insns[insn];
	enum insn_id id = m->ids[insn];
	bool is_long = id == INSN_JA_LONG || id == INSN_CALL_LOCAL || id == INSN_WIDE_FUNC;

	return (int64_t)insn + 1 + (is_long ? p->imm : p->off);
}

static bool jumps(enum insn_id id)
{
	return insn_kind(id) == INSN_KIND_JUMP || code_is_jump(id);
}

static bool begins_insn(const struct code_maker *m, int64_t at)
{
	return at >= 0 && at < m->prog->n_insns && m->slot_of[at] != UINT32_MAX;
}

static bool writes_r10(const struct bpf_insn *p, enum insn_id id)
{
	enum insn_kind kind = insn_kind(id);
	bool has_fetch = kind == INSN_KIND_ATOMIC && (p->imm & BPF_FETCH) && p->imm != BPF_CMPXCHG;

	if (has_fetch)
		return p->src_reg == BPF_REG_10;
	if (p->dst_reg != BPF_REG_10)
		return false;
	return kind == INSN_KIND_ALU || kind == INSN_KIND_LOAD || insn_is_wide(p) ||
	       (kind == INSN_KIND_OTHER &&
		(BPF_CLASS(p->code) == BPF_ALU || BPF_CLASS(p->code) == BPF_ALU64 ||
		 (id >= INSN_LOAD_ACQB && id <= INSN_STORE_RELDW && p->imm == CODE_LOAD_ACQ)));
}

static int check_insns(struct code_maker *m)
{
	const struct bpf_insn *p = m->prog->insns;
	uint32_t n = m->prog->n_insns;

	for (uint32_t i = 0; i < n; i++) {
		enum insn_id id = insn_identify(&p[i]);

		if (id == INSN_NONE)
			return code_refuse(m, -EINVAL, i,
					   insn_has_code(p[i].code) ? "a field that is not used is "
								      "not 0, or no such variant"
								    : "no such instruction");
		if (writes_r10(&p[i], id)) {
			if (!code_is_dead(m, i) || insn_is_wide(&p[i]))
				return code_refuse(m, -EINVAL, i, "frame pointer is read only");
			id = INSN_EXIT;
		}
		m->ids[i] = id;
		m->slot_of[i] = m->code->n++;
		if (!insn_is_wide(&p[i]))
			continue;
		if (i + 1 == n || p[i + 1].code || p[i + 1].dst_reg || p[i + 1].src_reg ||
		    p[i + 1].off)
			return code_refuse(m, -EINVAL, i, "the second half of ldimm64 is damaged");
		if (id != INSN_WIDE && id != INSN_WIDE_MAP_VALUE && id != INSN_WIDE_MAP_IDX_VALUE &&
		    p[i + 1].imm)
			return code_refuse(m, -EINVAL, i, "the second half of ldimm64 is not 0");
		m->slot_of[++i] = UINT32_MAX;
	}
	return 0;
}

/* Which instructions begin functions: those that the object names, and all that are called. */
static int find_functions(struct code_maker *m, uint8_t *begins)
{
	begins[0] = 1;
	for (uint32_t i = 0; i < m->prog->n_funcs; i++) {
		if (!begins_insn(m, m->prog->funcs[i].insn))
			return code_refuse(m, -EINVAL, m->prog->funcs[i].insn,
					   "no function can begin here");
		begins[m->prog->funcs[i].insn] = 1;
	}
	for (uint32_t i = 0; i < m->prog->n_insns; i++) {
		if (m->slot_of[i] == UINT32_MAX ||
		    (m->ids[i] != INSN_CALL_LOCAL && m->ids[i] != INSN_WIDE_FUNC))
			continue;
		if (!begins_insn(m, target(m, i)))
			return code_refuse(m, -EINVAL, i, "the call leads out of the program");
		begins[target(m, i)] = 1;
	}
	m->funcs = xalloc(sizeof(*m->funcs) * m->prog->n_insns);
	for (uint32_t i = 0; i < m->prog->n_insns; i++)
		if (begins[i])
			m->funcs[m->n_funcs++] = i;
	return 0;
}

/* Can control go on behind the instruction? */
static bool falls_through(const struct code_maker *m, uint32_t insn)
{
	const struct bpf_insn *p = &m->prog->insns[insn];
	enum insn_id id = m->ids[insn];

	if (id == INSN_EXIT || id == INSN_JA || id == INSN_JA_LONG)
		return false;
	return id != INSN_CALL_KFUNC || (uint32_t)p->imm >= m->object->kfuncs.n ||
	       strcmp(m->object->kfuncs.p[p->imm].name, "bpf_throw");
}

static int check_function(struct code_maker *m, uint32_t begin, uint32_t end)
{
	uint32_t last = begin;

	for (uint32_t i = begin; i < end; i++) {
		if (m->slot_of[i] == UINT32_MAX)
			continue;
		last = i;
		if (!jumps(m->ids[i]))
			continue;
		if (target(m, i) < begin || target(m, i) >= end)
			return code_refuse(m, -EINVAL, i, "the jump leads out of its function");
		if (!begins_insn(m, target(m, i)))
			return code_refuse(m, -EINVAL, i, "the jump leads into an ldimm64");
	}
	if (falls_through(m, last))
		return code_refuse(m, -EINVAL, last, "last insn is not an exit or jmp");
	return 0;
}

int code_check(struct code_maker *m)
{
	uint32_t n = m->prog->n_insns;
	_cleanup_free_ uint8_t *begins = NULL;
	int r;

	if (!n || n > INSNS_MAX)
		return code_refuse(m, -EINVAL, UINT32_MAX, "it has %u instructions", n);
	m->ids = xalloc(sizeof(*m->ids) * n);
	m->slot_of = xalloc(sizeof(*m->slot_of) * n);
	begins = xalloc(n);
	r = check_insns(m);
	if (r >= 0)
		r = find_functions(m, begins);
	for (uint32_t i = 0; r >= 0 && i < m->n_funcs; i++)
		r = check_function(m, m->funcs[i], i + 1 < m->n_funcs ? m->funcs[i + 1] : n);
	return r;
}
