/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions to lines of the source.
 *
 * .BTF.ext says for an instruction: file, line, column, and the line's text.  So messages can
 * underline what they mean although the source is not at hand.  For each file a text is put
 * together that has the known lines at their numbers and nothing between them; a span of it is
 * printed like one of a real source.
 *
 * Records say where something begins, not where it ends: a name, what hangs on it (->x, [i], a
 * call's parentheses), or else the rest of the line is taken for it.
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

#include <ctype.h>
#include <stdlib.h>

/* Longer lines are cut; files and all texts together end somewhere. */
enum { TEXT_MAX = 2048, NUMBER_MAX = 1 << 18, ALL_MAX = 1 << 22 };

struct line {
	uint32_t file, line;
	struct str text;
	uint32_t begin; /* in the file's text */
};

struct lines {
	ARRAY(const char *) files; /* their names */
	struct map by_name;	   /* hash → index + 1 */
	ARRAY(struct line) list;   /* by file and line, each once */
	uint32_t *sources;	   /* by file: index in diags; OBJECT_NONE */
};

static uint32_t file_of(struct loader *l, struct lines *x, const char *name)
{
	struct str s = {name, strnlen(name, OBJECT_NAME_MAX)};
	uint64_t hash = str_hash(s);
	uint32_t i = (uint32_t)(uintptr_t)map_get(&x->by_name, hash);

	if (i)
		return i - 1;
	array_push(&l->scratch, &x->files, arena_strndup(&l->scratch, s.p, s.n));
	map_put(&x->by_name, hash, (void *)(uintptr_t)x->files.n);
	return (uint32_t)x->files.n - 1;
}

static int by_line(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	/* a text before none */
	return (x->text.n < y->text.n) - (x->text.n > y->text.n);
}

static const struct bpf_line_info *record(const struct object_section *s, uint32_t i)
{
	return (const void *)(s->lines.p + (size_t)i * s->lines.step);
}

static struct line line_of(struct loader *l, struct lines *x, const struct bpf_line_info *r)
{
	const struct btf_view *v = &l->object->btf;
	const char *text = btf_view_string(v, r->line_off);

	return (struct line){.file = file_of(l, x, btf_view_string(v, r->file_name_off)),
			     .line = BPF_LINE_INFO_LINE_NUM(r->line_col),
			     .text = {text, strcspn(text, "\n")}};
}

/* What all records say of lines; a file that repeats itself is heard once. */
static void collect(struct loader *l, struct lines *x)
{
	size_t n = 0;

	for (uint32_t i = 1; i < l->elf.n_sections; i++)
		for (uint32_t k = 0; k < l->sections[i].lines.n; k++) {
			struct line line = line_of(l, x, record(&l->sections[i], k));

			line.text.n = MIN(line.text.n, (size_t)TEXT_MAX);
			if (line.line && line.line < NUMBER_MAX)
				array_push(&l->scratch, &x->list, line);
		}
	if (x->list.n)
		qsort(x->list.p, x->list.n, sizeof(*x->list.p), by_line);
	for (size_t i = 0; i < x->list.n; i++) {
		const struct line *line = &x->list.p[i];

		if (!n || x->list.p[n - 1].file != line->file ||
		    x->list.p[n - 1].line != line->line)
			x->list.p[n++] = *line;
	}
	x->list.n = n;
}

/* One file's text; lines from `i` on.  Returns where the next file's begin. */
static size_t make_source(struct loader *l, struct lines *x, size_t i, size_t *left)
{
	_cleanup_buf_ struct buf text = {0};
	uint32_t file = x->list.p[i].file, at = 1;
	size_t end = i, need = 0;

	for (; end < x->list.n && x->list.p[end].file == file; end++)
		need += x->list.p[end].text.n;
	need += x->list.p[end - 1].line;
	x->sources[file] = OBJECT_NONE;
	if (need > *left)
		return end;
	*left -= need;
	for (; i < end; i++) {
		for (; at < x->list.p[i].line; at++)
			buf_putc(&text, '\n');
		x->list.p[i].begin = (uint32_t)text.n;
		buf_put_str(&text, x->list.p[i].text);
	}
	x->sources[file] = diag_source(l->diags, x->files.p[file], buf_str(&text));
	return end;
}

/* --- how far does it go? */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Behind the bracket that closes the one at `i`; s.n: none does. */
static size_t behind_bracket(struct str s, size_t i)
{
	size_t depth = 0;

	for (; i < s.n; i++) {
		if (strchr("([", s.p[i]) && s.p[i])
			depth++;
		else if (s.p[i] && strchr(")]", s.p[i]) && --depth == 0)
			return i + 1;
	}
	return s.n;
}

static size_t trimmed(struct str s)
{
	while (s.n && strchr(" \t{;", s.p[s.n - 1]))
		s.n--;
	return s.n;
}

/* The end of what begins at `i`: a name and what hangs on it, or the rest. */
static size_t extent(struct str s, size_t i)
{
	static const char *const statements[] = {"asm", "if",	"for",	"while", "return", "switch",
						 "do",	"else", "case", "goto",	 "int"};
	size_t begin = i, end = trimmed(s);

	while (i < s.n && s.p[i] && strchr("*&!~-", s.p[i]))
		i++;
	if (i >= end || !is_word(s.p[i]))
		return MAX(end, begin);
	for (size_t k = 0; k < ELEMENTS(statements); k++) {
		size_t n = strlen(statements[k]);

		if (s.n - i >= n && !memcmp(s.p + i, statements[k], n) &&
		    (i + n == s.n || !is_word(s.p[i + n])))
			return end;
	}
	while (i < end) {
		if (is_word(s.p[i]) || s.p[i] == '.')
			i++;
		else if (s.p[i] == '-' && i + 1 < end && s.p[i + 1] == '>')
			i += 2;
		else if (s.p[i] == '(' || s.p[i] == '[')
			i = behind_bracket(s, i);
		else
			break;
	}
	return MIN(i, end);
}

static const struct line *find_line(const struct lines *x, uint32_t file, uint32_t number)
{
	struct line key = {.file = file, .line = number};
	size_t low = 0, high = x->list.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct line *p = &x->list.p[mid];

		if (p->file == key.file && p->line == key.line)
			return p;
		if (p->file < key.file || (p->file == key.file && p->line < key.line))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct span span_of(struct loader *l, struct lines *x, const struct bpf_line_info *r)
{
	uint32_t file = file_of(l, x, btf_view_string(&l->object->btf, r->file_name_off));
	const struct line *line = find_line(x, file, BPF_LINE_INFO_LINE_NUM(r->line_col));
	uint32_t column = BPF_LINE_INFO_LINE_COL(r->line_col);
	size_t begin, end;

	if (!line || x->sources[file] == OBJECT_NONE)
		return OBJECT_NOWHERE;
	begin = column ? column - 1 : strspn(line->text.p, " \t");
	begin = MIN(begin, line->text.n);
	end = extent(line->text, begin);
	return (struct span){x->sources[file], line->begin + (uint32_t)begin,
			     line->begin + (uint32_t)end};
}

static int by_insn(const void *a, const void *b)
{
	const struct question_line *x = a, *y = b;

	return (x->insn > y->insn) - (x->insn < y->insn);
}

static void make_table(struct loader *l, struct lines *x, struct object_section *s)
{
	uint32_t n = 0;

	s->line_table = arena_array(&l->scratch, struct question_line, s->lines.n);
	for (uint32_t i = 0; i < s->lines.n; i++) {
		const struct bpf_line_info *r = record(s, i);

		if (r->insn_off / sizeof(struct bpf_insn) < s->n_insns)
			s->line_table[s->n_lines++] = (struct question_line){
				.insn = r->insn_off / sizeof(struct bpf_insn),
				.span = span_of(l, x, r),
			};
	}
	if (s->n_lines)
		qsort(s->line_table, s->n_lines, sizeof(*s->line_table), by_insn);
	for (uint32_t i = 0; i < s->n_lines; i++)
		if (!n || s->line_table[n - 1].insn != s->line_table[i].insn)
			s->line_table[n++] = s->line_table[i];
	s->n_lines = n;
}

void object_read_lines(struct loader *l)
{
	struct lines x = {0};
	size_t left = ALL_MAX;

	collect(l, &x);
	x.sources = arena_array(&l->scratch, uint32_t, x.files.n + 1);
	for (size_t i = 0; i <= x.files.n; i++)
		x.sources[i] = OBJECT_NONE;
	for (size_t i = 0; i < x.list.n;)
		i = make_source(l, &x, i, &left);
	for (uint32_t i = 1; i < l->elf.n_sections; i++)
		if (l->sections[i].lines.n)
			make_table(l, &x, &l->sections[i]);
	map_done(&x.by_name);
}

struct span object_span(const struct object_section *s, uint32_t insn)
{
	uint32_t low = 0, high = s->n_lines;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->line_table[mid].insn <= insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? s->line_table[low - 1].span : OBJECT_NOWHERE;
}
