/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker: one folder a container, in it config.v2.json with all that its user said.
 *
 *   <data-root>/containers/<id>/config.v2.json
 *
 * The daemon's data-root is /var/lib/docker unless /etc/docker/daemon.json says
 * another one.  (`dockerd --data-root` on the command line can't be seen here.)
 */
#include "event/ident/runtime/source.h"

#include <errno.h>

static const char *const roots[] = {
	"/var/lib/docker",
	"/var/snap/docker/common/var-lib-docker",
};

char *parse_docker_daemon(struct str text)
{
	json_auto_t *root = json_of(text);
	const char *value = json_text(root, "data-root");

	return value && *value == '/' ? xstrdup(value) : NULL;
}

int parse_docker(struct str text, struct container_info *info)
{
	json_auto_t *root = json_of(text);
	json_t *config = json_object_get(root, "Config");
	const char *id = json_text(root, "ID"), *name = json_text(root, "Name");

	if (!id || !is_file_name(id))
		return -EBADMSG;
	info_set(&info->id, id);
	info_set_runtime(info, RUNTIME_DOCKER);
	info_add_labels(info, json_object_get(config, "Labels"));
	/* of Kubernetes' own making, k8s_…, if its labels are missing */
	parse_kubernetes_name(str_of(name && *name == '/' ? name + 1 : name), info);
	info_set(&info->name, name && *name == '/' ? name + 1 : name);
	info_set(&info->image, json_text(config, "Image"));
	info_set(&info->image, json_text(root, "Image"));
	info_set(&info->hostname, json_text(config, "Hostname"));
	return 0;
}

static int read_one(const struct runtimes *r, const char *root, const char *id,
		    struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};

	if (!root || file_read(r, &text, "%s/containers/%s/config.v2.json", root, id))
		return -ENOENT;
	return parse_docker(buf_str(&text), info);
}

static int docker_lookup(const struct runtimes *r, struct container_info *info)
{
	if (!read_one(r, r->docker, info->id, info))
		return 0;
	for (size_t i = 0; i < ELEMENTS(roots); i++)
		if (!read_one(r, roots[i], info->id, info))
			return 0;
	return -ENOENT;
}

struct listing {
	const struct runtimes *r;
	const char *root;
	container_fn *each;
	void *arg;
};

static bool list_one(void *arg, const char *name)
{
	_cleanup_container_ struct container_info info = {0};
	struct listing *l = arg;

	if (!read_one(l->r, l->root, name, &info))
		l->each(l->arg, &info);
	return true;
}

static void docker_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct listing l = {r, r->docker, each, arg};

	if (r->docker)
		folder_each(r, list_one, &l, "%s/containers", r->docker);
	for (size_t i = 0; i < ELEMENTS(roots); i++) {
		l.root = roots[i];
		folder_each(r, list_one, &l, "%s/containers", roots[i]);
	}
}

const struct source source_docker = {
	.name = "docker",
	.runtimes = RUNTIME_BIT(DOCKER) | RUNTIME_BIT(KUBERNETES) | RUNTIME_BIT(UNKNOWN),
	.lookup = docker_lookup,
	.list = docker_list,
};
