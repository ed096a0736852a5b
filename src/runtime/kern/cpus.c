/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/cpus.h"

#include "runtime/kern/privileges.h"

#include <stdlib.h>

enum { CPUS_MAX = 8192 };

/* "0-3,5": each range to `fn`'s array; returns the highest + 1, fills up to `room`. */
static unsigned int read_list(const char *path, uint32_t *ret, unsigned int room,
			      unsigned int *ret_n)
{
	unsigned int highest = 0, n = 0;
	char text[4096], *p = text;

	if (kernel_file_read(path, text, sizeof(text)) <= 0)
		text[0] = 0;
	while (*p >= '0' && *p <= '9') {
		unsigned long first = strtoul(p, &p, 10), last = first;

		if (*p == '-')
			last = strtoul(p + 1, &p, 10);
		if (last >= CPUS_MAX)
			break;
		for (unsigned long i = first; i <= last; i++) {
			if (n < room)
				ret[n++] = (uint32_t)i;
			if (i + 1 > highest)
				highest = (unsigned int)i + 1;
		}
		if (*p == ',')
			p++;
	}
	*ret_n = n;
	return highest;
}

unsigned int cpus_possible(void)
{
	static unsigned int known; /* it stays; atomic */
	unsigned int n, highest = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!highest)
		highest = read_list("/sys/devices/system/cpu/possible", NULL, 0, &n);
	__atomic_store_n(&known, highest ? highest : 1, __ATOMIC_RELAXED);
	return highest ? highest : 1;
}

unsigned int cpus_online(uint32_t *ret, unsigned int room)
{
	unsigned int n;

	read_list("/sys/devices/system/cpu/online", ret, room, &n);
	if (!n && room)
		ret[n++] = 0;
	return n;
}
