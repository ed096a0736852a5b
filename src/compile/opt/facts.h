/* SPDX-License-Identifier: Apache-2.0 */
/* What passes know of the kernel's helpers. */
#pragma once

#include "compile/ir/ir.h"

enum {
	FACT_TELLS = 1,	     /* no effect but its result: not called when nobody asks */
	FACT_STEADY = 2,     /* the same answer for as long as the program runs */
	FACT_KEEPS_MAPS = 4, /* no element of any map comes or goes */
};

unsigned int facts_of_helper(uint32_t id);

/* The same of any instruction; what is no call only computes, loads or stores. */
unsigned int facts_of(const struct ir_insn *i);
