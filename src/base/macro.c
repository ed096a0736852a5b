/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cleanup_free(void *p)
{
	free(*(void **)p);
}

void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void cleanup_fclose(void *p)
{
	FILE *f = *(FILE **)p;

	if (f)
		fclose(f);
}

static void *checked(void *p, size_t n)
{
	if (!p && n) {
		fprintf(stderr, "skep: out of memory (%zu bytes)\n", n);
		abort();
	}
	return p;
}

void *xalloc(size_t n)
{
	return checked(calloc(1, n), n);
}

void *xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n), n);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xalloc(n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}
