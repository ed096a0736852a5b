/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/cast.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

static const char *const names[CAST_END] = {
#define CAST(name) #name,
#include "catalog/wire/cast.def"
#undef CAST
};

/* It needs the JIT, too, which may be off. */
static bool is_taken(const struct casts *c)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
		 .dst_reg = BPF_REG_2,
		 .imm = (int)c->types[CAST_file]},
		{.code = BPF_JMP | BPF_CALL,
		 .src_reg = BPF_PSEUDO_KFUNC_CALL,
		 .imm = (int)c->function},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "skep_probe", "GPL", insns,
			       sizeof(insns) / sizeof(*insns), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void casts_find(struct casts *c, const struct btf_view *v)
{
	*c = (struct casts){.function = btf_kfunc(v, "bpf_rdonly_cast")};
	if (!c->function)
		c->function = btf_find(v, BTF_ONE(FUNC), "bpf_rdonly_cast");
	for (int i = 0; c->function && i < CAST_END; i++) {
		c->types[i] = btf_find(v, BTF_ONE(STRUCT), names[i]);
		if (!c->types[i])
			c->function = 0;
	}
	if (c->function && !is_taken(c))
		c->function = 0;
}

void casts_put(const struct casts *c, struct bpf_insn *insns, size_t n)
{
	for (size_t i = 0; c->function && i < n; i++) {
		struct bpf_insn *insn = &insns[i];
		uint32_t type = (uint32_t)insn->imm - CAST_TYPE;

		if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
		    insn->imm == CAST_CALL) {
			insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
			insn->imm = (int)c->function;
		} else if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_K) && type < CAST_END) {
			insn->imm = (int)c->types[type];
		}
	}
}
