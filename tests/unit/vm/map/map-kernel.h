/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of the kernel's, for comparing. */
#pragma once

#include "map-model.h"

/* How many cpus a per-cpu value has; 0: maps cannot be made here. */
unsigned int map_kernel_cpus(void);
/* A descriptor or -errno. */
int map_kernel_create(const struct vm_map_def *d, int inner_fd);
void map_kernel_close(int fd);
void map_kernel_ask(int fd, const struct vm_map_def *d, const struct model_op *op,
		    struct model_answer *ret);
