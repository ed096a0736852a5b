/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep explain`: hooks, maps, and instructions beside the lines that they come from.
 */
#include "agent/trace-internal.h"
#include "compile/ir/helper.h"
#include "isa/disasm.h"
#include "runtime/query.h"

#include <inttypes.h>

static const char *loss_word(enum question_loss_kind kind)
{
	switch (kind) {
	case QLOSS_RING:
		return "records without room";
	case QLOSS_MAP:
		return "updates without room";
	case QLOSS_STACK:
		return "stacks without room";
	case QLOSS_STRING:
		return "cut texts";
	case QLOSS_READ:
		return "failed reads";
	}
	return "?";
}

static const char *map_type_word(const struct question_map *m)
{
	switch (m->type) {
	case BPF_MAP_TYPE_HASH:
		return m->n_stripes ? "hash, a value a cpu" : "hash";
	case BPF_MAP_TYPE_ARRAY:
		return m->n_stripes ? "array, a value a cpu" : "array";
	case BPF_MAP_TYPE_PERCPU_HASH:
		return "per-cpu hash";
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return "per-cpu array";
	case BPF_MAP_TYPE_LRU_HASH:
		return "lru hash";
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return "per-cpu lru hash";
	case BPF_MAP_TYPE_RINGBUF:
		return "ring buffer";
	case BPF_MAP_TYPE_STACK_TRACE:
		return "stack trace";
	default:
		return "map";
	}
}

/*
 * Measured on Linux 6.18, a call of 309 ns: 18 ns more where the number is another one (5 with
 * a perf event on one call alone), 69 ns more where it is asked for (a perf event: 167).
 */
#define ALL_CALLS                                                                               \
	"all system calls, told apart by number: 13 ns for each other call, but 100 ns less a " \
	"hit than a perf event, and 0.1 ms to detach, not 70"

static const char *hook_word(const struct question_probe *p)
{
	if (!str_starts(str_of(p->name), STR("tracepoint:syscalls:")))
		return attach_kinds[p->attach].does;
	if (p->attach == QATTACH_TP_BTF)
		return "tp_btf: " ALL_CALLS;
	if (p->attach == QATTACH_RAW_TP)
		return "raw tracepoint: " ALL_CALLS;
	return attach_kinds[p->attach].does;
}

static void explain_probes(const struct question *q, FILE *out)
{
	fprintf(out, "probes\n");
	for (size_t i = 0; i < q->probes.n; i++) {
		const struct question_probe *p = &q->probes.p[i];

		fprintf(out, "  %s\n", p->name);
		if (p->prog >= q->progs.n)
			continue;
		fprintf(out, "    %s; program %s, %u instructions\n", hook_word(p),
			q->progs.p[p->prog].name, q->progs.p[p->prog].n_insns);
	}
}

static void explain_maps(const struct question *q, FILE *out)
{
	struct buf type = {0};

	fprintf(out, "\nmaps\n");
	for (size_t i = 0; i < q->maps.n; i++) {
		const struct question_map *m = &q->maps.p[i];

		fprintf(out, "  %-12s %s, %u × (%u → %u bytes)", m->name, map_type_word(m),
			m->max_entries, m->key_size, m->value_size);
		if (m->grows)
			fputs(", grows", out);
		if (m->kind == QMAP_NAMED) {
			buf_reset(&type);
			if (m->key) {
				type_print(m->key, &type);
				buf_puts(&type, " → ");
			}
			type_print(m->value, &type);
			fprintf(out, ": %s", type.p);
		}
		fputc('\n', out);
	}
	buf_done(&type);
}

/* What an object that --emit wrote (agent/portable.c) asks of a machine. */
static void explain_facts(const struct question *q, FILE *out)
{
	static const char *const words[] = {
		[QFACT_MEMBER] = "member",  [QFACT_FIELD] = "field of tracepoint",
		[QFACT_KSYM] = "symbol",    [QFACT_CPUS] = "number of processors",
		[QFACT_SIZE] = "size of",   [QFACT_LAYOUT] = "layout of",
		[QFACT_PROTO] = "function", [QFACT_ENUM] = "number",
		[QFACT_BINARY] = "program", [QFACT_KERNEL] = "this very kernel",
	};

	if (q->facts.n)
		fprintf(out, "\nof the machine\n");
	for (size_t i = 0; i < q->facts.n; i++) {
		const struct question_fact *f = &q->facts.p[i];
		size_t fixes = 0;

		for (size_t k = 0; k < q->fixes.n; k++)
			fixes += q->fixes.p[k].fact == i;
		fprintf(out, "  %s%s%s%s%s", words[f->kind], *f->type ? " " : "", f->type,
			*f->path ? "." : "", f->path);
		if (f->kind == QFACT_MEMBER || f->kind == QFACT_FIELD)
			fprintf(out, " at %llu", (unsigned long long)f->value);
		if (fixes)
			fprintf(out, ": %zu number%s follow%s it", fixes, fixes == 1 ? "" : "s",
				fixes == 1 ? "s" : "");
		else if (f->is_movable)
			fprintf(out, ": looked up again");
		else
			fprintf(out, ": must be the same");
		fputc('\n', out);
	}
}

/* --- code */

struct code {
	const struct question *q;
	const struct question_prog *prog;
	size_t reloc, line, func; /* the next ones */
	unsigned int shown_line;
};

static const char *helper(void *ctx, int32_t id)
{
	(void)ctx;
	return ir_helper_name((unsigned int)id);
}

static const char *symbol(void *ctx, size_t insn)
{
	const struct code *c = ctx;

	for (size_t i = 0; i < c->prog->n_relocs; i++) {
		const struct question_reloc *r = &c->prog->relocs[i];

		if (r->insn != insn)
			continue;
		return r->name ? r->name : c->q->maps.p[r->map].name;
	}
	return NULL;
}

/* The source's line, if it is another than the last that was shown. */
static void show_line(struct code *c, struct span span, FILE *out)
{
	struct place p;
	struct str text;
	const char *line, *end;

	if (!span.end || span.file >= c->q->diags.sources.n)
		return;
	p = diag_place(&c->q->diags, span);
	if (p.line == c->shown_line)
		return;
	c->shown_line = p.line;
	text = c->q->diags.sources.p[span.file].text;
	line = text.p;
	for (unsigned int n = 1; n < p.line; n++)
		line = (const char *)memchr(line, '\n', (size_t)(text.p + text.n - line)) + 1;
	end = memchr(line, '\n', (size_t)(text.p + text.n - line));
	fprintf(out, "  %4u | %.*s\n", p.line, (int)((end ? end : text.p + text.n) - line), line);
}

static void explain_program(const struct question *q, const struct question_prog *prog, FILE *out)
{
	struct code c = {.q = q, .prog = prog};
	struct disasm_names names = {helper, symbol, &c};
	struct buf text = {0};

	fprintf(out, "\nprogram %s\n", prog->name);
	for (size_t at = 0; at < prog->n_insns;) {
		while (c.func < prog->n_funcs && prog->funcs[c.func].insn == at)
			fprintf(out, "  %s:\n", prog->funcs[c.func++].name);
		while (c.line < prog->n_lines && prog->lines[c.line].insn <= at)
			show_line(&c, prog->lines[c.line++].span, out);
		buf_reset(&text);
		buf_printf(&text, "    %4zu: ", at);
		at += disasm_one(prog->insns, prog->n_insns, at, &names, &text);
		fprintf(out, "%s\n", text.p);
	}
	buf_done(&text);
}

/* A program may serve several probes; its runs are those of all of them. */
void trace_explain_run(struct trace *t)
{
	fprintf(t->out, "\nrun\n  %-20s %12s %12s %12s\n", "program", "hits", "ns per hit",
		"ms in all");
	for (size_t i = 0; i < t->q.progs.n; i++) {
		uint64_t runs, ns;

		if (query_stats(t->query, (uint32_t)i, &runs, &ns) < 0)
			continue;
		fprintf(t->out, "  %-20s %12" PRIu64, t->q.progs.p[i].name, runs);
		if (runs && ns)
			fprintf(t->out, " %12" PRIu64 " %12.3f\n", ns / runs, (double)ns / 1e6);
		else
			fprintf(t->out, " %12s %12s\n", "-", "-");
	}
	for (size_t i = 0; i < t->q.losses.n; i++) {
		const struct question_loss *l = &t->q.losses.p[i];
		uint64_t n = query_loss(t->query, (uint32_t)i);

		if (n)
			fprintf(t->out, "  lost: %" PRIu64 ", %s of %s\n", n, loss_word(l->kind),
				l->what);
	}
}

void trace_explain(struct trace *t)
{
	explain_probes(&t->q, t->out);
	explain_maps(&t->q, t->out);
	explain_facts(&t->q, t->out);
	for (size_t i = 0; i < t->q.progs.n; i++)
		explain_program(&t->q, &t->q.progs.p[i], t->out);
}
