/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files opened through io_uring: no system call names them.
 *
 * When a request is submitted the kernel has copied its file name already
 * (io_open.filename); when it completes, the result is the descriptor.  The two are
 * joined by the request's address.  Completion runs in the submitter or in one of
 * its worker threads, which share its descriptors, so the file is found as for a
 * system call.  A request for a fixed slot (no descriptor) is told by name only.
 *
 * The tracepoints' arguments differ by kernel; user space reads them from BTF and
 * loads what fits (kern/btf.c): io_uring_submit_req since 6.3,
 * io_uring_submit_sqe with the request first since 6.0; before that, none.
 */
#include "runtime/bpf/core.h"
#include "runtime/bpf/file.h"
#include "runtime/bpf/rule.h"

enum { IORING_OP_OPENAT_ = 18, IORING_OP_OPENAT2_ = 28, NAME_KEPT = 256 };

struct asked {
	__u64 flags, mode;
	int dirfd;
	__u32 slot;
	char name[NAME_KEPT];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct asked);
} uring_asked SEC(".maps");

static __always_inline bool is_open(const struct io_kiocb *req)
{
	__u8 op = BPF_CORE_READ(req, opcode);

	return op == IORING_OP_OPENAT_ || op == IORING_OP_OPENAT2_;
}

static __always_inline int on_submit(struct io_kiocb *req)
{
	struct io_open *open = (struct io_open *)req; /* first member: the command */
	__u64 key = (__u64)req;
	struct asked a = {};

	if (!is_open(req) || !in_scope())
		return 0;
	a.flags = BPF_CORE_READ(open, how.flags);
	a.mode = BPF_CORE_READ(open, how.mode);
	a.dirfd = BPF_CORE_READ(open, dfd);
	a.slot = BPF_CORE_READ(open, file_slot);
	bpf_probe_read_kernel_str(a.name, sizeof(a.name), BPF_CORE_READ(open, filename, name));
	bpf_map_update_elem(&uring_asked, &key, &a, BPF_ANY);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit_req, struct io_kiocb *req)
{
	return on_submit(req);
}

SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(on_uring_submit_sqe, struct io_kiocb *req)
{
	return on_submit(req);
}

static __always_inline int on_complete(__u64 *ctx, __u64 key, int ret)
{
	struct scratch *s;
	struct asked *a;
	struct file_view view = {};
	struct file *file = NULL;
	struct wire_file *f;
	bool is_complete = false;
	__u32 bits = 0, off;
	__u16 kind;
	long n;

	a = bpf_map_lookup_elem(&uring_asked, &key);
	if (!a)
		return 0;
	s = scratch_get(SCRATCH_PROCESS);
	/* a request that asks for no word of success leaves its name to the next one here */
	if (!s || !is_open((struct io_kiocb *)key))
		goto out;
	if (ret >= 0 && !a->slot) {
		file = file_of_fd(ret);
		file_read(&view, file);
		bits = created_bit(&view);
	}
	kind = open_kind(a->flags, bits, ret);
	if (!wanted(kind) || (ret < 0 && (scope.bits & SCOPE_NO_FAILED)))
		goto out;
	f = file_record(s, kind, ret);
	f->head.flags = WIRE_F_URING;
	f->flags = a->flags;
	f->mode = a->mode & 07777;
	f->nr = ~0u;
	if (file)
		fill_file(s, f, &view, bits);
	off = s->used;
	if (off <= RECORD_ROOM - NAME_KEPT) {
		n = bpf_probe_read_kernel_str(s->record + off, NAME_KEPT, a->name);
		if (n > 0) {
			f->path = (struct wire_str){.off = off, .len = n - 1};
			s->used = off + n;
		}
		if (n == NAME_KEPT)
			s->cut |= WIRE_F_CUT;
	}
	s->is_relative = a->name[0] != '/';
	if (!file)
		f->dir = put_dir(s, a->dirfd);
	if (!rules_on)
		record_send(s);
	s->call.arg[0] = a->dirfd;
	is_complete = rules_on;
out:
	bpf_map_delete_elem(&uring_asked, &key);
	if (is_complete)
		bpf_tail_call(ctx, &rules_uring, RULE_ANNEX);
	return 0;
}

/* With rules: other hooks than sys_exit have no deciders, user space tries all rules. */
SEC("tp_btf/io_uring_complete")
int rule_annex_uring(__u64 *ctx)
{
	struct scratch *s = scratch_again();

	if (!s)
		return 0;
	annex_init(s, ((struct wire_head *)s->record)->kind);
	annex_task(s);
	annex_names(s, s->call.arg[0], AT_FDCWD_);
	stage_send(s);
	return 0;
}

/* io_uring_complete(ctx, req, user_data, res, …): to 6.10 or so */
SEC("tp_btf/io_uring_complete")
int on_uring_complete(__u64 *ctx)
{
	return on_complete(ctx, ctx[1], ctx[3]);
}

/* io_uring_complete(ctx, req, cqe) */
SEC("tp_btf/io_uring_complete")
int on_uring_complete_cqe(__u64 *ctx)
{
	struct io_uring_cqe *cqe = (void *)ctx[2];

	return on_complete(ctx, ctx[1], BPF_CORE_READ(cqe, res));
}

char _license[] SEC("license") = "Dual BSD/GPL";
