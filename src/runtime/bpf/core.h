/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What all of skep's kernel programs share: whom to watch, where records are
 * built, how they are sent.
 *
 * Life of a record: a program asks in_scope(), takes this cpu's scratch buffer,
 * fills the fixed part, appends strings behind it, and sends all of it with
 * record_send().  The ring is never waited for: what does not fit is counted.
 *
 * Two programs must not share a scratch buffer.  Tracepoints run with preemption off,
 * so one buffer a cpu is enough for those in process context; those in interrupt
 * context can cut into them and use none (their records have a fixed size and are
 * written straight into the ring).  Iterators and fentry programs can be preempted:
 * they have buffers of their own, and fentry programs, of which several can be at
 * work on a cpu, ask before they use theirs (names.bpf.c).
 *
 * Maps and read-only data are defined in core.bpf.c; bpftool links the objects.
 */
#pragma once

#include "runtime/bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "catalog/wire/event.h"
#include "catalog/wire/rule.h"
#include "catalog/wire/scope.h"

/* A map is defined once (core.bpf.c sets DEFINE_MAPS) and declared elsewhere. */
#ifdef DEFINE_MAPS
#define SHARED
#else
#define SHARED extern
#endif

/* The system call that ends, as on_sys_exit found it. */
struct sys_call {
	struct sys_desc desc;
	__u64 arg[8]; /* five are used; a power of two is cheap to bound */
	__u32 nr;
	__u16 flags; /* enum wire_flag */
	__u16 pad;
};

/* A record that is sent with an annex needs room for it: what strings may fill. */
enum { RECORD_ROOM = WIRE_RECORD_MAX - 256 };
_Static_assert(sizeof(struct wire_annex) + 7 <= 256, "the annex fits behind the strings");

/*
 * Scratch: the record and what belongs to it, as struct wire_stage has them, then a place where a
 * path is put together from its end.
 */
struct scratch {
	__u8 record[WIRE_RECORD_MAX] __attribute__((aligned(8)));
	struct wire_annex annex; /* while rules are loaded, see rule.h */
	struct wire_decided decided;
	char path[WIRE_PATH_MAX + 256];
	__u32 which;	   /* its own index */
	__u32 used;	   /* bytes of record */
	__u32 cut;	   /* WIRE_F_CUT, WIRE_F_UNREAD */
	__u32 is_relative; /* the user's path that was appended last does not begin with / */
	__u32 users;	   /* programs that want it just now, see names.bpf.c */
	struct sys_call call;
	/*
	 * A walk over a name, see lexical.bpf.c: here, because the verifier follows each value
	 * that stands on the stack.
	 */
	struct {
		__u32 at;   /* where in `path` the result begins */
		__u32 end;  /* where the component that is being walked ends */
		__u32 skip; /* ".." without a component so far */
		__u32 pad;
	} lexical;
};
_Static_assert(__builtin_offsetof(struct scratch, annex) ==
			       __builtin_offsetof(struct wire_stage, annex) &&
		       __builtin_offsetof(struct scratch, decided) ==
			       __builtin_offsetof(struct wire_stage, decided),
	       "deciders take a scratch for a stage");

enum { SCRATCH_PROCESS, SCRATCH_ITER, SCRATCH_NAMES, SCRATCH_COUNT };

enum { AT_FDCWD_ = -100 };

/* Who a connection belongs to. */
struct owner {
	__u64 start_ns, cgroup, opened_ns;
	__u32 pid, tid, uid, gid;
	__u32 flags;	     /* enum wire_flag */
	__u16 is_connecting; /* this side called connect(), whatever states it goes through */
	__u16 dest_port;     /* UDP: where the last reported datagram went; 0: there was none */
	__u64 dest[2];	     /* as wire_conn.daddr */
	char comm[WIRE_COMM];
};

SHARED struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} ring SEC(".maps");

SHARED struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_COUNT);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

SHARED struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);  /* one element a cpu, set before loading */
	__uint(map_flags, BPF_F_MMAPABLE); /* read without a system call */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_count);
} counts SEC(".maps");

SHARED struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} scope_cgroups SEC(".maps");

/* Followed processes: those named by --pid and all they fork. */
SHARED struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} scope_pids SEC(".maps");

/* The owner, stored on the socket: freed with it, copied to accepted sockets. */
SHARED struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

/*
 * Owners that were learnt where only the socket's address is at hand: at the end
 * of accept(), from an iterator, and all of them on kernels whose tracing programs
 * cannot reach socket storage (before 5.11).  Newer than the one on the socket.
 */
SHARED struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct owner);
} owners_by_address SEC(".maps");

extern const volatile struct scope scope;
extern const volatile struct scope_glob scope_glob;
extern int reader_sleeps;
extern const volatile bool rules_on; /* rules are, or will be, loaded: see rule.h */
extern __u64 rules_undecided;	     /* bit k: sent though nobody decides: there are no deciders */
extern __u64 rules_live; /* bit k: somebody wants records of kind k just now; with rules_on */

/*
 * Keep a 64-bit value at or below a constant, in a way that the compiler cannot move
 * away from the use: the verifier must see the comparison on the register it checks.
 */
#define BOUND(v, max) asm volatile("if %0 <= %1 goto +1; %0 = %1" : "+r"(v) : "i"(max))

static __always_inline bool wanted(enum wire_kind kind)
{
	return (scope.events & (1ull << kind)) && (!rules_on || (rules_live & (1ull << kind)));
}

static __always_inline struct task_struct *this_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

/*
 * Members behind the running task, `THIS_TASK(files, fdt)`: direct loads where programs
 * get it as a pointer with a type (5.11), else a helper call for each.  For tracing
 * programs only.  A pointer that is loaded from the task itself is dear at load time: the
 * verifier looks through all names of the kernel's BTF for what it may trust, 1 to 2 ms
 * each (btf_nested_type_is_trusted()); numbers, and what is behind that pointer, are not.
 */
#define THIS_TASK(...)                                                               \
	(bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf) \
		 ? ___arrow(bpf_get_current_task_btf(), __VA_ARGS__)                 \
		 : BPF_CORE_READ(this_task(), __VA_ARGS__))

static __always_inline bool comm_matches(const char *comm)
{
	__u32 s = 1;

#pragma unroll
	for (int i = 0; i < WIRE_COMM; i++) {
		__u8 c = comm[i];

		if (!c)
			break;
		s = ((s & scope_glob.accept[c]) << 1) | (s & scope_glob.loop);
	}
	return s & scope_glob.last;
}

/* in_scope() where the hook's place in the cgroup tree decides SCOPE_CGROUP already. */
static __always_inline bool in_scope_of_hook(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (pid == scope.self)
		return false;
	if ((scope.bits & SCOPE_TREE) && !bpf_map_lookup_elem(&scope_pids, &pid))
		return false;
	if ((scope.bits & SCOPE_USER) && (__u32)bpf_get_current_uid_gid() != scope.uid)
		return false;
	if (scope.bits & SCOPE_COMM) {
		char comm[WIRE_COMM] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		return comm_matches(comm);
	}
	return true;
}

/* Is the running process one that was asked for?  Decided before anything is read. */
static __always_inline bool in_scope(void)
{
	if ((scope.bits & SCOPE_CGROUP) && bpf_current_task_under_cgroup(&scope_cgroups, 0) != 1)
		return false;
	return in_scope_of_hook();
}

static __always_inline struct wire_count *count_get(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counts, &cpu);
}

static __always_inline void count_table_full(void)
{
	struct wire_count *c = count_get();

	if (c)
		__sync_fetch_and_add(&c->table_full, 1);
}

/* When, and the thread's name: no decider asks for them, so what is not sent goes without. */
static __always_inline void head_sign(struct wire_head *h)
{
	h->time_ns = bpf_ktime_get_boot_ns();
	bpf_get_current_comm(h->comm, sizeof(h->comm));
}

static __always_inline void head_begin(struct wire_head *h, __u16 kind)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u64 uid_gid = bpf_get_current_uid_gid();

	h->kind = kind;
	h->flags = 0;
	h->start_ns = (__u32)pid_tgid == pid_tgid >> 32
			      ? THIS_TASK(start_boottime)
			      : BPF_CORE_READ(this_task(), group_leader, start_boottime);
	h->cgroup = bpf_get_current_cgroup_id();
	h->pid = pid_tgid >> 32;
	h->tid = pid_tgid;
	h->uid = uid_gid;
	h->gid = uid_gid >> 32;
	h->ret = 0;
}

static __always_inline void head_init(struct wire_head *h, __u16 kind)
{
	head_begin(h, kind);
	head_sign(h);
}

/* Of a record that goes to record_done(), see rule.h. */
static __always_inline void head_staged(struct wire_head *h, __u16 kind)
{
	head_begin(h, kind);
	if (!rules_on)
		head_sign(h);
}

/*
 * May a record of this kind enter the ring?  Counts it as sent, and as lost when
 * not.  An eighth of the ring is kept for exec, fork and exit: a flood of file
 * events must not make skep forget who is who.
 */
static __always_inline bool ring_admit(struct wire_head *h, __u32 size)
{
	struct wire_count *c = count_get();
	__u32 kind = h->kind < EV_END ? h->kind : 0; /* 0: identity, not an event */

	if (!c)
		return false;
	h->size = size;
	h->cpu = bpf_get_smp_processor_id();
	h->lost = c->lost_sum;
	__sync_fetch_and_add(&c->sent[kind & 63], 1);
	if (kind > EV_FORK &&
	    bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > scope.ring_size - scope.ring_size / 8) {
		__sync_fetch_and_add(&c->lost[kind & 63], 1);
		__sync_fetch_and_add(&c->lost_sum, 1);
		return false;
	}
	return true;
}

/* A record that is not even tried. */
static __always_inline void record_lose(const struct wire_head *h)
{
	struct wire_count *c = count_get();

	if (!c)
		return;
	__sync_fetch_and_add(&c->sent[h->kind & 63], 1);
	__sync_fetch_and_add(&c->lost[h->kind & 63], 1);
	__sync_fetch_and_add(&c->lost_sum, 1);
}

static __always_inline void ring_refused(const struct wire_head *h)
{
	struct wire_count *c = count_get();

	if (!c)
		return;
	__sync_fetch_and_add(&c->lost[h->kind < EV_END ? h->kind & 63 : 0], 1);
	__sync_fetch_and_add(&c->lost_sum, 1);
}

/* A sleeping reader is woken once, when there is enough to read; else it comes by itself. */
static __always_inline __u64 ring_wake_flag(void)
{
	if (reader_sleeps && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= scope.wake_at) {
		reader_sleeps = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	return BPF_RB_NO_WAKEUP;
}

static __always_inline struct scratch *scratch_get(__u32 which)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &which);

	if (s) {
		s->which = which;
		s->cut = 0;
	}
	return s;
}

/* The scratch of a process as the program before left it. */
static __always_inline struct scratch *scratch_again(void)
{
	__u32 which = SCRATCH_PROCESS;

	return bpf_map_lookup_elem(&scratches, &which);
}

static __always_inline void record_send(struct scratch *s)
{
	struct wire_head *h = (struct wire_head *)s->record;
	__u64 size = s->used;

	h->flags |= s->cut;
	if (!ring_admit(h, size))
		return;
	BOUND(size, WIRE_RECORD_MAX);
	if (bpf_ringbuf_output(&ring, s->record, size, ring_wake_flag()))
		ring_refused(h);
}

/* A record of fixed size, on the stack of a program in interrupt context. */
#define record_send_fixed(rec)                                                          \
	do {                                                                            \
		if (ring_admit(&(rec)->head, sizeof(*(rec))) &&                         \
		    bpf_ringbuf_output(&ring, (rec), sizeof(*(rec)), ring_wake_flag())) \
			ring_refused(&(rec)->head);                                     \
	} while (0)

#define NO_STRING ((struct wire_str){})

/*
 * Append the string at `ptr`, at most `max` bytes of it with the NUL.  The verifier must
 * see that offset plus size stays inside the record, so each append first checks that
 * its longest form would fit.  `max` is a constant.
 */
static __always_inline struct wire_str put_user_text(struct scratch *s, const void *ptr, __u32 max)
{
	__u32 off = s->used;
	char beyond = 0;
	long n;

	s->is_relative = 0;
	if (!ptr)
		return NO_STRING;
	if (off > RECORD_ROOM - max) {
		s->cut |= WIRE_F_CUT;
		return NO_STRING;
	}
	n = bpf_probe_read_user_str(s->record + off, max, ptr);
	if (n <= 0) {
		s->cut |= WIRE_F_UNREAD;
		return NO_STRING;
	}
	if (n == max) /* all of it, if its own NUL is the last byte */
		bpf_probe_read_user(&beyond, 1, ptr + max - 1);
	if (beyond)
		s->cut |= WIRE_F_CUT;
	s->is_relative = s->record[off] != '/';
	s->used = off + n;
	return (struct wire_str){.off = off, .len = n - 1};
}

static __always_inline struct wire_str put_user_str(struct scratch *s, const void *ptr)
{
	return put_user_text(s, ptr, WIRE_PATH_MAX);
}

/* Strings of the kernel are shorter than WIRE_PATH_MAX. */
static __always_inline struct wire_str put_kernel_str(struct scratch *s, const void *ptr)
{
	__u32 off = s->used;
	long n;

	if (!ptr)
		return NO_STRING;
	if (off > RECORD_ROOM - WIRE_PATH_MAX) {
		s->cut |= WIRE_F_CUT;
		return NO_STRING;
	}
	n = bpf_probe_read_kernel_str(s->record + off, WIRE_PATH_MAX, ptr);
	if (n <= 0)
		return NO_STRING;
	s->used = off + n;
	return (struct wire_str){.off = off, .len = n - 1};
}
