/* SPDX-License-Identifier: Apache-2.0 */
#include "event/rule/limit.h"

#include "base/clock.h"
#include "base/macro.h"

bool limit_pass(struct limit *l, double rate, unsigned int burst, uint64_t now_ns)
{
	double room = MAX(burst, 1u);

	if (!(rate > 0))
		return true;
	/* events of several cpus come a little out of order: time never goes back */
	if (now_ns > l->last_ns) {
		l->missing -= (now_ns - l->last_ns) * rate / NS_PER_S;
		l->missing = MAX(l->missing, 0.0);
		l->last_ns = now_ns;
	}
	if (l->missing + 1 > room) {
		l->held++;
		return false;
	}
	l->missing += 1;
	return true;
}

uint64_t limit_take_held(struct limit *l)
{
	uint64_t n = l->held;

	l->held = 0;
	return n;
}
