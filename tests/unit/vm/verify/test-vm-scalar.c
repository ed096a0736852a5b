/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars against numbers: what is done to each member of a set must lie in what is done to
 * its description.
 *
 * Sets are small subsets of a few bits, put at places where carries, signs and the halves
 * meet; a description is the join of the set's members, so it is the best there is.  Where
 * the result is the best one, too, that is counted: precision is printed, soundness is checked.
 */
#include "runtime/vm/verify/scalar.h"

#include "base/macro.h"
#include "base/str.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>

enum { SET_MAX = 16 };

struct set {
	uint64_t v[SET_MAX];
	unsigned int n;
	struct scalar s;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void describe(struct set *set)
{
	struct scalar one;

	scalar_set(&set->s, set->v[0]);
	for (unsigned int i = 1; i < set->n; i++) {
		scalar_set(&one, set->v[i]);
		scalar_join(&set->s, &one);
	}
}

/* Numbers of 4 bits whose bit in `members` is 1, shifted to `place`, added to `base`. */
static void make_set(struct set *set, uint32_t members, unsigned int place, uint64_t base)
{
	set->n = 0;
	for (unsigned int i = 0; i < SET_MAX; i++)
		if (members >> i & 1)
			set->v[set->n++] = ((uint64_t)i << place) + base;
	describe(set);
}

/* Around 0, the sign of 32 bits, the end of 32 bits, the sign of 64. */
static const uint64_t bases[] = {0,
				 UINT64_MAX - 5,
				 0x7ffffffaull,
				 0xfffffffaull,
				 0xffffffff7ffffffaull,
				 0x7ffffffffffffffaull,
				 0x123456789abcdef0ull};
static const unsigned int places[] = {0, 0, 0, 1, 4, 28, 29, 31, 60};

static void random_set(struct set *set, uint64_t *seed)
{
	uint32_t members = (uint32_t)next_random(seed) & 0xffff;

	/* few members, runs, or any */
	switch (next_random(seed) % 3) {
	case 0:
		members &= (uint32_t)(next_random(seed) & next_random(seed));
		break;
	case 1:
		members = 0xffffu >> next_random(seed) % 16 << next_random(seed) % 8;
		break;
	}
	if (!(members & 0xffff))
		members = 1;
	make_set(set, members, places[next_random(seed) % ELEMENTS(places)],
		 bases[next_random(seed) % ELEMENTS(bases)]);
}

static bool is_best(const struct scalar *have, const struct scalar *best)
{
	return scalar_within(best, have) && scalar_within(have, best);
}

static void put_wrong(const char *what, const struct set *a, const struct set *b, uint64_t x,
		      uint64_t y, uint64_t result, const struct scalar *d)
{
	_cleanup_buf_ struct buf text = {0};

	scalar_print(&a->s, &text);
	if (b) {
		buf_puts(&text, " and ");
		scalar_print(&b->s, &text);
	}
	buf_puts(&text, " give ");
	scalar_print(d, &text);
	test_result(false, __FILE__, __LINE__,
		    "%s: 0x%" PRIx64 ", 0x%" PRIx64 " is 0x%" PRIx64 ", %s", what, x, y, result,
		    text.p);
}

static const char *const alu_names[] = {
#define ALU(name, op, off, sign, cpu, group, expr) #name,
#include "isa/alu.def"
};
static const char *const jump_names[] = {
#define JUMP(name, op, sign, cpu, expr) #name,
#include "isa/alu.def"
};

struct count {
	unsigned long best, all;
};

static bool check_alu(enum insn_alu op, bool is_32, const struct set *a, const struct set *b,
		      struct count *count)
{
	struct scalar d = a->s, best, one;

	scalar_alu(&d, op, is_32, &b->s);
	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int k = 0; k < b->n; k++) {
			uint64_t r = insn_alu_eval(op, is_32, a->v[i], b->v[k]);

			if (!scalar_has(&d, r)) {
				put_wrong(alu_names[op], a, b, a->v[i], b->v[k], r, &d);
				return false;
			}
			scalar_set(&one, r);
			if (i || k)
				scalar_join(&best, &one);
			else
				best = one;
		}
	count->all++;
	count->best += is_best(&d, &best);
	return true;
}

TEST(arithmetic)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull;

	for (unsigned int op = 0; op < ALU_COUNT; op++)
		for (unsigned int is_32 = 0; is_32 < 2; is_32++) {
			struct count count = {0, 0};
			bool ok = true;

			for (unsigned int n = 0; n < 20000 && ok; n++) {
				struct set a, b;

				random_set(&a, &seed);
				random_set(&b, &seed);
				ok = check_alu(op, is_32, &a, &b, &count);
			}
			CHECK(ok);
			printf("# %s%s: best in %.1f%%\n", alu_names[op], is_32 ? "32" : "64",
			       100.0 * (double)count.best / (double)count.all);
		}
}

/* All runs of 4-bit numbers by all such runs, by a few places. */
TEST(arithmetic_of_runs)
{
	static const uint64_t at[] = {0, UINT64_MAX - 7, 0x7ffffff8ull, 0x7ffffffffffffff8ull};
	struct count count = {0, 0};
	bool ok = true;

	for (unsigned int from = 0; from < 16; from += 1)
		for (unsigned int n = 1; from + n <= 16; n += 3)
			for (unsigned int place = 0; place < ELEMENTS(at); place++)
				for (unsigned int other = 1; other < 0x10000; other = other * 2 + 1)
					for (unsigned int op = 0; op < ALU_COUNT && ok; op++) {
						struct set a, b;

						make_set(&a, ((1u << n) - 1) << from, 0, at[place]);
						make_set(&b, other, 0, at[(place + n) % 4]);
						ok = check_alu(op, false, &a, &b, &count) &&
						     check_alu(op, true, &b, &a, &count);
					}
	CHECK(ok);
	printf("# runs: best in %.1f%% of %lu\n", 100.0 * (double)count.best / (double)count.all,
	       count.all);
}

static bool check_jump(enum insn_jump op, bool is_32, bool taken, const struct set *a,
		       const struct set *b, struct count *count)
{
	struct scalar ra = a->s, rb = b->s, best_a, best_b, x, y;
	int known = scalar_branch(&a->s, &b->s, op, is_32);
	bool can = scalar_refine(&ra, &rb, op, is_32, taken), is_first = true;

	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int k = 0; k < b->n; k++) {
			if (insn_jump_eval(op, is_32, a->v[i], b->v[k]) != taken)
				continue;
			if (known == !taken || !can || !scalar_has(&ra, a->v[i]) ||
			    !scalar_has(&rb, b->v[k])) {
				put_wrong(jump_names[op], a, b, a->v[i], b->v[k], taken, &ra);
				return false;
			}
			scalar_set(&x, a->v[i]);
			scalar_set(&y, b->v[k]);
			if (is_first) {
				best_a = x;
				best_b = y;
			}
			is_first = false;
			scalar_join(&best_a, &x);
			scalar_join(&best_b, &y);
		}
	count->all++;
	if (is_first)
		count->best += known == !taken;
	else
		count->best += is_best(&ra, &best_a) && is_best(&rb, &best_b);
	return true;
}

TEST(comparisons)
{
	uint64_t seed = 0x2545f4914f6cdd1dull;

	for (unsigned int op = 0; op < JUMP_COUNT; op++)
		for (unsigned int is_32 = 0; is_32 < 2; is_32++) {
			struct count count = {0, 0};
			bool ok = true;

			for (unsigned int n = 0; n < 20000 && ok; n++) {
				struct set a, b;

				random_set(&a, &seed);
				random_set(&b, &seed);
				ok = check_jump(op, is_32, n & 1, &a, &b, &count);
			}
			CHECK(ok);
			printf("# %s%s: best in %.1f%%\n", jump_names[op], is_32 ? "32" : "64",
			       100.0 * (double)count.best / (double)count.all);
		}
}

static uint64_t cut_value(uint64_t v, unsigned int bytes, bool is_signed, bool to_32)
{
	uint64_t all = UINT64_MAX >> (64 - 8 * bytes);

	v &= all;
	if (is_signed && v & (all ^ all >> 1))
		v |= ~all;
	return to_32 ? (uint32_t)v : v;
}

static uint64_t swap_value(uint64_t v, unsigned int bits, bool is_swap)
{
	v &= UINT64_MAX >> (64 - bits);
	return is_swap ? __builtin_bswap64(v) >> (64 - bits) : v;
}

static bool check_unary(unsigned int kind, const struct set *a, struct count *count)
{
	struct scalar d = a->s, best, one;
	unsigned int bytes = 1u << (kind & 3), bits = 16u << (kind % 3);
	bool is_a = kind & 4, is_b = kind & 8;

	if (kind < 16)
		scalar_cut(&d, bytes, is_a, is_b);
	else if (kind < 32)
		scalar_swap(&d, bits, is_a);
	else
		scalar_neg(&d, is_a);
	for (unsigned int i = 0; i < a->n; i++) {
		uint64_t v = a->v[i];
		uint64_t r = kind < 16	 ? cut_value(v, bytes, is_a, is_b)
			     : kind < 32 ? swap_value(v, bits, is_a)
					 : cut_value(-v, is_a ? 4 : 8, false, false);

		if (!scalar_has(&d, r)) {
			put_wrong("unary", a, NULL, v, kind, r, &d);
			return false;
		}
		scalar_set(&one, r);
		if (i)
			scalar_join(&best, &one);
		else
			best = one;
	}
	count->all++;
	count->best += is_best(&d, &best);
	return true;
}

TEST(cut_swap_negate)
{
	uint64_t seed = 0xd1342543de82ef95ull;
	struct count count = {0, 0};
	bool ok = true;

	for (unsigned int n = 0; n < 400000 && ok; n++) {
		struct set a;

		random_set(&a, &seed);
		ok = check_unary(n % 40, &a, &count);
	}
	CHECK(ok);
	printf("# unary: best in %.1f%%\n", 100.0 * (double)count.best / (double)count.all);
}

/* A number between the limits that the bits allow, of a scalar that came from nowhere. */
static uint64_t random_number(uint64_t *seed)
{
	uint64_t v = next_random(seed);

	switch (next_random(seed) % 4) {
	case 0:
		return v;
	case 1:
		return v >> next_random(seed) % 64;
	case 2:
		return (uint64_t)((int64_t)v >> next_random(seed) % 64);
	default:
		return bases[v % ELEMENTS(bases)] + v / 16 % 16;
	}
}

TEST(random_numbers)
{
	uint64_t seed = 0x853c49e6748fea9bull;
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < 1000000 && wrong < 5; n++) {
		struct set a = {.n = 4}, b = {.n = 2};
		enum insn_alu op = next_random(&seed) % ALU_COUNT;
		enum insn_jump jump = next_random(&seed) % JUMP_COUNT;
		bool is_32 = next_random(&seed) & 1;
		struct count count = {0, 0};

		for (unsigned int i = 0; i < a.n; i++)
			a.v[i] = random_number(&seed);
		for (unsigned int i = 0; i < b.n; i++)
			b.v[i] = random_number(&seed);
		describe(&a);
		describe(&b);
		if (n & 1)
			wrong += !check_alu(op, is_32, &a, &b, &count);
		else
			wrong += !check_jump(jump, is_32, n & 2, &a, &b, &count);
	}
	CHECK_EQ(wrong, 0);
}

/*
 * Chains: an operation, an outcome of a comparison, an operation …; a member of the set goes
 * along with the description, so descriptions that no join makes are met, too.
 */
TEST(chains)
{
	uint64_t seed = 0xda3e39cb94b95bdbull;
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < 100000 && wrong < 5; n++) {
		struct scalar s[2];
		uint64_t v[2];

		for (unsigned int i = 0; i < 2; i++) {
			v[i] = random_number(&seed);
			scalar_any(&s[i]);
		}
		for (unsigned int step = 0; step < 12 && wrong < 5; step++) {
			unsigned int at = next_random(&seed) & 1;
			bool is_32 = next_random(&seed) & 1, ok = true;
			uint64_t c = random_number(&seed);
			struct scalar k;

			scalar_set(&k, c);
			if (step & 1) {
				enum insn_jump op = next_random(&seed) % JUMP_COUNT;
				bool with_const = next_random(&seed) & 1;
				bool taken =
					insn_jump_eval(op, is_32, v[at], with_const ? c : v[!at]);

				ok = scalar_refine(&s[at], with_const ? &k : &s[!at], op, is_32,
						   taken);
			} else {
				enum insn_alu op = next_random(&seed) % ALU_COUNT;

				if (next_random(&seed) & 1) {
					scalar_alu(&s[at], op, is_32, &k);
					v[at] = insn_alu_eval(op, is_32, v[at], c);
				} else {
					scalar_alu(&s[at], op, is_32, &s[!at]);
					v[at] = insn_alu_eval(op, is_32, v[at], v[!at]);
				}
			}
			ok = ok && scalar_has(&s[0], v[0]) && scalar_has(&s[1], v[1]);
			wrong += !ok;
		}
	}
	CHECK_EQ(wrong, 0);
}

TEST(widening_ends)
{
	uint64_t seed = 0x14057b7ef767814full;
	unsigned int longest = 0;

	for (unsigned int n = 0; n < 20000; n++) {
		struct scalar s;
		unsigned int steps = 0;

		scalar_set(&s, random_number(&seed));
		for (unsigned int i = 0; i < 100; i++) {
			struct scalar newer, before = s;

			scalar_set(&newer, random_number(&seed));
			if (scalar_within(&s, &newer))
				continue;
			scalar_widen(&s, &newer);
			steps++;
			if (!scalar_within(&s, &newer) || !scalar_within(&s, &before))
				longest = 1000;
		}
		longest = MAX(longest, steps);
	}
	printf("# longest chain of widenings: %u\n", longest);
	CHECK(longest < 30);
}

static void check_text(const struct scalar *s, const char *text)
{
	_cleanup_buf_ struct buf have = {0};

	scalar_print(s, &have);
	CHECK_STREQ(have.p, text);
}

TEST(texts)
{
	struct scalar s;

	scalar_any(&s);
	check_text(&s, "scalar()");
	scalar_set(&s, 42);
	check_text(&s, "42");
	scalar_set(&s, (uint64_t)-1);
	check_text(&s, "-1");
	scalar_range(&s, 0, 255);
	check_text(&s, "scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))");
	scalar_any(&s);
	scalar_cut(&s, 4, false, false);
	check_text(&s, "scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))");
}
