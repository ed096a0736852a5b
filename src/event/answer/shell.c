/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a script asks to be done here: shell commands, files, lists of arguments.
 *
 * A command runs to its end before the next record is read, as in bpftrace: its output
 * then stands where the script has it.  It dies with us.
 */
#include "event/answer/answer-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 << 20 };

static void read_all(int fd, size_t max, struct buf *to)
{
	char part[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, part, MIN(sizeof(part), max - to->n));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buf_add(to, part, (size_t)n);
	}
}

static void be_shell(const char *command, int output, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	execlp("sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int run(const char *command, struct buf *output)
{
	pid_t parent = getpid(), pid;
	int fds[2], r = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (!pid)
		be_shell(command, fds[1], parent);
	if (pid < 0)
		r = -errno;
	close(fds[1]);
	if (pid > 0)
		read_all(fds[0], OUTPUT_MAX, output);
	close(fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

void shell_system(struct answer *a, const char *command)
{
	struct buf output = {0};
	int r;

	if (a->o.is_safe) {
		error_plain(a, "syscall() not allowed in safe mode. Use '--unsafe'.");
		return;
	}
	fflush(a->o.out);
	r = a->o.shell ? a->o.shell(command, &output) : run(command, &output);
	if (r < 0)
		error_plain(a, "cannot run sh (%s)", strerror(-r));
	else
		answer_text(a, "syscall", buf_str(&output), "\n");
	buf_done(&output);
}

void shell_cat(struct answer *a, const char *path)
{
	size_t max = a->q->config.max_cat_bytes;
	struct buf content = {0}, tame = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		error_plain(a, "failed to open file '%s' (%s)", path, strerror(errno));
		return;
	}
	read_all(fd, max, &content);
	close(fd);
	if (a->is_terminal) {
		put_tame(&tame, buf_str(&content));
		answer_text(a, "cat", buf_str(&tame), "");
	} else {
		answer_text(a, "cat", buf_str(&content), "");
	}
	buf_done(&content);
	buf_done(&tame);
}

/* (how many, texts of equal room), or the texts alone: then an empty one ends them. */
void shell_join(struct answer *a, const char *delimiter, const struct type *args, struct bytes b)
{
	struct buf text = {0}, tame = {0};
	const struct type *t;
	struct bytes all = value_member(args, 0, b, &t);
	bool counted = t->kind == TYPE_INT;
	uint64_t count = counted ? value_number(t, all) : UINT64_MAX;
	size_t room;

	if (counted)
		all = value_member(args, 1, b, &t);
	room = t->kind == TYPE_ARRAY && t->of ? t->of->size : 0;
	for (size_t i = 0; room && i + room <= all.n && i / room < count; i += room) {
		const char *s = (const char *)all.p + i;
		size_t n = strnlen(s, room);

		if (!n && !counted)
			break;
		if (i)
			buf_puts(&text, delimiter ? delimiter : " ");
		buf_add(&text, s, n);
	}
	if (a->is_terminal)
		put_tame(&tame, buf_str(&text));
	answer_text(a, "join", buf_str(a->is_terminal ? &tame : &text), "\n");
	buf_done(&text);
	buf_done(&tame);
}
