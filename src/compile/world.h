/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compilation asks of the machine.
 *
 * Which types the kernel has, which probes a pattern names, what a program's symbols are.
 * The agent implements it by runtime/kern's readers; tests implement it by tables.  All
 * answers are lazy and cached by the implementation; strings live as long as the world.
 */
#pragma once

#include "base/arena.h"
#include "isa/btf.h"

enum world_feature { /* each "may I use …" */
		     WORLD_TP_BTF,
		     WORLD_FENTRY,
		     WORLD_KPROBE,
		     WORLD_KPROBE_MULTI,
		     WORLD_UPROBE_MULTI,
		     WORLD_KPROBE_SESSION,
		     WORLD_BPF_LOOP,	      /* helper, 5.17 */
		     WORLD_FOR_EACH_MAP,      /* helper bpf_for_each_map_elem, 5.13 */
		     WORLD_MAP_LOOKUP_PERCPU, /* helper, 5.19 */
		     WORLD_KTIME_BOOT,	      /* 5.7 */
		     WORLD_KTIME_TAI,	      /* 6.1 */
		     WORLD_D_PATH,
		     WORLD_ATTACH_COOKIE,  /* 5.15 */
		     WORLD_COOKIE_TRACING, /* 6.0: of tracing programs */
		     WORLD_TASK_BTF,	   /* bpf_get_current_task_btf, 5.11 */
		     WORLD_TASK_PT_REGS,   /* 5.15 */
		     WORLD_JIFFIES64,
		     WORLD_GET_FUNC_IP,
		     WORLD_SEND_SIGNAL,
		     WORLD_OVERRIDE,
		     WORLD_SKB_OUTPUT,
		     WORLD_CPU_V4, /* instruction set version 4 */
		     WORLD_CAST,   /* kernel function bpf_rdonly_cast, found at once: 6.9 */
		     /* programs run in skep itself, and cannot look into the kernel */
		     WORLD_EMBEDDED,
		     WORLD_FEATURES
};

/* One field of a tracepoint, as its format file has it. */
struct world_field {
	const char *type; /* C spelling: "const char *", "char[16]", "__data_loc char[]" */
	const char *name;
	uint32_t offset, size;
	bool is_signed, is_data_loc, is_rel_loc;
};

struct world_usdt {
	const char *provider, *name;
	const char *args;   /* "8@%rdi -4@$5 …" */
	uint64_t offset;    /* in the file */
	uint64_t semaphore; /* file offset; 0: none */
};

struct world_symbol {
	const char *name;      /* mangled */
	const char *demangled; /* NULL: the same */
	uint64_t offset;       /* in the file */
	uint64_t value, size;
};

typedef void (*world_name_fn)(void *ctx, const char *name);

struct world {
	const struct world_ops *ops;
};

struct world_ops {
	bool (*has)(struct world *w, enum world_feature f);
	/* The kernel's BTF; NULL: it has none. */
	const struct btf_view *(*btf)(struct world *w);
	/* A module's BTF, with vmlinux's as base; NULL: none. */
	const struct btf_view *(*module_btf)(struct world *w, const char *module);
	/* Tracepoints: `fn` gets "group:event" for each that matches both globs. */
	void (*tracepoints)(struct world *w, const char *group, const char *event, world_name_fn fn,
			    void *ctx);
	/* Its fields, common ones left out; −ENOENT: there is none. */
	int (*tracepoint_fields)(struct world *w, const char *group, const char *event,
				 const struct world_field **ret, unsigned int *ret_n);
	/* Functions that kprobes (traceable: also fentry) may attach to; "module:name". */
	void (*functions)(struct world *w, const char *module, const char *glob, world_name_fn fn,
			  void *ctx);
	/* Address of a kernel symbol; 0: unknown (or hidden). */
	uint64_t (*kernel_address)(struct world *w, const char *name);
	/*
	 * Programs and libraries: "libc", "./a.out", "bash" (by $PATH), with `pid` in its root.
	 * Owned by the world; NULL: there is none.
	 */
	const char *(*binary)(struct world *w, const char *named, int pid);
	/* Symbols that match: functions if `functions`, else objects. −ENOEXEC: no ELF. */
	int (*symbols)(struct world *w, const char *binary, const char *glob, bool functions,
		       const struct world_symbol **ret, unsigned int *ret_n);
	int (*usdts)(struct world *w, const char *binary, const char *provider, const char *name,
		     const struct world_usdt **ret, unsigned int *ret_n);
	/* Paths of executables and libraries that process `pid` has mapped; −1: all processes. */
	void (*mapped)(struct world *w, int pid, world_name_fn fn, void *ctx);
	/* Number of a system call of this architecture; −1: none. */
	int (*syscall_number)(struct world *w, const char *name);
	unsigned int (*cpus)(struct world *w); /* possible ones */
	/* skep's own pid namespace, by the kernel's device and inode; false: the first one. */
	bool (*pid_namespace)(struct world *w, uint64_t *ret_dev, uint64_t *ret_ino);
};

static inline bool world_has(struct world *w, enum world_feature f)
{
	return w && w->ops->has && w->ops->has(w, f);
}
