/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd: one folder a running task, which is an OCI bundle.
 *
 *   <state>/io.containerd.runtime.v2.task/<namespace>/<id>/config.json
 *
 * "Namespace" is containerd's own word for a group of containers that belong to one
 * user of it: k8s.io is Kubernetes, moby is docker, default is ctr and nerdctl.
 * Kubernetes' plugin writes the pod into annotations, nerdctl the name, and ctr
 * writes labels there too.  The labels of a pod stand only in containerd's database.
 */
#include "event/ident/runtime/source.h"

#include <errno.h>

static const char *const tasks[] = {
	"/run/containerd/io.containerd.runtime.v2.task",
	"/run/k3s/containerd/io.containerd.runtime.v2.task",
	"/run/docker/containerd/daemon/io.containerd.runtime.v2.task",
	"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
};

/* A walk over task folders: to one container, or to all. */
struct walk {
	const struct runtimes *r;
	const char *folder, *namespace;
	struct container_info *wanted; /* NULL: all */
	bool found;
	container_fn *each;
	void *arg;
};

static int read_one(struct walk *w, const char *id, struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};

	if (file_read(w->r, &text, "%s/%s/%s/config.json", w->folder, w->namespace, id) ||
	    parse_oci_config(buf_str(&text), info))
		return -ENOENT;
	info_set_runtime(info, strcmp(w->namespace, "moby") ? RUNTIME_CONTAINERD : RUNTIME_DOCKER);
	info_set(&info->id, id);
	return 0;
}

static bool on_task(void *arg, const char *id)
{
	_cleanup_container_ struct container_info info = {0};
	struct walk *w = arg;

	if (!read_one(w, id, &info))
		w->each(w->arg, &info);
	return true;
}

static bool on_namespace(void *arg, const char *namespace)
{
	struct walk *w = arg;

	w->namespace = namespace;
	if (w->wanted)
		w->found = !read_one(w, w->wanted->id, w->wanted);
	else
		folder_each(w->r, on_task, w, "%s/%s", w->folder, namespace);
	return !w->found;
}

static void walk_tasks(struct walk *w)
{
	for (size_t i = 0; i < ELEMENTS(tasks) && !w->found; i++) {
		w->folder = tasks[i];
		folder_each(w->r, on_namespace, w, "%s", tasks[i]);
	}
}

static int containerd_lookup(const struct runtimes *r, struct container_info *info)
{
	struct walk w = {.r = r, .wanted = info};

	walk_tasks(&w);
	return w.found ? 0 : -ENOENT;
}

static void containerd_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct walk w = {.r = r, .each = each, .arg = arg};

	walk_tasks(&w);
}

const struct source source_containerd = {
	.name = "containerd",
	.runtimes = RUNTIME_BIT(CONTAINERD) | RUNTIME_BIT(DOCKER) | RUNTIME_BIT(KUBERNETES) |
		    RUNTIME_BIT(UNKNOWN),
	.lookup = containerd_lookup,
	.list = containerd_list,
};
