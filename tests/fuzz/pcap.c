/* SPDX-License-Identifier: Apache-2.0 */
/* Files of packets: whatever comes out lies within the file, and what is written is read back. */
#include "runtime/vm/hook/pcap.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool x)
{
	if (!x)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* from a block of its own: a page has room behind it that would hide a read too far */
	char *bytes = xalloc(size + !size);
	struct str file = {bytes, size};
	struct pcap_reader r, again;
	struct pcap_packet p, q;
	_cleanup_buf_ struct buf copy = {0};
	size_t n = 0;

	memcpy(bytes, data, size);
	if (pcap_open(&r, file) < 0) {
		free(bytes);
		return 0;
	}
	pcap_write_head(&copy, 1);
	while (pcap_next(&r, &p) > 0) {
		must(p.bytes.p >= file.p && p.bytes.p + p.bytes.n <= file.p + file.n);
		p.ns %= 4000000000ull * 1000000000; /* more seconds than a file can say */
		pcap_write(&copy, p.ns, p.bytes.p, p.bytes.n);
		n++;
	}
	must(!pcap_open(&again, buf_str(&copy)));
	for (; n && pcap_next(&again, &q) > 0; n--)
		must(q.ns <= UINT64_MAX);
	must(!n && !pcap_next(&again, &q));
	free(bytes);
	return 0;
}
