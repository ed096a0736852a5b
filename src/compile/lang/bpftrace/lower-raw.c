/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of a tracepoint's record, without the record.
 *
 * Perf makes the record of a tracepoint from the tracepoint's arguments, and hands it to the
 * programs of its events; such an event takes 70 ms to detach, and 0.1 µs more a hit.  A raw
 * tracepoint gives its programs the arguments.  Where catalog/tracepoint-args.def knows how a
 * field follows from them, and the kernel's BTF where the members are, `args.prev_pid` is read
 * from the task itself, and the action needs no perf event.
 *
 * Both see the same: programs run in the middle of the tracepoint, before the kernel goes on.  The
 * value has the type of the record's field.  What is not known for sure is not done: then the
 * action gets its record.
 *
 * A raw program reads by a helper, 40 ns each, unless it may say what a pointer points to
 * (WORLD_CAST), which costs nothing then, and the kernel 40 µs when it loads the program.  Where
 * reads are frequent and it may not, a program whose
 * arguments have types (tp_btf) is better; the kernel looks for them in all its types, 0.4 ms.
 * lower-plan.c chooses.
 */
#include "compile/lang/bpftrace/lower-internal.h"

#include "catalog/tracepoint-args.h"

/* A member of a struct that an argument points to. */
struct member {
	int32_t off;
	uint32_t size;
	bool is_signed, is_pointer, is_array;
};

/* What the task says of itself when it goes: sched_switch. */
struct state_shape {
	bool has_arg; /* its state is the last argument */
	struct member state, exit_state;
};

/* --- where it is */

static bool member_in(const struct btf_view *v, uint32_t id, const char *name, struct member *ret)
{
	const struct btf_type *t;
	struct btf_place at;

	if (!btf_member_find(v, id, name, &at) || at.bits || at.bit_offset % 8)
		return false;
	t = btf_resolve(v, at.type, NULL);
	*ret = (struct member){.off = (int32_t)(at.bit_offset / 8),
			       .size = (uint32_t)btf_size(v, at.type)};
	if (!t)
		return false;
	ret->is_pointer = btf_type_kind(t) == BTF_KIND_PTR;
	ret->is_array = btf_type_kind(t) == BTF_KIND_ARRAY;
	ret->is_signed =
		btf_type_kind(t) == BTF_KIND_INT && (btf_type_encoding(t) & BTF_INT_SIGNED);
	return true;
}

static bool member_of(struct lower *L, const char *type, const char *name, struct member *ret)
{
	const struct btf_view *v = lower_types(L);
	uint32_t id = v ? btf_find(v, 1u << BTF_KIND_STRUCT, type) : 0;

	return id && member_in(v, id, name, ret);
}

/* task_cpu(): since bcf9033e5449 (Linux 5.16) in thread_info on all machines. */
static bool cpu_of(struct lower *L, struct member *ret)
{
	const struct btf_view *v = lower_types(L);
	uint32_t task = v ? btf_find(v, 1u << BTF_KIND_STRUCT, "task_struct") : 0;
	struct btf_place info;

	if (!task)
		return false;
	if (btf_member_find(v, task, "thread_info", &info) && !(info.bit_offset % 8) &&
	    member_in(v, info.type, "cpu", ret)) {
		ret->off += (int32_t)(info.bit_offset / 8);
		return true;
	}
	return member_in(v, task, "cpu", ret);
}

static bool is_pointer(const struct btf_view *v, const struct btf_param *p)
{
	const struct btf_type *t = btf_resolve(v, p->type, NULL);

	return t && btf_type_kind(t) == BTF_KIND_PTR;
}

/*
 * sched_switch: (bool preempt, task *prev, task *next), and since 9c2136be0878 (Linux 5.18) prev's
 * state, too.  For some weeks before that it was in the second place (fa2c3254d7cf), also in stable
 * kernels.  They stand behind the type's first parameter, which is the listener's.
 */
static bool switch_of(struct lower *L, bool *ret_has_state)
{
	const struct btf_view *v = lower_types(L);
	uint32_t proto =
		v ? btf_proto(v, btf_find(v, 1u << BTF_KIND_TYPEDEF, "btf_trace_sched_switch")) : 0;
	const struct btf_type *t = proto ? btf_view_type(v, proto) : NULL;
	const struct btf_param *p;

	if (!t || (btf_type_vlen(t) != 4 && btf_type_vlen(t) != 5))
		return false;
	p = btf_type_params(t);
	*ret_has_state = btf_type_vlen(t) == 5;
	return !is_pointer(v, &p[1]) && is_pointer(v, &p[2]) && is_pointer(v, &p[3]) &&
	       (!*ret_has_state || btf_size(v, p[4].type) == 4);
}

/*
 * A kernel long after all that, which needs no search for the type, 0.2 ms: `dl_server` came with
 * 6.8, and task_struct is asked for anyway.
 */
static bool is_recent_switch(struct lower *L)
{
	struct member m;

	return member_of(L, "task_struct", "dl_server", &m);
}

/*
 * Are the tasks the second and third argument?  They also are on a kernel before all that:
 * `state` became `__state` in 5.14.
 */
static bool is_usual_switch(struct lower *L)
{
	struct member m;
	bool has_state;

	if (!L->has_switch)
		L->is_usual_switch = member_of(L, "task_struct", "state", &m) ||
				     is_recent_switch(L) || switch_of(L, &has_state);
	L->has_switch = true;
	return L->is_usual_switch;
}

static bool state_of(struct lower *L, struct state_shape *ret)
{
	ret->has_arg = true;
	if (!is_recent_switch(L) && !switch_of(L, &ret->has_arg))
		return false;
	if (!ret->has_arg && !member_of(L, "task_struct", "__state", &ret->state) &&
	    !member_of(L, "task_struct", "state", &ret->state))
		return false;
	return member_of(L, "task_struct", "exit_state", &ret->exit_state) &&
	       ret->exit_state.size == 4;
}

/* --- may it be had? */

static bool is_number(const struct member *m)
{
	return !m->is_array && (m->size == 1 || m->size == 2 || m->size == 4 || m->size == 8);
}

static const struct type_member *record_field(const struct unit *u, const char *name)
{
	const struct type *t = u->point->args;

	if (t && t->kind == TYPE_POINTER)
		t = t->of;
	for (uint32_t i = 0; t && i < t->n_members; i++)
		if (t->members[i].name && !strcmp(t->members[i].name, name))
			return &t->members[i];
	return NULL;
}

static const struct tracepoint_field *row_of(const struct unit *u, const char *name)
{
	const struct resolved *r = u->point;

	return r->group && r->event ? tracepoint_field(r->group, r->event, name) : NULL;
}

bool lower_raw_has(struct lower *L, const struct unit *u, const struct expr *e)
{
	const struct tracepoint_field *f = row_of(u, e->name);
	const struct type_member *m = record_field(u, e->name);
	struct state_shape shape;
	struct member at;
	bool is_text; /* of variable length: the value is its address */

	if (!f || !m || m->bits || (!strcmp(f->event, "sched_switch") && !is_usual_switch(L)))
		return false;
	is_text = m->is_data_loc || m->is_rel_loc;
	switch (f->way) {
	case TRACEPOINT_ARG:
	case TRACEPOINT_ONE:
		return !is_text && type_is_int(m->type);
	case TRACEPOINT_MEMBER:
		return member_of(L, f->type, f->member, &at) && is_number(&at) &&
		       (is_text ? at.is_pointer : lower_is_scalar(m->type));
	case TRACEPOINT_TEXT:
		return member_of(L, f->type, f->member, &at) && at.is_array &&
		       (is_text || (!lower_is_scalar(m->type) && m->type->size <= at.size));
	case TRACEPOINT_STATE:
		return !is_text && type_is_int(m->type) && state_of(L, &shape);
	case TRACEPOINT_CPU:
		return !is_text && type_is_int(m->type) && cpu_of(L, &at) && is_number(&at);
	case TRACEPOINT_WAYS:
		break;
	}
	return false;
}

bool lower_raw_is_plain(struct lower *L, const struct unit *u, const struct expr *e)
{
	const struct tracepoint_field *f = row_of(u, e->name);

	(void)L;
	return f && (f->way == TRACEPOINT_ARG || f->way == TRACEPOINT_ONE ||
		     f->way == TRACEPOINT_TEXT /* a copy, by helper, either way */);
}

/* --- its code */

static struct ir_val number(struct lower *L, unsigned int arg)
{
	return ir_load(&L->b, L->body->ctx, (int32_t)arg * 8, 8, false);
}

/* A pointer; the verifier knows what to if the program's arguments have types. */
static ir_reg argument(struct lower *L, unsigned int arg)
{
	ir_reg p = number(L, arg).reg;

	ir_here(&L->b)->regs.p[p].class = L->unit->has_typed_ctx ? IRC_BTF : IRC_KPTR;
	return p;
}

ir_reg lower_typed_arg(struct lower *L, unsigned int arg, const char *type)
{
	const struct resolved *r = L->unit->point;
	bool is_often = L->unit->access != ACCESS_RAW || tracepoint_is_often(r->group, r->event);
	bool casts = is_often && !L->unit->has_typed_ctx && world_has(L->w, WORLD_CAST);
	const struct btf_view *v = casts ? lower_types(L) : NULL;
	uint32_t id = v ? btf_find(v, 1u << BTF_KIND_STRUCT, type) : 0;

	return id ? ir_cast(&L->b, number(L, arg).reg, id) : argument(L, arg);
}

/* Members that are numbers are loaded where the verifier knows what it is. */
static ir_reg pointer(struct lower *L, const struct tracepoint_field *f)
{
	bool is_member = f->way == TRACEPOINT_MEMBER;

	return lower_typed_arg(L, f->arg, is_member ? f->type : "task_struct");
}

/* As a number, to be read from by helpers. */
static ir_reg address(struct lower *L, unsigned int arg)
{
	return lower_untyped(L, IR_R(argument(L, arg))).reg;
}

static struct ir_val read_member(struct lower *L, ir_reg base, const struct member *m)
{
	return ir_kload(&L->b, base, m->off, m->size, m->is_signed,
			m->is_pointer ? IRC_KPTR : IRC_INT, NULL);
}

/* include/linux/sched.h */
enum {
	UNINTERRUPTIBLE = 2,
	IDLE = 0x402,			/* uninterruptible, and no load */
	RTLOCK_WAIT_OR_FROZEN = 0x9000, /* Linux 5.15 with PREEMPT_RT, 6.1 */
	REPORT = 0x7f,			/* states that have a letter */
	REPORT_IDLE = REPORT + 1,
	REPORT_MAX = REPORT_IDLE << 1,
};

/* If `of` is not 0: state = value. */
static void state_if(struct lower *L, ir_reg state, struct ir_val of, int64_t value)
{
	uint32_t is = ir_block_new(&L->b), done = ir_block_new(&L->b);

	ir_branch(&L->b, IRC_NE, of, IR_I(0), is, done);
	ir_block_go(&L->b, is);
	ir_set(&L->b, state, IR_I(value));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/* The highest bit of a number below 256; 0: 0. */
static struct ir_val highest_bit(struct lower *L, struct ir_val v)
{
	for (int shift = 1; shift < 8; shift *= 2)
		v = ir_math(&L->b, IR_OR, v, ir_math(&L->b, IR_SHR, v, IR_I(shift)));
	return ir_math(&L->b, IR_SUB, v, ir_math(&L->b, IR_SHR, v, IR_I(1)));
}

/*
 * __trace_sched_switch_state() of include/trace/events/sched.h, which asks __task_state_index() of
 * include/linux/sched.h.  Who is preempted is running.  Else it is the highest of the states that
 * have a letter, but for what was added later: TASK_IDLE has a bit behind all others, what waits
 * for a lock of PREEMPT_RT, or is frozen, counts as uninterruptible (25795ef6299f in 5.18,
 * f718faf3940e in 6.13 and the stable kernels of then: before it frozen tasks were "running").
 */
static struct ir_val state_value(struct lower *L, const struct tracepoint_field *f)
{
	uint32_t preempted = ir_block_new(&L->b), gone = ir_block_new(&L->b);
	uint32_t done = ir_block_new(&L->b);
	ir_reg state = ir_reg_new(&L->b, IRC_INT, NULL), task;
	struct state_shape shape = {0};
	struct ir_val own, all;

	if (!state_of(L, &shape))
		return IR_I(0);
	ir_branch(&L->b, IRC_NE, number(L, 0), IR_I(0), preempted, gone);
	ir_block_go(&L->b, preempted);
	ir_set(&L->b, state, IR_I(REPORT_MAX));
	ir_jump(&L->b, done);

	ir_block_go(&L->b, gone);
	task = pointer(L, f);
	own = shape.has_arg ? number(L, f->arg + 2)
			    : ir_kload(&L->b, task, shape.state.off, 4, false, IRC_INT, NULL);
	all = ir_math(&L->b, IR_OR, own, read_member(L, task, &shape.exit_state));
	ir_set(&L->b, state, highest_bit(L, ir_math(&L->b, IR_AND, all, IR_I(REPORT))));
	state_if(L, state,
		 ir_compare(&L->b, IRC_EQ, ir_math(&L->b, IR_AND, own, IR_I(IDLE)), IR_I(IDLE)),
		 REPORT_IDLE);
	if (shape.has_arg)
		state_if(L, state, ir_math(&L->b, IR_AND, own, IR_I(RTLOCK_WAIT_OR_FROZEN)),
			 UNINTERRUPTIBLE);
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
	return IR_R(state);
}

static struct ir_val value(struct lower *L, const struct tracepoint_field *f)
{
	struct member at = {0};

	switch (f->way) {
	case TRACEPOINT_ARG:
		return number(L, f->arg);
	case TRACEPOINT_MEMBER:
		member_of(L, f->type, f->member, &at);
		return read_member(L, pointer(L, f), &at);
	case TRACEPOINT_TEXT:
		member_of(L, f->type, f->member, &at);
		return ir_math(&L->b, IR_ADD, IR_R(address(L, f->arg)), IR_I(at.off));
	case TRACEPOINT_STATE:
		return state_value(L, f);
	case TRACEPOINT_CPU:
		cpu_of(L, &at);
		return read_member(L, pointer(L, f), &at);
	case TRACEPOINT_ONE:
		return IR_I(1);
	case TRACEPOINT_WAYS:
		break;
	}
	return IR_I(0);
}

struct ir_val lower_raw_field(struct lower *L, const struct expr *e)
{
	return lower_fit(L, value(L, row_of(L->unit, e->name)), e->type);
}

struct mem lower_raw_place(struct lower *L, const struct expr *e)
{
	const struct tracepoint_field *f = row_of(L->unit, e->name);
	struct member at = {0};

	member_of(L, f->type, f->member, &at);
	return (struct mem){.base = address(L, f->arg), .off = at.off, .space = SPACE_KERNEL};
}
