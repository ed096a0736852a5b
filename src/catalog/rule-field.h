/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules can ask of an event: the fields, by Falco's names.
 *
 * Rows stand in rule-field.def.  compile/lang/falco finds them by name and parses literals
 * for their types; event/rule/ has the function that extracts each; compile/rule/ knows
 * for each class how the kernel gets at it.
 */
#pragma once

#include "base/arena.h"
#include "catalog/wire/rule.h"

#include <stdbool.h>
#include <stdint.h>

enum rule_type {
#define RULE_TYPE(id, name, value, shape, item, operators, what) RT_##id,
#include "catalog/rule-type.def"
#undef RULE_TYPE
	RULE_TYPES
};

/* How literals are parsed, and values compared and printed. */
enum rule_value_kind {
	RV_TEXT,
	RV_BYTES,
	RV_NAMED, /* a number that is printed, and compared, by names */
	RV_SIGNED,
	RV_UNSIGNED, /* 64 bits */
	RV_BOOL,
	RV_PORT,    /* 16 bits */
	RV_ADDRESS, /* 16 bytes, and how many bits count */
};

enum rule_shape { RS_ONE, RS_LIST, RS_ENDS };

struct rule_type_info {
	const char *name; /* "CHARBUF", … as Falco lists them */
	enum rule_value_kind value;
	enum rule_shape shape;
	enum rule_type item; /* of each, if they are several */
};

extern const struct rule_type_info rule_types[RULE_TYPES];

/* Where its value comes from: what the kernel can decide about it (rules explain). */
enum rule_class {
	RC_SCALAR,    /* a number in the record or its annex, at the event */
	RC_PATH,      /* a string of this event: a name, a text */
	RC_PROCESS,   /* of a process, fixed by its exec: bits, once an exec */
	RC_ANCESTOR,  /* the same of its parent or an ancestor: their bits */
	RC_CONTAINER, /* of a container or pod: bits of its cgroup */
	RC_ADDRESS,   /* addresses and ports of a connection */
	RC_USERS,     /* a name of a user or group: a set of ids */
	RC_CONSTANT,  /* the same for all events of a kind: folded (evt.num, evt.dir …) */
	RC_USER,      /* user space alone */
	RC_NOT_YET,   /* known, has no value here: checks of it are false, with a warning */
};

enum rule_arg_kind {
	RA_NONE,
	RA_INDEX_OPT, /* [N]; without it: any of them (proc.aname) */
	RA_INDEX,     /* [N] */
	RA_NAME,      /* .name or [name]: evt.arg.flags, proc.env[HOME] */
	RA_NAME_OPT,
};

enum rule_field {
	RF_NONE,
#define RULE_FIELD(id, name, type, class, arg, kinds, help) RF_##id,
#include "catalog/rule-field.def"
#undef RULE_FIELD
	RULE_FIELDS
};

struct rule_field_info {
	const char *name, *help;
	enum rule_type type;
	enum rule_class class;
	enum rule_arg_kind arg;
	uint64_t kinds; /* records that can have it; ~0: all */
};

extern const struct rule_field_info rule_field_info[RULE_FIELDS];

/* A field as a rule names it. */
struct rule_field_ref {
	enum rule_field id;
	struct str arg;	     /* "" : none */
	int32_t index;	     /* INDEX kinds; −1: none given */
	enum rule_type type; /* of the value: that of the row, or of the argument (evt.arg.X) */
};

/* A literal, parsed for a type.  IP: 16 bytes, v4 mapped (::ffff:0:0/96). */
struct rule_literal {
	bool is_valid; /* false: never equal to any value of that type */
	int64_t number;
	uint8_t ip[16];
	uint8_t prefix; /* NET: bits of `ip`, 0 to 128 */
};

/*
 * "proc.aname[2]" → row and argument.  Longest name first: evt.arg.flags is evt.arg with
 * the argument "flags", fd.name is a row.  False: no such field; *ret_near then is the
 * nearest name or NULL.
 */
bool rule_field_find(struct str text, struct rule_field_ref *ret, const char **ret_near);
/* Parse `text` for a value of `type`; false: it is none (the literal is set all the same). */
bool rule_literal_parse(enum rule_type type, struct str text, struct rule_literal *ret);
const char *rule_class_name(enum rule_class class); /* "once an exec", … for people */

/*
 * Numbers that are compared by name: the names of a flags or enum field, for evaluation and
 * for turning text checks into number checks.  The i-th; NULL after the last.  A flag's
 * `mask` says which bits it is compared under (O_RDWR: mask 3).
 */
struct rule_name {
	const char *name;
	uint64_t value, mask;
};
const struct rule_name *rule_names(const struct rule_field_ref *f, size_t *ret_n);
/* The text of a value of such a field: "O_RDONLY|O_CLOEXEC"; "CAP_CHOWN CAP_KILL". */
void rule_flags_print(const struct rule_field_ref *f, uint64_t value, struct buf *to);

/*
 * --- arguments: evt.arg.NAME and evt.rawarg.NAME
 *
 * A name means different things in different events: `flags` of an open are O_*, of an
 * unshare CLONE_*.  So there is a row of rule-arg.def for each meaning; rule_field_ref.type is
 * that of the first row with this name, and whoever has an event asks for the row of its kind.
 */
enum rule_arg_from {
	RAF_NONE,  /* known, never has a value here */
	RAF_NAME,  /* annex.name (as the field fd.name): the first path, absolute, normalised */
	RAF_NAME2, /* annex.name2: the second */
	RAF_STR,   /* the wire_str at `offset`, as it stands there */
	RAF_U16,   /* a number at `offset` of the record */
	RAF_U32,
	RAF_U64,
	RAF_OPEN, /* wire_file.flags | (uint64_t)wire_file.bits << 32 */
	RAF_UID,  /* 32 bits at `offset`: as text the user's name */
	RAF_GID,
	RAF_ERRNO, /* head.ret: as text ENOENT, or the number if it is none */
	RAF_FD,	   /* 64 bits at `offset`, a descriptor: as text "<f>name" */
	RAF_EXE,   /* EV_EXEC: proc.exe, proc.args, … : the field `offset` (enum rule_field) */
	RAF_TUPLE, /* a connection: fd.name */
};

struct rule_arg_info {
	const char *name;
	enum rule_type type, raw; /* of evt.arg, of evt.rawarg */
	enum rule_class class;
	enum rule_arg_from from;
	unsigned int offset;
	uint64_t kinds;		       /* 0: skep has no such event */
	const char *only;	       /* has it only as this event ("setuid"); NULL: all */
	char format;		       /* numbers that have no names: 'd', 'o' (017), 'x' (F) */
	const struct rule_name *names; /* FLAGS, ENUM; ends with a NULL name */
};
/*
 * The row for events of this kind; kind 0: the first.  NULL: it has no such argument.  A kind
 * may have several, each for another call (`only`): rule_arg_next() has those behind it.
 */
const struct rule_arg_info *rule_arg_find(struct str name, unsigned int kind);
const struct rule_arg_info *rule_arg_next(const struct rule_arg_info *row, unsigned int kind);
/* The row for this very record. */
const struct rule_arg_info *rule_arg_of(const struct wire_head *h, struct str name);
const struct rule_arg_info *rule_args(size_t *ret_n);
/* A value by a table that ends with a NULL name: as Falco renders flags, or an enum. */
void rule_names_print(const struct rule_name *names, uint64_t value, struct buf *to);

/* --- evt.type: Falco's names of events, and which records they are */

struct rule_event_info {
	const char *name; /* "openat" */
	uint64_t kinds;	  /* records that can be it; 0: skep has no such event */
	int nr;		  /* number of the system call here; −1: told by the kind alone */
	int nr_ia32;
	const char *as;	      /* counts as this one too: openat2 names itself, "open_by_handle_at"
				 counts as "openat"; NULL: as nothing else */
	const char *category; /* evt.category: "file", "net", "io-write", "process" … */
};
const struct rule_event_info *rule_events(size_t *ret_n);
const struct rule_event_info *rule_event_find(struct str name);
/*
 * Is the record this event?  By its own name or the one it counts as; what evt.type = NAME
 * means.  For kinds without a number (a fork) all names of the kind are right.
 */
bool rule_event_is(const struct wire_head *h, const struct rule_event_info *info);
/* The event of a record; never NULL for kinds that rules can ask for. */
const struct rule_event_info *rule_event_of(const struct wire_head *h);
/* The system call's number in a record of any body; −1: it has none. */
int rule_event_nr(const struct wire_head *h);
