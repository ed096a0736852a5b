/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of answers share.
 *
 * One walker (value.c) goes through a value by its type; how its parts are written is a
 * struct value_form: text or JSON.  Everything is collected in a buffer and leaves in one
 * piece, so that lines of several writers do not mix.
 *
 * Bytes come with their number and are checked again at every step down: the types of a
 * question that was saved may be anybody's.
 */
#pragma once

#include "base/arena.h"
#include "event/answer/answer.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

struct capture; /* a pcap file, of skboutput() */
struct names;	/* users, cached */

struct answer {
	const struct question *q; /* borrowed */
	struct answer_source source;
	struct answer_options o;
	struct names *names; /* owned; made when first asked */
	struct buf line;     /* what one record prints; kept for its memory */
	struct capture *captures;
	uint64_t *losses_said; /* beside q->losses: what was reported already */
	unsigned int errors;
	int exit_code;
	bool is_terminal; /* `out` shows bytes to a person: foreign ones are made harmless */
};

/* n unsigned bytes in the machine's order; n is 1, 2, 4 or 8, else 0 comes back. */
uint64_t bytes_uint(struct bytes b, size_t n);
int64_t bytes_int(struct bytes b, size_t n);
/* A part; empty if it is not inside. */
struct bytes bytes_part(struct bytes b, size_t at, size_t n);

/* --- form.c: how things are written */

enum form_list { FORM_ARRAY, FORM_TUPLE, FORM_RECORD, FORM_LISTS };

struct value_form {
	struct {
		const char *open, *between, *close;
		const char *empty;
	} lists[FORM_LISTS];
	const char *name_open, *name_close; /* around a member's name */
	void (*put_text)(const struct answer *a, struct buf *to, struct str s);
	void (*put_int)(struct buf *to, uint64_t v, bool is_signed);
	/* A number that has a name. */
	void (*put_named)(const struct answer *a, struct buf *to, struct str name, uint64_t v);
	void (*put_bytes)(struct buf *to, struct bytes b); /* buf() */
};

extern const struct value_form form_text, form_json;
const struct value_form *answer_form(const struct answer *a);

/* \xNN for what is no letter (`ascii`), or for all; without `escape` NN NN. */
void put_hex_bytes(struct buf *to, struct bytes b, bool ascii, bool escape);
/* Foreign text for a terminal: letters, tabs and line ends pass. */
void put_tame(struct buf *to, struct str s);
void put_json_text(struct buf *to, struct str s);

/* --- value.c: the walker */

/* Integers are divided by `div`, 0 and 1: they are not. */
void value_put(struct answer *a, const struct value_form *form, const struct type *t,
	       struct bytes b, uint32_t div, struct buf *to);
/* A member of a tuple; TYPE_NONE with no bytes if there is none. */
struct bytes value_member(const struct type *t, unsigned int i, struct bytes b,
			  const struct type **ret_type);
/* The number that %d and its like print. */
uint64_t value_number(const struct type *t, struct bytes b);

/* --- kinds of values with a file of their own: text without quotes */
void stack_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to);
void symbol_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to);
void name_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to);
void names_free(struct names *n);
void time_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to);
/* strftime() in the local zone (or UTC), with %f %k %l: micro-, nano-, milliseconds. */
void time_format(const char *format, uint64_t realtime_ns, bool utc, struct buf *to);

/* --- format.c */
void format_text(struct answer *a, const char *format, const struct type *args, struct bytes b,
		 struct buf *to);
void gfp_text(uint64_t flags, struct buf *to);

/* --- map.c, buckets.c, hist.c, series.c */

/* An element: its key, and what is left of its values when the cpus are merged. */
struct item {
	struct bytes key;   /* without the bucket; nothing: a map without keys */
	struct bytes value; /* as the map's value type lays it out; or struct bucket[] */
	uint64_t rank;	    /* buckets: the sum of their values */
};

struct items {
	struct arena arena;
	ARRAY(struct item) list;
};

/* Histograms: number and count of one bucket.  Time series: an interval and its value. */
struct bucket {
	uint64_t at;
	uint64_t value;
};

static inline bool type_has_buckets(const struct type *t)
{
	return t->kind == TYPE_HIST || t->kind == TYPE_LHIST || t->kind == TYPE_TSERIES;
}

void map_print(struct answer *a, uint32_t map, uint32_t top, uint32_t div);
/* print(@x): of a map without keys that nothing was put into, a zero is shown. */
void map_print_asked(struct answer *a, uint32_t map, uint32_t top, uint32_t div);
/* print(@x[key]): the value alone; zero if there is no such element. */
void map_print_element(struct answer *a, uint32_t map, struct bytes key);
/* One item a key, in the order of the keys' bytes. */
void buckets_collect(struct answer *a, uint32_t map, struct items *ret);
void hist_put(struct answer *a, const struct type *t, struct bytes buckets, uint32_t div,
	      struct buf *to);
/* `last` is the latest interval of the whole map. */
void series_put(struct answer *a, const struct type *t, struct bytes buckets, uint64_t last,
		struct buf *to);

/* --- shell.c */
void shell_system(struct answer *a, const char *command);
void shell_cat(struct answer *a, const char *path);
void shell_join(struct answer *a, const char *delimiter, const struct type *args, struct bytes b);

/* --- error.c: what goes to standard error, or into the JSON */
void error_say(struct answer *a, const struct question_action *x, struct str text, bool is_error);
void error_helper(struct answer *a, const struct question_action *x, int result);
void error_runtime(struct answer *a, const struct question_action *x);
/* Without a place: what we could not do for the script. */
void error_plain(struct answer *a, const char *format, ...) _printf_(2, 3);
/* A message of our own, with its place if there is one. */
void error_warn(struct answer *a, struct span span, const char *format, ...) _printf_(3, 4);

/* --- capture.c: pcap files */
void capture_write(struct answer *a, const char *file, uint64_t boot_ns, struct bytes packet);
void captures_free(struct capture *c);

/* --- answer.c */
void answer_write(struct answer *a, const struct buf *text); /* to `out` */
/* {"type": "TYPE", "data": "TEXT"}, or the text and `end`. */
void answer_text(struct answer *a, const char *type, struct str text, const char *end);
