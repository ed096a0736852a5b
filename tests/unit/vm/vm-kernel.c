/* SPDX-License-Identifier: Apache-2.0 */
#include "vm-kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOG_SIZE = 1 << 20, LOG_ALL = 2, LOG_FIGURES = 4 };

static int bpf(int cmd, union bpf_attr *a)
{
	int r = (int)syscall(SYS_bpf, cmd, a, sizeof(*a));

	return r < 0 ? -errno : r;
}

int kernel_open(struct kernel_place *k)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY,
			    .key_size = 4,
			    .value_size = GEN_VALUE,
			    .max_entries = 1};

	*k = (struct kernel_place){.map = -1, .prog_type = BPF_PROG_TYPE_SCHED_CLS};
	if (geteuid()) {
		k->why_not = "needs root";
		return -EPERM;
	}
	k->map = bpf(BPF_MAP_CREATE, &a);
	if (k->map < 0) {
		k->why_not = "the kernel gives no BPF map";
		return k->map;
	}
	k->log = malloc(LOG_SIZE);
	return 0;
}

void kernel_close(struct kernel_place *k)
{
	if (k->map >= 0)
		close(k->map);
	free(k->log);
}

/* "verification time 51 usec", "processed 148 insns (limit 1000000) …" */
static void take_time(struct kernel_place *k)
{
	static const char time[] = "verification time ", count[] = "processed ";
	const char *a = strstr(k->log, time), *b = strstr(k->log, count);

	if (!a || !b)
		return;
	k->us += strtoull(a + sizeof(time) - 1, NULL, 10);
	k->insns += strtoull(b + sizeof(count) - 1, NULL, 10);
}

int kernel_load(struct kernel_place *k, const struct bpf_insn *p, size_t n, bool wants_log)
{
	struct bpf_insn copy[GEN_ROOM];
	union bpf_attr a = {.prog_type = k->prog_type,
			    .insns = (uintptr_t)copy,
			    .insn_cnt = (uint32_t)n,
			    .license = (uintptr_t) "GPL"};
	int r;

	memcpy(copy, p, n * sizeof(*p));
	for (size_t i = 0; i < n; i++) {
		if (!insn_is_wide(&copy[i]))
			continue;
		if (copy[i].src_reg == BPF_PSEUDO_MAP_IDX) {
			copy[i].src_reg = BPF_PSEUDO_MAP_FD;
			copy[i].imm = k->map;
		}
		i++;
	}
	if (wants_log || k->wants_time) {
		k->log[0] = 0;
		a.log_buf = (uintptr_t)k->log;
		a.log_size = LOG_SIZE;
		a.log_level = wants_log ? LOG_ALL : LOG_FIGURES;
	}
	r = bpf(BPF_PROG_LOAD, &a);
	if (k->wants_time)
		take_time(k);
	return r;
}

int kernel_run(struct kernel_place *k, int prog, struct vm_data *d)
{
	uint32_t key = 0;
	uint8_t out[sizeof(d->packet)];
	union bpf_attr set = {
		.map_fd = (uint32_t)k->map, .key = (uintptr_t)&key, .value = (uintptr_t)d->value};
	union bpf_attr run = {.test = {.prog_fd = (uint32_t)prog,
				       .data_in = (uintptr_t)d->packet,
				       .data_size_in = d->n,
				       .data_out = (uintptr_t)out,
				       .data_size_out = sizeof(out)}};
	int r = bpf(BPF_MAP_UPDATE_ELEM, &set);

	if (!r)
		r = bpf(BPF_PROG_TEST_RUN, &run);
	if (!r)
		r = bpf(BPF_MAP_LOOKUP_ELEM, &set);
	if (!r) {
		memcpy(d->packet, out, run.test.data_size_out);
		d->n = run.test.data_size_out;
		d->result = run.test.retval;
	}
	return r;
}
