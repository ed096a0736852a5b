/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small values that are shown as names: addresses of networks, users, cgroups, errors,
 * signals, system calls.
 */
#include "catalog/syscall-table.h"
#include "event/answer/answer-internal.h"
#include "event/ident/users.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

struct names {
	struct users users;
};

static void put_inet(struct bytes b, struct buf *to)
{
	char text[INET6_ADDRSTRLEN];
	struct value_inet v;

	memcpy(&v, b.p, sizeof(v));
	if ((v.family == AF_INET || v.family == AF_INET6) &&
	    inet_ntop((int)v.family, v.bytes, text, sizeof(text)))
		buf_puts(to, text);
}

static void put_mac(struct bytes b, struct buf *to)
{
	for (unsigned int i = 0; i < 6; i++)
		buf_printf(to, i ? ":%02X" : "%02X", b.p[i]);
}

static void put_user(struct answer *a, uint64_t uid, struct buf *to)
{
	const char *name;

	if (!a->names) {
		a->names = xalloc(sizeof(*a->names));
		users_load(&a->names->users, "/etc/passwd"); /* unread: nobody has a name */
	}
	name = uid <= UINT32_MAX ? users_name(&a->names->users, (uint32_t)uid) : NULL;
	if (name)
		buf_puts(to, name);
}

void names_free(struct names *n)
{
	if (n)
		users_done(&n->users);
	free(n);
}

static void put_cgroup(struct answer *a, struct bytes b, struct buf *to)
{
	const struct question *q = a->q;
	struct value_cgroup v;

	memcpy(&v, b.p, sizeof(v));
	if (a->source.cgroup_path)
		a->source.cgroup_path(a->source.ctx, v.cgroup_id,
				      v.root < q->strings.n ? q->strings.p[v.root] : "", to);
}

static void put_error(int64_t error, struct buf *to)
{
	const char *text = NULL;

	if (error > -4096 && error < 4096)
		text = strerrordesc_np((int)(error < 0 ? -error : error));
	buf_puts(to, text ? text : "Unknown error");
}

static void put_signal(int64_t number, struct buf *to)
{
	enum { REAL_TIME = 34, LAST = 64 }; /* 32 and 33 are the C library's own */
	const char *text = number > 0 && number < 32 ? sigdescr_np((int)number) : NULL;

	if (text)
		buf_puts(to, text);
	else if (number < 0 || number > LAST)
		buf_puts(to, "N/A");
	else if (number >= REAL_TIME)
		buf_printf(to, "Real-time signal %d", (int)number - REAL_TIME);
	else
		buf_printf(to, "Unknown signal %d", (int)number);
}

static void put_syscall(uint64_t number, struct buf *to)
{
	const char *name = number <= UINT32_MAX ? syscall_number_name((unsigned int)number) : NULL;

	buf_puts(to, name ? name : "Unknown syscall");
}

void name_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to)
{
	size_t n = t->size == 8 && b.n >= 8 ? 8 : 4;

	switch ((int)t->kind) {
	case TYPE_INET:
		put_inet(b, to);
		break;
	case TYPE_MAC:
		put_mac(b, to);
		break;
	case TYPE_USERNAME:
		put_user(a, bytes_uint(b, n), to);
		break;
	case TYPE_CGROUP:
		put_cgroup(a, b, to);
		break;
	case TYPE_STRERROR:
		put_error((int32_t)bytes_int(b, 4), to);
		break;
	case TYPE_SIGNAL:
		put_signal((int32_t)bytes_int(b, 4), to);
		break;
	case TYPE_SYSCALL:
		put_syscall((uint32_t)bytes_uint(b, 4), to);
		break;
	}
}
