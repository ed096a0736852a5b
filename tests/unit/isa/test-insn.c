/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions: made, written, and what the table says of them. */
#include "isa/disasm.h"

#include "base/macro.h"
#include "test.h"

#include <stdio.h>

static const struct {
	struct bpf_insn insn;
	int cpu;
	const char *text;
} cases[] = {
	{{.code = 0xb7, .dst_reg = 1, .imm = -5}, 1, "r1 = -5"},
	{{.code = 0xbf, .dst_reg = 1, .src_reg = 10}, 1, "r1 = r10"},
	{{.code = 0xbc, .dst_reg = 1, .src_reg = 2}, 1, "w1 = w2"},
	{{.code = 0x0f, .dst_reg = 3, .src_reg = 4}, 1, "r3 += r4"},
	{{.code = 0xc7, .dst_reg = 3, .imm = 63}, 1, "r3 s>>= 63"},
	{{.code = 0x87, .dst_reg = 3}, 1, "r3 = -r3"},
	{{.code = 0x3f, .dst_reg = 3, .src_reg = 4, .off = 1}, 4, "r3 s/= r4"},
	{{.code = 0xbf, .dst_reg = 3, .src_reg = 4, .off = 16}, 4, "r3 = (s16)r4"},
	{{.code = 0xdc, .dst_reg = 3, .imm = 32}, 1, "r3 = be32 r3"},
	{{.code = 0x79, .dst_reg = 1, .src_reg = 2, .off = 8}, 1, "r1 = *(u64 *)(r2 + 8)"},
	{{.code = 0x91, .dst_reg = 1, .src_reg = 2, .off = -8}, 4, "r1 = *(s8 *)(r2 - 8)"},
	{{.code = 0x6b, .dst_reg = 10, .src_reg = 2, .off = -2}, 1, "*(u16 *)(r10 - 2) = r2"},
	{{.code = 0x62, .dst_reg = 10, .off = -4, .imm = 7}, 1, "*(u32 *)(r10 - 4) = 7"},
	{{.code = 0xdb, .dst_reg = 1, .src_reg = 2}, 1, "lock *(u64 *)(r1 + 0) += r2"},
	{{.code = 0xdb, .dst_reg = 1, .src_reg = 2, .imm = 0xe1},
	 3,
	 "r2 = xchg((u64 *)(r1 + 0), r2)"},
	{{.code = 0x15, .dst_reg = 1, .off = 4}, 1, "if r1 == 0 goto +4"},
	{{.code = 0xad, .dst_reg = 1, .src_reg = 2, .off = -4}, 2, "if r1 < r2 goto -4"},
	{{.code = 0x66, .dst_reg = 1, .imm = 9, .off = 1}, 3, "if w1 s> 9 goto +1"},
	{{.code = 0x05, .off = -1}, 1, "goto -1"},
	{{.code = 0x06, .imm = 70000}, 4, "gotol +70000"},
	{{.code = 0x85, .imm = 113}, 1, "call 113"},
	{{.code = 0x85, .src_reg = 1, .imm = 12}, 1, "call +12"},
	{{.code = 0x95}, 1, "exit"},
	{{.code = 0xff, .imm = 1}, 0, ".byte 0xff 0x00 0 1"},
};

TEST(texts)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf text = {0};

		CHECK_EQ(disasm_one(&cases[i].insn, 1, 0, NULL, &text), 1);
		CHECK_STREQ(text.p, cases[i].text);
		CHECK_EQ(insn_cpu(&cases[i].insn), cases[i].cpu);
	}
}

static const char *symbol(void *ctx, size_t insn)
{
	(void)ctx;
	return insn == 0 ? "@x" : NULL;
}

static const char *helper(void *ctx, int32_t id)
{
	(void)ctx;
	return id == 1 ? "map_lookup_elem" : NULL;
}

TEST(listing)
{
	_cleanup_buf_ struct buf text = {0};
	struct disasm_names names = {.symbol = symbol, .helper = helper};
	struct bpf_insn p[6];

	insn_wide(p, BPF_PSEUDO_MAP_FD, 1, 3);
	insn_wide(p + 2, 0, 2, 0x123456789abcdef);
	p[4] = insn_call(0, 1);
	p[5] = insn_exit();
	disasm(p, 6, &names, &text);
	CHECK_STREQ(text.p, "   0: r1 = @x ll\n"
			    "   2: r2 = 0x123456789abcdef ll\n"
			    "   4: call map_lookup_elem\n"
			    "   5: exit\n");
}

/* No opcode stands in the table twice, and half an ldimm64 at the end is not followed. */
TEST(table)
{
	_cleanup_buf_ struct buf text = {0};
	struct bpf_insn half = {.code = BPF_LD | BPF_IMM | BPF_DW};
	unsigned int known = 0;

	for (unsigned int code = 0; code < 256; code++)
		known += insn_cpu(&(struct bpf_insn){.code = (uint8_t)code}) != 0;
	CHECK(known > 100);
	CHECK_EQ(disasm_one(&half, 1, 0, NULL, &text), 1);
}
