/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made from the tables. */
#pragma once

#include "base/str.h"
#include "cli/command.h"

/* Both print on standard output and return the exit status 0. */
int help_program(void);
int help_command(const struct command_row *row);

/* "skep watch [OPTION...] [-- COMMAND...]" */
void help_synopsis(struct buf *b, const struct command_row *row);

/* Add text at column `indent`, wrapped at 80 columns; the first line is indented already. */
void help_wrap(struct buf *b, const char *text, size_t indent);
