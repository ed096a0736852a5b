/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record is made, and its fields are looked at as people and as programs read them.
 *
 *	CASES(open_flags)
 *	{
 *		struct wire_file *f = look_make(EV_OPEN);
 *
 *		f->flags = O_WRONLY;
 *		IS("flags", "O_WRONLY", "[\"O_WRONLY\"]");
 *		NONE("file");
 *		ADD(wire_file, file, "/tmp/x");
 *		IS("file", "/tmp/x", "\"/tmp/x\"");
 *	}
 *
 * CASES are a test of their own, and are called once more by the test that no type is without a
 * case.  The user 1000 is called anna.
 */
#pragma once

#include "event/made.h"
#include "test.h"

/* Around each test: a stream that knows some users. */
void look_begin(void);
void look_end(void);

/* A record whose numbers are all 0; it stays where it is while strings are added. */
void *look_make(unsigned int kind);
void look_add(size_t member, struct str what);
#define ADD(body, member, what) look_add(offsetof(struct body, member), STR(what))

/* Append the value of a field of this record; false: there is none, or no such field. */
bool look_text(const char *field, struct buf *out);
bool look_json(const char *field, struct buf *out);
/* Has any field of this type been looked at since look_begin()? */
bool look_has_seen(int type);

/* What a field is in text and in JSON; NULL: it has no value there. */
void look_check(int line, const char *field, const char *text, const char *json);
#define IS(field, text, json) look_check(__LINE__, field, text, json)
#define NONE(field)	      look_check(__LINE__, field, NULL, NULL)
/* Numbers may be the same in both. */
#define SAME(field, both) look_check(__LINE__, field, both, both)

#define CASES(id)             \
	static void id(void); \
	TEST(id)              \
	{                     \
		look_begin(); \
		id();         \
		look_end();   \
	}                     \
	static void id(void)

/* All CASES of a file. */
void cases_plain(void);
void cases_process(void);
void cases_file(void);
void cases_net(void);
void cases_call(void);
