/* SPDX-License-Identifier: Apache-2.0 */
/* Where alerts go: the words of --alert-output become sinks. */
#pragma once

#include "agent/output.h"
#include "agent/rules.h"
#include "out/alert.h"

/*
 * `out`: where lines of events go, and alerts if nothing else was said; `has_events`: there
 * are such lines.  Says itself what is wrong, and returns the exit status; 0 and *ret.
 */
int rules_out_open(const struct rules_options *o, const struct output *out, bool is_json,
		   bool has_colour, bool has_events, struct alert_sink **ret);
/* "N", "N/BURST" or "off"; NULL: the default.  False: said why. */
bool rules_rate(const char *text, double *ret_rate, unsigned int *ret_burst);
