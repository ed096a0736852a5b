/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed arguments: of tracepoints, from their format; of kernel functions, from BTF.
 *
 * A tracepoint's `args` is its record itself: members are where the format says.  A field
 * of changing length (__data_loc) is a number: the address of its bytes.  Pointers are
 * the kernel's, but those of system calls, and those whose type says __user.
 *
 * A function's `args` are slots of 8 bytes in the order of its parameters.
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

#include <errno.h>

/*
 * Typedefs of numbers, which system calls and tasks have.  The field is as large as the format
 * says, so that nobody has to open the kernel's types for them, a tenth of a millisecond.
 */
static bool is_known_number(const struct world_field *f)
{
	static const char *const names[] = {"pid_t", "umode_t",	 "size_t",  "loff_t", "uid_t",
					    "gid_t", "dev_t",	 "ino_t",   "key_t",  "clockid_t",
					    "mqd_t", "sector_t", "timer_t", "gfp_t",  "qid_t"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(f->type, names[i]))
			return f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;
	return false;
}

/* "char[16]" is text of 16; what has a number's type has the size the format says. */
static const struct type *field_type(struct type_table *t, const struct world_field *f,
				     enum type_space space)
{
	const struct type *type;

	if (f->is_data_loc || f->is_rel_loc)
		return type_int(8, true);
	if (is_known_number(f))
		return type_int(f->size, f->is_signed);
	type = type_table_parse_c(t, f->type);
	if (!type || type->kind == TYPE_NONE || type->kind == TYPE_VOID)
		return f->size <= 8 ? type_int(f->size, f->is_signed)
				    : type_array(t->arena, type_int(1, false), f->size);
	if (type->kind == TYPE_INT || (type_is_int(type) && type->size != f->size))
		return f->size <= 8 ? type_int(f->size, f->is_signed) : type;
	if (type->kind == TYPE_POINTER && type->space == SPACE_NONE)
		return type_pointer(t->arena, type->of, space);
	if (type->kind == TYPE_ARRAY && type->size > f->size && type->of->size)
		return type_array(t->arena, type->of, f->size / type->of->size);
	return type;
}

/* Four bytes of the record are an address of eight in a copy: they follow the rest. */
static uint32_t place_addresses(struct type_member *m, unsigned int n, uint32_t size)
{
	for (unsigned int i = 0; i < n; i++) {
		if ((!m[i].is_data_loc && !m[i].is_rel_loc) || size > UINT32_MAX - 16)
			continue;
		m[i].offset = (size + 7) & ~7u;
		size = m[i].offset + 8;
	}
	return size;
}

const struct type *type_table_tracepoint_args(struct type_table *t, const char *group,
					      const char *event)
{
	enum type_space space = !strcmp(group, "syscalls") ? SPACE_USER : SPACE_KERNEL;
	const struct world_field *f;
	struct type_member *m;
	struct type_origin *o;
	unsigned int n;
	uint32_t size = 0;

	if (!t->world || !t->world->ops->tracepoint_fields ||
	    t->world->ops->tracepoint_fields(t->world, group, event, &f, &n) < 0)
		return NULL;
	m = arena_array(t->arena, struct type_member, n + 1);
	for (unsigned int i = 0; i < n; i++) {
		m[i].name = f[i].name;
		m[i].type = field_type(t, &f[i], space);
		m[i].offset = f[i].offset;
		m[i].is_data_loc = f[i].is_data_loc;
		m[i].is_rel_loc = f[i].is_rel_loc;
		m[i].loc_offset = f[i].offset;
		if (f[i].size <= UINT32_MAX - f[i].offset && f[i].offset + f[i].size > size)
			size = f[i].offset + f[i].size;
	}
	size = place_addresses(m, n, size);
	o = type_origin_new(t, false, arena_printf(t->arena, "tracepoint:%s:%s_args", group, event),
			    size);
	o->type.is_tracepoint_ctx = true;
	o->type.members = m;
	o->type.n_members = n;
	o->type.is_complete = true;
	return &o->type;
}

const struct type *type_table_function_args(struct type_table *t, const char *module,
					    const char *function, const struct type **ret_result)
{
	const char *name = arena_printf(t->arena, "%s_args", function), *why;
	const struct btf_view *v;
	uint32_t id;

	if (!ctypes_btf_function(t, module, function, &v, &id))
		return NULL;
	return ctypes_btf_args(t, v, id, 0, name, ret_result, &why);
}

const struct type *type_table_raw_tracepoint_args(struct type_table *t, const char *event)
{
	const char *name = arena_printf(t->arena, "rawtracepoint:vmlinux:%s_args", event), *why;
	const struct btf_view *v;
	uint32_t id;

	if (!ctypes_btf_raw_tracepoint(t, NULL, event, &v, &id))
		return NULL;
	return ctypes_btf_args(t, v, id, 1, name, NULL, &why);
}
