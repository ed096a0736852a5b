/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/random-world.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

void random_rodata(uint8_t to[RANDOM_RODATA])
{
	static const char *const texts[] = {
		"", "a", "ab", "abc", "abcabc", "bcab", "0123456789abcdef", "ABC\xff"};

	memset(to, 0, RANDOM_RODATA);
	for (unsigned int i = 0; i < RANDOM_TEXTS; i++)
		to[i] = (uint8_t)(i * 7 + 3);
	for (unsigned int i = 0; i < ELEMENTS(texts); i++)
		memcpy(to + RANDOM_TEXTS + i * 16, texts[i], strlen(texts[i]));
}

/* A fixed address: the same seed is the same program in every process. */
bool random_user(void)
{
	void *at = (void *)(uintptr_t)RANDOM_USER;

	if (mmap(at, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		return errno == EEXIST; /* by a test before */
	random_rodata(at);
	return true;
}

/* --- memory of others */

static int read_other(struct interp *in, bool user, uint64_t address, void *to, uint32_t n)
{
	const void *p;

	if (user) {
		if (address < RANDOM_USER || address + n > RANDOM_USER + 4096)
			return -EFAULT;
		memcpy(to, (void *)(uintptr_t)address, n);
		return 0;
	}
	p = address > 4096 ? interp_memory(in, address, n, false) : NULL;
	if (p) {
		memcpy(to, p, n);
		return 0;
	}
	if (address < RANDOM_KERNEL_GOOD || address + n > RANDOM_KERNEL_GOOD + 4096)
		return address > 4096 ? -EFAULT : -ERANGE; /* the kernel asks itself first */
	for (uint32_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)((address + i) * 7 + 3);
	return 0;
}

/* probe_read_…(to, n, address), and …_str, which ends with a NUL in any case. */
static bool call_read(struct interp *in, bool user, bool is_text, const uint64_t *args,
		      uint64_t *ret)
{
	char *to = interp_memory(in, args[0], (uint32_t)args[1], true);
	uint8_t c = 1;
	uint32_t i;
	int r = 0;

	if (!to || args[1] > 256)
		return false;
	if (!is_text) {
		r = read_other(in, user, args[2], to, (uint32_t)args[1]);
		if (r < 0)
			memset(to, 0, args[1]);
		*ret = (uint64_t)(int64_t)r;
		return true;
	}
	for (i = 0; i < args[1] && c && r >= 0; i++) {
		r = read_other(in, user, args[2] + i, &c, 1);
		to[i] = (char)(i + 1 < args[1] ? c : 0);
	}
	if (r < 0)
		memset(to, 0, args[1]);
	*ret = r < 0 ? (uint64_t)(int64_t)r : i;
	return true;
}

/* --- maps */

static unsigned int find(const struct random_world *w, uint64_t key)
{
	unsigned int i = 0;

	while (i < RANDOM_ELEMENTS_HASH && !(w->used[i] && w->keys[i] == key))
		i++;
	return i;
}

static int update_hash(struct random_world *w, uint64_t key, uint64_t value, uint64_t flags)
{
	unsigned int i = find(w, key);
	bool is_there = i < RANDOM_ELEMENTS_HASH;

	if (is_there && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!is_there && flags == BPF_EXIST)
		return -ENOENT;
	for (i = is_there ? i : 0; i < RANDOM_ELEMENTS_HASH && w->used[i] && !is_there;)
		i++;
	if (i == RANDOM_ELEMENTS_HASH)
		return -E2BIG;
	w->used[i] = true;
	w->keys[i] = key;
	w->values[i] = value;
	return 0;
}

static bool call_hash(struct interp *in, uint32_t helper, const uint64_t *args, uint64_t *ret)
{
	struct random_world *w = in->ctx;
	const uint64_t *key = interp_memory(in, args[1], 8, false), *value = NULL;
	unsigned int i;

	if (!key)
		return false;
	if (helper == BPF_FUNC_map_update_elem) {
		value = interp_memory(in, args[2], 8, false);
		if (value)
			*ret = (uint64_t)(int64_t)update_hash(w, *key, *value, args[3]);
		return value != NULL;
	}
	i = find(w, *key);
	if (helper == BPF_FUNC_map_lookup_elem) {
		*ret = i < RANDOM_ELEMENTS_HASH ? w->at_values + i * 8 : 0;
	} else {
		*ret = i < RANDOM_ELEMENTS_HASH ? 0 : (uint64_t)-ENOENT;
		if (i < RANDOM_ELEMENTS_HASH)
			w->used[i] = false;
	}
	return true;
}

static bool call_array(struct interp *in, uint32_t helper, const uint64_t *args, uint64_t *ret)
{
	struct random_world *w = in->ctx;
	const uint32_t *key = interp_memory(in, args[1], 4, false);
	const void *value;

	if (!key)
		return false;
	if (helper == BPF_FUNC_map_lookup_elem) {
		*ret = *key < RANDOM_ELEMENTS_ARRAY ? w->at_array + *key * RANDOM_VALUE : 0;
	} else if (helper == BPF_FUNC_map_delete_elem) {
		*ret = (uint64_t)-EINVAL;
	} else {
		value = interp_memory(in, args[2], RANDOM_VALUE, false);
		if (!value)
			return false;
		*ret = *key >= RANDOM_ELEMENTS_ARRAY ? (uint64_t)-E2BIG
		       : args[3] == BPF_NOEXIST	     ? (uint64_t)-EEXIST
						     : 0;
		if (!*ret)
			memmove(w->array[*key], value, RANDOM_VALUE);
	}
	return true;
}

static bool call_each(struct interp *in, const uint64_t *args, uint64_t *ret)
{
	struct random_world *w = in->ctx;
	uint32_t n = args[0] ? RANDOM_ELEMENTS_ARRAY : RANDOM_ELEMENTS_HASH;
	uint64_t stop = 0, done = 0;

	for (uint32_t i = 0; i < n && !stop; i++) {
		uint64_t with[4] = {args[0], w->at_key,
				    args[0] ? w->at_array + (uint64_t)i * RANDOM_VALUE
					    : w->at_values + (uint64_t)i * 8,
				    args[2]};

		if (!args[0] && !w->used[i])
			continue;
		w->key = args[0] ? i : w->keys[i];
		if (!interp_call(in, (uint32_t)args[1], with, 4, &stop))
			return true; /* in->why says it */
		done++;
	}
	*ret = done;
	return true;
}

/* --- helpers */

static bool call_loop(struct interp *in, const uint64_t *args, uint64_t *ret)
{
	uint64_t stop = 0, i;

	for (i = 0; i < (uint32_t)args[0] && !stop; i++)
		if (!interp_call(in, (uint32_t)args[1], (uint64_t[]){i, args[2]}, 2, &stop))
			return true;
	*ret = i;
	return true;
}

static bool call_comm(struct interp *in, const uint64_t *args, uint64_t *ret)
{
	char comm[16] = "", *to = interp_memory(in, args[0], (uint32_t)args[1], true);

	if (!to || args[1] != sizeof(comm))
		return false;
	prctl(PR_GET_NAME, comm);
	memcpy(to, comm, sizeof(comm));
	*ret = 0;
	return true;
}

static bool call_helper(struct interp *in, uint32_t helper, const uint64_t *args, uint64_t *ret)
{
	switch (helper) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
		return args[0] ? call_array(in, helper, args, ret)
			       : call_hash(in, helper, args, ret);
	case BPF_FUNC_for_each_map_elem:
		return call_each(in, args, ret);
	case BPF_FUNC_loop:
		return call_loop(in, args, ret);
	case BPF_FUNC_probe_read_kernel:
	case BPF_FUNC_probe_read_user:
		return call_read(in, helper == BPF_FUNC_probe_read_user, false, args, ret);
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		return call_read(in, helper == BPF_FUNC_probe_read_user_str, true, args, ret);
	case BPF_FUNC_get_current_comm:
		return call_comm(in, args, ret);
	case BPF_FUNC_get_current_pid_tgid:
		*ret = (uint64_t)getpid() << 32 | (uint32_t)gettid();
		return true;
	case BPF_FUNC_get_current_uid_gid:
		*ret = (uint64_t)getgid() << 32 | getuid();
		return true;
	}
	return false;
}

/* --- runtime functions, by what their comments say */

static uint64_t rt_log2(int64_t v, unsigned int bits)
{
	unsigned int shift;

	if (v < 0)
		return 0;
	if (v < 1ll << bits)
		return (uint64_t)v + 1;
	shift = 63 - (unsigned int)__builtin_clzll((uint64_t)v) - bits;
	return ((shift + 1ull) << bits) + ((uint64_t)v >> shift & ((1ull << bits) - 1)) + 1;
}

static uint64_t rt_linear(int64_t v, int64_t min, int64_t max, uint64_t step)
{
	return v < min ? 0 : 1 + (uint64_t)(MIN(v, max) - min) / step;
}

static uint64_t rt_strstr(const char *a, size_t n, const char *b, size_t m)
{
	size_t length = strnlen(a, n), wanted = strnlen(b, m);

	for (size_t i = 0; i + wanted <= length; i++)
		if (!memcmp(a + i, b, wanted))
			return i;
	return UINT64_MAX;
}

static uint64_t rt_hash(const uint64_t *frames, uint64_t n, uint64_t mix)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ mix;

	for (uint64_t i = 0; i < n; i++) {
		h = (h ^ frames[i]) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	return h ? h : 1;
}

/* Of the first bytes that differ, the difference. */
static int64_t difference(const uint8_t *a, const uint8_t *b, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return (int64_t)a[i] - b[i];
	return 0;
}

static bool call_text(struct interp *in, const char *name, const uint64_t *args, uint64_t *ret)
{
	bool is_find = !strcmp(name, "rt_strstr");
	uint32_t n = (uint32_t)args[is_find ? 1 : 2], m = (uint32_t)args[is_find ? 3 : 2];
	const char *a = interp_memory(in, args[0], n, false);
	const char *b = interp_memory(in, args[is_find ? 2 : 1], m, false);

	if (!a || !b)
		return false;
	if (is_find)
		*ret = rt_strstr(a, n, b, m);
	else if (!strcmp(name, "rt_strdiff"))
		*ret = strncmp(a, b, n) != 0;
	else if (!strcmp(name, "rt_memdiff"))
		*ret = memcmp(a, b, n) != 0;
	else if (!strcmp(name, "rt_memcmp"))
		*ret = (uint64_t)difference((const uint8_t *)a, (const uint8_t *)b, n);
	else
		return false;
	return true;
}

static bool call_runtime(struct interp *in, const char *name, const uint64_t *args, uint64_t *ret)
{
	const void *p;

	if (!strcmp(name, "rt_log2")) {
		*ret = rt_log2((int64_t)args[0], 0);
		return true;
	}
	if (!strcmp(name, "rt_log2_parts")) {
		*ret = rt_log2((int64_t)args[0], (unsigned int)args[1]);
		return true;
	}
	if (!strcmp(name, "rt_linear")) {
		*ret = rt_linear((int64_t)args[0], (int64_t)args[1], (int64_t)args[2], args[3]);
		return true;
	}
	if (!strcmp(name, "rt_strlen")) {
		p = interp_memory(in, args[0], (uint32_t)args[1], false);
		if (p)
			*ret = strnlen(p, args[1]);
		return p != NULL;
	}
	if (!strcmp(name, "rt_stack_hash")) {
		p = interp_memory(in, args[0], (uint32_t)args[1] * 8, false);
		if (p)
			*ret = rt_hash(p, args[1], args[2]);
		return p != NULL;
	}
	return call_text(in, name, args, ret);
}

static bool call(struct interp *in, enum ir_op op, uint32_t index, const char *name,
		 const uint64_t *args, unsigned int n_args, uint64_t *ret)
{
	(void)n_args;
	if (op == IR_CALLRT)
		return call_runtime(in, name, args, ret);
	return op == IR_CALL && call_helper(in, index, args, ret);
}

static uint64_t map_value(struct interp *in, uint32_t map)
{
	const struct random_world *w = in->ctx;

	return map == 2 ? w->at_single : 0;
}

/* --- the whole */

void random_run(const struct ir_module *m, uint64_t seed, uint64_t steps,
		struct random_outcome *ret)
{
	static const struct interp_ops ops = {
		.call = call, .read = read_other, .map_value = map_value};
	struct random_world *w = &ret->world;
	struct interp in;

	*ret = (struct random_outcome){};
	random_globals(seed, w->globals);
	random_rodata(w->rodata);
	interp_init(&in, m, steps);
	in.ops = &ops;
	in.ctx = w;
	w->at_values = interp_area(&in, w->values, sizeof(w->values), false);
	w->at_array = interp_area(&in, w->array, sizeof(w->array), false);
	w->at_single = interp_area(&in, w->single, sizeof(w->single), false);
	w->at_key = interp_area(&in, &w->key, sizeof(w->key), true);
	interp_space(&in, IRS_GLOBAL, w->globals, RANDOM_GLOBALS);
	interp_space(&in, IRS_RODATA, w->rodata, RANDOM_RODATA);
	interp_space(&in, IRS_SCRATCH, w->scratch, RANDOM_SCRATCH);
	ret->ok = interp_eval(&in, 0, &ret->ret);
	ret->why = in.why;
	ret->steps = steps - in.steps;
	interp_done(&in);
}

static unsigned int count(const struct random_world *w)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < RANDOM_ELEMENTS_HASH; i++)
		n += w->used[i];
	return n;
}

static bool same_hash(const struct random_world *a, const struct random_world *b)
{
	for (unsigned int i = 0, at; i < RANDOM_ELEMENTS_HASH; i++) {
		if (!a->used[i])
			continue;
		at = find(b, a->keys[i]);
		if (at == RANDOM_ELEMENTS_HASH || b->values[at] != a->values[i])
			return false;
	}
	return count(a) == count(b);
}

bool random_same(const struct random_outcome *a, const struct random_outcome *b)
{
	return a->ok && b->ok && a->ret == b->ret &&
	       !memcmp(a->world.globals, b->world.globals, RANDOM_GLOBALS) &&
	       !memcmp(a->world.array, b->world.array, sizeof(a->world.array)) &&
	       !memcmp(a->world.single, b->world.single, RANDOM_SINGLE) &&
	       same_hash(&a->world, &b->world);
}
