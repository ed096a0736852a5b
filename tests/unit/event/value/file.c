/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, and what is known of an inode. */
#include "event/value/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

CASES(files)
{
	/* the kernel's name is taken; without one, what the name says */
	look_make(EV_OPEN);
	NONE("file");
	NONE("path");
	ADD(wire_file, path, "sub/../x");
	ADD(wire_file, dir, "/home/anna");
	IS("file", "/home/anna/x", "\"/home/anna/x\"");
	look_make(EV_OPEN);
	ADD(wire_file, file, "/srv/data");
	ADD(wire_file, path, "/mnt/data");
	ADD(wire_file, dir, "/home/anna");
	IS("file", "/srv/data", "\"/srv/data\"");
	IS("path", "/mnt/data", "\"/mnt/data\"");

	look_make(EV_RENAME);
	NONE("file2");
	ADD(wire_file, path2, "new");
	ADD(wire_file, dir2, "/tmp");
	IS("file2", "/tmp/new", "\"/tmp/new\"");
	look_make(EV_LINK);
	ADD(wire_file, path2, "/a/./b");
	IS("file2", "/a/b", "\"/a/b\"");
	ADD(wire_file, dir2, "/jail"); /* beside an absolute path: the root after chroot */
	IS("file2", "/jail/a/b", "\"/jail/a/b\"");
	ADD(wire_file, file2, "/real/b");
	IS("file2", "/real/b", "\"/real/b\"");
}

/*
 * The path as given: in JSON always; in a line only where it says something that the
 * resolved one does not.
 */
CASES(given)
{
	static const struct {
		const char *file, *path;
		bool is_told;
	} cases[] = {
		{"/etc/passwd", "/etc/passwd", false},
		{"/etc/passwd", "passwd", false},
		{"/etc/passwd", "etc/passwd", false},
		{"/etc/passwd", "./passwd", false},
		{"/etc/passwd", "//etc//passwd", false},
		{"/etc/passwd", "/etc/../etc/passwd", false},
		{"/", "/", false},
		{"/etc/passwd", "wd", true}, /* a piece of a name is another name */
		{"/etc/passwd", "/passwd.link", true},
		{"/usr/bin/dash", "/bin/sh", true},
		{"/usr/bin/ls", "/bin/ls", false}, /* the folder is a link: the end is the same */
		{"/home/anna", ".", true},
		{"/home", "..", true},
		{"memfd:x (deleted)", "memfd:x (deleted)", false},
		{"pipe:[77]", "/proc/self/fd/1", true},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct wire_proc *p;
		char json[64];

		look_make(EV_OPEN);
		look_add(offsetof(struct wire_file, file), str_of(cases[i].file));
		look_add(offsetof(struct wire_file, path), str_of(cases[i].path));
		snprintf(json, sizeof(json), "\"%s\"", cases[i].path);
		IS("path", cases[i].is_told ? cases[i].path : NULL, json);
		p = look_make(EV_EXEC);
		look_add(offsetof(struct wire_proc, exe), str_of(cases[i].file));
		look_add(offsetof(struct wire_proc, path), str_of(cases[i].path));
		IS("path", NULL, json); /* a program that started has its arguments */
		p->head.ret = -EACCES;
		IS("path", cases[i].is_told ? cases[i].path : NULL, json);
	}
	/* nothing was resolved but by name: there the name is */
	look_make(EV_UNLINK);
	ADD(wire_file, path, "gone");
	ADD(wire_file, dir, "/tmp");
	IS("path", NULL, "\"gone\"");
}

CASES(inodes)
{
	struct wire_file *f = look_make(EV_MOUNT);

	NONE("inode");
	f->inode = 1ull << 40;
	SAME("inode", "1099511627776");
	NONE("dev");
	f->dev = 259 << 20 | 65537;
	IS("dev", "259:65537", "\"259:65537\"");

	f = look_make(EV_CHMOD);
	IS("mode", "0000", "\"0000\"");
	f->mode = 04755;
	IS("mode", "4755", "\"4755\"");
	f->mode = 0100644;
	IS("mode", "100644", "\"100644\"");

	f = look_make(EV_OPEN);
	NONE("file_bits");
	f->bits = WIRE_FILE_MEMFD | WIRE_FILE_DELETED | WIRE_FILE_UPPER | WIRE_FILE_TMPFS |
		  WIRE_FILE_CREATED | WIRE_FILE_SETID | 1u << 20;
	IS("file_bits", "memfd|deleted|upper",
	   "[\"memfd\",\"deleted\",\"upper\",\"tmpfs\",\"created\",\"setid\"]");
	f->bits = WIRE_FILE_TMPFS; /* too common to tell people */
	IS("file_bits", NULL, "[\"tmpfs\"]");
}

CASES(open_flags)
{
	static const struct {
		uint32_t flags;
		const char *text, *json;
	} opens[] = {
		{0, NULL, "[\"O_RDONLY\"]"}, /* people see what is out of the ordinary */
		{O_WRONLY | O_CREAT | O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC",
		 "[\"O_WRONLY\",\"O_CREAT\",\"O_TRUNC\"]"},
		{O_RDWR | O_CLOEXEC, "O_RDWR", "[\"O_RDWR\",\"O_CLOEXEC\"]"},
		{O_ACCMODE, "O_ACCMODE", "[\"O_ACCMODE\"]"},
		/* flags that hold others */
		{O_SYNC, "O_SYNC", "[\"O_RDONLY\",\"O_SYNC\"]"},
		{O_TMPFILE | O_RDWR, "O_RDWR|O_TMPFILE", "[\"O_RDWR\",\"O_TMPFILE\"]"},
		{O_DIRECTORY, "O_DIRECTORY", "[\"O_RDONLY\",\"O_DIRECTORY\"]"},
		{1u << 31, NULL, "[\"O_RDONLY\"]"},
	};
	struct wire_file *f = look_make(EV_OPEN);

	for (size_t i = 0; i < ELEMENTS(opens); i++) {
		f->flags = opens[i].flags;
		IS("flags", opens[i].text, opens[i].json);
	}
}

void cases_file(void)
{
	files();
	given();
	inodes();
	open_flags();
}
