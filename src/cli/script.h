/* SPDX-License-Identifier: Apache-2.0 */
/* A program on the command line: text or a file, and what it is given. */
#pragma once

#include "agent/trace.h"

/*
 * The first operand is the program: a file if there is one of that name (or "-", or it ends
 * in .bt), else the text itself.  The rest are its parameters.
 */
void script_operands(struct trace_options *o, char **operands);
/* False: there is no program, and a message said so, with the command's help. */
bool script_is_given(const struct trace_options *o, const char *command);
