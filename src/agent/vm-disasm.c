/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep vm disasm`: a program's instructions under the lines of source that they come from, and
 * with --jit the machine code that each became.  `--list-helpers`: what there is to call.
 */
#include "agent/vm-input.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "isa/disasm.h"
#include "runtime/vm/helper/helper.h"
#include "runtime/vm/helper/proto.h"
#include "runtime/vm/load.h"

struct listing {
	const struct vm_input *in;
	const struct vm_prog *prog;
	const struct vm_code *code; /* with machine code; NULL */
	char symbol[160];
	uint32_t line; /* of prog->lines: the next */
	const struct source *shown;
	unsigned int shown_line;
};

static const char *helper_name(void *ctx, int32_t id)
{
	const struct proto *p = proto_of((uint32_t)id);

	(void)ctx;
	return p ? p->name : NULL;
}

static const char *func_name(const struct vm_prog *p, int64_t insn)
{
	for (uint32_t i = 0; i < p->n_funcs; i++)
		if (p->funcs[i].insn == insn)
			return p->funcs[i].name;
	return NULL;
}

static const char *symbol_name(void *ctx, size_t at)
{
	struct listing *l = ctx;
	const struct bpf_insn *i = &l->prog->insns[at];
	const struct vm_object *o = &l->in->object;
	uint32_t index = (uint32_t)i->imm;

	if (insn_is_local_call(i) || insn_is_func_addr(i))
		return func_name(l->prog, (int64_t)at + 1 + i->imm);
	if (i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return index < o->kfuncs.n ? o->kfuncs.p[index].name : NULL;
	if (!insn_is_wide(i))
		return NULL;
	if (i->src_reg == BPF_PSEUDO_BTF_ID)
		return index < o->vars.n ? o->vars.p[index].name : NULL;
	if ((i->src_reg != BPF_PSEUDO_MAP_IDX && i->src_reg != BPF_PSEUDO_MAP_IDX_VALUE) ||
	    index >= o->maps.n)
		return NULL;
	if (i->src_reg == BPF_PSEUDO_MAP_IDX)
		snprintf(l->symbol, sizeof(l->symbol), "map %s", o->maps.p[index].name);
	else
		snprintf(l->symbol, sizeof(l->symbol), "%s + %d", o->maps.p[index].name, i[1].imm);
	return l->symbol;
}

/* The line of source that begins here, once for all instructions of it in a row. */
static void put_line(struct listing *l, uint32_t insn, struct buf *to)
{
	const struct vm_prog *p = l->prog;
	const struct source *source;
	struct span span;
	struct str text;
	struct place place;
	const char *begin, *end;

	while (l->line < p->n_lines && p->lines[l->line].insn < insn)
		l->line++;
	if (l->line == p->n_lines || p->lines[l->line].insn != insn)
		return;
	span = p->lines[l->line].span;
	if (span.file >= l->in->diags.sources.n || !span.end)
		return;
	source = &l->in->diags.sources.p[span.file];
	text = source->text;
	place = diag_place(&l->in->diags, span);
	if (span.begin >= text.n || (l->shown == source && l->shown_line == place.line))
		return;
	l->shown = source;
	l->shown_line = place.line;
	begin = text.p + span.begin;
	while (begin > text.p && begin[-1] != '\n')
		begin--;
	end = memchr(begin, '\n', (size_t)(text.p + text.n - begin));
	end = end ? end : text.p + text.n;
	while (begin < end && (*begin == ' ' || *begin == '\t'))
		begin++;
	buf_printf(to, "; %s:%u: %.*s\n", source->name, place.line, (int)(end - begin), begin);
}

/* The machine code of a slot, in lines of 16 bytes. */
static void put_machine(const struct vm_code *c, uint32_t slot, struct buf *to)
{
	size_t at, end;

	if (!c->machine_at || slot >= c->n)
		return;
	at = c->machine_at[slot];
	end = slot + 1 < c->n ? c->machine_at[slot + 1] : c->machine_n;
	for (size_t i = at; i < end && end <= c->machine_n; i++) {
		if (!((i - at) % 16))
			buf_printf(to, "%s        %6zx:", i > at ? "\n" : "", i);
		buf_printf(to, " %02x", ((const uint8_t *)c->machine)[i]);
	}
	if (end > at)
		buf_putc(to, '\n');
}

static void put_prog(struct listing *l, struct buf *to)
{
	const struct vm_prog *p = l->prog;
	struct disasm_names names = {.helper = helper_name, .symbol = symbol_name, .ctx = l};
	uint32_t slot = 0;
	const char *func;

	buf_printf(to, "%s", p->name);
	if (*p->section)
		buf_printf(to, " (%s)", p->section);
	buf_printf(to, ": %u instructions", p->n_insns);
	if (l->code && l->code->machine)
		buf_printf(to, ", %zu bytes of machine code", l->code->machine_n);
	buf_putc(to, '\n');
	for (size_t at = 0; at < p->n_insns; slot++) {
		size_t from = at;

		func = at ? func_name(p, (int64_t)at) : NULL;
		if (func) {
			buf_printf(to, "%s:\n", func);
			l->shown = NULL;
		}
		put_line(l, (uint32_t)at, to);
		buf_printf(to, "%5zu: ", at);
		at += disasm_one(p->insns, p->n_insns, from, &names, to);
		buf_putc(to, '\n');
		if (l->code)
			put_machine(l->code, slot, to);
	}
}

static int list_one(struct vm_input *in, const struct vm_options *o, struct vm_loaded *loaded,
		    uint32_t prog, struct buf *to)
{
	struct listing l = {.in = in, .prog = &in->object.progs.p[prog]};
	struct vm_load_options options = {.engine = VM_JIT, .is_unverified = o->unverified};
	int r = 0;

	if (o->jit) {
		r = load_prog(loaded, prog, &options);
		if (r < 0 && loaded->why[0])
			log_error(0, "%s: %s", l.prog->name, loaded->why);
		l.code = loaded->codes[prog];
	}
	put_prog(&l, to);
	return r;
}

int vm_disasm(const struct vm_options *o)
{
	struct vm_input in;
	struct vm_loaded loaded = {0};
	_cleanup_buf_ struct buf text = {0};
	int status = vm_input_open(&in, o), r = 0;
	uint32_t only = UINT32_MAX;

	if (!status && o->prog) {
		only = vm_input_prog(&in, o);
		status = only == UINT32_MAX ? EXIT_FAILED : 0;
	}
	if (!status && o->jit) {
		r = load_begin(&in.object, 1, &loaded);
		if (r < 0)
			log_error(0, "%s", loaded.why);
	}
	for (uint32_t i = 0; !status && r >= 0 && i < in.object.progs.n; i++) {
		if (only != UINT32_MAX && i != only)
			continue;
		if (text.n)
			buf_putc(&text, '\n');
		if (list_one(&in, o, &loaded, i, &text) < 0)
			status = EXIT_FAILED;
	}
	fputs(text.p ? text.p : "", stdout);
	if (status && o->jit)
		vm_input_print(&in, o);
	load_done(&loaded);
	vm_input_done(&in);
	return r < 0 ? EXIT_FAILED : status;
}

int vm_list_helpers(void)
{
	unsigned int n = 0, all = 0;
	const struct proto *p;
	const char *name;

	for (uint32_t i = 1; (p = proto_of(i)); i++) {
		bool is_there = helper_of(i) || i == BPF_FUNC_tail_call;

		printf("%4u  %-8s %s\n", i, is_there ? "here" : "missing", p->name);
		n += is_there;
		all++;
	}
	for (size_t i = 0; (name = kfunc_name(i)); i++)
		printf("      %-8s %s\n", "kfunc", name);
	printf("%u of %u helpers\n", n, all);
	return 0;
}
