/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep watch`: its options.  Adding one: a row here, a member in agent/watch.h.
 */
#include "cli/command.h"

#include "agent/watch.h"
#include "cli/events.h"
#include "cli/rules-options.h"

struct line {
	struct watch_options watch;
	bool list_events;
};

#define OPTION(...) OPTION_IN(struct line, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION_HEADING("Whom to watch, all of it must be true"),
	OPTION("cgroup", 0, STRING, "PATH", watch.cgroup, CGROUP,
	       "what runs in this cgroup and below it; a folder of the cgroup2 file system, or a "
	       "path within it"),
	OPTION("container", 0, STRING, "NAME", watch.container, NOTHING,
	       "what runs in this container: its name, its id or the beginning of it"),
	OPTION("pid", 0, U32, "N", watch.pid, PID, "this process and all that it starts"),
	OPTION("comm", 0, GLOB, "GLOB", watch.comm, NOTHING,
	       "threads whose name matches, as 'nginx*'; *, ? and [a-z] as in a shell"),
	OPTION("user", 0, STRING, "USER", watch.user, USER, "what this user runs: name or number"),

	OPTION_HEADING("What to show"),
	OPTION("events", 0, EVENTS, "LIST", watch.events, EVENTS,
	       "events and groups of events, with commas between them; -NAME takes one away, all "
	       "is every one, default those that --list-events marks"),
	OPTION("list-events", 0, FLAG, NULL, list_events, NOTHING,
	       "show which events there are, and end; with --json also their fields"),
	OPTION("no-failed", 0, FLAG, NULL, watch.no_failed, NOTHING, "leave out calls that failed"),
	OPTION("show-secrets", 0, FLAG, NULL, watch.show_secrets, NOTHING,
	       "do not mask passwords and keys in arguments"),

	RULES_OPTIONS(watch.rules),

	OPTION_HEADING("How long"),
	OPTION("for", 0, DURATION, "TIME", watch.for_ns, NOTHING,
	       "end after this time, as 500ms, 10s or 1m30s; a command goes on unwatched"),
	OPTION("count", 0, U64, "N", watch.count, NOTHING, "end after N lines"),

	OPTION_HEADING("Where to, and how"),
	OPTION("json", 0, FLAG, NULL, watch.json, NOTHING, "print each event as a line of JSON"),
	OPTION("output", 'o', STRING, "FILE", watch.output, FILE,
	       "write to this file, which only you can read, instead of standard output"),
	OPTION("record", 0, STRING, "FILE", watch.record, FILE,
	       "keep everything in this file; skep replay shows it again"),
	OPTION("color", 0, CHOICE, "auto|always|never", watch.colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION("quiet", 'q', FLAG, NULL, watch.quiet, NOTHING, "no summary at the end"),
	OPTION("verbose", 'v', FLAG, NULL, watch.verbose, NOTHING,
	       "the kernel's own words when it refuses something"),
	OPTION("runtime", 0, CHOICE, "auto|kernel|embedded", watch.runtime, WORDS,
	       "embedded: without privileges, skep traces the command itself; auto: so only where "
	       "the kernel does not let it load programs"),
	OPTION("all-cpus", 0, FLAG, NULL, watch.all_cpus, NOTHING,
	       "embedded: let the command run on all processors; each stop costs more then"),
	OPTION("ring-size", 0, SIZE, "SIZE", watch.ring_kb, NOTHING,
	       "of the buffer between kernel and skep, a power of two; 4M if not given; larger "
	       "when events were lost"),
	OPTION_LAST,
};
#undef OPTION

_Static_assert(COLOUR_AUTO == 0 && COLOUR_ALWAYS == 1 && COLOUR_NEVER == 2,
	       "the order of the words of --color");

static const struct example examples[] = {
	{"sudo skep watch", "the whole machine, until Ctrl-C"},
	{"skep watch -- make test", "one command and all that it starts"},
	{"skep watch --container web --events network,exec",
	 "what a container connects to and starts"},
	{"skep watch --events=-kill", "what is shown by default, but no signals"},
	{"skep watch --json --for 10s -o events.json", "ten seconds, for another program to read"},
	{"skep watch --record night.skep -q", "look at it in the morning: skep replay night.skep"},
	{NULL, NULL},
};

static int run(const void *p, char **operands)
{
	struct line line = *(const struct line *)p;

	if (line.list_events)
		return events_list(line.watch.json);
	line.watch.command = operands[0] ? operands : NULL;
	return watch_run(&line.watch);
}

const struct command command_watch = {
	.about = "Show what processes, files and connections do, a line an event. With a command "
		 "after --, start it, watch it and all that it starts, and end with its exit "
		 "status.",
	.syntax = {.options = options, .operands = OPERANDS_COMMAND, .operand = "COMMAND [ARG...]"},
	.examples = examples,
	.size = sizeof(struct line),
	.run = run,
};
