/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what printf() and its like send.
 *
 * A record is struct wire_answer and behind it the values, laid out as a tuple.  If
 * making the values is straight work, room is reserved in the ring and they are written
 * there at once; values with side effects or loops are made in scratch first, since they
 * must happen even if the ring is full, and since loops' bodies cannot carry a reservation.
 *
 * Waking the reader: the ring's own way (no flags).  The kernel wakes a reader only
 * when it had read all that was there before, so a busy stream costs one wake-up for a
 * batch, and a lone record is shown at once.
 *
 * A record that finds no room is counted in row 0 of the losses.
 */
#include "catalog/wire/answer.h"
#include "compile/lang/bpftrace/lower-internal.h"

static void head(struct lower *L, struct record *r)
{
	ir_store(&L->b, r->base, 0, 4, IR_I(r->action));
	ir_store(&L->b, r->base, 4, 4, lower_probe_id(L));
}

void lower_record_begin(struct lower *L, struct record *r, uint32_t action, uint32_t size,
			uint32_t room, bool is_simple)
{
	*r = (struct record){.action = action,
			     .size = (uint32_t)sizeof(struct wire_answer) + size,
			     .is_reserved = is_simple};
	if (!is_simple) {
		struct mem p = lower_scratch(L, r->size + room);

		r->base = p.base;
	} else {
		uint32_t lost = ir_block_new(&L->b), go = ir_block_new(&L->b);

		r->done = ir_block_new(&L->b);
		r->base = IR_CALL(&L->b, BPF_FUNC_ringbuf_reserve, IRC_PTR,
				  IR_R(ir_map_addr(&L->b, (uint32_t)L->q->ring)),
				  IR_I(r->size + room), IR_I(0));
		ir_branch(&L->b, IRC_EQ, IR_R(r->base), IR_I(0), lost, go);
		ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
		ir_block_go(&L->b, lost);
		lower_count_loss(L, 0);
		ir_jump(&L->b, r->done);
		ir_block_go(&L->b, go);
	}
	head(L, r);
	r->payload = mem_bpf(r->base, (int32_t)sizeof(struct wire_answer));
}

void lower_record_end(struct lower *L, struct record *r)
{
	if (r->is_reserved) {
		IR_CALL(&L->b, BPF_FUNC_ringbuf_submit, IRC_INT, IR_R(r->base), IR_I(0));
		ir_jump(&L->b, r->done);
	} else {
		uint32_t lost = ir_block_new(&L->b);
		ir_reg failed = IR_CALL(&L->b, BPF_FUNC_ringbuf_output, IRC_INT,
					IR_R(ir_map_addr(&L->b, (uint32_t)L->q->ring)),
					IR_R(r->base), IR_I(r->size), IR_I(0));

		r->done = ir_block_new(&L->b);
		ir_branch(&L->b, IRC_NE, IR_R(failed), IR_I(0), lost, r->done);
		ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
		ir_block_go(&L->b, lost);
		lower_count_loss(L, 0);
		ir_jump(&L->b, r->done);
	}
	ir_block_go(&L->b, r->done);
}

/* A record that does not need the ring's room before its values are known. */
static bool is_simple(struct expr *const *args, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (lower_has_effects(args[i]))
			return false;
	return true;
}

void lower_record(struct lower *L, struct question_action action, struct expr *const *args,
		  unsigned int n)
{
	const struct type **types = arena_array(L->a, const struct type *, n + 1);
	struct record r;
	uint32_t at = 0, room = n && args[n - 1]->type->kind == TYPE_STRING ? 8 : 0;

	for (unsigned int i = 0; i < n; i++)
		types[i] = args[i]->type;
	if (!action.args)
		action.args = type_tuple(L->a, types, NULL, n);
	lower_record_begin(L, &r, lower_action(L, action), action.args->size, room,
			   is_simple(args, n));
	for (unsigned int i = 0; i < n && i < action.args->n_members; i++) {
		const struct type_member *m = &action.args->members[i];
		struct mem to;

		if (m->offset > at)
			mem_zero(L, mem_at(r.payload, (int32_t)at), m->offset - at);
		to = mem_at(r.payload, (int32_t)m->offset);
		to.has_room = i + 1 < n || room; /* what is behind comes later */
		lower_into_type(L, args[i], to, m->type, false);
		at = m->offset + m->type->size;
	}
	if (action.args->size > at)
		mem_zero(L, mem_at(r.payload, (int32_t)at), action.args->size - at);
	lower_record_end(L, &r);
}

void lower_record_number(struct lower *L, struct question_action action, unsigned int size,
			 struct ir_val v, bool has_value)
{
	struct record r;
	const struct type *t = has_value ? type_int(size, false) : NULL;

	action.args = type_tuple(L->a, &t, NULL, has_value);
	lower_record_begin(L, &r, lower_action(L, action), has_value ? 8 : 0, 0, true);
	if (has_value) {
		ir_store(&L->b, r.payload.base, r.payload.off, 8, IR_I(0));
		ir_store(&L->b, r.payload.base, r.payload.off, size, v);
	}
	lower_record_end(L, &r);
}

void lower_runtime_error(struct lower *L, struct span span, const char *text)
{
	struct span outer = L->b.span;

	L->b.span = span;
	lower_record_number(
		L,
		(struct question_action){.kind = QACTION_RUNTIME_ERROR, .text = text, .span = span},
		8, IR_I(0), true);
	L->b.span = outer;
}

/* What helpers may fail with, for -k. */
static const char *helper_name(unsigned int helper)
{
	switch (helper) {
	case BPF_FUNC_map_lookup_elem:
		return "map_lookup_elem";
	case BPF_FUNC_probe_read_user:
		return "probe_read_user";
	case BPF_FUNC_probe_read_user_str:
		return "probe_read_user_str";
	case BPF_FUNC_probe_read_kernel_str:
		return "probe_read_kernel_str";
	}
	return "probe_read_kernel";
}

void lower_helper_error(struct lower *L, unsigned int helper, struct ir_val result)
{
	uint32_t failed, done;
	bool is_lookup = helper == BPF_FUNC_map_lookup_elem;

	if (!L->o->helper_errors && (is_lookup || !L->o->counts_losses))
		return;
	failed = ir_block_new(&L->b);
	done = ir_block_new(&L->b);
	if (is_lookup)
		ir_branch(&L->b, IRC_EQ, result, IR_I(0), failed, done);
	else
		ir_branch(&L->b, IRC_SLT, result, IR_I(0), failed, done);
	ir_here(&L->b)->blocks.p[L->b.block].unlikely = true;
	ir_block_go(&L->b, failed);
	if (L->o->helper_errors)
		lower_record_number(L,
				    (struct question_action){.kind = QACTION_HELPER_ERROR,
							     .text = helper_name(helper),
							     .span = L->b.span},
				    4, is_lookup ? IR_I(0) : result, true);
	else
		lower_count_loss(L, lower_loss(L, QLOSS_READ, "", L->b.span));
	ir_jump(&L->b, done);
	ir_block_go(&L->b, done);
}
