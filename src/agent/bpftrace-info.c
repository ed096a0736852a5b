/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bpftrace-info.h"

#include "agent/world.h"

#include <stdio.h>
#include <sys/utsname.h>

static const struct {
	const char *name;
	enum world_feature feature;
} kernel[] =
	{
		{"get_ktime_ns", WORLD_KTIME_TAI},
		{"probe_read_kernel", WORLD_KTIME_BOOT}, /* 5.5; we need 5.10 */
		{"dpath", WORLD_D_PATH},
		{"send_signal", WORLD_SEND_SIGNAL},
		{"override_return", WORLD_OVERRIDE},
		{"skboutput", WORLD_SKB_OUTPUT},
		{"get_func_ip", WORLD_GET_FUNC_IP},
		{"jiffies64", WORLD_JIFFIES64},
		{"lookup_percpu_elem", WORLD_MAP_LOOKUP_PERCPU},
		{"for_each_map_elem", WORLD_FOR_EACH_MAP},
		{"attach_cookie", WORLD_ATTACH_COOKIE},
},
  probes[] = {
	  {"kprobe", WORLD_KPROBE},
	  {"kprobe_multi", WORLD_KPROBE_MULTI},
	  {"kprobe_session", WORLD_KPROBE_SESSION},
	  {"uprobe_multi", WORLD_UPROBE_MULTI},
	  {"fentry", WORLD_FENTRY},
	  {"iter", WORLD_TP_BTF},
};

static void print_rows(struct world *w, const char *name, enum world_feature feature)
{
	printf("  %s: %s\n", name, world_has(w, feature) ? "yes" : "no");
}

int bpftrace_info(void)
{
	const struct world_kern_options options = {0};
	struct world *w = world_kern_new(&options);
	struct utsname u;

	uname(&u);
	printf("System\n  OS: %s %s %s\n  Arch: %s\n\n", u.sysname, u.release, u.version,
	       u.machine);
	puts("Build\n  bcc library path resolution: yes\n  libdw (DWARF support): yes\n"
	     "  dwunwind (DWARF stack unwinding): no\n  blazesym (advanced symbolization): no\n");
	puts("Kernel helpers");
	for (size_t i = 0; i < ELEMENTS(kernel); i++)
		print_rows(w, kernel[i].name, kernel[i].feature);
	printf("\nKernel features\n  Loop support: yes\n  btf: %s\n\n",
	       w->ops->btf(w) ? "yes" : "no");
	puts("Probe types");
	for (size_t i = 0; i < ELEMENTS(probes); i++)
		print_rows(w, probes[i].name, probes[i].feature);
	world_kern_free(w);
	return 0;
}
