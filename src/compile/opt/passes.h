/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind the rows of passes.def.  True: something changed. */
#pragma once

#include "compile/opt/opt.h"

#define PASS(name, level, help)	      bool opt_##name(struct flow *fl);
#define WHOLE_PASS(name, level, help) bool opt_##name(struct ir_module *m);
#define AGAIN(name)
#include "compile/opt/passes.def"
#undef PASS
#undef WHOLE_PASS
#undef AGAIN
