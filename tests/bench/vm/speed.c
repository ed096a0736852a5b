/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast engines run eight programs, in one run and side by side.
 *
 *	vm-speed PROGRAMS.o SMALL.o [UBPF.so]
 *
 * PROGRAMS.o and SMALL.o are programs.c for BPF; SMALL has loops that a kernel's verifier follows
 * to their end.  Natively it is linked in.  Engines take turns, and of each the fastest round
 * counts.  The kernel runs SMALL by BPF_PROG_TEST_RUN, and the JIT's figure beside it is
 * of the same instructions.  UBPF.so: ubpf as a shared library.
 */
#include "isa/elf.h"
#include "runtime/vm/run.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { COPY = 1 << 20, SMALL_COPY = 65536, SMALL_STRING = 4000, INSNS_MAX = 4096, PROGRAMS = 8 };

#define NAMES(X)  \
	X(simple) \
	X(memory_add) X(log2_int) X(primes) X(copy) X(strcmp_fail) X(strcmp_full) X(switch_64)
#define X(name) uint64_t native_##name(void *mem);
NAMES(X)
#undef X

typedef uint64_t (*program_fn)(void *mem);
static const struct {
	const char *name;
	program_fn native;
} programs[PROGRAMS] = {
#define X(name) {#name, native_##name},
	NAMES(X)
#undef X
};

struct bytecode {
	struct bpf_insn p[INSNS_MAX];
	size_t n;
};

/* One way to run one program. */
struct engine {
	void (*measure)(struct engine *e, void *mem);
	void *ctx;
	double best; /* ns */
	uint64_t result;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void read_file(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "rb");
	char block[4096];
	size_t n;

	if (!f) {
		perror(path);
		exit(1);
	}
	while ((n = fread(block, 1, sizeof(block), f)))
		buf_add(to, block, n);
	fclose(f);
}

/* The instructions of a section; the programs need no relocations. */
static bool find_program(const struct buf *file, const char *name, struct bytecode *ret)
{
	struct elf_view v;
	struct elf_section s;
	char section[64];

	snprintf(section, sizeof(section), "program/%s", name);
	if (elf_view_init(&v, file->p, file->n) < 0)
		return false;
	for (uint32_t i = 0; elf_section_get(&v, i, &s); i++) {
		if (strcmp(s.name, section) != 0 || s.bytes.n > sizeof(ret->p))
			continue;
		memcpy(ret->p, s.bytes.p, s.bytes.n);
		ret->n = s.bytes.n / sizeof(*ret->p);
		return true;
	}
	return false;
}

static struct vm_code *make(const struct bytecode *b, enum vm_engine e)
{
	struct vm_object *o = xalloc(sizeof(*o));
	struct vm_prog *prog = xalloc(sizeof(*prog));
	struct code_options options = {.engine = e, .is_unverified = true};
	struct vm_code *c;
	char why[200];

	*prog = (struct vm_prog){.insns = (struct bpf_insn *)b->p, .n_insns = (uint32_t)b->n};
	o->progs.p = prog;
	o->progs.n = 1;
	if (code_make(o, 0, NULL, &options, &c, why, sizeof(why)) < 0) {
		fprintf(stderr, "code_make: %s\n", why);
		return NULL;
	}
	return c;
}

static uint64_t run_native(void *ctx, void *mem)
{
	return ((program_fn)(uintptr_t)ctx)(mem);
}

static uint64_t run_code(void *ctx, void *mem)
{
	struct vm_run run;

	memset(&run, 0, offsetof(struct vm_run, failure));
	return code_run(ctx, &run, mem, 0);
}

/* --- the kernel */

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

static int kernel_map(const void *value, size_t n)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY,
			    .key_size = 4,
			    .value_size = (uint32_t)n,
			    .max_entries = 1};
	uint32_t key = 0;
	int fd = bpf(BPF_MAP_CREATE, &a);

	if (fd < 0)
		return -errno;
	a = (union bpf_attr){
		.map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value};
	return bpf(BPF_MAP_UPDATE_ELEM, &a) < 0 ? -errno : fd;
}

/* Its memory is the map's value; -errno. */
static int kernel_load(const struct bytecode *b, int map)
{
	static struct bpf_insn p[INSNS_MAX + 2];
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			    .insns = (uintptr_t)p,
			    .insn_cnt = (uint32_t)b->n + 2,
			    .license = (uintptr_t) "GPL"};
	int fd;

	insn_wide(p, BPF_PSEUDO_MAP_VALUE, 1, (uint32_t)map);
	memcpy(p + 2, b->p, b->n * sizeof(*p));
	fd = bpf(BPF_PROG_LOAD, &a);
	return fd < 0 ? -errno : fd;
}

/* ns of one run, the mean of `repeat`. */
static double kernel_run(int fd, unsigned int repeat, uint32_t *ret)
{
	char packet[64] = {0};
	union bpf_attr a = {.test = {.prog_fd = (uint32_t)fd,
				     .data_in = (uintptr_t)packet,
				     .data_size_in = sizeof(packet),
				     .repeat = repeat}};

	if (bpf(BPF_PROG_TEST_RUN, &a) < 0)
		return 0;
	*ret = a.test.retval;
	return a.test.duration;
}

/* --- ubpf */

struct ubpf {
	void *(*create)(void);
	int (*load)(void *vm, const void *code, uint32_t n, char **error);
	uint64_t (*(*compile)(void *vm, char **error))(void *mem, size_t n);
	int (*bounds)(void *vm, bool is_on);
};

static bool ubpf_open(const char *path, struct ubpf *ret)
{
	void *library = path ? dlopen(path, RTLD_NOW) : NULL;

	if (!library) {
		if (path)
			fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	*(void **)&ret->create = dlsym(library, "ubpf_create");
	*(void **)&ret->load = dlsym(library, "ubpf_load");
	*(void **)&ret->compile = dlsym(library, "ubpf_compile");
	return ret->create && ret->load && ret->compile;
}

static void *ubpf_make(const struct ubpf *u, const struct bytecode *b)
{
	char *error = NULL;
	void *vm = u->create(), *f = NULL;

	if (u->load(vm, b->p, (uint32_t)(b->n * sizeof(*b->p)), &error) >= 0)
		*(uint64_t(**)(void *, size_t)) & f = u->compile(vm, &error);
	if (!f)
		fprintf(stderr, "ubpf: %s\n", error ? error : "?");
	return f;
}

static uint64_t run_ubpf(void *ctx, void *mem)
{
	return ((uint64_t(*)(void *, size_t))(uintptr_t)ctx)(mem, 2 * COPY);
}

/* --- measuring */

/* As often as takes about 2 ms. */
static inline __attribute__((always_inline)) void measure_by(struct engine *e, void *mem,
							     uint64_t (*run)(void *ctx, void *mem))
{
	uint64_t start, spent, n = 1;

	for (;;) {
		start = now_ns();
		for (uint64_t i = 0; i < n; i++)
			e->result = run(e->ctx, mem);
		spent = now_ns() - start;
		if (spent > 1000000)
			break;
		n = spent < 1000 ? n * 100 : n * (2000000 / spent + 1);
	}
	if (!e->best || (double)spent / (double)n < e->best)
		e->best = (double)spent / (double)n;
}

/* One function each: processors remember of a call whether it ever went to more than one place. */
#define MEASURE(name, run)                                                                \
	static __attribute__((noinline)) void measure_##name(struct engine *e, void *mem) \
	{                                                                                 \
		measure_by(e, mem, run);                                                  \
	}
MEASURE(native, run_native)
MEASURE(machine, run_native)
MEASURE(code, run_code)
MEASURE(ubpf, run_ubpf)
MEASURE(small, run_native)

static void measure(struct engine *e, void *mem)
{
	if (e->measure)
		e->measure(e, mem);
}

static void fill(uint8_t *mem, size_t copy, const char *name)
{
	uint32_t x = 12345;

	memset(mem, 1, 2 * copy);
	for (size_t i = 0; i < 8192 && i < copy; i++) {
		x = x * 1664525 + 1013904223;
		mem[i] = mem[i + copy] = (uint8_t)(x >> 26) + !(x >> 26);
	}
	if (!strcmp(name, "switch_64"))
		for (size_t i = 0; i < 8192; i++)
			mem[i] = (uint8_t)(i * 7) & 63;
	if (!strcmp(name, "strcmp_fail"))
		mem[copy / 2] = 7;
	if (!strcmp(name, "log2_int"))
		for (size_t i = 0; i < 1024; i++)
			((uint64_t *)mem)[i] = (uint64_t)1 << i % 64 | i;
}

static double compile_us(const struct bytecode *b)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 300; i++) {
		struct vm_code *c = make(b, VM_INTERP);
		uint64_t start = now_ns(), spent;

		jit_make(c);
		spent = now_ns() - start;
		best = spent < best ? spent : best;
		code_free(c);
	}
	return (double)best / 1000;
}

enum { NATIVE, JIT, INTERP, UBPF, ENGINES };

struct line {
	struct engine e[ENGINES];
	double kernel, jit_small, insns;
	int kernel_fd;
};

static void measure_kernel(struct line *l, const struct bytecode *b, const char *name)
{
	static uint8_t mem[2 * SMALL_COPY];
	struct vm_code *c = make(b, VM_JIT);
	struct engine jit = {c ? measure_small : NULL, c ? c->machine : NULL, 0, 0};
	unsigned int repeat = 1;
	uint32_t result = 0;
	int map, fd;

	fill(mem, strstr(name, "strcmp") ? SMALL_STRING : SMALL_COPY, name);
	map = kernel_map(mem, sizeof(mem));
	fd = map < 0 ? map : kernel_load(b, map);
	l->kernel_fd = fd;
	for (int round = 0; round < 40 && fd >= 0; round++) {
		double ns = kernel_run(fd, repeat, &result);

		if (ns * repeat < 1000000 && round < 8)
			repeat = ns ? (unsigned int)(2000000 / ns) + 1 : 1000000;
		else if (ns && (!l->kernel || ns < l->kernel))
			l->kernel = ns;
		measure(&jit, mem);
	}
	l->jit_small = jit.best;
	if (fd >= 0 && (uint32_t)jit.result != result)
		printf("  %s: the kernel says %u, the JIT %u\n", name, result,
		       (uint32_t)jit.result);
	if (fd >= 0)
		close(fd);
	if (map >= 0)
		close(map);
	code_free(c);
}

static double count_insns(struct vm_code *c, void *mem)
{
	struct vm_run run = {.has_count = true};

	code_run(c, &run, mem, 0);
	return (double)run.insns;
}

static void measure_program(struct line *l, size_t i, const struct bytecode *big,
			    const struct bytecode *small, const struct ubpf *ubpf, uint8_t *mem)
{
	struct vm_code *jit = make(big, VM_JIT), *interp = make(big, VM_INTERP);

	fill(mem, COPY, programs[i].name);
	l->e[NATIVE] = (struct engine){measure_native, (void *)(uintptr_t)programs[i].native, 0, 0};
	if (jit)
		l->e[JIT] = (struct engine){measure_machine, jit->machine, 0, 0};
	l->e[INTERP] = (struct engine){measure_code, interp, 0, 0};
	if (ubpf) {
		void *f = ubpf_make(ubpf, big);

		if (f)
			l->e[UBPF] = (struct engine){measure_ubpf, f, 0, 0};
	}
	for (int round = 0; round < 40; round++)
		for (int k = 0; k < ENGINES; k++)
			if (k != INTERP || round % 3 == 0)
				measure(&l->e[k], mem);
	for (int k = 1; k < ENGINES; k++)
		if (l->e[k].measure && (k == UBPF ? l->e[k].result != l->e[JIT].result
						  : l->e[k].result != l->e[NATIVE].result))
			printf("  %s: results differ: %llx, natively %llx\n", programs[i].name,
			       (unsigned long long)l->e[k].result,
			       (unsigned long long)l->e[NATIVE].result);
	l->insns = count_insns(interp, mem);
	measure_kernel(l, small, programs[i].name);
	code_free(jit);
	code_free(interp);
}

static void print_ns(double ns)
{
	if (ns <= 0)
		printf(" %10s", "-");
	else if (ns < 1000)
		printf(" %7.2f ns", ns);
	else
		printf(" %7.1f us", ns / 1000);
}

static void print_ratio(double a, double b, double *log_sum, unsigned int *n)
{
	if (a <= 0 || b <= 0) {
		printf(" %6s", "-");
		return;
	}
	printf(" %6.2f", a / b);
	*log_sum += log(a / b);
	(*n)++;
}

static void print_table(const struct line *lines)
{
	double sums[3] = {0}, interp = 0;
	unsigned int n[3] = {0}, n_interp = 0;

	printf("%-12s %10s %10s %6s %10s %7s %10s %10s %10s %6s\n", "", "native", "jit", "ratio",
	       "interp", "ns/insn", "ubpf jit", "kernel*", "jit*", "ratio");
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct line *l = &lines[i];

		printf("%-12s", programs[i].name);
		print_ns(l->e[NATIVE].best);
		print_ns(l->e[JIT].best);
		print_ratio(l->e[JIT].best, l->e[NATIVE].best, &sums[0], &n[0]);
		print_ns(l->e[INTERP].best);
		printf(" %7.2f", l->e[INTERP].best / l->insns);
		if (l->insns > 1000) {
			interp += log(l->e[INTERP].best / l->insns);
			n_interp++;
		}
		print_ns(l->e[UBPF].best);
		print_ns(l->kernel);
		print_ns(l->jit_small);
		if (i < 2) /* the test-run's own loop */
			printf(" %6s", "-");
		else
			print_ratio(l->jit_small, l->kernel, &sums[1], &n[1]);
		if (l->kernel_fd < 0)
			printf("  the kernel: %s", strerror(-l->kernel_fd));
		printf("\n");
		if (l->e[UBPF].best > 0) {
			sums[2] += log(l->e[JIT].best / l->e[UBPF].best);
			n[2]++;
		}
	}
	printf("geomean: jit / native %.3f of %u", exp(sums[0] / n[0]), n[0]);
	if (n[1])
		printf(", jit / kernel's jit %.3f of %u", exp(sums[1] / n[1]), n[1]);
	if (n[2])
		printf(", jit / ubpf's %.3f of %u", exp(sums[2] / n[2]), n[2]);
	printf("; interpreter %.2f ns an instruction\n", exp(interp / n_interp));
	printf("* smaller loops, which its verifier follows; the first two are its test-run's "
	       "loop\n");
}

static void print_compile(void)
{
	static struct bytecode ten = {.n = 10};
	uint8_t mem[16] = {0};
	struct vm_code *c;
	struct engine direct, whole;

	for (size_t i = 0; i < 9; i++)
		ten.p[i] = insn_alu_imm(BPF_ADD, false, i ? 0 : 2, (int32_t)i);
	ten.p[1] = insn_load(4, false, 0, 1, 4);
	ten.p[4] = insn_jump_imm(BPF_JEQ, 0, 7, 2);
	ten.p[9] = insn_exit();
	c = make(&ten, VM_JIT);
	direct = (struct engine){measure_machine, c->machine, 0, 0};
	whole = (struct engine){measure_code, c, 0, 0};
	for (int i = 0; i < 20; i++) {
		measure(&direct, mem);
		measure(&whole, mem);
	}
	printf("compile, 10 instructions: %.2f us; enter: %.1f ns by address, %.1f by code_run()\n",
	       compile_us(&ten), direct.best, whole.best);
	code_free(c);
}

int main(int argc, char **argv)
{
	static struct line lines[PROGRAMS];
	static struct bytecode big[PROGRAMS], small[PROGRAMS];
	struct buf files[2] = {{0}};
	struct ubpf ubpf = {0};
	uint8_t *mem = aligned_alloc(4096, 2 * COPY);
	bool has_ubpf = ubpf_open(argc > 3 ? argv[3] : NULL, &ubpf);

	if (argc < 3)
		return 2;
	read_file(argv[1], &files[0]);
	read_file(argv[2], &files[1]);
	for (size_t i = 0; i < PROGRAMS; i++) {
		const char *only = getenv("ONLY");

		if (!find_program(&files[0], programs[i].name, &big[i]) ||
		    !find_program(&files[1], programs[i].name, &small[i])) {
			fprintf(stderr, "there is no program/%s\n", programs[i].name);
			return 1;
		}
		if (!only || !strcmp(only, programs[i].name))
			measure_program(&lines[i], i, &big[i], &small[i], has_ubpf ? &ubpf : NULL,
					mem);
	}
	print_table(lines);
	print_compile();
	free(mem);
	buf_done(&files[0]);
	buf_done(&files[1]);
	return 0;
}
