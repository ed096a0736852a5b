/* SPDX-License-Identifier: Apache-2.0 */
/* Programs by chance: machine code does what the interpreter does. */
#include "jit-random.h"

#include "isa/disasm.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 700, PROGRAMS = 3000, INPUTS = 4 };

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static void fill(uint64_t *state, uint64_t *to, size_t n)
{
	static const uint64_t edges[] = {0,	    1,	       2,	   UINT64_MAX, INT64_MIN,
					 INT64_MAX, INT32_MAX, UINT32_MAX, 1ull << 32, 0x80000000,
					 255,	    65535,     10,	   7,	       1000};

	for (size_t i = 0; i < n; i++) {
		uint64_t v = next(state);

		to[i] = v & 1 ? edges[v / 2 % ELEMENTS(edges)] : v >> (next(state) & 63);
	}
}

static void show(const struct bpf_insn *p, size_t n)
{
	struct buf text = {0};

	if (!getenv("SHOW"))
		return;
	disasm(p, n, NULL, &text);
	fputs(text.p, stdout);
	buf_done(&text);
}

static bool same(const struct vm_code *const *c, uint64_t *state)
{
	uint64_t start[JIT_MEMORY / 8], mem[JIT_HOWS][JIT_MEMORY / 8], r0[JIT_HOWS];

	fill(state, start, ELEMENTS(start));
	for (int how = 0; how < JIT_HOWS; how++) {
		memcpy(mem[how], start, sizeof(start));
		r0[how] = jit_code_run(c[how], mem[how], JIT_MEMORY);
		for (size_t k = 0; k < ELEMENTS(start) && getenv("SHOW"); k++)
			if (mem[how][k] != mem[0][k])
				printf("# %d: [%zu] %llx, not %llx\n", how, k,
				       (unsigned long long)mem[how][k],
				       (unsigned long long)mem[0][k]);
		if (r0[how] != r0[0] || memcmp(mem[how], mem[0], sizeof(start)) != 0)
			return false;
	}
	return true;
}

static bool one(uint64_t seed)
{
	static struct bpf_insn p[JIT_PROGRAM_MAX];
	uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1, bytes[BYTES / 8];
	struct jit_made made[JIT_HOWS] = {0};
	struct vm_code *c[JIT_HOWS];
	bool is_good = true;
	size_t n;

	for (size_t i = 0; i < ELEMENTS(bytes); i++)
		bytes[i] = next(&state);
	n = jit_random((const uint8_t *)bytes, 40 + next(&state) % (sizeof(bytes) - 40), p);
	for (int how = 0; how < JIT_HOWS; how++) {
		c[how] = jit_code(&made[how], p, n, how);
		if (!c[how])
			is_good = false;
	}
	for (int i = 0; i < INPUTS && is_good; i++)
		is_good = same((const struct vm_code *const *)c, &state);
	if (!is_good)
		show(p, n);
	for (int how = 0; how < JIT_HOWS; how++)
		code_free(c[how]);
	return is_good;
}

TEST(vm_jit_random)
{
	const char *seed = getenv("SEED"), *count = getenv("COUNT");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 100000;
	uint64_t n = count ? strtoull(count, NULL, 0) : PROGRAMS, wrong = 0;

	printf("# SEED=%llu\n", (unsigned long long)first);
	for (uint64_t i = 0; i < n && wrong < 5; i++)
		if (!one(first + i)) {
			printf("# differs: SEED=%llu COUNT=1\n", (unsigned long long)(first + i));
			wrong++;
		}
	CHECK_EQ(wrong, 0);
}
