/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel for extern.bpf.c: compiled for its types. */
#include "base.h"

struct task {
	int pid;
};

int kernel_variable SEC(".data..percpu");

SEC("types")
void kernel_function(struct task *t)
{
	t->pid++;
}
