/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects of the loader's tests need of libbpf's headers, and no more. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name)	 __attribute__((section(name), used))
#define __noinline	 __attribute__((noinline))
#define __weak		 __attribute__((weak))
#define __hidden	 __attribute__((visibility("hidden")))
#define __uint(name, n)	 int(*name)[n]
#define __type(name, t)	 typeof(t) *name
#define __array(name, t) typeof(t) *name[]
#define __kconfig	 __attribute__((section(".kconfig")))
#define __ksym		 __attribute__((section(".ksyms")))
#define TAG(text)	 __attribute__((btf_decl_tag(text)))

enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROG_ARRAY = 3,
	MAP_PERF = 4,
	MAP_ARRAY_OF_MAPS = 12,
	MAP_RINGBUF = 27,
};

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_tail_call)(void *ctx, void *map, u32 i) = (void *)12;
static u64 (*bpf_ringbuf_query)(void *ring, u64 flags) = (void *)134;
static long (*bpf_loop)(u32 n, void *fn, void *ctx, u64 flags) = (void *)181;
