/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of files: calls that the shell's tools do not make, and detours to a file. */
#include "scene.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static int put(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));

	must(write(fd, text, strlen(text)));
	return fd;
}

/* What the case compares inode and dev with. */
static void tell_inode(int fd)
{
	struct stat st;

	must(fstat(fd, &st));
	tell("ino=%lu\ndev=%u:%u\n", st.st_ino, major(st.st_dev), minor(st.st_dev));
}

SCENE(openings)
{
	put("new", "text");
	must_fail(open("new", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	must_fail(open("absent", O_RDONLY), ENOENT);
	must(open("new", O_RDONLY | O_CLOEXEC));
	must(open("new", O_RDWR | O_CREAT | O_APPEND, 0644)); /* is there already: no create */
	must(open("new", O_RDONLY | O_TRUNC));
	must(open("new", O_WRONLY));
	return 0;
}

SCENE(openat)
{
	int dir = must(open("sub", O_RDONLY | O_DIRECTORY));

	tell_inode(must(openat(dir, "file", O_RDONLY)));
	must_fail(openat(dir, "absent", O_RDONLY), ENOENT);
	return 0;
}

SCENE(openat2)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS};

	tell_inode(must(syscall(SYS_openat2, AT_FDCWD, arg[0], &how, sizeof(how))));
	how.flags = O_WRONLY | O_CREAT;
	how.mode = 0640;
	must(syscall(SYS_openat2, AT_FDCWD, "made", &how, sizeof(how)));
	return 0;
}

/* handle PATH: by name_to_handle_at, so that the open itself has no name. */
SCENE(handle)
{
	struct {
		struct file_handle h;
		char room[MAX_HANDLE_SZ];
	} h = {.h = {.handle_bytes = MAX_HANDLE_SZ}};
	int at, mount = must(open(".", O_RDONLY | O_DIRECTORY));

	must(name_to_handle_at(AT_FDCWD, arg[0], &h.h, &at, 0));
	tell_inode(must(open_by_handle_at(mount, &h.h, O_RDONLY)));
	return 0;
}

/* A file that is only pointed to (O_PATH), then opened through /proc. */
SCENE(reopen)
{
	int fd = must(open(arg[0], O_PATH));
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tell_inode(must(open(path, O_RDONLY)));
	return 0;
}

/* Made without a name, named later. */
SCENE(tmpfile)
{
	int fd = must(open(".", O_TMPFILE | O_WRONLY, 0600));
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	return 0;
}

SCENE(names)
{
	int dir = must(open(".", O_RDONLY | O_DIRECTORY));

	put("a", "a");
	put("b", "b");
	must(syscall(SYS_renameat2, dir, "a", dir, "b", RENAME_EXCHANGE));
	must(linkat(dir, "a", dir, "e", 0));
	must(symlinkat("../a", dir, "g"));
	must(unlinkat(dir, "e", 0));
	must(mkdirat(dir, "i", 0700));
	must(unlinkat(dir, "i", AT_REMOVEDIR));
	return 0;
}

SCENE(failing_names)
{
	must_fail(unlink("absent"), ENOENT);
	must_fail(rename("absent", "other"), ENOENT);
	must_fail(link("absent", "other"), ENOENT);
	must_fail(symlink("x", "."), EEXIST);
	must_fail(mkdir(".", 0700), EEXIST);
	must_fail(rmdir("absent"), ENOENT);
	must_fail(chmod("absent", 0600), ENOENT);
	must_fail(chown("absent", 1, 1), ENOENT);
	must_fail(mount("none", "absent", "tmpfs", 0, NULL), ENOENT);
	must_fail(umount("absent"), ENOENT);
	must_fail(chroot("absent"), ENOENT);
	must_fail(truncate("absent", 0), ENOENT);
	return 0;
}

SCENE(attributes)
{
	int fd = put("a", "text");

	must(fchmod(fd, 0600));
	must(fchmodat(AT_FDCWD, "a", 0640, 0));
	must(fchown(fd, -1, 4));
	must(fchownat(AT_FDCWD, "a", 5, 6, AT_SYMLINK_NOFOLLOW));
	must(truncate("a", 2));
	tell_inode(fd);
	return 0;
}

/* mount and umount by hand; run it in a mount namespace of its own. */
SCENE(mounts)
{
	int fs, mnt;

	must(mount("something", "sub", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"));
	put("sub/inside", "x");
	must(umount2("sub", MNT_DETACH));
	must(mount("other", "sub", NULL, MS_BIND, NULL));
	must(umount2("sub", 0));
	fs = must(syscall(SYS_fsopen, "tmpfs", 0));
	must(syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0));
	mnt = must(syscall(SYS_fsmount, fs, 0, 0));
	must(syscall(SYS_move_mount, mnt, "", AT_FDCWD, "sub", 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
	return 0;
}

SCENE(pivot)
{
	must(mount("new", "new", "tmpfs", 0, NULL));
	must(mkdir("new/old", 0700));
	must(syscall(SYS_pivot_root, "new", "new/old"));
	return 0;
}

/* chrooted JAIL PATH */
SCENE(chrooted)
{
	must(chroot(arg[0]));
	must(chdir("/"));
	tell_inode(must(open(arg[1], O_RDONLY)));
	return 0;
}

/* In a jail: names that the kernel leaves no file behind for, and one that is not there. */
SCENE(chrooted_names)
{
	must(chroot(arg[0]));
	must(chdir("/"));
	must(unlink("/victim"));
	must(mkdir("made", 0700));
	must_fail(open("/absent", O_RDONLY), ENOENT);
	return 0;
}

/* deep N LENGTH: so many folders below each other with names so long, entered one by one. */
SCENE(deep)
{
	char name[256] = "";

	memset(name, 'd', atoi(arg[1]));
	for (int i = 0; i < atoi(arg[0]); i++) {
		must(mkdir(name, 0700));
		must(chdir(name));
	}
	put("bottom", "x");
	return 0;
}

/* Names that want to write to the terminal, break JSON, or are no text. */
SCENE(odd_names)
{
	put("new\nline\t\033[31mred\033[0m", "x");
	put("quote\"and\\slash", "x");
	put("not\xff\xfeutf8", "x");
	put("snow\xe2\x98\x83man", "x");
	put("right\xe2\x80\xaeto-left", "x");
	return 0;
}

static volatile char flipping[2]; /* written by one thread, read by the kernel */
static volatile int stop;

static void *flip(void *letters)
{
	while (!stop) {
		flipping[0] = ((char *)letters)[0];
		flipping[0] = ((char *)letters)[1];
	}
	return NULL;
}

/* flip N: a second thread changes the path while open() runs; fstat tells the truth. */
SCENE(flip)
{
	int n = atoi(arg[0]), counts[2] = {0};
	struct stat a, st;
	pthread_t thread;

	must(fstat(put("a", ""), &a));
	put("b", "");
	flipping[0] = 'a';
	pthread_create(&thread, NULL, flip, "ab");
	for (int i = 0; i < n; i++) {
		int fd = must(open((char *)flipping, O_RDONLY));

		must(fstat(fd, &st));
		counts[st.st_ino != a.st_ino]++;
		close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
	tell("a=%d\nb=%d\n", counts[0], counts[1]);
	return 0;
}

/* Where no descriptor comes back: a second thread changes the path of unlink(). */
SCENE(flip_unlink)
{
	int n = atoi(arg[0]), counts[2] = {0};
	pthread_t thread;

	put("a", "");
	put("b", "");
	flipping[0] = 'a';
	pthread_create(&thread, NULL, flip, "ab");
	for (int i = 0; i < n; i++) {
		int is_b;

		must(unlink((char *)flipping));
		is_b = !access("a", F_OK);
		counts[is_b]++;
		must(mknod(is_b ? "b" : "a", S_IFREG | 0600, 0));
	}
	stop = 1;
	pthread_join(thread, NULL);
	tell("a=%d\nb=%d\n", counts[0], counts[1]);
	return 0;
}

static int openings;

static void *open_some(void *name)
{
	for (int i = 0; i < openings; i++)
		close(must(open(name, O_RDONLY)));
	return NULL;
}

/* threads N M: N threads open their own file M times. */
SCENE(threads)
{
	int n = atoi(arg[0]);
	pthread_t threads[64];
	char names[64][16];

	openings = atoi(arg[1]);
	for (int i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		put(names[i], "");
		pthread_create(&threads[i], NULL, open_some, names[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* One number, two files one after the other. */
SCENE(dup_over)
{
	int a, b;

	put("a", "");
	put("b", "");
	a = must(open("a", O_RDONLY));
	b = must(open("b", O_RDONLY));
	must(dup2(b, a));
	must(fchmod(a, 0640)); /* b by the number of a */
	must(close(a));
	return 0;
}
