/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubelet's log folders: who a pod is, told by names alone.
 *
 *   /var/log/pods/<namespace>_<pod>_<uid>/
 *   /var/log/containers/<pod>_<namespace>_<container>-<id>.log
 *
 * The last resort when the runtime's own files can't be read.  No part has a `_` in
 * it: they are DNS names.  dockershim and CRI-O name containers in the same way:
 *
 *   k8s_<container>_<pod>_<namespace>_<uid>_<attempt>
 */
#include "event/ident/runtime/source.h"

#include <errno.h>

/* Cut at each `_` into exactly n parts, none of them empty. */
static bool split(struct str text, struct str *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *end = text.n ? memchr(text.p, '_', text.n) : NULL;

		if (!end != (i + 1 == n))
			return false;
		parts[i] = (struct str){text.p, end ? (size_t)(end - text.p) : text.n};
		if (!parts[i].n)
			return false;
		text = (struct str){text.p + parts[i].n + !!end, text.n - parts[i].n - !!end};
	}
	return true;
}

bool parse_pod_log(struct str name, struct container_info *info)
{
	struct str part[3];

	if (!split(name, part, ELEMENTS(part)))
		return false;
	info_set_str(&info->pod_namespace, part[0]);
	info_set_str(&info->pod_name, part[1]);
	info_set_str(&info->pod_uid, part[2]);
	return true;
}

bool parse_container_log(struct str name, struct container_info *info)
{
	const size_t tail = 1 + CONTAINER_ID_HEX; /* "-<id>" */
	struct str part[3], id;

	if (!str_ends(name, STR(".log")))
		return false;
	name.n -= strlen(".log");
	if (!split(name, part, ELEMENTS(part)) || part[2].n <= tail)
		return false;
	part[2].n -= tail;
	id = (struct str){part[2].p + part[2].n + 1, CONTAINER_ID_HEX};
	if (id.p[-1] != '-' || !container_id_is_hex(id))
		return false;
	info_set_str(&info->pod_name, part[0]);
	info_set_str(&info->pod_namespace, part[1]);
	info_set_str(&info->name, part[2]);
	info_set_str(&info->id, id);
	return true;
}

bool parse_kubernetes_name(struct str name, struct container_info *info)
{
	struct str part[6];

	if (!split(name, part, ELEMENTS(part)) || !str_eq(part[0], STR("k8s")))
		return false;
	info_set_str(&info->name, part[1]);
	info_set_str(&info->pod_name, part[2]);
	info_set_str(&info->pod_namespace, part[3]);
	info_set_str(&info->pod_uid, part[4]);
	if (str_eq(part[1], STR("POD")))
		info->is_sandbox = true;
	return true;
}

struct wanted {
	struct container_info *info;
	bool found;
};

static bool on_container_log(void *arg, const char *name)
{
	struct wanted *w = arg;
	struct str log = str_of(name), id = str_of(w->info->id);
	size_t tail = id.n + strlen(".log");

	if (log.n > tail && str_eq((struct str){log.p + log.n - tail, id.n}, id))
		w->found = parse_container_log(log, w->info);
	return !w->found;
}

static bool on_pod_log(void *arg, const char *name)
{
	struct wanted *w = arg;
	struct str log = str_of(name), uid = str_of(w->info->pod_uid);

	if (log.n > uid.n && log.p[log.n - uid.n - 1] == '_' && str_ends(log, uid))
		w->found = parse_pod_log(log, w->info);
	return !w->found;
}

static int kubelet_lookup(const struct runtimes *r, struct container_info *info)
{
	struct wanted w = {info, false};

	if (container_id_is_hex(str_of(info->id)))
		folder_each(r, on_container_log, &w, "/var/log/containers");
	if (!w.found && info->pod_uid)
		folder_each(r, on_pod_log, &w, "/var/log/pods");
	return w.found ? 0 : -ENOENT;
}

const struct source source_kubelet = {
	.name = "kubelet",
	.runtimes = ~0u,
	.lookup = kubelet_lookup,
};
