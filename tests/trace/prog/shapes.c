/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands structs to functions that probes are set on, with what C has to describe data:
 * members in members, arrays, bit fields, unions, enums, pointers to all of them.
 *
 * build: -g -O0 -fno-omit-frame-pointer -no-pie
 */
#include <stdint.h>
#include <stdio.h>

#define KEEP __attribute__((noinline, noclone, used))

enum colour { RED = 1, GREEN = 2, BLUE = 4 };

struct point {
	int x, y;
};

struct packet {
	uint32_t version : 4;
	uint32_t length : 12;
	int32_t delta : 6;
	uint64_t large : 40;
};

union number {
	uint32_t whole;
	uint8_t bytes[4];
};

struct shape {
	int8_t small;
	uint64_t id;
	char name[16];
	const char *text;
	struct point at;
	struct point corners[3];
	struct point *far;
	struct shape *next;
	int counts[4];
	union number number;
	enum colour colour;
	struct {
		short depth;
		_Bool is_solid;
	};
};

KEEP int draw(struct shape *shape, struct point *point)
{
	__asm__ volatile("" ::"r"(shape), "r"(point) : "memory");
	return shape->counts[1];
}

KEEP int receive(const struct packet *packet)
{
	__asm__ volatile("" ::"r"(packet) : "memory");
	return 0;
}

KEEP int paint(enum colour colour, _Bool twice, signed char shade)
{
	__asm__ volatile("" ::: "memory");
	return (int)colour + twice + shade;
}

KEEP struct point *choose(struct point *a, struct point *b)
{
	return a->x > b->x ? a : b;
}

/* What g++ makes of app::Server::handle(int) and app::Server::close(). */
KEEP int handle(int fd) __asm__("_ZN3app6Server6handleEi");
KEEP int handle(int fd)
{
	__asm__ volatile("" ::: "memory");
	return fd + 1;
}

KEEP int close_all(void) __asm__("_ZN3app6Server5closeEv");
KEEP int close_all(void)
{
	__asm__ volatile("" ::: "memory");
	return 0;
}

/* A page that nobody read yet is not there for a probe. */
static void touch(const char *p)
{
	(void)*(const volatile char *)p;
}

int main(void)
{
	static struct point far = {100, 200}, small = {3, 4};
	static struct shape second = {
		.small = 2,
		.id = 22,
		.name = "second",
		.text = "text of two",
	};
	static struct shape first = {
		.small = -1,
		.id = 0x1122334455667788,
		.name = "first",
		.text = "text of one",
		.at = {7, -8},
		.corners = {{1, 2}, {3, 4}, {5, 6}},
		.far = &far,
		.next = &second,
		.counts = {10, 20, 30, 40},
		.number = {.whole = 0x04030201},
		.colour = BLUE,
		.depth = -5,
		.is_solid = 1,
	};
	static const struct packet packet = {4, 1500, -3, 0xabcdef1234};

	touch(first.text);
	touch(second.text);
	touch((const char *)&packet);
	draw(&first, &small);
	receive(&packet);
	paint(GREEN, 1, -7);
	choose(&small, &far);
	handle(41);
	close_all();
	return 0;
}
