/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program takes from the kernel by name: externs.
 *
 *	extern bool CONFIG_BPF_LSM __kconfig;		a setting of the kernel's build
 *	extern int bpf_prog_active __ksym;		a variable
 *	extern int bpf_iter_num_new(…) __ksym;		a function (kfunc)
 *	… __weak;					that may be missing
 *
 * They are symbols without a section; the types say by DATASECs ".kconfig" and ".ksyms" which of
 * the three each is.  Settings become a frozen map of our own, like .rodata.  Variables and
 * functions become rows of object.vars and object.kfuncs, with their ids in the kernel's types
 * if these were given.  A missing weak one has the address 0, so that `if (bpf_x)` removes what
 * would use it.
 *
 * Names may end in "___anything" as for CO-RE: that is not part of the name.
 */
#include "runtime/vm/object-core.h"
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

/* A setting; the map has them by alignment, largest first, then by size, as libbpf does. */
struct setting {
	uint32_t symbol, btf, size, align;
	const char *name;
};

static int by_layout(const void *a, const void *b)
{
	const struct setting *x = a, *y = b;

	if (x->align != y->align)
		return x->align < y->align ? 1 : -1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* --- settings */

static uint32_t machine_version(void)
{
	unsigned int major = 0, minor = 0, patch = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return 0;
	return major << 16 | minor << 8 | MIN(patch, 255u);
}

/* The names that libbpf knows beside those of the configuration. */
static bool own_setting(const struct object_options *o, const char *name, int64_t *ret)
{
	if (!strcmp(name, "LINUX_KERNEL_VERSION"))
		*ret = o->kernel_version ? o->kernel_version : machine_version();
	else if (!strcmp(name, "LINUX_HAS_BPF_COOKIE") ||
		 !strcmp(name, "LINUX_HAS_SYSCALL_WRAPPER"))
		*ret = 1;
	else
		return false;
	return true;
}

static void set_value(struct loader *l, const struct setting *s, char *to)
{
	const struct object_options *o = l->options;
	const struct btf_type *t =
		btf_resolve(&l->object->btf, btf_view_type(&l->object->btf, s->btf)->type, NULL);
	bool is_weak = l->symbols[s->symbol].binding == STB_WEAK;
	int64_t value = 0;
	bool is_set = own_setting(o, s->name, &value) || !o->kconfig ||
		      o->kconfig(o->ctx, s->name, &value);

	if (!is_set && !is_weak)
		object_fail(l, OBJECT_NOWHERE, "the kernel's configuration has no %s", s->name);
	if (!is_set)
		return;
	if (t && btf_type_kind(t) != BTF_KIND_ARRAY)
		memcpy(to, &value, MIN((size_t)s->size, sizeof(value)));
}

/* Where each variable is, for those that read the types. */
static void tell_types(struct loader *l, const struct setting *s, size_t n, uint32_t size)
{
	uint32_t id = object_datasec(l, ".kconfig");
	struct btf_type *t = (struct btf_type *)btf_view_type(&l->object->btf, id);
	struct btf_var_secinfo *info = (struct btf_var_secinfo *)(t + 1);

	t->size = size;
	for (size_t i = 0; i < MIN(n, (size_t)btf_type_vlen(t)); i++)
		info[i] = (struct btf_var_secinfo){
			.type = s[i].btf,
			.offset = l->externs[s[i].symbol].offset,
			.size = s[i].size,
		};
}

static void make_kconfig(struct loader *l, struct setting *s, size_t n)
{
	struct object_map at = {.section = OBJECT_NONE};
	struct vm_map_def d = {
		.name = ".kconfig",
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.max_entries = 1,
		.flags = BPF_F_RDONLY_PROG,
		.value_type = object_datasec(l, ".kconfig"),
		.is_frozen = true,
	};
	uint32_t end = 0;
	char *init;

	qsort(s, n, sizeof(*s), by_layout);
	for (size_t i = 0; i < n; i++) {
		end = (end + s[i].align - 1) / s[i].align * s[i].align;
		l->externs[s[i].symbol].offset = end;
		end += s[i].size;
	}
	init = arena_alloc(l->arena, end);
	for (size_t i = 0; i < n; i++)
		set_value(l, &s[i], init + l->externs[s[i].symbol].offset);
	d.value_size = end;
	d.init = init;
	l->kconfig = object_add_map(l, &d, &at);
	tell_types(l, s, n, end);
}

enum { SETTING_MAX = 4096, SETTINGS_MAX = 1024 };

/* Numbers and texts; 0: a setting cannot be of this type. */
static uint32_t setting_align(const struct btf_view *v, uint32_t type)
{
	const struct btf_type *t = btf_resolve(v, type, NULL);

	if (!t)
		return 0;
	if (btf_type_kind(t) == BTF_KIND_ARRAY)
		return btf_size(v, btf_type_array(t)->type) == 1 ? 1 : 0;
	if (btf_type_kind(t) != BTF_KIND_INT && btf_type_kind(t) != BTF_KIND_ENUM &&
	    btf_type_kind(t) != BTF_KIND_ENUM64)
		return 0;
	return t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8 ? t->size : 0;
}

/* --- variables and functions */

/* Variables without a type ("const void") the kernel knows by their name alone, not by BTF. */
static bool is_typed(const struct btf_view *v, uint32_t var)
{
	return btf_resolve(v, btf_view_type(v, var)->type, NULL) != NULL;
}

static void read_ksym(struct loader *l, struct object_extern *e, const struct elf_symbol *s,
		      bool is_func)
{
	const struct btf_view *v = &l->object->btf, *kernel = l->options->kernel;
	size_t n = core_name_length(s->name);
	struct vm_extern x = {
		.name = arena_strndup(l->arena, s->name, n),
		.btf = e->btf,
		.is_weak = s->binding == STB_WEAK,
	};

	e->kind = is_func ? EXTERN_FUNC : EXTERN_VAR;
	if (kernel) {
		x.kernel = btf_find(kernel, is_func ? BTF_ONE(FUNC) : BTF_ONE(VAR), x.name);
		if (x.kernel && is_func && x.is_weak &&
		    !core_types_compatible(v, btf_view_type(v, e->btf)->type, kernel,
					   btf_view_type(kernel, x.kernel)->type))
			x.kernel = 0;
		e->is_missing = x.is_weak && !x.kernel && (is_func || is_typed(v, e->btf));
	}
	e->var = (uint32_t)l->object->vars.n;
	e->func = (uint32_t)l->object->kfuncs.n;
	/* a function's address may be asked for, too */
	array_push(l->arena, &l->object->vars, x);
	if (is_func)
		array_push(l->arena, &l->object->kfuncs, x);
}

/* --- all of them */

/* Ids of the variables and functions of a DATASEC → `kind`. */
static void mark(struct loader *l, struct map *kinds, const char *name,
		 enum object_extern_kind kind)
{
	uint32_t id = object_datasec(l, name);
	const struct btf_type *t = id ? btf_view_type(&l->object->btf, id) : NULL;

	for (unsigned int i = 0; t && i < btf_type_vlen(t); i++)
		map_put(kinds, object_secinfos(t)[i].type, (void *)(uintptr_t)kind);
}

static bool add_setting(struct loader *l, uint32_t symbol, uint32_t id, struct setting *ret)
{
	const struct btf_view *v = &l->object->btf;
	const struct btf_type *t = btf_view_type(v, id);
	uint64_t size = btf_size(v, t->type);

	*ret = (struct setting){.symbol = symbol,
				.btf = id,
				.size = (uint32_t)size,
				.align = setting_align(v, t->type),
				.name = l->symbols[symbol].name};
	if (btf_type_kind(t) == BTF_KIND_VAR && ret->align && size && size <= SETTING_MAX)
		return true;
	object_fail(l, OBJECT_NOWHERE, "extern %s: a setting cannot be of its type", ret->name);
	return false;
}

static bool is_extern(const struct elf_symbol *s)
{
	return s->section == SHN_UNDEF && *s->name &&
	       (s->binding == STB_GLOBAL || s->binding == STB_WEAK);
}

void object_read_externs(struct loader *l)
{
	const struct btf_view *v = &l->object->btf;
	ARRAY(struct setting) settings = {0};
	struct map kinds = {0};
	struct setting setting;

	if (!l->object->has_btf)
		return;
	mark(l, &kinds, ".kconfig", EXTERN_KCONFIG);
	mark(l, &kinds, ".ksyms", EXTERN_VAR);
	for (uint32_t i = 1; i < l->n_symbols; i++) {
		const struct elf_symbol *s = &l->symbols[i];
		struct object_extern *e = &l->externs[i];

		if (!is_extern(s))
			continue;
		e->btf = btf_find(v, BTF_ONE(VAR) | BTF_ONE(FUNC), s->name);
		if (!e->btf)
			continue;
		e->kind = (enum object_extern_kind)(uintptr_t)map_get(&kinds, e->btf);
		if (e->kind == EXTERN_VAR) {
			read_ksym(l, e, s,
				  btf_type_kind(btf_view_type(v, e->btf)) == BTF_KIND_FUNC);
		} else if (e->kind == EXTERN_KCONFIG) {
			e->kind = EXTERN_NONE;
			if (settings.n == SETTINGS_MAX || !add_setting(l, i, e->btf, &setting))
				continue;
			e->kind = EXTERN_KCONFIG;
			array_push(&l->scratch, &settings, setting);
		}
	}
	if (settings.n)
		make_kconfig(l, settings.p, settings.n);
	map_done(&kinds);
}
