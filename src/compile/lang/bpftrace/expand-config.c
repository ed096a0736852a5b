/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: "config = { max_strlen = 64 }" in the script, BPFTRACE_MAX_STRLEN=64 in the
 * environment, which wins.
 *
 * A key may be written with the prefix and in capitals.  Each is one row of `keys`: how
 * its value is read and where it goes.
 */
#include "compile/lang/bpftrace/expander.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum value_kind {
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_TEXT,
	VALUE_LICENSE,
	VALUE_STACK_MODE,
	VALUE_MISSING,
	VALUE_SYMBOLS,
	VALUE_UNSTABLE,
	VALUE_NOTHING, /* known, and means nothing here */
};

/* A value as it was written. */
struct value {
	struct str text;
	bool is_number; /* or a bool */
	uint64_t number;
};

struct key {
	const char *name;
	enum value_kind kind;
	size_t at; /* in struct question_config; UNSTABLE: in struct unstable_config */
};

#define AT(member)	 offsetof(struct question_config, member)
#define UNSTABLE(member) offsetof(struct unstable_config, member)

static const struct key keys[] = {
	{"cache_user_symbols", VALUE_SYMBOLS, AT(cache_user_symbols)},
	{"cpp_demangle", VALUE_BOOL, AT(cpp_demangle)},
	{"dummy_ts_map", VALUE_TEXT, AT(dummy_ts_map)},
	{"lazy_symbolication", VALUE_BOOL, AT(lazy_symbolication)},
	{"license", VALUE_LICENSE, AT(license)},
	{"log_size", VALUE_NUMBER, AT(log_size)},
	{"max_bpf_progs", VALUE_NUMBER, AT(max_bpf_progs)},
	{"max_cat_bytes", VALUE_NUMBER, AT(max_cat_bytes)},
	{"max_map_keys", VALUE_NUMBER, AT(max_map_keys)},
	{"max_probes", VALUE_NUMBER, AT(max_probes)},
	{"max_strlen", VALUE_NUMBER, AT(max_strlen)},
	{"missing_probes", VALUE_MISSING, AT(missing_probes)},
	{"on_stack_limit", VALUE_NUMBER, AT(on_stack_limit)},
	{"perf_rb_pages", VALUE_NUMBER, AT(perf_rb_pages)},
	{"print_maps_on_exit", VALUE_BOOL, AT(print_maps_on_exit)},
	{"show_debug_info", VALUE_BOOL, AT(show_debug_info)},
	{"stack_mode", VALUE_STACK_MODE, AT(stack_mode)},
	{"str_trunc_trailer", VALUE_TEXT, AT(str_trunc_trailer)},
	{"unstable_dw_ustack", VALUE_UNSTABLE, UNSTABLE(dw_ustack)},
	{"unstable_import_statement", VALUE_UNSTABLE, UNSTABLE(import_statement)},
	{"unstable_tseries", VALUE_UNSTABLE, UNSTABLE(tseries)},
	{"unstable_typeinfo", VALUE_UNSTABLE, UNSTABLE(typeinfo)},
	{"use_blazesym", VALUE_NOTHING, 0},
};

static const char *const renamed[][2] = {
	{"cat_bytes_max", "max_cat_bytes"},
	{"map_keys_max", "max_map_keys"},
	{"no_cpp_demangle", "cpp_demangle"},
	{"strlen", "max_strlen"},
};

static const char *const only_environment[] = {
	"btf", "dummy_ts_map", "kernel_build", "kernel_source", "vmlinux",
};

static const char *const without_effect[] = {
	"max_type_res_iterations", "symbol_source",  "unstable_addr",
	"unstable_import",	   "unstable_macro", "unstable_map_decl",
};

static const char *const licenses[] = {
	"Dual MIT/GPL", "Dual BSD/GPL", "Dual MPL/GPL", "GPL and additional rights",
	"GPL v2",	"GPL",
};

static bool is_among(const char *s, const char *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, all[i]))
			return true;
	return false;
}

bool text_is_true(const char *s)
{
	return !strcasecmp(s, "1") || !strcasecmp(s, "true") || !strcasecmp(s, "on") ||
	       !strcasecmp(s, "yes");
}

bool text_is_false(const char *s)
{
	return !strcasecmp(s, "0") || !strcasecmp(s, "false") || !strcasecmp(s, "off") ||
	       !strcasecmp(s, "no");
}

/* --- values: each NULL, or what is wrong */

static const char *set_number(const char *text, const struct value *v, uint64_t *to,
			      struct arena *a)
{
	uint64_t n = v->number;

	if (!v->is_number && literal_parse(a, v->text, &n))
		return arena_printf(a, "expecting a number, got %s", text);
	*to = n;
	return NULL;
}

static const char *set_bool(const char *text, const struct value *v, bool *to)
{
	if (!v->is_number && !text_is_true(text) && !text_is_false(text))
		return "Invalid bool value: valid values are true, false, 1 or 0.";
	*to = v->is_number ? v->number != 0 : text_is_true(text);
	return NULL;
}

/* The index of a word in `words`, in any case if asked; −1. */
static int word_index(const char *text, const char *const *words, bool any_case)
{
	for (int i = 0; words[i]; i++)
		if (!(any_case ? strcasecmp(text, words[i]) : strcmp(text, words[i])))
			return i;
	return -1;
}

static const char *set_stack_mode(const char *text, enum stack_mode *to)
{
	static const char *const words[] = {"bpftrace", "perf", "raw", "build_id", NULL};
	int i = word_index(text, words, false);

	if (i < 0)
		return "Invalid value for stack_mode: valid values are bpftrace, raw, perf, and "
		       "build_id.";
	*to = (enum stack_mode)i;
	return NULL;
}

static const char *set_missing(const char *text, struct question_config *c)
{
	static const char *const words[] = {"error", "warn", "ignore", NULL};
	int i = word_index(text, words, true);

	if (i < 0)
		return "Invalid value for missing_probes: valid values are ignore, warn, and "
		       "error.";
	c->missing_probes = i;
	return NULL;
}

static const char *set_symbols(const char *text, struct question_config *c)
{
	static const char *const words[] = {"per_pid", "per_program", "none", "0", "1", NULL};
	int i = word_index(text, words, true);

	if (i < 0)
		return "Invalid value for cache_user_symbols: valid values are PER_PID, "
		       "PER_PROGRAM, and NONE.";
	if (i < 4) {
		c->cache_user_symbols = MIN(i, SYMBOLS_NONE);
		c->has_symbols_choice = true;
	}
	return NULL;
}

static const char *set_unstable(const char *text, const struct value *v, uint64_t *to)
{
	if (v->is_number ? v->number != 0 : !strcasecmp(text, "enable") || text_is_true(text))
		*to = UNSTABLE_ENABLE;
	else if (v->is_number || !strcasecmp(text, "error") || text_is_false(text))
		*to = UNSTABLE_ERROR;
	else if (!strcasecmp(text, "warn"))
		*to = UNSTABLE_WARN;
	else
		return "Invalid value for unstable config: valid values are enable, warn, and "
		       "error.";
	return NULL;
}

/* Without the key's name before it, unlike the others. */
static const char *set_license(struct arena *a, const char *text, const char **to)
{
	struct buf b = {};
	const char *wrong;

	if (is_among(text, licenses, ELEMENTS(licenses))) {
		*to = text;
		return NULL;
	}
	for (size_t i = 0; i < ELEMENTS(licenses); i++)
		buf_printf(&b, "%s%s", i ? ", " : "", licenses[i]);
	wrong = arena_printf(a,
			     "Invalid value for license. Found: %s. Valid values: %s. Read more "
			     "about BPF programs and licensing: "
			     "https://docs.kernel.org/bpf/bpf_licensing.html"
			     "#using-bpf-programs-in-the-linux-kernel",
			     text, b.p);
	buf_done(&b);
	return wrong;
}

static const char *set(struct expand *x, const struct key *k, const struct value *v)
{
	const char *text = arena_strndup(x->arena, v->text.p, v->text.n);
	char *to = (char *)(k->kind == VALUE_UNSTABLE ? (void *)&x->unstable : (void *)x->config);

	to += k->at;
	switch (k->kind) {
	case VALUE_NUMBER:
		return set_number(text, v, (uint64_t *)to, x->arena);
	case VALUE_BOOL:
		return set_bool(text, v, (bool *)to);
	case VALUE_TEXT:
		*(const char **)to = text;
		return NULL;
	case VALUE_LICENSE:
		return set_license(x->arena, text, (const char **)to);
	case VALUE_STACK_MODE:
		return set_stack_mode(text, (enum stack_mode *)to);
	case VALUE_MISSING:
		return set_missing(text, x->config);
	case VALUE_SYMBOLS:
		return set_symbols(text, x->config);
	case VALUE_UNSTABLE:
		return set_unstable(text, v, (uint64_t *)to);
	case VALUE_NOTHING:
		return NULL;
	}
	return NULL;
}

/* --- keys */

/* In small letters, without the prefix. */
static const char *plain_key(struct arena *a, const char *key)
{
	char *s = arena_strdup(a, key);

	for (char *p = s; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return str_starts(str_of(s), STR("bpftrace_")) ? s + strlen("bpftrace_") : s;
}

static const struct key *key_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(keys); i++)
		if (!strcmp(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static void report(struct expand *x, const struct config_set *c, const struct key *k,
		   const char *wrong)
{
	bool bare = k && k->kind == VALUE_LICENSE;

	diag(x->d, D_CONFIG, c->span, "%s%s%s", bare ? "" : c->key, bare ? "" : ": ", wrong);
}

static void hint_key(struct expand *x, const char *name)
{
	const char *names[ELEMENTS(keys) + 1] = {}, *near;

	for (size_t i = 0, n = 0; i < ELEMENTS(keys); i++)
		if (!is_among(keys[i].name, only_environment, ELEMENTS(only_environment)))
			names[n++] = keys[i].name;
	near = str_nearest(name, names);
	if (near)
		diag_hint(x->d, "Did you mean \"%s\"?", near);
}

static void set_from_script(struct expand *x, const struct config_set *c)
{
	struct value v = {c->text, c->is_number || c->is_bool, c->number};
	const char *name = plain_key(x->arena, c->key), *wrong;
	const struct key *k;

	if (is_among(c->key, without_effect, ELEMENTS(without_effect))) {
		diag_warn(x->d, D_DEPRECATED, c->span, "%s is deprecated and has no effect",
			  c->key);
		return;
	}
	for (size_t i = 0; i < ELEMENTS(renamed); i++) {
		if (strcmp(name, renamed[i][0]))
			continue;
		name = renamed[i][1];
		diag_warn(x->d, D_DEPRECATED, c->span, "%s has been renamed, please use %s", c->key,
			  name);
	}
	k = key_find(name);
	if (is_among(name, only_environment, ELEMENTS(only_environment))) {
		report(x, c, NULL, "can only be set as an environment variable");
	} else if (k) {
		wrong = set(x, k, &v);
		if (wrong)
			report(x, c, k, wrong);
	} else {
		report(x, c, NULL, "not a known configuration option");
		hint_key(x, name);
	}
}

static void set_from_environment(struct expand *x, const char *entry)
{
	struct config_set c = {.span = {.file = UINT32_MAX}};
	const char *equals = strchr(entry, '='), *wrong;
	const struct key *k;
	struct value v;

	if (!equals || !str_starts(str_of(entry), STR("BPFTRACE_")))
		return;
	c.key = plain_key(x->arena, arena_strndup(x->arena, entry, (size_t)(equals - entry)));
	v = (struct value){.text = str_of(equals + 1)};
	k = key_find(c.key);
	wrong = k ? set(x, k, &v) : NULL;
	if (wrong)
		report(x, &c, k, wrong);
}

void expand_config(struct expand *x)
{
	x->unstable = (struct unstable_config){
		.import_statement = UNSTABLE_ERROR,
		.tseries = UNSTABLE_WARN,
		.typeinfo = UNSTABLE_ERROR,
		.dw_ustack = UNSTABLE_WARN,
	};
	for (size_t i = 0; i < x->p->config.n; i++)
		set_from_script(x, &x->p->config.p[i]);
	for (const char *const *e = x->params->environment; e && *e; e++)
		set_from_environment(x, *e);
}
