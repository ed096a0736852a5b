/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was there before skep: processes and their sockets, by BPF iterators.
 *
 * The iterators run once, when somebody reads them; their output is records, as
 * from the ring, but waits for the reader, so nothing can be lost.
 */
#pragma once

#include "runtime/runtime.h"

struct bpf_program;

/*
 * Hands each process to `fn`; the sockets of those it says 1 to get an owner in
 * the map `owners_fd`, keyed by address.  `sockets` may be NULL.  0 or -errno;
 * `ret_full` is always set: how many sockets found no place in the map.
 */
int seed_run(struct bpf_program *tasks, struct bpf_program *sockets, int owners_fd,
	     runtime_record_fn fn, void *ctx, uint64_t *ret_full);
