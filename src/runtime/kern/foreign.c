/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A foreign object's life; foreign-internal.h lists the files.
 *
 * libbpf opens, relocates and loads it.  Its warnings are kept instead of printed: they
 * name what is missing, and foreign-refusal.c makes sentences of them.
 */
#include "runtime/kern/foreign-internal.h"

#include "base/macro.h"
#include "isa/elf.h"

#include <elf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* libbpf's callback knows no context, so it stands here while a call runs. */
static struct foreign *hushed;

static _printf_(2, 0) int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[1024];

	if (!hushed || level != LIBBPF_WARN || hushed->said.n > 65536)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	buf_puts(&hushed->said, text);
	return 0;
}

void foreign_hush(struct foreign *f)
{
	hushed = f;
	libbpf_set_print(keep);
	if (f)
		buf_reset(&f->said);
}

int foreign_fail(struct runtime_error *e, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->what, sizeof(e->what), format, args);
	va_end(args);
	return r;
}

void foreign_hint(struct runtime_error *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->hint, sizeof(e->hint), format, args);
	va_end(args);
}

/* --- what is in it */

static void add_progs(struct foreign *f)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, f->object)
	{
		const char *type = libbpf_bpf_prog_type_str(bpf_program__type(p));

		array_push(
			&f->arena, &f->progs,
			((struct foreign_program){.shown = {.name = bpf_program__name(p),
							    .section = bpf_program__section_name(p),
							    .type = type ? type : "?",
							    .n_insns = bpf_program__insn_cnt(p),
							    .is_wanted = bpf_program__autoload(p)},
						  .prog = p}));
	}
}

static enum foreign_map_kind kind_of(const struct bpf_map *m)
{
	if (bpf_map__is_internal(m)) {
		const char *name = bpf_map__name(m);
		const char *dot = strrchr(name, '.');

		return dot && (!strcmp(dot, ".bss") || !strcmp(dot, ".data")) ? FOREIGN_DATA
									      : FOREIGN_OTHER;
	}
	switch ((int)bpf_map__type(m)) {
	case BPF_MAP_TYPE_RINGBUF:
		return FOREIGN_RING;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		return FOREIGN_PERF;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
		return FOREIGN_TABLE;
	}
	return FOREIGN_OTHER;
}

static void add_maps(struct foreign *f)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, f->object)
	{
		enum bpf_map_type type = bpf_map__type(m);
		const char *word = libbpf_bpf_map_type_str(type);
		struct foreign_map shown = {
			.name = bpf_map__name(m),
			.type = word ? word : "?",
			.kind = kind_of(m),
			.key_size = bpf_map__key_size(m),
			.value_size = bpf_map__value_size(m),
			.max_entries = bpf_map__max_entries(m),
			.key_type = bpf_map__btf_key_type_id(m),
			.value_type = bpf_map__btf_value_type_id(m),
			.is_per_cpu = type == BPF_MAP_TYPE_PERCPU_HASH ||
				      type == BPF_MAP_TYPE_PERCPU_ARRAY ||
				      type == BPF_MAP_TYPE_LRU_PERCPU_HASH,
			.is_array = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY,
		};

		array_push(&f->arena, &f->maps,
			   ((struct foreign_table){
				   .shown = shown, .map = m, .owner = f, .index = f->maps.n}));
	}
}

/* What libbpf would say in many words: it is no object, or one for another machine. */
static int check_file(struct str bytes, struct runtime_error *e)
{
	struct elf_view elf;
	int r = elf_view_init(&elf, bytes.p, bytes.n);

	if (r < 0)
		return foreign_fail(e, r, "it is no object file (ELF)");
	if (elf.machine == EM_BPF || elf.machine == 0)
		return 0;
	foreign_hint(e, "a BPF object is made by: clang -target bpf -g -O2 -c FILE.bpf.c");
	return foreign_fail(e, -ENOEXEC, "it is an object for another processor than BPF");
}

int foreign_open(struct str bytes, const char *name, struct foreign **ret, struct runtime_error *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);
	struct foreign *f;
	int r = check_file(bytes, e);

	if (r < 0)
		return r;
	f = xalloc(sizeof(*f));
	f->bytes = bytes;
	f->log = mmap(NULL, FOREIGN_LOG, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->log == MAP_FAILED)
		f->log = NULL;
	foreign_hush(f);
	f->object = bpf_object__open_mem(bytes.p, bytes.n, &opts);
	if (!f->object) {
		r = -errno;
		foreign_refusal(f, r, e);
		foreign_close(f);
		return r;
	}
	add_progs(f);
	add_maps(f);
	*ret = f;
	return 0;
}

size_t foreign_progs(const struct foreign *f)
{
	return f->progs.n;
}

const struct foreign_prog *foreign_prog(const struct foreign *f, size_t i)
{
	return &f->progs.p[i].shown;
}

size_t foreign_maps(const struct foreign *f)
{
	return f->maps.n;
}

const struct foreign_map *foreign_map(const struct foreign *f, size_t i)
{
	return &f->maps.p[i].shown;
}

struct str foreign_types(const struct foreign *f)
{
	struct elf_section s;
	struct elf_view elf;

	if (elf_view_init(&elf, f->bytes.p, f->bytes.n) < 0 || !elf_section_find(&elf, ".BTF", &s))
		return (struct str){0};
	return s.bytes;
}

const char *foreign_license(const struct foreign *f)
{
	struct elf_section s;
	struct elf_view elf;

	if (elf_view_init(&elf, f->bytes.p, f->bytes.n) < 0 ||
	    !elf_section_find(&elf, "license", &s) || !s.bytes.n || s.bytes.p[s.bytes.n - 1])
		return "";
	return s.bytes.p;
}

bool foreign_prints(const struct foreign *f)
{
	for (size_t i = 0; i < f->progs.n; i++) {
		const struct bpf_insn *insns = bpf_program__insns(f->progs.p[i].prog);
		size_t n = bpf_program__insn_cnt(f->progs.p[i].prog);

		for (size_t k = 0; f->progs.p[i].shown.is_wanted && k < n; k++)
			if (insns[k].code == (BPF_JMP | BPF_CALL) && !insns[k].src_reg &&
			    (insns[k].imm == BPF_FUNC_trace_printk ||
			     insns[k].imm == 177 /* trace_vprintk, 5.16 */))
				return true;
	}
	return false;
}

size_t foreign_choose(struct foreign *f, const char *globs)
{
	_cleanup_free_ char *words = xstrdup(globs);
	size_t n = 0;

	for (size_t i = 0; i < f->progs.n; i++)
		f->progs.p[i].shown.is_wanted = false;
	for (char *next = words, *word; (word = strsep(&next, ","));)
		for (size_t i = 0; i < f->progs.n; i++)
			if (!fnmatch(word, f->progs.p[i].shown.name, 0))
				f->progs.p[i].shown.is_wanted = true;
	for (size_t i = 0; i < f->progs.n; i++)
		n += f->progs.p[i].shown.is_wanted;
	return n;
}

int foreign_load(struct foreign *f, struct runtime_error *e)
{
	int r;

	for (size_t i = 0; i < f->progs.n; i++) {
		bpf_program__set_autoload(f->progs.p[i].prog, f->progs.p[i].shown.is_wanted);
		if (f->log)
			bpf_program__set_log_buf(f->progs.p[i].prog, f->log, FOREIGN_LOG);
	}
	foreign_hush(f);
	r = bpf_object__load(f->object);
	return r < 0 ? foreign_refusal(f, r, e) : 0;
}

void foreign_close(struct foreign *f)
{
	if (!f)
		return;
	foreign_detach(f);
	ring_buffer__free(f->rings);
	for (size_t i = 0; i < f->maps.n; i++)
		perf_buffer__free(f->maps.p[i].perf);
	bpf_object__close(f->object);
	if (f->log)
		munmap(f->log, FOREIGN_LOG);
	foreign_hush(NULL);
	buf_done(&f->said);
	arena_done(&f->arena);
	free(f);
}
