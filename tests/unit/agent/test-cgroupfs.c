/* SPDX-License-Identifier: Apache-2.0 */
/* Names of cgroups, on folders of an ordinary file system: finding needs no more. */
#include "agent/cgroupfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* A hierarchy with web/ and web/child/, and a link and a folder beside it. */
struct tree {
	char base[64], mount[80];
};

static void make(const struct tree *t, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", t->base, name);
	CHECK_EQ(mkdir(path, 0755), 0);
}

static struct tree tree_make(void)
{
	struct tree t = {.base = "/tmp/test-cgroupfs.XXXXXX"};
	char from[256];

	CHECK(mkdtemp(t.base));
	snprintf(t.mount, sizeof(t.mount), "%s/cgroup", t.base);
	make(&t, "cgroup");
	make(&t, "cgroup/web");
	make(&t, "cgroup/web/child");
	make(&t, "cgroup2");
	snprintf(from, sizeof(from), "%s/link", t.base);
	CHECK_EQ(symlink("cgroup/web", from), 0);
	return t;
}

static void tree_remove(const struct tree *t)
{
	char path[256];

	CHECK_EQ(cgroupfs_remove(t->mount, t->base), 0);
	snprintf(path, sizeof(path), "%s/cgroup2", t->base);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/link", t->base);
	unlink(path);
	CHECK_EQ(rmdir(t->base), 0);
}

TEST(find)
{
	static const struct {
		const char *name;  /* "BASE" before it stands for the folder of the test */
		const char *found; /* below the mount; NULL: -ENOENT */
	} cases[] = {
		{"web", "/web"},
		{"/web", "/web"},
		{"/web/", "/web"},
		{"web/child", "/web/child"},
		{"//web/./child//", "/web/child"},
		{"web/../web", "/web"},
		{"/", ""},
		{"BASE/cgroup", ""},
		{"BASE/cgroup/", ""},
		{"BASE/cgroup/web", "/web"},
		{"BASE/cgroup/web/", "/web"},
		{"BASE/link", "/web"},
		{"BASE/link/child", "/web/child"},
		{"nothing", NULL},
		{"/..", NULL},
		{"../cgroup2", NULL},
		{"BASE/cgroup2", NULL},
		{"BASE", NULL},
		{"/etc", NULL},
	};
	struct tree t = tree_make();
	char name[256], found[CGROUP_PATH_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool in_base = !strncmp(cases[i].name, "BASE", 4);
		int r;

		snprintf(name, sizeof(name), "%s%s", in_base ? t.base : "",
			 cases[i].name + (in_base ? 4 : 0));
		strcpy(found, "untouched");
		r = cgroupfs_find(t.mount, name, found, sizeof(found));
		if (!cases[i].found) {
			test_result(r == -ENOENT, __FILE__, __LINE__, "%s: %d", name, r);
			continue;
		}
		test_result(r == 0 && !strncmp(found, t.mount, strlen(t.mount)) &&
				    !strcmp(found + strlen(t.mount), cases[i].found),
			    __FILE__, __LINE__, "%s: %d, %s", name, r, found);
	}
	CHECK_EQ(cgroupfs_find(t.mount, "web", found, 8), -ENAMETOOLONG);
	tree_remove(&t);
}

struct seen {
	char paths[256];
	int left;
};

static int see(void *ctx, const char *folder, const char *path)
{
	struct seen *s = ctx;

	CHECK(!strncmp(folder, "/tmp/", 5));
	strcat(s->paths, path);
	strcat(s->paths, " ");
	return --s->left ? 0 : 7;
}

TEST(walk)
{
	struct tree t = tree_make();
	struct seen all = {.left = 99}, two = {.left = 2};

	CHECK_EQ(cgroupfs_walk(t.mount, see, &all), 0);
	CHECK_STREQ(all.paths, "/web/child /web / ");
	CHECK_EQ(cgroupfs_walk(t.mount, see, &two), 7);
	CHECK_STREQ(two.paths, "/web/child /web ");
	tree_remove(&t);
}
