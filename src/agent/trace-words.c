/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trace-words.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *line to *to.  False: a quote is not closed. */
static bool take_word(const char **line, char **to)
{
	const char *p = *line;
	char quote = 0;

	for (; *p && (quote || !is_blank(*p)); p++) {
		if (*p == quote) {
			quote = 0;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'' && p[1] &&
			   (!quote || strchr("\"\\$`\n", p[1]))) {
			if (*++p != '\n') /* joins two lines */
				*(*to)++ = *p;
		} else {
			*(*to)++ = *p;
		}
	}
	*(*to)++ = 0;
	*line = p;
	return !quote;
}

int trace_words_split(struct trace_words *w, const char *line)
{
	size_t n = strlen(line);
	char *to = xalloc(2 * n + 1);

	*w = (struct trace_words){.text = to, .p = xalloc((n + 2) * sizeof(*w->p))};
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			break;
		w->p[w->n++] = to;
		if (!take_word(&line, &to)) {
			trace_words_done(w);
			return -EINVAL;
		}
	}
	if (!w->n) {
		trace_words_done(w);
		return -EINVAL;
	}
	return 0;
}

/* A named parameter, as script_params has it. */
typedef typeof(*((struct script_params *)NULL)->named) named_param;

/* "--name=value" is cut at its sign, in a copy. */
static void take_named(struct script_params *to, named_param *named, const char *word, char **text)
{
	size_t n = strlen(word + 2) + 1;
	char *name = memcpy(*text, word + 2, n), *sign = strchr(name, '=');
	named_param one = {.name = name, .value = sign ? sign + 1 : NULL};

	if (sign)
		*sign = 0;
	*text += n;
	memcpy((void *)&named[to->n_named++], &one, sizeof(one));
}

void trace_words_params(struct trace_words *w, const struct trace_options *o,
			struct script_params *ret)
{
	const char *slash = !o->text && o->file ? strrchr(o->file, '/') : NULL;
	size_t n = 0, bytes = 0;
	char *text;

	trace_words_done(w);
	*ret = (struct script_params){.environment = (const char *const *)environ,
				      .includes = o->includes,
				      .include_folders = o->include_folders};
	for (; o->params && o->params[n]; n++)
		bytes += strlen(o->params[n]) + 1;
	w->p = xalloc((n + 1) * sizeof(*w->p));
	w->text = text = xalloc(bytes + 1);
	w->named = xalloc((n + 1) * sizeof(named_param));
	ret->named = w->named;
	for (size_t i = 0; i < n; i++) {
		if (!strncmp(o->params[i], "--", 2) && o->params[i][2])
			take_named(ret, w->named, o->params[i], &text);
		else if (strcmp(o->params[i], "--") != 0)
			w->p[w->n++] = o->params[i];
	}
	ret->positional = (const char *const *)w->p;
	ret->n = (unsigned int)w->n;
	if (slash)
		w->directory = xstrndup(o->file, slash == o->file ? 1 : (size_t)(slash - o->file));
	ret->directory = w->directory;
}

void trace_words_done(struct trace_words *w)
{
	free(w->p);
	free(w->text);
	free(w->named);
	free(w->directory);
	*w = (struct trace_words){};
}
