/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign programs onto their hooks.
 *
 * A section's name says where, and libbpf reads it.  Programs on a cgroup or a network
 * interface need to be told which: those come from the command line.  All attachments are
 * links: they go with this process, whatever happens to it.
 */
#include "runtime/kern/foreign-internal.h"

#include "base/macro.h"
#include "runtime/kern/tracefs.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void foreign_detach(struct foreign *f)
{
	for (size_t i = 0; i < f->progs.n; i++) {
		bpf_link__destroy(f->progs.p[i].link);
		f->progs.p[i].link = NULL;
		f->progs.p[i].shown.is_attached = false;
	}
}

static bool is_on_cgroup(enum bpf_prog_type type)
{
	switch ((int)type) {
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SOCK_OPS:
		return true;
	}
	return false;
}

/* What libbpf does not attach by itself, and who does. */
static int needs_more(const struct foreign_program *p, struct runtime_error *e)
{
	switch ((int)bpf_program__type(p->prog)) {
	case BPF_PROG_TYPE_XDP:
		foreign_hint(e, "--iface NAME says which network interface");
		break;
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
		foreign_hint(e,
			     "tc attaches it: tc qdisc add dev IFACE clsact; tc filter add dev "
			     "IFACE ingress bpf direct-action obj FILE sec %s",
			     p->shown.section);
		break;
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_REUSEPORT:
		foreign_hint(e, "a program that owns the socket attaches it (SO_ATTACH_BPF, or a "
				"map of sockets)");
		break;
	case BPF_PROG_TYPE_PERF_EVENT:
		foreign_hint(e, "it needs a perf event; `skep trace` has profile, interval, "
				"software and hardware probes");
		break;
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
		foreign_hint(e,
			     "its section says the kind but not the place: SEC(\"kprobe/NAME\"), "
			     "SEC(\"tracepoint/GROUP/NAME\"), SEC(\"uprobe/FILE:SYMBOL\")");
		break;
	default:
		foreign_hint(e, "skep load attaches programs on tracepoints, functions, iterators, "
				"cgroups (--cgroup) and XDP (--iface)");
		break;
	}
	return foreign_fail(e, -ENOTSUP,
			    "where the program %s (section %s) is to be attached is "
			    "not said in the object",
			    p->shown.name, p->shown.section);
}

static int on_cgroup(struct foreign_program *p, const struct foreign_config *config,
		     struct runtime_error *e)
{
	if (config->cgroup_fd < 0) {
		foreign_hint(e, "--cgroup PATH says which one, as /sys/fs/cgroup/NAME");
		return foreign_fail(e, -ENOTSUP, "the program %s (section %s) is for a cgroup",
				    p->shown.name, p->shown.section);
	}
	p->link = bpf_program__attach_cgroup(p->prog, config->cgroup_fd);
	return p->link ? 0 : -errno;
}

/* "tracepoint/GROUP/NAME", "tp/GROUP/NAME": the part behind the first slash, or NULL. */
static const char *tracepoint_of(const struct foreign_program *p)
{
	const char *at = strchr(p->shown.section, '/');

	if (bpf_program__type(p->prog) != BPF_PROG_TYPE_TRACEPOINT || !at || !strchr(at + 1, '/'))
		return NULL;
	return at + 1;
}

/* libbpf looks for tracefs only where it is mounted; we open it either way. */
static int on_tracepoint(struct foreign_program *p, const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1};
	_cleanup_free_ char *group = xstrdup(name);
	struct tracefs t = {.root = -1};
	char *event = strchr(group, '/');
	int id, fd, r;

	*event++ = 0;
	id = tracefs_event_id(&t, group, event);
	tracefs_close(&t);
	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	p->link = bpf_program__attach_perf_event(p->prog, fd);
	r = p->link ? 0 : -errno;
	if (r < 0)
		close(fd); /* else it is the link's */
	return r;
}

static int attach(struct foreign_program *p, const struct foreign_config *config,
		  struct runtime_error *e)
{
	enum bpf_prog_type type = bpf_program__type(p->prog);

	if (is_on_cgroup(type))
		return on_cgroup(p, config, e);
	if (tracepoint_of(p))
		return on_tracepoint(p, tracepoint_of(p));
	if (type == BPF_PROG_TYPE_XDP && config->ifindex)
		p->link = bpf_program__attach_xdp(p->prog, (int)config->ifindex);
	else
		p->link = bpf_program__attach(p->prog);
	if (!p->link && errno == EOPNOTSUPP)
		return needs_more(p, e);
	return p->link ? 0 : -errno;
}

int foreign_attach(struct foreign *f, size_t i, const struct foreign_config *config,
		   struct runtime_error *e)
{
	struct foreign_program *p = &f->progs.p[i];
	int r;

	*e = (struct runtime_error){0};
	foreign_hush(f);
	r = attach(p, config, e);
	p->shown.is_attached = r >= 0;
	if (r >= 0 || e->what[0])
		return r;
	return foreign_unattached(f, p, r, e);
}

int foreign_iterate(struct foreign *f, size_t prog, struct buf *to)
{
	struct foreign_program *p = &f->progs.p[prog];
	_cleanup_close_ int fd = -1;
	char text[4096];
	ssize_t n;

	if (!p->link || bpf_program__type(p->prog) != BPF_PROG_TYPE_TRACING ||
	    bpf_program__expected_attach_type(p->prog) != BPF_TRACE_ITER)
		return 0;
	fd = bpf_iter_create(bpf_link__fd(p->link));
	if (fd < 0)
		return -errno;
	while ((n = read(fd, text, sizeof(text))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(to, text, (size_t)n);
	return n < 0 ? -errno : 0;
}
