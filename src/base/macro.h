/* SPDX-License-Identifier: Apache-2.0 */
/* The few macros that every file may use: cleanup, handover, sizes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ELEMENTS(a)    (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define MIN(a, b)      ((a) < (b) ? (a) : (b))
#define MAX(a, b)      ((a) > (b) ? (a) : (b))

/* Hand a pointer over: the variable that would have freed it becomes NULL. */
#define TAKE(p)                        \
	({                             \
		typeof(p) take_ = (p); \
		(p) = NULL;            \
		take_;                 \
	})

void cleanup_free(void *p);   /* for _cleanup_: free(*p) */
void cleanup_close(int *fd);  /* for _cleanup_: close(*fd) if it is >= 0 */
void cleanup_fclose(void *p); /* for _cleanup_: fclose(*p) if there is one */

#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_close_	 _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Never NULL: a program that watches others ends rather than limps.  Sizes that come
 * from outside are bounded before they get here. */
void *xalloc(size_t n); /* zeroed */
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
