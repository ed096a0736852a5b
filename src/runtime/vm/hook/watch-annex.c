/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules want to know of a task, behind its records: struct wire_annex.
 *
 * /proc says it.  That is dear, so it is asked once a program and once a change of credentials;
 * a process group or session that is changed later is not noticed.  Names are left to the
 * reader: the record has path and folder.
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/macro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { TEXT_MAX = 4096 };

/* The last number of a line of status: as the task itself sees it. */
static uint32_t innermost(const char *status, const char *name)
{
	const char *at = strstr(status, name), *end;
	uint32_t n = 0;

	if (!at)
		return 0;
	at += strlen(name);
	end = at + strcspn(at, "\n");
	while (at < end) {
		n = (uint32_t)strtoul(at, NULL, 10);
		at++;
		at += strcspn(at, "\t\n");
	}
	return n;
}

static void read_facts(struct tracer_task *t, struct wire_annex *a)
{
	char text[TEXT_MAX], *at;
	int pgid = 0, sid = 0, tty = 0;

	*a = (struct wire_annex){.loginuid = ~0u};
	if (!watch_read(t->tid, "status", text, sizeof(text)))
		return;
	a->flags = WIRE_A_TASK;
	a->cap_effective = watch_number(text, "\nCapEff:", 16);
	a->cap_permitted = watch_number(text, "\nCapPrm:", 16);
	a->cap_inheritable = watch_number(text, "\nCapInh:", 16);
	a->vpid = innermost(text, "\nNStgid:");
	a->vtid = innermost(text, "\nNSpid:");
	a->vpgid = innermost(text, "\nNSpgid:");
	a->vsid = innermost(text, "\nNSsid:");
	if (watch_read(t->tid, "stat", text, sizeof(text)) && (at = strrchr(text, ')')))
		sscanf(at, ") %*c %*d %d %d %d", &pgid, &sid, &tty);
	a->pgid = (uint32_t)pgid;
	a->sid = (uint32_t)sid;
	a->tty = (uint32_t)tty;
	if (watch_read(t->tid, "loginuid", text, sizeof(text)))
		a->loginuid = (uint32_t)strtoul(text, NULL, 10);
}

void watch_put_env(struct watch_vm *w, struct tracer_task *t)
{
	char text[WIRE_ARGS_MAX + 1];
	struct regs_call c = {0};
	size_t n;

	if (regs_call_within(t->tid, &c) >= 0 && c.nr == SYS_execveat)
		w->annex.flags |= WIRE_A_EXECVEAT;
	if (!w->config.rules_env)
		return;
	n = watch_read(t->tid, "environ", text, sizeof(text));
	if (n == WIRE_ARGS_MAX)
		w->annex.flags |= WIRE_A_ENV_CUT;
	if (n)
		w->annex.env = watch_put(w, text, n);
}

void watch_annex(struct watch_vm *w)
{
	struct record *r = &w->record;
	size_t at = (r->used + 7) & ~(size_t)7;
	struct wire_annex a = w->annex;
	struct watch_task *x;

	if (!w->of)
		return;
	x = watch_task(w, w->of);
	if (!x->has_facts) {
		read_facts(w->of, &x->facts);
		x->has_facts = true;
	}
	a = x->facts;
	a.flags |= w->annex.flags;
	a.env = w->annex.env;
	memset(r->bytes + r->used, 0, at - r->used);
	memcpy(r->bytes + at, &a, sizeof(a));
	r->used = at + sizeof(a);
	r->head.flags |= WIRE_F_ANNEX;
	w->of = NULL;
}
