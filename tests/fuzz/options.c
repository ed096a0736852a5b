/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: bytes, parted by NULs, are the words; the first byte says what may
 * stand beside options.  The parser either fills the struct or points at bytes that are
 * there, and what is printed about it has nothing that steers a terminal.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/usage.h"

enum { WORDS = 64 };

struct opts {
	bool flag;
	const char *string;
	uint32_t u32, size_kb;
	uint64_t u64, time_ns, events;
	unsigned int choice;
};

#define OPTION(...) OPTION_IN(struct opts, __VA_ARGS__)

static const struct option_desc table[] = {
	OPTION_HEADING("All kinds"),
	OPTION("flag", 'f', FLAG, NULL, flag, NOTHING, "a flag"),
	OPTION("string", 's', STRING, "TEXT", string, FILE, "text"),
	OPTION("number", 'n', U32, "N", u32, NOTHING, "a number"),
	OPTION("big", 'b', U64, "N", u64, NOTHING, "a big number"),
	OPTION("time", 't', DURATION, "TIME", time_ns, NOTHING, "a time"),
	OPTION("size", 'z', SIZE, "SIZE", size_kb, NOTHING, "a size"),
	OPTION("events", 'e', EVENTS, "LIST", events, EVENTS, "events"),
	OPTION("choice", 'c', CHOICE, "red|green|blue", choice, WORDS, "a colour"),
	OPTION_LAST,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_error(int argc, char **argv, const struct usage_error *e)
{
	_cleanup_buf_ struct buf b = {0};

	must(e->argument >= 1 && e->argument <= argc);
	must(e->argument == argc || e->begin + e->n <= strlen(argv[e->argument]));
	must(e->what[0] && strlen(e->what) < sizeof(e->what));
	usage_render(&b, argc, argv, e);
	must(strchr(b.p, '^') && b.p[b.n - 1] == '\n');
	buf_puts(&b, e->what);
	buf_puts(&b, e->hint);
	for (size_t i = 0; i < b.n; i++)
		must((unsigned char)b.p[i] >= ' ' || b.p[i] == '\n');
	must(!memchr(b.p, 0x7f, b.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text, *argv[WORDS + 2] = {(char *)"skep"};
	struct syntax syntax = {.options = table,
				.operands = OPERANDS_NONE,
				.operand = "a|FILE",
				.completes = COMPLETES_FILE};
	struct opts o = {.choice = 3};
	struct parsed parsed = {0};
	struct usage_error e;
	int argc = 1;

	if (!n)
		return 0;
	syntax.operands = data[0] % (OPERANDS_COMMAND + 1);
	if (data[0] & 0x80)
		syntax.options = NULL;
	text = xalloc(n);
	memcpy(text, data + 1, n - 1);
	for (char *p = text; p < text + n - 1 && argc <= WORDS; p += strlen(p) + 1)
		argv[argc++] = p;
	if (options_parse(&syntax, argc, argv, 1, &o, &parsed, &e) < 0) {
		must(!parsed.operands);
		check_error(argc, argv, &e);
	} else {
		must(!parsed.operands[parsed.n_operands]);
		must(o.choice <= 3);
		must(!o.size_kb || (o.size_kb >= 4 && !(o.size_kb & (o.size_kb - 1))));
		must(!o.string || *o.string);
	}
	parsed_done(&parsed);
	free(text);
	return 0;
}
