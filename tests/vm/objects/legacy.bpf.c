/* SPDX-License-Identifier: Apache-2.0 */
/* As it was before there were types: section "maps", free names of sections, no BTF. */
#include "base.h"

struct old_map {
	u32 type, key_size, value_size, max_entries, flags, inner, numa;
};

struct old_map SEC("maps") counts = {MAP_HASH, 4, 8, 100, 1, 0, 0};
struct old_map SEC("maps") each = {MAP_ARRAY, 4, 12, 5, 0, 0, 0};
struct old_map SEC("maps") both = {MAP_ARRAY_OF_MAPS, 4, 4, 6, 0, 1, 0};

SEC("xdp_drop")
int drop(void *ctx)
{
	u32 k = 0;

	return bpf_map_lookup_elem(&each, &k) ? 1 : 2;
}

SEC("2/7")
int numbered(void *ctx)
{
	u32 k = 0;

	return bpf_map_lookup_elem(&counts, &k) || bpf_map_lookup_elem(&both, &k);
}

char _license[] SEC("license") = "GPL";
