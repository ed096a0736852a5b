/* SPDX-License-Identifier: Apache-2.0 */
/* Bash: `case "command option"` sets what compgen shall offer. */
#include "cli/completion.h"

static const char begin_text[] =
	"# bash completion of skep; made by `skep completion bash`\n"
	"_skep_offer()\n"
	"{\n"
	"\tmapfile -t COMPREPLY < <(compgen -P \"$prefix\" \"$@\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_skep_list() # words with commas between them, each perhaps with a minus\n"
	"{\n"
	"\tlocal last=${cur##*,}\n"
	"\tprefix+=${cur%\"$last\"}\n"
	"\t[[ $last == -* ]] && prefix+=- last=${last#-}\n"
	"\tcur=$last\n"
	"\tcompopt -o nospace 2>/dev/null\n"
	"\t_skep_offer -W \"$1\"\n"
	"}\n"
	"\n"
	"_skep()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} prefix= i\n"
	"\tlocal command=${COMP_WORDS[1]}\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
	"\t\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t\t_command_offset $((i + 1))\n"
	"\t\telif ((COMP_CWORD == i + 1)); then\n"
	"\t\t\t_skep_offer -c\n"
	"\t\telse\n"
	"\t\t\t_skep_offer -f\n"
	"\t\tfi\n"
	"\t\treturn\n"
	"\tdone\n"
	"\tif [[ $cur == = ]]; then # --option=value comes as three words\n"
	"\t\tcur=\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\telif [[ $cur == --*=* ]]; then # or as one, if COMP_WORDBREAKS was changed\n"
	"\t\tprev=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}\n"
	"\tfi\n"
	"\t((COMP_CWORD == 1)) && command= prev=\n"
	"\tcase \"$command $prev\" in\n"
	"\t' ')\n"
	"\t\t_skep_offer -W '";

static void add_begin(struct buf *b)
{
	buf_puts(b, begin_text);
	completion_words(b, COMPLETES_COMMANDS, NULL);
	buf_puts(b, " --help --version'\n\t\t;;\n");
}

static void add_offer(struct buf *b, enum completes completes, const char *argument)
{
	switch (completes) {
	case COMPLETES_NOTHING:
		break;
	case COMPLETES_FILE:
		buf_puts(b, "\t\tcompopt -o filenames 2>/dev/null\n\t\t_skep_offer -f\n");
		break;
	case COMPLETES_CGROUP:
		buf_puts(b, "\t\tcompopt -o filenames 2>/dev/null\n\t\t_skep_offer -d\n");
		break;
	case COMPLETES_RECORDING:
		buf_puts(b, "\t\tcompopt -o filenames -o plusdirs 2>/dev/null\n"
			    "\t\t_skep_offer -f -X '!*.skep'\n");
		break;
	case COMPLETES_USER:
		buf_puts(b, "\t\t_skep_offer -u\n");
		break;
	case COMPLETES_PID:
		buf_puts(b, "\t\t_skep_offer -W \"$(cd /proc && echo [0-9]*)\"\n");
		break;
	case COMPLETES_EVENTS:
	case COMPLETES_WORDS:
	case COMPLETES_COMMANDS:
		buf_puts(b, completes == COMPLETES_EVENTS ? "\t\t_skep_list '"
							  : "\t\t_skep_offer -W '");
		completion_words(b, completes, argument);
		buf_puts(b, "'\n");
		break;
	}
}

static void add_option(struct buf *b, const struct command_row *row, const struct option_desc *o)
{
	if (o->kind == OPTION_FLAG)
		return;
	buf_printf(b, "\t'%s --%s'", row->name, o->name);
	if (o->letter)
		buf_printf(b, " | '%s -%c'", row->name, o->letter);
	buf_puts(b, ")\n");
	add_offer(b, o->completes, o->argument);
	buf_puts(b, "\t\t;;\n");
}

static void add_command_end(struct buf *b, const struct command_row *row)
{
	const struct syntax *s = &row->command->syntax;

	buf_printf(b, "\t'%s '*)\n", row->name);
	if (s->operands == OPERANDS_ONE || s->operands == OPERANDS_PERHAPS ||
	    s->operands == OPERANDS_WORD || s->operands == OPERANDS_WORDS ||
	    s->operands == OPERANDS_ANY) {
		buf_puts(b, "\t\tif [[ $cur != -* ]]; then\n");
		if (s->words)
			add_offer(b, COMPLETES_WORDS, s->words);
		add_offer(b, s->completes, s->operand);
		buf_puts(b, "\t\t\treturn\n\t\tfi\n");
	}
	buf_puts(b, "\t\t_skep_offer -W '");
	for (const struct option_desc *o = s->options; o && o->name; o++)
		if (o->kind != OPTION_HEADING)
			buf_printf(b, "--%s ", o->name);
	buf_puts(b, s->operands == OPERANDS_COMMAND ? "--help --'\n\t\t;;\n" : "--help'\n\t\t;;\n");
}

static void add_end(struct buf *b)
{
	buf_puts(b, "\tesac\n}\ncomplete -F _skep skep\n");
}

const struct shell shell_bash = {
	.begin = add_begin,
	.option = add_option,
	.command_end = add_command_end,
	.end = add_end,
};
