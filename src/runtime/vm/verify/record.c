/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was known before each instruction, over all paths: for the checking mode.
 */
#include "runtime/vm/verify/internal.h"

void record_state(struct verifier *v)
{
	(void)v;
}
