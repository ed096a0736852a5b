/* SPDX-License-Identifier: Apache-2.0 */
/* What loading finds: a diagnostic for people and a finding under Falco's code. */
#include "compile/lang/falco/load.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *help;
	bool is_error;
} codes[FALCO_CODES] = {
#define FALCO_CODE(id, code, error, text) [FALCO_##id] = {code, text, error},
#include "compile/lang/falco/codes.def"
#undef FALCO_CODE
};

const char *falco_code_name(enum falco_code code)
{
	return codes[code].name;
}

const char *falco_code_help(enum falco_code code)
{
	return codes[code].help;
}

bool falco_code_is_error(enum falco_code code)
{
	return codes[code].is_error;
}

void report(struct load *l, enum falco_code code, enum diag_id id, const struct item *item,
	    struct span span, const char *format, ...)
{
	struct falco_finding x = {.code = code, .is_error = codes[code].is_error, .span = span};
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (x.is_error)
		diag(l->d, id, span, "%s", text);
	else
		diag_warn(l->d, id, span, "%s", text);
	x.file = span.file - l->first_source;
	if (x.is_error && x.file < l->n_files)
		l->files[x.file].is_ok = false;
	if (l->d->is_repeated)
		return;
	if (x.is_error)
		l->result->errors++;
	else
		l->result->warnings++;
	x.message = arena_strdup(&l->rs->arena, text);
	if (item) {
		x.item_type = item->type;
		x.item_name = arena_strdup(&l->rs->arena, item->name);
		x.item_span = item->span;
	}
	array_push(&l->rs->arena, &l->result->findings, x);
}

void falco_add_error(struct ruleset *rs, struct falco_file *files, struct falco_result *r,
		     size_t file, enum falco_code code, const char *message)
{
	struct span span = {diag_source(&rs->diags, files[file].name, (struct str){"", 0}), 0, 0};
	struct falco_finding x = {.code = code,
				  .is_error = codes[code].is_error,
				  .file = (uint32_t)file,
				  .span = span,
				  .message = arena_strdup(&rs->arena, message)};

	files[file].is_ok = false;
	r->errors++;
	array_push(&rs->arena, &r->findings, x);
}

void falco_drop_warnings(struct ruleset *rs)
{
	size_t n = 0;

	for (size_t i = 0; i < rs->diags.list.n; i++)
		if (rs->diags.list.p[i].severity == SEV_ERROR)
			rs->diags.list.p[n++] = rs->diags.list.p[i];
	rs->diags.list.n = n;
}
