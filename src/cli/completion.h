/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell for which `skep completion` writes: functions for its dialect, one file each.
 *
 * They are called in the order of the members: `begin`, then for each command `command`,
 * `option` for each of its options, `command_end`, and at last `end`.  NULL: nothing to
 * write there.
 */
#pragma once

#include "base/str.h"
#include "cli/command.h"

struct shell {
	void (*begin)(struct buf *b);
	void (*command)(struct buf *b, const struct command_row *row);
	void (*option)(struct buf *b, const struct command_row *row, const struct option_desc *o);
	void (*command_end)(struct buf *b, const struct command_row *row);
	void (*end)(struct buf *b);
};

extern const struct shell shell_bash, shell_zsh, shell_fish;

/* The words that a value may be, with blanks between them; none for files and the like. */
void completion_words(struct buf *b, enum completes completes, const char *argument);

/* Help within '…' of a shell; letters of `special` get a backslash. */
void completion_help(struct buf *b, const char *help, const char *special);
