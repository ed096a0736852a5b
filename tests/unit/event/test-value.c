/* SPDX-License-Identifier: Apache-2.0 */
/* Every type of value, as people and as programs read it, and where there is none. */
#include "event/value.h"

#include "event/made.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

static bool is_seen[T_END];

/* The record that is looked at, and a stream that knows some users. */
static struct {
	struct buf b;
	struct stream *stream;
	void *head;
} now;

static int no_event(struct sink *sink, const struct event *e)
{
	return 0;
}

static void begin(void)
{
	static struct sink sink = {no_event, NULL, NULL};
	struct wire_head *h;

	now.stream = stream_new(&(struct stream_config){.sink = &sink});
	h = made(&now.b, WIRE_USER, 0, 0);
	h->uid = 1000;
	ADD_STR(&now.b, wire_user, name, "anna");
	record_end(&now.b);
	stream_feed(now.stream, now.b.p, now.b.n);
}

static void end(void)
{
	stream_free(now.stream);
	buf_done(&now.b);
	now.stream = NULL;
}

/* A record whose numbers are all 0; the strings come with str(). */
static void *make(unsigned int kind)
{
	now.head = made(&now.b, kind, 1, 0);
	return now.head;
}

#define str(body, member, what)                      \
	do {                                         \
		ADD_STR(&now.b, body, member, what); \
		record_end(&now.b);                  \
	} while (0)

static void check(int line, const char *field, const char *text, const char *json)
{
	const struct wire_head *h = now.head;
	struct event e = {
		.head = h,
		.kind = h->kind,
		.desc = event_get(h->kind),
		.stream = now.stream,
	};
	const struct field_desc *f = field_find(h->kind, str_of(field));
	const char *expected[] = {text, json};

	CHECK_EQ(record_check(now.b.p, now.b.n), 0);
	if (!f) {
		test_result(false, __FILE__, line, "%s: no such field", field);
		return;
	}
	is_seen[f->type] = true;
	for (int i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf out = {0};
		bool has;

		buf_putc(&out, '>');
		has = (i ? value_json : value_text)(&out, &e, f);
		test_result(has == !!expected[i] && !strcmp(out.p + 1, has ? expected[i] : ""),
			    __FILE__, line, "%s, %s: %d, %s; expected %s", field,
			    i ? "json" : "text", has, out.p + 1,
			    expected[i] ? expected[i] : "none");
	}
}

/* What a field is in text and in JSON; NULL: it has no value there. */
#define IS(field, text, json) check(__LINE__, field, text, json)
#define NONE(field)	      check(__LINE__, field, NULL, NULL)

/* Numbers and text may be the same in both. */
#define SAME(field, both) check(__LINE__, field, both, both)

static void numbers(void)
{
	struct wire_fork *f = make(EV_FORK);
	struct wire_file *file;
	struct wire_head *h;

	f->child_pid = UINT32_MAX;
	f->child_start_ns = UINT64_MAX;
	SAME("child_pid", "4294967295");
	SAME("child_start_ns", "18446744073709551615");
	f->child_pid = f->child_start_ns = 0;
	SAME("child_pid", "0");
	SAME("child_start_ns", "0");

	file = make(EV_CHOWN);
	file->owner = 0;
	file->group = ~0u;
	SAME("owner", "0");
	NONE("group");
	file->owner = ~0u - 1;
	SAME("owner", "4294967294");

	NONE("inode");
	file->inode = 1ull << 40;
	SAME("inode", "1099511627776");

	h = make(EV_LOST);
	NONE("lost_count");
	h->ret = 12;
	SAME("lost_count", "12");
	h->ret = 5000000000;
	SAME("lost_count", "5000000000");

	file = make(EV_MOUNT);
	NONE("mount_flags");
	file->flags = 0x80001001;
	IS("mount_flags", "0x80001001", "\"0x80001001\"");
	NONE("dev");
	file->dev = 259 << 20 | 65537;
	IS("dev", "259:65537", "\"259:65537\"");

	file = make(EV_CHMOD);
	IS("mode", "0000", "\"0000\"");
	file->mode = 04755;
	IS("mode", "4755", "\"4755\"");
	file->mode = 0100644;
	IS("mode", "100644", "\"100644\"");
}

TEST(numbers)
{
	begin();
	numbers();
	end();
}

static void results(void)
{
	static const struct {
		int err;
		const char *text, *json;
	} errors[] = {
		{ENOENT, "ENOENT", "\"ENOENT\""},
		{EACCES, "EACCES", "\"EACCES\""},
		{EINPROGRESS, "EINPROGRESS", "\"EINPROGRESS\""},
		{512, "EINTR", "\"EINTR\""}, /* ERESTARTSYS and its family */
		{513, "EINTR", "\"EINTR\""},
		{514, "EINTR", "\"EINTR\""},
		{516, "EINTR", "\"EINTR\""},
		{3000, "E3000", "\"E3000\""},
		{4095, "E4095", "\"E4095\""},
	};
	struct wire_file *f = make(EV_OPEN);

	SAME("ret", "0");
	NONE("error");
	f->head.ret = 7;
	SAME("ret", "7");
	f->head.ret = INT64_MAX;
	SAME("ret", "9223372036854775807");
	for (size_t i = 0; i < ELEMENTS(errors); i++) {
		f->head.ret = -errors[i].err;
		NONE("ret");
		IS("error", errors[i].text, errors[i].json);
	}
	f->head.ret = -4096;
	NONE("error");
	f->head.ret = INT64_MIN;
	NONE("error");
}

TEST(results)
{
	begin();
	results();
	end();
}

static void texts(void)
{
	make(EV_MEMFD);
	NONE("text");
	str(wire_sys, text, "");
	NONE("text");
	str(wire_sys, text, "my \"mem\"\n\033[1m");
	IS("text", "my \"mem\"\\n\\e[1m", "\"my \\\"mem\\\"\\n\\u001b[1m\"");

	{
		struct wire_sys *ns = make(EV_SETNS);

		ns->arg[2] = 4026531833;
		str(wire_sys, text, "net");
		IS("file", "net:[4026531833]", "\"net:[4026531833]\"");
	}
	make(EV_SETNS);
	NONE("file");
	str(wire_sys, file, "/proc/7/ns/net");
	IS("file", "/proc/7/ns/net", "\"/proc/7/ns/net\"");

	make(EV_SYMLINK);
	NONE("target");
	str(wire_file, path2, "../up here");
	IS("target", "../up here", "\"../up here\"");
}

TEST(texts)
{
	begin();
	texts();
	end();
}

static void files(void)
{
	/* the kernel's name is taken; without one, what the name says */
	make(EV_OPEN);
	NONE("file");
	NONE("path");
	str(wire_file, path, "sub/../x");
	str(wire_file, dir, "/home/anna");
	IS("file", "/home/anna/x", "\"/home/anna/x\"");
	make(EV_OPEN);
	str(wire_file, file, "/srv/data");
	str(wire_file, path, "/mnt/data");
	str(wire_file, dir, "/home/anna");
	IS("file", "/srv/data", "\"/srv/data\"");
	IS("path", "/mnt/data", "\"/mnt/data\"");

	make(EV_RENAME);
	NONE("file2");
	str(wire_file, path2, "new");
	str(wire_file, dir2, "/tmp");
	IS("file2", "/tmp/new", "\"/tmp/new\"");
	make(EV_LINK);
	str(wire_file, path2, "/a/./b");
	IS("file2", "/a/b", "\"/a/b\"");
	str(wire_file, dir2, "/jail"); /* beside an absolute path: the root after chroot */
	IS("file2", "/jail/a/b", "\"/jail/a/b\"");
	str(wire_file, file2, "/real/b");
	IS("file2", "/real/b", "\"/real/b\"");
}

/*
 * The path as given: in JSON always; in a line only where it says something that the
 * resolved one does not.
 */
static void given(void)
{
	static const struct {
		const char *file, *path;
		bool is_told;
	} cases[] = {
		{"/etc/passwd", "/etc/passwd", false},
		{"/etc/passwd", "passwd", false},
		{"/etc/passwd", "etc/passwd", false},
		{"/etc/passwd", "./passwd", false},
		{"/etc/passwd", "//etc//passwd", false},
		{"/etc/passwd", "/etc/../etc/passwd", false},
		{"/", "/", false},
		{"/etc/passwd", "wd", true}, /* a piece of a name is another name */
		{"/etc/passwd", "/passwd.link", true},
		{"/usr/bin/dash", "/bin/sh", true},
		{"/usr/bin/ls", "/bin/ls", false}, /* the folder is a link: the end is the same */
		{"/home/anna", ".", true},
		{"/home", "..", true},
		{"memfd:x (deleted)", "memfd:x (deleted)", false},
		{"pipe:[77]", "/proc/self/fd/1", true},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		char json[64];

		make(EV_OPEN);
		record_add_str(&now.b, offsetof(struct wire_file, file), str_of(cases[i].file));
		record_add_str(&now.b, offsetof(struct wire_file, path), str_of(cases[i].path));
		record_end(&now.b);
		snprintf(json, sizeof(json), "\"%s\"", cases[i].path);
		IS("path", cases[i].is_told ? cases[i].path : NULL, json);
		make(EV_EXEC);
		record_add_str(&now.b, offsetof(struct wire_proc, exe), str_of(cases[i].file));
		record_add_str(&now.b, offsetof(struct wire_proc, path), str_of(cases[i].path));
		record_end(&now.b);
		IS("path", NULL, json); /* a program that started has its arguments */
		((struct wire_head *)now.head)->ret = -EACCES;
		IS("path", cases[i].is_told ? cases[i].path : NULL, json);
	}
	/* nothing was resolved but by name: there the name is */
	make(EV_UNLINK);
	str(wire_file, path, "gone");
	str(wire_file, dir, "/tmp");
	IS("path", NULL, "\"gone\"");
}

TEST(files)
{
	begin();
	files();
	given();
	end();
}

static void programs(void)
{
	struct wire_proc *p = make(EV_EXEC);

	NONE("exe");
	NONE("args");
	NONE("args_cut");
	p->args_total = 100; /* not read at all: how much was left out says nothing */
	NONE("args_cut");
	str(wire_proc, exe, "/usr/bin/dash");
	str(wire_proc, args, "/bin/sh\0-c\0echo 'a b'\0\0");
	IS("exe", "/usr/bin/dash", NULL); /* JSON has it in `process` */
	IS("args", "/bin/sh -c $'echo \\'a b\\'' ''", "[\"/bin/sh\",\"-c\",\"echo 'a b'\",\"\"]");
	SAME("args_cut", "77");
	p->args_total = 23;
	NONE("args_cut");

	make(EV_EXEC);
	str(wire_proc, exe, "/usr/bin/ls");
	str(wire_proc, args, "ls\0-l");
	IS("exe", NULL, NULL);
	IS("args", "ls -l", "[\"ls\",\"-l\"]");
	make(EV_EXEC);
	str(wire_proc, exe, "/usr/bin/ls");
	IS("exe", "/usr/bin/ls", NULL);
	make(EV_EXEC);
	str(wire_proc, exe, "/usr/bin/ls");
	str(wire_proc, args, "\0");
	IS("exe", "/usr/bin/ls", NULL);
	IS("args", "''", "[\"\"]");
	/* a mask is three dots, however long the secret was */
	make(EV_EXEC);
	str(wire_proc, args, "x\0--password=\x1a\x1a\x1a\x1a\x1a\x1a\0");
	IS("args", "x --password=•••", "[\"x\",\"--password=•••\"]");
}

TEST(programs)
{
	begin();
	programs();
	end();
}

static void flags(void)
{
	static const struct {
		uint32_t flags;
		const char *text, *json;
	} opens[] = {
		{0, NULL, "[\"O_RDONLY\"]"}, /* people see what is out of the ordinary */
		{O_WRONLY | O_CREAT | O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC",
		 "[\"O_WRONLY\",\"O_CREAT\",\"O_TRUNC\"]"},
		{O_RDWR | O_CLOEXEC, "O_RDWR", "[\"O_RDWR\",\"O_CLOEXEC\"]"},
		{O_ACCMODE, "O_ACCMODE", "[\"O_ACCMODE\"]"},
		/* flags that hold others */
		{O_SYNC, "O_SYNC", "[\"O_RDONLY\",\"O_SYNC\"]"},
		{O_TMPFILE | O_RDWR, "O_RDWR|O_TMPFILE", "[\"O_RDWR\",\"O_TMPFILE\"]"},
		{O_DIRECTORY, "O_DIRECTORY", "[\"O_RDONLY\",\"O_DIRECTORY\"]"},
		{1u << 31, NULL, "[\"O_RDONLY\"]"},
	};
	struct wire_file *f = make(EV_OPEN);
	struct wire_fork *fork_;
	struct wire_sys *s;

	for (size_t i = 0; i < ELEMENTS(opens); i++) {
		f->flags = opens[i].flags;
		IS("flags", opens[i].text, opens[i].json);
	}
	NONE("file_bits");
	f->bits = WIRE_FILE_MEMFD | WIRE_FILE_DELETED | WIRE_FILE_UPPER | WIRE_FILE_TMPFS |
		  WIRE_FILE_CREATED | WIRE_FILE_SETID | 1u << 20;
	IS("file_bits", "memfd|deleted|upper",
	   "[\"memfd\",\"deleted\",\"upper\",\"tmpfs\",\"created\",\"setid\"]");
	f->bits = WIRE_FILE_TMPFS; /* too common to tell people */
	IS("file_bits", NULL, "[\"tmpfs\"]");

	fork_ = make(EV_FORK);
	NONE("clone_flags");
	fork_->flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_VFORK | SIGCHLD;
	IS("clone_flags", "CLONE_NEWNS|CLONE_NEWPID|CLONE_VFORK",
	   "[\"CLONE_NEWNS\",\"CLONE_NEWPID\",\"CLONE_VFORK\"]");

	s = make(EV_UNSHARE);
	NONE("unshare_flags");
	s->arg[0] = CLONE_NEWUSER | CLONE_NEWNET | 0x80 | CLONE_FS;
	IS("unshare_flags", "user|net|time|fs", "[\"user\",\"net\",\"time\",\"fs\"]");
	s = make(EV_SETNS);
	NONE("ns_type");
	s->arg[1] = CLONE_NEWNS;
	IS("ns_type", "mnt", "[\"mnt\"]");
}

TEST(flags)
{
	begin();
	flags();
	end();
}

static void ends(void)
{
	static const struct {
		uint32_t status;
		const char *status_text, *code, *signal;
	} cases[] = {
		{0, "exit 0", "0", NULL},
		{1 << 8, "exit 1", "1", NULL},
		{255 << 8, "exit 255", "255", NULL},
		{SIGKILL, "SIGKILL", NULL, "SIGKILL"},
		{SIGSEGV | 0x80, "SIGSEGV (core)", NULL, "SIGSEGV"},
		{34, "SIG34", NULL, "SIG34"}, /* a real-time signal */
		{50 | 0x80, "SIG50 (core)", NULL, "SIG50"},
	};
	struct wire_exit *x = make(EV_EXIT);

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		char json[2][32];

		snprintf(json[0], sizeof(json[0]), "\"%s\"", cases[i].status_text);
		snprintf(json[1], sizeof(json[1]), "\"%s\"",
			 cases[i].signal ? cases[i].signal : "");
		x->status = cases[i].status;
		IS("status", cases[i].status_text, json[0]);
		SAME("exit_code", cases[i].code);
		IS("exit_signal", cases[i].signal, cases[i].signal ? json[1] : NULL);
	}
	x->head.start_ns = x->head.time_ns - 1500000;
	IS("duration", "1.5ms", "1500000");
	IS("cpu", NULL, "0");
	x->cpu_ns = 61 * NS_PER_S;
	IS("cpu", "1m01s", "61000000000");
	IS("peak_memory", "0B", "0");
	x->peak_kb = 3 * 1024 + 512;
	IS("peak_memory", "3.5MiB", "3584");
}

TEST(ends)
{
	begin();
	ends();
	end();
}

static void put_ipv4(uint8_t *at, const char *text)
{
	inet_pton(AF_INET, text, at);
}

static void put_ipv6(uint8_t *at, const char *text)
{
	inet_pton(AF_INET6, text, at);
}

static void connections(void)
{
	static const struct {
		uint16_t protocol;
		const char *text, *json;
	} protocols[] = {
		{IPPROTO_TCP, "tcp", "\"tcp\""},
		{IPPROTO_UDP, "udp", "\"udp\""},
		{IPPROTO_MPTCP, "mptcp", "\"mptcp\""},
		{99, "protocol 99", "\"protocol 99\""},
	};
	struct wire_conn *c = make(EV_CLOSE);

	for (size_t i = 0; i < ELEMENTS(protocols); i++) {
		c->protocol = protocols[i].protocol;
		IS("protocol", protocols[i].text, protocols[i].json);
	}
	c->family = AF_INET;
	put_ipv4(c->saddr, "192.0.2.1");
	put_ipv4(c->daddr, "203.0.113.255");
	NONE("local"); /* no port yet: no address that means anything */
	NONE("saddr");
	NONE("sport");
	NONE("remote");
	NONE("daddr");
	NONE("dport");
	c->sport = 1;
	c->dport = 65535;
	IS("local", "192.0.2.1:1", "\"192.0.2.1:1\"");
	IS("remote", "203.0.113.255:65535", "\"203.0.113.255:65535\"");
	IS("saddr", "192.0.2.1", "\"192.0.2.1\"");
	IS("daddr", "203.0.113.255", "\"203.0.113.255\"");
	SAME("sport", "1");
	SAME("dport", "65535");

	c->family = AF_INET6;
	put_ipv6(c->saddr, "2001:db8::1");
	put_ipv6(c->daddr, "::ffff:198.51.100.7"); /* IPv4 on a socket for both */
	IS("local", "[2001:db8::1]:1", "\"[2001:db8::1]:1\"");
	IS("saddr", "2001:db8::1", "\"2001:db8::1\"");
	IS("remote", "198.51.100.7:65535", "\"198.51.100.7:65535\"");
	IS("daddr", "198.51.100.7", "\"198.51.100.7\"");
	put_ipv6(c->daddr, "::");
	IS("remote", "[::]:65535", "\"[::]:65535\"");
	put_ipv6(c->daddr, "1111:2222:3333:4444:5555:6666:7777:8888");
	IS("remote", "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
	   "\"[1111:2222:3333:4444:5555:6666:7777:8888]:65535\"");

	NONE("duration"); /* 0: older than skep */
	c->duration_ns = 2500;
	IS("duration", "2.5µs", "2500");
	IS("sent", "0B", "0");
	c->sent = 1536;
	IS("sent", "1.5KiB", "1536");
	NONE("retransmits");
	c->retransmits = 3;
	SAME("retransmits", "3");
	NONE("socket");
	c->sock = 0xffff888012345678ull;
	IS("socket", "0xffff888012345678", "\"0xffff888012345678\"");
}

TEST(connections)
{
	begin();
	connections();
	end();
}

static void credentials(void)
{
	struct wire_creds *c = make(EV_SETUID);

	c->cred.uid = 1000;
	c->cred.euid = 4711;
	IS("uid", "anna", "\"anna\"");
	IS("euid", "4711", "\"4711\"");
	IS("suid", "0", "\"0\"");
	IS("cap_effective", "none", "[]");
	c->cred.cap_effective = 1 << 21 | 1;
	IS("cap_effective", "CAP_CHOWN|CAP_SYS_ADMIN", "[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]");
	c->cred.cap_effective = (1ull << 41) - 1;
	IS("cap_permitted", "none", "[]");
	c->cred.cap_permitted = 1ull << 40 | 1ull << 63; /* bits that nobody has named yet */
	IS("cap_permitted", "CAP_CHECKPOINT_RESTORE", "[\"CAP_CHECKPOINT_RESTORE\"]");
	c->cred.cap_permitted = 1ull << 50;
	IS("cap_permitted", "none", "[]");
}

TEST(credentials)
{
	_cleanup_buf_ struct buf out = {0};
	struct event e = {0};
	struct wire_creds *c;

	begin();
	credentials();
	c = make(EV_CAPSET);
	c->cred.cap_effective = (1ull << 41) - 1;
	e = (struct event){
		.head = &c->head,
		.kind = EV_CAPSET,
		.desc = event_get(EV_CAPSET),
		.stream = now.stream,
	};
	CHECK(value_text(&out, &e, field_find(EV_CAPSET, STR("cap_effective"))));
	CHECK_STREQ(out.p, "all");
	buf_reset(&out);
	CHECK(value_json(&out, &e, field_find(EV_CAPSET, STR("cap_effective"))));
	CHECK(!strncmp(out.p, "[\"CAP_CHOWN\",", 13) && out.p[out.n - 1] == ']');
	end();
}

static void calls(void)
{
	struct wire_sys *s = make(EV_PTRACE);

	s->nr = SYS_ptrace;
	s->arg[0] = PTRACE_ATTACH;
	s->arg[1] = 77;
	IS("call", "ptrace", "\"ptrace\"");
	IS("request", "PTRACE_ATTACH", "\"PTRACE_ATTACH\"");
	SAME("target_pid", "77");
	s->arg[0] = 0x9999;
	IS("request", "PTRACE_39321", "\"PTRACE_39321\"");
	s->nr = SYS_process_vm_writev;
	s->arg[0] = 78;
	IS("request", "process_vm_writev", "\"process_vm_writev\"");
	SAME("target_pid", "78");
	s->nr = 9999;
	NONE("call");

	s = make(EV_KILL);
	s->nr = SYS_kill;
	s->arg[0] = 5;
	s->arg[1] = SIGTERM;
	IS("signal", "SIGTERM", "\"SIGTERM\"");
	SAME("kill_pid", "5");
	s->arg[1] = 0;
	IS("signal", "0", "\"0\"");
	s->arg[1] = 64;
	IS("signal", "SIG64", "\"SIG64\"");
	s->arg[1] = -1ull;
	IS("signal", "SIG4294967295", "\"SIG4294967295\"");
	s->arg[0] = -1; /* everybody; sign extended to 64 bits or not */
	SAME("kill_pid", "-1");
	s->arg[0] = (uint32_t)-77;
	SAME("kill_pid", "-77");
	s->nr = SYS_tgkill;
	s->arg[0] = 5;
	s->arg[1] = 6;
	s->arg[2] = SIGUSR1;
	IS("signal", "SIGUSR1", "\"SIGUSR1\"");
	SAME("kill_pid", "5"); /* the process, not the thread */
	s->nr = SYS_pidfd_send_signal;
	s->arg[1] = SIGTERM;
	IS("signal", "SIGTERM", "\"SIGTERM\"");
	IS("kill_pid", "of descriptor 5", NULL);

	s = make(EV_BPF);
	s->arg[0] = BPF_PROG_LOAD;
	IS("bpf_command", "BPF_PROG_LOAD", "\"BPF_PROG_LOAD\"");
	s->arg[0] = 36;
	IS("bpf_command", "BPF_TOKEN_CREATE", "\"BPF_TOKEN_CREATE\"");
	s->arg[0] = 999;
	IS("bpf_command", "BPF_999", "\"BPF_999\"");
}

/* 32-bit programs on x86-64 have numbers of their own. */
static void calls_ia32(void)
{
#ifdef __x86_64__
	struct wire_sys *s = make(EV_PTRACE);

	s->head.flags = WIRE_F_COMPAT;
	s->nr = 26;
	s->arg[0] = PTRACE_ATTACH;
	s->arg[1] = 77;
	IS("call", "ptrace", "\"ptrace\"");
	IS("request", "PTRACE_ATTACH", "\"PTRACE_ATTACH\"");
	SAME("target_pid", "77");
	s = make(EV_KILL);
	s->head.flags = WIRE_F_COMPAT;
	s->nr = 270; /* tgkill */
	s->arg[0] = 1;
	s->arg[1] = 2;
	s->arg[2] = SIGINT;
	SAME("kill_pid", "1");
	IS("signal", "SIGINT", "\"SIGINT\"");
	s->nr = 238; /* tkill */
	s->arg[1] = SIGHUP;
	SAME("kill_pid", "1");
	IS("signal", "SIGHUP", "\"SIGHUP\"");
	s->nr = SYS_tgkill; /* 234: another call there, and none of ours */
	NONE("call");
	SAME("kill_pid", "1");
#endif
}

TEST(calls)
{
	begin();
	calls();
	calls_ia32();
	end();
}

static void sockets(void)
{
	struct wire_sock *s = make(EV_NETCALL);

	s->fd = -1;
	NONE("family");
	NONE("protocol");
	NONE("remote");
	NONE("sock_bits");
	NONE("fd");
	s->family = AF_INET6;
	s->type = SOCK_STREAM;
	s->protocol = IPPROTO_TCP;
	s->dport = 2;
	put_ipv6(s->daddr, "::ffff:198.51.100.7");
	s->bits = WIRE_SOCK_SERVER | WIRE_SOCK_ADDRESSED;
	IS("family", "inet6", "\"inet6\"");
	IS("sock_type", "stream", "\"stream\"");
	IS("protocol", "tcp", "\"tcp\"");
	IS("remote", "198.51.100.7:2", "\"198.51.100.7:2\"");
	IS("sock_bits", "server|addressed", "[\"server\",\"addressed\"]");
	s->family = AF_UNIX;
	IS("protocol", "unix", "\"unix\"");
	s = make(EV_DUP);
	SAME("new_fd", "0");
}

TEST(every_type)
{
	begin();
	memset(is_seen, 0, sizeof(is_seen));
	numbers();
	results();
	texts();
	files();
	given();
	programs();
	flags();
	ends();
	connections();
	credentials();
	calls();
	sockets();
	end();
	for (int t = 0; t < T_END; t++)
		test_result(is_seen[t], __FILE__, __LINE__, "no case for %s", type_get(t)->name);
}

/* All fields of all events with nothing in the record: no value, or a harmless one. */
TEST(empty_records)
{
	begin();
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		const struct field_desc *f;
		struct event e = {.head = make(kind), .kind = kind, .desc = event_get(kind)};

		e.stream = now.stream;
		for (size_t i = 0; (f = field_of_event(kind, i)); i++) {
			_cleanup_buf_ struct buf text = {0}, json = {0};

			CHECK_EQ(value_text(&text, &e, f), text.n > 0);
			CHECK_EQ(value_json(&json, &e, f), json.n > 0);
		}
	}
	end();
}

TEST(durations)
{
	static const struct {
		uint64_t ns;
		const char *expected;
	} cases[] = {
		{0, "0ns"},
		{999, "999ns"},
		{1000, "1.0µs"},
		{999949, "999.9µs"},
		{1000000, "1.0ms"},
		{1499999, "1.5ms"},
		{NS_PER_S, "1.00s"},
		{59 * NS_PER_S, "59.00s"},
		{60 * NS_PER_S, "1m00s"},
		{3600 * NS_PER_S, "60m00s"},
		{UINT64_MAX, "307445734m33s"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf out = {0};

		text_duration(&out, cases[i].ns);
		CHECK_STREQ(out.p, cases[i].expected);
	}
}

TEST(bytes)
{
	static const struct {
		uint64_t n;
		const char *expected;
	} cases[] = {
		{0, "0B"},
		{1023, "1023B"},
		{1024, "1.0KiB"},
		{1536, "1.5KiB"},
		{1 << 20, "1.0MiB"},
		{5ull << 30, "5.0GiB"},
		{1ull << 40, "1.0TiB"},
		{UINT64_MAX, "16777216.0TiB"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf out = {0};

		text_bytes(&out, cases[i].n);
		CHECK_STREQ(out.p, cases[i].expected);
	}
}
