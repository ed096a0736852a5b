/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"

#include <assert.h>
#include <ctype.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the source of answers: what the test put in */

static int map_items(void *ctx, uint32_t map, answer_item_fn fn, void *fn_ctx)
{
	struct ask *x = ctx;

	for (size_t i = 0; i < x->n_items[map]; i++) {
		struct ask_item *item = &x->items[map][i];

		fn(fn_ctx, item->key, item->values, item->n, ASK_BYTES);
	}
	return 0;
}

static int map_clear(void *ctx, uint32_t map)
{
	struct ask *x = ctx;

	x->n_items[map] = 0;
	return 0;
}

static int map_zero(void *ctx, uint32_t map)
{
	struct ask *x = ctx;

	for (size_t i = 0; i < x->n_items[map]; i++)
		memset(x->items[map][i].values, 0, sizeof(x->items[map][i].values));
	return 0;
}

static uint64_t loss(void *ctx, uint32_t row)
{
	struct ask *x = ctx;

	return x->losses[row];
}

/* Stack n has the frames n·16 + 1, n·16 + 2. */
static unsigned int stack(void *ctx, uint64_t id, uint64_t *frames, unsigned int room)
{
	(void)ctx;
	for (unsigned int i = 0; i < MIN(room, 2u); i++)
		frames[i] = id * 16 + i + 1;
	return MIN(room, 2u);
}

/* Addresses up to 0xff have names. */
static bool ksym(void *ctx, uint64_t address, struct buf *to, uint64_t *ret_offset)
{
	(void)ctx;
	if (!address || address > 0xff)
		return false;
	buf_printf(to, "func_%x", (unsigned int)address >> 4);
	*ret_offset = address & 15;
	return true;
}

static bool usym(void *ctx, uint64_t address, uint32_t pid, int32_t probe, struct buf *to,
		 uint64_t *ret_offset, struct buf *ret_module)
{
	(void)probe;
	if (!ksym(ctx, address, to, ret_offset))
		return false;
	buf_printf(ret_module, "/bin/p%u", pid);
	return true;
}

static bool cgroup_path(void *ctx, uint64_t id, const char *root, struct buf *to)
{
	(void)ctx;
	buf_printf(to, "%s:/%u", *root ? root : "unified", (unsigned int)id);
	return true;
}

struct ask *ask_new(enum answer_format format)
{
	struct ask *x = xalloc(sizeof(*x));

	question_init(&x->q);
	x->out = open_memstream(&x->out_text, &x->out_n);
	x->err = open_memstream(&x->err_text, &x->err_n);
	x->o = (struct answer_options){.format = format, .out = x->out, .err = x->err};
	x->source = (struct answer_source){
		.ctx = x,
		.map_clear = map_clear,
		.map_zero = map_zero,
		.loss = loss,
		.stack = stack,
		.ksym = ksym,
		.usym = usym,
		.cgroup_path = cgroup_path,
	};
	x->source.map_each = map_items;
	return x;
}

void ask_free(struct ask *x)
{
	answer_free(x->a);
	question_done(&x->q);
	fclose(x->out);
	fclose(x->err);
	free(x->out_text);
	free(x->err_text);
	free(x);
}

static struct answer *answer(struct ask *x)
{
	if (!x->a)
		x->a = answer_new(&x->q, &x->source, &x->o);
	return x->a;
}

/* --- types from texts */

static const struct type *parse(struct ask *x, const char **p);

static bool is_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0 || isalpha((unsigned char)(*p)[n]))
		return false;
	*p += n;
	return true;
}

static void skip(const char **p, const char *signs)
{
	while (**p && strchr(signs, **p))
		++*p;
}

static const struct type *parse_list(struct ask *x, const char **p, bool named)
{
	const struct type *types[16];
	const char *names[16];
	unsigned int n = 0;

	++*p;
	for (skip(p, ", "); **p && **p != ')' && **p != '}'; skip(p, ", ")) {
		const char *name = *p;

		if (named) {
			*p = strchr(name, ':');
			names[n] = arena_strndup(&x->q.arena, name, (size_t)(*p - name));
			skip(p, ": ");
		}
		types[n++] = parse(x, p);
	}
	++*p;
	return type_tuple(&x->q.arena, types,
			  named ? arena_copy(&x->q.arena, names, sizeof(names)) : NULL, n);
}

static const struct type *parse_enum(struct ask *x)
{
	static const struct type_enumerator rows[] = {{"ONE", 1}, {"TWO", 2}, {"MINUS", -1}};
	struct type *t = arena_new(&x->q.arena, struct type);

	*t = (struct type){.kind = TYPE_ENUM,
			   .size = 4,
			   .align = 4,
			   .name = "numbers",
			   .enumerators = rows,
			   .n_enumerators = ELEMENTS(rows)};
	return t;
}

static const struct {
	const char *word;
	enum type_kind kind;
} words[] = {
	{"none", TYPE_NONE},	  {"bool", TYPE_BOOL},	     {"ksym", TYPE_KSYM},
	{"usym", TYPE_USYM},	  {"kstack", TYPE_KSTACK},   {"ustack", TYPE_USTACK},
	{"inet", TYPE_INET},	  {"mac", TYPE_MAC},	     {"user", TYPE_USERNAME},
	{"time", TYPE_TIMESTAMP}, {"cgroup", TYPE_CGROUP},   {"err", TYPE_STRERROR},
	{"sig", TYPE_SIGNAL},	  {"sys", TYPE_SYSCALL},     {"count", TYPE_COUNT},
	{"sum", TYPE_SUM},	  {"min", TYPE_MIN},	     {"max", TYPE_MAX},
	{"avg", TYPE_AVG},	  {"stats", TYPE_STATS},     {"hist", TYPE_HIST},
	{"lhist", TYPE_LHIST},	  {"tseries", TYPE_TSERIES},
};

static const struct type *parse(struct ask *x, const char **p)
{
	struct arena *a = &x->q.arena;
	char c = **p;

	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (is_word(p, words[i].word))
			return type_plain(a, words[i].kind);
	if (is_word(p, "ptr"))
		return type_pointer(a, &type_void, SPACE_KERNEL);
	if (is_word(p, "enum"))
		return parse_enum(x);
	if (c == '(' || c == '{')
		return parse_list(x, p, c == '{');
	if (c == '[') {
		unsigned int n = (unsigned int)strtoul(*p + 1, (char **)p, 10);

		skip(p, "] ");
		return type_array(a, parse(x, p), n);
	}
	if (is_word(p, "str"))
		return type_string(a, (uint32_t)strtoul(*p, (char **)p, 10));
	if (is_word(p, "buf"))
		return type_buffer(a, (uint32_t)strtoul(*p, (char **)p, 10));
	assert(c == 's' || c == 'u');
	return type_int((unsigned int)strtoul(*p + 1, (char **)p, 10) / 8, c == 's');
}

const struct type *ask_type(struct ask *x, const char *text)
{
	return parse(x, &text);
}

/* --- values from texts */

static const char signs[] = " ,(){}[]";

static void put_number(const char **p, uint8_t *to, size_t n)
{
	uint64_t v;

	skip(p, signs);
	v = **p == '-' ? (uint64_t)strtoll(*p, (char **)p, 0) : strtoull(*p, (char **)p, 0);
	memcpy(to, &v, n);
}

static size_t put_text(const char **p, uint8_t *to, size_t room)
{
	size_t n = 0;

	skip(p, signs);
	assert(**p == '\'');
	for (++*p; **p && **p != '\''; ++*p)
		if (n < room)
			to[n++] = (uint8_t) * *p;
	++*p;
	return n;
}

static void put(const struct type *t, const char **p, uint8_t *to)
{
	uint32_t n;

	switch ((int)t->kind) {
	case TYPE_STRING:
	case TYPE_MAC:
		put_text(p, to, t->size);
		return;
	case TYPE_BUFFER:
		n = (uint32_t)put_text(p, to + 4, t->size - 4);
		memcpy(to, &n, 4);
		return;
	case TYPE_TUPLE:
	case TYPE_RECORD:
		for (uint32_t i = 0; i < t->n_members; i++)
			put(t->members[i].type, p, to + t->members[i].offset);
		return;
	case TYPE_ARRAY:
		for (uint32_t i = 0; i < t->n; i++)
			put(t->of, p, to + i * t->of->size);
		return;
	case TYPE_INET:
		put_number(p, to, 8);
		put_text(p, to + 8, 16);
		return;
	case TYPE_USYM: /* address, pid */
		put_number(p, to, 8);
		put_number(p, to + 8, 4);
		return;
	case TYPE_KSTACK: /* id, pid, frames */
	case TYPE_USTACK:
		put_number(p, to, 8);
		put_number(p, to + 8, 4);
		put_number(p, to + 20, 4);
		return;
	case TYPE_TIMESTAMP: /* ns, format, mode */
		put_number(p, to, 8);
		put_number(p, to + 8, 4);
		put_number(p, to + 12, 4);
		return;
	}
	for (uint32_t i = 0; i < t->size; i += 8)
		put_number(p, to + i, MIN(t->size - i, 8u));
}

size_t ask_bytes(const struct type *t, const char *text, uint8_t *to)
{
	assert(t->size <= ASK_BYTES);
	put(t, &text, to);
	return t->size;
}

/* --- actions and maps */

uint32_t ask_action(struct ask *x, enum question_action_kind kind, const char *format,
		    const char *args)
{
	struct question_action row = {
		.kind = kind,
		.format = format,
		.args = ask_type(x, args ? args : "()"),
	};

	assert(!x->a);
	array_push(&x->q.arena, &x->q.actions, row);
	return (uint32_t)x->q.actions.n - 1;
}

int ask_record(struct ask *x, uint32_t action, const char *values)
{
	const struct type *t = x->q.actions.p[action].args;
	size_t n = sizeof(struct wire_answer) + t->size;
	struct wire_answer *record = xalloc(n);
	int r;

	record->action = action;
	if (values)
		ask_bytes(t, values, (uint8_t *)(record + 1));
	r = answer_record(answer(x), record, n);
	free(record);
	return r;
}

uint32_t ask_map(struct ask *x, const char *name, const char *key, const char *value)
{
	const struct type *t = ask_type(x, value);
	struct question_map m = {
		.name = name,
		.kind = QMAP_NAMED,
		.type = BPF_MAP_TYPE_HASH,
		.key = key ? ask_type(x, key) : NULL,
		.value = t,
		.value_size = t->size,
		.max_entries = ASK_ITEMS,
	};

	assert(!x->a && x->q.maps.n < ASK_MAPS);
	m.key_size = m.key ? m.key->size : 8;
	if (t->kind >= TYPE_HIST && t->kind <= TYPE_TSERIES) {
		m.bucket_offset = m.key ? (m.key_size + 7) & ~7u : 0;
		m.key_size = m.bucket_offset + 8;
	}
	array_push(&x->q.arena, &x->q.maps, m);
	return (uint32_t)x->q.maps.n - 1;
}

void ask_put(struct ask *x, uint32_t map, const char *key, const char *values)
{
	const struct question_map *m = &x->q.maps.p[map];
	struct ask_item *item = &x->items[map][x->n_items[map]++];

	assert(x->n_items[map] <= ASK_ITEMS);
	if (m->key) {
		put(m->key, &key, item->key);
	}
	if (m->value->kind >= TYPE_HIST && m->value->kind <= TYPE_TSERIES)
		put_number(&key, item->key + m->bucket_offset, 8);
	do {
		assert(item->n < ASK_CPUS);
		put(m->value, &values, item->values[item->n++]);
		skip(&values, signs);
	} while (*values++ == ';');
}

static const char *take(FILE *f, char **text)
{
	static const char none[] = "";

	fflush(f);
	if (!*text)
		return none;
	rewind(f);
	return *text;
}

const char *ask_out(struct ask *x)
{
	answer(x);
	fputc(0, x->out);
	return take(x->out, &x->out_text);
}

const char *ask_err(struct ask *x)
{
	answer(x);
	fputc(0, x->err);
	return take(x->err, &x->err_text);
}
