/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/attach.h"

#include <linux/bpf.h>

const struct attach_kind attach_kinds[QATTACHES] = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) \
	{BPF_PROG_TYPE_##prog, type, traits, needs, does},
#include "catalog/attach.def"
#undef ATTACH
};
