/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a question become what its script wants: printed text, maps, files.
 *
 * A record names an action; its payload is laid out by the action's types.  Values are
 * printed by type (value.h), into text or JSON; the two forms are bpftrace's own.  What
 * must be asked of the running query (maps, stacks) or of the machine (symbols, users)
 * comes through struct answer_source.
 */
#pragma once

#include "catalog/question.h"
#include "catalog/wire/answer.h"

typedef int (*answer_item_fn)(void *ctx, const void *key, const void *values, unsigned int n_values,
			      size_t value_step);

/* Where answers come from.  All but the maps' functions may be NULL. */
struct answer_source {
	void *ctx;
	int (*map_each)(void *ctx, uint32_t map, answer_item_fn fn, void *fn_ctx);
	/* One element; may be NULL: then all are looked through. */
	int (*map_get)(void *ctx, uint32_t map, const void *key, answer_item_fn fn, void *fn_ctx);
	int (*map_clear)(void *ctx, uint32_t map);
	int (*map_zero)(void *ctx, uint32_t map);
	uint64_t (*loss)(void *ctx, uint32_t row);
	unsigned int (*stack)(void *ctx, uint64_t id, uint64_t *frames, unsigned int room);
	/* "name" and offset into it; false: unknown.  Append to `to`. */
	bool (*ksym)(void *ctx, uint64_t address, struct buf *to, uint64_t *ret_offset);
	bool (*usym)(void *ctx, uint64_t address, uint32_t pid, int32_t probe, struct buf *to,
		     uint64_t *ret_offset, struct buf *ret_module);
	/* "unified:/a,cpu:/b"; `root` "": of all hierarchies, else a pattern of their names. */
	bool (*cgroup_path)(void *ctx, uint64_t id, const char *root, struct buf *to);
	void (*unwatch)(void *ctx, uint64_t address);
	/* CLOCK_REALTIME − CLOCK_BOOTTIME in ns, for strftime(). */
	int64_t realtime_offset_ns;
};

enum answer_format { ANSWER_TEXT, ANSWER_JSON };

struct answer; /* the state of one run */

struct answer_options {
	enum answer_format format;
	FILE *out, *err; /* borrowed */
	bool colour;
	bool is_verbose_errors; /* -k: those that give a zero, too */
	bool is_safe;		/* system() is refused */
	bool no_warnings;	/* warnf(), errors of helpers and the like are not shown */
	bool quiet_maps;	/* print_maps_on_exit off */
	int (*shell)(const char *command, struct buf *output); /* NULL: run it for real */
};

struct answer *answer_new(const struct question *q, const struct answer_source *source,
			  const struct answer_options *o);
void answer_free(struct answer *a);
/* One record.  0; 1: the script said exit(); negative: it is damaged. */
int answer_record(struct answer *a, const struct wire_answer *record, size_t n);
int answer_exit_code(const struct answer *a);	    /* of exit(n) */
unsigned int answer_errors(const struct answer *a); /* errorf, failed asserts */
/* "Attached N probes", JSON: {"type": "attached_probes", …} */
void answer_attached(struct answer *a, unsigned int n);
/* Two empty lines, and all maps that are not empty, as at exit. */
void answer_maps(struct answer *a);
/* What was lost, by cause and place. */
void answer_losses(struct answer *a);
