/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of the kernel's allocators, as %gr names them.
 *
 * Bits are those of include/linux/gfp_types.h.  The first row whose bits are all set is
 * taken and its bits are gone, so what is made of several flags stands before its parts;
 * it is the order of the kernel's own __def_gfpflag_names.
 */
#include "event/answer/answer-internal.h"

enum {
	DMA = 0x1,
	HIGHMEM = 0x2,
	DMA32 = 0x4,
	MOVABLE = 0x8,
	HIGH = 0x20,
	IO = 0x40,
	FS = 0x80,
	DIRECT = 0x400,
	KSWAPD = 0x800,
	NOWARN = 0x2000,
	COMP = 0x40000,
	NOMEMALLOC = 0x80000,
	HARDWALL = 0x100000,
	ACCOUNT = 0x400000,
	SKIP_KASAN = 0x2000000,

	KERNEL = DIRECT | KSWAPD | IO | FS,
	USER = KERNEL | HARDWALL,
	HIGHUSER = USER | HIGHMEM,
	HIGHUSER_MOVABLE = HIGHUSER | MOVABLE | SKIP_KASAN,
	TRANSHUGE_LIGHT = (HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~(DIRECT | KSWAPD),
};

static const struct {
	uint32_t bits;
	const char *name;
} flags[] = {
	{TRANSHUGE_LIGHT | DIRECT, "GFP_TRANSHUGE"},
	{TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
	{HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
	{HIGHUSER, "GFP_HIGHUSER"},
	{USER, "GFP_USER"},
	{KERNEL | ACCOUNT, "GFP_KERNEL_ACCOUNT"},
	{KERNEL, "GFP_KERNEL"},
	{DIRECT | KSWAPD | IO, "GFP_NOFS"},
	{HIGH | KSWAPD, "GFP_ATOMIC"},
	{DIRECT | KSWAPD, "GFP_NOIO"},
	{KSWAPD | NOWARN, "GFP_NOWAIT"},
	{DMA, "GFP_DMA"},
	{HIGHMEM, "__GFP_HIGHMEM"},
	{DMA32, "GFP_DMA32"},
	{HIGH, "__GFP_HIGH"},
	{IO, "__GFP_IO"},
	{FS, "__GFP_FS"},
	{0x100, "__GFP_ZERO"},
	{DIRECT, "__GFP_DIRECT_RECLAIM"},
	{KSWAPD, "__GFP_KSWAPD_RECLAIM"},
	{0x1000, "__GFP_WRITE"},
	{NOWARN, "__GFP_NOWARN"},
	{0x4000, "__GFP_RETRY_MAYFAIL"},
	{0x8000, "__GFP_NOFAIL"},
	{0x10000, "__GFP_NORETRY"},
	{0x20000, "__GFP_MEMALLOC"},
	{COMP, "__GFP_COMP"},
	{NOMEMALLOC, "__GFP_NOMEMALLOC"},
	{HARDWALL, "__GFP_HARDWALL"},
	{0x200000, "__GFP_THISNODE"},
	{ACCOUNT, "__GFP_ACCOUNT"},
	{0x800000, "__GFP_ZEROTAGS"},
	{0x1000000, "__GFP_SKIP_ZERO"},
	{SKIP_KASAN, "__GFP_SKIP_KASAN"},
	{0x4000000, "__GFP_NO_OBJ_EXT"},
};

void gfp_text(uint64_t v, struct buf *to)
{
	const char *between = "";

	if (!v)
		buf_putc(to, '0');
	for (size_t i = 0; i < ELEMENTS(flags); i++) {
		if ((v & flags[i].bits) != flags[i].bits)
			continue;
		buf_printf(to, "%s%s", between, flags[i].name);
		between = "|";
		v &= ~(uint64_t)flags[i].bits;
	}
	if (v)
		buf_printf(to, "%s0x%llx", between, (unsigned long long)v);
}
