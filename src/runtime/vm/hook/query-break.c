/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes in the command's program and libraries, by breakpoints.
 *
 * A breakpoint is an instruction that traps (int3, brk), written over the first bytes of
 * another.  A file that has places to watch is looked for in the memory of the command when it has
 * executed, and whenever it maps more code.  When a thread traps, the programs of that place run;
 * then the instruction that stood there must be done: some that functions begin with are done by
 * ourselves, for others the original bytes come back for one step, while other threads are
 * held.  Where many threads meet at one place at once, some still pass unseen.
 *
 * A function's end is awaited at the address that it returns to, where the stack pointer says
 * whose call it is.  The stack stays as it is, unlike with the kernel's trampoline.
 *
 * As in the kernel, probes are those of the command's own process.  A child that it forks
 * has a copy of the breakpoints: they are taken away when it meets the first.
 */
#include "runtime/vm/hook/query-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* A place in a file. */
struct break_place {
	struct break_place *next;
	const char *path;
	dev_t dev;
	ino_t ino;
	uint64_t offset, semaphore; /* in the file; semaphore 0: none */
	struct hooks enter, leave;
};

/* A breakpoint in the command's memory. */
struct mark {
	struct mark *next;
	uint64_t address;
	const struct break_place *place; /* NULL: only returns are awaited here */
	unsigned int returns;		 /* how many calls will come back here */
	uint8_t original[REGS_BREAK_BYTES];
};

/* A call that will return. */
struct waiting {
	struct waiting *next;
	const struct break_place *place;
	uint64_t address, sp, func;
	pid_t tid;
};

struct breaks {
	struct break_place *places; /* in the query's arena */
	struct mark *marks;	    /* owned, as the others */
	struct waiting *waiting;
};

static struct breaks *breaks_of(struct query_vm *x)
{
	if (!x->breaks)
		x->breaks = arena_new(&x->arena, struct breaks);
	return x->breaks;
}

/* --- places */

static void add_hook(struct query_vm *x, struct hooks *to, const struct question_probe *p,
		     uint64_t cookie)
{
	struct hook *h = arena_new(&x->arena, struct hook);

	h->prog = &x->progs[p->prog];
	h->cookie = cookie;
	if (!to->last)
		to->last = &to->first;
	*to->last = h;
	to->last = &h->next;
}

static int add_place(struct query_vm *x, const struct question_probe *p, uint64_t offset,
		     uint64_t semaphore, uint64_t cookie)
{
	bool is_return = attach_has(p->attach, QA_RETURN);
	struct breaks *b = breaks_of(x);
	struct break_place *at = b->places;
	struct stat st;

	if (!p->binary || stat(p->binary, &st) < 0)
		return -ENOENT;
	while (at && (at->offset != offset || at->ino != st.st_ino || at->dev != st.st_dev))
		at = at->next;
	if (!at) {
		at = arena_new(&x->arena, struct break_place);
		*at = (struct break_place){.next = b->places,
					   .path = p->binary,
					   .dev = st.st_dev,
					   .ino = st.st_ino,
					   .offset = offset,
					   .semaphore = semaphore};
		b->places = at;
		/* libraries come when the program runs already */
		call_set_add(tracer_exit_calls(x->tracer), SYS_mmap);
	}
	add_hook(x, is_return ? &at->leave : &at->enter, p, cookie);
	return 0;
}

int query_vm_breaks_add(struct query_vm *x, const struct question_probe *p)
{
	int r = 0;

	if (!attach_has(p->attach, QA_MULTI))
		return add_place(x, p, p->address, p->ref_ctr, p->cookie);
	for (uint32_t i = 0; i < p->n_targets && r >= 0; i++)
		r = add_place(x, p, p->addresses[i], p->ref_ctrs ? p->ref_ctrs[i] : 0,
			      p->cookies ? p->cookies[i] : 0);
	return r;
}

/* --- breakpoints in memory */

static struct mark *mark_at(struct query_vm *x, uint64_t address)
{
	struct mark *m = x->breaks->marks;

	while (m && m->address != address)
		m = m->next;
	return m;
}

static struct mark *set_mark(struct query_vm *x, struct tracer_task *t, uint64_t address)
{
	struct mark *m = mark_at(x, address);

	if (m)
		return m;
	m = xalloc(sizeof(*m));
	m->address = address;
	if (tracer_read(x->tracer, t, m->original, address, sizeof(m->original)) < 0 ||
	    tracer_poke(t, address, regs_break, sizeof(m->original)) < 0) {
		free(m);
		return NULL;
	}
	m->next = x->breaks->marks;
	x->breaks->marks = m;
	return m;
}

static void put_back(struct tracer_task *t, const struct mark *m)
{
	tracer_poke(t, m->address, m->original, sizeof(m->original));
}

static void remove_mark(struct query_vm *x, struct tracer_task *t, struct mark *m)
{
	struct mark **at = &x->breaks->marks;

	put_back(t, m);
	while (*at && *at != m)
		at = &(*at)->next;
	if (*at)
		*at = m->next;
	free(m);
}

/* Somebody who listens is counted where the program looks whether anybody does. */
static void raise_semaphore(struct query_vm *x, struct tracer_task *t, uint64_t address)
{
	uint16_t n = 0;

	if (tracer_read(x->tracer, t, &n, address, sizeof(n)) < 0)
		return;
	n++;
	tracer_poke(t, address, &n, sizeof(n));
}

struct mapping {
	uint64_t begin, end, offset;
	bool is_code, is_data;
	dev_t dev;
	ino_t ino;
	char path[512];
};

static bool holds(const struct mapping *m, const struct break_place *p, uint64_t offset)
{
	/* some file systems have other numbers for stat() than for mappings */
	return m->ino == p->ino && (m->dev == p->dev || !strcmp(m->path, p->path)) &&
	       offset >= m->offset && offset - m->offset < m->end - m->begin;
}

static void look_into(struct query_vm *x, struct tracer_task *t, const struct mapping *m)
{
	for (struct break_place *p = x->breaks->places; p; p = p->next) {
		uint64_t at = m->begin + (p->offset - m->offset);

		if (m->is_code && holds(m, p, p->offset) && !mark_at(x, at)) {
			struct mark *new = set_mark(x, t, at);

			if (new)
				new->place = p;
		}
		if (m->is_data && p->semaphore && p->enter.first && holds(m, p, p->semaphore) &&
		    !p->enter.first->is_raised) {
			p->enter.first->is_raised = true;
			raise_semaphore(x, t, m->begin + (p->semaphore - m->offset));
		}
	}
}

static void scan(struct query_vm *x, struct tracer_task *t)
{
	char path[64], line[1024], perms[5];
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long begin, end, offset, ino;
	unsigned int major_, minor_;
	struct mapping m;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		*m.path = 0;
		if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %511[^\n]", &begin, &end, perms,
			   &offset, &major_, &minor_, &ino, m.path) < 7)
			continue;
		m.begin = begin;
		m.end = end;
		m.offset = offset;
		m.ino = ino;
		m.dev = makedev(major_, minor_);
		m.is_code = perms[2] == 'x';
		m.is_data = perms[1] == 'w';
		look_into(x, t, &m);
	}
}

static bool is_command(const struct query_vm *x, const struct tracer_task *t)
{
	return t->pid == x->config.child_pid && !t->shares_memory;
}

/* What is in the command's memory is forgotten. */
static void forget(struct breaks *b)
{
	for (struct mark *m = b->marks, *next; m; m = next) {
		next = m->next;
		free(m);
	}
	for (struct waiting *w = b->waiting, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	b->marks = NULL;
	b->waiting = NULL;
}

void query_vm_breaks_done(struct query_vm *x)
{
	if (x->breaks)
		forget(x->breaks);
}

void query_vm_breaks_exec(struct query_vm *x, struct tracer_task *t)
{
	struct breaks *b = x->breaks;

	if (!b || !is_command(x, t))
		return;
	forget(b); /* gone with the old program */
	for (struct break_place *p = b->places; p; p = p->next)
		if (p->enter.first)
			p->enter.first->is_raised = false;
	scan(x, t);
}

void query_vm_breaks_mapped(struct query_vm *x, struct tracer_task *t)
{
	if (x->breaks && is_command(x, t) && t->call.nr == SYS_mmap && t->call.ret > 0 &&
	    (t->call.args[2] & PROT_EXEC))
		scan(x, t);
}

/* --- the instruction that stood there */

#ifdef __x86_64__
static uint64_t *numbered(struct regs *r, unsigned int n)
{
	uint64_t *const all[] = {&r->ax,  &r->cx,  &r->dx,  &r->bx, &r->sp,  &r->bp,
				 &r->si,  &r->di,  &r->r8,  &r->r9, &r->r10, &r->r11,
				 &r->r12, &r->r13, &r->r14, &r->r15};

	return all[n & 15];
}

/* What functions begin with: endbr64, push, nop.  Its length; 0: none of these. */
static unsigned int do_instruction(struct query_vm *x, struct tracer_task *t, struct regs *r,
				   const uint8_t *code)
{
	static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned int prefix = code[0] == 0x41;
	uint64_t value;

	if (!memcmp(code, endbr, sizeof(endbr)))
		return sizeof(endbr);
	if (code[0] == 0x90)
		return 1;
	if ((code[prefix] & 0xf8) == 0x50) { /* push */
		value = *numbered(r, (code[prefix] & 7) + 8 * prefix);
		r->sp -= sizeof(value);
		if (tracer_write(x->tracer, t, r->sp, &value, sizeof(value)) == 0)
			return 1 + prefix;
		r->sp += sizeof(value);
	}
	return 0;
}
#else
static unsigned int do_instruction(struct query_vm *x, struct tracer_task *t, struct regs *r,
				   const uint8_t *code)
{
	uint32_t word;

	(void)x;
	(void)t;
	(void)r;
	memcpy(&word, code, sizeof(word));
	/* hints: nop, bti, paciasp is one too, but does something */
	return word == 0xd503201f || (word & 0xffffff3f) == 0xd503241f ? 4 : 0;
}
#endif

static void step_over(struct query_vm *x, struct tracer_task *t, struct mark *m, struct regs *r)
{
	uint8_t code[16];
	unsigned int n = 0;

	if (tracer_read(x->tracer, t, code, m->address, sizeof(code)) == 0) {
		memcpy(code, m->original, sizeof(m->original));
		n = do_instruction(x, t, r, code);
	}
	regs_set_ip(r, m->address + n);
	regs_set(t->tid, r);
	if (n)
		return;
	/* nobody shall pass while the original is there */
	put_back(t, m);
	tracer_step(x->tracer, t);
	tracer_poke(t, m->address, regs_break, REGS_BREAK_BYTES);
	tracer_step_done(x->tracer, t);
}

/* --- returns */

static uint64_t return_address(struct query_vm *x, struct tracer_task *t, const struct regs *r)
{
	uint64_t at = regs_link(r);

	if (!at)
		tracer_read(x->tracer, t, &at, regs_sp(r), sizeof(at));
	return at;
}

static void await_return(struct query_vm *x, struct tracer_task *t, const struct break_place *p,
			 uint64_t func, const struct regs *r)
{
	uint64_t at = return_address(x, t, r);
	struct mark *m = at ? set_mark(x, t, at) : NULL;
	struct waiting *w;

	if (!m)
		return;
	w = xalloc(sizeof(*w));
	*w = (struct waiting){.next = x->breaks->waiting,
			      .place = p,
			      .address = at,
			      /* the return address is taken from the stack, where it is there */
			      .sp = regs_sp(r) + (regs_link(r) ? 0 : sizeof(at)),
			      .func = func,
			      .tid = t->tid};
	x->breaks->waiting = w;
	m->returns++;
}

/* All calls of this thread that return here; those deeper in the stack were left by a jump. */
static void on_return(struct query_vm *x, struct tracer_task *t, struct mark *m, struct regs *r)
{
	struct waiting **at = &x->breaks->waiting;

	while (*at) {
		struct waiting *w = *at;

		if (w->tid != t->tid || w->sp > regs_sp(r)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (mark_at(x, w->address))
			mark_at(x, w->address)->returns--;
		if (w->address == m->address && w->sp == regs_sp(r))
			query_vm_run_break(x, t, &w->place->leave, r, w->func);
		free(w);
	}
}

/* --- the trap */

static void on_mark(struct query_vm *x, struct tracer_task *t, struct mark *m, struct regs *r)
{
	const struct break_place *p = m->place;

	regs_set_ip(r, m->address);
	if (is_command(x, t) && !x->is_detached) {
		if (m->returns)
			on_return(x, t, m, r);
		if (p && p->enter.first)
			query_vm_run_break(x, t, &p->enter, r, m->address);
		if (p && p->leave.first)
			await_return(x, t, p, m->address, r);
	}
	if (!m->returns && !p) {
		regs_set(t->tid, r);
		remove_mark(x, t, m);
		return;
	}
	step_over(x, t, m, r);
}

/* A forked child's copies of all breakpoints. */
static void clean(struct query_vm *x, struct tracer_task *t)
{
	for (struct mark *m = x->breaks->marks; m; m = m->next) {
		uint8_t now[REGS_BREAK_BYTES];

		if (tracer_read(x->tracer, t, now, m->address, sizeof(now)) == 0 &&
		    !memcmp(now, regs_break, sizeof(now)))
			put_back(t, m);
	}
}

/*
 * It trapped at a breakpoint that was taken away before we came to look: the instruction that
 * stands there now is to be done.
 */
static bool was_mark(struct query_vm *x, struct tracer_task *t, struct regs *r)
{
	uint8_t now[REGS_BREAK_BYTES];
	siginfo_t info = {0};

	if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) < 0 ||
	    (info.si_code != SI_KERNEL && info.si_code != TRAP_BRKPT) ||
	    tracer_read(x->tracer, t, now, regs_broke_at(r), sizeof(now)) < 0 ||
	    !memcmp(now, regs_break, sizeof(now)))
		return false;
	regs_set_ip(r, regs_broke_at(r));
	regs_set(t->tid, r);
	return true;
}

bool query_vm_break(struct query_vm *x, struct tracer_task *t)
{
	struct regs r = {0};
	struct mark *m;

	if (!x->breaks || regs_get(t->tid, &r) < 0)
		return false;
	m = mark_at(x, regs_broke_at(&r));
	if (!m)
		return was_mark(x, t, &r);
	if (t->pid != x->config.child_pid && !t->shares_memory) {
		regs_set_ip(&r, m->address);
		regs_set(t->tid, &r);
		clean(x, t);
		return true;
	}
	on_mark(x, t, m, &r);
	return true;
}
