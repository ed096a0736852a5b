/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.* and k8s.*: by the cgroup, from what the container's runtime wrote down.
 *
 * Outside of containers id, name and type are "host", and the other fields have no value.  As
 * long as nothing is known of a container but its cgroup, it has an id and a type only.
 */
#include "event/rule/field.h"

#include "base/clock.h"
#include "event/ident/container-text.h"

#include <fnmatch.h>

enum { SHORT_ID = 12 };

static struct str text_of(const struct rule_event *e, struct wire_str s)
{
	return record_str(e->event->container, s);
}

static struct str shortened(struct str id)
{
	if (id.n > SHORT_ID)
		id.n = SHORT_ID;
	return id;
}

/* Missing outside, where it is empty, or not known. */
#define SET_TEXT(member)                                                     \
	(e->event->container && text_of(e, e->event->container->member).n && \
	 set_text(v, text_of(e, e->event->container->member)))

FIELD(container_id)
{
	if (!e->event->container)
		return set_text(v, STR("host"));
	return set_text(v, shortened(text_of(e, e->event->container->id)));
}
FIELD(container_full_id)
{
	return e->event->container ? SET_TEXT(id) : set_text(v, STR("host"));
}
FIELD(container_name)
{
	return e->event->container ? SET_TEXT(name) : set_text(v, STR("host"));
}
FIELD(container_type)
{
	return e->event->container ? SET_TEXT(runtime) : set_text(v, STR("host"));
}

/* --- its image */

static bool image(const struct rule_event *e, struct image_name *ret)
{
	if (!e->event->container || !e->event->container->image.len)
		return false;
	image_name_split(text_of(e, e->event->container->image), ret);
	return true;
}

FIELD(container_image)
{
	return SET_TEXT(image);
}
FIELD(container_image_id)
{
	return SET_TEXT(image_id) && set_text(v, shortened(v->text));
}
FIELD(container_image_repository)
{
	struct image_name name;

	return image(e, &name) && name.repository.n && set_text(v, name.repository);
}
FIELD(container_image_tag)
{
	struct image_name name;

	return image(e, &name) && name.tag.n && set_text(v, name.tag);
}
FIELD(container_image_digest)
{
	return SET_TEXT(digest);
}

/* --- what it may do */

static bool bit(const struct rule_event *e, uint32_t which, struct rule_value *v)
{
	const struct wire_container *c = e->event->container;

	return c && c->bits & WIRE_CONTAINER_KNOWN && set_number(v, !!(c->bits & which));
}

FIELD(container_privileged)
{
	return bit(e, WIRE_CONTAINER_PRIVILEGED, v);
}
FIELD(container_host_pid)
{
	return bit(e, WIRE_CONTAINER_HOST_PID, v);
}
FIELD(container_host_network)
{
	return bit(e, WIRE_CONTAINER_HOST_NET, v);
}
FIELD(container_host_ipc)
{
	return bit(e, WIRE_CONTAINER_HOST_IPC, v);
}
FIELD(container_ip)
{
	return SET_TEXT(ip);
}
FIELD(container_start_ts)
{
	const struct wire_container *c = e->event->container;

	return c && c->start_ns && set_number(v, c->start_ns);
}
FIELD(container_duration)
{
	const struct wire_container *c = e->event->container;

	return c && c->start_ns &&
	       set_number(v, e->event->real_ns > c->start_ns ? e->event->real_ns - c->start_ns : 0);
}

/* --- mounts: by number, or the first whose other end fits a glob */

static bool is_number(struct str s, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || i > 6)
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*ret = n;
	return s.n > 0;
}

static bool fits(const struct rule_event *e, struct str pattern, struct str s)
{
	return !fnmatch(arena_strndup(e->arena, pattern.p, pattern.n),
			arena_strndup(e->arena, s.p, s.n), 0);
}

static bool mount(const struct rule_event *e, struct str which, bool by_destination,
		  struct container_mount *ret)
{
	const struct wire_container *c = e->event->container;
	size_t number = 0, i = 0;
	bool by_number = is_number(which, &number);
	struct str rest;

	if (!c || !(c->bits & WIRE_CONTAINER_MOUNTS))
		return false;
	for (rest = text_of(e, c->mounts); container_mount_next(&rest, ret); i++)
		if (by_number ? i == number
			      : fits(e, which, by_destination ? ret->destination : ret->source))
			return true;
	return false;
}

static void print_mount(const struct container_mount *m, struct buf *to)
{
	buf_put_str(to, m->source);
	buf_putc(to, ':');
	buf_put_str(to, m->destination);
	buf_putc(to, ':');
	buf_put_str(to, m->mode);
	buf_puts(to, m->is_writable ? ":true:" : ":false:");
	buf_put_str(to, m->propagation);
}

FIELD(container_mounts)
{
	const struct wire_container *c = e->event->container;
	struct container_mount m;
	struct buf b = {0};
	struct str rest;

	if (!c || !(c->bits & WIRE_CONTAINER_MOUNTS))
		return false;
	for (rest = text_of(e, c->mounts); container_mount_next(&rest, &m);) {
		if (b.n)
			buf_putc(&b, ' ');
		print_mount(&m, &b);
	}
	return set_text(v, field_keep(e, &b));
}
FIELD(container_mount)
{
	struct container_mount m;
	struct buf b = {0};

	if (!mount(e, f->arg, false, &m))
		return false;
	print_mount(&m, &b);
	return set_text(v, field_keep(e, &b));
}
FIELD(container_mount_source)
{
	struct container_mount m;

	return mount(e, f->arg, true, &m) && set_text(v, m.source);
}
FIELD(container_mount_dest)
{
	struct container_mount m;

	return mount(e, f->arg, false, &m) && set_text(v, m.destination);
}
FIELD(container_mount_mode)
{
	struct container_mount m;

	return mount(e, f->arg, false, &m) && set_text(v, m.mode);
}
FIELD(container_mount_rdwr)
{
	struct container_mount m;

	return mount(e, f->arg, false, &m) &&
	       set_text(v, m.is_writable ? STR("true") : STR("false"));
}
FIELD(container_mount_propagation)
{
	struct container_mount m;

	return mount(e, f->arg, false, &m) && set_text(v, m.propagation);
}

/* --- labels */

static bool label(struct str rest, struct str name, struct rule_value *v)
{
	struct str key, value;

	while (container_text_next(&rest, &key) && container_text_next(&rest, &value))
		if (str_eq(key, name))
			return set_text(v, value);
	return false;
}

/* "key:value,key:value"; missing if there are none. */
static bool labels(const struct rule_event *e, struct str rest, struct rule_value *v)
{
	struct str key, value;
	struct buf b = {0};

	while (container_text_next(&rest, &key) && container_text_next(&rest, &value)) {
		if (b.n)
			buf_putc(&b, ',');
		buf_put_str(&b, key);
		buf_putc(&b, ':');
		buf_put_str(&b, value);
	}
	return b.n && set_text(v, field_keep(e, &b));
}

FIELD(container_label)
{
	return SET_TEXT(labels) && label(v->text, f->arg, v);
}
FIELD(container_labels)
{
	return SET_TEXT(labels) && labels(e, v->text, v);
}
FIELD(k8s_pod_label)
{
	return SET_TEXT(pod_labels) && label(v->text, f->arg, v);
}
FIELD(k8s_pod_labels)
{
	return SET_TEXT(pod_labels) && labels(e, v->text, v);
}

/* --- its pod */

FIELD(k8s_ns_name)
{
	return SET_TEXT(pod_namespace);
}
FIELD(k8s_pod_name)
{
	return SET_TEXT(pod_name);
}
FIELD(k8s_pod_uid)
{
	return SET_TEXT(pod_uid);
}
FIELD(k8s_pod_id)
{
	return SET_TEXT(pod_uid);
}
FIELD(k8s_pod_full_sandbox_id)
{
	return SET_TEXT(sandbox);
}
FIELD(k8s_pod_sandbox_id)
{
	return SET_TEXT(sandbox) && set_text(v, shortened(v->text));
}
FIELD(k8s_pod_ip)
{
	return SET_TEXT(pod_name) && SET_TEXT(ip);
}

/* "name (id=0123456789ab)" */
FIELD(container_info)
{
	struct rule_value name = {0};
	struct buf b = {0};

	if (!field_container_id(e, f, v))
		return false;
	if (!field_container_name(e, f, &name))
		name.text = STR("<NA>");
	buf_put_str(&b, name.text);
	buf_puts(&b, " (id=");
	buf_put_str(&b, v->text);
	buf_putc(&b, ')');
	return set_text(v, field_keep(e, &b));
}
