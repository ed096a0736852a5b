/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers by what the runtimes wrote down about them.
 *
 * Every container on a machine was started by some program which had to remember,
 * over its own restart, what it started.  So it is all on disk, in a dozen formats.
 * `sources` is the list of the readers, each one file in runtime/; a container is
 * asked for at those that may know it, in this order, until one does.  Reading files
 * instead of calling the daemons' sockets needs no client per runtime, works while a
 * daemon hangs, and gives the same answer in a test as on a node.
 *
 * Nothing here is trusted: a file is bounded, parsed, and what it says is cut to
 * size.  What a source can't read it doesn't know, and the next one is asked.
 */
#include "event/ident/runtimes.h"

#include "event/ident/runtime/source.h"

#include <errno.h>
#include <stdlib.h>

static const struct source *const sources[] = {
	&source_docker, &source_containerd, &source_storage,
	&source_oci,	&source_machines,   &source_rootless,
};

static void read_docker_conf(struct runtimes *r)
{
	_cleanup_buf_ struct buf text = {0};

	if (!file_read(r, &text, "/etc/docker/daemon.json"))
		r->docker = parse_docker_daemon(buf_str(&text));
}

static void read_storage_conf(struct runtimes *r)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_free_ char *graph = NULL, *run = NULL;

	if (file_read(r, &text, "/etc/containers/storage.conf") &&
	    file_read(r, &text, "/usr/share/containers/storage.conf"))
		return;
	graph = parse_storage_conf(buf_str(&text), "graphroot");
	run = parse_storage_conf(buf_str(&text), "runroot");
	storage_add(r, graph, run);
}

static void read_environment(struct runtimes *r)
{
	const char *p = getenv("SKEP_CONTAINER_STORAGE");

	while (p && *p) {
		size_t n = strcspn(p, ":");
		_cleanup_free_ char *graph = xstrndup(p, n);

		storage_add(r, graph, NULL);
		p += n + (p[n] == ':');
	}
}

struct runtimes *runtimes_new(const char *root)
{
	struct runtimes *r = xalloc(sizeof(*r));

	r->root = xstrdup(root);
	r->states = state_cache_new();
	read_docker_conf(r);
	read_storage_conf(r);
	storage_add(r, "/var/lib/containers/storage", "/run/containers/storage");
	read_environment(r);
	return r;
}

void runtimes_free(struct runtimes *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_storages; i++) {
		free(r->storages[i].graph);
		free(r->storages[i].run);
	}
	free(r->storages);
	free(r->docker);
	free(r->root);
	state_cache_free(r->states);
	free(r);
}

/* Ask the sources, one after the other, until one knows it. */
static int ask_sources(const struct runtimes *r, uint32_t runtime, struct container_info *info)
{
	int n = -ENOENT;

	for (size_t i = 0; i < ELEMENTS(sources) && n; i++)
		if (sources[i]->runtimes & runtime)
			n = sources[i]->lookup(r, info);
	return n;
}

/* A pod's labels are those of its sandbox, which is a container, too. */
static void add_pod_labels(const struct runtimes *r, uint32_t runtime, struct container_info *info)
{
	_cleanup_container_ struct container_info sandbox = {0};
	const struct container_info *from = info;

	if (!info->is_sandbox) {
		if (!is_file_name(info->sandbox))
			return;
		sandbox.runtime = info->runtime;
		sandbox.id = xstrdup(info->sandbox);
		if (ask_sources(r, runtime, &sandbox))
			return;
		info_set(&info->ip, sandbox.ip);
		from = &sandbox;
	}
	buf_reset(&info->pod_labels);
	buf_add(&info->pod_labels, from->labels.p, from->labels.n);
}

/* Then the kubelet's logs for what they left open. */
static int ask(const struct runtimes *r, uint32_t runtime, struct container_info *info)
{
	int n = ask_sources(r, runtime, info);

	if (!n)
		add_pod_labels(r, runtime, info);
	if ((!info->name || !info->pod_name) && !source_kubelet.lookup(r, info))
		n = 0;
	return n;
}

int runtimes_lookup(const struct runtimes *r, const struct container_ref *ref,
		    struct container_info *ret)
{
	_cleanup_container_ struct container_info info = {.runtime = ref->runtime};

	info.id = parse_unit_escapes(ref->id);
	info_set(&info.pod_uid, ref->pod_uid);
	if (!is_file_name(info.id) || ask(r, 1u << ref->runtime, &info))
		return -ENOENT;
	info_finish(&info);
	*ret = info;
	info = (struct container_info){0};
	return 0;
}

int runtimes_find_cgroup(struct runtimes *r, struct str path, size_t *ret_n,
			 struct container_info *ret)
{
	int n = oci_find_cgroup(r, path, ret_n, ret);

	if (n < 0)
		return n;
	info_finish(ret);
	return 0;
}

/* How well a container fits what was typed; a user's own stand below the system's. */
enum fit { FIT_NONE, FIT_PREFIX_USER, FIT_PREFIX, FIT_FULL_USER, FIT_FULL };

struct search {
	const char *wanted;
	bool is_users;
	enum fit fit;
	bool is_several;
	struct container_info best; /* owned */
};

static bool is_pod_name(const struct container_info *info, const char *wanted)
{
	_cleanup_buf_ struct buf name = {0};

	if (!info->pod_name || !info->name)
		return false;
	buf_printf(&name, "%s/%s/%s", info->pod_namespace ? info->pod_namespace : "",
		   info->pod_name, info->name);
	/* NAMESPACE/POD/NAME, or from the first slash on POD/NAME */
	return !strcmp(name.p, wanted) || !strcmp(strchr(name.p, '/') + 1, wanted);
}

static enum fit fit_of(const struct container_info *info, const char *wanted, bool is_users)
{
	struct str id = str_of(info->id);

	if (!strcmp(info->id, wanted) || (info->name && !strcmp(info->name, wanted)) ||
	    is_pod_name(info, wanted))
		return is_users ? FIT_FULL_USER : FIT_FULL;
	if (container_id_is_hex(id) && str_starts(id, str_of(wanted)))
		return is_users ? FIT_PREFIX_USER : FIT_PREFIX;
	return FIT_NONE;
}

static void on_container(void *arg, struct container_info *info)
{
	struct search *s = arg;
	enum fit fit = fit_of(info, s->wanted, s->is_users);

	if (fit == FIT_NONE || fit < s->fit)
		return;
	if (fit == s->fit) {
		/* several sources list the same container */
		if (strcmp(s->best.id, info->id))
			s->is_several = true;
		return;
	}
	container_info_done(&s->best);
	s->fit = fit;
	s->is_several = false;
	s->best = *info;
	*info = (struct container_info){0};
}

int runtimes_resolve(const struct runtimes *r, const char *wanted, struct container_info *ret)
{
	struct search s = {.wanted = wanted};

	for (size_t i = 0; i < ELEMENTS(sources) && *wanted; i++) {
		s.is_users = sources[i]->is_users;
		sources[i]->list(r, on_container, &s);
	}
	if (s.fit == FIT_NONE || s.is_several) {
		container_info_done(&s.best);
		return s.fit == FIT_NONE ? -ENOENT : -EEXIST;
	}
	/* lists tell less than a look into the container's own files */
	ask(r, 1u << s.best.runtime, &s.best);
	info_finish(&s.best);
	*ret = s.best;
	return 0;
}

struct names {
	char **all; /* owned */
	size_t n;
};

static void on_name(void *arg, struct container_info *info)
{
	struct names *names = arg;

	if (!info->name)
		return;
	names->all = xrealloc(names->all, (names->n + 2) * sizeof(*names->all));
	names->all[names->n++] = TAKE(info->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **runtimes_names(const struct runtimes *r)
{
	struct names names = {xalloc(sizeof(char *)), 0};
	size_t n = 0;

	for (size_t i = 0; i < ELEMENTS(sources); i++)
		sources[i]->list(r, on_name, &names);
	qsort(names.all, names.n, sizeof(*names.all), by_text);
	for (size_t i = 0; i < names.n; i++) {
		if (n && !strcmp(names.all[n - 1], names.all[i]))
			free(names.all[i]);
		else
			names.all[n++] = names.all[i];
	}
	names.all[n] = NULL;
	return names.all;
}

void runtimes_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
