/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a foreign object did not load or attach, in a sentence.
 *
 * Three sources: the verifier's log of the program, which query-refusal.c reads and which
 * quotes the line of C before its instructions; libbpf's warnings, which name what it
 * looked for and did not find; and the errno.  The number of a quoted line stands in the
 * object's line table (.BTF.ext), if the kernel does not say it.
 */
#include "runtime/kern/foreign-internal.h"

#include "base/macro.h"
#include "isa/btf.h"
#include "isa/elf.h"
#include "runtime/kern/query-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the place */

struct place_in_c {
	char text[160]; /* "" when unknown */
	char file[160];
	unsigned int line;
};

/* .BTF.ext: a header, then tables of records for each section of code. */
struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t length, func_offset, func_bytes, line_offset, line_bytes;
};

struct ext_section {
	uint32_t name, n;
};

struct ext_line {
	uint32_t insn, file, text, line_column;
};

static const char *trimmed(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static bool take(struct str *s, void *to, size_t n)
{
	if (s->n < n)
		return false;
	memcpy(to, s->p, n);
	s->p += n;
	s->n -= n;
	return true;
}

static bool same_line(const char *a, const char *b)
{
	size_t n;

	a = trimmed(a);
	n = strlen(a);
	while (n && (a[n - 1] == ' ' || a[n - 1] == '\t'))
		n--;
	b = trimmed(b);
	return n && !strncmp(a, b, n) && !*trimmed(b + n);
}

static void find_line(struct str lines, const struct btf_view *v, struct place_in_c *p)
{
	struct ext_section section;
	struct ext_line line;
	uint32_t size;

	if (!take(&lines, &size, sizeof(size)) || size < sizeof(line))
		return;
	while (take(&lines, &section, sizeof(section))) {
		for (uint32_t i = 0; i < section.n; i++) {
			if (!take(&lines, &line, sizeof(line)) || lines.n < size - sizeof(line))
				return;
			lines.p += size - sizeof(line);
			lines.n -= size - sizeof(line);
			if (!same_line(btf_view_string(v, line.text), p->text))
				continue;
			snprintf(p->file, sizeof(p->file), "%s", btf_view_string(v, line.file));
			p->line = line.line_column >> 10;
			return;
		}
	}
}

static void number_line(const struct foreign *f, struct place_in_c *p)
{
	struct str types = foreign_types(f), ext;
	_cleanup_buf_ struct buf aligned = {0};
	struct elf_section s;
	struct ext_header h;
	struct elf_view elf;
	struct btf_view v;

	if (!types.p || elf_view_init(&elf, f->bytes.p, f->bytes.n) < 0 ||
	    !elf_section_find(&elf, ".BTF.ext", &s))
		return;
	ext = s.bytes;
	if (!take(&ext, &h, sizeof(h)) || h.length < sizeof(h))
		return;
	ext = s.bytes;
	if (h.length > ext.n || h.line_offset > ext.n - h.length ||
	    h.line_bytes > ext.n - h.length - h.line_offset)
		return;
	buf_put_str(&aligned, types);
	if (btf_view_init(&v, aligned.p, aligned.n) < 0)
		return;
	find_line((struct str){ext.p + h.length + h.line_offset, h.line_bytes}, &v, p);
	btf_view_done(&v);
}

/* The last "; text" of the log; newer kernels add " @ file.c:12". */
static void find_place(const struct foreign *f, const char *log, struct place_in_c *p)
{
	const char *last = NULL, *next;
	char *at;

	*p = (struct place_in_c){0};
	for (const char *line = log; line && *line; line = next) {
		if (!strncmp(line, "; ", 2))
			last = line + 2;
		next = strchr(line, '\n');
		next = next ? next + 1 : NULL;
	}
	if (!last)
		return;
	snprintf(p->text, sizeof(p->text), "%.*s", (int)MIN(strcspn(last, "\n"), (size_t)159),
		 trimmed(last));
	at = strstr(p->text, " @ ");
	if (at && sscanf(at, " @ %159[^:]:%u", p->file, &p->line) == 2)
		*at = 0;
	else
		number_line(f, p);
}

/* --- what libbpf says: "prog 'NAME': …" */

/* The text between quotes behind `words`, in the last line that has them. */
static bool quoted(const struct buf *said, const char *words, char *ret, size_t n)
{
	const char *found = NULL, *at = said->p;

	while (at && (at = strstr(at, words)))
		found = at += strlen(words);
	if (!found)
		return false;
	snprintf(ret, n, "%.*s", (int)MIN(strcspn(found, "'\n"), n - 1), found);
	return true;
}

static const struct {
	const char *words, *what, *hint; /* `what` has a %s for what is named */
} sayings[] = {
	{"failed to find kernel BTF type ID of '", "this kernel has no function or tracepoint %s",
	 "static and inlined functions cannot be traced; /proc/kallsyms has the others"},
	{"missing BPF prog type, check ELF section name '",
	 "a section's name says no kind of program: %s",
	 "SEC(\"tracepoint/GROUP/NAME\"), SEC(\"kprobe/NAME\"), SEC(\"fentry/NAME\"), …"},
	{"(strong): not resolved: '", "this kernel has no %s", NULL},
	{"extern (func ksym) '", "this kernel has no function %s for programs", NULL},
	{"extern '", "this kernel has no %s that the object asks for", NULL},
	{"extern (var ksym) '", "this kernel has no variable %s", NULL},
	{"map '", "cannot make the map %s", NULL},
	{"Error in bpf_create_map_xattr('", "cannot make the map %s", NULL},
	{"legacy map definitions in '",
	 "maps in the old style (section %s), which libbpf 1.0 and "
	 "later do not take",
	 "write them as struct { __uint(type, …); } NAME SEC(\".maps\")"},
};

/* The last warning as it is, without the word before it. */
static int last_words(const struct foreign *f, int r, struct runtime_error *e)
{
	struct str all = buf_str(&f->said);
	const char *line;

	while (all.n && all.p[all.n - 1] == '\n')
		all.n--;
	line = all.n ? memrchr(all.p, '\n', all.n) : NULL;
	line = line ? line + 1 : all.p;
	if (!all.n)
		return foreign_fail(e, r, "libbpf refused the object: %s", strerror(-r));
	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	return foreign_fail(e, r, "%.*s", (int)(all.p + all.n - line), line);
}

static int by_words(const struct foreign *f, int r, struct runtime_error *e)
{
	char name[128];

	for (size_t i = 0; i < ELEMENTS(sayings); i++) {
		char what[200];
		const char *at;

		if (!quoted(&f->said, sayings[i].words, name, sizeof(name)))
			continue;
		at = strstr(sayings[i].what, "%s");
		snprintf(what, sizeof(what), "%.*s%s%s", (int)(at - sayings[i].what),
			 sayings[i].what, name, at + 2);
		if (sayings[i].hint)
			foreign_hint(e, "%s", sayings[i].hint);
		return foreign_fail(e, r, "%s", what);
	}
	return last_words(f, r, e);
}

/* --- programs */

static const struct foreign_program *refused(const struct foreign *f)
{
	char name[128];

	for (size_t i = 0; i < f->progs.n; i++) {
		snprintf(name, sizeof(name), "prog '%s': BPF program load failed",
			 f->progs.p[i].shown.name);
		if (f->said.p && strstr(f->said.p, name))
			return &f->progs.p[i];
	}
	return NULL;
}

/* "… <byte_off> [7] struct task_struct___old.state (0:1 @ offset 8)" */
static bool missing_field(const char *log, const struct foreign_program *p, struct runtime_error *e)
{
	const char *at = strstr(log, "failed to resolve CO-RE relocation");
	size_t n;

	at = at ? strstr(at, "] ") : NULL;
	if (!at)
		return false;
	at += 2;
	n = strcspn(at, "(\n");
	while (n && at[n - 1] == ' ')
		n--;
	foreign_hint(e, "bpf_core_field_exists() and bpf_core_type_exists() let a program ask "
			"first");
	foreign_fail(e, -ENOENT, "this kernel has no %.*s, which the program %s reads",
		     (int)MIN(n, (size_t)128), at, p->shown.name);
	return true;
}

static int by_log(const struct foreign *f, const struct foreign_program *p, int r,
		  struct runtime_error *e)
{
	struct question_prog shape = {
		.name = p->shown.name,
		.prog_type = bpf_program__type(p->prog),
		.attach_type = bpf_program__expected_attach_type(p->prog),
	};
	struct query_error q = {0};
	struct place_in_c at;
	const char *log = f->log ? f->log : "", *slash = strchr(p->shown.section, '/');

	if (missing_field(log, p, e))
		return -ENOENT;
	shape.btf_name = slash ? slash + 1 : NULL;
	query_refusal(&shape, log, r, &q);
	*e = q.error;
	find_place(f, log, &at);
	if (at.file[0])
		foreign_fail(e, r, "%.50s:%u: %.190s", at.file, at.line, q.error.what);
	if (at.text[0])
		foreign_hint(e, "program %s: %s%s%s", p->shown.name, at.text,
			     q.error.hint[0] ? "; " : "", q.error.hint);
	return r;
}

int foreign_refusal(struct foreign *f, int r, struct runtime_error *e)
{
	const struct foreign_program *p = refused(f);
	struct query_error q = {0};

	*e = (struct runtime_error){0};
	if (p)
		return by_log(f, p, r, e);
	if (r == -EPERM || r == -EACCES) {
		query_load_hint(NULL, -EPERM, &q);
		*e = q.error;
		if (e->hint[0])
			return foreign_fail(e, -EPERM, "not allowed to load BPF programs");
	}
	return by_words(f, r, e);
}

/* --- attaching */

static enum question_attach way_of(const struct foreign_program *p)
{
	const char *s = p->shown.section;

	switch ((int)bpf_program__type(p->prog)) {
	case BPF_PROG_TYPE_KPROBE:
		if (!strncmp(s, "kprobe.multi", 12) || !strncmp(s, "kretprobe.multi", 15))
			return QATTACH_KPROBE_MULTI;
		return *s == 'u' ? QATTACH_UPROBE : QATTACH_KPROBE;
	case BPF_PROG_TYPE_TRACEPOINT:
		return QATTACH_TRACEPOINT;
	case BPF_PROG_TYPE_TRACING:
		return bpf_program__expected_attach_type(p->prog) == BPF_TRACE_RAW_TP
			       ? QATTACH_TP_BTF
		       : bpf_program__expected_attach_type(p->prog) == BPF_TRACE_ITER
			       ? QATTACH_ITER
			       : QATTACH_FENTRY;
	}
	return QATTACH_RAW_TP;
}

int foreign_unattached(struct foreign *f, const struct foreign_program *p, int r,
		       struct runtime_error *e)
{
	const char *place = strchr(p->shown.section, '/');
	struct question_probe probe = {.name = p->shown.section, .attach = way_of(p)};
	struct query_error q = {0};

	(void)f;
	probe.target = place ? place + 1 : p->shown.section;
	if (r == -ENOENT && probe.attach == QATTACH_KPROBE) {
		/* without the option there is no such PMU and no kprobe_events */
		if (access("/sys/bus/event_source/devices/kprobe", F_OK) < 0)
			r = -ENOTSUP;
	}
	if (r == -524 || r == -EOPNOTSUPP)
		r = -ENOTSUP;
	query_attach_hint(NULL, &probe, r, &q);
	*e = q.error;
	if (r == -ENOENT)
		return foreign_fail(e, r, "there is no %s to attach the program %s to",
				    p->shown.section, p->shown.name);
	return foreign_fail(e, r, "cannot attach the program %s to %s: %s", p->shown.name,
			    p->shown.section, r == -ENOTSUP ? "this kernel cannot" : strerror(-r));
}
