/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: what comes out is valid UTF-8, has no control byte, and as JSON is JSON. */
#include "base/str.h"
#include "event/escape.h"

#include <assert.h>
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* No byte that a terminal obeys; the C1 controls are C2 80 to C2 9F. */
static void check_harmless(const struct buf *b)
{
	json_t *valid = json_stringn(b->p ? b->p : "", b->n); /* NULL: no UTF-8 */

	assert(valid);
	json_decref(valid);
	for (size_t i = 0; i < b->n; i++) {
		uint8_t c = b->p[i], next = i + 1 < b->n ? b->p[i + 1] : 0;
		uint8_t last = i + 2 < b->n ? b->p[i + 2] : 0;

		assert(c >= 0x20 && c != 0x7f);
		assert(c != 0xc2 || next >= 0xa0);
		/* U+200B–200F, U+2028–202E, U+2066–2069 */
		assert(c != 0xe2 || next != 0x80 || last < 0x8b || (last > 0x8f && last < 0xa8) ||
		       last > 0xae);
		assert(c != 0xe2 || next != 0x81 || last < 0xa6 || last > 0xa9);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf text = {0}, json = {0}, arg = {0};
	struct str s = {(const char *)data, n};
	json_t *parsed;

	escape_text(&text, s);
	check_harmless(&text);
	escape_arg(&arg, s);
	check_harmless(&arg);
	assert(arg.n);
	escape_json(&json, s);
	check_harmless(&json);
	parsed = json_loadb(json.p, json.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert(json_is_string(parsed));
	assert(json_string_length(parsed) <= 9 * n); /* one masked byte: three dots */
	json_decref(parsed);
	return 0;
}
