/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's symbols: /proc/kallsyms, read once (50 ms for 120,000 lines).
 */
#pragma once

#include "base/str.h"

struct kallsym {
	uint64_t address;
	uint32_t name;	 /* offset in the text */
	uint32_t module; /* the same; 0: the kernel itself */
	char type;	 /* as nm has it: 't', 'T', 'd', … */
};

struct kallsyms {
	struct buf text;     /* names, each with a NUL; the first is "" */
	struct kallsym *all; /* owned; by address once kallsyms_at() was called */
	size_t n, room;
	bool is_unsorted; /* as read */
	bool is_hidden;	  /* all addresses are 0: kernel.kptr_restrict */
};

/* Empty if it cannot be read. */
void kallsyms_read(struct kallsyms *k);
void kallsyms_parse(struct kallsyms *k, struct str text);
void kallsyms_done(struct kallsyms *k);

/* The symbol that an address is in; NULL: none (below the first, or far behind the last). */
const struct kallsym *kallsyms_at(struct kallsyms *k, uint64_t address);
/* By name, of the kernel itself before modules; NULL: there is none. */
const struct kallsym *kallsyms_named(const struct kallsyms *k, const char *name);

/*
 * The address of one symbol, asked of the kernel itself: 0.1 ms, not 50.  -ENOENT: there is
 * none of this name; other errors: it cannot be asked (5.16, privileges): read the list.
 */
int kallsyms_ask(const char *name, uint64_t *ret);

static inline const char *kallsym_name(const struct kallsyms *k, const struct kallsym *s)
{
	return k->text.p + s->name;
}
static inline const char *kallsym_module(const struct kallsyms *k, const struct kallsym *s)
{
	return k->text.p + s->module;
}
