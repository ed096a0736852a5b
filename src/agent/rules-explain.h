/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `skep rules explain` knows, shown: as text, or as JSON.
 *
 * The facts are worked out once, by compile/rule/explain.h and event/rule/engine.h; a form has
 * words for them, and decides nothing.
 */
#pragma once

#include "compile/rule/explain.h"
#include "event/rule/engine.h"

struct explain_form {
	void (*rule)(const struct rule_explained *x, struct buf *to);
	void (*all)(const struct rule_explained_all *x, struct buf *to);
	/* An event of a recording, held against a rule. */
	void (*event)(const struct event *e, const struct rule_reasons *why, struct buf *to);
};

extern const struct explain_form explain_as_text, explain_as_json;
