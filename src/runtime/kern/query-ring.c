/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring buffer's reader.
 *
 * Documentation/bpf/ringbuf.rst: the consumer's position in a page of its own, the
 * producer's in the next, then the data.  A record begins with 4 bytes of length and two
 * flags: busy (its writer is not done) and discarded.  Records are 8-aligned.
 *
 * The kernel has the data twice in a row, so that a record over the end lies in one piece.
 * Mapped pages count as this process's memory, so only one half is mapped here; the one
 * record in a ring that goes over the end is copied.
 *
 * The kernel wakes a reader for a record when everything before it was read, and that costs the
 * probe some microseconds: an interrupt, and another processor to wake.  A reader that keeps up
 * with a stream would be woken for each record.  So one that has just had records naps before
 * it waits: what comes meanwhile costs no wake-up.  A lone record is still shown at once.
 */
#include "runtime/kern/query-internal.h"

#include "base/macro.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { HEAD = 8 };
/* A ring holds what some ten milliseconds bring; one that fills up faster is read sooner. */
enum { NAP_MAX_NS = 1000000, FULL_SHARE = 4 };

int ring_open(struct ring *r, int fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int e = -errno;

		munmap(consumer, page);
		return e;
	}
	*r = (struct ring){
		.fd = fd,
		.page = page,
		.size = size,
		.consumer = consumer,
		.producer = producer,
		.data = (const char *)producer + page,
		.nap_ns = NAP_MAX_NS,
	};
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r->consumer)
		return;
	munmap((void *)r->consumer, r->page);
	munmap((void *)r->producer, r->page + r->size);
	free(r->copy);
	*r = (struct ring){0};
}

/* `n` bytes from position `at`, in one piece. */
static const void *piece(struct ring *r, unsigned long at, uint32_t n)
{
	size_t from = at & (r->size - 1), first = r->size - from;

	if (n <= first)
		return r->data + from;
	if (n > r->copy_room) {
		r->copy = xrealloc(r->copy, n);
		r->copy_room = n;
	}
	memcpy(r->copy, r->data + from, first);
	memcpy(r->copy + first, r->data, n - first);
	return r->copy;
}

int ring_drain(struct ring *r, query_record_fn fn, void *ctx)
{
	unsigned long at, begin, end, stop;
	int n = 0;

	if (!r->consumer)
		return 0;
	at = begin = *r->consumer;
	stop = at + r->size;
	end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	while (at < end && at < stop) {
		const uint32_t *head = (const void *)(r->data + (at & (r->size - 1)));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE), bytes;
		int e = 0;

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		bytes = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (!(len & BPF_RINGBUF_DISCARD_BIT) && bytes >= sizeof(struct wire_answer) &&
		    bytes <= r->size) {
			e = fn(ctx, piece(r, at + HEAD, bytes), bytes);
			n++;
		}
		at += (bytes + HEAD + 7) & ~7u;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
		if (e < 0)
			return e;
	}
	if (at == begin)
		return 0;
	r->is_lively = true;
	r->nap_ns = at - begin > r->size / FULL_SHARE ? r->nap_ns / 2
						      : MIN(2 * r->nap_ns + 1, NAP_MAX_NS);
	return n;
}

/* 1: there is something; 0; −EINTR. */
static int nap(struct ring *r)
{
	r->is_lively = false;
	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = r->nap_ns}, NULL))
		return -EINTR;
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) != *r->consumer;
}

int ring_wait(struct ring *r, int timeout_ms)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	int n;

	if (r->is_lively && timeout_ms) {
		n = nap(r);
		if (n)
			return n > 0;
	}
	if (!r->consumer)
		p.fd = -1;
	n = poll(&p, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}
