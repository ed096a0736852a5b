/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generated program in the kernel: its maps made, loaded by the bare system call, run once
 * by test-run.  For tests; runtime/kern does it in earnest.
 */
#pragma once

#include "catalog/question.h"
#include "isa/btf-write.h"
#include "isa/disasm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KERNEL_MAPS = 16, KERNEL_LOG = 1 << 20 };

struct kernel {
	int maps[KERNEL_MAPS];
	unsigned int n_maps;
	int prog, btf;
	char *log;
};

static inline int kernel_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/*
 * The newest instruction set that the kernel takes: 4 has moves that extend (6.6), 3 atomics
 * that give the old value (5.12).
 */
static inline int kernel_cpu(void)
{
	static const struct bpf_insn v4[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 8},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const struct bpf_insn v3[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 10, .off = -8, .imm = BPF_XCHG},
		{.code = BPF_JMP | BPF_EXIT},
	};
	/* before 5.11 memory is accounted by this limit */
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &all);
	for (int cpu = 4; cpu > 2; cpu--) {
		union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				       .insns = cpu == 4 ? (uintptr_t)v4 : (uintptr_t)v3,
				       .insn_cnt = cpu == 4 ? 3 : 4,
				       .license = (uintptr_t) "GPL"};
		int fd = kernel_bpf(BPF_PROG_LOAD, &attr);

		if (fd >= 0) {
			close(fd);
			return cpu;
		}
	}
	return 2;
}

static inline int kernel_map(const struct question_map *m)
{
	union bpf_attr attr = {.map_type = m->type,
			       .key_size = m->key_size,
			       .value_size = m->value_size,
			       .max_entries = m->max_entries,
			       .map_flags = m->flags};
	int fd = kernel_bpf(BPF_MAP_CREATE, &attr);
	uint32_t key = 0;

	if (fd >= 0 && m->init) {
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)fd;
		attr.key = (uintptr_t)&key;
		attr.value = (uintptr_t)m->init;
		kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	}
	return fd;
}

static inline void kernel_close(struct kernel *k)
{
	for (unsigned int i = 0; i < k->n_maps; i++)
		close(k->maps[i]);
	if (k->prog >= 0)
		close(k->prog);
	if (k->btf >= 0)
		close(k->btf);
	free(k->log);
}

/* Types of the functions, for callbacks.  Returns the descriptor of the BTF. */
static inline int kernel_btf(const struct question_prog *p, struct buf *infos)
{
	_cleanup_buf_ struct buf blob = {0};
	union bpf_attr attr = {0};
	struct btf_writer w;
	uint32_t number, params[5];
	int fd;

	btf_writer_init(&w);
	number = btf_write_int(&w, "u64", 8, 0);
	for (int i = 0; i < 5; i++)
		params[i] = number;
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		uint32_t proto = btf_write_proto(&w, number, params, NULL, p->funcs[i].n_params);
		struct bpf_func_info info = {.insn_off = p->funcs[i].insn,
					     .type_id = btf_write_func(&w, p->funcs[i].name, proto,
								       BTF_FUNC_STATIC)};

		buf_add(infos, &info, sizeof(info));
	}
	btf_write_blob(&w, &blob);
	attr.btf = (uintptr_t)blob.p;
	attr.btf_size = (uint32_t)blob.n;
	fd = kernel_bpf(BPF_BTF_LOAD, &attr);
	btf_writer_done(&w);
	return fd;
}

static inline int kernel_load_prog(struct kernel *k, const struct question_prog *p,
				   const struct bpf_insn *insns)
{
	_cleanup_buf_ struct buf infos = {0};
	union bpf_attr attr = {.prog_type = p->prog_type,
			       .insns = (uintptr_t)insns,
			       .insn_cnt = p->n_insns,
			       .license = (uintptr_t) "GPL"};
	bool has_callback = false;
	int r;

	for (uint32_t i = 0; i < p->n_funcs; i++)
		has_callback |= p->funcs[i].is_callback;
	if (has_callback) {
		k->btf = kernel_btf(p, &infos);
		attr.prog_btf_fd = (uint32_t)k->btf;
		attr.func_info = (uintptr_t)infos.p;
		attr.func_info_cnt = p->n_funcs;
		attr.func_info_rec_size = sizeof(struct bpf_func_info);
	}
	for (int tries = 0; tries < 5; tries++) { /* a signal interrupts the verifier */
		k->prog = kernel_bpf(BPF_PROG_LOAD, &attr);
		if (k->prog >= 0)
			return 0;
		if (errno != EAGAIN)
			break;
	}
	r = -errno; /* a log that does not fit would change it */
	k->log = calloc(1, KERNEL_LOG);
	attr.log_buf = (uintptr_t)k->log;
	attr.log_size = KERNEL_LOG;
	attr.log_level = 1;
	k->prog = kernel_bpf(BPF_PROG_LOAD, &attr);
	return k->prog >= 0 ? 0 : r;
}

/* Makes all maps and loads program `at`.  kernel_close() in any case. */
static inline int kernel_load(struct kernel *k, const struct question *q, uint32_t at)
{
	const struct question_prog *p = &q->progs.p[at];
	struct bpf_insn *insns = malloc(p->n_insns * sizeof(*insns));
	int r = 0;

	*k = (struct kernel){.prog = -1, .btf = -1};
	memcpy(insns, p->insns, p->n_insns * sizeof(*insns));
	for (uint32_t i = 0; i < q->maps.n && r >= 0; i++) {
		r = k->maps[i] = kernel_map(&q->maps.p[i]);
		k->n_maps += r >= 0;
	}
	for (uint32_t i = 0; i < p->n_relocs && r >= 0; i++) {
		struct bpf_insn *insn = &insns[p->relocs[i].insn];

		insn[0].imm = k->maps[p->relocs[i].map];
		if (p->relocs[i].kind == QRELOC_MAP_VALUE) {
			insn[0].src_reg = BPF_PSEUDO_MAP_VALUE;
			insn[1].imm = (int32_t)p->relocs[i].addend;
		}
	}
	if (r >= 0)
		r = kernel_load_prog(k, p, insns);
	free(insns);
	return r;
}

static inline int kernel_run(struct kernel *k, uint32_t *ret)
{
	union bpf_attr attr = {.test = {.prog_fd = (uint32_t)k->prog}};
	int r = kernel_bpf(BPF_PROG_TEST_RUN, &attr);

	*ret = attr.test.retval;
	return r < 0 ? -errno : 0;
}

/* The one element of an array map. */
static inline int kernel_read(struct kernel *k, int map, void *to)
{
	uint32_t key = 0;
	union bpf_attr attr = {
		.map_fd = (uint32_t)k->maps[map], .key = (uintptr_t)&key, .value = (uintptr_t)to};

	return kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static inline void kernel_show(const struct kernel *k, const struct question_prog *p)
{
	_cleanup_buf_ struct buf text = {0};

	disasm(p->insns, p->n_insns, NULL, &text);
	fprintf(stderr, "%s%s\n", text.p, k->log ? k->log : "");
}
