/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/rule/walker.h"

#include "compile/gen/gen.h"
#include "compile/ir/interp.h"
#include "compile/opt/opt.h"
#include "isa/insn.h"

#include <sys/utsname.h>
#include <time.h>

static uint32_t add_map(struct question *q, const char *name, enum question_map_kind kind,
			uint32_t size)
{
	array_push(&q->arena, &q->maps,
		   ((struct question_map){.name = name,
					  .kind = kind,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .key_size = 4,
					  .value_size = size,
					  .max_entries = 1}));
	return (uint32_t)q->maps.n - 1;
}

void walker_init(struct walker *w)
{
	*w = (struct walker){.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			     .level = 2,
			     .has_loop = true,
			     .kernel = {.prog = -1, .btf = -1}};
	question_init(&w->q);
	w->stage = arena_new(&w->q.arena, struct wire_stage);
	add_map(&w->q, "stage", QMAP_OTHER, sizeof(struct wire_stage));
	w->q.globals =
		(int32_t)add_map(&w->q, "globals", QMAP_GLOBALS, sizeof(struct walker_found));
	rule_tables_init(&w->tables, &w->q);
}

uint32_t walker_at(const struct walker *w, uint32_t table)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < table; i++)
		at += 1 + w->tables.tables.p[i].n_words;
	return at;
}

/* --- the program */

static void out(struct ir_builder *b, uint32_t at, struct ir_val v)
{
	ir_store(b, ir_space_addr(b, IRS_GLOBAL, at * 8), 0, 8, v);
}

static struct ir_val half(struct ir_builder *b, ir_reg stage, size_t off)
{
	return ir_load(b, stage, (int32_t)off, 2, false);
}

static void program(struct walker *w, struct ir_builder *b, ir_reg stage)
{
	struct ir_val a = half(b, stage, 0), a_len = half(b, stage, 2);
	struct ir_val c = half(b, stage, 4), c_len = half(b, stage, 6);
	struct rule_walks walks;

	rule_walks_init(&walks, &w->tables, &w->m, w->has_loop);
	if (!w->only_a) {
		out(b, 0, walk_same(&walks, b, stage, a, a_len, c, c_len));
		out(b, 1, walk_comm_length(b, stage, 8, 16));
	}
	for (uint32_t i = 0; i < w->tables.tables.n; i++) {
		uint32_t at = 2 + walker_at(w, i);

		walk_begin(&walks, b, i, stage);
		walk_text(&walks, b, a, a_len);
		if (!w->only_a) {
			walk_byte(&walks, b, '/');
			walk_text(&walks, b, c, c_len);
		}
		out(b, at, walk_end(&walks, b));
		for (uint32_t k = 0; k < w->tables.tables.p[i].n_words; k++)
			out(b, at + 1 + k, walk_word(&walks, b, k));
	}
}

bool walker_make(struct walker *w)
{
	struct gen_options o = {.cpu = kernel_cpu()};
	struct ir_builder b = {.m = &w->m};
	struct buf why = {};
	uint32_t found, none;
	ir_reg key, stage;

	rule_tables_finish(&w->tables);
	if (w->has_each)
		rule_tables_add_turns(&w->tables);
	ir_module_init(&w->m, &w->q.arena, "walker");
	w->m.n_maps = (uint32_t)w->q.maps.n;
	ir_func_add(&w->m, "main", 1);
	key = ir_slot_addr(&b, ir_slot_new(&b, 4, 4, "key"), 0);
	ir_store(&b, key, 0, 4, IR_I(0));
	stage = IR_CALL(&b, BPF_FUNC_map_lookup_elem, IRC_PTR, IR_R(ir_map_addr(&b, WALKER_STAGE)),
			IR_R(key));
	found = ir_block_new(&b);
	none = ir_block_new(&b);
	ir_branch(&b, IRC_EQ, IR_R(stage), IR_I(0), none, found);
	ir_block_go(&b, none);
	ir_return(&b, IR_I(0));
	ir_block_go(&b, found);
	program(w, &b, stage);
	ir_return(&b, IR_I(1));
	if (!ir_check(&w->m, &why)) {
		w->error = arena_printf(&w->q.arena, "lowering: %s", why.p);
		buf_done(&why);
		return false;
	}
	opt_run(&w->m, w->level, NULL, NULL);
	array_push(&w->q.arena, &w->q.progs,
		   ((struct question_prog){.name = "walker", .prog_type = w->prog_type}));
	if (!gen_program(&w->q, &w->m, &o, &w->q.progs.p[0])) {
		w->error = "cannot be generated";
		return false;
	}
	if (getenv("SHOW")) {
		ir_print(&w->m, &why);
		fprintf(stderr, "%s\n", why.p);
		buf_done(&why);
		kernel_show(&(struct kernel){}, &w->q.progs.p[0]);
	}
	return true;
}

/* --- the embedded runtime */

static int vm_open(struct walker *w)
{
	const struct question_prog *p = &w->q.progs.p[0];
	struct arena *a = &w->q.arena;
	struct vm_func *funcs = arena_array(a, struct vm_func, p->n_funcs);
	struct vm_prog prog = {.name = p->name,
			       .section = "",
			       .prog_type = p->prog_type,
			       .insns = arena_copy(a, p->insns, p->n_insns * sizeof(*p->insns)),
			       .n_insns = p->n_insns,
			       .funcs = funcs,
			       .n_funcs = p->n_funcs};
	struct verify_config c = {.as_kernel = false};
	int r = 0;

	for (uint32_t i = 0; i < p->n_funcs; i++)
		funcs[i] = (struct vm_func){.name = p->funcs[i].name,
					    .insn = p->funcs[i].insn,
					    .is_callback = p->funcs[i].is_callback};
	for (uint32_t i = 0; i < p->n_relocs; i++)
		insn_wide(&prog.insns[p->relocs[i].insn],
			  p->relocs[i].kind == QRELOC_MAP ? BPF_PSEUDO_MAP_IDX
							  : BPF_PSEUDO_MAP_IDX_VALUE,
			  prog.insns[p->relocs[i].insn].dst_reg,
			  p->relocs[i].map | (uint64_t)p->relocs[i].addend << 32);
	w->object.license = "GPL";
	w->object.diags = &w->q.diags;
	array_push(&w->object.arena, &w->object.progs, prog);
	for (size_t i = 0; i < w->q.maps.n && r >= 0; i++) {
		const struct question_map *m = &w->q.maps.p[i];
		struct vm_map_def d = {.name = m->name,
				       .type = m->type,
				       .key_size = m->key_size,
				       .value_size = m->value_size,
				       .max_entries = m->max_entries,
				       .flags = m->flags,
				       .init = m->init,
				       .is_frozen = m->kind == QMAP_RODATA};

		array_push(&w->object.arena, &w->object.maps, d);
		r = map_create(&d, 1, &w->maps[i]);
	}
	if (r >= 0)
		r = verify(&w->object, 0, &c, &w->object.arena, &w->verified);
	if (r >= 0 && !w->verified.is_ok) {
		w->error = w->verified.error ? w->verified.error : "refused";
		r = -EACCES;
	}
	return r;
}

static int vm_load(struct walker *w, enum vm_engine engine)
{
	struct code_options o = {.engine = engine, .maps = w->maps};
	char why[256] = "";
	int r = w->object.progs.n ? 0 : vm_open(w);

	if (r >= 0)
		r = code_make(&w->object, 0, &w->verified, &o, &w->codes[engine], why, sizeof(why));
	if (*why)
		w->error = arena_strdup(&w->q.arena, why);
	return r;
}

static bool vm_run(struct walker *w, enum vm_engine engine, struct walker_found *ret)
{
	struct vm_run run = {};
	uint64_t ctx[8] = {0};
	uint32_t key = 0;

	map_user_update(w->maps[WALKER_STAGE], &key, w->stage, 0);
	if (code_run(w->codes[engine], &run, ctx, 0) != 1)
		return false;
	return map_user_lookup(w->maps[WALKER_GLOBALS], &key, ret) >= 0;
}

/* --- the IR's interpreter */

static bool interp_helper(struct interp *in, enum ir_op op, uint32_t index, const char *name,
			  const uint64_t *args, unsigned int n_args, uint64_t *ret)
{
	const uint64_t *places = in->ctx;
	uint64_t stop = 0, i;

	(void)name;
	(void)n_args;
	if (op == IR_CALL && index == BPF_FUNC_map_lookup_elem) {
		*ret = places[WALKER_STAGE];
		return true;
	}
	if (op == IR_CALL && index == BPF_FUNC_for_each_map_elem) {
		for (i = 0; i < RULE_TURNS && !stop; i++)
			if (!interp_call(in, (uint32_t)args[1], (uint64_t[]){0, 0, 0, args[2]}, 4,
					 &stop))
				return true;
		*ret = i;
		return true;
	}
	if (op != IR_CALL || index != BPF_FUNC_loop)
		return false;
	for (i = 0; i < (uint32_t)args[0] && !stop; i++)
		if (!interp_call(in, (uint32_t)args[1], (uint64_t[]){i, args[2]}, 2, &stop))
			return true;
	*ret = i;
	return true;
}

static uint64_t interp_value(struct interp *in, uint32_t map)
{
	return ((const uint64_t *)in->ctx)[map];
}

static bool ir_run(struct walker *w, struct walker_found *ret)
{
	static const struct interp_ops ops = {.call = interp_helper, .map_value = interp_value};
	const struct question_map *tables = &w->q.maps.p[w->tables.map];
	uint64_t places[8] = {0}, value = 0;
	struct interp in;
	bool ok;

	interp_init(&in, &w->m, 10000000);
	in.ops = &ops;
	in.ctx = places;
	places[WALKER_STAGE] = interp_area(&in, w->stage, sizeof(*w->stage), true);
	places[w->tables.map] =
		interp_area(&in, (void *)(uintptr_t)tables->init, tables->value_size, true);
	interp_space(&in, IRS_GLOBAL, ret, sizeof(*ret));
	ok = interp_eval(&in, 0, &value) && value == 1;
	if (!ok)
		w->error = arena_printf(&w->q.arena, "interpreted: %d", in.why);
	interp_done(&in);
	return ok;
}

/* --- the kernel */

/* bpf_for_each_map_elem() came with 5.13, bpf_loop() with 5.17. */
static bool kernel_can(const struct walker *w)
{
	unsigned int minor = w->has_loop ? 17 : w->has_each ? 13 : 0, have[2] = {0};
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &have[0], &have[1]) == 2 &&
	       (have[0] > 5 || (have[0] == 5 && have[1] >= minor));
}

static bool kernel_stage(struct walker *w)
{
	uint32_t key = 0;
	union bpf_attr attr = {.map_fd = (uint32_t)w->kernel.maps[WALKER_STAGE],
			       .key = (uintptr_t)&key,
			       .value = (uintptr_t)w->stage};

	return kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr) >= 0;
}

int walker_load(struct walker *w, enum walker_place place)
{
	int r;

	switch (place) {
	case WALKER_IR:
		return 0;
	case WALKER_INTERP:
		return vm_load(w, VM_INTERP);
	case WALKER_JIT:
		return vm_load(w, VM_JIT);
	case WALKER_KERNEL:
		if (geteuid() || !kernel_can(w))
			return -ENOTSUP;
		r = kernel_load(&w->kernel, &w->q, 0);
		w->is_loaded = r >= 0;
		w->error = w->kernel.log;
		return r;
	case WALKER_PLACES:
		break;
	}
	return -EINVAL;
}

bool walker_run(struct walker *w, enum walker_place place, struct walker_found *ret)
{
	uint32_t value;

	memset(ret, 0, sizeof(*ret));
	switch (place) {
	case WALKER_IR:
		return ir_run(w, ret);
	case WALKER_INTERP:
		return vm_run(w, VM_INTERP, ret);
	case WALKER_JIT:
		return vm_run(w, VM_JIT, ret);
	case WALKER_KERNEL:
		return kernel_stage(w) && kernel_run(&w->kernel, &value) >= 0 && value == 1 &&
		       kernel_read(&w->kernel, WALKER_GLOBALS, ret) >= 0;
	case WALKER_PLACES:
		break;
	}
	return false;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double walker_kernel_ns(struct walker *w, uint32_t n)
{
	char packet[64] = "";
	double best = 1e18;

	kernel_stage(w);
	for (unsigned int i = 0; i < 20; i++) {
		union bpf_attr attr = {.test = {.prog_fd = (uint32_t)w->kernel.prog,
						.data_in = (uintptr_t)packet,
						.data_size_in = sizeof(packet),
						.repeat = n}};

		if (kernel_bpf(BPF_PROG_TEST_RUN, &attr) < 0)
			return -1;
		best = MIN(best, (double)attr.test.duration);
	}
	return best;
}

int walker_kernel_verify(struct walker *w, double *ret_ms, unsigned int *ret_insns)
{
	static char log[4096];
	struct question_prog *p = &w->q.progs.p[0];
	struct bpf_insn *insns = arena_copy(&w->q.arena, p->insns, p->n_insns * sizeof(*p->insns));
	_cleanup_buf_ struct buf infos = {0};
	const char *at;
	double t;
	int fd;

	for (uint32_t i = 0; i < p->n_relocs; i++) {
		struct bpf_insn *insn = &insns[p->relocs[i].insn];

		insn[0].imm = w->kernel.maps[p->relocs[i].map];
		if (p->relocs[i].kind == QRELOC_MAP_VALUE) {
			insn[0].src_reg = BPF_PSEUDO_MAP_VALUE;
			insn[1].imm = (int32_t)p->relocs[i].addend;
		}
	}
	{
		int btf = kernel_btf(p, &infos);
		union bpf_attr attr = {.prog_type = p->prog_type,
				       .insns = (uintptr_t)insns,
				       .insn_cnt = p->n_insns,
				       .license = (uintptr_t) "GPL",
				       .log_buf = (uintptr_t)log,
				       .log_size = sizeof(log),
				       .log_level = 4,
				       .prog_btf_fd = (uint32_t)btf,
				       .func_info = (uintptr_t)infos.p,
				       .func_info_cnt = p->n_funcs,
				       .func_info_rec_size = sizeof(struct bpf_func_info)};

		t = cpu_ns();
		fd = kernel_bpf(BPF_PROG_LOAD, &attr);
		*ret_ms = (cpu_ns() - t) / 1e6;
		close(btf);
	}
	at = strstr(log, "processed ");
	*ret_insns = at ? (unsigned int)strtoul(at + 10, NULL, 10) : 0;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

double walker_jit_ns(struct walker *w, uint32_t n)
{
	double best = 1e18;
	uint32_t key = 0;

	map_user_update(w->maps[WALKER_STAGE], &key, w->stage, 0);
	for (uint32_t i = 0; i < n; i++) {
		struct vm_run run = {};
		uint64_t ctx[8] = {0};
		double t = now_ns();

		code_run(w->codes[VM_JIT], &run, ctx, 0);
		best = MIN(best, now_ns() - t);
	}
	return best;
}

void walker_done(struct walker *w)
{
	for (unsigned int i = 0; i < ELEMENTS(w->codes); i++)
		code_free(w->codes[i]);
	for (unsigned int i = 0; i < ELEMENTS(w->maps); i++)
		if (w->maps[i])
			map_unref(w->maps[i]);
	if (w->kernel.n_maps)
		kernel_close(&w->kernel);
	arena_done(&w->object.arena);
	question_done(&w->q);
}
