/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.*: the process, its parent, its ancestors.
 *
 * What an exec fixes comes from the table of processes: the name is the comm that the exec
 * left (prctl() can't change it), the arguments are as they were given (for outputs: with
 * secrets masked).  An exec's own event is judged by the new program.  Ancestors are those
 * that the kernel walked to when it happened (annex), and where they end, or there is no
 * annex, those that the table knows.
 *
 * A process of which nothing is known has only what stands in the record's head.
 */
#include "event/rule/field.h"

#include "base/macro.h"
#include "event/redact.h"

enum { ANCESTORS_FAR = 64 }; /* how far back "any ancestor" looks */

static const struct process *find(const struct rule_event *e, uint32_t pid, uint64_t start_ns)
{
	return e->event->stream && pid
		       ? process_find(stream_processes(e->event->stream), pid, start_ns)
		       : NULL;
}

/* A process's parent as the table has it. */
static const struct process *parent_of(const struct rule_event *e, const struct process *p)
{
	return find(e, p->ppid, p->parent_start_ns);
}

const struct process *ancestor(const struct rule_event *e, size_t i)
{
	const struct wire_annex *a = e->annex;
	const struct process *p = e->event->process;
	size_t known = a && a->flags & WIRE_A_ANCESTORS ? MIN(a->n_ancestors, ANCESTORS_MAX) : 0;

	if (!i)
		return p;
	if (a && a->flags & WIRE_A_ANCESTORS && known < ANCESTORS_MAX && i > known)
		return NULL; /* the kernel saw the end of the line */
	if (i <= known)
		return find(e, a->ancestors[i - 1].pid, a->ancestors[i - 1].start_ns);
	if (known) {
		p = find(e, a->ancestors[known - 1].pid, a->ancestors[known - 1].start_ns);
		i -= known;
	}
	for (; p && i; i--)
		p = parent_of(e, p);
	return p;
}

/* --- texts of one process; false: not known */

typedef bool text_fn(const struct rule_event *e, const struct process *p, struct str *ret);

static bool name_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	if (p->exec_comm[0] || p->has_exec)
		*ret = str_of(p->exec_comm);
	else if (p == e->event->process)
		*ret = (struct str){e->event->head->comm, strnlen(e->event->head->comm, WIRE_COMM)};
	else
		*ret = str_of(p->comm);
	return ret->n > 0;
}

/* All arguments, NUL between and perhaps behind them. */
static struct str arguments(const struct rule_event *e, const struct process *p)
{
	const char *args = p->raw_args && !e->is_output ? p->raw_args : p->args;

	return (struct str){args, args ? p->args_n : 0};
}

static bool exe_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	struct str all = arguments(e, p);

	if (!p->has_exec)
		return false;
	*ret = (struct str){all.p ? all.p : "", all.n ? strnlen(all.p, all.n) : 0};
	return true;
}

static bool exepath_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	if (!p->has_exec || !p->exe)
		return false;
	*ret = str_of(p->exe);
	return true;
}

/* What stands behind argument 0, blanks between. */
static bool add_args(const struct rule_event *e, const struct process *p, struct buf *to)
{
	struct str all = arguments(e, p);
	size_t first = all.n ? strnlen(all.p, all.n) + 1 : 0;

	if (all.n && !all.p[all.n - 1])
		all.n--; /* the NUL behind the last */
	if (!p->has_exec || first > all.n)
		return false;
	for (size_t i = first; i < all.n; i++)
		buf_putc(to, all.p[i] ? all.p[i] : ' ');
	return true;
}

static bool args_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	struct buf b = {0};

	if (!p->has_exec)
		return false;
	add_args(e, p, &b);
	*ret = field_keep(e, &b);
	return true;
}

static bool with_args(const struct rule_event *e, const struct process *p, struct str first,
		      struct str *ret)
{
	struct buf b = {0}, args = {0};

	buf_put_str(&b, first);
	if (add_args(e, p, &args)) {
		buf_putc(&b, ' ');
		buf_put_str(&b, buf_str(&args));
	}
	buf_done(&args);
	*ret = field_keep(e, &b);
	return true;
}

static bool cmdline_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	struct str name;

	return p->has_exec && name_of(e, p, &name) && with_args(e, p, name, ret);
}

static bool exeline_of(const struct rule_event *e, const struct process *p, struct str *ret)
{
	struct str exe;

	return exe_of(e, p, &exe) && with_args(e, p, exe, ret);
}

/* --- the process, its parent, one or any of its ancestors */

static bool of(const struct rule_event *e, size_t i, text_fn *text, struct rule_value *v)
{
	const struct process *p = ancestor(e, i);

	return p && text(e, p, &v->text);
}

/* Any of them: a list, the parent first. */
static bool of_any(const struct rule_event *e, text_fn *text, struct rule_value *v)
{
	struct str *list = arena_array(e->arena, struct str, ANCESTORS_FAR);
	const struct process *p;

	for (size_t i = 1; i < ANCESTORS_FAR && (p = ancestor(e, i)); i++)
		if (text(e, p, &list[v->n]))
			v->n++;
	v->list = list;
	return v->n > 0;
}

static bool of_index(const struct rule_event *e, const struct rule_field_ref *f, text_fn *text,
		     struct rule_value *v)
{
	return f->index < 0 ? of_any(e, text, v) : of(e, f->index, text, v);
}

FIELD(proc_name)
{
	return of(e, 0, name_of, v);
}
FIELD(proc_pname)
{
	return of(e, 1, name_of, v);
}
FIELD(proc_aname)
{
	return of_index(e, f, name_of, v);
}
FIELD(proc_exe)
{
	return of(e, 0, exe_of, v);
}
FIELD(proc_pexe)
{
	return of(e, 1, exe_of, v);
}
FIELD(proc_aexe)
{
	return of_index(e, f, exe_of, v);
}
FIELD(proc_exepath)
{
	return of(e, 0, exepath_of, v);
}
FIELD(proc_pexepath)
{
	return of(e, 1, exepath_of, v);
}
FIELD(proc_aexepath)
{
	return of_index(e, f, exepath_of, v);
}
FIELD(proc_args)
{
	return of(e, 0, args_of, v);
}
FIELD(proc_aargs)
{
	return of_index(e, f, args_of, v);
}
FIELD(proc_cmdline)
{
	return of(e, 0, cmdline_of, v);
}
FIELD(proc_pcmdline)
{
	return of(e, 1, cmdline_of, v);
}
FIELD(proc_acmdline)
{
	return of_index(e, f, cmdline_of, v);
}
FIELD(proc_exeline)
{
	return of(e, 0, exeline_of, v);
}

/* Arguments behind the first: how many, and how many bytes without their NULs. */
static bool count_args(const struct rule_event *e, size_t *ret_n, size_t *ret_bytes)
{
	const struct process *p = e->event->process;
	struct str all = arguments(e, p);
	size_t n = 0, bytes = 0, i = all.n ? strnlen(all.p, all.n) + 1 : 0;

	while (i < all.n) {
		size_t one = strnlen(all.p + i, all.n - i);

		n++;
		bytes += one;
		i += one + 1;
	}
	*ret_n = n;
	*ret_bytes = bytes;
	return p->has_exec;
}

FIELD(proc_cmdnargs)
{
	size_t n, bytes;

	return count_args(e, &n, &bytes) && set_number(v, n);
}
FIELD(proc_cmdlenargs)
{
	size_t n, bytes;

	return count_args(e, &n, &bytes) && set_number(v, bytes);
}
FIELD(proc_args_truncated)
{
	const struct process *p = e->event->process;

	return p->has_exec && set_number(v, p->program.args_total > p->args_n);
}

/* All variables with blanks between, or the value of one; one that is not there is empty. */
FIELD(proc_env)
{
	const struct process *p = e->event->process;
	struct buf b = {0};
	struct str all = {p->env, p->env_n};
	size_t n;

	if (!p->env)
		return false;
	if (e->is_output) {
		all.p = arena_copy(e->arena, p->env, p->env_n);
		redact_args((char *)all.p, all.n);
	}
	for (size_t i = 0; i < all.n; i += n + 1) {
		struct str var = {all.p + i, n = strnlen(all.p + i, all.n - i)};

		if (!f->arg.n) {
			if (i)
				buf_putc(&b, ' ');
			buf_put_str(&b, var);
		} else if (str_starts(var, f->arg) && n > f->arg.n && var.p[f->arg.n] == '=') {
			buf_done(&b);
			return set_text(v, (struct str){var.p + f->arg.n + 1, n - f->arg.n - 1});
		}
	}
	return set_text(v, field_keep(e, &b));
}
FIELD(proc_cwd)
{
	const struct process *p = e->event->process;
	struct buf b = {0};

	if (!p->has_exec || !p->cwd || !p->cwd[0])
		return false;
	buf_puts(&b, p->cwd);
	if (b.p[b.n - 1] != '/')
		buf_putc(&b, '/');
	return set_text(v, field_keep(e, &b));
}

/* --- its program's file */

FIELD(proc_is_exe_upper_layer)
{
	const struct process *p = e->event->process;

	return p->has_exec && set_number(v, !!(p->program.exe_bits & WIRE_FILE_UPPER));
}
FIELD(proc_is_exe_from_memfd)
{
	const struct process *p = e->event->process;

	return p->has_exec && set_number(v, !!(p->program.exe_bits & WIRE_FILE_MEMFD));
}
FIELD(proc_exe_ino)
{
	const struct process *p = e->event->process;

	return p->has_exec && p->program.inode && set_number(v, p->program.inode);
}

/* Probes of container runtimes are not told apart from other commands. */
FIELD(proc_is_container_healthcheck)
{
	return set_number(v, false);
}
FIELD(proc_is_container_liveness_probe)
{
	return set_number(v, false);
}
FIELD(proc_is_container_readiness_probe)
{
	return set_number(v, false);
}
