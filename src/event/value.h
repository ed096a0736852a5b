/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A field's value, for people and for programs.
 *
 * How it is written is a matter of its type, a row of catalog/types.def; value-internal.h tells
 * where the functions are.  Both functions append nothing and return false where the event has
 * no such value.
 */
#pragma once

#include "event/stream.h"

bool value_text(struct buf *out, const struct event *e, const struct field_desc *f);
bool value_json(struct buf *out, const struct event *e, const struct field_desc *f);

/* Pieces that sinks need for what is no field. */
void text_duration(struct buf *out, uint64_t ns);
void text_bytes(struct buf *out, uint64_t n);
/* Arguments, one after the other, as a shell would take them. */
void text_args(struct buf *out, const char *args, size_t n);
void json_args(struct buf *out, const char *args, size_t n);
