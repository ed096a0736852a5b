/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/load-out.h"

#include "agent/load-show.h"
#include "base/log.h"
#include "event/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { ITEMS_MAX = 1000 };

static void end_line(struct load_out *x)
{
	buf_putc(&x->line, '\n');
	fwrite(x->line.p, 1, x->line.n, x->to);
	buf_reset(&x->line);
}

int load_out_open(struct load_out *x, struct foreign *object, const struct load_options *o)
{
	struct str types = foreign_types(object);
	int fd;

	*x = (struct load_out){.o = o, .object = object, .to = stdout};
	if (types.p) {
		buf_put_str(&x->types, types);
		x->has_types = btf_view_init(&x->view, x->types.p, x->types.n) >= 0;
	}
	if (!o->output)
		return 0;
	fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	x->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!x->to)
		log_error(-errno, "cannot write to %s", o->output);
	return x->to ? 0 : EXIT_FAILED;
}

void load_out_close(struct load_out *x)
{
	if (x->to && x->to != stdout)
		fclose(x->to);
	if (x->has_types)
		btf_view_done(&x->view);
	buf_done(&x->types);
	buf_done(&x->line);
}

void load_out_flush(struct load_out *x)
{
	fflush(x->to);
}

void load_out_attached(struct load_out *x, size_t n)
{
	if (x->o->quiet)
		return;
	if (x->o->json)
		buf_printf(&x->line, "{\"type\": \"attached_programs\", \"data\": %zu}", n);
	else
		buf_printf(&x->line, "Attached %zu program%s", n, n == 1 ? "" : "s");
	end_line(x);
	load_out_flush(x);
}

void load_out_text(struct load_out *x, struct str text)
{
	if (!text.n)
		return;
	if (x->o->json) {
		buf_puts(&x->line, "{\"type\": \"text\", \"data\": ");
		escape_json(&x->line, text);
		buf_putc(&x->line, '}');
		end_line(x);
		return;
	}
	fwrite(text.p, 1, text.n, x->to);
}

void load_out_printk(void *ctx, const struct load_printk *p)
{
	struct load_out *x = ctx;

	if (!x->o->json) {
		if (!p->goes_on) {
			escape_text(&x->line, p->comm);
			buf_printf(&x->line, "-%u: ", p->pid);
		}
		escape_text(&x->line, p->text);
		end_line(x);
		return;
	}
	buf_puts(&x->line, "{\"type\": \"printk\", \"data\": {");
	if (!p->goes_on) {
		buf_puts(&x->line, "\"comm\": ");
		escape_json(&x->line, p->comm);
		buf_printf(&x->line, ", \"pid\": %u, \"cpu\": %u, \"time\": %.6f, ", p->pid, p->cpu,
			   p->seconds);
	}
	buf_puts(&x->line, "\"text\": ");
	escape_json(&x->line, p->text);
	buf_puts(&x->line, "}}");
	end_line(x);
}

static const struct btf_view *types(const struct load_out *x)
{
	return x->has_types ? &x->view : NULL;
}

static void put_name(struct load_out *x, const char *name)
{
	if (x->o->json)
		escape_json(&x->line, str_of(name));
	else
		escape_text(&x->line, str_of(name));
}

int load_out_record(void *ctx, size_t map, const void *data, size_t n, uint64_t lost)
{
	struct load_out *x = ctx;
	const struct foreign_map *m = foreign_map(x->object, map);
	struct str bytes = {data, n};
	uint32_t type;

	if (lost) {
		log_warning("%llu records found no room in %s", (unsigned long long)lost, m->name);
		return 0;
	}
	type = load_show_record(types(x), m->name, n, x->o->type);
	if (x->o->json)
		buf_puts(&x->line, "{\"type\": \"record\", \"map\": ");
	put_name(x, m->name);
	buf_puts(&x->line, x->o->json ? ", \"data\": " : ": ");
	load_show(types(x), type, bytes, x->o->json, &x->line);
	if (x->o->json)
		buf_putc(&x->line, '}');
	end_line(x);
	return 0;
}

/* --- maps */

struct item {
	struct load_out *x;
	const struct foreign_map *m;
};

static bool is_zero(struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i])
			return false;
	return true;
}

/* One value, or one a cpu. */
static void put_values(struct item *i, const void *values, unsigned int n, size_t step)
{
	struct load_out *x = i->x;

	if (n > 1 || i->m->is_per_cpu)
		buf_putc(&x->line, '[');
	for (unsigned int k = 0; k < n; k++) {
		struct str one = {(const char *)values + k * step, i->m->value_size};

		buf_puts(&x->line, k ? ", " : "");
		load_show(types(x), i->m->value_type, one, x->o->json, &x->line);
	}
	if (n > 1 || i->m->is_per_cpu)
		buf_putc(&x->line, ']');
}

static int put_item(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct item *i = ctx;
	struct load_out *x = i->x;

	if (i->m->is_array && is_zero((struct str){values, n * step}))
		return 0;
	if (x->n_items++ >= ITEMS_MAX)
		return 0;
	if (x->o->json) {
		buf_puts(&x->line, x->n_items > 1 ? ", " : "");
		buf_puts(&x->line, "{\"key\": ");
	} else {
		buf_printf(&x->line, "%s[", i->m->name);
	}
	load_show(types(x), i->m->key_type, (struct str){key, i->m->key_size}, x->o->json,
		  &x->line);
	buf_puts(&x->line, x->o->json ? ", \"value\": " : "]: ");
	put_values(i, values, n, step);
	if (x->o->json)
		buf_putc(&x->line, '}');
	else
		end_line(x);
	return 0;
}

/* Global variables: the map's value is a section, its members are they. */
static int put_variables(void *ctx, const void *key, const void *values, unsigned int n,
			 size_t step)
{
	struct item *i = ctx;
	struct load_out *x = i->x;
	const struct btf_type *t = btf_view_type(&x->view, i->m->value_type);
	const struct btf_var_secinfo *s = (const void *)(t + 1);
	struct str all = {values, n * step};

	(void)key;
	for (unsigned int k = 0; k < btf_type_vlen(t); k++) {
		const struct btf_type *var = btf_view_type(&x->view, s[k].type);

		if (!var || btf_type_kind(var) != BTF_KIND_VAR || s[k].offset >= all.n)
			continue;
		if (x->o->json)
			buf_printf(&x->line, "%s", x->n_items ? ", " : "");
		put_name(x, btf_view_name(&x->view, var));
		buf_puts(&x->line, ": ");
		load_show(types(x), var->type,
			  (struct str){all.p + s[k].offset,
				       MIN((size_t)s[k].size, all.n - s[k].offset)},
			  x->o->json, &x->line);
		x->n_items++;
		if (!x->o->json)
			end_line(x);
	}
	return 0;
}

static bool is_section(const struct load_out *x, uint32_t type)
{
	const struct btf_type *t = x->has_types ? btf_view_type(&x->view, type) : NULL;

	return t && btf_type_kind(t) == BTF_KIND_DATASEC;
}

void load_out_map(struct load_out *x, size_t map)
{
	struct item i = {x, foreign_map(x->object, map)};
	bool is_data = i.m->kind == FOREIGN_DATA;
	struct buf before = x->line; /* empty, but its memory */

	if (i.m->kind != FOREIGN_TABLE && !(is_data && is_section(x, i.m->value_type)))
		return;
	x->n_items = 0;
	x->line = (struct buf){0};
	foreign_each(x->object, map, is_data ? put_variables : put_item, &i);
	if (x->o->json && x->n_items) {
		struct buf list = x->line;

		x->line = (struct buf){0};
		buf_printf(&x->line, "{\"type\": \"%s\", \"map\": ", is_data ? "variables" : "map");
		put_name(x, i.m->name);
		buf_printf(&x->line, ", \"data\": %c%s%c}", is_data ? '{' : '[', list.p,
			   is_data ? '}' : ']');
		end_line(x);
		buf_done(&list);
	}
	if (x->n_items > ITEMS_MAX)
		log_warning("%s has %zu elements; %d are shown", i.m->name, x->n_items, ITEMS_MAX);
	buf_done(&x->line);
	x->line = before;
}

/* --- --list */

static void list_json(struct load_out *x)
{
	for (size_t i = 0; i < foreign_progs(x->object); i++) {
		const struct foreign_prog *p = foreign_prog(x->object, i);

		buf_puts(&x->line, "{\"type\": \"program\", \"name\": ");
		put_name(x, p->name);
		buf_puts(&x->line, ", \"section\": ");
		put_name(x, p->section);
		buf_printf(&x->line, ", \"kind\": \"%s\", \"instructions\": %zu}", p->type,
			   p->n_insns);
		end_line(x);
	}
	for (size_t i = 0; i < foreign_maps(x->object); i++) {
		const struct foreign_map *m = foreign_map(x->object, i);

		buf_puts(&x->line, "{\"type\": \"map\", \"name\": ");
		put_name(x, m->name);
		buf_printf(&x->line,
			   ", \"kind\": \"%s\", \"key_size\": %u, \"value_size\": %u, "
			   "\"max_entries\": %u}",
			   m->type, m->key_size, m->value_size, m->max_entries);
		end_line(x);
	}
}

void load_out_list(struct load_out *x)
{
	if (x->o->json) {
		list_json(x);
		return;
	}
	buf_puts(&x->line, "programs");
	end_line(x);
	for (size_t i = 0; i < foreign_progs(x->object); i++) {
		const struct foreign_prog *p = foreign_prog(x->object, i);

		buf_puts(&x->line, "  ");
		put_name(x, p->name);
		buf_puts(&x->line, "\n    section ");
		put_name(x, p->section);
		buf_printf(&x->line, "; %s, %zu instructions", p->type, p->n_insns);
		end_line(x);
	}
	buf_puts(&x->line, "maps");
	end_line(x);
	for (size_t i = 0; i < foreign_maps(x->object); i++) {
		const struct foreign_map *m = foreign_map(x->object, i);

		buf_puts(&x->line, "  ");
		put_name(x, m->name);
		buf_printf(&x->line, "\n    %s, %u × (%u → %u bytes)", m->type, m->max_entries,
			   m->key_size, m->value_size);
		end_line(x);
	}
	buf_puts(&x->line, "license ");
	put_name(x, foreign_license(x->object));
	buf_puts(&x->line, x->has_types ? ", with types (BTF)" : ", without types (BTF)");
	end_line(x);
}
