/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 OR BSD-2-Clause */
/*
 * What user space tells the kernel programs: whom to watch, which system calls
 * mean what.  Written into the object's read-only data before it is loaded, so
 * the verifier folds away all that is not asked.
 */
#pragma once

#include <linux/types.h>

enum scope_bit {
	SCOPE_CGROUP = 1 << 0, /* below the cgroup in scope_cgroups[0] */
	SCOPE_TREE = 1 << 1,   /* in scope_pids, or forked by one that is */
	SCOPE_COMM = 1 << 2,   /* thread name matches the glob */
	SCOPE_USER = 1 << 3,
	SCOPE_NO_FAILED = 1 << 4, /* leave out calls that failed */
};

/*
 * A glob over a thread's name as a non-deterministic automaton: bit i of a state
 * is set when the first i tokens have matched.  `accept[c]` has bit i set when
 * token i takes the byte c; `loop` has bit i set when a '*' stands before token
 * i.  One step is ((s & accept[c]) << 1) | (s & loop), without a branch.
 */
struct scope_glob {
	__u32 accept[256];
	__u32 loop;
	__u32 last; /* the bit that means a match */
};

struct scope {
	__u32 bits; /* enum scope_bit */
	__u32 self; /* process id of skep itself: never reported */
	__u32 uid;
	__u32 wake_at;	 /* bytes in the ring at which a sleeping reader is woken */
	__u32 ring_size; /* bytes */
	__u32 page_kb;	 /* size of a page, KiB */
	__u64 events;	 /* bit k: kind k is wanted */
};

enum { SCOPE_SYSCALLS = 512 }; /* highest system call number, rounded up to a power of two */

/* Which program handles a system call: index into its table of tail calls. */
enum sys_handler {
	SYS_NONE,
	SYS_OPEN,
	SYS_PATH,
	SYS_ARGS,
	SYS_CREDS,
	SYS_SOCK,
	SYS_EXEC,
	SYS_NET,
	SYS_END
};

enum sys_bit {
	SYS_B_RMDIR = 1 << 0,	   /* unlinkat: AT_REMOVEDIR makes it another event */
	SYS_B_HOW = 1 << 1,	   /* openat2: flags and mode stand in a struct open_how */
	SYS_B_CREAT = 1 << 2,	   /* creat: the flags are fixed */
	SYS_B_FD = 1 << 3,	   /* the first argument is a descriptor, not a path */
	SYS_B_OWNER = 1 << 4,	   /* arguments of chown follow the path */
	SYS_B_SOCKETCALL = 1 << 6, /* 32-bit: which call it is stands in the first argument */
	SYS_B_FD_FILE = 1 << 5,	   /* name the file behind the descriptor in the first argument */
	SYS_B_NETCALL = 1 << 7,	   /* it is a NETCALL, too: SYS_NET comes after the handler */
};

/* What a call of SYS_NET does with addresses: in the column `dir` of its row. */
enum sys_net { NET_NOTHING = -1, NET_SENDS, NET_RECEIVES, NET_CONNECTS, NET_BINDS };

/* Where a call keeps what; an argument's index, or -1 for none.  See syscalls.def. */
struct sys_desc {
	__u8 handler; /* enum sys_handler */
	__u8 kind;    /* enum wire_kind */
	__u8 bits;    /* enum sys_bit */
	__s8 dir, path, dir2, path2, flags, mode, text;
	__u8 pad[6];
};
_Static_assert(sizeof(struct sys_desc) == 16, "indexed by a shift");
