/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a saved question consists of, struct by struct, in the order of question.h.
 *
 * Each function is both the writer and the reader (question-form.h).  A new member of a
 * struct is a line here and a new QUESTION_SAVE_VERSION.  What was read is looked through
 * by question-check.c before anybody sees it.
 */
#include "catalog/question-save.h"

#include "catalog/question-check.h"
#include "catalog/question-form.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>

static const char magic[8] = "skepqst";

/* The order of bytes is this machine's, and so are system calls and registers. */
enum {
#if defined(__x86_64__)
	MACHINE = EM_X86_64
#elif defined(__aarch64__)
	MACHINE = EM_AARCH64
#else
	MACHINE = EM_NONE
#endif
};

static void walk_text(struct form *f, const char **s)
{
	form_string(f, s);
	if (!*s)
		form_wrong(f, "a text");
}

static void walk_number64(struct form *f, uint64_t *v)
{
	*v = form_number(f, *v);
}

static void walk_span(struct form *f, struct span *s)
{
	NUMBER(f, s->file);
	NUMBER(f, s->begin);
	NUMBER(f, s->end);
}

static void walk_source(struct form *f, struct source *s)
{
	const void *text = s->text.p;

	walk_text(f, &s->name);
	form_bytes(f, &text, &s->text.n);
	s->text.p = text;
	walk_span(f, &s->from);
	FLAG(f, s->is_expansion);
}

static void walk_map(struct form *f, struct question_map *m)
{
	size_t n = m->init ? m->value_size : 0;
	bool has_init = m->init;

	assert(!m->n_stripes);
	walk_text(f, &m->name);
	BELOW(f, m->kind, QMAP_OTHER + 1);
	NUMBER(f, m->type);
	NUMBER(f, m->flags);
	NUMBER(f, m->key_size);
	NUMBER(f, m->value_size);
	NUMBER(f, m->max_entries);
	form_type(f, &m->key, false);
	form_type(f, &m->value, false);
	FLAG(f, m->is_per_cpu);
	FLAG(f, m->grows);
	NUMBER(f, m->bucket_offset);
	FLAG(f, has_init);
	if (has_init) {
		form_bytes(f, &m->init, &n);
		if (n != m->value_size)
			form_wrong(f, "a map's first value");
	}
	walk_span(f, &m->span);
}

static void walk_reloc(struct form *f, struct question_reloc *r)
{
	NUMBER(f, r->insn);
	BELOW(f, r->kind, QRELOC_KFUNC + 1);
	NUMBER(f, r->map);
	NUMBER(f, r->addend);
	form_string(f, &r->name);
}

static void walk_line(struct form *f, struct question_line *l)
{
	NUMBER(f, l->insn);
	walk_span(f, &l->span);
}

static void walk_func(struct form *f, struct question_func *x)
{
	form_string(f, &x->name);
	NUMBER(f, x->insn);
	NUMBER(f, x->n_params);
	FLAG(f, x->is_callback);
}

static void walk_prog(struct form *f, struct question_prog *p)
{
	size_t n = p->n_insns * sizeof(*p->insns);
	const void *insns = p->insns;

	walk_text(f, &p->name);
	NUMBER(f, p->prog_type);
	NUMBER(f, p->attach_type);
	form_string(f, &p->btf_name);
	form_string(f, &p->btf_module);
	FLAG(f, p->is_sleepable);
	form_bytes(f, &insns, &n);
	p->insns = insns;
	p->n_insns = (uint32_t)(n / sizeof(*p->insns));
	if (n % sizeof(*p->insns))
		form_wrong(f, "a program");
	ROWS(f, struct question_reloc, p->relocs, p->n_relocs, walk_reloc);
	ROWS(f, struct question_line, p->lines, p->n_lines, walk_line);
	ROWS(f, struct question_func, p->funcs, p->n_funcs, walk_func);
	walk_span(f, &p->span);
}

/* Lists beside each other: which there are, then n_targets of each. */
static void walk_targets(struct form *f, struct question_probe *p)
{
	const uint64_t **lists[] = {&p->addresses, &p->ref_ctrs, &p->cookies};
	bool has_names = p->targets, has;
	uint32_t n = p->n_targets;

	NUMBER(f, p->n_targets);
	FLAG(f, has_names);
	if (has_names)
		ROWS(f, const char *, p->targets, n, walk_text);
	if (n != p->n_targets && has_names)
		form_wrong(f, "a probe's targets");
	for (size_t i = 0; i < ELEMENTS(lists); i++) {
		has = *lists[i];
		n = p->n_targets;
		FLAG(f, has);
		if (has)
			ROWS(f, uint64_t, *lists[i], n, walk_number64);
		if (has && n != p->n_targets)
			form_wrong(f, "a probe's targets");
	}
}

static void walk_probe(struct form *f, struct question_probe *p)
{
	walk_text(f, &p->name);
	form_string(f, &p->func);
	BELOW(f, p->attach, QATTACHES);
	NUMBER(f, p->prog);
	NUMBER(f, p->cookie);
	form_string(f, &p->group);
	form_string(f, &p->target);
	form_string(f, &p->module);
	form_string(f, &p->binary);
	form_string(f, &p->pin);
	walk_targets(f, p);
	NUMBER(f, p->address);
	NUMBER(f, p->offset);
	NUMBER(f, p->ref_ctr);
	NUMBER(f, p->perf_type);
	NUMBER(f, p->perf_config);
	NUMBER(f, p->period);
	FLAG(f, p->is_freq);
	NUMBER(f, p->length);
	NUMBER(f, p->mode);
	NUMBER(f, p->number);
	SIGNED(f, p->pid);
	FLAG(f, p->is_optional);
	NUMBER(f, p->counts_as);
	walk_span(f, &p->span);
}

static void walk_action(struct form *f, struct question_action *x)
{
	BELOW(f, x->kind, QACTION_RUNTIME_ERROR + 1);
	form_string(f, &x->format);
	form_type(f, &x->args, false);
	NUMBER(f, x->map);
	form_string(f, &x->text);
	walk_span(f, &x->span);
}

static void walk_loss(struct form *f, struct question_loss *x)
{
	BELOW(f, x->kind, QLOSS_READ + 1);
	form_string(f, &x->what);
	walk_span(f, &x->span);
}

static void walk_fact(struct form *f, struct question_fact *x)
{
	BELOW(f, x->kind, QFACT_KERNEL + 1);
	walk_text(f, &x->type);
	walk_text(f, &x->path);
	NUMBER(f, x->value);
	NUMBER(f, x->size);
	NUMBER(f, x->bits);
	NUMBER(f, x->bit_offset);
	FLAG(f, x->is_movable);
	walk_span(f, &x->span);
}

static void walk_fix(struct form *f, struct question_fix *x)
{
	NUMBER(f, x->prog);
	NUMBER(f, x->insn);
	NUMBER(f, x->fact);
	SIGNED(f, x->factor);
	BELOW(f, x->where, QFIX_WIDE + 1);
}

static void walk_config(struct form *f, struct question_config *c)
{
	NUMBER(f, c->max_map_keys);
	NUMBER(f, c->max_strlen);
	NUMBER(f, c->max_cat_bytes);
	NUMBER(f, c->max_probes);
	NUMBER(f, c->max_bpf_progs);
	NUMBER(f, c->log_size);
	NUMBER(f, c->perf_rb_pages);
	NUMBER(f, c->on_stack_limit);
	form_string(f, &c->license);
	form_string(f, &c->str_trunc_trailer);
	form_string(f, &c->dummy_ts_map);
	BELOW(f, c->stack_mode, STACK_BUILD_ID + 1);
	BELOW(f, c->missing_probes, MISSING_IGNORE + 1);
	BELOW(f, c->cache_user_symbols, SYMBOLS_NONE + 1);
	FLAG(f, c->cpp_demangle);
	FLAG(f, c->lazy_symbolication);
	FLAG(f, c->print_maps_on_exit);
	FLAG(f, c->show_debug_info);
	FLAG(f, c->has_symbols_choice);
}

static void walk_question(struct form *f, struct question *q)
{
	int32_t *places[] = {
		&q->globals,	     &q->rodata,	  &q->ring,
		&q->scratch,	     &q->stacks,	  &q->lost,
		&q->global_cpid,     &q->global_start_ns, &q->global_ncpus,
		&q->global_epoch_ns, &q->global_stop,
	};

	LIST(f, &q->diags.sources, walk_source);
	LIST(f, &q->maps, walk_map);
	LIST(f, &q->progs, walk_prog);
	LIST(f, &q->probes, walk_probe);
	LIST(f, &q->actions, walk_action);
	LIST(f, &q->losses, walk_loss);
	LIST(f, &q->formats, walk_text);
	LIST(f, &q->strings, walk_text);
	LIST(f, &q->facts, walk_fact);
	LIST(f, &q->fixes, walk_fix);
	walk_config(f, &q->config);
	NUMBER(f, q->n_scratch);
	FLAG(f, q->wants_child);
	FLAG(f, q->has_program_types);
	FLAG(f, q->is_unsafe);
	for (size_t i = 0; i < ELEMENTS(places); i++)
		SIGNED(f, *places[i]);
}

/* Lines keep their lengths, words go. */
static struct str blanks(struct arena *a, struct str text)
{
	char *to = arena_strndup(a, text.p ? text.p : "", text.n);

	for (size_t i = 0; i < text.n; i++)
		if (to[i] != '\n')
			to[i] = ' ';
	return (struct str){to, text.n};
}

void question_save(const struct question *q, const struct question_save_options *o, struct buf *to)
{
	struct arena scratch = {0};
	struct form f = {.to = to, .arena = &scratch};
	struct question copy = *q; /* its lists are the original's, and only read */
	struct source *sources;
	size_t n = q->diags.sources.n;

	sources = arena_copy(&scratch, q->diags.sources.p, n * sizeof(*sources));
	for (size_t i = 0; o && o->no_source && i < n; i++)
		sources[i].text = blanks(&scratch, sources[i].text);
	copy.diags.sources.p = sources;
	buf_add(to, magic, sizeof(magic));
	form_number(&f, QUESTION_SAVE_VERSION);
	form_number(&f, MACHINE);
	walk_question(&f, &copy);
	arena_done(&scratch);
}

int question_load(struct question *q, struct str bytes, const char **ret_why)
{
	struct form f = {.is_reading = true, .arena = &q->arena};

	*ret_why = "it is not a saved question";
	if (bytes.n < sizeof(magic) || memcmp(bytes.p, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	f.p = (const unsigned char *)bytes.p + sizeof(magic);
	f.end = (const unsigned char *)bytes.p + bytes.n;
	*ret_why = "another version of skep made it; compile the script with this one";
	if (form_number(&f, 0) != QUESTION_SAVE_VERSION)
		return -ENOTSUP;
	*ret_why = "it was made for another kind of processor";
	if (form_number(&f, 0) != MACHINE)
		return -ENOTSUP;
	walk_question(&f, q);
	if (!f.wrong && f.p != f.end)
		form_wrong(&f, "its end");
	if (!f.wrong)
		f.wrong = question_check(q);
	*ret_why = f.wrong;
	return f.wrong ? -EBADMSG : 0;
}
