/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep rules`: what can be known of rules without watching anything.
 *
 * Its words are rows of rules-words.def.  Adding one: a row there, its function here, a
 * member in struct rules_words for its options.
 */
#include "agent/rules-check.h"
#include "agent/rules.h"
#include "agent/runtime-choice.h"
#include "cli/command.h"
#include "cli/rules-fields.h"

#include "base/log.h"

struct rules_words {
	bool json, verbose, quiet;
	enum colour colour;
	const char *tags[OPTION_STRINGS_MAX + 1];
	const char *least;
	bool all;
	const char *replay, *only;
	enum runtime_choice runtime;
};

#define OPTION(...) OPTION_IN(struct rules_words, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("json", 0, FLAG, NULL, json, NOTHING,
	       "JSON; of check: findings as Falco's own -V shows them; of --replay: a line an "
	       "event"),
	OPTION("verbose", 'v', FLAG, NULL, verbose, NOTHING, "more of each"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),

	OPTION_HEADING("Of check"),
	OPTION("quiet", 'q', FLAG, NULL, quiet, NOTHING, "errors, but no warnings"),

	OPTION_HEADING("Of list"),
	OPTION("tag", 0, STRINGS, "TAG", tags, NOTHING, "only rules that bear one of these tags"),
	OPTION("priority", 0, STRING, "PRIORITY", least, NOTHING,
	       "only rules of this priority or a more urgent one: critical, error, warning"),

	OPTION_HEADING("Of explain"),
	OPTION("all", 0, FLAG, NULL, all, NOTHING, "every rule: a table instead of a rule's name"),
	OPTION("replay", 0, STRING, "FILE", replay, RECORDING,
	       "why each event of this recording matches the rule, or does not"),

	OPTION_HEADING("Of test"),
	OPTION("only", 0, STRING, "GLOB", only, NOTHING,
	       "only tests whose rule, or RULE: TEST, fits this pattern"),
	OPTION("runtime", 0, CHOICE, "auto|kernel|embedded", runtime, WORDS,
	       "as of skep watch; without privileges some tests are skipped"),
	OPTION_LAST,
};
#undef OPTION

static int usage(const char *text)
{
	log_error(0, "%s", text);
	log_hint("skep help rules tells more");
	return EXIT_USAGE;
}

static struct rules_check_options check_options(const struct rules_words *o)
{
	return (struct rules_check_options){.json = o->json,
					    .verbose = o->verbose,
					    .quiet = o->quiet,
					    .colour = o->colour,
					    .tags = o->tags[0] ? o->tags : NULL,
					    .least = o->least};
}

static int word_check(const struct rules_words *o, char **files)
{
	struct rules_check_options c = check_options(o);

	return files[0] ? rules_check(&c, files) : usage("a rule file is expected");
}

static int word_list(const struct rules_words *o, char **files)
{
	struct rules_check_options c = check_options(o);

	return rules_list(&c, files);
}

static int word_fields(const struct rules_words *o, char **operands)
{
	return rules_fields(o->json, operands[0]);
}

static int word_events(const struct rules_words *o, char **operands)
{
	return rules_events(o->json, operands[0]);
}

static int word_explain(const struct rules_words *o, char **operands)
{
	struct rules_explain_options e = {.replay = o->replay, .json = o->json};

	if (!o->all && !operands[0])
		return usage("the name of a rule is expected, or --all");
	if (o->all && o->replay)
		return usage("--replay goes with one rule");
	e.rule = o->all ? NULL : operands[0];
	e.files = (const char *const *)operands + (o->all ? 0 : 1);
	return rules_explain(&e);
}

static int word_test(const struct rules_words *o, char **files)
{
	const struct rules_test_options t = {
		.files = (const char *const *)files,
		.only = o->only,
		.json = o->json,
		.verbose = o->verbose,
		.runtime = o->runtime,
	};

	return rules_test(&t);
}

static const struct {
	const char *name;
	int (*run)(const struct rules_words *o, char **operands);
} words[] = {
#define RULES_WORD(name, help) {#name, word_##name},
#include "cli/rules-words.def"
#undef RULES_WORD
};

static int run(const void *p, char **operands)
{
	if (!operands[0])
		return usage("a word is expected, what to do");
	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (!strcmp(words[i].name, operands[0]))
			return words[i].run(p, operands + 1);
	return EXIT_USAGE; /* the parser let none through */
}

static const struct example examples[] = {
	{"skep rules check falco_rules.yaml mine.yaml", "two files as one set, in this order"},
	{"skep rules check --json mine.yaml", "the same for programs"},
	{"skep rules list --priority error falco_rules.yaml", "what would alert most urgently"},
	{"skep rules explain 'Terminal shell in container' falco_rules.yaml",
	 "where each check of it is decided"},
	{"skep rules test mine.yaml", "does each rule report what its tests do"},
	{NULL, NULL},
};

const struct command command_rules = {
	.about = "Look at rules, in Falco's language, without watching anything. No privilege is "
		 "needed."
#define RULES_WORD(name, help) "\n" #name ": " help "."
#include "cli/rules-words.def"
#undef RULES_WORD
	,
	.syntax = {.options = options,
		   .operands = OPERANDS_WORDS,
#define RULES_WORD(name, help) "|" #name
		   .words = &
#include "cli/rules-words.def"
			    [1],
#undef RULES_WORD
		   .operand = "FILE",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct rules_words),
	.run = run,
};
