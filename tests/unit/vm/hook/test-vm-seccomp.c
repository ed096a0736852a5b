/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of system calls: each answer is worked out and compared with the set. */
#include "base/macro.h"
#include "runtime/vm/hook/seccomp.h"
#include "test.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#ifdef __aarch64__
enum { HERE = AUDIT_ARCH_AARCH64 };
#else
enum { HERE = AUDIT_ARCH_X86_64 };
#endif

/* Classic BPF, as much of it as filters have.  UINT32_MAX: it left its program. */
static uint32_t answer(const struct seccomp_filter *f, uint32_t arch, uint32_t nr)
{
	struct seccomp_data d = {.nr = (int)nr, .arch = arch};
	uint32_t a = 0;

	for (unsigned int i = 0; i < f->n; i++) {
		const struct sock_filter *c = &f->insns[i];

		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (c->k > sizeof(d) - 4)
				return UINT32_MAX;
			memcpy(&a, (char *)&d + c->k, 4);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == c->k ? c->jt : c->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= c->k ? c->jt : c->jf;
			break;
		case BPF_JMP | BPF_JA:
			i += c->k;
			break;
		case BPF_RET | BPF_K:
			return c->k;
		}
	}
	return UINT32_MAX;
}

/* Does the filter stop just the calls of the set? */
static bool is_right(const struct call_set *s)
{
	static struct seccomp_filter f;
	bool is_ok = true;

	seccomp_make(s, &f);
	is_ok &= f.n <= ELEMENTS(f.insns);
	for (uint32_t nr = 0; nr < CALLS_MAX + 8; nr++)
		is_ok &= answer(&f, HERE, nr) ==
			 (call_set_has(s, nr) ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW);
	is_ok &= answer(&f, HERE, 0x3fffffff) == (s->all ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW);
	return is_ok;
}

TEST(empty_and_all)
{
	struct call_set none = {0}, all = {.all = true};

	CHECK(call_set_is_empty(&none));
	CHECK(!call_set_is_empty(&all));
	CHECK(is_right(&none));
	CHECK(is_right(&all));
}

TEST(single_calls)
{
	bool is_ok = true;

	for (int nr = 0; nr < CALLS_MAX; nr++) {
		struct call_set s = {0};

		call_set_add(&s, nr);
		is_ok &= is_right(&s);
	}
	CHECK(is_ok);
}

TEST(numbers_outside)
{
	struct call_set s = {0};

	call_set_add(&s, -1);
	call_set_add(&s, CALLS_MAX);
	CHECK(call_set_is_empty(&s));
	CHECK(!call_set_has(&s, UINT64_MAX));
}

/* Every second call: as many borders as there can be. */
TEST(alternating)
{
	struct call_set even = {0}, odd = {0};

	for (int nr = 0; nr < CALLS_MAX; nr++)
		call_set_add(nr % 2 ? &odd : &even, nr);
	CHECK(is_right(&even));
	CHECK(is_right(&odd));
}

TEST(random_sets)
{
	bool is_ok = true;

	srand(1);
	for (int i = 0; i < 300; i++) {
		struct call_set s = {0};
		int dense = rand() % 100;

		for (int nr = 0; nr < CALLS_MAX; nr++)
			if (rand() % 100 < dense)
				call_set_add(&s, nr);
		is_ok &= is_right(&s);
	}
	CHECK(is_ok);
}

TEST(other_machines_pass)
{
	static struct seccomp_filter f;
	struct call_set all = {.all = true};

	seccomp_make(&all, &f);
	CHECK_EQ(answer(&f, AUDIT_ARCH_I386, 5), SECCOMP_RET_ALLOW);
	CHECK_EQ(answer(&f, AUDIT_ARCH_ARM, 5), SECCOMP_RET_ALLOW);
#ifdef __x86_64__
	CHECK_EQ(answer(&f, HERE, 0x40000001), SECCOMP_RET_ALLOW); /* x32 */
#endif
}
