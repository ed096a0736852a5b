/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers that edit packets, against the kernel's: sequences of calls by chance, made by a
 * program in the kernel and called here, must give the same results and leave the same packet.
 */
#include "runtime/vm/helper/packet.h"
#include "test.h"
#include "vm-kernel.h"

#include "base/macro.h"
#include "runtime/vm/helper/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS = 6, MEMORY = 16 };

/* One call: r1 is the context, r2 … r5; one of them may be the address of `bytes`. */
struct call {
	uint32_t helper;
	uint64_t args[5];    /* [0] is not used */
	unsigned int memory; /* 0: none, else the argument that is the address */
	uint8_t bytes[MEMORY];
};

static uint64_t pick(uint64_t *state, const int64_t *from, size_t n)
{
	return (uint64_t)from[gen_next(state) % n];
}
#define PICK(...)                                   \
	pick(state, (const int64_t[]){__VA_ARGS__}, \
	     sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void make_xdp(uint64_t *state, struct call *c)
{
	uint64_t n = gen_next(state) % 16 + 1;

	switch (gen_next(state) % 5) {
	case 0:
		*c = (struct call){
			.helper = BPF_FUNC_xdp_adjust_head,
			.args = {0, PICK(-300, -217, -216, -64, -4, 0, 4, 20, 49, 50, 51, 1000)}};
		break;
	case 1:
		*c = (struct call){.helper = BPF_FUNC_xdp_adjust_meta,
				   .args = {0, PICK(-256, -252, -32, -6, -4, 0, 4, 8)}};
		break;
	case 2:
		*c = (struct call){
			.helper = BPF_FUNC_xdp_adjust_tail,
			.args = {0, PICK(-60, -51, -50, -49, -14, -1, 0, 1, 64, 200, 4000)}};
		break;
	case 3:
		*c = (struct call){BPF_FUNC_xdp_store_bytes,
				   {0, PICK(0, 14, 30, 60, 64, 70000), 0, n},
				   .memory = 2};
		break;
	default:
		*c = (struct call){.helper = BPF_FUNC_xdp_get_buff_len, .args = {0}};
		break;
	}
}

static void make_skb(uint64_t *state, struct call *c)
{
	uint64_t n = gen_next(state) % 16 + 1;

	switch (gen_next(state) % 14) {
	case 0:
		*c = (struct call){.helper = BPF_FUNC_skb_store_bytes,
				   .args = {0, PICK(0, 12, 14, 30, 60, 64, -1), 0, n,
					    PICK(0, 1, 2, 3, 4)},
				   .memory = 2};
		break;
	case 1:
		*c = (struct call){.helper = BPF_FUNC_skb_vlan_push,
				   .args = {0, PICK(0x0081, 0xa888, 0x1234),
					    gen_next(state) & 0xffff}};
		break;
	case 2:
	case 3:
		*c = (struct call){.helper = BPF_FUNC_skb_vlan_pop, .args = {0}};
		break;
	case 4:
		*c = (struct call){.helper = BPF_FUNC_skb_change_type,
				   .args = {0, PICK(0, 1, 3, 4)}};
		break;
	case 5:
		*c = (struct call){.helper = BPF_FUNC_skb_change_proto,
				   .args = {0, PICK(0x0008, 0xdd86, 0x1234), PICK(0, 0, 0, 1)}};
		break;
	case 6:
		*c = (struct call){.helper = BPF_FUNC_skb_change_tail,
				   .args = {0, PICK(0, 13, 14, 34, 60, 64, 100, 20000),
					    PICK(0, 0, 0, 1)}};
		break;
	case 7:
		*c = (struct call){.helper = BPF_FUNC_skb_change_head,
				   .args = {0, PICK(0, 4, 14, 64, 300, 17000), PICK(0, 0, 0, 1)}};
		break;
	case 8:
	case 9:
		*c = (struct call){
			.helper = BPF_FUNC_skb_adjust_room,
			.args = {0, PICK(-100, -40, -30, -20, -8, -4, 0, 4, 8, 20, 36, 40, 5000),
				 PICK(0, 1, 2),
				 PICK(0, 1, 2, 2, 4, 6, 10, 12, 18, 32, 64, 128, 256, 384, 130,
				      0x0e00000000000042, 0x0e00000000000052)}};
		break;
	case 10:
		*c = (struct call){.helper = BPF_FUNC_l3_csum_replace,
				   .args = {0, PICK(24, 25, 40, 62, 63, 70000),
					    PICK(0, 0x0a01, 0x12345678),
					    PICK(0, 0xffff, 0x87654321), PICK(0, 2, 4, 6, 32)}};
		break;
	case 11:
		*c = (struct call){.helper = BPF_FUNC_l4_csum_replace,
				   .args = {0, PICK(40, 36, 50, 62, 64),
					    PICK(0, 0x0a01, 0x12345678),
					    PICK(0, 0xffff, 0x87654321),
					    PICK(0, 2, 4, 18, 20, 36, 50, 52, 100, 6)}};
		break;
	case 12:
		*c = (struct call){.helper = BPF_FUNC_skb_ecn_set_ce, .args = {0}};
		break;
	default:
		*c = (struct call){.helper = BPF_FUNC_skb_pull_data,
				   .args = {0, PICK(0, 14, 64, 1000)}};
		break;
	}
}

static struct call make(uint64_t *state, bool is_skb)
{
	struct call c;

	if (is_skb)
		make_skb(state, &c);
	else
		make_xdp(state, &c);
	for (size_t i = 0; i < MEMORY; i++)
		c.bytes[i] = (uint8_t)gen_next(state);
	return c;
}

/* The kernel's program: r6 the context, r7 the map's value, results at its words. */
static size_t program(const struct call *calls, struct bpf_insn *p)
{
	size_t n = 0;

	p[n++] = insn_mov(BPF_REG_6, BPF_REG_1);
	p[n++] = insn_store_imm(4, BPF_REG_10, -4, 0);
	p[n++] = insn_mov(BPF_REG_2, BPF_REG_10);
	p[n++] = insn_alu_imm(BPF_ADD, false, BPF_REG_2, -4);
	insn_wide(p + n, BPF_PSEUDO_MAP_IDX, BPF_REG_1, 0);
	n += 2;
	p[n++] = insn_call(0, BPF_FUNC_map_lookup_elem);
	p[n++] = insn_jump_imm(BPF_JNE, BPF_REG_0, 0, 1);
	p[n++] = insn_exit();
	p[n++] = insn_mov(BPF_REG_7, BPF_REG_0);
	for (int i = 0; i < CALLS; i++) {
		for (int k = 0; k < MEMORY; k += 4) {
			int32_t word;

			memcpy(&word, calls[i].bytes + k, sizeof(word));
			p[n++] = insn_store_imm(4, BPF_REG_10, -32 + k, word);
		}
		for (unsigned int r = 1; r < 5; r++) {
			insn_wide(p + n, 0, r + 1, calls[i].args[r]);
			n += 2;
			if (calls[i].memory == r) {
				p[n - 2] = insn_mov(r + 1, BPF_REG_10);
				p[n - 1] = insn_alu_imm(BPF_ADD, false, r + 1, -32);
			}
		}
		p[n++] = insn_mov(BPF_REG_1, BPF_REG_6);
		p[n++] = insn_call(0, (int32_t)calls[i].helper);
		p[n++] = insn_store(8, BPF_REG_7, i * 8, BPF_REG_0);
	}
	p[n++] = insn_mov_imm(BPF_REG_0, 2);
	p[n++] = insn_exit();
	return n;
}

static void run_here(struct vm_packet *p, struct call *calls, struct vm_data *d)
{
	struct vm_run run = {.packet = p, .ctx = p->ctx};

	vm_current = &run;
	CHECK_EQ(packet_set(p, d->packet, d->n), 0);
	for (int i = 0; i < CALLS; i++) {
		struct call *c = &calls[i];
		uint64_t a[5], r;

		memcpy(a, c->args, sizeof(a));
		a[0] = (uintptr_t)p->ctx;
		if (c->memory)
			a[c->memory] = (uintptr_t)c->bytes;
		r = helper_of(c->helper)(a[0], a[1], a[2], a[3], a[4]);
		memcpy(d->value + 8 * i, &r, sizeof(r));
	}
	vm_current = NULL;
	/* what BPF_PROG_TEST_RUN gives back begins with the metadata */
	d->n = (uint32_t)(p->end - p->meta);
	if (d->n <= sizeof(d->packet))
		memcpy(d->packet, p->meta, d->n);
}

/* An Ethernet frame of 64 bytes by chance: IPv4 or IPv6, with tags or not. */
static void fill(uint64_t *state, struct vm_data *d)
{
	static const uint8_t types[][2] = {{8, 0},	 {0x86, 0xdd}, {0x81, 0},
					   {0x88, 0xa8}, {8, 6},       {0, 40}};

	memset(d, 0, sizeof(*d));
	d->n = GEN_PACKET;
	for (size_t i = 0; i < GEN_PACKET; i++)
		d->packet[i] = (uint8_t)gen_next(state);
	memcpy(d->packet + 12, types[gen_next(state) % 3 % ELEMENTS(types)], 2);
	if (!(gen_next(state) % 4))
		memcpy(d->packet + 12, types[gen_next(state) % ELEMENTS(types)], 2);
	memcpy(d->packet + 16, types[gen_next(state) % ELEMENTS(types)], 2);
	if (d->packet[12] == 8)
		d->packet[14] = 0x45;
}

static void say(const struct call *calls, const struct vm_data *ours, const struct vm_data *kernels)
{
	for (int i = 0; i < CALLS; i++) {
		int64_t a, b;

		memcpy(&a, ours->value + 8 * i, sizeof(a));
		memcpy(&b, kernels->value + 8 * i, sizeof(b));
		printf("# helper %u (%lld, %lld, %#llx, %#llx): %lld, the kernel %lld\n",
		       calls[i].helper, (long long)calls[i].args[1], (long long)calls[i].args[2],
		       (long long)calls[i].args[3], (long long)calls[i].args[4], (long long)a,
		       (long long)b);
	}
	printf("# %u bytes, the kernel %u\n", ours->n, kernels->n);
}

/*
 * How many bytes the calls want before the packet.  BPF_PROG_TEST_RUN leaves 64; when an skb is
 * moved for more, the kernel shifts its transport header although none was set, and the least
 * length that bpf_skb_change_tail() allows is a number by chance from then on.
 */
static int64_t growth(const struct call *calls)
{
	int64_t sum = 0;

	for (int i = 0; i < CALLS; i++) {
		int64_t by = (int64_t)calls[i].args[1];

		if (calls[i].helper == BPF_FUNC_skb_vlan_push)
			sum += 4;
		else if (calls[i].helper == BPF_FUNC_skb_change_proto)
			sum += 20;
		else if ((calls[i].helper == BPF_FUNC_skb_change_head ||
			  calls[i].helper == BPF_FUNC_skb_adjust_room) &&
			 by > 0 && by < 1000)
			sum += by;
	}
	return sum;
}

static void compare(bool is_skb, uint64_t seeds)
{
	struct kernel_place k;
	struct vm_packet p;
	unsigned int bad = 0, compared = 0;

	if (kernel_open(&k) < 0) {
		test_skip(k.why_not);
		kernel_close(&k);
		return;
	}
	k.prog_type = is_skb ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP;
	packet_init(&p, k.prog_type);
	for (uint64_t seed = 1; seed <= seeds && bad < 3; seed++) {
		struct bpf_insn insns[256];
		struct call calls[CALLS];
		struct vm_data ours, kernels;
		uint64_t state = seed;
		int prog;

		for (int i = 0; i < CALLS; i++)
			calls[i] = make(&state, is_skb);
		if (growth(calls) > 60)
			continue;
		fill(&state, &ours);
		kernels = ours;
		prog = kernel_load(&k, insns, program(calls, insns), true);
		if (prog < 0) {
			printf("# %s\n", k.log);
			test_result(false, __FILE__, __LINE__, "load: %d", prog);
			break;
		}
		if (!kernel_run(&k, prog, &kernels)) {
			compared++;
			run_here(&p, calls, &ours);
			if (ours.n != kernels.n || memcmp(ours.value, kernels.value, GEN_VALUE) ||
			    memcmp(ours.packet, kernels.packet, ours.n)) {
				bad++;
				printf("# seed %llu\n", (unsigned long long)seed);
				say(calls, &ours, &kernels);
			}
		}
		close(prog);
	}
	CHECK_EQ(bad, 0);
	CHECK(compared > seeds / 4);
	packet_done(&p);
	kernel_close(&k);
}

TEST(xdp_as_the_kernel)
{
	compare(false, 2000);
}

TEST(skb_as_the_kernel)
{
	compare(true, 4000);
}
