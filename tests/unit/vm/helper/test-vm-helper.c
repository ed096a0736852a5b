/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers and kfuncs one by one: results and errors. */
#include "runtime/vm/helper/helper.h"
#include "runtime/vm/helper/dynptr.h"
#include "test.h"

#include "base/macro.h"
#include "runtime/vm/helper/proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct vm_task self = {.pid = 7,
				    .tid = 8,
				    .uid = 9,
				    .gid = 10,
				    .comm = "a name of 15 by",
				    .cgroup = 11,
				    .is_self = true};
static struct vm_run run = {.task = &self, .cpu = 2};

/* Call by number or name: all arguments as numbers. */
#define N(x)		 ((uint64_t)(uintptr_t)(x))
#define HELP(name, ...)	 call5(helper_of(BPF_FUNC_##name), (uint64_t[5]){__VA_ARGS__})
#define KFUNC(name, ...) call5(kfunc_of("bpf_" #name), (uint64_t[5]){__VA_ARGS__})

static int64_t call5(vm_call_fn fn, const uint64_t a[5])
{
	int64_t r;

	vm_current = &run;
	r = (int64_t)fn(a[0], a[1], a[2], a[3], a[4]);
	vm_current = NULL;
	return r;
}

static struct vm_map *make(uint32_t type, uint32_t key, uint32_t value, uint32_t max)
{
	struct vm_map_def d = {.name = "m",
			       .type = type,
			       .key_size = key,
			       .value_size = value,
			       .max_entries = max};
	struct vm_map *m = NULL;

	CHECK_EQ(map_create(&d, 4, &m), 0);
	return m;
}

/* Two pages, the second is not there: the end of the first. */
static char *make_edge(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 4096, 4096);
	return p + 4096;
}

TEST(tables)
{
	const char *last = "", *name;

	CHECK(!helper_of(0) && !helper_of(100000) && !kfunc_of("") && !kfunc_of("bpf_zzz"));
	for (size_t i = 0; (name = kfunc_name(i)); last = name, i++) {
		CHECK(strcmp(last, name) < 0);
		CHECK(kfunc_of(name));
	}
	/* each has a prototype of its name, so the number is right */
	for (uint32_t i = 1; i < 220; i++)
		if (helper_of(i))
			CHECK(proto_of(i));
}

TEST(task)
{
	char comm[20];

	CHECK_EQ(HELP(get_current_pid_tgid), 7ll << 32 | 8);
	CHECK_EQ(HELP(get_current_uid_gid), 10ll << 32 | 9);
	CHECK_EQ(HELP(get_current_cgroup_id), 11);
	CHECK_EQ(HELP(get_smp_processor_id), 2);
	CHECK_EQ(HELP(get_current_comm, N(comm), 16), 0);
	CHECK_STREQ(comm, "a name of 15 by");
	memset(comm, 'x', sizeof(comm));
	CHECK_EQ(HELP(get_current_comm, N(comm), 5), 0);
	CHECK_STREQ(comm, "a na");
	CHECK_EQ(comm[5], 'x');
	CHECK(HELP(get_current_task) < 0);
	CHECK_EQ(HELP(send_signal, 65), -EINVAL);
	CHECK_EQ(HELP(send_signal, 9), -EPERM);
	run.task = NULL;
	CHECK_EQ(HELP(get_current_pid_tgid), -EINVAL);
	CHECK_EQ(HELP(get_current_comm, N(comm), 5), -EINVAL);
	CHECK_EQ(comm[0], 0);
	run.task = &self;
	run.args[1] = 77;
	run.n_args = 2;
	CHECK_EQ(HELP(get_func_arg, 0, 1, N(comm)), 0);
	CHECK_EQ(*(uint64_t *)comm, 77);
	CHECK_EQ(HELP(get_func_arg, 0, 2, N(comm)), -EINVAL);
	CHECK_EQ(HELP(get_func_arg_cnt), 2);
}

TEST(clock)
{
	int64_t a = HELP(ktime_get_ns), b = HELP(ktime_get_ns);

	CHECK(a > 0 && b >= a);
	CHECK(HELP(ktime_get_boot_ns) >= a - 1000000000);
	CHECK(HELP(ktime_get_tai_ns) > a);
	run.now_ns = 1234;
	CHECK_EQ(HELP(ktime_get_ns), 1234);
	run.now_ns = 0;
}

TEST(probe_read)
{
	char *edge = make_edge(), to[64];

	memcpy(edge - 6, "12345", 6);
	CHECK_EQ(HELP(probe_read_user, N(to), 6, N(edge - 6)), 0);
	CHECK_STREQ(to, "12345");
	memset(to, 1, sizeof(to));
	CHECK_EQ(HELP(probe_read_user, N(to), 7, N(edge - 6)), -EFAULT);
	CHECK(!to[0] && !to[6] && to[7] == 1);
	CHECK_EQ(HELP(probe_read_kernel, N(to), 8, 8), -EFAULT);
	CHECK_EQ(HELP(probe_read_kernel, N(to), 0, 8), 0);
	CHECK_EQ(HELP(probe_read_kernel, N(to), 8, UINT64_MAX - 3), -EFAULT);
	memset(to, 1, sizeof(to));
	CHECK_EQ(HELP(probe_read_user_str, N(to), 64, N(edge - 6)), 6);
	CHECK(!strcmp(to, "12345") && to[6] == 1);
	CHECK_EQ(HELP(probe_read_user_str, N(to), 3, N(edge - 6)), 3);
	CHECK_STREQ(to, "12");
	CHECK_EQ(HELP(probe_read_user_str, N(to), 0, N(edge - 6)), 0);
	edge[-1] = '6'; /* no end */
	memset(to, 1, sizeof(to));
	CHECK_EQ(HELP(probe_read_user_str, N(to), 64, N(edge - 6)), -EFAULT);
	CHECK(!to[0] && !to[63]);
	CHECK_EQ(HELP(probe_read_str, N(to), 6, N(edge - 6)), 6);
	CHECK_STREQ(to, "12345");
	munmap(edge - 4096, 4096);
}

static int read_x(void *ctx, const struct vm_task *t, void *to, uint64_t from, size_t n)
{
	memset(to, 'x', n);
	return from < 4096 ? -EFAULT : 0;
}

static unsigned int frames(void *ctx, const struct vm_task *t, uint64_t *to, unsigned int room)
{
	unsigned int n = room < 5 ? room : 5;

	for (unsigned int i = 0; i < n; i++)
		to[i] = 100 + i;
	return n;
}

static const struct helper_memory other = {.read = read_x, .stack = frames};

TEST(memory_of_the_task)
{
	char to[8] = "", mine[8] = "mine";

	run.memory = &other;
	CHECK_EQ(HELP(probe_read_user, N(to), 4, 4096), 0);
	CHECK(!memcmp(to, "xxxx", 4));
	CHECK_EQ(HELP(probe_read_user, N(to), 4, 1), -EFAULT);
	/* what is the runtime's own is the kernel's */
	CHECK_EQ(HELP(probe_read_kernel, N(to), 5, N(mine)), 0);
	CHECK_STREQ(to, "mine");
	CHECK_EQ(HELP(probe_write_user, 4096, N(mine), 4), -EPERM);
	run.memory = NULL;
}

TEST(stacks)
{
	struct vm_map *m = make(BPF_MAP_TYPE_STACK_TRACE, 4, 64, 8);
	uint64_t to[8];

	run.memory = &other;
	CHECK_EQ(HELP(get_stack, 0, N(to), 64, BPF_F_USER_STACK), 40);
	CHECK(to[0] == 100 && to[4] == 104 && !to[5]);
	CHECK_EQ(HELP(get_stack, 0, N(to), 16, BPF_F_USER_STACK | 1), 16);
	CHECK(to[0] == 101 && to[1] == 102);
	CHECK_EQ(HELP(get_stack, 0, N(to), 64, BPF_F_USER_STACK | 6), -EFAULT);
	CHECK_EQ(HELP(get_stack, 0, N(to), 64, 0), 0); /* of the kernel: no frames */
	CHECK_EQ(HELP(get_stack, 0, N(to), 63, BPF_F_USER_STACK), -EINVAL);
	CHECK_EQ(HELP(get_stack, 0, N(to), 64, 1 << 20), -EINVAL);
	CHECK(HELP(get_stackid, 0, N(m), BPF_F_USER_STACK) >= 0);
	CHECK_EQ(HELP(get_stackid, 0, N(m), 0), -EFAULT);
	CHECK_EQ(HELP(get_stackid, 0, N(m), 1 << 20), -EINVAL);
	run.memory = NULL;
	map_unref(m);
}

static char printed[256];

static void print(struct vm_run *r, const char *text, size_t n)
{
	snprintf(printed, sizeof(printed), "%.*s", (int)n, text);
}

TEST(printing)
{
	uint64_t args[2] = {5, N("text")};

	run.print = print;
	CHECK_EQ(HELP(trace_printk, N("%d %s|%x"), 9, 5, N("text"), 255), 9);
	CHECK_STREQ(printed, "5 text|ff");
	CHECK_EQ(HELP(trace_printk, N("%d %s"), 5, 5, N("text"), 255), -EINVAL); /* no NUL */
	CHECK_EQ(HELP(trace_printk, N("%d %d %d %d"), 12, 1, 2, 3), -EINVAL);
	CHECK_EQ(HELP(trace_vprintk, N("%d %s"), 6, N(args), 16), 6);
	CHECK_EQ(HELP(trace_vprintk, N("%d %s"), 6, N(args), 15), -EINVAL);
	CHECK_EQ(HELP(trace_vprintk, N("%d %s"), 6, N(args), 8), -EINVAL);
	CHECK_EQ(KFUNC(stream_vprintk, 2, N("%d"), N(args), 8), 1);
	CHECK_STREQ(printed, "5");
	CHECK_EQ(KFUNC(stream_vprintk, 3, N("%d"), N(args), 8), -ENOENT);
	run.print = NULL;
}

static int note_record(void *ctx, const void *record, size_t n)
{
	memcpy(ctx, record, n < 64 ? n : 64);
	return 0;
}

TEST(perf_event_output)
{
	struct vm_map *m = make(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 5);
	uint8_t packet[] = "packet";
	char got[64] = "";

	CHECK_EQ(HELP(perf_event_output, 0, N(m), BPF_F_CURRENT_CPU, N("abc"), 4), 0);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 2, N("abc"), 4), 0);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 1, N("abc"), 4), -EOPNOTSUPP);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 4, N("abc"), 4), -ENOENT);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 5, N("abc"), 4), -E2BIG);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 1ull << 60, N("abc"), 4), -EINVAL);
	CHECK_EQ(map_ring_drain(m, note_record, got), 2);
	CHECK_STREQ(got, "abc");
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 2 | 3ull << 32, N("abc"), 4), -EINVAL);
	run.data = packet;
	run.data_end = packet + 6;
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 2 | 3ull << 32, N("abc"), 3), 0);
	CHECK_EQ(HELP(perf_event_output, 0, N(m), 2 | 7ull << 32, N("abc"), 3), -EFAULT);
	CHECK_EQ(map_ring_drain(m, note_record, got), 1);
	CHECK(!memcmp(got, "abcpac", 6));
	run.data = run.data_end = NULL;
	map_unref(m);
}

TEST(dynptr)
{
	struct vm_map *m = make(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	char memory[16] = "0123456789abcde", to[16] = "";
	struct dynptr p, q;

	CHECK_EQ(HELP(dynptr_from_mem, N(memory), 16, 1, N(&p)), -EINVAL);
	CHECK_EQ(HELP(dynptr_read, N(to), 1, N(&p), 0, 0), -EINVAL);
	CHECK_EQ(HELP(dynptr_from_mem, N(memory), 1 << 24, 0, N(&p)), -E2BIG);
	CHECK_EQ(HELP(dynptr_from_mem, N(memory), 16, 0, N(&p)), 0);
	CHECK_EQ(HELP(dynptr_read, N(to), 4, N(&p), 12, 0), 0);
	CHECK_STREQ(to, "cde");
	CHECK_EQ(HELP(dynptr_read, N(to), 4, N(&p), 13, 0), -E2BIG);
	CHECK_EQ(HELP(dynptr_read, N(to), 4, N(&p), UINT32_MAX, 0), -E2BIG);
	CHECK_EQ(HELP(dynptr_read, N(to), 4, N(&p), 0, 1), -EINVAL);
	CHECK_EQ(HELP(dynptr_write, N(&p), 14, N("zz"), 2, 0), 0);
	CHECK_EQ(HELP(dynptr_write, N(&p), 15, N("zz"), 2, 0), -E2BIG);
	CHECK_EQ(HELP(dynptr_data, N(&p), 4, 12), (long long)N(memory + 4));
	CHECK_EQ(HELP(dynptr_data, N(&p), 4, 13), 0);
	CHECK_EQ(KFUNC(dynptr_adjust, N(&p), 5, 4), -EINVAL);
	CHECK_EQ(KFUNC(dynptr_adjust, N(&p), 4, 17), -ERANGE);
	CHECK_EQ(KFUNC(dynptr_adjust, N(&p), 4, 8), 0);
	CHECK_EQ(KFUNC(dynptr_size, N(&p)), 4);
	CHECK_EQ(KFUNC(dynptr_slice, N(&p), 1, 0, 3), (long long)N(memory + 5));
	CHECK_EQ(KFUNC(dynptr_slice, N(&p), 1, 0, 4), 0);
	CHECK_EQ(KFUNC(dynptr_clone, N(&p), N(&q)), 0);
	CHECK_EQ(KFUNC(dynptr_size, N(&q)), 4);
	CHECK_EQ(HELP(ringbuf_reserve_dynptr, N(m), 5000, 0, N(&q)), -EINVAL);
	CHECK(KFUNC(dynptr_is_null, N(&q)));
	CHECK_EQ(HELP(ringbuf_discard_dynptr, N(&q), 0), 0);
	CHECK_EQ(HELP(ringbuf_reserve_dynptr, N(m), 10, 0, N(&q)), 0);
	CHECK_EQ(HELP(dynptr_write, N(&q), 0, N("record"), 7, 0), 0);
	CHECK_EQ(HELP(ringbuf_submit_dynptr, N(&q), 0), 0);
	CHECK_EQ(map_ring_drain(m, note_record, to), 1);
	CHECK_STREQ(to, "record");
	CHECK_EQ(HELP(ringbuf_query, N(m), BPF_RB_PROD_POS), 24);
	map_unref(m);
}

TEST(iterators)
{
	uint64_t it[2], words[] = {1ull << 63, 0, 5};
	int32_t *at;
	int n = 0;

	CHECK_EQ(KFUNC(iter_num_new, N(it), 3, 2), -EINVAL);
	CHECK_EQ(KFUNC(iter_num_next, N(it)), 0);
	CHECK_EQ(KFUNC(iter_num_new, N(it), 0, (8 << 20) + 1), -E2BIG);
	CHECK_EQ(KFUNC(iter_num_new, N(it), (uint32_t)INT32_MIN, (uint32_t)(INT32_MIN + 3)), 0);
	while ((at = (int32_t *)(uintptr_t)KFUNC(iter_num_next, N(it))))
		CHECK_EQ(*at, INT32_MIN + n++);
	CHECK_EQ(n, 3);
	CHECK_EQ(KFUNC(iter_bits_new, N(it), N(words), 0), -EINVAL);
	CHECK_EQ(KFUNC(iter_bits_new, N(it), N(words), 512), -E2BIG);
	CHECK_EQ(KFUNC(iter_bits_new, N(it), 8, 3), -EFAULT);
	CHECK_EQ(KFUNC(iter_bits_next, N(it)), 0);
	CHECK_EQ(KFUNC(iter_bits_new, N(it), N(words), 3), 0);
	for (n = 0; (at = (int32_t *)(uintptr_t)KFUNC(iter_bits_next, N(it))); n++)
		CHECK_EQ(*at, ((int[]){63, 128, 130})[n]);
	CHECK_EQ(n, 3);
	CHECK_EQ(KFUNC(iter_bits_next, N(it)), 0);
	KFUNC(iter_bits_destroy, N(it));
}

TEST(strings)
{
	char *edge = make_edge();

	memcpy(edge - 4, "abc", 4);
	CHECK_EQ(KFUNC(strcmp, N("abc"), N(edge - 4)), 0);
	CHECK_EQ(KFUNC(strcmp, N("abd"), N(edge - 4)), 1);
	CHECK_EQ(KFUNC(strcmp, N("ab"), N(edge - 4)), -1);
	CHECK_EQ(KFUNC(strcmp, N("ab"), 8), -EFAULT);
	CHECK_EQ(KFUNC(strlen, N(edge - 4)), 3);
	CHECK_EQ(KFUNC(strnlen, N(edge - 4), 2), 2);
	CHECK_EQ(KFUNC(strchr, N(edge - 4), 'c'), 2);
	CHECK_EQ(KFUNC(strchr, N(edge - 4), 'd'), -ENOENT);
	CHECK_EQ(KFUNC(strchr, N(edge - 4), 0), 3);
	CHECK_EQ(KFUNC(strchrnul, N(edge - 4), 'd'), 3);
	CHECK_EQ(KFUNC(strnchr, N("xyz"), 2, 'z'), -ENOENT);
	CHECK_EQ(KFUNC(strrchr, N("abab"), 'b'), 3);
	CHECK_EQ(KFUNC(strspn, N("aabbc"), N("ba")), 4);
	CHECK_EQ(KFUNC(strcspn, N("xxb"), N("ab")), 2);
	CHECK_EQ(KFUNC(strstr, N("hello"), N("lo")), 3);
	CHECK_EQ(KFUNC(strstr, N("hello"), N("ol")), -ENOENT);
	CHECK_EQ(KFUNC(strstr, N("hello"), N("")), 0);
	CHECK_EQ(KFUNC(strnstr, N("hello"), N("lo"), 4), -ENOENT);
	edge[-1] = 'd';
	CHECK_EQ(KFUNC(strlen, N(edge - 4)), -EFAULT);
	munmap(edge - 4096, 4096);
}

TEST(others)
{
	uint64_t k = 5;
	uint32_t lock = 0;

	CHECK_EQ(HELP(kptr_xchg, N(&k), 6), 5);
	CHECK_EQ(k, 6);
	CHECK_EQ(HELP(spin_lock, N(&lock)), 0);
	CHECK_EQ(lock, 1);
	CHECK_EQ(HELP(spin_unlock, N(&lock)), 0);
	CHECK_EQ(lock, 0);
	CHECK(HELP(get_prandom_u32) != HELP(get_prandom_u32));
	CHECK_EQ(KFUNC(task_from_pid, 9), 0);
	CHECK_EQ(KFUNC(task_from_pid, 8), HELP(get_current_task));
}
