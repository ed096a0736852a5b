/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines, read by tables.
 *
 * A subcommand declares what it takes as rows of `struct option_desc`; one parser
 * fills the members of its options struct from them.  The same rows make --help, the
 * man page and shell completion, so an option is written down once.
 *
 * The parser prints nothing.  What is wrong comes back as a `struct usage_error`,
 * which knows the bytes at fault; cli/usage.h shows it under the command line.
 */
#pragma once

#include "cli/usage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_STRINGS_MAX = 16 };

/* What a value looks like, and the type of the member that it is put into. */
enum option_kind {
	OPTION_HEADING,	 /* no option: a line above those that follow */
	OPTION_FLAG,	 /* no value; bool */
	OPTION_STRING,	 /* not empty; const char *, borrowed from argv */
	OPTION_STRINGS,	 /* the same, several times; const char *[OPTION_STRINGS_MAX + 1] */
	OPTION_U32,	 /* a number from 1; uint32_t */
	OPTION_U64,	 /* a number from 1; uint64_t */
	OPTION_DURATION, /* 10s, 1m30s, 500ms; uint64_t, nanoseconds */
	OPTION_SIZE,	 /* 512K, 16M: a power of two, 4K to 1G; uint32_t, KiB */
	OPTION_EVENTS,	 /* as events_parse() reads it; uint64_t, bit mask of kinds */
	OPTION_GLOB,	 /* over thread names; const char *, borrowed from argv */
	OPTION_CHOICE,	 /* a word of `argument` (a|b|c); an enum, the word's place */
};

#define OPTION_TYPE_FLAG     bool
#define OPTION_TYPE_STRING   const char *
#define OPTION_TYPE_STRINGS  const char **
#define OPTION_TYPE_U32	     uint32_t
#define OPTION_TYPE_U64	     uint64_t
#define OPTION_TYPE_DURATION uint64_t
#define OPTION_TYPE_SIZE     uint32_t
#define OPTION_TYPE_EVENTS   uint64_t
#define OPTION_TYPE_GLOB     const char *
#define OPTION_TYPE_CHOICE   unsigned int

/* What a shell offers for a value. */
enum completes {
	COMPLETES_NOTHING,
	COMPLETES_FILE,
	COMPLETES_CGROUP,
	COMPLETES_USER,
	COMPLETES_PID,
	COMPLETES_EVENTS,
	COMPLETES_WORDS,    /* the words of `argument` */
	COMPLETES_COMMANDS, /* skep's own */
	COMPLETES_RECORDING,
};

struct option_desc {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;	  /* of the short form; 0: there is none */
	enum option_kind kind;
	const char *argument; /* what stands for the value in help; NULL for a flag */
	size_t offset;	      /* of the member in the options struct */
	enum completes completes;
	const char *help; /* half a sentence */
};

/*
 * One row, for the member of a struct S.  A member whose type is not the kind's own
 * does not compile.
 */
#define OPTION_IN(S, name, letter, kind, argument, member, completes, help) \
	{                                                                   \
		name, letter, OPTION_##kind, argument,                      \
			_Generic(((S *)0)->member, OPTION_TYPE_##kind       \
				 : offsetof(S, member)),                    \
			COMPLETES_##completes, help                         \
	}
#define OPTION_HEADING(text)                                            \
	{                                                               \
		"", 0, OPTION_HEADING, NULL, 0, COMPLETES_NOTHING, text \
	}
#define OPTION_LAST                                                       \
	{                                                                 \
		NULL, 0, OPTION_HEADING, NULL, 0, COMPLETES_NOTHING, NULL \
	}

/* What may stand on the line beside options. */
enum operands {
	OPERANDS_NONE,
	OPERANDS_ONE,	  /* exactly one */
	OPERANDS_PERHAPS, /* one or none */
	OPERANDS_WORD,	  /* one of `words`, then one or none */
	OPERANDS_WORDS,	  /* one of `words`, then any number */
	OPERANDS_COMMAND, /* a command with its arguments, only after "--" */
	OPERANDS_ANY,	  /* any number; "--" is one itself, and all behind it */
};

struct syntax {
	const struct option_desc *options;
	enum operands operands;
	const char *operand; /* how it is called in help; a|b|c: must be one of these words */
	enum completes completes;
	const char *words; /* OPERANDS_WORD, OPERANDS_WORDS: a|b|c, what comes first */
};

struct parsed {
	bool wants_help; /* --help or -h: the rest of the line was not read */
	char **operands; /* owned, NULL at the end; the strings are argv's */
	size_t n_operands;
};

/*
 * Read argv[first] and on into the struct at `into`, which holds the defaults.  0, or
 * -EINVAL and *ret_error; then some members of *into may have been set already.
 */
int options_parse(const struct syntax *syntax, int argc, char **argv, int first, void *into,
		  struct parsed *ret, struct usage_error *ret_error);
void parsed_done(struct parsed *p);
