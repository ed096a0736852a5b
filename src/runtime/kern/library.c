/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program or library is that somebody named.
 *
 * Libraries: the dynamic linker's cache, /etc/ld.so.cache, and the usual folders where
 * there is none (musl, small images).  The cache in glibc's format of today
 * (sysdeps/generic/dl-cache.h): a head of 48 bytes, entries of 24 bytes, then texts, whose
 * offsets count from the head.  Older systems have an older table before it.
 */
#include "base/macro.h"
#include "runtime/kern/binary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[] = "glibc-ld.so.cache1.1"; /* without its NUL */

struct cache_head {
	char magic[20];
	uint32_t n, texts_n;
	uint32_t flags, extension, unused[3];
};
struct cache_entry {
	int32_t flags;
	uint32_t key, value, osversion;
	uint64_t hwcap;
};
_Static_assert(sizeof(struct cache_head) == 48 && sizeof(struct cache_entry) == 24,
	       "as dl-cache.h has them");

enum { CACHE_MAX = 16 << 20 };

/* Which architecture an entry is for, in the second byte of its flags. */
#ifdef __aarch64__
enum { FLAGS_HERE = 0x0a03 }; /* FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6 */
#else
enum { FLAGS_HERE = 0x0303 }; /* FLAG_X8664_LIB64 | FLAG_ELF_LIBC6 */
#endif

static const char *text_at(struct str s, uint32_t at)
{
	return at < s.n && memchr(s.p + at, 0, s.n - at) ? s.p + at : NULL;
}

/* "libc" fits libc.so.6, "libc.so.6" itself only. */
static bool fits(const char *key, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(key, name, n) && (!key[n] || !strncmp(key + n, ".so", 3));
}

const char *library_find(struct str cache, const char *name)
{
	const char *at = cache.n ? memmem(cache.p, cache.n, magic, sizeof(magic) - 1) : NULL;
	struct cache_head head;
	struct str table;

	if (!at)
		return NULL;
	table = (struct str){at, (size_t)(cache.p + cache.n - at)};
	if (table.n < sizeof(head))
		return NULL;
	memcpy(&head, table.p, sizeof(head));
	for (uint32_t i = 0; i < head.n; i++) {
		size_t offset = sizeof(head) + (size_t)i * sizeof(struct cache_entry);
		struct cache_entry e;
		const char *key, *value;

		if (offset + sizeof(e) > table.n)
			break;
		memcpy(&e, table.p + offset, sizeof(e));
		key = text_at(table, e.key);
		value = text_at(table, e.value);
		if (e.flags == FLAGS_HERE && key && value && fits(key, name))
			return value;
	}
	return NULL;
}

static void read_all(const char *path, struct buf *to)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && to->n < CACHE_MAX) {
		buf_reserve(to, 1 << 16);
		n = read(fd, to->p + to->n, (1 << 16) - 1);
		to->n += n > 0 ? (size_t)n : 0;
	}
}

static bool is_file(const char *path, bool must_run)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, must_run ? X_OK : R_OK);
}

/* "" or "/proc/PID/root", if the process sees other files than we do. */
static void root_of(int pid, char *ret, size_t n)
{
	char path[64], ours[64] = "", its[64] = "";
	struct stat here, there;

	ret[0] = 0;
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) < 0 ||
	    readlink(path, its, sizeof(its) - 1) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	if (!strcmp(ours, its) && !stat("/", &here) && !stat(path, &there) &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return;
	snprintf(ret, n, "/proc/%d/root", pid);
}

#ifdef __aarch64__
#define TRIPLET "aarch64-linux-gnu"
#else
#define TRIPLET "x86_64-linux-gnu"
#endif

/* The first by name that fits, in the first folder that has one. */
static const char *search_folders(struct arena *a, const char *named, const char *root)
{
	static const char *const folders[] = {"/lib/" TRIPLET, "/usr/lib/" TRIPLET,
					      "/lib64",	       "/usr/lib64",
					      "/lib",	       "/usr/lib",
					      "/usr/local/lib"};
	char path[4096], best[256];

	for (size_t i = 0; i < ELEMENTS(folders); i++) {
		struct dirent *entry;
		DIR *d;

		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		d = opendir(path);
		best[0] = 0;
		while (d && (entry = readdir(d)))
			if (fits(entry->d_name, named) &&
			    (!best[0] || strcmp(entry->d_name, best) < 0))
				snprintf(best, sizeof(best), "%s", entry->d_name);
		if (d)
			closedir(d);
		snprintf(path, sizeof(path), "%s%s/%s", root, folders[i], best);
		if (best[0] && is_file(path, false))
			return arena_strdup(a, path);
	}
	return NULL;
}

static const char *find_library(struct arena *a, const char *named, const char *root)
{
	_cleanup_buf_ struct buf cache = {0};
	char path[4096];
	const char *found;

	snprintf(path, sizeof(path), "%s/etc/ld.so.cache", root);
	read_all(path, &cache);
	found = library_find(buf_str(&cache), named);
	if (!found)
		return cache.n ? NULL : search_folders(a, named, root);
	snprintf(path, sizeof(path), "%s%s", root, found);
	return is_file(path, false) ? arena_strdup(a, path) : NULL;
}

static const char *find_program(struct arena *a, const char *named, const char *root)
{
	const char *list = getenv("PATH");
	char path[4096];

	if (!list)
		list = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*list) {
		size_t n = strcspn(list, ":");

		if (n &&
		    snprintf(path, sizeof(path), "%s%.*s/%s", root, (int)n, list, named) <
			    (int)sizeof(path) &&
		    is_file(path, true))
			return arena_strdup(a, path);
		list += n + (list[n] == ':');
	}
	return NULL;
}

const char *binary_find(struct arena *a, const char *named, int pid)
{
	char root[64], path[4096];
	const char *found = NULL;

	if (!*named)
		return NULL;
	root_of(pid, root, sizeof(root));
	if (strchr(named, '/')) {
		bool is_ours = !*root || *named != '/' || !strncmp(named, "/proc/", 6);

		if (snprintf(path, sizeof(path), "%s%s", is_ours ? "" : root, named) >=
		    (int)sizeof(path))
			return NULL;
		if (is_file(path, false))
			return arena_strdup(a, path);
		return is_file(named, false) ? arena_strdup(a, named) : NULL;
	}
	if (!strncmp(named, "lib", 3))
		found = find_library(a, named, root);
	return found ? found : find_program(a, named, root);
}
