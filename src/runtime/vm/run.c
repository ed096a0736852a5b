/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: the engine of the code is entered with a stack and the surroundings in their place.
 *
 * Runs nest: a helper may lead to another program (a hook inside a hook).  Who runs is
 * vm_current, per thread; the one before is put back at the end.
 */
#include "runtime/vm/run.h"

#include "runtime/vm/helper/packet.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/uio.h>
#include <unistd.h>

_Thread_local struct vm_run *vm_current;

uint64_t code_enter(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2)
{
	return c->engine == VM_JIT ? jit_run(c, run, r1, r2) : interp_run(c, run, r1, r2);
}

static uint64_t enter(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2)
{
	char stack[CODE_STACK_BYTES] __attribute__((aligned(16)));
	uint64_t r0;

	if (run->stack)
		return code_enter(c, run, r1, r2);
	run->stack = stack;
	run->stack_end = stack + sizeof(stack);
	r0 = code_enter(c, run, r1, r2);
	run->stack = run->stack_end = NULL;
	return r0;
}

uint64_t code_run(const struct vm_code *c, struct vm_run *run, void *ctx, uint64_t second)
{
	struct vm_run *before = vm_current;
	uint64_t r0;

	run->code = c;
	run->ctx = ctx;
	run->tail_calls = run->depth = 0;
	run->unwind = NULL;
	run->failure[0] = 0;
	vm_current = run;
	r0 = enter(c, run, (uintptr_t)ctx, second);
	vm_current = before;
	run->code = c;
	return r0;
}

uint64_t code_callback(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		       uint64_t e)
{
	struct vm_run *run = vm_current;

	if (run->code->engine == VM_JIT)
		return ((vm_call_fn)(uintptr_t)function)(a, b, c, d, e);
	return interp_callback(run->code, run, (const struct code_insn *)(uintptr_t)function,
			       (const uint64_t[]){a, b, c, d, e});
}

void code_run_callback(const struct vm_code *c, struct vm_run *run, uint64_t function,
		       const uint64_t args[3])
{
	char stack[CODE_STACK_BYTES] __attribute__((aligned(16)));
	struct vm_run *before = vm_current;

	run->code = c;
	run->stack = stack;
	run->stack_end = stack + sizeof(stack);
	vm_current = run;
	code_callback(function, args[0], args[1], args[2], 0, 0);
	vm_current = before;
	run->stack = run->stack_end = NULL;
}

/* Below 0, offsets count from headers, as classic BPF has it (linux/filter.h). */
static const uint8_t *from_header(const struct vm_run *run, int64_t off, unsigned int bytes)
{
	const struct vm_packet *p = run->packet;

	if (!p || !p->is_skb || off < SKF_LL_OFF)
		return NULL;
	if (off >= SKF_NET_OFF)
		off += p->network - SKF_NET_OFF;
	else if (p->mac == PACKET_UNSET)
		return NULL;
	else
		off += p->mac - SKF_LL_OFF;
	if (off < p->room - p->data || off + bytes > p->end - p->data)
		return NULL;
	return p->data + off;
}

bool code_packet_load(const struct vm_run *run, int64_t off, unsigned int bytes, uint64_t *ret)
{
	const uint8_t *p = NULL;
	uint16_t half;
	uint32_t word;

	if (off < 0)
		p = from_header(run, off, bytes);
	else if (run->data && off <= run->data_end - run->data &&
		 run->data_end - run->data - off >= bytes)
		p = run->data + off;
	if (!p)
		return false;
	if (bytes == 1) {
		*ret = *p;
	} else if (bytes == 2) {
		memcpy(&half, p, sizeof(half));
		*ret = be16toh(half);
	} else {
		memcpy(&word, p, sizeof(word));
		*ret = be32toh(word);
	}
	return true;
}

/* Where process_vm_readv() is not allowed (containers), or not there (emulators). */
static bool read_through_pipe(void *to, const void *from, size_t n)
{
	int fds[2];
	bool is_read;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	is_read = write(fds[1], from, n) == (ssize_t)n && read(fds[0], to, n) == (ssize_t)n;
	close(fds[0]);
	close(fds[1]);
	return is_read;
}

uint64_t code_safe_load(uint64_t from, unsigned int bytes, bool is_signed)
{
	uint64_t v = 0;
	void *p = (void *)(uintptr_t)from;
	struct iovec to = {&v, bytes}, at = {p, bytes};
	unsigned int shift = 64 - 8 * bytes;

	/* the kernel copies, and says no where a load of our own would be a signal */
	if (process_vm_readv(getpid(), &to, 1, &at, 1, 0) != (ssize_t)bytes &&
	    (errno == EFAULT || !read_through_pipe(&v, p, bytes)))
		return 0;
	return is_signed ? (uint64_t)((int64_t)(v << shift) >> shift) : v;
}

struct str code_machine(const struct vm_code *c)
{
	return c->machine ? (struct str){c->machine, c->machine_n} : (struct str){0};
}
