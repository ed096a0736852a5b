/* SPDX-License-Identifier: Apache-2.0 */
/* Programs, their ends, who runs them. */
#include "event/value/look.h"

#include <sched.h>
#include <signal.h>

CASES(programs)
{
	struct wire_proc *p = look_make(EV_EXEC);

	NONE("exe");
	NONE("args");
	NONE("args_cut");
	p->args_total = 100; /* not read at all: how much was left out says nothing */
	NONE("args_cut");
	ADD(wire_proc, exe, "/usr/bin/dash");
	ADD(wire_proc, args, "/bin/sh\0-c\0echo 'a b'\0\0");
	IS("exe", "/usr/bin/dash", NULL); /* JSON has it in `process` */
	IS("args", "/bin/sh -c $'echo \\'a b\\'' ''", "[\"/bin/sh\",\"-c\",\"echo 'a b'\",\"\"]");
	SAME("args_cut", "77");
	p->args_total = 23;
	NONE("args_cut");

	look_make(EV_EXEC);
	ADD(wire_proc, exe, "/usr/bin/ls");
	ADD(wire_proc, args, "ls\0-l");
	IS("exe", NULL, NULL);
	IS("args", "ls -l", "[\"ls\",\"-l\"]");
	look_make(EV_EXEC);
	ADD(wire_proc, exe, "/usr/bin/ls");
	IS("exe", "/usr/bin/ls", NULL);
	look_make(EV_EXEC);
	ADD(wire_proc, exe, "/usr/bin/ls");
	ADD(wire_proc, args, "\0");
	IS("exe", "/usr/bin/ls", NULL);
	IS("args", "''", "[\"\"]");
	/* a mask is three dots, however long the secret was */
	look_make(EV_EXEC);
	ADD(wire_proc, args, "x\0--password=\x1a\x1a\x1a\x1a\x1a\x1a\0");
	IS("args", "x --password=•••", "[\"x\",\"--password=•••\"]");
}

CASES(forks)
{
	struct wire_fork *f = look_make(EV_FORK);

	NONE("clone_flags");
	f->flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_VFORK | SIGCHLD;
	IS("clone_flags", "CLONE_NEWNS|CLONE_NEWPID|CLONE_VFORK",
	   "[\"CLONE_NEWNS\",\"CLONE_NEWPID\",\"CLONE_VFORK\"]");
}

CASES(ends)
{
	static const struct {
		uint32_t status;
		const char *status_text, *code, *signal;
	} cases[] = {
		{0, "exit 0", "0", NULL},
		{1 << 8, "exit 1", "1", NULL},
		{255 << 8, "exit 255", "255", NULL},
		{SIGKILL, "SIGKILL", NULL, "SIGKILL"},
		{SIGSEGV | 0x80, "SIGSEGV (core)", NULL, "SIGSEGV"},
		{34, "SIG34", NULL, "SIG34"}, /* a real-time signal */
		{50 | 0x80, "SIG50 (core)", NULL, "SIG50"},
	};
	struct wire_exit *x = look_make(EV_EXIT);

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		char json[2][32];

		snprintf(json[0], sizeof(json[0]), "\"%s\"", cases[i].status_text);
		snprintf(json[1], sizeof(json[1]), "\"%s\"",
			 cases[i].signal ? cases[i].signal : "");
		x->status = cases[i].status;
		IS("status", cases[i].status_text, json[0]);
		SAME("exit_code", cases[i].code);
		IS("exit_signal", cases[i].signal, cases[i].signal ? json[1] : NULL);
	}
}

CASES(owners)
{
	struct wire_file *f = look_make(EV_CHOWN);

	f->owner = 0;
	f->group = ~0u;
	SAME("owner", "0");
	NONE("group");
	f->owner = ~0u - 1;
	SAME("owner", "4294967294");
}

CASES(credentials)
{
	_cleanup_buf_ struct buf out = {0};
	struct wire_creds *c = look_make(EV_SETUID);

	c->cred.uid = 1000;
	c->cred.euid = 4711;
	IS("uid", "anna", "\"anna\"");
	IS("euid", "4711", "\"4711\"");
	IS("suid", "0", "\"0\"");
	IS("cap_effective", "none", "[]");
	c->cred.cap_effective = 1 << 21 | 1;
	IS("cap_effective", "CAP_CHOWN|CAP_SYS_ADMIN", "[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]");
	c->cred.cap_effective = (1ull << 41) - 1;
	IS("cap_permitted", "none", "[]");
	c->cred.cap_permitted = 1ull << 40 | 1ull << 63; /* bits that nobody has named yet */
	IS("cap_permitted", "CAP_CHECKPOINT_RESTORE", "[\"CAP_CHECKPOINT_RESTORE\"]");
	c->cred.cap_permitted = 1ull << 50;
	IS("cap_permitted", "none", "[]");

	c = look_make(EV_CAPSET);
	c->cred.cap_effective = (1ull << 41) - 1;
	CHECK(look_text("cap_effective", &out));
	CHECK_STREQ(out.p, "all");
	buf_reset(&out);
	CHECK(look_json("cap_effective", &out));
	CHECK(!strncmp(out.p, "[\"CAP_CHOWN\",", 13) && out.p[out.n - 1] == ']');
}

void cases_process(void)
{
	programs();
	forks();
	ends();
	owners();
	credentials();
}
