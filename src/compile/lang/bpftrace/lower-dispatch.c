/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls: all points on them in one program.
 *
 * The kernel offers two tracepoints for each of its 360 system calls, but they are made
 * of the same two events, sys_enter and sys_exit; a perf event for one of them takes
 * 70 ms to detach.  So one program on each of the two events serves the whole script: it
 * looks at the number and runs the actions that asked for it.
 *
 * An action on one system call compares the number; an action on many (a wildcard) looks
 * into a table of literals by the number, where the row of question.probes is (and 0 is
 * "not asked for").  So the work does not grow with the number of points.
 *
 * An action on raw_syscalls:sys_enter is run by the same program, for all calls: one attachment and
 * one program less, and 15 ns a call.  One on raw_syscalls:sys_exit is not: at the exit scripts do
 * their work, and two programs are verified at once.
 *
 * Calls by 32-bit programs have other numbers; the kernel's own tracepoints leave them
 * out, and so do we (TS_COMPAT of the thread).  That costs a call, so a predicate that does
 * nothing but compare is asked first: most filters reject nearly everything.
 */
#include "compile/lang/bpftrace/lower-internal.h"

enum { NUMBERS = 512 };

struct action {
	struct unit unit;
	bool is_any; /* asked for all calls, those of 32-bit programs, too */
	ARRAY(const struct resolved *) points;
	ARRAY(int) numbers;
};

static bool is_syscall(const struct resolved *r, const char *prefix)
{
	return r->hook && r->hook->id == HOOK_TRACEPOINT && r->group && r->event &&
	       !strcmp(r->group, "syscalls") && !strncmp(r->event, prefix, strlen(prefix));
}

bool lower_is_syscall_point(struct lower *L, const struct resolved *r)
{
	if (world_has(L->w, WORLD_EMBEDDED)) /* there a tracepoint costs nothing to detach */
		return false;
	return is_syscall(r, "sys_enter_") || is_syscall(r, "sys_exit_");
}

bool lower_joins_dispatch(struct lower *L, const struct checked_probe *p)
{
	return L->has_enters && p->n_points == 1 && lower_is_raw_syscall(p, p->points) &&
	       !strcmp(p->points->event, "sys_enter");
}

/* Names that the tracepoints have and the table of numbers has not. */
static int number_of(struct lower *L, const char *name)
{
	static const char *const other[][2] = {{"newfstat", "fstat"},	    {"newstat", "stat"},
					       {"newlstat", "lstat"},	    {"newuname", "uname"},
					       {"sendfile64", "sendfile"},  {"umount", "umount2"},
					       {"newfstatat", "newfstatat"}};
	int nr = L->w->ops->syscall_number ? L->w->ops->syscall_number(L->w, name) : -1;

	for (size_t i = 0; nr < 0 && i < sizeof(other) / sizeof(*other); i++)
		if (!strcmp(other[i][0], name))
			nr = L->w->ops->syscall_number(L->w, other[i][1]);
	return nr;
}

static void add_row(struct lower *L, const struct unit *u, const struct resolved *r, bool is_first,
		    const char *event)
{
	struct question_probe row = {
		.name = r->name,
		.func = r->func,
		.attach = is_first ? u->attach : QATTACH_NONE,
		.prog = u->index,
		.group = "raw_syscalls",
		.target = event,
		.pid = -1,
		.counts_as = 1,
		.span = r->point ? r->point->span : (struct span){},
	};

	array_push(L->a, &L->q->probes, row);
}

static void collect(struct lower *L, const struct checked_probe *p, enum access access,
		    struct action *a)
{
	const char *prefix = access == ACCESS_SYS_ENTER ? "sys_enter_" : "sys_exit_";

	a->is_any = access == ACCESS_SYS_ENTER && lower_joins_dispatch(L, p);
	if (a->is_any)
		array_push(L->a, &a->points, p->points);
	for (const struct resolved *r = p->points; r; r = r->next) {
		int nr = is_syscall(r, prefix) ? number_of(L, r->event + strlen(prefix)) : -1;

		if (nr < 0 || nr >= NUMBERS)
			continue;
		array_push(L->a, &a->points, r);
		array_push(L->a, &a->numbers, nr);
	}
}

/* thread_info.status of the current task: 32-bit programs are left out. */
static void only_native(struct lower *L, uint32_t otherwise)
{
#ifdef __x86_64__
	const struct btf_view *v = lower_types(L);
	uint32_t task = v ? btf_find(v, 1u << BTF_KIND_STRUCT, "task_struct") : 0;
	uint32_t info = v ? btf_find(v, 1u << BTF_KIND_STRUCT, "thread_info") : 0;
	struct btf_place at, status;
	uint32_t go;
	struct ir_val flags;
	bool typed = world_has(L->w, WORLD_TASK_BTF);
	ir_reg t;

	if (!task || !info || !btf_member_find(v, task, "thread_info", &at) ||
	    !btf_member_find(v, info, "status", &status))
		return;
	lower_note_member(L, "task_struct", "thread_info");
	lower_note_member(L, "thread_info", "status");
	t = typed ? IR_CALL(&L->b, BPF_FUNC_get_current_task_btf, IRC_BTF)
		  : IR_CALL(&L->b, BPF_FUNC_get_current_task, IRC_KPTR);
	flags = ir_kload(&L->b, t, (int32_t)(at.bit_offset / 8 + status.bit_offset / 8), 4, false,
			 IRC_INT, NULL);
	go = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_SET, flags, IR_I(2 /* TS_COMPAT */), otherwise, go);
	ir_block_go(&L->b, go);
#else
	(void)L, (void)otherwise;
#endif
}

/* Does the action want this number?  Goes on in `yes` with L->probe_id, or in `no`. */
static void test_number(struct lower *L, struct action *a, ir_reg nr, uint32_t yes, uint32_t no)
{
	uint16_t table[NUMBERS] = {};
	uint32_t inside, off;
	struct ir_val id;
	ir_reg at;

	L->probe_id = 0;
	if (a->numbers.n == 1) {
		ir_branch(&L->b, IRC_EQ, IR_R(nr), IR_I(a->numbers.p[0]), yes, no);
		return;
	}
	for (size_t i = 0; i < a->numbers.n; i++)
		table[a->numbers.p[i]] = (uint16_t)(i + 1);
	off = lower_rodata(L, table, sizeof(table), 8);
	inside = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_UGE, IR_R(nr), IR_I(NUMBERS), no, inside);
	ir_block_go(&L->b, inside);
	at = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(ir_space_addr(&L->b, IRS_RODATA, off)),
				      ir_math(&L->b, IR_SHL, IR_R(nr), IR_I(1))));
	id = ir_load(&L->b, at, 0, 2, false);
	L->probe_id = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, id, IR_I((int64_t)a->unit.row - 1)));
	ir_branch(&L->b, IRC_NE, id, IR_I(0), yes, no);
}

static bool is_plain_builtin(const struct expr *e)
{
	switch ((int)e->builtin->id) {
	case BUILTIN_PID:
	case BUILTIN_TID:
	case BUILTIN_UID:
	case BUILTIN_GID:
	case BUILTIN_COMM:
	case BUILTIN_ARGS:
		return !e->items.n;
	}
	return false;
}

/* May it be asked of a call that is none of ours: no effect, no record, nothing to count? */
static bool is_plain(const struct expr *e)
{
	switch ((int)e->kind) {
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
		return true;
	case EXPR_BUILTIN:
	case EXPR_CALL:
		return e->builtin && is_plain_builtin(e);
	case EXPR_FIELD: /* a register that was saved */
		return lower_is_args(e->a) && lower_is_scalar(e->type);
	case EXPR_CAST:
		return lower_is_scalar(e->type) && is_plain(e->a);
	case EXPR_UNARY:
		return (e->op == OP_NOT || e->op == OP_BNOT || e->op == OP_NEG) && is_plain(e->a);
	case EXPR_BINARY: /* a division by 0 is reported */
		return e->op != OP_DIV && e->op != OP_MOD && is_plain(e->a) && is_plain(e->b);
	}
	return false;
}

/* Is the predicate asked before whether the program is a 32-bit one? */
static bool is_native_late(const struct action *a)
{
	const struct expr *e = a->unit.probe->probe->predicate;

	return !a->is_any && e && is_plain(e);
}

static void action_body(struct lower *L, struct action *a)
{
	L->unit = &a->unit;
	if (lower_needs_frame(L, a->unit.probe->probe->block))
		lower_frame(L);
	lower_predicate(L);
	if (is_native_late(a))
		only_native(L, L->body->on_return);
	lower_statements(L);
}

/* An action as a function of its own: (context, number, row). */
static uint32_t action_func(struct lower *L, struct action *a, size_t i)
{
	struct ir_builder outer = L->b;
	struct body body = {.outer = NULL}, *outer_body = L->body;
	uint32_t func, nr = L->nr_reg, id = L->probe_id;

	ir_func_add(L->b.m, arena_printf(L->a, "action%zu", i), 3);
	func = (uint32_t)L->b.m->funcs.n - 1;
	L->b.m->funcs.p[func].regs.p[1].class = IRC_PTR;
	L->generation++;
	lower_body_begin(L, &body, func);
	body.on_return = ir_block_new(&L->b);
	L->nr_reg = 2;
	L->probe_id = a->numbers.n > 1 ? 3 : 0;
	action_body(L, a);
	lower_body_end(L);
	L->body = outer_body;
	L->b = outer;
	L->nr_reg = nr;
	L->probe_id = id;
	return func;
}

static bool share_number(const struct action *a, const struct action *b)
{
	if (a->is_any || b->is_any)
		return true;
	for (size_t i = 0; i < a->numbers.n; i++)
		for (size_t k = 0; k < b->numbers.n; k++)
			if (a->numbers.p[i] == b->numbers.p[k])
				return true;
	return false;
}

/* Behind action i of n: may one that follows want the same call? */
static bool is_last_of_call(const struct action *actions, size_t i, size_t n)
{
	for (size_t k = i + 1; k < n; k++)
		if (share_number(&actions[i], &actions[k]))
			return false;
	return true;
}

static void one_action(struct lower *L, struct action *actions, size_t i, size_t n)
{
	struct action *a = &actions[i];
	bool is_alone = n == 1;
	uint32_t yes = ir_block_new(&L->b),
		 no = is_alone ? L->body->on_return : ir_block_new(&L->b);

	if (a->is_any) {
		L->probe_id = 0;
		ir_jump(&L->b, yes);
	} else {
		test_number(L, a, L->nr_reg, yes, no);
	}
	ir_block_go(&L->b, yes);
	if (!a->is_any && !is_native_late(a))
		only_native(L, no);
	if (is_alone) {
		action_body(L, a);
		return;
	}
	{
		struct ir_val args[] = {IR_R(L->body->ctx), IR_R(L->nr_reg),
					L->probe_id ? IR_R(L->probe_id) : IR_I(a->unit.row)};

		ir_call_func(&L->b, action_func(L, a, i), args, 3);
	}
	ir_jump(&L->b, is_last_of_call(actions, i, n) ? L->body->on_return : no);
	ir_block_go(&L->b, no);
}

static void program(struct lower *L, struct unit *u, struct action *actions, size_t n)
{
	struct body body = {.outer = NULL};
	ir_reg nr;

	lower_body_begin(L, &body, 0);
	body.on_return = ir_block_new(&L->b);
	L->unit = u;
	lower_prologue(L);
	nr = ir_reg_new(&L->b, IRC_INT, "nr");
	ir_set(&L->b, nr, lower_syscall_number(L));
	L->nr_reg = nr;
	for (size_t i = 0; i < n; i++)
		one_action(L, actions, i, n);
	L->unit = u;
	lower_body_end(L);
	L->nr_reg = 0;
	L->probe_id = 0;
}

static void direction(struct lower *L, enum access access)
{
	const char *event = access == ACCESS_SYS_ENTER ? "sys_enter" : "sys_exit";
	struct action *actions = arena_array(L->a, struct action, L->c->probes.n + 1);
	/*
	 * Only at the exit the number is behind an argument.  A typed one is read by a plain load,
	 * 46 ns less a hit than by way of the task; the kernel looks longer for its types, 0.4 ms.
	 * So does one that is cast, and nothing is looked for.
	 */
	bool typed = world_has(L->w, WORLD_TP_BTF) && !world_has(L->w, WORLD_CAST) &&
		     (access == ACCESS_SYS_EXIT || !world_has(L->w, WORLD_TASK_PT_REGS));
	bool is_first = true;
	struct unit u = {
		.provider = HOOK_TRACEPOINT, .btf_name = typed ? event : NULL, .n_points = 1};
	size_t n = 0;

	lower_attach_by(&u, typed ? QATTACH_TP_BTF : QATTACH_RAW_TP);
	u.access = access;
	for (size_t i = 0; i < L->c->probes.n; i++) {
		struct action *a = &actions[n];

		collect(L, &L->c->probes.p[i], access, a);
		if (!a->points.n)
			continue;
		a->unit = u;
		a->unit.probe = &L->c->probes.p[i];
		a->unit.point = a->points.p[0];
		a->unit.n_points = (uint32_t)a->points.n;
		n++;
	}
	if (!n)
		return;
	u.probe = actions[0].unit.probe;
	u.point = actions[0].unit.point;
	u.row = (uint32_t)L->q->probes.n;
	lower_prog_begin(L, &u, arena_new(L->a, struct ir_module));
	L->q->progs.p[u.index].name = event;
	for (size_t i = 0; i < n; i++) {
		actions[i].unit.index = u.index;
		actions[i].unit.row = (uint32_t)L->q->probes.n;
		for (size_t j = 0; j < actions[i].points.n; j++, is_first = false)
			add_row(L, &u, actions[i].points.p[j], is_first, event);
	}
	program(L, &u, actions, n);
	L->unit = NULL;
}

bool lower_has_enters(struct lower *L)
{
	for (size_t i = 0; i < L->c->probes.n; i++)
		for (const struct resolved *r = L->c->probes.p[i].points; r; r = r->next)
			if (lower_is_syscall_point(L, r) && is_syscall(r, "sys_enter_"))
				return true;
	return false;
}

void lower_dispatch(struct lower *L)
{
	if (world_has(L->w, WORLD_EMBEDDED))
		return;
	direction(L, ACCESS_SYS_ENTER);
	direction(L, ACCESS_SYS_EXIT);
}
