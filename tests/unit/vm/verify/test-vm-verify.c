/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier by small programs: one for each kind of refusal, and its right twin where
 * there is one; what pruning, spills, links and functions must remember; the states it records.
 */
#include "runtime/vm/run.h"

#include "base/macro.h"
#include "isa/asm.h"
#include "test.h"

#include <stdio.h>

enum { ARRAY, RING, CONSTANT };

static const char constant[16] = "\7";
static const struct vm_map_def maps[] = {
	[ARRAY] = {.name = "array",
		   .type = BPF_MAP_TYPE_ARRAY,
		   .key_size = 4,
		   .value_size = 64,
		   .max_entries = 1},
	[RING] = {.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
	[CONSTANT] = {.name = "constant",
		      .type = BPF_MAP_TYPE_ARRAY,
		      .key_size = 4,
		      .value_size = 16,
		      .max_entries = 1,
		      .flags = BPF_F_RDONLY_PROG,
		      .init = constant,
		      .is_frozen = true},
};

struct program {
	struct arena arena;
	struct diags diags;
	struct vm_object o;
	struct verify_result verdict;
	enum diag_id id;
};

struct options {
	uint32_t prog_type;
	bool as_kernel, is_unprivileged, wants_states;
	uint32_t max_insns, flags;
};

static void judge(struct program *p, const char *text, const struct options *o)
{
	struct verify_config c = {.as_kernel = o->as_kernel,
				  .is_unprivileged = o->is_unprivileged,
				  .wants_states = o->wants_states,
				  .max_insns = o->max_insns};
	struct vm_prog prog = {.name = "test",
			       .section = "",
			       .prog_type = o->prog_type,
			       .mem_size = 64,
			       .flags = o->flags};
	struct asm_program assembled;
	uint32_t file;

	*p = (struct program){};
	p->diags.arena = &p->arena;
	p->o.diags = &p->diags;
	p->o.license = "GPL";
	for (size_t i = 0; i < ELEMENTS(maps); i++)
		array_push(&p->arena, &p->o.maps, maps[i]);
	file = diag_source(&p->diags, "test", str_of(text));
	CHECK(asm_parse(&p->diags, file, NULL, &p->arena, &assembled));
	prog.insns = assembled.insns;
	prog.n_insns = (uint32_t)assembled.n;
	array_push(&p->arena, &p->o.progs, prog);
	CHECK_EQ(verify(&p->o, 0, &c, &p->arena, &p->verdict), 0);
	if (!p->verdict.is_ok && p->diags.list.n)
		p->id = p->diags.list.p[p->diags.list.n - 1].id;
}

static void unload(struct program *p)
{
	arena_done(&p->arena);
}

#define LOOKUP                    \
	"*(u32 *)(r10 - 4) = 0\n" \
	"r2 = r10\n"              \
	"r2 += -4\n"              \
	"r1 = map_idx[0] ll\n"    \
	"call 1\n"                \
	"if r0 != 0 goto found\n" \
	"r0 = 0\n"                \
	"exit\n"                  \
	"found:\n"
#define RESERVE                   \
	"r1 = map_idx[1] ll\n"    \
	"r2 = 8\n"                \
	"r3 = 0\n"                \
	"call 131\n"              \
	"if r0 != 0 goto found\n" \
	"exit\n"                  \
	"found:\n"
#define END "r0 = 0\nexit\n"

/* `id` D_NONE: it is fine. */
static const struct {
	const char *name, *text;
	enum diag_id id;
	struct options o;
} programs[] = {
	{"nothing", END, D_NONE, {}},
	{"a value's end", LOOKUP "*(u64 *)(r0 + 56) = 1\n" END, D_NONE, {}},
	{"behind a value", LOOKUP "*(u64 *)(r0 + 57) = 1\n" END, D_VERIFY_BOUNDS, {}},
	{"a number as an index",
	 LOOKUP "r1 = *(u8 *)(r0 + 0)\nr1 &= 63\nr0 += r1\n*(u8 *)(r0 + 0) = 1\n" END,
	 D_NONE,
	 {}},
	{"an index that is too large",
	 LOOKUP "r1 = *(u8 *)(r0 + 0)\nr1 &= 127\nr0 += r1\n*(u8 *)(r0 + 0) = 1\n" END,
	 D_VERIFY_BOUNDS,
	 {}},
	{"an index that was compared",
	 LOOKUP
	 "r1 = *(u64 *)(r0 + 0)\nif r1 > 63 goto out\nr0 += r1\n*(u8 *)(r0 + 0) = 1\nout:\n" END,
	 D_NONE,
	 {}},
	{"an index that was compared as a signed number",
	 LOOKUP
	 "r1 = *(u64 *)(r0 + 0)\nif r1 s> 63 goto out\nr0 += r1\n*(u8 *)(r0 + 0) = 1\nout:\n" END,
	 D_VERIFY_POINTER,
	 {.as_kernel = true}},
	/* r1 is from -32768 to 32767, not below 56 as an unsigned number: its low half is not
	   either */
	{"a way that only all limits together rule out",
	 LOOKUP "r1 = *(s16 *)(r0 + 24)\nif r1 <= 55 goto out\nif w1 > 55 goto out\nw1 = w1\n"
		"*(u8 *)(r0 + 64) = 1\nout:\n" END,
	 D_NONE,
	 {}},
	{"a pointer behind a value that nobody follows",
	 LOOKUP "r0 += 64\nr1 = r0\nif r1 == 0 goto out\nout:\n" END,
	 D_NONE,
	 {.as_kernel = true}},
	{"a constant map",
	 "r1 = map_idx_value[2]+0 ll\nr1 = *(u8 *)(r1 + 0)\nif r1 == 7 goto out\n"
	 "r1 = *(u8 *)(r1 + 0)\nout:\n" END,
	 D_NONE,
	 {}},
	{"a write to a constant map",
	 "r1 = map_idx_value[2]+0 ll\n*(u8 *)(r1 + 0) = 1\n" END,
	 D_VERIFY_ACCESS,
	 {}},
	{"a helper's argument", "r1 = 5\nr2 = r10\ncall 1\n" END, D_VERIFY_ARGUMENT, {}},
	{"no such helper", "call 9999\n" END, D_VERIFY_CALL, {}},
	{"the context's last member",
	 "r0 = *(u32 *)(r1 + 16)\nr0 = 0\nexit\n",
	 D_NONE,
	 {.prog_type = BPF_PROG_TYPE_XDP}},
	{"behind the context",
	 "r0 = *(u32 *)(r1 + 24)\nr0 = 0\nexit\n",
	 D_VERIFY_CONTEXT,
	 {.prog_type = BPF_PROG_TYPE_XDP}},
	{"the frame pointer", "r10 = 0\n" END, D_VERIFY_INSTRUCTION, {}},
	{"an address in a map", LOOKUP "*(u64 *)(r0 + 0) = r10\n" END, D_VERIFY_LEAK, {}},
	{"an address in a map, as root",
	 LOOKUP "*(u64 *)(r0 + 0) = r10\n" END,
	 D_NONE,
	 {.as_kernel = true}},
	{"an address as the result", "r0 = r10\nexit\n", D_VERIFY_LEAK, {}},
	{"too long",
	 "r1 = 0\nagain:\nr1 += 1\nif r1 != 100000 goto again\n" END,
	 D_VERIFY_LIMIT,
	 {.max_insns = 1000, .as_kernel = true}},
	{"no lock there",
	 LOOKUP "r1 = r0\ncall 93\n" END,
	 D_VERIFY_LOCK,
	 {.prog_type = BPF_PROG_TYPE_SCHED_CLS}},
	{"for ever",
	 "r6 = 1\nagain:\nif r6 == 1 goto again\n" END,
	 D_VERIFY_LOOP,
	 {.as_kernel = true}},
	{"ten times",
	 "r1 = 0\nagain:\nr1 += 1\nif r1 != 10 goto again\n" END,
	 D_NONE,
	 {.as_kernel = true}},
	{"a reservation in an array",
	 "r1 = map_idx[0] ll\nr2 = 8\nr3 = 0\ncall 131\n" END,
	 D_VERIFY_MAP,
	 {}},
	{"without asking for NULL",
	 "*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\n"
	 "r1 = map_idx[0] ll\ncall 1\nr0 = *(u8 *)(r0 + 0)\n" END,
	 D_VERIFY_NULL,
	 {}},
	{"a pointer times two", LOOKUP "r0 *= 2\n" END, D_VERIFY_POINTER, {}},
	{"a reservation that is submitted", RESERVE "r1 = r0\nr2 = 0\ncall 132\n" END, D_NONE, {}},
	{"a reservation that is forgotten", RESERVE END, D_VERIFY_REFERENCE, {}},
	{"a reservation that is submitted twice",
	 RESERVE "r6 = r0\nr1 = r6\nr2 = 0\ncall 132\nr1 = r6\nr2 = 0\ncall 132\n" END,
	 D_VERIFY_ARGUMENT,
	 {}},
	{"a result that means nothing",
	 "r0 = 5\nexit\n",
	 D_VERIFY_RETURN,
	 {.prog_type = BPF_PROG_TYPE_CGROUP_SKB}},
	{"the stack's beginning", "*(u64 *)(r10 - 512) = 1\n" END, D_NONE, {}},
	{"before the stack", "*(u64 *)(r10 - 520) = 1\n" END, D_VERIFY_BOUNDS, {}},
	{"a stack that was not written",
	 "r0 = *(u64 *)(r10 - 8)\n" END,
	 D_VERIFY_STACK,
	 {.as_kernel = true, .is_unprivileged = true, .prog_type = BPF_PROG_TYPE_SOCKET_FILTER}},
	{"over the end", "goto +5\n" END, D_VERIFY_STRUCTURE, {}},
	{"without an end", "r0 = 0\n", D_VERIFY_STRUCTURE, {}},
	{"never reached", "r0 = 0\nexit\nr0 = 1\nexit\n", D_VERIFY_STRUCTURE, {}},
	{"a number as an address", "r1 = 5\nr0 = *(u8 *)(r1 + 0)\n" END, D_VERIFY_TYPE, {}},
	{"a register that was not written", "r0 = r7\nexit\n", D_VERIFY_UNINITIALISED, {}},
	{"a register that a call destroyed",
	 "r3 = 1\ncall 5\nr0 = r3\nexit\n",
	 D_VERIFY_UNINITIALISED,
	 {}},
	/* what must be remembered */
	{"a spill keeps its limits",
	 LOOKUP "r1 = *(u8 *)(r0 + 0)\n*(u64 *)(r10 - 16) = r1\nr1 = 0\nr1 = *(u64 *)(r10 - 16)\n"
		"r1 &= 63\nr0 += r1\nr0 = *(u8 *)(r0 + 0)\n" END,
	 D_NONE,
	 {}},
	{"a copy learns with it",
	 LOOKUP "r1 = *(u64 *)(r0 + 0)\nr2 = r1\nif r1 > 63 goto out\nr0 += r2\n"
		"*(u8 *)(r0 + 0) = 1\nout:\n" END,
	 D_NONE,
	 {}},
	{"half of a spill with its sign is another number",
	 LOOKUP "r1 = *(u32 *)(r0 + 0)\n*(u64 *)(r10 - 16) = r1\nr2 = *(s32 *)(r10 - 16)\n"
		"if r2 s> -1 goto out\nif r1 s< 0 goto out\nr1 = *(u64 *)(r1 + 0)\nout:\n" END,
	 D_VERIFY_TYPE,
	 {.as_kernel = true}},
	{"what decided an access is not forgotten by pruning",
	 LOOKUP
	 "r6 = r0\nr7 = 0\nr1 = *(u8 *)(r6 + 0)\nif r1 == 0 goto join\nr7 = 64\njoin:\n"
	 "r8 = *(u8 *)(r6 + 1)\nif r8 == 3 goto more\nmore:\nr6 += r7\n*(u8 *)(r6 + 0) = 1\n" END,
	 D_VERIFY_BOUNDS,
	 {.flags = BPF_F_TEST_STATE_FREQ}},
	{"a packet's bytes that were compared",
	 "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 14\nif r4 > r3 goto out\n"
	 "r0 = *(u8 *)(r2 + 13)\nout:\n" END,
	 D_NONE,
	 {.prog_type = BPF_PROG_TYPE_XDP}},
	{"one more than were compared",
	 "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 14\nif r4 > r3 goto out\n"
	 "r0 = *(u8 *)(r2 + 14)\nout:\n" END,
	 D_VERIFY_BOUNDS,
	 {.prog_type = BPF_PROG_TYPE_XDP}},
};

TEST(vm_verify_programs)
{
	for (size_t i = 0; i < ELEMENTS(programs); i++) {
		struct program p;

		judge(&p, programs[i].text, &programs[i].o);
		test_result(p.id == programs[i].id && p.verdict.is_ok == !programs[i].id, __FILE__,
			    __LINE__, "%s: %s: %s", programs[i].name, diag_id_name(p.id),
			    p.verdict.error ? p.verdict.error : "accepted");
		unload(&p);
	}
}

/* Each id that the verifier has is in the table above. */
TEST(vm_verify_ids)
{
	for (int id = D_NONE + 1; id < D_COUNT; id++) {
		bool found = strncmp(diag_id_name(id), "VERIFY_", 7) != 0;

		for (size_t i = 0; i < ELEMENTS(programs) && !found; i++)
			found = programs[i].id == (enum diag_id)id;
		test_result(found, __FILE__, __LINE__, "%s has a program", diag_id_name(id));
	}
}

TEST(vm_verify_says_more)
{
	struct options o = {};
	struct program p;
	struct buf text = {};

	judge(&p, LOOKUP "r1 = *(u8 *)(r0 + 0)\nr0 += r1\n*(u8 *)(r0 + 0) = 1\n" END, &o);
	diags_print(&p.diags, false, &text);
	CHECK(strstr(text.p, "the kernel says: invalid access to map value"));
	CHECK(strstr(text.p, "1 byte(s) at offset 255 of a map_value are accessed"));
	CHECK(strstr(text.p, "r0 became a map_value here, at an offset from 0 to 255"));
	CHECK(strstr(text.p, "HINT: compare the offset or size with a constant limit"));
	CHECK(p.verdict.error && strstr(p.verdict.error, "max value is outside"));
	buf_done(&text);
	unload(&p);
}

TEST(vm_verify_records)
{
	struct options o = {.wants_states = true};
	struct verify_ground g = {.depth = 1};
	uint64_t regs[11] = {[1] = 0x1000, [2] = 64, [10] = 0x2000};
	struct program p;
	char text[256];

	judge(&p, "r0 = *(u8 *)(r1 + 0)\nr0 &= 7\nr2 = r0\nr0 += r2\nexit\n", &o);
	CHECK(p.verdict.is_ok);
	g.mem = (const void *)(uintptr_t)0x1000;
	g.mem_size = 64;
	g.frame = (const void *)(uintptr_t)0x2000;
	CHECK(!verify_check(&p.verdict, 0, regs, &g, text, sizeof(text)));
	regs[1] = 0x1001;
	CHECK(verify_check(&p.verdict, 0, regs, &g, text, sizeof(text)));
	regs[0] = 7;
	CHECK(!verify_check(&p.verdict, 2, regs, &g, text, sizeof(text)));
	regs[0] = 8;
	CHECK(verify_check(&p.verdict, 2, regs, &g, text, sizeof(text)));
	regs[0] = 14;
	CHECK(!verify_check(&p.verdict, 4, regs, &g, text, sizeof(text)));
	regs[0] = 15;
	CHECK(verify_check(&p.verdict, 4, regs, &g, text, sizeof(text)));
	unload(&p);
}
