/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a field's value is found: one function a row of catalog/rule-field.def.
 *
 * A function fills `v` (whose type is set) and returns true, or returns false: the event has
 * no such value.  Texts borrow from the record, the table of processes, or e->arena.
 * Adding a field: its row, and FIELD(id) { … } in the file of its class; without it skep does
 * not link.
 */
#pragma once

#include "catalog/catalog.h"
#include "event/decode.h"
#include "event/rule/engine.h"

typedef bool field_fn(const struct rule_event *e, const struct rule_field_ref *f,
		      struct rule_value *v);
#define RULE_FIELD(id, name, type, class, arg, kinds, help) field_fn field_##id;
#include "catalog/rule-field.def"
#undef RULE_FIELD

#define FIELD(id)                                                                   \
	bool field_##id(const struct rule_event *e, const struct rule_field_ref *f, \
			struct rule_value *v)

static inline bool set_text(struct rule_value *v, struct str s)
{
	v->text = s;
	return true;
}

/* Missing if there is no such string. */
static inline bool set_known(struct rule_value *v, struct str s)
{
	v->text = s;
	return s.p != NULL;
}

static inline bool set_number(struct rule_value *v, uint64_t n)
{
	v->number = n;
	return true;
}

/* The record: as it came, for conditions; with its secrets masked, for outputs. */
static inline const struct wire_head *record_of(const struct rule_event *e)
{
	return e->event->raw && !e->is_output ? e->event->raw : e->event->head;
}

/* The record's body; NULL: it has another. */
static inline const void *body_of(const struct rule_event *e, enum body body)
{
	return body_of_kind(e->event->kind) == body ? (const void *)record_of(e) : NULL;
}
#define file_of(e)  ((const struct wire_file *)body_of(e, BODY_wire_file))
#define sock_of(e)  ((const struct wire_sock *)body_of(e, BODY_wire_sock))
#define sys_of(e)   ((const struct wire_sys *)body_of(e, BODY_wire_sys))
#define creds_of(e) ((const struct wire_creds *)body_of(e, BODY_wire_creds))

bool is_open_kind(unsigned int kind);

/* The task's facts; NULL: the record has none. */
static inline const struct wire_annex *task_of(const struct rule_event *e)
{
	return e->annex && e->annex->flags & WIRE_A_TASK ? e->annex : NULL;
}

/* Text that is put together lives in the arena: take it from a buffer, which is emptied. */
struct str field_keep(const struct rule_event *e, struct buf *b);

/* --- shared by several files */

/* fd.name of a file event: as given, normalised, or as the kernel resolved it. */
struct str path_first(const struct rule_event *e);
struct str path_second(const struct rule_event *e);
/* "10.0.0.1:40000->10.0.0.2:443"; false: no addresses */
bool sock_name(const struct rule_event *e, struct rule_value *v);
/* An ancestor: 0 the process itself, 1 its parent; NULL: not known. */
const struct process *ancestor(const struct rule_event *e, size_t i);
/* The user's or group's name; never missing: "<NA>". */
struct str user_text(const struct rule_event *e, uint32_t uid);
struct str group_text(const struct rule_event *e, uint32_t gid);
/* evt.arg.X as text or number; `raw`: evt.rawarg. */
bool arg_get(const struct rule_event *e, const struct rule_arg_info *a, bool raw,
	     struct rule_value *v);
