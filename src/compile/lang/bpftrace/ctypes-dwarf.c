/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of traced programs, from their debug information.
 *
 * Nothing is read before somebody asks for a name (ctypes-dwarf-file.c has the index);
 * members and parameters are read from their entry when they are asked for.
 *
 * The bytes are read by elfutils' libdw, which is bounded by the file; what recurses here
 * is bounded by MAX_DEPTH.  All pointers are into the process's memory.
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

#include <errno.h>

#ifdef HAVE_LIBDW

#include "compile/lang/bpftrace/ctypes-dwarf.h"

enum { MAX_DEPTH = 24, MAX_MEMBERS = 4096, MAX_PARAMS = 6, BITS_MAX = 1 << 30 };

/* --- types */

static const struct type *type_at(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die,
				  unsigned int depth);

/* Names outlive the file. */
static const char *kept_name(struct type_table *t, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	return name ? arena_strdup(t->arena, name) : NULL;
}

static bool number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute a;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &a) || dwarf_formudata(&a, &value) != 0)
		return false;
	*ret = value;
	return true;
}

static bool type_die(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, DW_AT_type, &a) && dwarf_formref_die(&a, ret);
}

static const struct type *target_of(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die,
				    unsigned int depth)
{
	Dwarf_Die of;

	return type_die(die, &of) ? type_at(t, f, &of, depth) : &type_void;
}

/* Of a size that loads have. */
static const struct type *sized_int(uint64_t size, bool is_signed)
{
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return &type_none;
	return type_int((unsigned int)size, is_signed);
}

static const struct type *base_type(struct type_table *t, Dwarf_Die *die)
{
	uint64_t encoding = 0, size = 0;
	struct type *wide;

	number(die, DW_AT_encoding, &encoding);
	number(die, DW_AT_byte_size, &size);
	if (size > 64)
		return &type_none;
	if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float || size > 8) {
		wide = arena_new(t->arena, struct type);
		wide->size = wide->align = (uint32_t)size;
		wide->is_complete = true;
		return wide;
	}
	return sized_int(size, encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
}

static bool is_char(Dwarf_Die *die)
{
	uint64_t encoding = 0;

	return dwarf_tag(die) == DW_TAG_base_type && number(die, DW_AT_encoding, &encoding) &&
	       (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char);
}

static uint32_t elements(Dwarf_Die *range)
{
	uint64_t n;

	if (number(range, DW_AT_upper_bound, &n))
		n++;
	else if (!number(range, DW_AT_count, &n))
		n = 0;
	return n < 1 << 24 ? (uint32_t)n : 0;
}

static const struct type *array_type(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die,
				     unsigned int depth)
{
	uint32_t sizes[8];
	unsigned int n = 0;
	const struct type *of;
	Dwarf_Die element, range;
	bool is_text;

	if (!type_die(die, &element))
		return &type_none;
	of = type_at(t, f, &element, depth);
	is_text = is_char(&element);
	if (dwarf_child(die, &range) == 0)
		do
			if (dwarf_tag(&range) == DW_TAG_subrange_type && n < 8)
				sizes[n++] = elements(&range);
		while (dwarf_next(&range));
	while (n--) {
		if ((uint64_t)of->size * sizes[n] > 1 << 28)
			return &type_none;
		of = is_text ? type_of_chars(t->arena, sizes[n])
			     : type_array(t->arena, of, sizes[n]);
		is_text = false;
	}
	return of;
}

static const struct type *struct_type(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die)
{
	bool is_union = dwarf_tag(die) == DW_TAG_union_type;
	const char *name = kept_name(t, die);
	struct type_origin *o;
	uint64_t size = 0;
	Dwarf_Die whole;

	if (dwarf_hasattr(die, DW_AT_declaration) && name &&
	    dwarf_file_find(f, name, DW_TAG_structure_type, DW_TAG_class_type, &whole) &&
	    whole.addr != die->addr)
		return type_at(t, f, &whole, 0);
	number(die, DW_AT_byte_size, &size);
	o = type_origin_new(t, is_union, name, size < UINT32_MAX / 8 ? (uint32_t)size : 0);
	if (!name) {
		o->type.is_anonymous = true;
		o->type.spelling =
			arena_printf(t->arena, "%s (unnamed %llu)", is_union ? "union" : "struct",
				     (unsigned long long)dwarf_dieoffset(die));
	}
	o->dwarf = f;
	o->die = arena_copy(t->arena, die, sizeof(*die));
	return &o->type;
}

static const struct type *make(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die,
			       unsigned int depth)
{
	uint64_t size = 4;

	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return base_type(t, die);
	case DW_TAG_enumeration_type:
		number(die, DW_AT_byte_size, &size);
		return sized_int(size, false);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return type_pointer(t->arena, target_of(t, f, die, depth), SPACE_USER);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return struct_type(t, f, die);
	case DW_TAG_array_type:
		return array_type(t, f, die, depth);
	case DW_TAG_subroutine_type:
		return &type_void;
	}
	return &type_none;
}

/*
 * Without const, typedef and their like.  False: of nothing, which is void; or of each
 * other in a circle, which libdw's own function would follow for ever.
 */
static bool peel(Dwarf_Die *die, Dwarf_Die *ret)
{
	enum { PEEL_MAX = 64 };
	Dwarf_Die of;

	*ret = *die;
	for (int i = 0; i < PEEL_MAX; i++) {
		switch (dwarf_tag(ret)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
		case DW_TAG_immutable_type:
		case DW_TAG_packed_type:
		case DW_TAG_shared_type:
			break;
		default:
			return true;
		}
		if (!type_die(ret, &of))
			return false;
		*ret = of;
	}
	return false;
}

static const struct type *type_at(struct type_table *t, struct dwarf_file *f, Dwarf_Die *die,
				  unsigned int depth)
{
	const struct type *ret;
	Dwarf_Die peeled;
	uint64_t key;

	if (!peel(die, &peeled))
		return &type_void;
	if (depth >= MAX_DEPTH)
		return &type_none;
	key = (uintptr_t)peeled.addr;
	ret = map_get(&f->types, key);
	if (!ret) {
		ret = make(t, f, &peeled, depth + 1);
		map_put(&f->types, key, (void *)(uintptr_t)ret);
	}
	return ret;
}

/* --- members */

static void bits_of(Dwarf_Die *die, struct type_member *m)
{
	uint32_t unit = m->type->size;
	uint64_t bits, at;

	if (m->type->kind != TYPE_INT || !number(die, DW_AT_bit_size, &bits) || !bits || bits > 64)
		return;
	m->bits = (uint32_t)bits;
	if (number(die, DW_AT_data_bit_offset, &at) && at < BITS_MAX) {
		m->offset = (uint32_t)(at / (8 * unit) * unit);
		m->bit_offset = (uint32_t)(at - 8ull * m->offset);
	} else if (number(die, DW_AT_bit_offset, &at) && at < 8 * unit && bits <= 8 * unit - at) {
		/* counted from the top, as big-endian machines do */
		m->bit_offset = (uint32_t)(8 * unit - at - bits);
	}
	if (m->bit_offset + m->bits > 8 * unit) {
		m->offset += m->bit_offset / 8;
		m->bit_offset %= 8;
		m->type = type_int(8, m->type->is_signed);
	}
}

static bool is_inside(const struct type *t, const struct type_member *m)
{
	uint32_t end = m->bits ? (m->bit_offset + m->bits + 7) / 8 : m->type->size;

	return m->offset <= t->size && end <= t->size - m->offset;
}

void ctypes_dwarf_complete(struct type_table *t, struct type_origin *o)
{
	ARRAY(struct type_member) all = {0};
	Dwarf_Die child;

	if (dwarf_child(o->die, &child) == 0) {
		do {
			int tag = dwarf_tag(&child);
			struct type_member m = {0};
			uint64_t offset = 0;

			if (tag != DW_TAG_member && tag != DW_TAG_inheritance)
				continue;
			/* static ones of a class have no place in it */
			if (dwarf_hasattr(&child, DW_AT_external) ||
			    dwarf_hasattr(&child, DW_AT_declaration))
				continue;
			m.name = tag == DW_TAG_member ? kept_name(t, &child) : NULL;
			m.type = target_of(t, o->dwarf, &child, 0);
			number(&child, DW_AT_data_member_location, &offset);
			m.offset = (uint32_t)MIN(offset, (uint64_t)UINT32_MAX / 2);
			bits_of(&child, &m);
			if (is_inside(&o->type, &m))
				array_push(t->arena, &all, m);
		} while (dwarf_next(&child) && all.n < MAX_MEMBERS);
	}
	o->type.members = all.p;
	o->type.n_members = (uint32_t)all.n;
	o->type.is_complete = true;
}

/* --- for the others */

int type_table_add_dwarf(struct type_table *t, const char *binary)
{
	dwarf_file_of(t, binary);
	return 0;
}

const struct type *ctypes_dwarf_find(struct type_table *t, int tag, const char *name)
{
	static const int tags[][2] = {
		[TAG_NONE] = {DW_TAG_typedef, DW_TAG_base_type},
		[TAG_STRUCT] = {DW_TAG_structure_type, DW_TAG_class_type},
		[TAG_UNION] = {DW_TAG_union_type, DW_TAG_union_type},
		[TAG_ENUM] = {DW_TAG_enumeration_type, DW_TAG_enumeration_type},
	};
	Dwarf_Die die;

	for (size_t i = 0; i < t->dwarfs.n; i++)
		if (dwarf_file_find(t->dwarfs.p[i], name, tags[tag][0], tags[tag][1], &die))
			return type_at(t, t->dwarfs.p[i], &die, 0);
	return NULL;
}

const struct type *ctypes_dwarf_args(struct type_table *t, const char *binary, const char *function,
				     const struct type **ret_result, const char **ret_why)
{
	struct dwarf_file *f = dwarf_file_of(t, binary);
	ARRAY(struct type_member) all = {0};
	struct type_origin *o;
	Dwarf_Die die, child;

	*ret_why = arena_printf(t->arena, "no debuginfo found for %s", binary);
	if (!dwarf_file_ready(f) ||
	    !dwarf_file_find(f, function, DW_TAG_subprogram, DW_TAG_subprogram, &die))
		return NULL;
	if (dwarf_child(&die, &child) == 0)
		do {
			struct type_member m = {.offset = 8 * (uint32_t)all.n};

			if (dwarf_tag(&child) != DW_TAG_formal_parameter)
				continue;
			m.name = kept_name(t, &child);
			if (!m.name)
				m.name = arena_printf(t->arena, "arg%zu", all.n);
			m.type = target_of(t, f, &child, 0);
			array_push(t->arena, &all, m);
		} while (dwarf_next(&child) && all.n <= MAX_PARAMS);
	*ret_why = "'args' builtin is not supported for probes with stack-passed arguments.";
	if (all.n > MAX_PARAMS)
		return NULL;
	if (ret_result)
		*ret_result = target_of(t, f, &die, 0);
	o = type_origin_new(t, false, arena_printf(t->arena, "uprobe:%s:%s_args", binary, function),
			    8 * (uint32_t)all.n);
	o->type.is_internal = true;
	o->type.members = all.p;
	o->type.n_members = (uint32_t)all.n;
	o->type.is_complete = true;
	return &o->type;
}

/* "struct Foo*", as bpftrace lists it. */
static void spell(Dwarf_Die *die, struct buf *to, unsigned int depth)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die of;
	bool has_target = depth < MAX_DEPTH && type_die(die, &of);

	switch (dwarf_tag(die)) {
	case DW_TAG_pointer_type:
		if (has_target)
			spell(&of, to, depth + 1);
		else
			buf_puts(to, "void");
		buf_putc(to, '*');
		return;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		buf_printf(to, "struct %s", name ? name : "<anonymous>");
		return;
	case DW_TAG_union_type:
		buf_printf(to, "union %s", name ? name : "<anonymous>");
		return;
	case DW_TAG_enumeration_type:
		buf_printf(to, "enum %s", name ? name : "<anonymous>");
		return;
	case DW_TAG_const_type:
		if (has_target && dwarf_tag(&of) == DW_TAG_pointer_type) {
			spell(&of, to, depth + 1);
			buf_puts(to, " const");
			return;
		}
		buf_puts(to, "const ");
		if (has_target)
			spell(&of, to, depth + 1);
		else
			buf_puts(to, "void");
		return;
	}
	buf_puts(to, name ? name : "<unknown type>");
}

bool ctypes_dwarf_signature(struct type_table *t, const char *binary, const char *function,
			    struct buf *to)
{
	struct dwarf_file *f = dwarf_file_of(t, binary);
	Dwarf_Die die, child, type;

	if (!dwarf_file_ready(f))
		return false;
	if (!dwarf_file_find(f, function, DW_TAG_subprogram, DW_TAG_subprogram, &die) ||
	    dwarf_child(&die, &child) != 0)
		return true;
	do {
		const char *name = dwarf_diename(&child);

		if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		buf_puts(to, "    ");
		if (type_die(&child, &type))
			spell(&type, to, 0);
		buf_printf(to, "%s%s\n", name ? " " : "", name ? name : "");
	} while (dwarf_next(&child));
	return true;
}

/* --- lines */

/* Whole names only: "b/c" is the end of "/a/b/c", and not of "/a/bb/c". */
static bool path_ends(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);

	return n >= k && !strcmp(path + n - k, end) && (n == k || path[n - k - 1] == '/');
}

static bool line_in_unit(Dwarf_Die *unit, const char *source, uint64_t line, uint64_t column,
			 bool *ret_seen, uint64_t *ret)
{
	Dwarf_Lines *lines;
	Dwarf_Files *files;
	size_t n, n_files;

	if (dwarf_getsrcfiles(unit, &files, &n_files) == 0)
		for (size_t i = 0; i < n_files; i++) {
			const char *name = dwarf_filesrc(files, i, NULL, NULL);

			*ret_seen |= name && path_ends(name, source);
		}
	if (!*ret_seen || dwarf_getsrclines(unit, &lines, &n) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		const char *name = dwarf_linesrc(l, NULL, NULL);
		int at_line, at_column;
		Dwarf_Addr address;

		if (!name || !path_ends(name, source) || dwarf_lineno(l, &at_line) != 0 ||
		    dwarf_linecol(l, &at_column) != 0 || (uint64_t)at_line != line ||
		    (column && (uint64_t)at_column != column) || dwarf_lineaddr(l, &address) != 0)
			continue;
		*ret = address;
		return true;
	}
	return false;
}

bool ctypes_dwarf_line(struct type_table *t, const char *binary, const char *source, uint64_t line,
		       uint64_t column, uint64_t *ret_address, const char **ret_why)
{
	struct dwarf_file *f = dwarf_file_of(t, binary);
	Dwarf_Off at = 0, next;
	bool is_seen = false;
	size_t header;
	Dwarf_Die die;

	*ret_why = NULL;
	if (!dwarf_file_ready(f))
		return false;
	while (dwarf_nextcu(f->dw, at, &next, &header, NULL, NULL, NULL) == 0 && next > at) {
		if (dwarf_offdie(f->dw, at + header, &die) &&
		    line_in_unit(&die, source, line, column, &is_seen, ret_address))
			return true;
		at = next;
	}
	if (!is_seen)
		*ret_why = arena_printf(t->arena, "DWARF error: No compilation unit matches %s",
					source);
	else if (column)
		*ret_why =
			arena_printf(t->arena,
				     "DWARF error: Unable to map '%s:%llu:%llu' to address", source,
				     (unsigned long long)line, (unsigned long long)column);
	else
		*ret_why = arena_printf(t->arena, "DWARF error: Unable to map '%s:%llu' to address",
					source, (unsigned long long)line);
	return false;
}

#else /* built without libdw */

int type_table_add_dwarf(struct type_table *t, const char *binary)
{
	return -ENODATA;
}

const struct type *ctypes_dwarf_find(struct type_table *t, int tag, const char *name)
{
	return NULL;
}

void ctypes_dwarf_complete(struct type_table *t, struct type_origin *o)
{
	o->type.is_complete = true;
}

void ctypes_dwarf_free(struct dwarf_file *f)
{
}

const struct type *ctypes_dwarf_args(struct type_table *t, const char *binary, const char *function,
				     const struct type **ret_result, const char **ret_why)
{
	*ret_why = "skep was built without libdw, which reads debug information";
	return NULL;
}

bool ctypes_dwarf_signature(struct type_table *t, const char *binary, const char *function,
			    struct buf *to)
{
	return false;
}

bool ctypes_dwarf_line(struct type_table *t, const char *binary, const char *source, uint64_t line,
		       uint64_t column, uint64_t *ret_address, const char **ret_why)
{
	*ret_why = NULL;
	return false;
}

#endif

const struct type *type_table_program_args(struct type_table *t, const char *binary,
					   const char *function, const struct type **ret_result)
{
	const char *why;

	return ctypes_dwarf_args(t, binary, function, ret_result, &why);
}
