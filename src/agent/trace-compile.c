/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a script, or an object that --emit wrote, to a question; and what is said of it.
 */
#include "agent/trace-internal.h"

#include "agent/emit.h"
#include "agent/rt.h"
#include "agent/trace-diags.h"
#include "agent/world.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parallel.h"
#include "compile/gen/gen.h"
#include "compile/lang/bpftrace/attach.h"
#include "compile/pipeline.h"
#include "isa/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TEXT_MAX = 16 << 20,
	HELPER_MIN =
		600, /* bytes of a script: shorter ones are compiled before a thread has begun */
};

static int read_text(struct trace *t)
{
	_cleanup_fclose_ FILE *f = NULL;
	const char *file = t->o->file;
	char part[16384];
	size_t n;

	if (t->o->text) {
		buf_puts(&t->text, t->o->text);
		return 0;
	}
	f = !strcmp(file, "-") ? fdopen(dup(STDIN_FILENO), "r") : fopen(file, "re");
	if (!f)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), f))) {
		buf_add(&t->text, part, n);
		if (t->text.n > TEXT_MAX)
			return -EFBIG;
	}
	if (ferror(f))
		return errno ? -errno : -EIO;
	return memchr(t->text.p ? t->text.p : "", 0, t->text.n) ? -EILSEQ : 0;
}

/* What kind of file it may be instead. */
static int say_unreadable(const struct trace *t, int r)
{
	if (r != -EILSEQ) {
		log_error(r, "cannot read %s", t->o->file);
	} else {
		log_error(0, "%s is no script: there are zero bytes in it", t->o->file);
		if (str_starts(buf_str(&t->text), STR("\x7f"
						      "ELF")))
			log_hint("skep load takes compiled BPF objects");
	}
	return EXIT_FAILED;
}

bool trace_wants_colour(const struct trace_options *o)
{
	if (o->colour != COLOUR_AUTO)
		return o->colour == COLOUR_ALWAYS;
	return isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

/* Warnings as well as errors; errors stay the last word. */
void trace_say_diags(struct trace *t)
{
	struct buf text = {0};

	if (t->o->no_warnings) {
		size_t kept = 0;

		for (size_t i = 0; i < t->q.diags.list.n; i++)
			if (t->q.diags.list.p[i].severity == SEV_ERROR)
				t->q.diags.list.p[kept++] = t->q.diags.list.p[i];
		t->q.diags.list.n = kept;
	}
	if (t->o->as_bpftrace)
		trace_diags_clang(&t->q.diags, &text);
	if (t->o->what == TRACE_CHECK && t->o->json)
		trace_diags_json(&t->q.diags, &text);
	else
		diags_print(&t->q.diags, trace_wants_colour(t->o), &text);
	if (text.n)
		fwrite(text.p, 1, text.n,
		       t->o->what == TRACE_CHECK && t->o->json ? stdout : stderr);
	buf_done(&text);
	t->q.diags.list.n = 0;
}

static struct compile_options compile_options(struct trace *t, struct buf *dump)
{
	const struct trace_options *o = t->o;
	struct compile_options c = {
		.name = o->text || !strcmp(o->file, "-") ? "stdin" : o->file,
		.text = buf_str(&t->text),
		.check =
			{
				.pid = o->pid ? (int)o->pid : -1,
				.has_child = o->command,
				.has_cgroup = o->cgroup,
				.is_safe = !o->unsafe,
				.is_test = o->run_tests,
				.is_bench = o->run_benches,
				.debuginfo = o->debuginfo,
				.helper_errors = o->helper_errors,
				.counts_losses = !o->as_bpftrace,
				.wants_facts = o->emit,
				.is_portable = o->emit,
				.is_offline = o->what == TRACE_CHECK || o->wants_list,
			},
		.level = (int)o->level,
		.dump = o->dump,
		.dump_to = dump,
	};

	trace_words_params(&t->params, o, &c.params);
	return c;
}

void trace_open_world(struct trace *t)
{
	const struct world_kern_options options = {
		.traceable_functions = t->o->traceable_functions,
		/* an object may be for an older kernel: what all have */
		.without = t->o->emit ? 1ull << WORLD_CPU_V4 | 1ull << WORLD_TASK_PT_REGS |
						1ull << WORLD_CAST
				      : 0,
	};

	if (!t->world)
		t->world = t->o->world	    ? t->o->world
			   : t->is_embedded ? world_vm_new(&options)
					    : world_kern_new(&options);
}

/*
 * Compiling takes about so much memory, and the kernel hands it out page by page, at a microsecond
 * each.  The helper asks for it at once, while nothing needs it.
 */
enum { HEAP_CHUNK = 96 << 10 /* below malloc's threshold for mappings */, HEAP_CHUNKS = 4 };

static void warm_heap(void *ctx)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *chunks[HEAP_CHUNKS];

	(void)ctx;
	for (int i = 0; i < HEAP_CHUNKS; i++) {
		char *p;

		chunks[i] = malloc(HEAP_CHUNK);
		p = (char *)(((uintptr_t)chunks[i] + page - 1) & ~(page - 1));
		if (chunks[i])
			madvise(p, HEAP_CHUNK - page, MADV_POPULATE_WRITE);
	}
	for (int i = 0; i < HEAP_CHUNKS; i++)
		free(chunks[i]);
}

/* --- ahead of the compiler: what it will need, by the helper if there is one */

static void open_rt(void *ctx)
{
	struct trace *t = ctx;

	t->rt_error = rt_open(&t->rt);
}

/* A load takes 0.1 ms, where one is needed; trace_choose() has the answer then. */
static void ask_kernel(void *ctx)
{
	struct trace *t = ctx;

	trace_open_world(t);
	world_has(t->world, WORLD_CPU_V4);
}

/* Types of the kernel that a script of such a text needs: lower-dispatch.c, lower-raw.c. */
static void find_types(void *ctx)
{
	static const struct {
		const char *text;
		bool is_cast; /* wanted where programs cast, or where they do not; or both */
		bool is_typed;
		struct world_type type;
	} likely[] = {
		{"syscalls:", true, true, {BTF_ONE(STRUCT), "task_struct"}},
		{"sys_exit", true, false, {BTF_ONE(STRUCT), "pt_regs"}},
		{"sys_exit_", false, true, {BTF_ONE(TYPEDEF), "btf_trace_sys_exit"}},
		{"sched_switch", false, true, {BTF_ONE(TYPEDEF), "btf_trace_sched_switch"}},
	};
	struct world_type types[ELEMENTS(likely)];
	struct trace *t = ctx;
	bool casts = world_has(t->world, WORLD_CAST);
	size_t n = 0;

	for (size_t i = 0; i < ELEMENTS(likely); i++)
		if ((casts ? likely[i].is_cast : likely[i].is_typed) &&
		    str_has(buf_str(&t->text), str_of(likely[i].text)))
			types[n++] = likely[i].type;
	world_types_ahead(t->world, types, n);
}

/* Returns what to wait for before anything is asked of t->world or t->rt. */
static unsigned int look_ahead(struct trace *t)
{
	unsigned int job;

	if (t->runs && t->o->runtime != RUNTIME_EMBEDDED && t->text.n >= HELPER_MIN)
		t->helper = helper_start();
	if (trace_has_choice(t))
		helper_do(t->helper, ask_kernel, t);
	job = helper_do(t->helper, open_rt, t);
	if (t->helper && trace_has_choice(t))
		helper_do(t->helper, find_types, t);
	if (t->helper)
		helper_do(t->helper, warm_heap, NULL);
	return job;
}

/* What the tree is compiled for, and with. */
static void settle(struct trace *t, struct compile_options *c)
{
	trace_choose(t);
	trace_open_world(t);
	if (t->is_embedded) {
		helper_end(t->helper);
		t->helper = NULL;
	}
	c->check.world = t->world;
	c->rt = t->rt;
	if (!t->helper)
		return;
	trace_config_known(t);
	c->helper = t->helper;
	c->maps_known = trace_maps_known;
	c->known_ctx = t;
}

int trace_compile(struct trace *t)
{
	struct compile_options c;
	struct buf dump = {0};
	struct program *p;
	unsigned int job;
	bool ok = false;
	int r;

	r = read_text(t);
	if (r < 0)
		return say_unreadable(t, r);
	job = look_ahead(t);
	c = compile_options(t, &dump);
	p = compile_read(&t->q, &c);
	helper_wait(t->helper, job);
	if (t->rt_error < 0) {
		log_error(t->rt_error, "cannot read skep's own runtime functions");
		return EXIT_FAILED;
	}
	if (p) {
		settle(t, &c);
		ok = compile_tree(&t->q, p, &c);
	}
	if (ok && t->o->emit)
		portable_find(&t->q, &c);
	if (dump.n)
		fwrite(dump.p, 1, dump.n, stdout);
	buf_done(&dump);
	if (!ok || !t->runs || t->o->what != TRACE_RUN)
		trace_say_diags(t); /* else when the kernel has something to do: trace_load() */
	return ok ? 0 : EXIT_FAILED;
}

/* What the compiler would have asked for, of a program that was compiled elsewhere. */
int trace_open_object(struct trace *t)
{
	int status;

	t->world = world_kern_new(NULL);
	status = emit_open(&t->q, t->o->object, t->o->file,
			   t->o->what == TRACE_RUN ? t->world : NULL);
	if (status || t->o->what != TRACE_RUN)
		return status;
	if (t->q.wants_child && !t->o->command) {
		log_error(0, "%s uses cpid, which needs a command: -c COMMAND", t->o->file);
		return EXIT_USAGE;
	}
	if (t->q.is_unsafe && !t->o->unsafe) {
		log_error(0, "%s calls a function that changes something", t->o->file);
		log_hint("--unsafe allows it");
		return EXIT_FAILED;
	}
	return 0;
}

int trace_list(const struct trace_options *o)
{
	const struct world_kern_options options = {.traceable_functions = o->traceable_functions};
	bool is_embedded = o->runtime == RUNTIME_EMBEDDED ||
			   (o->runtime == RUNTIME_AUTO && o->command && runtime_kernel_refuses());
	struct world *w = is_embedded ? world_vm_new(&options) : world_kern_new(&options);
	struct question q;
	struct buf text = {0};
	int r;

	question_init(&q);
	r = attach_list_pid(w, o->list, o->pid ? (int)o->pid : -1, o->verbose, &text, &q.diags);
	if (text.n)
		fwrite(text.p, 1, text.n, stdout);
	buf_reset(&text);
	diags_print(&q.diags, trace_wants_colour(o), &text);
	if (text.n)
		fwrite(text.p, 1, text.n, stderr);
	buf_done(&text);
	question_done(&q);
	world_free(w);
	return r < 0 ? EXIT_FAILED : 0;
}
