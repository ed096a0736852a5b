/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/symbols.h"

#include "base/macro.h"
#include "runtime/kern/binary.h"
#include "runtime/kern/symbols-internal.h"

#include <stdlib.h>

struct symbols *symbols_new(enum symbols_cache cache, bool demangle)
{
	struct symbols *s = xalloc(sizeof(*s));

	s->cache = cache;
	s->demangle = demangle;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	symbols_user_free(s);
	kallsyms_done(&s->kernel);
	free(s);
}

void symbols_put_name(struct symbols *s, const char *name, struct buf *to)
{
	_cleanup_free_ char *plain = s->demangle ? binary_demangle(name) : NULL;

	buf_puts(to, plain ? plain : name);
}

bool symbols_kernel(struct symbols *s, uint64_t address, struct buf *to, uint64_t *ret_offset)
{
	const struct kallsym *at;

	if (!s->is_kernel_read) {
		s->is_kernel_read = true;
		kallsyms_read(&s->kernel);
	}
	at = kallsyms_at(&s->kernel, address);
	if (!at)
		return false;
	buf_puts(to, kallsym_name(&s->kernel, at));
	*ret_offset = address - at->address;
	return true;
}
