/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as arguments: nothing moves, only the mask is written, twice is as once. */
#include "base/macro.h"
#include "event/redact.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t as_args(char *s, size_t n)
{
	return redact_args(s, n);
}

static size_t as_text(char *s, size_t n)
{
	return redact_text(s, n);
}

static void check(size_t (*redact)(char *, size_t), const uint8_t *data, size_t n)
{
	/* exactly n bytes each, for the sanitizer to see one too many */
	_cleanup_free_ char *once = xrealloc(NULL, n), *twice = xrealloc(NULL, n);
	size_t masked, changed = 0;

	memcpy(once, data, n);
	masked = redact(once, n);
	for (size_t i = 0; i < n; i++) {
		if (once[i] == (char)data[i])
			continue;
		assert(once[i] == REDACT_BYTE && data[i]);
		changed++;
	}
	assert(!masked == !changed);
	memcpy(twice, once, n);
	assert(!redact(twice, n));
	assert(!memcmp(once, twice, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n || n > 8192)
		return 0;
	check(as_args, data, n);
	check(as_text, data, n);
	return 0;
}
