/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as attach points, on a machine that has nothing; and as a pattern of -l. */
#include "catalog/question.h"
#include "compile/lang/bpftrace/attach.h"
#include "compile/lang/bpftrace/parse.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct world_ops nothing;
static struct world world = {&nothing};

static void resolve(const char *text, size_t n, bool is_safe)
{
	struct check_options o = {.world = &world, .pid = -1, .is_safe = is_safe};
	struct checked checked = {0};
	struct type_table *t;
	struct program *p;
	struct question q;
	bool ok;

	question_init(&q);
	q.config.max_probes = q.config.max_bpf_progs = 100;
	p = parse_program(&q.diags, diag_source(&q.diags, "fuzz", (struct str){text, n}));
	if (p) {
		t = type_table_new(&q.arena, &q.diags, &world);
		ok = attach_resolve(&q, t, p, &o, &checked);
		assert(ok == !q.diags.errors);
		type_table_free(t);
	}
	question_done(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf b = {0}, list = {0};
	struct question q;

	if (n > 4096)
		return 0;
	buf_add(&b, data, n);
	buf_puts(&b, " { }");
	resolve(b.p, b.n, false);
	resolve(b.p, b.n, true);
	b.p[b.n - 4] = 0;
	question_init(&q);
	attach_list(&world, b.p, true, &list, &q.diags);
	question_done(&q);
	return 0;
}
