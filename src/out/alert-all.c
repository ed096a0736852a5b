/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to several places at once: what one of them loses, the others have. */
#include "out/alert.h"

#include "base/clock.h"
#include "base/macro.h"

#include <stdio.h>
#include <stdlib.h>

struct all {
	struct alert_sink sink;
	size_t n;
	struct alert_sink *sinks[]; /* owned */
};

/* What the parts have lost and what they complain of is the whole's. */
static void gather(struct all *x)
{
	x->sink.lost = 0;
	for (size_t i = 0; i < x->n; i++) {
		x->sink.lost += x->sinks[i]->lost;
		if (x->sinks[i]->problem[0] && !x->sink.problem[0]) {
			memcpy(x->sink.problem, x->sinks[i]->problem, sizeof(x->sink.problem));
			x->sinks[i]->problem[0] = 0;
		}
	}
}

static int all_alert(struct alert_sink *sink, const struct alert *a)
{
	struct all *x = (struct all *)sink;
	int r, worst = 0;

	for (size_t i = 0; i < x->n; i++) {
		r = x->sinks[i]->alert(x->sinks[i], a);
		worst = MIN(worst, r);
	}
	return worst;
}

static int all_flush(struct alert_sink *sink)
{
	struct all *x = (struct all *)sink;
	int r, worst = 0;

	for (size_t i = 0; i < x->n; i++) {
		r = x->sinks[i]->flush(x->sinks[i]);
		worst = MIN(worst, r);
	}
	gather(x);
	return worst;
}

/* One after the other: each has what the others before it left of the time. */
static void all_finish(struct alert_sink *sink, unsigned int timeout_ms)
{
	uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct all *x = (struct all *)sink;

	for (size_t i = 0; i < x->n; i++) {
		uint64_t now = clock_mono_ns();

		if (x->sinks[i]->finish)
			x->sinks[i]->finish(x->sinks[i], now < end ? (end - now) / NS_PER_MS : 0);
	}
	gather(x);
}

static void all_reopen(struct alert_sink *sink)
{
	struct all *x = (struct all *)sink;

	for (size_t i = 0; i < x->n; i++)
		if (x->sinks[i]->reopen)
			x->sinks[i]->reopen(x->sinks[i]);
}

static void all_free(struct alert_sink *sink)
{
	struct all *x = (struct all *)sink;

	for (size_t i = 0; i < x->n; i++)
		x->sinks[i]->free(x->sinks[i]);
	free(x);
}

struct alert_sink *alert_all_new(struct alert_sink *const *sinks, size_t n)
{
	struct all *x = xalloc(sizeof(*x) + n * sizeof(sinks[0]));

	x->sink = (struct alert_sink){
		.alert = all_alert,
		.flush = all_flush,
		.free = all_free,
		.finish = all_finish,
		.reopen = all_reopen,
	};
	x->n = n;
	memcpy(x->sinks, sinks, n * sizeof(sinks[0]));
	return &x->sink;
}
