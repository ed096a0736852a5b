/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which number a field is, in records of one kind, and how it is compared.
 *
 * event/rule's functions (field-*.c) have the same knowledge in C; the tests of compile/rule
 * hold the two against each other.
 */
#include "compile/rule/number.h"

#include "catalog/catalog.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define HEAD(m) offsetof(struct wire_head, m)
#define LOAD(offset, bytes, sign)                                               \
	{                                                                       \
		.how = NUMBER_LOAD, .off = (uint32_t)(offset), .size = (bytes), \
		.is_signed = (sign)                                             \
	}
#define OF_HEAD(m, sign)  LOAD(HEAD(m), sizeof(((struct wire_head *)0)->m), sign)
#define OF(body, m, sign) LOAD(offsetof(struct body, m), sizeof(((struct body *)0)->m), sign)
#define OF_TASK(m, sign)                                                                          \
	{                                                                                         \
		.how = NUMBER_LOAD, .off = ANNEX(m), .size = sizeof(((struct wire_annex *)0)->m), \
		.is_signed = (sign), .has_off = ANNEX(flags), .has_mask = WIRE_A_TASK             \
	}
#define SAME_IN_TASK(a, b)                                                                      \
	{                                                                                       \
		.how = NUMBER_SAME, .off = ANNEX(a), .off2 = ANNEX(b), .has_off = ANNEX(flags), \
		.has_mask = WIRE_A_TASK                                                         \
	}
#define K(id) KIND_BIT(EV_##id)
#define ALL   (~0ull)
#define OPENS (K(OPEN) | K(WRITE) | K(CREATE))
#define FILES                                                                                    \
	(OPENS | K(UNLINK) | K(RENAME) | K(LINK) | K(SYMLINK) | K(MKDIR) | K(RMDIR) | K(CHMOD) | \
	 K(CHOWN) | K(MOUNT) | K(UMOUNT) | K(CHROOT) | K(TRUNCATE))
#define SOCKS (K(SOCKET) | K(NETCALL) | K(DUP))

/* A field that is a number of the record, for these kinds. */
static const struct {
	enum rule_field field;
	uint64_t kinds;
	struct number number;
} rows[] = {
	{RF_evt_rawres, ALL & ~(K(EXIT) | K(LOST)), OF_HEAD(ret, true)},
	{RF_evt_cpu, ALL, OF_HEAD(cpu, false)},
	{RF_proc_pid, ALL, OF_HEAD(pid, false)},
	{RF_thread_tid, ALL, OF_HEAD(tid, false)},
	{RF_thread_ismain, ALL, {.how = NUMBER_SAME, .off = HEAD(pid), .off2 = HEAD(tid)}},
	{RF_user_uid, ALL, OF_HEAD(uid, false)},
	{RF_group_gid, ALL, OF_HEAD(gid, false)},
	{RF_evt_io_uring, ALL, {.how = NUMBER_LOAD, .off = HEAD(flags), .size = 2, .mask = 1}},
	{RF_evt_compat,
	 ALL,
	 {.how = NUMBER_LOAD, .off = HEAD(flags), .size = 2, .shift = 1, .mask = 1}},
	{RF_evt_failed,
	 ALL & ~(K(EXIT) | K(LOST)),
	 {.how = NUMBER_LOAD, .off = HEAD(ret), .size = 8, .shift = 63}},
	{RF_evt_failed, K(EXIT) | K(LOST), {.how = NUMBER_CONST}},
	{RF_evt_is_async, ALL, {.how = NUMBER_CONST}},
	{RF_proc_is_container_healthcheck, ALL, {.how = NUMBER_CONST}},
	{RF_proc_is_container_liveness_probe, ALL, {.how = NUMBER_CONST}},
	{RF_proc_is_container_readiness_probe, ALL, {.how = NUMBER_CONST}},
	{RF_proc_vpid,
	 ALL,
	 {.how = NUMBER_LOAD,
	  .off = ANNEX(vpid),
	  .size = 4,
	  .has_off = ANNEX(flags),
	  .has_mask = WIRE_A_TASK,
	  .is_unknown_without = true}},
	{RF_user_loginuid,
	 ALL,
	 {.how = NUMBER_LOAD,
	  .off = ANNEX(loginuid),
	  .size = 4,
	  .is_signed = true,
	  .has_off = ANNEX(flags),
	  .has_mask = WIRE_A_TASK,
	  .is_unknown_without = true}},
	{RF_thread_vtid, ALL, OF_TASK(vtid, false)},
	{RF_proc_vpgid, ALL, OF_TASK(vpgid, false)},
	{RF_proc_sid, ALL, OF_TASK(vsid, false)},
	{RF_proc_tty, ALL, OF_TASK(tty, false)},
	{RF_proc_is_sid_leader, ALL, SAME_IN_TASK(vsid, vpid)},
	{RF_proc_is_vpgid_leader, ALL, SAME_IN_TASK(vpgid, vpid)},
	{RF_thread_cap_effective, ALL, OF_TASK(cap_effective, false)},
	{RF_thread_cap_permitted, ALL, OF_TASK(cap_permitted, false)},
	{RF_thread_cap_inheritable, ALL, OF_TASK(cap_inheritable, false)},
	/* proc.duration: unknown, a record gets its time after it was decided (head_sign()) */
	{RF_fd_num,
	 OPENS | K(MEMFD) | K(FAULTFD) | K(BPF),
	 {.how = NUMBER_CLAMP, .off = HEAD(ret), .size = 8, .is_signed = true}},
	{RF_fd_num, K(SETNS), LOAD(offsetof(struct wire_sys, arg[0]), 4, true)},
	{RF_fd_num,
	 SOCKS,
	 {.how = NUMBER_CLAMP,
	  .off = offsetof(struct wire_sock, fd),
	  .size = 4,
	  .is_signed = true}},
	{RF_fd_ino, FILES, OF(wire_file, inode, false)},
	{RF_fd_is_upper_layer,
	 FILES,
	 {.how = NUMBER_LOAD,
	  .off = offsetof(struct wire_file, bits),
	  .size = 4,
	  .shift = 2,
	  .mask = 1}},
	{RF_evt_is_open_exec, OPENS, {.how = NUMBER_MAKES_PROGRAM}},
	{RF_evt_is_open_create, OPENS, {.how = NUMBER_MAKES_FILE}},
	{RF_evt_is_open_exec, ALL & ~OPENS, {.how = NUMBER_CONST}},
	{RF_evt_is_open_create, ALL & ~OPENS, {.how = NUMBER_CONST}},
	{RF_evt_is_open_read, ALL & ~OPENS, {.how = NUMBER_CONST}},
	{RF_evt_is_open_write, ALL & ~OPENS, {.how = NUMBER_CONST}},
	{RF_fd_is_server,
	 SOCKS,
	 {.how = NUMBER_LOAD, .off = offsetof(struct wire_sock, bits), .size = 4, .mask = 1}},
	{RF_fd_connected,
	 SOCKS,
	 {.how = NUMBER_LOAD,
	  .off = offsetof(struct wire_sock, bits),
	  .size = 4,
	  .shift = 1,
	  .mask = 1}},
	{RF_fd_name_changed,
	 SOCKS,
	 {.how = NUMBER_LOAD,
	  .off = offsetof(struct wire_sock, bits),
	  .size = 4,
	  .shift = 2,
	  .mask = 1}},
};
_Static_assert(WIRE_FILE_UPPER == 4 && WIRE_SOCK_SERVER == 1 && WIRE_SOCK_CONNECTED == 2 &&
		       WIRE_SOCK_ADDRESSED == 4 && WIRE_F_URING == 1 && WIRE_F_COMPAT == 2,
	       "shifted so far");

/* --- texts that a number stands for */

static const struct number_word open_reads[] = {
	{"true", O_RDONLY, O_ACCMODE},
	{"true", O_RDWR, O_ACCMODE},
	{"true", O_ACCMODE, O_ACCMODE},
	{"false", O_WRONLY, O_ACCMODE},
	{NULL, 0, 0},
};
static const struct number_word open_writes[] = {
	{"true", O_WRONLY, O_ACCMODE},
	{"true", O_RDWR, O_ACCMODE},
	{"false", O_RDONLY, O_ACCMODE},
	{"false", O_ACCMODE, O_ACCMODE},
	{NULL, 0, 0},
};
#define NAMELESS (O_TMPFILE & ~O_DIRECTORY)
static const struct number_word open_types[] = {
	{"directory", O_DIRECTORY, O_DIRECTORY | NAMELESS},
	{NULL, 0, 0},
};
static const struct number_word open_letters[] = {
	{"d", O_DIRECTORY, O_DIRECTORY | NAMELESS},
	{NULL, 0, 0},
};
static const struct number_word family_types[] = {
	{"ipv4", AF_INET, ~0ull},
	{"ipv6", AF_INET6, ~0ull},
	{"unix", AF_UNIX, ~0ull},
	{"netlink", AF_NETLINK, ~0ull},
	{NULL, 0, 0},
};
static const struct number_word family_letters[] = {
	{"4", AF_INET, ~0ull},	  {"6", AF_INET6, ~0ull}, {"u", AF_UNIX, ~0ull},
	{"n", AF_NETLINK, ~0ull}, {NULL, 0, 0},
};
static const struct number_word family_groups[] = {
	{"ip", AF_INET, ~0ull},
	{"ip", AF_INET6, ~0ull},
	{"unix", AF_UNIX, ~0ull},
	{NULL, 0, 0},
};
static const struct number_word protocols[] = {
	{"tcp", IPPROTO_TCP, ~0ull},
	{"tcp", IPPROTO_MPTCP, ~0ull},
	{"udp", IPPROTO_UDP, ~0ull},
	{"udp", IPPROTO_UDPLITE, ~0ull},
	{"icmp", IPPROTO_ICMP, ~0ull},
	{"icmp", IPPROTO_ICMPV6, ~0ull},
	{"raw", IPPROTO_RAW, ~0ull},
	{"raw", 1 << 16, ~0ull},
	{NULL, 0, 0},
};

#define OPEN_FLAGS  OF(wire_file, flags, false)
#define SOCK_FAMILY OF(wire_sock, family, false)
static const struct {
	enum rule_field field;
	uint64_t kinds;
	struct number number;
	const struct number_word *words;
	const char *other;
} texts[] = {
	{RF_evt_is_open_read, OPENS, OPEN_FLAGS, open_reads, "false"},
	{RF_evt_is_open_write, OPENS, OPEN_FLAGS, open_writes, "false"},
	{RF_fd_type, OPENS, OPEN_FLAGS, open_types, "file"},
	{RF_fd_typechar, OPENS, OPEN_FLAGS, open_letters, "f"},
	{RF_fd_type, SOCKS, SOCK_FAMILY, family_types, "<NA>"},
	{RF_fd_typechar, SOCKS, SOCK_FAMILY, family_letters, "?"},
	{RF_fd_sockfamily, SOCKS, SOCK_FAMILY, family_groups, NULL},
	{RF_fd_l4proto, SOCKS, {.how = NUMBER_L4PROTO}, protocols, "<NA>"},
};

/* Texts that are the same for all records of a kind. */
static const struct {
	enum rule_field field;
	uint64_t kinds;
	const char *text;
} constants[] = {
	{RF_evt_dir, ALL, "<"},
	{RF_evt_source, ALL, "syscall"},
	{RF_fd_type, K(MKDIR) | K(RMDIR) | K(CHROOT), "directory"},
	{RF_fd_typechar, K(MKDIR) | K(RMDIR) | K(CHROOT), "d"},
	{RF_fd_type, FILES | K(SETNS), "file"},
	{RF_fd_typechar, FILES | K(SETNS), "f"},
	{RF_fd_type, K(MEMFD), "memfd"},
	{RF_fd_typechar, K(MEMFD), "m"},
	{RF_fd_type, K(FAULTFD), "userfaultfd"},
	{RF_fd_typechar, K(FAULTFD), "u"},
	{RF_fd_type, K(BPF), "bpf"},
	{RF_fd_typechar, K(BPF), "b"},
};

/* --- texts of the call */

static const char *text_name(const struct wire_head *h, const struct rule_field_ref *f)
{
	const struct rule_event_info *info = rule_event_of(h);

	(void)f;
	return info ? info->name : NULL;
}

static const char *text_category(const struct wire_head *h, const struct rule_field_ref *f)
{
	const struct rule_event_info *info = rule_event_of(h);

	(void)f;
	if (info && !strncmp(info->category, "io-", 3))
		return h->kind == EV_NETCALL ? "net" : "file";
	return info ? info->category : NULL;
}

static const char *text_is(const struct wire_head *h, const struct rule_field_ref *f)
{
	const struct rule_event_info *info = rule_event_find(f->arg);

	return info && rule_event_is(h, info) ? "true" : "false";
}

static bool is_io(const struct wire_head *h, const char *direction)
{
	const struct rule_event_info *info = rule_event_of(h);

	return info && !strncmp(info->category, "io-", 3) &&
	       (!direction || !strcmp(info->category + 3, direction));
}

static const char *text_io(const struct wire_head *h, const struct rule_field_ref *f)
{
	return is_io(h, f->id == RF_evt_is_io_read    ? "read"
			: f->id == RF_evt_is_io_write ? "write"
						      : NULL)
		       ? "true"
		       : "false";
}

static const char *text_direction(const struct wire_head *h, const struct rule_field_ref *f)
{
	(void)f;
	return is_io(h, "read") ? "read" : is_io(h, "write") ? "write" : NULL;
}

static const struct {
	enum rule_field field;
	event_text_fn text_of;
} calls[] = {
	{RF_evt_type, NULL},
	{RF_syscall_type, text_name},
	{RF_evt_category, text_category},
	{RF_evt_type_is, text_is},
	{RF_evt_is_io, text_io},
	{RF_evt_is_io_read, text_io},
	{RF_evt_is_io_write, text_io},
	{RF_evt_io_dir, text_direction},
};

/* --- numbers of a process that are known at its exec */

bool proc_number_tests(struct pushdown *x, const struct rule_check *c, const struct tests **ret,
		       const char **ret_why)
{
	struct tests *t = arena_new(x->arena, struct tests);
	const struct rule_field_ref *f = &c->left->field;
	uint32_t bits = offsetof(struct wire_proc, exe_bits);

	*ret_why = "this transformer";
	if (c->left->kind != RULE_TERM_FIELD)
		return false;
	if (f->id == RF_proc_exe_ino)
		t->number = (struct number){.how = NUMBER_LOAD,
					    .off = offsetof(struct wire_proc, inode),
					    .size = 8,
					    .has_no_value = true};
	else if (f->id == RF_proc_args_truncated)
		t->number = (struct number){.how = NUMBER_MORE,
					    .off = offsetof(struct wire_proc, args_total),
					    .off2 = offsetof(struct wire_proc, args) +
						    offsetof(struct wire_str, len)};
	else
		t->number = (struct number){.how = NUMBER_LOAD,
					    .off = bits,
					    .size = 4,
					    .shift = f->id == RF_proc_is_exe_upper_layer ? 2 : 0,
					    .mask = 1};
	*ret = t;
	return number_plain(x, t, c, f->type, ret_why);
}
_Static_assert(WIRE_FILE_MEMFD == 1, "shifted so far");

/* --- arguments */

static bool is_number(enum rule_type t)
{
	return t == RT_INT || t == RT_UINT;
}

/* Where the argument stands; as event/rule/field-arg.c's number_at(). */
static struct number arg_number(const struct rule_arg_info *a)
{
	struct number n = {.how = NUMBER_LOAD, .off = a->offset};

	switch (a->from) {
	case RAF_U16:
		n.size = 2;
		return n;
	case RAF_U32:
		n.size = 4;
		n.is_signed = a->type == RT_INT;
		return n;
	case RAF_UID:
	case RAF_GID:
		n.size = 4;
		n.is_signed = true;
		return n;
	case RAF_U64:
	case RAF_FD:
	case RAF_ERRNO:
		n.size = 8;
		return n;
	case RAF_OPEN:
		return (struct number){.how = NUMBER_HALVES,
				       .off = offsetof(struct wire_file, flags),
				       .off2 = offsetof(struct wire_file, bits)};
	case RAF_NONE:
	case RAF_NAME:
	case RAF_NAME2:
	case RAF_STR:
	case RAF_EXE:
	case RAF_TUPLE:
		break;
	}
	return (struct number){.how = NUMBER_NONE};
}

/* Another row of the same name, that is not the same number. */
static bool has_other(const struct rule_arg_info *a, unsigned int kind)
{
	for (const struct rule_arg_info *o = a; (o = rule_arg_next(o, kind));)
		if (o->from != a->from || o->offset != a->offset || o->names != a->names ||
		    o->type != a->type)
			return true;
	return false;
}

static bool arg_tests(struct pushdown *x, struct tests *t, unsigned int kind,
		      const struct rule_check *c, enum leaf_how *ret_how, const char **ret_why)
{
	const struct rule_field_ref *f = &c->left->field;
	const struct rule_arg_info *a = rule_arg_find(f->arg, kind);
	bool raw = f->id == RF_evt_rawarg, ok;

	*ret_how = LEAF_FALSE;
	if (!a || (is_number(f->type) && !is_number(raw ? a->raw : a->type) && !has_other(a, kind)))
		return false;
	*ret_how = LEAF_UNKNOWN;
	*ret_why = "means several things in this event";
	if (has_other(a, kind))
		return false;
	t->number = arg_number(a);
	*ret_why = "in another base";
	if (is_number(f->type))
		ok = number_plain(x, t, c, f->type, ret_why);
	else if (!raw && (a->from == RAF_UID || a->from == RAF_GID)) {
		t->number.is_signed = false;
		ok = a->from == RAF_UID
			     ? number_ids(x, t, c, x->o->users, x->o->n_users, "<NONE>", ret_why)
			     : number_ids(x, t, c, x->o->groups, x->o->n_groups, "<NONE>", ret_why);
	} else if (!raw && a->names)
		ok = number_named(x, t, c, a->names, true, ret_why);
	else
		ok = (raw || a->format == 'd') && number_digits(x, t, c, ret_why);
	/* of one of the kind's calls: others have none */
	t->may_lack = a->only && !number_is_call(kind, a->only);
	return ok;
}

/* --- a field */

/* Sockets' facts are missing of a descriptor that is none. */
static void need_socket(struct tests *t, enum rule_field f, unsigned int kind)
{
	if (kind != EV_DUP || f == RF_fd_num)
		return;
	t->number.has_off = offsetof(struct wire_sock, bits);
	t->number.has_mask = WIRE_SOCK_IS_SOCKET;
}

static bool user_tests(struct pushdown *x, struct tests *t, const struct rule_check *c,
		       const char **ret_why)
{
	const struct rule_options *o = x->o;
	enum rule_field f = c->left->field.id;

	if (f == RF_user_name)
		t->number = (struct number)OF_HEAD(uid, false);
	else if (f == RF_group_name)
		t->number = (struct number)OF_HEAD(gid, false);
	else
		t->number = (struct number)OF_TASK(loginuid, false);
	t->number.is_unknown_without = f == RF_user_loginname;
	if (f == RF_group_name)
		return number_ids(x, t, c, o->groups, o->n_groups, NULL, ret_why);
	return number_ids(x, t, c, o->users, o->n_users, f == RF_user_loginname ? "<NA>" : NULL,
			  ret_why);
}

/* evt.num counts from 1: only what all such numbers, or none of them, are. */
static enum leaf_how count_leaf(struct pushdown *x, const struct rule_check *c)
{
	struct tests t = {0};
	const char *why;
	bool any = false, all = false;

	if (!number_plain(x, &t, c, RT_UINT, &why))
		return LEAF_UNKNOWN;
	for (size_t i = 0; i < t.list.n; i++) {
		any |= t.list.p[i].kind == TEST_ALWAYS || (uint64_t)t.list.p[i].hi >= 1;
		all |= t.list.p[i].kind == TEST_ALWAYS ||
		       ((uint64_t)t.list.p[i].lo <= 1 && t.list.p[i].hi == -1);
	}
	if (any && !all)
		return LEAF_UNKNOWN;
	return all != t.is_negated ? LEAF_TRUE : LEAF_FALSE;
}

static bool field_tests(struct pushdown *x, struct tests *t, unsigned int kind,
			const struct rule_check *c, enum leaf_how *ret_how, const char **ret_why)
{
	const struct rule_field_ref *f = &c->left->field;
	uint64_t is_kind = 1ull << (kind & 63);
	const struct rule_name *names;
	size_t n_names;

	for (size_t i = 0; i < ELEMENTS(calls); i++)
		if (calls[i].field == f->id) {
			t->number.how = NUMBER_CALL;
			return number_event(x, t, kind, c, calls[i].text_of, ret_why);
		}
	for (size_t i = 0; i < ELEMENTS(texts); i++)
		if (texts[i].field == f->id && texts[i].kinds & is_kind) {
			t->number = texts[i].number;
			need_socket(t, f->id, kind);
			return number_words(x, t, c, texts[i].words, texts[i].other, ret_why);
		}
	for (size_t i = 0; i < ELEMENTS(constants); i++)
		if (constants[i].field == f->id && constants[i].kinds & is_kind) {
			number_constant(x, c, constants[i].text, ret_how, ret_why);
			return false;
		}
	names = rule_names(f, &n_names);
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (rows[i].field == f->id && rows[i].kinds & is_kind) {
			t->number = rows[i].number;
			if (rows[i].kinds == SOCKS)
				need_socket(t, f->id, kind);
			return names ? number_named(x, t, c, names, true, ret_why)
				     : number_plain(x, t, c, f->type, ret_why);
		}
	if (f->id == RF_evt_res) {
		t->number = (struct number)OF_HEAD(ret, true);
		*ret_how = kind == EV_EXIT || kind == EV_LOST ? LEAF_FALSE : LEAF_UNKNOWN;
		return *ret_how == LEAF_UNKNOWN && number_named(x, t, c, names, false, ret_why);
	}
	if (f->id == RF_fd_num || f->id == RF_fd_type || f->id == RF_fd_typechar)
		*ret_how = LEAF_FALSE;
	*ret_why = "not worked out by the kernel's programs";
	return false;
}

const struct tests *number_tests(struct pushdown *x, unsigned int kind, const struct rule_check *c,
				 enum leaf_how *ret_how, const char **ret_why)
{
	struct tests *t = arena_new(x->arena, struct tests);
	const struct rule_field_ref *f = &c->left->field;
	bool ok;

	*ret_how = LEAF_UNKNOWN;
	*ret_why = "not worked out by the kernel's programs";
	if (f->id == RF_evt_num) {
		*ret_how = count_leaf(x, c);
		return NULL;
	}
	if (f->id == RF_evt_arg || f->id == RF_evt_rawarg)
		ok = arg_tests(x, t, kind, c, ret_how, ret_why);
	else if (rule_field_info[f->id].class == RC_USERS)
		ok = user_tests(x, t, c, ret_why);
	else
		ok = field_tests(x, t, kind, c, ret_how, ret_why);
	if (!ok)
		return NULL;
	*ret_how = LEAF_NUMBER;
	if (!t->list.n && t->is_exact && !t->is_partial && !t->number.has_mask &&
	    !t->number.has_no_value && !(t->may_lack && t->is_negated))
		*ret_how = t->is_negated ? LEAF_TRUE : LEAF_FALSE;
	return *ret_how == LEAF_NUMBER ? t : NULL;
}
