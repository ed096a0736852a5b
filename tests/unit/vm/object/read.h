/* SPDX-License-Identifier: Apache-2.0 */
/* An object that is read, for a test to look at. */
#pragma once

#include "runtime/vm/object.h"

struct read {
	struct arena arena;
	struct diags diags;
	struct vm_object object;
	int r;
};

/* `o` NULL: no kernel.  What it says is in text, which goes with the arena. */
static inline void read_object(struct read *x, const void *bytes, size_t n,
			       const struct object_options *o)
{
	static const struct object_options none = {.name = "test.o"};

	*x = (struct read){.diags.arena = &x->arena};
	x->r = object_read(bytes, n, o ? o : &none, &x->diags, &x->object);
}

static inline void read_done(struct read *x)
{
	object_done(&x->object);
	arena_done(&x->arena);
}

static inline const char *read_said(struct read *x)
{
	struct buf text = {0};
	const char *said;

	diags_print(&x->diags, false, &text);
	said = arena_strndup(&x->arena, text.p ? text.p : "", text.n);
	buf_done(&text);
	return said;
}

static inline const struct vm_prog *read_prog(const struct read *x, const char *name)
{
	for (size_t i = 0; i < x->object.progs.n; i++)
		if (!strcmp(x->object.progs.p[i].name, name))
			return &x->object.progs.p[i];
	return NULL;
}

static inline uint32_t read_map(const struct read *x, const char *name)
{
	for (uint32_t i = 0; i < x->object.maps.n; i++)
		if (!strcmp(x->object.maps.p[i].name, name))
			return i;
	return UINT32_MAX;
}

/* The n-th instruction with these opcode and source; NULL: there are not so many. */
static inline const struct bpf_insn *read_insn(const struct vm_prog *p, unsigned int code,
					       unsigned int src, unsigned int n)
{
	for (uint32_t i = 0; p && i < p->n_insns; i++) {
		if (p->insns[i].code == code && p->insns[i].src_reg == src && !n--)
			return &p->insns[i];
		i += insn_is_wide(&p->insns[i]);
	}
	return NULL;
}
enum { READ_WIDE = BPF_LD | BPF_IMM | BPF_DW, READ_CALL = BPF_JMP | BPF_CALL };

/* The types of an object, as those of a kernel. */
static inline bool read_types(struct read *x, const void *bytes, size_t n)
{
	read_object(x, bytes, n, NULL);
	return x->r == 0 && x->object.has_btf;
}
