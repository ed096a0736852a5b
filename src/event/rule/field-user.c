/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.* and group.*: ids of the thread at the event, and their names.
 *
 * As Falco has it, a name that is not known is the text "<NA>": there is a value.
 */
#include "event/rule/field.h"

static const char not_known[] = "<NA>";

struct str user_text(const struct rule_event *e, uint32_t uid)
{
	const char *name = e->event->stream ? stream_user(e->event->stream, uid) : NULL;

	return str_of(name ? name : uid ? not_known : "root");
}

struct str group_text(const struct rule_event *e, uint32_t gid)
{
	const char *name = e->event->stream ? stream_group(e->event->stream, gid) : NULL;

	return str_of(name ? name : gid ? not_known : "root");
}

FIELD(user_uid)
{
	return set_number(v, e->event->head->uid);
}
FIELD(user_name)
{
	return set_text(v, user_text(e, e->event->head->uid));
}
FIELD(user_homedir)
{
	return set_text(v, e->event->head->uid ? str_of(not_known) : STR("/root"));
}
FIELD(user_shell)
{
	return set_text(v, str_of(not_known));
}

static bool loginuid_of(const struct rule_event *e, uint32_t *ret)
{
	const struct wire_annex *a = task_of(e);

	*ret = a ? a->loginuid : e->event->process->program.loginuid;
	return a || (!e->annex && e->event->process->has_exec);
}

FIELD(user_loginuid)
{
	uint32_t uid;

	return loginuid_of(e, &uid) && set_number(v, (int64_t)(int32_t)uid);
}
FIELD(user_loginname)
{
	uint32_t uid;

	return loginuid_of(e, &uid) &&
	       set_text(v, uid == ~0u ? str_of(not_known) : user_text(e, uid));
}
FIELD(group_gid)
{
	return set_number(v, e->event->head->gid);
}
FIELD(group_name)
{
	return set_text(v, group_text(e, e->event->head->gid));
}
