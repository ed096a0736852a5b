/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our verifier and engines against the kernel's, over programs by chance.
 *
 * For every program: what we accept as the kernel would, and it refuses, is run over several inputs
 * in checking mode: each register must lie in what the verifier recorded, each access within what
 * it may reach.  What both accept must leave the same result, map and packet in the kernel, in the
 * interpreter and in the JIT's code.  SKEP_RANDOM=1000000 asks for more programs, SKEP_SEED
 * for others, SKEP_TIME=1 for the kernel's time.
 */
#include "test.h"
#include "vm-here.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INPUTS = 4, BAD_MAX = 5 };

struct figures {
	uint64_t programs, both, neither, only_we, only_kernel, runs, checks;
	uint64_t differing, unsound;
	uint64_t ns, insns;
	bool has_kernel;
};

static uint64_t number_of(const char *name, uint64_t without)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : without;
}

static void fill(uint64_t *state, struct vm_data *d)
{
	static const uint64_t edges[] = {0,
					 1,
					 7,
					 63,
					 64,
					 0x7f,
					 0x80,
					 0xff,
					 0x7fffffff,
					 0x80000000,
					 0xffffffff,
					 0x100000000,
					 0x7fffffffffffffff,
					 1ull << 63,
					 ~0ull};

	memset(d, 0, sizeof(*d));
	d->n = GEN_PACKET;
	for (size_t i = 0; i < GEN_VALUE; i += 8) {
		uint64_t word = gen_next(state) % 2 ? gen_next(state)
						    : edges[gen_next(state) % (sizeof(edges) / 8)];

		memcpy(d->value + i, &word, 8);
	}
	for (size_t i = 0; i < GEN_PACKET; i++)
		d->packet[i] = (uint8_t)gen_next(state);
}

static bool same(const struct vm_data *a, const struct vm_data *b)
{
	return a->result == b->result && a->n == b->n && !memcmp(a->value, b->value, GEN_VALUE) &&
	       !memcmp(a->packet, b->packet, a->n);
}

static void say_difference(uint64_t seed, const char *who, const struct vm_data *a,
			   const struct vm_data *b)
{
	printf("# seed %llu: %s gives %#x, the other %#x\n", (unsigned long long)seed, who,
	       a->result, b->result);
	for (size_t i = 0; i < GEN_VALUE; i += 8)
		if (memcmp(a->value + i, b->value + i, 8))
			printf("# the value differs from byte %zu on\n", i), i = GEN_VALUE;
}

/* Over several inputs; `prog` -1: the kernel refused it. */
static void run(struct figures *f, uint64_t seed, struct vm_here *h, struct kernel_place *k,
		int prog)
{
	uint64_t state = seed ^ 0x5eed;

	for (int i = 0; i < INPUTS; i++) {
		struct vm_data before, ours, machine, kernels;

		fill(&state, &before);
		ours = machine = kernels = before;
		here_run(h, VM_INTERP, true, &ours);
		f->runs++;
		if (h->codes[VM_JIT]) {
			here_run(h, VM_JIT, false, &machine);
			if (!same(&ours, &machine)) {
				f->differing++;
				say_difference(seed, "the JIT", &machine, &ours);
				return;
			}
		}
		if (prog >= 0 && !kernel_run(k, prog, &kernels) && !same(&ours, &kernels)) {
			f->differing++;
			say_difference(seed, "the kernel", &kernels, &ours);
			return;
		}
	}
}

static void one(struct figures *f, uint64_t seed, struct vm_here *h, struct kernel_place *k)
{
	struct bpf_insn p[GEN_ROOM];
	size_t n = gen_program(seed, p);
	int prog = f->has_kernel ? kernel_load(k, p, n, false) : -1;
	char why[160] = "";
	int r = here_open(h, p, n, true);

	f->programs++;
	CHECK_EQ(r, 0);
	f->ns += h->verified.ns;
	f->insns += h->verified.insns_explored;
	f->both += h->verified.is_ok && prog >= 0;
	f->neither += !h->verified.is_ok && prog < 0;
	f->only_we += h->verified.is_ok && prog < 0;
	f->only_kernel += !h->verified.is_ok && prog >= 0;
	if (getenv("SKEP_SHOW") && !h->verified.is_ok && prog >= 0)
		printf("# seed %llu: only the kernel accepts it; we: %s at %u\n",
		       (unsigned long long)seed, h->verified.error, h->verified.error_insn);
	if (getenv("SKEP_SHOW") && h->verified.is_ok && prog < 0 && f->has_kernel)
		printf("# seed %llu: only we accept it\n", (unsigned long long)seed);
	if (h->verified.is_ok) {
		r = here_make(h, why, sizeof(why));
		if (r < 0) {
			test_result(false, __FILE__, __LINE__, "seed %llu: no code: %s",
				    (unsigned long long)seed, why);
		} else {
			run(f, seed, h, k, prog);
		}
		if (h->violations) {
			f->unsound++;
			printf("# seed %llu: %s\n", (unsigned long long)seed, h->violation);
		}
		f->checks += h->checks;
	}
	here_close(h);
	if (prog >= 0)
		close(prog);
}

TEST(programs_as_the_kernel)
{
	struct figures f = {0};
	struct kernel_place k;
	struct vm_here *h = calloc(1, sizeof(*h));
	uint64_t n = number_of("SKEP_RANDOM", 5000), seed = number_of("SKEP_SEED", 1);

	f.has_kernel = !kernel_open(&k);
	k.wants_time = number_of("SKEP_TIME", 0);
	if (!f.has_kernel)
		printf("# without the kernel: %s\n", k.why_not);
	for (uint64_t i = 0; i < n && f.unsound + f.differing < BAD_MAX; i++)
		one(&f, seed + i, h, &k);
	printf("# %llu programs from seed %llu: both accept %llu, neither %llu, only we %llu, only "
	       "the"
	       " kernel %llu\n",
	       (unsigned long long)f.programs, (unsigned long long)seed, (unsigned long long)f.both,
	       (unsigned long long)f.neither, (unsigned long long)f.only_we,
	       (unsigned long long)f.only_kernel);
	printf("# %llu runs, %llu instructions checked\n", (unsigned long long)f.runs,
	       (unsigned long long)f.checks);
	printf("# %.0f ns to verify an instruction, %.2f of the kernel's instructions\n",
	       f.insns ? (double)f.ns / (double)f.insns : 0,
	       k.insns ? (double)f.insns / (double)k.insns : 0);
	if (k.insns)
		printf("# the kernel: %.0f ns; in all %.2f of its time\n",
		       (double)k.us * 1000 / (double)k.insns, (double)f.ns / ((double)k.us * 1000));
	CHECK_EQ(f.unsound, 0);
	CHECK_EQ(f.differing, 0);
	CHECK(f.runs > n);
	kernel_close(&k);
	free(h);
}
