/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that newer machines no longer have: libc does not make them, programs do. */
#include "scene.h"

SCENE(files)
{
	must(syscall(SYS_creat, "a", 0640));
	must(syscall(SYS_open, "a", O_WRONLY));
	must(syscall(SYS_chmod, "a", 04755));
	must(syscall(SYS_chown, "a", 1, 2));
	must(syscall(SYS_lchown, "a", 3, -1));
	must(syscall(SYS_rename, "a", "c"));
	must(syscall(SYS_link, "c", "d"));
	must(syscall(SYS_symlink, "../c", "f"));
	must(syscall(SYS_unlink, "d"));
	must(syscall(SYS_mkdir, "h", 0750));
	must(syscall(SYS_rmdir, "h"));
	return 0;
}
