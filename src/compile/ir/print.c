/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module as text: the form of docs/ir.md, which parse.c reads.
 *
 * What the text does not say, nothing depends on: the order of the names of runtime
 * functions, registers that no instruction mentions, spans.
 */
#include "compile/ir/helper.h"
#include "compile/ir/op.h"

#include <ctype.h>

static bool is_word(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && *s != '.')
			return false;
	return true;
}

static void put_quoted(struct buf *to, const char *s)
{
	buf_putc(to, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_printf(to, "\\%c", *s);
		else if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			buf_printf(to, "\\x%02x", (unsigned char)*s);
		else
			buf_putc(to, *s);
	}
	buf_putc(to, '"');
}

static void put_name(struct buf *to, const char *s)
{
	if (is_word(s))
		buf_puts(to, s);
	else
		put_quoted(to, s);
}

static void put_val(struct buf *to, struct ir_val v)
{
	if (v.reg)
		buf_printf(to, "%%%u", v.reg);
	else
		buf_put_s64(to, v.imm);
}

static void put_off(struct buf *to, int32_t off)
{
	if (off < 0)
		buf_printf(to, " - %lld", -(long long)off);
	else if (off)
		buf_printf(to, " + %d", off);
}

static void put_place(struct buf *to, struct ir_val base, int32_t off)
{
	buf_putc(to, '[');
	put_val(to, base);
	put_off(to, off);
	buf_putc(to, ']');
}

/* The name that instruction `i` carries by index; NULL: it stands there as a number. */
static const char *name_of(const struct ir_module *m, const struct ir_insn *i)
{
	switch ((int)i->op) {
	case IR_KSYM:
		return i->index < m->ksyms.n ? m->ksyms.p[i->index] : NULL;
	case IR_FUNC:
	case IR_CALLF:
		return i->index < m->funcs.n ? m->funcs.p[i->index].name : NULL;
	case IR_CALLRT:
		return i->index < m->rt_funcs.n ? m->rt_funcs.p[i->index] : NULL;
	case IR_CALLK:
	case IR_CAST:
		return i->index < m->kfuncs.n ? m->kfuncs.p[i->index] : NULL;
	case IR_CALL:
		return ir_helper_name(i->index);
	}
	return NULL;
}

static void put_index(struct buf *to, const struct ir_module *m, const struct ir_insn *i)
{
	const char *name = name_of(m, i);

	if (name)
		put_name(to, name);
	else
		buf_put_u64(to, i->index);
}

static void put_dst(struct buf *to, const struct ir_insn *i)
{
	ir_reg defs[2];

	if (!ir_defs(i, defs))
		return;
	if (i->dst)
		buf_printf(to, "%%%u", i->dst);
	else
		buf_putc(to, '_');
	if (ir_op_info[i->op].form == IRF_LOAD && i->b.reg)
		buf_printf(to, ", %%%u", i->b.reg);
	buf_puts(to, " = ");
}

static void put_size(struct buf *to, const struct ir_insn *i)
{
	buf_printf(to, "%c%u ", i->sign && i->size < 8 ? 's' : 'u', i->size * 8u);
}

static void put_call(struct buf *to, const struct ir_module *m, const struct ir_insn *i)
{
	put_index(to, m, i);
	buf_putc(to, '(');
	for (unsigned int k = 0; k < i->n_args; k++) {
		if (k)
			buf_puts(to, ", ");
		put_val(to, i->args[k]);
	}
	buf_putc(to, ')');
}

static void put_map_comment(struct buf *to, const struct ir_module *m, const struct ir_insn *i)
{
	const char *name;

	if ((i->op != IR_MAP && i->op != IR_MAPVALUE) || !m->map_names || i->index >= m->n_maps)
		return;
	name = m->map_names[i->index];
	if (!name)
		return;
	buf_puts(to, " # ");
	for (; *name; name++)
		if (isprint((unsigned char)*name))
			buf_putc(to, *name);
}

/* What stands behind the operation's name. */
static void put_operands(struct buf *to, const struct ir_module *m, const struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_UNARY:
		put_val(to, i->a);
		break;
	case IRF_BINARY:
		put_val(to, i->a);
		buf_puts(to, ", ");
		put_val(to, i->b);
		break;
	case IRF_EXTEND:
		put_val(to, i->a);
		buf_printf(to, ", %u", i->size);
		break;
	case IRF_ADDRESS:
		put_index(to, m, i);
		put_off(to, i->off);
		put_map_comment(to, m, i);
		break;
	case IRF_SPACE:
		buf_put_s64(to, i->off);
		break;
	case IRF_LOAD:
		put_size(to, i);
		put_place(to, i->a, i->off);
		break;
	case IRF_STORE:
	case IRF_ATOMIC:
		put_size(to, i);
		put_place(to, i->a, i->off);
		buf_puts(to, ", ");
		put_val(to, i->b);
		break;
	case IRF_FILL:
		put_place(to, i->a, i->off);
		buf_puts(to, ", ");
		put_val(to, i->c);
		break;
	case IRF_COPY:
		put_place(to, i->a, i->off);
		buf_puts(to, ", ");
		put_place(to, i->b, (int32_t)i->index);
		buf_puts(to, ", ");
		put_val(to, i->c);
		break;
	case IRF_CALL:
		put_call(to, m, i);
		break;
	}
}

static void print_insn(const struct ir_module *m, const struct ir_insn *i, struct buf *to)
{
	buf_puts(to, "\t");
	put_dst(to, i);
	buf_puts(to, ir_op_info[i->op].name);
	buf_putc(to, ' ');
	put_operands(to, m, i);
	buf_putc(to, '\n');
}

static void print_end(const struct ir_block *b, struct buf *to)
{
	switch (b->end) {
	case IRE_NONE:
		break;
	case IRE_JUMP:
		buf_printf(to, "\tjump b%u\n", b->yes);
		break;
	case IRE_BRANCH:
		buf_printf(to, "\tif %s%s ", b->unlikely ? "unlikely " : "",
			   ir_cond_names[b->cond]);
		put_val(to, b->a);
		buf_puts(to, ", ");
		put_val(to, b->b);
		buf_printf(to, " then b%u else b%u\n", b->yes, b->no);
		break;
	case IRE_SWITCH:
		buf_puts(to, "\tswitch ");
		put_val(to, b->a);
		buf_putc(to, ' ');
		for (size_t i = 0; i < b->cases.n; i++)
			buf_printf(to, "%lld: b%u, ", (long long)b->cases.p[i].value,
				   b->cases.p[i].block);
		buf_printf(to, "else b%u\n", b->no);
		break;
	case IRE_RETURN:
		buf_puts(to, "\treturn ");
		put_val(to, b->a);
		buf_putc(to, '\n');
		break;
	}
}

/* Which registers the text mentions: only those are declared. */
static bool *mentioned(const struct ir_module *m, const struct ir_func *f)
{
	bool *used = arena_array(m->arena, bool, f->regs.n + 1);
	ir_reg regs[IR_OPERANDS];
	unsigned int n;

	for (size_t b = 0; b < f->blocks.n; b++) {
		const struct ir_block *block = &f->blocks.p[b];

		for (size_t i = 0; i < block->insns.n; i++) {
			n = ir_uses(&block->insns.p[i], regs);
			while (n--)
				used[regs[n]] = true;
			n = ir_defs(&block->insns.p[i], regs);
			while (n--)
				used[regs[n]] = true;
		}
		n = ir_end_uses(block, regs);
		while (n--)
			used[regs[n]] = true;
	}
	for (ir_reg r = 1; r <= f->n_params && r < f->regs.n; r++)
		used[r] = true;
	return used;
}

/* One line for each class but int, one for each name. */
static void print_regs(const struct ir_module *m, const struct ir_func *f, struct buf *to)
{
	bool *used = mentioned(m, f), any;

	for (unsigned int c = IRC_INT + 1; c < IR_CLASSES; c++) {
		any = false;
		for (ir_reg r = 1; r < f->regs.n; r++) {
			if (!used[r] || f->regs.p[r].class != (enum ir_class)c)
				continue;
			if (!any)
				buf_printf(to, "\t%s", ir_class_names[c]);
			buf_printf(to, " %%%u", r);
			any = true;
		}
		if (any)
			buf_putc(to, '\n');
	}
	for (ir_reg r = 1; r < f->regs.n; r++) {
		if (!used[r] || !f->regs.p[r].name)
			continue;
		buf_printf(to, "\tname %%%u ", r);
		put_quoted(to, f->regs.p[r].name);
		buf_putc(to, '\n');
	}
}

static void print_func(const struct ir_module *m, const struct ir_func *f, struct buf *to)
{
	buf_puts(to, "\nfunc ");
	put_name(to, f->name);
	buf_printf(to, "(%u)%s {\n", f->n_params, f->is_callback ? " callback" : "");
	print_regs(m, f, to);
	for (size_t i = 0; i < f->slots.n; i++) {
		buf_printf(to, "\tslot %zu: %u align %u", i, f->slots.p[i].size,
			   f->slots.p[i].align);
		if (f->slots.p[i].name) {
			buf_putc(to, ' ');
			put_quoted(to, f->slots.p[i].name);
		}
		buf_putc(to, '\n');
	}
	for (size_t b = 0; b < f->blocks.n; b++) {
		buf_printf(to, "b%zu:\n", b);
		for (size_t i = 0; i < f->blocks.p[b].insns.n; i++)
			print_insn(m, &f->blocks.p[b].insns.p[i], to);
		print_end(&f->blocks.p[b], to);
	}
	buf_puts(to, "}\n");
}

void ir_print(const struct ir_module *m, struct buf *to)
{
	buf_puts(to, "module ");
	put_name(to, m->name);
	buf_putc(to, '\n');
	for (uint32_t i = 0; i < m->n_maps; i++) {
		buf_printf(to, "map %u", i);
		if (m->map_names && m->map_names[i]) {
			buf_putc(to, ' ');
			put_quoted(to, m->map_names[i]);
		}
		if (m->map_keys && m->map_keys[i])
			buf_printf(to, " key %u", m->map_keys[i]);
		buf_putc(to, '\n');
	}
	if (m->scratch_size)
		buf_printf(to, "scratch %u\n", m->scratch_size);
	for (size_t i = 0; i < m->funcs.n; i++)
		print_func(m, &m->funcs.p[i], to);
}
