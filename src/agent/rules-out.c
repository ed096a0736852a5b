/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules-out.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { RATE_DEFAULT = 100, BURST_DEFAULT = 1000, RATE_MOST = 1000000 };

/* One way to give alerts away; `form` is what the user wants, a sink may know better. */
struct way {
	const char *word; /* with its ':' if something follows */
	const char *help;
	struct alert_sink *(*open)(const char *rest, const struct alert_form *form,
				   const struct output *out, int *ret_error);
};

static struct alert_sink *open_stdout(const char *rest, const struct alert_form *form,
				      const struct output *out, int *ret_error)
{
	*ret_error = 0;
	return alert_fd_new(out->fd, form, out->sink);
}

static struct alert_sink *open_file(const char *rest, const struct alert_form *form,
				    const struct output *out, int *ret_error)
{
	return alert_file_new(rest, form, ret_error);
}

static struct alert_sink *open_syslog(const char *rest, const struct alert_form *form,
				      const struct output *out, int *ret_error)
{
	*ret_error = 0;
	return alert_syslog_new(*rest ? rest : NULL, form);
}

static struct alert_sink *open_http(const char *rest, const struct alert_form *form,
				    const struct output *out, int *ret_error)
{
	/* "http:http://…" as well as "http://…" itself */
	return alert_http_new(rest, form, ret_error);
}

static struct alert_sink *open_program(const char *rest, const struct alert_form *form,
				       const struct output *out, int *ret_error)
{
	*ret_error = 0;
	return alert_program_new(rest, false, form);
}

static struct alert_sink *open_each(const char *rest, const struct alert_form *form,
				    const struct output *out, int *ret_error)
{
	*ret_error = 0;
	return alert_program_new(rest, true, form);
}

/* The first that fits: longer words before their beginnings. */
static const struct way ways[] = {
	{"stdout", "where lines go otherwise", open_stdout},
	{"file:", "file:PATH, at its end", open_file},
	{"syslog:", "syslog:SOCKET instead of /dev/log", open_syslog},
	{"syslog", "the system's log", open_syslog},
	{"http://", NULL, open_http},
	{"https://", NULL, open_http},
	{"http:", "http:URL, by POST, as JSON", open_http},
	{"program:", "program:COMMAND, a line each on its standard input", open_program},
	{"each:", "each:COMMAND, started for every alert", open_each},
};

static int say_unknown(const char *text)
{
	log_error(0, "--alert-output %s: this is no place for alerts", text);
	for (size_t i = 0; i < ELEMENTS(ways); i++)
		if (ways[i].help)
			log_hint("%s%s", *ways[i].help == *ways[i].word ? "" : ways[i].word,
				 *ways[i].help == *ways[i].word ? ways[i].help : "");
	return EXIT_USAGE;
}

static int open_way(const char *text, const struct alert_form *form, const struct output *out,
		    struct alert_sink **ret)
{
	for (size_t i = 0; i < ELEMENTS(ways); i++) {
		const struct way *p = &ways[i];
		size_t n = strlen(p->word);
		bool is_url = p->word[n - 1] == '/', takes_more = p->word[n - 1] == ':' || is_url;
		int r;

		if (strncmp(text, p->word, n) || (takes_more ? !text[n] : text[n]))
			continue;
		*ret = p->open(is_url ? text : text + n, form, out, &r);
		if (*ret)
			return 0;
		if (p->open == open_http && r == -ENOENT) {
			log_error(0, "--alert-output %s: curl is not installed, which sends them",
				  text);
			return EXIT_CANNOT_HERE;
		}
		log_error(r, "--alert-output %s", text);
		return EXIT_FAILED;
	}
	return say_unknown(text);
}

int rules_out_open(const struct rules_options *o, const struct output *out, bool is_json,
		   bool has_colour, bool has_events, struct alert_sink **ret)
{
	static char host[256];
	struct alert_form form = {
		.as = is_json ? ALERT_AS_JSON : ALERT_AS_TEXT,
		.has_colour = has_colour,
		.hostname = host,
	};
	struct output to = *out;
	struct alert_sink *sinks[RULES_LIST_MAX];
	size_t n = 0;
	int status = 0;

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = 0;
	if (!has_events)
		to.sink = NULL;
	if (!o->outputs[0])
		sinks[n++] = alert_fd_new(to.fd, &form, to.sink);
	for (size_t i = 0; !status && i < RULES_LIST_MAX && o->outputs[i]; i++) {
		form.has_colour = has_colour && !strcmp(o->outputs[i], "stdout");
		status = open_way(o->outputs[i], &form, &to, &sinks[n]);
		n += !status;
	}
	if (status) {
		for (size_t i = 0; i < n; i++)
			sinks[i]->free(sinks[i]);
		return status;
	}
	*ret = n == 1 ? sinks[0] : alert_all_new(sinks, n);
	return 0;
}

bool rules_rate(const char *text, double *ret_rate, unsigned int *ret_burst)
{
	char *end;

	*ret_rate = RATE_DEFAULT;
	*ret_burst = BURST_DEFAULT;
	if (!text)
		return true;
	if (!strcmp(text, "off")) {
		*ret_rate = 0;
		return true;
	}
	*ret_rate = strtod(text, &end);
	*ret_burst = MAX((unsigned int)MIN(*ret_rate, (double)RATE_MOST), 1u);
	if (end != text && *end == '/') {
		const char *burst = end + 1;

		*ret_burst = strtoul(burst, &end, 10);
		if (end == burst || !*ret_burst)
			end = (char *)burst - 1;
	}
	if (end != text && !*end && *ret_rate > 0 && *ret_rate <= RATE_MOST)
		return true;
	log_error(0, "--rate %s: expected alerts a second, as 10, 0.2, 10/100 with a burst, or off",
		  text);
	return false;
}
