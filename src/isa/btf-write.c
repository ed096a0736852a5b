/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/btf-write.h"

void btf_writer_init(struct btf_writer *w)
{
	*w = (struct btf_writer){.n = 1};
	buf_putc(&w->strings, 0);
}

void btf_writer_done(struct btf_writer *w)
{
	buf_done(&w->types);
	buf_done(&w->strings);
}

uint32_t btf_write_string(struct btf_writer *w, const char *s)
{
	uint32_t at = w->strings.n;

	if (!s || !*s)
		return 0;
	buf_add(&w->strings, s, strlen(s) + 1);
	return at;
}

static uint32_t put_type(struct btf_writer *w, unsigned int kind, const char *name,
			 unsigned int vlen, uint32_t size_or_type)
{
	struct btf_type t = {
		.name_off = btf_write_string(w, name),
		.info = kind << 24 | vlen,
		.size = size_or_type,
	};

	buf_add(&w->types, &t, sizeof(t));
	return w->n++;
}

static void put_word(struct btf_writer *w, uint32_t word)
{
	buf_add(&w->types, &word, sizeof(word));
}

uint32_t btf_write_int(struct btf_writer *w, const char *name, unsigned int bytes,
		       unsigned int encoding)
{
	uint32_t id = put_type(w, BTF_KIND_INT, name, 0, bytes);

	put_word(w, encoding << 24 | bytes * 8);
	return id;
}

uint32_t btf_write_ref(struct btf_writer *w, unsigned int kind, const char *name, uint32_t to)
{
	return put_type(w, kind, name, 0, to);
}

uint32_t btf_write_array(struct btf_writer *w, uint32_t of, uint32_t index, uint32_t n)
{
	struct btf_array a = {.type = of, .index_type = index, .nelems = n};
	uint32_t id = put_type(w, BTF_KIND_ARRAY, NULL, 0, 0);

	buf_add(&w->types, &a, sizeof(a));
	return id;
}

uint32_t btf_write_struct(struct btf_writer *w, unsigned int kind, const char *name, uint32_t size,
			  unsigned int n)
{
	return put_type(w, kind, name, n, size);
}

void btf_write_member(struct btf_writer *w, const char *name, uint32_t type, uint32_t bit_offset)
{
	struct btf_member m = {
		.name_off = btf_write_string(w, name),
		.type = type,
		.offset = bit_offset,
	};

	buf_add(&w->types, &m, sizeof(m));
}

uint32_t btf_write_proto(struct btf_writer *w, uint32_t ret, const uint32_t *params,
			 const char *const *names, unsigned int n)
{
	uint32_t id = put_type(w, BTF_KIND_FUNC_PROTO, NULL, n, ret);

	for (unsigned int i = 0; i < n; i++) {
		char letter[] = {'a' + i % 26, 0};
		struct btf_param p = {
			.name_off = btf_write_string(w, names ? names[i] : letter),
			.type = params[i],
		};

		buf_add(&w->types, &p, sizeof(p));
	}
	return id;
}

uint32_t btf_write_func(struct btf_writer *w, const char *name, uint32_t proto,
			unsigned int linkage)
{
	return put_type(w, BTF_KIND_FUNC, name, linkage, proto);
}

uint32_t btf_write_decl_tag(struct btf_writer *w, const char *text, uint32_t of, int component)
{
	uint32_t id = put_type(w, BTF_KIND_DECL_TAG, text, 0, of);

	put_word(w, (uint32_t)component);
	return id;
}

uint32_t btf_write_var(struct btf_writer *w, const char *name, uint32_t type, unsigned int linkage)
{
	uint32_t id = put_type(w, BTF_KIND_VAR, name, 0, type);

	put_word(w, linkage);
	return id;
}

uint32_t btf_write_datasec(struct btf_writer *w, const char *name, uint32_t size, unsigned int n)
{
	return put_type(w, BTF_KIND_DATASEC, name, n, size);
}

void btf_write_secinfo(struct btf_writer *w, uint32_t var, uint32_t offset, uint32_t size)
{
	struct btf_var_secinfo i = {.type = var, .offset = offset, .size = size};

	buf_add(&w->types, &i, sizeof(i));
}

void btf_write_blob(const struct btf_writer *w, struct buf *ret)
{
	struct btf_header h = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(h),
		.type_len = w->types.n,
		.str_off = w->types.n,
		.str_len = w->strings.n,
	};

	buf_add(ret, &h, sizeof(h));
	if (w->types.n)
		buf_add(ret, w->types.p, w->types.n);
	buf_add(ret, w->strings.p, w->strings.n);
}
