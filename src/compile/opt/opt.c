/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

enum { ROUNDS = 4 };

const struct opt_pass opt_passes[] = {
#define PASS(name, level, help) {#name, help, opt_##name, level},
#include "compile/opt/passes.def"
#undef PASS
	{}};

bool opt_run_pass(const struct opt_pass *pass, struct ir_module *m)
{
	struct opt o;
	bool changed;

	opt_init(&o, m);
	changed = pass->run(&o);
	opt_done(&o);
	return changed;
}

void opt_run(struct ir_module *m, int level,
	     void (*after)(void *ctx, const struct opt_pass *pass, const struct ir_module *m),
	     void *ctx)
{
	/* of the module; and the one in which a pass found nothing to do: it need not look again */
	unsigned int version = 1, idle_in[ELEMENTS(opt_passes)] = {}, before = 0;
	struct opt o;

	opt_init(&o, m);
	for (unsigned int round = 0; version != before && round < ROUNDS; round++) {
		before = version;
		for (const struct opt_pass *p = opt_passes; p->name; p++) {
			unsigned int *idle = &idle_in[p - opt_passes];

			if (p->level > level || *idle == version)
				continue;
			if (!p->run(&o)) {
				*idle = version;
				continue;
			}
			version++;
			if (after)
				after(ctx, p, m);
		}
	}
	opt_done(&o);
}
