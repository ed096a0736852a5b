/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroup paths, and the state files of container runtimes.  The first byte says which
 * reader gets the rest; any other byte, and it is all a path.  What comes out of a file
 * has to stay within its bounds, and a path's parts have to agree with each other.
 */
#include "event/ident/container-text.h"
#include "event/ident/runtimes-parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text)
{
	must(!text || (*text && strlen(text) <= CONTAINER_TEXT_MAX));
}

static void check_facts(const struct container_info *info)
{
	struct str rest = buf_str(&info->mounts);
	struct container_mount m;

	check_text(info->image_id);
	check_text(info->digest);
	check_text(info->ip);
	must(!info->image_id || container_id_is_hex(str_of(info->image_id)));
	must(info->mounts.n <= CONTAINER_MOUNTS_MAX);
	must(!info->mounts.n || info->bits & WIRE_CONTAINER_MOUNTS);
	while (container_mount_next(&rest, &m))
		continue;
	must(!rest.n);
}

static void check_info(const struct container_info *info)
{
	const char *p = info->labels.p, *end = p ? p + info->labels.n : NULL;

	check_text(info->id);
	check_text(info->name);
	check_text(info->image);
	check_text(info->pod_uid);
	check_text(info->pod_name);
	check_text(info->pod_namespace);
	check_text(info->sandbox);
	check_text(info->hostname);
	must(info->runtime < RUNTIME_COUNT && info->n_labels <= CONTAINER_LABELS_MAX);
	for (size_t i = 0; i < info->n_labels; i++) {
		const char *value = p + strlen(p) + 1;

		must(*p && value - p <= CONTAINER_KEY_MAX + 1);
		must(strlen(value) <= CONTAINER_TEXT_MAX);
		must(container_info_label(info, p) == value);
		p = value + strlen(value) + 1;
	}
	must(p == end);
	check_facts(info);
}

static void on_path(struct str path)
{
	struct container_ref ref, own, outer;

	if (!container_of_cgroup(path, &ref))
		return;
	must(ref.cgroup_n <= path.n && ref.outer_n <= ref.cgroup_n && ref.outer_n > 0);
	must(ref.id.n > 0 && ref.id.n <= CONTAINER_ID_MAX && ref.id.p >= path.p &&
	     ref.id.p + ref.id.n <= path.p + ref.cgroup_n);
	must(memchr(ref.pod_uid, 0, sizeof(ref.pod_uid)) != NULL);
	must(container_runtime_name(ref.runtime) != NULL);
	/* the container's own cgroup and the outermost one's are containers themselves */
	must(container_of_cgroup((struct str){path.p, ref.cgroup_n}, &own));
	must(own.cgroup_n == ref.cgroup_n && str_eq(own.id, ref.id) &&
	     !strcmp(own.pod_uid, ref.pod_uid));
	must(container_of_cgroup((struct str){path.p, ref.outer_n}, &outer));
	must(outer.cgroup_n == ref.outer_n && outer.outer_n == ref.outer_n);
}

static void on_docker(struct str text)
{
	_cleanup_container_ struct container_info info = {0};

	must(!parse_docker(text, &info) == !!info.id);
	check_info(&info);
}

static void on_docker_host(struct str text)
{
	_cleanup_container_ struct container_info info = {0};
	uint32_t bits = WIRE_CONTAINER_KNOWN | WIRE_CONTAINER_PRIVILEGED | WIRE_CONTAINER_HOST_PID |
			WIRE_CONTAINER_HOST_NET | WIRE_CONTAINER_HOST_IPC;

	must(!parse_docker_host(text, &info) == !!info.bits);
	must(!(info.bits & ~bits));
}

/* The lists of images, and what is in a name of theirs. */
static void on_images(struct str text)
{
	static const char id[] = "8888888888888888888888888888888888888888888888888888888888888888";
	_cleanup_container_ struct container_info docker = {0}, storage = {0};
	struct image_name name;

	docker.image_id = xstrdup(id);
	storage.image_id = xstrdup(id);
	parse_docker_images(text, &docker);
	parse_storage_images(text, &storage);
	check_info(&docker);
	check_info(&storage);
	image_name_split(text, &name);
	must(name.repository.n + name.tag.n + name.digest.n <= text.n);
	parse_time(text);
}

static void on_oci_config(struct str text)
{
	_cleanup_container_ struct container_info info = {0};

	parse_oci_config(text, &info);
	check_info(&info);
}

static void on_oci_state(struct str text)
{
	_cleanup_(oci_state_done) struct oci_state state = {0};

	if (parse_oci_state(text, &state))
		return;
	must(state.id || state.bundle);
	must(!state.cgroup || (state.cgroup[0] == '/' && state.cgroup[1]));
	must(!state.bundle || state.bundle[0] == '/');
}

struct storage_check {
	struct str text;
	bool is_first;
};

/* The entry that a list begins with is also found by its id. */
static void on_entry(void *arg, const struct container_info *info)
{
	_cleanup_container_ struct container_info same = {0};
	struct storage_check *check = arg;

	check_info(info);
	if (!check->is_first)
		return;
	check->is_first = false;
	must(!parse_storage(check->text, str_of(info->id), &same));
	check_info(&same);
}

static void on_storage(struct str text)
{
	struct storage_check check = {text, true};

	parse_storage_all(text, on_entry, &check);
}

static void on_conf(struct str text)
{
	_cleanup_free_ char *value = parse_storage_conf(text, "graphroot");
	_cleanup_free_ char *root = parse_docker_daemon(text);

	must(!value || *value);
	must(!root || *root == '/');
}

static void on_name(struct str text)
{
	_cleanup_container_ struct container_info pod = {0}, log = {0}, name = {0};
	_cleanup_free_ char *plain = parse_unit_escapes(text);

	must(strlen(plain) <= text.n);
	must(parse_pod_log(text, &pod) == !!pod.pod_uid);
	must(parse_container_log(text, &log) == !!log.id);
	must(parse_kubernetes_name(text, &name) == !!name.pod_uid);
	/* a name is file name, so no NUL is in it; here one may cut the copies */
	if (memchr(text.p, 0, text.n))
		return;
	check_info(&pod);
	check_info(&log);
	check_info(&name);
}

static const struct {
	char tag;
	void (*read)(struct str text);
} readers[] = {
	{'D', on_docker},    {'H', on_docker_host}, {'I', on_images}, {'C', on_oci_config},
	{'R', on_oci_state}, {'S', on_storage},	    {'F', on_conf},   {'N', on_name},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* a copy of exactly this size, so that reading one byte too far is seen */
	char *text = xalloc(n ? n : 1);
	bool is_path = true;

	memcpy(text, data, n);
	for (size_t i = 0; i < ELEMENTS(readers) && n > 1; i++)
		if (text[0] == readers[i].tag) {
			readers[i].read((struct str){text + 1, n - 1});
			is_path = false;
		}
	if (is_path)
		on_path((struct str){text, n});
	free(text);
	return 0;
}
