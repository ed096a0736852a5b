/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of calls and files, on records made by hand. */
#include "event/rule/build.h"
#include "event/rule/field.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define IS(field, text) CHECK_STREQ(built_get(&b, field), text)
#define FILE_(member)	offsetof(struct wire_file, member)

static struct wire_file *file(struct built *b, unsigned int kind, uint32_t nr, int64_t ret)
{
	struct wire_file *f = built_begin(b, kind);

	f->nr = nr;
	f->head.ret = ret;
	return f;
}

TEST(fields_of_open)
{
	struct built b;
	struct wire_file *f;

	built_init(&b);
	f = file(&b, EV_CREATE, SYS_openat, 7);
	f->flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
	f->mode = 0755;
	f->bits = WIRE_FILE_CREATED | WIRE_FILE_UPPER;
	f->inode = 42;
	f->dev = 8 << 20 | 3;
	built_str(&b, FILE_(path), "sub/new");
	built_str(&b, FILE_(dir), "/tmp/dir");
	built_str(&b, FILE_(file), "/data/sub/new");
	built_feed(&b);
	IS("evt.type", "openat");
	IS("syscall.type", "openat");
	IS("evt.category", "file");
	IS("evt.dir", "<");
	IS("evt.num", "1");
	IS("evt.res", "SUCCESS");
	IS("evt.rawres", "7");
	IS("evt.failed", "false");
	IS("evt.is_open_read", "true");
	IS("evt.is_open_write", "true");
	IS("evt.is_open_exec", "true");
	IS("evt.is_open_create", "true");
	IS("fd.num", "7");
	IS("fd.type", "file");
	IS("fd.typechar", "f");
	IS("fd.name", "/tmp/dir/sub/new");
	IS("fd.nameraw", "sub/new");
	IS("fd.path.real", "/data/sub/new");
	IS("fd.directory", "/tmp/dir/sub");
	IS("fd.filename", "new");
	IS("fd.ino", "42");
	IS("fd.dev.major", "8");
	IS("fd.dev.minor", "3");
	IS("fd.dev", "2051");
	IS("fd.is_upper_layer", "true");
	IS("fd.containername", "host:/tmp/dir/sub/new");
	IS("fd.sip", "-");
	IS("fs.path.name", "/tmp/dir/sub/new");
	IS("fs.path.source", "-");
	IS("evt.abspath", "/tmp/dir/sub/new");
	IS("evt.arg.name", "/tmp/dir/sub/new");
	IS("evt.arg.flags", "O_TRUNC|O_CREAT|O_RDWR|O_CLOEXEC|O_F_CREATED|FD_UPPER_LAYER");
	IS("evt.arg.mode", "755");
	IS("evt.rawarg.mode", "493");
	IS("evt.arg.fd", "<f>/tmp/dir/sub/new");
	IS("evt.rawarg.res", "7");
	IS("evt.arg.target", "-");
	IS("evt.is_io", "false");
	b.re.use_resolved = true;
	IS("fd.name", "/data/sub/new");
	IS("fd.directory", "/data/sub");
	IS("evt.arg.name", "/data/sub/new");
	IS("fd.nameraw", "sub/new");
	built_done(&b);
}

TEST(fields_of_failed_open)
{
	struct built b;
	struct wire_file *f;

	built_init(&b);
	f = file(&b, EV_OPEN, SYS_open, -ENOENT);
	f->flags = O_WRONLY;
	built_str(&b, FILE_(path), "/etc/nothing");
	built_feed(&b);
	IS("evt.type", "open");
	IS("evt.res", "ENOENT");
	IS("evt.arg.res", "ENOENT");
	IS("evt.rawres", "-2");
	IS("evt.failed", "true");
	IS("fd.num", "-1");
	IS("fd.typechar", "f");
	IS("fd.name", "/etc/nothing");
	IS("evt.is_open_read", "false");
	IS("evt.is_open_write", "true");
	IS("evt.is_open_exec", "false");
	IS("evt.is_open_create", "false");
	IS("fd.ino", "0");
	IS("fs.path.name", "-"); /* of what succeeded */
	IS("evt.arg.flags", "O_WRONLY");
	f = file(&b, EV_OPEN, SYS_openat, 3);
	f->flags = O_DIRECTORY;
	built_str(&b, FILE_(path), "/etc/");
	built_feed(&b);
	IS("fd.type", "directory");
	IS("fd.typechar", "d");
	IS("fd.name", "/etc");
	IS("fd.directory", "/etc");
	IS("fd.filename", "-");
	IS("evt.arg.flags", "O_DIRECTORY|O_RDONLY");
	f = file(&b, EV_OPEN, SYS_openat, 3);
	built_str(&b, FILE_(path), "/x");
	built_feed(&b);
	IS("fd.directory", "/");
	built_done(&b);
}

TEST(fields_by_annex)
{
	struct built b;
	struct wire_annex *a;
	uint64_t caps = 1ull << 21 | 1;

	built_init(&b);
	file(&b, EV_OPEN, SYS_openat, 3);
	built_str(&b, FILE_(path), "x");
	a = built_annex(&b);
	a->flags |= WIRE_A_LEXICAL | WIRE_A_ANCESTORS;
	a->cap_effective = caps;
	a->cap_permitted = 0;
	a->loginuid = 1000;
	a->tty = 34816;
	a->vpid = 5;
	a->vtid = 6;
	a->vpgid = 5;
	a->vsid = 1;
	built_annex_str(&b, &a->name, "/by/kernel", 10);
	built_feed(&b);
	IS("fd.name", "/by/kernel");
	IS("thread.cap_effective", "CAP_CHOWN CAP_SYS_ADMIN");
	IS("thread.cap_permitted", "");
	CHECK(built_check(&b, "thread.cap_permitted", "exists", NULL));
	CHECK(built_check(&b, "thread.cap_effective", "contains", "CAP_SYS_ADMIN", NULL));
	IS("user.loginuid", "1000");
	IS("user.loginname", "alice");
	IS("proc.tty", "34816");
	IS("proc.vpid", "5");
	IS("thread.vtid", "6");
	IS("proc.vpgid", "5");
	IS("proc.sid", "1");
	IS("proc.is_vpgid_leader", "true");
	IS("proc.is_sid_leader", "false");
	IS("proc.pname", "-"); /* the kernel says that there is no parent */
	file(&b, EV_OPEN, SYS_openat, 3);
	built_feed(&b);
	IS("thread.cap_effective", "-");
	IS("proc.tty", "-");
	IS("user.loginuid", "-");
	IS("fd.name", "-");
	built_done(&b);
}

TEST(fields_of_two_paths)
{
	struct built b;

	built_init(&b);
	file(&b, EV_RENAME, SYS_renameat2, 0);
	built_str(&b, FILE_(path), "a");
	built_str(&b, FILE_(dir), "/from");
	built_str(&b, FILE_(path2), "b/../c");
	built_str(&b, FILE_(dir2), "/to");
	built_feed(&b);
	IS("evt.type", "renameat2");
	IS("evt.arg.oldpath", "/from/a");
	IS("evt.arg.newpath", "/to/c");
	IS("fs.path.source", "/from/a");
	IS("fs.path.target", "/to/c");
	IS("fs.path.targetraw", "b/../c");
	IS("fs.path.name", "-");

	file(&b, EV_SYMLINK, SYS_symlink, 0);
	built_str(&b, FILE_(path), "link");
	built_str(&b, FILE_(dir), "/tmp");
	built_str(&b, FILE_(path2), "/etc/shadow");
	built_feed(&b);
	IS("evt.arg.target", "/etc/shadow");
	IS("evt.arg.linkpath", "/tmp/link");
	IS("fs.path.source", "/tmp/link");
	IS("fs.path.target", "/etc/shadow");

	file(&b, EV_LINK, SYS_linkat, 0)->flags = AT_SYMLINK_FOLLOW;
	built_str(&b, FILE_(path), "/old");
	built_str(&b, FILE_(path2), "/new");
	built_feed(&b);
	IS("evt.arg.oldpath", "/old");
	IS("evt.arg.newpath", "/new");
	IS("evt.arg.flags", "AT_SYMLINK_FOLLOW");
	IS("fs.path.source", "/new");
	IS("fs.path.target", "/old");

	file(&b, EV_MOUNT, SYS_mount, 0)->flags = 1 | 1 << 12;
	built_str(&b, FILE_(path), "/mnt");
	built_str(&b, FILE_(path2), "/dev/sda1");
	built_str(&b, FILE_(text), "ext4");
	built_feed(&b);
	IS("evt.arg.dev", "/dev/sda1");
	IS("evt.arg.dir", "/mnt");
	IS("evt.arg.type", "ext4");
	IS("evt.arg.flags", "RDONLY|BIND");
	IS("fs.path.source", "/dev/sda1");
	IS("fs.path.target", "/mnt");
	built_done(&b);
}

TEST(fields_of_paths)
{
	struct built b;
	struct wire_file *f;

	built_init(&b);
	f = file(&b, EV_CHMOD, SYS_fchmodat, 0);
	f->mode = 04755;
	built_str(&b, FILE_(path), "/tmp/x");
	built_feed(&b);
	IS("evt.arg.mode", "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID");
	IS("evt.arg.filename", "/tmp/x");
	CHECK(built_check(&b, "evt.arg.mode", "contains", "S_ISUID", NULL));
	IS("fs.path.name", "/tmp/x");
	IS("evt.is_open_write", "false");
	f = file(&b, EV_CHMOD, SYS_chmod, 0);
	f->mode = 0;
	built_str(&b, FILE_(path), "/tmp/x");
	built_feed(&b);
	IS("evt.arg.mode", "0");
	f = file(&b, EV_RMDIR, SYS_unlinkat, 0);
	f->flags = AT_REMOVEDIR;
	built_str(&b, FILE_(path), "/tmp/d");
	built_feed(&b);
	IS("evt.type", "unlinkat");
	IS("evt.arg.name", "/tmp/d");
	IS("evt.arg.path", "/tmp/d"); /* rmdir's word for it */
	IS("evt.arg.flags", "AT_REMOVEDIR");
	f = file(&b, EV_MKDIR, SYS_mkdir, 0);
	f->mode = 0777;
	built_str(&b, FILE_(path), "/tmp/d");
	built_feed(&b);
	IS("evt.arg.mode", "1FF");
	IS("evt.arg.path", "/tmp/d");
	f = file(&b, EV_CHOWN, SYS_chown, -EPERM);
	f->owner = 33;
	f->group = ~0u;
	built_str(&b, FILE_(path), "/tmp/d");
	built_feed(&b);
	IS("evt.arg.uid", "33");
	IS("evt.arg.gid", "-1");
	built_done(&b);
}

TEST(fields_of_calls)
{
	struct built b;
	struct wire_sys *s;

	built_init(&b);
	s = built_begin(&b, EV_PTRACE);
	s->nr = SYS_ptrace;
	s->arg[0] = PTRACE_ATTACH;
	s->arg[1] = 77;
	built_feed(&b);
	IS("evt.type", "ptrace");
	IS("evt.arg.request", "PTRACE_ATTACH");
	IS("evt.rawarg.request", "16");
	IS("evt.arg.pid", "77");
	CHECK(built_check(&b, "evt.arg.pid", "=", "77", NULL));
	s = built_begin(&b, EV_PTRACE);
	s->nr = SYS_process_vm_writev;
	s->arg[0] = 78;
	built_feed(&b);
	IS("evt.type", "process_vm_writev");
	IS("evt.arg.request", "-");
	IS("evt.arg.pid", "78");
	s = built_begin(&b, EV_BPF);
	s->nr = SYS_bpf;
	s->arg[0] = 5;
	s->head.ret = 4;
	built_feed(&b);
	IS("evt.arg.cmd", "BPF_PROG_LOAD");
	IS("fd.num", "4");
	s = built_begin(&b, EV_UNSHARE);
	s->nr = SYS_unshare;
	s->arg[0] = CLONE_NEWNS | CLONE_NEWUSER;
	built_feed(&b);
	IS("evt.arg.flags", "CLONE_NEWNS|CLONE_NEWUSER");
	s = built_begin(&b, EV_SETNS);
	s->nr = SYS_setns;
	s->arg[0] = 9;
	s->arg[1] = CLONE_NEWNET;
	built_str(&b, offsetof(struct wire_sys, file), "net:[4026531840]");
	built_feed(&b);
	IS("evt.arg.nstype", "CLONE_NEWNET");
	IS("fd.name", "net:[4026531840]");
	IS("fd.num", "9");
	s = built_begin(&b, EV_KILL);
	s->nr = SYS_tgkill;
	s->arg[0] = 1;
	s->arg[1] = 2;
	s->arg[2] = 9;
	built_feed(&b);
	IS("evt.arg.sig", "SIGKILL");
	IS("evt.arg.tid", "2");
	IS("evt.category", "signal");
	s = built_begin(&b, EV_FAULTFD);
	s->nr = SYS_userfaultfd;
	s->head.ret = -EPERM;
	built_feed(&b);
	IS("evt.type", "userfaultfd");
	IS("fd.num", "-1");
	IS("evt.res", "EPERM");
	built_done(&b);
}

TEST(fields_of_credentials)
{
	struct built b;
	struct wire_creds *c;

	built_init(&b);
	c = built_begin(&b, EV_SETUID);
	c->nr = SYS_setuid;
	c->arg[0] = 33;
	built_feed(&b);
	IS("evt.arg.uid", "www-data");
	IS("evt.rawarg.uid", "33");
	CHECK(built_check(&b, "evt.arg.uid", "=", "www-data", NULL));
	c = built_begin(&b, EV_SETUID);
	c->nr = SYS_setresuid;
	c->arg[0] = (uint32_t)-1;
	c->arg[1] = 0;
	c->arg[2] = 12345;
	built_feed(&b);
	IS("evt.arg.uid", "-"); /* setuid's alone */
	IS("evt.arg.ruid", "<NONE>");
	IS("evt.arg.euid", "root");
	IS("evt.arg.suid", "<NA>");
	built_done(&b);
}
