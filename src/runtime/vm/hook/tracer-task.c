/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks of a tracer: a table, their memory, their names.
 *
 * A thread's name changes by calls that nobody hooked, and by writes to /proc: it is read each
 * time somebody wants it, from a file that stays open.
 */
#include "runtime/vm/hook/tracer-internal.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 200 };

static int read_file(const char *name, pid_t tid, char *to, size_t room)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, to, room - 1);
	if (n < 0)
		return -errno;
	to[n] = 0;
	return 0;
}

static pid_t number_behind(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? atoi(at + strlen(name)) : 0;
}

struct tracer_task *tracer_task(struct tracer *t, pid_t tid)
{
	return map_get(&t->tasks, (uint64_t)tid);
}

struct tracer_task *tracer_task_add(struct tracer *t, pid_t tid)
{
	struct tracer_task *task = tracer_task(t, tid);
	char status[4096];

	if (task)
		return task;
	task = xalloc(sizeof(*task));
	task->tid = task->pid = tid;
	task->comm_fd = -1;
	if (read_file("status", tid, status, sizeof(status)) >= 0) {
		task->pid = number_behind(status, "\nTgid:");
		task->ppid = number_behind(status, "\nPPid:");
	}
	map_put(&t->tasks, (uint64_t)tid, task);
	return task;
}

static void close_comm(struct tracer *t, struct tracer_task *task)
{
	if (task->comm_fd < 0)
		return;
	close(task->comm_fd);
	task->comm_fd = -1;
	t->n_fds--;
}

void tracer_task_remove(struct tracer *t, struct tracer_task *task)
{
	map_take(&t->tasks, (uint64_t)task->tid);
	close_comm(t, task);
	free(task->data);
	free(task);
}

struct tracer_task *tracer_sibling(struct tracer *t, const struct tracer_task *of)
{
	struct tracer_task *other;

	map_each(&t->tasks, i, other)
		if (other != of && other->pid == of->pid)
			return other;
	return NULL;
}

bool tracer_each(struct tracer *t, bool (*fn)(void *ctx, struct tracer_task *task), void *ctx)
{
	struct tracer_task *task;

	map_each(&t->tasks, i, task)
		if (fn(ctx, task))
			return true;
	return false;
}

bool tracer_is_last(struct tracer *t, const struct tracer_task *task)
{
	struct tracer_task *other;

	map_each(&t->tasks, i, other)
		if (other != task && other->pid == task->pid && !other->has_ended)
			return false;
	return true;
}

unsigned int tracer_processes(const struct tracer *t)
{
	const struct tracer_task *task;
	unsigned int n = 0;

	map_each(&t->tasks, i, task)
		n += task->tid == task->pid && !task->has_ended;
	return n;
}

size_t tracer_tasks(const struct tracer *t)
{
	return t->tasks.n;
}

/* --- names */

static bool read_comm(struct tracer_task *task, char ret[16])
{
	ssize_t n;

	if (task->comm_fd < 0)
		return false;
	n = pread(task->comm_fd, ret, 16, 0);
	if (n <= 0)
		return false;
	if (ret[n - 1] == '\n')
		n--;
	memset(ret + n, 0, 16 - (size_t)n);
	ret[15] = 0;
	return true;
}

void tracer_comm(struct tracer *t, struct tracer_task *task, char ret[16])
{
	char path[64];

	memset(ret, 0, 16);
	if (read_comm(task, ret))
		return;
	close_comm(t, task); /* the thread that called exec has another number since */
	snprintf(path, sizeof(path), "/proc/%d/comm", task->tid);
	task->comm_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (task->comm_fd < 0)
		return;
	t->n_fds++;
	read_comm(task, ret);
	if (t->n_fds > FDS_MAX)
		close_comm(t, task);
}

/* --- memory */

static int by_file(struct tracer_task *task, bool writes, void *p, uint64_t at, size_t n)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t done;

	snprintf(path, sizeof(path), "/proc/%d/mem", task->tid);
	fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return -EFAULT;
	done = writes ? pwrite(fd, p, n, (off_t)at) : pread(fd, p, n, (off_t)at);
	return done == (ssize_t)n ? 0 : -EFAULT;
}

/* Containers and old sandboxes refuse the call itself, but for that allow ptrace. */
static bool is_refused(int error)
{
	return error == ENOSYS || error == EPERM;
}

int tracer_read(struct tracer *t, struct tracer_task *task, void *to, uint64_t from, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};

	if (!n)
		return 0;
	if (t->no_vm_read)
		return by_file(task, false, to, from, n);
	if (process_vm_readv(task->tid, &local, 1, &remote, 1, 0) == (ssize_t)n)
		return 0;
	if (!is_refused(errno))
		return -EFAULT;
	t->no_vm_read = true;
	return by_file(task, false, to, from, n);
}

int tracer_write(struct tracer *t, struct tracer_task *task, uint64_t to, const void *from,
		 size_t n)
{
	struct iovec local = {(void *)from, n}, remote = {(void *)(uintptr_t)to, n};

	(void)t;
	if (!n)
		return 0;
	return process_vm_writev(task->tid, &local, 1, &remote, 1, 0) == (ssize_t)n ? 0 : -EFAULT;
}

/* By words, the first and last of which are read first. */
int tracer_poke(struct tracer_task *task, uint64_t to, const void *from, size_t n)
{
	for (uint64_t at = to & ~7ull; at < to + n; at += sizeof(long)) {
		char word[sizeof(long)];
		long value;

		errno = 0;
		value = ptrace(PTRACE_PEEKDATA, task->tid, (void *)at, NULL);
		if (errno)
			return -EFAULT;
		memcpy(word, &value, sizeof(word));
		for (size_t i = 0; i < sizeof(word); i++)
			if (at + i >= to && at + i < to + n)
				word[i] = ((const char *)from)[at + i - to];
		memcpy(&value, word, sizeof(value));
		if (ptrace(PTRACE_POKEDATA, task->tid, (void *)at, (void *)value) < 0)
			return -EFAULT;
	}
	return 0;
}
