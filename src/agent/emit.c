/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep trace --emit F.o`: the compiled question as an object file.
 *
 * The whole question is in the section .skep (catalog/question-save.h), which `skep load`
 * reads.  The programs are there once more as sections of their own, with the symbols of
 * their functions, so that tools that disassemble BPF objects show them; nothing loads
 * those.
 */
#include "agent/emit.h"

#include "agent/file.h"
#include "base/log.h"
#include "catalog/question-save.h"
#include "isa/elf-write.h"

static void put_program(struct elf_writer *w, const struct question_prog *p, size_t i)
{
	const char *name = arena_printf(&w->arena, "skep/%zu/%s", i, p->name);
	struct str insns = {(const char *)p->insns, p->n_insns * sizeof(*p->insns)};
	uint32_t section = elf_write_section(w, name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
					     insns, sizeof(*p->insns));

	for (uint32_t k = 0; k < p->n_funcs; k++) {
		uint32_t end = k + 1 < p->n_funcs ? p->funcs[k + 1].insn : p->n_insns;

		elf_write_symbol(w, p->funcs[k].name ? p->funcs[k].name : p->name, STT_FUNC,
				 section, p->funcs[k].insn * sizeof(*p->insns),
				 (end - p->funcs[k].insn) * sizeof(*p->insns));
	}
}

static void put_object(const struct question *q, struct str saved, struct buf *to)
{
	const char *license = q->config.license ? q->config.license : "GPL";
	struct elf_writer w;

	elf_writer_init(&w);
	for (size_t i = 0; i < q->progs.n; i++)
		put_program(&w, &q->progs.p[i], i);
	elf_write_section(&w, "license", SHT_PROGBITS, SHF_ALLOC,
			  (struct str){license, strlen(license) + 1}, 1);
	elf_write_section(&w, ".skep", SHT_PROGBITS, 0, saved, 8);
	elf_write_file(&w, EM_BPF, to);
	elf_writer_done(&w);
}

/* Read back and saved again it must be the same: else something was forgotten. */
static bool survives(struct str saved)
{
	_cleanup_buf_ struct buf again = {0};
	struct question q;
	const char *why;
	bool same;

	question_init(&q);
	if (question_load(&q, saved, &why) < 0) {
		log_error(0, "skep's own mistake: it cannot read what it saved: %s", why);
		question_done(&q);
		return false;
	}
	question_save(&q, NULL, &again);
	question_done(&q);
	same = str_eq(buf_str(&again), saved);
	if (!same)
		log_error(0, "skep's own mistake: a saved question changes when it is read");
	return same;
}

int emit_object(const struct question *q, const char *path, bool no_source)
{
	const struct question_save_options o = {.no_source = no_source};
	_cleanup_buf_ struct buf saved = {0}, object = {0};
	int r;

	question_save(q, &o, &saved);
	if (!survives(buf_str(&saved)))
		return EXIT_FAILED;
	put_object(q, buf_str(&saved), &object);
	r = file_replace(path, buf_str(&object));
	if (r < 0) {
		log_error(r, "cannot write %s", path);
		return EXIT_FAILED;
	}
	return 0;
}
