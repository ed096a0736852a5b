/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps and read-only data that skep's kernel programs share; see core.h. */
#define DEFINE_MAPS
#include "runtime/bpf/cast.h"
#include "runtime/bpf/core.h"
#include "runtime/bpf/names.h"
#include "runtime/bpf/rule.h"
#include "runtime/bpf/syscall.h"

const volatile struct scope scope;
const volatile struct scope_glob scope_glob;
const volatile bool can_cast;
int reader_sleeps;

const volatile bool rules_on, rules_env, rules_data, rules_timed;
const volatile __u64 rules_shown;
__u64 rules_live, rules_undecided;
bool ring_is_jammed;
__u64 ring_jams;

char _license[] SEC("license") = "Dual BSD/GPL";
