/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the IR's text form: for parse.c. */
#pragma once

#include "base/diag/diag.h"

enum ir_token_kind {
	IRT_END,
	IRT_WORD,   /* letters, digits, _ and . */
	IRT_REG,    /* %12: `number` */
	IRT_NUMBER, /* `number`; hexadecimal too */
	IRT_STRING, /* "…": `text` has the escapes resolved */
	IRT_PUNCT,  /* one byte */
	IRT_BAD,    /* a number too large, a string without end */
};

struct ir_token {
	enum ir_token_kind kind;
	struct str text; /* as it stands there; STRING: its content */
	int64_t number;
	struct span span;
	bool is_first; /* of its line */
};

struct ir_scanner {
	struct arena *arena;
	struct str text;
	size_t at;
	uint32_t file;
};

/* The next one; comments (# to the end of the line) are skipped. */
struct ir_token ir_scan(struct ir_scanner *s);
