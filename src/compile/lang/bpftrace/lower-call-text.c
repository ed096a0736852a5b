/* SPDX-License-Identifier: Apache-2.0 */
/* Builtins that are text, bytes or small structs: they are written where they are wanted. */
#include "compile/lang/bpftrace/lower-call.h"

#include <arpa/inet.h>

/* uptr(x) and kptr(x) say where a mere number points to. */
static enum type_space said_space(const struct expr *e)
{
	while (e && (e->kind == EXPR_CAST || e->kind == EXPR_BINARY)) {
		if (e->kind == EXPR_BINARY && said_space(e->b) != SPACE_NONE)
			return said_space(e->b);
		e = e->a;
	}
	if (e && e->kind == EXPR_CALL && e->builtin && e->builtin->id == BUILTIN_UPTR)
		return SPACE_USER;
	if (e && e->kind == EXPR_CALL && e->builtin && e->builtin->id == BUILTIN_KPTR)
		return SPACE_KERNEL;
	return SPACE_NONE;
}

/* What an argument points to: a pointer's target, or the memory of an array or a text. */
static struct mem target(struct lower *L, struct expr *a)
{
	if (lower_is_scalar(a->type)) {
		struct mem p = {.space = SPACE_KERNEL};

		p.base = ir_to_reg(&L->b, lower_scalar(L, a));
		if (a->type->kind == TYPE_POINTER)
			p.space = lower_space(L, a->type);
		else if (said_space(a) != SPACE_NONE)
			p.space = said_space(a);
		else if (L->unit && L->unit->point->hook &&
			 L->unit->point->hook->space == SPACE_USER)
			p.space = SPACE_USER;
		return p;
	}
	return lower_mem(L, a);
}

/* A length given at run time, at most `max`, as the verifier wants to see it. */
static struct ir_val bounded(struct lower *L, struct expr *a, uint32_t max)
{
	struct ir_val n;
	uint32_t large, fine;
	ir_reg r;

	n = lower_scalar(L, a);
	if (!n.reg)
		return (uint64_t)n.imm > max ? IR_I(max) : n;
	r = ir_reg_new(&L->b, IRC_INT, NULL);
	ir_set(&L->b, r, n);
	large = ir_block_new(&L->b);
	fine = ir_block_new(&L->b);
	ir_branch(&L->b, IRC_UGT, IR_R(r), IR_I(max), large, fine);
	ir_block_go(&L->b, large);
	ir_set(&L->b, r, IR_I(max));
	ir_jump(&L->b, fine);
	ir_block_go(&L->b, fine);
	return IR_R(r);
}

static void count_cut(struct lower *L, enum ir_cond cond, struct ir_val a, struct ir_val b)
{
	uint32_t cut = ir_block_new(&L->b), done = ir_block_new(&L->b);

	ir_branch(&L->b, cond, a, b, cut, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, cut);
	lower_count_loss(L, lower_loss(L, QLOSS_STRING, "max_strlen", L->b.span));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

/*
 * A text without a NUL is shown as cut, and the helper ends what it reads with one.  So it is
 * asked for a byte more where there is room for that: what is longer than `size` then goes on.
 * Elsewhere, if it filled all the room, the last byte is read again.
 */
static void mark_cut(struct lower *L, struct ir_val n, struct mem to, struct mem from,
		     uint32_t room)
{
	int32_t last = (int32_t)room - 1;
	uint32_t full = ir_block_new(&L->b), done = ir_block_new(&L->b);

	ir_branch(&L->b, IRC_EQ, n, IR_I(room), full, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, full);
	IR_CALL(&L->b,
		from.space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel,
		IRC_INT, IR_R(mem_addr(L, mem_at(to, last))), IR_I(1),
		IR_R(mem_addr(L, mem_at(from, last))));
	if (L->o->counts_losses)
		count_cut(L, IRC_NE, ir_load(&L->b, to.base, to.off + last, 1, false), IR_I(0));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}

void call_str(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0), *len = call_arg(e, 1);
	uint32_t size = e->type->size;
	struct ir_val n = IR_I(size), got;
	struct mem from;
	unsigned int helper;
	bool takes_more;

	from = target(L, a);
	if (e->builtin->id == BUILTIN_KSTR && from.space != SPACE_BPF)
		from.space = SPACE_KERNEL;
	if (!lower_is_scalar(a->type) && a->type->size < size && a->type->kind != TYPE_POINTER)
		n = IR_I(a->type->size);
	if (len) {
		struct ir_val want = bounded(L, len, (uint32_t)n.imm);

		n = want;
	}
	if (clean)
		mem_zero(L, to, size);
	else if (n.reg || !n.imm)
		ir_store(&L->b, to.base, to.off, 1, IR_I(0));
	helper = from.space == SPACE_USER ? BPF_FUNC_probe_read_user_str
					  : BPF_FUNC_probe_read_kernel_str;
	if (!n.reg && !n.imm)
		return;
	takes_more = !len && n.imm == size && to.has_room;
	n.imm += takes_more;
	got = IR_R(
		IR_CALL(&L->b, helper, IRC_INT, IR_R(mem_addr(L, to)), n, IR_R(mem_addr(L, from))));
	lower_helper_error(L, helper, got);
	if (takes_more && L->o->counts_losses)
		count_cut(L, IRC_SGT, got, IR_I(size));
	else if (!takes_more && !len && n.imm == size)
		mark_cut(L, got, to, from, size);
}

void call_buf(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0), *len = call_arg(e, 1);
	uint32_t room = e->type->size - 4;
	struct mem from = target(L, a);
	struct ir_val n = len ? bounded(L, len, room) : IR_I(room);
	unsigned int helper;
	ir_reg got;

	if (!len && !lower_is_scalar(a->type) && a->type->size < room)
		n = IR_I(a->type->size);
	if (clean || n.reg)
		mem_zero(L, to, e->type->size);
	ir_store(&L->b, to.base, to.off, 4, n);
	helper = from.space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel;
	got = IR_CALL(&L->b, helper, IRC_INT, IR_R(mem_addr(L, mem_at(to, 4))), n,
		      IR_R(mem_addr(L, from)));
	lower_helper_error(L, helper, IR_R(got));
}

void call_path(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0), *len = call_arg(e, 1);
	struct mem from = target(L, a);
	struct ir_val n = len ? bounded(L, len, e->type->size) : IR_I(e->type->size);

	if (clean)
		mem_zero(L, to, e->type->size);
	else
		ir_store(&L->b, to.base, to.off, 1, IR_I(0));
	IR_CALL(&L->b, BPF_FUNC_d_path, IRC_INT, IR_R(mem_addr(L, from)), IR_R(mem_addr(L, to)), n);
}

/* `to` has room for both texts in full; where the first ends is known only at run time. */
static void concat(struct lower *L, struct expr *a, struct expr *b, struct mem to)
{
	struct mem x = lower_mem(L, a), y = lower_mem(L, b);
	uint32_t empty = ir_block_new(&L->b), some = ir_block_new(&L->b);
	uint32_t large = ir_block_new(&L->b), fine = ir_block_new(&L->b);
	ir_reg n = ir_reg_new(&L->b, IRC_INT, NULL), at;

	ir_set(&L->b, n,
	       IR_R(IR_CALL(&L->b, BPF_FUNC_probe_read_kernel_str, IRC_INT, IR_R(mem_addr(L, to)),
			    IR_I(a->type->size), IR_R(mem_addr(L, x)))));
	ir_branch(&L->b, IRC_SLT, IR_R(n), IR_I(1), empty, some);
	ir_block_go(&L->b, empty);
	ir_set(&L->b, n, IR_I(1));
	ir_jump(&L->b, some);
	ir_block_go(&L->b, some);
	ir_branch(&L->b, IRC_UGT, IR_R(n), IR_I(a->type->size), large, fine);
	ir_block_go(&L->b, large);
	ir_set(&L->b, n, IR_I(a->type->size));
	ir_jump(&L->b, fine);
	ir_block_go(&L->b, fine);
	at = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(mem_addr(L, mem_at(to, -1))), IR_R(n)));
	IR_CALL(&L->b, BPF_FUNC_probe_read_kernel_str, IRC_INT, IR_R(at), IR_I(b->type->size),
		IR_R(mem_addr(L, y)));
}

void call_str_concat(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0), *b = call_arg(e, 1);
	uint32_t size = e->type->size, room = a->type->size + b->type->size - 1;

	if (room <= size) {
		if (clean)
			mem_zero(L, to, size);
		concat(L, a, b, to);
	} else { /* the end may be lost: but only if they are that long */
		struct mem both = lower_scratch(L, room);

		concat(L, a, b, both);
		mem_copy_text(L, to, size, both, size, clean);
	}
}

/* --- text as numbers */

static struct mem own_text(struct lower *L, struct expr *a)
{
	struct mem p = lower_mem(L, a), tmp;

	if (p.space == SPACE_BPF)
		return p;
	tmp = lower_temp(L, a->type->size);
	mem_copy_text(L, tmp, a->type->size, p, a->type->size, false);
	return tmp;
}

struct ir_val call_strlen(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0);

	return IR_R(IR_CALL_RT(&L->b, "rt_strlen", IRC_INT, IR_R(mem_addr(L, own_text(L, a))),
			       IR_I(a->type->size)));
}

struct ir_val call_strcap(struct lower *L, struct expr *e)
{
	(void)L;
	return IR_I(call_arg(e, 0)->type->size);
}

struct ir_val call_strncmp(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0), *b = call_arg(e, 1), *len = call_arg(e, 2);
	uint64_t n = a->type->size < b->type->size ? a->type->size : b->type->size;
	ir_reg x, y;

	if (len->kind == EXPR_INT && len->number < n)
		n = len->number;
	x = mem_addr(L, own_text(L, a));
	y = mem_addr(L, own_text(L, b));
	return lower_fit(
		L,
		IR_R(IR_CALL_RT(&L->b, "rt_strdiff", IRC_INT, IR_R(x), IR_R(y), IR_I((int64_t)n))),
		e->type);
}

struct ir_val call_strstr(struct lower *L, struct expr *e)
{
	struct expr *a = call_arg(e, 0), *b = call_arg(e, 1);
	ir_reg x = mem_addr(L, own_text(L, a)), y = mem_addr(L, own_text(L, b));
	ir_reg at = IR_CALL_RT(&L->b, "rt_strstr", IRC_INT, IR_R(x), IR_I(a->type->size), IR_R(y),
			       IR_I(b->type->size));

	if (e->builtin->id == BUILTIN_STRCONTAINS)
		return ir_compare(&L->b, IRC_SGE, IR_R(at), IR_I(0));
	return IR_R(at);
}

/* n bytes of anything in our own memory */
static ir_reg bytes(struct lower *L, struct expr *a, uint32_t n)
{
	struct mem p, tmp = lower_temp(L, n < 8 ? 8 : n);

	if (lower_is_scalar(a->type) && a->type->kind != TYPE_POINTER) {
		ir_store(&L->b, tmp.base, tmp.off, 8, lower_scalar(L, a));
		return mem_addr(L, tmp);
	}
	p = target(L, a);
	if (p.space == SPACE_BPF)
		return mem_addr(L, p);
	mem_copy(L, tmp, p, n);
	return mem_addr(L, tmp);
}

struct ir_val call_memcmp(struct lower *L, struct expr *e)
{
	struct expr *len = call_arg(e, 2);
	uint32_t n = len->kind == EXPR_INT ? (uint32_t)len->number : call_arg(e, 0)->type->size;
	ir_reg x = bytes(L, call_arg(e, 0), n), y = bytes(L, call_arg(e, 1), n);

	return lower_fit(L,
			 IR_R(IR_CALL_RT(&L->b, "rt_memcmp", IRC_INT, IR_R(x), IR_R(y), IR_I(n))),
			 e->type);
}

/* --- names of the probe */

/* A table of texts, one a point, picked by the row that fired. */
static void pick(struct lower *L, struct mem to, uint32_t size, bool is_func, bool clean)
{
	const struct resolved *r = L->unit->point;
	uint32_t n = L->unit->n_points, bad, fine, i = 0;
	char *table = arena_alloc(L->a, (size_t)n * size);
	struct mem from = mem_bpf(0, 0);
	struct ir_val id;
	ir_reg at;

	for (; r && i < n; r = r->next) {
		const char *name = is_func ? r->func : r->name;

		if (n > 1 &&
		    lower_is_syscall_point(L, r) != lower_is_syscall_point(L, L->unit->point))
			continue;
		snprintf(table + (size_t)i++ * size, size, "%s", name ? name : "");
	}
	from.base = ir_space_addr(&L->b, IRS_RODATA, lower_rodata(L, table, (size_t)n * size, 8));
	from.is_clean = true;
	if (n > 1) {
		at = ir_reg_new(&L->b, IRC_INT, NULL);
		id = ir_math(&L->b, IR_SUB, lower_probe_id(L), IR_I(L->unit->row));
		ir_set(&L->b, at, id);
		bad = ir_block_new(&L->b);
		fine = ir_block_new(&L->b);
		ir_branch(&L->b, IRC_UGE, IR_R(at), IR_I(n), bad, fine);
		ir_block_go(&L->b, bad);
		ir_set(&L->b, at, IR_I(0));
		ir_jump(&L->b, fine);
		ir_block_go(&L->b, fine);
		from.base = ir_to_reg(&L->b, ir_math(&L->b, IR_ADD, IR_R(from.base),
						     ir_math(&L->b, IR_MUL, IR_R(at), IR_I(size))));
	}
	mem_copy_text(L, to, size, from, size, clean);
}

void call_probe(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	pick(L, to, e->type->size, e->builtin->id == BUILTIN_FUNC, clean);
}

void call_probetype(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const struct hook *h = L->unit->point->hook;
	struct expr text = {.kind = EXPR_STRING,
			    .span = e->span,
			    .type = e->type,
			    .text = str_of(h ? h->name : "")};

	lower_into(L, &text, to, clean);
}

/* --- addresses, times, groups */

void call_usym(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0);
	ir_reg address;

	(void)clean;
	if (e->builtin->id == BUILTIN_USYM)
		address = lower_stable(L, a);
	else if (e->builtin->id == BUILTIN_FUNC)
		address = ir_to_reg(&L->b, lower_func_address(L, e));
	else
		address = ir_to_reg(&L->b, lower_retval(L, e));
	ir_store(&L->b, to.base, to.off, 8, IR_R(address));
	ir_store(&L->b, to.base, to.off + 8, 4, ir_math(&L->b, IR_SHR, lower_pid_tid(L), IR_I(32)));
	ir_store(&L->b, to.base, to.off + 12, 4, IR_I(0));
	ir_store(&L->b, to.base, to.off + 16, 4, lower_probe_id(L));
	ir_store(&L->b, to.base, to.off + 20, 4, IR_I(0));
}

void call_strftime(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const char *format = call_text(e, 0);
	struct question *q = L->q;
	uint32_t i = 0;
	struct ir_val ns = lower_scalar(L, call_arg(e, 1));

	(void)clean;
	while (i < q->formats.n && strcmp(q->formats.p[i], format ? format : "") != 0)
		i++;
	if (i == q->formats.n)
		array_push(L->a, &q->formats, format ? format : "");
	ir_store(&L->b, to.base, to.off, 8, ns);
	ir_store(&L->b, to.base, to.off + 8, 4, IR_I(i));
	ir_store(&L->b, to.base, to.off + 12, 4, IR_I(e->type->time.mode));
}

void call_cgroup_path(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const char *root = call_text(e, 1);
	struct question *q = L->q;
	struct ir_val id = lower_scalar(L, call_arg(e, 0));
	uint32_t i = 0;

	(void)clean;
	if (!q->strings.n)
		array_push(L->a, &q->strings, "");
	while (i < q->strings.n && strcmp(q->strings.p[i], root ? root : "") != 0)
		i++;
	if (i == q->strings.n)
		array_push(L->a, &q->strings, root);
	ir_store(&L->b, to.base, to.off, 8, id);
	ir_store(&L->b, to.base, to.off + 8, 8, IR_I(i));
}

/* --- the network */

void call_ntop(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, e->items.n > 1);
	uint32_t n = a->type->size < 16 ? a->type->size : 16;
	struct ir_val family;

	(void)clean;
	if (e->items.n > 1)
		family = lower_scalar(L, call_arg(e, 0));
	else
		family = IR_I(lower_is_scalar(a->type) || a->type->size == 4 ? AF_INET : AF_INET6);
	ir_store(&L->b, to.base, to.off, 8, family);
	ir_store(&L->b, to.base, to.off + 8, 8, IR_I(0));
	ir_store(&L->b, to.base, to.off + 16, 8, IR_I(0));
	if (lower_is_scalar(a->type) && a->type->kind != TYPE_POINTER)
		ir_store(&L->b, to.base, to.off + 8, 4, lower_scalar(L, a));
	else
		mem_copy(L, mem_at(to, 8), target(L, a), a->type->kind == TYPE_POINTER ? 16 : n);
}

void call_pton(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	const char *text = call_text(e, 0);
	uint8_t bytes16[16] = {};
	bool is_v6 = text && strchr(text, ':');

	(void)clean;
	if (!text || inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes16) != 1)
		diag(&L->q->diags, D_NOT_HERE, e->span, "\"%s\" is not an IP address",
		     text ? text : "");
	for (uint32_t i = 0; i < e->type->size && i < 16; i++)
		ir_store(&L->b, to.base, to.off + (int32_t)i, 1, IR_I(bytes16[i]));
}

void call_macaddr(struct lower *L, struct expr *e, struct mem to, bool clean)
{
	struct expr *a = call_arg(e, 0);
	int32_t head = a->type->kind == TYPE_BUFFER ? 4 : 0; /* its length */

	(void)clean;
	mem_copy(L, to, mem_at(target(L, a), head), 6);
}
