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

#include "base/log.h"
#include "catalog/question-save.h"
#include "isa/elf-write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A new file beside the old one, which then takes its place. */
static int write_file(const char *path, struct str bytes)
{
	_cleanup_free_ char *beside = xalloc(strlen(path) + 8);
	int fd, r = 0;

	snprintf(beside, strlen(path) + 8, "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < bytes.n && !r;) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);

		if (n < 0 && errno != EINTR)
			r = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (fchmod(fd, 0644) < 0 && !r)
		r = -errno;
	close(fd);
	if (!r && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(beside);
	return r;
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
	r = write_file(path, buf_str(&object));
	if (r < 0) {
		log_error(r, "cannot write %s", path);
		return EXIT_FAILED;
	}
	return 0;
}
