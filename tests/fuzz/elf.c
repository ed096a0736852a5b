/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program: all sections, symbols, notes and static probes. */
#include "base/macro.h"
#include "runtime/kern/binary.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t bytes;

static void take_symbol(void *ctx, const struct elf_symbol *s)
{
	uint64_t offset;

	bytes += strlen(s->name);
	elf_offset(ctx, s->value, &offset);
}

static void take_usdt(void *ctx, const struct binary_usdt *u)
{
	(void)ctx;
	bytes += strlen(u->provider) + strlen(u->name) + strlen(u->args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* from a block of its own: a page has room behind it that would hide a read too far */
	uint8_t *copy = xalloc(n + !n);
	struct binary b = {0};
	struct elf_section s;
	struct elf_segment g;
	struct str id;

	memcpy(copy, data, n);
	if (!elf_view_init(&b.elf, copy, n)) {
		for (uint32_t i = 0; i < b.elf.n_sections && i < 4096; i++)
			if (elf_section_get(&b.elf, i, &s) && s.bytes.n) {
				assert((const uint8_t *)s.bytes.p >= copy &&
				       (const uint8_t *)s.bytes.p + s.bytes.n <= copy + n);
				bytes += strlen(s.name) + (uint8_t)s.bytes.p[s.bytes.n - 1];
			}
		for (uint32_t i = 0; elf_segment_get(&b.elf, i, &g); i++)
			bytes += g.type;
		binary_symbols(&b, true, take_symbol, &b.elf);
		binary_symbols(&b, false, take_symbol, &b.elf);
		binary_usdts(&b.elf, take_usdt, NULL);
		id = elf_build_id(&b.elf);
		assert(id.n <= 64);
	}
	binary_close(&b);
	free(copy);
	return 0;
}
