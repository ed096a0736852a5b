/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/jit/divide.h"

struct divide divide_by(uint64_t d, unsigned int bits)
{
	unsigned __int128 one = 1, m;
	unsigned int log;

	if (bits == 32)
		d = (uint32_t)d;
	if (!d)
		return (struct divide){.how = DIVIDE_ZERO};
	if (!(d & (d - 1)))
		return (struct divide){.how = DIVIDE_SHIFT,
				       .shift = (unsigned int)__builtin_ctzll(d)};
	if (d >> (bits - 1))
		return (struct divide){.how = DIVIDE_ONCE};
	log = 64 - (unsigned int)__builtin_clzll(d); /* 2^(log-1) < d < 2^log */
	/* The least shift whose m is near enough: m × d - 2^p <= 2^shift. */
	for (unsigned int shift = 0; shift < log; shift++) {
		m = ((one << (bits + shift)) + d - 1) / d;
		if (m * d - (one << (bits + shift)) <= one << shift && !(m >> bits))
			return (struct divide){.how = DIVIDE_MUL, .shift = shift, .m = (uint64_t)m};
	}
	m = ((one << (bits + log)) + d - 1) / d - (one << bits);
	return (struct divide){.how = DIVIDE_LONG, .shift = log, .m = (uint64_t)m};
}
