/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#else
#define MACHINE AUDIT_ARCH_X86_64
#endif

enum {
	X32_BIT = 0x40000000, /* __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h */
	JUMP_MAX = 255,
};

/* Where the answer changes: from numbers[i] on it is that of call numbers[i]. */
struct borders {
	uint32_t numbers[CALLS_MAX + 2];
	unsigned int n;
};

bool call_set_is_empty(const struct call_set *s)
{
	uint64_t any = s->all;

	for (unsigned int i = 0; i < CALLS_MAX / 64; i++)
		any |= s->bits[i];
	return !any;
}

static void put(struct seccomp_filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	f->insns[f->n++] = (struct sock_filter){code, yes, no, k};
}

static void put_answer(struct seccomp_filter *f, bool stops)
{
	put(f, BPF_RET | BPF_K, stops ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW, 0, 0);
}

/*
 * The answer for numbers between borders [from, to).  Behind a comparison stands the half
 * that is below; its length is known only when it is there.
 */
static void put_search(struct seccomp_filter *f, const struct call_set *s, const struct borders *b,
		       unsigned int from, unsigned int to)
{
	unsigned int middle = from + (to - from) / 2, at, below;

	if (to - from == 1) {
		put_answer(f, call_set_has(s, b->numbers[from]));
		return;
	}
	at = f->n;
	put(f, BPF_JMP | BPF_JGE | BPF_K, b->numbers[middle], 0, 1);
	put(f, BPF_JMP | BPF_JA, 0, 0, 0);
	put_search(f, s, b, from, middle);
	below = f->n - at - 2;
	f->insns[at + 1].k = below;
	put_search(f, s, b, middle, to);
}

/* A jump over a jump becomes one jump where that reaches. */
static void shorten(struct seccomp_filter *f)
{
	for (unsigned int i = 0; i + 1 < f->n; i++) {
		struct sock_filter *c = &f->insns[i], *next = c + 1;

		if (c->code == (BPF_JMP | BPF_JGE | BPF_K) && !c->jt && c->jf == 1 &&
		    next->code == (BPF_JMP | BPF_JA) && next->k + 1 <= JUMP_MAX)
			c->jt = (uint8_t)(next->k + 1);
	}
}

void seccomp_make(const struct call_set *s, struct seccomp_filter *ret)
{
	struct borders b = {.numbers = {0}, .n = 1};

	for (uint32_t nr = 1; nr <= CALLS_MAX; nr++)
		if (call_set_has(s, nr) != call_set_has(s, nr - 1))
			b.numbers[b.n++] = nr;
	ret->n = 0;
	put(ret, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(ret, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	put_answer(ret, false);
	put(ret, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __x86_64__
	/* number -1 is what a debugger writes to skip a call: it is none of x32 */
	put(ret, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put_answer(ret, false);
#endif
	put_search(ret, s, &b, 0, b.n);
	shorten(ret);
}

int seccomp_probe(void)
{
	uint32_t action = SECCOMP_RET_TRACE;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 0;
	if (errno == EOPNOTSUPP)
		return -EOPNOTSUPP;
	/* EINVAL: a kernel before 4.14, which has seccomp but not the question */
	return errno == EINVAL && prctl(PR_GET_SECCOMP) >= 0 ? 0 : -ENOSYS;
}

int seccomp_install(const struct sock_filter *insns, size_t n)
{
	struct sock_fprog program = {.len = (unsigned short)n,
				     .filter = (struct sock_filter *)insns};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
