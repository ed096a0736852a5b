/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls, when all types are known: do the arguments suit the function?
 *
 * Most of it is a table: which kind each argument must be of, and whether it must be a
 * literal.  What the table cannot say has a function.
 */
#include "compile/lang/bpftrace/check-rules.h"

#include "isa/btf.h"

struct wanted {
	enum { ANY, INTEGER, STRING, POINTER, TIME_WORD } kind;
	bool is_literal;
};

static const struct wanted wanted[BUILTINS][4] = {
	[BUILTIN_BUF] = {{ANY, false}, {INTEGER, false}},
	[BUILTIN_CAT] = {{STRING, true}},
	[BUILTIN_CGROUPID] = {{STRING, true}},
	[BUILTIN_CGROUP_PATH] = {{INTEGER, false}, {STRING, false}},
	[BUILTIN_DEBUGF] = {{STRING, true}},
	[BUILTIN_ERRORF] = {{STRING, true}},
	[BUILTIN_EXIT] = {{INTEGER, false}},
	[BUILTIN_FAIL] = {{STRING, true}},
	[BUILTIN_HIST] = {{INTEGER, false}, {INTEGER, true}},
	[BUILTIN_JOIN] = {{ANY, false}, {STRING, true}},
	[BUILTIN_KADDR] = {{STRING, true}},
	[BUILTIN_LHIST] = {{INTEGER, false}, {INTEGER, true}, {INTEGER, true}, {INTEGER, true}},
	[BUILTIN_NSECS] = {{TIME_WORD, false}},
	[BUILTIN_PATH] = {{ANY, false}, {INTEGER, true}},
	[BUILTIN_PERCPU_KADDR] = {{STRING, true}, {INTEGER, false}},
	[BUILTIN_PRINT] = {{ANY, false}, {INTEGER, true}, {INTEGER, true}},
	[BUILTIN_PRINTF] = {{STRING, true}},
	[BUILTIN_REG] = {{STRING, true}},
	[BUILTIN_SKBOUTPUT] = {{STRING, true},
			       {POINTER, false},
			       {INTEGER, false},
			       {INTEGER, false}},
	[BUILTIN_SOCKET_COOKIE] = {{POINTER, false}},
	[BUILTIN_STR] = {{ANY, false}, {INTEGER, false}},
	[BUILTIN_KSTR] = {{ANY, false}, {INTEGER, false}},
	[BUILTIN_STRFTIME] = {{STRING, true}, {INTEGER, false}},
	[BUILTIN_STRNCMP] = {{STRING, false}, {STRING, false}, {INTEGER, true}},
	[BUILTIN_SYSTEM] = {{STRING, true}},
	[BUILTIN_TIME] = {{STRING, true}},
	[BUILTIN_TSERIES] = {{INTEGER, false}, {INTEGER, true}, {INTEGER, true}, {STRING, true}},
	[BUILTIN_UADDR] = {{STRING, true}},
	[BUILTIN_UNWATCH] = {{INTEGER, false}},
	[BUILTIN_WARNF] = {{STRING, true}},
};

static const char *const wanted_names[] = {[INTEGER] = "int",
					   [STRING] = "string",
					   [POINTER] = "pointer",
					   [TIME_WORD] = "timestamp_mode"};

static bool is_wanted(const struct wanted *w, const struct type *t)
{
	switch ((int)w->kind) {
	case INTEGER:
		return is_integer(t);
	case STRING:
		return is_string(t);
	case POINTER:
		return t->kind == TYPE_POINTER;
	case TIME_WORD:
		return t->kind == TYPE_TIMESTAMP_MODE;
	}
	return true;
}

static bool check_argument(struct check *c, struct expr *e, size_t i, const struct wanted *w)
{
	const struct type *t = expr_type(c, e->items.p[i]);

	if (w->kind == ANY)
		return true;
	if (w->is_literal && (!expr_is_literal(e->items.p[i]) || !is_wanted(w, t))) {
		diag(c->d, D_ARGUMENT_TYPE, e->span, "%s() expects a %s literal (%s provided)",
		     e->builtin->name, wanted_names[w->kind], kind_str(t));
		return false;
	}
	if (!is_wanted(w, t)) {
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "%s() only supports %s arguments (%s provided)", e->builtin->name,
		     wanted_names[w->kind], kind_str(t));
		return false;
	}
	return true;
}

static bool check_arguments(struct check *c, struct expr *e)
{
	bool ok = true;

	for (size_t i = 0; i < 4 && i < e->items.n; i++)
		ok = check_argument(c, e, i, &wanted[e->builtin->id][i]);
	return ok;
}

/* --- those with rules of their own */

static void bad(struct check *c, const struct expr *e, const char *text)
{
	diag(c->d, D_ARGUMENT_TYPE, e->span, "%s() %s", e->builtin->name, text);
}

static void final_str(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (!is_string(t) && !is_integer(t) && t->kind != TYPE_POINTER)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "%s() expects a string, integer or a pointer type as first argument (%s "
		     "provided)",
		     e->builtin->name, type_str(c, t));
}

static void final_buf(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	uint64_t max = c->q->config.max_strlen;

	if (max > UINT32_MAX)
		diag(c->d, D_LIMIT, e->span,
		     "BPFTRACE_MAX_STRLEN too large to use on buffer (%llu > %u)",
		     (unsigned long long)max, UINT32_MAX);
	if (!is_integer(t) && !is_string(t) && t->kind != TYPE_POINTER && t->kind != TYPE_ARRAY)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "buf() expects an integer, string, or array argument but saw %s", kind_str(t));
	if (e->items.n == 1) {
		if (t->kind != TYPE_ARRAY)
			diag(c->d, D_ARGUMENT_COUNT, e->span,
			     "buf() expects a length argument for non-array type %s", kind_str(t));
	} else if (e->items.p[1]->kind == EXPR_INT && e->items.p[1]->is_negative) {
		diag(c->d, D_ARGUMENT_VALUE, e->span, "bufcannot use negative length (%lld)",
		     (long long)e->items.p[1]->number);
	}
}

static void final_ntop(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	static const struct wanted integer = {INTEGER, false};

	if (e->items.n == 2)
		check_argument(c, e, 0, &integer);
	t = expr_type(c, e->items.p[e->items.n - 1]);
	if (!is_integer(t) && !is_string(t) && t->kind != TYPE_ARRAY)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "ntop() expects an integer or array argument, got %s", kind_str(t));
	if ((t->kind == TYPE_ARRAY || is_string(t)) && t->size != 4 && t->size != 16)
		bad(c, e, "argument must be 4 or 16 bytes in size");
}

static void final_macaddr(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (!is_integer(t) && t->kind != TYPE_ARRAY && !is_byte_array(t) && t->kind != TYPE_POINTER)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "macaddr() only supports array or pointer arguments (%s provided)",
		     kind_str(t));
	if (e->items.p[0]->kind == EXPR_STRING)
		bad(c, e, "does not support literal string arguments");
	if ((t->kind == TYPE_ARRAY || is_byte_array(t)) && t->size < 6)
		bad(c, e, "argument must be at least 6 bytes in size");
}

static void print_map(struct check *c, struct expr *e)
{
	struct map_info *m = map_of(e->items.p[0]->map);

	if (c->loops)
		diag_warn(c->d, D_PRINT, e->span,
			  "Due to it's asynchronous nature using 'print()' in a loop can lead to "
			  "unexpected behavior. The map will likely be updated before the runtime "
			  "can 'print' it.");
	if (slot_type(c, &m->value)->kind == TYPE_STATS && e->items.n > 1)
		diag_warn(c->d, D_PRINT, e->span,
			  "print()'s top and div arguments are ignored when used on stats() "
			  "maps.");
}

static void final_print(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	struct expr *arg = e->items.p[0];
	bool is_args = arg->kind == EXPR_CALL && arg->builtin && arg->builtin->id == BUILTIN_ARGS;

	if (arg->kind == EXPR_MAP && arg->is_whole)
		print_map(c, e);
	else if (is_multi(t))
		diag(c->d, D_PRINT, e->span,
		     "Map type %s cannot print the value of individual keys. You must print the "
		     "whole map.",
		     type_str(c, t));
	else if (t->kind == TYPE_NONE && c->d->errors)
		return; /* that it has none was said */
	else if (t->kind == TYPE_NONE || t->kind == TYPE_VOID || t->kind == TYPE_TIMESTAMP_MODE ||
		 (t->is_ctx && !is_args))
		diag(c->d, D_PRINT, e->span, "%s type passed to print() is not printable",
		     type_str(c, t));
	else if (e->items.n != 1)
		diag(c->d, D_PRINT, e->span, "Non-map print() only takes 1 argument, %zu found",
		     e->items.n);
}

static void final_path(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (world_has(c->o->world, WORLD_EMBEDDED))
		diag(c->d, D_FEATURE, e->span,
		     "path() looks into the kernel, which needs privileges");
	else if (!world_has(c->o->world, WORLD_D_PATH))
		diag(c->d, D_FEATURE, e->span,
		     "BPF_FUNC_d_path not available for your kernel version");
	if (t->kind != TYPE_STRUCT && t->kind != TYPE_POINTER)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "path() only supports pointer or C type argument (%s provided)", kind_str(t));
}

static void final_cookie(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	const char *found = kind_str(t);

	if (t->kind == TYPE_POINTER && t->of->kind == TYPE_STRUCT) {
		if (t->of->name && !strcmp(t->of->name, "sock"))
			return;
		found = arena_printf(c->a, "'%s *'", type_str(c, t->of));
	}
	diag(c->d, D_ARGUMENT_TYPE, e->span,
	     "socket_cookie() only supports 'struct sock *' as the argument (%s provided)", found);
}

static void final_fail(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < e->items.n; i++)
		if (!expr_is_literal(e->items.p[i])) {
			diag(c->d, D_ARGUMENT_VALUE, e->span,
			     "fail() arguments need to be literals");
			return;
		}
	if (e->items.p[0]->kind == EXPR_STRING) /* else an error says so */
		diag(c->d, D_ASSERTION, e->span, "%s", format_literals(c, e));
}

static void final_strftime(struct check *c, struct expr *e)
{
	if (expr_type(c, e)->time.mode == TIME_MONOTONIC)
		bad(c, e, "can not take a monotonic timestamp");
	if (e->items.p[1]->kind == EXPR_INT && e->items.p[1]->is_negative)
		bad(c, e, "does not accept negative timestamps");
}

static bool is_text_like(const struct type *t)
{
	if (t->kind == TYPE_ARRAY || t->kind == TYPE_POINTER)
		return t->of->kind == TYPE_INT && t->of->size == 1;
	return is_string(t);
}

/* strlen(), strstr() …: strings, char arrays, char pointers. */
static void final_text(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < e->items.n; i++) {
		const struct type *t = expr_type(c, e->items.p[i]);

		if (is_text_like(t))
			continue;
		if (t->kind == TYPE_ARRAY)
			diag(c->d, D_ARGUMENT_TYPE, e->span,
			     "string-like arrays must contain a char-like type");
		else if (t->kind == TYPE_POINTER)
			diag(c->d, D_ARGUMENT_TYPE, e->span,
			     "string-like pointers must point to a char-like type");
		else
			diag(c->d, D_ARGUMENT_TYPE, e->span,
			     "string-like values must be either strings, arrays or pointers");
		diag_hint(c->d, "%s() was given %s", e->builtin->name, type_str(c, t));
	}
}

static void final_map_function(struct check *c, struct expr *e)
{
	const struct expr *map = e->items.p[0];
	const char *what = e->builtin->id == BUILTIN_DELETE    ? "delete() with two arguments"
			   : e->builtin->id == BUILTIN_HAS_KEY ? "has_key()"
							       : "find";

	if (map->kind != EXPR_MAP) {
		diag(c->d, D_ARGUMENT_TYPE, map->span, "%s() expects a map argument",
		     e->builtin->name);
		return;
	}
	if (e->items.n >= 2 && map_of(map->map)->is_scalar)
		diag(c->d, D_MAP_KEY, e->span,
		     "call to %s expects a map with explicit keys (non-scalar map)", what);
	else if (e->items.n == 1 && !map_of(map->map)->is_scalar)
		diag(c->d, D_MAP_KEY, e->span,
		     "call to delete() with a single argument expects a map without explicit keys "
		     "(scalar map)");
}

static void final_len(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	const struct expr *arg = e->items.p[0];

	if (arg->kind == EXPR_MAP && arg->is_whole) {
		if (map_of(arg->map)->is_scalar)
			diag(c->d, D_MAP_KEY, e->span,
			     "call to len() expects a map with explicit keys (non-scalar map)");
		else if (!world_has(c->o->world, WORLD_FOR_EACH_MAP))
			diag(c->d, D_FEATURE, e->span,
			     "Missing required kernel feature: for_each_map_elem");
		return;
	}
	if (t->kind != TYPE_KSTACK && t->kind != TYPE_USTACK)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "call to len() expects a map, ustack, or kstack");
}

static void final_signal(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);
	const struct expr *arg = e->items.p[0];

	if (arg->kind == EXPR_STRING)
		return; /* lower.c knows the names */
	if (arg->kind == EXPR_INT && (arg->number < 1 || arg->number > 64))
		bad(c, e, "accepts a string literal or an integer between 1 and 64 (inclusive)");
	else if (!is_integer(t))
		bad(c, e, "accepts a string literal or an integer");
}

static void final_static_assert(struct check *c, struct expr *e)
{
	const struct expr *cond = e->items.p[0], *text = e->items.p[1];

	if (!expr_is_literal(cond)) {
		diag(c->d, D_COMPTIME, cond->span, "Unable to resolve comptime expression");
		diag_hint(c->d, "It is only known in a run; assert() looks then");
	} else if (!cond->number && text->kind == EXPR_STRING)
		diag(c->d, D_ASSERTION, e->span, "%.*s", (int)text->text.n, text->text.p);
}

static void final_address(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (is_integer(t) || t->kind == TYPE_POINTER)
		return;
	if (e->builtin->id == BUILTIN_KSYM || e->builtin->id == BUILTIN_USYM)
		bad(c, e, "expects an integer or pointer argument");
	else if (e->builtin->id == BUILTIN_JOIN)
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "() only supports int or pointer arguments (%s provided)", kind_str(t));
	else
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "%s() only supports integer or pointer arguments (%s provided)",
		     e->builtin->name, kind_str(t));
}

static void final_percpu(struct check *c, struct expr *e)
{
	struct str name = e->items.p[0]->text;
	struct world *w = c->o->world;
	const struct btf_view *btf = w && w->ops->btf ? w->ops->btf(w) : NULL;

	if (btf && btf_find(btf, BTF_ONE(VAR), arena_strndup(c->a, name.p, name.n)))
		return;
	diag(c->d, D_UNKNOWN_NAME, e->span, "Could not resolve variable \"%.*s\" from BTF",
	     (int)name.n, name.p);
}

static void final_nsecs(struct check *c, struct expr *e)
{
	if (e->items.n && e->items.p[0]->number == TIME_TAI &&
	    !world_has(c->o->world, WORLD_KTIME_TAI))
		diag(c->d, D_FEATURE, e->span,
		     "Kernel does not support tai timestamp, please try sw_tai");
}

/* An fn of the script: as many arguments, of exactly the promised types. */
static void final_fn_call(struct check *c, struct expr *e)
{
	struct fn *f = NULL;
	bool ok = true;

	for (size_t i = 0; i < c->p->fns.n && !f; i++)
		if (!strcmp(c->p->fns.p[i]->name, e->name))
			f = c->p->fns.p[i];
	if (!f)
		return;
	if (f->params.n != e->items.n) {
		diag(c->d, D_ARGUMENT_COUNT, e->span,
		     "Function `%s` requires %zu arguments, got only %zu", f->name, f->params.n,
		     e->items.n);
		return;
	}
	for (size_t i = 0; i < f->params.n; i++) {
		const struct type *to = slot_type(c, &var_of(f->params.p[i].var)->slot);
		const struct type *t = expr_type(c, e->items.p[i]);

		if (type_same(t, to) || cast_to(c, e->items.p[i], to))
			continue;
		diag(c->d, D_ARGUMENT_TYPE, e->items.p[i]->span,
		     "Expected %s for argument `%s` got %s", type_str(c, to),
		     f->params.p[i].name + 1, type_str(c, t));
		ok = false;
	}
	if (!ok) {
		_cleanup_buf_ struct buf b = {};

		for (size_t i = 0; i < f->params.n; i++) {
			buf_puts(&b, i ? ", " : "");
			type_print(slot_type(c, &var_of(f->params.p[i].var)->slot), &b);
		}
		diag(c->d, D_ARGUMENT_TYPE, e->span, "Function `%s` requires arguments (%s)",
		     f->name, b.p ? b.p : "");
	}
}

static void final_format(struct check *c, struct expr *e)
{
	check_format(c, e);
	for (size_t i = 1; i < e->items.n; i++) {
		const struct type *t = expr_type(c, e->items.p[i]);

		if (is_castable(t))
			cast_to(c, e->items.p[i], type_int(8, t->is_signed));
	}
}

static void final_stack_len(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (t->kind != TYPE_KSTACK && t->kind != TYPE_USTACK)
		diag(c->d, D_ARGUMENT_TYPE, e->span, "len() expects a map or stack to be provided");
}

static void final_override(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (!is_integer(t))
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "override() only supports int arguments (%s provided)", kind_str(t));
}

static void final_comm(struct check *c, struct expr *e)
{
	if (e->items.n && !is_integer(expr_type(c, e->items.p[0])))
		diag(c->d, D_ARGUMENT_TYPE, e->span, "Only integer supported for comm()'s pid");
}

static void final_tseries(struct check *c, struct expr *e)
{
	if (e->map && expr_type(c, e->items.p[0])->is_signed)
		map_of(e->map)->is_signed_series = true;
}

typedef void (*final_fn)(struct check *c, struct expr *e);

static const final_fn finals[BUILTINS] = {
	[BUILTIN_ASSERT_STR] = final_text,
	[BUILTIN_BUF] = final_buf,
	[BUILTIN_CAT] = final_format,
	[BUILTIN_COMM] = final_comm,
	[BUILTIN_DEBUGF] = final_format,
	[BUILTIN_DELETE] = final_map_function,
	[BUILTIN_ERRORF] = final_format,
	[BUILTIN_FAIL] = final_fail,
	[BUILTIN_FIND] = final_map_function,
	[BUILTIN_HAS_KEY] = final_map_function,
	[BUILTIN_JOIN] = final_address,
	[BUILTIN_KPTR] = final_address,
	[BUILTIN_KSTR] = final_str,
	[BUILTIN_KSYM] = final_address,
	[BUILTIN_LEN] = final_len,
	[BUILTIN_MACADDR] = final_macaddr,
	[BUILTIN_NSECS] = final_nsecs,
	[BUILTIN_NTOP] = final_ntop,
	[BUILTIN_OVERRIDE] = final_override,
	[BUILTIN_PATH] = final_path,
	[BUILTIN_PERCPU_KADDR] = final_percpu,
	[BUILTIN_PRINT] = final_print,
	[BUILTIN_PRINTF] = final_format,
	[BUILTIN_SIGNAL] = final_signal,
	[BUILTIN_SIGNAL_THREAD] = final_signal,
	[BUILTIN_SOCKET_COOKIE] = final_cookie,
	[BUILTIN_STACK_LEN] = final_stack_len,
	[BUILTIN_STATIC_ASSERT] = final_static_assert,
	[BUILTIN_STR] = final_str,
	[BUILTIN_STRCAP] = final_text,
	[BUILTIN_STRCONTAINS] = final_text,
	[BUILTIN_STRFTIME] = final_strftime,
	[BUILTIN_STRLEN] = final_text,
	[BUILTIN_STRSTR] = final_text,
	[BUILTIN_STR_CONCAT] = final_text,
	[BUILTIN_SYSTEM] = final_format,
	[BUILTIN_TSERIES] = final_tseries,
	[BUILTIN_UPTR] = final_address,
	[BUILTIN_USYM] = final_address,
	[BUILTIN_WARNF] = final_format,
};

void check_final_call(struct check *c, struct expr *e)
{
	if (!e->builtin)
		final_fn_call(c, e);
	else if (check_arguments(c, e) && finals[e->builtin->id])
		finals[e->builtin->id](c, e);
}
