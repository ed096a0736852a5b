/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel for core.bpf.c: compiled for its types. */
#include "base.h"

struct part {
	long z;
	int y, x;
};

struct thing {
	long before;
	u64 grown;
	struct {
		struct {
			int moved;
			u16 sign;
		};
		union {
			int inside;
			char as_bytes[4];
		};
	};
	u64 pad : 20, bits : 9, rest : 35;
	struct part parts[3];
	u8 tail[];
};

struct other___two {
	int x;
};

struct same {
	struct same *next;
	int a, b;
};

struct differs {
	long a;
};

typedef int (*callback_t)(int);
typedef u32 number_t;
enum colour { RED = 1, YELLOW = 2, GREEN = 20 };
enum wide : u64 { WIDE = 2 };

SEC("types")
int structs(struct thing *t, struct part *p, struct same *s, struct differs *d,
	    struct other___two *o)
{
	return t->before;
}

SEC("types")
int others(callback_t c, number_t n, enum colour e, enum wide w)
{
	return 0;
}
