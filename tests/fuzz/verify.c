/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any instructions through the verifier; what it accepts runs, each register against what the
 * verifier wrote down, and every access under the address sanitizer.  A disagreement is a crash.
 *
 * Input: a byte that chooses the program type, one of options, then instructions of 8 bytes.
 * References to maps name one of three: an array, a hash, a ring buffer.
 */
#include "base/macro.h"
#include "runtime/vm/helper/packet.h"
#include "runtime/vm/run.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INSNS_MAX = 512, STEPS_MAX = 100000, VALUE = 64, MAPS = 3, PACKET = 64 };

struct trial {
	struct vm_object object;
	struct diags diags;
	struct vm_map *maps[MAPS];
	struct vm_packet packet;
	struct vm_func funcs[64];
	struct bpf_insn insns[INSNS_MAX];
	struct verify_result verified, recorded;
	struct vm_code *code;
	void *ctx;
	uint64_t steps;
	jmp_buf enough;
};

static const uint32_t types[] = {BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP,
				 BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_TRACEPOINT,
				 BPF_PROG_TYPE_UNSPEC};

static void add_maps(struct trial *p)
{
	static const struct vm_map_def defs[MAPS] = {
		{.name = "array",
		 .type = BPF_MAP_TYPE_ARRAY,
		 .key_size = 4,
		 .value_size = VALUE,
		 .max_entries = 2},
		{.name = "hash",
		 .type = BPF_MAP_TYPE_HASH,
		 .key_size = 8,
		 .value_size = 16,
		 .max_entries = 4},
		{.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
	};

	for (int i = 0; i < MAPS; i++) {
		array_push(&p->object.arena, &p->object.maps, defs[i]);
		if (map_create(&defs[i], 1, &p->maps[i]) < 0)
			abort();
	}
}

/* Functions begin where calls and addresses of functions lead to. */
static uint32_t find_functions(struct trial *p, uint32_t n)
{
	bool begins[INSNS_MAX] = {true};
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct bpf_insn *k = &p->insns[i];
		int64_t to = (int64_t)i + 1 + k->imm;

		if ((insn_is_local_call(k) || insn_is_func_addr(k)) && to > 0 && to < n)
			begins[to] = true;
		i += insn_is_wide(k);
	}
	for (uint32_t i = 0; i < n && found < ELEMENTS(p->funcs); i++)
		if (begins[i])
			p->funcs[found++] = (struct vm_func){.name = "f", .insn = i};
	return found;
}

/* What the loader would have resolved: maps by index, no other references. */
static uint32_t take(struct trial *p, const uint8_t *data, size_t size)
{
	uint32_t n = (uint32_t)MIN(size / sizeof(struct bpf_insn), (size_t)INSNS_MAX);

	memcpy(p->insns, data, n * sizeof(struct bpf_insn));
	for (uint32_t i = 0; i < n; i++) {
		struct bpf_insn *k = &p->insns[i];

		if (!insn_is_wide(k))
			continue;
		if (k->src_reg == BPF_PSEUDO_MAP_IDX || k->src_reg == BPF_PSEUDO_MAP_IDX_VALUE)
			k->imm = (int32_t)((uint32_t)k->imm % MAPS);
		else if (k->src_reg && k->src_reg != BPF_PSEUDO_FUNC)
			k->src_reg = 0;
		i++;
	}
	return n;
}

static bool in_map(void *ctx, uint32_t map, const void *at, size_t n)
{
	const struct trial *p = ctx;

	return map < MAPS && map_holds(p->maps[map], at, n);
}

static void check(struct vm_run *run, uint32_t insn, const uint64_t regs[11])
{
	struct trial *p = run->check_ctx;
	bool is_mem = run->code->prog->prog_type == BPF_PROG_TYPE_UNSPEC;
	struct verify_ground g = {.ctx = p->ctx,
				  .ctx_size = is_mem ? 0 : sizeof(p->packet.ctx),
				  .mem = is_mem ? p->ctx : NULL,
				  .mem_size = is_mem ? PACKET : 0,
				  .packet = run->data,
				  .packet_end = run->data_end,
				  .frame = (const void *)(uintptr_t)regs[10],
				  .depth = run->depth,
				  .in_map = in_map,
				  .ctx_ = p};
	char text[256];
	const char *wrong = verify_check(&p->recorded, insn, regs, &g, text, sizeof(text));

	if (wrong) {
		fprintf(stderr, "instruction %u: %s\n", insn, wrong);
		abort();
	}
	if (++p->steps > STEPS_MAX)
		longjmp(p->enough, 1);
}

static void run(struct trial *p, uint32_t type, const uint8_t *data, size_t size)
{
	struct code_options o = {.engine = VM_INTERP, .maps = p->maps};
	struct vm_task task = {.pid = 1, .tid = 1, .is_self = false, .comm = "fuzz"};
	struct vm_run run = {.task = &task, .check = check, .check_ctx = p, .now_ns = 1};
	uint8_t bytes[PACKET] = {0};
	uint64_t ctx[128] = {0};
	char why[160];

	if (code_make(&p->object, 0, &p->verified, &o, &p->code, why, sizeof(why)) < 0)
		return;
	memcpy(bytes, data, MIN(size, sizeof(bytes)));
	p->ctx = ctx;
	if (!packet_init(&p->packet, type)) {
		if (packet_set(&p->packet, bytes, sizeof(bytes)) < 0)
			abort();
		packet_bind(&p->packet, &run);
		p->ctx = p->packet.ctx;
	} else if (type == BPF_PROG_TYPE_UNSPEC) {
		p->ctx = memcpy(malloc(PACKET), bytes, PACKET);
	}
	if (!setjmp(p->enough))
		code_run(p->code, &run, p->ctx, PACKET);
	vm_current = NULL;
	if (type == BPF_PROG_TYPE_UNSPEC)
		free(p->ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verify_config config = {.max_insns = 20000};
	struct trial *p;
	struct vm_prog prog;
	uint32_t n;

	if (size < 2 + sizeof(struct bpf_insn))
		return 0;
	p = xalloc(sizeof(*p));
	p->diags.arena = &p->object.arena;
	p->object.diags = &p->diags;
	p->object.license = "GPL";
	add_maps(p);
	n = take(p, data + 2, size - 2);
	prog = (struct vm_prog){.name = "fuzz",
				.section = "",
				.prog_type = types[data[0] % ELEMENTS(types)],
				.insns = p->insns,
				.n_insns = n,
				.funcs = p->funcs,
				.n_funcs = find_functions(p, n),
				.flags = data[1] & 8 ? BPF_F_TEST_STATE_FREQ : 0,
				.mem_size = PACKET};
	array_push(&p->object.arena, &p->object.progs, prog);
	config.as_kernel = data[1] & 1;
	config.is_unprivileged = (data[1] & 3) == 3;
	if (verify(&p->object, 0, &config, &p->object.arena, &p->verified) < 0)
		p->verified.is_ok = false;
	/* once more with every number counting: what pruning overlooked comes out */
	config.wants_states = true;
	config.max_insns *= 10;
	if (p->verified.is_ok && !verify(&p->object, 0, &config, &p->object.arena, &p->recorded) &&
	    !p->recorded.is_ok && !strstr(p->recorded.error, "too complex") &&
	    !strstr(p->recorded.error, "program is too large")) {
		fprintf(stderr, "pruned, but walked it is refused: %s\n", p->recorded.error);
		abort();
	}
	if (p->verified.is_ok && p->recorded.is_ok)
		run(p, prog.prog_type, data, size);
	code_free(p->code);
	packet_done(&p->packet);
	for (int i = 0; i < MAPS; i++)
		map_unref(p->maps[i]);
	arena_done(&p->object.arena);
	free(p);
	return 0;
}
