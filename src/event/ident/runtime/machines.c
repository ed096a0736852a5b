/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that are machines: LXC and systemd-nspawn.
 *
 * They have no id beside their name, and the cgroup bears it.  So does buildah's,
 * which lives no longer than one step of a build.  On disk:
 *
 *   /var/lib/lxc/<name>/config         every container of LXC
 *   /run/systemd/machines/<name>       every running machine that systemd knows, some
 *                                      of them virtual: CLASS=container or CLASS=vm
 */
#include "event/ident/runtime/source.h"

#include <errno.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char *parse_unit_escapes(struct str name)
{
	char *text = xalloc(name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		bool is_escape = name.p[i] == '\\' && i + 3 < name.n && name.p[i + 1] == 'x';
		int high = is_escape ? hex_digit(name.p[i + 2]) : -1;
		int low = is_escape ? hex_digit(name.p[i + 3]) : -1;

		if (high < 0 || low < 0 || !(high | low)) {
			text[n++] = name.p[i];
			continue;
		}
		text[n++] = high << 4 | low;
		i += 3;
	}
	return text;
}

static int machines_lookup(const struct runtimes *r, struct container_info *info)
{
	(void)r;
	info_set(&info->name, info->id);
	return 0;
}

struct listing {
	const struct runtimes *r;
	enum container_runtime runtime;
	container_fn *each;
	void *arg;
};

static void list_name(struct listing *l, const char *name)
{
	_cleanup_container_ struct container_info info = {.runtime = l->runtime};

	info_set(&info.id, name);
	info_set(&info.name, name);
	l->each(l->arg, &info);
}

static bool on_lxc(void *arg, const char *name)
{
	struct listing *l = arg;
	struct file_stamp stamp;

	if (!file_stamp(l->r, &stamp, "/var/lib/lxc/%s/config", name))
		list_name(l, name);
	return true;
}

/* Beside each machine's file stands a link to it, unit:<its unit>, which isn't read. */
static bool on_machine(void *arg, const char *name)
{
	_cleanup_buf_ struct buf text = {0};
	struct listing *l = arg;

	if (!file_read(l->r, &text, "/run/systemd/machines/%s", name) && text.n &&
	    strstr(text.p, "CLASS=container") && strstr(text.p, "SERVICE=systemd-nspawn"))
		list_name(l, name);
	return true;
}

static void machines_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct listing l = {r, RUNTIME_LXC, each, arg};

	folder_each(r, on_lxc, &l, "/var/lib/lxc");
	l.runtime = RUNTIME_NSPAWN;
	folder_each(r, on_machine, &l, "/run/systemd/machines");
}

const struct source source_machines = {
	.name = "machines",
	.runtimes = RUNTIME_BIT(LXC) | RUNTIME_BIT(NSPAWN) | RUNTIME_BIT(BUILDAH),
	.lookup = machines_lookup,
	.list = machines_list,
};
