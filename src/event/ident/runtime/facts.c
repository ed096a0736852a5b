/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may do, and what of the host it sees.
 *
 * Every runtime hands a bundle to runc or crun in the end, so one OCI configuration
 * tells its mounts, its capabilities and which namespaces it does not have of its
 * own.  "Privileged" is no notion of it, only of what stands above: podman and CRI-O
 * write their word into an annotation, docker into a file of its own (docker.c).
 * Elsewhere a container counts as privileged if all devices are open to it, no part
 * of /proc is masked, and it may become CAP_SYS_ADMIN: that is what the option
 * --privileged of all of them comes to.
 *
 * Of the mounts only those are kept that bring a folder or file in from outside;
 * the ones that every runtime adds by itself (/etc/hosts and its kin) are left out.
 */
#include "event/ident/runtime/source.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

/* Decimal digits at *p, exactly n of them; -1: there are not. */
static int digits(const char *p, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

/* ".8" behind the seconds: nanoseconds, and how many bytes it takes. */
static uint64_t fraction(struct str s, size_t *ret_n)
{
	uint64_t ns = 0, unit = 100000000;
	size_t i = 0;

	if (s.n && s.p[0] == '.')
		for (i = 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, unit /= 10)
			ns += unit * (s.p[i] - '0');
	*ret_n = i;
	return ns;
}

/* "Z", "+01:00": seconds ahead of UTC. */
static bool zone(struct str s, int64_t *ret)
{
	int hours, minutes;

	if (str_eq(s, STR("Z"))) {
		*ret = 0;
		return true;
	}
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
		return false;
	hours = digits(s.p + 1, 2);
	minutes = digits(s.p + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*ret = (s.p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

uint64_t parse_time(struct str text)
{
	const size_t fixed = strlen("2026-03-04T05:06:07");
	struct tm tm = {0};
	int64_t seconds, ahead;
	uint64_t ns;
	size_t n;

	if (text.n <= fixed || text.p[4] != '-' || text.p[7] != '-' || text.p[10] != 'T' ||
	    text.p[13] != ':' || text.p[16] != ':')
		return 0;
	tm.tm_year = digits(text.p, 4) - 1900;
	tm.tm_mon = digits(text.p + 5, 2) - 1;
	tm.tm_mday = digits(text.p + 8, 2);
	tm.tm_hour = digits(text.p + 11, 2);
	tm.tm_min = digits(text.p + 14, 2);
	tm.tm_sec = digits(text.p + 17, 2);
	/* Go's "never" is the year 1 */
	if (tm.tm_year < 70 || tm.tm_year > 400 || tm.tm_mon < 0 || tm.tm_mon > 11 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
	    tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return 0;
	text = (struct str){text.p + fixed, text.n - fixed};
	ns = fraction(text, &n);
	if (!zone((struct str){text.p + n, text.n - n}, &ahead))
		return 0;
	seconds = (int64_t)timegm(&tm) - ahead;
	return seconds > 0 ? (uint64_t)seconds * 1000000000u + ns : 0;
}

void info_set_time(struct container_info *info, const char *time)
{
	if (!info->start_ns)
		info->start_ns = parse_time(str_of(time));
}

void info_set_bits(struct container_info *info, uint32_t bits)
{
	if (!(info->bits & WIRE_CONTAINER_KNOWN))
		info->bits |= bits | WIRE_CONTAINER_KNOWN;
}

static void put_text(struct buf *to, const char *text)
{
	buf_puts(to, text ? text : "");
	buf_putc(to, 0);
}

void info_add_mount(struct container_info *info, const struct mount_text *m)
{
	_cleanup_buf_ struct buf row = {0};

	put_text(&row, m->source);
	put_text(&row, m->destination);
	put_text(&row, m->mode);
	put_text(&row, m->is_writable ? "true" : "false");
	put_text(&row, m->propagation);
	if (row.n > CONTAINER_MOUNT_MAX || info->mounts.n + row.n > CONTAINER_MOUNTS_MAX)
		info->bits |= WIRE_CONTAINER_CUT;
	else
		buf_add(&info->mounts, row.p, row.n);
}

/* --- mounts of an OCI configuration */

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One that the runtime adds to every container, from a folder of its own. */
static bool is_runtimes_own(const char *source, const char *destination)
{
	static const char *const own[] = {"/etc/hosts", "/etc/hostname",       "/etc/resolv.conf",
					  "/dev/shm",	"/run/.containerenv",  "/run/secrets",
					  "/etc/mtab",	"/dev/termination-log"};

	for (size_t i = 0; i < ELEMENTS(own); i++)
		if (!strcmp(destination, own[i]))
			return strncmp(source, "/etc/", 5) != 0 &&
			       (!strcmp(last_name(source), last_name(destination)) ||
				!strcmp(last_name(source), "etc-hosts"));
	return false;
}

static bool is_propagation(const char *option)
{
	static const char *const names[] = {"private", "slave", "shared", "unbindable"};
	const char *name = option + (*option == 'r');

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (!strcmp(option, names[i]) || !strcmp(name, names[i]))
			return true;
	return false;
}

static void add_spec_mount(struct container_info *info, json_t *mount)
{
	struct mount_text m = {.is_writable = true};
	const char *type = json_text(mount, "type");
	bool is_bind = type && !strcmp(type, "bind");
	json_t *option;
	size_t i;

	m.source = json_text(mount, "source");
	m.destination = json_text(mount, "destination");
	json_array_foreach(json_object_get(mount, "options"), i, option)
	{
		const char *text = json_string_value(option);

		if (!text)
			continue;
		if (!strcmp(text, "bind") || !strcmp(text, "rbind"))
			is_bind = true;
		if (!strcmp(text, "ro") || !strcmp(text, "rw")) {
			m.mode = text;
			m.is_writable = text[1] == 'w';
		}
		if (is_propagation(text))
			m.propagation = text;
	}
	if (is_bind && m.source && m.destination && !is_runtimes_own(m.source, m.destination))
		info_add_mount(info, &m);
}

/* --- privileges of an OCI configuration */

static bool has_namespace(json_t *linux_part, const char *type)
{
	json_t *namespace;
	size_t i;

	json_array_foreach(json_object_get(linux_part, "namespaces"), i, namespace)
	{
		const char *this = json_text(namespace, "type");

		if (this && !strcmp(this, type))
			return true;
	}
	return false;
}

static bool has_capability(json_t *process, const char *wanted)
{
	json_t *name, *sets = json_object_get(process, "capabilities");
	size_t i;

	json_array_foreach(json_object_get(sets, "bounding"), i, name)
	{
		const char *text = json_string_value(name);

		if (text && !strcmp(text, wanted))
			return true;
	}
	return false;
}

/* A rule that opens all devices, and none behind it that closes them again. */
static bool has_all_devices(json_t *linux_part)
{
	json_t *rule, *resources = json_object_get(linux_part, "resources");
	bool has_all = false;
	size_t i;

	json_array_foreach(json_object_get(resources, "devices"), i, rule)
	{
		const char *access = json_text(rule, "access"), *type = json_text(rule, "type");

		if (json_object_get(rule, "major") || (type && strcmp(type, "a")) || !access ||
		    strcmp(access, "rwm"))
			continue;
		has_all = json_is_true(json_object_get(rule, "allow"));
	}
	return has_all;
}

/* "true" or "TRUE" of an annotation; -1: it is not there. */
static int stated(json_t *annotations, const char *key)
{
	const char *value = json_text(annotations, key);

	return value ? !strcmp(value, "true") || !strcmp(value, "TRUE") : -1;
}

static bool is_privileged(json_t *spec, json_t *linux_part)
{
	json_t *annotations = json_object_get(spec, "annotations");
	int says = stated(annotations, "io.podman.annotations.privileged");

	if (says < 0)
		says = stated(annotations, "io.kubernetes.cri-o.PrivilegedRuntime");
	if (says >= 0)
		return says;
	return has_all_devices(linux_part) &&
	       !json_array_size(json_object_get(linux_part, "maskedPaths")) &&
	       has_capability(json_object_get(spec, "process"), "CAP_SYS_ADMIN");
}

void facts_of_spec(struct container_info *info, json_t *spec)
{
	json_t *linux_part = json_object_get(spec, "linux"), *mount;
	json_t *annotations = json_object_get(spec, "annotations");
	uint32_t bits = 0;
	size_t i;

	info_set_time(info, json_text(annotations, "io.kubernetes.cri-o.Created"));
	info_set_image_id(info, json_text(annotations, "io.kubernetes.cri-o.Image"));
	if (!linux_part)
		return;
	if (is_privileged(spec, linux_part))
		bits |= WIRE_CONTAINER_PRIVILEGED;
	if (!has_namespace(linux_part, "pid"))
		bits |= WIRE_CONTAINER_HOST_PID;
	if (!has_namespace(linux_part, "network"))
		bits |= WIRE_CONTAINER_HOST_NET;
	if (!has_namespace(linux_part, "ipc"))
		bits |= WIRE_CONTAINER_HOST_IPC;
	info_set_bits(info, bits);
	if (info->bits & WIRE_CONTAINER_MOUNTS || !json_is_array(json_object_get(spec, "mounts")))
		return;
	info->bits |= WIRE_CONTAINER_MOUNTS;
	json_array_foreach(json_object_get(spec, "mounts"), i, mount) add_spec_mount(info, mount);
}
