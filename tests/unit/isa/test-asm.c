/* SPDX-License-Identifier: Apache-2.0 */
/* The assembler: what is printed is read as the same, labels, and what it says of mistakes. */
#include "isa/asm.h"

#include "isa/disasm.h"
#include "test.h"

#include <stdlib.h>

struct made {
	struct arena arena;
	struct diags diags;
	struct asm_program p;
	bool is_ok;
};

static bool find_helper(void *ctx, struct str name, int32_t *ret)
{
	(void)ctx;
	*ret = 1;
	return str_eq(name, STR("map_lookup_elem"));
}

static const struct asm_names names = {.helper = find_helper};

static void make(struct made *m, const char *text)
{
	*m = (struct made){0};
	m->diags.arena = &m->arena;
	m->is_ok = asm_parse(&m->diags, diag_source(&m->diags, "test", str_of(text)), &names,
			     &m->arena, &m->p);
}

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Edges more often than what lies between. */
static int32_t random_imm(uint32_t *state)
{
	static const int32_t edges[] = {0, 1, -1, 2, INT32_MAX, INT32_MIN, 255, 65536};
	uint32_t v = random_next(state);

	return v & 1 ? edges[v >> 8 & 7] : (int32_t)random_next(state);
}

static size_t random_row(enum insn_id id, uint32_t *state, struct bpf_insn p[2])
{
	const struct insn_row *row = insn_row_of(id);

	p[0] = (struct bpf_insn){
		.code = row->code,
		.dst_reg = row->dst == INSN_ANY ? random_next(state) % 11 : (unsigned int)row->dst,
		.src_reg = row->src == INSN_ANY ? random_next(state) % 11 : (unsigned int)row->src,
		.off = row->off == INSN_ANY ? (int16_t)random_imm(state) : (int16_t)row->off,
		.imm = row->imm == INSN_ANY ? random_imm(state) : (int32_t)row->imm};
	if (!insn_is_wide(p))
		return 1;
	p[1] = (struct bpf_insn){0};
	if (id == INSN_WIDE || id == INSN_WIDE_MAP_VALUE || id == INSN_WIDE_MAP_IDX_VALUE)
		p[1].imm = random_imm(state);
	return 2;
}

TEST(every_row_reads_as_it_is_printed)
{
	uint32_t state = 2463534242;

	for (enum insn_id id = 0; id < INSN_COUNT; id++) {
		for (int round = 0; round < 40; round++) {
			_cleanup_buf_ struct buf text = {0};
			struct bpf_insn p[2];
			size_t n = random_row(id, &state, p);
			struct made m;

			CHECK_EQ(disasm_one(p, n, 0, NULL, &text), n);
			make(&m, text.p);
			if (!m.is_ok || m.p.n != n || memcmp(m.p.insns, p, n * sizeof(*p)))
				test_result(false, __FILE__, __LINE__, "%s: %s",
					    insn_row_of(id)->name, text.p);
			arena_done(&m.arena);
		}
	}
}

TEST(whole_listings)
{
	_cleanup_buf_ struct buf text = {0}, other = {0};
	uint32_t state = 88172645;
	struct bpf_insn p[400];
	size_t n = 0;
	struct made m;

	while (n < 398)
		n += random_row(random_next(&state) % INSN_COUNT, &state, p + n);
	p[n++] = (struct bpf_insn){.code = 0xff, .dst_reg = 3, .src_reg = 14, .off = -7, .imm = 5};
	disasm(p, n, NULL, &text);
	make(&m, text.p);
	diags_print(&m.diags, false, &other);
	CHECK_STREQ(other.p ? other.p : "", "");
	CHECK(m.is_ok && m.p.n == n && !memcmp(m.p.insns, p, n * sizeof(*p)));
	arena_done(&m.arena);
}

TEST(labels)
{
	struct made m;

	make(&m, "  r0=0   # nothing\n"
		 "again: if r1 == 0 goto done ; a comment\n"
		 "r1 += -1\n"
		 "goto again\n"
		 "done: last:\n"
		 "call twice\n"
		 "r3 = func[twice] ll\n"
		 "call map_lookup_elem\n"
		 "gotol +0\n"
		 "exit\n"
		 "twice: r0 = *(u8*)(r1)\n"
		 "exit");
	CHECK(m.is_ok);
	CHECK_EQ(m.p.n, 12);
	CHECK_EQ(m.p.insns[1].off, 2);
	CHECK_EQ(m.p.insns[3].off, -3);
	CHECK_EQ(m.p.insns[4].imm, 5);
	CHECK_EQ(m.p.insns[4].src_reg, BPF_PSEUDO_CALL);
	CHECK_EQ(m.p.insns[5].imm, 4);
	CHECK_EQ(m.p.insns[7].imm, 1);
	CHECK_EQ(m.p.insns[7].src_reg, 0);
	CHECK_EQ(m.p.insns[10].off, 0);
	arena_done(&m.arena);
}

static const struct {
	const char *text, *says;
} wrong[] = {
	{"r0 = 1\nfoo r1, r2", "test:2:1-11: ERROR: there is no such instruction\n"
			       "foo r1, r2\n~~~~~~~~~~\n"},
	{"r0 += w1", "test:1:7-9: ERROR: no instruction goes on like this\nr0 += w1\n      ~~\n"},
	{"r11 = 1", "test:1:1-8: ERROR: there is no such instruction\nr11 = 1\n~~~~~~~\n"},
	{"if r1 == 3 goto", "test:1:1-16: ERROR: the instruction is not complete\n"
			    "if r1 == 3 goto\n~~~~~~~~~~~~~~~\n"},
	{"goto nowhere", "test:1:6-13: ERROR: there is no label 'nowhere'\n"
			 "goto nowhere\n     ~~~~~~~\n"},
	{"a:\na: exit", "test:2:1-2: ERROR: 'a' is there twice\na: exit\n~\n"},
	{"r1 = 0x80000000", "test:1:6-16: ERROR: no instruction goes on like this\n"
			    "r1 = 0x80000000\n     ~~~~~~~~~~\n"},
};

TEST(mistakes)
{
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		_cleanup_buf_ struct buf text = {0};
		struct made m;

		make(&m, wrong[i].text);
		CHECK(!m.is_ok);
		diags_print(&m.diags, false, &text);
		CHECK_STREQ(text.p, wrong[i].says);
		arena_done(&m.arena);
	}
}
