/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Global variables: each section of data becomes an array of one element.
 *
 * .rodata is frozen: the verifier may take what is in it for constants, so that `const
 * volatile` switches remove code.  .bss has no bytes.  Variables in an arena (".addr_space.1")
 * become the beginning of the object's arena.  What other sections hold (DWARF, version) is
 * of no use here.
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

static bool is_named(const struct object_section *s, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(s->elf.name, name, n) && (!s->elf.name[n] || s->elf.name[n] == '.');
}

static void add(struct loader *l, struct object_section *s, bool is_frozen, const void *init)
{
	struct vm_map_def d = {
		.name = object_name(l, s->elf.name),
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = (uint32_t)s->elf.size,
		.max_entries = 1,
		.flags = is_frozen ? BPF_F_RDONLY_PROG : 0,
		.value_type = object_datasec(l, s->elf.name),
		.init = init,
		.is_frozen = is_frozen,
	};
	struct object_map at = {.section = OBJECT_NONE};

	s->map = object_add_map(l, &d, &at);
}

/* Variables in the arena are the first thing in it. */
static void add_arena(struct loader *l, struct object_section *s)
{
	struct vm_map_def *d;

	if (l->arena_map == OBJECT_NONE) {
		object_fail(l, OBJECT_NOWHERE, "section \"%s\": there is no arena for it",
			    s->elf.name);
		return;
	}
	d = &l->object->maps.p[l->arena_map];
	s->map = l->arena_map;
	d->init = object_copy(l, s);
	d->init_size = d->init ? (uint32_t)s->elf.bytes.n : 0;
	d->value_type = object_datasec(l, s->elf.name);
}

static void read(struct loader *l, struct object_section *s)
{
	bool is_data = is_named(s, ".data"), is_ro = is_named(s, ".rodata");
	const void *init;

	if (s->elf.size > INT32_MAX || !s->elf.size || s->insns)
		return;
	if (s->elf.type == SHT_NOBITS && is_named(s, ".bss")) {
		add(l, s, false, NULL);
		return;
	}
	if (s->elf.type != SHT_PROGBITS)
		return;
	if (!strcmp(s->elf.name, ".addr_space.1")) {
		add_arena(l, s);
	} else if (is_data || is_ro) {
		init = object_copy(l, s);
		if (init)
			add(l, s, is_ro, init);
		else
			object_fail(l, OBJECT_NOWHERE, "section \"%s\" is not all in the file",
				    s->elf.name);
	} else if (strstr(s->elf.name, "struct_ops")) {
		s->is_ops = true;
		diag_warn(l->diags, D_OBJECT, OBJECT_NOWHERE,
			  "%s: section \"%s\" is left out: there is no kernel to register it with",
			  l->options->name, s->elf.name);
	}
}

void object_read_data(struct loader *l)
{
	for (uint32_t i = 1; i < l->elf.n_sections; i++)
		read(l, &l->sections[i]);
}
