/* SPDX-License-Identifier: Apache-2.0 */
/* The values of options: text to number, without a word to the user. */
#pragma once

#include "base/str.h"

/* All of `text`, decimal, from 1 to max: 0, or -EINVAL, or -ERANGE. */
int number_parse(const char *text, uint64_t max, uint64_t *ret);

/* 500ms, 10s, 1m30s, 2h, 1d; longer than nothing: 0, -EINVAL or -ERANGE. */
int duration_parse(const char *text, uint64_t *ret_ns);

/* 4096, 512K, 16M, 1G: a power of two from 4K to 1G: 0, -EINVAL or -ERANGE. */
int size_parse(const char *text, uint32_t *ret_kb);

/* The i-th word of "a|b|c"; {NULL, 0} after the last. */
struct str word_at(const char *words, size_t i);

/* The place of a word in "a|b|c"; -1: it is not there. */
int word_find(const char *words, struct str word);

/* The nearest of the words, for "did you mean"; {NULL, 0}: none is near. */
struct str word_nearest(const char *words, const char *typed);
