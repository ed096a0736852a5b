/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts: any bytes go through the whole compile line, on a machine made of tables.
 *
 * After parse: either there is a tree or an error; no tree is higher than the phases
 * behind may recurse; a program that was printed once is printed the same again.  After
 * expand: nothing of what it resolves is left.  At the end: every message has a place that
 * is in the text, none tells of a mistake of ours, and the code is well formed; that of
 * -O0 for a bare kernel too.
 */
#include "code.h"

#include "compile/gen/gen.h"
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/parse.h"
#include "compile/lang/bpftrace/tree.h"
#include "compile/pipeline.h"
#include "fuzz-kernel.h"
#include "isa/elf.h"
#include "rt-object.h"
#include "unit/compile/lang/bpftrace/world-fake.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const positional[] = {"7", "k:\"a b\":$1", "", "-3"};
static const char *const environment[] = {
	"BPFTRACE_MAX_STRLEN=9",
	"BPFTRACE_UNSTABLE_TYPEINFO=enable",
	"BPFTRACE_UNSTABLE_TSERIES=enable",
	NULL,
};
static const struct script_params params = {
	.positional = positional,
	.n = ELEMENTS(positional),
	.directory = "/nonexistent",
	.environment = environment,
};

/* --- parser and expansion */

static bool check_expr(struct walk *w, struct expr **at)
{
	const struct expr *e = *at;

	check_span(w->ctx, e->span);
	check_span(w->ctx, e->op_span);
	must(e->height <= HEIGHT_MAX + 1);
	return true;
}

static bool check_expanded(struct walk *w, struct expr **at)
{
	must((*at)->kind != EXPR_PARAM && (*at)->kind != EXPR_PARAM_COUNT);
	return check_expr(w, at);
}

static void check_points(const struct program *p)
{
	for (size_t i = 0; i < p->probes.n; i++) {
		const struct probe *probe = p->probes.p[i];

		for (size_t k = 0; k < probe->points.n; k++)
			must(probe->points.p[k]->parts.n && probe->points.p[k]->provider);
	}
}

static bool check_tree(struct diags *d, struct program *p)
{
	struct question_config config = {.license = "GPL"};
	struct walk before = {.enter = check_expr, .ctx = d};
	struct walk after = {.enter = check_expanded, .ctx = d};
	unsigned int errors = d->errors;

	walk_program(&before, p, true);
	if (!expand_program(d, p, &params, &config)) {
		must(d->errors > errors);
		return false;
	}
	must(d->errors == errors && !p->macros.n);
	walk_program(&after, p, false);
	check_points(p);
	return true;
}

/* True: it is worth while to go on. */
static bool parse(struct str text)
{
	_cleanup_buf_ struct buf b = {}, again = {};
	struct arena arena = {};
	struct diags d = {.arena = &arena};
	struct program *p;
	bool ok = false;

	p = parse_program(&d, diag_source(&d, "fuzz", text));
	must(!p == (d.errors > 0));
	if (p) {
		ast_print(p, &b);
		ok = check_tree(&d, p);
		buf_reset(&b);
		ast_print(p, &b);
		ast_print(p, &again);
		must(str_eq(buf_str(&b), buf_str(&again)));
	}
	check_messages(&d);
	arena_done(&arena);
	return ok;
}

/* --- the whole line */

static void check_rows(const struct question *q)
{
	for (size_t i = 0; i < q->probes.n; i++)
		must(q->probes.p[i].attach == QATTACH_NONE || q->probes.p[i].prog < q->progs.n);
	for (size_t i = 0; i < q->actions.n; i++)
		must(!q->actions.p[i].map || q->actions.p[i].map < q->maps.n);
	for (size_t i = 0; i < q->maps.n; i++)
		must(!q->maps.p[i].key || q->maps.p[i].key->size <= q->maps.p[i].key_size);
}

/* Only through a pointer that was made by & can a script leave a variable. */
static void check_outside(const struct diags *d, struct str text)
{
	for (size_t i = 0; i < d->list.n; i++)
		if (d->list.p[i].id == D_INDEX && strstr(d->list.p[i].text, " of slot "))
			must(memchr(text.p, '&', text.n));
}

static bool compile(struct str text, struct world *w, const struct rt_library *rt, int level)
{
	struct compile_options o = {
		.name = "fuzz",
		.text = text,
		.params = params,
		.check = {.world = w, .pid = level ? -1 : 77, .has_child = true, .is_test = true},
		.rt = rt,
		.level = level,
	};
	struct question q;
	bool ok;

	question_init(&q);
	ok = compile_bpftrace(&q, &o);
	must(ok == !q.diags.errors);
	check_messages(&q.diags);
	check_outside(&q.diags, text);
	if (ok) {
		check_rows(&q);
		for (size_t i = 0; i < q.progs.n; i++)
			check_code(&q, &q.progs.p[i], world_has(w, WORLD_CPU_V4) ? 4 : 3);
	}
	question_done(&q);
	world_fake_forget(w);
	return ok;
}

/* What a kernel has; `without` as world_fake_new() takes it. */
static struct world *make_world(uint64_t without)
{
	struct elf_view v;
	struct elf_section s;
	void *copy = memcpy(malloc(fuzz_kernel_size), fuzz_kernel, fuzz_kernel_size);
	struct world *w;

	must(elf_view_init(&v, copy, fuzz_kernel_size) == 0);
	must(elf_section_find(&v, ".BTF", &s));
	w = world_fake_new_blob(without, s.bytes.p, s.bytes.n);
	must(world_fake_has_btf(w));
	free(copy);
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n};
	static struct world *today, *bare;
	static struct rt_library *rt;

	if (!today) {
		today = make_world(0);
		bare = make_world(~0ull & ~(1ull << WORLD_KPROBE));
		must(rt_library_open(rt_object, rt_object_size, &rt) == 0);
	}
	if (parse(text) && compile(text, today, rt, 2))
		compile(text, bare, rt, 0);
	return 0;
}
