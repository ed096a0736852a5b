/* SPDX-License-Identifier: Apache-2.0 */
/* io_uring by its own system calls: one request at a time, then wait for it. */
#pragma once

#include "scene.h"

#include <linux/io_uring.h>
#include <sys/mman.h>

struct ring {
	int fd;
	struct io_uring_params p;
	struct io_uring_sqe *sqes;
	char *sq, *cq;
};

static inline struct ring ring_make(unsigned int flags)
{
	struct ring r = {.p = {.flags = flags, .sq_thread_idle = 100}};
	int both = PROT_READ | PROT_WRITE;

	r.fd = syscall(SYS_io_uring_setup, 8, &r.p);
	if (r.fd < 0 && (errno == ENOSYS || errno == EPERM))
		skip("io_uring is not allowed here");
	must(r.fd);
	r.sq = mmap(NULL, r.p.sq_off.array + 8 * 4, both, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	r.cq = mmap(NULL, r.p.cq_off.cqes + 16 * sizeof(struct io_uring_cqe), both, MAP_SHARED,
		    r.fd, IORING_OFF_CQ_RING);
	r.sqes = mmap(NULL, 8 * sizeof(*r.sqes), both, MAP_SHARED, r.fd, IORING_OFF_SQES);
	if (r.sq == MAP_FAILED || r.cq == MAP_FAILED || r.sqes == MAP_FAILED)
		die("mmap");
	return r;
}

/* Submits one request and returns its result. */
static inline int ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = (void *)(r->sq + r->p.sq_off.tail);
	unsigned int *head = (void *)(r->cq + r->p.cq_off.head);
	unsigned int *end = (void *)(r->cq + r->p.cq_off.tail);
	unsigned int *flags = (void *)(r->sq + r->p.sq_off.flags);
	unsigned int slot = *tail & 7, enter = IORING_ENTER_GETEVENTS, submit = 1;
	struct io_uring_cqe *cqes = (void *)(r->cq + r->p.cq_off.cqes);
	int res;

	r->sqes[slot] = *sqe;
	((unsigned int *)(r->sq + r->p.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (r->p.flags & IORING_SETUP_SQPOLL) {
		submit = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
			enter |= IORING_ENTER_SQ_WAKEUP;
	}
	must(syscall(SYS_io_uring_enter, r->fd, submit, 1, enter, NULL, 0));
	while (__atomic_load_n(end, __ATOMIC_ACQUIRE) == *head)
		;
	res = cqes[*head & (r->p.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}
