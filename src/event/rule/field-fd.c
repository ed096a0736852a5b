/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.* and fs.path.* of files.
 *
 * A file has two names.  As given: the path argument, made absolute with the folder that it
 * started from and normalised as text, which is what Falco has.  As resolved: where the
 * kernel ended up, symbolic links followed.  fd.name is the one or the other as the
 * evaluator asks (e->use_resolved); fd.path.real is always the second.
 *
 * Beyond Falco: calls that work on a path without opening it (unlink, chmod …) have an
 * fd.name, too, so that a rule on fd.name alone is not blind for them.
 */
#include "event/rule/field.h"

#include "event/resolve.h"

#include <fcntl.h>

/* Joined and normalised; empty if there is no path. */
static struct str joined(const struct rule_event *e, struct str dir, struct str path)
{
	struct buf b = {0};

	if (!path.n)
		return (struct str){0};
	if (!dir.n && path.p[0] != '/') /* nobody wrote down where it started from */
		dir = str_of(e->event->process->cwd);
	path_join(&b, dir, path);
	return field_keep(e, &b);
}

static bool has_lexical(const struct rule_event *e)
{
	return e->annex && e->annex->flags & WIRE_A_LEXICAL;
}

/* A record without an annex is of an older recording: the same is worked out here. */
static struct str given_first(const struct rule_event *e, const struct wire_file *f)
{
	struct str s = has_lexical(e) ? record_str(f, e->annex->name) : (struct str){0};

	if (!s.n)
		s = joined(e, record_str(f, f->dir), record_str(f, f->path));
	return s.n ? s : record_str(f, f->file); /* by descriptor: fchmod, open_by_handle_at */
}

static struct str given_second(const struct rule_event *e, const struct wire_file *f)
{
	struct str s = has_lexical(e) ? record_str(f, e->annex->name2) : (struct str){0};

	if (!s.n)
		s = joined(e, record_str(f, f->dir2), record_str(f, f->path2));
	return s.n ? s : record_str(f, f->file2);
}

struct str path_first(const struct rule_event *e)
{
	const struct wire_file *f = file_of(e);
	struct str real = f ? record_str(f, f->file) : (struct str){0};

	if (!f)
		return (struct str){0};
	return e->use_resolved && real.n ? real : given_first(e, f);
}

struct str path_second(const struct rule_event *e)
{
	const struct wire_file *f = file_of(e);
	struct str real = f ? record_str(f, f->file2) : (struct str){0};

	if (!f)
		return (struct str){0};
	return e->use_resolved && real.n ? real : given_second(e, f);
}

/* The file behind a descriptor argument: setns, finit_module. */
static struct str sys_file(const struct rule_event *e)
{
	const struct wire_sys *s = sys_of(e);

	return s ? record_str(s, s->file) : (struct str){0};
}

static bool is_folder(const struct wire_file *f)
{
	return f->head.kind == EV_MKDIR || f->head.kind == EV_RMDIR || f->head.kind == EV_CHROOT ||
	       (is_open_kind(f->head.kind) && f->flags & O_DIRECTORY &&
		!(f->flags & (O_TMPFILE & ~O_DIRECTORY)));
}

/* --- fd.* */

FIELD(fd_num)
{
	const struct wire_sock *s = sock_of(e);

	if (is_open_kind(e->event->kind) || e->event->kind == EV_MEMFD ||
	    e->event->kind == EV_FAULTFD || e->event->kind == EV_BPF)
		return set_number(v, e->event->head->ret < 0 ? -1 : e->event->head->ret);
	if (e->event->kind == EV_SETNS)
		return set_number(v, (int64_t)(int32_t)sys_of(e)->arg[0]);
	return s && set_number(v, (int64_t)(s->fd < 0 ? -1 : s->fd));
}
FIELD(fd_name)
{
	struct str s;

	if (sock_of(e))
		return sock_name(e, v);
	s = file_of(e) ? path_first(e) : sys_file(e);
	return set_known(v, s);
}
FIELD(fd_nameraw)
{
	const struct wire_file *o = file_of(e);
	struct str s;

	if (!o)
		return false;
	s = record_str(o, o->path);
	return set_known(v, s.n ? s : record_str(o, o->file));
}
FIELD(fd_path_real)
{
	const struct wire_file *o = file_of(e);
	struct str s = o ? record_str(o, o->file) : (struct str){0};

	return s.n && set_text(v, s);
}

/* The name up to its last '/'; a folder is its own. */
FIELD(fd_directory)
{
	const struct wire_file *o = file_of(e);
	struct str s = o ? path_first(e) : (struct str){0};
	size_t n = s.n;

	if (!s.p)
		return false;
	if (is_folder(o))
		return set_text(v, s);
	while (n && s.p[n - 1] != '/')
		n--;
	return set_text(v, n <= 1 ? STR("/") : (struct str){s.p, n - 1});
}
FIELD(fd_filename)
{
	const struct wire_file *o = file_of(e);
	struct str s = o ? path_first(e) : (struct str){0};

	return s.p && !is_folder(o) && set_text(v, path_base(s));
}
FIELD(fd_type)
{
	const struct wire_sock *s = sock_of(e);

	if (s && s->head.kind == EV_DUP && !(s->bits & WIRE_SOCK_IS_SOCKET))
		return false;
	if (s && s->family == 2 /* AF_INET */)
		return set_text(v, STR("ipv4"));
	if (s && s->family == 10 /* AF_INET6 */)
		return set_text(v, STR("ipv6"));
	if (s && s->family == 1 /* AF_UNIX */)
		return set_text(v, STR("unix"));
	if (s && s->family == 16 /* AF_NETLINK */)
		return set_text(v, STR("netlink"));
	if (s)
		return set_text(v, STR("<NA>"));
	if (file_of(e))
		return set_text(v, is_folder(file_of(e)) ? STR("directory") : STR("file"));
	if (e->event->kind == EV_MEMFD)
		return set_text(v, STR("memfd"));
	if (e->event->kind == EV_FAULTFD)
		return set_text(v, STR("userfaultfd"));
	if (e->event->kind == EV_BPF)
		return set_text(v, STR("bpf"));
	return e->event->kind == EV_SETNS && set_text(v, STR("file"));
}
FIELD(fd_typechar)
{
	static const struct {
		struct str type, letter;
	} letters[] = {
		{STR("file"), STR("f")},  {STR("directory"), STR("d")},
		{STR("ipv4"), STR("4")},  {STR("ipv6"), STR("6")},
		{STR("unix"), STR("u")},  {STR("netlink"), STR("n")},
		{STR("memfd"), STR("m")}, {STR("userfaultfd"), STR("u")},
		{STR("bpf"), STR("b")},
	};

	if (!field_fd_type(e, f, v))
		return false;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (str_eq(v->text, letters[i].type))
			return set_text(v, letters[i].letter);
	return set_text(v, STR("?"));
}
FIELD(fd_dev)
{
	const struct wire_file *o = file_of(e);

	/* Falco's form: that of stat(), minor in the low byte */
	return o && set_number(v, (o->dev & 0xff) | (o->dev >> 20) << 8 | (o->dev & 0xfff00) << 12);
}
FIELD(fd_dev_major)
{
	const struct wire_file *o = file_of(e);

	return o && set_number(v, o->dev >> 20);
}
FIELD(fd_dev_minor)
{
	const struct wire_file *o = file_of(e);

	return o && set_number(v, o->dev & 0xfffff);
}
FIELD(fd_ino)
{
	const struct wire_file *o = file_of(e);

	return o && set_number(v, o->inode);
}
FIELD(fd_is_upper_layer)
{
	const struct wire_file *o = file_of(e);

	return o && set_number(v, !!(o->bits & WIRE_FILE_UPPER));
}
FIELD(fd_uid)
{
	struct rule_value n;
	struct rule_field_ref num = {.id = RF_fd_num, .index = -1, .type = RT_INT};
	struct buf b = {0};

	if (!rule_field_get(e, &num, &n))
		return false;
	buf_printf(&b, "%u%lld", e->event->head->tid, (long long)n.number);
	return set_text(v, field_keep(e, &b));
}

/* "container.id:fd.name" */
static bool with_container(const struct rule_event *e, struct rule_value *v)
{
	struct rule_field_ref id = {.id = RF_container_id, .index = -1, .type = RT_STRING};
	struct rule_value c;
	struct buf b = {0};

	if (!rule_field_get(e, &id, &c))
		return false;
	buf_put_str(&b, c.text);
	buf_putc(&b, ':');
	buf_put_str(&b, v->text);
	return set_text(v, field_keep(e, &b));
}
FIELD(fd_containername)
{
	return field_fd_name(e, f, v) && with_container(e, v);
}
FIELD(fd_containerdirectory)
{
	return field_fd_directory(e, f, v) && with_container(e, v);
}

FIELD(evt_abspath)
{
	return file_of(e) && set_known(v, path_first(e));
}

static bool has_two(unsigned int kind)
{
	return kind == EV_RENAME || kind == EV_LINK || kind == EV_SYMLINK || kind == EV_MOUNT;
}

FIELD(evt_abspath_src)
{
	return file_of(e) && has_two(e->event->kind) && set_known(v, path_first(e));
}
FIELD(evt_abspath_dst)
{
	return file_of(e) && has_two(e->event->kind) && set_known(v, path_second(e));
}

/* --- fs.path.*: of calls that succeeded; those with two paths have a source and a target */

static bool done_path(const struct rule_event *e, bool two, const struct wire_file **ret)
{
	*ret = file_of(e);
	return *ret && e->event->head->ret >= 0 && has_two(e->event->kind) == two;
}

FIELD(fs_path_name)
{
	const struct wire_file *o;

	return done_path(e, false, &o) && set_known(v, path_first(e));
}
FIELD(fs_path_nameraw)
{
	const struct wire_file *o;

	return done_path(e, false, &o) && field_fd_nameraw(e, f, v);
}

/* A link's source is its new name, as Falco has it; a mount's is what is mounted. */
static bool source_is_second(unsigned int kind)
{
	return kind == EV_LINK || kind == EV_MOUNT;
}

static bool end_of(const struct rule_event *e, bool second, bool raw, struct rule_value *v)
{
	const struct wire_file *o;

	if (!done_path(e, true, &o))
		return false;
	if (raw)
		return set_known(v, record_str(o, second ? o->path2 : o->path));
	return set_known(v, second ? path_second(e) : path_first(e));
}

FIELD(fs_path_source)
{
	return end_of(e, source_is_second(e->event->kind), e->event->kind == EV_MOUNT, v);
}
FIELD(fs_path_sourceraw)
{
	return end_of(e, source_is_second(e->event->kind), true, v);
}
FIELD(fs_path_target)
{
	/* where a symbolic link leads is a text: relative to what, nobody asked yet */
	return end_of(e, !source_is_second(e->event->kind), e->event->kind == EV_SYMLINK, v);
}
FIELD(fs_path_targetraw)
{
	return end_of(e, !source_is_second(e->event->kind), true, v);
}
