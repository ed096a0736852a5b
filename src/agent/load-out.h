/* SPDX-License-Identifier: Apache-2.0 */
/* What a foreign object says, as lines: text, or one JSON object a line. */
#pragma once

#include "agent/load-pipe.h"
#include "agent/load.h"
#include "isa/btf.h"
#include "runtime/foreign.h"

#include <stdio.h>

struct load_out {
	const struct load_options *o;
	struct foreign *object;
	FILE *to;
	struct buf types; /* of the object, aligned */
	struct btf_view view;
	bool has_types;
	struct buf line;
	size_t n_items; /* of the map that is shown */
};

/* Says what went wrong; the exit status. */
int load_out_open(struct load_out *x, struct foreign *object, const struct load_options *o);
void load_out_close(struct load_out *x);
void load_out_flush(struct load_out *x);
void load_out_attached(struct load_out *x, size_t n);
void load_out_list(struct load_out *x);
void load_out_text(struct load_out *x, struct str text); /* of iterators, as it is */
void load_out_printk(void *x, const struct load_printk *p);
int load_out_record(void *x, size_t map, const void *data, size_t n, uint64_t lost);
/* All elements of map `i`, if it is one that can be shown and has some. */
void load_out_map(struct load_out *x, size_t i);
