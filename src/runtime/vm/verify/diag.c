/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals: what was needed, where the fact was last known, what to do.
 *
 * The place that finds a mistake says it in the kernel's words, which people know how to search
 * for; refuse_text() says it in plain ones, notes show where the registers in question got what
 * they hold, and each kind of mistake has a hint of its own.  Only one is kept: the
 * first path that goes wrong ends the walk.
 */
#include "runtime/vm/verify/internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

struct span insn_span(const struct verifier *v, uint32_t insn)
{
	const struct question_line *lines = v->p->lines;
	uint32_t low = 0, high = v->p->n_lines;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (lines[middle].insn <= insn)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? lines[low - 1].span : (struct span){};
}

int refuse(struct verifier *v, enum diag_id id, const char *format, ...)
{
	struct refusal *f = &v->refusal;
	va_list ap;

	if (f->is_set)
		return REFUSED;
	*f = (struct refusal){.id = id, .insn = v->insn, .is_set = true};
	va_start(ap, format);
	vsnprintf(f->error, sizeof(f->error), format, ap);
	va_end(ap);
	return REFUSED;
}

void refuse_text(struct verifier *v, const char *format, ...)
{
	va_list ap;

	if (v->refusal.text[0])
		return;
	va_start(ap, format);
	vsnprintf(v->refusal.text, sizeof(v->refusal.text), format, ap);
	va_end(ap);
}

void refuse_hint(struct verifier *v, const char *format, ...)
{
	va_list ap;

	if (v->refusal.hint[0])
		return;
	va_start(ap, format);
	vsnprintf(v->refusal.hint, sizeof(v->refusal.hint), format, ap);
	va_end(ap);
}

void refuse_note(struct verifier *v, uint32_t insn, const char *format, ...)
{
	struct refusal *f = &v->refusal;
	va_list ap;

	if (f->n_notes == ELEMENTS(f->notes))
		return;
	f->notes[f->n_notes].insn = insn;
	va_start(ap, format);
	vsnprintf(f->notes[f->n_notes].text, sizeof(f->notes[0].text), format, ap);
	va_end(ap);
	f->n_notes++;
}

static const char *const type_names[REG_TYPES] = {
	[REG_NONE] = "?",
	[REG_SCALAR] = "scalar",
	[REG_CTX] = "ctx",
	[REG_STACK] = "fp",
	[REG_MAP] = "map_ptr",
	[REG_MAP_VALUE] = "map_value",
	[REG_MAP_KEY] = "map_key",
	[REG_PACKET] = "pkt",
	[REG_PACKET_META] = "pkt_meta",
	[REG_PACKET_END] = "pkt_end",
	[REG_FLOW_KEYS] = "flow_keys",
	[REG_SOCKET] = "sock",
	[REG_SOCK_COMMON] = "sock_common",
	[REG_TCP_SOCK] = "tcp_sock",
	[REG_XDP_SOCK] = "xdp_sock",
	[REG_TP_BUFFER] = "tp_buffer",
	[REG_BUFFER] = "buf",
	[REG_BTF] = "ptr_",
	[REG_MEM] = "mem",
	[REG_ARENA] = "arena",
	[REG_FUNC] = "func",
	[REG_DYNPTR] = "dynptr_ptr",
};

const char *reg_name(const struct reg *r, char *room, size_t n)
{
	const char *of = "";

	if (r->type == REG_BTF && r->btf) {
		const struct btf_type *t = btf_view_type(r->btf, r->btf_id);

		of = t ? btf_view_name(r->btf, t) : "";
	}
	snprintf(room, n, "%s%s%s%s%s%s%s%s", r->flags & F_RDONLY ? "rdonly_" : "",
		 r->flags & F_RINGBUF ? "ringbuf_" : "", r->flags & F_USER ? "user_" : "",
		 r->flags & F_PERCPU ? "percpu_" : "", r->flags & F_RCU ? "rcu_" : "",
		 type_names[r->type], of, r->flags & F_NULL ? "_or_null" : "");
	return room;
}

void refuse_note_reg(struct verifier *v, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	long long min, max;
	char name[96];

	if (r->type == REG_NONE)
		return;
	reg_name(r, name, sizeof(name));
	if (r->type == REG_SCALAR) {
		struct buf text = {};

		scalar_print(&r->v, &text);
		refuse_note(v, r->at, "r%u is known to be %s from here on", regno,
			    text.p ? text.p : "anything");
		buf_done(&text);
		return;
	}
	if (__builtin_add_overflow(r->v.smin, r->off, &min))
		min = r->off < 0 ? LLONG_MIN : LLONG_MAX;
	if (__builtin_add_overflow(r->v.smax, r->off, &max))
		max = r->off < 0 ? LLONG_MIN : LLONG_MAX;
	if (min != max)
		refuse_note(v, r->at, "r%u became a %s here, at an offset from %lld to %lld", regno,
			    name, min, max);
	else
		refuse_note(v, r->at, "r%u became a %s here, at offset %lld", regno, name, min);
}

/* What helps most people most often, where the place that refused knows nothing better. */
static const char *hint_of(enum diag_id id)
{
	static const struct {
		enum diag_id id;
		const char *text;
	} hints[] = {
		{D_VERIFY_NULL, "compare it with NULL and leave if it is, before it is used"},
		{D_VERIFY_BOUNDS, "compare the offset or size with a constant limit first, as an "
				  "unsigned number, or mask it"},
		{D_VERIFY_UNINITIALISED, "give it a value on every path that leads here"},
		{D_VERIFY_STACK, "give the variable a value first, e.g. by = {}"},
		{D_VERIFY_LOOP, "bound it by a constant, or use bpf_loop() or an iterator"},
		{D_VERIFY_REFERENCE, "release it exactly once on every path that leads out"},
		{D_VERIFY_LOCK, "give the lock back on every path, and call nothing in between"},
		{D_VERIFY_LIMIT, "split it, make helper functions global, or use bpf_loop()"},
	};

	for (size_t i = 0; i < ELEMENTS(hints); i++)
		if (hints[i].id == id)
			return hints[i].text;
	return NULL;
}

void refusal_record(struct verifier *v)
{
	struct refusal *f = &v->refusal;
	struct diags *d = v->o->diags;
	const char *hint = f->hint[0] ? f->hint : hint_of(f->id);

	if (!f->is_set || !d)
		return;
	diag(d, f->id, insn_span(v, f->insn), "%s: %s", v->p->name ? v->p->name : "program",
	     f->text[0] ? f->text : f->error);
	if (f->text[0])
		diag_hint(d, "the kernel says: %s (instruction %u)", f->error, f->insn);
	else
		diag_hint(d, "at instruction %u", f->insn);
	for (unsigned int i = 0; i < f->n_notes; i++) {
		struct span span = insn_span(v, f->notes[i].insn);

		if (span.end)
			diag_note(d, span, "%s", f->notes[i].text);
		else
			diag_hint(d, "%s (instruction %u)", f->notes[i].text, f->notes[i].insn);
	}
	if (hint)
		diag_hint(d, "%s", hint);
}
