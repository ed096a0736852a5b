/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep info`: what this kernel and these privileges allow, on one screen.
 *
 * Never fails: an unprivileged user learns what is missing and how to get it.
 */
#include "cli/command.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "catalog/catalog.h"
#include "cli/help.h"
#include "cli/json.h"
#include "event/names.h"
#include "runtime/kern/features.h"

enum { NAME_COLUMN = 20, TEXT_COLUMN = 29 };

struct info_options {
	bool json;
};

/* All that is shown. */
struct info {
	struct utsname kernel;
	struct privileges who;
	struct feature_result results[FEATURE_END];
	size_t n;
	uint64_t missing; /* events that skep watch cannot see */
	bool is_coloured;
};

static const struct {
	const char *word, *colour;
} answers[] = {
	[FEATURE_YES] = {"yes", "\033[32m"},
	[FEATURE_NO] = {"no", "\033[31m"},
	[FEATURE_UNKNOWN] = {"unknown", "\033[33m"},
};

static void add_capabilities(struct buf *b, uint64_t mask)
{
	const char *name;

	for (unsigned int bit = 0; bit < 64; bit++) {
		if (!(mask >> bit & 1))
			continue;
		name = name_of_cap(bit);
		if (b->n)
			buf_puts(b, ", ");
		if (name)
			buf_puts(b, name);
		else
			buf_printf(b, "capability %u", bit);
	}
}

/* "root (uid 0), all capabilities but CAP_SYS_RESOURCE" */
static void add_privileges(struct buf *b, const struct privileges *p)
{
	_cleanup_buf_ struct buf list = {0};
	uint64_t without = p->known & ~p->effective;
	bool is_most = __builtin_popcountll(without) < __builtin_popcountll(p->known) / 2;

	buf_printf(b, "%suid %u%s, ", p->uid ? "" : "root (", p->uid, p->uid ? "" : ")");
	add_capabilities(&list, is_most ? without : p->effective);
	if (!p->effective)
		buf_puts(b, "no capabilities");
	else if (!without)
		buf_puts(b, "all capabilities");
	else
		buf_printf(b, "%s%s", is_most ? "all capabilities but " : "", list.p);
	if (p->in_user_namespace)
		buf_puts(b, ", within a user namespace");
	if (p->is_filtered)
		buf_puts(b, ", under a seccomp filter");
}

static void add_result(struct buf *b, const struct info *in, size_t i)
{
	const struct feature_result *r = &in->results[i];
	const char *instead = features_instead(in->results, in->n, i);
	_cleanup_buf_ struct buf text = {0};
	bool is_yes = r->answer == FEATURE_YES;

	if (is_yes)
		buf_printf(&text, r->reason[0] ? "%s (%s)" : "%s", r->f->gives, r->reason);
	else
		buf_puts(&text, r->reason);
	buf_printf(b, "%-*s", NAME_COLUMN, r->f->name);
	if (in->is_coloured)
		buf_puts(b, answers[r->answer].colour);
	buf_printf(b, "%-*s", TEXT_COLUMN - NAME_COLUMN, answers[r->answer].word);
	if (in->is_coloured)
		buf_puts(b, "\033[0m");
	help_wrap(b, text.p, TEXT_COLUMN);
	if (is_yes || !instead)
		return;
	buf_printf(b, "%*sinstead: ", TEXT_COLUMN, "");
	help_wrap(b, instead, TEXT_COLUMN + strlen("instead: "));
}

static void add_events(struct buf *b, uint64_t mask)
{
	const struct event_desc *e;
	bool is_first = true;

	for (unsigned int kind = 1; (e = event_get(kind)); kind++) {
		if (!(mask & KIND_BIT(kind)))
			continue;
		buf_printf(b, "%s%s", is_first ? "" : ", ", e->name);
		is_first = false;
	}
}

/* How to get what is missing. */
static void add_remedy(struct buf *b, const struct info *in)
{
	uint64_t wanted = CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON) | CAPABILITY_BIT(NET_ADMIN);
	char path[1024] = "skep";
	ssize_t n;

	if (in->who.in_user_namespace) {
		buf_puts(b,
			 "\nCapabilities count only within this user namespace: run skep outside "
			 "of it.\n");
		return;
	}
	if (in->who.is_filtered)
		buf_puts(b,
			 "\nA container allows it when it is started with --privileged, or with\n"
			 "--cap-add for the capabilities and --security-opt seccomp=unconfined.\n");
	if (!privileges_missing(&in->who, wanted))
		return;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n > 0)
		path[n] = 0;
	buf_printf(
		b,
		"\nThe capabilities come with root (sudo skep watch), or once and for all users:\n"
		"  sudo setcap " CAPABILITIES_FOR_WATCH "+ep %s\n",
		path);
}

/* The sentence at the end: what `skep watch` can do here. */
static void add_verdict(struct buf *b, const struct info *in)
{
	bool sees_nothing = in->missing == events_all();

	if (!in->missing) {
		buf_puts(b, "\nskep watch sees all events here.\n");
		return;
	}
	if (sees_nothing) {
		buf_puts(b, "\nskep watch cannot run here:\n");
	} else {
		buf_puts(b, "\nskep watch sees all events here but ");
		add_events(b, in->missing);
		buf_puts(b, ":\n");
	}
	for (size_t i = 0; i < in->n; i++) {
		const struct feature_result *r = &in->results[i];

		if (r->answer == FEATURE_NO &&
		    (sees_nothing ? r->f->events == ~0ull : r->f->events)) {
			buf_printf(b, "  %s: ", r->f->name);
			help_wrap(b, r->reason, strlen(r->f->name) + 4);
		}
	}
	add_remedy(b, in);
}

static void add_table(struct buf *b, const struct info *in)
{
	buf_printf(b, "skep %s\n%s %s, %s\n", version_text, in->kernel.sysname, in->kernel.release,
		   in->kernel.machine);
	add_privileges(b, &in->who);
	buf_printf(b, "\n\n%-*s%-*s%s\n", NAME_COLUMN, "FEATURE", TEXT_COLUMN - NAME_COLUMN, "HERE",
		   "WHAT FOR, OR WHY NOT");
	for (size_t i = 0; i < in->n; i++)
		add_result(b, in, i);
	add_verdict(b, in);
}

static void json_names(struct buf *b, const char *key, uint64_t mask, const char *(*name)(unsigned))
{
	const char *s;

	json_put_key(b, key);
	buf_putc(b, '[');
	for (unsigned int bit = 0; bit < 64; bit++) {
		s = mask >> bit & 1 ? name(bit) : NULL;
		if (s) {
			json_put_item(b);
			json_put_string(b, s);
		}
	}
	buf_putc(b, ']');
}

static const char *name_of_event(unsigned int kind)
{
	return event_get(kind) ? event_get(kind)->name : NULL;
}

static void json_result(struct buf *b, const struct info *in, size_t i)
{
	const struct feature_result *r = &in->results[i];
	const char *instead = features_instead(in->results, in->n, i);
	const char *err = r->err ? name_of_errno(-r->err) : NULL;

	json_put_item(b);
	buf_putc(b, '{');
	json_put_member(b, "name", r->f->name);
	json_put_member(b, "answer", answers[r->answer].word);
	if (err)
		json_put_member(b, "error", err);
	if (r->reason[0])
		json_put_member(b, "reason", r->reason);
	json_put_member(b, "gives", r->f->gives);
	if (r->answer != FEATURE_YES && instead)
		json_put_member(b, "instead", instead);
	json_names(b, "capabilities", r->f->caps, name_of_cap);
	if (r->f->option)
		json_put_member(b, "option", r->f->option);
	json_put_member(b, "since", r->f->since);
	if (r->f->commit)
		json_put_member(b, "commit", r->f->commit);
	json_names(b, "events", r->f->events & events_all(), name_of_event);
	buf_putc(b, '}');
}

static void add_json(struct buf *b, const struct info *in)
{
	buf_putc(b, '{');
	json_put_member(b, "version", version_text);
	json_put_member(b, "kernel", in->kernel.release);
	json_put_member(b, "arch", in->kernel.machine);
	json_put_key(b, "uid");
	buf_put_u64(b, in->who.uid);
	json_names(b, "capabilities", in->who.effective, name_of_cap);
	json_put_key(b, "user_namespace");
	buf_puts(b, in->who.in_user_namespace ? "true" : "false");
	json_put_key(b, "seccomp_filter");
	buf_puts(b, in->who.is_filtered ? "true" : "false");
	json_put_member(b, "lockdown", in->who.lockdown);
	json_put_key(b, "unprivileged_bpf_disabled");
	buf_put_s64(b, in->who.unprivileged_bpf_disabled);
	json_put_key(b, "features");
	buf_putc(b, '[');
	for (size_t i = 0; i < in->n; i++)
		json_result(b, in, i);
	buf_putc(b, ']');
	json_names(b, "watch", events_all() & ~in->missing, name_of_event);
	json_names(b, "watch_missing", in->missing, name_of_event);
	buf_puts(b, "}\n");
}

static int run(const void *p, char **operands)
{
	const struct info_options *o = p;
	_cleanup_buf_ struct buf b = {0};
	struct info in = {.is_coloured = log_can_colour(STDOUT_FILENO)};

	(void)operands;
	uname(&in.kernel);
	privileges_read(&in.who);
	in.n = features_probe(in.results, ELEMENTS(in.results));
	in.missing = features_missing_events(in.results, in.n);
	if (o->json)
		add_json(&b, &in);
	else
		add_table(&b, &in);
	fputs(b.p, stdout);
	return 0;
}

#define OPTION(...) OPTION_IN(struct info_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("json", 0, FLAG, NULL, json, NOTHING, "print it as one JSON object"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep info", "what this user can do here"},
	{"sudo skep info", "what root could"},
	{NULL, NULL},
};

const struct command command_info = {
	.about = "Tell what this kernel and these privileges allow, by trying each thing. Nothing "
		 "is attached and nothing stays behind. For what is missing, tell why and what "
		 "skep does instead.",
	.syntax = {.options = options, .operands = OPERANDS_NONE},
	.examples = examples,
	.size = sizeof(struct info_options),
	.run = run,
};
