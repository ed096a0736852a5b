/* SPDX-License-Identifier: Apache-2.0 */
/* What bpftrace says when it does not understand its command line. */
#pragma once

#include <stdio.h>

void bpftrace_usage(FILE *to);
