/* SPDX-License-Identifier: Apache-2.0 */
#include "event/value.h"

#include "base/clock.h"
#include "base/macro.h"
#include "event/decode.h"
#include "event/escape.h"
#include "event/names.h"
#include "event/resolve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

/* How a value is written; what it is stays the same. */
enum style { TEXT, JSON };

static void put_str(struct buf *out, enum style style, struct str s)
{
	if (style == JSON)
		escape_json(out, s);
	else
		escape_text(out, s);
}

static bool put_some_str(struct buf *out, enum style style, struct str s)
{
	if (!s.n)
		return false;
	put_str(out, style, s);
	return true;
}

static bool put_name(struct buf *out, enum style style, const char *prefix, const char *name)
{
	if (style == JSON)
		buf_putc(out, '"');
	buf_puts(out, prefix);
	buf_puts(out, name);
	if (style == JSON)
		buf_putc(out, '"');
	return true;
}

static bool put_number_name(struct buf *out, enum style style, const char *prefix, uint64_t v)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)v);
	return put_name(out, style, prefix, number);
}

/* A list of names: a|b in text, an array in JSON. */
struct list {
	struct buf *out;
	enum style style;
	size_t n;
};

static void list_add(struct list *l, const char *name)
{
	if (l->n++)
		buf_putc(l->out, l->style == JSON ? ',' : '|');
	else if (l->style == JSON)
		buf_putc(l->out, '[');
	put_name(l->out, l->style, "", name);
}

static bool list_end(struct list *l)
{
	if (l->style == JSON && l->n)
		buf_putc(l->out, ']');
	return l->n;
}

static void list_add_bits(struct list *l, const struct name *table, uint64_t bits)
{
	for (; table->name; table++)
		if (table->value && (bits & table->value) == table->value) {
			list_add(l, table->name);
			bits &= ~table->value;
		}
}

static bool put_bits(struct buf *out, enum style style, const struct name *table, uint64_t bits)
{
	struct list l = {out, style, 0};

	list_add_bits(&l, table, bits);
	return list_end(&l);
}

static bool put_open_flags(struct buf *out, enum style style, uint32_t flags)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	struct list l = {out, style, 0};
	uint64_t rest = flags & ~(uint32_t)O_ACCMODE;

	if (style == TEXT) /* people see what is out of the ordinary */
		rest &= ~(uint64_t)(O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (style == JSON || (flags & O_ACCMODE))
		list_add(&l, modes[flags & O_ACCMODE]);
	/* O_TMPFILE contains O_DIRECTORY */
	if ((rest & O_TMPFILE) == O_TMPFILE) {
		list_add(&l, "O_TMPFILE");
		rest &= ~(uint64_t)O_TMPFILE;
	}
	list_add_bits(&l, names_open, rest);
	return list_end(&l);
}

static bool put_caps(struct buf *out, enum style style, uint64_t caps)
{
	struct list l = {out, style, 0};
	uint64_t all = (1ull << 41) - 1;

	if (style == TEXT && (caps & all) == all)
		return put_name(out, style, "", "all");
	for (unsigned int i = 0; i < 64; i++)
		if ((caps >> i & 1) && name_of_cap(i))
			list_add(&l, name_of_cap(i));
	if (!l.n)
		return style == TEXT ? put_name(out, style, "", "none")
				     : (buf_puts(out, "[]"), true);
	return list_end(&l);
}

void text_duration(struct buf *out, uint64_t ns)
{
	if (ns < 1000)
		buf_printf(out, "%lluns", (unsigned long long)ns);
	else if (ns < 1000000)
		buf_printf(out, "%.1fµs", ns / 1e3);
	else if (ns < NS_PER_S)
		buf_printf(out, "%.1fms", ns / 1e6);
	else if (ns < 60 * NS_PER_S)
		buf_printf(out, "%.2fs", ns / 1e9);
	else
		buf_printf(out, "%llum%02llus", (unsigned long long)(ns / (60 * NS_PER_S)),
			   (unsigned long long)(ns / NS_PER_S % 60));
}

void text_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = n;
	size_t u = 0;

	for (; v >= 1024 && u < ELEMENTS(units) - 1; u++)
		v /= 1024;
	buf_printf(out, u ? "%.1f%s" : "%.0f%s", v, units[u]);
}

static struct str next_arg(const char **p, size_t *n)
{
	const char *nul = memchr(*p, 0, *n);
	struct str arg = {*p, nul ? (size_t)(nul - *p) : *n};

	*p += arg.n + !!nul;
	*n -= arg.n + !!nul;
	return arg;
}

void text_args(struct buf *out, const char *args, size_t n)
{
	for (bool is_first = true; n; is_first = false) {
		if (!is_first)
			buf_putc(out, ' ');
		escape_arg(out, next_arg(&args, &n));
	}
}

void json_args(struct buf *out, const char *args, size_t n)
{
	buf_putc(out, '[');
	for (bool is_first = true; n; is_first = false) {
		if (!is_first)
			buf_putc(out, ',');
		escape_json(out, next_arg(&args, &n));
	}
	buf_putc(out, ']');
}

static bool put_u64(struct buf *out, uint64_t v)
{
	buf_put_u64(out, v);
	return true;
}

static bool put_duration(struct buf *out, enum style style, uint64_t ns)
{
	if (style == TEXT)
		text_duration(out, ns);
	else
		buf_put_u64(out, ns);
	return true;
}

static bool put_bytes(struct buf *out, enum style style, uint64_t n, uint64_t unit)
{
	if (style == TEXT)
		text_bytes(out, n * unit);
	else
		buf_put_u64(out, n);
	return true;
}

/* IPv4 in IPv6 (::ffff:1.2.3.4) is what a dual-stack socket sees of IPv4: show that. */
static void address_text(char *ret, size_t n, uint16_t family, const uint8_t *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (family == AF_INET6 && !memcmp(addr, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, addr + 12, ret, n);
	else
		inet_ntop(family == AF_INET6 ? AF_INET6 : AF_INET, addr, ret, n);
}

static bool put_address(struct buf *out, enum style style, uint16_t family, const uint8_t *addr,
			int port)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	address_text(ip, sizeof(ip), family, addr);
	if (port < 0)
		snprintf(text, sizeof(text), "%s", ip);
	else
		snprintf(text, sizeof(text), strchr(ip, ':') ? "[%s]:%d" : "%s:%d", ip, port);
	return put_name(out, style, "", text);
}

/* One end of a connection, or of a call's socket, if it has a port. */
static bool put_end(struct buf *out, enum style style, const struct event *e, bool is_ours,
		    bool has_port)
{
	const struct wire_conn *c = (const struct wire_conn *)e->head;
	const struct wire_sock *s = (const struct wire_sock *)e->head;
	bool is_call = e->desc->body == BODY_wire_sock;
	uint16_t family = is_call ? s->family : c->family;
	uint16_t port = is_ours ? is_call ? s->sport : c->sport : is_call ? s->dport : c->dport;
	const uint8_t *addr = is_ours	? is_call ? s->saddr : c->saddr
			      : is_call ? s->daddr
					: c->daddr;

	return port && put_address(out, style, family, addr, has_port ? port : -1);
}

static bool put_protocol(struct buf *out, enum style style, uint16_t protocol)
{
	const char *name = names_find(names_protocol, protocol);

	return name ? put_name(out, style, "", name)
		    : put_number_name(out, style, "protocol ", protocol);
}

/* The protocol of an internet socket, of others what they are. */
static bool put_sock_protocol(struct buf *out, enum style style, const struct wire_sock *s)
{
	const char *name = names_find(names_family, s->family);

	if (s->family == AF_INET || s->family == AF_INET6)
		return s->protocol && put_protocol(out, style, s->protocol);
	return s->family && name && put_name(out, style, "", name);
}

static bool put_known(struct buf *out, enum style style, const struct name *table, uint64_t v)
{
	const char *name = names_find(table, v);

	if (!v)
		return false;
	return name ? put_name(out, style, "", name) : put_number_name(out, style, "", v);
}

static bool put_status(struct buf *out, enum style style, uint32_t status)
{
	const char *name = name_of_signal(status & 0x7f), *core = status & 0x80 ? " (core)" : "";
	char text[48];

	if (!(status & 0x7f))
		snprintf(text, sizeof(text), "exit %u", status >> 8 & 0xff);
	else if (name)
		snprintf(text, sizeof(text), "SIG%s%s", name, core);
	else /* a real-time signal */
		snprintf(text, sizeof(text), "SIG%u%s", status & 0x7f, core);
	return put_name(out, style, "", text);
}

static bool put_signal(struct buf *out, enum style style, uint32_t sig)
{
	const char *name = name_of_signal(sig);

	if (!sig)
		return put_name(out, style, "", "0");
	return name ? put_name(out, style, "SIG", name) : put_number_name(out, style, "SIG", sig);
}

/* A folder beside an absolute path is the root that the process sees: chroot. */
static void join(struct buf *out, struct str dir, struct str path)
{
	while (dir.n && path.n && path.p[0] == '/') {
		path.p++;
		path.n--;
	}
	path_join(out, dir, path);
}

/* A file's path: the kernel's, else what the name says. */
static void resolved(struct buf *out, const struct wire_file *f)
{
	struct str file = record_str(f, f->file), path = record_str(f, f->path);

	if (file.n)
		buf_put_str(out, file);
	else if (path.n)
		join(out, record_str(f, f->dir), path);
}

static bool put_resolved(struct buf *out, enum style style, const struct wire_file *f)
{
	_cleanup_buf_ struct buf path = {0};

	resolved(&path, f);
	return put_some_str(out, style, buf_str(&path));
}

static bool put_second(struct buf *out, enum style style, const struct wire_file *f)
{
	_cleanup_buf_ struct buf path = {0};
	struct str second = record_str(f, f->path2);

	if (f->file2.len)
		return put_some_str(out, style, record_str(f, f->file2));
	if (!second.n)
		return false;
	join(&path, record_str(f, f->dir2), second);
	return put_some_str(out, style, buf_str(&path));
}

/*
 * The path as given.  People see it only where it says something that the resolved
 * one does not: another last name, a detour, or a place that it does not end with.
 */
static bool put_given(struct buf *out, enum style style, struct str given, struct str found)
{
	_cleanup_buf_ struct buf plain = {0};

	if (!given.n)
		return false;
	if (style == TEXT) {
		path_join(&plain, STR(""), given);
		if (str_ends(found, buf_str(&plain)) || str_eq(found, given))
			return false;
	}
	put_str(out, style, given);
	return true;
}

static bool put_given_of(struct buf *out, enum style style, const struct event *e)
{
	const struct wire_proc *p = (const struct wire_proc *)e->head;
	const struct wire_file *f = (const struct wire_file *)e->head;
	_cleanup_buf_ struct buf found = {0};

	/* a program that started is told by its arguments and its file */
	if (e->desc->body == BODY_wire_proc && style == TEXT && e->head->ret >= 0)
		return false;
	if (e->desc->body == BODY_wire_proc)
		return put_given(out, style, record_str(p, p->path), record_str(p, p->exe));
	resolved(&found, f);
	return put_given(out, style, record_str(f, f->path), buf_str(&found));
}

/* Where the program's file is, unless the first argument says so already. */
static bool put_exe(struct buf *out, const struct wire_proc *p)
{
	struct str exe = record_str(p, p->exe), args = record_str(p, p->args);

	args.n = strnlen(args.p ? args.p : "", args.n);
	if (!exe.n || str_eq(path_base(exe), path_base(args)))
		return false;
	escape_text(out, exe);
	return true;
}

static bool is_call(const struct wire_sys *w, const char *name)
{
	const char *call = syscall_name(w->nr, w->head.flags & WIRE_F_COMPAT);

	return call && !strcmp(call, name);
}

/* Of whom a call speaks. */
static bool put_target(struct buf *out, enum style style, const struct wire_sys *w)
{
	int32_t pid = w->arg[is_call(w, "ptrace")];

	if (is_call(w, "pidfd_send_signal")) { /* the first argument is a descriptor */
		if (style == TEXT)
			buf_printf(out, "of descriptor %d", pid);
		return style == TEXT;
	}
	buf_put_s64(out, pid); /* 0 and less name groups of processes */
	return true;
}

static uint32_t kill_signal(const struct wire_sys *w)
{
	return is_call(w, "tgkill") ? w->arg[2] : w->arg[1];
}

/* A namespace's file has no path: its kind and number are its name. */
static bool put_ns_file(struct buf *out, enum style style, const struct wire_sys *w)
{
	struct str kind = record_str(w, w->text);
	char name[WIRE_NAME_MAX];

	if (!kind.n)
		return put_some_str(out, style, record_str(w, w->file));
	snprintf(name, sizeof(name), "%.*s:[%llu]", (int)MIN(kind.n, 16), kind.p,
		 (unsigned long long)w->arg[2]);
	return put_some_str(out, style, str_of(name));
}

static bool put_ptrace(struct buf *out, enum style style, const struct wire_sys *w)
{
	const char *call = syscall_name(w->nr, w->head.flags & WIRE_F_COMPAT);
	const char *name = names_find(names_ptrace, w->arg[0]);

	if (call && strcmp(call, "ptrace"))
		return put_name(out, style, "", call);
	return name ? put_name(out, style, "PTRACE_", name)
		    : put_number_name(out, style, "PTRACE_", w->arg[0]);
}

static uint64_t load(const void *at, size_t n)
{
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (n) {
	case 2:
		memcpy(&v2, at, 2);
		return v2;
	case 4:
		memcpy(&v4, at, 4);
		return v4;
	default:
		memcpy(&v8, at, 8);
		return v8;
	}
}

static struct str str_at(const struct event *e, const void *at)
{
	struct wire_str s;

	memcpy(&s, at, sizeof(s));
	return record_str(e->head, s);
}

static bool put_user(struct buf *out, enum style style, const struct event *e, uint32_t uid)
{
	const char *name = stream_user(e->stream, uid);

	if (name)
		return put_some_str(out, style, str_of(name));
	return put_number_name(out, style, "", uid);
}

static bool value(struct buf *out, enum style style, const struct event *e,
		  const struct field_desc *f)
{
	const char *at = (const char *)e->head + f->offset;
	const struct wire_proc *proc = (const struct wire_proc *)e->head;
	const struct wire_exit *ex = (const struct wire_exit *)e->head;
	const struct wire_conn *conn = (const struct wire_conn *)e->head;
	const struct wire_file *file = (const struct wire_file *)e->head;
	const struct wire_sys *sys = (const struct wire_sys *)e->head;
	const char *name;
	uint64_t v;

	switch (f->type) {
	case T_U32:
		return put_u64(out, load(at, 4));
	case T_U64:
		return put_u64(out, load(at, 8));
	case T_INODE:
		return load(at, 8) && put_u64(out, load(at, 8));
	case T_ID:
		return load(at, 4) != ~0u && put_u64(out, load(at, 4));
	case T_COUNT:
		v = load(at, f->body == BODY_wire_head ? 8 : 4);
		return v && put_u64(out, v);
	case T_HEX:
		v = load(at, f->body == BODY_wire_file ? 4 : 8);
		if (!v)
			return false;
		buf_printf(out, style == JSON ? "\"0x%llx\"" : "0x%llx", (unsigned long long)v);
		return true;
	case T_STR:
	case T_PATH:
		return put_some_str(out, style, str_at(e, at));
	case T_EXE:
		return style == TEXT && put_exe(out, proc);
	case T_RESOLVED:
		return put_resolved(out, style, file);
	case T_GIVEN:
		return put_given_of(out, style, e);
	case T_SECOND:
		return put_second(out, style, file);
	case T_ARGS:
		if (!proc->args.len)
			return false;
		(style == JSON ? json_args : text_args)(out, record_str(proc, proc->args).p,
							proc->args.len);
		return true;
	case T_ARGS_CUT:
		return proc->args_total > proc->args.len && proc->args.off &&
		       put_u64(out, proc->args_total - proc->args.len);
	case T_RET:
		if (e->head->ret < 0)
			return false;
		buf_put_s64(out, e->head->ret);
		return true;
	case T_ERROR:
		if (e->head->ret >= 0 || e->head->ret < -4095)
			return false;
		name = name_of_errno(-e->head->ret);
		return name ? put_name(out, style, "", name)
			    : put_number_name(out, style, "E", -e->head->ret);
	case T_OPEN_FLAGS:
		return put_open_flags(out, style, load(at, 4));
	case T_MODE:
		buf_printf(out, style == JSON ? "\"%04o\"" : "%04o", (unsigned int)load(at, 4));
		return true;
	case T_DEV:
		v = load(at, 4);
		if (!v)
			return false;
		buf_printf(out, style == JSON ? "\"%u:%u\"" : "%u:%u", (unsigned int)(v >> 20),
			   (unsigned int)(v & 0xfffff));
		return true;
	case T_FILE_BITS:
		v = load(at, 4);
		if (style == TEXT) /* people see what is out of the ordinary */
			v &= WIRE_FILE_MEMFD | WIRE_FILE_DELETED | WIRE_FILE_UPPER;
		return put_bits(out, style, names_file_bit, v);
	case T_CLONE_FLAGS:
		return put_bits(out, style, names_clone, load(at, 8));
	case T_NS_FLAGS:
		return put_bits(out, style, names_ns, load(at, 8));
	case T_STATUS:
		return put_status(out, style, ex->status);
	case T_EXIT_CODE:
		return !(ex->status & 0x7f) && put_u64(out, ex->status >> 8 & 0xff);
	case T_EXIT_SIGNAL:
		return (ex->status & 0x7f) && put_signal(out, style, ex->status & 0x7f);
	case T_LIFETIME:
		return put_duration(out, style, ex->head.time_ns - ex->head.start_ns);
	case T_DURATION:
		v = load(at, 8);
		return (v || (style == JSON && f->body != BODY_wire_conn)) &&
		       put_duration(out, style, v);
	case T_KBYTES:
		return put_bytes(out, style, load(at, 8), 1024);
	case T_BYTES:
		return put_bytes(out, style, load(at, 8), 1);
	case T_PROTOCOL:
		return put_protocol(out, style, conn->protocol);
	case T_LOCAL:
		return put_end(out, style, e, true, true);
	case T_REMOTE:
		return put_end(out, style, e, false, true);
	case T_SADDR:
		return put_end(out, style, e, true, false);
	case T_DADDR:
		return put_end(out, style, e, false, false);
	case T_FAMILY:
		return put_known(out, style, names_family, load(at, 2));
	case T_SOCK_TYPE:
		return put_known(out, style, names_sock_type, load(at, 2));
	case T_SOCK_PROTOCOL:
		return put_sock_protocol(out, style, (const struct wire_sock *)e->head);
	case T_SOCK_BITS:
		return put_bits(out, style, names_sock_bit, load(at, 4));
	case T_FD:
		v = load(at, 4);
		return (int32_t)v >= 0 && put_u64(out, v);
	case T_PORT:
		v = load(at, 2);
		return v && put_u64(out, v);
	case T_UID:
		return put_user(out, style, e, load(at, 4));
	case T_CAPS:
		return put_caps(out, style, load(at, 8));
	case T_PTRACE:
		return put_ptrace(out, style, sys);
	case T_TARGET:
		return put_target(out, style, sys);
	case T_KILL_SIGNAL:
		return put_signal(out, style, kill_signal(sys));
	case T_BPF_COMMAND:
		name = names_find(names_bpf, load(at, 8));
		return name ? put_name(out, style, "BPF_", name)
			    : put_number_name(out, style, "BPF_", load(at, 8));
	case T_NS_FILE:
		return put_ns_file(out, style, sys);
	case T_CALL:
		name = syscall_name(load(at, 4), e->head->flags & WIRE_F_COMPAT);
		return name && put_name(out, style, "", name);
	case T_END:
		break;
	}
	return false;
}

bool value_text(struct buf *out, const struct event *e, const struct field_desc *f)
{
	return value(out, TEXT, e, f);
}

bool value_json(struct buf *out, const struct event *e, const struct field_desc *f)
{
	return value(out, JSON, e, f);
}
