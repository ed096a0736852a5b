/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int refuse(struct vm_loaded *l, int r, const char *what, const char *name)
{
	snprintf(l->why, sizeof(l->why), "cannot %s '%s': %s", what, name, strerror(-r));
	return r;
}

/* Maps that hold maps get those that the object puts into them. */
static int fill_maps(struct vm_loaded *l)
{
	const struct vm_object *o = l->object;
	int r;

	for (uint32_t i = 0; i < o->maps.n; i++) {
		const struct vm_map_def *d = &o->maps.p[i];

		if (d->type == BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		for (uint32_t k = 0; k < d->n_values; k++) {
			if (d->values[k] >= o->maps.n)
				continue;
			r = map_set_map(l->maps[i], &k, l->maps[d->values[k]], BPF_ANY);
			if (r < 0)
				return refuse(l, r, "fill the map", d->name);
		}
	}
	return 0;
}

int load_begin(const struct vm_object *o, unsigned int cpus, struct vm_loaded *ret)
{
	int r;

	*ret = (struct vm_loaded){.object = o};
	ret->maps = xalloc(sizeof(struct vm_map *) * (o->maps.n + 1));
	ret->codes = xalloc(sizeof(struct vm_code *) * (o->progs.n + 1));
	ret->results = arena_array(&ret->arena, struct verify_result, o->progs.n + 1);
	for (size_t i = 0; i < o->maps.n; i++) {
		r = map_create(&o->maps.p[i], cpus, &ret->maps[i]);
		if (r < 0)
			return refuse(ret, r, "make the map", o->maps.p[i].name);
	}
	return fill_maps(ret);
}

/* Does the program name this map? */
static bool uses_map(const struct vm_prog *p, uint32_t map)
{
	for (uint32_t i = 0; i < p->n_insns; i++) {
		if (!insn_is_wide(&p->insns[i]))
			continue;
		if (p->insns[i].src_reg == BPF_PSEUDO_MAP_IDX && (uint32_t)p->insns[i].imm == map)
			return true;
		i++;
	}
	return false;
}

static int fill_prog_array(struct vm_loaded *l, uint32_t map, const struct vm_load_options *options)
{
	const struct vm_map_def *d = &l->object->maps.p[map];
	int r;

	for (uint32_t k = 0; k < d->n_values; k++) {
		uint32_t prog = d->values[k];

		if (prog >= l->object->progs.n)
			continue;
		r = load_prog(l, prog, options);
		if (r >= 0)
			r = map_set_code(l->maps[map], k, l->codes[prog]);
		if (r < 0)
			return l->why[0] ? r : refuse(l, r, "fill the map", d->name);
	}
	return 0;
}

static int verify_prog(struct vm_loaded *l, uint32_t prog, const struct vm_load_options *options)
{
	struct verify_result *v = &l->results[prog];
	int r;

	if (options->is_unverified)
		return 0;
	r = verify(l->object, prog, &options->verify, &l->arena, v);
	if (r < 0)
		return refuse(l, r, "verify", l->object->progs.p[prog].name);
	return v->is_ok ? 0 : -EACCES;
}

int load_prog(struct vm_loaded *l, uint32_t prog, const struct vm_load_options *options)
{
	const struct vm_prog *p = &l->object->progs.p[prog];
	struct code_options o = {.engine = options->engine,
				 .maps = l->maps,
				 .is_unverified = options->is_unverified};
	const struct verify_result *v = options->is_unverified ? NULL : &l->results[prog];
	int r;

	if (l->codes[prog])
		return 0;
	r = verify_prog(l, prog, options);
	if (r < 0)
		return r;
	r = code_make(l->object, prog, v, &o, &l->codes[prog], l->why, sizeof(l->why));
	if (r < 0 && o.engine == VM_JIT && options->may_interpret) {
		o.engine = VM_INTERP;
		r = code_make(l->object, prog, v, &o, &l->codes[prog], l->why, sizeof(l->why));
	}
	for (uint32_t i = 0; r >= 0 && i < l->object->maps.n; i++)
		if (l->object->maps.p[i].type == BPF_MAP_TYPE_PROG_ARRAY && uses_map(p, i))
			r = fill_prog_array(l, i, options);
	return r;
}

void load_done(struct vm_loaded *l)
{
	if (!l->object)
		return;
	for (size_t i = 0; i < l->object->progs.n; i++)
		code_free(l->codes[i]);
	for (size_t i = 0; i < l->object->maps.n; i++)
		map_unref(l->maps[i]);
	free(l->maps);
	free(l->codes);
	arena_done(&l->arena);
	*l = (struct vm_loaded){0};
}
