/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form of docs/ir.md, read back.
 *
 * Only the form is checked here: what an index or a register means, ir_check() says.  An
 * error ends its line; the next line goes on.
 */
#include "compile/ir/helper.h"
#include "compile/ir/op.h"
#include "compile/ir/scan.h"

enum { MOST_REGS = 1 << 17, MOST_ERRORS = 20 };

/* A function that was named before it was known. */
struct forward {
	uint32_t func, block, insn;
	const char *name;
	struct span span;
};

struct parser {
	struct ir_module *m;
	struct diags *d;
	struct ir_scanner scanner;
	struct ir_token t; /* the current one */
	struct ir_builder b;
	ARRAY(struct forward) forwards;
	unsigned int errors;
};

static void next(struct parser *p)
{
	p->t = ir_scan(&p->scanner);
}

/* Always false: the line is given up. */
static bool wrong(struct parser *p, const char *expected)
{
	p->errors++;
	if (p->t.kind == IRT_END)
		diag(p->d, D_IR_SYNTAX, p->t.span, "expected %s, found the end", expected);
	else
		diag(p->d, D_IR_SYNTAX, p->t.span, "expected %s, found '%.*s'", expected,
		     (int)MIN(p->t.text.n, (size_t)40), p->t.text.p);
	return false;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->t.kind == IRT_WORD && str_eq(p->t.text, str_of(word));
}

static bool take_word(struct parser *p, const char *word)
{
	bool is = is_word(p, word);

	if (is)
		next(p);
	return is;
}

static bool take_punct(struct parser *p, char c)
{
	bool is = p->t.kind == IRT_PUNCT && *p->t.text.p == c;

	if (is)
		next(p);
	return is;
}

static bool need_punct(struct parser *p, char c)
{
	return take_punct(p, c) || wrong(p, (const char[]){'\'', c, '\'', 0});
}

static bool need_word(struct parser *p, const char *word)
{
	return take_word(p, word) || wrong(p, word);
}

static bool need_number(struct parser *p, int64_t min, int64_t max, int64_t *ret)
{
	if (p->t.kind != IRT_NUMBER || p->t.number < min || p->t.number > max)
		return wrong(p, "a number in range");
	*ret = p->t.number;
	next(p);
	return true;
}

static bool need_u32(struct parser *p, uint32_t *ret)
{
	int64_t v = 0;

	if (!need_number(p, 0, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* A word or a string, as a C string. */
static bool need_name(struct parser *p, const char **ret)
{
	if (p->t.kind != IRT_WORD && p->t.kind != IRT_STRING)
		return wrong(p, "a name");
	*ret = arena_strndup(p->m->arena, p->t.text.p, p->t.text.n);
	next(p);
	return true;
}

static struct ir_func *func_here(struct parser *p)
{
	return ir_here(&p->b);
}

/* Registers come to be when they are mentioned. */
static bool need_reg(struct parser *p, ir_reg *ret)
{
	struct ir_func *f = func_here(p);

	if (p->t.kind != IRT_REG || p->t.number < 1 || p->t.number >= MOST_REGS)
		return wrong(p, "a register");
	*ret = (ir_reg)p->t.number;
	while (f->regs.n <= *ret)
		array_push(p->m->arena, &f->regs, (struct ir_reg_info){});
	next(p);
	return true;
}

static bool need_val(struct parser *p, struct ir_val *ret)
{
	*ret = (struct ir_val){};
	if (p->t.kind == IRT_REG)
		return need_reg(p, &ret->reg);
	return need_number(p, INT64_MIN, INT64_MAX, &ret->imm);
}

static bool need_block(struct parser *p, uint32_t *ret)
{
	uint64_t v = 0;

	if (p->t.kind != IRT_WORD || p->t.text.n < 2 || p->t.text.n > 10 || *p->t.text.p != 'b')
		return wrong(p, "a block");
	for (size_t i = 1; i < p->t.text.n; i++) {
		if (p->t.text.p[i] < '0' || p->t.text.p[i] > '9')
			return wrong(p, "a block");
		v = v * 10 + (uint64_t)(p->t.text.p[i] - '0');
	}
	*ret = (uint32_t)v;
	next(p);
	return true;
}

/* "+ 8", "- 8" or nothing. */
static bool take_off(struct parser *p, int32_t *ret)
{
	int64_t v = 0;

	if (take_punct(p, '+')) {
		if (!need_number(p, 0, INT32_MAX, &v))
			return false;
	} else if (take_punct(p, '-')) {
		if (!need_number(p, 0, -(int64_t)INT32_MIN, &v))
			return false;
		v = -v;
	}
	*ret = (int32_t)v;
	return true;
}

static bool need_place(struct parser *p, struct ir_val *ret_base, int32_t *ret_off)
{
	return need_punct(p, '[') && need_val(p, ret_base) && take_off(p, ret_off) &&
	       need_punct(p, ']');
}

/* "u32", "s8" */
static bool need_size(struct parser *p, struct ir_insn *i)
{
	static const char *const names[] = {"u8", "u16", "u32", "u64", "s8", "s16", "s32"};

	for (size_t k = 0; k < ELEMENTS(names); k++)
		if (take_word(p, names[k])) {
			i->size = (uint8_t)(1 << k % 4);
			i->sign = k >= 4;
			return true;
		}
	return wrong(p, "a size (u8 … u64, s8 … s32)");
}

/* --- what carries a name or a number */

static int64_t func_find(const struct ir_module *m, const char *name)
{
	for (size_t i = 0; i < m->funcs.n; i++)
		if (!strcmp(m->funcs.p[i].name, name))
			return (int64_t)i;
	return -1;
}

static bool need_func(struct parser *p, struct ir_insn *i)
{
	struct span span = p->t.span;
	const char *name;
	int64_t at;

	if (!need_name(p, &name))
		return false;
	at = func_find(p->m, name);
	if (at >= 0)
		i->index = (uint32_t)at;
	else
		array_push(p->m->arena, &p->forwards,
			   ((struct forward){p->b.func, p->b.block,
					     (uint32_t)func_here(p)->blocks.p[p->b.block].insns.n,
					     name, span}));
	return true;
}

static bool need_helper(struct parser *p, struct ir_insn *i)
{
	int64_t id = p->t.kind == IRT_WORD ? ir_helper_find(p->t.text) : -1;

	if (id < 0)
		return wrong(p, "a helper function");
	i->index = (uint32_t)id;
	next(p);
	return true;
}

static bool need_index(struct parser *p, struct ir_insn *i)
{
	const char *name;

	if (p->t.kind == IRT_NUMBER)
		return need_u32(p, &i->index);
	switch ((int)i->op) {
	case IR_FUNC:
	case IR_CALLF:
		return need_func(p, i);
	case IR_CALL:
		return need_helper(p, i);
	case IR_KSYM:
		if (!need_name(p, &name))
			return false;
		i->index = ir_named(p->m->arena, &p->m->ksyms, name);
		return true;
	case IR_CALLRT:
		if (!need_name(p, &name))
			return false;
		i->index = ir_named(p->m->arena, &p->m->rt_funcs, name);
		return true;
	case IR_CALLK:
	case IR_CAST:
		if (!need_name(p, &name))
			return false;
		i->index = ir_named(p->m->arena, &p->m->kfuncs, name);
		return true;
	}
	return wrong(p, "an index");
}

/* --- instructions */

static bool parse_args(struct parser *p, struct ir_insn *i)
{
	struct ir_val args[IR_ARGS];

	if (!need_punct(p, '('))
		return false;
	while (!take_punct(p, ')')) {
		if (i->n_args && !need_punct(p, ','))
			return false;
		if (i->n_args == IR_ARGS)
			return wrong(p, "at most five arguments");
		if (!need_val(p, &args[i->n_args]))
			return false;
		i->n_args++;
	}
	i->args = arena_copy(p->m->arena, args, i->n_args * sizeof(*args));
	return true;
}

static bool parse_bits(struct parser *p, struct ir_insn *i)
{
	int64_t bits;

	if (!need_number(p, 0, 64, &bits))
		return false;
	i->size = (uint8_t)bits;
	return true;
}

static bool parse_space_off(struct parser *p, struct ir_insn *i)
{
	int64_t off;

	if (!need_number(p, INT32_MIN, INT32_MAX, &off))
		return false;
	i->off = (int32_t)off;
	return true;
}

static bool parse_copy(struct parser *p, struct ir_insn *i)
{
	int32_t from = 0;

	if (!need_place(p, &i->a, &i->off) || !need_punct(p, ',') || !need_place(p, &i->b, &from))
		return false;
	i->index = (uint32_t)from;
	return need_punct(p, ',') && need_number(p, 0, UINT32_MAX, &i->c.imm);
}

static bool parse_operands(struct parser *p, struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_UNARY:
		return need_val(p, &i->a);
	case IRF_BINARY:
		return need_val(p, &i->a) && need_punct(p, ',') && need_val(p, &i->b);
	case IRF_EXTEND:
		return need_val(p, &i->a) && need_punct(p, ',') && parse_bits(p, i);
	case IRF_ADDRESS:
		return need_index(p, i) && take_off(p, &i->off);
	case IRF_SPACE:
		return parse_space_off(p, i);
	case IRF_LOAD:
		return need_size(p, i) && need_place(p, &i->a, &i->off);
	case IRF_STORE:
	case IRF_ATOMIC:
		return need_size(p, i) && need_place(p, &i->a, &i->off) && need_punct(p, ',') &&
		       need_val(p, &i->b);
	case IRF_FILL:
		return need_place(p, &i->a, &i->off) && need_punct(p, ',') &&
		       need_number(p, 0, UINT32_MAX, &i->c.imm);
	case IRF_COPY:
		return parse_copy(p, i);
	case IRF_CALL:
		return need_index(p, i) && parse_args(p, i);
	}
	return false;
}

static bool parse_op(struct parser *p, struct ir_insn *i)
{
	for (unsigned int op = 0; op < IR_OPS; op++)
		if (take_word(p, ir_op_info[op].name)) {
			i->op = (uint16_t)op;
			return true;
		}
	return wrong(p, "an operation");
}

static bool parse_dst(struct parser *p, ir_reg *ret)
{
	if (take_word(p, "_")) {
		*ret = 0;
		return true;
	}
	return need_reg(p, ret);
}

static bool parse_insn(struct parser *p)
{
	struct ir_insn i = {.span = p->t.span};
	ir_reg second = 0;
	bool has_dst = p->t.kind == IRT_REG || is_word(p, "_");
	enum ir_form form;

	if (has_dst && (!parse_dst(p, &i.dst) || (take_punct(p, ',') && !need_reg(p, &second)) ||
			!need_punct(p, '=')))
		return false;
	if (!parse_op(p, &i))
		return false;
	form = ir_op_info[i.op].form;
	if (second && form != IRF_LOAD)
		return wrong(p, "one result only");
	if (!parse_operands(p, &i))
		return false;
	i.b = second ? IR_R(second) : i.b;
	i.want = form == IRF_ATOMIC && i.dst;
	array_push(p->m->arena, &func_here(p)->blocks.p[p->b.block].insns, i);
	return true;
}

/* --- ends of blocks */

static bool parse_branch(struct parser *p, struct ir_block *b)
{
	unsigned int c = 0;

	b->unlikely = take_word(p, "unlikely");
	while (c < IR_CONDS && !take_word(p, ir_cond_names[c]))
		c++;
	if (c == IR_CONDS)
		return wrong(p, "a condition");
	b->cond = c;
	return need_val(p, &b->a) && need_punct(p, ',') && need_val(p, &b->b) &&
	       need_word(p, "then") && need_block(p, &b->yes) && need_word(p, "else") &&
	       need_block(p, &b->no);
}

static bool parse_switch(struct parser *p, struct ir_block *b)
{
	struct ir_case c;

	if (!need_val(p, &b->a))
		return false;
	while (!take_word(p, "else")) {
		if (!need_number(p, INT64_MIN, INT64_MAX, &c.value) || !need_punct(p, ':') ||
		    !need_block(p, &c.block) || !need_punct(p, ','))
			return false;
		array_push(p->m->arena, &b->cases, c);
	}
	return need_block(p, &b->no);
}

/* An instruction or the block's end. */
static bool parse_line(struct parser *p)
{
	struct ir_block b = func_here(p)->blocks.p[p->b.block];
	bool ok;

	if (b.end != IRE_NONE)
		return wrong(p, "the next block");
	b.span = p->t.span;
	if (take_word(p, "jump")) {
		ok = need_block(p, &b.yes);
		b.end = IRE_JUMP;
	} else if (take_word(p, "if")) {
		ok = parse_branch(p, &b);
		b.end = IRE_BRANCH;
	} else if (take_word(p, "switch")) {
		ok = parse_switch(p, &b);
		b.end = IRE_SWITCH;
	} else if (take_word(p, "return")) {
		ok = need_val(p, &b.a);
		b.end = IRE_RETURN;
	} else {
		return parse_insn(p);
	}
	if (ok)
		func_here(p)->blocks.p[p->b.block] = b;
	return ok;
}

/* --- functions */

static bool parse_class(struct parser *p, enum ir_class class)
{
	ir_reg r;

	while (p->t.kind == IRT_REG && !p->t.is_first) {
		if (!need_reg(p, &r))
			return false;
		func_here(p)->regs.p[r].class = class;
	}
	return true;
}

static bool parse_slot(struct parser *p)
{
	struct ir_slot slot = {};
	uint32_t index;

	if (!need_u32(p, &index) || !need_punct(p, ':') || !need_u32(p, &slot.size) ||
	    !need_word(p, "align") || !need_u32(p, &slot.align))
		return false;
	if (index != func_here(p)->slots.n)
		return wrong(p, "slots in order");
	if (p->t.kind == IRT_STRING && !need_name(p, &slot.name))
		return false;
	array_push(p->m->arena, &func_here(p)->slots, slot);
	return true;
}

/* What stands before the first block. */
static bool parse_declaration(struct parser *p)
{
	ir_reg r;

	for (unsigned int c = 0; c < IR_CLASSES; c++)
		if (take_word(p, ir_class_names[c]))
			return parse_class(p, c);
	if (take_word(p, "name"))
		return need_reg(p, &r) && need_name(p, &func_here(p)->regs.p[r].name);
	if (take_word(p, "slot"))
		return parse_slot(p);
	return wrong(p, "a declaration or a block");
}

static bool is_label(const struct parser *p)
{
	struct ir_scanner ahead = p->scanner;
	struct ir_token t;

	if (p->t.kind != IRT_WORD || !p->t.is_first || *p->t.text.p != 'b')
		return false;
	t = ir_scan(&ahead);
	return t.kind == IRT_PUNCT && *t.text.p == ':';
}

static bool parse_label(struct parser *p, bool *in_block)
{
	struct ir_func *f = func_here(p);
	uint32_t index;

	if (!need_block(p, &index))
		return false;
	if (index != (*in_block ? f->blocks.n : 0))
		return wrong(p, "blocks in order");
	if (*in_block)
		array_push(p->m->arena, &f->blocks, (struct ir_block){});
	*in_block = true;
	p->b.block = index;
	return need_punct(p, ':');
}

/* The rest of a line that went wrong is no more looked at. */
static void skip_line(struct parser *p)
{
	while (p->t.kind != IRT_END && !p->t.is_first)
		next(p);
}

static bool parse_header(struct parser *p)
{
	struct ir_func *f;
	const char *name;
	int64_t n;

	if (!need_name(p, &name) || !need_punct(p, '(') || !need_number(p, 0, IR_ARGS, &n) ||
	    !need_punct(p, ')'))
		return false;
	f = ir_func_add(p->m, name, (uint32_t)n);
	if (n)
		f->regs.p[1].class = IRC_INT; /* the text says all */
	p->b = (struct ir_builder){.m = p->m, .func = ir_func_index(p->m, f)};
	f->is_callback = take_word(p, "callback");
	return need_punct(p, '{');
}

static void parse_func(struct parser *p)
{
	bool in_block = false, ok;

	if (!parse_header(p)) {
		skip_line(p);
		return;
	}
	while (p->errors < MOST_ERRORS && !take_punct(p, '}')) {
		if (p->t.kind == IRT_END) {
			wrong(p, "'}'");
			return;
		}
		if (is_label(p))
			ok = parse_label(p, &in_block);
		else
			ok = in_block ? parse_line(p) : parse_declaration(p);
		/* An error at the start of a line gives that line up. */
		if (!ok && p->t.is_first)
			next(p);
		if (!ok)
			skip_line(p);
	}
}

/* --- the module */

/* "map 0 "@x" key 8"; the lists grow when they are full: 0, 1, 2, 4, … */
static bool parse_map(struct parser *p)
{
	const char **names = (const char **)p->m->map_names;
	uint32_t *keys = (uint32_t *)p->m->map_keys, index;

	if (!need_u32(p, &index))
		return false;
	if (index != p->m->n_maps)
		return wrong(p, "maps in order");
	if (!(index & (index - 1)) || !index) {
		names = arena_array(p->m->arena, const char *, index ? 2 * index : 1);
		keys = arena_array(p->m->arena, uint32_t, index ? 2 * index : 1);
		if (index) {
			memcpy(names, p->m->map_names, index * sizeof(*names));
			memcpy(keys, p->m->map_keys, index * sizeof(*keys));
		}
	}
	p->m->n_maps++;
	p->m->map_names = names;
	p->m->map_keys = keys;
	if (p->t.kind == IRT_STRING && !need_name(p, &names[index]))
		return false;
	return !take_word(p, "key") || need_u32(p, &keys[index]);
}

static bool parse_module_line(struct parser *p)
{
	if (take_word(p, "module"))
		return need_name(p, &p->m->name);
	if (take_word(p, "map"))
		return parse_map(p);
	if (take_word(p, "scratch"))
		return need_u32(p, &p->m->scratch_size);
	return wrong(p, "module, map, scratch or func");
}

static void resolve_forwards(struct parser *p)
{
	for (size_t i = 0; i < p->forwards.n; i++) {
		const struct forward *f = &p->forwards.p[i];
		struct ir_block *b = &p->m->funcs.p[f->func].blocks.p[f->block];
		int64_t at = func_find(p->m, f->name);

		if (at < 0) {
			p->errors++;
			diag(p->d, D_IR_SYNTAX, f->span, "there is no function %s", f->name);
		} else if (f->insn < b->insns.n) {
			b->insns.p[f->insn].index = (uint32_t)at;
		}
	}
}

bool ir_parse(struct ir_module *m, struct diags *d, uint32_t source)
{
	struct parser p = {.m = m, .d = d};

	p.scanner = (struct ir_scanner){
		.arena = m->arena, .text = d->sources.p[source].text, .file = source};
	next(&p);
	while (p.t.kind != IRT_END && p.errors < MOST_ERRORS) {
		if (take_word(&p, "func")) {
			parse_func(&p);
		} else if (!parse_module_line(&p)) {
			if (p.t.is_first)
				next(&p);
			skip_line(&p);
		}
	}
	resolve_forwards(&p);
	if (!p.errors && !m->funcs.n)
		wrong(&p, "a function");
	return !p.errors;
}
