/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts that test and measure themselves: `test:NAME { … }` and `bench:NAME { … }`.
 *
 * Each probe is run by itself.  A test has passed if it returned 0, reported no error and
 * did not call exit() with another status; what it printed is shown only if it failed.  A
 * benchmark is repeated until it has run for a millisecond, or all took too long.
 */
#include "agent/trace-internal.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

/* The probes of one kind, and how they fared. */
struct suite {
	struct trace *t;
	const uint32_t *probes;
	size_t n;
	bool *passed;
};

static const char *plural(size_t n)
{
	return n == 1 ? "test" : "tests";
}

/* "test:name" without its kind. */
static const char *short_name(const struct question_probe *p)
{
	const char *colon = strchr(p->name, ':');

	return colon ? colon + 1 : p->name;
}

static size_t collect(const struct question *q, enum question_attach kind, uint32_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < q->probes.n; i++)
		if (q->probes.p[i].attach == kind)
			ret[n++] = (uint32_t)i;
	return n;
}

/* Run probe `i` with its answers going to `text`.  The errors that it reported in *ret. */
static int run_captured(struct trace *t, uint32_t probe, uint32_t repeat, uint32_t *ret_value,
			uint64_t *ret_ns, char **text, unsigned int *ret_errors)
{
	struct answer_options options = trace_answer_options(t);
	struct answer *before = t->answer;
	size_t n = 0;
	FILE *to = open_memstream(text, &n);
	int r;

	if (!to)
		return -ENOMEM;
	options.format = ANSWER_TEXT;
	options.out = options.err = to;
	t->answer = answer_new(&t->q, &t->source.answers, &options);
	t->has_exited = false;
	r = query_run(t->query, probe, repeat, ret_value, ret_ns);
	if (!r)
		trace_drain(t);
	*ret_errors = answer_errors(t->answer) + (answer_exit_code(t->answer) != 0);
	answer_free(t->answer);
	t->answer = before;
	t->has_exited = false;
	fclose(to);
	return r;
}

static void print_time(FILE *out, uint64_t ns)
{
	if (ns >= 1000000000)
		fprintf(out, " (%llu s)\n", (unsigned long long)(ns / 1000000000));
	else if (ns >= 1000000)
		fprintf(out, " (%llu ms)\n", (unsigned long long)(ns / 1000000));
	else if (ns >= 1000)
		fprintf(out, " (%llu us)\n", (unsigned long long)(ns / 1000));
	else
		fprintf(out, " (%llu ns)\n", (unsigned long long)ns);
}

static int run_one(struct suite *s, size_t i)
{
	const char *name = short_name(&s->t->q.probes.p[s->probes[i]]);
	_cleanup_free_ char *text = NULL;
	FILE *out = s->t->out;
	unsigned int errors = 0;
	uint32_t value = 0;
	uint64_t ns = 0;
	int r;

	fprintf(out, GREEN "[ RUN      ]" PLAIN " %s\n", name);
	r = run_captured(s->t, s->probes[i], 1, &value, &ns, &text, &errors);
	if (r < 0)
		return r;
	s->passed[i] = !value && !errors;
	if (s->passed[i]) {
		fprintf(out, GREEN "[       OK ]" PLAIN " %s", name);
	} else {
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			fprintf(out, "%s\n", line);
		fprintf(out, RED "[  FAILED  ]" PLAIN " %s", name);
	}
	print_time(out, ns);
	return 0;
}

static size_t sum_up(const struct suite *s)
{
	FILE *out = s->t->out;
	size_t failed = 0;

	for (size_t i = 0; i < s->n; i++)
		failed += !s->passed[i];
	fprintf(out, GREEN "[==========]" PLAIN " %zu %s ran.\n", s->n, plural(s->n));
	fprintf(out, GREEN "[  PASSED  ]" PLAIN " %zu %s.\n", s->n - failed, plural(s->n - failed));
	if (!failed)
		return 0;
	fprintf(out, RED "[  FAILED  ]" PLAIN " %zu %s, listed below:\n", failed, plural(failed));
	for (size_t i = 0; i < s->n; i++)
		if (!s->passed[i])
			fprintf(out, RED "[  FAILED  ]" PLAIN " %s\n",
				short_name(&s->t->q.probes.p[s->probes[i]]));
	return failed;
}

int trace_run_tests(struct trace *t)
{
	_cleanup_free_ uint32_t *probes = xalloc((t->q.probes.n + 1) * sizeof(*probes));
	_cleanup_free_ bool *passed = xalloc(t->q.probes.n + 1);
	struct suite s = {t, probes, collect(&t->q, QATTACH_TEST, probes), passed};
	int r;

	if (!s.n) {
		log_error(0, "there is no test: probe");
		return EXIT_FAILED;
	}
	fprintf(t->out, GREEN "[==========]" PLAIN " Running %zu tests.\n", s.n);
	for (size_t i = 0; i < s.n; i++) {
		r = run_one(&s, i);
		if (r < 0) {
			log_error(r, "cannot run %s", t->q.probes.p[probes[i]].name);
			return EXIT_FAILED;
		}
	}
	return sum_up(&s) ? EXIT_FAILED : 0;
}

/* --- benchmarks */

enum { NAME_WIDTH = 41, TIME_WIDTH = 15, REPEAT_MAX = 1 << 30, LONG_NS = 50000000 };

/* How many times more, so that the clock's own grain does not count. */
static uint32_t more_turns(uint32_t turns, uint64_t total_ns)
{
	uint64_t factor = total_ns < 1000     ? 1000
			  : total_ns < 10000  ? 100
			  : total_ns < 100000 ? 10
					      : 2;

	return (uint32_t)MIN(turns * factor, (uint64_t)REPEAT_MAX);
}

/* False: it failed. */
static bool bench_one(struct trace *t, uint32_t probe)
{
	const char *name = short_name(&t->q.probes.p[probe]);
	uint32_t turns = 1, value = 0;
	uint64_t ns = 0, start = clock_mono_ns();

	for (;;) {
		_cleanup_free_ char *text = NULL;
		unsigned int errors = 0;
		int r = run_captured(t, probe, turns, &value, &ns, &text, &errors);

		if (r < 0 || errors) {
			log_error(r, "Benchmark '%s' failed.", name);
			return false;
		}
		if (value) /* it does not want to be measured here */
			return true;
		if (ns * turns >= 1000000 || turns >= REPEAT_MAX ||
		    clock_mono_ns() - start >= LONG_NS)
			break;
		turns = more_turns(turns, ns * turns);
	}
	fprintf(t->out, "%-*s%-*llu%u\n", NAME_WIDTH, name, TIME_WIDTH, (unsigned long long)ns,
		turns);
	return true;
}

int trace_run_benches(struct trace *t)
{
	_cleanup_free_ uint32_t *probes = xalloc((t->q.probes.n + 1) * sizeof(*probes));
	size_t n = collect(&t->q, QATTACH_BENCH, probes);
	bool all = true;

	if (!n) {
		log_error(0, "there is no bench: probe");
		return EXIT_FAILED;
	}
	fprintf(t->out, "%-*s%-*sIterations\n", NAME_WIDTH, "Benchmark", TIME_WIDTH, "Time(ns)");
	for (int i = 0; i < NAME_WIDTH + TIME_WIDTH + 10; i++)
		fputc('-', t->out);
	fputc('\n', t->out);
	for (size_t i = 0; i < n; i++)
		all &= bench_one(t, probes[i]);
	return all ? 0 : EXIT_FAILED;
}
