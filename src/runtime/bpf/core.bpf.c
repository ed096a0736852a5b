/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps and read-only data that skep's kernel programs share; see core.h. */
#define DEFINE_MAPS
#include "runtime/bpf/core.h"
#include "runtime/bpf/names.h"

const volatile struct scope scope;
const volatile struct scope_glob scope_glob;
int reader_sleeps;

char _license[] SEC("license") = "Dual BSD/GPL";
