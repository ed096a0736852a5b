/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of rules, the same for whatever evaluates them: rows for the table of a subcommand
 * that has OPTION(), `m` being its struct rules_options.
 */
#pragma once

#include "agent/rules.h"
#include "cli/options.h"

/* clang-format off */
#define RULES_OPTIONS(m) \
	OPTION_HEADING("Rules, in Falco's language: alerts instead of events"), \
	OPTION("rules", 'r', STRINGS, "FILE", m.files, FILE, \
	       "report what these rule files describe; may be given several times, a later one " \
	       "may change what an earlier one says"), \
	OPTION("alerts", 0, FLAG, NULL, m.own, NOTHING, \
	       "the same by skep's own rules, before those of files"), \
	OPTION("rule-matching", 0, CHOICE, "first|all", m.matching, WORDS, \
	       "first: of several rules that an event matches, only the first in the files " \
	       "reports it"), \
	OPTION("enable", 0, STRINGS, "RULE", m.enable, NOTHING, \
	       "rules that are disabled in the files: a name, or a pattern with * and ?"), \
	OPTION("disable", 0, STRINGS, "RULE", m.disable, NOTHING, \
	       "leave these rules out"), \
	OPTION("tag", 0, STRINGS, "TAG", m.tags, NOTHING, \
	       "only rules that bear one of these tags"), \
	OPTION("priority", 0, STRING, "PRIORITY", m.least, NOTHING, \
	       "only rules of this priority or a more urgent one: critical, error, warning, " \
	       "notice …"), \
	OPTION("alert-output", 0, STRINGS, "PLACE", m.outputs, NOTHING, \
	       "stdout, file:PATH, syslog, http:URL, program:COMMAND (takes all, a line each) " \
	       "or each:COMMAND; several at once; if not given, where events would go"), \
	OPTION("append-output", 0, STRING, "TEXT", m.append, NOTHING, \
	       "say this behind each alert; it may have fields: 'cwd=%proc.cwd'"), \
	OPTION("plain-output", 0, FLAG, NULL, m.plain, NOTHING, \
	       "do not say behind each alert what is known of the container"), \
	OPTION("rate", 0, STRING, "N[/BURST]", m.rate, NOTHING, \
	       "at most N alerts a second of each rule, and BURST at once; 100/1000 if not " \
	       "given, off for no limit; what is held back is counted"), \
	OPTION("shadow", 0, FLAG, NULL, m.shadow, NOTHING, \
	       "test skep itself: let everything through, and compare what the kernel decides " \
	       "with what user space finds"), \
	OPTION("stats", 0, FLAG, NULL, m.stats, NOTHING, \
	       "at the end, and on SIGUSR1, what each rule and decider saw and cost")
/* clang-format on */

_Static_assert(MATCH_FIRST == 0 && MATCH_ALL == 1, "the order of the words of --rule-matching");
_Static_assert((int)RULES_LIST_MAX == (int)OPTION_STRINGS_MAX, "room for all that is given");
