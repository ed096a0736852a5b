/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of files: paths, and what is known of an inode.
 *
 * A file has two names.  The resolved one is where the kernel ended up; a call that leaves no
 * file behind (unlink) has none, and then it is what the given name says when it is joined with
 * the folder that it starts from.  The given one is what the program wrote down: JSON always has
 * it, a line only where it tells something that the resolved one does not.
 */
#include "event/decode.h"
#include "event/resolve.h"
#include "event/value-internal.h"

#include <fcntl.h>

/* --- paths */

/* A folder beside an absolute path is the root that the process sees: chroot. */
static void join(struct buf *out, struct str dir, struct str path)
{
	while (dir.n && path.n && path.p[0] == '/') {
		path.p++;
		path.n--;
	}
	path_join(out, dir, path);
}

/* A file's path: the kernel's, else what the name says. */
static void resolved(struct buf *out, const struct wire_file *f)
{
	struct str file = record_str(f, f->file), path = record_str(f, f->path);

	if (file.n)
		buf_put_str(out, file);
	else if (path.n)
		join(out, record_str(f, f->dir), path);
}

VALUE(RESOLVED)
{
	_cleanup_buf_ struct buf path = {0};

	resolved(&path, record_of(v));
	return put_str(v, buf_str(&path));
}

VALUE(SECOND)
{
	_cleanup_buf_ struct buf path = {0};
	const struct wire_file *f = record_of(v);
	struct str second = record_str(f, f->path2);

	if (f->file2.len)
		return put_str(v, record_str(f, f->file2));
	if (!second.n)
		return false;
	join(&path, record_str(f, f->dir2), second);
	return put_str(v, buf_str(&path));
}

/*
 * The path as given.  People see it only where it says something that the resolved
 * one does not: another last name, a detour, or a place that it does not end with.
 */
static bool put_given(const struct value *v, struct str given, struct str found)
{
	_cleanup_buf_ struct buf plain = {0};

	if (!given.n)
		return false;
	if (v->style == TEXT) {
		path_join(&plain, STR(""), given);
		if (str_ends(found, buf_str(&plain)) || str_eq(found, given))
			return false;
	}
	return put_str(v, given);
}

static bool put_given_program(const struct value *v, const struct wire_proc *p)
{
	/* a program that started is told by its arguments and its file */
	if (v->style == TEXT && p->head.ret >= 0)
		return false;
	return put_given(v, record_str(p, p->path), record_str(p, p->exe));
}

VALUE(GIVEN)
{
	_cleanup_buf_ struct buf found = {0};
	const struct wire_file *f = record_of(v);

	if (v->field->body == BODY_wire_proc)
		return put_given_program(v, record_of(v));
	resolved(&found, f);
	return put_given(v, record_str(f, f->path), buf_str(&found));
}

/* --- the inode */

VALUE(INODE)
{
	return u64_at(v) && put_u64(v, u64_at(v));
}

/* Twenty bits for the minor number, as inside the kernel; user space has another form. */
VALUE(DEV)
{
	uint32_t dev = u32_at(v);

	if (!dev)
		return false;
	buf_printf(v->out, v->style == JSON ? "\"%u:%u\"" : "%u:%u", dev >> 20, dev & 0xfffff);
	return true;
}

VALUE(MODE)
{
	buf_printf(v->out, v->style == JSON ? "\"%04o\"" : "%04o", u32_at(v));
	return true;
}

VALUE(FILE_BITS)
{
	uint32_t bits = u32_at(v);

	if (v->style == TEXT) /* people see what is out of the ordinary */
		bits &= WIRE_FILE_MEMFD | WIRE_FILE_DELETED | WIRE_FILE_UPPER;
	return put_bits(v, names_file_bit, bits);
}

/* --- how it is opened */

/* The access mode is no bit but a number of two bits, and O_RDONLY is 0. */
VALUE(OPEN_FLAGS)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	struct list l = {v, 0};
	uint32_t flags = u32_at(v), rest = flags & ~(uint32_t)O_ACCMODE;

	if (v->style == TEXT) /* people see what is out of the ordinary */
		rest &= ~(uint32_t)(O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (v->style == JSON || (flags & O_ACCMODE))
		list_add(&l, modes[flags & O_ACCMODE]);
	/* O_TMPFILE contains O_DIRECTORY */
	if ((rest & O_TMPFILE) == O_TMPFILE) {
		list_add(&l, "O_TMPFILE");
		rest &= ~(uint32_t)O_TMPFILE;
	}
	list_add_bits(&l, names_open, rest);
	return list_end(&l);
}
