/* SPDX-License-Identifier: Apache-2.0 */
/* Builtins that do something: records for user space, changes, signals. */
#include "compile/lang/bpftrace/lower-call.h"

#include <signal.h>
#include <stdlib.h>

/* printf() and all that take a format. */
void call_format(struct lower *L, struct expr *e)
{
	struct question_action action = {.span = e->span, .format = call_text(e, 0)};

	switch ((int)e->builtin->id) {
	case BUILTIN_PRINTF:
		action.kind = QACTION_PRINTF;
		break;
	case BUILTIN_ERRORF:
		action.kind = QACTION_ERRORF;
		break;
	case BUILTIN_WARNF:
		action.kind = QACTION_WARNF;
		break;
	case BUILTIN_FAIL:
		action.kind = QACTION_FAIL;
		break;
	case BUILTIN_SYSTEM:
		action.kind = QACTION_SYSTEM;
		L->q->is_unsafe = true;
		break;
	case BUILTIN_CAT:
		action.kind = QACTION_CAT;
		break;
	}
	if (!action.format)
		action.format = "";
	lower_record(L, action, e->items.p + 1, (unsigned int)e->items.n - 1);
}

void call_debugf(struct lower *L, struct expr *e)
{
	const char *format = call_text(e, 0);
	uint32_t n = (uint32_t)strlen(format ? format : "") + 1;
	ir_reg text = ir_space_addr(&L->b, IRS_RODATA, lower_rodata(L, format ? format : "", n, 8));
	struct ir_val args[IR_ARGS] = {IR_R(text), IR_I(n)};
	unsigned int n_args = 2;

	for (size_t i = 1; i < e->items.n && n_args < IR_ARGS; i++) {
		struct expr *a = e->items.p[i];

		if (lower_is_scalar(a->type))
			args[n_args++] = IR_R(lower_stable(L, a));
		else
			args[n_args++] = IR_R(mem_addr(L, lower_mem(L, a)));
	}
	ir_call(&L->b, BPF_FUNC_trace_printk, IRC_INT, args, n_args);
}

static void leave(struct lower *L, struct span span, struct ir_val code)
{
	const struct type *type = type_int(1, false);
	struct question_action action = {
		.kind = QACTION_EXIT, .args = type_tuple(L->a, &type, NULL, 1), .span = span};
	struct record r;

	lower_record_begin(L, &r, lower_action(L, action), 8, 0, true);
	ir_store(&L->b, r.payload.base, r.payload.off, 8, code);
	lower_record_end(L, &r);
	if (L->body->on_return) {
		ir_jump(&L->b, L->body->on_return);
		lower_dead(L);
	}
}

void call_exit(struct lower *L, struct expr *e)
{
	struct expr *code = call_arg(e, 0);

	leave(L, e->span, code ? lower_scalar(L, code) : IR_I(0));
}

/*
 * assert() is a macro of bpftrace's standard library, and its message comes from there:
 * "stdlib/base.bt:6:5-37", then the place of the call.
 */
static struct span assert_span(struct lower *L, struct span call)
{
	static const char text[] = "\n\n\n\n\n    errorf(\"assert failed: %s\", msg);\n";
	struct diags *d = &L->q->diags;
	uint32_t file = diag_source(d, "stdlib/base.bt", str_of(text));

	return (struct span){diag_source_expansion(d, file, call), 9, 41};
}

void call_assert(struct lower *L, struct expr *e)
{
	uint32_t fail = ir_block_new(&L->b), fine = ir_block_new(&L->b);
	struct expr *message = call_arg(e, 1);

	lower_branch(L, call_arg(e, 0), fine, fail);
	ir_block_go(&L->b, fail);
	lower_record(L,
		     (struct question_action){.kind = QACTION_ERRORF,
					      .format = "assert failed: %s",
					      .span = assert_span(L, e->span)},
		     &message, 1);
	leave(L, e->span, IR_I(1));
	ir_jump(&L->b, fine);
	ir_block_go(&L->b, fine);
}

void call_time(struct lower *L, struct expr *e)
{
	const char *format = call_text(e, 0);

	lower_record_number(L,
			    (struct question_action){.kind = QACTION_TIME,
						     .text = format ? format : "%H:%M:%S\n",
						     .span = e->span},
			    8, IR_I(0), false);
}

void call_unwatch(struct lower *L, struct expr *e)
{
	lower_record_number(L, (struct question_action){.kind = QACTION_UNWATCH, .span = e->span},
			    8, lower_scalar(L, call_arg(e, 0)), true);
}

/* --- maps */

void call_clear(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = lower_map_of(call_arg(e, 0), &key);

	lower_record_number(L,
			    (struct question_action){.kind = e->builtin->id == BUILTIN_ZERO
								     ? QACTION_ZERO
								     : QACTION_CLEAR,
						     .map = m->index,
						     .span = e->span},
			    8, IR_I(0), false);
}

static void print_map(struct lower *L, struct expr *e, struct map_decl *m)
{
	const struct type *const types[] = {type_int(4, false), type_int(4, false)};
	struct question_action action = {.kind = QACTION_PRINT_MAP,
					 .args = type_tuple(L->a, types, NULL, 2),
					 .map = m->index,
					 .span = e->span};
	struct expr *top = call_arg(e, 1), *div = call_arg(e, 2);
	struct ir_val x = top ? IR_R(lower_stable(L, top)) : IR_I(0);
	struct ir_val y = div ? IR_R(lower_stable(L, div)) : IR_I(0);
	struct record r;

	lower_record_begin(L, &r, lower_action(L, action), 8, 0, true);
	ir_store(&L->b, r.payload.base, r.payload.off, 4, x);
	ir_store(&L->b, r.payload.base, r.payload.off + 4, 4, y);
	lower_record_end(L, &r);
}

void call_print(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0), *key;

	if (a->kind == EXPR_MAP) {
		print_map(L, e, a->map);
		return;
	}
	if (a->kind == EXPR_MAP_ACCESS && type_is_agg(a->type)) {
		/* over all cpus: user space reads the element itself */
		lower_map_of(a, &key);
		lower_record(L,
			     (struct question_action){.kind = QACTION_PRINT_MAP_KEY,
						      .map = lower_map_of(a, &key)->index,
						      .span = e->span},
			     &key, 1);
		return;
	}
	lower_record(L, (struct question_action){.kind = QACTION_PRINT, .span = e->span}, &a, 1);
}

/* (@m, key), (@m[key]) or (@m) */
static struct map_decl *element(struct expr *e, struct expr **ret_key)
{
	struct map_decl *m = lower_map_of(call_arg(e, 0), ret_key);

	if (!*ret_key && e->items.n > 1)
		*ret_key = e->items.p[1];
	return m;
}

struct ir_val call_delete(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = element(e, &key);

	return lower_map_delete(L, e, m, key);
}

struct ir_val call_has_key(struct lower *L, struct expr *e)
{
	struct expr *key;
	struct map_decl *m = element(e, &key);

	return lower_map_has(L, m, key);
}

struct ir_val call_find(struct lower *L, struct expr *e)
{
	struct expr *key, *var = call_arg(e, 2);
	struct map_decl *m = element(e, &key);
	uint32_t found = ir_block_new(&L->b), done = ir_block_new(&L->b);
	ir_reg result = ir_reg_new(&L->b, IRC_INT, NULL), p;

	if (lower_var_is_new(L, var->var)) /* it is declared here */
		lower_var_clear(L, var->var);
	p = lower_lookup(L, m, lower_key(L, m, key));
	ir_set(&L->b, result, IR_I(0));
	ir_branch(&L->b, IRC_EQ, IR_R(p), IR_I(0), done, found);
	ir_block_go(&L->b, found);
	p = lower_own_value(L, m, p);
	if (lower_is_scalar(m->value))
		lower_var_put(L, var->var, mem_load_type(L, mem_bpf(p, 0), m->value));
	else
		mem_convert(L, lower_var_place(L, var->var), var->var->type, mem_bpf(p, 0),
			    m->value, false);
	ir_set(&L->b, result, IR_I(1));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(result);
}

/* A body for bpf_for_each_map_elem() that does nothing: the call returns how many it saw. */
static uint32_t nothing(struct lower *L)
{
	struct ir_builder outer = L->b;
	uint32_t func;

	for (uint32_t i = 0; i < L->b.m->funcs.n; i++)
		if (!strcmp(L->b.m->funcs.p[i].name, "count_all"))
			return i;
	ir_func_add(L->b.m, "count_all", 4);
	func = (uint32_t)L->b.m->funcs.n - 1;
	L->b.func = func;
	L->b.block = 0;
	ir_return(&L->b, IR_I(0));
	L->b = outer;
	return func;
}

struct ir_val call_len(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0), *key;

	if (a->kind == EXPR_MAP && e->builtin->id == BUILTIN_LEN) {
		struct map_decl *m = lower_map_of(a, &key);

		return IR_R(IR_CALL(&L->b, BPF_FUNC_for_each_map_elem, IRC_INT,
				    IR_R(ir_map_addr(&L->b, m->index)),
				    IR_R(ir_func_addr(&L->b, nothing(L))), IR_I(0), IR_I(0)));
	}
	if (a->type->kind == TYPE_STRING)
		return call_strlen(L, e);
	return mem_load(L, mem_at(lower_mem(L, a), 20), 4, false, IRC_INT);
}

/* --- join() */

enum { JOIN_ARGS = 16, JOIN_SIZE = 256 };

void call_join(struct lower *L, struct expr *e)
{
	const char *delimiter = call_text(e, 1);
	const struct type *types[] = {type_int(8, false),
				      type_array(L->a, type_string(L->a, JOIN_SIZE), JOIN_ARGS)};
	struct question_action action = {.kind = QACTION_JOIN,
					 .args = type_tuple(L->a, types, NULL, 2),
					 .text = delimiter ? delimiter : " ",
					 .span = e->span};
	struct expr *a = call_arg(e, 0);
	struct mem from = {.space = lower_space(L, a->type)}, at;
	uint32_t done = ir_block_new(&L->b);
	struct record r;

	from.base = lower_stable(L, a);
	lower_record_begin(L, &r, lower_action(L, action), action.args->size, 0, false);
	ir_store(&L->b, r.payload.base, r.payload.off, 8, IR_I(0));
	for (int i = 0; i < JOIN_ARGS; i++) {
		struct ir_val p = mem_load(L, mem_at(from, i * 8), 8, false, IRC_KPTR);
		uint32_t next = ir_block_new(&L->b);

		ir_branch(&L->b, IRC_EQ, p, IR_I(0), done, next);
		ir_block_go(&L->b, next);
		at = mem_at(r.payload, 8 + i * JOIN_SIZE);
		mem_copy_text(L, at, JOIN_SIZE, (struct mem){.base = p.reg, .space = from.space},
			      JOIN_SIZE, false);
		ir_store(&L->b, r.payload.base, r.payload.off, 8, IR_I(i + 1));
	}
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	lower_record_end(L, &r);
}

/* --- what changes the machine */

static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{"HUP", SIGHUP},   {"INT", SIGINT},	  {"QUIT", SIGQUIT}, {"ILL", SIGILL},
		{"TRAP", SIGTRAP}, {"ABRT", SIGABRT},	  {"BUS", SIGBUS},   {"FPE", SIGFPE},
		{"KILL", SIGKILL}, {"USR1", SIGUSR1},	  {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
		{"PIPE", SIGPIPE}, {"ALRM", SIGALRM},	  {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
		{"CHLD", SIGCHLD}, {"CONT", SIGCONT},	  {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
		{"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},	  {"URG", SIGURG},   {"XCPU", SIGXCPU},
		{"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
		{"IO", SIGIO},	   {"POLL", SIGIO},	  {"PWR", SIGPWR},   {"SYS", SIGSYS}};

	if (!strncmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	return atoi(name);
}

void call_signal(struct lower *L, struct expr *e)
{
	const char *name = call_text(e, 0);
	struct ir_val n = name ? IR_I(signal_number(name)) : lower_scalar(L, call_arg(e, 0));

	L->q->is_unsafe = true;
	IR_CALL(&L->b,
		e->builtin->id == BUILTIN_SIGNAL ? BPF_FUNC_send_signal
						 : BPF_FUNC_send_signal_thread,
		IRC_INT, n);
}

void call_override(struct lower *L, struct expr *e)
{
	struct ir_val v = lower_scalar(L, call_arg(e, 0));

	L->q->is_unsafe = true;
	IR_CALL(&L->b, BPF_FUNC_override_return, IRC_INT, lower_ctx(L), v);
}

/* skboutput(file, skb, length, offset): the packet's bytes as a record of their own. */
struct ir_val call_skboutput(struct lower *L, struct expr *e)
{
	enum { PACKET = 2048 };
	const struct type *types[] = {type_int(8, false), type_buffer(L->a, PACKET)};
	struct question_action action = {.kind = QACTION_SKBOUTPUT,
					 .args = type_tuple(L->a, types, NULL, 2),
					 .text = call_text(e, 0),
					 .span = e->span};
	int data = lower_btf_offset(L, "sk_buff", "data"),
	    len = lower_btf_offset(L, "sk_buff", "len");
	ir_reg skb = lower_stable(L, call_arg(e, 1)), n = ir_reg_new(&L->b, IRC_INT, NULL), from;
	struct ir_val want = lower_scalar(L, call_arg(e, 2)), skip = IR_I(0);
	uint32_t cut = ir_block_new(&L->b), fits = ir_block_new(&L->b);
	uint32_t large = ir_block_new(&L->b), fine = ir_block_new(&L->b);
	struct record r;

	if (e->items.n > 3)
		skip = IR_R(lower_stable(L, call_arg(e, 3)));
	if (data < 0 || len < 0)
		lower_oops(L, e->span, "the kernel has no type information of packets");
	ir_set(&L->b, n, want);
	want = ir_kload(&L->b, skb, len, 4, false, IRC_INT, NULL);
	ir_branch(&L->b, IRC_UGT, IR_R(n), want, cut, fits);
	ir_block_go(&L->b, cut);
	ir_set(&L->b, n, want);
	ir_jump(&L->b, fits);
	ir_block_go(&L->b, fits);
	ir_branch(&L->b, IRC_UGT, IR_R(n), IR_I(PACKET), large, fine);
	ir_block_go(&L->b, large);
	ir_set(&L->b, n, IR_I(PACKET));
	ir_jump(&L->b, fine);
	ir_block_go(&L->b, fine);
	from = ir_to_reg(&L->b,
			 ir_math(&L->b, IR_ADD,
				 ir_kload(&L->b, skb, data, 8, false, IRC_KPTR, NULL), skip));
	lower_record_begin(L, &r, lower_action(L, action), action.args->size, 0, false);
	ir_store(&L->b, r.payload.base, r.payload.off, 8, lower_boottime(L));
	ir_store(&L->b, r.payload.base, r.payload.off + 8, 4, IR_R(n));
	IR_CALL(&L->b, BPF_FUNC_probe_read_kernel, IRC_INT,
		IR_R(mem_addr(L, mem_at(r.payload, 12))), IR_R(n), IR_R(from));
	lower_record_end(L, &r);
	return IR_I(0);
}
