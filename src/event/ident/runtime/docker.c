/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker: one folder a container, in it config.v2.json with all that its user said.
 *
 *   <data-root>/containers/<id>/config.v2.json
 *   <data-root>/containers/<id>/hostconfig.json      what it may do
 *   <data-root>/image/<driver>/repositories.json     names and digests of the images
 *
 * The daemon's data-root is /var/lib/docker unless /etc/docker/daemon.json says
 * another one.  (`dockerd --data-root` on the command line can't be seen here.)
 */
#include "event/ident/container-text.h"
#include "event/ident/runtime/source.h"

#include <errno.h>
#include <stdlib.h>

static const char *const roots[] = {
	"/var/lib/docker",
	"/var/snap/docker/common/var-lib-docker",
};

static const char *const drivers[] = {"overlay2", "btrfs", "zfs", "vfs", "fuse-overlayfs"};

char *parse_docker_daemon(struct str text)
{
	json_auto_t *root = json_of(text);
	const char *value = json_text(root, "data-root");

	return value && *value == '/' ? xstrdup(value) : NULL;
}

static void add_mounts(struct container_info *info, json_t *points)
{
	const char *key;
	json_t *point;

	if (!json_is_object(points))
		return;
	info->bits |= WIRE_CONTAINER_MOUNTS;
	json_object_foreach(points, key, point)
	{
		struct mount_text m = {
			.source = json_text(point, "Source"),
			.destination = json_text(point, "Destination"),
			.mode = json_text(point, "Mode"),
			.propagation = json_text(point, "Propagation"),
			.is_writable = json_is_true(json_object_get(point, "RW")),
		};

		if (!m.destination)
			m.destination = key;
		info_add_mount(info, &m);
	}
}

/* Of several networks the first one's address that is written down. */
static void add_address(struct container_info *info, json_t *settings)
{
	json_t *network;
	const char *key;

	info_set(&info->ip, json_text(settings, "IPAddress"));
	json_object_foreach(json_object_get(settings, "Networks"), key, network)
		info_set(&info->ip, json_text(network, "IPAddress"));
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
	info_set_image_id(info, json_text(root, "Image"));
	info_set(&info->hostname, json_text(config, "Hostname"));
	info_set_time(info, json_text(json_object_get(root, "State"), "StartedAt"));
	info_set_time(info, json_text(root, "Created"));
	add_mounts(info, json_object_get(root, "MountPoints"));
	add_address(info, json_object_get(root, "NetworkSettings"));
	return 0;
}

static bool is_host(json_t *root, const char *key)
{
	const char *mode = json_text(root, key);

	return mode && !strcmp(mode, "host");
}

int parse_docker_host(struct str text, struct container_info *info)
{
	json_auto_t *root = json_of(text);
	uint32_t bits = 0;

	if (!json_is_boolean(json_object_get(root, "Privileged")))
		return -EBADMSG;
	if (json_is_true(json_object_get(root, "Privileged")))
		bits |= WIRE_CONTAINER_PRIVILEGED;
	if (is_host(root, "PidMode"))
		bits |= WIRE_CONTAINER_HOST_PID;
	if (is_host(root, "NetworkMode"))
		bits |= WIRE_CONTAINER_HOST_NET;
	if (is_host(root, "IpcMode"))
		bits |= WIRE_CONTAINER_HOST_IPC;
	info_set_bits(info, bits);
	return 0;
}

/* Name and digest of one image, among those of its repository. */
static void add_image(struct container_info *info, json_t *names)
{
	_cleanup_buf_ struct buf id = {0};
	const char *name;
	json_t *value;

	buf_printf(&id, "sha256:%s", info->image_id);
	json_object_foreach(names, name, value)
	{
		struct image_name image;

		if (!json_is_string(value) || strcmp(json_string_value(value), id.p))
			continue;
		image_name_split(str_of(name), &image);
		info_set_str(&info->digest, image.digest);
		/* Kubernetes asks for images by their ids */
		if (info->image && str_starts(str_of(info->image), STR("sha256:")) && image.tag.n) {
			free(TAKE(info->image));
			info_set(&info->image, name);
		}
	}
}

int parse_docker_images(struct str text, struct container_info *info)
{
	json_auto_t *root = json_of(text);
	json_t *repositories = json_object_get(root, "Repositories"), *names;
	const char *key;

	if (!json_is_object(repositories))
		return -EBADMSG;
	if (!info->image_id)
		return 0;
	json_object_foreach(repositories, key, names) add_image(info, names);
	return 0;
}

static int read_one(const struct runtimes *r, const char *root, const char *id,
		    struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};
	int n;

	if (!root || file_read(r, &text, "%s/containers/%s/config.v2.json", root, id))
		return -ENOENT;
	n = parse_docker(buf_str(&text), info);
	if (n < 0)
		return n;
	if (!file_read(r, &text, "%s/containers/%s/hostconfig.json", root, id))
		parse_docker_host(buf_str(&text), info);
	return 0;
}

static void read_images(const struct runtimes *r, const char *root, struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};

	for (size_t i = 0; i < ELEMENTS(drivers); i++)
		if (!file_read(r, &text, "%s/image/%s/repositories.json", root, drivers[i]))
			parse_docker_images(buf_str(&text), info);
}

static int lookup_one(const struct runtimes *r, const char *root, struct container_info *info)
{
	int n = read_one(r, root, info->id, info);

	if (!n)
		read_images(r, root, info);
	return n;
}

static int docker_lookup(const struct runtimes *r, struct container_info *info)
{
	if (!lookup_one(r, r->docker, info))
		return 0;
	for (size_t i = 0; i < ELEMENTS(roots); i++)
		if (!lookup_one(r, roots[i], info))
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
