/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules-random.h"

#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/rule-field.h"
#include "event/decode.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

const char *const random_users[RANDOM_USERS] = {"root", "daemon", "alice"};
const uint32_t random_uids[RANDOM_USERS] = {0, 1, 1000};

/* --- texts */

static void text(struct random *r, bool is_path, char *ret, size_t room)
{
	const char *one = is_path ? random_path(r) : random_word(r);
	const char *two = is_path ? random_path(r) : random_word(r);
	size_t n;

	switch (random_below(r, 8)) {
	case 0:
		snprintf(ret, room, "%s%s", one, two);
		return;
	case 1:
		snprintf(ret, room, "%s%s%s", one, is_path ? "/" : " ", random_word(r));
		return;
	case 2:
		snprintf(ret, room, "%s", one);
		n = strlen(ret);
		if (n)
			ret[random_below(r, (uint32_t)n)] ^= 0x20;
		return;
	case 3:
		snprintf(ret, room, "%s", one);
		n = strlen(ret);
		if (n > 1)
			ret[n - 1] = 0;
		return;
	default: /* by number, not by name */
		snprintf(ret, room, "%s", one);
		return;
	}
}

static struct wire_str add(struct buf *to, const char *s, size_t n)
{
	struct wire_str w = {.off = (__u16)to->n, .len = (__u16)n};

	buf_add(to, s, n);
	buf_putc(to, 0);
	return w;
}

static void set_str(struct buf *to, size_t member, struct wire_str w)
{
	memcpy(to->p + member, &w, sizeof(w));
}

static void put_text(struct random *r, struct buf *to, size_t member, bool is_path)
{
	char s[300];

	if (random_one_in(r, 12))
		return;
	text(r, is_path, s, sizeof(s));
	if (random_one_in(r, 40)) { /* longer than a kernel without loops follows */
		memset(s, 'y', sizeof(s) - 1);
		s[0] = '/';
		s[sizeof(s) - 1] = 0;
	}
	set_str(to, member, add(to, s, strlen(s)));
}

/* --- heads */

static uint64_t start_of(const struct random *r, uint32_t pid)
{
	/* apart enough: /proc has ticks, so a process is known by its start up to one of them */
	return (pid * 100000ull + r->lives[pid]) * NS_PER_S;
}

static uint32_t a_pid(struct random *r)
{
	return 1 + random_below(r, RANDOM_PIDS);
}

static void fill_head(struct random *r, uint64_t n, struct wire_head *h)
{
	char s[64];

	h->time_ns = 2000000 * NS_PER_S + n * 1000;
	h->pid = a_pid(r);
	h->tid = random_one_in(r, 4) ? h->pid + 100 : h->pid;
	h->start_ns = start_of(r, h->pid);
	h->cgroup = 1 + random_below(r, 4);
	h->uid = random_one_in(r, 6) ? 77 : random_uids[random_below(r, RANDOM_USERS)];
	h->gid = random_one_in(r, 4) ? 5 : 0;
	h->cpu = random_below(r, 4);
	h->ret = random_one_in(r, 3) ? -(int64_t)random_below(r, 140) : random_below(r, 9);
	if (random_one_in(r, 30))
		h->flags |= WIRE_F_COMPAT;
	if (random_one_in(r, 30))
		h->flags |= WIRE_F_URING;
	text(r, false, s, sizeof(s));
	memset(h->comm, 0, sizeof(h->comm));
	memcpy(h->comm, s, strnlen(s, WIRE_COMM - 1));
}

static uint32_t a_number(struct random *r, unsigned int kind, bool is_compat)
{
	size_t n;
	const struct rule_event_info *events = rule_events(&n);
	uint32_t at = random_below(r, (uint32_t)n);

	for (size_t i = 0; i < n; i++) {
		const struct rule_event_info *e = &events[(i + at) % n];
		int nr = is_compat ? e->nr_ia32 : e->nr;

		if (e->kinds >> kind & 1 && nr >= 0 && !random_one_in(r, 20))
			return (uint32_t)nr;
	}
	return random_one_in(r, 2) ? ~0u : random_below(r, 500);
}

static uint64_t a_value(struct random *r)
{
	return random_one_in(r, 8)   ? ~0ull
	       : random_one_in(r, 4) ? 1ull << random_below(r, 34)
				     : random_below(r, 40);
}

/* --- bodies */

#define AT(body, m) offsetof(struct body, m)

static void fill_file(struct random *r, struct buf *to, struct wire_annex *a)
{
	struct wire_file *f = (void *)to->p;
	char s[300];

	f->inode = random_below(r, 3) * 4096;
	f->dev = random_below(r, 3) << 20 | random_below(r, 3);
	f->bits = random_below(r, 64);
	f->flags = random_below(r, 4) | (random_one_in(r, 3) ? O_CREAT : 0) |
		   (random_one_in(r, 6) ? O_DIRECTORY : 0) | (random_one_in(r, 8) ? O_TMPFILE : 0) |
		   (random_one_in(r, 4) ? O_TRUNC : 0);
	f->mode = random_one_in(r, 2) ? 0755 : 04600;
	f->owner = random_one_in(r, 3) ? ~0u : random_below(r, 3);
	f->group = random_one_in(r, 3) ? ~0u : random_below(r, 3);
	f->nr = a_number(r, f->head.kind, f->head.flags & WIRE_F_COMPAT);
	put_text(r, to, AT(wire_file, file), true);
	put_text(r, to, AT(wire_file, path), !random_one_in(r, 4));
	put_text(r, to, AT(wire_file, dir), true);
	put_text(r, to, AT(wire_file, path2), true);
	put_text(r, to, AT(wire_file, file2), true);
	put_text(r, to, AT(wire_file, text), false);
	if (random_one_in(r, 5))
		return;
	a->flags |= WIRE_A_LEXICAL;
	f = (void *)to->p;
	if (random_one_in(r, 2)) { /* no links on the way */
		if (f->file.off)
			a->name = f->file;
		if (f->file2.off)
			a->name2 = f->file2;
		return;
	}
	text(r, true, s, sizeof(s));
	if (!random_one_in(r, 6))
		a->name = add(to, s, strlen(s));
	text(r, true, s, sizeof(s));
	if (!random_one_in(r, 6))
		a->name2 = add(to, s, strlen(s));
}

static void set_address(struct random *r, uint8_t *to, uint16_t family)
{
	for (int i = 0; i < 20; i++)
		if (inet_pton(family == AF_INET ? AF_INET : AF_INET6, random_ip(r), to) == 1)
			return;
}

static void fill_sock(struct random *r, struct buf *to)
{
	static const uint16_t families[] = {AF_INET, AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, 17};
	static const uint16_t protocols[] = {6, 17, 1, 58, 255, 0, 132};
	static const uint16_t ports[] = {0, 22, 80, 443, 1024, 65535, 4096};
	struct wire_sock *s = (void *)to->p;

	for (int i = 0; i < 5; i++)
		s->arg[i] = a_value(r);
	s->nr = a_number(r, s->head.kind, s->head.flags & WIRE_F_COMPAT);
	s->fd = (int32_t)random_below(r, 6) - 2;
	s->bits = random_below(r, 16);
	s->family = families[random_below(r, 6)];
	s->type = (uint16_t)random_below(r, 5);
	s->protocol = protocols[random_below(r, 7)];
	s->sport = ports[random_below(r, 7)];
	s->dport = ports[random_below(r, 7)];
	s->length = random_below(r, 3000);
	set_address(r, s->saddr, s->family);
	if (!random_one_in(r, 4))
		set_address(r, s->daddr, s->family);
	put_text(r, to, AT(wire_sock, path), true);
	put_text(r, to, AT(wire_sock, data), false);
}

static void fill_sys(struct random *r, struct buf *to)
{
	struct wire_sys *s = (void *)to->p;

	for (int i = 0; i < 5; i++)
		s->arg[i] = a_value(r);
	s->nr = a_number(r, s->head.kind, s->head.flags & WIRE_F_COMPAT);
	put_text(r, to, AT(wire_sys, file), true);
	put_text(r, to, AT(wire_sys, text), false);
}

static void put_args(struct random *r, struct buf *to)
{
	char s[2048];
	size_t n = 0, count = random_below(r, 6);

	if (random_one_in(r, 20))
		return;
	for (size_t i = 0; i < count; i++) {
		text(r, random_one_in(r, 3), s + n, 300);
		n += strlen(s + n) + 1;
	}
	if (n && random_one_in(r, 10))
		n--; /* cut */
	((struct wire_proc *)to->p)->args_total = (uint32_t)(n + random_one_in(r, 5));
	if (n)
		set_str(to, AT(wire_proc, args), add(to, s, n));
}

static void fill_proc(struct random *r, struct buf *to, struct wire_annex *a)
{
	struct wire_proc *p = (void *)to->p;
	char s[512];
	size_t n = 0;

	p->exe_bits = random_below(r, 64);
	p->inode = random_below(r, 3) * 4096;
	p->ppid = a_pid(r);
	p->parent_start_ns = start_of(r, p->ppid);
	p->loginuid = random_one_in(r, 2) ? ~0u : 1000;
	p->ns_pid = random_below(r, 4);
	put_text(r, to, AT(wire_proc, exe), true);
	put_text(r, to, AT(wire_proc, path), true);
	put_text(r, to, AT(wire_proc, cwd), true);
	put_args(r, to);
	if (random_one_in(r, 5))
		a->flags |= WIRE_A_EXECVEAT;
	if (random_one_in(r, 3))
		return;
	for (unsigned int i = random_below(r, 4); i; i--) {
		snprintf(s + n, 200, "%s=%s", random_word(r), random_path(r));
		n += strlen(s + n) + 1;
	}
	a->env = add(to, s, n);
}

/* A number that is free by now, or was taken from who had it. */
static void fill_child(struct random *r, struct wire_fork *f)
{
	do
		f->child_pid = a_pid(r);
	while (f->child_pid == f->head.pid);
	r->lives[f->child_pid]++;
	f->child_start_ns = start_of(r, f->child_pid);
	f->child_cgroup = f->head.cgroup;
	f->flags = a_value(r);
}

static void fill_annex(struct random *r, const struct wire_head *h, struct wire_annex *a)
{
	if (!random_one_in(r, 6)) {
		a->flags |= WIRE_A_TASK;
		a->cap_effective = a_value(r);
		a->cap_permitted = a_value(r);
		a->cap_inheritable = a_value(r);
		a->loginuid = random_one_in(r, 2) ? ~0u : random_uids[random_below(r, 3)];
		a->tty = random_below(r, 3);
		a->vpid = random_below(r, 4);
		a->vtid = random_below(r, 4);
		a->vpgid = random_below(r, 4);
		a->vsid = random_below(r, 4);
	}
	if (random_one_in(r, 8))
		return;
	a->flags |= WIRE_A_ANCESTORS;
	a->n_ancestors = random_below(r, ANCESTORS_MAX + 1);
	for (uint32_t i = 0; i < a->n_ancestors; i++) {
		a->ancestors[i].pid = a_pid(r);
		a->ancestors[i].start_ns =
			start_of(r, a->ancestors[i].pid) + random_one_in(r, 20) * NS_PER_S;
	}
	(void)h;
}

static const uint8_t often[] = {EV_OPEN, EV_OPEN, EV_WRITE, EV_CREATE,
				EV_EXEC, EV_EXEC, EV_FORK,  EV_NETCALL};

void random_record(struct random *r, uint64_t n, struct buf *to, struct wire_annex *annex)
{
	unsigned int kind = random_one_in(r, 2) ? often[random_below(r, sizeof(often))]
						: 1 + random_below(r, EV_END - 1);
	struct wire_head *h;

	*annex = (struct wire_annex){0};
	buf_reset(to);
	buf_reserve(to, WIRE_RECORD_MAX);
	record_begin(to, kind);
	h = (void *)to->p;
	fill_head(r, n, h);
	switch (body_of_kind(kind)) {
	case BODY_wire_file:
		fill_file(r, to, annex);
		break;
	case BODY_wire_sock:
		fill_sock(r, to);
		break;
	case BODY_wire_sys:
		fill_sys(r, to);
		break;
	case BODY_wire_proc:
		fill_proc(r, to, annex);
		break;
	case BODY_wire_fork:
		h->ret = 0;
		fill_child(r, (struct wire_fork *)h);
		break;
	case BODY_wire_creds:
		for (int i = 0; i < 3; i++)
			((struct wire_creds *)h)->arg[i] =
				random_one_in(r, 4) ? ~0ull : random_uids[random_below(r, 3)];
		((struct wire_creds *)h)->nr = a_number(r, kind, h->flags & WIRE_F_COMPAT);
		break;
	case BODY_wire_exit: /* whoever gets the number next is another */
		r->lives[h->pid]++;
		break;
	case BODY_wire_head:
	case BODY_wire_conn:
	case BODY_wire_cgroup:
	case BODY_wire_container:
	case BODY_wire_user:
	case BODY_wire_tally:
	case BODY_END:
		break;
	}
	fill_annex(r, h, annex);
	record_end(to);
}

/* --- what a stream is told first */

unsigned int random_identity(unsigned int i, struct buf *to)
{
	static const char *const cgroups[RANDOM_CGROUPS] = {"/", "/docker/0123456789ab",
							    "/user.slice"};
	struct wire_head *h;

	buf_reset(to);
	if (i < RANDOM_USERS) {
		record_begin(to, WIRE_USER);
		((struct wire_head *)to->p)->uid = random_uids[i];
		record_add_str(to, AT(wire_user, name), str_of(random_users[i]));
	} else if (i < RANDOM_USERS + RANDOM_CGROUPS) {
		record_begin(to, WIRE_CGROUP);
		h = (void *)to->p;
		h->cgroup = i - RANDOM_USERS + 1;
		record_add_str(to, AT(wire_cgroup, path), str_of(cgroups[i - RANDOM_USERS]));
	} else if (i == RANDOM_USERS + RANDOM_CGROUPS) {
		record_begin(to, WIRE_CONTAINER);
		h = (void *)to->p;
		h->cgroup = 2;
		record_add_str(to, AT(wire_container, runtime), STR("docker"));
		record_add_str(to, AT(wire_container, id), STR("0123456789abcdef"));
		record_add_str(to, AT(wire_container, name), STR("nginx"));
		record_add_str(to, AT(wire_container, image), STR("alpine"));
	} else {
		return 0;
	}
	record_end(to);
	return i + 1;
}
