/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes that ask by the bpf(2) system call: make the map, load the program.
 *
 * Raw system calls, because the distribution's libbpf and headers know nothing of what
 * is newer than they are.  For the same reason some numbers stand here by hand; they
 * are part of the kernel's interface and never change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/kern/features-probe.h"

enum {
	BPF_TOKEN_CREATE_ = 36,
	BPF_MAP_TYPE_ARENA_ = 33,
	BPF_TRACE_KPROBE_MULTI_ = 42,
	BPF_TRACE_UPROBE_MULTI_ = 48,
	SYS_LSM_LIST_MODULES = 461, /* 6.8, ad4aff9ec25f */
	LSM_ID_BPF_ = 109,
};

/* union bpf_attr for BPF_LINK_CREATE with an uprobe.multi, as of 6.6. */
struct link_uprobe_multi {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, uprobe_flags, pid, pad;
};

static int bpf(int command, const void *attr, size_t n)
{
	int r = syscall(SYS_bpf, command, attr, n);

	return r < 0 ? -errno : r;
}

static int map_create(const union bpf_attr *attr)
{
	return bpf(BPF_MAP_CREATE, attr, sizeof(*attr));
}

#define INSN(op, dst, src, off_, imm_) \
	((struct bpf_insn){.code = op, .dst_reg = dst, .src_reg = src, .off = off_, .imm = imm_})
#define MOV(dst, imm)  INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define LOAD(dst, src) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, 0, 0)
#define MAP_FD(dst, fd) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT()	     INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int program_load(enum bpf_prog_type type, unsigned int attach, uint32_t btf_id,
			const struct bpf_insn *insns, size_t n)
{
	union bpf_attr a = {0};

	a.prog_type = type;
	a.expected_attach_type = attach;
	a.attach_btf_id = btf_id;
	a.insns = (uintptr_t)insns;
	a.insn_cnt = n;
	a.license = (uintptr_t) "GPL";
	return bpf(BPF_PROG_LOAD, &a, sizeof(a));
}

/* The least that a program can do. */
static int program_load_return(enum bpf_prog_type type, unsigned int attach, uint32_t btf_id,
			       int value)
{
	const struct bpf_insn insns[] = {MOV(BPF_REG_0, value), EXIT()};

	return program_load(type, attach, btf_id, insns, ELEMENTS(insns));
}

/* A tracepoint's first argument is given to a helper that looks into a storage map. */
static int program_load_storage(uint32_t btf_id, int map, int helper)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_REG_2, BPF_REG_1),
		MAP_FD(BPF_REG_1, map),
		MOV(BPF_REG_3, 0),
		MOV(BPF_REG_4, 0),
		CALL(helper),
		MOV(BPF_REG_0, 0),
		EXIT(),
	};

	return program_load(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, btf_id, insns,
			    ELEMENTS(insns));
}

/* Storage maps take only keys and values with a type: here `int` and nothing else. */
static int storage_create(enum bpf_map_type type, uint32_t flags)
{
	static const struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, type_off, type_len, str_off, str_len;
		uint32_t name, info, size, encoding;
		char strings[5];
	} __attribute__((packed)) types = {
		.magic = 0xeb9f,
		.version = 1,
		.hdr_len = 24,
		.type_len = 16,
		.str_off = 16,
		.str_len = 5,
		.name = 1,
		.info = 1 << 24, /* BTF_KIND_INT */
		.size = 4,
		.encoding = 1 << 24 | 32, /* signed, 32 bits */
		.strings = "\0int",
	};
	_cleanup_close_ int btf = -1;
	union bpf_attr a = {0};

	a.btf = (uintptr_t)&types;
	a.btf_size = sizeof(types);
	btf = bpf(BPF_BTF_LOAD, &a, sizeof(a));
	if (btf < 0)
		return btf;
	memset(&a, 0, sizeof(a));
	a.map_type = type;
	a.key_size = a.value_size = 4;
	a.map_flags = flags;
	a.btf_fd = btf;
	a.btf_key_type_id = a.btf_value_type_id = 1;
	return map_create(&a);
}

/* Answers and returns false if the kernel's types do not have it. */
static bool has_type(const struct probe *p, enum kernel_type type, struct feature_result *ret)
{
	if (p->types[type])
		return true;
	if (p->types_err)
		answer_no(ret, p->types_err, "needs the kernel's types (btf)");
	else
		answer_no(ret, -ENOENT, "this kernel has no %s%s%s", kernel_type_name(type),
			  ret->f->option ? "; built without " : "",
			  ret->f->option ? ret->f->option : "");
	return false;
}

void probe_bpf(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;
	union bpf_attr a = {0};

	(void)arg;
	a.map_type = BPF_MAP_TYPE_ARRAY;
	a.key_size = a.value_size = 4;
	a.max_entries = 1;
	fd = map_create(&a);
	answer_by(p, ret, fd);
	if (!privileges_missing(&p->who, CAPABILITY_BIT(BPF)))
		return;
	if (fd >= 0)
		answer_no(ret, -EPERM, "all but socket filters needs CAP_BPF");
	else if (fd == -EPERM)
		answer_no(ret, fd, "needs CAP_BPF (kernel.unprivileged_bpf_disabled=%d)",
			  p->who.unprivileged_bpf_disabled);
}

void probe_btf(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	(void)arg;
	if (!p->types_err)
		answer_yes(ret, "%u", p->types_n);
	else if (p->types_err == -ENOENT)
		answer_no(ret, -ENOENT, "no /sys/kernel/btf/vmlinux: built without %s",
			  ret->f->option);
	else
		answer_no(ret, p->types_err, "cannot read /sys/kernel/btf/vmlinux: %s",
			  strerror(-p->types_err));
}

void probe_ringbuf(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;
	union bpf_attr a = {0};

	(void)arg;
	a.map_type = BPF_MAP_TYPE_RINGBUF;
	a.max_entries = sysconf(_SC_PAGESIZE);
	fd = map_create(&a);
	answer_by(p, ret, fd);
}

void probe_tracing(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;

	if (!has_type(p, arg, ret))
		return;
	fd = program_load_return(BPF_PROG_TYPE_TRACING, kernel_type_attach(arg), p->types[arg], 0);
	answer_by(p, ret, fd);
}

void probe_sk_storage(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int map =
		storage_create(BPF_MAP_TYPE_SK_STORAGE, BPF_F_NO_PREALLOC | BPF_F_CLONE);

	(void)arg;
	answer_by(p, ret, map);
}

static void probe_storage(const struct probe *p, enum kernel_type arg, struct feature_result *ret,
			  enum bpf_map_type type, int helper)
{
	_cleanup_close_ int map = -1, fd = -1;

	if (!has_type(p, arg, ret))
		return;
	map = storage_create(type, BPF_F_NO_PREALLOC);
	fd = map < 0 ? map : program_load_storage(p->types[arg], map, helper);
	answer_by(p, ret, fd);
}

void probe_sk_storage_tracing(const struct probe *p, enum kernel_type arg,
			      struct feature_result *ret)
{
	probe_storage(p, arg, ret, BPF_MAP_TYPE_SK_STORAGE, BPF_FUNC_sk_storage_get);
}

void probe_task_storage(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	probe_storage(p, arg, ret, BPF_MAP_TYPE_TASK_STORAGE, BPF_FUNC_task_storage_get);
}

void probe_cgroup_sendmsg(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;

	(void)arg;
	fd = program_load_return(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG, 0, 1);
	answer_by(p, ret, fd);
}

/* 1: bpf is among the security modules that run, 0: it is not, or -errno. */
static int lsm_has_bpf(void)
{
	char text[256];
	uint64_t ids[32];
	uint32_t bytes = sizeof(ids);
	int n = syscall(SYS_LSM_LIST_MODULES, ids, &bytes, 0), r;

	for (int i = 0; i < n; i++)
		if (ids[i] == LSM_ID_BPF_)
			return 1;
	if (n >= 0)
		return 0;
	r = pseudo_file_read("securityfs", "/sys/kernel/security", "lsm", text, sizeof(text));
	if (r < 0)
		return r;
	for (char *save, *word = strtok_r(text, ",", &save); word;
	     word = strtok_r(NULL, ",", &save))
		if (!strcmp(word, "bpf"))
			return 1;
	return 0;
}

void probe_lsm(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;
	int listed = lsm_has_bpf();

	if (!has_type(p, arg, ret))
		return;
	fd = program_load_return(BPF_PROG_TYPE_LSM, kernel_type_attach(arg), p->types[arg], 0);
	if (fd < 0)
		answer_by(p, ret, fd);
	else if (listed > 0)
		answer_yes(ret, "%s", "");
	else if (!listed)
		answer_no(ret, -EOPNOTSUPP,
			  "boot with bpf added to lsm=; it is not among those that run");
	else
		answer_unknown(ret, listed, "loads, but whether bpf is in lsm= cannot be read");
}

/* The kernel refuses the addresses only after it has agreed to all else. */
void probe_kprobe_multi(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int prog = -1, link = -1;
	union bpf_attr a = {0};

	(void)arg;
	prog = program_load_return(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI_, 0, 0);
	if (prog < 0) {
		answer_by(p, ret, prog);
		return;
	}
	a.link_create.prog_fd = prog;
	a.link_create.attach_type = BPF_TRACE_KPROBE_MULTI_;
	a.link_create.kprobe_multi.cnt = 1;
	a.link_create.kprobe_multi.addrs = 1; /* no such memory */
	link = bpf(BPF_LINK_CREATE, &a, sizeof(a));
	answer_by(p, ret, link == -EFAULT ? 0 : link);
}

/* The same with a folder, which has no functions. */
void probe_uprobe_multi(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int prog = -1, link = -1;
	struct link_uprobe_multi a = {.attach_type = BPF_TRACE_UPROBE_MULTI_, .cnt = 1};
	unsigned long offset = 0;

	(void)arg;
	prog = program_load_return(BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI_, 0, 0);
	if (prog < 0) {
		answer_by(p, ret, prog);
		return;
	}
	a.prog_fd = prog;
	a.path = (uintptr_t) "/";
	a.offsets = (uintptr_t)&offset;
	link = bpf(BPF_LINK_CREATE, &a, sizeof(a));
	answer_by(p, ret, link == -EBADF ? 0 : link);
}

/* A descriptor that is none is refused only where the command is known. */
void probe_bpf_token(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	struct {
		uint32_t flags, bpffs_fd;
	} a = {0, UINT32_MAX};
	int r = bpf(BPF_TOKEN_CREATE_, &a, sizeof(a));

	(void)arg;
	answer_by(p, ret, r == -EBADF ? 0 : r);
}

void probe_arena(const struct probe *p, enum kernel_type arg, struct feature_result *ret)
{
	_cleanup_close_ int fd = -1;
	union bpf_attr a = {0};

	(void)arg;
	a.map_type = BPF_MAP_TYPE_ARENA_;
	a.map_flags = BPF_F_MMAPABLE;
	a.max_entries = 1;
	fd = map_create(&a);
	answer_by(p, ret, fd);
}
