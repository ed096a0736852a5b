/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is beyond its instructions, in both engines: callbacks, tail calls, exceptions,
 * packets, contexts, arenas, maps; and the interpreter's watching mode.
 */
#include "isa/asm.h"
#include "runtime/vm/helper/helper.h"
#include "runtime/vm/helper/packet.h"
#include "runtime/vm/helper/proto.h"
#include "runtime/vm/run.h"
#include "runtime/vm/verify/ctx.h"
#include "test.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { MAPS = 4, PROGS = 4, INSNS = 64 };

struct setup {
	struct arena arena;
	struct diags diags;
	struct vm_object object;
	struct vm_map *maps[MAPS];
	struct vm_code *codes[PROGS];
	struct verify_insn facts[INSNS]; /* what "the verifier" says of each instruction */
	struct verify_result verified;
	struct vm_func funcs[4];
	struct vm_run run;
	char why[200];
};

static bool find_helper(void *ctx, struct str name, int32_t *ret)
{
	char full[64];

	(void)ctx;
	snprintf(full, sizeof(full), "bpf_%.*s", (int)name.n, name.p);
	*ret = (int32_t)proto_number(full);
	return *ret != 0;
}

static void begin(struct setup *s)
{
	*s = (struct setup){0};
	s->diags.arena = &s->arena;
	s->object.license = "GPL";
	s->object.diags = &s->diags;
	for (size_t i = 0; i < INSNS; i++)
		s->facts[i].is_reached = true;
	s->verified = (struct verify_result){.is_ok = true, .insns = s->facts};
}

static void add_map(struct setup *s, struct vm_map_def d)
{
	d.name = "map";
	array_push(&s->arena, &s->object.maps, d);
	CHECK_EQ(map_create(&d, 1, &s->maps[s->object.maps.n - 1]), 0);
}

static struct vm_prog *add_prog(struct setup *s, uint32_t type, const char *text)
{
	static const struct asm_names names = {.helper = find_helper};
	struct vm_prog p = {.name = "prog", .section = "", .prog_type = type};
	struct asm_program made;
	_cleanup_buf_ struct buf out = {0};

	if (!asm_parse(&s->diags, diag_source(&s->diags, "test", str_of(text)), &names, &s->arena,
		       &made)) {
		diags_print(&s->diags, false, &out);
		test_result(false, __FILE__, __LINE__, "%s", out.p);
		made = (struct asm_program){.insns = arena_new(&s->arena, struct bpf_insn), .n = 1};
		made.insns[0] = insn_exit();
	}
	p.insns = made.insns;
	p.n_insns = (uint32_t)made.n;
	return array_push(&s->arena, &s->object.progs, p);
}

/* Code of program `prog`; false: this engine has none (and the reason is printed). */
static bool make(struct setup *s, uint32_t prog, enum vm_engine engine)
{
	struct code_options o = {.engine = engine, .maps = s->maps};
	int r = code_make(&s->object, prog, &s->verified, &o, &s->codes[prog], s->why,
			  sizeof(s->why));

	if (r < 0 && !(engine == VM_JIT && r == -ENOTSUP))
		test_result(false, __FILE__, __LINE__, "%d %s", r, s->why);
	return r >= 0;
}

static void end(struct setup *s)
{
	for (size_t i = 0; i < PROGS; i++)
		code_free(s->codes[i]);
	for (size_t i = 0; i < MAPS; i++)
		map_unref(s->maps[i]);
	arena_done(&s->arena);
}

/* One program alone, in both engines. */
static void expect(const char *text, uint64_t expected)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;

		begin(&s);
		array_push(&s.arena, &s.object.kfuncs, ((struct vm_extern){.name = "bpf_throw"}));
		add_prog(&s, BPF_PROG_TYPE_UNSPEC, text);
		if (make(&s, 0, e)) {
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), expected);
			CHECK_STREQ(s.run.failure, "");
			CHECK_EQ(s.run.depth, 0);
		}
		end(&s);
	}
}

TEST(callbacks)
{
	expect("*(u64 *)(r10 - 8) = 0\n"
	       "r1 = 10\n"
	       "r2 = func[body] ll\n"
	       "r3 = r10\n"
	       "r3 += -8\n"
	       "r4 = 0\n"
	       "call loop\n"
	       "r1 = *(u64 *)(r10 - 8)\n"
	       "r1 <<= 8\n"
	       "r0 += r1\n"
	       "exit\n"
	       "body:\n"
	       "r3 = *(u64 *)(r2 + 0)\n"
	       "r3 += r1\n"
	       "*(u64 *)(r2 + 0) = r3\n"
	       "r0 = 0\n"
	       "exit",
	       45 << 8 | 10);
}

/* The callback has a loop of its own, and stops both. */
TEST(callbacks_in_callbacks)
{
	expect("*(u64 *)(r10 - 8) = 0\n"
	       "r6 = 77\n"
	       "r1 = 10\n"
	       "r2 = func[outer] ll\n"
	       "r3 = r10\n"
	       "r3 += -8\n"
	       "r4 = 0\n"
	       "call loop\n"
	       "r1 = *(u64 *)(r10 - 8)\n"
	       "r1 *= 1000\n"
	       "r0 += r1\n"
	       "r6 *= 1000000\n"
	       "r0 += r6\n"
	       "exit\n"
	       "outer:\n"
	       "r6 = r1\n"
	       "r7 = r2\n"
	       "*(u64 *)(r10 - 8) = r1\n"
	       "r1 = 3\n"
	       "r2 = func[inner] ll\n"
	       "r3 = r7\n"
	       "r4 = 0\n"
	       "call loop\n"
	       "r1 = *(u64 *)(r10 - 8)\n"
	       "r0 = 0\n"
	       "if r1 < 4 goto more\n"
	       "r0 = 1\n"
	       "more:\n"
	       "exit\n"
	       "inner:\n"
	       "*(u64 *)(r10 - 8) = 5\n"
	       "r3 = *(u64 *)(r2 + 0)\n"
	       "r3 += 1\n"
	       "*(u64 *)(r2 + 0) = r3\n"
	       "r0 = 0\n"
	       "exit",
	       77 * 1000000 + 15 * 1000 + 5);
}

TEST(exceptions)
{
	expect("r1 = 7\ncall kfunc[0]\nexit", 7);
	/* from a function: the entry ends, too */
	expect("r1 = 5\ncall f\nr0 += 100\nexit\nf:\nr1 += 1\ncall kfunc[0]\nr0 = 1\nexit", 6);
	/* from a callback: through the helper */
	expect("r1 = 10\nr2 = func[body] ll\nr3 = 0\nr4 = 0\ncall loop\nr0 = 99\nexit\n"
	       "body:\nif r1 == 4 goto out\nr0 = 0\nexit\nout:\nr1 = 1234\ncall kfunc[0]\nr0 = 0\n"
	       "exit",
	       1234);
	/* from a function of a callback, which a function called */
	expect("call f\nr0 = 1\nexit\n"
	       "f:\nr1 = 10\nr2 = func[body] ll\nr3 = 0\nr4 = 0\ncall loop\nr0 = 99\nexit\n"
	       "body:\nr1 += 40\ncall g\nr0 = 0\nexit\n"
	       "g:\ncall kfunc[0]\nr0 = 0\nexit",
	       40);
}

/* What an exception gives goes through the handler, on the entry's stack. */
TEST(exceptions_are_handled)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;
		struct vm_prog *p;

		begin(&s);
		array_push(&s.arena, &s.object.kfuncs, ((struct vm_extern){.name = "bpf_throw"}));
		p = add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			     "call f\nr0 = 1\nexit\n"
			     "f:\nr1 = 20\ncall kfunc[0]\nr0 = 0\nexit\n"
			     "handler:\n*(u64 *)(r10 - 8) = r1\nr0 = *(u64 *)(r10 - 8)\n"
			     "r0 += 3\nexit");
		s.funcs[0] = (struct vm_func){.name = "prog"};
		s.funcs[1] = (struct vm_func){.name = "f", .insn = 3};
		s.funcs[2] = (struct vm_func){.name = "handler", .insn = 7, .is_exception = true};
		p->funcs = s.funcs;
		p->n_funcs = 3;
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 23);
		end(&s);
	}
}

static void tail_call_setup(struct setup *s)
{
	begin(s);
	add_map(s, (struct vm_map_def){.type = BPF_MAP_TYPE_PROG_ARRAY,
				       .key_size = 4,
				       .value_size = 4,
				       .max_entries = 3});
}

#define TAIL_CALL "r2 = map_idx[0] ll\nr3 = %d\ncall tail_call\n"

__attribute__((format(printf, 3, 4))) static const char *with_slot(char *to, size_t room,
								   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(to, room, format, args);
	va_end(args);
	return to;
}

TEST(tail_calls)
{
	for (int engines = 0; engines < 4; engines++) {
		struct setup s;
		char text[400];
		uint64_t count = 0;

		tail_call_setup(&s);
		/* from a function: what it goes to returns to who called the function */
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 with_slot(text, sizeof(text),
				   "r6 = 1000\nr7 = r1\ncall f\nr0 += r6\nexit\n"
				   "f:\nr6 = 1\n" TAIL_CALL "r0 = 500\nexit",
				   1));
		/* counts at r1, and goes to itself: 33 times, then on */
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 with_slot(text, sizeof(text),
				   "r6 = r1\nr3 = *(u64 *)(r1 + 0)\nr3 += 1\n"
				   "*(u64 *)(r1 + 0) = r3\n" TAIL_CALL "r0 = 5\nexit",
				   1));
		if (!make(&s, 0, engines & 1 ? VM_JIT : VM_INTERP) ||
		    !make(&s, 1, engines & 2 ? VM_JIT : VM_INTERP)) {
			end(&s);
			continue;
		}
		CHECK_EQ(code_run(s.codes[0], &s.run, &count, 0), 1500); /* the slot is empty */
		CHECK_EQ(count, 0);
		CHECK_EQ(map_set_code(s.maps[0], 1, s.codes[1]), 0);
		CHECK_EQ(code_run(s.codes[0], &s.run, &count, 0), 1005);
		CHECK_EQ(count, CODE_TAIL_CALLS_MAX);
		CHECK_EQ(code_run(s.codes[0], &s.run, &count, 0), 1005);
		CHECK_EQ(count, 2 * CODE_TAIL_CALLS_MAX);
		CHECK_EQ(s.run.depth, 0);
		end(&s);
	}
}

/* Each function that goes on in another program waits for it: 33 times, with frames of all. */
TEST(tail_calls_out_of_functions)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;
		char text[400];
		uint64_t count = 0;

		tail_call_setup(&s);
		/* counts at r1 on the way in, in r0 on the way out; r6 is the frame's own */
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 with_slot(text, sizeof(text),
				   "r6 = *(u64 *)(r1 + 0)\nr6 += 1\n*(u64 *)(r1 + 0) = r6\n"
				   "*(u64 *)(r10 - 512) = r6\ncall f\n"
				   "r1 = *(u64 *)(r10 - 512)\nif r1 == r6 goto same\nr0 = -1000\n"
				   "same:\nr0 += 1\nexit\n"
				   "f:\n*(u64 *)(r10 - 512) = 0\n" TAIL_CALL "r0 = 0\nexit",
				   1));
		if (make(&s, 0, e)) {
			CHECK_EQ(map_set_code(s.maps[0], 1, s.codes[0]), 0);
			CHECK_EQ(code_run(s.codes[0], &s.run, &count, 0), CODE_TAIL_CALLS_MAX + 1);
			CHECK_STREQ(s.run.failure, "");
			CHECK_EQ(count, CODE_TAIL_CALLS_MAX + 1);
			CHECK_EQ(s.run.depth, 0);
		}
		end(&s);
	}
}

/* What a program throws ends that program, not those that are on the way to it. */
TEST(tail_calls_throw)
{
	for (int engines = 0; engines < 4; engines++) {
		struct setup s;
		char text[400];

		tail_call_setup(&s);
		array_push(&s.arena, &s.object.kfuncs, ((struct vm_extern){.name = "bpf_throw"}));
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 with_slot(text, sizeof(text),
				   "r6 = 1000\ncall f\nr0 += r6\nexit\nf:\nr6 = 1\n" TAIL_CALL
				   "r0 = 500\nexit",
				   1));
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "call g\nr0 = 1\nexit\ng:\nr6 = 2\nr1 = 7\ncall kfunc[0]\nexit");
		if (make(&s, 0, engines & 1 ? VM_JIT : VM_INTERP) &&
		    make(&s, 1, engines & 2 ? VM_JIT : VM_INTERP)) {
			CHECK_EQ(map_set_code(s.maps[0], 1, s.codes[1]), 0);
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 1007);
			CHECK_EQ(s.run.depth, 0);
		}
		end(&s);
	}
}

TEST(tail_calls_outside_do_nothing)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;
		char text[400];

		tail_call_setup(&s);
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 with_slot(text, sizeof(text), TAIL_CALL "r0 = 9\nexit", 3));
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 9);
		end(&s);
	}
}

static uint64_t load_packet(enum vm_engine e, const char *text, bool *ret_is_there)
{
	static uint8_t packet[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct setup s;
	uint64_t r0 = 0;

	begin(&s);
	add_prog(&s, BPF_PROG_TYPE_SOCKET_FILTER, text);
	*ret_is_there = make(&s, 0, e);
	s.run.data = packet;
	s.run.data_end = packet + sizeof(packet);
	if (*ret_is_there)
		r0 = code_run(s.codes[0], &s.run, &s, 0);
	end(&s);
	return r0;
}

TEST(packet_loads)
{
	static const struct {
		const char *text;
		uint64_t r0;
	} cases[] = {
		{"r6 = r1\nr0 = *(u8 *)skb[2]\nexit", 3},
		{"r6 = r1\nr0 = *(u16 *)skb[1]\nexit", 0x0203},
		{"r6 = r1\nr0 = *(u32 *)skb[4]\nexit", 0x05060708},
		{"r6 = r1\nr0 = *(u32 *)skb[5]\nr0 = 1\nexit", 0},
		{"r6 = r1\nr0 = *(u8 *)skb[2147483647]\nr0 = 1\nexit", 0},
		{"r6 = r1\nr0 = *(u8 *)skb[8]\nr0 = 1\nexit", 0},
		{"r6 = r1\nr7 = 3\nr0 = *(u8 *)skb[r7 + 2]\nexit", 6},
		{"r6 = r1\nr7 = 3\nr0 = *(u16 *)skb[r7 + -2]\nexit", 0x0203},
		{"r6 = r1\nr7 = 4\nr0 = *(u32 *)skb[r7 + 0]\nexit", 0x05060708},
		{"r6 = r1\nr7 = -1\nr0 = *(u32 *)skb[r7 + 5]\nexit", 0x05060708},
		{"r6 = r1\nr7 = 7\nr0 = *(u16 *)skb[r7 + 0]\nr0 = 1\nexit", 0},
		{"r6 = r1\nr0 = 3\ncall f\nr0 = 4\nexit\nf:\nr6 = r1\nr0 = *(u8 *)skb[90]\nexit",
		 0},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
			bool is_there;
			uint64_t r0 = load_packet(e, cases[i].text, &is_there);

			if (is_there && r0 != cases[i].r0)
				test_result(false, __FILE__, __LINE__, "%s: 0x%llx by engine %d",
					    cases[i].text, (unsigned long long)r0, e);
		}
	}
	CHECK(true);
}

/* Offsets below 0 count from the network header, or from the link header. */
TEST(packet_loads_from_headers)
{
	static const struct {
		const char *text;
		uint64_t r0;
	} cases[] = {
		{"r6 = r1\nr0 = *(u8 *)skb[-1048567]\nexit", 9},       /* SKF_NET_OFF + 9 */
		{"r6 = r1\nr0 = *(u16 *)skb[-2097140]\nexit", 0x0800}, /* SKF_LL_OFF + 12 */
		{"r6 = r1\nr0 = *(u16 *)skb[-1048562]\nexit", 0x0e0f},
		{"r6 = r1\nr0 = *(u32 *)skb[-1048560]\nr0 = 1\nexit", 0}, /* behind the end */
		{"r6 = r1\nr0 = *(u8 *)skb[-2097153]\nr0 = 1\nexit", 0},
		{"r6 = r1\nr0 = *(u8 *)skb[-2147483648]\nr0 = 1\nexit", 0},
	};
	uint8_t bytes[14 + 18] = {[12] = 8};

	for (uint8_t i = 0; i < 18; i++)
		bytes[14 + i] = i;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
			struct vm_packet packet;
			struct setup s;

			CHECK_EQ(packet_init(&packet, BPF_PROG_TYPE_SOCKET_FILTER), 0);
			CHECK_EQ(packet_set(&packet, bytes, sizeof(bytes)), 0);
			begin(&s);
			s.run.packet = &packet;
			s.run.data = packet.data;
			s.run.data_end = packet.end;
			add_prog(&s, BPF_PROG_TYPE_SOCKET_FILTER, cases[i].text);
			if (make(&s, 0, e))
				CHECK_EQ(code_run(s.codes[0], &s.run, packet.ctx, 0), cases[i].r0);
			end(&s);
			packet_done(&packet);
		}
	}
}

static uint16_t field_named(const struct ctx_type *t, const char *name)
{
	for (uint16_t i = 0; i < t->n; i++)
		if (!strcmp(t->fields[i].name, name))
			return i;
	return UINT16_MAX;
}

/* xdp_md.data is 32 bits wide; the pointer comes from behind the struct. */
TEST(contexts)
{
	const struct ctx_type *type = ctx_of(BPF_PROG_TYPE_XDP, 0);

	CHECK(type && type->more);
	for (enum vm_engine e = VM_INTERP; type && e <= VM_JIT; e++) {
		struct {
			struct xdp_md md;
			struct ctx_more more;
		} ctx = {.md = {.data = 1, .rx_queue_index = 6}};
		uint8_t bytes[2] = {40, 2};
		struct setup s;

		ctx.more.data = (uintptr_t)bytes;
		begin(&s);
		add_prog(&s, BPF_PROG_TYPE_XDP,
			 "r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 1)\n"
			 "r3 = *(u32 *)(r1 + 16)\nr0 += r3\nexit");
		s.facts[0] = (struct verify_insn){.access = ACCESS_CTX,
						  .is_reached = true,
						  .field = field_named(type, "data")};
		s.facts[2] = (struct verify_insn){.access = ACCESS_CTX,
						  .is_reached = true,
						  .field = field_named(type, "rx_queue_index")};
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, &ctx, 0), 8);
		end(&s);
	}
}

/* Programs hold offsets of 32 bits; what is above them does not matter. */
TEST(arenas)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;
		uint64_t low;

		begin(&s);
		add_map(&s, (struct vm_map_def){
				    .type = MAP_ARENA, .max_entries = 2, .flags = BPF_F_MMAPABLE});
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "*(u64 *)(r1 + 8) = 5\n"
			 "r2 = 30\n"
			 "lock *(u64 *)(r1 + 8) += r2\n"
			 "r3 = addr_space_cast(r1, 1, 0)\n"
			 "r0 = *(u64 *)(r3 + 8)\n"
			 "*(u32 *)(r1 + 4092) = r0\n"
			 "r0 = *(s8 *)(r1 + 4092)\n"
			 "r4 = 7\n"
			 "store_release((u32 *)(r1 + 0), r4)\n"
			 "r5 = load_acquire((u32 *)(r1 + 0))\n"
			 "r0 += r5\n"
			 "exit");
		for (size_t i = 0; i < 10; i++)
			if (i != 1 && i != 3 && i != 4 && i != 7)
				s.facts[i].access = ACCESS_ARENA;
		if (s.maps[0] && make(&s, 0, e)) {
			low = (uint32_t)(uintptr_t)s.maps[0]->values | 0xabcd00000000;
			CHECK_EQ(code_run(s.codes[0], &s.run, (void *)(uintptr_t)low, 0), 42);
		}
		end(&s);
	}
}

TEST(objects_that_are_gone_read_as_zero)
{
	static const uint64_t there = 0x1122334455667788;

	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct setup s;

		begin(&s);
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "r2 = 16\nr3 = *(u64 *)(r2 + 8)\nr0 = *(u16 *)(r1 + 2)\nr0 += r3\nexit");
		s.facts[1].access = s.facts[2].access = ACCESS_BTF;
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, (void *)(uintptr_t)&there, 0),
				 0x5566);
		end(&s);
	}
}

/* Of the program's own objects (bpf_obj_new) the verifier says the same, and they are written. */
TEST(objects_are_written)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		uint64_t object[3] = {0, 40, 0};
		struct setup s;

		begin(&s);
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "*(u64 *)(r1 + 0) = 5\n"
			 "r2 = 2\n"
			 "lock *(u64 *)(r1 + 8) += r2\n"
			 "*(u16 *)(r1 + 16) = r2\n"
			 "r0 = *(u64 *)(r1 + 0)\n"
			 "exit");
		for (size_t i = 0; i < 5; i++)
			if (i != 1)
				s.facts[i].access = ACCESS_BTF;
		if (make(&s, 0, e)) {
			CHECK_EQ(code_run(s.codes[0], &s.run, object, 0), 5);
			CHECK_EQ(object[0], 5);
			CHECK_EQ(object[1], 42);
			CHECK_EQ(object[2], 2);
		}
		end(&s);
	}
}

TEST(maps)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		static const uint32_t init[2] = {20, 22};
		struct setup s;

		begin(&s);
		add_map(&s, (struct vm_map_def){.type = BPF_MAP_TYPE_ARRAY,
						.key_size = 4,
						.value_size = 8,
						.max_entries = 1,
						.init = init});
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "r6 = map_idx_value[0] + 4 ll\n"
			 "r6 = *(u32 *)(r6 + 0)\n"
			 "*(u32 *)(r10 - 4) = 0\n"
			 "r1 = map_idx[0] ll\n"
			 "r2 = r10\n"
			 "r2 += -4\n"
			 "call map_lookup_elem\n"
			 "if r0 == 0 goto out\n"
			 "r0 = *(u32 *)(r0 + 0)\n"
			 "r0 += r6\n"
			 "out:\nexit");
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 42);
		end(&s);
	}
}

struct seen {
	uint32_t insns[16];
	unsigned int n;
	uint64_t last_r0;
};

static void look(struct vm_run *run, uint32_t insn, const uint64_t regs[11])
{
	struct seen *seen = run->check_ctx;

	if (seen->n < ELEMENTS(seen->insns))
		seen->insns[seen->n++] = insn;
	seen->last_r0 = regs[0];
}

TEST(watching)
{
	static const uint32_t expected[] = {0, 1, 3, 4, 6, 7, 5};
	struct seen seen = {0};
	struct setup s;

	begin(&s);
	add_prog(&s, BPF_PROG_TYPE_UNSPEC,
		 "r0 = 1\nr1 = 0x7 ll\nr1 += 1\ncall f\nexit\nf:\nr0 += r1\nexit");
	s.run.check = look;
	s.run.check_ctx = &seen;
	if (make(&s, 0, VM_INTERP))
		CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 9);
	CHECK_EQ(seen.n, ELEMENTS(expected));
	CHECK(!memcmp(seen.insns, expected, sizeof(expected)));
	CHECK_EQ(s.run.insns, ELEMENTS(expected));
	CHECK_EQ(seen.last_r0, 9);
	end(&s);
}

/* Whatever stands where no path leads: the kernel does not look there either. */
TEST(dead_code_may_write_r10)
{
	for (enum vm_engine e = VM_INTERP; e <= VM_JIT; e++) {
		struct code_options o = {.engine = e};
		struct setup s;

		begin(&s);
		add_prog(&s, BPF_PROG_TYPE_UNSPEC,
			 "r0 = 3\nif r0 != 3 goto dead\nexit\ndead:\nr10 = 1\nexit");
		CHECK_EQ(code_make(&s.object, 0, &s.verified, &o, &s.codes[0], s.why,
				   sizeof(s.why)),
			 -EINVAL);
		s.facts[3].is_reached = s.facts[4].is_reached = false;
		if (make(&s, 0, e))
			CHECK_EQ(code_run(s.codes[0], &s.run, NULL, 0), 3);
		end(&s);
	}
}

TEST(what_is_lacking_is_named)
{
	struct code_options o = {0};
	struct setup s;

	begin(&s);
	array_push(&s.arena, &s.object.kfuncs, ((struct vm_extern){.name = "bpf_no_such"}));
	add_prog(&s, BPF_PROG_TYPE_UNSPEC, "call kfunc[0]\nexit");
	CHECK_EQ(code_make(&s.object, 0, &s.verified, &o, &s.codes[0], s.why, sizeof(s.why)),
		 -ENOTSUP);
	CHECK_STREQ(s.why, "instruction 0: the embedded runtime has no kfunc bpf_no_such");
	CHECK_EQ(code_make(&s.object, 0, NULL, &o, &s.codes[0], s.why, sizeof(s.why)), -EINVAL);
	CHECK_STREQ(s.why, "the verifier has not accepted it");
	/* where nobody comes by, it does not matter */
	s.facts[0].is_reached = false;
	CHECK_EQ(code_make(&s.object, 0, &s.verified, &o, &s.codes[0], s.why, sizeof(s.why)), 0);
	end(&s);
}
