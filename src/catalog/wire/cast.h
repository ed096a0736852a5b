/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 OR BSD-2-Clause */
/*
 * What stands in skep's BPF programs where a cast is meant: runtime/bpf/cast.h says why.
 *
 * A call of helper CAST_CALL becomes one of bpf_rdonly_cast(), and a constant CAST_TYPE + n
 * the id of the nth struct of cast.def in the running kernel's types.
 */
#pragma once

enum { CAST_CALL = 0x5ca5, CAST_TYPE = 0x5ca50000 };

enum cast_type {
#define CAST(name) CAST_##name,
#include "catalog/wire/cast.def"
#undef CAST
	CAST_END,
};
