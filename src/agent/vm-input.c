/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/vm-input.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/file.h"
#include "base/log.h"
#include "isa/asm.h"
#include "runtime/vm/helper/proto.h"

enum { FILE_MAX = 64 << 20 };

/* All of a file, "-": standard input.  -EFBIG: more than FILE_MAX. */
static int read_all(const char *path, struct buf *to)
{
	return strcmp(path, "-") ? file_read_all(path, FILE_MAX, to)
				 : file_read_fd(STDIN_FILENO, FILE_MAX, to);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'		    ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

/* Pairs of hex digits, with spaces where one likes; false: it is something else. */
static bool read_hex(struct str text, struct buf *to)
{
	int high = -1;

	for (size_t i = 0; i < text.n; i++) {
		int digit = hex_digit(text.p[i]);

		if (isspace((unsigned char)text.p[i]) && high < 0)
			continue;
		if (digit < 0)
			return false;
		if (high < 0) {
			high = digit;
			continue;
		}
		buf_putc(to, (char)(high << 4 | digit));
		high = -1;
	}
	return high < 0;
}

static struct str keep(struct arena *a, const struct buf *b)
{
	return (struct str){b->n ? arena_copy(a, b->p, b->n) : "", b->n};
}

int vm_input_bytes(struct arena *a, const char *text, struct str *ret)
{
	_cleanup_buf_ struct buf b = {0};
	int r = 0;

	if (!read_hex(str_of(text), &b)) {
		buf_reset(&b);
		r = read_all(text, &b);
	}
	if (r >= 0)
		*ret = keep(a, &b);
	return r;
}

/* --raw: hex, or a file of hex; into the program's instructions. */
static int read_raw(struct vm_input *in, const char *text, struct vm_prog *p)
{
	_cleanup_buf_ struct buf b = {0}, file = {0};
	int r;

	if (!read_hex(str_of(text), &b)) {
		r = read_all(text, &file);
		if (r < 0) {
			log_error(r, "cannot read %s", text);
			return EXIT_FAILED;
		}
		buf_reset(&b);
		if (!read_hex(buf_str(&file), &b)) {
			log_error(0, "%s is not hex", text);
			return EXIT_FAILED;
		}
	}
	if (b.n % sizeof(struct bpf_insn)) {
		log_error(0, "%zu bytes are no whole instructions", b.n);
		return EXIT_FAILED;
	}
	p->insns = (struct bpf_insn *)(uintptr_t)keep(&in->arena, &b).p;
	p->n_insns = (uint32_t)(b.n / sizeof(struct bpf_insn));
	return 0;
}

static bool find_helper(void *ctx, struct str name, int32_t *ret)
{
	_cleanup_free_ char *full = xalloc(name.n + sizeof("bpf_"));

	(void)ctx;
	snprintf(full, name.n + sizeof("bpf_"), "%s%.*s",
		 str_starts(name, STR("bpf_")) ? "" : "bpf_", (int)name.n, name.p);
	*ret = (int32_t)proto_number(full);
	return *ret != 0;
}

/* The instructions' places in the text are their lines. */
static void add_lines(struct vm_input *in, const struct asm_program *made, struct vm_prog *p)
{
	struct question_line *lines = arena_array(&in->arena, struct question_line, made->n + 1);

	for (uint32_t i = 0; i < made->n; i++)
		lines[i] = (struct question_line){i, made->spans[i]};
	p->lines = lines;
	p->n_lines = (uint32_t)made->n;
}

static int read_assembly(struct vm_input *in, const struct vm_options *o, struct vm_prog *p)
{
	static const struct asm_names names = {.helper = find_helper};
	_cleanup_buf_ struct buf text = {0};
	struct asm_program made;
	int r = read_all(o->assembly, &text);
	uint32_t file;

	if (r < 0) {
		log_error(r, "cannot read %s", o->assembly);
		return EXIT_FAILED;
	}
	file = diag_source(&in->diags, o->assembly, buf_str(&text));
	if (!asm_parse(&in->diags, file, &names, &in->arena, &made)) {
		vm_input_print(in, o);
		return EXIT_FAILED;
	}
	p->insns = made.insns;
	p->n_insns = (uint32_t)made.n;
	add_lines(in, &made, p);
	return 0;
}

/* Instructions alone are a program whose r1 is the memory of --mem. */
static int make_object(struct vm_input *in, const struct vm_options *o)
{
	struct vm_prog p = {.name = "program",
			    .section = "",
			    .prog_type = BPF_PROG_TYPE_UNSPEC,
			    .mem_size = (uint32_t)in->mem.n};
	struct vm_func *entry;
	int status = o->raw ? read_raw(in, o->raw, &p) : read_assembly(in, o, &p);

	if (status)
		return status;
	entry = arena_new(&in->object.arena, struct vm_func);
	entry->name = p.name;
	p.funcs = entry;
	p.n_funcs = 1;
	in->object.diags = &in->diags;
	in->object.license = "GPL";
	array_push(&in->object.arena, &in->object.progs, p);
	return 0;
}

static int read_object(struct vm_input *in, const struct vm_options *o)
{
	struct object_options options = {.name = o->file};
	int r = read_all(o->file, &in->bytes);

	if (r < 0) {
		log_error(r, "cannot read %s", o->file);
		return EXIT_FAILED;
	}
	if (kernel_btf_open(&in->kernel, o->kernel ? o->kernel : "/sys/kernel/btf/vmlinux") >= 0)
		options.kernel = &in->kernel.view;
	in->is_object = true;
	r = object_read(in->bytes.p, in->bytes.n, &options, &in->diags, &in->object);
	if (r >= 0)
		return 0;
	if (!vm_input_print(in, o))
		log_error(r == -ENOEXEC ? 0 : r, "%s is no BPF object that can be read", o->file);
	return EXIT_FAILED;
}

int vm_input_open(struct vm_input *in, const struct vm_options *o)
{
	int r;

	*in = (struct vm_input){0};
	in->diags.arena = &in->arena;
	if (o->mem) {
		r = vm_input_bytes(&in->arena, o->mem, &in->mem);
		if (r < 0) {
			log_error(r, "--mem: cannot read %s", o->mem);
			return EXIT_FAILED;
		}
		in->has_mem = true;
	}
	return o->file ? read_object(in, o) : make_object(in, o);
}

void vm_input_done(struct vm_input *in)
{
	if (in->is_object)
		object_done(&in->object);
	else
		arena_done(&in->object.arena);
	if (in->kernel.blob)
		kernel_btf_close(&in->kernel);
	buf_done(&in->bytes);
	arena_done(&in->arena);
}

unsigned int vm_input_print(struct vm_input *in, const struct vm_options *o)
{
	_cleanup_buf_ struct buf text = {0};
	bool colour = o->colour == COLOUR_ALWAYS ||
		      (o->colour == COLOUR_AUTO && log_can_colour(STDERR_FILENO));

	diags_print(&in->diags, colour, &text);
	fputs(text.p ? text.p : "", stderr);
	return in->diags.errors;
}

uint32_t vm_input_prog(const struct vm_input *in, const struct vm_options *o)
{
	const struct vm_object *object = &in->object;

	for (uint32_t i = 0; o->prog && i < object->progs.n; i++)
		if (!strcmp(object->progs.p[i].name, o->prog))
			return i;
	if (!o->prog && object->progs.n == 1)
		return 0;
	if (o->prog)
		log_error(0, "there is no program '%s'", o->prog);
	else if (object->progs.n)
		log_error(0, "there are %zu programs: --prog chooses", object->progs.n);
	else
		log_error(0, "there is no program in it");
	for (uint32_t i = 0; i < object->progs.n; i++)
		log_hint("--prog %s", object->progs.p[i].name);
	return UINT32_MAX;
}
