/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops on which paths explode: how long our verifier takes, beside the kernel's.
 *
 *	vm-verify OBJECT PROGRAM...
 *
 * A line a program: the least ms of some rounds, ours and the kernel's (which it says itself,
 * BPF_LOG_STATS), and how many instructions the kernel walked through.
 */
#include "runtime/vm/object.h"
#include "runtime/vm/verify/verify.h"
#include "vm-kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 9 };

static int map_of(const struct vm_map_def *d)
{
	union bpf_attr a = {.map_type = d->type,
			    .key_size = d->key_size,
			    .value_size = d->value_size,
			    .max_entries = d->max_entries};

	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a));
}

static double our_ms(const struct vm_object *o, uint32_t prog, bool *ret_ok)
{
	struct verify_config config = {0};
	double least = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		struct arena arena = {0};
		struct verify_result r = {0};

		*ret_ok = !verify(o, prog, &config, &arena, &r) && r.is_ok;
		least = (double)r.ns / 1e6 < least ? (double)r.ns / 1e6 : least;
		arena_done(&arena);
	}
	return least;
}

static double kernel_ms(struct kernel_place *k, const struct vm_prog *p, bool *ret_ok,
			uint64_t *ret_insns)
{
	double least = 1e9;

	k->prog_type = p->prog_type;
	for (int i = 0; i < ROUNDS; i++) {
		int fd;

		k->us = k->insns = 0;
		fd = kernel_load(k, p->insns, p->n_insns, false);
		*ret_ok = fd >= 0;
		*ret_insns = k->insns;
		least = (double)k->us / 1e3 < least ? (double)k->us / 1e3 : least;
		if (fd >= 0)
			close(fd);
	}
	return least;
}

static void compare(const struct vm_object *o, struct kernel_place *k, const char *name)
{
	for (uint32_t i = 0; i < o->progs.n; i++) {
		bool ours, kernels;
		uint64_t insns;
		double a, b;

		if (strcmp(o->progs.p[i].name, name) != 0)
			continue;
		a = our_ms(o, i, &ours);
		b = kernel_ms(k, &o->progs.p[i], &kernels, &insns);
		printf("%-12s skep %8.3f ms %-8s kernel %9.3f ms %-8s %llu instructions walked\n",
		       name, a, ours ? "accepts" : "refuses", b, kernels ? "accepts" : "refuses",
		       (unsigned long long)insns);
	}
}

int main(int argc, char **argv)
{
	static char bytes[1 << 20];
	struct arena arena = {0};
	struct diags diags = {.arena = &arena};
	struct object_options options = {.name = argc > 1 ? argv[1] : ""};
	struct vm_object o;
	struct kernel_place k;
	int fd = argc > 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (n < 0 || object_read(bytes, (size_t)n, &options, &diags, &o) < 0) {
		fprintf(stderr, "usage: vm-verify OBJECT PROGRAM...\n");
		return 2;
	}
	if (kernel_open(&k) < 0) {
		fprintf(stderr, "%s\n", k.why_not);
		return 1;
	}
	close(k.map);
	k.map = map_of(&o.maps.p[0]);
	k.wants_time = true;
	for (int i = 2; i < argc; i++)
		compare(&o, &k, argv[i]);
	kernel_close(&k);
	object_done(&o);
	arena_done(&arena);
	return 0;
}
