/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers that only compute, against the kernel's: the same arguments must give the same result
 * and leave the same memory.
 *
 * Both have 512 bytes: arguments of formats in the first 96, then bytes by chance, what is
 * written behind 256.  The kernel's are the value of a map; a frozen one holds the constant text.
 */
#include "runtime/vm/helper/helper.h"
#include "test.h"

#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES = 512, BYTES_AT = 96, OUT_AT = 256, RESULT_AT = 504, TEXT = 128, INSNS = 128 };

/* An argument: a number, or an address of the memory, or of the constant text. */
struct arg {
	enum { NUMBER, MEMORY, CONSTANT } kind;
	uint64_t v;
};

struct scene {
	uint32_t helper;
	struct arg args[5];
	uint8_t memory[BYTES];
	char text[TEXT];
	bool points[12]; /* word i of the memory is an address of it, too */
};

static uint64_t random64(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* --- the kernel */

static int bpf(int cmd, union bpf_attr *a)
{
	int r = (int)syscall(SYS_bpf, cmd, a, sizeof(*a));

	return r < 0 ? -errno : r;
}

static int make_map(uint32_t size, uint32_t flags, const void *value)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY,
			    .key_size = 4,
			    .value_size = size,
			    .max_entries = 1,
			    .map_flags = flags};
	int fd = bpf(BPF_MAP_CREATE, &a);
	uint32_t key = 0;
	union bpf_attr set = {
		.map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	if (fd < 0)
		return fd;
	bpf(BPF_MAP_UPDATE_ELEM, &set);
	if (flags & BPF_F_RDONLY_PROG)
		bpf(BPF_MAP_FREEZE, &(union bpf_attr){.map_fd = (uint32_t)fd});
	return fd;
}

static size_t address(struct bpf_insn *p, unsigned int reg, int fd, uint64_t offset)
{
	insn_wide(p, BPF_PSEUDO_MAP_VALUE, reg, 0);
	p[0].imm = fd;
	p[1].imm = (int32_t)offset;
	return 2;
}

static size_t program(const struct scene *s, int memory, int text, struct bpf_insn *p)
{
	size_t n = address(p, BPF_REG_6, memory, 0);

	for (unsigned int i = 0; i < ELEMENTS(s->points); i++)
		if (s->points[i]) {
			uint64_t to;

			memcpy(&to, s->memory + 8ul * i, 8);
			n += address(p + n, BPF_REG_1, memory, to);
			p[n++] = insn_store(8, BPF_REG_6, (int)i * 8, BPF_REG_1);
		}
	for (unsigned int r = 0; r < 5; r++) {
		const struct arg *a = &s->args[r];

		if (a->kind == NUMBER) {
			insn_wide(p + n, 0, r + 1, a->v);
			n += 2;
		} else {
			n += address(p + n, r + 1, a->kind == MEMORY ? memory : text, a->v);
		}
	}
	p[n++] = insn_call(0, (int32_t)s->helper);
	p[n++] = insn_store(8, BPF_REG_6, RESULT_AT, BPF_REG_0);
	p[n++] = insn_mov_imm(BPF_REG_0, 0);
	p[n++] = insn_exit();
	return n;
}

/* Its memory afterwards; 0 or -errno. */
static int run_kernel(const struct scene *s, uint8_t *ret)
{
	int memory = make_map(BYTES, 0, s->memory), prog, r;
	int text = make_map(TEXT, BPF_F_RDONLY_PROG, s->text);
	struct bpf_insn p[INSNS];
	static char log[8192];
	uint8_t packet[64] = {0};
	uint32_t key = 0;
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SCHED_CLS,
			       .insns = (uintptr_t)p,
			       .license = (uintptr_t) "GPL",
			       .log_buf = (uintptr_t)log,
			       .log_size = sizeof(log),
			       .log_level = 1};
	union bpf_attr run = {.test = {.data_in = (uintptr_t)packet, .data_size_in = 64}};
	union bpf_attr get = {
		.map_fd = (uint32_t)memory, .key = (uintptr_t)&key, .value = (uintptr_t)ret};

	load.insn_cnt = (uint32_t)program(s, memory, text, p);
	prog = bpf(BPF_PROG_LOAD, &load);
	run.test.prog_fd = (uint32_t)prog;
	r = prog < 0 ? prog : bpf(BPF_PROG_TEST_RUN, &run);
	if (!r)
		r = bpf(BPF_MAP_LOOKUP_ELEM, &get);
	else if (prog < 0 && getenv("TEST_LOG"))
		fprintf(stderr, "%s\n", log);
	if (prog >= 0)
		close(prog);
	close(memory);
	close(text);
	return r;
}

/* --- ours */

static void run_ours(const struct scene *s, uint8_t *ret)
{
	static const struct vm_task self = {.is_self = true};
	struct vm_run run = {.task = &self};
	uint64_t a[5], r;

	vm_current = &run;
	memcpy(ret, s->memory, BYTES);
	for (unsigned int i = 0; i < ELEMENTS(s->points); i++)
		if (s->points[i]) {
			uint64_t to;

			memcpy(&to, ret + 8ul * i, 8);
			to += (uintptr_t)ret;
			memcpy(ret + 8ul * i, &to, 8);
		}
	for (unsigned int i = 0; i < 5; i++)
		a[i] = s->args[i].v + (s->args[i].kind == MEMORY     ? (uintptr_t)ret
				       : s->args[i].kind == CONSTANT ? (uintptr_t)s->text
								     : 0);
	r = helper_of(s->helper)(a[0], a[1], a[2], a[3], a[4]);
	memcpy(ret + RESULT_AT, &r, sizeof(r));
	vm_current = NULL;
}

/* False: no more; there is no kernel. */
static bool compare(const struct scene *s, const char *what)
{
	uint8_t ours[BYTES] __attribute__((aligned(16))), theirs[BYTES];
	int64_t a, b;
	int r = run_kernel(s, theirs);

	if (r == -EPERM)
		return false;
	if (r == -EINVAL && s->helper == BPF_FUNC_snprintf) {
		/* its verifier checks formats itself */
		run_ours(s, ours);
		memcpy(&a, ours + RESULT_AT, 8);
		if (a != -EINVAL)
			test_result(false, __FILE__, __LINE__, "%s \"%s\": %lld, expected %d", what,
				    s->text, (long long)a, -EINVAL);
		return true;
	}
	if (r < 0) {
		test_result(false, __FILE__, __LINE__, "%s: the kernel refuses (%d): \"%s\"", what,
			    r, s->text);
		return true;
	}
	run_ours(s, ours);
	memcpy(&a, ours + RESULT_AT, 8);
	memcpy(&b, theirs + RESULT_AT, 8);
	/* the first words may be addresses */
	if (a != b || memcmp(ours + BYTES_AT, theirs + BYTES_AT, BYTES - BYTES_AT))
		test_result(false, __FILE__, __LINE__,
			    "%s \"%.24s\" \"%s\": %lld \"%.40s\", the kernel says %lld \"%.40s\"",
			    what, (const char *)s->memory + BYTES_AT, s->text, (long long)a,
			    (const char *)ours + OUT_AT, (long long)b,
			    (const char *)theirs + OUT_AT);
	return true;
}

static struct arg number(uint64_t v)
{
	return (struct arg){NUMBER, v};
}
static struct arg memory(uint64_t v)
{
	return (struct arg){MEMORY, v};
}
static struct arg constant(void)
{
	return (struct arg){CONSTANT, 0};
}

static bool has_kernel(void)
{
	struct scene s = {.helper = BPF_FUNC_strncmp,
			  .args = {memory(BYTES_AT), number(4), constant()}};
	uint8_t out[BYTES];

	if (!geteuid() && run_kernel(&s, out) >= 0)
		return true;
	test_skip("needs root and a kernel with bpf_strncmp()");
	return false;
}

/* --- numbers in text */

TEST(strtol_as_the_kernel)
{
	static const char letters[] = "  \t\n\v--+00xX1123456789abcfFgz\xa0";
	static const char *const edges[] = {"9223372036854775807",
					    "9223372036854775808",
					    "-9223372036854775808",
					    "-9223372036854775809",
					    "18446744073709551615",
					    "18446744073709551616",
					    "0x",
					    "0xg",
					    "0x10",
					    "-0x10",
					    "010",
					    "08",
					    "7fffffffffffffff",
					    "8000000000000000",
					    "0",
					    "-0",
					    "- 1",
					    "+5",
					    ""};
	static const uint64_t flags[] = {0, 0, 8, 10, 10, 16, 16, 2, 32, 1ull << 40};
	uint64_t seed = 1;

	if (!has_kernel())
		return;
	for (unsigned int i = 0; i < 300; i++) {
		struct scene s = {.helper = i & 1 ? BPF_FUNC_strtol : BPF_FUNC_strtoul};
		uint64_t n = random64(&seed) % 24 + 1;
		char *to = (char *)s.memory + BYTES_AT;

		if (i / 2 < ELEMENTS(edges)) {
			strcpy(to, edges[i / 2]);
			n = strlen(to) + 1;
		} else {
			for (uint64_t k = 0; k < n; k++)
				to[k] = letters[random64(&seed) % (sizeof(letters) - 1)];
		}
		s.args[0] = memory(BYTES_AT);
		s.args[1] = number(n);
		s.args[2] = number(flags[random64(&seed) % ELEMENTS(flags)]);
		s.args[3] = memory(OUT_AT);
		compare(&s, "strtol");
	}
	CHECK(true);
}

TEST(strncmp_as_the_kernel)
{
	uint64_t seed = 2;

	if (!has_kernel())
		return;
	for (unsigned int i = 0; i < 60; i++) {
		struct scene s = {.helper = BPF_FUNC_strncmp};

		for (unsigned int k = 0; k < 6; k++) {
			s.memory[BYTES_AT + k] = "\0ab\xff"[random64(&seed) % 4];
			s.text[k] = "\0ab\xff"[random64(&seed) % 4];
		}
		s.args[0] = memory(BYTES_AT);
		s.args[1] = number(random64(&seed) % 8 + 1);
		s.args[2] = constant();
		compare(&s, "strncmp");
	}
	CHECK(true);
}

TEST(csum_diff_as_the_kernel)
{
	uint64_t seed = 3;

	if (!has_kernel())
		return;
	for (unsigned int i = 0; i < 100; i++) {
		struct scene s = {.helper = BPF_FUNC_csum_diff};

		for (unsigned int k = BYTES_AT; k < OUT_AT; k++)
			s.memory[k] = i % 5 ? (uint8_t)random64(&seed) : 0xff;
		s.args[0] = memory(BYTES_AT);
		s.args[1] = number(random64(&seed) % 17 * (i % 10 ? 4 : 3));
		s.args[2] = memory(BYTES_AT + 64);
		s.args[3] = number(random64(&seed) % 17 * 4);
		s.args[4] = number(i % 3 ? random64(&seed) & UINT32_MAX : 0);
		compare(&s, "csum_diff");
	}
	CHECK(true);
}

/* --- formats */

static const char *const pieces[] = {
	"%d",	"%5d|",	 "%-5d|",  "%05d",     "%+d",  "% d",	 "%u",	  "%x",	    "%X",
	"%08x", "%i",	 "%ld",	   "%lld",     "%llu", "%llx",	 "%lx",	  "%20lld", "%s",
	"%8s|", "%-8s|", "%c",	   "%3c|",     "%%",   "%pI4",	 "%pi4",  "%pI6",   "%pi6",
	"%px",	"%20px", "%pks",   "abc",      " ",    "",	 "%s %d", "%d\n",   "%ps ",
	"%pB",	"%0-5d", "%-05d|", "\xc3\xa4", "a\tb", "%pI4 x",
};
/* These are wrong, or may be. */
static const char *const odd[] = {
	"%",   "%q",   "\x01", "%.3s", "%5%", "%hhd",  "%sx",  "%s_",
	"%pX", "%pI5", "%lls", "%lc",  "%*d", "%#x",   "%pk",  "%pus",
	"%n",  "%pxz", "%dd",  "%5",   "%l",  "%pI4x", "\x7f", "%9999999d",
};

TEST(snprintf_as_the_kernel)
{
	uint64_t seed = 4;

	if (!has_kernel())
		return;
	for (unsigned int i = 0; i < 900; i++) {
		struct scene s = {.helper = BPF_FUNC_snprintf};
		uint64_t n = random64(&seed) % 5, n_args = random64(&seed) % 6;
		const char *one;

		for (unsigned int k = BYTES_AT; k < OUT_AT; k++)
			s.memory[k] = "abcdefg\0\xff%"[random64(&seed) % 10];
		for (uint64_t k = 0; k <= n; k++) {
			one = k == n && i % 3 == 0 ? odd[random64(&seed) % ELEMENTS(odd)]
						   : pieces[random64(&seed) % ELEMENTS(pieces)];
			strcat(s.text, one);
		}
		/* each may be a text, or a number: texts where there is one in the format */
		for (unsigned int k = 0; k < n_args; k++) {
			uint64_t v = random64(&seed) >> random64(&seed) % 64;

			/* only where no address is printed as a number */
			s.points[k] = strspn(s.text, "%8s-| abcIpi46k\n") == strlen(s.text) &&
				      !strstr(s.text, "%i") && !strstr(s.text, "%c");
			if (s.points[k])
				v = BYTES_AT + v % 100;
			memcpy(s.memory + 8ul * k, &v, 8);
		}
		/* some kernels lose a text that they made themselves behind an odd number of words
		 */
		if (strstr(s.text, "%p") && strpbrk(s.text, "duxXc"))
			for (char *at = s.text; (at = strstr(at, "%p"));)
				memcpy(at, "%l", 2);
		if (strstr(s.text, "%ps") || strstr(s.text, "%pB"))
			memset(s.memory, 0, BYTES_AT), memset(s.points, 0, sizeof(s.points));
		s.args[0] = memory(OUT_AT);
		s.args[1] = number(i % 7 ? 200 : random64(&seed) % 12 + 1);
		s.args[2] = constant();
		s.args[3] = memory(0);
		s.args[4] = number(n_args * 8);
		if (!n_args)
			s.args[3] = number(0);
		compare(&s, "snprintf");
	}
	CHECK(true);
}
