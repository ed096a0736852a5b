/* SPDX-License-Identifier: Apache-2.0 */
/* The table of fields: names, arguments, literals, names of numbers, events. */
#include "catalog/rule-field.h"

#include "catalog/catalog.h"
#include "catalog/ruleset.h"
#include "test.h"

#include <fcntl.h>
#include <sys/syscall.h>

static bool find(const char *text, struct rule_field_ref *ret)
{
	return rule_field_find(str_of(text), ret, NULL);
}

#define FINDS(text, field, argument, nth)             \
	do {                                          \
		struct rule_field_ref f_ = {0};       \
		CHECK(find(text, &f_));               \
		CHECK_EQ(f_.id, field);               \
		CHECK(str_eq(f_.arg, STR(argument))); \
		CHECK_EQ(f_.index, nth);              \
	} while (0)

TEST(field_find)
{
	struct rule_field_ref f;
	const char *near;

	FINDS("fd.name", RF_fd_name, "", -1);
	FINDS("evt.type", RF_evt_type, "", -1);
	FINDS("evt.type.is[open]", RF_evt_type_is, "open", -1);
	FINDS("evt.type.is.open", RF_evt_type_is, "open", -1);
	FINDS("proc.aname", RF_proc_aname, "", -1);
	FINDS("proc.aname[2]", RF_proc_aname, "2", 2);
	FINDS("evt.arg.flags", RF_evt_arg, "flags", -1);
	FINDS("evt.arg[flags]", RF_evt_arg, "flags", -1);
	FINDS("evt.arg['flags']", RF_evt_arg, "flags", -1);
	FINDS("evt.rawarg.uid", RF_evt_rawarg, "uid", -1);
	FINDS("proc.env[PATH]", RF_proc_env, "PATH", -1);
	FINDS("proc.env", RF_proc_env, "", -1);
	FINDS("container.mount.dest[/proc*]", RF_container_mount_dest, "/proc*", -1);
	FINDS("container.mount.dest[\"/a b\"]", RF_container_mount_dest, "/a b", -1);
	FINDS("proc.exe_ino.ctime", RF_proc_exe_ino_ctime, "", -1);
	CHECK(!find("", &f));
	CHECK(!find("fd", &f));
	CHECK(!find("fd.", &f));
	CHECK(!find("fd.name[1]", &f));
	CHECK(!find("fd.name.x", &f));
	CHECK(!find("evt.arg", &f));
	CHECK(!find("evt.arg.", &f));
	CHECK(!find("evt.arg.nonsense", &f));
	CHECK(!find("proc.aname[x]", &f));
	CHECK(!find("proc.aname[-1]", &f));
	CHECK(!find("proc.aname[99999999999]", &f));
	CHECK(!find("proc.aname[", &f));
	CHECK(!find("proc.aname[]", &f));
	CHECK(!find("evt.type.is[nonsense]", &f));
	CHECK(!rule_field_find(STR("proc.nme"), &f, &near));
	CHECK_STREQ(near, "proc.name");
	CHECK(!rule_field_find(STR("qwertyuiop.asdf"), &f, &near) && !near);
}

TEST(field_types)
{
	struct rule_field_ref f;

	CHECK(find("proc.aname", &f) && f.type == RT_STRINGS);
	CHECK(find("proc.aname[1]", &f) && f.type == RT_STRING);
	CHECK(find("evt.arg.flags", &f) && f.type == RT_FLAGS);
	CHECK(find("evt.arg.request", &f) && f.type == RT_ENUM);
	CHECK(find("evt.arg.uid", &f) && f.type == RT_STRING);
	CHECK(find("evt.rawarg.uid", &f) && f.type == RT_INT);
	CHECK(find("fd.ip", &f) && f.type == RT_IPS);
	CHECK(find("fd.sport", &f) && f.type == RT_PORT);
	for (size_t i = 1; i < RULE_FIELDS; i++) {
		CHECK(rule_field_info[i].help && rule_field_info[i].help[0]);
		CHECK(rule_types[rule_field_info[i].type].name);
		CHECK(rule_class_name(rule_field_info[i].class));
		for (size_t k = 1; k < i; k++)
			if (!strcmp(rule_field_info[i].name, rule_field_info[k].name))
				CHECK(!"a field stands twice");
	}
}

static bool literal(enum rule_type type, const char *text, struct rule_literal *l)
{
	bool r = rule_literal_parse(type, str_of(text), l);

	CHECK_EQ(r, l->is_valid);
	return r;
}

TEST(literal_numbers)
{
	struct rule_literal l;

	CHECK(literal(RT_INT, "-5", &l) && l.number == -5);
	CHECK(literal(RT_INT, "0x1f", &l) && l.number == 31);
	CHECK(literal(RT_UINT, "18446744073709551615", &l) && l.number == -1);
	CHECK(!literal(RT_UINT, "-1", &l));
	CHECK(!literal(RT_INT, "9223372036854775808", &l));
	CHECK(!literal(RT_INT, "", &l));
	CHECK(!literal(RT_INT, "12x", &l));
	CHECK(!literal(RT_INT, " 12", &l));
	CHECK(!literal(RT_INT, "0x", &l));
	CHECK(literal(RT_RELTIME, "3600000000000", &l) && l.number == 3600000000000);
	CHECK(literal(RT_BOOL, "true", &l) && l.number == 1);
	CHECK(literal(RT_BOOL, "false", &l) && l.number == 0);
	CHECK(!literal(RT_BOOL, "1", &l));
	CHECK(literal(RT_PORT, "65535", &l) && l.number == 65535);
	CHECK(!literal(RT_PORT, "65536", &l));
	CHECK(literal(RT_PORTS, "ssh", &l) && l.number == 22);
	CHECK(!literal(RT_PORT, "nonsense", &l));
	CHECK(literal(RT_STRING, "", &l));
	CHECK(literal(RT_FLAGS, "O_CREAT", &l));
	CHECK(!rule_literal_parse(RT_INT, (struct str){"1\0002", 3}, &l));
}

TEST(literal_addresses)
{
	static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};
	struct rule_literal l;

	CHECK(literal(RT_IP, "10.1.2.3", &l) && l.prefix == 128 && !memcmp(l.ip, v4, 16));
	CHECK(literal(RT_NET, "10.1.2.3/8", &l) && l.prefix == 104);
	CHECK(literal(RT_IPS, "::1", &l) && l.prefix == 128 && l.ip[15] == 1);
	CHECK(literal(RT_IP, "2001:db8::/32", &l) && l.prefix == 32);
	CHECK(literal(RT_IP, "0.0.0.0/0", &l) && l.prefix == 96);
	CHECK(!literal(RT_IP, "10.1.2.3/33", &l));
	CHECK(!literal(RT_IP, "::/129", &l));
	CHECK(!literal(RT_IP, "10.1.2", &l));
	CHECK(!literal(RT_IP, "10.1.2.3/", &l));
	CHECK(!literal(RT_IP, "10.1.2.3/x", &l));
	CHECK(!literal(RT_IP, "host", &l));
}

static const char *flags(const char *field, uint64_t value)
{
	static char text[512];
	struct rule_field_ref f;
	struct buf b = {0};

	CHECK(find(field, &f));
	rule_flags_print(&f, value, &b);
	strcpy(text, b.p ? b.p : "");
	buf_done(&b);
	return text;
}

TEST(names_of_numbers)
{
	struct rule_field_ref f;
	size_t n;

	CHECK_STREQ(flags("evt.arg.flags", O_RDONLY), "O_RDONLY");
	CHECK_STREQ(flags("evt.arg.flags", O_RDWR | O_CREAT | O_TRUNC), "O_TRUNC|O_CREAT|O_RDWR");
	CHECK_STREQ(flags("evt.arg.flags", O_WRONLY | O_APPEND), "O_APPEND|O_WRONLY");
	CHECK_STREQ(flags("evt.arg.flags", O_ACCMODE), "O_RDONLY");
	CHECK_STREQ(flags("evt.arg.flags", O_SYNC), "O_SYNC|O_DSYNC|O_RDONLY");
	CHECK_STREQ(flags("evt.arg.flags", O_TMPFILE | O_RDWR), "O_DIRECTORY|O_RDWR|O_TMPFILE");
	CHECK_STREQ(flags("evt.arg.mode", 0644), "S_IROTH|S_IRGRP|S_IWUSR|S_IRUSR");
	CHECK_STREQ(flags("evt.arg.cmd", 5), "BPF_PROG_LOAD");
	CHECK_STREQ(flags("evt.arg.cmd", 10), "BPF_PROG_TEST_RUN|BPF_PROG_RUN");
	CHECK_STREQ(flags("evt.arg.cmd", 9999), "9999");
	CHECK_STREQ(flags("thread.cap_effective", 5), "CAP_CHOWN CAP_DAC_READ_SEARCH");
	CHECK_STREQ(flags("thread.cap_effective", 0), "");
	CHECK(find("evt.res", &f) && rule_names(&f, &n) && n > 130);
	CHECK(find("fd.name", &f) && !rule_names(&f, &n) && !n);
}

TEST(rows_of_arguments)
{
	size_t n;
	const struct rule_arg_info *rows = rule_args(&n), *a;
	struct wire_creds c = {.head = {.size = sizeof(c), .kind = EV_SETUID}, .nr = SYS_setuid};

	for (size_t i = 1; i < n; i++) { /* rows of one name stand together */
		bool is_new = strcmp(rows[i].name, rows[i - 1].name) != 0;

		CHECK(!is_new || rule_arg_find(str_of(rows[i].name), 0) == &rows[i]);
		CHECK(!rows[i].only || rule_event_find(str_of(rows[i].only)));
		CHECK(rows[i].type != RT_FLAGS || rows[i].names);
	}
	a = rule_arg_find(STR("flags"), EV_UNSHARE);
	CHECK(a && a->offset == offsetof(struct wire_sys, arg[0]));
	a = rule_arg_find(STR("mode"), EV_OPEN);
	CHECK(a && a->type == RT_UINT && a->format == 'o');
	CHECK(!rule_arg_find(STR("mode"), EV_KILL));
	CHECK(!rule_arg_find(STR("nonsense"), 0));
	CHECK(rule_arg_of(&c.head, STR("uid")));
	CHECK(!rule_arg_of(&c.head, STR("euid")));
	c.nr = SYS_setreuid;
	CHECK(!rule_arg_of(&c.head, STR("uid")));
	a = rule_arg_of(&c.head, STR("euid"));
	CHECK(a && !strcmp(a->only, "setreuid"));
}

TEST(events_by_name)
{
	size_t n;
	const struct rule_event_info *rows = rule_events(&n), *e;

	for (size_t i = 0; i < n; i++) {
		CHECK(rule_event_find(str_of(rows[i].name)) == &rows[i]);
		CHECK(!rows[i].as || rule_event_find(str_of(rows[i].as)));
	}
	e = rule_event_find(STR("openat"));
	CHECK(e && e->nr == SYS_openat &&
	      e->kinds == (KIND_BIT(EV_OPEN) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CREATE)));
	e = rule_event_find(STR("getpid"));
	CHECK(e && !e->kinds);
	CHECK(!rule_event_find(STR("nonsense")));
}

/* Every system call that a record can tell of has a name for rules, and is found by it. */
TEST(events_of_records)
{
	size_t n;
	const struct syscall_desc *calls = syscalls_get(&n);

	for (size_t i = 0; i < n; i++) {
		struct wire_file f = {.head = {.size = sizeof(f)}, .nr = calls[i].nr};
		const struct rule_event_info *e;

		f.head.kind = calls[i].desc.kind;
		if (calls[i].nr < 0 || body_of_kind(f.head.kind) != BODY_wire_file)
			continue;
		e = rule_event_of(&f.head);
		test_result(e && !strcmp(e->name, calls[i].name), __FILE__, __LINE__, "%s is %s",
			    calls[i].name, e ? e->name : "nothing");
		CHECK(e && rule_event_is(&f.head, e));
		if (calls[i].nr_ia32 < 0)
			continue;
		f.nr = calls[i].nr_ia32;
		f.head.flags = WIRE_F_COMPAT;
		CHECK(rule_event_of(&f.head) == e);
	}
}

TEST(events_that_count_as_others)
{
	struct wire_file f = {.head = {.size = sizeof(f), .kind = EV_OPEN}};

	f.nr = SYS_open_by_handle_at;
	CHECK(rule_event_is(&f.head, rule_event_find(STR("open_by_handle_at"))));
	CHECK(rule_event_is(&f.head, rule_event_find(STR("openat"))));
	CHECK(!rule_event_is(&f.head, rule_event_find(STR("open"))));
	f.nr = SYS_openat2;
	CHECK(rule_event_is(&f.head, rule_event_find(STR("openat2"))));
	CHECK(!rule_event_is(&f.head, rule_event_find(STR("openat"))));
	f.nr = 100000; /* a call of a newer kernel */
	CHECK_STREQ(rule_event_of(&f.head)->name, "openat");
}

/* --- rule sets */

static struct rule_check a_check(struct arena *a, const char *field, enum rule_op op,
				 const char *value)
{
	struct rule_check c = {.op = op};
	struct rule_term *right = arena_new(a, struct rule_term);

	c.left = arena_new(a, struct rule_term);
	CHECK(find(field, &c.left->field));
	right->kind = RULE_TERM_LITERAL;
	right->text = str_of(value);
	if (rule_op_info[op].values != RULE_V_NONE)
		array_push(a, &c.right, right);
	return c;
}

TEST(checks_are_made_once)
{
	struct ruleset rs;
	struct rule_check c;
	uint32_t first;

	ruleset_init(&rs);
	c = a_check(&rs.arena, "proc.name", RULE_EQ, "cat");
	first = ruleset_check(&rs, &c);
	c = a_check(&rs.arena, "proc.name", RULE_EQ, "cat");
	CHECK_EQ(ruleset_check(&rs, &c), first);
	c = a_check(&rs.arena, "proc.name", RULE_NE, "cat");
	CHECK(ruleset_check(&rs, &c) != first);
	c = a_check(&rs.arena, "proc.name", RULE_EQ, "dog");
	CHECK(ruleset_check(&rs, &c) != first);
	c = a_check(&rs.arena, "proc.aname[1]", RULE_EQ, "cat");
	CHECK(ruleset_check(&rs, &c) != first);
	c = a_check(&rs.arena, "proc.aname[2]", RULE_EQ, "cat");
	CHECK_EQ(ruleset_check(&rs, &c), 4);
	CHECK_EQ(rs.checks.n, 5);
	CHECK_EQ(rs.checks.p[4]->id, 4);
	ruleset_done(&rs);
}

#define PRINTS(text, field, op, value)                                       \
	do {                                                                 \
		struct rule_check c_ = a_check(&rs.arena, field, op, value); \
		buf_reset(&b);                                               \
		rule_check_print(&c_, &b);                                   \
		CHECK_STREQ(b.p, text);                                      \
	} while (0)

TEST(checks_are_printed)
{
	struct ruleset rs;
	struct rule_expr leaf = {.kind = RULE_E_CHECK},
			 not = {.kind = RULE_E_NOT}, and = {.kind = RULE_E_AND},
			 or = {.kind = RULE_E_OR};
	struct rule_check c;
	struct buf b = {0};

	ruleset_init(&rs);
	PRINTS("proc.name = cat", "proc.name", RULE_EQ, "cat");
	PRINTS("proc.name in (\"a b\")", "proc.name", RULE_IN, "a b");
	PRINTS("proc.name exists", "proc.name", RULE_EXISTS, "");
	PRINTS("proc.name = \"\"", "proc.name", RULE_EQ, "");
	PRINTS("proc.name = \"a\\\"\\n\\x01\"", "proc.name", RULE_EQ, "a\"\n\1");
	PRINTS("evt.arg.flags contains O_CREAT", "evt.arg[flags]", RULE_CONTAINS, "O_CREAT");
	PRINTS("proc.aname[3] = \"or\"", "proc.aname[3]", RULE_EQ, "or");
	PRINTS("container.mount.dest[/a*] != N/A", "container.mount.dest[/a*]", RULE_NE, "N/A");
	c = a_check(&rs.arena, "proc.name", RULE_STARTSWITH, "x");
	c.quantifier = RULE_Q_ANYOF;
	leaf.check = ruleset_check(&rs, &c);
	array_push(&rs.arena, & or.args, &leaf);
	array_push(&rs.arena, & or.args, &leaf);
	array_push(&rs.arena, &not .args, & or);
	array_push(&rs.arena, &and.args, &leaf);
	array_push(&rs.arena, &and.args, &not );
	buf_reset(&b);
	rule_expr_print(&rs, &and, &b);
	CHECK_STREQ(b.p, "proc.name startswith anyof (x) and not (proc.name startswith anyof (x) "
			 "or proc.name startswith anyof (x))");
	buf_done(&b);
	ruleset_done(&rs);
}

/* Rows of rule-type.def: of several values each is one, and of the same kind. */
TEST(types_of_items)
{
	for (unsigned int i = 0; i < RULE_TYPES; i++) {
		const struct rule_type_info *type = &rule_types[i], *item = &rule_types[type->item];
		struct rule_literal v;

		if (type->shape == RS_ONE)
			CHECK_EQ(type->item, i);
		CHECK_EQ(item->shape, RS_ONE);
		CHECK_EQ(item->value, type->value);
		CHECK(*type->name);
		/* what is no literal of a type is none: text and names are all literals */
		CHECK_EQ(rule_literal_parse(i, STR("no value"), &v),
			 type->value == RV_TEXT || type->value == RV_BYTES ||
				 type->value == RV_NAMED);
	}
}
