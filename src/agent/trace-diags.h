/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics for programs that read them: editors, tests. */
#pragma once

#include "base/diag/diag.h"

/*
 * One JSON object a line and diagnostic: severity, id, message; file, line, column,
 * end_line, end_column if it has a place; hints.  Appends.
 */
void trace_diags_json(const struct diags *d, struct buf *to);
/* Mistakes in C declarations once more, as bpftrace's C compiler says them.  Appends. */
void trace_diags_clang(const struct diags *d, struct buf *to);
