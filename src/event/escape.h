/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign bytes made harmless on their way out.
 *
 * File names, arguments and names of processes are chosen by whoever is watched.  Shown
 * as they are, they could move the cursor, retitle or program the terminal, hide the rest
 * of a line, swap what is read first, or start a line of their own in a log.  So nothing
 * that a reader can't see as one plain letter leaves here as it came.
 *
 * A run of REDACT_BYTE (event/redact.h) is shown as three dots, whatever its length.
 */
#pragma once

#include "base/str.h"

/*
 * For people: letters and signs of valid UTF-8 pass; a backslash is doubled, and the rest
 * becomes \n \t \e, \xHH (a byte) or \u{H} (a character).  The result has no control
 * byte, is valid UTF-8 and can be undone, but for the three dots.
 */
void escape_text(struct buf *b, struct str s);

/*
 * A JSON string with its quotes (RFC 8259).  Invisible characters become \uHHHH, so it is
 * harmless on a terminal too; each byte that is no UTF-8 becomes U+FFFD, for JSON has no
 * word for bytes.
 */
void escape_json(struct buf *b, struct str s);

/*
 * One argument as a shell would take it: plain, in '…', or in $'…' with bash's escapes,
 * where it has something to hide.
 */
void escape_arg(struct buf *b, struct str s);
