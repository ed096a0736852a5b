/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has to add: settings, variables, functions; also what it has not. */
#include "base.h"

struct task;

extern u32 LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_YES __kconfig __weak;
extern u64 CONFIG_HZ __kconfig;
extern char CONFIG_NAME[16] __kconfig __weak;

extern const int kernel_variable __ksym;
extern const int missing_variable __ksym __weak;
extern const void kernel_text __ksym;
void kernel_function(struct task *t) __ksym;
void missing_function___v2(int x) __ksym __weak;

SEC("raw_tp/x")
int settings(void *ctx)
{
	return LINUX_KERNEL_VERSION + CONFIG_YES + CONFIG_HZ + CONFIG_NAME[0];
}

SEC("raw_tp/x")
int variables(void *ctx)
{
	return kernel_variable + (&missing_variable != 0) + (u64)&kernel_text;
}

SEC("raw_tp/x")
int functions(void *ctx)
{
	kernel_function(0);
	if (missing_function___v2)
		missing_function___v2(1);
	return 0;
}

char _license[] SEC("license") = "GPL";
