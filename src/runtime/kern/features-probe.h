/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes of features.def share; for features*.c only.
 *
 * A probe tries one thing and gives one of the answers below.  It attaches nothing and
 * closes all that it opened.
 */
#pragma once

#include <linux/bpf.h>

#include "base/macro.h"
#include "runtime/kern/btf.h"
#include "runtime/kern/features.h"

/*
 * Things of the kernel that a program can be made for, by the name of their type:
 * id, kind of type, its name, and the attach type of a program for it.
 */
#define KERNEL_TYPES(TYPE)                                                        \
	TYPE(TP_EXEC, TYPEDEF, "btf_trace_sched_process_exec", BPF_TRACE_RAW_TP)  \
	TYPE(TP_SOCK, TYPEDEF, "btf_trace_inet_sock_set_state", BPF_TRACE_RAW_TP) \
	TYPE(ITER_TASK, FUNC, "bpf_iter_task", BPF_TRACE_ITER)                    \
	TYPE(ITER_TASK_FILE, FUNC, "bpf_iter_task_file", BPF_TRACE_ITER)          \
	TYPE(FUNC_OPEN, FUNC, "security_file_open", BPF_TRACE_FENTRY)             \
	TYPE(LSM_OPEN, FUNC, "bpf_lsm_file_open", BPF_LSM_MAC)

enum kernel_type {
	NONE,
#define TYPE(id, kind, name, attach) id,
	KERNEL_TYPES(TYPE)
#undef TYPE
		KERNEL_TYPES_END,
};

struct probe {
	struct privileges who;
	int types_err;			  /* why the kernel's types cannot be read, or 0 */
	uint32_t types_n;		  /* how many there are */
	uint32_t types[KERNEL_TYPES_END]; /* ids; 0: this kernel does not have it */
	struct variants variants;
};

typedef void probe_fn(const struct probe *p, enum kernel_type arg, struct feature_result *ret);

#define FEATURE(id, gives, probe, arg, caps, option, since, commit, events, instead) \
	probe_fn probe_##probe;
#include "runtime/kern/features.def"
#undef FEATURE

/* The answers.  The reason of a yes is a fact worth knowing, or "". */
void answer_yes(struct feature_result *ret, const char *format, ...) _printf_(2, 3);
void answer_no(struct feature_result *ret, int err, const char *format, ...) _printf_(3, 4);
void answer_unknown(struct feature_result *ret, int err, const char *format, ...) _printf_(3, 4);

/* By what the kernel returned: yes if r >= 0, else no with the reason in words. */
void answer_by(const struct probe *p, struct feature_result *ret, int r);

/* Find the types above in the kernel's own description of itself. */
void kernel_types_read(struct probe *p);
const char *kernel_type_name(enum kernel_type type);
enum bpf_attach_type kernel_type_attach(enum kernel_type type);
