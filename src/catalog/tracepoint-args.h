/* SPDX-License-Identifier: Apache-2.0 */
/* How the fields of some tracepoints follow from the tracepoint's arguments. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is done with the argument. */
enum tracepoint_way {
	TRACEPOINT_ARG,	   /* it is the value */
	TRACEPOINT_MEMBER, /* it points to a struct: a number or a pointer there */
	TRACEPOINT_TEXT,   /* likewise: an array of bytes */
	TRACEPOINT_STATE,  /* it is a task that goes: what it goes to do, as the record says it */
	TRACEPOINT_CPU,	   /* it is a task: the processor that it is on */
	TRACEPOINT_ONE,	   /* it does not matter: the field is 1 */
	TRACEPOINT_WAYS
};

struct tracepoint_field {
	const char *group, *event, *field;
	unsigned int arg;
	enum tracepoint_way way;
	const char *type, *member; /* MEMBER, TEXT */
};

/* NULL: the field must be read from the record, as far as is known here. */
const struct tracepoint_field *tracepoint_field(const char *group, const char *event,
						const char *field);
/* Does it happen so often that each read counts? */
bool tracepoint_is_often(const char *group, const char *event);
/* All, in the table's order; NULL: no more. */
const struct tracepoint_field *tracepoint_field_at(size_t i);
