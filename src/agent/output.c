/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/output.h"

#include "base/log.h"
#include "out/out.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int output_open(struct output *out, const char *path, bool is_json, enum colour colour)
{
	int fd = STDOUT_FILENO;
	struct stat st;
	bool has_colour;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) /* not /dev/null */
			fchmod(fd, 0600);
	}
	has_colour = colour == COLOUR_ALWAYS || (colour == COLOUR_AUTO && log_can_colour(fd));
	out->fd = fd;
	out->is_open = true;
	out->sink = is_json ? sink_json_new(fd) : sink_text_new(fd, has_colour);
	return 0;
}

static int no_event(struct sink *sink, const struct event *event)
{
	return 0;
}

static int no_flush(struct sink *sink)
{
	return 0;
}

static void no_free(struct sink *sink)
{
}

void output_mute(struct output *out)
{
	static struct sink none = {no_event, no_flush, no_free};

	out->sink->free(out->sink);
	out->sink = &none;
}

void output_close(struct output *out)
{
	if (out->sink)
		out->sink->free(out->sink);
	if (out->is_open && out->fd != STDOUT_FILENO)
		close(out->fd);
	*out = (struct output){0};
}

void output_say_view(uint64_t shown, bool hides_everyday)
{
	struct buf left_out = {0};

	for (unsigned int k = 1; k < EV_END; k++)
		if (!(shown & KIND_BIT(k)) && k != EV_LOST)
			buf_printf(&left_out, "%s%s", left_out.n ? ", " : "", event_get(k)->name);
	if (left_out.n)
		log_note("watching; not shown: %s%s (--events all shows everything, Ctrl-C ends)",
			 left_out.p, hides_everyday ? ", libraries, locales and searches" : "");
	buf_done(&left_out);
}

void output_say_totals(const struct stream *s, bool hides_everyday, bool is_default)
{
	struct stream_totals t;
	struct buf line = {0};
	uint64_t known;

	stream_totals(s, &t);
	known = t.shown + t.filtered + t.lost;
	buf_printf(&line, "%llu events = %llu shown + %llu filtered + %llu lost",
		   (unsigned long long)MAX(t.sent, known), (unsigned long long)t.shown,
		   (unsigned long long)t.filtered, (unsigned long long)t.lost);
	/* who stops early leaves a rest; how large it is stands only in a tally, if that came */
	if (t.sent > known)
		buf_printf(&line, " + %llu not read", (unsigned long long)(t.sent - known));
	else if (t.sent < known)
		buf_puts(&line, "; the rest was not read");
	if (t.hidden && hides_everyday)
		buf_puts(&line, "; libraries, locales and searches are not shown");
	if (is_default && t.filtered)
		buf_puts(&line, "; --events all shows everything");
	log_note("%s", line.p);
	buf_done(&line);
	if (t.lost)
		log_hint("a larger ring loses less: --ring-size 16M; or ask for fewer events");
	if (t.table_full)
		log_warning("%llu owners of connections or followed processes found no place in "
			    "the kernel's tables",
			    (unsigned long long)t.table_full);
	if (t.bad)
		log_warning("%llu records were damaged and left out", (unsigned long long)t.bad);
}
