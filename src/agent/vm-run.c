/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep vm run`: one program, once, over the memory, context or packet that is given.
 *
 * What r1 points to is what the program's type says: for instructions alone the bytes of --mem;
 * for those who look at packets a context made for a packet, which is --mem, else 64 zeros; for
 * others a context of zeros, over which --ctx is laid.
 */
#include "agent/vm-input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/vm/helper/packet.h"
#include "runtime/vm/load.h"
#include "runtime/vm/verify/ctx.h"

enum {
	CTX_ROOM = 1024,
	PACKET_BYTES = 64,
	TIME_NS = 100000000, /* how long --time goes on */
	TIME_BATCH = 16,
};

struct trial {
	const struct vm_options *o;
	struct vm_input in;
	struct vm_loaded loaded;
	uint32_t prog;
	struct vm_packet packet;
	bool has_packet;
	void *ctx;
	uint64_t second, made_ns;
	struct vm_run run;
	struct vm_task task;
	uint64_t disagreements;
};

/* --- the context */

static int make_packet(struct trial *t, const struct vm_prog *p)
{
	static const uint8_t nothing[PACKET_BYTES];
	const void *bytes = t->in.has_mem ? t->in.mem.p : (const void *)nothing;
	size_t n = t->in.has_mem ? t->in.mem.n : sizeof(nothing);
	int r = packet_init(&t->packet, p->prog_type);

	if (r < 0)
		return 0;
	t->has_packet = true;
	r = packet_set(&t->packet, bytes, n);
	if (r < 0) {
		log_error(r, "%zu bytes are no packet", n);
		return EXIT_FAILED;
	}
	t->ctx = t->packet.ctx;
	packet_bind(&t->packet, &t->run);
	return 0;
}

static int make_context(struct trial *t)
{
	const struct vm_prog *p = &t->in.object.progs.p[t->prog];
	struct str given = {0};
	int r;

	if (p->prog_type == BPF_PROG_TYPE_UNSPEC) {
		/* a copy that may be written, also where it is empty */
		t->ctx = arena_alloc(&t->in.arena, t->in.mem.n + 16);
		memcpy(t->ctx, t->in.mem.p ? t->in.mem.p : "", t->in.mem.n);
		t->second = t->in.mem.n;
	} else if (make_packet(t, p)) {
		return EXIT_FAILED;
	} else if (!t->has_packet) {
		t->ctx = arena_alloc(&t->in.arena, CTX_ROOM);
	}
	if (!t->o->ctx)
		return 0;
	r = vm_input_bytes(&t->in.arena, t->o->ctx, &given);
	if (r < 0) {
		log_error(r, "--ctx: cannot read %s", t->o->ctx);
		return EXIT_FAILED;
	}
	if (p->prog_type == BPF_PROG_TYPE_UNSPEC || given.n > CTX_ROOM ||
	    (t->has_packet && given.n > sizeof(struct xdp_md))) {
		log_error(0, "--ctx: %zu bytes are more than this program's context", given.n);
		return EXIT_FAILED;
	}
	memcpy(t->ctx, given.p, given.n);
	if (t->has_packet)
		packet_sync(&t->packet);
	return 0;
}

/* --map: the value of key 0, as long as it is given, then zeros. */
static int fill_map(struct trial *t)
{
	const char *sign = t->o->map ? strchr(t->o->map, '=') : NULL;
	struct vm_map *map = NULL;
	struct str given;
	char *key, *value;
	int r;

	if (!t->o->map)
		return 0;
	for (size_t i = 0; sign && i < t->in.object.maps.n; i++)
		if (str_eq(str_of(t->in.object.maps.p[i].name),
			   (struct str){t->o->map, (size_t)(sign - t->o->map)}))
			map = t->loaded.maps[i];
	if (!map) {
		log_error(0, "--map: there is no map of this name: %s", t->o->map);
		return EXIT_FAILED;
	}
	r = vm_input_bytes(&t->in.arena, sign + 1, &given);
	if (r >= 0 && given.n > map->def.value_size)
		r = -E2BIG;
	if (r >= 0) {
		key = arena_alloc(&t->in.arena, map->def.key_size + 1);
		value = arena_alloc(&t->in.arena, map->def.value_size + sizeof(uint64_t));
		memcpy(value, given.p, given.n);
		r = map_user_update(map, key, value, BPF_ANY);
	}
	if (r < 0)
		log_error(r, "--map: cannot set the value of '%s'", map->def.name);
	return r < 0 ? EXIT_FAILED : 0;
}

static void make_task(struct trial *t)
{
	static const char name[] = "skep";

	t->task = (struct vm_task){.pid = (uint32_t)getpid(),
				   .tid = (uint32_t)getpid(),
				   .uid = getuid(),
				   .gid = getgid(),
				   .ppid = (uint32_t)getppid(),
				   .is_self = true};
	memcpy(t->task.comm, name, sizeof(name));
	t->run.task = &t->task;
}

/* --- the checking mode: each instruction against what the verifier wrote down */

static bool in_map(void *ctx, uint32_t map, const void *p, size_t n)
{
	const struct trial *t = ctx;

	return map < t->in.object.maps.n && map_holds(t->loaded.maps[map], p, n);
}

static void check(struct vm_run *run, uint32_t insn, const uint64_t regs[11])
{
	struct trial *t = run->check_ctx;
	const struct verify_result *v = &t->loaded.results[run->code->prog - t->in.object.progs.p];
	bool is_mem = run->code->prog->prog_type == BPF_PROG_TYPE_UNSPEC;
	struct verify_ground g = {
		.ctx = t->ctx,
		.ctx_size = is_mem ? 0 : CTX_ROOM,
		.mem = is_mem ? t->ctx : NULL,
		.mem_size = is_mem ? t->second : 0,
		.packet = run->data,
		.packet_end = run->data_end,
		.frame = (const void *)(uintptr_t)regs[10],
		.depth = run->depth,
		.in_map = in_map,
		.ctx_ = t,
	};
	char text[256];
	const char *wrong = verify_check(v, insn, regs, &g, text, sizeof(text));

	if (!wrong)
		return;
	if (!t->disagreements++)
		log_error(0, "instruction %u is not as the verifier said: %s", insn, wrong);
}

/* --- to run */

static int load(struct trial *t)
{
	const struct vm_options *o = t->o;
	struct vm_load_options options = {
		.engine = o->interp || o->check ? VM_INTERP : VM_JIT,
		.may_interpret = !o->jit,
		.is_unverified = o->unverified,
		.verify = {.kernel = t->in.kernel.blob ? &t->in.kernel.view : NULL,
			   .as_kernel = o->as_kernel,
			   .wants_states = o->check},
	};
	uint64_t begin = clock_mono_ns();
	int r = load_begin(&t->in.object, 1, &t->loaded);

	if (r >= 0)
		r = load_prog(&t->loaded, t->prog, &options);
	t->made_ns = clock_mono_ns() - begin;
	if (vm_input_print(&t->in, o) || r >= 0)
		return r < 0 ? EXIT_FAILED : 0;
	log_error(t->loaded.why[0] ? 0 : r, "%s",
		  t->loaded.why[0] ? t->loaded.why : "the program is refused");
	if (r == -EACCES && !o->file)
		log_hint("--unverified runs it all the same");
	return EXIT_FAILED;
}

/* The least of many: what a run costs when nobody is in the way. */
static void measure(struct trial *t)
{
	const struct vm_code *c = t->loaded.codes[t->prog];
	uint64_t end = clock_mono_ns() + TIME_NS, least = UINT64_MAX, insns = t->run.insns;

	t->run.has_count = false;
	t->run.check = NULL;
	while (clock_mono_ns() < end) {
		uint64_t begin = clock_mono_ns(), took;

		for (int i = 0; i < TIME_BATCH; i++)
			code_run(c, &t->run, t->ctx, t->second);
		took = clock_mono_ns() - begin;
		least = MIN(least, took);
	}
	printf("%s: %.1f ns", c->engine == VM_JIT ? "machine code" : "interpreter",
	       (double)least / TIME_BATCH);
	if (insns)
		printf(", %llu instructions, %.2f ns each", (unsigned long long)insns,
		       (double)least / TIME_BATCH / (double)insns);
	printf("\nmade in %.1f us", (double)t->made_ns / 1000);
	if (!t->o->unverified)
		printf(", verified in %.1f us: %u instructions looked at",
		       (double)t->loaded.results[t->prog].ns / 1000,
		       t->loaded.results[t->prog].insns_explored);
	putchar('\n');
}

/* What a load from the context gives that nobody is here to put into it; NULL: it has all. */
static const char *lacking_field(const struct trial *t, const struct ctx_type *type, uint32_t row)
{
	const struct ctx_field *f = row < type->n ? &type->fields[row] : NULL;

	if (!f)
		return NULL;
	switch ((enum ctx_kind)f->kind) {
	case CTX_NUMBER:
		return NULL;
	case CTX_PACKET:
	case CTX_PACKET_END:
	case CTX_PACKET_META:
		return t->has_packet ? NULL : f->name;
	case CTX_SOCK:
	case CTX_SOCK_COMMON:
		return f->may_be_null ? NULL : f->name;
	case CTX_BTF:
	case CTX_FLOW_KEYS:
	case CTX_CTX:
	case CTX_TP_BUFFER:
		return f->name;
	}
	return f->name;
}

/* Pointers in a context come from a hook, and zeros are none: such a program is not run. */
static int check_context(const struct trial *t)
{
	const struct vm_prog *p = &t->in.object.progs.p[t->prog];
	const struct verify_result *v = &t->loaded.results[t->prog];
	const struct ctx_type *type = ctx_of(p->prog_type, p->attach_type);
	const char *field;

	if (!type || !v->insns)
		return 0;
	for (uint32_t i = 0; i < p->n_insns; i++) {
		if (v->insns[i].access != ACCESS_CTX)
			continue;
		field = type->form == CTX_FORM_TYPED ? type->name
						     : lacking_field(t, type, v->insns[i].field);
		if (!field)
			continue;
		log_error(0,
			  "instruction %u reads what only a hook can give: %s; skep vm run has "
			  "none",
			  i, field);
		return EXIT_CANNOT_HERE;
	}
	return 0;
}

static int run(struct trial *t)
{
	const struct vm_code *c = t->loaded.codes[t->prog];
	uint64_t r0;

	make_task(t);
	t->run.has_count = t->o->time && c->engine == VM_INTERP;
	if (t->o->check) {
		t->run.check = check;
		t->run.check_ctx = t;
	}
	r0 = code_run(c, &t->run, t->ctx, t->second);
	if (t->run.failure[0]) {
		log_error(0, "it was stopped: %s", t->run.failure);
		return EXIT_FAILED;
	}
	printf("0x%llx\n", (unsigned long long)r0);
	if (t->o->time)
		measure(t);
	if (t->disagreements)
		log_error(0, "%llu instructions were not as the verifier said",
			  (unsigned long long)t->disagreements);
	return t->disagreements ? EXIT_FAILED : 0;
}

int vm_run(const struct vm_options *o)
{
	struct trial *t = xalloc(sizeof(*t));
	int status;

	t->o = o;
	status = vm_input_open(&t->in, o);
	if (!status) {
		t->prog = vm_input_prog(&t->in, o);
		status = t->prog == UINT32_MAX ? EXIT_FAILED : 0;
	}
	if (!status)
		status = make_context(t);
	if (!status)
		status = load(t);
	if (!status)
		status = check_context(t);
	if (!status)
		status = fill_map(t);
	if (!status)
		status = run(t);
	if (t->has_packet)
		packet_done(&t->packet);
	load_done(&t->loaded);
	vm_input_done(&t->in);
	free(t);
	return status;
}
