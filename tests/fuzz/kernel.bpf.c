/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel of which only the types are there: the fuzz target of scripts asks for them.
 *
 * Compiled for its BTF.  Every kind of type that a script may meet is in it once, as well
 * as the functions that the tables of unit/compile/lang/bpftrace/world-fake.c name.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int pid_t;
typedef unsigned short umode_t;
typedef unsigned long size_t;
typedef _Bool bool;

enum state { STATE_NEW, STATE_READY = 1, STATE_DEAD = 128 };
enum wide : u64 { WIDE_ZERO, WIDE_LAST = 0xffffffffffffffff };

struct list_head {
	struct list_head *next, *prev;
};

struct qstr {
	union {
		struct {
			u32 hash, len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	unsigned char d_iname[32];
	struct list_head d_child;
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	u32 f_flags;
	umode_t f_mode;
	long long f_pos;
	int (*f_op)(struct file *f, u64 how);
};

struct cred {
	u32 uid, gid;
	u64 cap[2];
};

struct task_struct {
	volatile long __state;
	enum state state;
	enum wide wide;
	pid_t pid, tgid;
	u32 in_execve : 1, in_iowait : 1, level : 5, : 2, below : 23;
	u64 split : 40, rest : 24;
	const struct cred *cred;
	struct task_struct *parent, *group_leader;
	struct list_head children;
	char comm[16];
	struct file *files[4];
	int matrix[2][3];
	struct {
		u8 inner;
	} empty[0];
	double never;
	void *stack;
};

struct sock {
	struct sock_common {
		union {
			u64 skc_addrpair;
			struct {
				u32 skc_daddr, skc_rcv_saddr;
			};
		};
		u16 skc_family, skc_dport;
		u8 skc_v6_daddr[16];
		bool skc_reuse : 1;
	} __sk_common;
	struct file *sk_file;
	char tail[];
};

struct bpf_iter_meta;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

typedef void (*btf_trace_sched_switch)(void *, bool, struct task_struct *, struct task_struct *,
				       u32);
typedef void (*btf_trace_sys_enter)(void *, struct task_struct *, long);

struct dentry dentry;
struct vfsmount vfsmount;
struct task_struct init_task;
struct cred cred;
struct bpf_iter__task iter_task;
struct bpf_iter__task_file iter_task_file;
struct sock sock;
btf_trace_sched_switch trace_sched_switch;
btf_trace_sys_enter trace_sys_enter;

long vfs_read(struct file *file, char *buf, size_t count, long long *pos);
long vfs_write(struct file *file, const char *buf, size_t count, long long *pos);
int tcp_connect(struct sock *sk);
void tcp_shutdown(struct sock *sk, int how);
int func_1(int a, u8 b, struct task_struct *t);
u64 func_arrays(struct task_struct *const *t, int (*matrix)[3], enum state s, bool b);

long vfs_read(struct file *file, char *buf, size_t count, long long *pos)
{
	return (long)count + *pos + *buf + file->f_mode;
}

long vfs_write(struct file *file, const char *buf, size_t count, long long *pos)
{
	return (long)count + *pos + *buf + file->f_mode;
}

int tcp_connect(struct sock *sk)
{
	return sk->__sk_common.skc_family;
}

void tcp_shutdown(struct sock *sk, int how)
{
	sk->__sk_common.skc_family = (u16)how;
}

int func_1(int a, u8 b, struct task_struct *t)
{
	return a + b + t->pid;
}

u64 func_arrays(struct task_struct *const *t, int (*matrix)[3], enum state s, bool b)
{
	return t[0]->wide + (u64)matrix[1][2] + s + b;
}
