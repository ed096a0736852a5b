/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML documents as trees whose nodes know their place in the file.
 *
 * libyaml reads; what comes out is small: scalars, sequences, maps.  An alias is the node
 * that it names, the same one, so a tree is not larger than its text; an alias inside its own
 * anchor is an error, and so is a document that names large nodes over and over.  A merge
 * key ("<<") is a key like any other: YAML 1.2 dropped it, and Falco's reader has none.
 *
 * A scalar's text is not what stands in the file: lines are folded, indentation goes,
 * escapes are resolved.  node_offsets() tells where each of its bytes came from.
 */
#pragma once

#include "base/diag/diag.h"

enum {
	YAML_BYTES_MAX = 4 << 20,
	YAML_DEPTH_MAX = 32,
	YAML_REPEATED_MAX = 4 << 20, /* bytes that aliases repeat */
	YAML_KEYS_MAX = 1024,	     /* of a map */
};

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAP };
enum node_style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_BLOCK };

struct node {
	enum node_kind kind;
	enum node_style style; /* of a scalar */
	struct span span;      /* as it stands in the file, with quotes; a map: its first key */
	struct str text;       /* SCALAR; a NUL behind it */
	ARRAY(struct node *) items; /* SEQUENCE; MAP: key, value, key, value … */
	uint32_t weight;	    /* bytes of it, aliases followed */
	bool is_open;		    /* while it is read */
};

struct yaml {
	ARRAY(struct node *) documents; /* empty documents are left out */
	const char *error;		/* NULL: all could be read */
	struct span error_span;
};

/* Read `text`, source number `file`.  False: *ret has the error, and what was good before. */
bool yaml_read(struct arena *a, uint32_t file, struct str text, struct yaml *ret);

/* The value of a key; NULL: there is none.  The first one, if it stands there twice. */
struct node *node_get(const struct node *map, const char *key);
struct node *node_get_key(const struct node *map, const char *key); /* the key itself */

/* A plain scalar that means "nothing": empty, ~, null. */
bool node_is_null(const struct node *n);
/* "true", "Yes", "off" …; false: it is none. */
bool node_bool(const struct node *n, bool *ret);

/*
 * Where in `source` each byte of a scalar's text came from; one more for its end.  In the
 * arena; what cannot be told is the begin of the scalar.
 */
const uint32_t *node_offsets(struct arena *a, struct str source, const struct node *n);
