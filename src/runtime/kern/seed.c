/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/seed.h"

#include "base/macro.h"
#include "base/map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536 };

/* Same layout as struct owner in runtime/bpf/core.h, which user space only passes on. */
struct seeded_socket {
	uint64_t key;
	uint64_t start_ns, cgroup, opened_ns;
	uint32_t pid;
	unsigned char rest[52];
};
_Static_assert(sizeof(struct seeded_socket) == 88, "as runtime/bpf/core.h has it");

struct pass {
	runtime_record_fn fn;
	void *ctx;
	int owners_fd;
	uint64_t full;	  /* sockets without a place in that map */
	struct map scope; /* start time of processes in scope, by pid */
};

/* Uses whole items at the start of p; returns the bytes used. */
typedef size_t (*items_fn)(struct pass *pass, const char *p, size_t n);

static int read_iterator(struct bpf_program *prog, struct pass *pass, items_fn items)
{
	_cleanup_close_ int link = bpf_link_create(bpf_program__fd(prog), 0, BPF_TRACE_ITER, NULL);
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *p = NULL;
	size_t n = 0, used;
	ssize_t r;

	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	if (fd < 0)
		return fd;
	p = xalloc(CHUNK);
	while ((r = read(fd, p + n, CHUNK - n)) > 0 || (r < 0 && errno == EAGAIN)) {
		if (r < 0)
			continue;
		n += r;
		used = items(pass, p, n);
		memmove(p, p + used, n - used);
		n -= used;
	}
	return r < 0 ? -errno : 0;
}

static size_t take_tasks(struct pass *pass, const char *p, size_t n)
{
	size_t used = 0;

	while (n - used >= sizeof(struct wire_head)) {
		struct wire_head h;

		memcpy(&h, p + used, sizeof(h));
		if (h.size < sizeof(h) || h.size > n - used)
			break;
		if (pass->fn(pass->ctx, p + used, h.size) == 1)
			map_put(&pass->scope, h.pid, (void *)(uintptr_t)(h.start_ns | 1));
		used += h.size;
	}
	return used;
}

static size_t take_sockets(struct pass *pass, const char *p, size_t n)
{
	struct seeded_socket s;
	size_t used = 0;

	for (; n - used >= sizeof(s); used += sizeof(s)) {
		memcpy(&s, p + used, sizeof(s));
		/* of a socket that several processes hold, the first is the owner: -EEXIST */
		if ((uintptr_t)map_get(&pass->scope, s.pid) == (s.start_ns | 1) &&
		    bpf_map_update_elem(pass->owners_fd, &s.key, &s.start_ns, BPF_NOEXIST) ==
			    -E2BIG)
			pass->full++;
	}
	return used;
}

int seed_run(struct bpf_program *tasks, struct bpf_program *sockets, int owners_fd,
	     runtime_record_fn fn, void *ctx, uint64_t *ret_full)
{
	struct pass pass = {.fn = fn, .ctx = ctx, .owners_fd = owners_fd};
	int r;

	r = read_iterator(tasks, &pass, take_tasks);
	if (r >= 0 && sockets)
		r = read_iterator(sockets, &pass, take_sockets);
	map_done(&pass.scope);
	*ret_full = pass.full;
	return r;
}
