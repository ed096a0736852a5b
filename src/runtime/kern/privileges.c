/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"

/* Since 5.2 (24dcb3d90a1f, 93766fbd2696); glibc got wrappers only in 2.36. */
enum { FSOPEN_CLOEXEC_ = 1, FSCONFIG_CMD_CREATE_ = 6, FSMOUNT_CLOEXEC_ = 1 };

static const struct {
	enum capability bit;
	const char *name;
} names[] = {
	{CAPABILITY_BPF, "CAP_BPF"},
	{CAPABILITY_PERFMON, "CAP_PERFMON"},
	{CAPABILITY_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAPABILITY_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAPABILITY_SYS_PTRACE, "CAP_SYS_PTRACE"},
	{CAPABILITY_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
};

static int file_read_at(int dir, const char *path, char *text, size_t n)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, n - 1);
	if (len < 0)
		return -errno;
	while (len && strchr(" \t\n", text[len - 1]))
		len--;
	text[len] = 0;
	return len;
}

int kernel_file_read(const char *path, char *text, size_t n)
{
	return file_read_at(AT_FDCWD, path, text, n);
}

int pseudo_file_read(const char *fs_type, const char *mount_point, const char *name, char *text,
		     size_t n)
{
	_cleanup_close_ int at = open(mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC), fs = -1,
			    root = -1;
	int r = at < 0 ? -errno : file_read_at(at, name, text, n);

	if (r != -ENOENT)
		return r;
	fs = syscall(SYS_fsopen, fs_type, FSOPEN_CLOEXEC_);
	if (fs < 0)
		return -ENOENT;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE_, NULL, NULL, 0) < 0)
		return -ENOENT;
	root = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC_, 0);
	return root < 0 ? -ENOENT : file_read_at(root, name, text, n);
}

static uint64_t capabilities_effective(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

/* "none [integrity] confidentiality": the one in brackets. */
static void read_lockdown(struct privileges *p)
{
	char text[128], *mode;

	if (pseudo_file_read("securityfs", "/sys/kernel/security", "lockdown", text, sizeof(text)) <
	    0)
		return;
	mode = strchr(text, '[');
	if (!mode)
		return;
	mode++;
	mode[strcspn(mode, "]")] = 0;
	snprintf(p->lockdown, sizeof(p->lockdown), "%.15s", mode);
}

void privileges_read(struct privileges *ret)
{
	struct privileges p = {.unprivileged_bpf_disabled = -1};
	char text[4096], *line;
	unsigned int first, outside, count;

	p.uid = geteuid();
	p.effective = capabilities_effective();
	p.known = ~0ull;
	if (kernel_file_read("/proc/sys/kernel/cap_last_cap", text, sizeof(text)) > 0)
		p.known = (2ull << MIN(strtoul(text, NULL, 10), 62ul)) - 1;
	if (kernel_file_read("/proc/self/uid_map", text, sizeof(text)) > 0 &&
	    sscanf(text, "%u %u %u", &first, &outside, &count) == 3)
		p.in_user_namespace = first != 0 || outside != 0 || count != UINT32_MAX;
	if (kernel_file_read("/proc/self/status", text, sizeof(text)) > 0) {
		line = strstr(text, "\nSeccomp:");
		p.is_filtered = line && strtoul(line + strlen("\nSeccomp:"), NULL, 10) == 2;
	}
	if (kernel_file_read("/proc/sys/kernel/unprivileged_bpf_disabled", text, sizeof(text)) > 0)
		p.unprivileged_bpf_disabled = strtoul(text, NULL, 10);
	read_lockdown(&p);
	*ret = p;
}

uint64_t privileges_missing(const struct privileges *p, uint64_t wanted)
{
	uint64_t by_admin =
		CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON) | CAPABILITY_BIT(NET_ADMIN);
	uint64_t missing = wanted & ~p->effective;

	if (p->effective & CAPABILITY_BIT(SYS_ADMIN))
		missing &= ~by_admin;
	if (missing & ~p->known) /* before 5.8 there is only the one */
		missing = (missing & p->known) | CAPABILITY_BIT(SYS_ADMIN);
	return missing;
}

void privileges_print(uint64_t capabilities, char *text, size_t n)
{
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		uint64_t bit = 1ull << names[i].bit;

		if (!(capabilities & bit))
			continue;
		capabilities &= ~bit;
		at += snprintf(text + at, n - at, "%s%s",
			       !at	      ? ""
			       : capabilities ? ", "
					      : " and ",
			       names[i].name);
		if (at >= n)
			return;
	}
}
