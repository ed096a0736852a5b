/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which event a record is, by Falco's names.
 *
 * Most records carry the number of their system call, in the numbering of the process that
 * made it (32-bit programs on x86-64 have their own).  An exec has none: its annex says
 * which of the two calls it was.  A fork is told by the kernel wherever it comes from, so
 * all names of its kind are right.  Operations that came through io_uring carry the number
 * of the system call that does the same.
 */
#include "catalog/rule-field.h"

#include "base/macro.h"
#include "catalog/catalog.h"
#include "catalog/syscall-numbers.h"

#include <string.h>

/* arm64 has only dup and dup3 */
#ifndef SYS_dup2
#define SYS_dup2 (-2)
#endif

#define K(id) KIND_BIT(EV_##id)
#define OPENS (K(OPEN) | K(WRITE) | K(CREATE))
static const struct rule_event_info events[] = {
#define RULE_EVENT(name, category, kinds, nr, ia32, as) {#name, kinds, nr, ia32, as, category},
#include "catalog/rule-event.def"
#undef RULE_EVENT
};

/* Every other system call: a name, and nothing more. */
static const struct rule_event_info others[] = {
#define CALL(name, x86_64, arm64) {#name, 0, -1, -1, NULL, "other"},
#include "catalog/syscall-table.def"
#undef CALL
};

const struct rule_event_info *rule_events(size_t *ret_n)
{
	*ret_n = ELEMENTS(events);
	return events;
}

static bool is_name(struct str s, const char *name)
{
	return s.n && *s.p == *name && !strncmp(s.p, name, s.n) && !name[s.n];
}

const struct rule_event_info *rule_event_find(struct str name)
{
	for (size_t i = 0; i < ELEMENTS(events); i++)
		if (is_name(name, events[i].name))
			return &events[i];
	for (size_t i = 0; i < ELEMENTS(others); i++)
		if (is_name(name, others[i].name))
			return &others[i];
	return NULL;
}

static const struct wire_annex *annex_of(const struct wire_head *h)
{
	if (!(h->flags & WIRE_F_ANNEX) || h->size < sizeof(*h) + sizeof(struct wire_annex))
		return NULL;
	return (const void *)((const char *)h + h->size - sizeof(struct wire_annex));
}

int rule_event_nr(const struct wire_head *h)
{
	enum body body = body_of_kind(h->kind);
	const struct wire_annex *a;

	if (body_calls[body])
		return *(const int *)((const char *)h + body_calls[body]);
	if (body != BODY_wire_proc)
		return -1;
	a = annex_of(h);
	if (h->flags & WIRE_F_COMPAT)
		return a && a->flags & WIRE_A_EXECVEAT ? 358 : 11;
	return a && a->flags & WIRE_A_EXECVEAT ? SYS_execveat : SYS_execve;
}

static bool is_row(const struct rule_event_info *info, const struct wire_head *h, int nr)
{
	int own = h->flags & WIRE_F_COMPAT ? info->nr_ia32 : info->nr;

	if (!(info->kinds >> (h->kind & 63) & 1))
		return false;
	return (info->nr < 0 && info->nr_ia32 < 0) || (nr >= 0 && own == nr);
}

/* A call of the kind that the table does not know by its number: the kind's usual one. */
static const struct rule_event_info *usual(unsigned int kind)
{
	static const struct {
		unsigned int kind;
		const char *name;
	} names[] = {
		{EV_OPEN, "openat"},	 {EV_WRITE, "openat"},	    {EV_CREATE, "openat"},
		{EV_UNLINK, "unlinkat"}, {EV_RMDIR, "rmdir"},	    {EV_RENAME, "renameat2"},
		{EV_LINK, "linkat"},	 {EV_SYMLINK, "symlinkat"}, {EV_MKDIR, "mkdirat"},
		{EV_CHMOD, "fchmodat"},	 {EV_CHOWN, "fchownat"},    {EV_SETUID, "setuid"},
		{EV_SETGID, "setgid"},	 {EV_KILL, "kill"},	    {EV_NETCALL, "connect"},
		{EV_DUP, "dup"},	 {EV_PTRACE, "ptrace"},	    {EV_MODULE, "init_module"},
	};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (names[i].kind == kind)
			return rule_event_find(str_of(names[i].name));
	return NULL;
}

const struct rule_event_info *rule_event_of(const struct wire_head *h)
{
	int nr = rule_event_nr(h);
	const struct rule_event_info *found;

	for (size_t i = 0; i < ELEMENTS(events); i++)
		if (is_row(&events[i], h, nr))
			return &events[i];
	found = usual(h->kind);
	if (found)
		return found;
	for (size_t i = 0; i < ELEMENTS(events); i++)
		if (events[i].kinds >> (h->kind & 63) & 1)
			return &events[i];
	return NULL;
}

bool rule_event_is(const struct wire_head *h, const struct rule_event_info *info)
{
	const struct rule_event_info *own;

	if (!info->kinds)
		return false;
	if (is_row(info, h, rule_event_nr(h)))
		return true;
	own = rule_event_of(h);
	return own && (own == info || (own->as && !strcmp(own->as, info->name)));
}
