/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that nothing reaches go, the others get new numbers without gaps.
 *
 * Always run: the kernel's verifier refuses instructions that no path reaches.  Functions
 * stay, even if nobody calls them; the generator leaves those out.
 *
 * needs: nothing     keeps: the order of blocks     breaks: indices of blocks
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

static bool run(struct ir_module *m, struct ir_func *f)
{
	struct flow fl;
	uint32_t n = 0, *to;
	bool changed;

	flow_init_order(&fl, m, f);
	to = arena_array(&fl.arena, uint32_t, f->blocks.n);
	for (uint32_t b = 0; b < f->blocks.n; b++)
		if (fl.rank[b] != UINT32_MAX)
			to[b] = n++;
	changed = n != f->blocks.n;
	for (uint32_t b = 0; changed && b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		if (fl.rank[b] == UINT32_MAX)
			continue;
		for (uint32_t s = 0; s < ir_n_succs(block); s++)
			*ir_succ(block, s) = to[*ir_succ(block, s)];
		f->blocks.p[to[b]] = *block;
	}
	f->blocks.n = n;
	flow_done(&fl);
	return changed;
}

bool opt_reach(struct ir_module *m)
{
	return flow_each(m, run);
}
