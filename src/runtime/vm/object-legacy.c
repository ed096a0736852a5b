/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps as they were defined before there were types: section "maps".
 *
 * There each map is a struct of 32-bit numbers.  Everybody had a struct of his own; all begin
 * with type, size of keys, size of values, entries, flags.  How long it is follows from the
 * symbols: one a map.
 *
 *	bytes	whose			behind the flags
 *	16, 20	libbpf, gobpf		nothing (16: no flags)
 *	28	the kernel's samples	index of the inner map, NUMA node
 *	28	aya			id, pinning
 *	36	iproute2, Cilium	id, pinning, id of the inner map, index in it
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

#include <stdlib.h>

enum { TYPE, KEY_SIZE, VALUE_SIZE, ENTRIES, FLAGS, SIXTH, SEVENTH, INNER_ID, INNER_INDEX, WORDS };
enum { LEAST = 16, SAMPLES = 28, IPROUTE = 36 };

struct symbol_at {
	uint64_t offset;
	uint32_t symbol;
};

static int by_offset(const void *a, const void *b)
{
	const struct symbol_at *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add(struct loader *l, uint32_t section, const struct symbol_at *p, uint64_t end)
{
	const struct str bytes = l->sections[section].elf.bytes;
	const char *name = object_name(l, l->symbols[p->symbol].name);
	uint64_t size = MIN(end, (uint64_t)bytes.n) - p->offset;
	uint32_t words[WORDS] = {0};
	struct object_map at = {.section = section, .offset = p->offset, .size = size};
	struct vm_map_def d;

	if (size < LEAST) {
		object_fail(l, OBJECT_NOWHERE, "map %s: its definition is too short", name);
		return;
	}
	memcpy(words, bytes.p + p->offset, MIN(size, sizeof(words)));
	d = (struct vm_map_def)
	{
		.name = name, .type = words[TYPE], .key_size = words[KEY_SIZE],
		.value_size = words[VALUE_SIZE], .max_entries = words[ENTRIES],
		.flags = words[FLAGS]
	};
	object_adjust_map(&d);
	at.own_id = size >= IPROUTE ? words[SIXTH] : 0;
	at.inner = size >= IPROUTE ? words[INNER_ID] : size >= SAMPLES ? words[SIXTH] : 0;
	at.is_legacy = true;
	object_add_map(l, &d, &at);
}

/* The map that is meant by an id, or by a number in the order of the section. */
static uint32_t find_inner(const struct loader *l, size_t first, const struct object_map *m)
{
	for (size_t i = first; i < l->maps.n; i++)
		if (m->size >= IPROUTE ? l->maps.p[i].own_id == m->inner : i - first == m->inner)
			return (uint32_t)i;
	return OBJECT_NONE;
}

static void find_inners(struct loader *l, size_t first)
{
	for (size_t i = first; i < l->maps.n; i++) {
		struct vm_map_def *d = &l->object->maps.p[i], *copy;
		uint32_t inner;

		if (d->type != BPF_MAP_TYPE_ARRAY_OF_MAPS && d->type != BPF_MAP_TYPE_HASH_OF_MAPS)
			continue;
		inner = find_inner(l, first, &l->maps.p[i]);
		if (inner == OBJECT_NONE || inner == i)
			continue;
		copy = arena_new(l->arena, struct vm_map_def);
		*copy = l->object->maps.p[inner];
		copy->inner = NULL; /* one level is all the kernel has */
		d->inner = copy;
	}
}

void object_read_legacy_maps(struct loader *l, uint32_t section)
{
	struct object_section *s = &l->sections[section];
	ARRAY(struct symbol_at) places = {0};
	size_t first = l->maps.n;

	s->has_maps = true;
	for (uint32_t i = 0; i < l->n_symbols; i++) {
		const struct elf_symbol *y = &l->symbols[i];

		if (y->section == section && y->value < s->elf.bytes.n && *y->name &&
		    (y->type == STT_OBJECT || y->type == STT_NOTYPE))
			array_push(&l->scratch, &places, ((struct symbol_at){y->value, i}));
	}
	if (places.n)
		qsort(places.p, places.n, sizeof(*places.p), by_offset);
	for (size_t i = 0; i < places.n; i++) {
		size_t next = i + 1;

		if (i && places.p[i].offset == places.p[i - 1].offset)
			continue;
		while (next < places.n && places.p[next].offset == places.p[i].offset)
			next++;
		add(l, section, &places.p[i],
		    next < places.n ? places.p[next].offset : s->elf.bytes.n);
	}
	find_inners(l, first);
}
