/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may do, and what stands in its way beside capabilities. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of linux/capability.h; BPF and PERFMON came with 5.8 (a17b53c4a4b5, 980737282232). */
enum capability {
	CAPABILITY_DAC_READ_SEARCH = 2,
	CAPABILITY_NET_ADMIN = 12,
	CAPABILITY_SYS_PTRACE = 19,
	CAPABILITY_SYS_ADMIN = 21,
	CAPABILITY_PERFMON = 38,
	CAPABILITY_BPF = 39,
};

#define CAPABILITY_BIT(id) (1ull << CAPABILITY_##id)

/* Those that `skep watch` uses, as setcap(8) takes them. */
#define CAPABILITIES_FOR_WATCH \
	"cap_bpf,cap_perfmon,cap_net_admin,cap_sys_ptrace,cap_dac_read_search"

struct privileges {
	uint32_t uid;		/* effective */
	uint64_t effective;	/* capabilities, bit k: number k */
	uint64_t known;		/* those that this kernel has */
	bool in_user_namespace; /* capabilities count only there, not in the kernel at large */
	bool is_filtered;	/* a seccomp filter is in force; it may refuse bpf(2) */
	int unprivileged_bpf_disabled; /* the sysctl's value; -1: there is none */
	char lockdown[16];	       /* none, integrity, confidentiality; "": cannot be read */
};

/* Fills what can be read; what cannot stays 0. */
void privileges_read(struct privileges *ret);

/*
 * Of the wanted capabilities, those that this process lacks.  CAP_SYS_ADMIN stands in
 * for BPF, PERFMON and NET_ADMIN wherever the kernel asks for them on behalf of BPF.
 */
uint64_t privileges_missing(const struct privileges *p, uint64_t wanted);

/* The capabilities of a mask as "CAP_BPF and CAP_PERFMON"; `n` bytes at `text`. */
void privileges_print(uint64_t capabilities, char *text, size_t n);

/*
 * Read a file of a pseudo file system into `text`, whitespace at the end cut off.  If
 * the file system of that type is not mounted, and this process may, it is opened
 * without mounting it anywhere.  Bytes read, or -errno.
 */
int kernel_file_read(const char *path, char *text, size_t n);
int pseudo_file_read(const char *fs_type, const char *mount_point, const char *name, char *text,
		     size_t n);
