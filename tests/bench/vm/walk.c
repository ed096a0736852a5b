/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long rules' strings take: building an automaton, a byte of a walk in the kernel and in the
 * embedded runtime, and what the kernel's verifier takes for it.
 *
 *	walk [PATTERNS]
 *
 * PATTERNS: a file with a kind (prefix, suffix, contains, glob, exact, pmatch), a blank and a
 * text in each line; without it, made-up ones.
 */
#include "compile/rule/walker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct patterns {
	struct match_pattern *p;
	size_t n;
};

static void add(struct patterns *t, enum match_kind kind, const char *text)
{
	t->p = realloc(t->p, (t->n + 1) * sizeof(*t->p));
	t->p[t->n] = (struct match_pattern){.kind = kind,
					    .text = str_of(strdup(text)),
					    .bit = (uint32_t)t->n % RULE_TABLE_BITS};
	t->n++;
}

static void read_patterns(struct patterns *t, const char *path)
{
	static const char *const kinds[] = {
		[MATCH_EXACT] = "exact",   [MATCH_PREFIX] = "prefix",
		[MATCH_SUFFIX] = "suffix", [MATCH_CONTAINS] = "contains",
		[MATCH_GLOB] = "glob",	   [MATCH_PMATCH] = "pmatch"};
	char line[1024], *blank;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		blank = strchr(line, ' ');
		if (!blank)
			continue;
		*blank = 0;
		for (unsigned int k = 0; k < ELEMENTS(kinds); k++)
			if (!strcmp(kinds[k], line))
				add(t, (enum match_kind)k, blank + 1);
	}
	if (f)
		fclose(f);
}

static void make_patterns(struct patterns *t)
{
	static const char *const tops[] = {"/etc/",   "/usr/bin/", "/var/lib/",
					   "/root/.", "/proc/",	   "/dev/shm/"};
	char text[64];

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "%sname%u-%u", tops[i % ELEMENTS(tops)], i * 37 % 91,
			 i);
		add(t, i < 134 ? MATCH_PREFIX : MATCH_EXACT, text);
	}
	for (unsigned int i = 0; i < 70; i++) {
		snprintf(text, sizeof(text), "/.part%u/%x", i * 13 % 17, i * 7);
		add(t, i % 8 ? MATCH_CONTAINS : MATCH_SUFFIX, text);
	}
	add(t, MATCH_GLOB, "/home/*/.ssh/*");
	add(t, MATCH_PMATCH, "/usr/lib");
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void stage(struct walker *w, size_t n)
{
	static const char path[] = "/usr/lib/x86_64-linux-gnu/some-package/plugins/libsome.so.1.2.";
	struct walker_record *r = (struct walker_record *)w->stage->record;

	for (size_t i = 0; i < n; i++)
		w->stage->record[WALKER_TEXTS + i] = (uint8_t)path[i % (sizeof(path) - 1)];
	r->a = (struct wire_str){WALKER_TEXTS, (__u16)n};
}

static void measure(const struct patterns *t, bool has_loop)
{
	bool *refused = calloc(t->n, sizeof(*refused));
	double ms = now_ms(), verify_ms = 0, empty[2] = {0};
	unsigned int insns = 0;
	struct walker w;

	walker_init(&w);
	w.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	w.has_loop = has_loop;
	w.only_a = true;
	rule_tables_add(&w.tables, t->p, t->n, (uint32_t)MIN(t->n, (size_t)RULE_TABLE_BITS), 0,
			refused);
	ms = now_ms() - ms;
	printf("%zu patterns: %u states of %u classes, %zu bytes, built in %.2f ms\n", t->n,
	       w.tables.tables.p[0].n_states, w.tables.tables.p[0].n_classes, w.tables.n, ms);
	if (!walker_make(&w) || walker_load(&w, WALKER_KERNEL) < 0 ||
	    walker_load(&w, WALKER_JIT) < 0) {
		printf("%s\n", w.error ? w.error : "cannot be loaded");
		exit(1);
	}
	walker_kernel_verify(&w, &verify_ms, &insns);
	printf("%s: %u instructions, verified in %.1f ms (%u looked at), skep's verifier %.1f ms "
	       "(%u)\n",
	       has_loop ? "bpf_loop()" : "plain", w.q.progs.p[0].n_insns, verify_ms, insns,
	       (double)w.verified.ns / 1e6, w.verified.insns_explored);
	for (size_t n = 0; n <= (has_loop ? 4096u : 240u); n = n ? n * 4 : 16) {
		double kernel, jit;

		stage(&w, n);
		kernel = walker_kernel_ns(&w, 20000);
		jit = walker_jit_ns(&w, 20000);
		if (!n)
			empty[0] = kernel, empty[1] = jit;
		printf("  %4zu bytes: kernel %6.0f ns", n, kernel);
		if (n)
			printf(" (%.2f a byte)", (kernel - empty[0]) / (double)n);
		printf(", embedded %6.0f ns", jit);
		if (n)
			printf(" (%.2f a byte)", (jit - empty[1]) / (double)n);
		printf("\n");
	}
	walker_done(&w);
	free(refused);
}

int main(int argc, char **argv)
{
	struct patterns t = {};

	if (argc > 1)
		read_patterns(&t, argv[1]);
	else
		make_patterns(&t);
	measure(&t, true);
	measure(&t, false);
	for (size_t i = 0; i < t.n; i++)
		free((char *)(uintptr_t)t.p[i].text.p);
	free(t.p);
	return 0;
}
