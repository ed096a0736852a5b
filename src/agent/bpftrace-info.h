/* SPDX-License-Identifier: Apache-2.0 */
/* `bpftrace --info`: features in its words, which scripts and test engines look for. */
#pragma once

/* Returns the exit status. */
int bpftrace_info(void);
