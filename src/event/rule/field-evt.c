/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evt.*: what happened, when, and how it ended.
 *
 * Records are made when a call returns, so evt.dir is always '<'.  Opening is told by flags:
 * the access mode, O_CREAT, and whether this call made the file.
 */
#include "event/rule/field.h"

#include "base/clock.h"
#include "event/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- time */

enum time_part { TIME_ONLY, DATE_TOO, DATE_ISO };

static bool set_time(const struct rule_event *e, struct rule_value *v, enum time_part part,
		     bool with_ns)
{
	time_t s = e->event->real_ns / NS_PER_S;
	char text[64] = "";
	struct buf b = {0};
	struct tm tm;

	if (part == DATE_ISO)
		gmtime_r(&s, &tm);
	else
		localtime_r(&s, &tm);
	switch (part) {
	case TIME_ONLY:
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
		break;
	case DATE_TOO:
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		break;
	case DATE_ISO:
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		break;
	}
	buf_puts(&b, text);
	if (with_ns)
		buf_printf(&b, ".%09u", (unsigned int)(e->event->real_ns % NS_PER_S));
	if (part == DATE_ISO)
		buf_puts(&b, "+0000");
	return set_text(v, field_keep(e, &b));
}

FIELD(evt_num)
{
	return set_number(v, e->number);
}
FIELD(evt_time)
{
	return set_time(e, v, TIME_ONLY, true);
}
FIELD(evt_time_s)
{
	return set_time(e, v, TIME_ONLY, false);
}
FIELD(evt_time_iso8601)
{
	return set_time(e, v, DATE_ISO, true);
}
FIELD(evt_datetime)
{
	return set_time(e, v, DATE_TOO, true);
}
FIELD(evt_datetime_s)
{
	return set_time(e, v, DATE_TOO, false);
}
FIELD(evt_rawtime)
{
	return set_number(v, e->event->real_ns);
}
FIELD(evt_rawtime_s)
{
	return set_number(v, e->event->real_ns / NS_PER_S);
}
FIELD(evt_rawtime_ns)
{
	return set_number(v, e->event->real_ns % NS_PER_S);
}
FIELD(evt_reltime)
{
	return set_number(v, e->event->head->time_ns);
}
FIELD(evt_reltime_s)
{
	return set_number(v, e->event->head->time_ns / NS_PER_S);
}
FIELD(evt_reltime_ns)
{
	return set_number(v, e->event->head->time_ns % NS_PER_S);
}
FIELD(evt_outputtime)
{
	return field_evt_time(e, f, v);
}

/* --- what it is */

FIELD(evt_dir)
{
	return set_text(v, STR("<"));
}
FIELD(evt_source)
{
	return set_text(v, STR("syscall"));
}
FIELD(evt_is_async)
{
	return set_number(v, false);
}
FIELD(evt_hostname)
{
	char name[256] = "";
	struct buf b = {0};

	if (gethostname(name, sizeof(name) - 1) < 0)
		return false;
	buf_puts(&b, name);
	return set_text(v, field_keep(e, &b));
}
FIELD(evt_type)
{
	const struct rule_event_info *info = rule_event_of(e->event->head);

	return info && set_text(v, str_of(info->name));
}
FIELD(evt_type_is)
{
	const struct rule_event_info *info = rule_event_find(f->arg);

	return set_number(v, info && rule_event_is(e->event->head, info));
}
FIELD(syscall_type)
{
	return e->event->kind != EV_EXIT && field_evt_type(e, f, v);
}

/* Reading and writing are of the kind that the descriptor is of. */
FIELD(evt_category)
{
	const struct rule_event_info *info = rule_event_of(e->event->head);
	struct str c;

	if (!info)
		return false;
	c = str_of(info->category);
	if (str_starts(c, STR("io-")))
		c = e->event->kind == EV_NETCALL ? STR("net") : STR("file");
	return set_text(v, c);
}

/* --- counters, as Falco's chisels summed them up: 1 or 0 */

static bool failed_in(const struct rule_event *e, const struct rule_field_ref *f, const char *where,
		      struct rule_value *v)
{
	struct rule_value category = {0};
	bool failed = e->event->kind != EV_EXIT && e->event->head->ret < 0;

	return set_number(v, failed && field_evt_category(e, f, &category) &&
				     str_eq(category.text, str_of(where)));
}

FIELD(evt_count_error)
{
	return set_number(v, e->event->kind != EV_EXIT && e->event->head->ret < 0);
}
FIELD(evt_count_error_file)
{
	return failed_in(e, f, "file", v);
}
FIELD(evt_count_error_net)
{
	return failed_in(e, f, "net", v);
}
FIELD(evt_count_error_memory)
{
	return failed_in(e, f, "memory", v);
}
FIELD(evt_count_error_other)
{
	struct rule_value known = {0};
	bool is_known = false;

	if (failed_in(e, f, "file", &known))
		is_known |= known.number;
	if (failed_in(e, f, "net", &known))
		is_known |= known.number;
	if (failed_in(e, f, "memory", &known))
		is_known |= known.number;
	return field_evt_count_error(e, f, v) && set_number(v, v->number && !is_known);
}
FIELD(evt_count_exit)
{
	return set_number(v, 1);
}

FIELD(evt_cpu)
{
	return set_number(v, e->event->head->cpu);
}
FIELD(evt_count)
{
	return set_number(v, 1);
}
FIELD(evt_is_wait)
{
	return set_number(v, false);
}
FIELD(evt_io_uring)
{
	return set_number(v, !!(e->event->head->flags & WIRE_F_URING));
}
FIELD(evt_compat)
{
	return set_number(v, !!(e->event->head->flags & WIRE_F_COMPAT));
}

/* --- input and output */

static bool is_io(const struct rule_event *e, const char *direction)
{
	const struct rule_event_info *info = rule_event_of(e->event->head);

	return info && !strncmp(info->category, "io-", 3) &&
	       (!direction || !strcmp(info->category + 3, direction));
}

FIELD(evt_is_io)
{
	return set_number(v, is_io(e, NULL));
}
FIELD(evt_is_io_read)
{
	return set_number(v, is_io(e, "read"));
}
FIELD(evt_is_io_write)
{
	return set_number(v, is_io(e, "write"));
}
FIELD(evt_io_dir)
{
	if (is_io(e, "read"))
		return set_text(v, STR("read"));
	return is_io(e, "write") && set_text(v, STR("write"));
}
FIELD(evt_buffer)
{
	const struct wire_sock *s = sock_of(e);

	return s && set_known(v, record_str(s, s->data));
}
FIELD(evt_buflen)
{
	return (is_io(e, "read") || is_io(e, "write")) && e->event->head->ret >= 0 &&
	       set_number(v, e->event->head->ret);
}

static bool moved(const struct rule_event *e, const char *direction, bool net_only,
		  struct rule_value *v)
{
	const struct wire_sock *s = sock_of(e);

	if (!s || !is_io(e, direction) || s->head.ret < 0)
		return false;
	if (net_only && s->family != AF_INET && s->family != AF_INET6)
		return false;
	return set_number(v, s->head.ret);
}

FIELD(evt_buflen_in)
{
	return moved(e, "read", false, v);
}
FIELD(evt_buflen_out)
{
	return moved(e, "write", false, v);
}
FIELD(evt_buflen_net)
{
	return moved(e, NULL, true, v);
}
FIELD(evt_buflen_net_in)
{
	return moved(e, "read", true, v);
}
FIELD(evt_buflen_net_out)
{
	return moved(e, "write", true, v);
}

/* --- its end */

static bool has_result(const struct rule_event *e)
{
	return e->event->kind != EV_EXIT && e->event->kind != EV_LOST;
}

FIELD(evt_res)
{
	struct rule_field_ref res = {.id = RF_evt_res, .index = -1, .type = RT_STRING};
	struct buf b = {0};
	size_t n;

	if (!has_result(e))
		return false;
	v->number = e->event->head->ret;
	if (e->event->head->ret >= 0)
		return set_text(v, STR("SUCCESS"));
	rule_names_print(rule_names(&res, &n), e->event->head->ret, &b);
	return set_text(v, field_keep(e, &b));
}
FIELD(evt_rawres)
{
	return has_result(e) && set_number(v, e->event->head->ret);
}
FIELD(evt_failed)
{
	return set_number(v, has_result(e) && e->event->head->ret < 0);
}

/* --- opening; false for all other events */

static bool open_flags(const struct rule_event *e, const struct wire_file **ret)
{
	*ret = is_open_kind(e->event->kind) ? file_of(e) : NULL;
	return *ret != NULL;
}

FIELD(evt_is_open_read)
{
	const struct wire_file *o;

	return set_number(v, open_flags(e, &o) && (o->flags & O_ACCMODE) != O_WRONLY);
}
FIELD(evt_is_open_write)
{
	const struct wire_file *o;
	unsigned int mode;

	if (!open_flags(e, &o))
		return set_number(v, false);
	mode = o->flags & O_ACCMODE;
	return set_number(v, mode == O_WRONLY || mode == O_RDWR);
}
FIELD(evt_is_open_exec)
{
	const struct wire_file *o;
	unsigned int makes = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

	return set_number(v, open_flags(e, &o) && o->flags & makes && o->mode & 0111);
}
FIELD(evt_is_open_create)
{
	const struct wire_file *o;
	unsigned int nameless = O_TMPFILE & ~O_DIRECTORY;

	return set_number(v, open_flags(e, &o) && (o->bits & WIRE_FILE_CREATED ||
						   (o->flags & nameless && o->head.ret >= 0)));
}
