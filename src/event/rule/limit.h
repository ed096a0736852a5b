/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many alerts a second: a bucket that fills with time.
 *
 * An alert takes one token; a second brings `rate` of them, and never more than `burst` wait.
 * Time is that of the events, so a replay holds back what the live run did.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zero: full. */
struct limit {
	double missing; /* tokens below `burst` */
	uint64_t last_ns;
	uint64_t held; /* what it kept back since it last let something pass */
};

/* May one pass at `now_ns`?  rate 0: always.  If not, it is counted in `held`. */
bool limit_pass(struct limit *l, double rate, unsigned int burst, uint64_t now_ns);
/* What was kept back since the last call; for the alert that passes now. */
uint64_t limit_take_held(struct limit *l);
