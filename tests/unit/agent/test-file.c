/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: what is written is read; what cannot be says why, and leaves nothing. */
#include "agent/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct folder {
	char path[64], file[80];
};

static struct folder folder_make(void)
{
	struct folder f = {.path = "/tmp/test-file.XXXXXX"};

	CHECK(mkdtemp(f.path));
	snprintf(f.file, sizeof(f.file), "%s/file", f.path);
	return f;
}

static void folder_remove(const struct folder *f)
{
	unlink(f->file);
	CHECK_EQ(rmdir(f->path), 0); /* nothing else is left */
}

static unsigned int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_mode & 0777;
}

TEST(written_and_read)
{
	_cleanup_buf_ struct buf large = {0}, back = {0};
	struct folder f = folder_make();

	for (unsigned int i = 0; i < 50000; i++)
		buf_printf(&large, "%u\n", i);
	CHECK_EQ(file_write(f.file, buf_str(&large)), 0);
	CHECK_EQ(mode_of(f.file), 0600);
	CHECK_EQ(file_read_all(f.file, large.n, &back), 0);
	CHECK(str_eq(buf_str(&back), buf_str(&large)));
	buf_reset(&back);
	CHECK_EQ(file_read_all(f.file, large.n - 1, &back), -EFBIG);
	CHECK_EQ(file_write(f.file, STR("short")), 0);
	buf_reset(&back);
	CHECK_EQ(file_read_all(f.file, 100, &back), 0);
	CHECK(str_eq(buf_str(&back), STR("short")));
	folder_remove(&f);
}

TEST(replaced)
{
	_cleanup_buf_ struct buf back = {0};
	struct folder f = folder_make();

	CHECK_EQ(file_write(f.file, STR("old")), 0);
	CHECK_EQ(file_replace(f.file, STR("new")), 0);
	CHECK_EQ(mode_of(f.file), 0644);
	CHECK_EQ(file_read_all(f.file, 100, &back), 0);
	CHECK(str_eq(buf_str(&back), STR("new")));
	folder_remove(&f);
}

TEST(cannot)
{
	_cleanup_buf_ struct buf back = {0};
	struct folder f = folder_make();
	char below[100];

	snprintf(below, sizeof(below), "%s/no/file", f.path);
	CHECK_EQ(file_read_all(f.file, 100, &back), -ENOENT);
	CHECK_EQ(file_read_all(f.path, 100, &back), -EISDIR);
	CHECK_EQ(file_write(below, STR("x")), -ENOENT);
	CHECK_EQ(file_replace(below, STR("x")), -ENOENT);
	CHECK_EQ(file_replace(f.path, STR("x")), -EISDIR);
	rmdir(f.path);
}
