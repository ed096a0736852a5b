/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points that need nothing of the machine: begin, end, self, test, bench; and those of
 * the performance events: interval, profile, software, hardware, watchpoint.
 */
#include "compile/lang/bpftrace/attach-internal.h"

#include <limits.h>
#include <linux/perf_event.h>
#include <signal.h>

/* HW_BREAKPOINT_*: the kernel's header has a TYPE_MAX of its own. */
enum { WATCH_R = 1, WATCH_W = 2, WATCH_X = 4 };

void attach_find_timer(struct attach *a, const struct spec *s)
{
	static const struct {
		const char *name;
		uint64_t ns; /* 0: times a second */
	} units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"hz", 0}};
	struct resolved *r;
	size_t i = 0;

	while (i < 4 && strcmp(units[i].name, s->target))
		i++;
	if (i == 4) {
		attach_error(a, D_ATTACH_SYNTAX, "%s is not an accepted unit of time", s->target);
		diag_hint(a->d, "Units are s, ms, us and hz; or a time alone, as %s:5m",
			  s->hook->name);
		return;
	}
	if (!s->freq || s->freq > INT_MAX) {
		attach_error(a, D_ATTACH_SYNTAX, "%s frequency should be a positive integer",
			     s->hook->name);
		return;
	}
	r = attach_add(a, s);
	r->unit = units[i].name;
	r->is_freq = !units[i].ns;
	r->period = units[i].ns ? s->freq * units[i].ns : s->freq;
}

void attach_find_event(struct attach *a, const struct spec *s)
{
	const char *name = s->hook->name;
	const struct hook_event *e = hook_event_find(s->hook->id, s->target);
	struct resolved *r;

	if (!*s->target) {
		attach_error(a, D_ATTACH_SYNTAX, "%s probe must have a %s event name", name, name);
	} else if (attach_has_glob(s->target)) {
		attach_error(a, D_ATTACH_SYNTAX, "wildcards are not allowed for %s probe type",
			     name);
	} else if (!e) {
		const struct hook_event *all = hook_events(s->hook->id);
		const char *names[32] = {0}, *near;

		attach_error(a, D_ATTACH_MISSING, "%s is not a %s probe", s->target, name);
		for (size_t i = 0; i + 1 < 32 && all[i].name; i++)
			names[i] = all[i].name;
		near = str_nearest(s->target, names);
		if (near)
			diag_hint(a->d, "Did you mean \"%s\"?", near);
	} else if (s->freq > INT_MAX) {
		attach_error(a, D_ATTACH_SYNTAX, "%s count should be a positive integer", name);
	} else {
		r = attach_add(a, s);
		r->event = e->name;
		r->perf_type =
			s->hook->id == HOOK_SOFTWARE ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
		r->perf_config = e->config;
		r->period = s->freq ? s->freq : e->period;
	}
}

/* "rw" in any order; 0: not a mode. */
static uint32_t watch_mode(struct attach *a, const char *mode, const char **ret_sorted)
{
	uint32_t bits = 0;
	char sorted[8] = "";
	size_t n = 0;

	if (!*mode)
		attach_error(a, D_ATTACH_SYNTAX, "watchpoint mode must be combination of (r,w,x)");
	for (const char *p = mode; *p; p++) {
		uint32_t bit = *p == 'r' ? WATCH_R : *p == 'w' ? WATCH_W : *p == 'x' ? WATCH_X : 0;

		if (!bit) {
			attach_error(a, D_ATTACH_SYNTAX,
				     "watchpoint mode must be combination of (r,w,x)");
			return 0;
		}
		if (bits & bit)
			attach_error(a, D_ATTACH_SYNTAX, "watchpoint modes may not be duplicated");
		bits |= bit;
	}
	for (const char *p = "rwx"; *p; p++)
		if (strchr(mode, *p))
			sorted[n++] = *p;
	*ret_sorted = arena_strdup(a->arena, sorted);
	return bits;
}

void attach_find_watchpoint(struct attach *a, const struct spec *s)
{
#ifdef __x86_64__
	static const char supported[] = "rw,w,x";
	static const uint32_t modes[] = {WATCH_R | WATCH_W, WATCH_W, WATCH_X, 0};
#else
	static const char supported[] = "r,rw,w,x";
	static const uint32_t modes[] = {WATCH_R, WATCH_R | WATCH_W, WATCH_W, WATCH_X, 0};
#endif
	unsigned int errors = a->d->errors;
	const char *sorted = s->mode;
	uint32_t mode, i = 0;
	struct spec found = *s;
	struct resolved *r;

	if (!s->address)
		attach_error(a, D_ATTACH_SYNTAX,
			     "watchpoint must be attached to a non-zero address");
	if (s->length != 1 && s->length != 2 && s->length != 4 && s->length != 8)
		attach_error(a, D_ATTACH_SYNTAX, "watchpoint length must be one of (1,2,4,8)");
	mode = watch_mode(a, s->mode, &sorted);
	while (modes[i] && modes[i] != mode)
		i++;
	if (!modes[i]) {
		attach_error(a, D_ATTACH_SYNTAX, "invalid watchpoint mode: %s", sorted);
		diag_hint(a->d, "supported modes: %s", supported);
	}
	if (a->d->errors != errors)
		return;
	found.mode = sorted;
	r = attach_add(a, &found);
	r->address = s->address;
	r->is_address = true;
	r->length = (uint32_t)s->length;
	r->mode = mode;
}

/* A name may be given to one test, and to one benchmark. */
static bool is_new_name(struct attach *a, const struct spec *s)
{
	bool is_test = s->hook->id == HOOK_TEST;
	size_t n = is_test ? a->tests.n : a->benches.n;
	struct attach_point **seen = is_test ? a->tests.p : a->benches.p;

	if (!*s->target) {
		attach_error(a, D_ATTACH_SYNTAX, "%s probes must have a name", s->hook->name);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(seen[i]->parts.p[1], s->target))
			continue;
		attach_error(a, D_ATTACH_SYNTAX,
			     "\"%s\" was used as the name for more than one %s probe", s->target,
			     is_test ? "TEST" : "BENCH");
		diag_context(a->d, seen[i]->span, "this is the other instance");
		return false;
	}
	if (is_test)
		array_push(a->arena, &a->tests, a->point);
	else
		array_push(a->arena, &a->benches, a->point);
	return true;
}

void attach_find_special(struct attach *a, const struct spec *s)
{
	struct resolved *r;

	if (s->hook->id == HOOK_SELF) {
		if (strcmp(s->target, "signal")) {
			attach_error(a, D_ATTACH_SYNTAX, "%s is not a supported trigger",
				     s->target);
			return;
		}
		if (strcmp(s->func, "SIGUSR1")) {
			attach_error(a, D_ATTACH_SYNTAX, "%s is not a supported signal", s->func);
			return;
		}
		r = attach_add(a, s);
		r->event = s->func;
		r->number = SIGUSR1;
		return;
	}
	if ((s->hook->id == HOOK_TEST || s->hook->id == HOOK_BENCH) && !is_new_name(a, s))
		return;
	attach_add(a, s);
}
