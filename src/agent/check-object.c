/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of clang, rustc and Go's toolchain, verified where they are.
 *
 * Nothing is loaded, so nobody needs a privilege: our own verifier judges each program twice, as
 * the kernel would, and for our own runtime, which has other things (no kernel memory) and wants
 * less.  A refusal is a diagnostic on the line of the source, as the object's .BTF.ext knows
 * it.
 *
 *	on_exec: ok (kernel: ok) 123 insns, stack 64
 *	on_open: refused (kernel: ok) 80 insns: the program's type has no hook here
 */
#include "agent/check-object.h"

#include "agent/emit.h"
#include "agent/file.h"
#include "base/log.h"
#include "event/escape.h"
#include "runtime/kern/btf.h"
#include "runtime/vm/object.h"
#include "runtime/vm/verify/verify.h"

#include <elf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* One verifier's word on one program. */
struct verdict {
	struct verify_result result;
	size_t from, to; /* its diagnostics */
	bool is_ok;
};

struct check {
	const struct check_object_options *o;
	const char *path;
	struct kernel_btf kernel;
	bool has_kernel;
	struct arena arena; /* of diags */
	struct diags diags;
	struct vm_object object;
	struct buf out;
	unsigned int refused, n;
};

static const char *const types[] = {
	[BPF_PROG_TYPE_UNSPEC] = "memory",
	[BPF_PROG_TYPE_SOCKET_FILTER] = "socket_filter",
	[BPF_PROG_TYPE_KPROBE] = "kprobe",
	[BPF_PROG_TYPE_SCHED_CLS] = "sched_cls",
	[BPF_PROG_TYPE_SCHED_ACT] = "sched_act",
	[BPF_PROG_TYPE_TRACEPOINT] = "tracepoint",
	[BPF_PROG_TYPE_XDP] = "xdp",
	[BPF_PROG_TYPE_PERF_EVENT] = "perf_event",
	[BPF_PROG_TYPE_CGROUP_SKB] = "cgroup_skb",
	[BPF_PROG_TYPE_CGROUP_SOCK] = "cgroup_sock",
	[BPF_PROG_TYPE_LWT_IN] = "lwt_in",
	[BPF_PROG_TYPE_LWT_OUT] = "lwt_out",
	[BPF_PROG_TYPE_LWT_XMIT] = "lwt_xmit",
	[BPF_PROG_TYPE_SOCK_OPS] = "sock_ops",
	[BPF_PROG_TYPE_SK_SKB] = "sk_skb",
	[BPF_PROG_TYPE_CGROUP_DEVICE] = "cgroup_device",
	[BPF_PROG_TYPE_SK_MSG] = "sk_msg",
	[BPF_PROG_TYPE_RAW_TRACEPOINT] = "raw_tracepoint",
	[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = "cgroup_sock_addr",
	[BPF_PROG_TYPE_LWT_SEG6LOCAL] = "lwt_seg6local",
	[BPF_PROG_TYPE_LIRC_MODE2] = "lirc_mode2",
	[BPF_PROG_TYPE_SK_REUSEPORT] = "sk_reuseport",
	[BPF_PROG_TYPE_FLOW_DISSECTOR] = "flow_dissector",
	[BPF_PROG_TYPE_CGROUP_SYSCTL] = "cgroup_sysctl",
	[BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = "raw_tracepoint_writable",
	[BPF_PROG_TYPE_CGROUP_SOCKOPT] = "cgroup_sockopt",
	[BPF_PROG_TYPE_TRACING] = "tracing",
	[BPF_PROG_TYPE_STRUCT_OPS] = "struct_ops",
	[BPF_PROG_TYPE_EXT] = "ext",
	[BPF_PROG_TYPE_LSM] = "lsm",
	[BPF_PROG_TYPE_SK_LOOKUP] = "sk_lookup",
	[BPF_PROG_TYPE_SYSCALL] = "syscall",
	[32] = "netfilter",
};

static const char *type_name(uint32_t type)
{
	return type < ELEMENTS(types) && types[type] ? types[type] : "?";
}

/* --- files */

bool check_is_object(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char magic[SELFMAG];

	return f && fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

enum { FILE_MAX = 1 << 28 };

/* --- diagnostics */

static bool wants_colour(const struct check *c)
{
	if (c->o->colour != COLOUR_AUTO)
		return c->o->colour == COLOUR_ALWAYS;
	return log_can_colour(STDERR_FILENO);
}

/* Those that were recorded from `from` to `to`. */
static struct diags part_of(const struct check *c, size_t from, size_t to)
{
	struct diags d = c->diags;

	d.list.p += from;
	d.list.n = to - from;
	d.n_dropped[SEV_ERROR] = d.n_dropped[SEV_WARNING] = 0;
	return d;
}

static void say(const struct check *c, size_t from, size_t to)
{
	_cleanup_buf_ struct buf text = {0};
	struct diags d = part_of(c, from, to);

	if (from == to)
		return;
	diags_print(&d, wants_colour(c), &text);
	fflush(stdout);
	fwrite(text.p, 1, text.n, stderr);
}

/* The first error of a verdict; NULL: none. */
static const struct diagnostic *first_error(const struct check *c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (c->diags.list.p[i].severity == SEV_ERROR)
			return &c->diags.list.p[i];
	return NULL;
}

static const char *reason(const struct check *c, const struct verdict *v)
{
	const struct diagnostic *x = first_error(c, v->from, v->to);

	return x ? x->text : v->result.error ? v->result.error : "it is too much to verify";
}

/* --- one program */

static void judge(struct check *c, uint32_t prog, bool as_kernel, struct arena *a,
		  struct verdict *ret)
{
	struct verify_config config = {.kernel = c->has_kernel ? &c->kernel.view : NULL,
				       .as_kernel = as_kernel};
	int r;

	*ret = (struct verdict){.from = c->diags.list.n};
	/* each program may say as much as it has to */
	memset(c->diags.n_shown, 0, sizeof(c->diags.n_shown));
	r = verify(&c->object, prog, &config, a, &ret->result);
	ret->is_ok = r == 0 && ret->result.is_ok;
	ret->to = c->diags.list.n;
}

static bool is_accepted(const struct check *c, const struct verdict *own,
			const struct verdict *kernel)
{
	switch (c->o->runtime) {
	case CHECK_FOR_EITHER:
		return own->is_ok || kernel->is_ok;
	case CHECK_FOR_KERNEL:
		return kernel->is_ok;
	case CHECK_FOR_EMBEDDED:
		return own->is_ok;
	}
	return false;
}

static void put_json(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, ", \"%s\": ", key);
	if (text)
		escape_json(to, str_of(text));
	else
		buf_puts(to, "null");
}

static void put_place(const struct check *c, const struct diagnostic *x, struct buf *to)
{
	if (!x || x->span.file >= c->diags.sources.n)
		return;
	put_json(to, "file", c->diags.sources.p[x->span.file].name);
	buf_printf(to, ", \"line\": %u", diag_place(&c->diags, x->span).line);
}

static void tell_json(struct check *c, const struct vm_prog *p, const struct verdict *own,
		      const struct verdict *kernel)
{
	const struct verdict *bad = !kernel->is_ok ? kernel : !own->is_ok ? own : NULL;
	/* what both say is recorded once */
	const struct diagnostic *x = bad ? first_error(c, kernel->from, own->to) : NULL;

	buf_puts(&c->out, "{\"object\": ");
	escape_json(&c->out, str_of(c->path));
	put_json(&c->out, "program", p->name);
	put_json(&c->out, "section", p->section);
	put_json(&c->out, "type", type_name(p->prog_type));
	buf_printf(&c->out,
		   ", \"ok\": %s, \"kernel_ok\": %s, \"insns\": %u, \"stack\": %u, "
		   "\"explored\": %u, \"states\": %u, \"ns\": %llu",
		   own->is_ok ? "true" : "false", kernel->is_ok ? "true" : "false", p->n_insns,
		   MAX(own->result.stack_depth, kernel->result.stack_depth),
		   kernel->result.insns_explored, kernel->result.states,
		   (unsigned long long)kernel->result.ns);
	put_json(&c->out, "error", bad ? bad->result.error : NULL);
	put_json(&c->out, "message", x ? x->text : NULL);
	put_place(c, x, &c->out);
	buf_puts(&c->out, "}\n");
}

static void tell(struct check *c, const struct vm_prog *p, const struct verdict *own,
		 const struct verdict *kernel, bool is_accepted_)
{
	if (!is_accepted_)
		say(c, kernel->is_ok ? own->from : kernel->from,
		    kernel->is_ok ? own->to : kernel->to);
	escape_text(&c->out, str_of(p->name));
	buf_printf(&c->out, ": %s (kernel: %s) %u insns, stack %u", own->is_ok ? "ok" : "refused",
		   kernel->is_ok ? "ok" : "refused", p->n_insns,
		   MAX(own->result.stack_depth, kernel->result.stack_depth));
	if (own->is_ok != kernel->is_ok) {
		buf_puts(&c->out, own->is_ok ? ": for the kernel, " : ": for skep, ");
		escape_text(&c->out, str_of(reason(c, own->is_ok ? kernel : own)));
	}
	if (c->o->verbose)
		buf_printf(&c->out, "; %u explored, %u states, %.3f ms%s",
			   kernel->result.insns_explored, kernel->result.states,
			   (double)kernel->result.ns / 1e6,
			   own->result.by_fixpoint ? ", by loop invariants" : "");
	buf_putc(&c->out, '\n');
}

static void check_prog(struct check *c, uint32_t i)
{
	struct vm_prog *p = &c->object.progs.p[i];
	struct verdict own, kernel;
	struct arena arena = {0};
	bool ok;

	if (c->o->strict)
		p->flags |= BPF_F_STRICT_ALIGNMENT;
	judge(c, i, true, &arena, &kernel);
	judge(c, i, false, &arena, &own);
	ok = is_accepted(c, &own, &kernel);
	c->n++;
	c->refused += !ok;
	if (c->o->json)
		tell_json(c, p, &own, &kernel);
	else
		tell(c, p, &own, &kernel, ok);
	arena_done(&arena);
	fwrite(c->out.p, 1, c->out.n, stdout);
	buf_reset(&c->out);
}

/* --- one file */

/* An object that does not read: its mistakes; the programs that do come behind. */
static void say_damage(struct check *c)
{
	if (!c->o->json) {
		say(c, 0, c->diags.list.n);
		return;
	}
	for (size_t i = 0; i < c->diags.list.n; i++) {
		const struct diagnostic *x = &c->diags.list.p[i];

		if (x->severity != SEV_ERROR)
			continue;
		buf_puts(&c->out, "{\"object\": ");
		escape_json(&c->out, str_of(c->path));
		buf_puts(&c->out, ", \"program\": null, \"ok\": false, \"kernel_ok\": false");
		put_json(&c->out, "error", x->text);
		put_place(c, x, &c->out);
		buf_puts(&c->out, "}\n");
	}
	fwrite(c->out.p, 1, c->out.n, stdout);
	buf_reset(&c->out);
}

static bool is_wanted(const struct check *c, const struct vm_prog *p)
{
	return !c->o->prog || fnmatch(c->o->prog, p->name, 0) == 0;
}

/* Objects that we made ourselves are no C: they have a whole question in them. */
static int check_own(const char *path, struct str question)
{
	struct question q;
	int status;

	question_init(&q);
	status = emit_open(&q, question, path, NULL);
	if (!status)
		printf("%s: ok: written by skep trace --emit; skep load runs it\n", path);
	question_done(&q);
	return status;
}

static int check_bytes(struct check *c, struct str bytes)
{
	struct object_options options = {.name = c->path,
					 .kernel = c->has_kernel ? &c->kernel.view : NULL};
	int r;

	c->diags = (struct diags){.arena = &c->arena};
	c->refused = c->n = 0;
	r = object_read(bytes.p, bytes.n, &options, &c->diags, &c->object);
	say_damage(c);
	for (uint32_t i = 0; i < c->object.progs.n; i++)
		if (is_wanted(c, &c->object.progs.p[i]))
			check_prog(c, i);
	if (!c->n && c->o->prog && r == 0) {
		log_error(0, "%s has no program %s", c->path, c->o->prog);
		r = -ENOENT;
	}
	object_done(&c->object);
	arena_done(&c->arena);
	return r < 0 || c->refused ? EXIT_FAILED : 0;
}

static int check_file(struct check *c, const char *path)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct str question;
	int r = file_read_all(path, FILE_MAX, &bytes);

	if (r < 0) {
		log_error(r, "cannot read %s", path);
		return EXIT_FAILED;
	}
	c->path = path;
	question = emit_find(buf_str(&bytes));
	return question.n ? check_own(path, question) : check_bytes(c, buf_str(&bytes));
}

int check_objects(const struct check_object_options *o, char **files)
{
	struct check c = {.o = o};
	int status = 0, r = kernel_btf_open(&c.kernel, o->btf ? o->btf : KERNEL_BTF);

	c.has_kernel = r == 0;
	if (r < 0 && o->btf) {
		log_error(r, "cannot read the types of %s", o->btf);
		return EXIT_FAILED;
	}
	if (r < 0)
		log_note("the kernel's types are not to be had (%s): what depends on them is as "
			 "it was compiled",
			 KERNEL_BTF);
	for (; *files; files++) {
		r = check_file(&c, *files);
		status = r > status ? r : status;
	}
	if (c.has_kernel)
		kernel_btf_close(&c.kernel);
	buf_done(&c.out);
	return status;
}
