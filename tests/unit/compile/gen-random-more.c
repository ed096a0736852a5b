/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wide half of random programs: what needs a world around it.
 *
 * Maps, reads of the kernel's and of user memory, texts, runtime functions, callbacks, large
 * pieces of memory, addresses that are worked out.  random-world.c is that world for the
 * interpreter; test-random.c makes the same in the kernel.
 */
#include "compile/gen-random-maker.h"
#include "compile/ir/op.h"

#include <linux/bpf.h>

/* Memory of at least 64 bytes, its size a multiple of 8; constant: literals too. */
static ir_reg area(struct maker *k, bool constant, uint32_t *ret_size)
{
	switch (pick(k, constant ? 6 : 5)) {
	case 0:
		*ret_size = RANDOM_GLOBALS;
		return ir_space_addr(&k->b, IRS_GLOBAL, 0);
	case 1:
		*ret_size = RANDOM_SCRATCH;
		return ir_space_addr(&k->b, IRS_SCRATCH, 0);
	case 2:
		*ret_size = RANDOM_SINGLE;
		return ir_map_value_addr(&k->b, 2, 0);
	case 5:
		*ret_size = RANDOM_RODATA;
		return ir_space_addr(&k->b, IRS_RODATA, 0);
	}
	*ret_size = k->large_size;
	return ir_slot_addr(&k->b, k->large, 0);
}

static ir_reg text(struct maker *k)
{
	if (pick(k, 3) == 0)
		return ir_slot_addr(&k->b, k->large, (int32_t)pick(k, 6) * 8);
	return ir_space_addr(&k->b, IRS_RODATA,
			     RANDOM_TEXTS + pick(k, (RANDOM_RODATA - RANDOM_TEXTS) / 16) * 16);
}

static ir_reg kernel_base(struct maker *k, ir_reg at)
{
	ir_reg base = ir_reg_new(&k->b, IRC_KPTR, NULL);

	ir_set(&k->b, base, pick(k, 6) ? IR_R(at) : IR_I(16));
	return base;
}

/* --- memory */

/* Some bytes become zeros, or those of another place; of all lengths. */
static void do_large(struct maker *k)
{
	uint32_t size, other, n, off;
	ir_reg to = area(k, false, &size), from;

	n = 1 + pick(k, size - 1);
	off = pick(k, size - n + 1);
	if (to == 0 || pick(k, 3) == 0) {
		off &= ~7u;
		ir_zero(&k->b, to, (int32_t)off, n);
		return;
	}
	from = ir_space_addr(&k->b, IRS_RODATA, pick(k, 8) * 8);
	other = RANDOM_RODATA - 64;
	n = MIN(n, other);
	off = pick(k, size - n + 1) & ~7u;
	ir_copy(&k->b, to, (int32_t)off, from, (int32_t)pick(k, other - n + 1) & ~7, n);
}

/* An array: the index is a number that is not known, below a power of two. */
static void do_indexed(struct maker *k)
{
	unsigned int shift = pick(k, 4), size = 1u << shift;
	bool writes = pick(k, 2);
	uint32_t room;
	ir_reg base = area(k, !writes, &room), at;
	struct ir_val i = ir_math(&k->b, IR_AND, operand(k), IR_I((int64_t)(64 / size) - 1));

	at = ir_math(&k->b, IR_ADD, IR_R(base), ir_math(&k->b, IR_SHL, i, IR_I(shift))).reg;
	if (writes)
		ir_store(&k->b, at, 0, size, operand(k));
	else
		keep(k, ir_load(&k->b, at, 0, size, pick(k, 2)));
}

/* Members of packed structures: anywhere in the globals or the scratch. */
static void do_unaligned(struct maker *k)
{
	unsigned int size = 2u << pick(k, 3);
	bool is_scratch = pick(k, 2);
	uint32_t off = pick(k, (is_scratch ? RANDOM_SCRATCH : RANDOM_GLOBALS) - 16);
	ir_reg at = ir_space_addr(&k->b, is_scratch ? IRS_SCRATCH : IRS_GLOBAL, off);

	for (unsigned int n = 1 + pick(k, 3); n; n--) {
		int32_t by = (int32_t)pick(k, 8);

		if (pick(k, 2))
			ir_store(&k->b, at, by, size, operand(k));
		else
			keep(k, ir_load(&k->b, at, by, size, pick(k, 2)));
	}
}

/* --- the kernel's and users' */

static void do_read(struct maker *k)
{
	bool is_user = pick(k, 2);
	ir_reg base, failed, *want;

	if (is_user) {
		base = ir_reg_new(&k->b, IRC_INT, NULL);
		ir_set(&k->b, base, IR_I(pick(k, 6) ? (int64_t)RANDOM_USER : 16));
	} else {
		base = kernel_base(k, ir_space_addr(&k->b, IRS_RODATA, 0));
	}
	for (unsigned int n = 1 + pick(k, 4); n; n--) {
		unsigned int size = 1u << pick(k, 4);
		int32_t off = (int32_t)pick(k, RANDOM_TEXTS - 8);

		want = pick(k, 4) ? NULL : &failed;
		keep(k, is_user ? ir_uload(&k->b, base, off, size, pick(k, 2), want)
				: ir_kload(&k->b, base, off, size, pick(k, 2), IRC_INT, want));
		if (want)
			keep(k, IR_R(failed));
	}
}

static void do_read_bytes(struct maker *k)
{
	bool is_user = pick(k, 2), is_text = pick(k, 2);
	uint32_t n = 1 + pick(k, 24), off = pick(k, 4) * 8, from = RANDOM_TEXTS + pick(k, 6) * 16;
	ir_reg to = ir_slot_addr(&k->b, k->large, (int32_t)off);
	struct ir_val at = IR_R(kernel_base(k, ir_space_addr(&k->b, IRS_RODATA, from)));

	if (is_user)
		at = IR_I(pick(k, 6) ? (int64_t)RANDOM_USER + from : 16);
	if (is_text || pick(k, 2)) /* what is behind the NUL is left alone */
		ir_zero(&k->b, to, 0, 32);
	keep(k, IR_R(IR_CALL(&k->b,
			     is_text ? (is_user ? BPF_FUNC_probe_read_user_str
						: BPF_FUNC_probe_read_kernel_str)
				     : (is_user ? BPF_FUNC_probe_read_user
						: BPF_FUNC_probe_read_kernel),
			     IRC_INT, IR_R(to), IR_I(n), at)));
	keep(k, ir_load(&k->b, to, 0, 8, false));
}

static void do_task(struct maker *k)
{
	ir_reg to;

	if (pick(k, 2)) {
		keep(k, IR_R(IR_CALL(&k->b,
				     pick(k, 2) ? BPF_FUNC_get_current_pid_tgid
						: BPF_FUNC_get_current_uid_gid,
				     IRC_INT)));
		return;
	}
	to = ir_slot_addr(&k->b, k->large, (int32_t)pick(k, 4) * 8);
	ir_zero(&k->b, to, 0, 16 + pick(k, 3) * 8); /* 6.1 leaves what is behind the NUL */
	keep(k, IR_R(IR_CALL(&k->b, BPF_FUNC_get_current_comm, IRC_INT, IR_R(to), IR_I(16))));
	keep(k, ir_load(&k->b, to, (int32_t)pick(k, 2) * 8, 8, false));
}

/* --- runtime functions */

static void do_text(struct maker *k)
{
	static const char *const two[] = {"rt_strdiff", "rt_memdiff", "rt_memcmp"};
	struct ir_val a = IR_R(text(k)), b = IR_R(text(k)), n = IR_I(1 + pick(k, 16)), r;

	switch (pick(k, 4)) {
	case 0:
		r = IR_R(IR_CALL_RT(&k->b, "rt_strlen", IRC_INT, a, n));
		break;
	case 1:
		r = IR_R(IR_CALL_RT(&k->b, "rt_strstr", IRC_INT, a, IR_I(1 + pick(k, 6)), b,
				    IR_I(1 + pick(k, 3))));
		break;
	case 2:
		a = IR_R(ir_slot_addr(&k->b, k->large, 8));
		r = IR_R(IR_CALL_RT(&k->b, "rt_stack_hash", IRC_INT, a, IR_I(1 + pick(k, 4)),
				    operand(k)));
		break;
	default:
		r = IR_R(IR_CALL_RT(&k->b, two[pick(k, 3)], IRC_INT, a, b, n));
		break;
	}
	keep(k, r);
	if (pick(k, 2)) /* it is asked whether they are equal */
		keep(k, ir_compare(&k->b, IRC_EQ, r, IR_I(0)));
}

static void do_bucket(struct maker *k)
{
	int64_t min = (int64_t)pick(k, 20) - 10;
	struct ir_val v = operand(k);

	switch (pick(k, 4)) {
	case 0:
		keep(k, IR_R(IR_CALL_RT(&k->b, "rt_log2", IRC_INT, v)));
		break;
	case 1:
		keep(k, IR_R(IR_CALL_RT(&k->b, "rt_log2_parts", IRC_INT, v, IR_I(pick(k, 6)))));
		break;
	default:
		keep(k, IR_R(IR_CALL_RT(&k->b, "rt_linear", IRC_INT, v, IR_I(min),
					IR_I(min + 1 + pick(k, 1000)), IR_I(1 + pick(k, 9)))));
	}
}

/* --- maps */

static ir_reg element(struct maker *k, ir_reg map, bool is_array)
{
	/* one slot for all keys, as languages do */
	ir_reg key = ir_slot_addr(&k->b, k->n_slots, 0);
	struct ir_val v = operand(k);

	v = pick(k, 3) ? ir_math(&k->b, IR_AND, v, IR_I(is_array ? 7 : 15)) : v;
	ir_store(&k->b, key, 0, is_array ? 4 : 8, v);
	(void)map;
	return key;
}

/* Before Linux 6.4 these give an int, whose sign ends at bit 31. */
static void keep_int(struct maker *k, ir_reg r)
{
	keep(k, ir_extend(&k->b, IR_R(r), 32, true));
}

/* The results count, and elements that find no room. */
static void do_hash(struct maker *k)
{
	bool is_array = pick(k, 3) == 0;
	ir_reg map = ir_map_addr(&k->b, is_array), key = element(k, map, is_array), value, p;
	uint32_t found = ir_block_new(&k->b), then = ir_block_new(&k->b), size;

	if (pick(k, 3) == 0)
		keep(k,
		     IR_R(IR_CALL(&k->b, BPF_FUNC_map_delete_elem, IRC_INT, IR_R(map), IR_R(key))));
	if (pick(k, 2)) {
		value = is_array ? area(k, false, &size) : ir_slot_addr(&k->b, k->large, 16);
		keep_int(k, IR_CALL(&k->b, BPF_FUNC_map_update_elem, IRC_INT, IR_R(map), IR_R(key),
				    IR_R(value), IR_I(pick(k, 3))));
	}
	p = IR_CALL(&k->b, BPF_FUNC_map_lookup_elem, IRC_PTR, IR_R(map), IR_R(key));
	ir_branch(&k->b, IRC_EQ, IR_R(p), IR_I(0), then, found);
	enter(k, found);
	ir_set(&k->b, k->variables[pick(k, k->n_variables)],
	       ir_load(&k->b, p, pick(k, 2) ? 0 : 4, 4, pick(k, 2)));
	if (pick(k, 2))
		ir_atomic_add(&k->b, p, 0, 8, operand(k));
	else
		ir_store(&k->b, p, 0, 1u << pick(k, 4), operand(k));
	ir_jump(&k->b, then);
	enter(k, then);
}

/* --- callbacks: %1 … are what the kernel gives, the last is a slot of the caller's */

static uint32_t callback(struct maker *k, uint32_t n_params)
{
	struct ir_builder outer = k->b;
	uint32_t func = (uint32_t)k->b.m->funcs.n;
	struct ir_val sum, in;
	struct ir_func *f;

	f = ir_func_add(k->b.m, arena_printf(k->b.m->arena, "step%u", func), n_params);
	f->is_callback = true;
	f->regs.p[n_params].class = IRC_PTR;
	if (n_params == 4) {
		f->regs.p[1].class = IRC_MAP;
		f->regs.p[2].class = f->regs.p[3].class = IRC_PTR;
	}
	k->b = (struct ir_builder){.m = outer.m, .func = func};
	sum = ir_load(&k->b, n_params, 0, 8, false);
	in = n_params == 4 ? ir_load(&k->b, 3, 0, 8, false) : IR_R(1);
	if (n_params == 4 && pick(k, 2))
		ir_store(&k->b, 3, 8 * (int32_t)pick(k, 1), 4, IR_I(number(k)));
	in = ir_math(&k->b, pick(k, 2) ? IR_MUL : IR_XOR, in, IR_I(number(k)));
	/* in any order the same: a hash has none */
	sum = ir_math(&k->b, n_params == 2 && pick(k, 2) ? IR_XOR : IR_ADD, sum, in);
	ir_store(&k->b, n_params, 0, 8, sum);
	ir_return(&k->b, n_params == 2 && pick(k, 2)
				 ? ir_compare(&k->b, IRC_ULE, IR_I(1 + pick(k, 4)), IR_R(1))
				 : IR_I(0));
	k->b = outer;
	return func;
}

static void do_callback(struct maker *k)
{
	bool is_map = pick(k, 2);
	uint32_t slot = pick(k, k->n_slots);
	struct ir_val times = operand(k);
	ir_reg ctx, f;

	if (k->loops || k->o->no_callbacks)
		return;
	f = ir_func_addr(&k->b, callback(k, is_map ? 4 : 2));
	ctx = ir_slot_addr(&k->b, slot, 0);
	/* A 0 that the verifier knows makes Linux 6.18 drop the callback and miss it later. */
	times = ir_math(&k->b, IR_OR, ir_math(&k->b, IR_AND, times, IR_I(6)), IR_I(1));
	if (is_map)
		keep_int(k, IR_CALL(&k->b, BPF_FUNC_for_each_map_elem, IRC_INT,
				    IR_R(ir_map_addr(&k->b, pick(k, 2))), IR_R(f), IR_R(ctx),
				    IR_I(0)));
	else
		keep(k, IR_R(IR_CALL(&k->b, BPF_FUNC_loop, IRC_INT, times, IR_R(f), IR_R(ctx),
				     IR_I(0))));
}

void random_statement_more(struct maker *k)
{
	static void (*const all[])(struct maker *) = {
		do_large, do_indexed, do_unaligned, do_read, do_read_bytes, do_task,
		do_text,  do_bucket,  do_hash,	    do_hash, do_callback,
	};

	all[pick(k, ELEMENTS(all))](k);
}
