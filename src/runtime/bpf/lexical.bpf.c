/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Absolute names from names as given: rule.h says for what.
 *
 * What a program names is joined with the folder it starts from; "//", "/./", "/../" and a
 * slash at the end go, symbolic links stay: it is the name that a rule's author thinks of.
 * Most names are clean: a look at eight bytes at a time finds that out, and an absolute
 * one is then its own name, without a copy.
 *
 * What is not clean is walked from its end to its beginning, so that ".." is known before
 * the component it takes away.  Compiled twice, as path.bpf.c is.
 */
#include "runtime/bpf/path.h"
#include "runtime/bpf/rule.h"

#ifdef NO_BPF_LOOP
enum { WALK_MAX = 512 };
#else
enum { WALK_MAX = WIRE_PATH_MAX };
#endif

enum {
	LOOK_ROUNDS = 32, /* of 8 bytes; longer names are walked */
	RECORD_MASK = WIRE_RECORD_MAX - 1,
	PATH_MASK = WIRE_PATH_MAX - 1,
};

/* 0x80 in the bytes of v that are 0, and perhaps in some behind such a byte. */
static __always_inline __u64 zero_bytes(__u64 v)
{
	return (v - 0x0101010101010101ull) & ~v & 0x8080808080808080ull;
}

/*
 * Does "//" or "/." stand anywhere, or a slash at the end?  A hidden file does no harm but
 * the time of a walk.  Looks behind the end, where the scratch goes on.
 */
static __always_inline bool is_odd(const struct scratch *s, __u32 off, __u32 len)
{
	const __u64 slashes = 0x2f2f2f2f2f2f2f2full, ones = 0x0101010101010101ull;

	if (len > LOOK_ROUNDS * 8 || s->record[(off + len - 1) & RECORD_MASK] == '/')
		return true;
	for (__u32 i = 0; i < LOOK_ROUNDS; i++) {
		const __u8 *p = &s->record[(off + i * 8) & RECORD_MASK];

		if (i * 8 >= len)
			break;
		/* '.' and '/' differ in the lowest bit alone */
		if (zero_bytes(*(__u64 *)p ^ slashes) &
		    zero_bytes((*(__u64 *)(p + 1) | ones) ^ slashes))
			return true;
	}
	return false;
}

/* What is walked: a name in the record.  s->path is filled from its end. */
struct lexical {
	struct scratch *s;
	__u32 off, len;
};

/* A component is complete: keep it, or forget it. */
static __always_inline void component_end(struct scratch *s, bool has_slash)
{
	volatile __u32 *at = &s->lexical.at, *end = &s->lexical.end, *skip = &s->lexical.skip;
	__u32 from = *at, n = *end - from;

	if (n == 2 && s->path[from & PATH_MASK] == '.' && s->path[(from + 1) & PATH_MASK] == '.') {
		*skip += 1;
		*at = *end;
	} else if (n == 0 || (n == 1 && s->path[from & PATH_MASK] == '.')) {
		*at = *end;
	} else if (*skip) {
		*skip -= 1;
		*at = *end;
	} else if (has_slash && from) {
		s->path[(from - 1) & PATH_MASK] = '/';
		*at = *end = from - 1;
	}
}

static long walk_back(__u64 i, struct lexical *l)
{
	struct scratch *s = l->s;
	volatile __u32 *at = &s->lexical.at;
	__u32 from = *at;
	__u8 c;

	if (i >= l->len || !from)
		return 1;
	c = s->record[(l->off + l->len - 1 - (__u32)i) & RECORD_MASK];
	if (c == '/') {
		component_end(s, true);
		return 0;
	}
	s->path[(from - 1) & PATH_MASK] = c;
	*at = from - 1;
	return 0;
}

/* Write the name at `off` normalised to `to`, which may be the same place; the new length. */
static __always_inline __u32 normalise(struct scratch *s, __u32 off, __u32 len, __u64 to)
{
	volatile __u32 *at = &s->lexical.at, *end = &s->lexical.end;
	struct lexical l = {.s = s, .off = off, .len = len};
	__u64 n, from;

	if (len > WALK_MAX)
		return 0;
	*at = *end = WIRE_PATH_MAX;
	s->lexical.skip = 0;
#ifdef NO_BPF_LOOP
	for (int i = 0; i < WALK_MAX && !walk_back(i, &l);)
		i++;
#else
	bpf_loop(WALK_MAX, walk_back, &l, 0);
#endif
	if (*at < *end) /* it did not begin with a slash */
		component_end(s, false);
	from = *at;
	if (from >= WIRE_PATH_MAX) {
		from = WIRE_PATH_MAX - 1;
		s->path[WIRE_PATH_MAX - 1] = '/';
	}
	n = WIRE_PATH_MAX - from;
	BOUND(n, WIRE_PATH_MAX - 1);
	BOUND(to, RECORD_ROOM - WIRE_PATH_MAX);
	bpf_probe_read_kernel(s->record + to, n, &s->path[from & PATH_MASK]);
	s->record[to + n] = 0;
	return n;
}

/* Append folder, slash and path; where it begins and, in *ret_len, its length.  0: no room. */
static __always_inline __u32 join(struct scratch *s, __u32 path, __u32 dir, __s32 dirfd,
				  __u32 *ret_len)
{
	__u64 from, n, to;

	if (dir) {
		to = s->used;
		n = (__u16)dir;
		if (to > RECORD_ROOM - WIRE_PATH_MAX) {
			s->cut |= WIRE_F_CUT;
			return 0;
		}
		BOUND(n, WIRE_PATH_MAX - 1);
		bpf_probe_read_kernel(s->record + to, n, &s->record[(dir >> 16) & RECORD_MASK]);
		from = to;
		to += n;
	} else {
		dir = dir_put(s->which, dirfd);
		if (!dir)
			return 0;
		from = dir >> 16;
		to = from + (__u16)dir;
	}
	if ((__u16)dir == 1) /* the root folder is a slash already */
		to--;
	if (to > RECORD_ROOM - WIRE_PATH_MAX - 1) {
		s->cut |= WIRE_F_CUT;
		return 0;
	}
	BOUND(to, RECORD_ROOM - WIRE_PATH_MAX - 1);
	s->record[to] = '/';
	n = (__u16)path;
	BOUND(n, WIRE_PATH_MAX - 1);
	bpf_probe_read_kernel(s->record + to + 1, n, &s->record[(path >> 16) & RECORD_MASK]);
	s->record[to + 1 + n] = 0;
	s->used = to + n + 2;
	*ret_len = to + 1 + n - from;
	return from;
}

__noinline __u32 name_put(__u32 which, __u32 path, __u32 dir, __s32 dirfd)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &which);
	__u32 off = path >> 16, len = (__u16)path, to;
	bool is_joined = false;

	if (!s || !off || !len)
		return 0;
	if (s->record[off & RECORD_MASK] != '/') {
		off = join(s, path, dir, dirfd, &len);
		if (!off)
			return 0;
		is_joined = true;
	}
	if (!is_odd(s, off, len) || len == 1)
		return off << 16 | len;
	to = is_joined ? off : s->used;
	if (to > RECORD_ROOM - WIRE_PATH_MAX) {
		s->cut |= WIRE_F_CUT;
		return 0;
	}
	len = normalise(s, off, len, to);
	if (!len)
		return 0;
	s->used = to + len + 1;
	return to << 16 | len;
}

char _license[] SEC("license") = "Dual BSD/GPL";
