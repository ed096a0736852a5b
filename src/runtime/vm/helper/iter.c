/* SPDX-License-Identifier: Apache-2.0 */
/* Iterators that only count: of numbers, of bits.  Their state is on the program's stack. */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/memory.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS_MAX = 8 << 20, WORDS_MAX = 511 };

struct iter_num {
	int32_t at, end;
};

CALL(kfunc_iter_num_new)
{
	struct iter_num *it = call_pointer(a);
	int32_t from = (int32_t)b, to = (int32_t)c;

	it->at = it->end = 0;
	if (from > to)
		return call_error(-EINVAL);
	if ((int64_t)to - from > NUMBERS_MAX)
		return call_error(-E2BIG);
	it->at = (int32_t)((uint32_t)from - 1);
	it->end = to;
	return 0;
}

CALL(kfunc_iter_num_next)
{
	struct iter_num *it = call_pointer(a);

	/* it->at may be INT_MIN − 1, which wraps */
	if ((int32_t)((uint32_t)it->at + 1) >= it->end) {
		it->at = it->end = 0;
		return 0;
	}
	it->at = (int32_t)((uint32_t)it->at + 1);
	return call_number(&it->at);
}

CALL(kfunc_iter_num_destroy)
{
	memset(call_pointer(a), 0, sizeof(struct iter_num));
	return 0;
}

struct iter_bits {
	union {
		uint64_t *words; /* owned */
		uint64_t word;	 /* if there is only one */
	};
	int32_t n, at;
};

CALL(kfunc_iter_bits_new)
{
	struct iter_bits *it = call_pointer(a);
	uint32_t n = (uint32_t)c;
	uint64_t *words;
	int r;

	*it = (struct iter_bits){.at = -1};
	if (!b || !n)
		return call_error(-EINVAL);
	if (n > WORDS_MAX)
		return call_error(-E2BIG);
	words = n > 1 ? malloc(n * 8ul) : &it->word;
	if (!words)
		return call_error(-ENOMEM);
	r = memory_read_own(words, b, n * 8ul);
	if (r < 0) {
		if (n > 1)
			free(words);
		it->word = 0;
		return call_error(r);
	}
	if (n > 1)
		it->words = words;
	it->n = (int32_t)(n * 64);
	return 0;
}

CALL(kfunc_iter_bits_next)
{
	struct iter_bits *it = call_pointer(a);
	const uint64_t *words = it->n == 64 ? &it->word : it->words;
	int32_t i = it->at + 1;

	if (it->at >= it->n)
		return 0;
	while (i < it->n) {
		uint64_t left = words[i / 64] >> i % 64;

		if (left) {
			i += __builtin_ctzll(left);
			break;
		}
		i = (i / 64 + 1) * 64;
	}
	it->at = i;
	return i < it->n ? call_number(&it->at) : 0;
}

CALL(kfunc_iter_bits_destroy)
{
	struct iter_bits *it = call_pointer(a);

	if (it->n > 64)
		free(it->words);
	return 0;
}
