/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The assembler knows no instruction: it reads a line by the text of each row of insn.def, as
 * disasm.c writes it.  The first row that fits to the end is meant.  If none does, the row that
 * got farthest says where the line went wrong.
 */
#include "isa/asm.h"

#include <ctype.h>
#include <stdlib.h>

struct label {
	struct str name;
	uint32_t insn;
	struct span span;
};

/* A distance that waits for its label. */
struct fixup {
	struct str name;
	uint32_t insn;
	bool is_long; /* in imm, not in off */
	struct span span;
};

struct assembler {
	struct diags *d;
	uint32_t file;
	const char *text; /* of the whole source */
	const struct asm_names *names;
	struct arena *arena;
	ARRAY(struct bpf_insn) code;
	ARRAY(struct span) spans;
	ARRAY(struct label) labels;
	ARRAY(struct fixup) fixups;
};

/* One line, tried against one row. */
struct line {
	const char *p, *end;
	struct bpf_insn insn[2];
	bool is_wide, has_dst, has_src;
	struct str label; /* n 0: none */
	bool is_long;
	uint64_t imm_max; /* 64-bit operations extend the sign: no more than INT32_MAX */
};

static struct span span_of(const struct assembler *a, const char *p, const char *end)
{
	return (struct span){a->file, (uint32_t)(p - a->text), (uint32_t)(end - a->text)};
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static void skip_space(struct line *l)
{
	while (l->p < l->end && isspace((unsigned char)*l->p))
		l->p++;
}

static bool take(struct line *l, char c)
{
	skip_space(l);
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

static bool take_text(struct line *l, const char *s)
{
	size_t n = strlen(s);

	skip_space(l);
	if ((size_t)(l->end - l->p) < n || memcmp(l->p, s, n))
		return false;
	l->p += n;
	return true;
}

/* A name or a number, up to what is no part of one. */
static struct str take_word(struct line *l)
{
	const char *begin;

	skip_space(l);
	begin = l->p;
	while (l->p < l->end && is_word(*l->p))
		l->p++;
	return (struct str){begin, (size_t)(l->p - begin)};
}

/* An integer of at most 64 bits, with or without sign, decimal or 0x…; what it is modulo 2^64. */
static bool take_number(struct line *l, int64_t min, uint64_t max, uint64_t *ret)
{
	const char *begin = l->p;
	bool is_negative = take(l, '-');
	char digits[32], *rest;
	struct str word;
	uint64_t v;

	if (!is_negative)
		take(l, '+');
	word = take_word(l);
	if (word.n && word.n < sizeof(digits) && isdigit((unsigned char)*word.p)) {
		memcpy(digits, word.p, word.n);
		digits[word.n] = 0;
		v = strtoull(digits, &rest, strncmp(digits, "0x", 2) ? 10 : 16);
		if (!*rest && word.n <= 20 && v <= (is_negative ? -(uint64_t)min : max)) {
			*ret = is_negative ? -v : v;
			return true;
		}
	}
	l->p = begin;
	return false;
}

static bool take_imm(struct line *l, int32_t *ret)
{
	uint64_t v;

	if (!take_number(l, INT32_MIN, l->imm_max, &v))
		return false;
	*ret = (int32_t)(uint32_t)v;
	return true;
}

static bool take_reg(struct line *l, char kind, unsigned int *ret)
{
	const char *begin = l->p;
	uint64_t v;

	if (take(l, kind) && l->p < l->end && isdigit((unsigned char)*l->p) &&
	    take_number(l, 0, BPF_REG_10, &v)) {
		*ret = (unsigned int)v;
		return true;
	}
	l->p = begin;
	return false;
}

/* The same register, where it is written twice. */
static bool take_dst(struct line *l, char kind)
{
	unsigned int reg;

	if (!take_reg(l, kind, &reg) || (l->has_dst && reg != l->insn[0].dst_reg))
		return false;
	l->insn[0].dst_reg = reg;
	l->has_dst = true;
	return true;
}

static bool take_src(struct line *l, char kind)
{
	unsigned int reg;

	if (!take_reg(l, kind, &reg) || (l->has_src && reg != l->insn[0].src_reg))
		return false;
	l->insn[0].src_reg = reg;
	l->has_src = true;
	return true;
}

/* "+ 8", "- 8" or nothing. */
static bool take_off(struct line *l)
{
	uint64_t v = 0;

	skip_space(l);
	if (l->p < l->end && (*l->p == '+' || *l->p == '-') &&
	    !take_number(l, INT16_MIN, INT16_MAX, &v))
		return false;
	l->insn[0].off = (int16_t)v;
	return true;
}

/* Where a jump or call goes: "+3", or a label. */
static bool take_target(struct line *l, bool is_long)
{
	uint64_t v;

	skip_space(l);
	l->is_long = is_long;
	if (l->p < l->end && (*l->p == '+' || *l->p == '-')) {
		if (!take_number(l, is_long ? INT32_MIN : INT16_MIN,
				 is_long ? INT32_MAX : INT16_MAX, &v))
			return false;
		if (is_long)
			l->insn[0].imm = (int32_t)v;
		else
			l->insn[0].off = (int16_t)v;
		return true;
	}
	l->label = take_word(l);
	return l->label.n > 0;
}

static bool take_field(struct line *l, char field)
{
	switch (field) {
	case 'd':
		return take_dst(l, 'r');
	case 'D':
		return take_dst(l, 'w');
	case 's':
		return take_src(l, 'r');
	case 'S':
		return take_src(l, 'w');
	case 'i':
		return take_imm(l, &l->insn[0].imm);
	case 'o':
		return take_off(l);
	case 'j':
		return take_target(l, false);
	case 'J':
		return take_target(l, true);
	default:
		return false;
	}
}

/* "r1 = map[3] ll" and its like, by the row's kind of constant. */
static bool take_wide(struct line *l, const struct insn_row *row)
{
	static const char *const kinds[] = {
		[BPF_PSEUDO_MAP_FD] = "map[",	   [BPF_PSEUDO_MAP_VALUE] = "map_value[",
		[BPF_PSEUDO_BTF_ID] = "ksym[",	   [BPF_PSEUDO_FUNC] = "func[",
		[BPF_PSEUDO_MAP_IDX] = "map_idx[", [BPF_PSEUDO_MAP_IDX_VALUE] = "map_idx_value["};
	const char *begin;
	uint64_t v;

	l->is_wide = true;
	if (!take_dst(l, 'r') || !take(l, '='))
		return false;
	if (!row->src) {
		begin = l->p;
		if (!take_number(l, INT64_MIN, UINT64_MAX, &v))
			return false;
		l->insn[0].imm = (int32_t)(uint32_t)v;
		l->insn[1].imm = (int32_t)(v >> 32);
		if (take_text(l, "ll"))
			return true;
		l->p = begin;
		return false;
	}
	if (!take_text(l, kinds[row->src]))
		return false;
	if (row->src == BPF_PSEUDO_FUNC ? !take_target(l, true) : !take_imm(l, &l->insn[0].imm))
		return false;
	if (!take(l, ']') || (take(l, '+') && !take_imm(l, &l->insn[1].imm)))
		return false;
	return take_text(l, "ll");
}

static bool take_call(struct assembler *a, struct line *l, const struct insn_row *row)
{
	struct str word;
	uint64_t off;

	if (!take_text(l, "call "))
		return false;
	if (row->src == BPF_PSEUDO_KFUNC_CALL) {
		if (!take_text(l, "kfunc[") || !take_imm(l, &l->insn[0].imm))
			return false;
		if (take(l, ',')) {
			if (!take_number(l, INT16_MIN, INT16_MAX, &off))
				return false;
			l->insn[0].off = (int16_t)off;
		}
		return take(l, ']');
	}
	if (row->src == BPF_PSEUDO_CALL)
		return take_target(l, true);
	skip_space(l);
	if (l->p < l->end && isdigit((unsigned char)*l->p))
		return take_imm(l, &l->insn[0].imm);
	word = take_word(l);
	if (!word.n || !a->names || !a->names->helper)
		return false;
	return a->names->helper(a->names->ctx, word, &l->insn[0].imm);
}

/* Spaces may be left out or added, but not within a word of the row's text. */
static bool take_row(struct assembler *a, struct line *l, const struct insn_row *row)
{
	const char *s = row->text, *word = l->p;

	if (!strcmp(s, "@wide"))
		return take_wide(l, row);
	if (!strcmp(s, "@call"))
		return take_call(a, l, row);
	for (; *s; s++) {
		if (*s == '$' && s[1]) {
			if (!take_field(l, *++s))
				return false;
			continue;
		}
		if (s == row->text || !is_word(s[-1]) || !is_word(*s)) {
			skip_space(l);
			word = l->p;
		}
		if (*s == ' ')
			continue;
		if (l->p == l->end || *l->p != *s) {
			l->p = word;
			return false;
		}
		l->p++;
	}
	return true;
}

static void fill(struct bpf_insn *i, const struct insn_row *row)
{
	i->code = row->code;
	if (row->dst != INSN_ANY)
		i->dst_reg = (uint8_t)row->dst & 15;
	if (row->src != INSN_ANY)
		i->src_reg = (uint8_t)row->src & 15;
	if (row->off != INSN_ANY)
		i->off = (int16_t)row->off;
	if (row->imm != INSN_ANY)
		i->imm = (int32_t)row->imm;
}

/* ".byte 0xff 0x12 -1 5": code, registers (destination, source), offset, immediate. */
static bool take_bytes(struct line *l)
{
	uint64_t code, regs, off;

	if (!take_text(l, ".byte ") || !take_number(l, 0, 255, &code) ||
	    !take_number(l, 0, 255, &regs) || !take_number(l, INT16_MIN, UINT16_MAX, &off) ||
	    !take_imm(l, &l->insn[0].imm))
		return false;
	l->insn[0].code = (uint8_t)code;
	l->insn[0].dst_reg = regs >> 4;
	l->insn[0].src_reg = regs & 15;
	l->insn[0].off = (int16_t)off;
	return true;
}

static void emit(struct assembler *a, const struct line *l, const char *begin)
{
	uint32_t at = (uint32_t)a->code.n;
	const char *end = l->end;

	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	for (int i = 0; i <= l->is_wide; i++) {
		array_push(a->arena, &a->code, l->insn[i]);
		array_push(a->arena, &a->spans, span_of(a, begin, end));
	}
	if (l->label.n) {
		struct fixup f = {l->label, at, l->is_long,
				  span_of(a, l->label.p, l->label.p + l->label.n)};

		array_push(a->arena, &a->fixups, f);
	}
}

static bool at_end(struct line *l)
{
	skip_space(l);
	return l->p == l->end;
}

static bool is_label(const struct assembler *a, struct str name)
{
	for (size_t i = 0; i < a->labels.n; i++)
		if (str_eq(a->labels.p[i].name, name))
			return true;
	return false;
}

/* Is the immediate a number of 64 bits in the end? */
static bool extends_sign(const struct insn_row *row)
{
	unsigned int class = BPF_CLASS(row->code);

	return class == BPF_ALU64 || (class == BPF_JMP && BPF_OP(row->code) != BPF_CALL) ||
	       (class == BPF_ST && row->bytes == 8);
}

static void read_insn(struct assembler *a, const char *begin, const char *end)
{
	struct line l = {.p = begin, .end = end, .imm_max = UINT32_MAX};
	const char *farthest = begin;
	enum insn_id id = 0;

	if (take_bytes(&l) && at_end(&l)) {
		emit(a, &l, begin);
		return;
	}
	for (; id < INSN_COUNT; id++) {
		const struct insn_row *row = insn_row_of(id);

		l = (struct line){.p = begin, .end = end};
		l.imm_max = extends_sign(row) ? INT32_MAX : UINT32_MAX;
		if (take_row(a, &l, row) && at_end(&l)) {
			fill(&l.insn[0], row);
			emit(a, &l, begin);
			return;
		}
		if (l.p > farthest)
			farthest = l.p;
	}
	l.p = farthest;
	skip_space(&l);
	if (farthest == begin)
		diag(a->d, D_ASM_SYNTAX, span_of(a, begin, end), "there is no such instruction");
	else if (l.p == l.end)
		diag(a->d, D_ASM_SYNTAX, span_of(a, begin, end), "the instruction is not complete");
	else
		diag(a->d, D_ASM_SYNTAX, span_of(a, l.p, end), "no instruction goes on like this");
}

/* One line without its comment: labels, and perhaps an instruction. */
static void read_line(struct assembler *a, const char *begin, const char *end)
{
	struct line l = {.p = begin, .end = end};

	for (;;) {
		struct str name;
		const char *back;

		skip_space(&l);
		back = l.p;
		name = take_word(&l);
		if (name.n && take(&l, ':')) {
			struct label label = {name, (uint32_t)a->code.n,
					      span_of(a, name.p, name.p + name.n)};

			if (is_label(a, name))
				diag(a->d, D_ASM_SYNTAX, label.span, "'%.*s' is there twice",
				     (int)name.n, name.p);
			array_push(a->arena, &a->labels, label);
			continue;
		}
		l.p = back;
		break;
	}
	if (!at_end(&l))
		read_insn(a, l.p, l.end);
}

static void fix(struct assembler *a, const struct fixup *f)
{
	const struct label *to = NULL;
	int64_t distance;

	for (size_t i = 0; i < a->labels.n && !to; i++)
		if (str_eq(a->labels.p[i].name, f->name))
			to = &a->labels.p[i];
	if (!to) {
		diag(a->d, D_ASM_SYNTAX, f->span, "there is no label '%.*s'", (int)f->name.n,
		     f->name.p);
		return;
	}
	distance = (int64_t)to->insn - f->insn - 1;
	if (f->is_long) {
		a->code.p[f->insn].imm = (int32_t)distance;
		return;
	}
	if (distance < INT16_MIN || distance > INT16_MAX)
		diag(a->d, D_ASM_SYNTAX, f->span, "'%.*s' is too far; gotol reaches it",
		     (int)f->name.n, f->name.p);
	a->code.p[f->insn].off = (int16_t)distance;
}

bool asm_parse(struct diags *d, uint32_t file, const struct asm_names *names, struct arena *arena,
	       struct asm_program *ret)
{
	struct str text = d->sources.p[file].text;
	struct assembler a = {.d = d, .file = file, .text = text.p, .names = names, .arena = arena};
	const char *p = text.p, *end = text.p + text.n;
	unsigned int errors = d->errors;

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p)), *stop = p;

		if (!line)
			line = end;
		while (stop < line && *stop != '#' && *stop != ';')
			stop++;
		read_line(&a, p, stop);
		p = line < end ? line + 1 : end;
	}
	for (size_t i = 0; i < a.fixups.n; i++)
		fix(&a, &a.fixups.p[i]);
	if (d->errors > errors)
		return false;
	*ret = (struct asm_program){a.code.p, a.spans.p, a.code.n};
	return true;
}
