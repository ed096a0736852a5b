/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep rules test`: the `tests:` of rules, each a command that must cause an alert of its rule,
 * or must not.
 *
 * A test is one run of `skep watch --rules FILES -- sh -c COMMAND` with its rule alone (and all
 * of its alerts, however the others would have gone), in a process of its own: what a test
 * leaves behind in skep, or drops of its privileges, stays there.  The command's cgroup keeps
 * everybody else's doings out of it.
 */
#include "agent/watch.h"

#include "agent/rules-load.h"
#include "base/clock.h"
#include "base/log.h"
#include "compile/lang/falco/falco.h"
#include "event/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_TIMEOUT_S = 60 };

struct tests {
	const struct rules_test_options *o;
	struct rules_options rules; /* what each run is given */
	bool is_embedded;
	char folder[64]; /* for what runs say */
	unsigned int n, passed, failed, skipped;
};

/* What one run said. */
struct verdict {
	const char *skipped; /* why; NULL: it ran */
	bool passed;
	char why[256];
	struct buf alerts, said; /* standard output and error */
};

/* --- what a test needs */

static bool has_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
	return system(command) == 0;
}

static const char *missing(const struct tests *t, const struct rule_test *test)
{
	const char *needs = test->needs ? test->needs : "";

	for (; *needs; needs += strcspn(needs, " ")) {
		struct str word;

		needs += strspn(needs, " ");
		word = (struct str){needs, strcspn(needs, " ")};
		if (str_eq(word, STR("kernel")) && t->is_embedded)
			return "needs programs in the kernel";
		if (str_eq(word, STR("root")) && geteuid() != 0)
			return "needs root";
		if (str_eq(word, STR("container")) && !has_program("podman"))
			return "needs podman";
	}
	return NULL;
}

/* --- one run */

static void run_child(const struct tests *t, const struct rule *rule, const struct rule_test *test,
		      const char *recording)
{
	char sh[] = "sh", c[] = "-c";
	char *command = xstrdup(test->run ? test->run : "");
	char *argv[] = {sh, c, command, NULL};
	struct rules_options rules = t->rules;

	rules.matching = MATCH_ALL;
	rules.disable[0] = "*";
	rules.enable[0] = rule->name;
	rules.rate = "off";
	if (recording) {
		const struct replay_options replay = {
			.file = recording,
			.json = true,
			.rules = rules,
		};

		_exit(replay_run(&replay));
	} else {
		char out[96];
		const struct watch_options watch = {
			.json = true,
			.rules = rules,
			.command = argv,
			.output = out,
			.runtime = t->o->runtime,
		};

		snprintf(out, sizeof(out), "%s/alerts", t->folder);
		_exit(watch_run(&watch));
	}
}

/* The recording stands beside the rule file. */
static char *recording_of(const struct ruleset *rs, const struct rule *rule,
			  const struct rule_test *test)
{
	const char *file = rule->span.file < rs->diags.sources.n
				   ? rs->diags.sources.p[rule->span.file].name
				   : "";
	const char *slash = strrchr(file, '/');
	struct buf path = {0};

	if (!test->replay)
		return NULL;
	if (slash && test->replay[0] != '/')
		buf_add(&path, file, slash + 1 - file);
	buf_puts(&path, test->replay);
	return path.p;
}

static int wait_for(pid_t pid, bool *ret_late)
{
	uint64_t end = clock_mono_ns() + TEST_TIMEOUT_S * NS_PER_S;
	int status = 0;

	*ret_late = false;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ns() > end && !*ret_late) {
			*ret_late = true;
			kill(pid, SIGHUP);
			end += 5 * NS_PER_S;
		} else if (clock_mono_ns() > end) {
			kill(pid, SIGKILL);
		}
		usleep(2000);
	}
	return status;
}

static void slurp(const char *folder, const char *name, struct buf *to)
{
	char path[96], part[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	buf_puts(to, "");
	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_add(to, part, n);
	if (fd >= 0)
		close(fd);
	unlink(path);
}

static void redirect(const char *folder, const char *name, int to)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		dup2(fd, to);
}

static bool run(const struct tests *t, const struct ruleset *rs, const struct rule *rule,
		const struct rule_test *test, struct verdict *v)
{
	_cleanup_free_ char *recording = recording_of(rs, rule, test);
	bool is_late;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		dup2(null, STDIN_FILENO);
		redirect(t->folder, recording ? "alerts" : "output", STDOUT_FILENO);
		redirect(t->folder, "said", STDERR_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_child(t, rule, test, recording);
	}
	status = wait_for(pid, &is_late);
	slurp(t->folder, "alerts", &v->alerts);
	slurp(t->folder, "said", &v->said);
	if (is_late)
		snprintf(v->why, sizeof(v->why), "it took longer than %d s", TEST_TIMEOUT_S);
	else if (WIFSIGNALED(status))
		snprintf(v->why, sizeof(v->why), "skep ended by signal %d", WTERMSIG(status));
	else if (!strstr(v->said.p, "{\"summary\":")) /* its last word */
		snprintf(v->why, sizeof(v->why), "skep could not run it");
	return !v->why[0];
}

/* --- the verdict */

static bool is_alert_of(const char *line, size_t n, const struct rule *rule,
			const struct rule_test *test, bool *ret_other)
{
	json_t *alert = json_loadb(line, n, 0, NULL);
	const char *name = json_string_value(json_object_get(alert, "rule"));
	const char *output = json_string_value(json_object_get(alert, "output"));
	bool is_it = name && !strcmp(name, rule->name);

	if (is_it && test->expects && test->output && (!output || !strstr(output, test->output))) {
		*ret_other = true;
		is_it = false;
	}
	json_decref(alert);
	return is_it;
}

static void judge(const struct rule *rule, const struct rule_test *test, struct verdict *v)
{
	bool has_alert = false, has_other = false;

	for (const char *p = v->alerts.p; *p;) {
		size_t n = strcspn(p, "\n");

		has_alert = has_alert || is_alert_of(p, n, rule, test, &has_other);
		p += n + (p[n] == '\n');
	}
	v->passed = has_alert == test->expects;
	if (v->passed)
		return;
	if (has_other)
		snprintf(v->why, sizeof(v->why), "the alert does not say '%.100s'", test->output);
	else
		snprintf(v->why, sizeof(v->why), "%s",
			 has_alert ? "there is an alert" : "there is no alert");
}

static void say_lines(const char *text, const char *before)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		struct buf line = {0};

		escape_text(&line, (struct str){p, n});
		printf("%s%s\n", before, line.p ? line.p : "");
		buf_done(&line);
		p += n + (p[n] == '\n');
	}
}

static void say_json(const struct rule *rule, const struct rule_test *test, const struct verdict *v)
{
	struct buf line = {0};

	buf_puts(&line, "{\"rule\":");
	escape_json(&line, str_of(rule->name));
	buf_puts(&line, ",\"test\":");
	escape_json(&line, str_of(test->name));
	buf_printf(&line, ",\"result\":\"%s\"",
		   v->skipped  ? "skipped"
		   : v->passed ? "passed"
			       : "failed");
	if (v->skipped || v->why[0]) {
		buf_puts(&line, ",\"why\":");
		escape_json(&line, str_of(v->skipped ? v->skipped : v->why));
	}
	printf("%s}\n", line.p);
	buf_done(&line);
}

static void say(const struct tests *t, const struct rule *rule, const struct rule_test *test,
		const struct verdict *v)
{
	struct buf name = {0};

	if (t->o->json) {
		say_json(rule, test, v);
		return;
	}
	escape_text(&name, str_of(rule->name));
	buf_puts(&name, ": ");
	escape_text(&name, str_of(test->name));
	printf("%sok %u - %s%s%s\n", v->passed || v->skipped ? "" : "not ", t->n, name.p,
	       v->skipped ? " # SKIP " : "", v->skipped ? v->skipped : "");
	buf_done(&name);
	if (!v->skipped && !v->passed) {
		printf("# %s\n", v->why);
		say_lines(test->run ? test->run : test->replay, "# $ ");
	}
	if (!v->skipped && (!v->passed || t->o->verbose)) {
		say_lines(v->alerts.p, "# ");
		say_lines(v->said.p, "# ");
	}
	fflush(stdout);
}

static bool is_wanted(const struct tests *t, const struct rule *rule, const struct rule_test *test)
{
	struct buf name = {0};
	bool is = true;

	buf_printf(&name, "%s: %s", rule->name, test->name);
	if (t->o->only)
		is = fnmatch(t->o->only, name.p, FNM_CASEFOLD) == 0 ||
		     fnmatch(t->o->only, rule->name, FNM_CASEFOLD) == 0;
	buf_done(&name);
	return is;
}

static void test_one(struct tests *t, const struct ruleset *rs, const struct rule *rule,
		     const struct rule_test *test)
{
	struct verdict v = {0};

	t->n++;
	v.skipped = missing(t, test);
	if (!v.skipped && run(t, rs, rule, test, &v))
		judge(rule, test, &v);
	t->skipped += v.skipped != NULL;
	t->passed += v.passed;
	t->failed += !v.passed && !v.skipped;
	say(t, rule, test, &v);
	buf_done(&v.alerts);
	buf_done(&v.said);
}

static void test_rules(struct tests *t, const struct ruleset *rs, struct rule *const *rules,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < rules[i]->tests.n; j++)
			if (is_wanted(t, rules[i], &rules[i]->tests.p[j]))
				test_one(t, rs, rules[i], &rules[i]->tests.p[j]);
}

static int count(const struct tests *t)
{
	if (t->o->json)
		printf("{\"passed\":%u,\"failed\":%u,\"skipped\":%u}\n", t->passed, t->failed,
		       t->skipped);
	else
		printf("1..%u\n# %u passed, %u failed, %u skipped\n", t->n, t->passed, t->failed,
		       t->skipped);
	if (!t->n)
		log_note("no rule has tests");
	if (t->failed)
		return EXIT_FAILED;
	return t->passed || !t->n ? 0 : EXIT_CANNOT_HERE;
}

int rules_test(const struct rules_test_options *o)
{
	struct tests t = {.o = o, .rules.own = !o->files[0]};
	struct rules_options all = {.own = !o->files[0], .enable = {"*"}};
	const struct rules_load_options options = {
		.o = &all,
		.quiet = true,
		.may_be_empty = true,
		.generation = 1,
	};
	struct rules_loaded *l;
	int status;

	for (size_t i = 0; o->files[i] && i < RULES_LIST_MAX; i++)
		t.rules.files[i] = all.files[i] = o->files[i];
	status = rules_load(&options, &l);
	if (status)
		return status;
	t.is_embedded = o->runtime == RUNTIME_EMBEDDED ||
			(o->runtime == RUNTIME_AUTO && runtime_kernel_refuses());
	snprintf(t.folder, sizeof(t.folder), "/tmp/skep-rules-test-XXXXXX");
	if (!mkdtemp(t.folder)) {
		log_error(-errno, "%s", t.folder);
		rules_unload(l);
		return EXIT_FAILED;
	}
	test_rules(&t, &l->rs, l->rs.rules.p, l->rs.rules.n);
	slurp(t.folder, "output", &(struct buf){0});
	rmdir(t.folder);
	rules_unload(l);
	return count(&t);
}
