/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules on the run line: exactly, on the records that came up.
 *
 * The evaluator is plain: it walks the condition's tree and asks each field's function for
 * its value.  It is what the kernel's deciders are held against (shadow), what replay uses,
 * and what decides in the end.  Rules that the decider ruled out are not evaluated.
 *
 * A file event has two names: as given (normalised) and as the kernel resolved it.  The rule
 * is evaluated for the one, and, where they differ, for the other: a match of either is
 * a match.  So symbolic links hide nothing, and what Falco would say is said, too.
 */
#pragma once

#include "catalog/ruleset.h"
#include "event/stream.h"

/* A value of a field.  Strings are borrowed until the next event. */
struct rule_value {
	enum rule_type type;
	struct str text;	/* STRING, BYTES; FLAGS, ENUM as they are compared */
	uint64_t number;	/* numbers, flags, times, bool */
	uint8_t ip[2][16];	/* IP: [0]; IPS: both ends; v4 mapped */
	uint16_t port[2];	/* PORTS */
	const struct str *list; /* STRINGS */
	size_t n;		/* of list, of ip, of port */
};

/* What is evaluated: an event, and what rules know beyond it. */
struct rule_event {
	const struct event *event;
	const struct wire_annex *annex; /* NULL: the record has none */
	bool use_resolved;		/* fd.name and its kin are the kernel's name */
	struct arena *arena;		/* values that had to be made; reset after each event */
	uint64_t number;		/* evt.num */
	bool is_output;			/* secrets are masked: for what is shown */
	struct regexes *regexes;	/* compiled ones, kept; NULL: compiled each time */
	const struct hosts *hosts;	/* names of addresses; NULL: none is known */
};

/* False: it has no such value, and every check of it is false. */
bool rule_field_get(const struct rule_event *e, const struct rule_field_ref *f,
		    struct rule_value *ret);
/* Compiled regular expressions, by their text.  regexes_free(NULL) is fine. */
struct regexes *regexes_new(void);
void regexes_free(struct regexes *r);

/* The i-th of several values. */
struct rule_value rule_value_item(const struct rule_value *v, size_t i);
/* A value as outputs show it; as JSON: a number, true or false, or that in quotes. */
void rule_value_print(const struct rule_value *v, struct buf *to);
void rule_value_json(const struct rule_value *v, struct buf *to);
/* "<NA>" for what is missing, as in outputs.  Secrets are masked. */
void rule_field_print(const struct rule_event *e, const struct rule_field_ref *f, struct buf *to);
/* The same for a side of a comparison or a piece of an output: a field, or a transformer. */
bool rule_term_get(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret);
bool rule_term_shown(const struct rule_event *e, const struct rule_term *t,
		     struct rule_value *ret); /* secrets are masked */
void rule_term_print(const struct rule_event *e, const struct rule_term *t, struct buf *to);

bool rule_check_eval(const struct rule_event *e, const struct rule_check *c);
bool rule_expr_eval(const struct rule_event *e, const struct ruleset *rs,
		    const struct rule_expr *x);
/* Both names, see above; *ret_resolved: it was the resolved one alone. */
bool rule_match(struct rule_event *e, const struct ruleset *rs, const struct rule *rule,
		bool *ret_resolved);

/* Which leaves made it false or true, in the condition's order. */
struct rule_reason {
	const struct rule_check *check;
	bool is_true;
	bool has_value;
	struct rule_value value; /* of the left side; secrets are masked */
};
struct rule_reasons {
	bool does_match, by_resolved; /* as of rule_match() */
	ARRAY(struct rule_reason) checks;
};
/* In e->arena. */
void rule_why(struct rule_event *e, const struct ruleset *rs, const struct rule *rule,
	      struct rule_reasons *ret);

/* --- the engine: from events to alerts */

/* A number that an alert of skep's own tells beside its words: a key of output_fields. */
struct alert_number {
	const char *key;
	uint64_t value;
};

struct alert {
	const struct rule *rule;   /* NULL: skep's own words (held back, flood, swap) */
	const struct event *event; /* NULL: none */
	uint64_t real_ns;
	enum rule_priority priority;
	const char *name;	   /* of the rule, or of the internal alert */
	struct str message;	   /* the output, formatted; escaped */
	bool by_resolved;	   /* only the resolved name matched */
	bool was_cut;		   /* decided on what could be read: a string was cut */
	uint64_t held_back;	   /* alerts of this rule that the limit kept back before it */
	struct rule_event *values; /* for output_fields; NULL: none */
	const struct engine_config *config; /* what is said behind each message */
	const struct alert_number *numbers; /* of skep's own alerts */
	size_t n_numbers;
};

/*
 * Where alerts go.  A sink never waits for whoever reads it: what it can't write yet stands
 * in a queue of bounded size, and what does not fit there is counted in `lost`.
 */
struct alert_sink {
	int (*alert)(struct alert_sink *s, const struct alert *a); /* 0; −errno: end the run */
	int (*flush)(struct alert_sink *s); /* go on with what waits; called every 50 ms or so */
	void (*free)(struct alert_sink *s);
	/* At the end: wait for what waits, at most so long; NULL: nothing ever waits. */
	void (*finish)(struct alert_sink *s, unsigned int timeout_ms);
	void (*reopen)(struct alert_sink *s); /* SIGHUP: files were moved away; NULL */
	uint64_t lost;	  /* alerts that found no room, or nobody to take them */
	char problem[96]; /* what went wrong last, for a person; the reader empties it */
};

struct engine_config {
	const struct ruleset *rules;
	struct alert_sink *sink; /* borrowed */
	double rate;		 /* alerts a second and rule; 0: no bound */
	unsigned int burst;
	uint64_t count; /* alerts of rules after which there are no more; 0: no bound */
	bool shadow;	/* evaluate all rules of the kind, compare with `may` */
	bool plain;	/* without what is said of the container behind each message */
	const struct rule_output *const *appended; /* said behind each message; NULL at the end */
	/* Events of skep's own helpers cause no alerts: they would cause themselves.  NULL: none.
	 */
	bool (*is_own)(void *ctx, const struct event *event);
	void *is_own_ctx;
};

struct engine_totals {
	uint64_t events;    /* with rules for their kind that came up */
	uint64_t looked_at; /* of these: with rules that were not ruled out below */
	uint64_t evaluated; /* rules */
	uint64_t alerts, held_back;
	bool has_enough;		      /* `count` was reached */
	uint64_t by_priority[RULE_DEBUG + 1]; /* alerts */
	uint64_t internal;		      /* skep's own, beside `alerts` */
	uint64_t for_nothing;		      /* events that came up and matched no rule */
	uint64_t undecided; /* events that matched no rule, but a string was cut */
	uint64_t lost;	    /* events that did not come up: no room in the ring */
	uint64_t missed;    /* shadow: a rule matched that `may` ruled out: a bug */
	uint64_t too_many;  /* shadow: (event, rule) that `may` let through and did not match */
	uint64_t swaps;
};

struct engine;
struct engine *engine_new(const struct engine_config *config);
void engine_free(struct engine *e);
/*
 * A new rule set.  Records that the old one's deciders let through are evaluated by the old
 * one as long as it is kept: until engine_forget(), or the next swap.  Both are borrowed.
 * Rules that bear the same name go on counting.
 */
void engine_swap(struct engine *e, const struct ruleset *rules);
/* All records from before the swap were seen: the old rule set may be freed. */
void engine_forget(struct engine *e);
/* Called by the stream for each event, before its sink.  0 or −errno of the sink. */
int engine_event(struct engine *e, const struct event *event);
/* An alert of skep's own, bounded like those of rules; `name` tells them apart. */
int engine_say(struct engine *e, enum rule_priority priority, const char *name,
	       const struct event *event, const struct alert_number *numbers, size_t n_numbers,
	       const char *format, ...) _printf_(7, 8);
/* At the end: say what was held back, and not told by a later alert.  0 or −errno. */
int engine_finish(struct engine *e);
void engine_totals(const struct engine *e, struct engine_totals *ret);
/* Hits of a rule: matches, and alerts. */
void engine_rule_totals(const struct engine *e, const struct rule *rule, uint64_t *ret_matches,
			uint64_t *ret_alerts);

/* --- what an alert says (message.c) */

/* The output of a rule, its values escaped, and what is said behind it. */
void alert_message(const struct engine_config *config, const struct rule_event *e,
		   const struct rule *rule, bool by_resolved, struct buf *to);
/* The values of that as a JSON object: Falco's output_fields.  null: it has no value. */
void alert_fields_json(const struct alert *a, struct buf *to);
