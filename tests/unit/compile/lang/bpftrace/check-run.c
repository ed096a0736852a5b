/* SPDX-License-Identifier: Apache-2.0 */
#include "check-run.h"

#include "compile/lang/bpftrace/check-rules.h"
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/parse.h"
#include "world-fake.h"

void check_run(struct check_run *r, const char *program, unsigned int flags)
{
	static const char *const environment[] = {"BPFTRACE_UNSTABLE_TYPEINFO=enable",
						  "BPFTRACE_UNSTABLE_TSERIES=enable", NULL};
	struct script_params params = {.environment = environment};
	struct check_options o = {.pid = -1, .is_safe = !(flags & RUN_UNSAFE)};
	uint64_t without = 1ull << WORLD_MAP_LOOKUP_PERCPU | 1ull << WORLD_GET_FUNC_IP |
			   1ull << WORLD_FOR_EACH_MAP | 1ull << WORLD_KTIME_TAI;
	uint32_t source;

	*r = (struct check_run){};
	r->world = world_fake_new_btf(flags & RUN_BARE ? without : 0, NULL);
	o.world = r->world;
	question_init(&r->q);
	source = diag_source(&r->q.diags, "stdin", str_of(program));
	r->program = parse_program(&r->q.diags, source);
	r->ok = r->program && expand_program(&r->q.diags, r->program, &params, &r->q.config) &&
		check_program(&r->q, r->program, &o, &r->checked);
	diags_print(&r->q.diags, false, &r->text);
	buf_putc(&r->text, '\n');
}

void check_run_done(struct check_run *r)
{
	buf_done(&r->text);
	question_done(&r->q);
	world_fake_free(r->world);
}

struct search {
	struct visit v; /* first */
	const char *name;
	const struct type *found;
};

static bool look(struct visit *v, struct expr *e)
{
	struct search *s = (struct search *)v;

	if (e->kind == EXPR_VAR && e->var && !strcmp(e->name, s->name))
		s->found = e->var->type;
	return true;
}

const char *check_run_type(struct check_run *r, const char *name)
{
	struct search s = {.v = {.enter_expr = look}, .name = name};
	size_t n = strlen(name);
	bool is_key = n > 2 && !strcmp(name + n - 2, "[]");

	for (size_t i = 0; i < r->checked.maps.n; i++) {
		const struct map_decl *m = r->checked.maps.p[i];

		if (strncmp(m->name, name, n - 2 * is_key) || m->name[n - 2 * is_key])
			continue;
		s.found = is_key ? m->key : m->value;
	}
	for (size_t i = 0; i < r->checked.probes.n; i++)
		visit_probe(&s.v, r->checked.probes.p[i].probe);
	for (size_t i = 0; r->program && i < r->program->fns.n; i++)
		visit_block(&s.v, r->program->fns.p[i]->block);
	return s.found ? type_text(&r->q.arena, s.found) : NULL;
}
