/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of processes, sockets and containers, on records made by hand. */
#include "event/rule/build.h"
#include "event/rule/field.h"
#include "event/rule/hosts.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/syscall.h>

#define IS(field, text) CHECK_STREQ(built_get(&b, field), text)
#define P(member)	offsetof(struct wire_proc, member)

static struct wire_file *file(struct built *b, unsigned int kind, uint32_t nr, int64_t ret)
{
	struct wire_file *f = built_begin(b, kind);

	f->nr = nr;
	f->head.ret = ret;
	return f;
}

/* --- processes */

/* Conditions see what was said, outputs do not: neither the words nor how long they are. */
static void check_masked(struct built *b)
{
	struct rule_term *length =
		built_transform(b, RULE_T_LEN, built_field(b, "proc.cmdline"), NULL);
	struct rule_value v;

	CHECK(built_check(b, "proc.cmdline", "contains", "secret-word", NULL));
	CHECK(!strstr(built_shown(b, "proc.cmdline"), "secret"));
	CHECK(!strstr(built_shown(b, "proc.args"), "secret"));
	CHECK(!strstr(built_shown(b, "evt.arg.args"), "secret"));
	CHECK(!strstr(built_shown(b, "evt.args"), "secret"));
	CHECK(!strstr(built_shown(b, "proc.env"), "hunter2"));
	CHECK_STREQ(built_shown(b, "proc.env[HOME]"), "/home/alice");
	CHECK(rule_term_shown(&b->re, length, &v));
	CHECK_EQ(v.number, strlen(built_shown(b, "proc.cmdline")));
}

TEST(fields_of_exec)
{
	static const char args[] = "curl\0-u\0bob:secret-word\0http://h/";
	struct built b;
	struct wire_proc *p;
	struct wire_annex *a;

	built_init(&b);
	built_process(&b, 10, 1, "bash", "/bin/bash", "-bash");
	built_process(&b, 100, 10, "bash", "/bin/bash", "-bash");
	p = built_begin(&b, EV_EXEC);
	strcpy(p->head.comm, "curl");
	p->ppid = 10;
	p->parent_start_ns = built_start(10);
	p->inode = 99;
	p->exe_bits = WIRE_FILE_UPPER;
	p->loginuid = 1000;
	p->args_total = sizeof(args);
	p->head.uid = 1000;
	built_str(&b, P(exe), "/usr/bin/curl");
	built_str(&b, P(path), "/bin/curl");
	built_str_n(&b, P(args), args, sizeof(args));
	built_str(&b, P(cwd), "/home/alice");
	a = built_annex(&b);
	built_annex_str(&b, &a->env, "HOME=/home/alice\0API_TOKEN=hunter2hunter2\0", 42);
	built_feed(&b);
	IS("evt.type", "execve");
	IS("evt.category", "process");
	IS("proc.name", "curl");
	IS("proc.exe", "curl");
	IS("proc.exepath", "/usr/bin/curl");
	IS("proc.args", "-u bob:secret-word http://h/");
	IS("proc.cmdline", "curl -u bob:secret-word http://h/");
	IS("proc.exeline", "curl -u bob:secret-word http://h/");
	IS("proc.cmdnargs", "3");
	IS("proc.cmdlenargs", "26");
	IS("proc.cwd", "/home/alice/");
	IS("proc.pname", "bash");
	IS("proc.pexepath", "/bin/bash");
	IS("proc.pcmdline", "bash");
	IS("proc.ppid", "10");
	IS("proc.env[HOME]", "/home/alice");
	IS("proc.env[NONE]", "");
	IS("proc.env", "HOME=/home/alice API_TOKEN=hunter2hunter2");
	IS("proc.is_exe_upper_layer", "true");
	IS("proc.is_exe_from_memfd", "false");
	IS("proc.exe_ino", "99");
	IS("proc.args_truncated", "false");
	IS("user.name", "alice");
	IS("evt.arg.filename", "/bin/curl");
	IS("evt.arg.exe", "curl");
	IS("evt.res", "SUCCESS");
	check_masked(&b);
	/* later events of it have the same, though it gives itself another name */
	file(&b, EV_OPEN, SYS_openat, 3);
	built_feed(&b);
	IS("proc.name", "curl");
	IS("proc.cmdline", "curl -u bob:secret-word http://h/");
	IS("proc.env[HOME]", "/home/alice");
	CHECK_STREQ(built_shown(&b, "proc.name"), "curl");
	built_done(&b);
}

TEST(fields_of_execveat_and_fork)
{
	struct built b;
	struct wire_fork *f;
	struct wire_proc *p;

	built_init(&b);
	built_process(&b, 100, 1, "nginx", "/usr/sbin/nginx", "nginx\0-g");
	f = built_begin(&b, EV_FORK);
	f->child_pid = 10;
	f->child_start_ns = built_start(10);
	built_feed(&b);
	IS("evt.type", "clone");
	IS("proc.name", "nginx");
	p = built_begin(&b, EV_EXEC);
	p->head.pid = 10;
	p->head.start_ns = built_start(10);
	strcpy(p->head.comm, "sh");
	p->exe_bits = WIRE_FILE_MEMFD;
	p->args_total = 5000;
	built_str_n(&b, P(args), "sh", 3);
	built_annex(&b)->flags |= WIRE_A_EXECVEAT;
	built_feed(&b);
	IS("evt.type", "execveat");
	IS("proc.pname", "nginx");
	IS("proc.cmdline", "sh");
	IS("proc.args", "");
	IS("proc.is_exe_from_memfd", "true");
	IS("proc.args_truncated", "true");
	IS("proc.env", "-");
	/* an exec that failed is of the program that tried it */
	p = built_begin(&b, EV_EXEC);
	p->head.ret = -EACCES;
	built_feed(&b);
	IS("proc.name", "nginx");
	IS("evt.res", "EACCES");
	built_done(&b);
}

TEST(fields_of_ancestors)
{
	struct built b;
	struct wire_annex *a;

	built_init(&b);
	built_process(&b, 1, 0, "init", "/init", "init");
	built_process(&b, 10, 1, "sh", "/bin/sh", "sh");
	built_process(&b, 20, 1, "other", "/o", "other");
	built_process(&b, 100, 10, "cat", "/bin/cat", "cat");
	/* the kernel saw other parents than the table has: it is right */
	file(&b, EV_OPEN, SYS_openat, 3);
	a = built_annex(&b);
	a->flags |= WIRE_A_ANCESTORS;
	a->n_ancestors = 2;
	a->ancestors[0] = (struct wire_ancestor){built_start(20), 20, 0};
	a->ancestors[1] = (struct wire_ancestor){built_start(77), 77, 0};
	built_feed(&b);
	IS("proc.pname", "other");
	IS("proc.aname[2]", "-"); /* known to be there, but not who it is */
	IS("proc.apid[2]", "77");
	IS("proc.aname[3]", "-");
	IS("proc.aname", "other");
	IS("proc.ppid", "20");
	file(&b, EV_OPEN, SYS_openat, 3);
	built_feed(&b);
	IS("proc.pname", "sh");
	IS("proc.aname", "sh init");
	IS("proc.loginshellid", "10");
	IS("proc.apid", "100");
	IS("proc.ppid.duration", "4900000000000");
	IS("proc.duration", "4000000000000");
	built_done(&b);
}

/* Nothing is known of who it is but what stands in the record's head. */
TEST(fields_of_strangers)
{
	struct built b;

	built_init(&b);
	file(&b, EV_OPEN, SYS_openat, 3)->head.uid = 4711;
	built_feed(&b);
	IS("proc.name", "now");
	IS("proc.pid", "100");
	IS("thread.tid", "100");
	IS("thread.ismain", "true");
	IS("proc.cmdline", "-");
	IS("proc.exe", "-");
	IS("proc.exepath", "-");
	IS("proc.cwd", "-");
	IS("proc.pname", "-");
	IS("proc.aname", "-");
	IS("proc.env", "-");
	IS("proc.is_exe_upper_layer", "-");
	IS("user.uid", "4711");
	IS("user.name", "<NA>");
	IS("container.id", "host");
	IS("container.name", "host");
	IS("container.image", "-");
	IS("container.privileged", "-");
	IS("k8s.pod.name", "-");
	built_done(&b);
}

/* --- sockets */

static struct wire_sock *sock(struct built *b, unsigned int kind, uint32_t nr, const char *ours,
			      const char *theirs)
{
	struct wire_sock *s = built_begin(b, kind);

	s->nr = nr;
	s->fd = 4;
	s->family = AF_INET;
	s->type = SOCK_STREAM;
	s->protocol = 6;
	if (ours) {
		inet_pton(AF_INET, ours, s->saddr);
		s->sport = 8080;
	}
	if (theirs) {
		inet_pton(AF_INET, theirs, s->daddr);
		s->dport = 55555;
		s->bits = WIRE_SOCK_CONNECTED;
	}
	return s;
}

TEST(fields_of_sockets)
{
	struct built b;
	struct wire_sock *s;

	built_init(&b);
	s = sock(&b, EV_NETCALL, SYS_accept4, "10.0.0.1", "203.0.113.9");
	s->bits |= WIRE_SOCK_SERVER;
	s->head.ret = 4;
	built_feed(&b);
	IS("evt.type", "accept4");
	IS("fd.name", "203.0.113.9:55555->10.0.0.1:8080");
	IS("fd.cip", "203.0.113.9");
	IS("fd.sip", "10.0.0.1");
	IS("fd.lip", "10.0.0.1");
	IS("fd.rip", "203.0.113.9");
	IS("fd.cport", "55555");
	IS("fd.sport", "8080");
	IS("fd.lport", "8080");
	IS("fd.rport", "55555");
	IS("fd.ip", "(10.0.0.1,203.0.113.9)");
	IS("fd.port", "(8080,55555)");
	IS("fd.type", "ipv4");
	IS("fd.typechar", "4");
	IS("fd.l4proto", "tcp");
	IS("fd.sockfamily", "ip");
	IS("fd.is_server", "true");
	IS("fd.connected", "true");
	IS("fd.name_changed", "false");
	IS("fd.num", "4");
	IS("evt.arg.tuple", "203.0.113.9:55555->10.0.0.1:8080");
	built_done(&b);
}

/* Rules name hosts: an address is one of theirs, or it is not. */
TEST(fields_of_names)
{
	struct built b;
	struct hosts *hosts = hosts_new();

	built_init(&b);
	hosts_parse(hosts, STR("# a comment\n192.0.2.1  pool.example  alias # more\n\n"
			       "192.0.2.2\tpool.example\nnonsense x\n10.0.0.0/8 net\n::1 six"));
	sock(&b, EV_NETCALL, SYS_connect, "10.0.0.1", "192.0.2.2");
	built_feed(&b);
	CHECK(!built_check(&b, "fd.sip.name", "=", "pool.example", NULL));
	CHECK(!built_check(&b, "fd.sip.name", "!=", "pool.example", NULL)); /* none is known */
	b.re.hosts = hosts;
	CHECK(built_check(&b, "fd.sip.name", "=", "pool.example", NULL));
	CHECK(built_check(&b, "fd.sip.name", "=", "POOL.example", NULL));
	CHECK(built_check(&b, "fd.sip.name", "in", "x", "pool.example", NULL));
	CHECK(!built_check(&b, "fd.sip.name", "in", "x", "alias", NULL));
	CHECK(!built_check(&b, "fd.sip.name", "!=", "pool.example", NULL));
	CHECK(built_check(&b, "fd.sip.name", "!=", "alias", NULL));
	CHECK(built_check(&b, "fd.sip.name", "endswith", ".example", NULL));
	CHECK(!built_check(&b, "fd.cip.name", "=", "net", NULL));
	CHECK(built_check(&b, "fd.cip.name", "!=", "net", NULL));
	IS("fd.sip.name", "pool.example");
	IS("fd.cip.name", "-");
	sock(&b, EV_NETCALL, SYS_connect, NULL, NULL)->family = AF_UNIX;
	built_feed(&b);
	b.re.hosts = hosts;
	CHECK(!built_check(&b, "fd.sip.name", "!=", "alias", NULL));
	hosts_free(hosts);
	built_done(&b);
}

TEST(fields_of_listeners)
{
	struct built b;
	struct wire_sock *s;

	built_init(&b);
	s = sock(&b, EV_NETCALL, SYS_listen, "0.0.0.0", NULL);
	s->bits = WIRE_SOCK_SERVER;
	s->arg[1] = 128;
	built_feed(&b);
	IS("fd.name", "0.0.0.0:8080");
	IS("fd.sport", "8080");
	IS("fd.sip", "0.0.0.0");
	IS("fd.cip", "-");
	IS("fd.rip", "-");
	IS("fd.port", "(8080)");
	IS("evt.arg.backlog", "128");
	built_done(&b);
}

TEST(fields_of_sending)
{
	struct built b;
	struct wire_sock *s;

	built_init(&b);
	s = sock(&b, EV_NETCALL, SYS_sendto, "10.0.0.1", "192.0.2.1");
	s->protocol = 17;
	s->bits = WIRE_SOCK_ADDRESSED;
	s->head.ret = 12;
	s->length = 12;
	built_str(&b, offsetof(struct wire_sock, data), "GET / HTTP");
	built_feed(&b);
	IS("evt.category", "net");
	IS("evt.is_io_write", "true");
	IS("evt.is_io_read", "false");
	IS("evt.io_dir", "write");
	IS("evt.buflen", "12");
	IS("evt.buffer", "GET / HTTP");
	CHECK(built_check(&b, "evt.buffer", "bcontains", "48545450", NULL));
	CHECK(built_check(&b, "evt.buffer", "startswith", "GET", NULL));
	IS("evt.arg.size", "12");
	IS("fd.l4proto", "udp");
	IS("fd.name_changed", "true");
	IS("fd.connected", "false");
	IS("fd.sip", "192.0.2.1");

	s = sock(&b, EV_NETCALL, SYS_connect, NULL, NULL);
	s->family = AF_UNIX;
	s->protocol = 0;
	built_str(&b, offsetof(struct wire_sock, path), "/run/docker.sock");
	built_feed(&b);
	IS("fd.name", "/run/docker.sock");
	IS("fd.type", "unix");
	IS("fd.typechar", "u");
	IS("fd.sockfamily", "unix");
	IS("fd.l4proto", "<NA>");
	IS("fd.sip", "-");
	built_done(&b);
}

TEST(fields_of_new_descriptors)
{
	struct built b;
	struct wire_sock *s;

	built_init(&b);
	s = sock(&b, EV_SOCKET, SYS_socket, NULL, NULL);
	s->family = AF_PACKET;
	s->arg[0] = AF_PACKET;
	s->arg[1] = SOCK_RAW;
	built_feed(&b);
	IS("evt.arg.domain", "AF_PACKET");
	IS("evt.arg.type", "3");
	IS("fd.name", "-");
	IS("fd.typechar", "?");
	s = sock(&b, EV_SOCKET, SYS_socket, NULL, NULL);
	s->arg[0] = AF_UNIX;
	built_feed(&b);
	IS("evt.arg.domain", "AF_LOCAL|AF_UNIX");

	s = sock(&b, EV_DUP, SYS_dup2, "10.0.0.1", "203.0.113.9");
	s->bits |= WIRE_SOCK_IS_SOCKET;
	s->arg[0] = 4;
	s->arg[1] = 1;
	s->fd = 1;
	s->head.ret = 1;
	built_feed(&b);
	IS("evt.type", "dup2");
	IS("fd.num", "1");
	IS("fd.typechar", "4");
	IS("fd.rip", "203.0.113.9");
	IS("evt.category", "file");
	s = sock(&b, EV_DUP, SYS_dup, NULL, NULL);
	s->bits = 0;
	built_feed(&b);
	IS("fd.typechar", "-");
	IS("fd.ip", "-");
	built_done(&b);
}

/* --- containers */

#define C(member) offsetof(struct wire_container, member)

TEST(fields_of_containers)
{
	static const char mounts[] = "/proc/x\0/host/proc\0ro\0false\0rprivate\0"
				     "/var/run/docker.sock\0/s\0\0true\0";
	struct built b;
	struct wire_container *c;

	built_init(&b);
	c = built_begin(&b, WIRE_CONTAINER);
	c->bits = WIRE_CONTAINER_KNOWN | WIRE_CONTAINER_PRIVILEGED | WIRE_CONTAINER_MOUNTS;
	c->start_ns = 1700000000ull * 1000000000;
	built_str(&b, C(id), "0123456789abcdef0123456789abcdef");
	built_str(&b, C(runtime), "docker");
	built_str(&b, C(name), "web");
	built_str(&b, C(image), "registry.example:5000/shop/api:3");
	built_str(&b, C(pod_name), "api-1");
	built_str(&b, C(pod_namespace), "shop");
	built_str_n(&b, C(labels), "app\0api\0tier\0front", 19);
	built_str_n(&b, C(mounts), mounts, sizeof(mounts));
	CHECK(!built_feed(&b));
	file(&b, EV_OPEN, SYS_openat, 3);
	built_feed(&b);
	IS("container.id", "0123456789ab");
	IS("container.full_id", "0123456789abcdef0123456789abcdef");
	IS("container.name", "web");
	IS("container.type", "docker");
	IS("container.image", "registry.example:5000/shop/api:3");
	IS("container.image.repository", "registry.example:5000/shop/api");
	IS("container.image.tag", "3");
	IS("container.image.digest", "-");
	IS("container.privileged", "true");
	IS("container.host_pid", "false");
	IS("container.mount.dest[/proc*]", "/host/proc");
	IS("container.mount.dest[/var/run/docker.sock]", "/s");
	IS("container.mount.dest[/etc]", "-");
	IS("container.mount.dest[1]", "/s");
	IS("container.mount.source[/s]", "/var/run/docker.sock");
	IS("container.mount.rdwr[0]", "false");
	IS("container.mount.mode[0]", "ro");
	IS("container.mount.propagation[0]", "rprivate");
	IS("container.mount[1]", "/var/run/docker.sock:/s::true:");
	IS("container.mounts",
	   "/proc/x:/host/proc:ro:false:rprivate /var/run/docker.sock:/s::true:");
	IS("container.label[app]", "api");
	IS("container.label[none]", "-");
	IS("container.labels", "app:api,tier:front");
	IS("container.duration", "5000000000000");
	IS("container.info", "web (id=0123456789ab)");
	IS("k8s.ns.name", "shop");
	IS("k8s.pod.name", "api-1");
	IS("k8s.pod.uid", "-");
	CHECK(built_check(&b, "container.id", "!=", "host", NULL));
	CHECK(built_check(&b, "container.mount.dest[/proc*]", "!=", "N/A", NULL));
	CHECK(!built_check(&b, "container.mount.dest[/etc]", "!=", "N/A", NULL));
	built_done(&b);
}

/* No function reads what is not there, of any kind of record. */
TEST(fields_of_everything)
{
	struct built b;
	struct rule_field_ref f;
	struct buf text = {0};
	size_t values = 0;

	built_init(&b);
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		if (kind == EV_LOST)
			continue;
		built_begin(&b, kind);
		CHECK(built_feed(&b));
		for (size_t i = 1; i < RULE_FIELDS; i++) {
			struct rule_value v;

			f = (struct rule_field_ref){i, {0}, -1, rule_field_info[i].type};
			if (rule_field_info[i].arg == RA_NAME)
				f.arg = i == RF_evt_type_is ? STR("open") : STR("flags");
			values += rule_field_get(&b.re, &f, &v);
			rule_field_print(&b.re, &f, &text);
			if (rule_field_info[i].class == RC_NOT_YET)
				CHECK(!rule_field_get(&b.re, &f, &v));
		}
	}
	CHECK(values > 2000);
	buf_done(&text);
	built_done(&b);
}
