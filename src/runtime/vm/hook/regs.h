/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of a stopped thread, by machine.
 *
 * What the kernel saved when the thread entered it: as ptrace gives it, and as programs on
 * user probes get it as their context (bpf_user_pt_regs_t, the same bytes).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__aarch64__)
struct regs { /* struct user_pt_regs, arch/arm64/include/uapi/asm/ptrace.h */
	uint64_t x[31], sp, pc, pstate;
};
enum { REGS_BREAK_BYTES = 4 };
#else
struct regs { /* struct pt_regs, arch/x86/include/uapi/asm/ptrace.h, and what ptrace adds */
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};
enum { REGS_BREAK_BYTES = 1 };
#endif

/* A system call as it was entered; what it gave when it is left. */
struct regs_call {
	uint64_t nr, args[6];
	int64_t ret;
	uint64_t ip, sp;
	bool is_exit, is_native; /* not a 32-bit one */
};

int regs_get(pid_t tid, struct regs *ret);
int regs_set(pid_t tid, const struct regs *r);
/*
 * The call that `tid` is stopped in.  `is_exit`: at its end; then what the entry told is
 * not known (PTRACE_GET_SYSCALL_INFO has no arguments there) and stays as it is.
 */
int regs_call(pid_t tid, bool is_exit, struct regs_call *c);

/* The call that `tid` is within, where it stops for another reason: its number and arguments. */
int regs_call_within(pid_t tid, struct regs_call *c);

uint64_t regs_ip(const struct regs *r);
uint64_t regs_sp(const struct regs *r);
uint64_t regs_frame(const struct regs *r); /* what points to the chain of frames */
void regs_set_ip(struct regs *r, uint64_t ip);

/* The instruction that traps, REGS_BREAK_BYTES of it; where ip is behind it, and what it is. */
extern const uint8_t regs_break[REGS_BREAK_BYTES];
uint64_t regs_broke_at(const struct regs *r);
/* Where a function that was just entered will return to; 0: its memory is needed for that. */
uint64_t regs_link(const struct regs *r);
void regs_set_link(struct regs *r, uint64_t to);
