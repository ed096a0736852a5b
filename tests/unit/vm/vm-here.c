/* SPDX-License-Identifier: Apache-2.0 */
#include "vm-here.h"

#include <errno.h>
#include <stdio.h>

static void describe(struct vm_here *h, size_t n)
{
	uint32_t at;
	unsigned int more = gen_functions(h->insns, n, &at, 1);

	h->funcs[0] = (struct vm_func){.name = "program"};
	if (more)
		h->funcs[1] = (struct vm_func){.name = "function", .insn = at};
	h->prog = (struct vm_prog){.name = "program",
				   .section = "tc",
				   .prog_type = BPF_PROG_TYPE_SCHED_CLS,
				   .insns = h->insns,
				   .n_insns = (uint32_t)n,
				   .funcs = h->funcs,
				   .n_funcs = 1 + more};
}

int here_open(struct vm_here *h, const struct bpf_insn *p, size_t n, bool as_kernel)
{
	struct vm_map_def map = {.name = "data",
				 .type = BPF_MAP_TYPE_ARRAY,
				 .key_size = 4,
				 .value_size = GEN_VALUE,
				 .max_entries = 1};
	struct verify_config config = {.as_kernel = as_kernel};
	int r;

	memset(h, 0, sizeof(*h));
	memcpy(h->insns, p, n * sizeof(*p));
	h->diags.arena = &h->object.arena;
	h->object.diags = &h->diags;
	h->object.license = "GPL";
	array_push(&h->object.arena, &h->object.maps, map);
	describe(h, n);
	array_push(&h->object.arena, &h->object.progs, h->prog);
	r = map_create(&map, 1, &h->map);
	if (!r)
		r = packet_init(&h->packet, BPF_PROG_TYPE_SCHED_CLS);
	if (!r)
		r = verify(&h->object, 0, &config, &h->object.arena, &h->verified);
	if (r || !h->verified.is_ok)
		return r;
	/* recording takes every number for important, which pruning else must find out */
	config.wants_states = true;
	r = verify(&h->object, 0, &config, &h->object.arena, &h->recorded);
	if (!r && !h->recorded.is_ok && !strstr(h->recorded.error, "too complex") &&
	    !strstr(h->recorded.error, "program is too large")) {
		h->violations++;
		snprintf(h->violation, sizeof(h->violation), "pruned, but walked it is refused: %s",
			 h->recorded.error);
	}
	return r;
}

void here_close(struct vm_here *h)
{
	code_free(h->codes[VM_INTERP]);
	code_free(h->codes[VM_JIT]);
	map_unref(h->map);
	packet_done(&h->packet);
	arena_done(&h->object.arena);
}

int here_make(struct vm_here *h, char *why, size_t room)
{
	for (int engine = VM_INTERP; engine <= VM_JIT; engine++) {
		struct code_options o = {.engine = (enum vm_engine)engine, .maps = &h->map};
		int r = code_make(&h->object, 0, &h->verified, &o, &h->codes[engine], why, room);

		if (r == -ENOTSUP && engine == VM_JIT)
			continue;
		if (r < 0)
			return r;
	}
	return 0;
}

static bool in_map(void *ctx, uint32_t map, const void *p, size_t n)
{
	struct vm_here *h = ctx;
	uint32_t key = 0;
	const char *value = map_lookup(h->map, &key, 0);
	size_t at = (size_t)((const char *)p - value);

	return !map && at <= GEN_VALUE && n <= GEN_VALUE - at;
}

static void check(struct vm_run *run, uint32_t insn, const uint64_t regs[11])
{
	struct vm_here *h = run->check_ctx;
	struct verify_ground g = {.ctx = h->packet.ctx,
				  .ctx_size = sizeof(struct __sk_buff),
				  .packet = h->packet.data,
				  .packet_end = h->packet.end,
				  .frame = (const void *)(uintptr_t)regs[10],
				  .depth = run->depth + 1,
				  .in_map = in_map,
				  .ctx_ = h};
	char text[200];
	const char *wrong;

	h->checks++;
	wrong = verify_check(&h->recorded, insn, regs, &g, text, sizeof(text));
	if (wrong && !h->violations++)
		snprintf(h->violation, sizeof(h->violation), "instruction %u: %s", insn, wrong);
}

void here_run(struct vm_here *h, enum vm_engine engine, bool is_checked, struct vm_data *d)
{
	struct vm_run run = {0};
	uint32_t key = 0;
	char *value = map_lookup(h->map, &key, 0);

	packet_set(&h->packet, d->packet, d->n);
	memcpy(value, d->value, GEN_VALUE);
	packet_bind(&h->packet, &run);
	if (is_checked && h->recorded.is_ok) {
		run.check = check;
		run.check_ctx = h;
	}
	d->result = (uint32_t)code_run(h->codes[engine], &run, h->packet.ctx, 0);
	memcpy(d->value, value, GEN_VALUE);
	d->n = (uint32_t)packet_n(&h->packet);
	memcpy(d->packet, h->packet.data, d->n < sizeof(d->packet) ? d->n : sizeof(d->packet));
}
