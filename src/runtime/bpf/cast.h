/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Numbers that become pointers with a type, so that a program looks behind them itself.
 *
 * A read of kernel memory by a helper costs some 20 ns, most of it the way there and back.
 * Behind a pointer with a type a load is one instruction, and what is no memory reads as 0.
 * bpf_rdonly_cast() (6.2, a35b9af4ec2c) makes such a pointer of anything: the verifier replaces
 * the call by a move.
 *
 * libbpf would search all of the kernel's types for that function and for each struct.
 * So a call goes to a helper that does not exist and names the struct by a number that is
 * no type's, and kern/cast.c puts in what is meant.  Where the kernel has no such
 * function can_cast is false, and the verifier never gets there.
 */
#pragma once

#include "runtime/bpf/kernel.h"

#include "catalog/wire/cast.h"

extern const volatile bool can_cast;

static void *(*const cast_pointer)(const void *, __u32) = (void *)CAST_CALL;

#define CAST_TO(name, p) ((struct name *)cast_pointer((p), CAST_TYPE + CAST_##name))

/*
 * A pointer that was loaded, as a number again: what is handed to a global function or kept
 * for the next round of a loop must not have a type.  Only addition keeps one.
 */
#define UNCAST(p)                                                   \
	({                                                          \
		__u64 number_ = (__u64)(p);                         \
		asm volatile("%0 = -%0\n%0 = -%0" : "+r"(number_)); \
		(__typeof__(p))number_;                             \
	})
