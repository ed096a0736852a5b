/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls, before types: numbers of arguments, arguments that must be literals, kinds of
 * probes, --unsafe.
 */
#include "compile/lang/bpftrace/check-rules.h"

struct calls {
	struct visit w; /* first */
	struct check *c;
	const struct expr *format; /* first argument of printf and its like: may be long */
};

/* Builtins that are functions of bpftrace's library, which says it this way. */
static bool is_library(enum builtin_id id)
{
	switch ((int)id) {
	case BUILTIN_ASSERT:
	case BUILTIN_ASSERT_STR:
	case BUILTIN_COMM:
	case BUILTIN_CONTAINER_OF:
	case BUILTIN_DELETE:
	case BUILTIN_FIND:
	case BUILTIN_HAS_KEY:
	case BUILTIN_IS_ARRAY:
	case BUILTIN_IS_ERR:
	case BUILTIN_IS_INTEGER:
	case BUILTIN_IS_LITERAL:
	case BUILTIN_IS_PTR:
	case BUILTIN_IS_STR:
	case BUILTIN_IS_UNSIGNED_INTEGER:
	case BUILTIN_KFUNC_ALLOWED:
	case BUILTIN_KFUNC_EXIST:
	case BUILTIN_LEADER_COMM:
	case BUILTIN_LEADER_TID:
	case BUILTIN_LEN:
	case BUILTIN_MEMCMP:
	case BUILTIN_OVERRIDE:
	case BUILTIN_PCOMM:
	case BUILTIN_PPID:
	case BUILTIN_SIGNAL:
	case BUILTIN_SIGNAL_NAME:
	case BUILTIN_SIGNAL_THREAD:
	case BUILTIN_STATIC_ASSERT:
	case BUILTIN_STRCAP:
	case BUILTIN_STRCONTAINS:
	case BUILTIN_STRERROR:
	case BUILTIN_STRLEN:
	case BUILTIN_STRSTR:
	case BUILTIN_STR_CONCAT:
	case BUILTIN_SYSCALL_NAME:
	case BUILTIN_UADDR:
	case BUILTIN_WRITE_USER:
		return true;
	}
	return false;
}

static const char *plural(struct check *c, unsigned int n, const char *zero)
{
	if (!n)
		return zero;
	return n == 1 ? "one argument" : arena_printf(c->a, "%u arguments", n);
}

static bool check_count(struct check *c, struct expr *e)
{
	const struct builtin *b = e->builtin;
	unsigned int n = (unsigned int)e->items.n;

	if (n >= b->min && n <= b->max)
		return true;
	if (is_library(b->id)) {
		diag(c->d, D_ARGUMENT_COUNT, e->span,
		     "Call to %s() has arguments that do not match any definition.", b->name);
		diag_hint(c->d,
			  "The closest definition of %s() has a different number of arguments. "
			  "Expected: %u but got %u",
			  b->name, n < b->min ? b->min : b->max, n);
		return false;
	}
	if (b->min == b->max)
		diag(c->d, D_ARGUMENT_COUNT, e->span, "%s() requires %s (%u provided)", b->name,
		     plural(c, b->min, "no arguments"), n);
	else if (n < b->min)
		diag(c->d, D_ARGUMENT_COUNT, e->span, "%s() requires at least %s (%u provided)",
		     b->name, plural(c, b->min, ""), n);
	else
		diag(c->d, D_ARGUMENT_COUNT, e->span, "%s() %s%s (%u provided)", b->name,
		     b->max ? "takes up to " : "requires ", plural(c, b->max, "no arguments"), n);
	return false;
}

/* --- literals */

static bool is_number(const struct expr *e)
{
	return e->kind == EXPR_INT && !e->is_negative;
}

static void check_hist(struct check *c, struct expr *e)
{
	if (e->items.n < 2)
		return;
	if (is_number(e->items.p[1]) && e->items.p[1]->number > 5)
		diag(c->d, D_LIMIT, e->span, "hist: bits %llu must be 0..5",
		     (unsigned long long)e->items.p[1]->number);
}

static void check_lhist(struct check *c, struct expr *e)
{
	static const char *const names[] = {"min value (must be non-negative literal)",
					    "max value (must be non-negative literal)",
					    "step value"};
	static const char *const what[] = {"min", "max", "step"};
	int64_t min, max, step;

	for (size_t i = 0; i < 3; i++) {
		if (is_number(e->items.p[i + 1]))
			continue;
		diag(c->d, D_ARGUMENT_VALUE, e->span, "lhist: invalid %s", names[i]);
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		if (e->items.p[i + 1]->number <= INT64_MAX)
			continue;
		diag(c->d, D_LIMIT, e->span, "lhist() %s must be <= %lld (%llu provided)", what[i],
		     (long long)INT64_MAX, (unsigned long long)e->items.p[i + 1]->number);
		return;
	}
	min = (int64_t)e->items.p[1]->number;
	max = (int64_t)e->items.p[2]->number;
	step = (int64_t)e->items.p[3]->number;
	if (step <= 0)
		diag(c->d, D_LIMIT, e->span, "lhist() step must be >= 1 (%lld provided)",
		     (long long)step);
	else if (((uint64_t)max - (uint64_t)min) / (uint64_t)step > 1000 && max >= min)
		diag(c->d, D_LIMIT, e->span,
		     "lhist() too many buckets, must be <= 1000 (would need %lld)",
		     (long long)((max - min) / step));
	if (min > max)
		diag(c->d, D_LIMIT, e->span,
		     "lhist() min must be less than max (provided min %lld and max %lld)",
		     (long long)min, (long long)max);
	if (max >= min && max - min < step)
		diag(c->d, D_LIMIT, e->span,
		     "lhist() step is too large for the given range (provided step %lld for range "
		     "%lld)",
		     (long long)step, (long long)(max - min));
}

static void check_tseries(struct check *c, struct expr *e)
{
	static const char *const names[] = {"interval_ns", "num_intervals"};
	struct expr *agg = e->items.n > 3 ? e->items.p[3] : NULL;

	for (size_t i = 0; i < 2; i++) {
		if (is_number(e->items.p[i + 1]))
			continue;
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "tseries: invalid %s value (must be non-negative literal)", names[i]);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		if (e->items.p[i + 1]->number)
			continue;
		diag(c->d, D_LIMIT, e->span, "tseries() %s must be >= 1 (0 provided)", names[i]);
		return;
	}
	if (e->items.p[2]->number > 1000000)
		diag(c->d, D_LIMIT, e->span,
		     "tseries() num_intervals must be < 1000000 (%llu provided)",
		     (unsigned long long)e->items.p[2]->number);
	if (!agg || agg->kind != EXPR_STRING || str_eq(agg->text, STR("avg")) ||
	    str_eq(agg->text, STR("sum")) || str_eq(agg->text, STR("max")) ||
	    str_eq(agg->text, STR("min")))
		return;
	diag(c->d, D_ARGUMENT_VALUE, e->span,
	     "tseries() expects one of the following aggregation functions: avg, max, min, sum "
	     "(\"%.*s\" provided)",
	     (int)agg->text.n, agg->text.p);
}

static void check_reg(struct check *c, struct expr *e)
{
	static const char *const names[] = {"r15", "r14",   "r13", "r12",      "bp", "bx",
					    "r11", "r10",   "r9",  "r8",       "ax", "cx",
					    "dx",  "si",    "di",  "orig_rax", "ip", "pc",
					    "cs",  "flags", "sp",  "ss",       NULL};
	struct expr *name = e->items.p[0];
	const char *near;

	if (name->kind != EXPR_STRING)
		return;
	for (size_t i = 0; names[i]; i++)
		if (str_eq(name->text, str_of(names[i])))
			return;
	diag(c->d, D_ARGUMENT_VALUE, e->span,
	     "'%.*s' is not a valid register on this architecture (x86_64)", (int)name->text.n,
	     name->text.p);
	near = str_nearest(arena_strndup(c->a, name->text.p, name->text.n), names);
	if (near)
		diag_hint(c->d, "Did you mean \"%s\"?", near);
}

static void check_debugf(struct check *c, struct expr *e)
{
	diag_warn(c->d, D_DEPRECATED, e->span,
		  "The debugf() builtin is not recommended for production use. For more "
		  "information see bpf_trace_printk in bpf-helpers(7).");
	if (e->items.n > 4)
		diag(c->d, D_LIMIT, e->span, "cannot use more than 3 conversion specifiers");
}

static void check_path(struct check *c, struct expr *e)
{
	static const char *const with[] = {"fentry", "fexit", "iter", NULL};

	if (e->items.n == 2 && !is_number(e->items.p[1]))
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "path: invalid size value, need non-negative literal");
	if (c->probe && !is_provider(c->probe, with))
		diag(c->d, D_NOT_HERE, e->span,
		     "The path function can only be used with 'fentry', 'fexit', 'iter' probes");
}

static void check_namespace(struct check *c, struct expr *e)
{
	struct expr *word = e->items.n ? e->items.p[0] : NULL;

	if (!word || word->kind == EXPR_INT) {
		if (word && !word->type)
			diag(c->d, D_ARGUMENT_VALUE, e->span,
			     "%s() only supports curr_ns and init as the argument",
			     e->builtin->name);
		return;
	}
	if (word->kind != EXPR_IDENT) {
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "%s() only supports curr_ns and init as the argument", e->builtin->name);
		return;
	}
	if (strcmp(word->name, "curr_ns") && strcmp(word->name, "init")) {
		diag(c->d, D_ARGUMENT_VALUE, word->span,
		     "Invalid PID namespace mode: %s (expects: curr_ns or init)", word->name);
		return;
	}
	word->kind = EXPR_INT;
	word->number = !strcmp(word->name, "init");
	word->type = type_int(1, false);
}

static void check_uaddr(struct check *c, struct expr *e)
{
	struct expr *name = e->items.p[0];
	size_t i;

	if (name->kind != EXPR_STRING) {
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "uaddr() expects a string literal as the first argument");
		return;
	}
	for (i = 0; i < name->text.n; i++) {
		char k = name->text.p[i];

		if (!(k >= 'a' && k <= 'z') && !(k >= 'A' && k <= 'Z') && !(k >= '0' && k <= '9') &&
		    !strchr("./_-", k))
			break;
	}
	if (i < name->text.n || !i)
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "uaddr() expects a string that is a valid symbol (^[a-zA-Z0-9./_-]+$) as "
		     "input (\"%.*s\" provided)",
		     (int)name->text.n, name->text.p);
}

static void check_whole_map(struct check *c, struct expr *e)
{
	if (e->items.p[0]->kind != EXPR_MAP)
		diag(c->d, D_ARGUMENT_TYPE, e->items.p[0]->span, "%s() expects a map argument",
		     e->builtin->name);
}

static void check_literals_of(struct check *c, struct expr *e)
{
	switch ((int)e->builtin->id) {
	case BUILTIN_CLEAR:
	case BUILTIN_ZERO:
		check_whole_map(c, e);
		break;
	case BUILTIN_HIST:
		check_hist(c, e);
		break;
	case BUILTIN_LHIST:
		check_lhist(c, e);
		break;
	case BUILTIN_TSERIES:
		check_tseries(c, e);
		break;
	case BUILTIN_REG:
		check_reg(c, e);
		break;
	case BUILTIN_DEBUGF:
		check_debugf(c, e);
		break;
	case BUILTIN_PATH:
		check_path(c, e);
		break;
	case BUILTIN_STRNCMP:
		if (!is_number(e->items.p[2]))
			diag(c->d, D_ARGUMENT_VALUE, e->span,
			     "Builtin strncmp requires a non-negative literal");
		break;
	case BUILTIN_PID:
	case BUILTIN_TID:
		check_namespace(c, e);
		break;
	case BUILTIN_UADDR:
		check_uaddr(c, e);
		break;
	}
}

/* --- probes and safety */

static bool is_available(struct check *c, enum builtin_id id)
{
	static const char *const with_regs[] = {"kprobe",   "kretprobe",  "uprobe",   "uretprobe",
						"usdt",	    "profile",	  "interval", "software",
						"hardware", "watchpoint", NULL};
	static const char *const user[] = {"uprobe", "uretprobe", "usdt", NULL};
	static const char *const tracing[] = {"fentry", "fexit", "iter", "rawtracepoint", NULL};

	switch ((int)id) {
	case BUILTIN_REG:
		return is_provider(c->probe, with_regs);
	case BUILTIN_UADDR:
		return is_provider(c->probe, user);
	case BUILTIN_SKBOUTPUT:
	case BUILTIN_SOCKET_COOKIE:
		return is_provider(c->probe, tracing);
	}
	return true;
}

static void check_override(struct check *c, struct expr *e)
{
	static const char *const kprobe[] = {"kprobe", NULL};

	if (c->probe && !is_provider(c->probe, kprobe))
		diag(c->d, D_NOT_HERE, e->span, "override() can only be used inside kprobes");
	else if (c->o->is_safe)
		diag(c->d, D_UNSAFE, e->span,
		     "override() is unsafe. To use you need the --unsafe flag");
}

static void check_signal(struct check *c, struct expr *e)
{
	static const char *const with[] = {"kprobe", "kretprobe",     "uprobe",	 "uretprobe",
					   "usdt",   "tracepoint",    "profile", "fentry",
					   "fexit",  "rawtracepoint", NULL};

	if (c->probe && !is_provider(c->probe, with))
		diag(c->d, D_NOT_HERE, e->span, "%s() can not be used for this probetype %s",
		     e->builtin->name, probe_provider(c->probe));
	else if (c->o->is_safe)
		diag(c->d, D_UNSAFE, e->span, "%s() is unsafe. To use you need the --unsafe flag",
		     e->builtin->name);
}

static void check_place(struct check *c, struct expr *e)
{
	switch ((int)e->builtin->id) {
	case BUILTIN_SYSTEM:
		if (c->o->is_safe)
			diag(c->d, D_UNSAFE, e->span,
			     "system() is an unsafe function being used in safe mode");
		break;
	case BUILTIN_OVERRIDE:
		check_override(c, e);
		break;
	case BUILTIN_SIGNAL:
	case BUILTIN_SIGNAL_THREAD:
		check_signal(c, e);
		break;
	case BUILTIN_WRITE_USER:
		if (c->o->is_safe)
			diag(c->d, D_UNSAFE, e->span,
			     "write_user() is unsafe. To use you need the --unsafe flag");
		break;
	}
	if (c->probe && !is_available(c, e->builtin->id))
		diag(c->d, D_NOT_HERE, e->span, "%s can not be used with \"%s\" probes", e->name,
		     probe_provider(c->probe));
}

/* --- the walk */

static bool enter_call(struct visit *w, struct expr *e)
{
	struct calls *k = (struct calls *)w;
	struct check *c = k->c;

	if (e->kind == EXPR_STRING && e != k->format && !e->is_bare &&
	    e->text.n + 1 > c->q->config.max_strlen)
		diag(c->d, D_LIMIT, e->span, "String is too long (over %llu bytes): %.*s",
		     (unsigned long long)c->q->config.max_strlen, (int)e->text.n, e->text.p);
	if (e->kind != EXPR_CALL || !e->builtin)
		return true;
	check_place(c, e);
	if (!check_count(c, e))
		return false;
	if (e->items.n &&
	    ((e->builtin->flags & BUILTIN_FORMAT) || e->builtin->id == BUILTIN_CGROUPID))
		k->format = e->items.p[0];
	return true;
}

static void leave_call(struct visit *w, struct expr *e)
{
	struct calls *k = (struct calls *)w;

	if (e->kind == EXPR_CALL && e->builtin)
		check_literals_of(k->c, e);
}

static bool enter_unroll(struct visit *w, struct stmt *s)
{
	struct check *c = ((struct calls *)w)->c;

	if (s->kind != STMT_UNROLL)
		return true;
	if (s->a->kind != EXPR_INT) {
		diag(c->d, D_ARGUMENT_VALUE, s->span, "invalid unroll value");
		diag_hint(c->d, "It must be known when compiling; `for ($i : 0..$n) { ... }` takes "
				"any number");
		return false;
	}
	if (s->a->number > 100)
		diag(c->d, D_LIMIT, s->span, "unroll maximum value is 100");
	else if (s->a->number < 1)
		diag(c->d, D_LIMIT, s->span, "unroll minimum value is 1");
	return true;
}

void check_calls(struct check *c)
{
	struct calls k = {.w = {.ctx = c,
				.enter_expr = enter_call,
				.expr = leave_call,
				.enter_stmt = enter_unroll},
			  .c = c};

	for (size_t i = 0; i < c->p->fns.n; i++)
		visit_block(&k.w, c->p->fns.p[i]->block);
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		c->probe = &c->ret->probes.p[i];
		visit_probe(&k.w, c->probe->probe);
	}
	c->probe = NULL;
}
