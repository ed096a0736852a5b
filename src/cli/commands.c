/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subcommands, and looking them up.  Nothing here calls one. */
#include "cli/command.h"

#include "cli/usage.h"
#include "version.h"

const char version_text[] = SKEP_VERSION " (" SKEP_COMMIT ")";

#define COMMAND(name, view, help) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

enum { SHOWN, HIDDEN };

static const struct command_row rows[] = {
#define COMMAND(name, view, help) {#name, help, view == HIDDEN, &command_##name},
#include "cli/commands.def"
#undef COMMAND
};

const struct command_row *command_at(size_t i)
{
	return i < ELEMENTS(rows) ? &rows[i] : NULL;
}

const struct command_row *command_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

int command_unknown(int argc, char **argv, int at)
{
	const char *names[ELEMENTS(rows) + 1] = {NULL}, *near;
	struct usage_error e;

	for (size_t i = 0; i < ELEMENTS(rows); i++)
		names[i] = rows[i].name;
	near = str_nearest(argv[at], names);
	usage_error_set(&e, at, 0, strlen(argv[at]), "there is no command '%.64s'", argv[at]);
	if (near)
		usage_error_hint(&e, "did you mean %s?", near);
	else
		usage_error_hint(&e, "skep --help shows all");
	return usage_print(argc, argv, &e);
}
