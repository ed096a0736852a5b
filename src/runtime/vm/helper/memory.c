/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading memory that may not be there.
 *
 * "User" memory is that of the task that the program runs for: its hook knows how to reach it.
 * "Kernel" memory is that of the runtime itself, where ctx, stack and values of programs are;
 * the kernel is asked to copy it, so an address that leads nowhere is an error and no fault.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/memory.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int memory_read_own(void *to, uint64_t from, size_t n)
{
	struct iovec l = {to, n}, r = {call_pointer(from), n};

	return !n || process_vm_readv(getpid(), &l, 1, &r, 1, 0) == (ssize_t)n ? 0 : -EFAULT;
}

int memory_read_user(void *to, uint64_t from, size_t n)
{
	const struct vm_run *run = vm_current;

	if (run->memory)
		return run->memory->read(run->memory->ctx, run->task, to, from, n);
	return run->task && run->task->is_self ? memory_read_own(to, from, n) : -EFAULT;
}

static int read_any(void *to, uint64_t from, size_t n)
{
	int r = memory_read_user(to, from, n);

	return r < 0 ? memory_read_own(to, from, n) : r;
}

int64_t memory_read_str(memory_read_fn read, char *to, uint64_t from, size_t n)
{
	char piece[256];

	if (!n)
		return 0;
	for (size_t at = 0; at < n;) {
		/* never over the end of a page that the text may not reach */
		size_t room = sizeof(piece) - (from + at) % sizeof(piece);
		const char *end;

		room = room < n - at ? room : n - at;
		if (read(piece, from + at, room) < 0)
			return -EFAULT;
		end = memchr(piece, 0, room);
		/* what is behind the text stays: programs use the buffer as a key, with zeros */
		memcpy(to + at, piece, end ? (size_t)(end - piece) + 1 : room);
		if (end)
			return (int64_t)at + (end - piece) + 1;
		at += room;
	}
	to[n - 1] = 0;
	return (int64_t)n;
}

static uint64_t plain(memory_read_fn read, uint64_t to, uint32_t n, uint64_t from)
{
	int r = read(call_pointer(to), from, n);

	if (r < 0)
		memset(call_pointer(to), 0, n);
	return call_error(r);
}

static uint64_t text(memory_read_fn read, uint64_t to, uint32_t n, uint64_t from)
{
	int64_t r = memory_read_str(read, call_pointer(to), from, n);

	if (r < 0)
		memset(call_pointer(to), 0, n);
	return call_error(r);
}

CALL(helper_probe_read)
{
	return plain(read_any, a, (uint32_t)b, c);
}

CALL(helper_probe_read_str)
{
	return text(read_any, a, (uint32_t)b, c);
}

CALL(helper_probe_read_user)
{
	return plain(memory_read_user, a, (uint32_t)b, c);
}

CALL(helper_probe_read_user_str)
{
	return text(memory_read_user, a, (uint32_t)b, c);
}

CALL(helper_probe_read_kernel)
{
	return plain(memory_read_own, a, (uint32_t)b, c);
}

CALL(helper_probe_read_kernel_str)
{
	return text(memory_read_own, a, (uint32_t)b, c);
}

CALL(helper_copy_from_user)
{
	return plain(memory_read_user, a, (uint32_t)b, c);
}

CALL(helper_copy_from_user_task)
{
	return e ? call_error(-EINVAL) : plain(memory_read_user, a, (uint32_t)b, c);
}

CALL(helper_probe_write_user)
{
	const struct vm_run *run = vm_current;

	if (!run->memory || !run->memory->write)
		return call_error(-EPERM);
	return call_error(
		run->memory->write(run->memory->ctx, run->task, a, call_pointer(b), (uint32_t)c));
}
