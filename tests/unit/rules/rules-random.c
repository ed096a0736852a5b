/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules-random.h"

#include "base/macro.h"
#include "catalog/ruleset.h"

#include <stdio.h>

#define PICK(r, list) ((list)[random_below(r, ELEMENTS(list))])

static const char *const words[] = {
	"sh",	  "bash",  "cat",    "ls",     "nginx",	  "python3",   "sshd",
	"a",	  "",	   "-c",     "foo",    "foo bar", "-o a=b",    "x",
	"X",	  "Nginx", "ssh",    "sudo",   "ab*c",	  "a.b",       "ba",
	"<NA>",	  "host",  "alpine", "docker", "kube",	  "PATH=/bin", "LD_A=",
	"HTTP_P", "app",   "e",	     "true",   "12",	  "0",	       "a-long-name-of-a-program",
};
static const char *const paths[] = {
	"/etc",
	"/etc/passwd",
	"/etc/shadow",
	"/etc/ssh/sshd_config",
	"/usr/bin/ls",
	"/usr/bin",
	"/tmp",
	"/tmp/x",
	"/tmp/.x",
	"/dev/shm/a",
	"/dev/null",
	"/proc/1/environ",
	"/",
	"/a",
	"/a/b",
	"/a/b/c",
	"/root/.ssh",
	"/root/.bashrc",
	"/var/lib/dpkg/x",
	"/etc/passwd.bak",
	"/ETC/passwd",
	"/usr/sbin/sshd",
	"/a/a/a/a",
	"/home/u/.ssh/authorized_keys",
};
static const char *const ips[] = {
	"127.0.0.1", "10.1.2.3", "192.168.1.1", "8.8.8.8", "0.0.0.0",
	"::1",	     "fe80::1",	 "2001:db8::5", "::",	   "172.16.0.9",
};
static const char *const nets[] = {
	"127.0.0.0/8", "10.0.0.0/8",	"192.168.0.0/16", "0.0.0.0/0",	"fe80::/10",
	"::1/128",     "2001:db8::/33", "::/0",		  "8.8.8.8/32", "10.1.2.0/23",
};
static const char *const numbers[] = {"0",  "1",   "2",	   "3",	   "4",	    "5",    "22",
				      "80", "443", "1000", "1024", "65535", "4096", "7"};
static const char *const ints[] = {"0", "-1", "1", "-2", "-13", "-115", "3", "5", "100"};
static const char *const short_words[] = {"f",	  "d",	       "4",    "6",	  "u",
					  "file", "directory", "ipv4", "ipv6",	  "unix",
					  "tcp",  "udp",       "icmp", "raw",	  "ip",
					  "read", "write",     "net",  "process", "<"};

const char *random_word(struct random *r)
{
	return PICK(r, words);
}
const char *random_path(struct random *r)
{
	return PICK(r, paths);
}
const char *random_ip(struct random *r)
{
	return PICK(r, ips);
}

/* --- literals */

static void put_quoted(struct buf *to, const char *s)
{
	buf_putc(to, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_putc(to, '\\');
		buf_putc(to, *s);
	}
	buf_putc(to, '"');
}

/* A text, or a piece of one, or a pattern. */
static void put_text(struct random *r, const struct rule_field_ref *f, enum rule_op op,
		     struct buf *to)
{
	char text[128];
	const struct rule_name *names;
	const struct rule_event_info *events;
	size_t n, from;

	names = rule_names(f, &n);
	if (names && n && !random_one_in(r, 6)) {
		snprintf(text, sizeof(text), "%s", names[random_below(r, (uint32_t)n)].name);
	} else if (f->id == RF_evt_type || f->id == RF_syscall_type) {
		events = rule_events(&n);
		snprintf(text, sizeof(text), "%s", events[random_below(r, (uint32_t)n)].name);
	} else {
		snprintf(text, sizeof(text), "%s",
			 random_one_in(r, 3)   ? random_word(r)
			 : random_one_in(r, 4) ? PICK(r, short_words)
					       : random_path(r));
	}
	n = strlen(text);
	if (op == RULE_BCONTAINS || op == RULE_BSTARTSWITH) {
		buf_putc(to, '"');
		for (size_t i = 0; i < n; i++)
			buf_printf(to, "%02x", (unsigned char)text[i]);
		buf_putc(to, '"');
		return;
	}
	if (op != RULE_EQ && op != RULE_NE && op != RULE_IN && n > 3 && random_one_in(r, 2)) {
		from = random_below(r, (uint32_t)n / 2);
		if (op == RULE_STARTSWITH)
			from = 0;
		memmove(text, text + from, n - from + 1);
		if (random_one_in(r, 2) && op != RULE_ENDSWITH)
			text[1 + random_below(r, (uint32_t)(n - from))] = 0;
	}
	if ((op == RULE_GLOB || op == RULE_IGLOB || op == RULE_PMATCH) && *text &&
	    random_one_in(r, 2))
		text[random_below(r, (uint32_t)strlen(text))] = "*?["[random_below(r, 3)];
	put_quoted(to, text);
}

static void put_literal(struct random *r, const struct rule_field_ref *f, enum rule_op op,
			struct buf *to)
{
	switch (rule_types[f->type].value) {
	case RV_SIGNED:
		buf_puts(to, PICK(r, ints));
		return;
	case RV_UNSIGNED:
	case RV_PORT:
		buf_puts(to, PICK(r, numbers));
		return;
	case RV_BOOL:
		buf_puts(to, random_one_in(r, 2) ? "true" : "false");
		return;
	case RV_ADDRESS:
		put_quoted(to, random_one_in(r, 2) ? PICK(r, ips) : PICK(r, nets));
		return;
	case RV_TEXT:
	case RV_BYTES:
	case RV_NAMED:
		put_text(r, f, op, to);
		return;
	}
}

/* --- fields */

static const enum rule_field favourites[] = {
	RF_fd_name,
	RF_fd_name,
	RF_fd_directory,
	RF_fd_filename,
	RF_fd_nameraw,
	RF_fd_path_real,
	RF_proc_name,
	RF_proc_pname,
	RF_proc_aname,
	RF_proc_exe,
	RF_proc_exepath,
	RF_proc_args,
	RF_proc_cmdline,
	RF_proc_pcmdline,
	RF_proc_exeline,
	RF_proc_cwd,
	RF_proc_env,
	RF_evt_is_open_read,
	RF_evt_res,
	RF_evt_is_open_write,
	RF_evt_rawres,
	RF_fd_num,
	RF_fd_typechar,
	RF_evt_type,
	RF_evt_arg,
	RF_evt_arg,
	RF_evt_rawarg,
	RF_user_name,
	RF_user_uid,
	RF_user_loginuid,
	RF_fd_sip,
	RF_fd_snet,
	RF_fd_ip,
	RF_fd_net,
	RF_fd_sport,
	RF_fd_port,
	RF_fd_cport,
	RF_fd_l4proto,
	RF_fd_type,
	RF_container_id,
	RF_container_name,
	RF_container_image,
	RF_thread_cap_effective,
	RF_proc_vpid,
	RF_proc_tty,
	RF_proc_duration,
};

/* A field with its argument, as text; its type in *ret. */
static void put_field(struct random *r, struct buf *to, struct rule_field_ref *ret)
{
	size_t n, begin = to->n;
	const struct rule_arg_info *args = rule_args(&n);
	const struct rule_event_info *events;

	for (;;) {
		enum rule_field f = random_one_in(r, 3) ? 1 + random_below(r, RULE_FIELDS - 1)
							: PICK(r, favourites);
		const struct rule_field_info *info = &rule_field_info[f];

		to->n = begin;
		buf_puts(to, info->name);
		if (f == RF_evt_arg || f == RF_evt_rawarg) {
			args = rule_args(&n);
			buf_printf(to, ".%s", args[random_below(r, (uint32_t)n)].name);
		} else if (f == RF_evt_type_is) {
			events = rule_events(&n);
			buf_printf(to, ".%s", events[random_below(r, (uint32_t)n)].name);
		} else if (info->arg == RA_INDEX ||
			   (info->arg == RA_INDEX_OPT && !random_one_in(r, 3))) {
			buf_printf(to, "[%u]", random_below(r, 10));
		} else if (info->arg == RA_NAME ||
			   (info->arg == RA_NAME_OPT && random_one_in(r, 3))) {
			buf_printf(to, "[%s]", random_one_in(r, 2) ? "PATH" : "/etc");
		}
		if (rule_field_find((struct str){to->p + begin, to->n - begin}, ret, NULL))
			return;
	}
}

/* --- checks */

static const enum rule_op text_ops[] = {
	RULE_EQ,	 RULE_EQ,	  RULE_NE,     RULE_CONTAINS, RULE_ICONTAINS,
	RULE_STARTSWITH, RULE_ENDSWITH,	  RULE_GLOB,   RULE_IGLOB,    RULE_IN,
	RULE_IN,	 RULE_INTERSECTS, RULE_PMATCH, RULE_EXISTS,   RULE_REGEX,
};
static const enum rule_op number_ops[] = {
	RULE_EQ, RULE_EQ, RULE_NE, RULE_LT, RULE_LE, RULE_GT, RULE_GE, RULE_IN, RULE_EXISTS,
};
static const enum rule_op other_ops[] = {RULE_EQ, RULE_NE, RULE_IN, RULE_EXISTS};

static enum rule_op pick_op(struct random *r, enum rule_type type)
{
	switch (rule_types[type].value) {
	case RV_BYTES:
		if (random_one_in(r, 2))
			return random_one_in(r, 2) ? RULE_BCONTAINS : RULE_BSTARTSWITH;
		return PICK(r, text_ops);
	case RV_TEXT:
	case RV_NAMED:
		return PICK(r, text_ops);
	case RV_SIGNED:
	case RV_UNSIGNED:
	case RV_PORT:
		return PICK(r, number_ops);
	case RV_BOOL:
	case RV_ADDRESS:
		break;
	}
	return PICK(r, other_ops);
}

static void put_list(struct random *r, const struct rule_field_ref *f, enum rule_op op,
		     struct buf *to)
{
	unsigned int n = 1 + random_below(r, 4);

	buf_putc(to, '(');
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			buf_puts(to, ", ");
		put_literal(r, f, op, to);
	}
	buf_putc(to, ')');
}

static bool takes_quantifier(enum rule_op op)
{
	return op == RULE_CONTAINS || op == RULE_ICONTAINS || op == RULE_STARTSWITH ||
	       op == RULE_ENDSWITH || op == RULE_GLOB || op == RULE_IGLOB || op == RULE_EQ ||
	       op == RULE_NE;
}

static void put_check(struct random *r, struct buf *to)
{
	static const char *const quantifiers[] = {"oneof", "anyof", "allof"};
	struct rule_field_ref f; /* its argument is a part of `name` */
	_cleanup_buf_ struct buf name = {0};
	bool is_text, is_case;
	enum rule_op op;

	put_field(r, &name, &f);
	is_text = f.type == RT_STRING;
	is_case = is_text && random_one_in(r, 16);
	op = pick_op(r, f.type);
	if (is_case && op == RULE_EXISTS)
		op = RULE_EQ;
	if (is_case)
		buf_printf(to, "%s(%s)", random_one_in(r, 2) ? "tolower" : "toupper", name.p);
	else
		buf_puts(to, name.p);
	buf_printf(to, " %s ", rule_op_info[op].text);
	if (rule_op_info[op].values == RULE_V_NONE)
		return;
	if (rule_op_info[op].values == RULE_V_LIST) {
		put_list(r, &f, op, to);
	} else if (is_text && takes_quantifier(op) && random_one_in(r, 8)) {
		buf_printf(to, "%s ", PICK(r, quantifiers));
		put_list(r, &f, op, to);
	} else {
		put_literal(r, &f, op, to);
	}
}

static void put_expr(struct random *r, unsigned int depth, struct buf *to)
{
	unsigned int n;
	bool is_and;

	if (random_one_in(r, 4))
		buf_puts(to, "not ");
	if (!depth || random_one_in(r, 3)) {
		put_check(r, to);
		return;
	}
	n = 2 + random_below(r, 3);
	is_and = random_one_in(r, 2);
	buf_putc(to, '(');
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			buf_puts(to, is_and ? " and " : " or ");
		put_expr(r, depth - 1, to);
	}
	buf_putc(to, ')');
}

static void put_events(struct random *r, struct buf *to)
{
	size_t n;
	const struct rule_event_info *events = rule_events(&n);
	unsigned int many = 1 + random_below(r, 3);

	if (random_one_in(r, 3)) {
		buf_puts(to, "evt.type in (open, openat, openat2) and ");
		return;
	}
	if (random_one_in(r, 4)) {
		buf_puts(to, "evt.type in (execve, execveat) and ");
		return;
	}
	buf_puts(to, "evt.type in (");
	for (unsigned int i = 0; i < many; i++)
		buf_printf(to, "%s%s", i ? ", " : "", events[random_below(r, (uint32_t)n)].name);
	buf_puts(to, ") and ");
}

void random_rules(struct random *r, unsigned int n, struct buf *to)
{
	for (unsigned int i = 0; i < n; i++) {
		buf_printf(to, "- rule: rule %u\n  desc: d\n  priority: INFO\n  output: o\n", i);
		buf_puts(to, "  condition: >\n    ");
		put_events(r, to);
		put_expr(r, 3, to);
		buf_putc(to, '\n');
	}
}
