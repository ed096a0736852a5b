/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-level runtimes, runc and crun, which all the others call in the end.
 *
 * A container is given to them as a bundle, a folder with config.json.  While it
 * runs they keep a state file with the container's cgroups and the bundle's place:
 *
 *   /run/runc/<id>/state.json                  runc alone, and podman and CRI-O with it
 *   /run/crun/<id>/status                      crun
 *   /run/containerd/runc/<namespace>/<id>/…    containerd, with ctr and nerdctl
 *   /run/docker/runtime-runc/<namespace>/<id>/…  docker
 *
 * That makes them the only way to recognise a container whose cgroup is named as
 * its user liked (`runc run web` makes /web), and a good second way for the rest: a
 * podman storage in any folder is found from the bundle's path.
 *
 * The state files of users (/run/user/<uid>/…) are left out.  Their owner could
 * claim any cgroup for his container, sshd's as well; and podman's cgroups are
 * recognised by name.
 */
#include "event/ident/runtime/source.h"

#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

static const struct state_folder {
	const char *path, *file;
	bool has_namespaces;
	enum container_runtime runtime;
} folders[] = {
	{"/run/runc", "state.json", false, RUNTIME_RUNC},
	{"/run/crun", "status", false, RUNTIME_CRUN},
	{"/run/containerd/runc", "state.json", true, RUNTIME_CONTAINERD},
	{"/run/docker/runtime-runc", "state.json", true, RUNTIME_DOCKER},
};

void oci_state_done(struct oci_state *s)
{
	free(s->id);
	free(s->cgroup);
	free(s->bundle);
	*s = (struct oci_state){0};
}

/* The path from the root of its hierarchy; they are mounted below /sys/fs/cgroup. */
static const char *below_mount(const char *path, const char *controller)
{
	const struct str mount = STR("/sys/fs/cgroup");

	if (!path || !str_starts(str_of(path), mount))
		return NULL;
	path += mount.n;
	/* v1 has a mount per controller; v2 beside v1 is mounted at "unified" */
	if (*controller || str_starts(str_of(path), STR("/unified/")))
		path = *path ? strchr(path + 1, '/') : NULL;
	return path && *path == '/' ? path : NULL;
}

/* runc tells the cgroup of each hierarchy; "" is version 2. */
static const char *cgroup_of(json_t *paths)
{
	static const char *const order[] = {"", "name=systemd", "cpu", "memory", "pids"};
	const char *cgroup = NULL;

	for (size_t i = 0; i < ELEMENTS(order) && !cgroup; i++)
		cgroup = below_mount(json_text(paths, order[i]), order[i]);
	return cgroup;
}

/* runc keeps annotations as "key=value"; the bundle is the last, set by runc itself. */
static const char *bundle_of(json_t *labels)
{
	const char *bundle = NULL;
	json_t *label;
	size_t i;

	json_array_foreach(labels, i, label)
	{
		const char *text = json_string_value(label);

		if (text && str_starts(str_of(text), STR("bundle=")))
			bundle = text + strlen("bundle=");
	}
	return bundle;
}

int parse_oci_state(struct str text, struct oci_state *ret)
{
	json_auto_t *root = json_of(text);
	const char *id = json_text(root, "id");
	const char *bundle, *cgroup;

	if (id) {
		bundle = bundle_of(json_object_get(json_object_get(root, "config"), "labels"));
		cgroup = cgroup_of(json_object_get(root, "cgroup_paths"));
	} else {
		bundle = json_text(root, "bundle");
		cgroup = json_text(root, "cgroup-path");
	}
	if (bundle && *bundle != '/')
		bundle = NULL;
	if (id ? !is_file_name(id) : !bundle)
		return -EBADMSG;
	*ret = (struct oci_state){
		.id = id ? xstrdup(id) : NULL,
		/* "/" is no container's own */
		.cgroup = cgroup && cgroup[0] == '/' && cgroup[1] ? xstrdup(cgroup) : NULL,
		.bundle = bundle ? xstrdup(bundle) : NULL,
		.created_ns = parse_time(str_of(json_text(root, "created"))),
	};
	return 0;
}

/* The bundle in a containers-storage: <folder>/<id>/userdata; NULL if it is not in one. */
static char *storage_of_bundle(const char *bundle, const char *id)
{
	_cleanup_buf_ struct buf tail = {0};
	struct str path = str_of(bundle);

	buf_printf(&tail, "-containers/%s/userdata", id);
	if (!str_ends(path, buf_str(&tail)))
		return NULL;
	return xstrndup(path.p, path.n - tail.n + strlen("-containers"));
}

static void read_bundle(const struct runtimes *r, const char *bundle, struct container_info *info)
{
	_cleanup_free_ char *storage = storage_of_bundle(bundle, info->id);
	_cleanup_buf_ struct buf text = {0};

	if (storage)
		storage_read(r, storage, info);
	else if (!file_read(r, &text, "%s/config.json", bundle))
		parse_oci_config(buf_str(&text), info);
}

/* A place where a container's state may be. */
struct place {
	const struct state_folder *folder;
	const char *namespace; /* "" or "/<namespace>" */
	const char *id;
};

static int read_state(const struct runtimes *r, const struct place *p, struct oci_state *ret)
{
	_cleanup_buf_ struct buf text = {0};
	int n = file_read(r, &text, "%s%s/%s/%s", p->folder->path, p->namespace, p->id,
			  p->folder->file);

	return n < 0 ? n : parse_oci_state(buf_str(&text), ret);
}

static int read_place(const struct runtimes *r, const struct place *p, struct container_info *info)
{
	_cleanup_(oci_state_done) struct oci_state state = {0};
	int n = read_state(r, p, &state);

	if (n < 0)
		return n;
	info_set(&info->id, state.id ? state.id : p->id);
	if (state.bundle)
		read_bundle(r, state.bundle, info);
	if (!info->start_ns)
		info->start_ns = state.created_ns;
	info_set_runtime(info, p->folder->runtime);
	return 0;
}

/* A walk over all places, or those of one id. */
typedef bool place_fn(void *arg, const struct place *place);

struct walk {
	const struct runtimes *r;
	struct place place;
	const char *id; /* NULL: all */
	place_fn *each;
	void *arg;
	bool ended;
};

static bool on_id(void *arg, const char *id)
{
	struct walk *w = arg;

	w->place.id = id;
	w->ended = !w->each(w->arg, &w->place);
	return !w->ended;
}

static void walk_ids(struct walk *w)
{
	if (w->id)
		on_id(w, w->id);
	else
		folder_each(w->r, on_id, w, "%s%s", w->place.folder->path, w->place.namespace);
}

static bool on_namespace(void *arg, const char *name)
{
	_cleanup_buf_ struct buf namespace = {0};
	struct walk *w = arg;

	buf_printf(&namespace, "/%s", name);
	w->place.namespace = namespace.p;
	walk_ids(w);
	return !w->ended;
}

static void walk_places(struct walk *w)
{
	for (size_t i = 0; i < ELEMENTS(folders) && !w->ended; i++) {
		w->place = (struct place){.folder = &folders[i], .namespace = ""};
		if (folders[i].has_namespaces)
			folder_each(w->r, on_namespace, w, "%s", folders[i].path);
		else
			walk_ids(w);
	}
}

struct wanted {
	const struct runtimes *r;
	struct container_info *info;
	bool found;
};

static bool on_wanted(void *arg, const struct place *place)
{
	struct wanted *w = arg;

	w->found = !read_place(w->r, place, w->info);
	return !w->found;
}

static int oci_lookup(const struct runtimes *r, struct container_info *info)
{
	struct wanted wanted = {r, info, false};
	struct walk w = {.r = r, .id = info->id, .each = on_wanted, .arg = &wanted};

	walk_places(&w);
	return wanted.found ? 0 : -ENOENT;
}

struct listing {
	const struct runtimes *r;
	container_fn *each;
	void *arg;
};

static bool on_listed(void *arg, const struct place *place)
{
	_cleanup_container_ struct container_info info = {0};
	struct listing *l = arg;

	if (!read_place(l->r, place, &info)) {
		info_finish(&info);
		l->each(l->arg, &info);
	}
	return true;
}

static void oci_list(const struct runtimes *r, container_fn *each, void *arg)
{
	struct listing l = {r, each, arg};
	struct walk w = {.r = r, .each = on_listed, .arg = &l};

	walk_places(&w);
}

const struct source source_oci = {
	.name = "oci",
	.runtimes = ~(RUNTIME_BIT(LXC) | RUNTIME_BIT(NSPAWN) | RUNTIME_BIT(BUILDAH)),
	.lookup = oci_lookup,
	.list = oci_list,
};

/*
 * Which state names which cgroup, kept from one question to the next: a state file
 * is some 30 KB of JSON, and every service of the system is asked about once.
 */
struct known_state {
	struct file_stamp stamp;
	const struct state_folder *folder;
	char *namespace, *id, *cgroup; /* owned; cgroup NULL: none, or unreadable */
};

struct state_cache {
	struct map by_inode;
};

static void known_state_free(struct known_state *s)
{
	if (!s)
		return;
	free(s->namespace);
	free(s->id);
	free(s->cgroup);
	free(s);
}

static void states_done(struct map *states)
{
	struct known_state *s;

	map_each(states, i, s)
		known_state_free(s);
	map_done(states);
}

struct state_cache *state_cache_new(void)
{
	return xalloc(sizeof(struct state_cache));
}

void state_cache_free(struct state_cache *c)
{
	if (!c)
		return;
	states_done(&c->by_inode);
	free(c);
}

static struct known_state *known_state_new(const struct runtimes *r, const struct place *p,
					   const struct file_stamp *stamp)
{
	_cleanup_(oci_state_done) struct oci_state state = {0};
	struct known_state *s = xalloc(sizeof(*s));

	read_state(r, p, &state);
	*s = (struct known_state){*stamp, p->folder, xstrdup(p->namespace), xstrdup(p->id),
				  TAKE(state.cgroup)};
	return s;
}

static bool is_same(const struct known_state *s, const struct place *p,
		    const struct file_stamp *stamp)
{
	return s->folder == p->folder && !strcmp(s->namespace, p->namespace) &&
	       !strcmp(s->id, p->id) && !memcmp(&s->stamp, stamp, sizeof(*stamp));
}

struct refresh {
	const struct runtimes *r;
	struct map *old;
	struct map new;
};

static bool on_state(void *arg, const struct place *p)
{
	struct refresh *f = arg;
	struct file_stamp stamp;
	struct known_state *s;

	if (file_stamp(f->r, &stamp, "%s%s/%s/%s", p->folder->path, p->namespace, p->id,
		       p->folder->file))
		return true;
	s = map_take(f->old, stamp.inode);
	if (s && !is_same(s, p, &stamp)) {
		known_state_free(s);
		s = NULL;
	}
	if (!s)
		s = known_state_new(f->r, p, &stamp);
	known_state_free(map_put(&f->new, stamp.inode, s));
	return true;
}

/* Does the path lead into this cgroup? */
static bool is_within(struct str path, struct str cgroup)
{
	return str_starts(path, cgroup) && (path.n == cgroup.n || path.p[cgroup.n] == '/');
}

int oci_find_cgroup(struct runtimes *r, struct str path, size_t *ret_n, struct container_info *ret)
{
	struct refresh refresh = {.r = r, .old = &r->states->by_inode};
	struct walk w = {.r = r, .each = on_state, .arg = &refresh};
	_cleanup_container_ struct container_info info = {0};
	const struct known_state *s, *best = NULL;
	size_t longest = 0;
	int n;

	walk_places(&w);
	states_done(refresh.old);
	r->states->by_inode = refresh.new;
	map_each(&refresh.new, i, s) {
		size_t length = s->cgroup ? strlen(s->cgroup) : 0;

		if (length > longest && is_within(path, str_of(s->cgroup))) {
			longest = length;
			best = s;
		}
	}
	if (!best)
		return -ENOENT;
	n = read_place(r, &(struct place){best->folder, best->namespace, best->id}, &info);
	if (n < 0)
		return -ENOENT;
	*ret_n = longest;
	*ret = info;
	info = (struct container_info){0};
	return 0;
}
