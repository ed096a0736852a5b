/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/load-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char mark[] = ": bpf_trace_printk: ";

int load_pipe_open(struct load_pipe *p)
{
	char text[4096];
	ssize_t n;

	*p = (struct load_pipe){.tracefs = {.root = -1}, .fd = -1};
	p->fd = tracefs_file(&p->tracefs, "trace_pipe", O_RDONLY | O_NONBLOCK);
	if (p->fd < 0)
		return p->fd;
	/* of those before us; bounded, since others may go on writing */
	for (int i = 0; i < 4096 && (n = read(p->fd, text, sizeof(text))) > 0; i++)
		;
	return 0;
}

void load_pipe_close(struct load_pipe *p)
{
	if (p->fd >= 0)
		close(p->fd);
	tracefs_close(&p->tracefs);
	buf_done(&p->text);
}

static struct str trim(struct str s)
{
	while (s.n && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* The last of these bytes in `s`; SIZE_MAX: none. */
static size_t last_of(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

bool load_printk_parse(struct str line, struct load_printk *ret)
{
	const char *at = line.n ? memmem(line.p, line.n, mark, sizeof(mark) - 1) : NULL;
	struct str head, who;
	size_t bracket, dash, time;

	if (!at)
		return false;
	head = (struct str){line.p, (size_t)(at - line.p)};
	*ret = (struct load_printk){
		.text = {at + sizeof(mark) - 1, line.n - head.n - (sizeof(mark) - 1)}};
	bracket = last_of(head, '[');
	time = last_of(head, ' ');
	if (bracket == SIZE_MAX || time == SIZE_MAX)
		return false;
	ret->cpu = (uint32_t)strtoul(head.p + bracket + 1, NULL, 10);
	ret->seconds = strtod(head.p + time + 1, NULL);
	who = trim((struct str){head.p, bracket});
	if (who.n && who.p[who.n - 1] == ')') { /* "sh-12 (   12)": with the process */
		size_t open = last_of(who, '(');

		if (open != SIZE_MAX)
			who = trim((struct str){who.p, open});
	}
	dash = last_of(who, '-');
	if (dash == SIZE_MAX)
		return false;
	ret->comm = (struct str){who.p, dash};
	ret->pid = (uint32_t)strtoul(who.p + dash + 1, NULL, 10);
	return true;
}

static void take_line(struct load_pipe *p, struct str line, load_printk_fn fn, void *ctx)
{
	struct load_printk x;

	if (load_printk_parse(line, &x)) {
		p->is_ours = true;
		fn(ctx, &x);
		return;
	}
	/* lines of events have " [cpu] "; a message with several lines has not */
	p->is_ours = p->is_ours && (!line.n || line.p[0] != ' ');
	if (!p->is_ours || !line.n)
		return;
	x = (struct load_printk){.text = line, .goes_on = true};
	fn(ctx, &x);
}

void load_pipe_read(struct load_pipe *p, load_printk_fn fn, void *ctx)
{
	char part[8192];
	const char *end;
	ssize_t n;

	/* bounded: in a flood the caller wants to look at other things too */
	for (int i = 0; i < 64 && p->fd >= 0 && (n = read(p->fd, part, sizeof(part))) > 0; i++) {
		size_t at = 0;

		buf_add(&p->text, part, (size_t)n);
		while ((end = memchr(p->text.p + at, '\n', p->text.n - at))) {
			take_line(p, (struct str){p->text.p + at, (size_t)(end - p->text.p) - at},
				  fn, ctx);
			at = (size_t)(end - p->text.p) + 1;
		}
		memmove(p->text.p, p->text.p + at, p->text.n - at);
		p->text.n -= at;
	}
}
