/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel programs tell user space: one record an event.
 *
 * A record is a fixed struct that begins with `struct wire_head`, followed by
 * the bytes of its strings.  A string is named by a `struct wire_str` in the
 * fixed part: offset from the record's first byte, and length without NUL.  The
 * same bytes go through the ring buffer and into a recording (`F.skep`), so a
 * reader trusts neither offset nor length before event/decode.c checked them.
 *
 * Identity travels the same way: what skep reads from /proc or from a container
 * runtime's state files becomes a record (WIRE_PROC, WIRE_CGROUP, WIRE_CONTAINER,
 * WIRE_USER) before anybody uses it.  That is why a replay shows what the live
 * run showed, byte for byte.
 *
 * All integers are in the machine's own byte order; a recording's header says
 * which.  Times are nanoseconds of CLOCK_BOOTTIME.
 */
#pragma once

#include <linux/types.h>

/* Longest strings that the kernel side copies; longer ones are cut and say so. */
enum {
	WIRE_PATH_MAX = 4096, /* PATH_MAX of Linux, with its NUL */
	WIRE_ARGS_MAX = 4096,
	WIRE_NAME_MAX = 64,
	WIRE_RECORD_MAX = 16384,
	WIRE_COMM = 16, /* TASK_COMM_LEN */
};

/* The kinds of records.  EV_* are rows of catalog/events.def, in its order. */
enum wire_kind {
	WIRE_NONE = 0,
#define EVENT(id, name, group, body, view, line, help) EV_##id,
#include "catalog/events.def"
#undef EVENT
	EV_END,
	/* identity, never shown by itself; the numbers are part of the file format */
	WIRE_PROC = 200, /* a process that is older than the question: struct wire_proc */
	WIRE_CGROUP,	 /* a cgroup's id and path: struct wire_cgroup */
	WIRE_CONTAINER,	 /* what a runtime says of a container: struct wire_container */
	WIRE_USER,	 /* a user's name: struct wire_user */
	WIRE_TALLY,	 /* the kernel's final counters: struct wire_tally */
};

struct wire_str {
	__u16 off; /* bytes from the record's start; 0: there is no such string */
	__u16 len; /* bytes, without the NUL that stands after it */
};

enum wire_flag {
	WIRE_F_URING = 1 << 0,	/* asked for through io_uring */
	WIRE_F_COMPAT = 1 << 1, /* by a 32-bit system call */
	WIRE_F_CUT = 1 << 2,	/* at least one string did not fit */
	WIRE_F_UNREAD = 1 << 3, /* user memory was gone when a string was read */
	WIRE_F_INHERITED =
		1 << 4,		 /* connection: the owner is the listener's, nobody accepted yet */
	WIRE_F_SEEDED = 1 << 5,	 /* connection: older than skep, found by an iterator */
	WIRE_F_LEXICAL = 1 << 6, /* file: resolved by name only, symlinks were not followed */
	WIRE_F_ANNEX = 1 << 7,	 /* its last bytes are a struct wire_annex (wire/rule.h) */
};

struct wire_head {
	__u32 size;	/* of the whole record, strings included */
	__u16 kind;	/* enum wire_kind */
	__u16 flags;	/* enum wire_flag */
	__u64 time_ns;	/* CLOCK_BOOTTIME */
	__u64 start_ns; /* start of the process (thread group leader), CLOCK_BOOTTIME */
	__u64 cgroup;	/* id in the cgroup2 hierarchy = inode of its folder */
	__u32 pid;	/* thread group id, initial pid namespace */
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u32 lost; /* records this cpu could not send, ever */
	__u32 cpu;
	__s64 ret; /* the system call's result: >= 0 or -errno */
	char comm[WIRE_COMM];
};
_Static_assert(sizeof(struct wire_head) == 80, "part of the file format");

/* Facts of an inode; they tell where a program really comes from. */
enum wire_file_bit {
	WIRE_FILE_MEMFD = 1 << 0,   /* lives on the kernel's internal tmpfs mount: memfd_create */
	WIRE_FILE_DELETED = 1 << 1, /* no name left: i_nlink is 0 */
	WIRE_FILE_UPPER = 1 << 2,   /* overlayfs: written after the image was made */
	WIRE_FILE_TMPFS = 1 << 3,   /* on a tmpfs: gone with a reboot */
	WIRE_FILE_CREATED = 1 << 4, /* this very call made the file: FMODE_CREATED */
	WIRE_FILE_SETID = 1 << 5,   /* set-user-id or set-group-id bit */
};

enum wire_ns { NS_MNT, NS_PID, NS_NET, NS_USER, NS_UTS, NS_IPC, NS_CGROUP, NS_TIME, NS_COUNT };

struct wire_cred {
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
	__u64 cap_effective, cap_permitted, cap_inheritable; /* bit n: capability n */
};

/* A process as it stands: exec (EV_EXEC) and processes older than skep (WIRE_PROC). */
struct wire_proc {
	struct wire_head head;
	struct wire_cred cred;
	__u64 parent_start_ns;
	__u64 inode; /* of the executable */
	__u32 dev;   /* of its file system: major << 20 | minor, as in the kernel */
	__u32 nlink;
	__u32 exe_bits; /* enum wire_file_bit */
	__u32 ppid;
	__u32 loginuid; /* 0xffffffff: not set */
	__u32 sessionid;
	__u32 ns[NS_COUNT];   /* inode numbers as in /proc/PID/ns */
	__u32 ns_pid;	      /* the pid that the process itself sees */
	__u32 args_total;     /* bytes of all arguments, with their NULs */
	struct wire_str exe;  /* resolved by the kernel */
	struct wire_str path; /* as given to execve */
	struct wire_str args; /* NUL after each argument */
	struct wire_str cwd;
};

struct wire_fork {
	struct wire_head head; /* of the parent */
	__u64 child_start_ns;
	__u64 flags; /* CLONE_* */
	__u64 child_cgroup;
	__u32 child_pid;
	__u32 child_ns_pid;
};

struct wire_exit {
	struct wire_head head;
	__u64 cpu_ns;		  /* time on a CPU, of all threads, as the scheduler measured it */
	__u64 user_ns, system_ns; /* the same as the accounting has it: on many kernels in ticks */
	__u64 peak_kb;		  /* highest resident memory */
	__u32 status;		  /* as wait() gives it: code << 8, or a signal | 0x80 for a core */
	__u32 ppid;
};

/* All that names a file.  Unused members are 0. */
struct wire_file {
	struct wire_head head;
	__u64 inode;
	__u64 bytes; /* size asked for: truncate */
	__u32 dev;
	__u32 bits;	    /* enum wire_file_bit */
	__u32 flags;	    /* O_*, AT_*, RENAME_* or MS_*, as the call has them */
	__u32 mode;	    /* permission bits asked for */
	__u32 owner, group; /* chown: 0xffffffff means unchanged */
	__u32 nr;	    /* system call number, of the process's own ABI */
	__u32 pad;
	struct wire_str file;  /* resolved by the kernel; empty if the call left no file behind */
	struct wire_str path;  /* as given */
	struct wire_str dir;   /* folder that a relative `path` starts from */
	struct wire_str path2; /* second name: rename, link, symlink, mount */
	struct wire_str dir2;
	struct wire_str text;  /* mount: type of file system */
	struct wire_str file2; /* second name as resolved by the kernel */
	__u8 pad2[4];
};

struct wire_conn {
	struct wire_head head; /* of the owner, not of who happens to run */
	__u64 sock;	       /* address of the kernel's struct sock: names the connection */
	__u64 duration_ns;     /* close: since it was opened; 0: unknown */
	__u64 sent, received;  /* close: bytes of payload, acknowledged or not */
	__u32 retransmits;     /* close: segments sent again */
	__u16 family;	       /* AF_INET or AF_INET6 */
	__u16 protocol;	       /* IPPROTO_TCP, IPPROTO_UDP, … */
	__u16 sport, dport;    /* host order: ours and theirs */
	__u32 backlog;	       /* listen */
	__u8 saddr[16];	       /* network order; IPv4 in the first four */
	__u8 daddr[16];
};

enum wire_sock_bit {
	WIRE_SOCK_SERVER = 1 << 0,    /* our end listens, or was made by a listener */
	WIRE_SOCK_CONNECTED = 1 << 1, /* it has a peer (for connect: after the call) */
	WIRE_SOCK_ADDRESSED = 1 << 2, /* the call itself gave it another peer: connect, sendto */
	WIRE_SOCK_IS_SOCKET = 1 << 3, /* dup: the descriptor is a socket; addresses are set */
};

/* System calls on sockets and descriptors: SOCKET, NETCALL, DUP. */
struct wire_sock {
	struct wire_head head;
	__u64 arg[5];
	__u64 sock;   /* as wire_conn.sock; 0: none */
	__u64 length; /* bytes asked to send or to receive */
	__u32 nr;
	__s32 fd;   /* what the call is about; accept, dup, socket: the new one, as head.ret */
	__u32 bits; /* enum wire_sock_bit */
	__u16 family, type, protocol; /* AF_*, SOCK_*, IPPROTO_* */
	__u16 sport, dport;	      /* host order: ours and theirs */
	__u16 pad;
	__u8 saddr[16]; /* network order; IPv4 in the first four */
	__u8 daddr[16];
	struct wire_str path; /* AF_UNIX: the peer's or our path; abstract: behind '@' */
	struct wire_str data; /* the beginning of what was sent or received, if a rule reads it */
};

/* Calls whose arguments are numbers, sometimes with one string. */
struct wire_sys {
	struct wire_head head;
	__u64 arg[5];
	__u32 nr;
	__u32 pad;
	struct wire_str file; /* of a descriptor argument */
	struct wire_str text;
};

struct wire_creds {
	struct wire_head head;
	struct wire_cred cred; /* as they are after the call */
	__u32 nr;
	__u32 pad;
	__u64 arg[3]; /* as given: setresuid(ruid, euid, suid) */
};

struct wire_cgroup {
	struct wire_head head; /* head.cgroup is the id */
	struct wire_str path;  /* from the root of the hierarchy */
};

/* What a container may do, from its runtime's state files. */
enum wire_container_bit {
	WIRE_CONTAINER_KNOWN = 1 << 0, /* the bits below were read; else they say nothing */
	WIRE_CONTAINER_PRIVILEGED = 1 << 1,
	WIRE_CONTAINER_HOST_PID = 1 << 2, /* shares the host's namespace of this kind */
	WIRE_CONTAINER_HOST_NET = 1 << 3,
	WIRE_CONTAINER_HOST_IPC = 1 << 4,
	WIRE_CONTAINER_SANDBOX = 1 << 5, /* the pause container of a pod */
	WIRE_CONTAINER_MOUNTS = 1 << 6,	 /* its mounts were read; it may have none */
	WIRE_CONTAINER_CUT = 1 << 7,	 /* not all labels or mounts found room */
};

struct wire_container {
	struct wire_head head; /* head.cgroup is the cgroup it was recognised by */
	struct wire_str runtime, id, name, image;
	struct wire_str pod_uid, pod_name, pod_namespace;
	struct wire_str labels;	    /* key NUL value NUL … */
	struct wire_str image_id;   /* hexadecimal digits */
	struct wire_str digest;	    /* of the image: "sha256:…" */
	struct wire_str sandbox;    /* id of the pod's pause container */
	struct wire_str pod_labels; /* key NUL value NUL … */
	/*
	 * What its user mounted, five strings each, every one with its NUL, any may be empty:
	 * source, destination, mode ("ro", "z", …), "true" or "false" (can it be written to?),
	 * propagation ("rprivate", …).
	 */
	struct wire_str mounts;
	struct wire_str ip;
	__u64 start_ns; /* when it was started, since 1970; 0: not known */
	__u32 bits;	/* enum wire_container_bit */
	__u32 pad;
};

struct wire_user {
	struct wire_head head; /* head.uid */
	struct wire_str name;
};

/* Counters of one cpu, and in WIRE_TALLY their sum. */
struct wire_count {
	__u64 sent[64];	  /* records of this kind that passed the filter */
	__u64 lost[64];	  /* of these: found the ring full */
	__u64 table_full; /* owners of connections or followed processes without a place */
	__u32 lost_sum;
	__u32 pad[13]; /* no two cpus on one cache line */
};
_Static_assert(sizeof(struct wire_count) % 64 == 0, "whole cache lines");

struct wire_tally {
	struct wire_head head;
	struct wire_count count;
};

_Static_assert(EV_END <= 64, "wire_count has 64 places");
