/* SPDX-License-Identifier: Apache-2.0 */
/* skep's own runtime functions (runtime/bpf/rt.bpf.c), which generated programs are linked with. */
#pragma once

struct rt_library;

/* The caller closes it with rt_library_close().  0 or −errno. */
int rt_open(struct rt_library **ret);
