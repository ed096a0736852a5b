/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked, as tables: events, their fields, their system calls.
 *
 * The rows stand in *.def; here is how the rest of the program reads them.  All
 * pointers are to constants and live for ever.
 */
#pragma once

#include "base/str.h"
#include "catalog/wire/event.h"
#include "catalog/wire/scope.h"

#include <stdbool.h>
#include <stdint.h>

enum event_group { GROUP_PROCESS, GROUP_FILE, GROUP_NETWORK, GROUP_SECURITY, GROUP_META };
enum event_view { VIEW_SHOWN, VIEW_ASKED };

enum field_type {
#define TYPE(id, json, help) T_##id,
#include "catalog/types.def"
#undef TYPE
	T_END,
};

/* The structs of wire/event.h that carry records. */
enum body {
#define BODY(id, call) BODY_##id,
#include "catalog/bodies.def"
#undef BODY
	BODY_END,
};

struct event_desc {
	const char *name, *line, *help;
	enum event_group group;
	enum event_view view;
	enum body body;
};

struct field_desc {
	const char *name, *help;
	enum field_type type;
	enum body body;
	uint16_t offset; /* of the member in the body; 0 for types that look at all of it */
	uint64_t events; /* bit k: belongs to kind k */
};

struct type_desc {
	const char *name, *json, *help;
};

struct syscall_desc {
	const char *name;
	int nr;	     /* on this machine; -1: it does not have this call */
	int nr_ia32; /* for 32-bit programs on x86-64; -1: none */
	struct sys_desc desc;
};

/* NULL unless `kind` is an event. */
const struct event_desc *event_get(unsigned int kind);
/* The kind, or 0. */
unsigned int event_find(struct str name);
const char *event_group_name(enum event_group group);

/* The i-th field of an event, in the order of the JSON; NULL after the last. */
const struct field_desc *field_of_event(unsigned int kind, size_t i);
const struct field_desc *field_find(unsigned int kind, struct str name);
const struct type_desc *type_get(enum field_type type);

/* All rows of syscalls.def. */
const struct syscall_desc *syscalls_get(size_t *ret_n);
/* The name of a call by its number in the process's own ABI; NULL: not in the table. */
const char *syscall_name(uint32_t nr, bool is_compat);

/* The body of a record of this kind; BODY_END: there is no such kind. */
enum body body_of_kind(unsigned int kind);
size_t body_size(enum body body);
/* Where a body has the number of its system call; 0: it has none, as BODY_END. */
extern const uint16_t body_calls[BODY_END + 1];
/* The offset of the i-th string of a body; 0 after the last. */
size_t body_string(enum body body, size_t i);

/* Bit masks of kinds. */
#define KIND_BIT(kind) (1ull << (kind))
uint64_t events_of_group(enum event_group group);
uint64_t events_in_view(enum event_view view); /* VIEW_SHOWN: the default set */
uint64_t events_all(void);

/*
 * Parse `--events`: names and groups separated by commas, "all", "default"; a minus
 * before one takes it away.  0, or -EINVAL with the offending word in `ret_bad`.
 */
int events_parse(struct str list, uint64_t *ret_mask, struct str *ret_bad);
/* The word for events_parse() that is nearest to a mistyped one; NULL: none is near. */
const char *events_nearest(struct str word);
