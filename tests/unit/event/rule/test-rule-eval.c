/* SPDX-License-Identifier: Apache-2.0 */
/* Every operator on every type, missing values, quantifiers, transformers, two names. */
#include "event/rule/build.h"
#include "event/rule/compare.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>

#define YES(...) CHECK(built_check(&b, __VA_ARGS__, NULL))
#define NO(...)	 CHECK(!built_check(&b, __VA_ARGS__, NULL))

/* cat /etc/passwd, by bash of sshd */
static void an_open(struct built *b)
{
	struct wire_file *f;

	built_init(b);
	built_process(b, 1, 0, "systemd", "/sbin/init", "/sbin/init");
	built_process(b, 9, 1, "sshd", "/usr/sbin/sshd", "sshd:\0alice");
	built_process(b, 10, 9, "bash", "/bin/bash", "-bash");
	built_process(b, 100, 10, "cat", "/bin/cat", "cat\0-n\0/etc/passwd");
	f = built_begin(b, EV_OPEN);
	f->head.ret = 3;
	f->head.uid = 1000;
	f->nr = SYS_openat;
	f->flags = O_RDONLY | O_CLOEXEC;
	built_str(b, offsetof(struct wire_file, path), "/etc/../etc//passwd");
	built_str(b, offsetof(struct wire_file, file), "/etc/passwd");
	built_feed(b);
}

TEST(eval_text)
{
	struct built b;

	an_open(&b);
	YES("fd.name", "=", "/etc/passwd");
	NO("fd.name", "=", "/etc/passw");
	NO("fd.name", "=", "/etc/passwd ");
	YES("fd.name", "!=", "/etc/shadow");
	NO("fd.name", "!=", "/etc/passwd");
	YES("fd.name", "exists");
	YES("fd.name", "contains", "/pass");
	YES("fd.name", "contains", "");
	NO("fd.name", "contains", "/Pass");
	YES("fd.name", "icontains", "/PASS");
	NO("fd.name", "icontains", "/PASSX");
	YES("fd.name", "bcontains", "2f657463");
	NO("fd.name", "bcontains", "2f65746"); /* half a byte */
	NO("fd.name", "bcontains", "2f6574zz");
	YES("fd.name", "bstartswith", "2F657463");
	NO("fd.name", "bstartswith", "657463");
	YES("fd.name", "startswith", "/etc/");
	YES("fd.name", "startswith", "");
	NO("fd.name", "startswith", "etc");
	YES("fd.name", "endswith", "passwd");
	NO("fd.name", "endswith", "passw");
	YES("fd.name", "endswith", "");
	YES("fd.name", "glob", "/*wd");
	YES("fd.name", "glob", "/etc/pass[a-w]d");
	NO("fd.name", "glob", "*/PASS*");
	YES("fd.name", "iglob", "*/PASS*");
	NO("fd.name", "glob", "/etc");
	YES("fd.name", "regex", "/[a-z]+/pass(wd|xx)");
	YES("fd.name", "regex", "^/etc/.*$");
	NO("fd.name", "regex", "/etc");
	NO("fd.name", "regex", "(");
	YES("fd.name", "in", "/a", "/etc/passwd");
	NO("fd.name", "in", "/a", "/etc");
	NO("fd.name", "in", NULL);
	YES("fd.name", "intersects", "/etc/passwd");
	YES("fd.name", "<", "/etc/q");
	NO("fd.name", "<", "/etc/passwd");
	YES("fd.name", "<=", "/etc/passwd");
	YES("fd.name", ">", "/etc");
	YES("fd.name", ">=", "/etc/passwd");
	NO("fd.name", ">", "/etc/passwd");
	built_done(&b);
}

TEST(eval_pmatch)
{
	struct built b;

	an_open(&b);
	YES("fd.name", "pmatch", "/etc");
	YES("fd.name", "pmatch", "/");
	YES("fd.name", "pmatch", "/etc/");
	YES("fd.name", "pmatch", "/var", "/etc/passwd");
	NO("fd.name", "pmatch", "/et", "/etc/pass", "/etc/passwd/x");
	YES("fd.name", "pmatch", "/e*");
	YES("fd.name", "pmatch", "/*/p?sswd");
	NO("fd.name", "pmatch", "/*/shadow", "/[f-z]tc");
	NO("fd.name", "pmatch", "/*passwd"); /* a component does not cross '/' */
	built_done(&b);
}

TEST(eval_missing)
{
	static const char *const ops[] = {"=",	  "!=",	      "<",	   "<=",	 ">",
					  ">=",	  "contains", "icontains", "startswith", "endswith",
					  "glob", "regex",    "in",	   "pmatch"};
	struct built b;

	an_open(&b);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		NO("fd.sport", ops[i], "1");
		NO("proc.aname[4]", ops[i], "x");
		NO("container.image.repository", ops[i], "x");
		NO("evt.arg.target", ops[i], "x");
		NO("fd.sip", ops[i], "1.2.3.4");
		NO("fd.ip", ops[i], "1.2.3.4");
	}
	NO("fd.sport", "exists");
	NO("fd.ip", "exists");
	YES("proc.aname", "exists");
	built_done(&b);
}

TEST(eval_numbers)
{
	struct built b;

	an_open(&b);
	YES("fd.num", "=", "3");
	YES("fd.num", ">=", "0");
	YES("fd.num", ">", "-1");
	NO("fd.num", "<", "-1");
	YES("fd.num", "<=", "3");
	NO("fd.num", ">", "3");
	YES("fd.num", "<", "0x10");
	YES("fd.num", "!=", "4");
	YES("fd.num", "in", "1", "2", "3");
	NO("fd.num", "in", "1", "2");
	YES("fd.num", "exists");
	NO("fd.num", "=", "three");
	YES("fd.num", "!=", "three");
	YES("user.uid", "=", "1000");
	YES("user.uid", ">", "999");
	YES("proc.pid", "startswith", "10"); /* digits, where a rule wants text */
	YES("evt.is_open_read", "=", "true");
	YES("evt.is_open_read", "!=", "false");
	NO("evt.is_open_write", "=", "true");
	YES("evt.is_open_write", "=", "false");
	YES("evt.is_open_write", "in", "false");
	YES("proc.duration", ">", "1000000000");
	NO("proc.duration", "<", "1000000000");
	YES("evt.rawtime", ">", "1700000000000000000");
	built_done(&b);
}

TEST(eval_flags)
{
	struct built b;

	an_open(&b);
	YES("evt.arg.flags", "=", "O_RDONLY|O_CLOEXEC");
	YES("evt.arg.flags", "contains", "O_RDONLY");
	NO("evt.arg.flags", "contains", "O_WRONLY");
	YES("evt.arg.flags", "startswith", "O_R");
	YES("evt.arg.flags", "glob", "*O_CLOEXEC");
	YES("evt.arg[flags]", "icontains", "o_cloexec");
	NO("evt.arg.flags", "in", "O_RDONLY", "O_CLOEXEC");
	YES("evt.rawarg.flags", "exists");
	YES("evt.res", "=", "SUCCESS");
	NO("evt.res", "startswith", "E");
	built_done(&b);
}

TEST(eval_event_type)
{
	struct built b;
	struct wire_file *f;

	an_open(&b);
	YES("evt.type", "=", "openat");
	YES("evt.type", "in", "open", "openat", "openat2");
	NO("evt.type", "=", "open");
	YES("evt.type", "!=", "open");
	NO("evt.type", "!=", "openat");
	YES("evt.type", "startswith", "open");
	YES("evt.type", "exists");
	YES("evt.type.is[openat]", "=", "true");
	NO("evt.type.is[open]", "=", "true");
	/* a call that counts as another one */
	f = built_begin(&b, EV_OPEN);
	f->nr = SYS_open_by_handle_at;
	built_feed(&b);
	YES("evt.type", "=", "open_by_handle_at");
	YES("evt.type", "=", "openat");
	YES("evt.type", "in", "open", "openat");
	NO("evt.type", "!=", "openat");
	NO("evt.type", "=", "open");
	YES("evt.type", "!=", "open");
	YES("evt.type", "contains", "handle");
	CHECK_STREQ(built_get(&b, "evt.type"), "open_by_handle_at");
	/* a fork is told the same whatever the call was */
	((struct wire_fork *)built_begin(&b, EV_FORK))->child_pid = 200;
	built_feed(&b);
	YES("evt.type", "=", "clone");
	YES("evt.type", "=", "vfork");
	NO("evt.type", "=", "execve");
	built_done(&b);
}

/* From 10.0.0.5:40000 to 192.0.2.7:443. */
static struct wire_sock *a_connection(struct built *b)
{
	struct wire_sock *s = built_begin(b, EV_NETCALL);

	s->nr = SYS_connect;
	s->fd = 5;
	s->family = AF_INET;
	s->type = SOCK_STREAM;
	s->protocol = 6;
	s->bits = WIRE_SOCK_CONNECTED;
	s->sport = 40000;
	s->dport = 443;
	inet_pton(AF_INET, "10.0.0.5", s->saddr);
	inet_pton(AF_INET, "192.0.2.7", s->daddr);
	return s;
}

TEST(eval_addresses)
{
	struct built b;

	built_init(&b);
	a_connection(&b);
	built_feed(&b);
	YES("fd.sip", "=", "192.0.2.7");
	NO("fd.sip", "=", "10.0.0.5");
	YES("fd.cip", "=", "10.0.0.5");
	YES("fd.sip", "!=", "10.0.0.5");
	YES("fd.sip", "!=", "::1");
	NO("fd.sip", "=", "nonsense");
	YES("fd.sip", "!=", "nonsense");
	YES("fd.sip", "in", "1.1.1.1", "192.0.2.7");
	YES("fd.sip", "exists");
	YES("fd.snet", "=", "192.0.2.0/24");
	YES("fd.snet", "in", "10.0.0.0/8", "192.0.0.0/16");
	NO("fd.snet", "=", "10.0.0.0/8");
	YES("fd.snet", "!=", "10.0.0.0/8");
	NO("fd.snet", "!=", "192.0.2.0/24");
	YES("fd.snet", "=", "0.0.0.0/0");
	NO("fd.snet", "=", "::/0"); /* another family */
	YES("fd.snet", "!=", "::/0");
	YES("fd.snet", "=", "192.0.2.6/31");
	NO("fd.snet", "=", "192.0.2.4/31");
	/* both ends: one is enough, != wants both */
	YES("fd.ip", "=", "192.0.2.7");
	YES("fd.ip", "=", "10.0.0.5");
	NO("fd.ip", "!=", "10.0.0.5");
	YES("fd.ip", "!=", "10.0.0.6");
	YES("fd.ip", "in", "1.2.3.4", "10.0.0.5");
	YES("fd.net", "=", "10.0.0.0/8");
	NO("fd.net", "!=", "10.0.0.0/8");
	YES("fd.net", "in", "172.16.0.0/12", "192.0.2.0/24");
	NO("fd.net", "in", "172.16.0.0/12");
	YES("fd.ip", "exists");
	YES("fd.port", "=", "443");
	YES("fd.port", "=", "https");
	YES("fd.port", "=", "40000");
	NO("fd.port", "!=", "443");
	YES("fd.port", "!=", "22");
	YES("fd.port", "<", "1024");
	YES("fd.port", ">", "1024");
	YES("fd.port", "in", "22", "443");
	NO("fd.port", ">", "50000");
	YES("fd.sport", "=", "443");
	NO("fd.sport", ">", "443");
	YES("fd.sport", ">=", "443");
	built_done(&b);
}

TEST(eval_v6)
{
	struct built b;
	struct wire_sock *s;

	built_init(&b);
	s = a_connection(&b);
	s->family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::1", s->saddr);
	inet_pton(AF_INET6, "2001:db8:1::2", s->daddr);
	built_feed(&b);
	YES("fd.sip", "=", "2001:db8:1:0::2");
	YES("fd.snet", "=", "2001:db8::/32");
	NO("fd.snet", "=", "2001:db9::/32");
	YES("fd.snet", "=", "2001:db8::/47");
	NO("fd.snet", "=", "0.0.0.0/0");
	YES("fd.net", "=", "2001:db8:1::/48");
	YES("fd.ip", "!=", "10.0.0.1");
	/* mapped: what a program that knows only IPv6 connects to */
	s = a_connection(&b);
	s->family = AF_INET6;
	inet_pton(AF_INET6, "::ffff:10.0.0.5", s->saddr);
	inet_pton(AF_INET6, "::ffff:192.0.2.7", s->daddr);
	built_feed(&b);
	YES("fd.sip", "=", "192.0.2.7");
	YES("fd.snet", "=", "192.0.2.0/24");
	CHECK_STREQ(built_get(&b, "fd.sip"), "192.0.2.7");
	built_done(&b);
}

TEST(eval_quantifiers)
{
	struct built b;

	an_open(&b);
	YES("fd.name", "startswith anyof", "/var", "/etc");
	NO("fd.name", "startswith anyof", "/var", "/tmp");
	YES("fd.name", "startswith anyof", "/e", "/etc");
	NO("fd.name", "startswith oneof", "/e", "/etc"); /* two of them */
	YES("fd.name", "startswith oneof", "/var", "/etc");
	NO("fd.name", "startswith oneof", "/var");
	YES("fd.name", "startswith allof", "/e", "/etc");
	NO("fd.name", "startswith allof", "/e", "/var");
	YES("fd.name", "!= allof", "/a", "/b");
	NO("fd.name", "!= allof", "/a", "/etc/passwd");
	YES("fd.name", "= anyof", "/a", "/etc/passwd");
	YES("fd.name", "regex anyof", "/var/.*", "/etc/.*");
	NO("fd.name", "contains allof", NULL);
	NO("fd.name", "contains anyof", NULL);
	NO("fd.sport", "!= allof", "1");
	built_done(&b);
}

TEST(eval_val)
{
	struct built b;

	an_open(&b);
	YES("fd.name", "=", "val:fd.path.real");
	YES("fd.name", "!=", "val:fd.nameraw");
	NO("proc.name", "=", "val:proc.pname");
	YES("proc.name", "in", "val:proc.pname", "val:proc.name");
	NO("fd.name", "=", "val:fd.sip.name"); /* missing on the right */
	NO("fd.name", "!=", "val:fd.sip.name");
	YES("user.uid", "=", "val:user.uid");
	YES("proc.pid", ">", "val:proc.ppid");
	built_done(&b);
}

TEST(eval_ancestors)
{
	struct built b;

	an_open(&b);
	YES("proc.pname", "=", "bash");
	YES("proc.aname[1]", "=", "bash");
	YES("proc.aname[2]", "=", "sshd");
	YES("proc.aname[3]", "=", "systemd");
	NO("proc.aname[4]", "!=", "x");
	YES("proc.aname[0]", "=", "cat");
	YES("proc.aname", "=", "sshd");
	YES("proc.aname", "in", "nginx", "sshd");
	NO("proc.aname", "=", "cat"); /* itself is no ancestor */
	NO("proc.aname", "in", "nginx", "cat");
	YES("proc.aname", "!=", "sshd"); /* some ancestor is another */
	YES("proc.aname", "startswith", "ss");
	YES("proc.aexepath", "=", "/usr/sbin/sshd");
	YES("proc.acmdline", "contains", "alice");
	YES("proc.apid[2]", "=", "9");
	built_done(&b);
}

static const char *shown(struct built *b, struct rule_term *t)
{
	struct rule_value v;
	struct buf text = {0};
	const char *s = "-";

	if (!rule_term_get(&b->re, t, &v))
		return s;
	rule_value_print(&v, &text);
	s = arena_strndup(&b->arena, text.p ? text.p : "", text.n);
	buf_done(&text);
	return s;
}

TEST(eval_transformers)
{
	struct built b;
	struct rule_check *c;

	an_open(&b);
#define F(name)	  built_field(&b, name)
#define L(text)	  built_literal(&b, text)
#define T(t, ...) shown(&b, built_transform(&b, RULE_T_##t, __VA_ARGS__, NULL))
	CHECK_STREQ(T(TOUPPER, F("proc.name")), "CAT");
	CHECK_STREQ(T(TOLOWER, L("ABCx")), "abcx");
	CHECK_STREQ(T(BASENAME, F("fd.name")), "passwd");
	CHECK_STREQ(T(BASENAME, F("proc.name")), "cat");
	CHECK_STREQ(T(BASENAME, L("/etc/")), "");
	CHECK_STREQ(T(LEN, F("fd.name")), "11");
	CHECK_STREQ(T(LEN, L("")), "0");
	CHECK_STREQ(T(B64, L("aGVsbG8=")), "hello");
	CHECK_STREQ(T(B64, L("aGVsbG8")), "hello");
	CHECK_STREQ(T(B64, L("a!b")), "-");
	CHECK_STREQ(T(JOIN, L(","), F("proc.name"), L("x")), "cat,x");
	CHECK_STREQ(T(CONCAT, F("proc.name"), L(":"), F("proc.pname")), "cat:bash");
	CHECK_STREQ(T(TOLOWER, F("fd.sip.name")), "-");
	CHECK_STREQ(T(CONCAT, L("a"), F("fd.sip.name")), "-");
	CHECK_STREQ(shown(&b,
			  built_transform(&b, RULE_T_TOUPPER,
					  built_transform(&b, RULE_T_BASENAME, F("fd.name"), NULL),
					  NULL)),
		    "PASSWD");
	c = built_make(&b, "fd.name", "=", "PASSWD", NULL);
	c->left = built_transform(&b, RULE_T_TOUPPER,
				  built_transform(&b, RULE_T_BASENAME, F("fd.name"), NULL), NULL);
	CHECK(rule_check_eval(&b.re, c));
	c = built_make(&b, "fd.num", ">", "10", NULL);
	c->left = built_transform(&b, RULE_T_LEN, F("fd.name"), NULL);
	CHECK(rule_check_eval(&b.re, c));
	built_done(&b);
}

TEST(eval_getopt)
{
	struct built b;
	struct rule_term *t;
	struct rule_check *c;

	an_open(&b);
	t = built_transform(&b, RULE_T_GETOPT, L("-nt"), L("value"), L("-v"), L("rest"), L("-x"),
			    L("nt:v"), NULL);
	CHECK_STREQ(shown(&b, t), "n t value v");
	t->index = STR("t");
	CHECK_STREQ(shown(&b, t), "value");
	t->index = STR("v");
	CHECK_STREQ(shown(&b, t), "v");
	t->index = STR("x");
	CHECK_STREQ(shown(&b, t), "-"); /* behind the first word that is no option */
	CHECK_STREQ(T(GETOPT, L("-q"), L("--long"), L("-n"), L("--"), L("-n"), L("n")), "? n");
	c = built_make(&b, "fd.name", "intersects", "n", "z", NULL);
	c->left = built_transform(&b, RULE_T_GETOPT, L("-nv"), L("nv"), NULL);
	CHECK(rule_check_eval(&b.re, c));
	c->op = RULE_IN; /* all of them */
	CHECK(!rule_check_eval(&b.re, c));
	c = built_make(&b, "fd.name", "in", "n", "v", NULL);
	c->left = built_transform(&b, RULE_T_GETOPT, L("-nv"), L("nv"), NULL);
	CHECK(rule_check_eval(&b.re, c));
	built_done(&b);
}

/* --- conditions */

static struct rule_expr *leaf(struct built *b, struct ruleset *rs, const struct rule_check *c)
{
	struct rule_expr *x = arena_new(&b->arena, struct rule_expr);

	x->kind = RULE_E_CHECK;
	x->check = ruleset_check(rs, c);
	return x;
}

static struct rule_expr *node(struct built *b, enum rule_expr_kind kind, ...)
{
	struct rule_expr *x = arena_new(&b->arena, struct rule_expr), *arg;
	va_list list;

	x->kind = kind;
	va_start(list, kind);
	while ((arg = va_arg(list, struct rule_expr *)))
		array_push(&b->arena, &x->args, arg);
	va_end(list);
	return x;
}

TEST(eval_logic)
{
	struct built b;
	struct ruleset rs;
	struct rule_expr *yes, *no, *missing;

	an_open(&b);
	ruleset_init(&rs);
	yes = leaf(&b, &rs, built_make(&b, "fd.num", "=", "3", NULL));
	no = leaf(&b, &rs, built_make(&b, "fd.num", "=", "4", NULL));
	missing = leaf(&b, &rs, built_make(&b, "fd.sport", "!=", "4", NULL));
#define HOLDS(...) rule_expr_eval(&b.re, &rs, __VA_ARGS__)
	CHECK(HOLDS(node(&b, RULE_E_AND, yes, yes, NULL)));
	CHECK(!HOLDS(node(&b, RULE_E_AND, yes, no, NULL)));
	CHECK(HOLDS(node(&b, RULE_E_OR, no, yes, NULL)));
	CHECK(!HOLDS(node(&b, RULE_E_OR, no, missing, NULL)));
	CHECK(HOLDS(node(&b, RULE_E_NOT, no, NULL)));
	CHECK(HOLDS(node(&b, RULE_E_NOT, missing, NULL)));
	CHECK(!HOLDS(node(&b, RULE_E_NOT, node(&b, RULE_E_NOT, missing, NULL), NULL)));
	CHECK(HOLDS(&(struct rule_expr){.kind = RULE_E_CONST, .value = true}));
	CHECK(!HOLDS(&(struct rule_expr){.kind = RULE_E_CONST}));
	ruleset_done(&rs);
	built_done(&b);
}

/* A link leads elsewhere: a rule on the place it leads to matches, and on the link, too. */
TEST(eval_two_names)
{
	struct built b;
	struct ruleset rs;
	struct rule rule = {.name = "r"};
	struct wire_file *f;
	bool resolved;
	struct rule_reasons why;
	struct buf json = {0};

	built_init(&b);
	ruleset_init(&rs);
	f = built_begin(&b, EV_OPEN);
	f->nr = SYS_openat;
	f->head.ret = 3;
	built_str(&b, offsetof(struct wire_file, path), "link/../shadow");
	built_str(&b, offsetof(struct wire_file, dir), "/tmp/x");
	built_str(&b, offsetof(struct wire_file, file), "/etc/shadow");
	built_feed(&b);
	CHECK_STREQ(built_get(&b, "fd.name"), "/tmp/x/shadow");
	CHECK_STREQ(built_get(&b, "fd.path.real"), "/etc/shadow");

	rule.expr = leaf(&b, &rs, built_make(&b, "fd.name", "=", "/etc/shadow", NULL));
	CHECK(rule_match(&b.re, &rs, &rule, &resolved) && resolved);
	CHECK_STREQ(built_shown(&b, "fd.name"), "/tmp/x/shadow");
	rule_why(&b.re, &rs, &rule, &why);
	CHECK(why.does_match && why.by_resolved && !b.re.use_resolved);
	CHECK_EQ(why.checks.n, 1);
	CHECK(why.checks.p[0].is_true && why.checks.p[0].has_value);
	CHECK(str_eq(why.checks.p[0].value.text, STR("/etc/shadow")));
	rule_value_json(&why.checks.p[0].value, &json);
	CHECK_STREQ(json.p, "\"/etc/shadow\"");
	rule.expr = leaf(&b, &rs, built_make(&b, "fd.name", "startswith", "/tmp", NULL));
	CHECK(rule_match(&b.re, &rs, &rule, &resolved) && !resolved);
	/* never a mixture: no one name is both */
	rule.expr = node(&b, RULE_E_AND,
			 leaf(&b, &rs, built_make(&b, "fd.name", "startswith", "/tmp", NULL)),
			 leaf(&b, &rs, built_make(&b, "fd.name", "=", "/etc/shadow", NULL)), NULL);
	CHECK(!rule_match(&b.re, &rs, &rule, &resolved));
	rule.expr =
		node(&b, RULE_E_NOT,
		     leaf(&b, &rs, built_make(&b, "fd.name", "startswith", "/tmp", NULL)), NULL);
	CHECK(rule_match(&b.re, &rs, &rule, &resolved) && resolved);
	rule.expr = leaf(&b, &rs, built_make(&b, "fd.name", "=", "/nowhere", NULL));
	CHECK(!rule_match(&b.re, &rs, &rule, &resolved) && !resolved);
	/* the other fields of the name follow */
	rule.expr = leaf(&b, &rs, built_make(&b, "fd.directory", "=", "/etc", NULL));
	CHECK(rule_match(&b.re, &rs, &rule, &resolved) && resolved);
	rule.expr = leaf(&b, &rs, built_make(&b, "evt.arg.name", "=", "/etc/shadow", NULL));
	CHECK(rule_match(&b.re, &rs, &rule, &resolved) && resolved);
	buf_done(&json);
	ruleset_done(&rs);
	built_done(&b);
}

TEST(regex_bounds)
{
	struct regexes *r = regexes_new();
	char many[64];

	memset(many, 'a', sizeof(many));
	CHECK(!regex_fits(r, STR("(a+)+b"), (struct str){many, sizeof(many)}));
	CHECK(regex_fits(r, STR("a{64}"), (struct str){many, sizeof(many)}));
	CHECK(!regex_fits(r, STR("a{63}"), (struct str){many, sizeof(many)}));
	CHECK(regex_fits(r, STR("[[:alpha:]]+"), STR("abc")));
	CHECK(regex_fits(r, STR(".."), STR("\xc3\xa9x")));    /* letters, not bytes */
	CHECK(regex_fits(r, STR("a.*z"), STR("a\xff\xfez"))); /* bytes that are no letters */
	CHECK(regex_fits(r, STR(""), STR("")));
	CHECK(!regex_fits(r, STR(""), STR("x")));
	CHECK(!regex_fits(r, STR("["), STR("[")));
	CHECK(regex_fits(NULL, STR("a|b"), STR("b")));
	CHECK(!regex_fits(NULL, STR("a|b"), STR("ab")));
	regexes_free(r);
}
