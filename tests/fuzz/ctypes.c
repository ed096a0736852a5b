/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a script's C preamble, and as a type's spelling. */
#include "catalog/question.h"
#include "compile/lang/bpftrace/ctypes.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was defined can be looked at, and members are inside. */
static void look(struct type_table *t, const struct type *type, unsigned int depth)
{
	type = type_complete(t, type);
	if (type->kind != TYPE_STRUCT || depth > 8)
		return;
	for (uint32_t i = 0; i < type->n_members && i < 16; i++) {
		const struct type_member *m = &type->members[i];

		assert(m->type && m->offset <= type->size);
		look(t, m->type, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = {"A", "B", "Foo", "a", "s", "x"};
	struct program p = {0};
	struct type_table *t;
	struct question q;
	const struct type *type;
	uint32_t source;
	char *text = malloc(n + 1);
	int64_t value;

	if (n)
		memcpy(text, data, n);
	text[n] = 0;
	question_init(&q);
	t = type_table_new(&q.arena, &q.diags, NULL);
	source = diag_source(&q.diags, "fuzz", (struct str){text, n});
	for (uint32_t at = 0; at < n;) {
		uint32_t end = at;

		while (end < n && text[end] != '\n')
			end++;
		array_push(&q.arena, &p.c, ((struct c_text){{source, at, end}, text[at] == '#'}));
		at = end + 1;
	}
	type_table_add_c(t, &p);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (int tag = TAG_NONE; tag <= TAG_ENUM; tag++) {
			type = type_table_find(t, tag, names[i]);
			if (type)
				look(t, type, 0);
			type_table_constant(t, names[i], &value, NULL);
		}
	type = type_table_parse_c(t, text);
	if (type)
		free(strdup(type_text(&q.arena, type)));
	type_table_free(t);
	question_done(&q);
	free(text);
	return 0;
}
