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

bool opt_reach(struct flow *fl)
{
	struct ir_func *f = fl->f;
	uint32_t n = 0, *to;

	flow_order(fl);
	if (fl->n_order == f->blocks.n)
		return false;
	to = arena_array(fl->scratch, uint32_t, f->blocks.n);
	for (uint32_t b = 0; b < f->blocks.n; b++)
		if (fl->rank[b] != UINT32_MAX)
			to[b] = n++;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		if (fl->rank[b] == UINT32_MAX)
			continue;
		for (uint32_t s = 0; s < ir_n_succs(block); s++)
			*ir_succ(block, s) = to[*ir_succ(block, s)];
		f->blocks.p[to[b]] = *block;
	}
	f->blocks.n = n;
	flow_forget(fl);
	flow_forget_order(fl);
	return true;
}
