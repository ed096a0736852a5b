/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/features.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "catalog/catalog.h"
#include "runtime/kern/features-probe.h"

#define C(id) CAPABILITY_BIT(id)
#define E(id) KIND_BIT(EV_##id)
#define ALL   (~0ull)

static const struct row {
	struct feature feature;
	probe_fn *probe;
	enum kernel_type arg;
} rows[] = {
#define FEATURE(id, gives, probe, arg, caps, option, since, commit, events, instead) \
	{{#id, gives, option, since, commit, instead, caps, events}, probe_##probe, arg},
#include "runtime/kern/features.def"
#undef FEATURE
};

static const struct {
	const char *name;
	unsigned int kind;
	enum bpf_attach_type attach;
} kernel_types[KERNEL_TYPES_END] = {
#define TYPE(id, kind, name, attach) [id] = {name, BTF_KIND_##kind, attach},
	KERNEL_TYPES(TYPE)
#undef TYPE
};

const struct feature *feature_get(size_t i)
{
	return i < ELEMENTS(rows) ? &rows[i].feature : NULL;
}

const char *kernel_type_name(enum kernel_type type)
{
	return kernel_types[type].name;
}

enum bpf_attach_type kernel_type_attach(enum kernel_type type)
{
	return kernel_types[type].attach;
}

void kernel_types_read(struct probe *p)
{
	struct kernel_btf btf;
	const struct btf_type *t;

	p->types_err = kernel_btf_open(&btf, "/sys/kernel/btf/vmlinux");
	if (p->types_err < 0)
		return;
	kernel_btf_variants(&btf, &p->variants);
	p->types_n = btf_view_n(&btf.view);
	for (uint32_t id = 1; (t = btf_view_type(&btf.view, id)); id++) {
		if (btf_type_kind(t) != BTF_KIND_FUNC && btf_type_kind(t) != BTF_KIND_TYPEDEF)
			continue;
		for (enum kernel_type k = NONE + 1; k < KERNEL_TYPES_END; k++)
			if (btf_type_kind(t) == kernel_types[k].kind &&
			    !strcmp(btf_view_name(&btf.view, t), kernel_types[k].name))
				p->types[k] = id;
	}
	kernel_btf_close(&btf);
}

_printf_(4, 0) static void answer(struct feature_result *ret, enum feature_answer a, int err,
				  const char *format, va_list args)
{
	ret->answer = a;
	ret->err = err;
	vsnprintf(ret->reason, sizeof(ret->reason), format, args);
}

#define ANSWER(a, err)                             \
	do {                                       \
		va_list args;                      \
		va_start(args, format);            \
		answer(ret, a, err, format, args); \
		va_end(args);                      \
	} while (0)

void answer_yes(struct feature_result *ret, const char *format, ...)
{
	ANSWER(FEATURE_YES, 0);
}

void answer_no(struct feature_result *ret, int err, const char *format, ...)
{
	ANSWER(FEATURE_NO, err);
}

void answer_unknown(struct feature_result *ret, int err, const char *format, ...)
{
	ANSWER(FEATURE_UNKNOWN, err);
}

/* EPERM has many fathers; the likeliest first. */
static void answer_refused(const struct probe *p, struct feature_result *ret, int r)
{
	uint64_t missing = privileges_missing(&p->who, ret->f->caps);
	char names[96];

	privileges_print(missing ? missing : ret->f->caps, names, sizeof(names));
	if (missing)
		answer_no(ret, r, "needs %s", names);
	else if (p->who.in_user_namespace)
		answer_no(ret, r, "needs %s outside this user namespace", names);
	else if (p->who.is_filtered)
		answer_no(ret, r, "a seccomp filter refuses it");
	else if (!strcmp(p->who.lockdown, "confidentiality"))
		answer_no(ret, r, "lockdown is \"confidentiality\"");
	else
		answer_no(ret, r, "this kernel refuses it in spite of all privileges");
}

void answer_by(const struct probe *p, struct feature_result *ret, int r)
{
	const struct feature *f = ret->f;

	if (r >= 0)
		answer_yes(ret, "%s", "");
	else if (r == -EPERM || r == -EACCES)
		answer_refused(p, ret, r);
	else if (r == -ENOMEM)
		answer_unknown(ret, r, "no memory to try it");
	else
		answer_no(ret, r, "needs Linux %s%s%s", f->since, f->option ? " with " : "",
			  f->option ? f->option : "");
}

/*
 * Before 5.11 maps and programs count as locked memory, of which there is little by
 * default.  What cannot be raised is no error.
 */
static void raise_memlock(struct rlimit *old)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, soft;

	if (getrlimit(RLIMIT_MEMLOCK, old) < 0)
		*old = all;
	soft = (struct rlimit){old->rlim_max, old->rlim_max};
	if (setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		setrlimit(RLIMIT_MEMLOCK, &soft);
}

int features_probe(struct feature_result *ret, size_t n)
{
	struct probe p = {0};
	struct rlimit memlock;

	privileges_read(&p.who);
	kernel_types_read(&p);
	raise_memlock(&memlock);
	n = MIN(n, ELEMENTS(rows));
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct feature_result){.f = &rows[i].feature};
		rows[i].probe(&p, rows[i].arg, &ret[i]);
	}
	setrlimit(RLIMIT_MEMLOCK, &memlock);
	return n;
}

uint64_t features_missing_events(const struct feature_result *results, size_t n)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < n; i++)
		if (results[i].answer == FEATURE_NO)
			missing |= results[i].f->events;
	return missing & events_all();
}

const char *features_instead(const struct feature_result *results, size_t n, size_t i)
{
	const char *instead = results[i].f->instead;

	for (size_t hops = 0; instead && hops < n; hops++) {
		struct str first = {instead, strcspn(instead, " ,")};
		size_t j;

		for (j = 0; j < n; j++)
			if (str_eq(str_of(results[j].f->name), first))
				break;
		if (j == n || results[j].answer == FEATURE_YES)
			return instead;
		instead = results[j].f->instead;
	}
	return NULL;
}
