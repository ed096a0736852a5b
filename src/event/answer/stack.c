/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as names, alone and as stacks.
 *
 * A stack is a value without its frames: they are kept aside once, however often the same
 * stack comes, and are fetched here.  Its text begins with a line end and has one frame a
 * line, so that it stands well in a map's key.  An address that has no name is shown as
 * a number.
 */
#include "event/answer/answer-internal.h"

#include <linux/bpf.h>

enum { FRAMES_MAX = 1024 };

/* One process, or the kernel (`is_user` false). */
struct space {
	bool is_user;
	uint32_t pid;
	int32_t probe;
};

static void put_address(uint64_t address, struct buf *to)
{
	if (address)
		buf_printf(to, "0x%llx", (unsigned long long)address);
	else
		buf_putc(to, '0');
}

static void put_symbol(struct answer *a, const struct space *s, uint64_t address, bool want_offset,
		       bool want_module, struct buf *to)
{
	struct buf name = {0}, module = {0};
	uint64_t offset = 0;
	bool known = false;

	if (!s->is_user && a->source.ksym)
		known = a->source.ksym(a->source.ctx, address, &name, &offset);
	else if (s->is_user && a->source.usym)
		known = a->source.usym(a->source.ctx, address, s->pid, s->probe, &name, &offset,
				       &module);
	if (!known) {
		put_address(address, to);
	} else {
		buf_put_str(to, buf_str(&name));
		if (want_offset)
			buf_printf(to, "+%llu", (unsigned long long)offset);
	}
	if (want_module && s->is_user)
		buf_printf(to, " (%s)", module.n ? module.p : "[unknown]");
	buf_done(&name);
	buf_done(&module);
}

void symbol_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to)
{
	struct space s = {.is_user = t->kind == TYPE_USYM, .probe = -1};
	struct value_usym v = {};

	if (s.is_user) {
		memcpy(&v, b.p, sizeof(v));
		s.pid = v.pid;
		s.probe = v.probe;
	} else {
		v.address = bytes_uint(b, 8);
	}
	put_symbol(a, &s, v.address, false, false, to);
}

static void put_frame(struct answer *a, const struct space *s, enum stack_mode mode,
		      uint64_t address, struct buf *to)
{
	switch (mode) {
	case STACK_BPFTRACE:
		buf_puts(to, "        ");
		put_symbol(a, s, address, true, false, to);
		break;
	case STACK_PERF:
		buf_printf(to, "\t%llx ", (unsigned long long)address);
		put_symbol(a, s, address, true, true, to);
		break;
	case STACK_RAW:
	case STACK_BUILD_ID:
		buf_printf(to, "%llx", (unsigned long long)address);
		break;
	}
	buf_putc(to, '\n');
}

/* Frames as the kernel gives them with BPF_F_USER_BUILD_ID. */
static void put_build_ids(const uint64_t *words, unsigned int n, struct buf *to)
{
	struct bpf_stack_build_id f;

	for (; n >= sizeof(f) / 8; n -= sizeof(f) / 8, words += sizeof(f) / 8) {
		memcpy(&f, words, sizeof(f));
		if (f.status == BPF_STACK_BUILD_ID_VALID) {
			for (size_t i = 0; i < sizeof(f.build_id); i++)
				buf_printf(to, "%02x", f.build_id[i]);
			buf_printf(to, " 0x%02llx\n", (unsigned long long)f.offset);
		} else if (f.ip) {
			buf_printf(to, "%llx\n", (unsigned long long)f.ip);
		}
	}
}

void stack_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to)
{
	unsigned int room = t->stack.limit ? MIN(t->stack.limit, FRAMES_MAX) : FRAMES_MAX, n = 0;
	bool has_ids = t->stack.mode == STACK_BUILD_ID;
	struct space s = {.is_user = t->kind == TYPE_USTACK};
	_cleanup_free_ uint64_t *frames = NULL;
	struct value_stack v;

	memcpy(&v, b.p, sizeof(v));
	s.pid = v.pid;
	s.probe = v.probe;
	room *= has_ids ? sizeof(struct bpf_stack_build_id) / 8 : 1;
	frames = xalloc(room * sizeof(*frames));
	if (v.id && a->source.stack)
		n = a->source.stack(a->source.ctx, v.id, frames, room);
	n = MIN(n, room);
	buf_putc(to, '\n');
	if (has_ids && n > v.n) {
		put_build_ids(frames, n, to);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (frames[i] == UINT64_MAX) {
			buf_puts(to, "        <unwind failure>\n");
			break;
		}
		put_frame(a, &s, (enum stack_mode)t->stack.mode, frames[i], to);
	}
}
