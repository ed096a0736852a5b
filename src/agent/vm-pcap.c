/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep vm run --pcap`: a program over each packet of a file, and what it did with them.
 *
 * The answer is a count of each result, or a line a packet (--each); packets that go on can be
 * kept (--out), edited as the program left them.
 */
#include "agent/vm-input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/file.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/vm/hook/packets.h"
#include "runtime/vm/load.h"

struct replay {
	const struct vm_options *o;
	struct vm_input in;
	struct vm_loaded loaded;
	uint32_t prog;
	struct str file;
	struct buf out;
	struct packets_report report;
	uint64_t ns;
};

static void each(void *ctx, const struct packets_outcome *p)
{
	const struct replay *t = ctx;

	if (t->o->json)
		printf("{\"packet\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"value\":%u,\"action\":",
		       p->number, p->ns, p->value);
	else
		printf("%6" PRIu64 "  %u", p->number, p->n_before);
	if (t->o->json && p->action)
		printf("\"%s\"", p->action);
	else if (t->o->json)
		fputs("null", stdout);
	if (t->o->json) {
		printf(",\"bytes\":%u,\"bytes_after\":%u,\"redirect\":%u}\n", p->n_before,
		       p->n_after, p->redirect);
		return;
	}
	if (p->n_after != p->n_before)
		printf(" > %u", p->n_after);
	printf("  %s", p->failure ? p->failure : p->action ? p->action : "");
	if (!p->action && !p->failure)
		printf("%u", p->value);
	if (p->redirect)
		printf(" to interface %u", p->redirect);
	putchar('\n');
}

/* What was not looked at is said, too: nothing is left out in silence. */
static void say_left_out(const struct packets_report *r)
{
	if (r->not_ethernet)
		log_warning("%" PRIu64 " packets are not of Ethernet but of link type %u: left out",
			    r->not_ethernet, r->link_skipped);
	if (r->too_short)
		log_warning("%" PRIu64 " packets are shorter than an Ethernet header: left out",
			    r->too_short);
	if (r->too_long)
		log_warning("%" PRIu64 " packets are longer than 65535 bytes: left out",
			    r->too_long);
	if (r->failed)
		log_warning("%" PRIu64 " runs were stopped", r->failed);
	if (r->is_cut)
		log_warning("the file ends in the middle of a packet");
	if (r->error)
		log_warning("the file is damaged behind packet %" PRIu64, r->packets);
}

static void say_counts(const struct replay *t)
{
	const struct packets_report *r = &t->report;

	if (t->o->json) {
		printf("{\"packets\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"changed\":%" PRIu64
		       ",\"failed\":%" PRIu64 ",\"not_ethernet\":%" PRIu64 ",\"too_short\":%" PRIu64
		       ",\"too_long\":%" PRIu64 ",\"cut\":%s,\"damaged\":%s,\"actions\":[",
		       r->packets, r->kept, r->changed, r->failed, r->not_ethernet, r->too_short,
		       r->too_long, r->is_cut ? "true" : "false", r->error ? "true" : "false");
		for (unsigned int i = 0; i < r->n_counts; i++)
			printf("%s{\"action\":\"%s\",\"value\":%u,\"packets\":%" PRIu64
			       ",\"bytes\":%" PRIu64 "}",
			       i ? "," : "", r->counts[i].action ? r->counts[i].action : "other",
			       r->counts[i].value, r->counts[i].n, r->counts[i].bytes);
		puts("]}");
		return;
	}
	for (unsigned int i = 0; i < r->n_counts; i++)
		printf("%-18s %8" PRIu64 " packets %10" PRIu64 " bytes\n",
		       r->counts[i].action ? r->counts[i].action : "another result", r->counts[i].n,
		       r->counts[i].bytes);
	printf("%" PRIu64 " packets, %" PRIu64 " changed, %" PRIu64 " go on\n", r->packets,
	       r->changed, r->kept);
	if (t->o->time && r->packets)
		printf("%.1f ns a packet, with reading and writing\n",
		       (double)t->ns / (double)r->packets);
}

static int write_out(const struct replay *t)
{
	int r = file_write(t->o->out, buf_str(&t->out));

	if (r < 0) {
		log_error(r, "cannot write to %s", t->o->out);
		return EXIT_FAILED;
	}
	return 0;
}

static int load(struct replay *t)
{
	const struct vm_options *o = t->o;
	struct vm_load_options options = {
		.engine = o->interp ? VM_INTERP : VM_JIT,
		.may_interpret = !o->jit,
		.is_unverified = o->unverified,
		.verify = {.kernel = t->in.kernel.blob ? &t->in.kernel.view : NULL},
	};
	int r;

	t->prog = vm_input_prog(&t->in, o);
	if (t->prog == UINT32_MAX)
		return EXIT_FAILED;
	r = load_begin(&t->in.object, 1, &t->loaded);
	if (r >= 0)
		r = load_prog(&t->loaded, t->prog, &options);
	vm_input_print(&t->in, o);
	if (r >= 0)
		return 0;
	log_error(t->loaded.why[0] ? 0 : r, "%s",
		  t->loaded.why[0] ? t->loaded.why : "the program is refused");
	return EXIT_FAILED;
}

static int replay(struct replay *t)
{
	struct packets_options options = {
		.out = t->o->out ? &t->out : NULL, .each = t->o->each ? each : NULL, .ctx = t};
	uint64_t begin = clock_mono_ns();
	int r = packets_run(t->loaded.codes[t->prog], t->file, &options, &t->report);

	t->ns = clock_mono_ns() - begin;
	if (r == -ENOTSUP) {
		log_error(0,
			  "%s does not look at packets: XDP, TC, socket filter, cgroup/skb and "
			  "LWT programs do",
			  t->in.object.progs.p[t->prog].name);
		return EXIT_FAILED;
	}
	if (r < 0) {
		log_error(0, "%s is no file of packets: pcap or pcapng is expected", t->o->pcap);
		return EXIT_FAILED;
	}
	say_counts(t);
	say_left_out(&t->report);
	return t->o->out ? write_out(t) : 0;
}

int vm_pcap(const struct vm_options *o)
{
	struct replay *t = xalloc(sizeof(*t));
	int status, r;

	t->o = o;
	status = vm_input_open(&t->in, o);
	if (!status)
		status = load(t);
	if (!status) {
		r = vm_input_bytes(&t->in.arena, o->pcap, &t->file);
		if (r < 0) {
			log_error(r, "cannot read %s", o->pcap);
			status = EXIT_FAILED;
		}
	}
	if (!status)
		status = replay(t);
	buf_done(&t->out);
	load_done(&t->loaded);
	vm_input_done(&t->in);
	free(t);
	return status;
}
