/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>

static struct test *tests;
static int checks, failures;
static const char *skipped;

void test_register(struct test *t)
{
	t->next = tests;
	tests = t;
}

void test_skip(const char *reason)
{
	skipped = reason;
}

void test_result(bool ok, const char *file, int line, const char *format, ...)
{
	va_list args;

	checks++;
	if (ok)
		return;
	failures++;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;

	for (struct test *t = tests; t; t = t->next) {
		if (argc > 1 && strcmp(argv[1], t->name))
			continue;
		checks = failures = 0;
		skipped = NULL;
		t->run();
		n++;
		if (skipped) {
			printf("ok %d %s # SKIP %s\n", n, t->name, skipped);
			continue;
		}
		if (!checks)
			printf("# %s checked nothing\n", t->name);
		failed += failures || !checks;
		printf("%sok %d %s\n", failures || !checks ? "not " : "", n, t->name);
	}
	printf("1..%d\n", n);
	return failed || !n;
}
