/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks: the one spin lock that may be held, RCU read sections, sections without preemption.
 *
 * A lock is known by what it is in (a map or an object) and the id of the pointer that led
 * there.  While it is held, nothing may be called that could take it again or wait.
 */
#include "runtime/vm/verify/internal.h"

#include <string.h>

bool rcu_is_held(const struct verifier *v)
{
	return v->cur->rcu || v->cur->lock_of || v->cur->preempt || !v->may_sleep;
}

static void drop_non_owning(struct reg *r, void *ctx)
{
	(void)ctx;
	if (r->flags & F_NON_OWN && r->type == REG_BTF) {
		uint32_t at = r->at;

		reg_none(r);
		r->at = at;
	}
}

void non_owning_drop(struct verifier *v)
{
	state_each(v->cur, drop_non_owning, NULL);
}

/* What a lock is a part of, as a number that is the same for the same thing. */
uint64_t lock_identity(const struct reg *r)
{
	if (r->type == REG_MAP_VALUE)
		return ((uint64_t)r->map << 1 | r->is_inner) + 1;
	return (uint64_t)r->btf_id << 32 | 0x80000000u;
}

int lock_process(struct verifier *v, unsigned int regno, bool is_lock)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct vm_field *f;
	uint64_t identity;

	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_LOCK,
			      "R%u doesn't have constant offset. bpf_spin_lock has to be at the "
			      "constant offset",
			      regno);
	f = fields_one(reg_fields(v, r), FIELD_SPIN_LOCK);
	if (!f)
		return refuse(v, D_VERIFY_LOCK, "map or local has no valid bpf_spin_lock");
	if ((int64_t)f->offset != r->off + (int64_t)r->v.bits.value)
		return refuse(v, D_VERIFY_LOCK,
			      "off %lld doesn't point to 'struct bpf_spin_lock' that is at %u",
			      (long long)r->off + (long long)r->v.bits.value, f->offset);
	identity = lock_identity(r);
	if (is_lock) {
		if (v->cur->lock_of) {
			refuse(v, D_VERIFY_LOCK, "Locking two bpf_spin_locks are not allowed");
			refuse_note(v, v->cur->lock_insn, "the first is taken here");
			return REFUSED;
		}
		v->cur->lock_of = identity;
		v->cur->lock_id = r->id;
		v->cur->lock_insn = v->insn;
		return 0;
	}
	if (!v->cur->lock_of)
		return refuse(v, D_VERIFY_LOCK, "bpf_spin_unlock without taking a lock");
	if (v->cur->lock_of != identity || v->cur->lock_id != r->id) {
		refuse(v, D_VERIFY_LOCK, "bpf_spin_unlock of different lock");
		refuse_note(v, v->cur->lock_insn, "the lock that is held is taken here");
		return REFUSED;
	}
	v->cur->lock_of = 0;
	v->cur->lock_id = 0;
	non_owning_drop(v);
	return 0;
}

int lock_check_call(struct verifier *v, const char *name, bool is_helper, uint32_t number,
		    bool may_sleep)
{
	const struct state *s = v->cur;

	if (s->lock_of && is_helper && number != BPF_FUNC_spin_lock &&
	    number != BPF_FUNC_spin_unlock && number != BPF_FUNC_kptr_xchg) {
		refuse(v, D_VERIFY_LOCK, "function calls are not allowed while holding a lock");
		refuse_note(v, s->lock_insn, "the lock is taken here");
		return REFUSED;
	}
	if (s->rcu && may_sleep)
		return refuse(v, D_VERIFY_LOCK, "sleepable helper %s#%u in rcu_read_lock region",
			      name, number);
	if (s->preempt && may_sleep)
		return refuse(v, D_VERIFY_LOCK, "sleepable helper %s#%u in non-preemptible region",
			      name, number);
	return 0;
}

int lock_check_exit(struct verifier *v, bool is_exception)
{
	const struct state *s = v->cur;

	if (s->lock_of) {
		refuse(v, D_VERIFY_LOCK, "%s",
		       is_exception ? "bpf_throw cannot be used inside bpf_spin_lock-ed region"
				    : "bpf_spin_unlock is missing");
		refuse_note(v, s->lock_insn, "the lock is taken here");
		return REFUSED;
	}
	if (s->rcu)
		return refuse(v, D_VERIFY_LOCK, "%s",
			      is_exception ? "bpf_throw cannot be used inside bpf_rcu_read_lock-ed "
					     "region"
					   : "bpf_rcu_read_unlock is missing");
	if (s->preempt)
		return refuse(v, D_VERIFY_LOCK, "%s",
			      is_exception ? "bpf_throw cannot be used inside "
					     "bpf_preempt_disable-ed region"
					   : "bpf_preempt_enable is missing");
	return 0;
}
