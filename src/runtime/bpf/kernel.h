/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's structs, as far as skep reads them.
 *
 * Each declares only the members that are used; libbpf finds their real offsets
 * in the running kernel's BTF (CO-RE), so order and neighbours do not matter.
 * Members that some kernels lack are asked for with bpf_core_field_exists().
 * A name with three underscores is a variant of the type before them, for kernels
 * in which a member had another type.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#undef __always_inline /* linux/stddef.h has a weaker one */
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

/* 5.x: two words of 32 bits, since 6.3 one of 64 (f122a08b197d): read as 8 bytes */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
	unsigned int inum;
};

struct user_namespace {
	struct ns_common ns;
};

struct cred {
	kuid_t uid, euid, suid, fsuid;
	kgid_t gid, egid, sgid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
	unsigned long s_flags;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	unsigned int i_nlink;
	struct super_block *i_sb;
	void *i_private;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};

struct filename {
	const char *name;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

struct signal_struct {
	atomic_t live;
	struct pid *pids[4]; /* by enum pid_type */
	struct tty_struct *tty;
	int group_exit_code;
	__u64 utime, stime;
	unsigned long long sum_sched_runtime;
	unsigned long maxrss;
};

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct task_struct {
	struct sched_entity se;
	struct thread_info thread_info;
	unsigned int flags;
	int pid, tgid;
	int exit_code;
	__u64 start_boottime;
	__u64 utime, stime;
	struct task_struct *real_parent, *group_leader;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	const struct cred *cred;
	const struct cred *real_cred;
	struct pid *thread_pid;
	struct css_set *cgroups;
	kuid_t loginuid;
	unsigned int sessionid;
	char comm[16];
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *fdpath; /* of execveat() with a descriptor; else NULL */
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10, r9, r8, dx, si, di, orig_ax, ax, bx, cx, bp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#else
#error "skep knows the system call registers of x86-64 and arm64"
#endif

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;
	__u16 skc_dport; /* network order */
	__u16 skc_num;	 /* host order */
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	__u16 sk_protocol;
	__u16 sk_type;
	__u8 sk_userlocks : 4;
};

struct inet_sock {
	struct sock sk;
	__u32 inet_saddr;
	__u16 inet_sport; /* network order */
};

struct inet_bind_bucket {
	signed char fastreuse;
};

struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
};

struct sockaddr_un {
	char sun_path[108];
};

struct unix_address {
	int len; /* of the name: family and path */
	struct sockaddr_un name[1];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct tcp_sock {
	__u64 bytes_sent, bytes_retrans, bytes_received;
	__u32 total_retrans;
};

struct socket {
	short type;
	struct sock *sk;
};

struct io_kiocb {
	__u8 opcode;
};

struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

struct open_how {
	__u64 flags, mode, resolve;
};

struct io_open {
	struct file *file;
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/* Constants that no uapi header gives. */
enum {
	FMODE_WRITE_ = 0x2,
	FMODE_CREATED_ = 0x100000,
	MNT_INTERNAL_ = 0x4000,
	TS_COMPAT_ = 0x2,
	PF_IO_WORKER_ = 0x00000010,
	PF_KTHREAD_ = 0x00200000,
	SOCK_DONE_BIT = 1, /* enum sock_flags: the peer's FIN has been counted */
	TMPFS_MAGIC_ = 0x01021994,
	HUGETLBFS_MAGIC_ = 0x958458f6,
	OVERLAYFS_MAGIC_ = 0x794c7630,
	NSFS_MAGIC_ = 0x6e736673,
	S_IFMT_ = 0170000,
	S_IFSOCK_ = 0140000,
	S_IFREG_ = 0100000,
	AF_UNIX_ = 1,
	AF_INET_ = 2,
	AF_INET6_ = 10,
	IPPROTO_TCP_ = 6,
	IPPROTO_UDP_ = 17,
	PIDTYPE_TGID_ = 1,
	PIDTYPE_PGID_ = 2,
	PIDTYPE_SID_ = 3,
	E2BIG_ = 7,
	EEXIST_ = 17,
};
