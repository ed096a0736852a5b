/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/opt/passes.h"

enum { ROUNDS = 4 };

const struct opt_pass opt_passes[] = {
#define PASS(name, level, help) {#name, help, opt_##name, level},
#include "compile/opt/passes.def"
#undef PASS
	{}};

void opt_run(struct ir_module *m, int level,
	     void (*after)(void *ctx, const struct opt_pass *pass, const struct ir_module *m),
	     void *ctx)
{
	bool changed = true;

	for (unsigned int round = 0; changed && round < ROUNDS; round++) {
		changed = false;
		for (const struct opt_pass *p = opt_passes; p->name; p++) {
			if (p->level > level || !p->run(m))
				continue;
			changed = true;
			if (after)
				after(ctx, p, m);
		}
	}
}
