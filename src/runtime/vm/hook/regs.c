/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/regs.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

int regs_get(pid_t tid, struct regs *ret)
{
	struct iovec v = {ret, sizeof(*ret)};

	return ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &v) < 0 ? -errno : 0;
}

int regs_set(pid_t tid, const struct regs *r)
{
	struct iovec v = {(void *)r, sizeof(*r)};

	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &v) < 0 ? -errno : 0;
}

/* --- by machine */

#if defined(__aarch64__)

enum { MACHINE = AUDIT_ARCH_AARCH64 };

const uint8_t regs_break[] = {0x00, 0x00, 0x20, 0xd4}; /* brk #0 */

static void from_regs(const struct regs *r, bool is_exit, struct regs_call *c)
{
	if (is_exit) {
		c->ret = (int64_t)r->x[0];
		return;
	}
	c->nr = r->x[8];
	memcpy(c->args, r->x, sizeof(c->args));
}

uint64_t regs_ip(const struct regs *r)
{
	return r->pc;
}
uint64_t regs_sp(const struct regs *r)
{
	return r->sp;
}
uint64_t regs_frame(const struct regs *r)
{
	return r->x[29];
}
void regs_set_ip(struct regs *r, uint64_t ip)
{
	r->pc = ip;
}
uint64_t regs_broke_at(const struct regs *r)
{
	return r->pc;
}
uint64_t regs_link(const struct regs *r)
{
	return r->x[30];
}
void regs_set_link(struct regs *r, uint64_t to)
{
	r->x[30] = to;
}

#else

enum { MACHINE = AUDIT_ARCH_X86_64, USER64_CS = 0x33 };

const uint8_t regs_break[] = {0xcc}; /* int3 */

static void from_regs(const struct regs *r, bool is_exit, struct regs_call *c)
{
	if (is_exit) {
		c->ret = (int64_t)r->ax;
		return;
	}
	c->nr = r->orig_ax;
	c->args[0] = r->di;
	c->args[1] = r->si;
	c->args[2] = r->dx;
	c->args[3] = r->r10;
	c->args[4] = r->r8;
	c->args[5] = r->r9;
}

uint64_t regs_ip(const struct regs *r)
{
	return r->ip;
}
uint64_t regs_sp(const struct regs *r)
{
	return r->sp;
}
uint64_t regs_frame(const struct regs *r)
{
	return r->bp;
}
void regs_set_ip(struct regs *r, uint64_t ip)
{
	r->ip = ip;
}
uint64_t regs_broke_at(const struct regs *r)
{
	return r->ip - 1;
}
uint64_t regs_link(const struct regs *r)
{
	(void)r;
	return 0; /* on the stack */
}
void regs_set_link(struct regs *r, uint64_t to)
{
	(void)r;
	(void)to;
}

#endif

/* Kernels before 5.3: a 32-bit call of a 64-bit program cannot be told from others. */
static int call_by_regs(pid_t tid, bool is_exit, struct regs_call *c)
{
	struct regs r = {0};
	int e = regs_get(tid, &r);

	if (e < 0)
		return e;
	c->is_exit = is_exit;
	c->ip = regs_ip(&r);
	c->sp = regs_sp(&r);
#ifdef __x86_64__
	c->is_native = r.cs == USER64_CS;
#else
	c->is_native = true;
#endif
	from_regs(&r, is_exit, c);
	return 0;
}

int regs_call_within(pid_t tid, struct regs_call *c)
{
	return call_by_regs(tid, false, c);
}

int regs_call(pid_t tid, bool is_exit, struct regs_call *c)
{
	struct __ptrace_syscall_info info = {0};
	long n = ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info);

	if (n < 0 && errno != EIO && errno != EINVAL)
		return -errno;
	if (n <= 0)
		return call_by_regs(tid, is_exit, c);
	c->is_native = info.arch == MACHINE;
	c->ip = info.instruction_pointer;
	c->sp = info.stack_pointer;
	c->is_exit = info.op == PTRACE_SYSCALL_INFO_EXIT;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		c->ret = info.exit.rval;
		return 0;
	}
	if (info.op == PTRACE_SYSCALL_INFO_NONE)
		return -ENODATA;
	c->nr = info.entry.nr;
	memcpy(c->args, info.entry.args, sizeof(c->args));
	return 0;
}
