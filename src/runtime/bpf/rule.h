/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records under rules: staged, decided, and sent if some rule may match.
 *
 * Without rules (rules_on is false in the read-only data) none of this is there for the
 * verifier.  With them, a program that has put a record together leaves it where it is, in
 * this cpu's scratch, and goes on by tail calls, through one table of programs a hook:
 *
 *	handler → RULE_ANNEX → decider of the kind → RULE_SEND
 *
 * RULE_ANNEX and RULE_SEND are the programs called rule_*; the deciders are made by
 * compile/rule, and put into the table by kern/rules.c.  A tail call that finds no program
 * returns: then nobody decides, and the record is sent if somebody asked for its kind.
 * Hooks without a table send undecided, too; user space then evaluates all rules.
 *
 * A table a hook, because the kernel lets a program go on only to one with the same context
 * (28ead3eaabc1, 6.12).
 */
#pragma once

#include "runtime/bpf/core.h"

enum { RULE_SEND = 0, RULE_ANNEX = 63, RULE_SLOTS = 64 };
_Static_assert(EV_END <= RULE_ANNEX, "a slot a kind");

extern const volatile bool rules_env, rules_data, rules_timed;
extern const volatile __u64 rules_shown; /* kinds that are sent whatever rules say */

#define RULE_TABLE(name)                               \
	SHARED struct {                                \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, RULE_SLOTS);       \
		__uint(key_size, 4);                   \
		__uint(value_size, 4);                 \
	} name SEC(".maps")

RULE_TABLE(rules_sys);	 /* sys_exit */
RULE_TABLE(rules_exec);	 /* sched_process_exec */
RULE_TABLE(rules_uring); /* io_uring_complete */

/*
 * The record that a sys_exit handler made is complete: send it, or have it decided.  The
 * last thing a handler does.
 */
#define record_done(ctx, s)                                           \
	do {                                                          \
		if (rules_on)                                         \
			bpf_tail_call((ctx), &rules_sys, RULE_ANNEX); \
		else                                                  \
			record_send(s);                               \
	} while (0)

static __always_inline bool is_file_kind(__u32 kind)
{
	return kind >= EV_OPEN && kind <= EV_TRUNCATE;
}
_Static_assert(EV_OPEN == EV_FORK + 1 && EV_CONNECT == EV_TRUNCATE + 1,
	       "records of files stand side by side");

/* enum wire_annex_flag that follow from the kind: exec, exit, fork and what is shown. */
static __always_inline __u32 always_flag(__u32 kind)
{
	return kind <= EV_FORK || (rules_shown & (1ull << (kind & 63))) ? WIRE_A_ALWAYS : 0;
}

/*
 * lexical.bpf.c: append the absolute, normalised name of `path`, a string of the record, and
 * return it; both as off << 16 | len.  A relative one starts from the folder `dir`, which
 * is also in the record, or if that is 0 from the descriptor `dirfd`.  0: there is none.
 */
__u32 name_put(__u32 which, __u32 path, __u32 dir, __s32 dirfd);

static __always_inline __u32 packed(struct wire_str w)
{
	return (__u32)w.off << 16 | w.len;
}

static __always_inline struct wire_str unpacked(__u32 w)
{
	return (struct wire_str){.off = w >> 16, .len = (__u16)w};
}

/* A decider comes next. */
static __always_inline void decider_enter(struct scratch *s, __u32 kind)
{
	s->decided.runs[kind & 63]++;
	if (rules_timed)
		s->decided.began_ns = bpf_ktime_get_ns();
}

/* What is not of the task: all empty. */
static __always_inline void annex_init(struct scratch *s, __u32 kind)
{
	struct wire_head *h = (struct wire_head *)s->record;
	struct wire_annex *a = &s->annex;

	/* a decider sees what will be sent */
	h->flags |= s->cut;
	h->cpu = bpf_get_smp_processor_id();
#pragma unroll
	for (int i = 0; i < RULE_WORDS; i++)
		a->may[i] = 0;
	a->generation = 0;
	a->flags = always_flag(kind);
	a->n_ancestors = a->pad = a->pad2 = 0;
	a->name = a->name2 = a->env = NO_STRING;
}

/*
 * A member behind a pointer: a direct load where programs get the running task as a pointer
 * with a type (5.11), a read by a helper elsewhere.
 */
#define IS_TYPED bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
#define OF(p, m) (IS_TYPED ? (p)->m : BPF_CORE_READ(p, m))

/* A pid's number in the namespace that is `level` deep; 0: it is not known there. */
static __always_inline __u32 pid_number(struct pid *pid, __u32 level)
{
	struct upid *at;
	int nr = 0;

	if (!pid)
		return 0;
	if (!level)
		return OF(pid, numbers[0].nr);
	if (OF(pid, level) < level)
		return 0;
	at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	     level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)at + bpf_core_field_offset(struct upid, nr));
	return nr;
}

static __always_inline void annex_caps(struct wire_annex *a, const struct cred *cred)
{
	if (IS_TYPED && bpf_core_field_exists(cred->cap_effective.val)) {
		a->cap_effective = cred->cap_effective.val;
		a->cap_permitted = cred->cap_permitted.val;
		a->cap_inheritable = cred->cap_inheritable.val;
		return;
	}
	/* 5.x has two words of 32 bits in the same 8 bytes */
	bpf_probe_read_kernel(&a->cap_effective, 8, (void *)&cred->cap_effective);
	bpf_probe_read_kernel(&a->cap_permitted, 8, (void *)&cred->cap_permitted);
	bpf_probe_read_kernel(&a->cap_inheritable, 8, (void *)&cred->cap_inheritable);
}

/* As /proc/PID/stat has it: new_encode_dev() of linux/kdev_t.h. */
static __always_inline __u32 tty_number(struct tty_struct *tty)
{
	struct tty_driver *driver;
	__u32 minor;

	if (!tty)
		return 0;
	driver = OF(tty, driver);
	if (!driver)
		return 0;
	minor = OF(driver, minor_start) + OF(tty, index);
	return (minor & 0xff) | (__u32)OF(driver, major) << 8 | (minor & ~0xffu) << 12;
}

static __always_inline void annex_task(struct scratch *s)
{
	struct task_struct *task = IS_TYPED ? bpf_get_current_task_btf() : this_task();
	struct signal_struct *signal = OF(task, signal);
	const struct cred *cred = OF(task, cred);
	struct pid *pid = OF(task, thread_pid);
	struct wire_annex *a = &s->annex;
	__u32 level;

	if (!signal || !cred || !pid)
		return;
	level = OF(pid, level);
	annex_caps(a, cred);
	a->loginuid = ~0u;
	if (bpf_core_field_exists(task->loginuid))
		a->loginuid = OF(task, loginuid.val);
	a->tty = tty_number(OF(signal, tty));
	a->vtid = pid_number(pid, level);
	a->vpid = pid_number(OF(signal, pids[PIDTYPE_TGID_]), level);
	a->pgid = pid_number(OF(signal, pids[PIDTYPE_PGID_]), 0);
	a->sid = pid_number(OF(signal, pids[PIDTYPE_SID_]), 0);
	a->vpgid = level ? pid_number(OF(signal, pids[PIDTYPE_PGID_]), level) : a->pgid;
	a->vsid = level ? pid_number(OF(signal, pids[PIDTYPE_SID_]), level) : a->sid;
	a->flags |= WIRE_A_TASK;
}

/* Names of a record of files; `dirfd` and `dirfd2` are where relative ones start from. */
static __always_inline void annex_names(struct scratch *s, __s32 dirfd, __s32 dirfd2)
{
	struct wire_file *f = (struct wire_file *)s->record;
	struct wire_annex *a = &s->annex;
	__u32 path2 = packed(f->path2);
	bool is_place = f->head.kind == EV_RENAME || f->head.kind == EV_LINK;

	a->name = unpacked(name_put(s->which, packed(f->path), packed(f->dir), dirfd));
	/* what a link says, or what is mounted, is a name only if it is absolute */
	if (path2 && (is_place || s->record[(path2 >> 16) & (WIRE_RECORD_MAX - 1)] == '/'))
		a->name2 = unpacked(name_put(s->which, path2, packed(f->dir2), dirfd2));
	if ((a->name.off || !f->path.off) && (a->name2.off || !path2 || !is_place))
		a->flags |= WIRE_A_LEXICAL;
}

/*
 * What a cgroup may still put into the ring while that is more than half full: a quarter of
 * it, until the reader has brought it down to half again.  So who floods loses its own
 * records, and an eighth of the ring stays for all others.
 */
struct flood {
	__u64 lost; /* records that were over the budget, ever */
	__s64 room; /* bytes */
	__u64 jam;  /* when: ring_jams */
};

SHARED struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); /* cgroup; 0: all that found no place */
	__type(value, struct flood);
} floods SEC(".maps");

extern bool ring_is_jammed; /* it was more than half full when somebody looked last */
extern __u64 ring_jams;	    /* how often it was, from the first record over half to half */

static __always_inline struct flood *flood_of(__u64 cgroup)
{
	struct flood *f = bpf_map_lookup_elem(&floods, &cgroup), fresh = {.jam = ~0ull};
	__u64 nobody = 0;

	if (f)
		return f;
	if (bpf_map_update_elem(&floods, &cgroup, &fresh, BPF_NOEXIST) == -E2BIG_) {
		bpf_map_update_elem(&floods, &nobody, &fresh, BPF_NOEXIST);
		return bpf_map_lookup_elem(&floods, &nobody);
	}
	return bpf_map_lookup_elem(&floods, &cgroup);
}

static __always_inline bool is_within_budget(const struct wire_head *h, __u32 size)
{
	struct flood *f;

	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= scope.ring_size / 2) {
		if (ring_is_jammed) {
			ring_is_jammed = false;
			ring_jams++;
		}
		return true;
	}
	ring_is_jammed = true;
	if (h->kind <= EV_FORK)
		return true;
	f = flood_of(h->cgroup);
	if (!f)
		return true;
	if (f->jam != ring_jams) {
		f->jam = ring_jams;
		f->room = scope.ring_size / 4;
	}
	if (f->room < (__s64)size) {
		__sync_fetch_and_add(&f->lost, 1);
		return false;
	}
	__sync_fetch_and_add(&f->room, -(__s64)size);
	return true;
}

/* The record with its annex behind it. */
static __always_inline void stage_send(struct scratch *s)
{
	struct wire_head *h = (struct wire_head *)s->record;
	__u64 used = s->used, off;

	BOUND(used, RECORD_ROOM);
	*(__u64 *)(s->record + used) = 0;
	off = (used + 7) & ~7ull;
	BOUND(off, WIRE_RECORD_MAX - sizeof(struct wire_annex));
	__builtin_memcpy(s->record + off, &s->annex, sizeof(s->annex));
	s->used = off + sizeof(struct wire_annex);
	h->flags |= WIRE_F_ANNEX;
	head_sign(h);
	if (is_within_budget(h, s->used))
		record_send(s);
	else
		record_lose(h);
}
