/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of fields, and what a rule's text says of one.
 *
 * A field is named as Falco has it: "proc.aname[2]", "evt.arg.flags" or "evt.arg[flags]",
 * "container.mount.dest[/proc*]".  In brackets stands the argument, in quotes if need be; of
 * names without brackets the longest row wins, and what is behind it is the argument.
 */
#include "catalog/rule-field.h"

#include "base/macro.h"
#include "catalog/catalog.h"

#include <limits.h>
#include <stdlib.h>

#define K(id) KIND_BIT(EV_##id)
#define ALL   (~0ull)
#define OPEN  (K(OPEN) | K(WRITE) | K(CREATE))
#define FILE                                                                                    \
	(OPEN | K(UNLINK) | K(RENAME) | K(LINK) | K(SYMLINK) | K(MKDIR) | K(RMDIR) | K(CHMOD) | \
	 K(CHOWN) | K(MOUNT) | K(UMOUNT) | K(CHROOT) | K(TRUNCATE))
#define SOCK (K(SOCKET) | K(NETCALL) | K(DUP))
const struct rule_field_info rule_field_info[RULE_FIELDS] = {
#define RULE_FIELD(id, name, type, class, arg, kinds, help) \
	[RF_##id] = {name, help, RT_##type, RC_##class, RA_##arg, kinds},
#include "catalog/rule-field.def"
#undef RULE_FIELD
};

static const char *const names[] = {
#define RULE_FIELD(id, name, type, class, arg, kinds, help) name,
#include "catalog/rule-field.def"
#undef RULE_FIELD
	NULL,
};

const struct rule_type_info rule_types[RULE_TYPES] = {
#define RULE_TYPE(id, name, value, shape, item, operators, what) \
	{name, RV_##value, RS_##shape, RT_##item},
#include "catalog/rule-type.def"
#undef RULE_TYPE
};

const char *rule_class_name(enum rule_class class)
{
	static const char *const class_names[] = {
		[RC_SCALAR] = "in the kernel",	     [RC_PATH] = "in the kernel",
		[RC_PROCESS] = "once an exec",	     [RC_ANCESTOR] = "once an exec of an ancestor",
		[RC_CONTAINER] = "once a container", [RC_ADDRESS] = "in the kernel",
		[RC_USERS] = "in the kernel",	     [RC_CONSTANT] = "when rules are loaded",
		[RC_USER] = "in user space",	     [RC_NOT_YET] = "not yet: never has a value",
	};

	return class_names[class];
}

/* The last '[' … ']' of `text`, without quotes; false: brackets that don't fit. */
static bool split_brackets(struct str text, struct str *ret_name, struct str *ret_arg)
{
	const char *open = memchr(text.p, '[', text.n);
	struct str arg;

	*ret_name = text;
	*ret_arg = (struct str){0};
	if (!open)
		return true;
	if (text.p[text.n - 1] != ']')
		return false;
	*ret_name = (struct str){text.p, open - text.p};
	arg = (struct str){open + 1, text.n - ret_name->n - 2};
	if (arg.n >= 2 && (arg.p[0] == '"' || arg.p[0] == '\'') && arg.p[arg.n - 1] == arg.p[0])
		arg = (struct str){arg.p + 1, arg.n - 2};
	*ret_arg = arg;
	return arg.n > 0;
}

static enum rule_field find_exact(struct str name)
{
	for (size_t i = 1; i < RULE_FIELDS; i++)
		if (str_eq(name, str_of(rule_field_info[i].name)))
			return i;
	return RF_NONE;
}

/* The longest row that `name` goes on behind with a '.': the rest is its argument. */
static enum rule_field find_prefix(struct str name, struct str *ret_arg)
{
	for (size_t n = name.n; n-- > 1;) {
		enum rule_field f;

		if (name.p[n] != '.')
			continue;
		f = find_exact((struct str){name.p, n});
		if (f == RF_NONE)
			continue;
		*ret_arg = (struct str){name.p + n + 1, name.n - n - 1};
		return ret_arg->n ? f : RF_NONE;
	}
	return RF_NONE;
}

static bool parse_index(struct str s, int32_t *ret)
{
	int64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > INT_MAX / 10)
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = v;
	return s.n > 0 && v <= INT_MAX;
}

/* What an argument makes of the type; false: there is no such argument. */
static bool set_type(struct rule_field_ref *f)
{
	const struct rule_arg_info *arg;
	int32_t unused;

	if (f->id == RF_evt_type_is)
		return rule_event_find(f->arg) != NULL;
	if (f->id != RF_evt_arg && f->id != RF_evt_rawarg) {
		/* with an index it is one name, without any of them */
		if (f->type == RT_STRINGS && f->index >= 0)
			f->type = RT_STRING;
		return true;
	}
	arg = rule_arg_find(f->arg, 0);
	if (!arg) { /* by its number: known, but none has a value here */
		f->type = RT_STRING;
		return parse_index(f->arg, &unused);
	}
	f->type = f->id == RF_evt_arg ? arg->type : arg->raw;
	return true;
}

static bool set_arg(struct rule_field_ref *f, struct str arg)
{
	f->arg = arg;
	switch (rule_field_info[f->id].arg) {
	case RA_NONE:
		return !arg.n;
	case RA_INDEX_OPT:
		return !arg.n || parse_index(arg, &f->index);
	case RA_INDEX:
		return parse_index(arg, &f->index);
	case RA_NAME:
		return arg.n > 0;
	case RA_NAME_OPT:
		return true;
	}
	return false;
}

bool rule_field_find(struct str text, struct rule_field_ref *ret, const char **ret_near)
{
	struct rule_field_ref f = {.index = -1};
	struct str name, arg;
	char *typed;

	if (ret_near)
		*ret_near = NULL;
	if (text.n && split_brackets(text, &name, &arg)) {
		f.id = find_exact(name);
		if (f.id == RF_NONE && !arg.n)
			f.id = find_prefix(name, &arg);
		f.type = f.id == RF_NONE ? RT_STRING : rule_field_info[f.id].type;
		if (f.id != RF_NONE && set_arg(&f, arg) && set_type(&f)) {
			*ret = f;
			return true;
		}
	}
	if (ret_near && text.n < 128) {
		typed = xstrndup(text.p, text.n);
		*ret_near = str_nearest(typed, names);
		free(typed);
	}
	return false;
}

void rule_flags_print(const struct rule_field_ref *f, uint64_t value, struct buf *to)
{
	size_t n, before = to->n;
	const struct rule_name *table = rule_names(f, &n);

	if (table)
		rule_names_print(table, value, to);
	if (f->id != RF_evt_arg) /* capabilities: Falco has blanks between, and "" for none */
		for (size_t i = before; i < to->n; i++)
			to->p[i] = to->p[i] == '|' ? ' ' : to->p[i];
	else if (to->n == before)
		buf_put_u64(to, value);
}
