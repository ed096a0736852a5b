/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, row by row: what the compiler cannot see.
 *
 * Rows are text to the preprocessor; here they are held against each other, against the
 * structs they name, and the numbers of system calls against the kernel's own headers.
 */
#include "catalog/attach.h"
#include "catalog/catalog.h"

#include "test.h"

#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#ifdef __x86_64__
#include <asm/unistd_32.h>
#endif

/* Bounds that sinks put on their own tables: out/text.c and out/json.c. */
enum { TEXT_TOKENS = 48, JSON_FIELDS = 24 };

/* The rows of fields.def once more, with the sizes that the catalog does not keep. */
struct row {
	const char *name, *member;
	enum field_type type;
	enum body body;
	size_t offset, size;
	uint64_t events;
};

#define ALL    (~0ull)
#define B(id)  KIND_BIT(EV_##id)
#define RECORD head.kind
#define WHOLE_wire_head                \
	struct {                       \
		struct wire_head head; \
	}
#define WHOLE_wire_proc	 struct wire_proc
#define WHOLE_wire_fork	 struct wire_fork
#define WHOLE_wire_exit	 struct wire_exit
#define WHOLE_wire_file	 struct wire_file
#define WHOLE_wire_conn	 struct wire_conn
#define WHOLE_wire_creds struct wire_creds
#define WHOLE_wire_sys	 struct wire_sys
#define WHOLE_wire_sock	 struct wire_sock
static const struct row rows[] = {
#define FIELD(body_, name_, type_, member_, events_, help_)         \
	{.name = #name_,                                            \
	 .member = #member_,                                        \
	 .type = T_##type_,                                         \
	 .body = BODY_##body_,                                      \
	 .offset = offsetof(WHOLE_##body_, IN_##body_(member_)),    \
	 .size = sizeof(((WHOLE_##body_ *)0)->IN_##body_(member_)), \
	 .events = events_},
#define IN_wire_head(m)	 head.m
#define IN_wire_proc(m)	 m
#define IN_wire_fork(m)	 m
#define IN_wire_exit(m)	 m
#define IN_wire_file(m)	 m
#define IN_wire_conn(m)	 m
#define IN_wire_creds(m) m
#define IN_wire_sys(m)	 m
#define IN_wire_sock(m)	 m
#include "catalog/fields.def"
#undef FIELD
};

enum { N_ROWS = ELEMENTS(rows) };

/* A type that looks at the record as one body only; BODY_END: at any. */
static enum body body_of_type(enum field_type type)
{
	switch (type) {
	case T_EXE:
	case T_ARGS:
	case T_ARGS_CUT:
		return BODY_wire_proc;
	case T_STATUS:
	case T_EXIT_CODE:
	case T_EXIT_SIGNAL:
	case T_LIFETIME:
		return BODY_wire_exit;
	case T_RESOLVED:
	case T_SECOND:
		return BODY_wire_file;
	case T_PROTOCOL:
		return BODY_wire_conn;
	case T_SOCK_PROTOCOL:
		return BODY_wire_sock;
	case T_PTRACE:
	case T_TARGET:
	case T_KILL_SIGNAL:
	case T_NS_FILE:
		return BODY_wire_sys;
	default:
		return BODY_END;
	}
}

/* Bytes that VALUE(type) reads, event/value-*.c; 0: it looks at the whole record. */
static size_t size_of_type(enum field_type type, enum body body)
{
	switch (type) {
	case T_U32:
	case T_ID:
	case T_OPEN_FLAGS:
	case T_MODE:
	case T_DEV:
	case T_FILE_BITS:
	case T_STATUS:
	case T_EXIT_CODE:
	case T_EXIT_SIGNAL:
	case T_UID:
	case T_CALL:
	case T_SOCK_BITS:
	case T_FD:
		return 4;
	case T_U64:
	case T_INODE:
	case T_RET:
	case T_ERROR:
	case T_CLONE_FLAGS:
	case T_NS_FLAGS:
	case T_DURATION:
	case T_KBYTES:
	case T_BYTES:
	case T_CAPS:
	case T_BPF_COMMAND:
		return 8;
	case T_COUNT:
		return body == BODY_wire_head ? 8 : 4;
	case T_HEX:
		return body == BODY_wire_file ? 4 : 8;
	case T_PROTOCOL:
	case T_PORT:
	case T_FAMILY:
	case T_SOCK_TYPE:
		return 2;
	case T_STR:
	case T_PATH:
	case T_ARGS:
		return sizeof(struct wire_str);
	case T_EXE:
	case T_NS_FILE:
	case T_RESOLVED:
	case T_GIVEN:
	case T_SECOND:
	case T_ARGS_CUT:
	case T_LIFETIME:
	case T_LOCAL:
	case T_REMOTE:
	case T_SADDR:
	case T_DADDR:
	case T_PTRACE:
	case T_TARGET:
	case T_KILL_SIGNAL:
	case T_SOCK_PROTOCOL:
	case T_END:
		break;
	}
	return 0;
}

TEST(field_sizes)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		size_t size = size_of_type(r->type, r->body);
		enum body body = body_of_type(r->type);

		test_result(size ? r->size == size : !strcmp(r->member, "RECORD"), __FILE__,
			    __LINE__, "%s: member %s has %zu bytes, its type reads %zu", r->name,
			    r->member, r->size, size);
		test_result(r->offset + r->size <= body_size(r->body), __FILE__, __LINE__,
			    "%s: behind the body", r->name);
		test_result(body == BODY_END || body == r->body, __FILE__, __LINE__,
			    "%s: its type is for another body", r->name);
		if (r->type == T_GIVEN)
			CHECK(r->body == BODY_wire_proc || r->body == BODY_wire_file);
	}
}

/* Every row is found from each of its events, at its place, and from no other. */
TEST(field_lookup)
{
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		size_t n = 0;

		for (size_t i = 0; i < N_ROWS; i++) {
			const struct field_desc *f = field_find(kind, str_of(rows[i].name));
			bool belongs = rows[i].body == body_of_kind(kind) &&
				       (rows[i].events & KIND_BIT(kind));

			if (!belongs)
				continue;
			CHECK(f && f == field_of_event(kind, n));
			n++;
			if (!f)
				continue;
			CHECK_STREQ(f->name, rows[i].name);
			CHECK_EQ(f->type, rows[i].type);
			CHECK_EQ(f->offset, rows[i].offset);
			CHECK(f->help && f->help[0]);
		}
		CHECK(n > 0 && n < JSON_FIELDS);
		CHECK(!field_of_event(kind, n));
		CHECK(!field_find(kind, STR("no such field")));
	}
}

TEST(fields_have_events)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		int users = 0;

		for (unsigned int kind = 1; kind < EV_END; kind++)
			users += body_of_kind(kind) == rows[i].body &&
				 (rows[i].events & KIND_BIT(kind));
		test_result(users > 0, __FILE__, __LINE__, "%s has no event", rows[i].name);
		/* a mask names events of the row's own body only */
		for (unsigned int kind = 1; rows[i].events != ALL && kind < EV_END; kind++)
			if (rows[i].events & KIND_BIT(kind))
				CHECK_EQ(body_of_kind(kind), rows[i].body);
	}
}

TEST(types)
{
	for (int t = 0; t < T_END; t++) {
		const struct type_desc *d = type_get(t);
		int users = 0;

		for (size_t i = 0; i < N_ROWS; i++)
			users += rows[i].type == (enum field_type)t;
		test_result(users > 0, __FILE__, __LINE__, "%s is the type of nothing", d->name);
		CHECK(d->help && d->help[0]);
		CHECK(!strcmp(d->json, "number") || !strcmp(d->json, "string") ||
		      !strcmp(d->json, "array") || !strcmp(d->json, "boolean"));
	}
}

TEST(events)
{
	CHECK(!event_get(0));
	CHECK(!event_get(EV_END));
	CHECK(!event_get(WIRE_PROC));
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		const struct event_desc *d = event_get(kind);

		CHECK(d && d->name && d->help[0] && d->line[0]);
		CHECK_EQ(event_find(str_of(d->name)), kind);
		CHECK(body_size(d->body) >= sizeof(struct wire_head));
		CHECK(event_group_name(d->group));
		/* the word after --events is a name or a group's, never both */
		for (int g = 0; g <= GROUP_META; g++)
			CHECK(strcmp(d->name, event_group_name(g)));
		for (const char *p = d->name; *p; p++)
			CHECK(islower((unsigned char)*p));
	}
	CHECK_EQ(event_find(STR("")), 0);
	CHECK_EQ(event_find(STR("ope")), 0);
	CHECK_EQ(event_find(STR("opens")), 0);
}

/* A line's text: names are fields, parts in [ ] have one, and do not nest. */
static void check_line(unsigned int kind, const char *line)
{
	bool is_open = false, has_field = false;
	size_t tokens = 0;

	for (const char *p = line; *p; tokens++) {
		size_t n = strcspn(p, "{}[]");

		if (n) {
			p += n;
			continue;
		}
		if (*p == '{') {
			struct str name = {p + 1, strcspn(p + 1, "{}[]")};

			test_result(field_find(kind, name) && name.p[name.n] == '}', __FILE__,
				    __LINE__, "%s: {%.*s} is no field of it", event_get(kind)->name,
				    (int)name.n, name.p);
			has_field = true;
			p = name.p + name.n;
		} else if (*p == '[') {
			CHECK(!is_open);
			is_open = true;
			has_field = false;
		} else if (*p == ']') {
			CHECK(is_open && has_field);
			is_open = false;
		} else {
			test_result(false, __FILE__, __LINE__, "%s: a } alone",
				    event_get(kind)->name);
		}
		p += !!*p;
	}
	CHECK(!is_open);
	CHECK(tokens < TEXT_TOKENS);
}

TEST(lines)
{
	for (unsigned int kind = 1; kind < EV_END; kind++)
		check_line(kind, event_get(kind)->line);
}

/* Members of type struct wire_str, counted by hand: what strings.def must have. */
TEST(strings)
{
	static const struct {
		enum body body;
		size_t size, offsets[15]; /* 0 at the end */
	} bodies[BODY_END] = {
#define OF(body, member) offsetof(struct body, member)
		[BODY_wire_head] = {BODY_wire_head, sizeof(struct wire_head), {0}},
		[BODY_wire_proc] = {BODY_wire_proc,
				    sizeof(struct wire_proc),
				    {OF(wire_proc, exe), OF(wire_proc, path), OF(wire_proc, args),
				     OF(wire_proc, cwd)}},
		[BODY_wire_fork] = {BODY_wire_fork, sizeof(struct wire_fork), {0}},
		[BODY_wire_exit] = {BODY_wire_exit, sizeof(struct wire_exit), {0}},
		[BODY_wire_file] = {BODY_wire_file,
				    sizeof(struct wire_file),
				    {OF(wire_file, file), OF(wire_file, file2), OF(wire_file, path),
				     OF(wire_file, dir), OF(wire_file, path2), OF(wire_file, dir2),
				     OF(wire_file, text)}},
		[BODY_wire_conn] = {BODY_wire_conn, sizeof(struct wire_conn), {0}},
		[BODY_wire_creds] = {BODY_wire_creds, sizeof(struct wire_creds), {0}},
		[BODY_wire_sys] = {BODY_wire_sys,
				   sizeof(struct wire_sys),
				   {OF(wire_sys, file), OF(wire_sys, text)}},
		[BODY_wire_sock] = {BODY_wire_sock,
				    sizeof(struct wire_sock),
				    {OF(wire_sock, path), OF(wire_sock, data)}},
		[BODY_wire_cgroup] = {BODY_wire_cgroup,
				      sizeof(struct wire_cgroup),
				      {OF(wire_cgroup, path)}},
		[BODY_wire_container] = {BODY_wire_container,
					 sizeof(struct wire_container),
					 {OF(wire_container, runtime), OF(wire_container, id),
					  OF(wire_container, name), OF(wire_container, image),
					  OF(wire_container, pod_uid), OF(wire_container, pod_name),
					  OF(wire_container, pod_namespace),
					  OF(wire_container, labels), OF(wire_container, image_id),
					  OF(wire_container, digest), OF(wire_container, sandbox),
					  OF(wire_container, pod_labels),
					  OF(wire_container, mounts), OF(wire_container, ip)}},
		[BODY_wire_user] = {BODY_wire_user,
				    sizeof(struct wire_user),
				    {OF(wire_user, name)}},
		[BODY_wire_tally] = {BODY_wire_tally, sizeof(struct wire_tally), {0}},
#undef OF
	};

	for (int b = 0; b < BODY_END; b++) {
		size_t n = 0;

		CHECK_EQ(bodies[b].body, b);
		CHECK_EQ(body_size(b), bodies[b].size);
		for (; bodies[b].offsets[n]; n++)
			CHECK_EQ(body_string(b, n), bodies[b].offsets[n]);
		CHECK_EQ(body_string(b, n), 0);
	}
	/* a member that came without a row changes a size: then look here, and at the list above */
	CHECK_EQ(sizeof(struct wire_proc), 80 + 56 + 16 + 24 + 40 + 4 * sizeof(struct wire_str));
	CHECK_EQ(sizeof(struct wire_file), 80 + 16 + 32 + 7 * sizeof(struct wire_str) + 4);
	CHECK_EQ(sizeof(struct wire_sys), 80 + 40 + 8 + 2 * sizeof(struct wire_str));
	CHECK_EQ(sizeof(struct wire_conn), 80 + 32 + 4 + 8 + 4 + 32);
	CHECK_EQ(sizeof(struct wire_fork), 80 + 24 + 8);
	CHECK_EQ(sizeof(struct wire_exit), 80 + 32 + 8);
	CHECK_EQ(sizeof(struct wire_creds), 80 + 56 + 8 + 24);
	CHECK_EQ(sizeof(struct wire_sock),
		 80 + 40 + 16 + 12 + 12 + 32 + 2 * sizeof(struct wire_str));
	CHECK_EQ(sizeof(struct wire_container), 80 + 14 * sizeof(struct wire_str) + 16);
}

TEST(bodies_of_kinds)
{
	CHECK_EQ(body_of_kind(WIRE_NONE), BODY_END);
	CHECK_EQ(body_of_kind(EV_END), BODY_END);
	CHECK_EQ(body_of_kind(WIRE_PROC - 1), BODY_END);
	CHECK_EQ(body_of_kind(WIRE_PROC), BODY_wire_proc);
	CHECK_EQ(body_of_kind(WIRE_CGROUP), BODY_wire_cgroup);
	CHECK_EQ(body_of_kind(WIRE_CONTAINER), BODY_wire_container);
	CHECK_EQ(body_of_kind(WIRE_USER), BODY_wire_user);
	CHECK_EQ(body_of_kind(WIRE_TALLY), BODY_wire_tally);
	CHECK_EQ(body_of_kind(WIRE_TALLY + 1), BODY_END);
	CHECK_EQ(body_of_kind(~0u), BODY_END);
}

static enum body body_of_handler(unsigned int handler)
{
	switch ((enum sys_handler)handler) {
	case SYS_OPEN:
	case SYS_PATH:
		return BODY_wire_file;
	case SYS_ARGS:
		return BODY_wire_sys;
	case SYS_CREDS:
		return BODY_wire_creds;
	case SYS_SOCK:
		return BODY_wire_conn;
	case SYS_EXEC:
		return BODY_wire_proc;
	case SYS_NET:
		return BODY_wire_sock;
	case SYS_NONE:
	case SYS_END:
		break;
	}
	return BODY_END;
}

TEST(syscalls)
{
	const struct syscall_desc *s;
	size_t n;

	s = syscalls_get(&n);
	CHECK(n > 50);
	for (size_t i = 0; i < n; i++) {
		const struct sys_desc *d = &s[i].desc;
		bool is_call = d->handler == SYS_NET || d->bits & SYS_B_NETCALL;
		/* of calls on sockets `dir` is an enum sys_net */
		const signed char args[] = {is_call ? -1 : d->dir,
					    d->path,
					    d->dir2,
					    d->path2,
					    d->flags,
					    d->mode,
					    d->text};

		CHECK(s[i].name[0]);
		CHECK(s[i].nr < SCOPE_SYSCALLS && s[i].nr_ia32 < SCOPE_SYSCALLS);
		CHECK(s[i].nr >= -1 && s[i].nr_ia32 >= -1);
		test_result(body_of_handler(d->handler) == body_of_kind(d->kind), __FILE__,
			    __LINE__, "%s: its handler sends another body", s[i].name);
		for (size_t k = 0; k < sizeof(args); k++)
			test_result(args[k] >= -1 && args[k] <= 4, __FILE__, __LINE__,
				    "%s: argument %d", s[i].name, args[k]);
		/* what is relative needs a name, and no register is used twice */
		CHECK(d->dir < 0 || d->path >= 0 || d->bits & SYS_B_FD);
		CHECK(d->dir2 < 0 || d->path2 >= 0);
		for (size_t k = 0; k < sizeof(args); k++)
			for (size_t l = 0; l < k; l++)
				test_result(args[k] < 0 || args[k] != args[l], __FILE__, __LINE__,
					    "%s: argument %d twice", s[i].name, args[k]);
		for (size_t j = 0; j < i; j++) {
			CHECK(strcmp(s[i].name, s[j].name));
			test_result(s[i].nr < 0 || s[i].nr != s[j].nr, __FILE__, __LINE__,
				    "%s and %s: number %d", s[i].name, s[j].name, s[i].nr);
			test_result(s[i].nr_ia32 < 0 || s[i].nr_ia32 != s[j].nr_ia32, __FILE__,
				    __LINE__, "%s and %s: 32-bit number %d", s[i].name, s[j].name,
				    s[i].nr_ia32);
		}
		if (s[i].nr >= 0)
			CHECK_STREQ(syscall_name(s[i].nr, false), s[i].name);
		if (s[i].nr_ia32 >= 0)
			CHECK_STREQ(syscall_name(s[i].nr_ia32, true), s[i].name);
	}
	CHECK(!syscall_name(SCOPE_SYSCALLS, false));
	CHECK(!syscall_name(~0u, false));
	CHECK(!syscall_name(~0u, true));
}

#ifdef __x86_64__
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#define __NR_accept (-1) /* only through socketcall() */

/* the rows for calls with 16-bit ids, which in the kernel's header have the plain names */
#define __NR_chown16	 __NR_chown
#define __NR_lchown16	 __NR_lchown
#define __NR_fchown16	 __NR_fchown
#define __NR_setuid16	 __NR_setuid
#define __NR_setreuid16	 __NR_setreuid
#define __NR_setresuid16 __NR_setresuid
#define __NR_setgid16	 __NR_setgid
#define __NR_setregid16	 __NR_setregid
#define __NR_setresgid16 __NR_setresgid

struct number {
	const char *name;
	int nr;
};

/* Calls with 16-bit ids came first and kept the name; nobody is built with them any more. */
static const struct number with_32_bit_ids[] = {
	{"chown", __NR_chown32},   {"lchown", __NR_lchown32},	  {"fchown", __NR_fchown32},
	{"setuid", __NR_setuid32}, {"setreuid", __NR_setreuid32}, {"setresuid", __NR_setresuid32},
	{"setgid", __NR_setgid32}, {"setregid", __NR_setregid32}, {"setresgid", __NR_setresgid32},
};

/* 32-bit programs: the numbers as the kernel's header for them has it. */
TEST(syscalls_ia32)
{
	static const struct number numbers[] = {
#define SYSCALL(name, ...) {#name, __NR_##name},
#include "catalog/syscalls.def"
#undef SYSCALL
	};
	const struct syscall_desc *s;
	size_t n;

	s = syscalls_get(&n);
	CHECK_EQ(n, ELEMENTS(numbers));
	for (size_t i = 0; i < n; i++) {
		int expected = numbers[i].nr;

		for (size_t k = 0; k < ELEMENTS(with_32_bit_ids); k++)
			if (!strcmp(with_32_bit_ids[k].name, s[i].name))
				expected = with_32_bit_ids[k].nr;
		test_result(s[i].nr_ia32 == expected, __FILE__, __LINE__,
			    "%s: %d, the kernel says %d", s[i].name, s[i].nr_ia32, expected);
	}
}
#endif

/* Every event that a system call makes has one; the others come from tracepoints. */
TEST(events_have_calls)
{
	uint64_t with_calls = 0, without = 0;
	const struct syscall_desc *s;
	size_t n;

	s = syscalls_get(&n);
	for (size_t i = 0; i < n; i++)
		with_calls |= KIND_BIT(s[i].desc.kind);
	without = KIND_BIT(EV_EXIT) | KIND_BIT(EV_FORK) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CLOSE) |
		  KIND_BIT(EV_DATAGRAM) | KIND_BIT(EV_LOST);
	CHECK_EQ(events_all() & ~with_calls, without);
}

TEST(masks)
{
	uint64_t together = 0;

	for (int g = 0; g <= GROUP_META; g++) {
		CHECK(events_of_group(g));
		CHECK(!(together & events_of_group(g)));
		together |= events_of_group(g);
	}
	CHECK_EQ(together, events_all());
	CHECK_EQ(events_all(), (KIND_BIT(EV_END) - 1) & ~1ull);
	CHECK_EQ(events_in_view(VIEW_ASKED), events_all());
	CHECK_EQ(events_all() & ~events_in_view(VIEW_SHOWN),
		 KIND_BIT(EV_OPEN) | KIND_BIT(EV_FORK) | KIND_BIT(EV_SOCKET) |
			 KIND_BIT(EV_NETCALL) | KIND_BIT(EV_DUP) | KIND_BIT(EV_FAULTFD));
}

TEST(parse)
{
	const uint64_t lost = KIND_BIT(EV_LOST), shown = events_in_view(VIEW_SHOWN);
	const struct {
		const char *list;
		uint64_t mask;
	} cases[] = {
		{"", lost},
		{",", lost},
		{"exec", lost | KIND_BIT(EV_EXEC)},
		{"exec,exit", lost | KIND_BIT(EV_EXEC) | KIND_BIT(EV_EXIT)},
		{",exec,,exit,", lost | KIND_BIT(EV_EXEC) | KIND_BIT(EV_EXIT)},
		{"exec,exec", lost | KIND_BIT(EV_EXEC)},
		{"file", lost | events_of_group(GROUP_FILE)},
		{"network,security",
		 lost | events_of_group(GROUP_NETWORK) | events_of_group(GROUP_SECURITY)},
		{"process,-fork", lost | (events_of_group(GROUP_PROCESS) & ~KIND_BIT(EV_FORK))},
		{"-fork,process", lost | shown | events_of_group(GROUP_PROCESS)},
		{"all", events_all()},
		{"default", lost | shown},
		{"default,open", lost | shown | KIND_BIT(EV_OPEN)},
		{"all,-network", events_all() & ~events_of_group(GROUP_NETWORK)},
		/* a minus at the begin takes from the default view */
		{"-exec", lost | (shown & ~KIND_BIT(EV_EXEC))},
		{"-exec,-exit", lost | (shown & ~KIND_BIT(EV_EXEC) & ~KIND_BIT(EV_EXIT))},
		{"-all", lost},
		{"-default,open", lost | KIND_BIT(EV_OPEN)},
		{"exec,-exec", lost},
		/* nobody loses sight of losses */
		{"all,-lost", events_all()},
		{"-meta", lost | shown},
	};
	static const struct {
		const char *list, *bad;
	} errors[] = {
		{"opne", "opne"},	    {"exec,x,y", "x"},	 {"exec, exit", " exit"},
		{"-nothing", "nothing"},    {"--exec", "-exec"}, {"EXEC", "EXEC"},
		{"exec;exit", "exec;exit"},
	};
	struct str bad = {0};
	uint64_t mask = 0;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		mask = 0;
		CHECK_EQ(events_parse(str_of(cases[i].list), &mask, &bad), 0);
		test_result(mask == cases[i].mask, __FILE__, __LINE__, "'%s': %llx, not %llx",
			    cases[i].list, (unsigned long long)mask,
			    (unsigned long long)cases[i].mask);
	}
	CHECK(!bad.p);
	CHECK_EQ(events_parse((struct str){0}, &mask, &bad), 0);
	mask = 42;
	for (size_t i = 0; i < ELEMENTS(errors); i++) {
		CHECK_EQ(events_parse(str_of(errors[i].list), &mask, &bad), -EINVAL);
		test_result(str_eq(bad, str_of(errors[i].bad)), __FILE__, __LINE__,
			    "'%s': '%.*s', not '%s'", errors[i].list, (int)bad.n, bad.p,
			    errors[i].bad);
		CHECK(bad.p >= errors[i].list && bad.p < errors[i].list + strlen(errors[i].list));
	}
	CHECK_EQ(mask, 42);
}

TEST(nearest)
{
	char word[64];

	CHECK_STREQ(events_nearest(STR("opne")), "open");
	CHECK_STREQ(events_nearest(STR("exce")), "exec");
	CHECK_STREQ(events_nearest(STR("netwrok")), "network");
	CHECK_STREQ(events_nearest(STR("files")), "file");
	CHECK_STREQ(events_nearest(STR("al")), "all");
	CHECK_STREQ(events_nearest(STR("defualt")), "default");
	CHECK_STREQ(events_nearest((struct str){"bindx", 4}), "bind");
	CHECK(!events_nearest(STR("qqqqqqqq")));
	memset(word, 'x', sizeof(word));
	CHECK(!events_nearest((struct str){word, sizeof(word)}));
	CHECK(!events_nearest((struct str){word, 31}));
}

/* Rows of attach.def: what their names promise, and what follows from one trait to another. */
TEST(ways_to_attach)
{
	static const char *const names[QATTACHES] = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) #id,
#include "catalog/attach.def"
#undef ATTACH
	};

	for (unsigned int i = 0; i < QATTACHES; i++) {
		const struct attach_kind *k = &attach_kinds[i];
		const char *name = names[i];
		bool is_return = strstr(name, "RETPROBE") || !strcmp(name, "FEXIT");
		bool is_multi = strstr(name, "_MULTI");
		bool is_user = !strncmp(name, "UPROBE", 6) || !strncmp(name, "URETPROBE", 9);
		bool has_task = attach_has(i, QA_TASK), is_own = attach_has(i, QA_OWN);

		test_result(attach_has(i, QA_RETURN) == is_return &&
				    attach_has(i, QA_MULTI) == is_multi &&
				    !(k->needs & QN_BINARY) == !is_user,
			    __FILE__, __LINE__, "%s is not what it is called", name);
		/* -p and --cgroup are about tasks; no way of a task forgets -p */
		test_result(attach_has(i, QA_FILTER | QA_PID) == has_task, __FILE__, __LINE__,
			    "%s: -p", name);
		test_result(has_task || !attach_has(i, QA_COMMAND), __FILE__, __LINE__, "%s: -c",
			    name);
		/* several places need a list, and a type that says so */
		test_result(!is_multi || (k->attach_type && k->needs & (QN_LIST | QN_ADDRESSES)),
			    __FILE__, __LINE__, "%s: many", name);
		test_result(!is_own || (k->prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT && !has_task),
			    __FILE__, __LINE__, "%s cannot be run by skep", name);
		CHECK(*k->does);
	}
	CHECK_EQ(QATTACH_NONE, QATTACHES - 1);
}
