/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of calls: what each builtin gives.
 *
 * One row a builtin: a type that is always the same, or a function that works it out (at
 * once, or by a rule if it depends on an argument).  Whether the arguments are right is
 * asked at the end (check-final-call.c), but for what the result needs.
 */
#include "compile/lang/bpftrace/check-rules.h"

#include <arpa/inet.h>

/* &type_none: a rule was added, or it has no type. */
typedef const struct type *(*result_fn)(struct check *c, struct expr *e);

static struct expr *arg(const struct expr *e, size_t i)
{
	return i < e->items.n ? e->items.p[i] : NULL;
}

static bool needs_probe(struct check *c, const struct expr *e)
{
	static const char *const inner[] = {"func", "retval", NULL};
	const char *prefix = "";

	if (c->probe)
		return true;
	for (size_t i = 0; inner[i]; i++)
		if (!strcmp(e->builtin->name, inner[i]))
			prefix = "__builtin_";
	if (e->builtin->id == BUILTIN_ARG)
		diag(c->d, D_NOT_HERE, e->span, "Builtin arg%llu not supported outside probe",
		     (unsigned long long)e->number);
	else
		diag(c->d, D_NOT_HERE, e->span, "Builtin %s%s not supported outside probe", prefix,
		     e->builtin->name);
	return false;
}

/* --- of one kind, or of the probe */

static const struct type *result_arg(struct check *c, struct expr *e)
{
	if (!needs_probe(c, e))
		return &type_none;
	return type_in_space(c, type_int(8, false), probe_space(c->probe));
}

static const struct type *result_args(struct check *c, struct expr *e)
{
	static const char *const uprobe[] = {"uprobe", NULL}, *const tp[] = {"tracepoint", NULL};
	const struct resolved *r;
	const struct type *t;
	struct type *copy;

	if (!needs_probe(c, e))
		return &type_none;
	r = c->probe->points;
	if (!r->args) {
		if (!c->d->errors)
			diag(c->d, D_UNKNOWN_FIELD, e->span, "Cannot read function parameters");
		return &type_none;
	}
	t = type_complete(c->tt, r->args);
	if (!t->n_members && !is_provider(c->probe, tp)) {
		diag(c->d, D_UNKNOWN_FIELD, e->span, "Cannot read function parameters");
		return &type_none;
	}
	copy = type_copy(c, t);
	copy->is_ctx = true;
	copy->space = is_provider(c->probe, uprobe) || (is_provider(c->probe, tp) && r->group &&
							!strcmp(r->group, "syscalls"))
			      ? SPACE_USER
			      : SPACE_KERNEL;
	return copy;
}

static const struct type *struct_pointer(struct check *c, const char *name, bool is_ctx)
{
	const struct type *t = c->tt ? type_table_find(c->tt, TAG_STRUCT, name) : NULL;

	if (!t)
		return NULL;
	return type_with_ctx(c, type_pointer(c->a, t, SPACE_KERNEL), is_ctx);
}

static const struct type *result_ctx(struct check *c, struct expr *e)
{
	static const char *const regs[] = {"kprobe",	"kretprobe", "uprobe",
					   "uretprobe", "usdt",	     NULL};
	static const char *const perf[] = {"profile",  "interval",   "software",
					   "hardware", "watchpoint", NULL};
	static const char *const iter[] = {"iter", NULL};
	const struct type *t = NULL;

	if (!needs_probe(c, e))
		return &type_none;
	if (is_provider(c->probe, regs))
		t = struct_pointer(c, "pt_regs", true);
	else if (is_provider(c->probe, perf))
		t = struct_pointer(c, "bpf_perf_event_data", true);
	else if (is_provider(c->probe, iter) && c->probe->points->function)
		t = struct_pointer(
			c, arena_printf(c->a, "bpf_iter__%s", c->probe->points->function), true);
	return t ? t : type_with_ctx(c, type_pointer(c->a, &type_void, SPACE_KERNEL), true);
}

static const struct type *result_retval(struct check *c, struct expr *e)
{
	static const char *const traced[] = {"fentry", "fexit", NULL};
	const struct type *t = type_int(8, false);

	if (!needs_probe(c, e))
		return &type_none;
	if (is_provider(c->probe, traced)) {
		t = c->probe->points->retval;
		if (!t) {
			diag(c->d, D_UNKNOWN_FIELD, e->span, "Can't find a field $retval");
			return &type_none;
		}
	}
	return type_in_space(c, t, probe_space(c->probe));
}

static const struct type *result_func(struct check *c, struct expr *e)
{
	static const char *const user[] = {"uprobe", "uretprobe", NULL};
	size_t n = 4;

	if (!needs_probe(c, e))
		return &type_none;
	if (!is_provider(c->probe, user))
		return type_plain(c->a, TYPE_KSYM);
	/* Linux 6.6 says where a function began when it returns, and has uprobe.multi */
	if (!is_provider(c->probe, user + 1) || world_has(c->o->world, WORLD_UPROBE_MULTI))
		return type_plain(c->a, TYPE_USYM);
	for (const struct resolved *r = c->probe->points; r; r = r->next)
		if (r->func && strlen(r->func) > n)
			n = strlen(r->func);
	return type_string(c->a, (uint32_t)n + 1);
}

static const struct type *result_probe(struct check *c, struct expr *e)
{
	size_t n = 4;

	if (!c->probe) {
		diag(c->d, D_NOT_HERE, e->span,
		     "__builtin_probe can only be used inside of a probe.");
		return &type_none;
	}
	for (const struct resolved *r = c->probe->points; r; r = r->next)
		if (r->name && strlen(r->name) > n)
			n = strlen(r->name);
	return type_string(c->a, (uint32_t)n + 1);
}

static const struct type *result_curtask(struct check *c, struct expr *e)
{
	const struct type *t = struct_pointer(c, "task_struct", false);

	(void)e;
	return t ? t : type_pointer(c->a, &type_void, SPACE_KERNEL);
}

static const struct type *result_comm(struct check *c, struct expr *e)
{
	return type_in_space(c, type_string(c->a, e->items.n ? 64 : 16), SPACE_BPF);
}

static const struct type *result_reg(struct check *c, struct expr *e)
{
	(void)e;
	return type_in_space(c, type_int(8, false),
			     c->probe ? probe_space(c->probe) : SPACE_KERNEL);
}

static const struct type *result_kernel_address(struct check *c, struct expr *e)
{
	(void)e;
	return type_in_space(c, type_int(8, false), SPACE_KERNEL);
}

/* --- text and bytes */

static const struct type *result_str(struct check *c, struct expr *e)
{
	uint64_t room = c->q->config.max_strlen;
	struct expr *n = arg(e, 1);

	if (n && n->kind == EXPR_INT && n->is_negative) {
		diag(c->d, D_ARGUMENT_VALUE, e->span, "%scannot use negative length (%lld)",
		     e->builtin->name, (long long)n->number);
	} else if (n && n->kind == EXPR_INT && n->number >= room) {
		diag_warn(
			c->d, D_ARGUMENT_VALUE, e->span,
			"length param (%llu) is too long and will be shortened to %llu bytes (see "
			"BPFTRACE_MAX_STRLEN)",
			(unsigned long long)n->number, (unsigned long long)room);
	} else if (n && n->kind == EXPR_INT) {
		room = n->number + 1;
	}
	return type_in_space(c, type_string(c->a, (uint32_t)room), SPACE_BPF);
}

static const struct type *buffer_of(struct check *c, uint64_t n)
{
	uint64_t max = c->q->config.max_strlen - 4;

	return type_in_space(c, type_buffer(c->a, (uint32_t)(n < max ? n : max)), SPACE_BPF);
}

static const struct type *resolve_buf(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	return buffer_of(c, t->kind == TYPE_ARRAY ? t->size : UINT32_MAX);
}

static const struct type *result_buf(struct check *c, struct expr *e)
{
	struct expr *n = arg(e, 1);
	struct slot *in;

	if (n)
		return buffer_of(c,
				 n->kind == EXPR_INT && !n->is_negative ? n->number : UINT32_MAX);
	in = slot_expr(c, e->items.p[0]);
	rule_add(c, slot_expr(c, e), resolve_buf, e, &in, 1);
	return &type_none;
}

static const struct type *result_path(struct check *c, struct expr *e)
{
	struct expr *n = arg(e, 1);

	return type_string(c->a, n && n->kind == EXPR_INT ? (uint32_t)n->number
							  : (uint32_t)c->q->config.max_strlen);
}

static const struct type *result_concat(struct check *c, struct expr *e)
{
	(void)e;
	return type_in_space(c, type_string(c->a, 1024), SPACE_BPF);
}

static const struct type *result_pton(struct check *c, struct expr *e)
{
	struct expr *text = arg(e, 0);
	const char *address;
	uint8_t bytes[16];
	struct type *t;
	int family;

	if (!text || text->kind != EXPR_STRING) {
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "pton() expects an string literal at the first argument");
		return &type_none;
	}
	address = arena_strndup(c->a, text->text.p, text->text.n);
	if (!strchr(address, '.') && !strchr(address, ':')) {
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "pton() expects an string argument of an IPv4/IPv6 address, got %s", address);
		return &type_none;
	}
	family = strchr(address, '.') ? AF_INET : AF_INET6;
	if (inet_pton(family, address, bytes) != 1) {
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "pton() expects a valid IPv4/IPv6 address, got %s", address);
		return &type_none;
	}
	t = type_copy(c, type_array(c->a, type_int(1, false), family == AF_INET ? 4 : 16));
	t->space = SPACE_BPF;
	t->is_internal = true;
	return t;
}

/* --- stacks and time: words as arguments */

static bool stack_word(const char *word, enum stack_mode *ret)
{
	static const char *const words[] = {"bpftrace", "perf", "raw", "build_id"};

	for (unsigned int i = 0; i < 4; i++) {
		if (strcmp(word, words[i]))
			continue;
		*ret = (enum stack_mode)i;
		return true;
	}
	return false;
}

static void stack_limit(struct check *c, struct expr *e, struct expr *n, unsigned int *ret)
{
	if (n->kind != EXPR_INT || n->is_negative) {
		diag(c->d, D_ARGUMENT_VALUE, e->span, "%s: invalid limit value", e->builtin->name);
		return;
	}
	*ret = (unsigned int)(n->number > UINT16_MAX ? UINT16_MAX : n->number);
	if (n->number > 1024)
		diag(c->d, D_LIMIT, e->span,
		     "%s([int limit]): limit shouldn't exceed 1024, %llu given", e->builtin->name,
		     (unsigned long long)n->number);
}

static const struct type *result_stack(struct check *c, struct expr *e)
{
	bool is_kernel = e->builtin->id == BUILTIN_KSTACK;
	enum stack_mode mode = c->q->config.stack_mode;
	unsigned int limit = 127;
	size_t i = 0;

	if (!e->items.n && is_kernel && mode == STACK_BUILD_ID) {
		diag_warn(c->d, D_ARGUMENT_VALUE, e->span,
			  "'build_id' stack mode can only be used for ustack. Falling back to "
			  "'raw' mode.");
		mode = STACK_RAW;
	}
	if (e->items.n && e->items.p[0]->kind == EXPR_IDENT) {
		if (!stack_word(e->items.p[0]->name, &mode)) {
			diag(c->d, D_ARGUMENT_VALUE, e->items.p[0]->span,
			     "Error parsing stack mode: Invalid value for %s: stack_mode must be "
			     "one of: bpftrace, perf, raw, build_id",
			     e->builtin->name);
			return &type_none;
		}
		i = 1;
	} else if (e->items.n == 2) {
		diag(c->d, D_ARGUMENT_VALUE, e->span, "Expected stack mode as first argument");
		i = 1;
	}
	if (i < e->items.n)
		stack_limit(c, e, e->items.p[i], &limit);
	if (mode == STACK_BUILD_ID && is_kernel)
		diag(c->d, D_ARGUMENT_VALUE, e->span,
		     "'build_id' stack mode can only be used for ustack");
	return type_stack(c->a, is_kernel ? TYPE_KSTACK : TYPE_USTACK, limit, mode);
}

static const struct type *with_clock(struct check *c, enum time_mode mode)
{
	struct type *t = type_copy(c, type_int(8, false));

	t->time.mode = (uint8_t)(mode + 1);
	return t;
}

static const struct type *result_nsecs(struct check *c, struct expr *e)
{
	static const char *const words[] = {"monotonic", "boot", "tai", "sw_tai"};
	struct expr *word = arg(e, 0);

	if (!word)
		return with_clock(c, TIME_BOOT);
	for (unsigned int i = 0; word->kind == EXPR_IDENT && i < 4; i++) {
		if (strcmp(word->name, words[i]))
			continue;
		word->kind = EXPR_INT;
		word->number = i;
		word->type = type_plain(c->a, TYPE_TIMESTAMP_MODE);
	}
	if (word->kind == EXPR_IDENT) {
		diag(c->d, D_ARGUMENT_VALUE, word->span, "Invalid timestamp mode: %s", word->name);
		diag_hint(c->d, "It is one of monotonic, boot, tai, sw_tai");
		return &type_none;
	}
	if (!word->type || word->type->kind != TYPE_TIMESTAMP_MODE)
		return type_int(8, false);
	slot_set(c, slot_expr(c, word), word->type);
	return with_clock(c, (enum time_mode)word->number);
}

static const struct type *resolve_strftime(struct check *c, const struct rule *r)
{
	const struct type *in = rule_in(c, r, 0);
	struct type *t = type_copy(c, type_plain(c->a, TYPE_TIMESTAMP));

	t->time.mode = TIME_BOOT;
	if (in->kind == TYPE_INT && in->time.mode)
		t->time.mode = (uint8_t)(in->time.mode - 1);
	return t;
}

static const struct type *result_strftime(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->items.p[1]);

	rule_add(c, slot_expr(c, e), resolve_strftime, e, &in, 1);
	return &type_none;
}

/* --- by the type of an argument */

static const struct type *resolve_pointer(struct check *c, const struct rule *r)
{
	return type_in_space(c, rule_in(c, r, 0),
			     r->e->builtin->id == BUILTIN_KPTR ? SPACE_KERNEL : SPACE_USER);
}

static const struct type *result_pointer(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->items.p[0]);

	rule_add(c, slot_expr(c, e), resolve_pointer, e, &in, 1);
	return &type_none;
}

static const struct type *resolve_bswap(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	if (is_integer(t))
		return type_int(t->size, false);
	diag(c->d, D_ARGUMENT_TYPE, r->e->span,
	     "bswap() only supports integer arguments (%s provided)", kind_str(t));
	return &type_none;
}

static const struct type *result_bswap(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->items.p[0]);

	rule_add(c, slot_expr(c, e), resolve_bswap, e, &in, 1);
	return &type_none;
}

static const struct type *result_uaddr(struct check *c, struct expr *e)
{
	const struct world_symbol *symbol = NULL;
	unsigned int n = 0, size = 8;
	struct expr *name = arg(e, 0);
	struct world *w = c->o->world;

	if (!needs_probe(c, e))
		return &type_none;
	if (name->kind == EXPR_STRING && w && w->ops->symbols && c->probe->points->binary &&
	    w->ops->symbols(w, c->probe->points->binary,
			    arena_strndup(c->a, name->text.p, name->text.n), false, &symbol,
			    &n) >= 0 &&
	    n && (symbol->size == 1 || symbol->size == 2 || symbol->size == 4))
		size = (unsigned int)symbol->size;
	return type_pointer(c->a, type_int(size, true), SPACE_USER);
}

/* @m[k] as the map functions look at it: the key takes part in the inference. */
static const struct type *resolve_call_key(struct check *c, const struct rule *r)
{
	return map_key_takes(c, r->map, rule_in(c, r, 0), r->e->items.p[1]->span);
}

static void infer_map_key(struct check *c, struct expr *e)
{
	struct expr *map = e->items.p[0];
	struct slot *in = slot_expr(c, e->items.p[1]);

	if (map->kind != EXPR_MAP || map_of(map->map)->is_scalar)
		return;
	rule_add(c, &map_of(map->map)->key, resolve_call_key, e, &in, 1)->map = map_of(map->map);
}

static const struct type *result_has_key(struct check *c, struct expr *e)
{
	if (e->items.n > 1)
		infer_map_key(c, e);
	return &type_bool;
}

static const struct type *resolve_found(struct check *c, const struct rule *r)
{
	return var_takes(c, r->var, rule_in(c, r, 0), r->e->span);
}

static const struct type *result_find(struct check *c, struct expr *e)
{
	struct expr *map = arg(e, 0), *var = arg(e, 2);
	struct slot *in;
	struct rule *r;

	infer_map_key(c, e);
	if (map->kind == EXPR_MAP && var && var->kind == EXPR_VAR) {
		in = &map_of(map->map)->value;
		r = rule_add(c, &var_of(var->var)->slot, resolve_found, e, &in, 1);
		r->var = var_of(var->var);
	}
	return &type_bool;
}

/* --- the table */

static const struct {
	result_fn of;
	enum type_kind kind; /* if there is no function */
	uint8_t size;	     /* INT */
	bool is_signed;
} results[BUILTINS] = {
#define INT_RESULT(bytes, sgn)                                        \
	{                                                             \
		.kind = TYPE_INT, .size = (bytes), .is_signed = (sgn) \
	}
#define KIND_RESULT(k)      \
	{                   \
		.kind = (k) \
	}
#define FN_RESULT(f)      \
	{                 \
		.of = (f) \
	}
	[BUILTIN_ARG] = FN_RESULT(result_arg),
	[BUILTIN_ARGS] = FN_RESULT(result_args),
	[BUILTIN_ASSERT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_ASSERT_STR] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_AVG] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_BSWAP] = FN_RESULT(result_bswap),
	[BUILTIN_BUF] = FN_RESULT(result_buf),
	[BUILTIN_CAT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_CGROUP] = INT_RESULT(8, false),
	[BUILTIN_CGROUPID] = INT_RESULT(8, false),
	[BUILTIN_CGROUP_PATH] = KIND_RESULT(TYPE_CGROUP),
	[BUILTIN_CLEAR] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_COMM] = FN_RESULT(result_comm),
	[BUILTIN_COUNT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_CPID] = INT_RESULT(8, false),
	[BUILTIN_CPU] = INT_RESULT(8, false),
	[BUILTIN_CTX] = FN_RESULT(result_ctx),
	[BUILTIN_CURTASK] = FN_RESULT(result_curtask),
	[BUILTIN_DEBUGF] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_DELETE] = FN_RESULT(result_has_key),
	[BUILTIN_ELAPSED] = INT_RESULT(8, false),
	[BUILTIN_ERRORF] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_EXIT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_FAIL] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_FIND] = FN_RESULT(result_find),
	[BUILTIN_FUNC] = FN_RESULT(result_func),
	[BUILTIN_GID] = INT_RESULT(8, false),
	[BUILTIN_HAS_CPID] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_HAS_KEY] = FN_RESULT(result_has_key),
	[BUILTIN_HIST] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_IS_ARRAY] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_ERR] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_INTEGER] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_LITERAL] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_PTR] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_SCALAR] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_STR] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_IS_UNSIGNED_INTEGER] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_JIFFIES] = INT_RESULT(8, false),
	[BUILTIN_JOIN] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_KADDR] = FN_RESULT(result_kernel_address),
	[BUILTIN_KFUNC_ALLOWED] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_KFUNC_EXIST] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_KPTR] = FN_RESULT(result_pointer),
	[BUILTIN_KSTACK] = FN_RESULT(result_stack),
	[BUILTIN_KSTR] = FN_RESULT(result_str),
	[BUILTIN_KSYM] = KIND_RESULT(TYPE_KSYM),
	[BUILTIN_LEN] = INT_RESULT(8, true),
	[BUILTIN_LHIST] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_MACADDR] = KIND_RESULT(TYPE_MAC),
	[BUILTIN_MAX] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_MEMCMP] = INT_RESULT(4, true),
	[BUILTIN_MIN] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_NCPUS] = INT_RESULT(8, false),
	[BUILTIN_NSECS] = FN_RESULT(result_nsecs),
	[BUILTIN_NTOP] = KIND_RESULT(TYPE_INET),
	[BUILTIN_NUMAID] = INT_RESULT(8, false),
	[BUILTIN_OVERRIDE] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_PATH] = FN_RESULT(result_path),
	[BUILTIN_PERCPU_KADDR] = FN_RESULT(result_kernel_address),
	[BUILTIN_PID] = INT_RESULT(4, false),
	[BUILTIN_PRINT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_PRINTF] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_PROBE] = FN_RESULT(result_probe),
	[BUILTIN_PTON] = FN_RESULT(result_pton),
	[BUILTIN_RAND] = INT_RESULT(8, false),
	[BUILTIN_REG] = FN_RESULT(result_reg),
	[BUILTIN_RETVAL] = FN_RESULT(result_retval),
	[BUILTIN_SIGNAL] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_SIGNAL_NAME] = KIND_RESULT(TYPE_SIGNAL),
	[BUILTIN_SIGNAL_THREAD] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_SKBOUTPUT] = INT_RESULT(4, false),
	[BUILTIN_SOCKET_COOKIE] = INT_RESULT(8, false),
	[BUILTIN_STACK_LEN] = INT_RESULT(8, true),
	[BUILTIN_STATIC_ASSERT] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_STATS] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_STR] = FN_RESULT(result_str),
	[BUILTIN_STRCAP] = INT_RESULT(8, false),
	[BUILTIN_STRCONTAINS] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_STRERROR] = KIND_RESULT(TYPE_STRERROR),
	[BUILTIN_STRFTIME] = FN_RESULT(result_strftime),
	[BUILTIN_STRLEN] = INT_RESULT(8, false),
	[BUILTIN_STRNCMP] = INT_RESULT(8, false),
	[BUILTIN_STRSTR] = INT_RESULT(4, true),
	[BUILTIN_STR_CONCAT] = FN_RESULT(result_concat),
	[BUILTIN_SUM] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_SYSCALL_NAME] = KIND_RESULT(TYPE_SYSCALL),
	[BUILTIN_SYSTEM] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_TID] = INT_RESULT(4, false),
	[BUILTIN_TIME] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_TSERIES] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_UADDR] = FN_RESULT(result_uaddr),
	[BUILTIN_UID] = INT_RESULT(8, false),
	[BUILTIN_UNWATCH] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_UPTR] = FN_RESULT(result_pointer),
	[BUILTIN_USERMODE] = INT_RESULT(1, false),
	[BUILTIN_USERNAME] = KIND_RESULT(TYPE_USERNAME),
	[BUILTIN_USTACK] = FN_RESULT(result_stack),
	[BUILTIN_USYM] = KIND_RESULT(TYPE_USYM),
	[BUILTIN_WARNF] = KIND_RESULT(TYPE_VOID),
	[BUILTIN_WRITE_USER] = KIND_RESULT(TYPE_BOOL),
	[BUILTIN_ZERO] = KIND_RESULT(TYPE_VOID),
};

static const struct type *result_type(struct check *c, struct expr *e)
{
	enum builtin_id id = e->builtin->id;

	if (results[id].of)
		return results[id].of(c, e);
	if (results[id].kind == TYPE_VOID)
		return &type_void;
	if (results[id].kind == TYPE_BOOL)
		return &type_bool;
	if (results[id].kind == TYPE_INT)
		return type_int(results[id].size, results[id].is_signed);
	return type_plain(c->a, results[id].kind);
}

static void hint_function(struct check *c, const char *name)
{
	ARRAY(const char *) names = {};

#define BUILTIN(id, word, min, max, flags, help) array_push(c->a, &names, word);
#include "catalog/builtins.def"
#undef BUILTIN
	for (size_t i = 0; i < c->p->fns.n; i++)
		array_push(c->a, &names, c->p->fns.p[i]->name);
	array_push(c->a, &names, NULL);
	hint_near(c, name, names.p);
}

static void infer_fn_call(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < c->p->fns.n; i++) {
		struct fn *f = c->p->fns.p[i];

		if (strcmp(f->name, e->name))
			continue;
		rule_pass(c, slot_ref(c, f->result), slot_expr(c, e));
		return;
	}
	diag(c->d, D_UNKNOWN_FUNCTION, e->span, "Unknown function: '%s'", e->name);
	hint_function(c, e->name);
}

void infer_call(struct check *c, struct expr *e)
{
	const struct type *t;

	for (size_t i = 0; i < e->items.n; i++)
		infer_expr(c, e->items.p[i]);
	if (!e->builtin) {
		infer_fn_call(c, e);
		return;
	}
	t = result_type(c, e);
	if (t->kind != TYPE_NONE)
		slot_set(c, slot_expr(c, e), t);
}
