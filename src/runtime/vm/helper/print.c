/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that print: to the run's line printer, or into memory. */
#include "runtime/vm/helper/print.h"

#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/format.h"

#include <stdio.h>
#include <string.h>

void print_text(const char *text, size_t n)
{
	struct vm_run *run = vm_current;

	if (run->print)
		run->print(run, text, n);
	else
		fwrite(text, 1, n, stderr);
}

/* How many arguments are in `n` bytes at `args`; -EINVAL. */
int print_args(uint64_t args, uint32_t n)
{
	return n % 8 || n > FORMAT_ARGS * 8 || (n && !args) ? -EINVAL : (int)(n / 8);
}

int print_format(const char *format, size_t n, const uint64_t *args, unsigned int n_args)
{
	char line[FORMAT_ROOM];
	int r = printk_text(line, sizeof(line), format, n, args, n_args);

	if (r >= 0)
		print_text(line, strlen(line));
	return r;
}

CALL(helper_trace_printk)
{
	const uint64_t args[3] = {c, d, e};

	return call_error(print_format(call_pointer(a), (uint32_t)b, args, 3));
}

CALL(helper_trace_vprintk)
{
	int n = print_args(c, (uint32_t)d);

	return call_error(n < 0 ? n
				: print_format(call_pointer(a), (uint32_t)b, call_pointer(c),
					       (unsigned int)n));
}

CALL(helper_snprintf)
{
	int n = print_args(d, (uint32_t)e), r;

	if (n < 0)
		return call_error(n);
	r = printk_text(call_pointer(a), (uint32_t)b, call_pointer(c), SIZE_MAX / 2,
			call_pointer(d), (unsigned int)n);
	return call_error(r < 0 ? r : r + 1);
}

/* Iterators' output: the runtime has one line printer for all. */
CALL(helper_seq_printf)
{
	int n = print_args(d, (uint32_t)e), r;

	if (n < 0)
		return call_error(n);
	r = print_format(call_pointer(b), (uint32_t)c, call_pointer(d), (unsigned int)n);
	return call_error(r < 0 ? r : 0);
}

CALL(helper_seq_write)
{
	print_text(call_pointer(b), (uint32_t)c);
	return 0;
}
