/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-storage: the library in which podman, CRI-O and buildah keep images and
 * containers.
 *
 *   <graphroot>/<driver>-containers/containers.json            names, image: all of them
 *   <graphroot>/<driver>-containers/<id>/userdata/config.json  the OCI bundle of one
 *   <runroot>/<driver>-containers/<id>/userdata/config.json    the same, by CRI-O
 *   <graphroot>/<driver>-images/images.json                digests of the images
 *
 * The folders are those of storage.conf, of SKEP_CONTAINER_STORAGE, and of the users'
 * own podman in their homes.  podman keeps labels in its database only; what was
 * said with --annotation stands in the bundle and is taken for labels.
 *
 * A podman pod leaves no file of its own either.  But each of its containers names the
 * infra container, whose host name is the pod's name.
 */
#include "event/ident/runtime/source.h"

#include <errno.h>
#include <stdlib.h>

/* The storage driver is part of a folder's name. */
static const char *const drivers[] = {"overlay", "vfs", "btrfs", "zfs"};

void storage_add(struct runtimes *r, const char *graph, const char *run)
{
	struct storage *s;

	if (!graph || *graph != '/')
		return;
	for (size_t i = 0; i < r->n_storages; i++)
		if (!strcmp(r->storages[i].graph, graph))
			return;
	r->storages = xrealloc(r->storages, (r->n_storages + 1) * sizeof(*s));
	s = &r->storages[r->n_storages++];
	*s = (struct storage){xstrdup(graph), run && *run == '/' ? xstrdup(run) : NULL};
}

static struct str trim(struct str s)
{
	while (s.n && strchr(" \t\r", s.p[0]))
		s = (struct str){s.p + 1, s.n - 1};
	while (s.n && strchr(" \t\r", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "text" or 'text', perhaps with a comment behind it. */
static char *unquote(struct str s)
{
	const char *end;

	if (s.n < 2 || (s.p[0] != '"' && s.p[0] != '\'') || memchr(s.p, 0, s.n))
		return NULL;
	end = memchr(s.p + 1, s.p[0], s.n - 1);
	return end && end > s.p + 1 ? xstrndup(s.p + 1, end - s.p - 1) : NULL;
}

char *parse_storage_conf(struct str text, const char *key)
{
	bool is_storage = false;

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n), *equals;
		size_t n = end ? (size_t)(end - text.p) : text.n;
		struct str line = trim((struct str){text.p, n});

		text = (struct str){text.p + n + !!end, text.n - n - !!end};
		if (line.n && line.p[0] == '[')
			is_storage = str_eq(line, STR("[storage]"));
		equals = line.n ? memchr(line.p, '=', line.n) : NULL;
		if (!is_storage || !equals)
			continue;
		n = equals - line.p;
		if (str_eq(trim((struct str){line.p, n}), str_of(key)))
			return unquote(trim((struct str){equals + 1, line.n - n - 1}));
	}
	return NULL;
}

/* An entry of containers.json.  Its metadata is JSON too, written as one string. */
static int read_entry(json_t *entry, struct container_info *info)
{
	const char *id = json_text(entry, "id"), *data = json_text(entry, "metadata");
	const char *name = json_string_value(json_array_get(json_object_get(entry, "names"), 0));
	json_auto_t *metadata = json_of(str_of(data));

	if (!id || !is_file_name(id))
		return -EBADMSG;
	info_set(&info->id, id);
	parse_kubernetes_name(str_of(name), info);
	info_set(&info->name, json_text(metadata, "metadata-name"));
	info_set(&info->name, name);
	info_set(&info->name, json_text(metadata, "name"));
	info_set(&info->image, json_text(metadata, "image-name"));
	info_set(&info->sandbox, json_text(metadata, "pod-id"));
	info_set_image_id(info, json_text(metadata, "image-id"));
	info_set_image_id(info, json_text(entry, "image"));
	info_set_time(info, json_text(entry, "created"));
	return 0;
}

int parse_storage(struct str text, struct str id, struct container_info *info)
{
	json_auto_t *list = json_of(text);
	json_t *entry;
	size_t i;

	if (!json_is_array(list))
		return -EBADMSG;
	json_array_foreach(list, i, entry)
	{
		const char *this = json_text(entry, "id");

		if (this && str_eq(str_of(this), id))
			return read_entry(entry, info);
	}
	return -ENOENT;
}

int parse_storage_all(struct str text, void (*each)(void *arg, const struct container_info *info),
		      void *arg)
{
	json_auto_t *list = json_of(text);
	json_t *entry;
	size_t i;

	if (!json_is_array(list))
		return -EBADMSG;
	json_array_foreach(list, i, entry)
	{
		_cleanup_container_ struct container_info info = {0};

		if (!read_entry(entry, &info))
			each(arg, &info);
	}
	return 0;
}

int parse_storage_images(struct str text, struct container_info *info)
{
	json_auto_t *list = json_of(text);
	json_t *entry;
	size_t i;

	if (!json_is_array(list))
		return -EBADMSG;
	json_array_foreach(list, i, entry)
	{
		const char *this = json_text(entry, "id");

		if (this && info->image_id && !strcmp(this, info->image_id))
			info_set(&info->digest, json_text(entry, "digest"));
	}
	return 0;
}

static int read_bundle(const struct runtimes *r, const char *folder, const char *id,
		       struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};

	if (file_read(r, &text, "%s/%s/userdata/config.json", folder, id))
		return -ENOENT;
	return parse_oci_config(buf_str(&text), info);
}

/* An infra container is called after the first twelve digits of its pod. */
static bool is_infra(const struct container_info *info)
{
	return info->pod_uid && info->name && container_id_is_hex(str_of(info->pod_uid)) &&
	       !strncmp(info->name, info->pod_uid, 12) && !strcmp(info->name + 12, "-infra");
}

static void add_pod(const struct runtimes *r, const char *folder, struct container_info *info)
{
	_cleanup_container_ struct container_info infra = {0};

	if (is_infra(info)) {
		info->is_sandbox = true;
		info_set(&info->pod_name, info->hostname);
	} else if (is_file_name(info->sandbox) && !read_bundle(r, folder, info->sandbox, &infra)) {
		info_set(&info->pod_name, infra.hostname);
	}
}

/* The images stand beside the containers: <graphroot>/<driver>-images. */
static void read_images(const struct runtimes *r, const char *folder, struct container_info *info)
{
	struct str name = str_of(folder), end = STR("-containers");
	_cleanup_buf_ struct buf text = {0};

	if (info->image_id && !info->digest && str_ends(name, end) &&
	    !file_read(r, &text, "%.*s-images/images.json", (int)(name.n - end.n), folder))
		parse_storage_images(buf_str(&text), info);
}

int storage_read(const struct runtimes *r, const char *folder, struct container_info *info)
{
	_cleanup_buf_ struct buf text = {0};
	int bundle = read_bundle(r, folder, info->id, info), list = -ENOENT;

	if (!file_read(r, &text, "%s/containers.json", folder))
		list = parse_storage(buf_str(&text), str_of(info->id), info);
	read_images(r, folder, info);
	if (info->runtime == RUNTIME_PODMAN)
		add_pod(r, folder, info);
	return bundle && list ? -ENOENT : 0;
}

/* One storage folder with any driver. */
static int read_storage(const struct runtimes *r, const char *graph, const char *run,
			struct container_info *info)
{
	_cleanup_buf_ struct buf folder = {0};

	for (size_t i = 0; i < ELEMENTS(drivers); i++) {
		int running = -ENOENT;

		if (run) {
			buf_reset(&folder);
			buf_printf(&folder, "%s/%s-containers", run, drivers[i]);
			running = read_bundle(r, folder.p, info->id, info);
		}
		buf_reset(&folder);
		buf_printf(&folder, "%s/%s-containers", graph, drivers[i]);
		if (!storage_read(r, folder.p, info) || !running)
			return 0;
	}
	return -ENOENT;
}

static int storage_lookup(const struct runtimes *r, struct container_info *info)
{
	for (size_t i = 0; i < r->n_storages; i++)
		if (!read_storage(r, r->storages[i].graph, r->storages[i].run, info))
			return 0;
	return -ENOENT;
}

struct listing {
	enum container_runtime runtime; /* if the folder alone tells it */
	container_fn *each;
	void *arg;
};

/* The list of one folder owns its entries; the callback may take from a copy. */
static void on_entry(void *arg, const struct container_info *entry)
{
	const struct listing *l = arg;
	_cleanup_container_ struct container_info info = {.runtime = l->runtime,
							  .is_sandbox = entry->is_sandbox};

	info_set(&info.id, entry->id);
	info_set(&info.name, entry->name);
	info_set(&info.image, entry->image);
	info_set(&info.pod_uid, entry->pod_uid);
	info_set(&info.pod_name, entry->pod_name);
	info_set(&info.pod_namespace, entry->pod_namespace);
	l->each(l->arg, &info);
}

static void list_storage(const struct runtimes *r, const char *graph, struct listing *l)
{
	_cleanup_buf_ struct buf text = {0};

	for (size_t i = 0; i < ELEMENTS(drivers); i++)
		if (!file_read(r, &text, "%s/%s-containers/containers.json", graph, drivers[i]))
			parse_storage_all(buf_str(&text), on_entry, l);
}

static void storage_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct listing l = {RUNTIME_UNKNOWN, each, arg};

	for (size_t i = 0; i < r->n_storages; i++)
		list_storage(r, r->storages[i].graph, &l);
}

const struct source source_storage = {
	.name = "containers-storage",
	.runtimes = RUNTIME_BIT(PODMAN) | RUNTIME_BIT(CRIO) | RUNTIME_BIT(KUBERNETES) |
		    RUNTIME_BIT(UNKNOWN),
	.lookup = storage_lookup,
	.list = storage_list,
};

/* Where podman keeps what a user runs without being root. */
#define HOME_STORAGE "/home/%s/.local/share/containers/storage"

struct homes {
	const struct runtimes *r;
	struct container_info *wanted; /* NULL: list */
	struct listing listing;
	bool found;
};

static bool on_home(void *arg, const char *user)
{
	_cleanup_buf_ struct buf graph = {0};
	struct homes *h = arg;

	buf_printf(&graph, HOME_STORAGE, user);
	if (h->wanted)
		h->found = !read_storage(h->r, graph.p, NULL, h->wanted);
	else
		list_storage(h->r, graph.p, &h->listing);
	return !h->found;
}

static int rootless_lookup(const struct runtimes *r, struct container_info *info)
{
	struct homes h = {.r = r, .wanted = info};

	folder_each(r, on_home, &h, "/home");
	return h.found ? 0 : -ENOENT;
}

static void rootless_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct homes h = {.r = r, .listing = {RUNTIME_PODMAN, each, arg}};

	folder_each(r, on_home, &h, "/home");
}

const struct source source_rootless = {
	.name = "containers-storage of users",
	.runtimes = RUNTIME_BIT(PODMAN),
	.is_users = true,
	.lookup = rootless_lookup,
	.list = rootless_list,
};
