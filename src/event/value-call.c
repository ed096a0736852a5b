/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of system calls: which one, what it asked, of whom, and what came of it.
 *
 * A struct wire_sys has a call's arguments as they were in the registers.  Several calls make one
 * kind of event (kill, tkill, tgkill; ptrace, process_vm_writev), and what an argument means
 * depends on which it was.  The number of a call depends on who made it: 32-bit programs have
 * numbers of their own, so calls are told apart by name.
 */
#include "base/macro.h"
#include "event/decode.h"
#include "event/value-internal.h"

#include <stdio.h>

/* --- the call and its result */

VALUE(CALL)
{
	const char *name = syscall_name(u32_at(v), v->event->head->flags & WIRE_F_COMPAT);

	return name && put_name(v, "", name);
}

VALUE(RET)
{
	int64_t ret = v->event->head->ret;

	return ret >= 0 && put_s64(v, ret);
}

VALUE(ERROR)
{
	int64_t ret = v->event->head->ret;
	const char *name;

	if (ret >= 0 || ret < -4095) /* the kernel's MAX_ERRNO */
		return false;
	name = name_of_errno(-ret);
	return put_name_or(v, name ? "" : "E", name, -ret);
}

/* --- what was asked, and of whom */

/* NULL: no call that is known. */
static const char *call_of(const struct wire_sys *w)
{
	return syscall_name(w->nr, w->head.flags & WIRE_F_COMPAT);
}

static bool is_call(const struct wire_sys *w, const char *name)
{
	const char *call = call_of(w);

	return call && !strcmp(call, name);
}

VALUE(TARGET)
{
	const struct wire_sys *w = record_of(v);
	int32_t pid = w->arg[is_call(w, "ptrace")];

	if (is_call(w, "pidfd_send_signal")) { /* the first argument is a descriptor */
		if (v->style == TEXT)
			buf_printf(v->out, "of descriptor %d", pid);
		return v->style == TEXT;
	}
	return put_s64(v, pid); /* 0 and less name groups of processes */
}

VALUE(KILL_SIGNAL)
{
	const struct wire_sys *w = record_of(v);
	uint32_t sig = is_call(w, "tgkill") ? w->arg[2] : w->arg[1];

	return sig ? put_name_or(v, "SIG", name_of_signal(sig), sig) : put_name(v, "", "0");
}

/* Reading and writing another's memory has calls of its own; they are the request. */
VALUE(PTRACE)
{
	const struct wire_sys *w = record_of(v);
	const char *call = call_of(w);

	if (call && strcmp(call, "ptrace"))
		return put_name(v, "", call);
	return put_name_or(v, "PTRACE_", names_find(names_ptrace, w->arg[0]), w->arg[0]);
}

VALUE(BPF_COMMAND)
{
	return put_name_or(v, "BPF_", names_find(names_bpf, u64_at(v)), u64_at(v));
}

/* --- namespaces */

VALUE(NS_FLAGS)
{
	return put_bits(v, names_ns, u64_at(v));
}

/* A namespace's file has no path: its kind and number are its name. */
VALUE(NS_FILE)
{
	const struct wire_sys *w = record_of(v);
	struct str kind = record_str(w, w->text);
	char name[WIRE_NAME_MAX];

	if (!kind.n)
		return put_str(v, record_str(w, w->file));
	snprintf(name, sizeof(name), "%.*s:[%llu]", (int)MIN(kind.n, 16), kind.p,
		 (unsigned long long)w->arg[2]);
	return put_str(v, str_of(name));
}
