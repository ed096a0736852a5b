/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/module-btf.h"

#include "base/macro.h"
#include "runtime/kern/bpf.h"
#include "runtime/kern/btf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int module_btf_open(struct module_btf *m, const struct btf_view *base, const char *name)
{
	char path[128];
	int r;

	*m = (struct module_btf){0};
	if (strchr(name, '/') ||
	    snprintf(path, sizeof(path), "/sys/kernel/btf/%s", name) >= (int)sizeof(path))
		return -ENOENT;
	r = kernel_btf_read(path, &m->blob, &m->n, &m->is_mapped);
	if (r < 0)
		return r;
	r = btf_view_init_split(&m->view, base, m->blob, m->n);
	if (r < 0)
		module_btf_close(m);
	return r;
}

void module_btf_close(struct module_btf *m)
{
	btf_view_done(&m->view);
	kernel_btf_unread(m->blob, m->n, m->is_mapped);
	*m = (struct module_btf){0};
}

/* There is no search by name: one after the other, until the name fits. */
int module_btf_fd(const char *name)
{
	union bpf_attr a = {0};
	uint32_t id = 0;

	for (;;) {
		struct bpf_btf_info info = {0};
		char found[64] = "";
		int fd;

		memset(&a, 0, sizeof(a));
		a.start_id = id;
		if (bpf_call(BPF_BTF_GET_NEXT_ID, &a, sizeof(a)) < 0)
			return -ENOENT;
		id = a.next_id;
		memset(&a, 0, sizeof(a));
		a.btf_id = id;
		fd = bpf_call(BPF_BTF_GET_FD_BY_ID, &a, sizeof(a));
		if (fd < 0)
			continue;
		info.name = (uintptr_t)found;
		info.name_len = sizeof(found);
		memset(&a, 0, sizeof(a));
		a.info.bpf_fd = (uint32_t)fd;
		a.info.info = (uintptr_t)&info;
		a.info.info_len = sizeof(info);
		if (!bpf_call(BPF_OBJ_GET_INFO_BY_FD, &a, sizeof(a)) && info.kernel_btf &&
		    !strcmp(found, name))
			return fd;
		close(fd);
	}
}
