/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled question as bytes, and back: what `skep trace --emit` puts into an object and
 * `skep load` takes out of it.
 *
 * All of struct question is kept but the diagnostics' list: programs, maps, probes, types,
 * formats, facts, and the text of the script for the places of later messages.  Saving,
 * loading and saving again gives the same bytes.  The form carries a version; it changes
 * whenever a struct of question.h or type.h does, and only the own one is read.
 */
#pragma once

#include "catalog/question.h"

enum { QUESTION_SAVE_VERSION = 3 };

struct question_save_options {
	bool no_source; /* the script's text becomes blanks: places stay, words go */
};

/* Append. */
void question_save(const struct question *q, const struct question_save_options *o, struct buf *to);

/*
 * The other way, into a `q` that question_init() was called for.  The bytes are foreign:
 * what was loaded can be handed to runtime/ and event/ without a second look.  -EBADMSG or
 * -ENOTSUP (another version, another processor), and *ret_why says what is wrong; `q` is
 * to be given to question_done() either way.
 */
int question_load(struct question *q, struct str bytes, const char **ret_why);
