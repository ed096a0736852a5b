/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/disasm.h"

#include "base/macro.h"

#include <inttypes.h>

static void put_off(int off, struct buf *to)
{
	buf_printf(to, "%c %d", off < 0 ? '-' : '+', off < 0 ? -off : off);
}

static void put_field(char field, const struct bpf_insn *i, struct buf *to)
{
	switch (field) {
	case 'd':
		buf_printf(to, "r%u", i->dst_reg);
		break;
	case 's':
		buf_printf(to, "r%u", i->src_reg);
		break;
	case 'D':
		buf_printf(to, "w%u", i->dst_reg);
		break;
	case 'S':
		buf_printf(to, "w%u", i->src_reg);
		break;
	case 'i':
		buf_printf(to, "%d", i->imm);
		break;
	case 'o':
		put_off(i->off, to);
		break;
	case 'j':
		buf_printf(to, "%+d", i->off);
		break;
	case 'J':
		buf_printf(to, "%+d", i->imm);
		break;
	default:
		buf_putc(to, field);
		break;
	}
}

static void put_wide(const struct bpf_insn *p, const char *symbol, struct buf *to)
{
	static const char *const kinds[] = {
		[BPF_PSEUDO_MAP_FD] = "map",	  [BPF_PSEUDO_MAP_VALUE] = "map_value",
		[BPF_PSEUDO_BTF_ID] = "ksym",	  [BPF_PSEUDO_FUNC] = "func",
		[BPF_PSEUDO_MAP_IDX] = "map_idx", [BPF_PSEUDO_MAP_IDX_VALUE] = "map_idx_value"};
	uint64_t value = (uint64_t)(uint32_t)p[1].imm << 32 | (uint32_t)p[0].imm;
	const char *kind = p->src_reg < ELEMENTS(kinds) ? kinds[p->src_reg] : NULL;

	buf_printf(to, "r%u = ", p->dst_reg);
	if (symbol)
		buf_printf(to, "%s ll", symbol);
	else if (p->src_reg == BPF_PSEUDO_FUNC)
		buf_printf(to, "func[%+d] ll", p->imm);
	else if (kind && p[1].imm)
		buf_printf(to, "%s[%d] + %d ll", kind, p[0].imm, p[1].imm);
	else if (kind)
		buf_printf(to, "%s[%d] ll", kind, p->imm);
	else
		buf_printf(to, "0x%" PRIx64 " ll", value);
}

static void put_kfunc(const struct bpf_insn *i, struct buf *to)
{
	buf_printf(to, "call kfunc[%d", i->imm);
	if (i->off)
		buf_printf(to, ", %d", i->off);
	buf_putc(to, ']');
}

static void put_call(const struct bpf_insn *i, const char *symbol, const char *helper,
		     struct buf *to)
{
	if (symbol)
		buf_printf(to, "call %s", symbol);
	else if (i->src_reg == BPF_PSEUDO_CALL)
		buf_printf(to, "call %+d", i->imm);
	else if (i->src_reg == BPF_PSEUDO_KFUNC_CALL)
		put_kfunc(i, to);
	else if (helper)
		buf_printf(to, "call %s", helper);
	else
		buf_printf(to, "call %u", (uint32_t)i->imm);
}

size_t disasm_one(const struct bpf_insn *p, size_t n, size_t at, const struct disasm_names *names,
		  struct buf *to)
{
	const struct bpf_insn *i = &p[at];
	const struct insn_row *row = insn_row(i);
	const char *symbol = names && names->symbol ? names->symbol(names->ctx, at) : NULL;
	const char *helper = NULL;

	if (!row || (insn_is_wide(i) && at + 1 >= n)) {
		buf_printf(to, ".byte 0x%02x 0x%x%x %d %d", i->code, i->dst_reg, i->src_reg, i->off,
			   i->imm);
		return 1;
	}
	if (!strcmp(row->text, "@wide")) {
		put_wide(i, symbol, to);
		return 2;
	}
	if (!strcmp(row->text, "@call")) {
		if (!i->src_reg && names && names->helper)
			helper = names->helper(names->ctx, i->imm);
		put_call(i, symbol, helper, to);
	} else {
		for (const char *s = row->text; *s; s++) {
			if (*s == '$' && s[1])
				put_field(*++s, i, to);
			else
				buf_putc(to, *s);
		}
	}
	return 1;
}

void disasm(const struct bpf_insn *p, size_t n, const struct disasm_names *names, struct buf *to)
{
	for (size_t at = 0; at < n;) {
		buf_printf(to, "%4zu: ", at);
		at += disasm_one(p, n, at, names, to);
		buf_putc(to, '\n');
	}
}
