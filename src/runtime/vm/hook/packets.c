/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/packets.h"

#include "base/macro.h"

#include <errno.h>

enum { LINK_ETHERNET = 1 };

/* What a program's result says (linux/bpf.h, linux/pkt_cls.h). */
static const struct {
	uint32_t prog_type, value;
	const char *name;
	bool is_kept;
} actions[] = {
	{BPF_PROG_TYPE_XDP, 0, "XDP_ABORTED", false},
	{BPF_PROG_TYPE_XDP, 1, "XDP_DROP", false},
	{BPF_PROG_TYPE_XDP, 2, "XDP_PASS", true},
	{BPF_PROG_TYPE_XDP, 3, "XDP_TX", true},
	{BPF_PROG_TYPE_XDP, 4, "XDP_REDIRECT", true},
	{BPF_PROG_TYPE_SCHED_CLS, UINT32_MAX, "TC_ACT_UNSPEC", true},
	{BPF_PROG_TYPE_SCHED_CLS, 0, "TC_ACT_OK", true},
	{BPF_PROG_TYPE_SCHED_CLS, 1, "TC_ACT_RECLASSIFY", true},
	{BPF_PROG_TYPE_SCHED_CLS, 2, "TC_ACT_SHOT", false},
	{BPF_PROG_TYPE_SCHED_CLS, 3, "TC_ACT_PIPE", true},
	{BPF_PROG_TYPE_SCHED_CLS, 4, "TC_ACT_STOLEN", false},
	{BPF_PROG_TYPE_SCHED_CLS, 5, "TC_ACT_QUEUED", false},
	{BPF_PROG_TYPE_SCHED_CLS, 6, "TC_ACT_REPEAT", true},
	{BPF_PROG_TYPE_SCHED_CLS, 7, "TC_ACT_REDIRECT", true},
	{BPF_PROG_TYPE_SCHED_CLS, 8, "TC_ACT_TRAP", false},
	{BPF_PROG_TYPE_CGROUP_SKB, 0, "drop", false},
	{BPF_PROG_TYPE_CGROUP_SKB, 1, "pass", true},
	{BPF_PROG_TYPE_LWT_IN, 0, "BPF_OK", true},
	{BPF_PROG_TYPE_LWT_IN, 2, "BPF_DROP", false},
	{BPF_PROG_TYPE_LWT_IN, 7, "BPF_REDIRECT", true},
	{BPF_PROG_TYPE_LWT_IN, 128, "BPF_LWT_REROUTE", true},
};

const char *packets_action(uint32_t prog_type, uint32_t value, bool *ret_kept)
{
	if (prog_type == BPF_PROG_TYPE_SCHED_ACT)
		prog_type = BPF_PROG_TYPE_SCHED_CLS;
	if (prog_type == BPF_PROG_TYPE_LWT_OUT || prog_type == BPF_PROG_TYPE_LWT_XMIT)
		prog_type = BPF_PROG_TYPE_LWT_IN;
	*ret_kept = false;
	if (prog_type == BPF_PROG_TYPE_SOCKET_FILTER) { /* how many bytes the socket gets */
		*ret_kept = value != 0;
		return value ? "accept" : "drop";
	}
	for (size_t i = 0; i < ELEMENTS(actions); i++) {
		if (actions[i].prog_type != prog_type || actions[i].value != value)
			continue;
		*ret_kept = actions[i].is_kept;
		return actions[i].name;
	}
	return NULL;
}

/* Results without a name are counted together; so are all lengths that a socket filter gives. */
static void count(struct packets_report *report, const struct packets_outcome *o)
{
	struct packets_count *c = report->counts;
	unsigned int i = 0;

	while (i < report->n_counts && c[i].action != o->action)
		i++;
	if (i == report->n_counts) {
		if (i == ELEMENTS(report->counts))
			return;
		c[report->n_counts++] = (struct packets_count){o->value, o->action, 0, 0};
	}
	c[i].n++;
	c[i].bytes += o->n_before;
}

struct feeder {
	const struct vm_code *code;
	const struct packets_options *options;
	struct packets_report *report;
	struct vm_packet packet;
	uint64_t first_ns;
	bool has_first;
};

/* The file's copy: what a socket filter keeps is the beginning. */
static void keep(struct feeder *f, const struct packets_outcome *o)
{
	uint8_t bytes[PACKET_MAX + PACKET_SKB_MAX];
	size_t n = packet_wire(&f->packet, bytes, sizeof(bytes));

	if (f->code->prog->prog_type == BPF_PROG_TYPE_SOCKET_FILTER && o->value < n)
		n = o->value;
	f->report->kept++;
	if (f->options->out)
		pcap_write(f->options->out, o->ns, bytes, n);
}

static bool was_changed(const struct vm_packet *p, const struct pcap_packet *in)
{
	size_t skip = p->has_link ? 0 : PACKET_ETH;

	return p->has_vlan || packet_n(p) != in->bytes.n - skip ||
	       memcmp(p->data, in->bytes.p + skip, packet_n(p));
}

static void feed(struct feeder *f, const struct pcap_packet *in)
{
	struct packets_outcome o = {
		.number = f->report->packets, .ns = in->ns, .n_before = (uint32_t)in->bytes.n};
	struct vm_run run = {.has_count = f->options->counts_insns};

	packet_bind(&f->packet, &run);
	run.now_ns = in->ns - f->first_ns + 1; /* 0 would be the machine's clock */
	o.value = (uint32_t)code_run(f->code, &run, f->packet.ctx, 0);
	o.n_after = (uint32_t)packet_n(&f->packet);
	o.action = packets_action(f->code->prog->prog_type, o.value, &o.is_kept);
	o.redirect = f->packet.redirect;
	if (run.failure[0]) {
		o.failure = run.failure;
		o.is_kept = false;
		f->report->failed++;
	} else {
		count(f->report, &o);
	}
	f->report->changed += was_changed(&f->packet, in);
	f->report->insns += run.insns;
	if (o.is_kept)
		keep(f, &o);
	if (f->options->each)
		f->options->each(f->options->ctx, &o);
}

static void take(struct feeder *f, const struct pcap_packet *in)
{
	int r;

	f->report->packets++;
	if (!f->has_first)
		f->first_ns = in->ns;
	f->has_first = true;
	if (in->link != LINK_ETHERNET) {
		f->report->not_ethernet++;
		f->report->link_skipped = in->link;
		return;
	}
	r = packet_set(&f->packet, in->bytes.p, in->bytes.n);
	if (r == -EINVAL)
		f->report->too_short++;
	else if (r == -EMSGSIZE)
		f->report->too_long++;
	else
		feed(f, in);
}

int packets_run(const struct vm_code *c, struct str file, const struct packets_options *o,
		struct packets_report *ret)
{
	struct feeder f = {.code = c, .options = o, .report = ret};
	struct pcap_reader reader;
	struct pcap_packet in;
	int r;

	*ret = (struct packets_report){0};
	r = pcap_open(&reader, file);
	if (r < 0)
		return r;
	r = packet_init(&f.packet, c->prog->prog_type);
	if (r < 0)
		return r;
	if (o->out)
		pcap_write_head(o->out, LINK_ETHERNET);
	while ((r = pcap_next(&reader, &in)) > 0)
		take(&f, &in);
	ret->error = r;
	ret->is_cut = reader.is_cut;
	packet_done(&f.packet);
	return 0;
}
