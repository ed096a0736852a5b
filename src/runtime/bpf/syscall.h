/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The end of a system call: its number, arguments and result.
 *
 * The registers that a call came with are still there when it returns (on arm64
 * x0 is overwritten, but kept in orig_x0), so nothing has to be remembered from
 * its beginning.  What a path argument points to may have changed meanwhile: it
 * is shown as given, and never decides anything where the kernel has its own copy.
 */
#pragma once

#include "runtime/bpf/core.h"

extern const volatile struct sys_desc sys_descs[SCOPE_SYSCALLS];
extern const volatile struct sys_desc sys_descs_ia32[SCOPE_SYSCALLS];

/* enum sys_handler → program; filled by user space, which knows what was loaded */
SHARED struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SYS_END);
	__uint(key_size, 4);
	__uint(value_size, 4);
} sys_programs SEC(".maps");

#if defined(__TARGET_ARCH_x86)
static __always_inline __u32 sys_number(struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline bool sys_is_compat(void)
{
	return THIS_TASK(thread_info.status) & TS_COMPAT_;
}

static __always_inline void sys_args_read(struct sys_call *c, struct pt_regs *regs)
{
	if (c->flags & WIRE_F_COMPAT) {
		c->arg[0] = (__u32)regs->bx;
		c->arg[1] = (__u32)regs->cx;
		c->arg[2] = (__u32)regs->dx;
		c->arg[3] = (__u32)regs->si;
		c->arg[4] = (__u32)regs->di;
		return;
	}
	c->arg[0] = regs->di;
	c->arg[1] = regs->si;
	c->arg[2] = regs->dx;
	c->arg[3] = regs->r10;
	c->arg[4] = regs->r8;
}
#else
static __always_inline __u32 sys_number(struct pt_regs *regs)
{
	return regs->syscallno;
}

/* 32-bit programs on arm64 are not watched by system call; see docs/limits.md */
static __always_inline bool sys_is_compat(void)
{
	return false;
}

static __always_inline void sys_args_read(struct sys_call *c, struct pt_regs *regs)
{
	c->arg[0] = regs->orig_x0;
	c->arg[1] = regs->regs[1];
	c->arg[2] = regs->regs[2];
	c->arg[3] = regs->regs[3];
	c->arg[4] = regs->regs[4];
}
#endif

/* An argument by the index that a row of syscalls.def gives; the row has one. */
static __always_inline __u64 sys_arg(const struct scratch *s, int i)
{
	return s->call.arg[i & 7];
}

/* The scratch of the call that a handler was tail-called for. */
static __always_inline struct scratch *sys_scratch(void)
{
	return scratch_get(SCRATCH_PROCESS);
}
