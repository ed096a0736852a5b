/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/jit/memory.h"

#include "base/macro.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10 /* 6.3 */
#endif

enum { CHUNK = 256 << 10, ROOM = 64 << 20, ALIGN = 32, TRAP = 0xcc };

struct chunk {
	struct chunk *next;
	uint8_t *write, *run; /* write NULL: pages of one program */
	size_t n, used;
	unsigned int programs;
	pid_t owner;
};

/* The process's executable memory. */
static struct {
	pthread_mutex_t lock;
	struct chunk *chunks; /* owned, the newest first */
	bool is_alone;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* Near this program's own code: processors predict calls and returns over 4 GiB badly. */
static void *near(size_t n)
{
	uintptr_t here = (uintptr_t)&near, at = here & ~(uintptr_t)(ROOM - 1);

	for (const struct chunk *c = pool.chunks; c; c = c->next)
		if ((uintptr_t)c->run < at && at - (uintptr_t)c->run < 16 * ROOM)
			at = (uintptr_t)c->run;
	/* only wished for: the kernel takes another place if that is not free */
	return at > ROOM ? (void *)((at - n) & ~(uintptr_t)4095) : NULL;
}

/*
 * Is what is written through one mapping seen where the other one is run?  Emulators keep what
 * they made of code that they have run: qemu-user before 8.1 does not look at other mappings.
 */
static bool sees_writes(const struct chunk *c)
{
#ifdef __aarch64__
	for (uint32_t i = 1; i <= 2; i++) {
		uint32_t code[] = {0x52800000 | i << 5, 0xd65f03c0}; /* mov w0, i; ret */
		uint32_t said;

		memcpy(c->write, code, sizeof(code));
		__builtin___clear_cache((char *)c->write, (char *)c->write + sizeof(code));
		__builtin___clear_cache((char *)c->run, (char *)c->run + sizeof(code));
		said = ((uint32_t(*)(void))(uintptr_t)c->run)();
		if (said != i)
			return false;
	}
#endif
	return c->write;
}

static int chunk_map(struct chunk *c)
{
	_cleanup_close_ int fd = memfd_create("code", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("code", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)c->n) < 0)
		return -errno;
	c->run = mmap(near(c->n), c->n, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (c->run == MAP_FAILED)
		return -errno;
	c->write = mmap(NULL, c->n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->write != MAP_FAILED && sees_writes(c))
		return 0;
	if (c->write != MAP_FAILED) {
		munmap(c->write, c->n);
		pool.is_alone = true;
	}
	munmap(c->run, c->n);
	return -ENOMEM;
}

/* Pages for one program. */
static int chunk_map_alone(struct chunk *c)
{
	c->run = mmap(NULL, c->n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->run == MAP_FAILED)
		return -ENOMEM;
	c->write = NULL;
	return 0;
}

static struct chunk *chunk_new(size_t n, pid_t owner, int *ret_error)
{
	struct chunk *c = xalloc(sizeof(*c));

	*c = (struct chunk){.n = n > CHUNK ? round_up(n, 4096) : CHUNK, .owner = owner};
	*ret_error = pool.is_alone ? -EPERM : chunk_map(c);
	if (*ret_error < 0) {
		c->n = round_up(n, (size_t)sysconf(_SC_PAGESIZE));
		*ret_error = chunk_map_alone(c);
	}
	if (*ret_error < 0) {
		free(c);
		return NULL;
	}
	c->next = pool.chunks;
	pool.chunks = c;
	return c;
}

static void chunk_free(struct chunk *c)
{
	struct chunk **at = &pool.chunks;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	munmap(c->run, c->n);
	if (c->write)
		munmap(c->write, c->n);
	free(c);
}

static struct chunk *chunk_with_room(size_t n, pid_t owner)
{
	for (struct chunk *c = pool.chunks; c; c = c->next)
		if (c->write && c->owner == owner && c->n - c->used >= n)
			return c;
	return NULL;
}

int code_memory_take(size_t n, struct code_memory *ret)
{
	pid_t owner = getpid();
	struct chunk *c;
	int r = 0;

	n = round_up(n, ALIGN);
	pthread_mutex_lock(&pool.lock);
	c = chunk_with_room(n, owner);
	if (!c)
		c = chunk_new(n, owner, &r);
	if (c) {
		ret->run = c->run + c->used;
		ret->write = c->write ? c->write + c->used : ret->run;
		ret->n = c->write ? n : c->n;
		c->used += ret->n;
		c->programs++;
	}
	pthread_mutex_unlock(&pool.lock);
	return r;
}

void code_memory_alone(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.is_alone = true;
	pthread_mutex_unlock(&pool.lock);
}

int code_memory_seal(struct code_memory *m)
{
	if (m->write == m->run && mprotect(m->run, m->n, PROT_READ | PROT_EXEC) < 0) {
		code_memory_give(m->run, m->n);
		return -EPERM;
	}
	/* arm64: out of the data cache, not in the instruction cache */
	if (m->write != m->run)
		__builtin___clear_cache((char *)m->write, (char *)m->write + m->n);
	__builtin___clear_cache((char *)m->run, (char *)m->run + m->n);
	m->write = NULL;
	return 0;
}

static void chunk_give(struct chunk *c, size_t at, size_t n)
{
	bool is_spare = pool.chunks->next;

	c->programs--;
	if (c->write && c->owner == getpid()) {
		memset(c->write + at, TRAP, n);
		if (at + n == c->used)
			c->used = at;
	}
	if (c->programs)
		return;
	c->used = 0;
	if (is_spare || !c->write || c->n > CHUNK)
		chunk_free(c);
}

void code_memory_give(void *run, size_t n)
{
	uint8_t *p = run;

	pthread_mutex_lock(&pool.lock);
	for (struct chunk *c = pool.chunks; c; c = c->next) {
		if (p < c->run || p >= c->run + c->n)
			continue;
		chunk_give(c, (size_t)(p - c->run), n);
		break;
	}
	pthread_mutex_unlock(&pool.lock);
}
